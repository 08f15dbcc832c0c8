//! Judgments: what a driving scene is told as, what the model answers, and what the planner gets of it.
//!
//! A [`State`] is what is known of the scene without looking at images; [`Prompt`] tells it, with what was said before,
//! what memory holds and what a file of local knowledge says; the answer is a [`Judgment`], whose form a grammar
//! guarantees.

mod belief;
mod faulty;
mod judgment;
mod knowledge;
mod memory;
mod mind;
mod node;
mod prompt;
mod score;
mod sight;
mod state;
#[cfg(test)]
mod tests;
mod trigger;
mod truth;
mod view;

pub use belief::Belief;
pub use faulty::{Fault, Faulty};
pub use judgment::{Act, Avoid, Critical, ImageBox, Influence, Judgment, Light, MOST_TOKENS, Risk, Road, Weather};
pub use knowledge::{Knowledge, Note};
pub use memory::Memory;
pub use mind::{Answered, Judge, Knowing, Mind, Pace, Paced, Question, Voice};
pub use node::{Counts, JUDGE_NODE, JudgeNode};
pub use prompt::Prompt;
pub use score::{Score, sequence_score};
pub use sight::{Look, Sight};
pub use state::{Ahead, Place, Relation, Seen, State};
pub use trigger::{Trigger, Why};
pub use truth::truth;
pub(crate) use truth::{bounds, what};
pub use view::scene_at;
