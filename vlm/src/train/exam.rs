//! Exams: a model judges worlds that it has not seen while it drives them, beside what it should have said.

use std::sync::{Arc, Mutex, PoisonError};

use tandem_datasets::Camera;
use tandem_graph::Stamp;
use tandem_sim::Course;
use tandem_sim::camera::rig;

use super::lesson::{THINKS, driven};
use crate::Error;
use crate::judge::{Answered, Judge, JudgeNode, Judgment, Mind, Question, truth};

/// A question of an exam.
#[derive(Debug, Clone, PartialEq)]
pub struct Graded {
    /// How it was told.
    pub scene: String,
    /// What was said.
    pub said: Answered,
    /// What should have been said.
    pub wanted: Judgment,
}

/// Drives the world of a seed by what a model judges, each time after it has thought as long as in lessons, and grades every answer.
///
/// # Errors
/// As [`driven`].
pub fn exam(world: u64, judge: &Arc<Mutex<Judge>>) -> Result<Vec<Graded>, Error> {
    let graded = Arc::<Mutex<Vec<Graded>>>::default();
    let (keep, judge) = (Arc::clone(&graded), Arc::clone(judge));
    driven(
        world,
        Arc::new(move |course| {
            let mind = Examined {
                course: Arc::clone(course),
                rig: rig::nuscenes(512, 192),
                judge: Arc::clone(&judge),
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
    session: String,
    answer: Option<(Stamp, Result<Judgment, String>)>,
    graded: Arc<Mutex<Vec<Graded>>>,
}

impl Mind for Examined {
    fn ask(&mut self, now: Stamp, question: Question) {
        let said = {
            let mut judge = self.judge.lock().unwrap_or_else(PoisonError::into_inner);
            judge.judge(&question.prompt, &self.session)
        };
        self.answer = Some((now + THINKS, said.judgment.clone()));
        if let Some(wanted) = truth(&self.course, &question.state, &self.rig) {
            let scene = question.prompt.scene().to_owned();
            self.graded.lock().unwrap_or_else(PoisonError::into_inner).push(Graded { scene, said, wanted });
        }
    }

    fn answer(&mut self, now: Stamp) -> Option<Result<Judgment, String>> {
        self.answer.take_if(|(due, _)| *due <= now).map(|(_, answer)| answer)
    }
}
