//! Routes as messages, without loss.
//!
//! A segment's preferred primitive is the lane to follow, its primitives that lane and those beside it. Its type is
//! `lane`; `lane FROM TO` where only that part of the centreline is followed, by arc length in metres, as at a lane
//! change; and `path X Y X Y …`, with id −1, where the map has no lane and this line stands in for one.

use nalgebra::Point2;
use tandem_datasets::{LaneId, Map, Pose2};
use tandem_graph::Stamp;
use tandem_graph::msgs::autoware_planning_msgs::{LaneletPrimitive, LaneletRoute, LaneletSegment};
use tandem_graph::msgs::geometry_msgs::{Point, Pose, Quaternion};
use tandem_graph::msgs::std_msgs::Header;

use super::line::Stretch;
use super::{Route, is_finite};
use crate::Error;

/// The id of a primitive that is no lane.
const NO_LANE: i64 = -1;

impl Route {
    /// This route as a message.
    pub fn message(&self, stamp: Stamp) -> LaneletRoute {
        let segments = self.stretches.iter().zip(&self.segments).map(|(stretch, segment)| {
            let preferred_primitive = primitive(stretch);
            let beside = segment
                .beside
                .iter()
                .map(|lane| LaneletPrimitive { id: i64::from(lane.0), primitive_type: "lane".to_owned() });
            let primitives = std::iter::once(preferred_primitive.clone()).chain(beside).collect();
            LaneletSegment { preferred_primitive, primitives }
        });
        LaneletRoute {
            header: Header::new(stamp, tandem_datasets::messages::MAP_FRAME),
            start_pose: pose(self.centerline.at(0.0)),
            goal_pose: pose(self.goal),
            segments: segments.collect(),
            ..LaneletRoute::default()
        }
    }

    /// The route of a message, through `map`, whose lane numbers it uses.
    ///
    /// # Errors
    /// [`Error::NoSuchLane`] for a lane that is not in the map, [`Error::Primitive`] for a type that can't be read,
    /// [`Error::Empty`] without segments.
    pub fn from_message(map: &Map, message: &LaneletRoute) -> Result<Self, Error> {
        let stretches = message
            .segments
            .iter()
            .map(|segment| stretch(map, &segment.preferred_primitive))
            .collect::<Result<Vec<_>, _>>()?;
        let goal = &message.goal_pose;
        let goal = Pose2::new(goal.position.x, goal.position.y, goal.orientation.yaw_rad());
        if !is_finite(&goal) {
            return Err(Error::Empty { field: "goal_pose" });
        }
        Self::assemble(map, stretches, goal, Vec::new()).ok_or(Error::Empty { field: "segments" })
    }
}

fn pose(pose: Pose2) -> Pose {
    Pose { position: Point { x: pose.x, y: pose.y, z: 0.0 }, orientation: Quaternion::from_yaw(pose.yaw) }
}

fn primitive(stretch: &Stretch) -> LaneletPrimitive {
    // Rust prints the shortest digits that read back as the same number.
    let primitive_type = match (stretch.lane, stretch.part_m) {
        (Some(_), None) => "lane".to_owned(),
        (Some(_), Some([from_m, to_m])) => format!("lane {from_m} {to_m}"),
        (None, _) => {
            stretch.points.iter().fold("path".to_owned(), |text, point| format!("{text} {} {}", point.x, point.y))
        }
    };
    LaneletPrimitive { id: stretch.lane.map_or(NO_LANE, |lane| i64::from(lane.0)), primitive_type }
}

fn stretch(map: &Map, primitive: &LaneletPrimitive) -> Result<Stretch, Error> {
    let unreadable = || Error::Primitive { text: primitive.primitive_type.chars().take(40).collect() };
    let mut words = primitive.primitive_type.split_whitespace();
    let kind = words.next().unwrap_or_default();
    let numbers: Vec<f64> = words
        .map(|word| word.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(unreadable))
        .collect::<Result<_, _>>()?;
    if kind == "path" {
        if numbers.len() < 4 || numbers.len() % 2 == 1 {
            return Err(unreadable());
        }
        return Ok(Stretch::off_lane(numbers.chunks_exact(2).map(|xy| Point2::new(xy[0], xy[1])).collect()));
    }
    let number = u32::try_from(primitive.id).ok().filter(|number| (*number as usize) < map.parts().lanes.len());
    let lane = LaneId(number.ok_or(Error::NoSuchLane { number: primitive.id })?);
    match numbers[..] {
        // Another source's primitives may be of any type: the id is what counts.
        [] => Ok(Stretch::whole_lane(map, lane)),
        [from_m, to_m] if from_m >= 0.0 && to_m >= from_m => Ok(Stretch::part_of_lane(map, lane, from_m, to_m)),
        _ => Err(unreadable()),
    }
}
