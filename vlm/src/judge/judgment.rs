//! What the model answers: a judgment, its form as a JSON schema, and as the message that the planner reads.

use nalgebra::Point2;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tandem_datasets::messages::MAP_FRAME;
use tandem_graph::msgs::builtin_interfaces::Duration;
use tandem_graph::msgs::geometry_msgs::Point;
use tandem_graph::msgs::std_msgs::Header;
use tandem_graph::msgs::tandem_msgs::{self, CriticalObject, Region, SceneJudgment};
use tandem_planner::MetaAction;
use tandem_planner::guidance::NO_TRACK;
pub use tandem_sim::world::hazard::Road;

use super::state::State;
use crate::error::one_line;

/// No answer has more tokens: what the schema allows of the longest.
pub const MOST_TOKENS: usize = 512;

/// Waypoints of an answer that has some: 3 s in steps of half a second, as in DriveVLM.
pub const WAYPOINTS: usize = 6;

/// Time to leave beyond the usual where an object asks for distance, s.
const KEEP_DISTANCE_S: f64 = 1.0;

/// What falls from the sky or hangs in the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words are what they say")]
pub enum Weather {
    Clear,
    Cloudy,
    Rain,
    Fog,
    Snow,
}

/// How light it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the words are what they say")]
pub enum Light {
    Day,
    Dusk,
    Night,
}

/// How risky the scene is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nothing out of the ordinary.
    Low,
    /// Something to watch.
    Moderate,
    /// Something to act on.
    High,
    /// A collision is near.
    Severe,
}

/// What an object makes the ego vehicle do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Influence {
    /// Look out for it.
    Watch,
    /// Leave more room or time.
    KeepDistance,
    /// Drive more slowly.
    Slow,
    /// Stand before it.
    Stop,
    /// Pass it on the left.
    PassLeft,
    /// Pass it on the right.
    PassRight,
}

/// A box in an image: the camera, then left, top, right and bottom in hundredths of the image's size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageBox(pub String, pub u8, pub u8, pub u8, pub u8);

/// An object that matters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Critical {
    /// The number of its track, where the fast system has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
    /// Where it is in an image, where it has none.
    #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageBox>,
    /// What it is.
    pub what: String,
    /// Why it matters.
    pub why: String,
    /// What it makes the ego vehicle do.
    pub influence: Influence,
}

/// A meta-action with its subject and duration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Act {
    /// What to do.
    #[serde(rename = "do")]
    pub action: MetaAction,
    /// With regard to what: a track's number or a word; empty for nothing in particular.
    #[serde(rename = "for")]
    pub subject: String,
    /// How long, s.
    pub s: f64,
}

/// A stretch of the way that is not to be driven on, along the route from the rear axle on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Avoid {
    /// Where it begins, m ahead.
    pub from_m: f64,
    /// Where it ends, m ahead.
    pub to_m: f64,
    /// Its right edge, m left of the lane's middle.
    pub right_m: f64,
    /// Its left edge, m left of the lane's middle.
    pub left_m: f64,
}

/// What the model says of a scene. Written as JSON in the order of the fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Judgment {
    /// The weather.
    pub weather: Weather,
    /// The light.
    pub light: Light,
    /// The kind of road.
    pub road: Road,
    /// The ego's lane and how many there are in its direction, from the left: `2 of 2`.
    pub lane: String,
    /// What matters, the most important first.
    pub objects: Vec<Critical>,
    /// How risky it is.
    pub risk: Risk,
    /// What to do, in order.
    pub actions: Vec<Act>,
    /// The most to drive, m/s; `None` for no cap.
    pub cap_mps: Option<f64>,
    /// Where not to drive.
    pub avoid: Vec<Avoid>,
    /// Points in the ego frame (x ahead, y left), m, half a second apart from half a second on; six or none.
    pub waypoints: Vec<[f64; 2]>,
    /// A sentence for people.
    pub say: String,
    /// How long this holds, s.
    pub ttl_s: f64,
}

impl Judgment {
    /// The form of an answer, as a JSON schema whose every answer [`Self::parse`] takes.
    pub fn schema() -> Value {
        let object = |properties: Value| {
            let required: Vec<String> =
                properties.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
            json!({
                "type": "object", "properties": properties, "required": required, "additionalProperties": false,
            })
        };
        // What may not be in a text: quotes and backslashes, which would have to be written otherwise.
        let text = |most: usize| json!({"type": "string", "pattern": format!("^[a-zA-Z0-9 ,.;:'()/-]{{1,{most}}}$")});
        let metres =
            |most: u32| json!({"type": "number", "minimum": -i64::from(most), "maximum": most, "multipleOf": 0.1});
        let from_zero = |most: u32| json!({"type": "number", "minimum": 0, "maximum": most, "multipleOf": 0.1});
        let percent = json!({"type": "integer", "minimum": 0, "maximum": 100});
        let camera = json!({"type": "string", "pattern": "^[a-z_]{1,16}$"});
        let image = json!({
            "type": "array", "prefixItems": [camera, percent, percent, percent, percent], "items": false, "minItems": 5,
        });
        let critical = |which: &str, value: Value| {
            object(json!({
                which: value,
                "what": text(24),
                "why": text(60),
                "influence": {"enum": words(&[
                    Influence::Watch, Influence::KeepDistance, Influence::Slow, Influence::Stop, Influence::PassLeft,
                    Influence::PassRight,
                ])},
            }))
        };
        let id = json!({"type": "integer", "minimum": 0, "maximum": NO_TRACK - 1});
        let point = json!({"type": "array", "prefixItems": [metres(120), metres(60)], "items": false, "minItems": 2});
        object(json!({
            "weather": {"enum": words(&[Weather::Clear, Weather::Cloudy, Weather::Rain, Weather::Fog, Weather::Snow])},
            "light": {"enum": words(&[Light::Day, Light::Dusk, Light::Night])},
            "road": {"enum": words(&[Road::Residential, Road::Urban, Road::Main, Road::Rural])},
            "lane": {"type": "string", "pattern": "^[1-9] of [1-9]$"},
            "objects": {"type": "array", "maxItems": 4, "items": {"anyOf": [critical("id", id), critical("box", image)]}},
            "risk": {"enum": words(&[Risk::Low, Risk::Moderate, Risk::High, Risk::Severe])},
            "actions": {"type": "array", "minItems": 1, "maxItems": 3, "items": object(json!({
                "do": {"enum": words(&MetaAction::ALL)},
                "for": {"type": "string", "pattern": "^[a-zA-Z0-9 ]{0,24}$"},
                "s": from_zero(30),
            }))},
            "cap_mps": {"anyOf": [from_zero(60), {"type": "null"}]},
            "avoid": {"type": "array", "maxItems": 2, "items": object(json!({
                "from_m": from_zero(200), "to_m": from_zero(200), "right_m": metres(20), "left_m": metres(20),
            }))},
            "waypoints": {"anyOf": [
                {"type": "array", "maxItems": 0},
                {"type": "array", "items": point, "minItems": WAYPOINTS, "maxItems": WAYPOINTS},
            ]},
            "say": text(160),
            "ttl_s": from_zero(30),
        }))
    }

    /// Reads an answer.
    ///
    /// # Errors
    /// What is wrong with it, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| one_line(&error.to_string()))
    }

    /// As the model writes it: one line, a space after every separator.
    pub fn to_text(&self) -> String {
        // Numbers and strings as JSON has them; only the spaces are ours.
        let mut text = Vec::new();
        let mut writer = serde_json::Serializer::with_formatter(&mut text, Spaced);
        // Writing to memory does not fail, and all of it can be written.
        self.serialize(&mut writer).map_or_else(|_| String::new(), |()| String::from_utf8_lossy(&text).into_owned())
    }

    /// As the planner reads it, for the scene that was judged.
    pub fn to_message(&self, state: &State) -> SceneJudgment {
        let critical = |object: &Critical| CriticalObject {
            track_id: object.id.unwrap_or(NO_TRACK),
            reason: format!("{}: {}", object.what, object.why),
            influence: word(&object.influence),
        };
        let action = |act: &Act| tandem_msgs::MetaAction {
            action: act.action.word().to_owned(),
            subject: act.subject.clone(),
            duration_s: act.s,
            veto: false,
        };
        let point = |point: Point2<f64>| Point { x: point.x, y: point.y, z: 0.0 };
        let asks_for = |influence| self.objects.iter().any(|object| object.influence == influence);
        SceneJudgment {
            header: Header::new(state.stamp, MAP_FRAME),
            environment: format!(
                "{}, {}, {}, lane {}",
                word(&self.weather),
                word(&self.light),
                word(&self.road),
                self.lane
            ),
            critical_objects: self.objects.iter().map(critical).collect(),
            risk_level: self.risk as u8,
            meta_actions: self.actions.iter().map(action).collect(),
            speed_cap_mps: self.cap_mps.unwrap_or(f64::NAN),
            extra_gap_m: 0.0,
            extra_headway_s: if asks_for(Influence::KeepDistance) { KEEP_DISTANCE_S } else { 0.0 },
            avoid: (self.avoid.iter())
                .map(|avoid| Region { polygon: state.ring(avoid).into_iter().map(point).collect() })
                .collect(),
            waypoints: (self.waypoints.iter())
                .map(|[x, y]| point(state.map_from_ego.transform(Point2::new(*x, *y))))
                .collect(),
            explanation: self.say.clone(),
            time_to_live: Duration::from_ns((self.ttl_s * 1e9) as i64),
        }
    }
}

/// The word for something, as JSON has it.
pub(super) fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

fn words<T: Serialize>(values: &[T]) -> Vec<String> {
    values.iter().map(word).collect()
}

/// JSON on one line with a space after `,` and `:`, as models have mostly seen it.
struct Spaced;

impl serde_json::ser::Formatter for Spaced {
    fn begin_array_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}
