//! A log as the messages that the nodes would have got, in order of time.

use std::collections::{BTreeMap, BTreeSet};

use tandem_graph::msgs::geometry_msgs::{Pose, Transform, TransformStamped, Vector3};
use tandem_graph::msgs::tf2_msgs::TFMessage;
use tandem_graph::observe::{Observer, Published};
use tandem_graph::{Message, Stamp, Topic, cdr, topics};

use crate::log::{EgoState, Log};
use crate::messages;

/// Shows `observer` the whole log: the map first, then at each stamp what changed there.
///
/// # Errors
/// What the encoder says of a message that CDR can't hold.
pub fn publish(log: &Log, observer: &mut dyn Observer) -> Result<(), cdr::Error> {
    let Some((first, _)) = log.span() else { return Ok(()) };
    let mut publisher = Publisher { observer, bytes: Vec::new(), sequences: BTreeMap::new() };
    if let Some(map) = &log.map {
        publisher.publish(&topics::MAP, first, &messages::vector_map(map.parts(), first))?;
    }
    let ego = log.ego.states.iter().map(|state| state.stamp);
    let tracks = log.tracks.iter().flat_map(|track| track.states.iter().map(|state| state.stamp));
    let signals = log.signals.iter().flat_map(|signal| signal.states.iter().map(|(stamp, _)| *stamp));
    let seen: BTreeSet<Stamp> = tracks.collect();
    let changed: BTreeSet<Stamp> = signals.collect();
    let stamps: BTreeSet<Stamp> = ego.chain(seen.iter().copied()).chain(changed.iter().copied()).collect();
    for stamp in stamps {
        if let Ok(index) = log.ego.states.binary_search_by_key(&stamp, |state| state.stamp) {
            let state = &log.ego.states[index];
            publisher.publish(&topics::TF, stamp, &frames(state))?;
            publisher.publish(&topics::ODOMETRY, stamp, &messages::odometry(state))?;
        }
        if seen.contains(&stamp) {
            // No gap is allowed: what was not seen at this very stamp is not made up.
            publisher.publish(&topics::OBJECTS, stamp, &messages::objects(log, stamp, 0))?;
        }
        if changed.contains(&stamp) {
            publisher.publish(&topics::SIGNALS, stamp, &messages::signals(log, stamp))?;
        }
    }
    Ok(())
}

/// Encodes messages, numbers them topic by topic, and shows them.
struct Publisher<'o> {
    observer: &'o mut dyn Observer,
    bytes: Vec<u8>,
    sequences: BTreeMap<String, u64>,
}

impl Publisher<'_> {
    fn publish<M: Message>(&mut self, topic: &Topic<M>, stamp: Stamp, message: &M) -> Result<(), cdr::Error> {
        cdr::encode_into(message, &mut self.bytes)?;
        let sequence = self.sequences.entry(topic.name().to_owned()).or_default();
        self.observer.observe(&Published {
            topic: topic.name(),
            type_name: M::NAME,
            definition: M::definition(),
            capture: stamp,
            publish: stamp,
            sequence: *sequence,
            bytes: &self.bytes,
        });
        *sequence += 1;
        Ok(())
    }
}

/// Where the ego vehicle is, for programs that follow frames.
fn frames(state: &EgoState) -> TFMessage {
    let odometry = messages::odometry(state);
    let Pose { position, orientation } = odometry.pose.pose;
    let transform =
        Transform { translation: Vector3 { x: position.x, y: position.y, z: position.z }, rotation: orientation };
    let map_from_ego = TransformStamped { header: odometry.header, child_frame_id: odometry.child_frame_id, transform };
    TFMessage { transforms: vec![map_from_ego] }
}
