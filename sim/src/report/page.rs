//! The page itself: a skeleton, a style sheet and a script around the data of the runs.

use base64::Engine;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tandem_datasets::EgoBody;
use tandem_planner::score::LIMITS;

use crate::report::moments::{Moment, worst_first};
use crate::report::signals::Signals;
use crate::report::summary::{Row, rows};
use crate::report::{places, runs, sight};
use crate::suite::{Results, Skipped};
use crate::trace::{RunResult, Trace};

const SKELETON: &str = include_str!("page/report.html");
const STYLE: &str = include_str!("page/report.css");

/// Runs first and alone, so that it can show what goes wrong in the other.
const FAULT_SCRIPT: &str = include_str!("page/fault.js");

/// One module; the parts share its scope.
const SCRIPT: &str = concat!(
    include_str!("page/dom.js"),
    include_str!("page/data.js"),
    include_str!("page/state.js"),
    include_str!("page/tables.js"),
    include_str!("page/moments.js"),
    include_str!("page/camera.js"),
    include_str!("page/paint.js"),
    include_str!("page/stage.js"),
    include_str!("page/sight.js"),
    include_str!("page/plots.js"),
    include_str!("page/detail.js"),
    include_str!("page/app.js"),
);

/// What the head of the page says of the whole set of runs.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct About {
    /// The page's title.
    pub title: String,
    /// The command that made it; empty if there is none to tell.
    pub command: String,
}

/// A fact beside the title.
#[derive(Serialize)]
struct Fact {
    name: &'static str,
    value: String,
    is_bad: bool,
}

/// What the page knows before a run is opened.
#[derive(Serialize)]
struct Index<'a> {
    title: &'a str,
    facts: Vec<Fact>,
    summary: Vec<Row<'a>>,
    skipped: &'a [Skipped],
    runs: Vec<Run<'a>>,
    moments: Vec<Moment>,
    classes: Vec<&'static str>,
    /// The limits of comfort, in the order of the runs' `comfort.…` columns.
    limits: Vec<ComfortLimit>,
}

#[derive(Serialize)]
struct ComfortLimit {
    name: &'static str,
    range: [f64; 2],
}

#[derive(Serialize)]
struct Run<'a> {
    #[serde(flatten)]
    result: &'a RunResult,
    injection: &'a str,
    description: &'a str,
    body: EgoBody,
    map: usize,
    /// What positions are counted from, m.
    origin: [f64; 2],
    proposals: Vec<&'a str>,
    /// By what it saw; empty where it saw everything as it is.
    cameras: Vec<sight::View>,
}

/// The whole page.
pub fn render(about: &About, results: &Results, traces: &[Trace]) -> std::io::Result<String> {
    let signals: Vec<Signals> = traces.iter().map(Signals::of).collect();
    let (places, place_of_run) = places::places(traces);
    let index = Index {
        title: &about.title,
        facts: facts(about, results),
        summary: rows(&results.summary, traces),
        skipped: &results.skipped,
        runs: traces.iter().zip(&place_of_run).map(|(trace, &map)| run(trace, map, places[map].origin)).collect(),
        moments: worst_first(traces.iter().zip(&signals)),
        classes: runs::CLASSES.iter().map(|(_, name)| *name).collect(),
        limits: LIMITS.iter().map(|limit| ComfortLimit { name: limit.name, range: [limit.low, limit.high] }).collect(),
    };
    let mut data = block("index", "application/json", &json(&index)?);
    for (number, place) in places.iter().enumerate() {
        data += &block(&format!("map-{number}"), "text/plain", &place.encode().finish()?);
    }
    for (number, (trace, signals)) in traces.iter().zip(&signals).enumerate() {
        let columns = runs::encode(trace, signals, places[place_of_run[number]].origin);
        data += &block(&format!("run-{number}"), "text/plain", &columns.finish()?);
        if let Some(seen) = &trace.seen {
            data += &block(&format!("pictures-{number}"), "application/json", &json(&sight::files(seen))?);
        }
    }
    Ok(fill(&[
        ("fault-hash", &content_hash(FAULT_SCRIPT)),
        ("script-hash", &content_hash(SCRIPT)),
        ("style", STYLE),
        ("fault-script", FAULT_SCRIPT),
        ("data", &data),
        ("script", SCRIPT),
    ]))
}

fn facts(about: &About, results: &Results) -> Vec<Fact> {
    let fact = |name, value: String, is_bad| Fact { name, value, is_bad };
    let mut facts = Vec::new();
    if !about.command.is_empty() {
        facts.push(fact("Command", about.command.clone(), false));
    }
    if results.lost_injected > 0 {
        facts.push(fact("Messages lost as injected", results.lost_injected.to_string(), false));
    }
    facts.push(fact("Messages lost", results.lost_unintended.to_string(), results.lost_unintended > 0));
    if !results.complete {
        facts.push(fact("Complete", "no".into(), true));
    }
    facts.push(fact("SHA-256", results.recording_sha256.clone(), false));
    facts
}

fn run<'a>(trace: &'a Trace, map: usize, origin: [f64; 2]) -> Run<'a> {
    Run {
        result: &trace.result,
        injection: &trace.injection,
        description: &trace.description,
        body: trace.body,
        map,
        origin,
        proposals: runs::proposals(trace),
        cameras: trace.seen.as_ref().map_or_else(Vec::new, |seen| sight::views(&seen.rig)),
    }
}

/// Data for the script. Neither JSON as [`json`] writes it nor base64 can hold the `<` that would end it.
fn block(id: &str, media_type: &str, text: &str) -> String {
    format!("<script type=\"{media_type}\" id=\"{id}\">{text}</script>\n")
}

/// JSON that is safe inside a script element: `<` occurs only within strings, and is written as its escape there.
fn json(value: &impl Serialize) -> std::io::Result<String> {
    Ok(serde_json::to_string(value)?.replace('<', "\\u003c"))
}

/// The source expression by which a content security policy allows exactly this script (CSP level 3, §2.3.1).
fn content_hash(script: &str) -> String {
    format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(Sha256::digest(script)))
}

/// The skeleton with its `{{names}}` replaced; what is filled in is not looked at again.
fn fill(parts: &[(&str, &str)]) -> String {
    let mut pieces = SKELETON.split("{{");
    let mut html = String::from(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").unwrap_or((piece, ""));
        html += parts.iter().find(|(part, _)| *part == name).map_or("", |(_, text)| text);
        html += rest;
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_cannot_leave_their_script_element() {
        let text = json(&["</script><img src=x onerror=alert(1)>", "<!--<script>"]).unwrap();
        assert!(!text.contains('<'));
        let back: Vec<String> = serde_json::from_str(&text).unwrap();
        assert_eq!(back[1], "<!--<script>");
    }

    #[test]
    fn every_part_of_the_skeleton_is_filled_and_scripts_do_not_end_early() {
        let html = render(&About::default(), &Results::default(), &[]).unwrap();
        assert!(!html.contains("{{"));
        assert!(!SCRIPT.contains("</script") && !FAULT_SCRIPT.contains("</script") && !STYLE.contains("</style"));
    }

    #[test]
    fn content_hashes_are_those_of_the_standard() {
        // The example of the Content Security Policy Level 3 text, §8.4 ("alert('Hello, world.');").
        assert_eq!(content_hash("alert('Hello, world.');"), "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=");
    }
}
