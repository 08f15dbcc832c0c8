//! When the slow mind is asked: once a second, and at once when something changes.
//!
//! DualDriveVLA (2026) keeps its quality while asking for 15 % of frames; what counts is asking when it matters.

use std::collections::BTreeSet;
use std::time::Duration;

use tandem_graph::Stamp;

use super::state::{Place, Relation, State};

/// Embeddings whose cosine falls below this show another scene.
const NOVEL: f32 = 0.9;

/// A plan whose score is lower is in trouble.
const LOW_SCORE: f64 = 0.7;

/// Objects nearer than this that were not there before are a change, m.
const NEAR_M: f64 = 60.0;

/// Two questions that nothing but the beat asks for are so far apart; no two are nearer than [`LEAST`].
const BEAT: Duration = Duration::from_secs(1);
const LEAST: Duration = Duration::from_millis(300);

/// Why to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// A second has passed.
    Beat,
    /// Somebody new is in the way, a light changed, or somebody brakes hard.
    Change,
    /// The scene looks like none of the last seconds'.
    Novelty,
    /// The planner finds no good plan.
    Trouble,
}

impl Why {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Beat => "beat",
            Self::Change => "change",
            Self::Novelty => "novelty",
            Self::Trouble => "trouble",
        }
    }
}

/// Decides when to ask.
#[derive(Debug, Clone, Default)]
pub struct Trigger {
    asked: Option<Stamp>,
    /// Who was in the way, and what the lights showed, when it was asked last.
    scene: (BTreeSet<u32>, Vec<Place>),
    embedding: Vec<f32>,
    was_in_trouble: bool,
}

impl Trigger {
    /// Whether to ask now, and why. `embedding` is the scene's in one vector and `score` that of the present plan, where
    /// there are such.
    pub fn ask(&mut self, state: &State, embedding: Option<&[f32]>, score: Option<f64>) -> Option<Why> {
        let since = self.asked.map(|asked| state.stamp.ns_since(asked));
        if since.is_some_and(|since_ns| (0..LEAST.as_nanos() as i64).contains(&since_ns)) {
            return None;
        }
        let scene = outline(state);
        let is_in_trouble = score.is_some_and(|score| score < LOW_SCORE);
        let is_changed = !scene.0.is_subset(&self.scene.0) || scene.1 != self.scene.1;
        let is_novel = embedding.is_some_and(|now| !self.embedding.is_empty() && cosine(now, &self.embedding) < NOVEL);
        // A step of the beat is as good as its time: nodes are stepped at fixed rates.
        let is_due = since.is_none_or(|since_ns| since_ns < 0 || since_ns >= BEAT.as_nanos() as i64);
        let why = if is_in_trouble && !self.was_in_trouble {
            Why::Trouble
        } else if is_changed {
            Why::Change
        } else if is_novel {
            Why::Novelty
        } else if is_due {
            Why::Beat
        } else {
            return None;
        };
        self.asked = Some(state.stamp);
        self.scene = scene;
        self.embedding = embedding.unwrap_or_default().to_vec();
        self.was_in_trouble = is_in_trouble;
        Some(why)
    }
}

/// Who is in the way or about to be, and what the lights show.
fn outline(state: &State) -> (BTreeSet<u32>, Vec<Place>) {
    let in_the_way = state.seen.iter().filter(|seen| {
        let comes_in = seen.left_m * seen.across_mps < 0.0 && seen.across_mps.abs() > 0.5;
        (0.0..NEAR_M).contains(&seen.ahead_m) && (seen.relation == Relation::OwnLane || comes_in)
    });
    let lights = state.ahead.iter().map(|ahead| ahead.place).filter(|place| matches!(place, Place::Light(_)));
    (in_the_way.map(|seen| seen.id).collect(), lights.collect())
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt().max(f32::MIN_POSITIVE)
}
