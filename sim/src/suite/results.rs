//! The results of a suite of runs: the table, `--json`, and how parts of it are put together.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use tandem_planner::score::incidents_per_km;

use crate::sight::TRUTH;
use crate::{Error, RunResult};

/// One run in the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its figures.
    #[serde(flatten)]
    pub result: RunResult,
    /// The file or directory that the log is from.
    pub source: String,
    /// The log's tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// What was injected, for people; empty for nothing.
    pub injection: String,
    /// Messages lost to injected faults.
    pub lost_injected: u64,
    /// Messages lost that nothing was meant to lose.
    pub lost_unintended: u64,
    /// Whether the log's ego track agrees with its other tracks and its map; the notes say where not.
    pub ego_track_sound: bool,
    /// Whether everything came that was sent, in time, to the end; injected faults aside.
    pub complete: bool,
    /// The digest of every message of the run.
    pub recording_sha256: String,
}

impl Run {
    /// What tells runs apart and orders them.
    fn key(&self) -> (&str, &str, &str, &str, &str, usize, &str) {
        let RunResult { log, planner, traffic, perception, .. } = &self.result;
        (log, &self.source, &self.injection, traffic, perception, rank(planner), planner)
    }
}

/// Ours first, then the baselines from the strongest down, then the human.
fn rank(planner: &str) -> usize {
    let order = ["tandem", "pdm", "idm", "constant-velocity", "human"];
    order.iter().position(|name| *name == planner).unwrap_or(order.len())
}

/// A log that could not be driven.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Skipped {
    /// The log's id.
    pub log: String,
    /// The file or directory that it is from.
    pub source: String,
    /// Why, in one line.
    pub reason: String,
    /// Whether the log is fine but lacks what a drive needs (ego, map), or is damaged.
    pub is_damaged: bool,
}

/// Runs of the same planner, traffic, perception and injection, together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The planner's name.
    pub planner: String,
    /// `replay` or `reactive`.
    pub traffic: String,
    /// By what the planner saw: `truth`, or what the cameras with their perception are called.
    #[serde(default = "crate::trace::truth")]
    pub perception: String,
    /// What was injected; empty for nothing.
    pub injection: String,
    /// How many runs.
    pub logs: usize,
    /// The mean of their scores.
    pub score_mean: f64,
    /// How far they drove together, km.
    pub distance_km: f64,
    /// Collisions by the ego's fault per kilometre; `None` where nothing moved.
    pub at_fault_per_km: Option<f64>,
    /// Its exact 95 % interval.
    pub at_fault_per_km_interval: Option<[f64; 2]>,
}

/// The results of a suite. Serialises to what `tandem drive --json` prints.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Results {
    /// The runs, ordered by log, injection, traffic, perception and planner.
    pub runs: Vec<Run>,
    /// One row for each planner, traffic, perception and injection.
    pub summary: Vec<Summary>,
    /// The logs that were not driven.
    pub skipped: Vec<Skipped>,
    /// Messages lost in all runs, for whatever reason.
    pub lost_messages: u64,
    /// Those of them that an injected fault lost.
    pub lost_injected: u64,
    /// Those of them that nothing was meant to lose.
    pub lost_unintended: u64,
    /// Whether all runs are complete.
    pub complete: bool,
    /// The run's digest; that of all runs' digests, in order, where there are several.
    pub recording_sha256: String,
}

impl Results {
    /// Puts runs in order and sums them up. The order in which they come does not matter.
    pub fn new(mut runs: Vec<Run>, mut skipped: Vec<Skipped>) -> Self {
        runs.sort_by(|a, b| a.key().cmp(&b.key()));
        skipped.sort();
        let lost = |of: fn(&Run) -> u64| runs.iter().map(of).sum::<u64>();
        let (lost_injected, lost_unintended) = (lost(|run| run.lost_injected), lost(|run| run.lost_unintended));
        Self {
            summary: summarise(&runs),
            lost_messages: lost_injected + lost_unintended,
            lost_injected,
            lost_unintended,
            complete: runs.iter().all(|run| run.complete),
            recording_sha256: digest(&runs),
            runs,
            skipped,
        }
    }

    /// The summary of the runs whose logs have a tag, for each tag that more than one log has.
    pub fn by_tag(&self) -> Vec<(String, Summary)> {
        let mut tags: Vec<&String> = self.runs.iter().flat_map(|run| &run.tags).collect();
        tags.sort_unstable();
        tags.dedup();
        let of_tag = |tag: &String| {
            let runs: Vec<Run> = self.runs.iter().filter(|run| run.tags.contains(tag)).cloned().collect();
            summarise(&runs).into_iter().map(move |summary| (tag.clone(), summary)).collect::<Vec<_>>()
        };
        tags.into_iter().flat_map(of_tag).filter(|(_, summary)| summary.logs > 1).collect()
    }

    /// The results of several shards as those of the whole.
    ///
    /// # Errors
    /// [`Error::Merge`] where two shards hold the same run.
    pub fn merge(shards: Vec<Self>) -> Result<Self, Error> {
        let (mut runs, mut skipped) = (Vec::new(), Vec::new());
        for shard in shards {
            runs.extend(shard.runs);
            skipped.extend(shard.skipped);
        }
        let merged = Self::new(runs, skipped);
        match merged.runs.windows(2).find(|pair| pair[0].key() == pair[1].key()) {
            Some(pair) => {
                let RunResult { log, planner, traffic, perception, .. } = &pair[0].result;
                let sight = if perception == TRUTH { String::new() } else { format!(", seen by {perception}") };
                Err(Error::Merge { run: format!("{log} by {planner} with {traffic} traffic{sight}") })
            }
            None => Ok(merged),
        }
    }
}

fn digest(runs: &[Run]) -> String {
    if let [run] = runs {
        return run.recording_sha256.clone();
    }
    let all = runs.iter().fold(Sha256::new(), |all, run| all.chain_update(&run.recording_sha256));
    all.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn summarise(runs: &[Run]) -> Vec<Summary> {
    let group = |run: &Run| {
        let (.., injection, traffic, perception, rank, planner) = run.key();
        (injection.to_owned(), traffic.to_owned(), perception.to_owned(), rank, planner.to_owned())
    };
    let mut groups: Vec<_> = runs.iter().map(group).collect();
    groups.sort();
    groups.dedup();
    let summary = |key: (String, String, String, usize, String)| {
        let members: Vec<_> = runs.iter().filter(|run| group(run) == key).map(|run| &run.result).collect();
        let distance_km = members.iter().map(|run| run.distance_m).sum::<f64>() / 1000.0;
        let collisions = members.iter().map(|run| run.at_fault_collisions).sum::<u32>();
        // A creep of a metre gives no rate.
        let rate = (distance_km > 1e-3).then(|| incidents_per_km(collisions, distance_km));
        let (injection, traffic, perception, _, planner) = key;
        Summary {
            planner,
            traffic,
            perception,
            injection,
            logs: members.len(),
            score_mean: members.iter().map(|run| run.score).sum::<f64>() / members.len() as f64,
            distance_km,
            at_fault_per_km: rate.map(|rate| rate.per_km),
            at_fault_per_km_interval: rate.map(|rate| [rate.low, rate.high]),
        }
    };
    groups.into_iter().map(summary).collect()
}

#[cfg(test)]
mod tests {
    use tandem_planner::SubScores;

    use super::*;

    fn run(log: &str, planner: &str, score: f64, collisions: u32) -> Run {
        let ones = SubScores { nc: 1.0, dac: 1.0, ddc: 1.0, tlc: 1.0, ep: 1.0, ttc: 1.0, lk: 1.0, hc: 1.0, ec: 1.0 };
        Run {
            result: RunResult {
                log: log.into(),
                planner: planner.into(),
                traffic: "replay".into(),
                perception: "truth".into(),
                score,
                scores: ones,
                distance_m: 250.0,
                at_fault_collisions: collisions,
                duration_s: 19.0,
                notes: Vec::new(),
            },
            source: "somewhere".into(),
            tags: Vec::new(),
            injection: String::new(),
            lost_injected: 1,
            lost_unintended: 0,
            ego_track_sound: true,
            complete: true,
            recording_sha256: format!("{log}{planner}"),
        }
    }

    #[test]
    fn shards_merge_to_what_the_whole_gives() {
        let runs = vec![
            run("b", "tandem", 0.9, 0),
            run("a", "human", 1.0, 0),
            run("a", "tandem", 0.8, 1),
            run("b", "human", 1.0, 0),
        ];
        let whole = Results::new(runs.clone(), Vec::new());
        let shards = runs.chunks(2).map(|part| Results::new(part.to_vec(), Vec::new())).rev().collect();
        assert_eq!(Results::merge(shards).unwrap(), whole);
        let names: Vec<_> = whole.runs.iter().map(|run| (&*run.result.log, &*run.result.planner)).collect();
        assert_eq!(names, [("a", "tandem"), ("a", "human"), ("b", "tandem"), ("b", "human")]);
    }

    #[test]
    fn a_run_in_two_shards_is_an_error_that_names_it() {
        let shard = Results::new(vec![run("a", "tandem", 0.9, 0)], Vec::new());
        let error = Results::merge(vec![shard.clone(), shard]).unwrap_err();
        assert_eq!(error.to_string(), "two shards hold the same run: a by tandem with replay traffic");
    }

    #[test]
    fn a_part_from_before_perception_was_named_is_one_of_truth() {
        let results = Results::new(vec![run("a", "tandem", 0.8, 1)], Vec::new());
        let mut json = serde_json::to_value(&results).unwrap();
        json["runs"][0].as_object_mut().unwrap().remove("perception").unwrap();
        json["summary"][0].as_object_mut().unwrap().remove("perception").unwrap();
        assert_eq!(serde_json::from_value::<Results>(json).unwrap(), results);
    }

    #[test]
    fn a_summary_holds_the_mean_and_the_rate_with_its_interval() {
        let results = Results::new(vec![run("a", "tandem", 0.8, 1), run("b", "tandem", 0.9, 0)], Vec::new());
        let summary = &results.summary[0];
        assert!((summary.score_mean - 0.85).abs() < 1e-12);
        assert_eq!(summary.at_fault_per_km, Some(2.0));
        let [low, high] = summary.at_fault_per_km_interval.unwrap();
        assert!((low - 0.0506).abs() < 1e-3 && (high - 11.14).abs() < 1e-2, "{low} {high}");
        assert_eq!((results.lost_messages, results.lost_unintended), (2, 0));
    }

    #[test]
    fn tags_that_logs_share_are_summed_up() {
        let tagged = |log: &str, score: f64, tags: &[&str]| Run {
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            ..run(log, "tandem", score, 0)
        };
        let runs = vec![tagged("a", 0.8, &["night", "rain"]), tagged("b", 0.4, &["night"]), tagged("c", 0.9, &[])];
        let by_tag = Results::new(runs, Vec::new()).by_tag();
        assert_eq!(by_tag.iter().map(|(tag, _)| tag.as_str()).collect::<Vec<_>>(), ["night"]);
        assert_eq!(by_tag[0].1.logs, 2);
        assert!((by_tag[0].1.score_mean - 0.6).abs() < 1e-12);
    }

    #[test]
    fn the_json_has_the_documented_keys_and_reads_back() {
        let results = Results::new(vec![run("a", "tandem", 0.8, 1)], Vec::new());
        let json = serde_json::to_value(&results).unwrap();
        let run_keys = [
            "log",
            "planner",
            "traffic",
            "perception",
            "score",
            "nc",
            "dac",
            "ddc",
            "tlc",
            "ep",
            "ttc",
            "lk",
            "hc",
            "ec",
            "distance_m",
            "at_fault_collisions",
            "duration_s",
        ];
        assert!(run_keys.iter().all(|key| json["runs"][0].get(key).is_some()), "{json}");
        let summary_keys = ["planner", "traffic", "logs", "score_mean", "at_fault_per_km"];
        assert!(summary_keys.iter().all(|key| json["summary"][0].get(key).is_some()), "{json}");
        assert!(["lost_messages", "recording_sha256"].iter().all(|key| json.get(key).is_some()), "{json}");
        assert_eq!(serde_json::from_value::<Results>(json).unwrap(), results);
    }
}
