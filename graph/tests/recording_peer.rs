//! Independent readers (mcap-ros2-support, rosbags, Foxglove's classes, in `recording_peer.py`) understand our recordings.
//!
//! Runs where `TANDEM_PYTHON` names a Python with `tests/peers/requirements.txt`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write;
use std::process::Command;

use tandem_graph::msgs::*;
use tandem_graph::observe::{Observer, Published};
use tandem_graph::recording::Recorder;
use tandem_graph::{Message, Stamp, cdr, topics};

/// A recording in the making, and what a reader has to find in it.
struct Session {
    recorder: Recorder<std::io::BufWriter<std::fs::File>>,
    expected: String,
    count: i64,
}

impl Session {
    /// Records a message that was captured 10 ms before it is published.
    fn record<M: Message>(&mut self, topic: &str, message: &M) {
        let publish = 1_700_000_000_000_000_000 + self.count * 1_000_000;
        let capture = publish - 10_000_000;
        let sequence = self.count.unsigned_abs();
        self.recorder.observe(&Published {
            topic,
            type_name: M::NAME,
            definition: M::definition(),
            capture: Stamp::from_ns(capture),
            publish: Stamp::from_ns(publish),
            sequence,
            bytes: &cdr::encode(message).unwrap(),
        });
        let line = serde_json::json!({
            "topic": topic, "type": M::NAME, "hash": M::type_hash(), "log_time": publish, "publish_time": capture,
            "sequence": sequence, "value": message,
        });
        writeln!(self.expected, "{line}").unwrap();
        self.count += 1;
    }

    /// Records one message of a type under a topic of its own.
    fn record_default<M: Message + Default>(&mut self) {
        self.record(&format!("/default/{}", M::NAME.replace("/msg/", "/")), &M::default());
    }
}

fn header() -> std_msgs::Header {
    std_msgs::Header::new(Stamp::from_ns(1_700_000_000_123_456_789), "map")
}

fn point(x: f64, y: f64) -> geometry_msgs::Point {
    geometry_msgs::Point { x, y, z: 0.5 }
}

fn pose(x: f64, y: f64, yaw_rad: f64) -> geometry_msgs::Pose {
    geometry_msgs::Pose { position: point(x, y), orientation: geometry_msgs::Quaternion::from_yaw(yaw_rad) }
}

fn objects() -> autoware_perception_msgs::PredictedObjects {
    use autoware_perception_msgs::*;
    let object = |number: u32| PredictedObject {
        object_id: unique_identifier_msgs::UUID::from_number(number),
        existence_probability: 0.75,
        classification: vec![ObjectClassification { label: ObjectClassification::BUS, probability: 0.5 }],
        kinematics: PredictedObjectKinematics {
            initial_pose_with_covariance: geometry_msgs::PoseWithCovariance {
                pose: pose(f64::from(number), -2.0, 0.3),
                covariance: std::array::from_fn(|index| index as f64),
            },
            predicted_paths: vec![PredictedPath {
                path: vec![pose(1.0, 2.0, 0.1), pose(3.0, 4.0, 0.2)],
                time_step: builtin_interfaces::Duration::from_ns(100_000_000),
                confidence: 0.25,
            }],
            ..Default::default()
        },
        shape: Shape { dimensions: geometry_msgs::Vector3 { x: 12.0, y: 2.5, z: 3.0 }, ..Default::default() },
    };
    PredictedObjects { header: header(), objects: vec![object(3), object(70_000)] }
}

fn map() -> tandem_msgs::VectorMap {
    use tandem_msgs::*;
    let line = |y: f64| vec![GroundPoint { x: 0.0, y }, GroundPoint { x: 10.0, y }];
    let area = |y: f64| Area { exterior: line(y), holes: vec![Ring { points: line(y + 0.1) }] };
    let lane = MapLane {
        source_id: "läne".to_owned(),
        centerline: vec![point(0.0, 0.0), point(10.0, 0.0)],
        left_edge: line(2.0),
        right_edge: line(-2.0),
        successors: vec![0, 7],
        surface: area(1.0),
        in_intersection: true,
        ..Default::default()
    };
    VectorMap {
        header: header(),
        lanes: vec![lane],
        lines: vec![MapLine { kind: MapLine::STOP, points: line(3.0) }],
        crossings: vec![area(4.0)],
        intersections: vec![area(5.0)],
        drivable: vec![area(6.0)],
        stop_signs: vec![MapStopSign { position: GroundPoint { x: 1.0, y: 2.0 }, lanes: vec![0] }],
    }
}

#[test]
fn independent_readers_find_what_was_recorded() {
    let Some(python) = std::env::var_os("TANDEM_PYTHON") else {
        println!("skipped: TANDEM_PYTHON names no Python with tests/peers/requirements.txt");
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let (path, expected) = (directory.path().join("run.mcap"), directory.path().join("expected.jsonl"));
    let mut session = Session { recorder: Recorder::create(&path).unwrap(), expected: String::new(), count: 0 };

    let odometry = nav_msgs::Odometry {
        header: header(),
        pose: geometry_msgs::PoseWithCovariance { pose: pose(1.5, 2.5, 1.0), covariance: [0.125; 36] },
        ..Default::default()
    };
    let trajectory = autoware_planning_msgs::Trajectory {
        header: header(),
        points: vec![
            autoware_planning_msgs::TrajectoryPoint {
                pose: pose(1.0, 1.0, -1.0),
                longitudinal_velocity_mps: 4.5,
                ..Default::default()
            };
            41
        ],
    };
    session.record(topics::MAP.name(), &map());
    for _ in 0..3 {
        session.record(topics::ODOMETRY.name(), &odometry);
        session.record(topics::OBJECTS.name(), &objects());
        session.record(topics::TRAJECTORY.name(), &trajectory);
    }
    let image = sensor_msgs::Image { header: header(), data: (0..=255).collect(), ..Default::default() };
    session.record("/camera/front/image", &image);
    let judgment = tandem_msgs::SceneJudgment {
        header: header(),
        environment: "rain, 雨".to_owned(),
        critical_objects: vec![tandem_msgs::CriticalObject { track_id: 9, ..Default::default() }],
        meta_actions: vec![tandem_msgs::MetaAction { action: "yield".to_owned(), veto: true, ..Default::default() }],
        avoid: vec![tandem_msgs::Region { polygon: vec![point(1.0, 2.0), point(3.0, 4.0)] }],
        ..Default::default()
    };
    session.record(topics::JUDGMENT.name(), &judgment);
    session.record_default::<builtin_interfaces::Time>();
    session.record_default::<builtin_interfaces::Duration>();
    session.record_default::<std_msgs::String>();
    session.record_default::<std_msgs::Float32MultiArray>();
    session.record_default::<geometry_msgs::AccelWithCovarianceStamped>();
    session.record_default::<geometry_msgs::PoseArray>();
    session.record_default::<nav_msgs::OccupancyGrid>();
    session.record_default::<nav_msgs::Path>();
    session.record_default::<sensor_msgs::CameraInfo>();
    session.record_default::<sensor_msgs::CompressedImage>();
    session.record_default::<sensor_msgs::Imu>();
    session.record_default::<sensor_msgs::NavSatFix>();
    session.record_default::<sensor_msgs::PointCloud2>();
    session.record_default::<diagnostic_msgs::DiagnosticArray>();
    session.record_default::<visualization_msgs::MarkerArray>();
    session.record_default::<tf2_msgs::TFMessage>();
    session.record_default::<rosgraph_msgs::Clock>();
    session.record_default::<unique_identifier_msgs::UUID>();
    session.record_default::<vision_msgs::Detection3DArray>();
    session.record_default::<autoware_perception_msgs::DetectedObjects>();
    session.record_default::<autoware_perception_msgs::TrafficLightGroupArray>();
    session.record_default::<autoware_planning_msgs::LaneletRoute>();
    session.record_default::<autoware_vehicle_msgs::SteeringReport>();
    session.record_default::<tandem_msgs::PlanStatus>();

    session.recorder.finish().unwrap();
    std::fs::write(&expected, session.expected).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/recording_peer.py");
    let output = Command::new(&python).arg(script).args([&path, &expected]).output();
    let output = output.unwrap_or_else(|error| panic!("TANDEM_PYTHON={}: {error}", python.display()));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    for line in [
        format!("mcap-ros2-support {}", session.count),
        format!("rosbags {}", session.count),
        "scene objects map 2 2 2 0".to_owned(),
        "scene trajectory map 0 1 0 0".to_owned(),
        "scene ego map 0 0 0 1".to_owned(),
        // Drivable area and its hole, centreline and two edges, stop line, crossing.
        "scene map map 0 7 0 0".to_owned(),
    ] {
        assert!(text.lines().any(|found| found == line), "{line:?} is not in\n{text}");
    }
}
