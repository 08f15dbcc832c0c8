//! Recordings of runs: whole, replayed to the same bytes, and refused where they are none.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;

use tandem_graph::observe::Observer;
use tandem_graph::recording::{self, Digest, Recorder};
use tandem_sim::faults::{Death, Faults, Window};
use tandem_sim::replay::{record, replay};
use tandem_sim::{Course, Setup, Sight, TrafficMode, world};

fn setup(planner: &str, faults: Faults) -> Setup {
    let course = Arc::new(Course::new(&Arc::new(world::generate(2).unwrap())).unwrap());
    Setup { course, planner: planner.into(), traffic: TrafficMode::Reactive, sight: Sight::Truth, slow: None, faults }
}

fn file(directory: &tempfile::TempDir) -> PathBuf {
    directory.path().join("run.mcap")
}

#[test]
fn a_replay_gives_the_recorded_bytes_whatever_went_wrong_in_the_run() {
    let bad_links = Faults { delay_ms: 30.0, jitter_ms: 60.0, drop: 0.15, seed: 3, ..Faults::default() };
    let frozen = Faults { freeze: Some(Window { from_s: 2.0, to_s: 4.0 }), ..Faults::default() };
    let dead = |node: &str| Faults { dead: Some(Death { node: node.into(), at_s: 3.0 }), ..Faults::default() };
    let runs = [
        ("tandem", Faults::default()),
        ("tandem", bad_links.clone()),
        ("pdm", frozen),
        ("idm", dead("planner")),
        ("tandem", dead("perception")),
        ("human", bad_links),
    ];
    for (planner, faults) in runs {
        let directory = tempfile::tempdir().unwrap();
        let driven = record(&setup(planner, faults.clone()), file(&directory)).unwrap();
        let comparison = replay(file(&directory)).unwrap();
        assert!(comparison.is_identical(), "{planner}, {faults}: {comparison:?}");
        assert_eq!(comparison.replayed_sha256, driven.sha256);
        assert!(comparison.compared > 50, "{planner}, {faults}: {comparison:?}");
    }
}

#[test]
fn recording_a_run_does_not_change_it() {
    let directory = tempfile::tempdir().unwrap();
    let setup = setup("tandem", Faults::default());
    let recorded = record(&setup, file(&directory)).unwrap();
    assert_eq!(recorded.sha256, tandem_sim::drive(&setup, &mut []).unwrap().sha256);
    let mut of_file = Digest::default();
    for message in recording::read(file(&directory)).unwrap() {
        of_file.observe(&message.unwrap().published());
    }
    assert_eq!(of_file.sha256(), recorded.sha256);
}

#[test]
fn an_answer_that_was_changed_in_the_file_is_found_and_named() {
    let directory = tempfile::tempdir().unwrap();
    record(&setup("tandem", Faults::default()), file(&directory)).unwrap();
    let mut reader = recording::read(file(&directory)).unwrap();
    let mut messages: Vec<_> = (&mut reader).map(Result::unwrap).collect();
    let values = reader.metadata()[0].values.clone();
    let changed =
        messages.iter_mut().find(|message| message.channel.topic == "/planning/trajectory" && message.sequence == 40);
    *changed.unwrap().bytes.last_mut().unwrap() ^= 1;
    let mut recorder = Recorder::new(Cursor::new(Vec::new())).unwrap();
    recorder.metadata("tandem.run", values).unwrap();
    messages.iter().for_each(|message| recorder.observe(&message.published()));
    std::fs::write(file(&directory), recorder.finish().unwrap().into_inner()).unwrap();

    let comparison = replay(file(&directory)).unwrap();
    let difference = comparison.difference.clone().unwrap();
    assert_eq!((difference.topic.as_str(), difference.sequence), ("/planning/trajectory", 40));
    assert!(difference.what.contains("differs"), "{difference:?}");
    assert_ne!(comparison.recorded_sha256, comparison.replayed_sha256);
}

#[test]
fn a_file_that_is_cut_or_no_run_is_refused_in_one_line() {
    let directory = tempfile::tempdir().unwrap();
    record(&setup("idm", Faults::default()), file(&directory)).unwrap();
    let whole = std::fs::read(file(&directory)).unwrap();
    std::fs::write(file(&directory), &whole[..whole.len() / 2]).unwrap();
    let error = replay(file(&directory)).unwrap_err().to_string();
    assert!(error.contains("run.mcap") && error.contains("byte"), "{error}");

    let mut recorder = Recorder::new(Cursor::new(Vec::new())).unwrap();
    recorder.metadata("something else", BTreeMap::new()).unwrap();
    std::fs::write(file(&directory), recorder.finish().unwrap().into_inner()).unwrap();
    let error = replay(file(&directory)).unwrap_err().to_string();
    assert!(error.contains("tandem.run") && !error.contains('\n'), "{error}");
}
