//! Whether judgments are to be believed: what one of them closes has to be there in the next one too, and nobody drives
//! there.

use nalgebra::Point2;
use tandem_datasets::Polygon;
use tandem_graph::Stamp;

use crate::guidance::Effects;
use crate::state::Scene;

/// A region may move by so much from judgment to judgment, m.
const MOVES_M: f64 = 3.0;

/// What is nearer ahead of the rear axle may be passed by the next judgment, m.
const PASSED_M: f64 = 10.0;

/// Judgments farther apart say nothing of each other, s.
const APART_S: f64 = 3.0;

/// Who is so fast drives, m/s.
const DRIVES_MPS: f64 = 2.0;

/// Whoever is caught is not believed for so long, s.
const DOUBT_S: f64 = 8.0;

/// What is remembered of judgments.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    judged: Option<Stamp>,
    closed: Vec<Vec<Point2<f64>>>,
    /// Until when nothing is believed.
    doubted_until: Option<Stamp>,
}

impl Trust {
    /// What is in force of a scene's judgment, if it is to be believed.
    pub fn effects(&mut self, scene: &Scene) -> Effects {
        let guidance = &scene.guidance;
        if self.judged != Some(guidance.judged) {
            let follows = self.judged.is_some_and(|before| guidance.judged.seconds_since(before) < APART_S);
            let is_gone = |ring: &Vec<Point2<f64>>| {
                is_ahead(scene, ring) && !guidance.closed.iter().any(|other| are_near(ring, other))
            };
            let is_contradicted = follows && self.closed.iter().any(is_gone);
            let is_known = |number: &u32| scene.agents.iter().any(|agent| agent.id == *number);
            let speaks_of_nobody = !guidance.about.iter().all(is_known);
            if speaks_of_nobody || is_contradicted || guidance.closed.iter().any(|ring| is_driven_on(scene, ring)) {
                self.doubted_until = Some(scene.now.offset_ns((DOUBT_S * 1e9) as i64));
            }
            self.judged = Some(guidance.judged);
            self.closed.clone_from(&guidance.closed);
        }
        if self.doubted_until.is_some_and(|until| scene.now < until) {
            return Effects::default();
        }
        guidance.effects(scene.now)
    }
}

/// Whether all of a ring is well ahead of the ego.
fn is_ahead(scene: &Scene, ring: &[Point2<f64>]) -> bool {
    ring.iter().all(|corner| scene.ego.pose.inverse_transform(*corner).x > PASSED_M)
}

/// Whether two rings touch or nearly do, by the rectangles around them.
fn are_near(one: &[Point2<f64>], other: &[Point2<f64>]) -> bool {
    let reach = |ring: &[Point2<f64>], axis: usize| {
        let values = ring.iter().map(|corner| corner[axis]);
        values.fold([f64::INFINITY, f64::NEG_INFINITY], |[least, most], value| [least.min(value), most.max(value)])
    };
    (0..2).all(|axis| {
        let ([from, to], [others_from, others_to]) = (reach(one, axis), reach(other, axis));
        from < others_to + MOVES_M && others_from < to + MOVES_M
    })
}

/// Whether a vehicle drives on a region.
fn is_driven_on(scene: &Scene, ring: &[Point2<f64>]) -> bool {
    let area = Polygon { exterior: ring.to_vec(), holes: Vec::new() };
    let drives = |agent: &&crate::state::Agent| agent.class.is_vehicle() && agent.speed_mps.abs() > DRIVES_MPS;
    let mut places = scene.agents.iter().filter(drives).filter_map(|agent| agent.path.first());
    places.any(|pose| area.contains(pose.position()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_is_near_itself_and_what_moves_on_is_not() {
        let ring = |x: f64| [[x, -2.0], [x + 4.0, -2.0], [x + 4.0, 1.0], [x, 1.0]].map(Point2::from);
        assert!(are_near(&ring(30.0), &ring(30.5)) && are_near(&ring(30.0), &ring(36.9)));
        assert!(!are_near(&ring(30.0), &ring(37.1)) && !are_near(&ring(37.1), &ring(30.0)));
    }
}
