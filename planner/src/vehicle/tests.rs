use tandem_datasets::Pose2;

use super::*;

const BODY: EgoBody =
    EgoBody { length: 5.176, width: 2.297, height: 1.777, wheelbase: 3.089, rear_axle_to_center: 1.461 };

fn plan(pose: impl Fn(f64) -> Pose2) -> Rollout {
    (0..PLAN_STATES).map(|step| VehicleState { pose: pose(step as f64 * STEP_S), ..Default::default() }).collect()
}

fn line(speed_mps: f64) -> Rollout {
    plan(|t| Pose2::new(speed_mps * t, 0.0, 0.0))
}

#[test]
fn a_straight_line_at_its_own_speed_is_followed_exactly() {
    let start = VehicleState { speed_mps: 12.0, ..Default::default() };
    for (step, state) in simulate(&start, &line(12.0), &BODY).iter().enumerate() {
        assert!((state.pose.x - 1.2 * step as f64).abs() < 1e-9, "x at {step}: {}", state.pose.x);
        assert!(state.pose.y.abs() < 1e-12 && state.steering_rad.abs() < 1e-12);
    }
}

#[test]
fn acceleration_follows_its_command_with_the_first_order_lag() {
    let mut state = VehicleState { speed_mps: 5.0, ..Default::default() };
    let command = Command { acceleration_mps2: 2.0, steering_rate_radps: 0.3 };
    let mut speed = 5.0;
    for step in 1..=20 {
        state = propagate(&state, command, STEP_S, &BODY);
        // Backward Euler of τ ȧ = u − a: what is missing shrinks by τ / (τ + dt) a step.
        let expected = 2.0 * (1.0 - (0.2f64 / 0.3).powi(step));
        speed += expected * STEP_S;
        assert!((state.acceleration_mps2 - expected).abs() < 1e-12);
        assert!((state.speed_mps - speed).abs() < 1e-12);
    }
    let steering = 20.0 * 0.3 * STEP_S * (0.1 / 0.15);
    assert!((state.steering_rad - steering).abs() < 1e-12, "{} is not {steering}", state.steering_rad);
}

#[test]
fn held_steering_drives_the_circle_of_the_bicycle() {
    let steering_rad = 0.2f64;
    let radius_m = BODY.wheelbase / steering_rad.tan();
    let mut state = VehicleState { speed_mps: 6.0, steering_rad, ..Default::default() };
    let dt_s = 1e-3;
    for _ in 0..5_000 {
        state = propagate(&state, Command::default(), dt_s, &BODY);
        let from_center = (state.pose.x).hypot(state.pose.y - radius_m);
        assert!((from_center - radius_m).abs() < 0.02, "radius {from_center} is not {radius_m}");
    }
    assert!((state.yaw_rate_radps - 6.0 / radius_m).abs() < 1e-12);
    assert!((state.pose.yaw - wrap(5.0 * 6.0 / radius_m)).abs() < 1e-9);
}

fn wrap(angle: f64) -> f64 {
    tandem_datasets::geometry::wrap_angle(angle)
}

#[test]
fn a_circle_is_tracked_with_its_own_steering_in_the_steady_state() {
    let radius_m = 25.0;
    let circle = |t: f64| {
        let angle = 8.0 * t / radius_m;
        Pose2::new(radius_m * angle.sin(), radius_m * (1.0 - angle.cos()), wrap(angle))
    };
    let mut state =
        VehicleState { speed_mps: 8.0, steering_rad: (BODY.wheelbase / radius_m).atan(), ..Default::default() };
    // Twelve seconds: three plans of four seconds, replanned in time.
    for step in 0..120 {
        let from = step as f64 * STEP_S;
        state = super::step(&state, &plan(|t| circle(from + t)), 0.0, STEP_S, &BODY);
    }
    let off_m = state.pose.x.hypot(state.pose.y - radius_m) - radius_m;
    assert!(off_m.abs() < 0.3, "{off_m} m off the circle");
    let curvature = state.steering_rad.tan() / BODY.wheelbase;
    assert!((curvature * radius_m - 1.0).abs() < 0.02, "curvature {curvature}");
}

#[test]
fn a_start_beside_the_line_converges_to_it() {
    let start = VehicleState { pose: Pose2::new(0.0, 1.0, 0.1), speed_mps: 10.0, ..Default::default() };
    let mut state = start;
    for step in 0..200 {
        let from = step as f64 * STEP_S;
        let reference = plan(|t| Pose2::new(10.0 * (from + t), 0.0, 0.0));
        state = super::step(&state, &reference, 0.0, STEP_S, &BODY);
    }
    assert!(state.pose.y.abs() < 0.02 && state.pose.yaw.abs() < 0.01, "still at {:?}", state.pose);
    assert!(state.steering_rad.abs() < MAX_STEERING_RAD);
}

#[test]
fn a_standing_plan_stops_the_vehicle_and_keeps_it() {
    let start = VehicleState { speed_mps: 3.0, ..Default::default() };
    let mut state = start;
    for _ in 0..150 {
        state = super::step(&state, &plan(|_| Pose2::default()), 0.0, STEP_S, &BODY);
    }
    assert!(state.speed_mps.abs() < 0.01, "still at {} m/s", state.speed_mps);
    assert!(state.steering_rad.abs() < 1e-6);
}

#[test]
fn below_the_stopping_speed_the_command_is_proportional() {
    let standing = plan(|_| Pose2::default());
    let state = VehicleState { speed_mps: 0.2, steering_rad: 0.1, ..Default::default() };
    let command = Tracker::new(&standing).command(&state, 0.0, &BODY);
    assert!((command.acceleration_mps2 + 0.5 * 0.2).abs() < 1e-12);
    assert_eq!(command.steering_rate_radps, 0.0);
    let faster = Tracker::new(&standing).command(&VehicleState { speed_mps: 0.3, ..state }, 0.0, &BODY);
    assert!((faster.acceleration_mps2 + 10.0 / 11.0 * 0.3).abs() < 1e-12);
}

#[test]
fn an_old_plan_is_followed_from_where_it_is_by_now() {
    let reference = plan(|t| Pose2::new(4.0 * t + 0.5 * t * t, 0.3 * t * t, 0.1 * t));
    let tracker = Tracker::new(&reference);
    let state = VehicleState { pose: Pose2::new(5.0, 0.2, 0.1), speed_mps: 5.0, ..Default::default() };
    for step in [0, 7, 39, 60] {
        let age_s = (0..step).fold(0.0, |age, _| age + STEP_S);
        assert_eq!(tracker.command(&state, age_s, &BODY), tracker.command_at_step(&state, step, &BODY), "step {step}");
    }
    let (a, b) = (tracker.command_at_step(&state, 7, &BODY), tracker.command_at_step(&state, 8, &BODY));
    let between = tracker.command(&state, 0.75, &BODY).acceleration_mps2;
    assert!((between - (a.acceleration_mps2 + b.acceleration_mps2) / 2.0).abs() < 1e-9);
}

#[test]
fn plans_too_short_to_follow_stop_the_vehicle_without_panic() {
    let start = VehicleState { speed_mps: 5.0, ..Default::default() };
    for length in [0, 1] {
        let driven = simulate(&start, &line(5.0)[..length], &BODY);
        assert_eq!(driven.len(), PLAN_STATES);
        assert!(driven[40].speed_mps < 1.0 && driven[40].speed_mps > -0.1);
    }
    let broken = vec![VehicleState { pose: Pose2::new(f64::NAN, 0.0, f64::INFINITY), ..start }; 41];
    assert_eq!(simulate(&start, &broken, &BODY).len(), PLAN_STATES);
}
