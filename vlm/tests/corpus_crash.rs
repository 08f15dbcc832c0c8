//! A corpus outlives a process that is killed while it saves one.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tandem_vlm::draft::Corpus;
use tandem_vlm::text::VocabularyId;

const VOCABULARY: VocabularyId = VocabularyId { size: 50_000, hash: 7 };

/// Says where [`saves_for_ever`] saves.
const PATH: &str = "TANDEM_TEST_CORPUS";

/// Two corpora that differ, each of some 200,000 tokens.
fn corpora() -> [Corpus; 2] {
    [1, 3].map(|step: u32| {
        let mut corpus = Corpus::new(usize::MAX);
        for text in 0..1000 {
            corpus.add(&[], &(0..200).map(|at| (text * 31 + at * step) % VOCABULARY.size).collect::<Vec<_>>());
        }
        corpus
    })
}

fn unfinished(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "unfinished")).collect()
}

#[test]
fn whoever_is_killed_while_saving_leaves_a_whole_corpus() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("corpus");
    let corpora = corpora();
    corpora[0].save(&path, VOCABULARY).unwrap();
    let (mut found, mut interrupted) = ([0; 2], 0);
    for round in 0..400 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "saves_for_ever", "--ignored"])
            .env(PATH, &path)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // From when it has begun on, at another time of its work in every round.
        while unfinished(folder.path()).is_empty() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(200));
        }
        std::thread::sleep(Duration::from_micros(700 * (round % 20)));
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success());
        let kept = Corpus::open(&path, VOCABULARY, usize::MAX).unwrap();
        let which = corpora.iter().position(|corpus| corpus.texts().eq(kept.texts()));
        found[which.unwrap()] += 1;
        let left = unfinished(folder.path());
        interrupted += usize::from(!left.is_empty());
        left.into_iter().for_each(|path| std::fs::remove_file(path).unwrap());
        if round >= 20 && interrupted >= 5 && found.iter().all(|count| *count > 0) {
            println!("after {round} rounds: {found:?}, {interrupted} while it wrote");
            return;
        }
    }
    panic!("never in the middle: {found:?}, {interrupted} while it wrote");
}

#[test]
#[ignore = "is run, and killed, by the test above"]
fn saves_for_ever() {
    let Some(path) = std::env::var_os(PATH).map(PathBuf::from) else { return };
    for corpus in corpora().iter().cycle() {
        corpus.save(&path, VOCABULARY).unwrap();
    }
}
