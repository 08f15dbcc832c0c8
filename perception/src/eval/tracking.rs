//! Tracking in the manner of nuScenes: AMOTA, AMOTP, and the counts behind them at the best threshold.
//!
//! The same as nuscenes-devkit `eval/tracking/{evaluate,algo,metrics}.py` with `tracking_nips_2019`: a track's score is
//! the mean of its boxes' and thresholds apply to it; forty recalls from 0.1 to 1; matches within 2 m of centre
//! distance that last from frame to frame as long as they can, the rest at the least total distance (py-motmetrics);
//! MOTAR with its factor 0.2 and the worst values (0, and 2 m) at recalls that were not reached; filtering by range,
//! points and racks. Different: gaps in a track are not filled in by interpolation, neither of truth nor of tracks, and
//! the class is that of each box, not the track's most frequent one.

mod class;

use serde::Serialize;
use tandem_datasets::DetectionClass;

pub use class::ClassTracking;

/// A box of a track at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackBox {
    /// Which thing it is, or is taken to be; of its own within a scene.
    pub id: u64,
    /// What it is.
    pub class: DetectionClass,
    /// Its centre in the map, m.
    pub center: [f64; 2],
    /// The confidence; of no meaning for truth.
    pub score: f64,
}

/// The boxes at one time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TrackFrame {
    /// What is there.
    pub truth: Vec<TrackBox>,
    /// What is tracked.
    pub tracks: Vec<TrackBox>,
}

/// A scene's frames in order of time.
pub type TrackScene = Vec<TrackFrame>;

/// The seven classes of nuScenes' tracking task: those that move.
pub const TRACKING_CLASSES: [DetectionClass; 7] = [
    DetectionClass::Bicycle,
    DetectionClass::Bus,
    DetectionClass::Car,
    DetectionClass::Motorcycle,
    DetectionClass::Pedestrian,
    DetectionClass::Trailer,
    DetectionClass::Truck,
];

/// The results over classes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrackingMetrics {
    /// The classes that have truth, in the order of [`TRACKING_CLASSES`].
    pub classes: Vec<ClassTracking>,
    /// The mean average accuracy over those classes; 0 for none.
    pub amota: f64,
    /// The mean average distance over those classes, m; the worst, 2, for none.
    pub amotp_m: f64,
    /// Identity switches of all classes, each at its best threshold.
    pub id_switches: usize,
}

impl TrackingMetrics {
    /// Evaluates scenes, all of whose boxes count.
    pub fn of(scenes: &[TrackScene]) -> Self {
        let classes: Vec<ClassTracking> =
            TRACKING_CLASSES.into_iter().filter_map(|class| ClassTracking::of(scenes, class)).collect();
        let mean = |of: fn(&ClassTracking) -> f64, of_none: f64| match classes.len() {
            0 => of_none,
            count => classes.iter().map(of).sum::<f64>() / count as f64,
        };
        Self {
            amota: mean(|class| class.amota, 0.0),
            amotp_m: mean(|class| class.amotp_m, class::MATCH_DISTANCE_M),
            id_switches: classes.iter().map(|class| class.id_switches).sum(),
            classes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(id: u64, x: f64, score: f64) -> TrackBox {
        TrackBox { id, class: DetectionClass::Car, center: [x, 0.0], score }
    }

    /// Two cars over four frames, and what the closure makes of each frame.
    fn scene(tracks: impl Fn(usize) -> Vec<TrackBox>) -> TrackScene {
        let truth = || vec![at(1, 0.0, 0.0), at(2, 10.0, 0.0)];
        (0..4).map(|frame| TrackFrame { truth: truth(), tracks: tracks(frame) }).collect()
    }

    #[test]
    fn perfect_tracks_are_worth_one() {
        let metrics = TrackingMetrics::of(&[scene(|_| vec![at(7, 0.5, 0.9), at(8, 10.5, 0.8)])]);
        assert!((metrics.amota - 1.0).abs() < 1e-12, "{metrics:?}");
        assert!((metrics.amotp_m - 0.5).abs() < 1e-12);
        let car = &metrics.classes[0];
        assert_eq!((car.id_switches, car.misses, car.false_positives, car.matches), (0, 0, 0, 8));
        assert_eq!((car.mota, car.recall), (1.0, 1.0));
    }

    #[test]
    fn swapped_identities_are_two_switches() {
        let swap = |frame: usize| if frame < 2 { [7, 8] } else { [8, 7] };
        let metrics = TrackingMetrics::of(&[scene(|frame| {
            let [a, b] = swap(frame);
            vec![at(a, 0.0, 0.9), at(b, 10.0, 0.9)]
        })]);
        assert_eq!(metrics.id_switches, 2);
        // Eight boxes, two switches.
        assert!((metrics.classes[0].mota - 0.75).abs() < 1e-12);
    }

    #[test]
    fn a_car_never_tracked_halves_the_recalls_that_count() {
        let metrics = TrackingMetrics::of(&[scene(|_| vec![at(7, 0.0, 0.9)])]);
        let car = &metrics.classes[0];
        assert_eq!((car.misses, car.matches), (4, 4));
        // Of 40 recalls from 0.1 to 1 in steps of 0.9 / 39, those up to 0.5 are reached: 18.
        assert!((metrics.amota - 18.0 / 40.0).abs() < 1e-12, "{}", metrics.amota);
        assert!((metrics.amotp_m - 2.0 * 22.0 / 40.0).abs() < 1e-12);
    }

    #[test]
    fn a_match_lasts_though_another_track_comes_nearer() {
        let metrics = TrackingMetrics::of(&[scene(|frame| {
            let mut tracks = vec![at(7, 1.5, 0.9), at(8, 10.0, 0.9)];
            if frame > 1 {
                tracks.push(at(9, 0.1, 0.9));
            }
            tracks
        })]);
        let car = &metrics.classes[0];
        assert_eq!((car.id_switches, car.false_positives), (0, 2));
    }

    #[test]
    fn a_class_that_is_not_there_is_not_averaged() {
        assert!(TrackingMetrics::of(&[]).classes.is_empty());
        assert_eq!(TrackingMetrics::of(&[]).amotp_m, 2.0);
    }
}
