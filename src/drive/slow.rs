//! Who judges the scene for the planner of `tandem drive`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use burn::backend::Flex;
use burn::backend::flex::FlexDevice;
use clap::ValueEnum;
use tandem_sim::suite::Driver;
use tandem_sim::{Companion, Course};
use tandem_vlm::engine::Limits;
use tandem_vlm::eyes::{Eyes, cameras, judging};
use tandem_vlm::judge::{Fault, Faulty, Knowing, Mind, Pace, Paced};

use crate::vlm::Spoken;
use crate::vlm::judge::Judges;

/// What the slow mind can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Slow {
    /// There is none.
    None,
    /// Tandem's own model with what it has learnt, which thinks as long as on two cores.
    Model,
    /// One that knows what was staged and says what a good judge says: what judgments could bring at best.
    Truth,
    /// The same, but three seconds late.
    Late,
    /// The same, but silent from the fifth second on.
    Silent,
    /// One that judges another world.
    Wrong,
    /// One that closes free roads and wants to go fast into the lane on the left.
    Hostile,
}

/// Who judges.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Slow mind")]
pub struct Judging {
    /// Who judges the scene for the planners, one after the other; all but `none` need `--hazard`.
    #[arg(long, value_delimiter = ',', default_value = "none")]
    slow: Vec<Slow>,
    /// How long a slow mind thinks that is no model.
    #[arg(long, value_name = "MS", default_value_t = 400)]
    slow_ms: u64,
    /// What `tandem vlm train` has taught the model; without, what comes with the program.
    #[arg(long, value_name = "FILE")]
    slow_adapter: Option<PathBuf>,
}

impl Judging {
    /// Every driver with each of the minds.
    pub fn with(&self, drivers: Vec<Driver>) -> anyhow::Result<Vec<Driver>> {
        let minds: Vec<_> = self.slow.iter().map(|slow| self.companion(*slow)).collect::<Result<_, _>>()?;
        Ok(minds
            .iter()
            .flat_map(|slow| drivers.iter().cloned().map(move |driver| Driver { slow: slow.clone(), ..driver }))
            .collect())
    }

    fn companion(&self, slow: Slow) -> anyhow::Result<Option<Companion>> {
        let takes = Duration::from_millis(self.slow_ms);
        let (name, fault) = match slow {
            Slow::None => return Ok(None),
            Slow::Model => ("the model's judgments", None),
            Slow::Truth => ("true judgments", None),
            Slow::Late => ("late judgments", Some(Fault::Late)),
            Slow::Silent => ("ending judgments", Some(Fault::Silent)),
            Slow::Wrong => ("wrong judgments", Some(Fault::Wrong)),
            Slow::Hostile => ("hostile judgments", Some(Fault::Hostile)),
        };
        let judges = match slow {
            Slow::Model => Some(Judges::open(&Spoken::learnt(self.slow_adapter.clone()), Limits::default().draft)?),
            _ => None,
        };
        let mind = move |course: &Arc<Course>| -> Box<dyn Mind> {
            let course = Arc::clone(course);
            match (&judges, fault) {
                (Some(judges), _) => Box::new(Paced::new(judges.another(), Pace::TWO_CORES, course.log.id.as_str())),
                (None, None) => Box::new(Knowing::new(course, cameras(), takes)),
                (None, Some(fault)) => Box::new(Faulty::new(fault, course, cameras(), takes)),
            }
        };
        let eyes = Eyes::<Flex>::own(&FlexDevice)?;
        Ok(Some(Companion {
            name: name.to_owned(),
            node: Arc::new(move |course| Box::new(judging(mind(course), course, &eyes))),
        }))
    }
}
