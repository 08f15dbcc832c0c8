//! The prompt: what the model is, what is known of the place, the scene, and what was said before.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use tandem_datasets::{Class, SignalColor};

use super::judgment::{Judgment, word};
use super::state::{Ahead, Place, Seen, State};
use crate::Error;
use crate::text::{Conversation, Message, Role, Special, Template, Tokenizer};

/// What the model is told to be; the same in every prompt, so that it is read once.
const SYSTEM: &str = "You are the slow mind of an automated vehicle. Look at the images, read the scene and judge it: \
weather, light, road, lane, the objects that matter and why, the risk, what to do for how long, a speed cap, where not \
to drive. Answer with one JSON object.";

/// What the lines of a scene begin with that tell what the fast system sees (and below it an object a line, which begins
/// with its number), what was judged in the last minutes, and what was judged last.
const SEEN: &str = "seen:";
const EARLIER: &str = "earlier:";
const BEFORE: &str = "before:";

/// What is slower stands, of which nothing more is told, m/s.
const MOVES_MPS: f64 = 0.3;

/// What the model is asked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    system: String,
    scene: String,
}

impl Prompt {
    /// For a scene: with what is known of the place, what happened in the last minutes, and the judgment before.
    pub fn new(state: &State, notes: &[&str], memory: &[String], before: Option<&Judgment>) -> Self {
        let mut system = SYSTEM.to_owned();
        if !notes.is_empty() {
            system.push_str("\nLocal notes:");
            notes.iter().for_each(|note| _ = write!(system, "\n- {note}"));
        }
        let mut scene = String::new();
        let State { speed_mps, acceleration_mps2, lane, lanes, .. } = state;
        _ = write!(scene, "ego {speed_mps:.1} m/s, {acceleration_mps2:+.1} m/s2, lane {lane} of {lanes}");
        if let Some(limit_mps) = state.limit_mps {
            _ = write!(scene, ", limit {limit_mps:.1}");
        }
        if !state.ahead.is_empty() {
            let places: Vec<String> = state.ahead.iter().map(place).collect();
            _ = write!(scene, "\nahead: {}", places.join(", "));
        }
        _ = write!(scene, "\n{SEEN}");
        if state.seen.is_empty() {
            scene.push_str(" nothing");
        }
        state.seen.iter().for_each(|object| _ = write!(scene, "\n{}", seen(object)));
        for line in memory {
            _ = write!(scene, "\n{EARLIER} {line}");
        }
        if let Some(before) = before {
            _ = write!(scene, "\n{BEFORE} {}", summary(before));
        }
        Self { system, scene }
    }

    /// In tokens, up to where the answer begins. `seen` are the tokens that stand for what the eyes see; they are before
    /// the scene.
    ///
    /// # Errors
    /// If the template refuses such a conversation.
    pub fn encode(&self, tokenizer: &Tokenizer, template: &Template, seen: &[u32]) -> Result<Vec<u32>, Error> {
        let messages =
            [Message::new(Role::System, self.system.as_str()), Message::new(Role::User, self.scene.as_str())];
        let conversation = Conversation { messages: &messages, tools: None, add_generation_prompt: true, unix_s: None };
        let text = template.render(&conversation)?;
        let (before, scene) = text.split_at(text.rfind(&self.scene).unwrap_or(0));
        let mut tokens = tokenizer.encode(before, Special::Markup);
        tokens.extend_from_slice(seen);
        tokens.extend(tokenizer.encode(scene, Special::Markup));
        Ok(tokens)
    }

    /// Without what was judged before.
    pub fn without_past(&self) -> Self {
        self.without(|line| line.starts_with(EARLIER) || line.starts_with(BEFORE))
    }

    /// Without the list of what the fast system sees.
    pub fn without_seen(&self) -> Self {
        self.without(|line| line.starts_with(SEEN) || line.starts_with(|first: char| first.is_ascii_digit()))
    }

    fn without(&self, is_dropped: impl Fn(&str) -> bool) -> Self {
        let left: Vec<&str> = self.scene.lines().filter(|line| !is_dropped(line)).collect();
        Self { system: self.system.clone(), scene: left.join("\n") }
    }

    /// The scene's text.
    pub fn scene(&self) -> &str {
        &self.scene
    }
}

/// A judgment in one line: `moderate risk; slow_down for 12; 12 car`.
pub(super) fn summary(judgment: &Judgment) -> String {
    let mut line = format!("{} risk", word(&judgment.risk));
    for act in &judgment.actions {
        _ = write!(line, "; {}", act.action.word());
        if !act.subject.is_empty() {
            _ = write!(line, " for {}", act.subject);
        }
    }
    line
}

fn place(ahead: &Ahead) -> String {
    let what = match ahead.place {
        Place::Light(SignalColor::Red) => "red light",
        Place::Light(SignalColor::Yellow) => "yellow light",
        Place::Light(SignalColor::Green) => "green light",
        Place::Light(_) => "dark light",
        Place::Crossing => "crossing",
        Place::Intersection => "intersection",
        Place::TurnLeft => "turn left",
        Place::TurnRight => "turn right",
        Place::Goal => "goal",
    };
    format!("{what} {:.0} m", ahead.ahead_m)
}

fn seen(object: &Seen) -> String {
    let class = match object.class {
        Class::Car => "car",
        Class::Truck => "truck",
        Class::Bus => "bus",
        Class::Trailer => "trailer",
        Class::Motorcycle => "motorcycle",
        Class::Bicycle => "cyclist",
        Class::Pedestrian => "person",
        Class::Animal => "animal",
        Class::Cone => "cone",
        Class::Barrier => "barrier",
        Class::Other => "object",
    };
    let Seen { id, relation, ahead_m, left_m, speed_mps, across_mps, .. } = object;
    let mut line = format!("{id} {class} {} x {ahead_m:.0} y {left_m:.1}", relation.words());
    let (moves, crosses) = (speed_mps.abs() > MOVES_MPS, across_mps.abs() > MOVES_MPS);
    if moves {
        _ = write!(line, " v {speed_mps:.1}");
    }
    if crosses {
        _ = write!(line, " across {across_mps:.1}");
    }
    // Where what stands was before follows from how the ego moved.
    if (moves || crosses) && !object.before_m.is_empty() {
        let before: Vec<String> = object.before_m.iter().map(|metres| format!("{metres:.0}")).collect();
        _ = write!(line, " was {}", before.join(" "));
    }
    if let Some(image) = &object.image {
        _ = write!(line, " box {} {} {} {} {}", image.0, image.1, image.2, image.3, image.4);
    }
    line
}
