use proptest::prelude::*;
use tandem_datasets::Box2;

use super::*;

#[test]
fn an_empty_road_is_driven_perfectly() {
    let found = scored(straight(0.0, 0.0, 10.0, 41), &[], &[]);
    assert_eq!(found.scores, SubScores::PERFECT);
    assert_eq!(found.scores.total(), 1.0);
    assert_eq!(found.scores.pdms(1.0), 1.0);
    assert!((found.progress_m - 40.0).abs() < 1e-6);
}

#[test]
fn a_standing_car_is_hit_when_the_bumpers_meet_and_expected_nine_tenths_of_a_second_earlier() {
    // The front bumper starts at x = 4, the car's rear is at 28.5: 24.5 m at 1 m a step.
    let found = scored(straight(0.0, 0.0, 10.0, 41), &[agent(7, Class::Car, [30.5, 0.0], 0.0, [0.0, 0.0])], &[]);
    assert_eq!((found.scores.nc, found.collision_step), (0.0, Some(25)));
    assert_eq!((found.scores.ttc, found.ttc_step), (0.0, Some(16)));
}

#[test]
fn a_cone_costs_half_an_agent() {
    let found = scored(straight(0.0, 0.0, 10.0, 41), &[agent(7, Class::Cone, [20.0, 0.0], 0.0, [0.0, 0.0])], &[]);
    assert_eq!(found.scores.nc, 0.5);
}

#[test]
fn who_overlaps_at_the_start_is_ignored_throughout() {
    let inside = agent(7, Class::Car, [3.0, 0.5], 0.0, [0.0, 0.0]);
    let found = scored(straight(0.0, 0.0, 10.0, 41), &[inside], &[]);
    assert_eq!((found.scores.nc, found.scores.ttc), (1.0, 1.0));
}

#[test]
fn being_hit_from_behind_is_not_the_egos_fault() {
    let chaser = agent(7, Class::Car, [-15.0, 0.0], 0.0, [15.0, 0.0]);
    let found = scored(straight(0.0, 0.0, 5.0, 41), &[chaser], &[]);
    assert_eq!((found.scores.nc, found.scores.ttc), (1.0, 1.0));
}

#[test]
fn being_hit_while_standing_is_not_the_egos_fault() {
    let oncoming = agent(7, Class::Car, [30.0, 0.0], std::f64::consts::PI, [-10.0, 0.0]);
    let found = scored(straight(0.0, 0.0, 0.0, 41), &[oncoming], &[]);
    assert_eq!((found.scores.nc, found.scores.ttc), (1.0, 1.0));
}

#[test]
fn driving_into_a_moving_car_with_the_front_is_at_fault() {
    let slower = agent(7, Class::Car, [12.0, 0.0], 0.0, [2.0, 0.0]);
    assert_eq!(scored(straight(0.0, 0.0, 10.0, 41), &[slower], &[]).scores.nc, 0.0);
}

/// Comes in from the left, beside the ego, which moves at 10 m/s as it does.
fn merging() -> Agent {
    agent(7, Class::Car, [1.5, 6.0], 0.0, [10.0, -2.0])
}

#[test]
fn a_lateral_hit_counts_in_several_lanes_or_off_the_road_but_not_within_the_lane() {
    assert_eq!(scored(straight(0.0, 0.0, 10.0, 41), &[merging()], &[]).scores.nc, 1.0);
    // Straddling the line between the lanes.
    assert_eq!(scored(straight(0.0, 1.5, 10.0, 41), &[merging()], &[]).scores.nc, 0.0);
    // Right wheels off the road.
    assert_eq!(scored(straight(0.0, -1.5, 10.0, 41), &[merging()], &[]).scores.nc, 0.0);
}

#[test]
fn a_lateral_hit_on_a_standing_car_is_at_fault_within_the_lane_too() {
    // Drifts against a car parked beside it, mid-body first.
    let mut plan = straight(0.0, 0.0, 5.0, 41);
    for (step, state) in plan.iter_mut().enumerate() {
        state.pose.y = 0.02 * step as f64;
    }
    let parked = Agent { length: 30.0, ..agent(7, Class::Car, [8.0, 2.4], 0.0, [0.0, 0.0]) };
    assert_eq!(scored(plan, &[parked], &[]).scores.nc, 0.0);
}

#[test]
fn an_agent_met_at_the_side_breaches_ttc_in_an_intersection_only() {
    // It touches the ego's left side where it is 39° off the ego's heading.
    let crossing = |x: f64| agent(7, Class::Car, [x + 4.0, 6.0], -std::f64::consts::FRAC_PI_2, [0.0, -3.0]);
    let outside = scored(straight(0.0, 0.0, 3.0, 41), &[crossing(0.0)], &[]);
    let inside = scored(straight(105.0, 0.0, 3.0, 41), &[crossing(105.0)], &[]);
    assert_eq!((outside.scores.ttc, inside.scores.ttc, inside.ttc_step), (1.0, 0.0, Some(1)));
}

#[test]
fn the_time_to_collision_of_a_standing_ego_is_never_breached() {
    let crossing = agent(7, Class::Car, [8.0, 0.0], std::f64::consts::PI, [-3.0, 0.0]);
    assert_eq!(scored(straight(0.0, 0.0, 0.004, 41), std::slice::from_ref(&crossing), &[]).scores.ttc, 1.0);
    assert_eq!(scored(straight(0.0, 0.0, 0.2, 41), &[crossing], &[]).scores.ttc, 0.0);
}

#[test]
fn one_corner_off_the_road_is_off_the_road() {
    assert_eq!(scored(straight(0.0, -0.99, 5.0, 41), &[], &[]).scores.dac, 1.0);
    let found = scored(straight(0.0, -1.01, 5.0, 41), &[], &[]);
    assert_eq!((found.scores.dac, found.off_road_step), (0.0, Some(0)));
}

#[test]
fn the_wrong_way_is_measured_over_a_sliding_second() {
    // Eleven displacements fall into the window: 11 × 0.1 s × v.
    for (speed_mps, expected) in [(1.8, 1.0), (1.83, 0.5), (5.4, 0.5), (5.5, 0.0)] {
        let found = scored(straight(0.0, 8.0, speed_mps, 41), &[], &[]);
        assert_eq!(found.scores.ddc, expected, "{speed_mps} m/s");
    }
    // The neighbour lane in the same direction belongs to the route.
    assert_eq!(scored(straight(0.0, 4.0, 10.0, 41), &[], &[]).scores.ddc, 1.0);
}

#[test]
fn a_red_light_is_run_by_any_overlap_with_its_lane() {
    let red = [(CROSSING, SignalColor::Red)];
    let found = scored(straight(80.0, 0.0, 10.0, 41), &[], &red);
    // The bumper is at 84: it enters the lane after 16 m.
    assert_eq!((found.scores.tlc, found.red_light_step), (0.0, Some(16)));
    assert_eq!(scored(straight(60.0, 0.0, 5.0, 41), &[], &red).scores.tlc, 1.0);
    assert_eq!(scored(straight(80.0, 0.0, 10.0, 41), &[], &[(CROSSING, SignalColor::Yellow)]).scores.tlc, 1.0);
    assert_eq!(scored(straight(80.0, 0.0, 10.0, 41), &[], &[(BACK, SignalColor::Red)]).scores.tlc, 1.0);
    // A plan cannot undo that the ego is already in it.
    assert_eq!(scored(straight(98.0, 0.0, 10.0, 41), &[], &red).scores.tlc, 1.0);
}

#[test]
fn a_red_light_beside_the_route_counts_for_who_is_in_that_lane() {
    let red = [(LEFT, SignalColor::Red)];
    assert_eq!(scored(straight(0.0, 1.5, 10.0, 41), &[], &red).scores.tlc, 1.0);
    let mut plan = straight(0.0, 0.0, 10.0, 41);
    for (step, state) in plan.iter_mut().enumerate() {
        state.pose.y = 0.1 * step as f64;
    }
    assert_eq!(scored(plan, &[], &red).scores.tlc, 0.0);
}

fn offset_for(steps: usize, x: f64, speed_mps: f64) -> Scored {
    let mut plan = straight(x, 0.0, speed_mps, 41);
    for state in &mut plan[10..10 + steps] {
        state.pose.y = 0.6;
    }
    scored(plan, &[], &[])
}

#[test]
fn twenty_steps_beside_the_centreline_are_too_many() {
    assert_eq!(offset_for(19, 0.0, 5.0).scores.lk, 1.0);
    assert_eq!(offset_for(20, 0.0, 5.0).scores.lk, 0.0);
    assert_eq!(scored(straight(0.0, 0.49, 5.0, 41), &[], &[]).scores.lk, 1.0);
    assert_eq!(scored(straight(0.0, 0.51, 5.0, 41), &[], &[]).scores.lk, 0.0);
}

#[test]
fn an_intersection_neither_counts_nor_resets_lane_keeping() {
    // At 30 m/s the centre is in the intersection for ten steps; the offset lasts for 29, so 19 count.
    assert_eq!(offset_for(29, 57.0, 30.0).scores.lk, 1.0);
    // One more after it makes 20, which a count begun anew would not reach.
    assert_eq!(offset_for(30, 57.0, 30.0).scores.lk, 0.0);
}

#[test]
fn progress_is_relative_to_the_best_proposal_that_breaks_nothing() {
    let (map, fast, slow) = (map(), straight(60.0, 0.0, 12.0, 41), straight(60.0, 0.0, 6.0, 41));
    let route = route(&map);
    let with = |signals: &[(LaneId, SignalColor)], reference_progress_m| {
        let setting = Setting {
            body: BODY,
            map: &map,
            route: &route,
            traffic: Traffic::default(),
            signals,
            history: &[],
            previous: None,
            reference_progress_m,
        };
        let scored = Scorer::new(setting).score(&[fast.clone(), slow.clone()]);
        [scored[0].scores.ep, scored[1].scores.ep]
    };
    let close = |found: [f64; 2], expected: [f64; 2]| {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?} is not {expected:?}");
    };
    close(with(&[], None), [1.0, 0.5]);
    close(with(&[], Some(96.0)), [0.5, 0.25]);
    // The fast one runs the light, so the slow one is the best there is.
    close(with(&[(CROSSING, SignalColor::Red)], None), [1.0, 1.0]);
}

#[test]
fn braking_too_hard_and_a_jerk_against_the_history_are_uncomfortable() {
    let braking = |acceleration_mps2: f64| -> Rollout {
        straight(0.0, 0.0, 15.0, 41).into_iter().map(|state| VehicleState { acceleration_mps2, ..state }).collect()
    };
    assert_eq!(scored(braking(-4.2), &[], &[]).scores.hc, 0.0);
    assert_eq!(scored(braking(-4.0), &[], &[]).scores.hc, 1.0);

    let map = map();
    let route = route(&map);
    let history = straight(-30.0, 0.0, 15.0, 20);
    let setting = Setting {
        body: BODY,
        map: &map,
        route: &route,
        traffic: Traffic::default(),
        signals: &[],
        history: &history,
        previous: None,
        reference_progress_m: None,
    };
    let scorer = Scorer::new(setting);
    let scores = scorer.score(&[braking(-4.0)])[0].scores;
    assert_eq!((scorer.comfort(&braking(-4.0)), scores.hc), (1.0, 0.0));
    assert_eq!(scores.pdms(1.0), 1.0);
}

#[test]
fn turning_too_fast_is_uncomfortable() {
    let turning = |yaw_rate_radps: f64| -> Rollout {
        let yaw = |step: usize| tandem_datasets::geometry::wrap_angle(3.0 + yaw_rate_radps * STEP_S * step as f64);
        let mut plan = straight(0.0, 0.0, 2.0, 41);
        for (step, state) in plan.iter_mut().enumerate() {
            state.pose.yaw = yaw(step);
            state.yaw_rate_radps = yaw_rate_radps;
        }
        plan
    };
    // Passes ±π on its way: unwrapped, that is not a jump.
    assert_eq!(scored(turning(0.94), &[], &[]).scores.hc, 1.0);
    assert_eq!(scored(turning(0.96), &[], &[]).scores.hc, 0.0);
}

#[test]
fn a_plan_is_compared_with_the_one_half_a_second_before() {
    let map = map();
    let route = route(&map);
    let speeding = |from_x: f64, speed_mps: f64, acceleration_mps2: f64| -> Rollout {
        straight(from_x, 0.0, speed_mps, 41).into_iter().map(|s| VehicleState { acceleration_mps2, ..s }).collect()
    };
    let earlier = speeding(0.0, 10.0, 0.0);
    let ec = |plan: Rollout| {
        let setting = Setting {
            body: BODY,
            map: &map,
            route: &route,
            traffic: Traffic::default(),
            signals: &[],
            history: &[],
            previous: Some((&earlier, EC_STEPS)),
            reference_progress_m: None,
        };
        Scorer::new(setting).score(&[plan])[0].scores.ec
    };
    assert_eq!(ec(speeding(5.0, 10.0, 0.0)), 1.0);
    assert_eq!(ec(speeding(5.0, 10.0, 0.69)), 1.0);
    assert_eq!(ec(speeding(5.0, 10.0, 0.71)), 0.0);
}

#[test]
fn the_filter_comes_before_the_total_and_parts_recombine() {
    let own = SubScores { nc: 0.0, hc: 0.0, ep: 0.5, ..SubScores::PERFECT };
    let human = SubScores { nc: 0.0, ep: 0.3, ..SubScores::PERFECT };
    let filtered = own.human_filter(&human);
    assert_eq!(filtered, SubScores { nc: 1.0, ..own });
    assert_eq!(filtered.total(), (5.0 + 2.5 + 2.0 + 2.0) / 16.0);
    assert!(filtered.recombines(filtered.total()));
    // The classic mistake: parts after the filter, total before it.
    assert!(!filtered.recombines(own.total()));
}

#[test]
fn broken_plans_and_agents_are_scored_without_panic() {
    let nan = VehicleState { pose: Pose2::new(f64::NAN, 0.0, 0.0), speed_mps: f64::NAN, ..VehicleState::default() };
    let mut lost = agent(1, Class::Car, [f64::NAN, 0.0], f64::INFINITY, [1.0, 0.0]);
    for plan in [vec![], vec![nan; 3], vec![nan; 41], straight(0.0, 0.0, 1e6, 100)] {
        let _ = scored(plan.clone(), &[lost.clone()], &[(LaneId(99), SignalColor::Red)]);
        lost.path.clear();
    }
}

/// The first overlaps by asking every agent at every step.
fn brute_force(plan: &Rollout, agents: &[Agent]) -> Vec<(u32, usize)> {
    let meets = |agent: &Agent, step: usize| {
        let ego = BODY.outline(plan[step].pose);
        agent.outline(step).is_some_and(|other: Box2| ego.intersects(&other))
    };
    let first = |agent: &Agent| (0..plan.len()).find(|step| meets(agent, *step)).filter(|step| *step > 0);
    agents.iter().filter_map(|agent| Some((agent.id, first(agent)?))).collect()
}

prop_compose! {
    fn any_agent()(id in 0u32..100, x in -30.0..60.0, y in -20.0..20.0, yaw in -3.2..3.2, vx in -15.0..15.0, vy in -15.0..15.0, moves: bool)
        -> Agent { agent(id, Class::Car, [x, y], yaw, if moves { [vx, vy] } else { [0.0, 0.0] }) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn skipping_the_far_ones_changes_nothing(
        agents in proptest::collection::vec(any_agent(), 1..12), speed_mps in 0.0..20.0, yaw in -0.5..0.5,
    ) {
        let mut plan = straight(0.0, 0.0, speed_mps, 41);
        for state in &mut plan {
            let along_m = state.pose.x;
            state.pose = Pose2::new(along_m * f64::cos(yaw), along_m * f64::sin(yaw), yaw);
        }
        let map = map();
        let route = route(&map);
        let motion = motion::Motion::new(&plan, motion::Place { body: BODY, map: &map, route: &route });
        let traffic = Traffic::predicted(&agents, 41);
        let mut found = Vec::new();
        collision::collisions(&motion, &traffic, |collision| found.push((collision.id, collision.step)));
        prop_assert_eq!(found, brute_force(&plan, &agents));

        // TTC: every look at every agent, without boxes.
        let looks = |agent: &Agent| {
            let ego = |step: usize, ahead: usize| {
                let moved = plan[step].pose.ahead(plan[step].speed_mps * 0.1 * ahead as f64);
                BODY.outline(moved)
            };
            let meets = |step: usize| [0, 3, 6, 9].iter().any(|ahead| {
                agent.outline(step + ahead).is_some_and(|other| ego(step, *ahead).intersects(&other))
            });
            (0..32).find(|step| plan[*step].speed_mps >= 0.005 && meets(*step))
        };
        let starts = |agent: &Agent| agent.outline(0).is_some_and(|other| BODY.outline(plan[0].pose).intersects(&other));
        let first = agents.iter().filter(|agent| !starts(agent)).filter_map(looks).min();
        let mut breach = None;
        ttc::breaches(&motion, &traffic, |step, _| { breach = Some(breach.map_or(step, |b: usize| b.min(step))); false });
        // A look may turn out harmless, so a breach is never earlier than the first meeting.
        prop_assert!(breach.is_none() || breach >= first, "{:?} before {:?}", breach, first);
    }

    #[test]
    fn threads_change_nothing(agents in proptest::collection::vec(any_agent(), 1..12), seed in 0u32..1000) {
        let map = map();
        let route = route(&map);
        let plans: Vec<Rollout> =
            (0..12).map(|k| straight(0.0, f64::from((seed + k * 7) % 40) * 0.1 - 2.0, f64::from(k) * 1.5, 41)).collect();
        let setting = Setting {
            body: BODY, map: &map, route: &route, traffic: Traffic::predicted(&agents, 41),
            signals: &[], history: &[], previous: None, reference_progress_m: None,
        };
        let scorer = Scorer::new(setting);
        let serial = scorer.score(&plans);
        prop_assert_eq!(&serial, &scorer.score_parallel(&plans));
        // Nor does the company of others, but for EP.
        let alone = scorer.score(&plans[3..4])[0];
        prop_assert_eq!(alone, Scored { scores: SubScores { ep: alone.scores.ep, ..serial[3].scores }, ..serial[3] });
    }
}
