//! Messages, in order of time, as a log: of a converted log, or of a drive that was recorded.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tandem_graph::msgs::autoware_perception_msgs::{PredictedObjects, TrafficLightGroupArray};
use tandem_graph::msgs::nav_msgs::Odometry;
use tandem_graph::msgs::tandem_msgs::VectorMap;
use tandem_graph::{Stamp, cdr, topics};

use super::head::Head;
use crate::error::Error;
use crate::log::{Ego, EgoState, Format, Log, SignalColor, SignalTrack, Track, TrackState};
use crate::map::{LaneId, Map, MapError, MapParts};
use crate::messages;
use crate::motion::usual_size;

/// What the messages told so far.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    ego: Vec<EgoState>,
    /// By the object's number.
    tracks: BTreeMap<u32, Track>,
    signals: BTreeMap<LaneId, Vec<(Stamp, SignalColor)>>,
    map: Option<MapParts>,
}

/// Why a message could not be taken in.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    #[error(transparent)]
    Cdr(#[from] cdr::Error),
    #[error(transparent)]
    Map(#[from] MapError),
}

impl Gathered {
    /// Takes one message in. Messages of other topics say nothing about a log.
    pub fn take(&mut self, topic: &str, bytes: &[u8]) -> Result<(), Refused> {
        if topic == topics::ODOMETRY.name() {
            let state = messages::ego_state(&cdr::decode::<Odometry>(bytes)?);
            if self.ego.last().is_none_or(|last| last.stamp < state.stamp) {
                self.ego.push(state);
            }
        } else if topic == topics::OBJECTS.name() {
            let objects: PredictedObjects = cdr::decode(bytes)?;
            let stamp = Stamp::from(objects.header.stamp);
            for object in &objects.objects {
                self.take_object(messages::object_of(object, stamp));
            }
        } else if topic == topics::SIGNALS.name() {
            let lights: TrafficLightGroupArray = cdr::decode(bytes)?;
            let stamp = Stamp::from(lights.stamp);
            for (lane, color) in lights.traffic_light_groups.iter().filter_map(messages::color_of) {
                let states = self.signals.entry(lane).or_default();
                if states.last().is_none_or(|(last, shown)| *last < stamp && *shown != color) {
                    states.push((stamp, color));
                }
            }
        } else if topic == topics::MAP.name() && self.map.is_none() {
            self.map = Some(messages::map_parts(&cdr::decode::<VectorMap>(bytes)?)?);
        }
        Ok(())
    }

    fn take_object(&mut self, object: messages::Object) {
        let track = self.tracks.entry(object.number).or_insert_with(|| Track {
            source_id: object.number.to_string(),
            class: object.class,
            source_class: String::new(),
            size: object.size,
            states: Vec::new(),
        });
        if track.states.last().is_none_or(|last| last.stamp < object.state.stamp) {
            track.states.push(object.state);
        }
    }

    /// The log that was told, with what the metadata adds.
    pub fn into_log(self, path: &Path, head: Head, name: String) -> Result<Log, Error> {
        let mut notes = head.notes;
        if head.body.is_none() && !self.ego.is_empty() {
            notes.push("ego: the recording does not tell its size; nuPlan's vehicle assumed".into());
        }
        let mut told = self.tracks;
        let mut tracks: Vec<Track> = Vec::with_capacity(head.tracks.len());
        for (number, track) in (0..).zip(head.tracks) {
            let states: Vec<TrackState> = told.remove(&number).map(|track| track.states).unwrap_or_default();
            let Some(size) = track.size.get() else {
                return Err(Error::value(path, format!("metadata track {number}"), "size", "is not three numbers"));
            };
            let (source_id, class, source_class) = (track.source_id, track.class, track.source_class);
            tracks.push(Track { source_id, class, source_class, size, states });
        }
        tracks.extend(told.into_values().map(with_size));

        let mut colors = self.signals;
        let mut signals = Vec::new();
        for (number, signal) in head.signals.into_iter().enumerate() {
            let stop_point = match signal.stop_point.map(|point| point.get()) {
                Some(None) => {
                    let row = format!("metadata signal {number}");
                    return Err(Error::value(path, row, "stop_point", "is not two numbers"));
                }
                Some(point) => point,
                None => None,
            };
            let states = colors.remove(&signal.lane).unwrap_or_default();
            signals.push(SignalTrack { lane: signal.lane, stop_point, states });
        }
        signals.extend(colors.into_iter().map(|(lane, states)| SignalTrack { lane, stop_point: None, states }));
        let map = match self.map.map(Map::new) {
            Some(Err(reason)) => return Err(Error::Map { path: path.to_owned(), reason }),
            Some(Ok(map)) => Some(Arc::new(map)),
            None => None,
        };
        let lanes = map.as_ref().map_or(0, |map| map.parts().lanes.len());
        if let Some(signal) = signals.iter().find(|signal| signal.lane.0 as usize >= lanes) {
            let row = format!("light of lane {}", signal.lane.0);
            return Err(Error::value(path, row, "lane", format!("does not exist; the map has {lanes}")));
        }
        Ok(Log {
            id: if head.id.is_empty() { name } else { head.id },
            format: Format::Mcap,
            source: path.to_owned(),
            location: head.location,
            description: head.description,
            tags: head.tags,
            ego: Ego { body: head.body.unwrap_or_default(), states: self.ego },
            tracks,
            map,
            signals,
            cameras: head.cameras,
            images: head.images,
            notes,
        })
    }
}

/// Objects of other programs may come without a size.
fn with_size(track: Track) -> Track {
    let usual = usual_size(track.class);
    let size = [0, 1, 2].map(|axis| if track.size[axis] > 0.0 { track.size[axis] } else { usual[axis] });
    Track { size, ..track }
}
