//! Which detection is which object.
//!
//! The assignment of least total cost (Kuhn's method), not the greedy nearest pair: where people cross, the nearest
//! pair is often the wrong one, and the right pairs are those that fit all of them together. The cost is the negative
//! log likelihood of a Gaussian, `d² + ln det S` with the squared Mahalanobis distance d², so that a newly seen object,
//! whose place could be anywhere, does not take a detection from one that is known to be just there. Pairs beyond a
//! distance in metres or beyond 99.9 % of that Gaussian are not made. Objects and detections of different kinds never
//! pair; of different classes of a kind they do, at a price.

use nalgebra::Vector2;

use super::Detection;
use super::config::{Kind, TrackerConfig};
use super::object::Track;

/// The squared Mahalanobis distance that 99.9 % of two-dimensional Gaussian errors stay within.
const GATE: f64 = 13.8;
/// The price of pairing different classes of a kind, in the units of the squared Mahalanobis distance.
const CLASS_PRICE: f64 = 4.0;

/// For each track its detection.
pub(super) fn associate(tracks: &[Track], detections: &[Detection], config: &TrackerConfig) -> Vec<Option<usize>> {
    let mut partners = vec![None; tracks.len()];
    for kind in [Kind::Vehicle, Kind::Cycle, Kind::Pedestrian, Kind::Cone, Kind::Barrier] {
        let rows: Vec<usize> = (0..tracks.len()).filter(|row| Kind::of(tracks[*row].class()) == kind).collect();
        let columns: Vec<usize> =
            (0..detections.len()).filter(|column| Kind::of(detections[*column].class) == kind).collect();
        let pairs: Vec<Vec<Pair>> = rows
            .iter()
            .map(|row| {
                let seen = Seen::new(&tracks[*row], config);
                columns.iter().map(|column| seen.pair(&detections[*column])).collect()
            })
            .collect();
        let assigned = crate::assign::assign(rows.len(), columns.len(), |row, column| pairs[row][column].cost);
        for (row, column) in assigned.into_iter().enumerate() {
            partners[rows[row]] = column.filter(|column| pairs[row][*column].is_possible).map(|column| columns[column]);
        }
    }
    partners
}

/// How well a track and a detection fit.
struct Pair {
    cost: f64,
    is_possible: bool,
}

/// Where and how surely a track will be seen.
struct Seen<'a> {
    track: &'a Track,
    inverse: nalgebra::Matrix2<f64>,
    log_determinant: f64,
    gate_m: f64,
}

impl<'a> Seen<'a> {
    fn new(track: &'a Track, config: &TrackerConfig) -> Self {
        let motion = config.motion(track.class());
        let covariance = track.planar.seen_covariance(motion.position_std_m);
        // Positive definite: the sum of a covariance and a positive diagonal.
        let inverse = covariance.try_inverse().unwrap_or_else(nalgebra::Matrix2::identity);
        Self {
            track,
            inverse,
            log_determinant: covariance.determinant().max(f64::MIN_POSITIVE).ln(),
            gate_m: motion.gate_m,
        }
    }

    fn pair(&self, detection: &Detection) -> Pair {
        let [x, y, _] = detection.center;
        let state = &self.track.planar.state;
        let apart = Vector2::new(x - state[0], y - state[1]);
        let price = if self.track.class() == detection.class { 0.0 } else { CLASS_PRICE };
        let distance = (apart.transpose() * self.inverse * apart)[0] + price;
        let is_possible = apart.norm() < self.gate_m && distance < GATE;
        // What can't be costs as much as the farthest that can, so that none is made worse to make one more.
        Pair { cost: self.log_determinant + if is_possible { distance } else { GATE }, is_possible }
    }
}
