//! Who judges the scene for the planner of `tandem drive`.

use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use tandem_sim::Companion;
use tandem_sim::camera::rig;
use tandem_sim::suite::Driver;
use tandem_vlm::judge::{JudgeNode, Knowing};

/// What the slow mind can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Slow {
    /// There is none.
    None,
    /// One that knows what was staged and says what a good judge says: what judgments could bring at best.
    Truth,
}

/// Who judges.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Slow mind")]
pub struct Judging {
    /// Who judges the scene for the planners, one after the other; `truth` needs `--hazard`.
    #[arg(long, value_delimiter = ',', default_value = "none")]
    slow: Vec<Slow>,
    /// How long the slow mind thinks.
    #[arg(long, value_name = "MS", default_value_t = 400)]
    slow_ms: u64,
}

impl Judging {
    /// Every driver with each of the minds.
    pub fn with(&self, drivers: Vec<Driver>) -> Vec<Driver> {
        let minds = self.slow.iter().map(|slow| self.companion(*slow));
        minds
            .flat_map(|slow| drivers.iter().cloned().map(move |driver| Driver { slow: slow.clone(), ..driver }))
            .collect()
    }

    fn companion(&self, slow: Slow) -> Option<Companion> {
        let takes = Duration::from_millis(self.slow_ms);
        match slow {
            Slow::None => None,
            Slow::Truth => Some(Companion {
                name: "true judgments".to_owned(),
                node: Arc::new(move |course| {
                    let mind = Knowing::new(Arc::clone(course), rig::nuscenes(512, 192), takes);
                    Box::new(JudgeNode::new(Box::new(mind), *course.body()))
                }),
            }),
        }
    }
}
