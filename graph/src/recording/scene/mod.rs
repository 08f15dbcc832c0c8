//! A scene to look at in Foxglove and others: ego, objects, plan and map as `foxglove.SceneUpdate`.

mod foxglove;

pub(super) use foxglove::{SCHEMA, json_schema};

use crate::msgs::autoware_perception_msgs::{ObjectClassification, PredictedObject, PredictedObjects};
use crate::msgs::autoware_planning_msgs::Trajectory;
use crate::msgs::geometry_msgs::Point;
use crate::msgs::nav_msgs::Odometry;
use crate::msgs::std_msgs::ColorRGBA;
use crate::msgs::tandem_msgs::{GroundPoint, MapLine, VectorMap};
use crate::observe::Published;
use crate::{Message, Topic, cdr, topics};
use foxglove::{Arrow, Cube, Line, LineType, SceneEntity, SceneUpdate, Text};

const GREEN: ColorRGBA = ColorRGBA { r: 0.15, g: 0.8, b: 0.45, a: 0.9 };
const WHITE: ColorRGBA = ColorRGBA { r: 0.9, g: 0.9, b: 0.9, a: 1.0 };
const GREY: ColorRGBA = ColorRGBA { r: 0.5, g: 0.5, b: 0.5, a: 1.0 };
const FAINT: ColorRGBA = ColorRGBA { r: 0.4, g: 0.5, b: 0.6, a: 0.6 };
const RED: ColorRGBA = ColorRGBA { r: 0.9, g: 0.3, b: 0.3, a: 1.0 };

/// The scene update that a message makes, as JSON, if it makes one.
pub(super) fn paint(published: &Published<'_>) -> Option<Vec<u8>> {
    let entity = match published.topic {
        topic if topic == topics::OBJECTS.name() => objects(&open(published, &topics::OBJECTS)?),
        topic if topic == topics::TRAJECTORY.name() => trajectory(&open(published, &topics::TRAJECTORY)?),
        topic if topic == topics::ODOMETRY.name() => ego(&open(published, &topics::ODOMETRY)?),
        topic if topic == topics::MAP.name() => map(&open(published, &topics::MAP)?),
        _ => return None,
    };
    serde_json::to_vec(&SceneUpdate::new(entity)).ok()
}

fn open<M: Message>(published: &Published<'_>, _: &Topic<M>) -> Option<M> {
    (published.type_name == M::NAME).then(|| cdr::decode(published.bytes).ok()).flatten()
}

fn objects(message: &PredictedObjects) -> SceneEntity {
    let mut entity = SceneEntity::new(&message.header, "objects");
    for object in &message.objects {
        let color = object_color(object);
        let mut pose = object.kinematics.initial_pose_with_covariance.pose;
        let size = object.shape.dimensions;
        entity.cubes.push(Cube { pose, size, color });
        for path in &object.kinematics.predicted_paths {
            let points = path.path.iter().map(|pose| pose.position).collect();
            let color = ColorRGBA { a: path.confidence.clamp(0.2, 1.0), ..color };
            entity.lines.push(Line::new(points, LineType::Strip, 0.1, color));
        }
        pose.position.z += size.z / 2.0 + 0.5;
        entity.texts.push(Text::new(pose, WHITE, object.object_id.number().to_string()));
    }
    entity
}

fn object_color(object: &PredictedObject) -> ColorRGBA {
    use ObjectClassification as Class;
    let likeliest = object.classification.iter().max_by(|a, b| a.probability.total_cmp(&b.probability));
    let (r, g, b) = match likeliest.map_or(Class::UNKNOWN, |class| class.label) {
        Class::PEDESTRIAN | Class::ANIMAL => (0.95, 0.35, 0.25),
        Class::BICYCLE | Class::MOTORCYCLE => (0.95, 0.7, 0.2),
        Class::CAR | Class::TRUCK | Class::BUS | Class::TRAILER => (0.3, 0.55, 0.95),
        _ => (0.65, 0.65, 0.65),
    };
    ColorRGBA { r, g, b, a: 0.8 }
}

fn trajectory(message: &Trajectory) -> SceneEntity {
    let mut entity = SceneEntity::new(&message.header, "trajectory");
    let points = message.points.iter().map(|point| point.pose.position).collect();
    entity.lines.push(Line::new(points, LineType::Strip, 0.4, GREEN));
    entity
}

fn ego(message: &Odometry) -> SceneEntity {
    let mut entity = SceneEntity::new(&message.header, "ego");
    entity.arrows.push(Arrow {
        pose: message.pose.pose,
        shaft_length: 3.0,
        shaft_diameter: 1.0,
        head_length: 1.0,
        head_diameter: 1.8,
        color: GREEN,
    });
    entity
}

fn map(message: &VectorMap) -> SceneEntity {
    let mut entity = SceneEntity::new(&message.header, "map");
    let mut draw = |points: Vec<Point>, kind, thickness_m, color| {
        if !points.is_empty() {
            entity.lines.push(Line::new(points, kind, thickness_m, color));
        }
    };
    let ground = |points: &[GroundPoint]| points.iter().map(|point| Point { x: point.x, y: point.y, z: 0.0 }).collect();
    for area in &message.drivable {
        draw(ground(&area.exterior), LineType::Loop, 0.1, GREY);
        area.holes.iter().for_each(|hole| draw(ground(&hole.points), LineType::Loop, 0.1, GREY));
    }
    for lane in &message.lanes {
        draw(lane.centerline.iter().map(|point| Point { z: 0.0, ..*point }).collect(), LineType::Strip, 0.05, FAINT);
        draw(ground(&lane.left_edge), LineType::Strip, 0.1, GREY);
        draw(ground(&lane.right_edge), LineType::Strip, 0.1, GREY);
    }
    for line in &message.lines {
        let color = if line.kind == MapLine::STOP { RED } else { WHITE };
        draw(ground(&line.points), LineType::Strip, 0.15, color);
    }
    message.crossings.iter().for_each(|crossing| draw(ground(&crossing.exterior), LineType::Loop, 0.15, WHITE));
    entity
}
