//! Lessons: moments of driven worlds with a staged corner case, as they were told, with what should have been said.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp};
use tandem_sim::drive::Accompanying;
use tandem_sim::suite::Case;
use tandem_sim::world::hazard::Kind;
use tandem_sim::{Companion, Course, Faults, Setup, Sight, TrafficMode, drive};

use crate::Error;
use crate::eyes::cameras;
use crate::judge::{JudgeNode, Judgment, Knowing, Mind, Prompt, Question};

/// Who drives.
const PLANNER: &str = "tandem";

/// How long the slow mind thinks.
pub(super) const THINKS: Duration = Duration::from_millis(400);

/// A moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// The seed of its world, see [`Kind::of`].
    pub world: u64,
    /// When, ns.
    pub stamp_ns: i64,
    /// Where the rear axle is in the map: x and y in m, heading in rad.
    pub map_from_ego: [f64; 3],
    /// How it is told.
    pub prompt: Prompt,
    /// What should be said.
    pub answer: Judgment,
}

/// The course of the world of a seed.
///
/// # Errors
/// [`Error::Lesson`] if the world cannot be made, which would be a fault of the generator.
pub fn course(world: u64) -> Result<Course, Error> {
    let wrong = |reason: String| Error::Lesson { world, reason };
    let opened = Case::hazard(world).open().map_err(|error| wrong(error.to_string()))?;
    opened.course().map_err(|error| wrong(error.to_string()))
}

/// Drives the world of a seed with whoever judges.
///
/// # Errors
/// [`Error::Lesson`] if the world cannot be made or driven.
pub fn driven(world: u64, judging: Accompanying) -> Result<(), Error> {
    let setup = Setup {
        course: Arc::new(course(world)?),
        planner: PLANNER.to_owned(),
        traffic: TrafficMode::Replay,
        sight: Sight::Truth,
        slow: Some(Companion { name: "judge".to_owned(), node: judging }),
        faults: Faults::default(),
    };
    drive(&setup, &mut []).map_err(|error| Error::Lesson { world, reason: error.to_string() })?;
    Ok(())
}

/// Drives the world of a seed and writes down every question with its true answer. In every second round of all kinds the
/// planner hears nothing of the answers, so that there are also moments into which nobody gets who was warned.
///
/// # Errors
/// As [`driven`].
pub fn lessons(world: u64) -> Result<Vec<Lesson>, Error> {
    let is_heard = (world / Kind::ALL.len() as u64).is_multiple_of(2);
    let written = Arc::<Mutex<Vec<Lesson>>>::default();
    let keep = Arc::clone(&written);
    driven(
        world,
        Arc::new(move |course| {
            let knowing = Knowing::new(Arc::clone(course), cameras(), THINKS);
            let mind = Writing { world, knowing, asked: None, written: Arc::clone(&keep) };
            let judge = JudgeNode::new(Box::new(mind), *course.body());
            if is_heard { Box::new(judge) } else { Box::new(Unheard(judge)) }
        }),
    )?;
    let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut *written))
}

/// The lessons of a world out of a directory, where they are driven for and kept if they are not there yet.
///
/// # Errors
/// As [`lessons`]; [`Error::Io`] and [`Error::Model`] for a file that cannot be read, parsed or written.
pub fn kept(directory: &Path, world: u64) -> Result<Vec<Lesson>, Error> {
    let path = file(directory, world);
    if !path.is_file() {
        keep(&path, &lessons(world)?)?;
    }
    // Also those that were just driven are read back, so that it makes no difference when they were.
    let text = fs::read_to_string(&path).map_err(Error::io(&path))?;
    let line = |(number, line): (usize, &str)| {
        let wrong = |error: serde_json::Error| Error::model(&path, format!("line {}: {error}", number + 1));
        serde_json::from_str(line).map_err(wrong)
    };
    text.lines().enumerate().map(line).collect()
}

/// Writes lessons, one a line, by way of a file beside.
fn keep(path: &Path, lessons: &[Lesson]) -> Result<(), Error> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory).map_err(Error::io(directory))?;
    let mut unfinished = tempfile::NamedTempFile::new_in(directory).map_err(Error::io(directory))?;
    for lesson in lessons {
        let line = serde_json::to_string(lesson).map_err(|error| Error::model(path, error.to_string()))?;
        writeln!(unfinished, "{line}").map_err(Error::io(path))?;
    }
    unfinished.persist(path).map_err(|error| Error::io(path)(error.error))?;
    Ok(())
}

fn file(directory: &Path, world: u64) -> PathBuf {
    directory.join(format!("{world:06}.jsonl"))
}

/// A mind that knows, and writes down what it was asked with what it said.
struct Writing {
    world: u64,
    knowing: Knowing,
    asked: Option<Question>,
    written: Arc<Mutex<Vec<Lesson>>>,
}

impl Mind for Writing {
    fn ask(&mut self, now: Stamp, question: Question) {
        self.asked = Some(question.clone());
        self.knowing.ask(now, question);
    }

    fn answer(&mut self, now: Stamp) -> Option<Result<Judgment, String>> {
        let answer = self.knowing.answer(now)?;
        if let (Ok(judgment), Some(Question { state, prompt, .. })) = (&answer, self.asked.take()) {
            let pose = state.map_from_ego;
            self.written.lock().unwrap_or_else(PoisonError::into_inner).push(Lesson {
                world: self.world,
                stamp_ns: state.stamp.ns(),
                map_from_ego: [pose.x, pose.y, pose.yaw],
                prompt,
                answer: judgment.clone(),
            });
        }
        Some(answer)
    }
}

/// A judging node that nobody hears.
struct Unheard(JudgeNode);

impl Node for Unheard {
    fn spec(&self) -> NodeSpec {
        self.0.spec()
    }

    fn step(&mut self, now: Stamp, inputs: &Inputs, _: &mut Outputs) {
        self.0.step(now, inputs, &mut Outputs::default());
    }
}
