//! The prompt: what the model is, what is known of the place, the scene, and what was said before.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use tandem_datasets::{Class, SignalColor};

use super::judgment::{Judgment, Light, Road, Weather, word};
use super::state::{Ahead, Place, Seen, State};
use crate::Error;
use crate::eyes::{Rows, Told};
use crate::text::{Conversation, Message, Role, Special, Template, Tokenizer};

/// What the model is told to be; the same in every prompt, so that it is read once.
const SYSTEM: &str = "You are the slow mind of an automated vehicle. Look at the images, read the scene and judge it: \
weather, light, road, lane, the objects that matter and why, the risk, what to do for how long, a speed cap, where not \
to drive. Answer with one JSON object.";

/// What the lines of a scene begin with that tell what the fast system sees (and below it an object a line, which begins
/// with its number), what images show, what was judged in the last minutes, and what was judged last.
const SEEN: &str = "seen:";
const LOOKS: &str = "looks:";
const EARLIER: &str = "earlier:";
const BEFORE: &str = "before:";

/// Things that images show and that are told of, at most: now, and in the seconds before.
const MOST_SHOWN: usize = 5;
const MOST_SHOWN_BEFORE: usize = 2;

/// Of what is less probable nothing is told; of what is less probable than this, that it may be.
const SHOWN: f32 = 0.15;
const SURE: f32 = 0.4;

/// What the eyes tell apart, in the order of their numbers.
const WEATHERS: [Weather; 3] = [Weather::Clear, Weather::Rain, Weather::Fog];
const LIGHTS: [Light; 3] = [Light::Day, Light::Dusk, Light::Night];
const ROADS: [Road; 4] = [Road::Residential, Road::Urban, Road::Main, Road::Rural];

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

    /// With what eyes see, in words: the surroundings, and the things that the fast system can't tell by itself.
    pub fn with_sight(&self, rows: &Rows) -> Self {
        let mut lines = String::new();
        if let Some([weather, light, road]) = rows.surroundings() {
            let (weather, light, road) = (WEATHERS[weather], LIGHTS[light], ROADS[road]);
            _ = writeln!(lines, "{LOOKS} {}, {}, {}", word(&weather), word(&light), word(&road));
        }
        let mut told: Vec<Told> = rows.told().into_iter().filter(|told| told.score >= SHOWN).collect();
        told.sort_by(|a, b| a.ago_s.total_cmp(&b.ago_s).then(b.score.total_cmp(&a.score)));
        let (mut now, mut before) = (Vec::new(), Vec::<Told>::new());
        for one in told {
            if one.ago_s == 0.0 {
                now.push(one);
            } else if !now.iter().chain(&before).any(|other: &Told| other.word == one.word) {
                before.push(one);
            }
        }
        let shown = now.into_iter().take(MOST_SHOWN).chain(before.into_iter().take(MOST_SHOWN_BEFORE));
        shown.for_each(|told| _ = writeln!(lines, "{LOOKS} {}", looks(&told)));
        // Before the objects, or where these are left out, before what was judged.
        let at = [SEEN, EARLIER, BEFORE].iter().filter_map(|start| self.scene.find(&format!("\n{start}"))).min();
        let mut scene = self.scene.clone();
        match at {
            Some(at) => scene.insert_str(at + 1, &lines),
            None => _ = write!(scene, "\n{}", lines.trim_end()),
        }
        Self { system: self.system.clone(), scene }
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

fn looks(told: &Told) -> String {
    let mut line = if told.score < SURE { "maybe ".to_owned() } else { String::new() };
    let [x, y] = told.place_m;
    _ = write!(line, "{}", told.word);
    if told.ago_s > 0.0 {
        _ = write!(line, " {:.0} s ago", told.ago_s);
    } else {
        let [left, top, right, bottom] = told.bounds.map(|share| (share * 100.0).round());
        _ = write!(line, " {} {left} {top} {right} {bottom}", told.view.name());
    }
    _ = write!(line, " x {x:.0} y {y:.1}");
    line
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
