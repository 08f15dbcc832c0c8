//! ROS 2 nodes on zenoh by an independent implementation (pyzeros, `rmw_peer.py`) understand ours, and ours theirs.
//!
//! Runs where `TANDEM_PYTHON` names a Python with `tests/peers/requirements.txt`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use tandem_graph::live::{Config, Live, Role, Session, Stopper};
use tandem_graph::msgs::nav_msgs::Odometry;
use tandem_graph::rmw::{Entity, Kind};
use tandem_graph::{Inputs, Message, Node, NodeSpec, Outputs, Stamp, Topic};

const SENT: Topic<Odometry> = Topic::new("/ego/odometry");
const RETURNED: Topic<Odometry> = Topic::new("/peer/odometry");

/// Long enough for the peer to compile its codec on a busy machine.
const LIMIT: Duration = Duration::from_secs(180);

fn odometry() -> Odometry {
    let mut odometry = Odometry::default();
    odometry.header.stamp.sec = 1_700_000_000;
    odometry.header.stamp.nanosec = 123_456_789;
    odometry.header.frame_id = "map".to_owned();
    odometry.child_frame_id = "base_link".to_owned();
    odometry.pose.pose.position.x = 12.5;
    odometry.pose.pose.orientation.w = 0.25;
    odometry.pose.covariance.iter_mut().enumerate().for_each(|(index, value)| *value = index as f64);
    odometry.twist.twist.linear.x = -3.75;
    odometry
}

/// Sends the odometry until it comes back.
struct Driver {
    returned: Option<(Odometry, Stamp, Stamp)>,
    done: Stopper,
}

impl Node for Driver {
    fn spec(&self) -> NodeSpec {
        NodeSpec::every("driver", Duration::from_millis(20)).reads(&RETURNED).writes(&SENT)
    }

    fn step(&mut self, now: Stamp, inputs: &Inputs, outputs: &mut Outputs) {
        if let Some(sample) = inputs.latest(&RETURNED) {
            self.returned = Some((sample.message.as_ref().clone(), sample.publish, sample.capture));
            self.done.stop();
        }
        outputs.publish(&SENT, now, odometry());
    }
}

/// Talks with the peer, which connects to `peer_endpoint`.
fn talk(python: &str, live_config: &Config, peer_endpoint: Option<String>) {
    let session = Session::open(live_config).unwrap();
    let endpoint = peer_endpoint.unwrap_or_else(|| session.endpoints()[0].clone());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rmw_peer.py");
    // The peer compiles its message codec on first use, here and not in the working directory.
    let cache = concat!(env!("CARGO_TARGET_TMPDIR"), "/cydr");
    let mut peer = Command::new(python);
    let peer = peer.args([script, &endpoint]).env("CYDR_CACHE_DIR", cache);
    let mut peer = peer
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("TANDEM_PYTHON={python}: {error}"));

    let done = Stopper::default();
    let mut driver = Driver { returned: None, done: done.clone() };
    let mut live = Live::new(&session);
    live.add(&mut driver).stopped_by(&done);
    let summary = live.run_for(LIMIT).unwrap();
    drop(peer.stdin.take());
    let mut line = String::new();
    BufReader::new(peer.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(peer.wait().unwrap().success());
    let seen: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the peer said {line:?}"));

    // What they make of ours.
    assert_eq!(seen["key"], seen["expected_key"], "data key and type hash");
    assert_eq!(seen["x"], 12.5);
    assert_eq!(seen["w"], 0.25);
    assert_eq!(seen["speed"], -3.75);
    assert_eq!(seen["frame"], "map");
    assert_eq!(seen["sec"], 1_700_000_000);
    assert_eq!(seen["covariance"].as_array().unwrap().iter().filter_map(|v| v.as_f64()).sum::<f64>(), 630.0);
    assert_eq!(seen["same_bytes"], true, "they encode the message as we do");
    assert_eq!(seen["attachment_bytes"], 33);
    assert!(seen["sequence"].as_u64().is_some_and(|sequence| sequence < summary.nodes[0].sent[0]), "{seen}");
    let age_ns = odometry_age_ns(seen["published_ns"].as_i64().unwrap());
    assert!((0..LIMIT.as_nanos() as i64).contains(&age_ns), "published {age_ns} ns ago");
    assert_eq!(seen["gid_of_token"], serde_json::json!([seen["gid"]]), "our GID is the hash of our token");

    // What we make of theirs.
    let (returned, publish, capture) = driver.returned.expect("nothing came back");
    assert_eq!(returned, Odometry { child_frame_id: "returned".to_owned(), ..odometry() });
    assert_eq!(capture.ns(), 1_700_000_000_123_456_789, "the capture stamp is the header's");
    assert!((0..LIMIT.as_nanos() as i64).contains(&odometry_age_ns(publish.ns())));
    assert_eq!(summary.links[0].counters.malformed, 0);

    // Everybody's tokens.
    let tokens: Vec<&str> = seen["tokens"].as_array().unwrap().iter().filter_map(|token| token.as_str()).collect();
    let entities: Vec<Entity> = tokens.iter().map(|token| token.parse().unwrap()).collect();
    for (entity, token) in entities.iter().zip(&tokens) {
        assert_eq!(entity.to_string(), *token, "a token survives reading and writing");
    }
    let has = |node: &str, kind, topic: &str| {
        entities.iter().any(|entity| {
            let endpoint = entity.endpoint.as_ref();
            entity.node == node
                && entity.kind == kind
                && endpoint.map_or("", |endpoint| &endpoint.topic) == topic
                && endpoint.is_none_or(|endpoint| {
                    endpoint.type_name == Odometry::NAME && endpoint.type_hash == Odometry::type_hash()
                })
        })
    };
    assert!(has("driver", Kind::Node, "") && has("peer", Kind::Node, ""), "{tokens:#?}");
    assert!(has("driver", Kind::Publisher, "/ego/odometry"), "{tokens:#?}");
    assert!(has("driver", Kind::Subscription, "/peer/odometry"), "{tokens:#?}");
    assert!(has("peer", Kind::Publisher, "/peer/odometry"), "{tokens:#?}");
}

fn odometry_age_ns(publish_ns: i64) -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.as_nanos() as i64 - publish_ns
}

fn python() -> Option<String> {
    let python = std::env::var("TANDEM_PYTHON").ok();
    if python.is_none() {
        println!("skipped: TANDEM_PYTHON names no Python with tests/peers/requirements.txt");
    }
    python
}

#[test]
fn an_independent_ros_node_and_ours_understand_each_other() {
    let Some(python) = python() else { return };
    talk(&python, &Config::default(), None);
}

/// As ROS does it: both connect to a router, which introduces them to each other.
#[test]
fn a_router_introduces_an_independent_ros_node_and_ours() {
    let Some(python) = python() else { return };
    let router = Session::open(&Config { role: Role::Router, ..Config::default() }).unwrap();
    let endpoint = router.endpoints()[0].clone();
    talk(&python, &Config::default().connect_to(&endpoint), Some(endpoint));
}
