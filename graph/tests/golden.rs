//! Messages against what real ROS 2 wrote: bytes by rclpy, type hashes by rosidl and by the packages' own builds.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tandem_graph::msgs::*;
use tandem_graph::{Message, cdr};

/// The golden messages, or `None` (with the reason printed) where the test data are not to be had.
fn golden() -> Option<PathBuf> {
    match std::env::var_os("TANDEM_DATA") {
        Some(data) => Some(PathBuf::from(data).join("golden/ros2_cdr")),
        None if std::env::var_os("CI").is_some() => panic!("TANDEM_DATA is not set"),
        None => {
            println!("skipped: TANDEM_DATA is not set");
            None
        }
    }
}

/// Checks hash and bytes of all golden messages of one type, and says how many there were.
fn check<M: Message + PartialEq + std::fmt::Debug>(golden: &[(String, Value, Vec<u8>)]) -> usize {
    let of_type = golden.iter().filter(|(_, json, _)| json["type"] == M::NAME);
    of_type
        .map(|(file, json, bytes)| {
            assert_eq!(M::type_hash(), json["type_hash"], "{file}");
            let message: M = cdr::decode(bytes).unwrap_or_else(|error| panic!("{file}: {error}"));
            // By way of text, since serde_json may read a number one unit in the last place off.
            let text = serde_json::to_string(&message).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), plain(json["value"].clone()), "{file}");
            // ROS's serialiser leaves whatever lay in memory in its padding, ours zeros. A byte that differs and is
            // no padding would have changed what was decoded above.
            let ours = cdr::encode(&message).unwrap();
            assert_eq!(ours.len(), bytes.len(), "{file}");
            let unequal = ours.iter().zip(bytes).find(|(ours, theirs)| ours != theirs && **ours != 0);
            assert_eq!(unequal, None, "{file}");
        })
        .count()
}

/// The values with each `byte` as a number: rclpy has it as a byte string, in JSON a list of one.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, value)| {
                    let value = if name == "level" { value[0].clone() } else { plain(value) };
                    (name, value)
                })
                .collect(),
        ),
        Value::Array(values) => Value::Array(values.into_iter().map(plain).collect()),
        other => other,
    }
}

#[test]
fn bytes_and_hashes_equal_those_of_ros() {
    let Some(golden) = golden() else { return };
    let index: Value = serde_json::from_slice(&fs::read(golden.join("index.json")).unwrap()).unwrap();
    let files: Vec<_> = index
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let path = golden.join(entry["file"].as_str().unwrap());
            let json = serde_json::from_slice(&fs::read(path.with_extension("json")).unwrap()).unwrap();
            (path.display().to_string(), json, fs::read(&path).unwrap())
        })
        .collect();
    let checked = check::<builtin_interfaces::Duration>(&files)
        + check::<builtin_interfaces::Time>(&files)
        + check::<diagnostic_msgs::DiagnosticArray>(&files)
        + check::<geometry_msgs::PoseArray>(&files)
        + check::<geometry_msgs::TransformStamped>(&files)
        + check::<geometry_msgs::TwistStamped>(&files)
        + check::<nav_msgs::OccupancyGrid>(&files)
        + check::<nav_msgs::Odometry>(&files)
        + check::<nav_msgs::Path>(&files)
        + check::<sensor_msgs::CameraInfo>(&files)
        + check::<sensor_msgs::CompressedImage>(&files)
        + check::<sensor_msgs::Image>(&files)
        + check::<sensor_msgs::Imu>(&files)
        + check::<sensor_msgs::NavSatFix>(&files)
        + check::<sensor_msgs::PointCloud2>(&files)
        + check::<std_msgs::Float64MultiArray>(&files)
        + check::<std_msgs::Header>(&files)
        + check::<std_msgs::String>(&files)
        + check::<visualization_msgs::MarkerArray>(&files);
    let names: BTreeSet<_> = files.iter().map(|(file, ..)| file).collect();
    assert_eq!(checked, names.len(), "a golden type is not checked");
}

/// Hashes that the packages' own builds gave: vision_msgs 4.1.1, autoware_msgs of April 2026.
#[test]
fn hashes_of_types_outside_ros_itself_equal_those_of_their_packages() {
    let cases = [
        (
            vision_msgs::Detection3DArray::type_hash(),
            "RIHS01_793f5eab9595ac1c0da07873cc859db42eae51f0ee76056db8562515d830e018",
        ),
        (
            autoware_perception_msgs::DetectedObjects::type_hash(),
            "RIHS01_2facd6b15786cbd1f720cdd23d22e6d60d2e7e83b8dff8fd401330e24edb187b",
        ),
        (
            autoware_perception_msgs::PredictedObjects::type_hash(),
            "RIHS01_b63151309c3323bb6e3f09c54b3358aa53a8e66937a1cde15c5d5ede1ef80a08",
        ),
        (
            autoware_planning_msgs::Trajectory::type_hash(),
            "RIHS01_8259168af0abd0d3fa8297048f83aae4dad0955bd2d4e0904bcdc4f6f99a61b2",
        ),
        (nav_msgs::Path::type_hash(), "RIHS01_1957a5bb3cee5da65c4e52e52b65a93df227efce4c20f8458b36e73066ca334b"),
    ];
    for (ours, theirs) in cases {
        assert_eq!(ours, theirs);
    }
}
