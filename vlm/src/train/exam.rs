//! Exams: a model judges worlds that it has not seen while it drives them, beside what it should have said.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use burn::backend::Flex;
use tandem_datasets::Camera;
use tandem_graph::Stamp;
use tandem_sim::Course;

use super::lesson::{THINKS, driven};
use crate::Error;
use crate::eyes::{Eyes, cameras, judging};
use crate::judge::{Answered, Judge, Judgment, Mind, Question, truth};

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
pub fn exam(world: u64, judge: &Arc<Mutex<Judge>>, eyes: &Eyes<Flex>, told: Told) -> Result<Vec<Graded>, Error> {
    let mut eyes = eyes.clone();
    eyes.forget();
    let graded = Arc::<Mutex<Vec<Graded>>>::default();
    let (keep, judge) = (Arc::clone(&graded), Arc::clone(judge));
    driven(
        world,
        Arc::new(move |course| {
            let mind = Examined {
                course: Arc::clone(course),
                rig: cameras(),
                judge: Arc::clone(&judge),
                told,
                session: format!("world {world}"),
                answer: None,
                graded: Arc::clone(&keep),
            };
            Box::new(judging(Box::new(mind), course, &eyes))
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
    told: Told,
    session: String,
    answer: Option<(Stamp, Result<Judgment, String>)>,
    graded: Arc<Mutex<Vec<Graded>>>,
}

impl Mind for Examined {
    fn ask(&mut self, now: Stamp, question: Question) {
        let sight = question.sight.as_ref().filter(|_| self.told != Told::Text);
        let looked = sight.map_or(Duration::ZERO, |sight| sight.took);
        let prompt = if self.told == Told::Images { question.prompt.without_seen() } else { question.prompt.clone() };
        let said = {
            let mut judge = self.judge.lock().unwrap_or_else(PoisonError::into_inner);
            judge.judge(&prompt, sight.map(|sight| &sight.rows), &self.session)
        };
        self.answer = Some((now + THINKS, said.judgment.clone()));
        if let Some(wanted) = truth(&self.course, &question.state, &self.rig) {
            let scene = sight.map_or_else(|| prompt.clone(), |sight| prompt.with_sight(&sight.rows)).scene().to_owned();
            self.graded.lock().unwrap_or_else(PoisonError::into_inner).push(Graded { scene, looked, said, wanted });
        }
    }

    fn answer(&mut self, now: Stamp) -> Option<Result<Judgment, String>> {
        self.answer.take_if(|(due, _)| *due <= now).map(|(_, answer)| answer)
    }
}
