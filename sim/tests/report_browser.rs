//! The report in a real browser: what a reader sees must be there once the scripts have run.

#![allow(clippy::unwrap_used)]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use support::worlds::reference_drive;
use support::{Drive, drive, street};
use tandem_sim::camera::rig;
use tandem_sim::faults::{CameraFault, CameraFaultKind, Faults, Window};
use tandem_sim::report::{self, About};
use tandem_sim::suite::{Case, Driver, Progress, Results, Run, Skipped, Suite};
use tandem_sim::{CameraSight, Sight, Trace, TrafficMode, world};

/// The browser, or `None` with the reason printed; on CI there must be one.
fn chromium() -> Option<PathBuf> {
    let named = std::env::var_os("TANDEM_CHROMIUM").map(PathBuf::from);
    let on_path = || {
        let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
        let names = ["chromium", "chromium-browser", "google-chrome"];
        names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
    };
    let found = named.or_else(on_path);
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "no browser: install chromium or set TANDEM_CHROMIUM");
        println!("skipped: no chromium, chromium-browser or google-chrome on PATH, and TANDEM_CHROMIUM is not set");
    }
    found
}

/// A page as it is after its scripts have run.
struct Page(String);

impl Page {
    fn open(browser: &Path, report: &Path, hash: &str) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let output = Command::new(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--window-size=1440,900", "--virtual-time-budget=60000", "--dump-dom"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("file://{}#{hash}", report.display()))
            .output()
            .unwrap();
        let page = Self(String::from_utf8(output.stdout).unwrap());
        assert_eq!(page.attribute("<html", "data-fault"), None, "the page reports a fault");
        assert_eq!(page.attribute("<html", "data-ready"), Some("yes"), "{}", String::from_utf8_lossy(&output.stderr));
        page
    }

    /// The value of an attribute of the first tag that starts so.
    fn attribute(&self, tag: &str, name: &str) -> Option<&str> {
        let start = self.0.find(tag)?;
        let tag = &self.0[start..start + self.0[start..].find('>')?];
        let value = tag.split_once(&format!(" {name}=\""))?.1;
        value.split('"').next()
    }

    /// The markup between the tag with this id and the next closing tag of its kind.
    fn inside(&self, tag: &str, id: &str) -> &str {
        let from_id = self.0.split_once(&format!("id=\"{id}\"")).unwrap().1;
        let from = from_id.split_once('>').unwrap().1;
        from.split_once(&format!("</{tag}>")).unwrap().0
    }

    fn rows(&self) -> Vec<&str> {
        let body = self.inside("table", "runs").split_once("<tbody>").unwrap().1;
        body.split("<tr").skip(1).collect()
    }
}

/// Three planners on two logs; the hasty one drives into the pedestrian.
fn report(name: &str, logs: [&str; 2]) -> PathBuf {
    let map = Arc::new(street());
    let mut traces = Vec::new();
    for (number, log) in logs.into_iter().enumerate() {
        for (planner, haste) in [("tandem", 0.95), ("idm", 0.7), ("constant-velocity", 1.1)] {
            for (traffic, slower) in [("replay", 0.0), ("reactive", 0.05)] {
                let haste = haste - slower - 0.03 * number as f64;
                traces.push(drive(&map, &Drive { log, planner, traffic, haste, ..Drive::default() }));
            }
        }
    }
    let delayed = Drive { planner: "tandem", injection: "delay 100 ms, drop 0.1", haste: 1.04, ..Drive::default() };
    traces.push(drive(&map, &delayed));
    write(name, &traces)
}

fn write(name: &str, traces: &[Trace]) -> PathBuf {
    let about =
        About { title: "Streets".into(), command: "tandem drive --planner tandem,idm,constant-velocity".into() };
    let run = |trace: &Trace| Run {
        result: trace.result.clone(),
        source: "made by hand".into(),
        tags: Vec::new(),
        injection: trace.injection.clone(),
        lost_injected: 0,
        lost_unintended: 0,
        ego_track_sound: true,
        complete: true,
        recording_sha256: "e3b0c44298fc1c149afbf4c8996fb924".into(),
    };
    let skipped = Skipped {
        log: "street-0003".into(),
        source: "made by hand".into(),
        reason: "has no map".into(),
        is_damaged: false,
    };
    let results = Results::new(traces.iter().map(run).collect(), vec![skipped]);
    report::write(&Path::new(env!("CARGO_TARGET_TMPDIR")).join(name), &about, &results, traces).unwrap()
}

#[test]
fn all_runs_are_listed_the_worst_run_and_moment_first() {
    let Some(browser) = chromium() else { return };
    let page = Page::open(&browser, &report("listed", ["street-0001", "street-0002"]), "");
    let rows = page.rows();
    assert_eq!(rows.len(), 13);
    assert!(rows[0].contains("constant-velocity") && rows[0].contains("aria-selected=\"true\""), "{}", rows[0]);
    assert!(rows[12].contains("tandem"), "{}", rows[12]);
    let summary = page.inside("table", "summary").split_once("<tbody>").unwrap().1;
    assert_eq!(summary.matches("<tr").count(), 7, "three planners × two kinds of traffic, and one injection");
    let moments: Vec<&str> = page.inside("ol", "moments").split("<li").skip(1).collect();
    assert!(moments[0].contains("at-fault collision with pedestrian 8"), "{}", moments[0]);
    assert!(page.inside("ol", "notes").contains("no signal states"));
    assert!(page.inside("ol", "notes").contains("has no map"), "logs that were not driven are named");
}

#[test]
fn a_deep_link_shows_that_run_at_that_time_beside_another() {
    let Some(browser) = chromium() else { return };
    let path = report("linked", ["street-0001", "street-0002"]);
    let page = Page::open(&browser, &path, "run=2&t=12.3&beside=4&camera=north&probe=1");
    assert_eq!(page.attribute("<html", "data-probed"), Some("2@12.3"));
    assert!(page.inside("h2", "run-title").starts_with("street-0001"));
    assert!(page.inside("output", "clock").starts_with("12.3 / 19.9"));
    let canvases: Vec<&str> = page.0.split("<canvas").filter(|tag| tag.contains("data-painted")).collect();
    assert_eq!(canvases.len(), 2, "both stages are painted");
    for canvas in canvases {
        let number = |name: &str| -> f64 {
            canvas.split_once(&format!("{name}=\"")).unwrap().1.split('"').next().unwrap().parse().unwrap()
        };
        assert!(number("data-painted") > 0.1 && number("data-colors") > 50.0, "{}", &canvas[..200]);
    }
}

/// Runs a script of events in the page, in place of the policy that forbids just that, and returns what it noted.
/// Frames come by the page's timer, so that they keep step with the browser's virtual time.
fn noted(browser: &Path, report: &Path, events: &str) -> String {
    let html = std::fs::read_to_string(report).unwrap();
    let (head, rest) = html.split_once("<meta http-equiv=").unwrap();
    let (_, body) = rest.split_once('>').unwrap();
    let script =
        format!("<script type=\"module\">{}{events}{}</script>", include_str!("support/events.js"), "await end();");
    let frames = "<script>requestAnimationFrame = (draw) => setTimeout(() => draw(performance.now()), 16)</script>";
    let scripted = report.with_file_name("scripted.html");
    std::fs::write(&scripted, format!("{head}{frames}{body}{script}")).unwrap();
    let page = Page::open(browser, &scripted, "run=0&t=5.0");
    page.attribute("<html", "data-noted").unwrap().to_owned()
}

#[test]
fn keys_and_pointer_do_what_the_help_says() {
    let Some(browser) = chromium() else { return };
    let path = report("keys", ["street-0001", "street-0002"]);
    let at = |events: &str| noted(&browser, &path, events);
    let clock = "note(text('#clock'));";
    assert_eq!(
        at(&format!("await press('ArrowRight'); {clock} await press('ArrowLeft', true); {clock}")),
        "5.1 / 19.9 s|4.1 / 19.9 s"
    );
    assert_eq!(at(&format!("await press('End'); {clock} await press('Home'); {clock}")), "19.9 / 19.9 s|0.0 / 19.9 s");
    // Playing moves the time on; at 4× faster.
    let played = at("await press(' '); await wait(1000); await press(' '); note(parseFloat(text('#clock')) > 5.5);");
    assert_eq!(played, "true");
    // The next run in the list, another run beside it, and the camera.
    let shown = "note(text('#run-title')); note(document.querySelectorAll('.stage:not([hidden])').length);";
    let stepped = at(&format!("await press('Home'); await press('k'); {shown} await press('c'); {shown}"));
    let parts: Vec<&str> = stepped.split('|').collect();
    assert_eq!((parts[1], parts[3]), ("1", "2"), "{stepped}");
    assert_ne!(parts[0], "street-0001 tandem · replay", "{stepped}");
    // A click on a run, on a moment and on a row of the summary.
    assert_eq!(at("await click('#runs tbody tr:nth-child(2)'); note(location.hash.split('&')[0]);"), "#run=5");
    assert!(at("await click('.moment'); note(text('.events'));").starts_with("at-fault collision with pedestrian 8"));
    assert_eq!(at("await click('#summary tbody tr'); note(document.querySelectorAll('#runs tbody tr').length);"), "2");
    // Sorting by another column, twice.
    let sorted = "note(text('#runs tbody tr td:nth-child(2)'));";
    let by_planner = format!("await click('#runs th:nth-child(2) button'); {sorted}");
    assert_eq!(at(&format!("{by_planner} {by_planner}")), "constant-velocity|tandem");
    // The wheel zooms in: the scale bar stands for fewer metres; the pointer finds the ego's neighbour.
    let zoomed = at(
        "const before = parseInt(text('.scale-bar')); await wheel('.stage canvas', -1500); note(parseInt(text('.scale-bar')) < before);",
    );
    assert_eq!(zoomed, "true");
    let tip = at("await press('Home'); await sweep('.stage canvas'); note(text('.tip'));");
    assert!(tip.contains(" m/s · ") && tip.ends_with(" m"), "{tip}");
}

#[test]
fn generated_worlds_of_every_kind_are_painted() {
    let Some(browser) = chromium() else { return };
    let kinds = world::Kind::ALL.len();
    let traces: Vec<Trace> = (0..kinds as u64).map(reference_drive).collect();
    let path = write("worlds", &traces);
    let page = Page::open(&browser, &path, "run=0&t=4&probe=1&camera=still");
    assert_eq!(page.rows().len(), kinds);
    assert_eq!(page.attribute("<html", "data-probed"), Some("0@4.0"));
    let steps = "for (let i = 0; i < 9; i++) { await press('j'); note(text('.speed')); }";
    assert_eq!(noted(&browser, &path, steps).matches("m/s").count(), 9, "each run opens without a fault");
}

#[test]
fn a_filter_keeps_only_what_it_names() {
    let Some(browser) = chromium() else { return };
    let page = Page::open(&browser, &report("filtered", ["street-0001", "street-0002"]), "filter=0002+idm");
    let rows = page.rows();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.contains("street-0002") && row.contains("idm")));
}

#[test]
fn hostile_log_ids_are_shown_as_text_and_run_nothing() {
    let Some(browser) = chromium() else { return };
    let hostile = "</script><img src=x onerror=\"document.documentElement.dataset.owned='yes'\">";
    let page = Page::open(&browser, &report("hostile", [hostile, "<!--<script>"]), "probe=1");
    assert_eq!(page.attribute("<html", "data-owned"), None);
    assert_eq!(page.rows().len(), 13);
    assert!(!page.0.contains("<img"), "no element was made of it");
    assert!(page.rows().iter().any(|row| row.contains("&lt;/script&gt;&lt;img src=x")));
    assert!(page.0.contains("a bus &lt;b&gt;coming&lt;/b&gt;"));
}

#[test]
fn a_report_without_runs_or_frames_opens() {
    let Some(browser) = chromium() else { return };
    let page = Page::open(&browser, &write("empty", &[]), "");
    assert!(page.rows().is_empty());
    let still = drive(&Arc::new(street()), &Drive { frames: 0, ..Drive::default() });
    let page = Page::open(&browser, &write("empty", &[still]), "");
    assert_eq!(page.rows().len(), 1);
}

#[test]
fn a_run_by_cameras_shows_what_each_saw() {
    let Some(browser) = chromium() else { return };
    let oracle = CameraSight { rig: rig::nuscenes(64, 24), ..CameraSight::oracle() };
    let during = Window { from_s: 4.0, to_s: 6.0 };
    let missing = CameraFault { camera: "back".into(), kind: CameraFaultKind::Missing, during };
    let suite = Suite {
        traffic: vec![TrafficMode::Replay],
        drivers: vec![Driver::alone("tandem", Sight::Cameras(Arc::new(oracle)))],
        faults: vec![Faults { cameras: vec![missing], ..Faults::default() }],
    };
    let traces = Mutex::new(Vec::new());
    let keep = |progress| {
        if let Progress::Run(_, trace) = progress {
            traces.lock().unwrap().push(*trace);
        }
    };
    suite.run(&[Case::world(1)], &keep).unwrap();
    let path = write("cameras", &traces.into_inner().unwrap());
    let page = Page::open(&browser, &path, "run=0&t=2.5");
    assert_eq!(page.attribute("<div id=\"sight\"", "data-shown"), Some("2: 6"));
    assert_eq!(page.0.matches("aria-label=\"Camera ").count(), 6);
    assert!(page.rows()[0].contains("oracle"));
    let page = Page::open(&browser, &path, "run=0&t=5.5");
    assert_eq!(page.attribute("<div id=\"sight\"", "data-shown"), Some("5: 5"));
    assert!(page.0.contains("no image"));
    // A run that saw everything as it is has no such pictures.
    let page = Page::open(&browser, &report("sightless", ["street-0001", "street-0002"]), "");
    assert!(page.attribute("<div id=\"sight\"", "hidden").is_some());
}

/// Runs whose agents all jitter as tracked ones do, which packs worst.
#[test]
fn forty_long_crowded_runs_stay_below_fifteen_megabytes() {
    let map = Arc::new(street());
    let crowded = Drive { parked: 85, ..Drive::default() };
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut traces = Vec::new();
    for i in 0..40 {
        let mut trace = drive(&map, &Drive { haste: 0.6 + 0.01 * f64::from(i), ..crowded });
        for agent in trace.frames.iter_mut().flat_map(|frame| &mut frame.agents) {
            agent.pose.x += random.random_range(-0.05..0.05);
            agent.pose.y += random.random_range(-0.05..0.05);
            agent.pose.yaw += random.random_range(-0.02..0.02);
            agent.speed_mps += random.random_range(0.0..0.1);
        }
        traces.push(trace);
    }
    let bytes = std::fs::metadata(write("large", &traces)).unwrap().len();
    println!("40 runs × 200 frames × 100 jittering agents: {:.1} MB", bytes as f64 / 1e6);
    assert!(bytes < 15_000_000);
}
