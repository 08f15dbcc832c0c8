//! The official nuScenes development kit reads what `tandem world export` writes.
//!
//! Runs where `TANDEM_PYTHON` names a Python with `tests/peers/requirements.txt`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::process::Command;

use support::Dir;

#[test]
fn the_development_kit_reads_an_exported_town() {
    let Some(python) = std::env::var_os("TANDEM_PYTHON") else {
        println!("skipped: TANDEM_PYTHON names no Python with tests/peers/requirements.txt");
        return;
    };
    let dir = Dir::new();
    let export = ["world", "export", "--nuscenes", "made", "--town", "0", "--world", "2", "--size", "160x90"];
    let written = dir.tandem(export.into_iter().chain(["--scene", "scene-0061,scene-0553", "--json"])).json();
    assert_eq!(written["scenes"][0]["images"], 41 * 6);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/nuscenes_peer.py");
    let output = Command::new(&python).arg(script).arg(dir.path().join("made")).output();
    let output = output.unwrap_or_else(|error| panic!("TANDEM_PYTHON={}: {error}", python.display()));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    for line in ["scenes scene-0061 scene-0553", "images 160x90", "samples with truth 82", "expansion ok"] {
        assert!(text.lines().any(|found| found == line), "{line:?} is not in\n{text}");
    }
}
