//! TLC, traffic-light compliance: the ego's outline never overlaps a lane of its route while that lane's light is red.
//!
//! Source: NAVSIM v2 `pdm_scorer.py` (`_calculate_traffic_light_compliance`), `pdm_observation.py`.

use nalgebra::Point2;
use tandem_datasets::{LaneId, Polygon, SignalColor};

use super::bounds::{Bounds, Rectangle};
use super::motion::{Motion, Place};

/// A lane of the route whose light is red.
#[derive(Debug, Clone, Copy)]
pub(super) struct RedLane<'a> {
    pub lane: LaneId,
    surface: &'a Polygon,
    bounds: Bounds,
    /// Whether the route follows the lane rather than running beside it.
    followed: bool,
}

/// The red lanes of the route among `signals`.
pub(super) fn red_lanes<'a>(place: &Place<'a>, signals: &[(LaneId, SignalColor)]) -> Vec<RedLane<'a>> {
    let lanes = &place.map.parts().lanes;
    let red = signals.iter().filter(|(lane, color)| *color == SignalColor::Red && place.route.is_on_route(*lane));
    red.filter_map(|(lane, _)| {
        let surface = &lanes.get(lane.0 as usize)?.surface;
        let bounds = Bounds::around(&surface.exterior);
        Some(RedLane { lane: *lane, surface, bounds, followed: place.route.stop_line_m(*lane).is_some() })
    })
    .collect()
}

impl RedLane<'_> {
    /// Whether the ego is in the lane at `step`: any overlap where the route follows the lane. A lane beside the
    /// route, which may have a light of its own (a turn), counts once the ego's centre is in it.
    pub fn is_entered(&self, motion: &Motion, step: usize) -> bool {
        let outline = &motion.outlines[step];
        let corners = outline.corners();
        if !Bounds::around(&corners).meets(&self.bounds) {
            return false;
        }
        if self.followed {
            overlaps(outline, &corners, self.surface)
        } else {
            self.surface.contains(motion.center(step))
        }
    }
}

/// Whether a rectangle and a polygon share a point: an edge meets it, or it lies wholly inside.
fn overlaps(outline: &Rectangle, corners: &[Point2<f64>; 4], surface: &Polygon) -> bool {
    let rings = std::iter::once(&surface.exterior).chain(&surface.holes);
    let crossed = rings.into_iter().any(|ring| {
        let next = ring.iter().cycle().skip(1);
        ring.iter().zip(next).any(|(from, to)| outline.meets_segment(*from, *to))
    });
    crossed || surface.contains(corners[0])
}

/// The first step at which a plan enters a lane that is red now; lanes that the ego is already in do not count, since
/// no plan could undo that.
pub(super) fn first_entry(motion: &Motion, red: &[RedLane]) -> Option<usize> {
    let entered = red.iter().filter(|lane| motion.bounds.meets(&lane.bounds) && !lane.is_entered(motion, 0));
    entered.filter_map(|lane| (1..motion.states.len()).find(|step| lane.is_entered(motion, *step))).min()
}
