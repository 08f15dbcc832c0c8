use super::run::Part;
use super::*;

fn run<'a>(map: &'a Map, route: &'a Route, states: &'a [VehicleState], traffic: &'a Traffic) -> Run<'a> {
    Run { body: BODY, map, route, states, history: &[], traffic, signals: &[], plans: &[], reference_progress_m: None }
}

fn car(id: u32, x: f64, y: f64, speed_mps: f64) -> Obstacle {
    Obstacle { id, class: Class::Car, pose: Pose2::new(x, y, 0.0), length: 4.0, width: 2.0, speed_mps }
}

#[test]
fn a_clean_run_is_perfect_and_knows_its_way() {
    let (map, states) = (map(), straight(0.0, 0.0, 8.0, 151));
    let route = route(&map);
    let score = score_run(&run(&map, &route, &states, &Traffic::observed(vec![Vec::new(); 151])));
    assert_eq!(score.raw, SubScores::PERFECT);
    assert!((score.progress_m - 120.0).abs() < 1e-6 && (score.distance_m - 120.0).abs() < 1e-9);
    assert!(score.events.is_empty() && score.ttc_s.iter().all(Option::is_none));
}

#[test]
fn a_rear_end_crash_is_told_with_its_track_and_impact() {
    let (map, states) = (map(), straight(0.0, 0.0, 10.0, 60));
    let route = route(&map);
    // Drives 4 m/s ahead: the gap of 24.5 m closes at 6 m/s.
    let traffic = Traffic::observed((0..60).map(|step| [car(42, 30.5 + 0.4 * f64::from(step), 0.0, 4.0)]));
    let score = score_run(&run(&map, &route, &states, &traffic));
    assert_eq!((score.raw.nc, score.raw.ttc, score.at_fault_collisions()), (0.0, 0.0, 1));
    let crash = score.collisions[0];
    assert_eq!((crash.id, crash.kind, crash.step), (42, CollisionKind::Front, 41));
    assert!((crash.impact_mps - 6.0).abs() < 1e-12);
    let event = score.events.iter().find(|event| event.part == Part::Nc).unwrap();
    assert_eq!((event.step, event.track), (41, Some(42)));
    assert_eq!(event.text, "at-fault collision with car 42 at 6.0 m/s (front)");
    // Constant velocities: the time left falls by 0.1 s a step.
    assert_eq!(score.ttc_s[0], Some(24.5 / 6.0));
    assert!((score.ttc_s[30].unwrap() - (24.5 / 6.0 - 3.0)).abs() < 1e-9);
}

#[test]
fn agents_are_only_where_they_were_seen() {
    let (map, states) = (map(), straight(0.0, 0.0, 10.0, 60));
    let route = route(&map);
    // Stands in the way, but is gone before the ego gets there (step 25) and while it would breach TTC (from 16 on).
    let gone = Traffic::observed((0..60).map(|step| (step < 16).then(|| car(1, 30.5, 0.0, 0.0))));
    assert_eq!(score_run(&run(&map, &route, &states, &gone)).raw, SubScores::PERFECT);
    // Appears late.
    let from =
        |first: usize| Traffic::observed((0..60).map(move |step| (step >= first).then(|| car(1, 30.5, 0.0, 0.0))));
    let late = from(19);
    let score = score_run(&run(&map, &route, &states, &late));
    assert_eq!((score.raw.nc, score.raw.ttc), (0.0, 0.0));
    assert_eq!((score.ttc_s[18], score.collisions[0].step), (None, 25));
    assert_eq!((late.agents(), late.steps()), (1, 60));
    assert!(late.outline(0, 18).is_none() && late.outline(0, 19).is_some());
    // Appears when nobody could keep clear of it any more.
    assert_eq!(score_run(&run(&map, &route, &states, &from(20))).raw, SubScores::PERFECT);
}

#[test]
fn the_lights_of_each_step_count_and_leaving_the_road_is_told_once_a_time() {
    let map = map();
    let route = route(&map);
    let mut states = straight(60.0, 0.0, 10.0, 80);
    for state in &mut states[30..35] {
        state.pose.y = -1.5;
    }
    // In the crossing (bumper at 100 from step 36 on) it turns red at step 50.
    let color = |step: usize| if step < 50 { SignalColor::Green } else { SignalColor::Red };
    let signals: Vec<_> = (0..80).map(|step| vec![(CROSSING, color(step))]).collect();
    let traffic = Traffic::default();
    let score = score_run(&Run { signals: &signals, ..run(&map, &route, &states, &traffic) });
    assert_eq!((score.raw.tlc, score.raw.dac), (0.0, 0.0));
    let steps =
        |part| score.events.iter().filter(|event| event.part == part).map(|event| event.step).collect::<Vec<_>>();
    assert_eq!((steps(Part::Tlc), steps(Part::Dac)), (vec![50], vec![30]));
    let green: Vec<_> = (0..80).map(|_| vec![(CROSSING, SignalColor::Green)]).collect();
    assert_eq!(score_run(&Run { signals: &green, ..run(&map, &route, &states, &traffic) }).raw.tlc, 1.0);
}

#[test]
fn discomfort_is_told_with_value_and_limit() {
    let map = map();
    let route = route(&map);
    let mut states = straight(0.0, 0.0, 10.0, 80);
    for state in &mut states[40..60] {
        state.acceleration_mps2 = 3.0;
    }
    let traffic = Traffic::default();
    let score = score_run(&run(&map, &route, &states, &traffic));
    assert_eq!(score.raw.hc, 0.0);
    assert!(score.events.iter().any(|event| event.part == Part::Hc
        && (40..60).contains(&event.step)
        && event.text.starts_with("longitudinal acceleration 3.")
        && event.text.ends_with("m/s² (limit 2.40)")));
}

#[test]
fn extended_comfort_is_the_share_of_alike_plans_half_a_second_apart() {
    let map = map();
    let route = route(&map);
    let states = straight(0.0, 0.0, 10.0, 40);
    let plan = |step: usize, acceleration_mps2: f64| -> (usize, Rollout) {
        let plan = straight(step as f64, 0.0, 10.0, 41);
        (step, plan.into_iter().map(|state| VehicleState { acceleration_mps2, ..state }).collect())
    };
    // Pairs (0, 5), (5, 10), (10, 15); the one at 12 has no partner.
    let plans = [plan(0, 0.0), plan(5, 0.0), plan(10, 1.5), plan(12, 0.0), plan(15, 1.5)];
    let traffic = Traffic::default();
    let score = score_run(&Run { plans: &plans, ..run(&map, &route, &states, &traffic) });
    assert!((score.raw.ec - 2.0 / 3.0).abs() < 1e-12);
    assert_eq!(score.events.iter().map(|event| (event.part, event.step)).collect::<Vec<_>>(), [(Part::Ec, 10)]);
}

#[test]
fn progress_is_relative_to_the_reference_when_that_is_better() {
    let (map, states) = (map(), straight(0.0, 0.0, 8.0, 101));
    let route = route(&map);
    let traffic = Traffic::default();
    let mut score = score_run(&Run { reference_progress_m: Some(160.0), ..run(&map, &route, &states, &traffic) });
    assert!((score.raw.ep - 0.5).abs() < 1e-6);
    score.set_reference_progress_m(40.0);
    assert_eq!(score.raw.ep, 1.0);
    assert!((score.reference_progress_m() - 80.0).abs() < 1e-6);
}

#[test]
fn a_run_of_no_step_is_perfect() {
    let map = map();
    let route = route(&map);
    let score = score_run(&run(&map, &route, &[], &Traffic::default()));
    assert_eq!((score.raw, score.distance_m), (SubScores::PERFECT, 0.0));
}
