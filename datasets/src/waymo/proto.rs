//! The protobuf messages of Waymo's motion data, as far as a log needs them.
//!
//! Field numbers from waymo-open-dataset `protos/scenario.proto` and `protos/map.proto`, and TensorFlow's
//! `core/example/example.proto` and `feature.proto`. Fields that are not declared, such as lidar, are skipped.

use std::collections::BTreeMap;

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Scenario {
    #[prost(double, repeated, packed = "false", tag = "1")]
    pub timestamps_seconds: Vec<f64>,
    #[prost(message, repeated, tag = "2")]
    pub tracks: Vec<Track>,
    #[prost(string, tag = "5")]
    pub scenario_id: String,
    #[prost(int32, optional, tag = "6")]
    pub sdc_track_index: Option<i32>,
    #[prost(message, repeated, tag = "7")]
    pub dynamic_map_states: Vec<DynamicMapState>,
    #[prost(message, repeated, tag = "8")]
    pub map_features: Vec<MapFeature>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Track {
    #[prost(int32, tag = "1")]
    pub id: i32,
    /// 1 vehicle, 2 pedestrian, 3 cyclist, 4 other.
    #[prost(int32, tag = "2")]
    pub object_type: i32,
    #[prost(message, repeated, tag = "3")]
    pub states: Vec<ObjectState>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct ObjectState {
    #[prost(double, tag = "2")]
    pub center_x: f64,
    #[prost(double, tag = "3")]
    pub center_y: f64,
    #[prost(double, tag = "4")]
    pub center_z: f64,
    #[prost(float, tag = "5")]
    pub length: f32,
    #[prost(float, tag = "6")]
    pub width: f32,
    #[prost(float, tag = "7")]
    pub height: f32,
    #[prost(float, tag = "8")]
    pub heading: f32,
    #[prost(float, tag = "9")]
    pub velocity_x: f32,
    #[prost(float, tag = "10")]
    pub velocity_y: f32,
    #[prost(bool, tag = "11")]
    pub valid: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct DynamicMapState {
    #[prost(message, repeated, tag = "1")]
    pub lane_states: Vec<TrafficSignalLaneState>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct TrafficSignalLaneState {
    #[prost(int64, tag = "1")]
    pub lane: i64,
    /// See [`super::light`].
    #[prost(int32, tag = "2")]
    pub state: i32,
    #[prost(message, optional, tag = "3")]
    pub stop_point: Option<MapPoint>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct MapFeature {
    #[prost(int64, tag = "1")]
    pub id: i64,
    #[prost(message, optional, tag = "3")]
    pub lane: Option<LaneCenter>,
    #[prost(message, optional, tag = "4")]
    pub road_line: Option<TypedLine>,
    #[prost(message, optional, tag = "5")]
    pub road_edge: Option<TypedLine>,
    #[prost(message, optional, tag = "7")]
    pub stop_sign: Option<StopSign>,
    #[prost(message, optional, tag = "8")]
    pub crosswalk: Option<Outline>,
    #[prost(message, optional, tag = "10")]
    pub driveway: Option<Outline>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct MapPoint {
    #[prost(double, tag = "1")]
    pub x: f64,
    #[prost(double, tag = "2")]
    pub y: f64,
    #[prost(double, tag = "3")]
    pub z: f64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct LaneCenter {
    #[prost(double, tag = "1")]
    pub speed_limit_mph: f64,
    /// 1 freeway, 2 street, 3 bicycle lane.
    #[prost(int32, tag = "2")]
    pub r#type: i32,
    #[prost(bool, tag = "3")]
    pub interpolating: bool,
    #[prost(message, repeated, tag = "8")]
    pub polyline: Vec<MapPoint>,
    #[prost(int64, repeated, tag = "9")]
    pub entry_lanes: Vec<i64>,
    #[prost(int64, repeated, tag = "10")]
    pub exit_lanes: Vec<i64>,
    #[prost(message, repeated, tag = "11")]
    pub left_neighbors: Vec<LaneNeighbor>,
    #[prost(message, repeated, tag = "12")]
    pub right_neighbors: Vec<LaneNeighbor>,
    #[prost(message, repeated, tag = "13")]
    pub left_boundaries: Vec<BoundarySegment>,
    #[prost(message, repeated, tag = "14")]
    pub right_boundaries: Vec<BoundarySegment>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct LaneNeighbor {
    #[prost(int64, tag = "1")]
    pub feature_id: i64,
    #[prost(int32, tag = "2")]
    pub self_start_index: i32,
    #[prost(int32, tag = "3")]
    pub self_end_index: i32,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct BoundarySegment {
    #[prost(int32, tag = "1")]
    pub lane_start_index: i32,
    #[prost(int32, tag = "2")]
    pub lane_end_index: i32,
    #[prost(int64, tag = "3")]
    pub boundary_feature_id: i64,
}

/// A road line or a road edge: they have the same fields.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TypedLine {
    #[prost(int32, tag = "1")]
    pub r#type: i32,
    #[prost(message, repeated, tag = "2")]
    pub polyline: Vec<MapPoint>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct StopSign {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub lane: Vec<i64>,
    #[prost(message, optional, tag = "2")]
    pub position: Option<MapPoint>,
}

/// A crosswalk or a driveway.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Outline {
    #[prost(message, repeated, tag = "1")]
    pub polygon: Vec<MapPoint>,
}

/// A `tf.Example`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Example {
    #[prost(message, optional, tag = "1")]
    pub features: Option<Features>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Features {
    #[prost(btree_map = "string, message", tag = "1")]
    pub feature: BTreeMap<String, Feature>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Feature {
    #[prost(message, optional, tag = "1")]
    pub bytes_list: Option<BytesList>,
    #[prost(message, optional, tag = "2")]
    pub float_list: Option<FloatList>,
    #[prost(message, optional, tag = "3")]
    pub int64_list: Option<Int64List>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct BytesList {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub value: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FloatList {
    #[prost(float, repeated, tag = "1")]
    pub value: Vec<f32>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Int64List {
    #[prost(int64, repeated, tag = "1")]
    pub value: Vec<i64>,
}
