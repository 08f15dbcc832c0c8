//! A scene to look at in Foxglove and others: ego, objects, plan and map as `foxglove.SceneUpdate`.
//!
//! The messages are those of Foxglove's published schemas (<https://docs.foxglove.dev/docs/sdk/schemas>); of their
//! parts, those are written here that are used, and all are described to readers.

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
    FileDescriptorSet,
};

use crate::msgs::autoware_perception_msgs::{ObjectClassification, PredictedObject, PredictedObjects};
use crate::msgs::autoware_planning_msgs::Trajectory;
use crate::msgs::geometry_msgs;
use crate::msgs::nav_msgs::Odometry;
use crate::msgs::std_msgs::Header;
use crate::msgs::tandem_msgs::{GroundPoint, MapLine, VectorMap};
use crate::observe::Published;
use crate::{Message, Topic, cdr, topics};

/// The name of the messages' type.
pub(super) const SCHEMA: &str = "foxglove.SceneUpdate";

/// Draws messages. Keeps its memory between them.
#[derive(Default)]
pub(super) struct Painter {
    update: Vec<u8>,
}

impl Painter {
    /// The scene update that a message makes, if it makes one.
    pub fn paint(&mut self, published: &Published<'_>) -> Option<&[u8]> {
        let entity = match published.topic {
            topic if topic == topics::OBJECTS.name() => objects(&open(published, &topics::OBJECTS)?),
            topic if topic == topics::TRAJECTORY.name() => trajectory(&open(published, &topics::TRAJECTORY)?),
            topic if topic == topics::ODOMETRY.name() => ego(&open(published, &topics::ODOMETRY)?),
            topic if topic == topics::MAP.name() => map(&open(published, &topics::MAP)?),
            _ => return None,
        };
        self.update = SceneUpdate { entities: vec![entity] }.encode_to_vec();
        Some(&self.update)
    }
}

fn open<M: Message>(published: &Published<'_>, _: &Topic<M>) -> Option<M> {
    (published.type_name == M::NAME).then(|| cdr::decode(published.bytes).ok()).flatten()
}

fn objects(message: &PredictedObjects) -> SceneEntity {
    let mut entity = SceneEntity::new(&message.header, "objects");
    for object in &message.objects {
        let mut pose = object.kinematics.initial_pose_with_covariance.pose;
        let size = object.shape.dimensions;
        entity.cubes.push(Cube { pose: Some(pose.into()), size: Some(size.into()), color: Some(object_color(object)) });
        pose.position.z += size.z / 2.0 + 0.5;
        entity.texts.push(Text {
            pose: Some(pose.into()),
            billboard: true,
            font_size: 0.8,
            color: Some(Color::new(1.0, 1.0, 1.0, 1.0)),
            text: object.object_id.number().to_string(),
        });
        for path in &object.kinematics.predicted_paths {
            let points = path.path.iter().map(|pose| pose.position.into()).collect();
            let color = Color { a: f64::from(path.confidence).clamp(0.2, 1.0), ..object_color(object) };
            entity.lines.push(Line::new(points, LINE_STRIP, 0.1, color));
        }
    }
    entity
}

fn object_color(object: &PredictedObject) -> Color {
    use ObjectClassification as Class;
    let likeliest = object.classification.iter().max_by(|a, b| a.probability.total_cmp(&b.probability));
    match likeliest.map_or(Class::UNKNOWN, |class| class.label) {
        Class::PEDESTRIAN | Class::ANIMAL => Color::new(0.95, 0.35, 0.25, 0.8),
        Class::BICYCLE | Class::MOTORCYCLE => Color::new(0.95, 0.70, 0.20, 0.8),
        Class::CAR | Class::TRUCK | Class::BUS | Class::TRAILER => Color::new(0.30, 0.55, 0.95, 0.8),
        _ => Color::new(0.65, 0.65, 0.65, 0.8),
    }
}

fn trajectory(message: &Trajectory) -> SceneEntity {
    let mut entity = SceneEntity::new(&message.header, "trajectory");
    let points = message.points.iter().map(|point| point.pose.position.into()).collect();
    entity.lines.push(Line::new(points, LINE_STRIP, 0.4, Color::new(0.15, 0.80, 0.45, 0.9)));
    entity
}

fn ego(message: &Odometry) -> SceneEntity {
    let mut entity = SceneEntity::new(&message.header, "ego");
    entity.arrows.push(Arrow {
        pose: Some(message.pose.pose.into()),
        shaft_length: 3.0,
        shaft_diameter: 1.0,
        head_length: 1.0,
        head_diameter: 1.8,
        color: Some(Color::new(0.15, 0.80, 0.45, 1.0)),
    });
    entity
}

fn map(message: &VectorMap) -> SceneEntity {
    let mut entity = SceneEntity::new(&message.header, "map");
    let ground =
        |points: &[GroundPoint]| points.iter().map(|point| Point3 { x: point.x, y: point.y, z: 0.0 }).collect();
    let (white, grey, faint) =
        (Color::new(0.9, 0.9, 0.9, 1.0), Color::new(0.5, 0.5, 0.5, 1.0), Color::new(0.4, 0.5, 0.6, 0.6));
    for area in &message.drivable {
        entity.lines.push(Line::new(ground(&area.exterior), LINE_LOOP, 0.1, grey));
        area.holes.iter().for_each(|hole| entity.lines.push(Line::new(ground(&hole.points), LINE_LOOP, 0.1, grey)));
    }
    for lane in &message.lanes {
        let centerline = lane.centerline.iter().map(|point| Point3 { z: 0.0, ..(*point).into() }).collect();
        entity.lines.push(Line::new(centerline, LINE_STRIP, 0.05, faint));
        for edge in [&lane.left_edge, &lane.right_edge] {
            entity.lines.push(Line::new(ground(edge), LINE_STRIP, 0.1, grey));
        }
    }
    for line in &message.lines {
        let color = if line.kind == MapLine::STOP { Color::new(0.9, 0.3, 0.3, 1.0) } else { white };
        entity.lines.push(Line::new(ground(&line.points), LINE_STRIP, 0.15, color));
    }
    for crossing in &message.crossings {
        entity.lines.push(Line::new(ground(&crossing.exterior), LINE_LOOP, 0.15, white));
    }
    entity.lines.retain(|line| !line.points.is_empty());
    entity
}

#[derive(Clone, PartialEq, prost::Message)]
struct SceneUpdate {
    #[prost(message, repeated, tag = "2")]
    entities: Vec<SceneEntity>,
}

/// What is drawn in the place of what had the same id before.
#[derive(Clone, PartialEq, prost::Message)]
struct SceneEntity {
    #[prost(message, optional, tag = "1")]
    timestamp: Option<prost_types::Timestamp>,
    #[prost(string, tag = "2")]
    frame_id: String,
    #[prost(string, tag = "3")]
    id: String,
    #[prost(message, repeated, tag = "7")]
    arrows: Vec<Arrow>,
    #[prost(message, repeated, tag = "8")]
    cubes: Vec<Cube>,
    #[prost(message, repeated, tag = "11")]
    lines: Vec<Line>,
    #[prost(message, repeated, tag = "13")]
    texts: Vec<Text>,
}

impl SceneEntity {
    fn new(header: &Header, id: &str) -> Self {
        let nanos = i32::try_from(header.stamp.nanosec).unwrap_or(0);
        Self {
            timestamp: Some(prost_types::Timestamp { seconds: header.stamp.sec.into(), nanos }),
            frame_id: header.frame_id.clone(),
            id: id.to_owned(),
            ..Self::default()
        }
    }
}

#[derive(Clone, PartialEq, prost::Message)]
struct Arrow {
    #[prost(message, optional, tag = "1")]
    pose: Option<Pose>,
    #[prost(double, tag = "2")]
    shaft_length: f64,
    #[prost(double, tag = "3")]
    shaft_diameter: f64,
    #[prost(double, tag = "4")]
    head_length: f64,
    #[prost(double, tag = "5")]
    head_diameter: f64,
    #[prost(message, optional, tag = "6")]
    color: Option<Color>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Cube {
    #[prost(message, optional, tag = "1")]
    pose: Option<Pose>,
    #[prost(message, optional, tag = "2")]
    size: Option<Vector3>,
    #[prost(message, optional, tag = "3")]
    color: Option<Color>,
}

const LINE_STRIP: i32 = 0;
const LINE_LOOP: i32 = 1;

#[derive(Clone, PartialEq, prost::Message)]
struct Line {
    #[prost(int32, tag = "1")]
    kind: i32,
    #[prost(message, optional, tag = "2")]
    pose: Option<Pose>,
    #[prost(double, tag = "3")]
    thickness: f64,
    #[prost(message, repeated, tag = "5")]
    points: Vec<Point3>,
    #[prost(message, optional, tag = "6")]
    color: Option<Color>,
}

impl Line {
    fn new(points: Vec<Point3>, kind: i32, thickness: f64, color: Color) -> Self {
        let pose = Some(geometry_msgs::Pose::default().into());
        Self { kind, pose, thickness, points, color: Some(color) }
    }
}

#[derive(Clone, PartialEq, prost::Message)]
struct Text {
    #[prost(message, optional, tag = "1")]
    pose: Option<Pose>,
    #[prost(bool, tag = "2")]
    billboard: bool,
    #[prost(double, tag = "3")]
    font_size: f64,
    #[prost(message, optional, tag = "5")]
    color: Option<Color>,
    #[prost(string, tag = "6")]
    text: String,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct Pose {
    #[prost(message, optional, tag = "1")]
    position: Option<Vector3>,
    #[prost(message, optional, tag = "2")]
    orientation: Option<Quaternion>,
}

impl From<geometry_msgs::Pose> for Pose {
    fn from(pose: geometry_msgs::Pose) -> Self {
        let geometry_msgs::Point { x, y, z } = pose.position;
        let position = Some(Vector3 { x, y, z });
        let geometry_msgs::Quaternion { x, y, z, w } = pose.orientation;
        Self { position, orientation: Some(Quaternion { x, y, z, w }) }
    }
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct Vector3 {
    #[prost(double, tag = "1")]
    x: f64,
    #[prost(double, tag = "2")]
    y: f64,
    #[prost(double, tag = "3")]
    z: f64,
}

impl From<geometry_msgs::Vector3> for Vector3 {
    fn from(geometry_msgs::Vector3 { x, y, z }: geometry_msgs::Vector3) -> Self {
        Self { x, y, z }
    }
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct Point3 {
    #[prost(double, tag = "1")]
    x: f64,
    #[prost(double, tag = "2")]
    y: f64,
    #[prost(double, tag = "3")]
    z: f64,
}

impl From<geometry_msgs::Point> for Point3 {
    fn from(geometry_msgs::Point { x, y, z }: geometry_msgs::Point) -> Self {
        Self { x, y, z }
    }
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct Quaternion {
    #[prost(double, tag = "1")]
    x: f64,
    #[prost(double, tag = "2")]
    y: f64,
    #[prost(double, tag = "3")]
    z: f64,
    #[prost(double, tag = "4")]
    w: f64,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct Color {
    #[prost(double, tag = "1")]
    r: f64,
    #[prost(double, tag = "2")]
    g: f64,
    #[prost(double, tag = "3")]
    b: f64,
    #[prost(double, tag = "4")]
    a: f64,
}

impl Color {
    const fn new(r: f64, g: f64, b: f64, a: f64) -> Self {
        Self { r, g, b, a }
    }
}

/// Foxglove's messages: name, fields by number from 1 on, and the values of the enum `Type` within, if there is one.
/// A field's type may be a message of this list, of protobuf's own, or `Type`; `*` says that there may be many.
const MESSAGES: [(&str, &str, &[&str]); 17] = [
    ("SceneUpdate", "*SceneEntityDeletion deletions, *SceneEntity entities", &[]),
    ("SceneEntityDeletion", "Timestamp timestamp, Type type, string id", &["MATCHING_ID", "ALL"]),
    (
        "SceneEntity",
        "Timestamp timestamp, string frame_id, string id, Duration lifetime, bool frame_locked, \
         *KeyValuePair metadata, *ArrowPrimitive arrows, *CubePrimitive cubes, *SpherePrimitive spheres, \
         *CylinderPrimitive cylinders, *LinePrimitive lines, *TriangleListPrimitive triangles, \
         *TextPrimitive texts, *ModelPrimitive models",
        &[],
    ),
    ("KeyValuePair", "string key, string value", &[]),
    (
        "ArrowPrimitive",
        "Pose pose, double shaft_length, double shaft_diameter, double head_length, double head_diameter, Color color",
        &[],
    ),
    ("CubePrimitive", "Pose pose, Vector3 size, Color color", &[]),
    ("SpherePrimitive", "Pose pose, Vector3 size, Color color", &[]),
    ("CylinderPrimitive", "Pose pose, Vector3 size, double bottom_scale, double top_scale, Color color", &[]),
    (
        "LinePrimitive",
        "Type type, Pose pose, double thickness, bool scale_invariant, *Point3 points, Color color, *Color colors, \
         *fixed32 indices",
        &["LINE_STRIP", "LINE_LOOP", "LINE_LIST"],
    ),
    ("TriangleListPrimitive", "Pose pose, *Point3 points, Color color, *Color colors, *fixed32 indices", &[]),
    (
        "TextPrimitive",
        "Pose pose, bool billboard, double font_size, bool scale_invariant, Color color, string text",
        &[],
    ),
    (
        "ModelPrimitive",
        "Pose pose, Vector3 scale, Color color, bool override_color, string url, string media_type, bytes data",
        &[],
    ),
    ("Pose", "Vector3 position, Quaternion orientation", &[]),
    ("Vector3", "double x, double y, double z", &[]),
    ("Point3", "double x, double y, double z", &[]),
    ("Quaternion", "double x, double y, double z, double w", &[]),
    ("Color", "double r, double g, double b, double a", &[]),
];

/// The messages described to readers, as a `FileDescriptorSet`.
pub(super) fn descriptors() -> Vec<u8> {
    let time = |name: &str| FileDescriptorProto {
        name: Some(format!("google/protobuf/{}.proto", name.to_lowercase())),
        package: Some("google.protobuf".to_owned()),
        message_type: vec![DescriptorProto {
            name: Some(name.to_owned()),
            field: vec![field("int64 seconds", 1, name), field("int32 nanos", 2, name)],
            ..DescriptorProto::default()
        }],
        syntax: Some("proto3".to_owned()),
        ..FileDescriptorProto::default()
    };
    let times = [time("Timestamp"), time("Duration")];
    let foxglove = FileDescriptorProto {
        name: Some("foxglove/SceneUpdate.proto".to_owned()),
        package: Some("foxglove".to_owned()),
        dependency: times.iter().filter_map(|file| file.name.clone()).collect(),
        message_type: MESSAGES.iter().map(|(name, fields, values)| message(name, fields, values)).collect(),
        syntax: Some("proto3".to_owned()),
        ..FileDescriptorProto::default()
    };
    let [timestamp, duration] = times;
    FileDescriptorSet { file: vec![timestamp, duration, foxglove] }.encode_to_vec()
}

fn message(name: &str, fields: &str, values: &[&str]) -> DescriptorProto {
    let value = |(name, number): (&&str, i32)| EnumValueDescriptorProto {
        name: Some((*name).to_owned()),
        number: Some(number),
        options: None,
    };
    let kinds = EnumDescriptorProto {
        name: Some("Type".to_owned()),
        value: values.iter().zip(0..).map(value).collect(),
        ..EnumDescriptorProto::default()
    };
    DescriptorProto {
        name: Some(name.to_owned()),
        field: fields.split(", ").zip(1..).map(|(text, number)| field(text, number, name)).collect(),
        enum_type: if values.is_empty() { Vec::new() } else { vec![kinds] },
        ..DescriptorProto::default()
    }
}

/// One field of a message, from text like `*Point3 points`.
fn field(text: &str, number: i32, message: &str) -> FieldDescriptorProto {
    let (kind, name) = text.trim().split_once(' ').unwrap_or((text, ""));
    let (label, kind) = match kind.strip_prefix('*') {
        Some(kind) => (Label::Repeated, kind),
        None => (Label::Optional, kind),
    };
    let (kind, type_name) = match kind {
        "double" => (Type::Double, None),
        "int64" => (Type::Int64, None),
        "int32" => (Type::Int32, None),
        "fixed32" => (Type::Fixed32, None),
        "bool" => (Type::Bool, None),
        "string" => (Type::String, None),
        "bytes" => (Type::Bytes, None),
        "Type" => (Type::Enum, Some(format!(".foxglove.{message}.Type"))),
        "Timestamp" | "Duration" => (Type::Message, Some(format!(".google.protobuf.{kind}"))),
        _ => (Type::Message, Some(format!(".foxglove.{kind}"))),
    };
    FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        label: Some(label.into()),
        r#type: Some(kind.into()),
        type_name,
        ..FieldDescriptorProto::default()
    }
}
