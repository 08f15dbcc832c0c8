//! The tracking results of one class over thresholds.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use tandem_datasets::DetectionClass;

use super::{TrackBox, TrackScene};
use crate::assign::Assigner;

/// A track farther from the truth does not match, m.
pub(super) const MATCH_DISTANCE_M: f64 = 2.0;
/// Recalls over which the means are taken, and the least of them.
const RECALLS: usize = 40;
const MIN_RECALL: f64 = 0.1;
/// The weight of errors in MOTAR.
const ERROR_WEIGHT: f64 = 0.2;

/// One class's results; the counts are those at the threshold of the best MOTA.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassTracking {
    /// The class.
    pub class: DetectionClass,
    /// The average accuracy over recalls, in [0, 1].
    pub amota: f64,
    /// The average distance of matches over recalls, m.
    pub amotp_m: f64,
    /// The accuracy at the best threshold, in [0, 1].
    pub mota: f64,
    /// The share of true boxes matched there.
    pub recall: f64,
    /// True boxes matched to the track that had them before, or that had none.
    pub matches: usize,
    /// True boxes matched to another track than before.
    pub id_switches: usize,
    /// True boxes not matched.
    pub misses: usize,
    /// Tracked boxes not matched.
    pub false_positives: usize,
    /// True boxes.
    pub truths: usize,
}

/// What is counted at one threshold.
#[derive(Debug, Default)]
struct Counts {
    truths: usize,
    matches: usize,
    switches: usize,
    misses: usize,
    false_positives: usize,
    distance_sum_m: f64,
    /// The scores of matched tracks, for the choice of thresholds.
    match_scores: Vec<f64>,
}

impl Counts {
    /// The accuracy, not below zero.
    fn mota(&self) -> f64 {
        (1.0 - (self.misses + self.switches + self.false_positives) as f64 / self.truths as f64).max(0.0)
    }

    /// The accuracy relative to the recall (nuscenes-devkit `eval/tracking/metrics.py`, `motar`); none without a match.
    fn motar(&self) -> Option<f64> {
        let recall = self.matches as f64 / self.truths as f64;
        let unavoidable = (1.0 - recall) * self.truths as f64;
        let errors = (self.misses + self.switches + self.false_positives) as f64 - unavoidable;
        (self.matches > 0).then(|| (1.0 - ERROR_WEIGHT * errors / (recall * self.truths as f64)).max(0.0))
    }

    /// The mean distance of matches, m.
    fn motp_m(&self) -> Option<f64> {
        let detections = self.matches + self.switches;
        (detections > 0).then(|| self.distance_sum_m / detections as f64)
    }
}

impl ClassTracking {
    /// Evaluates a class; `None` where there is no true box of it.
    pub(super) fn of(scenes: &[TrackScene], class: DetectionClass) -> Option<Self> {
        let track_scores = track_scores(scenes, class);
        let all = count(scenes, class, &track_scores, None);
        if all.truths == 0 {
            return None;
        }
        let thresholds = thresholds(all.match_scores, all.truths);
        let (mut amota, mut amotp_m) = (0.0, 0.0);
        let mut best: Option<Counts> = None;
        let mut known: Option<(f64, f64, f64)> = None;
        // From high recall to low: of equal accuracies the one of the highest recall is reported.
        for threshold in thresholds.into_iter().rev() {
            let Some(threshold) = threshold else {
                amotp_m += MATCH_DISTANCE_M;
                continue;
            };
            let (motar, motp_m) = match known {
                Some((same, motar, motp_m)) if same == threshold => (motar, motp_m),
                _ => {
                    let counts = count(scenes, class, &track_scores, Some(threshold));
                    let values = (counts.motar().unwrap_or(0.0), counts.motp_m().unwrap_or(MATCH_DISTANCE_M));
                    if best.as_ref().is_none_or(|best| counts.mota() > best.mota()) {
                        best = Some(counts);
                    }
                    values
                }
            };
            known = Some((threshold, motar, motp_m));
            amota += motar;
            amotp_m += motp_m;
        }
        let nothing = Counts { truths: all.truths, misses: all.truths, ..Counts::default() };
        let best = best.unwrap_or(nothing);
        Some(Self {
            class,
            amota: amota / RECALLS as f64,
            amotp_m: amotp_m / RECALLS as f64,
            mota: best.mota(),
            recall: best.matches as f64 / best.truths as f64,
            matches: best.matches,
            id_switches: best.switches,
            misses: best.misses,
            false_positives: best.false_positives,
            truths: best.truths,
        })
    }
}

/// The mean score of each track's boxes, by scene and id.
fn track_scores(scenes: &[TrackScene], class: DetectionClass) -> HashMap<(usize, u64), f64> {
    let mut sums: HashMap<(usize, u64), (f64, f64)> = HashMap::new();
    for (scene, frames) in scenes.iter().enumerate() {
        for found in frames.iter().flat_map(|frame| &frame.tracks).filter(|found| found.class == class) {
            let (sum, count) = sums.entry((scene, found.id)).or_default();
            *sum += found.score;
            *count += 1.0;
        }
    }
    sums.into_iter().map(|(track, (sum, count))| (track, sum / count)).collect()
}

/// The track scores at which each of the recalls is reached; `None` where it never is.
fn thresholds(mut scores: Vec<f64>, truths: usize) -> Vec<Option<f64>> {
    scores.sort_by(|a, b| b.total_cmp(a));
    let recalls: Vec<f64> = (1..=scores.len()).map(|count| count as f64 / truths as f64).collect();
    (0..RECALLS)
        .map(|index| {
            // Rounded to twelve decimals as in the devkit, so that the last ones are equal.
            let recall = MIN_RECALL + (1.0 - MIN_RECALL) * index as f64 / (RECALLS - 1) as f64;
            let recall = (recall * 1e12).round() / 1e12;
            let is_reached = recalls.last().is_some_and(|last| recall <= *last);
            is_reached.then(|| (crate::eval::curve::interpolate(recall, &recalls, &scores) * 1e12).round() / 1e12)
        })
        .collect()
}

/// Follows all scenes with the tracks at or above a threshold.
fn count(
    scenes: &[TrackScene],
    class: DetectionClass,
    track_scores: &HashMap<(usize, u64), f64>,
    threshold: Option<f64>,
) -> Counts {
    let mut counts = Counts::default();
    for (scene, frames) in scenes.iter().enumerate() {
        let score = |found: &TrackBox| track_scores.get(&(scene, found.id)).copied().unwrap_or(0.0);
        let mut track_of: HashMap<u64, u64> = HashMap::new();
        for frame in frames {
            let truth: Vec<&TrackBox> = frame.truth.iter().filter(|truth| truth.class == class).collect();
            let is_kept = |found: &&TrackBox| {
                // The mean's last digits must not drop the track that set the threshold.
                found.class == class && threshold.is_none_or(|threshold| score(found) >= threshold - 1e-12)
            };
            let tracks: Vec<&TrackBox> = frame.tracks.iter().filter(is_kept).collect();
            let pairs = match_frame(&truth, &tracks, &track_of);
            counts.truths += truth.len();
            counts.misses += truth.len() - pairs.len();
            counts.false_positives += tracks.len() - pairs.len();
            for (row, column) in pairs {
                let (id, track) = (truth[row].id, tracks[column]);
                match track_of.insert(id, track.id) {
                    Some(before) if before != track.id => counts.switches += 1,
                    _ => {
                        counts.matches += 1;
                        counts.match_scores.push(score(track));
                    }
                }
                counts.distance_sum_m += distance_m(truth[row], track);
            }
        }
    }
    counts
}

fn distance_m(a: &TrackBox, b: &TrackBox) -> f64 {
    (a.center[0] - b.center[0]).hypot(a.center[1] - b.center[1])
}

/// Pairs of true and tracked boxes: first those that were a pair before and still may be, then as many of the rest as
/// possible at the least total distance.
fn match_frame(truth: &[&TrackBox], tracks: &[&TrackBox], track_of: &HashMap<u64, u64>) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let mut taken = HashSet::new();
    for (row, target) in truth.iter().enumerate() {
        let before = track_of.get(&target.id);
        let column = tracks.iter().position(|track| Some(&track.id) == before);
        if let Some(column) = column.filter(|column| distance_m(target, tracks[*column]) < MATCH_DISTANCE_M)
            && taken.insert(column)
        {
            pairs.push((row, column));
        }
    }
    let rows: Vec<usize> = (0..truth.len()).filter(|row| pairs.iter().all(|(paired, _)| paired != row)).collect();
    let columns: Vec<usize> = (0..tracks.len()).filter(|column| !taken.contains(column)).collect();
    // A pair out of reach costs more than all within reach together.
    let out_of_reach = 2.0 * MATCH_DISTANCE_M * (1 + rows.len().min(columns.len())) as f64;
    let cost = |row: usize, column: usize| {
        let distance_m = distance_m(truth[rows[row]], tracks[columns[column]]);
        if distance_m < MATCH_DISTANCE_M { distance_m } else { out_of_reach }
    };
    for (row, column) in Assigner::default().assign(rows.len(), columns.len(), cost).iter().enumerate() {
        if let Some(column) = column.filter(|column| cost(row, *column) < MATCH_DISTANCE_M) {
            pairs.push((rows[row], columns[column]));
        }
    }
    pairs
}
