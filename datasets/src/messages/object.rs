//! Tracks as perceived objects.

use nalgebra::Vector2;
use tandem_graph::Stamp;
use tandem_graph::msgs::autoware_perception_msgs::{
    ObjectClassification as Label, PredictedObject, PredictedObjects, Shape,
};
use tandem_graph::msgs::geometry_msgs::{Point, Quaternion, Vector3};
use tandem_graph::msgs::std_msgs::Header;
use tandem_graph::msgs::unique_identifier_msgs::UUID;

use super::MAP_FRAME;
use crate::geometry::Pose2;
use crate::log::{Class, Log, TrackState};

/// Autoware's label for a class. Cones, barriers and other things share one.
pub fn label_of(class: Class) -> u8 {
    match class {
        Class::Car => Label::CAR,
        Class::Truck => Label::TRUCK,
        Class::Bus => Label::BUS,
        Class::Trailer => Label::TRAILER,
        Class::Motorcycle => Label::MOTORCYCLE,
        Class::Bicycle => Label::BICYCLE,
        Class::Pedestrian => Label::PEDESTRIAN,
        Class::Animal => Label::ANIMAL,
        Class::Cone | Class::Barrier | Class::Other => Label::HAZARD,
    }
}

/// The class behind one of Autoware's labels; what is none of ours is another thing.
pub fn class_of(label: u8) -> Class {
    match label {
        Label::CAR => Class::Car,
        Label::TRUCK => Class::Truck,
        Label::BUS => Class::Bus,
        Label::TRAILER => Class::Trailer,
        Label::MOTORCYCLE => Class::Motorcycle,
        Label::BICYCLE => Class::Bicycle,
        Label::PEDESTRIAN => Class::Pedestrian,
        Label::ANIMAL => Class::Animal,
        _ => Class::Other,
    }
}

/// What an object message says of one agent now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Object {
    /// The agent's number.
    pub number: u32,
    /// Its most likely class.
    pub class: Class,
    /// Length, width, height, m.
    pub size: [f64; 3],
    /// Where it is and how it moves.
    pub state: TrackState,
}

/// One agent as a message: pose in `map`, velocity along and across its own heading, no predicted path.
pub fn object(object: &Object) -> PredictedObject {
    let Object { number, class, size: [length, width, height], state } = *object;
    let mut message = PredictedObject {
        object_id: UUID::from_number(number),
        existence_probability: 1.0,
        classification: vec![Label { label: label_of(class), probability: 1.0 }],
        shape: Shape {
            r#type: Shape::BOUNDING_BOX,
            dimensions: Vector3 { x: length, y: width, z: height },
            ..Shape::default()
        },
        ..PredictedObject::default()
    };
    let pose = &mut message.kinematics.initial_pose_with_covariance.pose;
    pose.position = Point { x: state.pose.x, y: state.pose.y, z: state.z };
    pose.orientation = Quaternion::from_yaw(state.pose.yaw);
    let (forward, velocity) = (state.pose.heading(), Vector2::from(state.velocity_mps));
    let linear = &mut message.kinematics.initial_twist_with_covariance.twist.linear;
    linear.x = forward.dot(&velocity);
    linear.y = forward.perp(&velocity);
    message
}

/// The agent behind a message, whose header's stamp is `stamp`.
pub fn object_of(message: &PredictedObject, stamp: Stamp) -> Object {
    let kinematics = &message.kinematics;
    let pose = kinematics.initial_pose_with_covariance.pose;
    let pose2 = Pose2::new(pose.position.x, pose.position.y, pose.orientation.yaw_rad());
    let linear = kinematics.initial_twist_with_covariance.twist.linear;
    let forward = pose2.heading();
    let left = Vector2::new(-forward.y, forward.x);
    let likely = message.classification.iter().max_by(|a, b| a.probability.total_cmp(&b.probability));
    let dimensions = message.shape.dimensions;
    Object {
        number: message.object_id.number(),
        class: class_of(likely.map_or(Label::UNKNOWN, |likely| likely.label)),
        size: [dimensions.x, dimensions.y, dimensions.z],
        state: TrackState {
            stamp,
            pose: pose2,
            z: pose.position.z,
            velocity_mps: (forward * linear.x + left * linear.y).into(),
        },
    }
}

/// Everything that a log has around the ego vehicle at `stamp`, between states no farther apart than `max_gap_ns`. The
/// object's number is the track's.
pub fn objects(log: &Log, stamp: Stamp, max_gap_ns: i64) -> PredictedObjects {
    let tracks = (0..).zip(&log.tracks).filter_map(|(number, track)| {
        let state = track.at(stamp, max_gap_ns)?;
        Some(object(&Object { number, class: track.class, size: track.size, state }))
    });
    PredictedObjects { header: Header::new(stamp, MAP_FRAME), objects: tracks.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_comes_back() {
        let told = Object {
            number: 70_000,
            class: Class::Bicycle,
            size: [1.8, 0.7, 1.6],
            state: TrackState {
                stamp: Stamp::from_ns(5),
                pose: Pose2::new(411.3, -1180.9, -2.5),
                z: 1.1,
                velocity_mps: [-3.0, 4.0],
            },
        };
        let back = object_of(&object(&told), Stamp::from_ns(5));
        assert_eq!((back.number, back.class, back.size), (told.number, told.class, told.size));
        assert!((back.state.pose.yaw - told.state.pose.yaw).abs() < 1e-12);
        for axis in 0..2 {
            assert!((back.state.velocity_mps[axis] - told.state.velocity_mps[axis]).abs() < 1e-12);
        }
    }

    #[test]
    fn classes_survive_but_for_things() {
        use Class::{Animal, Barrier, Bicycle, Bus, Car, Cone, Motorcycle, Other, Pedestrian, Trailer, Truck};
        for class in [Car, Truck, Bus, Trailer, Motorcycle, Bicycle, Pedestrian, Animal, Other] {
            assert_eq!(class_of(label_of(class)), class);
        }
        assert_eq!([Cone, Barrier].map(|class| class_of(label_of(class))), [Other; 2]);
    }
}
