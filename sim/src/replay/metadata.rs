//! What a recording says of its run: enough to make the planner again and to let the same go wrong.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use tandem_datasets::{EgoBody, Pose2};
use tandem_graph::Stamp;
use tandem_planner::VehicleState;

use crate::Error;
use crate::drive::{self, HUMAN, Setup};
use crate::faults::Faults;
use crate::sight::TRUTH;

/// The metadata record's name.
pub(super) const RECORD: &str = "tandem.run";

/// Links before the planner's where it sees everything as it is: the vehicle's and the keeper's.
const LINKS_OF_TRUTH: usize = 2;

/// No graph has more.
const MOST_LINKS: usize = 10_000;

/// How a recorded run was made.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RunRecord {
    pub log: String,
    pub planner: String,
    pub traffic: String,
    /// By what the planner saw.
    pub perception: String,
    /// How many links come before the planner's.
    pub links_before_planner: usize,
    pub faults: Faults,
    pub body: EgoBody,
    /// When its clock began.
    pub first: Stamp,
    /// When the vehicle became the planner's; faults count from here.
    pub start: Stamp,
    pub end: Stamp,
    /// What the planner `human` follows; empty for others.
    pub human_track: Vec<(Stamp, VehicleState)>,
}

impl RunRecord {
    pub fn of(setup: &Setup) -> Result<Self, Error> {
        let course = &setup.course;
        Ok(Self {
            log: course.log.id.clone(),
            planner: setup.planner.clone(),
            traffic: setup.traffic.to_string(),
            perception: setup.seen_by(),
            links_before_planner: drive::links_before_planner(setup)?,
            faults: setup.faults.clone(),
            body: *course.body(),
            first: course.first(),
            start: course.start,
            end: course.end(),
            human_track: if setup.planner == HUMAN { course.human_track() } else { Vec::new() },
        })
    }

    /// As metadata. Numbers are written so that they come back to the last bit.
    pub fn values(&self) -> BTreeMap<String, String> {
        let EgoBody { length, width, height, wheelbase, rear_axle_to_center } = self.body;
        let state = |(stamp, state): &(Stamp, VehicleState)| {
            let VehicleState { pose, speed_mps, acceleration_mps2, steering_rad, yaw_rate_radps } = state;
            let numbers = [pose.x, pose.y, pose.yaw, *speed_mps, *acceleration_mps2, *steering_rad, *yaw_rate_radps];
            format!("{} {}", stamp.ns(), joined(&numbers))
        };
        let track: Vec<_> = self.human_track.iter().map(state).collect();
        let mut values = vec![
            ("log", self.log.clone()),
            ("planner", self.planner.clone()),
            ("traffic", self.traffic.clone()),
            // The faults' fields all have a form in JSON.
            ("faults", serde_json::to_string(&self.faults).unwrap_or_default()),
            ("injection", self.faults.to_string()),
            ("body_m", joined(&[length, width, height, wheelbase, rear_axle_to_center])),
            ("first_ns", self.first.ns().to_string()),
            ("start_ns", self.start.ns().to_string()),
            ("end_ns", self.end.ns().to_string()),
            ("human_track", track.join("\n")),
            ("tandem_version", env!("CARGO_PKG_VERSION").to_owned()),
        ];
        if self.perception != TRUTH {
            values.push(("perception", self.perception.clone()));
            values.push(("links_before_planner", self.links_before_planner.to_string()));
        }
        values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    /// From metadata, or why not.
    pub fn parse(values: &BTreeMap<String, String>) -> Result<Self, String> {
        let text = |key: &str| values.get(key).ok_or_else(|| format!("metadata {RECORD}: {key} is missing"));
        let stamp = |key: &str| Ok::<_, String>(Stamp::from_ns(number(key, text(key)?)?));
        let [length, width, height, wheelbase, rear_axle_to_center] = numbers("body_m", text("body_m")?)?;
        let state = |line: &str| {
            let (stamp, rest) = line.split_once(' ').unwrap_or((line, ""));
            let [x, y, yaw, speed_mps, acceleration_mps2, steering_rad, yaw_rate_radps] = numbers("human_track", rest)?;
            let pose = Pose2::new(x, y, yaw);
            let state = VehicleState { pose, speed_mps, acceleration_mps2, steering_rad, yaw_rate_radps };
            Ok::<_, String>((Stamp::from_ns(number("human_track", stamp)?), state))
        };
        let faults: Faults =
            serde_json::from_str(text("faults")?).map_err(|error| format!("metadata {RECORD}: faults: {error}"))?;
        faults.check().map_err(|error| format!("metadata {RECORD}: {error}"))?;
        let links = match values.get("links_before_planner") {
            None => LINKS_OF_TRUTH,
            Some(links) => number("links_before_planner", links)?,
        };
        if links > MOST_LINKS {
            return Err(format!("metadata {RECORD}: links_before_planner: {links} are more than {MOST_LINKS}"));
        }
        Ok(Self {
            log: text("log")?.clone(),
            planner: text("planner")?.clone(),
            traffic: text("traffic")?.clone(),
            perception: values.get("perception").cloned().unwrap_or_else(|| TRUTH.to_owned()),
            links_before_planner: links,
            faults,
            body: EgoBody { length, width, height, wheelbase, rear_axle_to_center },
            first: stamp("first_ns")?,
            start: stamp("start_ns")?,
            end: stamp("end_ns")?,
            human_track: text("human_track")?.lines().map(state).collect::<Result<_, _>>()?,
        })
    }
}

fn joined(numbers: &[f64]) -> String {
    numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(" ")
}

fn number<T: FromStr<Err: Display>>(key: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("metadata {RECORD}: {key}: {error}"))
}

fn numbers<const N: usize>(key: &str, text: &str) -> Result<[f64; N], String> {
    let numbers = text.split(' ').map(|text| number(key, text)).collect::<Result<Vec<f64>, _>>()?;
    numbers.try_into().map_err(|found: Vec<f64>| format!("metadata {RECORD}: {key}: {} numbers, not {N}", found.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> RunRecord {
        let state = VehicleState { pose: Pose2::new(0.1 + 0.2, 1e7 / 3.0, -1e-300), ..VehicleState::default() };
        RunRecord {
            log: "scene".into(),
            planner: "human".into(),
            traffic: "replay".into(),
            perception: "cameras".into(),
            links_before_planner: 12,
            faults: Faults { drop: 0.1, seed: 7, ..Faults::default() },
            body: EgoBody { length: 4.870_000_362_396_24, ..EgoBody::default() },
            first: Stamp::from_ns(-5),
            start: Stamp::from_ns(1_531_281_439_800_013_000),
            end: Stamp::from_ns(i64::MAX),
            human_track: vec![(Stamp::from_ns(3), state), (Stamp::from_ns(4), VehicleState::default())],
        }
    }

    #[test]
    fn a_record_comes_back_to_the_last_bit() {
        assert_eq!(RunRecord::parse(&record().values()), Ok(record()));
    }

    #[test]
    fn what_is_missing_or_no_number_is_named() {
        let mut values = record().values();
        values.insert("body_m".into(), "4.5 two".into());
        assert_eq!(RunRecord::parse(&values).unwrap_err(), "metadata tandem.run: body_m: invalid float literal");
        values.insert("body_m".into(), "4.5".into());
        assert_eq!(RunRecord::parse(&values).unwrap_err(), "metadata tandem.run: body_m: 1 numbers, not 5");
        values.remove("start_ns");
        values.insert("body_m".into(), "1 2 3 4 5".into());
        assert_eq!(RunRecord::parse(&values).unwrap_err(), "metadata tandem.run: start_ns is missing");
    }
}
