//! `foxglove.SceneUpdate` as JSON: the parts that are written, and the JSON Schema of all.
//!
//! After Foxglove's published schemas (<https://docs.foxglove.dev/docs/sdk/schemas>). JSON, since readers of ROS
//! recordings take the schemas in a file for text. Poses, points and colours are those of ROS, which have the same
//! fields.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::msgs::geometry_msgs::{Point, Pose, Vector3};
use crate::msgs::std_msgs::{ColorRGBA, Header};

/// The name of the messages' type.
pub(in crate::recording) const SCHEMA: &str = "foxglove.SceneUpdate";

/// What is never drawn here.
type Nothing = [(); 0];

/// What to draw and what to take away.
#[derive(Serialize)]
pub(super) struct SceneUpdate {
    deletions: Nothing,
    entities: [SceneEntity; 1],
}

impl SceneUpdate {
    pub fn new(entity: SceneEntity) -> Self {
        Self { deletions: [], entities: [entity] }
    }
}

#[derive(Serialize, Default)]
struct Time {
    sec: i64,
    nsec: u32,
}

/// What is drawn in the place of what had the same id before.
#[derive(Serialize, Default)]
pub(super) struct SceneEntity {
    timestamp: Time,
    frame_id: String,
    id: String,
    /// For good.
    lifetime: Time,
    frame_locked: bool,
    metadata: Nothing,
    pub arrows: Vec<Arrow>,
    pub cubes: Vec<Cube>,
    spheres: Nothing,
    cylinders: Nothing,
    pub lines: Vec<Line>,
    triangles: Nothing,
    pub texts: Vec<Text>,
    models: Nothing,
}

impl SceneEntity {
    pub fn new(header: &Header, id: &str) -> Self {
        Self {
            timestamp: Time { sec: header.stamp.sec.into(), nsec: header.stamp.nanosec },
            frame_id: header.frame_id.clone(),
            id: id.to_owned(),
            ..Self::default()
        }
    }
}

#[derive(Serialize)]
pub(super) struct Arrow {
    pub pose: Pose,
    pub shaft_length: f64,
    pub shaft_diameter: f64,
    pub head_length: f64,
    pub head_diameter: f64,
    pub color: ColorRGBA,
}

#[derive(Serialize)]
pub(super) struct Cube {
    pub pose: Pose,
    pub size: Vector3,
    pub color: ColorRGBA,
}

/// How a line's points are joined.
pub(super) enum LineType {
    /// Each with the next.
    Strip = 0,
    /// Each with the next, and the last with the first.
    Loop = 1,
}

#[derive(Serialize)]
pub(super) struct Line {
    r#type: u8,
    pose: Pose,
    thickness: f64,
    scale_invariant: bool,
    points: Vec<Point>,
    color: ColorRGBA,
    colors: Nothing,
    indices: Nothing,
}

impl Line {
    pub fn new(points: Vec<Point>, kind: LineType, thickness_m: f64, color: ColorRGBA) -> Self {
        Self {
            r#type: kind as u8,
            pose: Pose::default(),
            thickness: thickness_m,
            scale_invariant: false,
            points,
            color,
            colors: [],
            indices: [],
        }
    }
}

#[derive(Serialize)]
pub(super) struct Text {
    pose: Pose,
    billboard: bool,
    font_size: f64,
    scale_invariant: bool,
    color: ColorRGBA,
    text: String,
}

impl Text {
    /// A text that faces the viewer.
    pub fn new(pose: Pose, color: ColorRGBA, text: String) -> Self {
        Self { pose, billboard: true, font_size: 0.8, scale_invariant: false, color, text }
    }
}

/// The messages of the scene: name and fields. A field's type may be a message of this list; `*` says that there may
/// be many.
const MESSAGES: [(&str, &str); 19] = [
    ("Time", "integer sec, integer nsec"),
    ("Duration", "integer sec, integer nsec"),
    ("KeyValuePair", "string key, string value"),
    ("Vector3", "number x, number y, number z"),
    ("Point3", "number x, number y, number z"),
    ("Quaternion", "number x, number y, number z, number w"),
    ("Pose", "Vector3 position, Quaternion orientation"),
    ("Color", "number r, number g, number b, number a"),
    (
        "ArrowPrimitive",
        "Pose pose, number shaft_length, number shaft_diameter, number head_length, number head_diameter, Color color",
    ),
    ("CubePrimitive", "Pose pose, Vector3 size, Color color"),
    ("SpherePrimitive", "Pose pose, Vector3 size, Color color"),
    ("CylinderPrimitive", "Pose pose, Vector3 size, number bottom_scale, number top_scale, Color color"),
    (
        "LinePrimitive",
        "integer type, Pose pose, number thickness, boolean scale_invariant, *Point3 points, Color color, \
         *Color colors, *integer indices",
    ),
    ("TriangleListPrimitive", "Pose pose, *Point3 points, Color color, *Color colors, *integer indices"),
    (
        "TextPrimitive",
        "Pose pose, boolean billboard, number font_size, boolean scale_invariant, Color color, string text",
    ),
    (
        "ModelPrimitive",
        "Pose pose, Vector3 scale, Color color, boolean override_color, string url, string media_type, string data",
    ),
    ("SceneEntityDeletion", "Time timestamp, integer type, string id"),
    (
        "SceneEntity",
        "Time timestamp, string frame_id, string id, Duration lifetime, boolean frame_locked, *KeyValuePair metadata, \
         *ArrowPrimitive arrows, *CubePrimitive cubes, *SpherePrimitive spheres, *CylinderPrimitive cylinders, \
         *LinePrimitive lines, *TriangleListPrimitive triangles, *TextPrimitive texts, *ModelPrimitive models",
    ),
    ("SceneUpdate", "*SceneEntityDeletion deletions, *SceneEntity entities"),
];

/// The JSON Schema of a scene update.
pub(in crate::recording) fn json_schema() -> String {
    let mut definitions = Map::new();
    for (name, fields) in MESSAGES {
        definitions.insert(name.to_owned(), json!({ "type": "object", "properties": properties(fields) }));
    }
    let update = definitions.remove("SceneUpdate").unwrap_or_default();
    json!({
        "title": SCHEMA,
        "type": "object",
        "properties": update["properties"],
        "definitions": definitions,
    })
    .to_string()
}

fn properties(fields: &str) -> Value {
    let fields = fields.split(", ").filter_map(|field| field.split_once(' '));
    let property = |(kind, name): (&str, &str)| (name.to_owned(), property(kind));
    Value::Object(fields.map(property).collect())
}

fn property(kind: &str) -> Value {
    if let Some(item) = kind.strip_prefix('*') {
        json!({ "type": "array", "items": property(item) })
    } else if kind.starts_with(char::is_uppercase) {
        json!({ "$ref": format!("#/definitions/{kind}") })
    } else {
        json!({ "type": kind })
    }
}
