//! Class balancing: what is seldom in the worlds is looked for, and counts more where it is found.

use tandem_datasets::{DetectionClass, Log};
use tandem_graph::Stamp;
use tandem_sim::camera::subjects;

/// How much rarer each class is than cars, about the square root of the ratio of their numbers in generated worlds.
pub const RARITY: [f32; 10] = [1.0, 2.0, 4.0, 3.0, 5.0, 1.0, 6.0, 4.0, 4.0, 4.0];

/// Objects farther away than this are seen too small to be looked for, m.
const NEAR_M: f64 = 30.0;

/// How rare the classes are that a log has around its vehicle at a stamp, each counted once.
pub fn rarity(log: &Log, stamp: Stamp, max_gap_ns: i64) -> f32 {
    let Some(ego) = log.ego_at(stamp) else { return 0.0 };
    let ego = ego.map_from_ego.translation;
    let mut is_there = [false; DetectionClass::ALL.len()];
    for subject in subjects(log, stamp, max_gap_ns) {
        let Some(class) = subject.detection else { continue };
        if (subject.pose.x - ego.x).hypot(subject.pose.y - ego.y) < NEAR_M {
            is_there[class.index()] = true;
        }
    }
    is_there.iter().zip(RARITY).filter(|(is_there, _)| **is_there).map(|(_, rarity)| rarity).sum()
}
