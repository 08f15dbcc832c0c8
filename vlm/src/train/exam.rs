//! Exams: a model judges worlds that it has not seen while it drives them, beside what it should have said.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use burn::backend::Flex;
use tandem_datasets::Camera;
use tandem_datasets::log::upright;
use tandem_graph::Stamp;
use tandem_perception::rig::Pixels;
use tandem_sim::Course;
use tandem_sim::camera::rig;

use super::lesson::{THINKS, driven};
use crate::Error;
use crate::eyes::{Eyes, Place, Rows, cameras};
use crate::judge::{Answered, Judge, JudgeNode, Judgment, Mind, Question, State, truth};

/// What a model is told of a scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Its text.
    Text,
    /// What the eyes see, and the ego and its way.
    Images,
    /// All of it.
    Both,
}

/// A question of an exam.
#[derive(Debug, Clone, PartialEq)]
pub struct Graded {
    /// How it was told.
    pub scene: String,
    /// How long the eyes looked.
    pub looked: Duration,
    /// What was said.
    pub said: Answered,
    /// What should have been said.
    pub wanted: Judgment,
}

/// Drives the world of a seed by what a model judges, each time after it has thought as long as in lessons, and grades every answer.
///
/// # Errors
/// As [`driven`].
pub fn exam(
    world: u64,
    judge: &Arc<Mutex<Judge>>,
    eyes: &Arc<Mutex<Eyes<Flex>>>,
    told: Told,
) -> Result<Vec<Graded>, Error> {
    let place = Arc::new(Place::new(world)?);
    eyes.lock().unwrap_or_else(PoisonError::into_inner).forget();
    let eyes = Arc::clone(eyes);
    let graded = Arc::<Mutex<Vec<Graded>>>::default();
    let (keep, judge) = (Arc::clone(&graded), Arc::clone(judge));
    driven(
        world,
        Arc::new(move |course| {
            let mind = Examined {
                course: Arc::clone(course),
                rig: rig::nuscenes(512, 192),
                judge: Arc::clone(&judge),
                eyes: Arc::clone(&eyes),
                place: Arc::clone(&place),
                told,
                session: format!("world {world}"),
                answer: None,
                graded: Arc::clone(&keep),
            };
            Box::new(JudgeNode::new(Box::new(mind), *course.body()))
        }),
    )?;
    let mut graded = graded.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut *graded))
}

/// A judge whose answers are graded.
struct Examined {
    course: Arc<Course>,
    rig: Vec<Camera>,
    judge: Arc<Mutex<Judge>>,
    eyes: Arc<Mutex<Eyes<Flex>>>,
    place: Arc<Place>,
    told: Told,
    session: String,
    answer: Option<(Stamp, Result<Judgment, String>)>,
    graded: Arc<Mutex<Vec<Graded>>>,
}

impl Examined {
    /// What the eyes see, and how long they looked: without the time that rendering took.
    fn look(&self, state: &State) -> (Option<Rows>, Duration) {
        if self.told == Told::Text {
            return (None, Duration::ZERO);
        }
        let mut eyes = self.eyes.lock().unwrap_or_else(PoisonError::into_inner);
        let (rig, now) = (cameras(), (state.stamp, upright(state.map_from_ego)));
        let shots = self.place.images(&rig, &now);
        let images: Vec<_> = rig.iter().zip(shots.iter().map(|shot| Pixels::from(&shot.image))).collect();
        let start = Instant::now();
        let rows = eyes.look(state.stamp, state.map_from_ego, &images, None);
        // The rig is the eyes' own, so that it fits.
        (rows.ok(), start.elapsed())
    }
}

impl Mind for Examined {
    fn ask(&mut self, now: Stamp, question: Question) {
        let (sight, looked) = self.look(&question.state);
        let prompt = if self.told == Told::Images { question.prompt.without_seen() } else { question.prompt.clone() };
        let said = {
            let mut judge = self.judge.lock().unwrap_or_else(PoisonError::into_inner);
            judge.judge(&prompt, sight.as_ref(), &self.session)
        };
        self.answer = Some((now + THINKS, said.judgment.clone()));
        if let Some(wanted) = truth(&self.course, &question.state, &self.rig) {
            let scene = prompt.scene().to_owned();
            self.graded.lock().unwrap_or_else(PoisonError::into_inner).push(Graded { scene, looked, said, wanted });
        }
    }

    fn answer(&mut self, now: Stamp) -> Option<Result<Judgment, String>> {
        self.answer.take_if(|(due, _)| *due <= now).map(|(_, answer)| answer)
    }
}
