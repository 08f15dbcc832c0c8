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
use crate::assign::Assigner;

/// The squared Mahalanobis distance that 99.9 % of two-dimensional Gaussian errors stay within.
const GATE: f64 = 13.8;
/// The price of pairing different classes of a kind, in the units of the squared Mahalanobis distance.
const CLASS_PRICE: f64 = 4.0;

/// Finds for tracks their detections, in memory that it keeps from one time to the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Associator {
    assigner: Assigner,
    /// Of one kind: tracks, detections, and how well they fit, `[tracks, detections]`.
    rows: Vec<usize>,
    columns: Vec<usize>,
    pairs: Vec<Pair>,
    partners: Vec<Option<usize>>,
}

impl Associator {
    /// For each track its detection.
    pub fn associate(
        &mut self,
        tracks: &[Track],
        detections: &[Detection],
        config: &TrackerConfig,
    ) -> &[Option<usize>] {
        let Self { assigner, rows, columns, pairs, partners } = self;
        partners.clear();
        partners.resize(tracks.len(), None);
        for kind in [Kind::Vehicle, Kind::Cycle, Kind::Pedestrian, Kind::Cone, Kind::Barrier] {
            rows.clear();
            rows.extend((0..tracks.len()).filter(|row| Kind::of(tracks[*row].class()) == kind));
            columns.clear();
            columns.extend((0..detections.len()).filter(|column| Kind::of(detections[*column].class) == kind));
            pairs.clear();
            for row in rows.iter() {
                pairs.extend(columns.iter().map(|column| pair(&tracks[*row], &detections[*column], config)));
            }
            let fit = |row: usize, column: usize| &pairs[row * columns.len() + column];
            let assigned = assigner.assign(rows.len(), columns.len(), |row, column| fit(row, column).cost);
            for (row, column) in assigned.iter().enumerate() {
                let column = column.filter(|column| fit(row, *column).is_possible);
                partners[rows[row]] = column.map(|column| columns[column]);
            }
        }
        partners
    }
}

/// How well a track and a detection fit.
#[derive(Debug, Clone)]
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
