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
            .map(|row| columns.iter().map(|column| pair(&tracks[*row], &detections[*column], config)).collect())
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

/// How well a track and a detection fit: by where, and how surely, the track is expected to be seen.
fn pair(track: &Track, detection: &Detection, config: &TrackerConfig) -> Pair {
    let [x, y, _] = detection.center;
    let apart = Vector2::new(x - track.planar.state[0], y - track.planar.state[1]);
    let covariance = track.planar.seen_covariance(detection.noise(config));
    // Positive definite: the sum of two covariances.
    let inverse = covariance.try_inverse().unwrap_or_default();
    let log_determinant = covariance.determinant().max(f64::MIN_POSITIVE).ln();
    let price = if track.class() == detection.class { 0.0 } else { CLASS_PRICE };
    let distance = (apart.transpose() * inverse * apart)[0] + price;
    let is_possible = apart.norm() < config.motion(track.class()).gate_m && distance < GATE;
    // What can't be costs as much as the farthest that can, so that none is made worse to make one more.
    Pair { cost: log_determinant + if is_possible { distance } else { GATE }, is_possible }
}
