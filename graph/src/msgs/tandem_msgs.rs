//! What no standard message covers: the slow system's judgments, the vector map, the planner's account of itself.

use super::builtin_interfaces::Duration;
use super::geometry_msgs::Point;
use super::std_msgs::Header;

message! {
    /// An object that matters, and why.
    #[derive(Eq)]
    tandem_msgs::CriticalObject {
        /// The object's number, as in its `object_id`.
        track_id: u32,
        /// Why it matters.
        reason: String,
        /// What it makes the ego vehicle do.
        influence: String,
    }
}

message! {
    /// A manoeuvre that is preferred or ruled out.
    tandem_msgs::MetaAction {
        /// What to do, in DriveVLM's words (`slow_down`, `change_lane_left`) or the planner's (`overtake`, `yield`).
        action: String,
        /// With regard to what; empty if to nothing in particular.
        subject: String,
        /// How long, s; 0 until the judgment ends.
        duration_s: f64,
        /// Ruled out instead of preferred.
        veto: bool,
    }
}

message! {
    /// A region on the ground.
    tandem_msgs::Region {
        /// Its corners in the map, m; open: the last is not the first again.
        polygon: Vec<Point>,
    }
}

message! {
    /// A scene in one vector.
    tandem_msgs::Embedding {
        /// Capture time and the vehicle's frame.
        header: Header,
        /// The vector.
        values: Vec<f32>,
    }
}

message! {
    /// What the slow system says of a scene.
    tandem_msgs::SceneJudgment {
        /// Capture time of the frame that was judged, and the frame of the coordinates.
        header: Header,
        /// Place, weather and light, for people.
        environment: String,
        /// What matters.
        critical_objects: Vec<CriticalObject>,
        /// How risky the scene is, from `RISK_LOW` to `RISK_SEVERE`.
        risk_level: u8,
        /// Manoeuvres to prefer or to leave.
        meta_actions: Vec<MetaAction>,
        /// The most the vehicle may drive, m/s; NaN for no cap.
        speed_cap_mps: f64 = f64::NAN,
        /// Room to leave beyond the usual, m.
        extra_gap_m: f64,
        /// Time to leave beyond the usual, s.
        extra_headway_s: f64,
        /// Where not to drive.
        avoid: Vec<Region>,
        /// A path to consider, in the map, 0.5 s apart; empty for none.
        waypoints: Vec<Point>,
        /// Why, for people.
        explanation: String,
        /// How long the judgment holds.
        time_to_live: Duration,
    }
    const {
        /// Nothing out of the ordinary.
        RISK_LOW: u8 = 0,
        /// Something to watch.
        RISK_MODERATE: u8 = 1,
        /// Something to act on.
        RISK_HIGH: u8 = 2,
        /// A collision is near.
        RISK_SEVERE: u8 = 3,
    }
}

message! {
    /// A point on the ground, m, in double precision.
    #[derive(Copy)]
    tandem_msgs::GroundPoint {
        /// Along x.
        x: f64,
        /// Along y.
        y: f64,
    }
}

message! {
    /// A ring of points, open: the last is not the first again.
    tandem_msgs::Ring {
        /// The corners.
        points: Vec<GroundPoint>,
    }
}

message! {
    /// An area with holes.
    tandem_msgs::Area {
        /// The outer ring.
        exterior: Vec<GroundPoint>,
        /// Rings that are cut out.
        holes: Vec<Ring>,
    }
}

message! {
    /// One lane, in driving direction. Its number is its place in [`VectorMap::lanes`].
    tandem_msgs::MapLane {
        /// The data set's own id.
        source_id: String,
        /// Who it is for.
        usage: u8,
        /// The centreline.
        centerline: Vec<Point>,
        /// The left edge; empty if unknown.
        left_edge: Vec<GroundPoint>,
        /// The right edge; empty if unknown.
        right_edge: Vec<GroundPoint>,
        /// Its surface.
        surface: Area,
        /// Numbers of the lanes that continue it.
        successors: Vec<u32>,
        /// Numbers of the lanes that lead into it.
        predecessors: Vec<u32>,
        /// Number of the lane to its left in the same direction; −1 for none.
        left_neighbor: i64 = -1,
        /// Number of the lane to its right in the same direction; −1 for none.
        right_neighbor: i64 = -1,
        /// Speed limit, m/s; NaN if unknown.
        speed_limit_mps: f64 = f64::NAN,
        /// Whether it lies within an intersection.
        in_intersection: bool,
    }
    const {
        /// For motor traffic.
        VEHICLE: u8 = 0,
        /// For bicycles.
        BIKE: u8 = 1,
        /// For buses.
        BUS: u8 = 2,
    }
}

message! {
    /// A painted line or a road edge.
    tandem_msgs::MapLine {
        /// What it looks like.
        kind: u8,
        /// Its points. A road edge has the road on its left.
        points: Vec<GroundPoint>,
    }
    const {
        /// Not known.
        UNKNOWN: u8 = 0,
        /// May be crossed.
        DASHED: u8 = 1,
        /// May not be crossed.
        SOLID: u8 = 2,
        /// Kerb or edge of the road.
        ROAD_EDGE: u8 = 3,
        /// A stop line.
        STOP: u8 = 4,
    }
}

message! {
    /// A stop sign.
    tandem_msgs::MapStopSign {
        /// Where it stands.
        position: GroundPoint,
        /// Numbers of the lanes it governs.
        lanes: Vec<u32>,
    }
}

message! {
    /// The vector map, without loss.
    tandem_msgs::VectorMap {
        /// Time and frame.
        header: Header,
        /// All lanes.
        lanes: Vec<MapLane>,
        /// Painted lines and road edges.
        lines: Vec<MapLine>,
        /// Pedestrian crossings.
        crossings: Vec<Area>,
        /// Intersections that the source draws.
        intersections: Vec<Area>,
        /// Where a vehicle may drive, as the source draws it.
        drivable: Vec<Area>,
        /// Stop signs.
        stop_signs: Vec<MapStopSign>,
    }
}

message! {
    /// What the planner chose, why, and which of the slow system's wishes it follows.
    tandem_msgs::PlanStatus {
        /// The time that the plan starts from.
        header: Header,
        /// The planner's name.
        planner: String,
        /// The proposal that won.
        proposal: String,
        /// What is done instead, if no proposal was good enough.
        fallback: u8,
        /// The predicted driving score, 0 to 1; NaN, as all parts, if the plan was not scored.
        score: f64 = f64::NAN,
        /// No at-fault collision.
        nc: f64 = f64::NAN,
        /// Drivable-area compliance.
        dac: f64 = f64::NAN,
        /// Driving-direction compliance.
        ddc: f64 = f64::NAN,
        /// Traffic-light compliance.
        tlc: f64 = f64::NAN,
        /// Ego progress.
        ep: f64 = f64::NAN,
        /// Time to collision.
        ttc: f64 = f64::NAN,
        /// Lane keeping.
        lk: f64 = f64::NAN,
        /// History comfort.
        hc: f64 = f64::NAN,
        /// Extended comfort.
        ec: f64 = f64::NAN,
        /// Age of the judgment in force, s; NaN if there is none.
        judgment_age_s: f64 = f64::NAN,
        /// The cap in force, m/s; NaN for none.
        speed_cap_mps: f64 = f64::NAN,
        /// Extra room in force, m.
        extra_gap_m: f64,
        /// Extra time in force, s.
        extra_headway_s: f64,
        /// How many regions are closed.
        avoided_regions: u32,
        /// Manoeuvres preferred.
        preferred: Vec<String>,
        /// Manoeuvres ruled out.
        vetoed: Vec<String>,
    }
    const {
        /// A proposal is followed.
        FALLBACK_NONE: u8 = 0,
        /// Braking gently to a stop.
        FALLBACK_COMFORTABLE_STOP: u8 = 1,
        /// Braking hard to a stop.
        FALLBACK_EMERGENCY_STOP: u8 = 2,
    }
}
