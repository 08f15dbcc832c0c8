//! The prompt: what the model is, what is known of the place, the scene, and what was said before.

use std::fmt::Write;

use tandem_datasets::{Class, SignalColor};

use super::judgment::{Judgment, word};
use super::state::{Ahead, Place, Seen, State};
use crate::text::{Message, Part, Role};

/// What the model is told to be; the same in every prompt, so that it is read once.
const SYSTEM: &str = "You are the slow mind of an automated vehicle. Look at the images, read the scene and judge it: \
weather, light, road, lane, the objects that matter and why, the risk, what to do for how long, a speed cap, where not \
to drive. Answer with one JSON object.";

/// What the model is asked.
#[derive(Debug, Clone, Default, PartialEq)]
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
        scene.push_str("\nseen:");
        if state.seen.is_empty() {
            scene.push_str(" nothing");
        }
        state.seen.iter().for_each(|object| _ = write!(scene, "\n{}", seen(object)));
        for line in memory {
            _ = write!(scene, "\nearlier: {line}");
        }
        if let Some(before) = before {
            _ = write!(scene, "\nbefore: {}", summary(before));
        }
        Self { system, scene }
    }

    /// As a conversation; `images` stand before the scene.
    pub fn messages(&self, images: usize) -> Vec<Message> {
        let parts = std::iter::repeat_n(Part::Image, images).chain([Part::from(self.scene.as_str())]);
        vec![Message::new(Role::System, self.system.as_str()), Message::new(Role::User, parts.collect::<Vec<_>>())]
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
    let mut line = format!("{id} {class} {} x {ahead_m:.0} y {left_m:.1} v {speed_mps:.1}", relation.words());
    if across_mps.abs() > 0.3 {
        _ = write!(line, " across {across_mps:.1}");
    }
    if !object.before_m.is_empty() {
        let before: Vec<String> = object.before_m.iter().map(|metres| format!("{metres:.0}")).collect();
        _ = write!(line, " was {}", before.join(" "));
    }
    if let Some(image) = &object.image {
        _ = write!(line, " box {} {} {} {} {}", image.0, image.1, image.2, image.3, image.4);
    }
    line
}
