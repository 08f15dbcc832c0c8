//! Detected and predicted objects, and traffic lights (Autoware's of April 2026).

use super::builtin_interfaces::{Duration, Time};
use super::geometry_msgs::{AccelWithCovariance, Polygon, Pose, PoseWithCovariance, TwistWithCovariance, Vector3};
use super::std_msgs::Header;
use super::unique_identifier_msgs::UUID;

message! {
    /// A class and how likely it is.
    #[derive(Copy)]
    autoware_perception_msgs::ObjectClassification {
        /// The class.
        label: u8,
        /// How likely, 0 to 1.
        probability: f32,
    }
    const {
        /// Not known.
        UNKNOWN: u8 = 0,
        /// A car.
        CAR: u8 = 1,
        /// A lorry.
        TRUCK: u8 = 2,
        /// A bus.
        BUS: u8 = 3,
        /// A trailer.
        TRAILER: u8 = 4,
        /// A motorcycle.
        MOTORCYCLE: u8 = 5,
        /// A bicycle.
        BICYCLE: u8 = 6,
        /// A person.
        PEDESTRIAN: u8 = 7,
        /// An animal.
        ANIMAL: u8 = 8,
        /// A thing that must not be hit: cone, barrier, debris.
        HAZARD: u8 = 9,
        /// A thing that may be driven over.
        OVER_DRIVABLE: u8 = 10,
        /// A thing that may be driven under.
        UNDER_DRIVABLE: u8 = 11,
    }
}

message! {
    /// An object's extent.
    autoware_perception_msgs::Shape {
        /// The kind of shape.
        r#type: u8,
        /// The outline of a polygon.
        footprint: Polygon,
        /// Length (x), width (y) and height (z), m.
        dimensions: Vector3,
    }
    const {
        /// A box.
        BOUNDING_BOX: u8 = 0,
        /// A cylinder.
        CYLINDER: u8 = 1,
        /// A polygon with a height.
        POLYGON: u8 = 2,
    }
}

message! {
    /// A way that an object may take.
    autoware_perception_msgs::PredictedPath {
        /// Its poses, the first one now.
        path: Vec<Pose>,
        /// The time from one to the next.
        time_step: Duration,
        /// How likely it is, 0 to 1.
        confidence: f32,
    }
}

message! {
    /// How an object moves, and may go on to.
    autoware_perception_msgs::PredictedObjectKinematics {
        /// Where it is now.
        initial_pose_with_covariance: PoseWithCovariance,
        /// Its velocity now, in its own frame.
        initial_twist_with_covariance: TwistWithCovariance,
        /// Its acceleration now, in its own frame.
        initial_acceleration_with_covariance: AccelWithCovariance,
        /// Ways that it may take.
        predicted_paths: Vec<PredictedPath>,
    }
}

message! {
    /// One object with its future.
    autoware_perception_msgs::PredictedObject {
        /// Its name, stable over time.
        object_id: UUID,
        /// How sure it is that there is such an object, 0 to 1.
        existence_probability: f32,
        /// What it may be.
        classification: Vec<ObjectClassification>,
        /// How it moves.
        kinematics: PredictedObjectKinematics,
        /// Its extent.
        shape: Shape,
    }
}

message! {
    /// All objects with their futures.
    autoware_perception_msgs::PredictedObjects {
        /// Time and frame.
        header: Header,
        /// The objects.
        objects: Vec<PredictedObject>,
    }
}

message! {
    /// How a detected object moves, as far as is known.
    autoware_perception_msgs::DetectedObjectKinematics {
        /// Where it is.
        pose_with_covariance: PoseWithCovariance,
        /// Whether the position's covariance is known.
        has_position_covariance: bool,
        /// What is known of the orientation.
        orientation_availability: u8,
        /// Its velocity, in its own frame.
        twist_with_covariance: TwistWithCovariance,
        /// Whether the velocity is known.
        has_twist: bool,
        /// Whether the velocity's covariance is known.
        has_twist_covariance: bool,
    }
    const {
        /// Nothing.
        UNAVAILABLE: u8 = 0,
        /// The axis, but not which end is the front.
        SIGN_UNKNOWN: u8 = 1,
        /// All of it.
        AVAILABLE: u8 = 2,
    }
}

message! {
    /// One object as seen in one frame.
    autoware_perception_msgs::DetectedObject {
        /// How sure it is that there is such an object, 0 to 1.
        existence_probability: f32,
        /// What it may be.
        classification: Vec<ObjectClassification>,
        /// How it moves.
        kinematics: DetectedObjectKinematics,
        /// Its extent.
        shape: Shape,
    }
}

message! {
    /// The objects seen in one frame.
    autoware_perception_msgs::DetectedObjects {
        /// Time and frame.
        header: Header,
        /// The objects.
        objects: Vec<DetectedObject>,
    }
}

message! {
    /// One lamp of a traffic light.
    #[derive(Copy)]
    autoware_perception_msgs::TrafficLightElement {
        /// Its colour.
        color: u8,
        /// Its shape.
        shape: u8,
        /// Whether it is lit.
        status: u8,
        /// How sure that is, 0 to 1.
        confidence: f32,
    }
    const {
        /// Colour: stop.
        RED: u8 = 1,
        /// Colour: about to change.
        AMBER: u8 = 2,
        /// Colour: go.
        GREEN: u8 = 3,
        /// Colour: white, as for trams.
        WHITE: u8 = 4,
        /// Shape: a plain lamp.
        CIRCLE: u8 = 5,
        /// Shape: an arrow to the left.
        LEFT_ARROW: u8 = 6,
        /// Shape: an arrow to the right.
        RIGHT_ARROW: u8 = 7,
        /// Shape: an arrow ahead.
        UP_ARROW: u8 = 8,
        /// Shape: an arrow down.
        DOWN_ARROW: u8 = 9,
        /// Shape: an arrow down to the left.
        DOWN_LEFT_ARROW: u8 = 10,
        /// Shape: an arrow down to the right.
        DOWN_RIGHT_ARROW: u8 = 11,
        /// Shape: a cross.
        CROSS: u8 = 12,
        /// Status: off.
        SOLID_OFF: u8 = 13,
        /// Status: on.
        SOLID_ON: u8 = 14,
        /// Status: flashing.
        FLASHING: u8 = 15,
        /// Colour, shape or status: not known.
        UNKNOWN: u8 = 16,
    }
}

message! {
    /// What a traffic light is expected to show.
    autoware_perception_msgs::PredictedTrafficLightState {
        /// From when on.
        predicted_stamp: Time,
        /// The lamps.
        simultaneous_elements: Vec<TrafficLightElement>,
        /// How sure that is, 0 to 1.
        reliability: f32,
        /// Who says so: `V2N`, `V2I`, `V2V`, `MANUAL_OVERRIDE`, `SIMULATION` or `INTERNAL_ESTIMATION`.
        information_source: String,
    }
}

message! {
    /// The traffic lights that say the same to one group of lanes.
    autoware_perception_msgs::TrafficLightGroup {
        /// The group's number in the map.
        traffic_light_group_id: i64,
        /// Its lamps now.
        elements: Vec<TrafficLightElement>,
        /// Its lamps later.
        predictions: Vec<PredictedTrafficLightState>,
    }
}

message! {
    /// All traffic lights.
    autoware_perception_msgs::TrafficLightGroupArray {
        /// When.
        stamp: Time,
        /// The groups.
        traffic_light_groups: Vec<TrafficLightGroup>,
    }
}
