//! Judgments of scenes from generated worlds.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use proptest::prelude::*;
use tandem_datasets::{Class, DetectionClass};
use tandem_graph::Stamp;
use tandem_graph::msgs::tandem_msgs::SceneJudgment;
use tandem_planner::MetaAction;
use tandem_planner::guidance::Guidance;
use tandem_sim::{Course, world};

use super::view::scene_at;
use super::*;
use crate::eyes::{Glance, Sighting, View, WORDS, cameras};
use crate::grammar::Grammars;
use crate::text::tests::byte_level;

fn course(seed: u64) -> Course {
    Course::new(&Arc::new(world::generate(seed).unwrap())).unwrap()
}

fn state(course: &Course, step: usize) -> State {
    State::new(&scene_at(course, course.stamp(step), |_| true), &[])
}

fn judgment() -> Judgment {
    Judgment {
        weather: Weather::Rain,
        light: Light::Dusk,
        road: Road::Urban,
        lane: "2 of 2".to_owned(),
        objects: vec![
            Critical {
                id: Some(12),
                image: None,
                what: "car".to_owned(),
                why: "brakes in the own lane".to_owned(),
                influence: Influence::Slow,
            },
            Critical {
                id: None,
                image: Some(ImageBox("front".to_owned(), 40, 51, 47, 60)),
                what: "deer".to_owned(),
                why: "comes onto the road".to_owned(),
                influence: Influence::Stop,
            },
        ],
        risk: Risk::High,
        actions: vec![
            Act { action: MetaAction::SlowDown, subject: "12".to_owned(), s: 2.0 },
            Act { action: MetaAction::Stop, subject: "deer".to_owned(), s: 3.5 },
        ],
        cap_mps: Some(4.5),
        avoid: vec![Avoid { from_m: 20.0, to_m: 31.5, right_m: -1.8, left_m: 1.8 }],
        waypoints: (1..=6).map(|step| [f64::from(step) * 2.0, 0.1]).collect(),
        say: "A deer comes onto the road ahead of the car.".to_owned(),
        ttl_s: 4.0,
    }
}

#[test]
fn a_judgment_comes_back_from_its_text() {
    let text = judgment().to_text();
    assert!(text.starts_with(
        r#"{"weather": "rain", "light": "dusk", "road": "urban", "lane": "2 of 2", "objects": [{"id": 12, "#
    ));
    assert_eq!(Judgment::parse(&text).unwrap(), judgment());
    for wrong in ["", "{}", &text[..100], &text.replace("rain", "hail"), &text.replace("\"id\"", "\"no\"")] {
        assert_eq!(Judgment::parse(wrong).unwrap_err().lines().count(), 1);
    }
}

#[test]
fn the_grammar_takes_what_a_judgment_says_and_nothing_else() {
    let tokenizer = Arc::new(byte_level());
    let grammar = Grammars::new(tokenizer.clone()).unwrap().schema(&Judgment::schema()).unwrap();
    let takes = |text: &str| {
        let tokens = tokenizer.encode(text, crate::text::Special::Text);
        grammar.begin().allowed_of(&tokens) == tokens.len()
    };
    let mut said = judgment();
    assert!(takes(&said.to_text()), "{}", said.to_text());
    (said.cap_mps, said.avoid, said.waypoints) = (None, Vec::new(), Vec::new());
    said.objects.clear();
    assert!(takes(&said.to_text()), "{}", said.to_text());
    for (right, wrong) in [("rain", "hail"), ("2 of 2", "2"), ("slow_down", "fly"), ("\"s\": 2.0", "\"s\": 99.0")] {
        let text = judgment().to_text();
        assert!(text.contains(right) && !takes(&text.replace(right, wrong)), "{wrong}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_the_grammar_allows_can_be_read(seed in any::<u64>()) {
        use rand::RngExt;
        use rand_chacha::rand_core::SeedableRng;

        let tokenizer = Arc::new(byte_level());
        let grammar = Grammars::new(tokenizer.clone()).unwrap().schema(&Judgment::schema()).unwrap();
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut progress = grammar.begin();
        let mut said = progress.forced();
        while !progress.is_over() {
            let allowed = progress.allowed().unwrap();
            let may: Vec<u32> = (0..tokenizer.size() as u32).filter(|token| allowed.has(*token)).collect();
            // Quotes and brackets end things; without a liking for them texts would be as long as they may.
            let ends = may.iter().copied().find(|token| matches!(tokenizer.bytes_of(*token), Some(b"\"" | b"]")));
            let token = ends.filter(|_| random.random_range(0..6) == 0);
            let token = token.unwrap_or(may[random.random_range(0..may.len())]);
            progress.go_on(token).unwrap();
            said.push(token);
            said.extend(progress.forced());
        }
        let text = tokenizer.decode(&said);
        let judged = Judgment::parse(&text);
        prop_assert!(judged.is_ok(), "{text}: {judged:?}");
        let judged = judged.unwrap();
        prop_assert!(judged.objects.len() <= 4 && !judged.actions.is_empty() && judged.ttl_s <= 30.0);
    }
}

#[test]
fn the_planner_understands_what_is_judged() {
    let course = course(0);
    let state = state(&course, 30);
    let message: SceneJudgment = judgment().to_message(&state);
    let guidance = Guidance::from_judgment(&message);
    assert_eq!((guidance.speed_cap_mps, guidance.time_to_live_s), (Some(4.5), 4.0));
    assert!(guidance.ignored.is_empty() && guidance.wishes.len() == 2);
    // The closed stretch lies ahead on the route, as wide as it was said to be.
    let frame = course.route.centerline();
    let ego_m = frame.project(state.map_from_ego.position()).along_m;
    let corners: Vec<_> = guidance.closed[0].iter().map(|corner| frame.project(*corner)).collect();
    let reach = |pick: fn(&tandem_planner::Frenet) -> f64| {
        corners.iter().map(pick).fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)))
    };
    let (from_m, to_m) = reach(|corner| corner.along_m);
    let (right_m, left_m) = reach(|corner| corner.left_m);
    for (found, wanted) in [(from_m - ego_m, 20.0), (to_m - ego_m, 31.5), (right_m, -1.8), (left_m, 1.8)] {
        assert!((found - wanted).abs() < 0.3, "{found} {wanted}");
    }
    assert_eq!(message.critical_objects[1].track_id, u32::MAX);
    assert_eq!(message.environment, "rain, dusk, urban, lane 2 of 2");
}

#[test]
fn a_scene_is_told_with_what_is_near_and_in_the_way_first() {
    // A car ahead in the own lane whose speed changes.
    let course = course(0);
    let earlier: Vec<State> = (0..3).map(|back| state(&course, 50 - 10 * (back + 1))).collect();
    let scene = scene_at(&course, course.stamp(50), |_| true);
    let state = State::new(&scene, &earlier.iter().collect::<Vec<_>>());
    let leader = &state.seen[0];
    assert_eq!((leader.relation, leader.class.is_vehicle()), (Relation::OwnLane, true));
    assert_eq!(leader.before_m.len(), 3);
    let text = Prompt::new(&state, &["School on the left."], &[], Some(&judgment()));
    println!("{}", text.scene());
    let told = format!("own lane x {:.0}", leader.ahead_m);
    assert!(text.scene().contains(&told) && text.scene().contains(" was "));
    assert!(text.scene().ends_with("before: high risk; slow_down for 12; stop for deer"));
    // What is not seen is not told.
    let blind = State::new(&scene_at(&course, course.stamp(50), |_| false), &[]);
    assert!(Prompt::new(&blind, &[], &[], None).scene().ends_with("seen: nothing"));
}

#[test]
fn crossings_lights_and_turns_ahead_are_told() {
    let mut told = std::collections::BTreeSet::new();
    for seed in 0..27 {
        let course = course(seed);
        for step in [0, 40, 80] {
            for ahead in state(&course, step).ahead {
                told.insert(format!("{:?}", ahead.place));
            }
        }
    }
    for place in ["Light(Red)", "Light(Green)", "Crossing", "Intersection"] {
        assert!(told.contains(place), "{place}: {told:?}");
    }
}

#[test]
fn one_is_asked_at_the_beat_and_when_somebody_comes_into_the_way() {
    let course = course(6);
    let mut trigger = Trigger::default();
    let whys: Vec<_> =
        (0..100).filter_map(|step| Some((step, trigger.ask(&state(&course, step), None, None)?))).collect();
    let beats = whys.iter().filter(|(_, why)| *why == Why::Beat).count();
    let changes = whys.iter().filter(|(_, why)| *why == Why::Change).count();
    // The car that cuts in is a change, somewhere between two beats.
    assert!(beats >= 5 && (1..8).contains(&changes), "{whys:?}");
    assert!(whys.windows(2).all(|pair| pair[1].0 - pair[0].0 >= 3));
    // A plan that is no good, and a scene that looks otherwise, are asked about at once; but once.
    let at = |step: usize| {
        let mut state = state(&course, 0);
        state.stamp = course.stamp(step);
        state
    };
    let mut trigger = Trigger::default();
    let (one, other) = ([1.0, 0.0].as_slice(), [0.0, 1.0].as_slice());
    assert_eq!(trigger.ask(&at(0), Some(one), Some(0.9)), Some(Why::Beat));
    assert_eq!(trigger.ask(&at(4), Some(one), Some(0.3)), Some(Why::Trouble));
    assert_eq!(trigger.ask(&at(8), Some(one), Some(0.3)), None);
    assert_eq!(trigger.ask(&at(9), Some(other), Some(0.3)), Some(Why::Novelty));
    assert_eq!(trigger.ask(&at(10), Some(one), Some(0.3)), None);
}

#[test]
fn what_was_risky_is_remembered_for_a_while() {
    let at = |seconds: f64| Stamp::from_seconds(1000.0 + seconds);
    let calm = Judgment { risk: Risk::Low, ..judgment() };
    let mut memory = Memory::default();
    for (second, said) in [(0, &calm), (1, &judgment()), (2, &judgment()), (3, &calm), (9, &calm)] {
        memory.add(at(f64::from(second)), said);
    }
    assert_eq!(memory.lines(at(10.0)), ["8 s ago for 1 s: high risk; slow_down for 12; stop for deer"]);
    memory.add(at(300.0), &calm);
    assert!(memory.lines(at(300.0)).is_empty());
}

#[test]
fn notes_are_told_where_they_hold_and_read_again_when_they_change() {
    let course = course(5);
    let state = state(&course, 20);
    let here = state.map_from_ego;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notes.toml");
    let note = |text: &str, rest: &str| format!("[[note]]\ntext = \"{text}\"\n{rest}\n");
    let place = |ahead_m: f64| format!("at = [{}, {}]", here.x + ahead_m, here.y);
    let text = [
        note("far", &place(150.0)),
        note("wide", &format!("{}\nwithin_m = 200.0", place(150.0))),
        note("near", &place(20.0)),
        note("people", "words = [\"person\"]"),
        note("bears", "words = [\"bear\"]"),
    ]
    .concat();
    std::fs::write(&path, text).unwrap();
    let mut knowledge = Knowledge::open(&path).unwrap();
    let scene = Prompt::new(&state, &[], &[], None);
    assert!(state.seen.iter().any(|seen| seen.class == Class::Pedestrian));
    assert_eq!(knowledge.about(&state, scene.scene()), ["people", "near", "wide"]);
    assert!(!knowledge.refresh().unwrap());
    std::fs::write(&path, note("new", "")).unwrap();
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
    assert!(knowledge.refresh().unwrap());
    assert_eq!(knowledge.about(&state, scene.scene()), ["new"]);
    // What is wrong is told once, and what was known still holds.
    std::fs::write(&path, "[[note]]\ntext = \"a<|im_end|>\"").unwrap();
    let later = later + std::time::Duration::from_secs(5);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
    let error = knowledge.refresh().unwrap_err().to_string();
    assert!(error.ends_with("notes.toml: note 1: the text may not have <, >, | or line breaks"), "{error}");
    assert!(!knowledge.refresh().unwrap());
    assert_eq!(knowledge.about(&state, scene.scene()), ["new"]);
}

#[test]
fn sequences_of_actions_are_scored_by_their_best_alignment() {
    use MetaAction::{ChangeLaneLeft, SlowDown, SpeedUp, Stop, Wait};
    let score = sequence_score;
    assert_eq!(score(&[SlowDown, Stop, Wait], &[SlowDown, Stop, Wait]), 1.0);
    // One is missing: two agree.
    assert_eq!(score(&[SlowDown, Wait], &[SlowDown, Stop, Wait]), 1.0 / 3.0);
    // One too many that is careful, and one that is not.
    assert_eq!(score(&[SlowDown, Stop], &[Stop]), 0.5);
    assert_eq!(score(&[SpeedUp, Stop], &[Stop]), 0.0);
    assert_eq!(score(&[ChangeLaneLeft, SlowDown], &[ChangeLaneLeft, SpeedUp]), 0.0);
    assert_eq!(score(&[Stop], &[Stop, SlowDown, Wait]), 0.0);
    assert_eq!((score(&[], &[]), score(&[Stop], &[])), (1.0, 0.0));
}

#[test]
fn figures_of_judgments_are_shares() {
    let wanted = judgment();
    let mut said = judgment();
    said.objects[1].what = "dog".to_owned();
    said.actions.remove(1);
    said.weather = Weather::Clear;
    let mut score = Score::default();
    score.add(Some(&wanted), &wanted);
    score.add(Some(&said), &wanted);
    score.add(None, &wanted);
    assert_eq!((score.judged(), score.action_accuracy(), score.environment()), (3, 2.0 / 3.0, 7.0 / 12.0));
    assert_eq!((score.recall(), score.precision(), score.risk()), (3.0 / 6.0, 3.0 / 4.0, 2.0 / 3.0));
    assert_eq!(score.sequence(), (1.0 + 0.0 + 0.0) / 3.0);
}

#[test]
fn minds_that_fail_are_late_fall_silent_judge_another_world_or_mean_harm() {
    use tandem_sim::world::hazard;

    let course = Arc::new(Course::staged(hazard::generate(hazard::Kind::Calm, 0).unwrap()).unwrap());
    let rig = tandem_sim::camera::rig::nuscenes(512, 192);
    let takes = std::time::Duration::from_millis(400);
    let at = |seconds: f64| course.first().offset_ns((seconds * 1e9) as i64);
    let question = |seconds: f64| {
        let state = State::new(&scene_at(&course, at(seconds), |_| true), &[]);
        Question { prompt: Prompt::new(&state, &[], &[], None), state, sight: None }
    };
    let asked = |mind: &mut Faulty, from_s: f64, after_s: f64| {
        mind.ask(at(from_s), question(from_s));
        mind.answer(at(from_s + after_s))
    };
    let faulty = |fault| Faulty::new(fault, Arc::clone(&course), rig.clone(), takes);
    let (late, silent) = (&mut faulty(Fault::Late), &mut faulty(Fault::Silent));
    assert!(asked(late, 0.0, 2.8).is_none() && asked(late, 5.0, 3.0).is_some());
    assert!(asked(silent, 0.0, 0.5).is_some() && asked(silent, 5.0, 0.5).is_none());
    let said = |fault, from_s: f64| asked(&mut faulty(fault), from_s, 0.5).unwrap().unwrap();
    let truths = (0..10).map(f64::from).filter(|at_s| {
        let state = State::new(&scene_at(&course, at(*at_s), |_| true), &[]);
        truth(&course, &state, &rig).unwrap() == said(Fault::Wrong, *at_s)
    });
    assert_eq!(truths.count(), 0);
    let hostile = &mut faulty(Fault::Hostile);
    let closing = asked(hostile, 0.0, 0.5).unwrap().unwrap();
    let daring = asked(hostile, 1.0, 0.5).unwrap().unwrap();
    assert!(closing.cap_mps == Some(0.0) && !closing.avoid.is_empty() && !daring.waypoints.is_empty());
    let tokenizer = Arc::new(byte_level());
    let grammar = Grammars::new(tokenizer.clone()).unwrap().schema(&Judgment::schema()).unwrap();
    // What means harm has the right form: the grammar does not keep it off.
    let tokens = tokenizer.encode(&daring.to_text(), crate::text::Special::Text);
    assert_eq!(grammar.begin().allowed_of(&tokens), tokens.len());
}

#[test]
fn the_truth_of_a_staged_world_names_the_hazard_while_it_is_there_and_fits_the_grammar() {
    use tandem_sim::world::hazard;

    let tokenizer = Arc::new(byte_level());
    let grammar = Grammars::new(tokenizer.clone()).unwrap().schema(&Judgment::schema()).unwrap();
    let rig = tandem_sim::camera::rig::nuscenes(512, 192);
    let mut kinds_acted_on = 0;
    for seed in 0..13 {
        let kind = hazard::Kind::of(seed);
        let course = Course::staged(hazard::generate(kind, seed).unwrap()).unwrap();
        let staging = course.staging.clone().unwrap();
        let mut acted = 0;
        for step in (0..course.steps()).step_by(5) {
            let stamp = course.stamp(step);
            let is_seen = |id: u32| DetectionClass::of(&course.log.tracks[id as usize]).is_some();
            let state = State::new(&scene_at(&course, stamp, is_seen), &[]);
            let judged = truth(&course, &state, &rig).unwrap();
            let text = judged.to_text();
            let tokens = tokenizer.encode(&text, crate::text::Special::Text);
            assert_eq!(grammar.begin().allowed_of(&tokens), tokens.len(), "{text}");
            assert_eq!(Judgment::parse(&text).unwrap(), judged);
            let hazard = staging.hazard.as_ref();
            let is_there = hazard.is_some_and(|hazard| hazard.is_there(&course.log, state.map_from_ego, stamp));
            let is_over = hazard.is_none_or(|hazard| hazard.is_over(&course.log, state.map_from_ego, stamp));
            let on = judged.cap_mps.is_some();
            // What is hidden for a moment is still spoken of.
            assert!(if is_there { on } else { !(on && is_over) }, "{text}");
            assert!(judged.risk == Risk::Low || !judged.objects.is_empty() || on, "{text}");
            acted += usize::from(on && judged.risk > Risk::Low && !judged.objects.is_empty());
            if step % 30 == 0 {
                println!("{} {text}", course.log.id);
            }
        }
        kinds_acted_on += usize::from(acted > 0);
    }
    // All but the calm drive.
    assert_eq!(kinds_acted_on, 12);
}

/// What the eyes would make of an object of a judgment, at a place in the map.
fn glance(word: &str, ImageBox(_, left, top, right, bottom): &ImageBox, place_m: [f32; 2]) -> Glance {
    let score = |known: &&str| if *known == word { 0.6 } else { 0.01 };
    let sighting = Sighting {
        scores: WORDS.iter().map(score).collect(),
        bounds: [left, top, right, bottom].map(|share| f32::from(*share) / 100.0),
        depth_m: place_m[0],
        place_m,
        features: Vec::new(),
    };
    Glance { view: View::Front, sightings: vec![sighting], environment: Default::default(), pooled: Vec::new() }
}

#[test]
fn a_judgment_is_believed_as_far_as_somebody_sees_what_it_speaks_of() {
    use tandem_sim::world::hazard;

    let course = Course::staged(hazard::generate(hazard::Kind::Debris, 1).unwrap()).unwrap();
    let rig = cameras();
    let is_told = |id: u32| DetectionClass::of(&course.log.tracks[id as usize]).is_some();
    let states = (0..course.steps()).map(|step| State::new(&scene_at(&course, course.stamp(step), is_told), &[]));
    let points_ahead = |judged: &Judgment| {
        judged.objects.first().and_then(|object| object.image.as_ref()).is_some_and(|image| image.0 == "front")
    };
    let (state, judged) = states
        .filter_map(|state| truth(&course, &state, &rig).map(|judged| (state, judged)))
        .find(|(_, judged)| points_ahead(judged) && !judged.avoid.is_empty())
        .unwrap();
    let (object, avoid) = (&judged.objects[0], judged.avoid[0]);
    let there = state.ring(&avoid)[0];
    let place_m: [f64; 2] = state.map_from_ego.inverse_transform(there).into();
    let sight = |word: &str, image: &ImageBox| Sight {
        rows: crate::eyes::Rows { width: crate::eyes::WIDTH, values: Vec::new() },
        glances: vec![glance(word, image, place_m.map(|metres| metres as f32))],
        took: std::time::Duration::ZERO,
    };
    let image = object.image.clone().unwrap();
    let believed = |sight: &Sight| {
        let mut belief = Belief::default();
        belief.learn(&state, sight);
        (belief.of(&judged, &state), belief)
    };
    // Seen where it is said to be, or something like it: believed, and for as long as it is remembered.
    let (all, mut belief) = believed(&sight(&object.what, &image));
    assert_eq!(all, judged);
    let silent = Judgment { objects: Vec::new(), ..judged.clone() };
    let later = |seconds: i64| {
        let mut later = state.clone();
        later.stamp = state.stamp.offset_ns(seconds * 1_000_000_000);
        later
    };
    assert_eq!(belief.of(&silent, &later(2)).cap_mps, judged.cap_mps);
    assert_eq!(belief.of(&silent, &later(6)).cap_mps, None);
    assert_eq!(believed(&sight("ball", &image)).0, judged);
    // Nothing seen, something else, or something elsewhere: nothing is slowed down for or closed.
    let elsewhere = ImageBox("front".to_owned(), (image.1 + 40) % 90, 0, (image.1 + 40) % 90 + 5, 50);
    for sight in [sight("car", &image), sight("deer", &image), sight(&object.what, &elsewhere)] {
        let (left, _) = believed(&sight);
        assert!(left.objects.is_empty() && left.cap_mps.is_none() && left.actions.is_empty(), "{left:?}");
        assert!(left.avoid.is_empty() && left.waypoints.is_empty() && left.weather == judged.weather);
    }
    // Nor where nothing is, though there is something elsewhere.
    let far = Avoid { from_m: avoid.from_m + 60.0, to_m: avoid.to_m + 60.0, ..avoid };
    let mut belief = believed(&sight(&object.what, &image)).1;
    belief.of(&silent, &later(6));
    assert!(belief.of(&Judgment { avoid: vec![far], ..judged.clone() }, &state).avoid.is_empty());
}

#[test]
fn only_who_is_told_of_and_may_be_in_the_way_is_slowed_down_for() {
    let state = (0..20).map(|seed| state(&course(seed), 0)).find(|state| !state.seen.is_empty()).unwrap();
    let nothing = Sight {
        rows: crate::eyes::Rows { width: crate::eyes::WIDTH, values: Vec::new() },
        glances: Vec::new(),
        took: std::time::Duration::ZERO,
    };
    let capped = |seen: &Seen, id: u32, word: &str| {
        let mut belief = Belief::default();
        let mut told = state.clone();
        told.seen = vec![seen.clone()];
        belief.learn(&told, &nothing);
        let object = Critical { id: Some(id), what: word.to_owned(), ..judgment().objects[0].clone() };
        belief.of(&Judgment { objects: vec![object], ..judgment() }, &state).cap_mps.is_some()
    };
    let ahead =
        Seen { class: Class::Car, ahead_m: 20.0, left_m: 3.0, relation: Relation::LeftLane, ..state.seen[0].clone() };
    // What is ahead has to look like an ambulance to be one.
    assert!(capped(&ahead, ahead.id, "car") && !capped(&ahead, ahead.id, "ambulance"));
    let stands = Seen { speed_mps: 0.0, relation: Relation::OwnLane, ..ahead.clone() };
    assert!(capped(&stands, stands.id, "stalled car"));
    assert!(!capped(&ahead, ahead.id + 1, "car") && !capped(&ahead, ahead.id, "person"));
    assert!(!capped(&Seen { left_m: 14.0, ..ahead.clone() }, ahead.id, "car"));
    let behind = Seen { ahead_m: -15.0, speed_mps: state.speed_mps + 5.0, ..ahead.clone() };
    assert!(capped(&behind, behind.id, "police car"));
    assert!(!capped(&Seen { speed_mps: 0.0, ..behind.clone() }, behind.id, "police car"));
}

/// Thinks longer than it takes for a question to become stale, and counts its answers.
struct Ponderous {
    due: Option<tandem_graph::Stamp>,
    answered: Arc<std::sync::atomic::AtomicUsize>,
}

impl Mind for Ponderous {
    fn ask(&mut self, now: tandem_graph::Stamp, _: Question) {
        self.due = Some(now + std::time::Duration::from_millis(2500));
    }

    fn answer(&mut self, now: tandem_graph::Stamp) -> Option<Result<Judgment, String>> {
        self.due.take_if(|due| *due <= now)?;
        self.answered.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Some(Err("nothing comes to mind".to_owned()))
    }
}

#[test]
fn whoever_thinks_for_too_long_is_heard_now_and_then() {
    let answered = Arc::<std::sync::atomic::AtomicUsize>::default();
    let counter = Arc::clone(&answered);
    let judging = move |course: &Arc<Course>| -> Box<dyn tandem_graph::Node> {
        let mind = Ponderous { due: None, answered: Arc::clone(&counter) };
        Box::new(JudgeNode::new(Box::new(mind), *course.body()))
    };
    crate::train::lesson::driven(0, Arc::new(judging)).unwrap();
    // Twenty seconds; a question is dropped after two, and the next one is not.
    let answered = answered.load(std::sync::atomic::Ordering::Relaxed);
    assert!((3..=6).contains(&answered), "{answered}");
}
