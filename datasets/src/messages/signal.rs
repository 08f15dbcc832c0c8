//! Traffic lights as groups, one group a lane.

use tandem_graph::Stamp;
use tandem_graph::msgs::autoware_perception_msgs::{
    TrafficLightElement as Lamp, TrafficLightGroup, TrafficLightGroupArray,
};

use crate::log::{Log, SignalColor};
use crate::map::LaneId;

/// One lane's light. The group's id is the lane's number.
pub fn signal_group(lane: LaneId, color: SignalColor) -> TrafficLightGroup {
    let (color, status, confidence) = match color {
        SignalColor::Red => (Lamp::RED, Lamp::SOLID_ON, 1.0),
        SignalColor::Yellow => (Lamp::AMBER, Lamp::SOLID_ON, 1.0),
        SignalColor::Green => (Lamp::GREEN, Lamp::SOLID_ON, 1.0),
        SignalColor::Unknown => (Lamp::UNKNOWN, Lamp::UNKNOWN, 0.0),
    };
    let lamp = Lamp { color, shape: Lamp::CIRCLE, status, confidence };
    TrafficLightGroup { traffic_light_group_id: i64::from(lane.0), elements: vec![lamp], predictions: Vec::new() }
}

/// The lane and colour behind a group; `None` if its id is no lane's number. Of several lit lamps the strictest counts;
/// flashing ones hold nobody back.
pub fn color_of(group: &TrafficLightGroup) -> Option<(LaneId, SignalColor)> {
    let lane = LaneId(u32::try_from(group.traffic_light_group_id).ok()?);
    let lit = |color| group.elements.iter().any(|lamp| lamp.color == color && lamp.status == Lamp::SOLID_ON);
    let color = if lit(Lamp::RED) {
        SignalColor::Red
    } else if lit(Lamp::AMBER) {
        SignalColor::Yellow
    } else if lit(Lamp::GREEN) {
        SignalColor::Green
    } else {
        SignalColor::Unknown
    };
    Some((lane, color))
}

/// All of a log's traffic lights at `stamp`, without those of which nothing is told until later.
pub fn signals(log: &Log, stamp: Stamp) -> TrafficLightGroupArray {
    let told = log.signals.iter().filter(|signal| signal.states.first().is_some_and(|(since, _)| *since <= stamp));
    let groups = told.map(|signal| signal_group(signal.lane, signal.at(stamp)));
    TrafficLightGroupArray { stamp: stamp.into(), traffic_light_groups: groups.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_come_back() {
        for color in [SignalColor::Unknown, SignalColor::Red, SignalColor::Yellow, SignalColor::Green] {
            assert_eq!(color_of(&signal_group(LaneId(12), color)), Some((LaneId(12), color)));
        }
        assert_eq!(color_of(&TrafficLightGroup { traffic_light_group_id: -1, ..Default::default() }), None);
    }
}
