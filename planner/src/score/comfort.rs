//! HC, EC and C: how the ride feels, from accelerations and headings smoothed as nuPlan does.
//!
//! Source: NAVSIM v2 `pdm_comfort_metrics.py`. One thing differs: the devkit's bicycle reports no lateral acceleration,
//! so its lateral limit never bites; here it is speed × yaw rate, and the magnitudes hold it too.

use std::sync::LazyLock;

use tandem_datasets::geometry::wrap_angle;

use super::savgol::SavitzkyGolay;
use crate::state::{STEP_S, VehicleState};

/// States of the past that are put before a plan: 1.5 s.
pub(super) const HISTORY_STATES: usize = 15;

/// Steps between two plans that EC compares: 0.5 s.
pub const EC_STEPS: usize = 5;

static ACCELERATION: LazyLock<SavitzkyGolay> = LazyLock::new(|| SavitzkyGolay::new(8, 2, 0, STEP_S));
static JERK: LazyLock<SavitzkyGolay> = LazyLock::new(|| SavitzkyGolay::new(15, 2, 1, STEP_S));
static YAW_RATE: LazyLock<SavitzkyGolay> = LazyLock::new(|| SavitzkyGolay::new(5, 2, 1, STEP_S));
static YAW_ACCELERATION: LazyLock<SavitzkyGolay> = LazyLock::new(|| SavitzkyGolay::new(5, 3, 2, STEP_S));
/// EC leaves the order at the devkit's default of 2.
static YAW_ACCELERATION_EC: LazyLock<SavitzkyGolay> = LazyLock::new(|| SavitzkyGolay::new(5, 2, 2, STEP_S));

/// A limit of comfort; both ends are already uncomfortable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// What is limited, for people.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// nuPlan's limits, in the order of a ride's series.
pub const LIMITS: [Limit; 6] = [
    Limit { name: "longitudinal acceleration", unit: "m/s²", low: -4.05, high: 2.40 },
    Limit { name: "lateral acceleration", unit: "m/s²", low: -4.89, high: 4.89 },
    Limit { name: "jerk", unit: "m/s³", low: -8.37, high: 8.37 },
    Limit { name: "longitudinal jerk", unit: "m/s³", low: -4.13, high: 4.13 },
    Limit { name: "yaw acceleration", unit: "rad/s²", low: -1.93, high: 1.93 },
    Limit { name: "yaw rate", unit: "rad/s", low: -0.95, high: 0.95 },
];

impl Limit {
    /// Whether a value is within the limit; it is rounded to 1e-8 first, as in the devkit.
    pub fn holds(&self, value: f64) -> bool {
        const HALF_DIGIT: f64 = 5e-9;
        value > self.low + HALF_DIGIT && value < self.high - HALF_DIGIT
    }
}

/// What a passenger feels at each step of a motion; kept between motions for its buffers.
#[derive(Debug, Default)]
pub(super) struct Ride {
    longitudinal: Vec<f64>,
    lateral: Vec<f64>,
    magnitude: Vec<f64>,
    heading: Vec<f64>,
    smooth_magnitude: Vec<f64>,
    series: [Vec<f64>; 6],
}

impl Ride {
    /// Takes in a motion with what came before it.
    pub fn load(&mut self, history: &[VehicleState], states: &[VehicleState]) {
        self.read(history, states);
        let [longitudinal, lateral, jerk, longitudinal_jerk, yaw_acceleration, yaw_rate] = &mut self.series;
        ACCELERATION.apply(&self.longitudinal, longitudinal);
        ACCELERATION.apply(&self.lateral, lateral);
        ACCELERATION.apply(&self.magnitude, &mut self.smooth_magnitude);
        JERK.apply(&self.smooth_magnitude, jerk);
        JERK.apply(longitudinal, longitudinal_jerk);
        YAW_ACCELERATION.apply(&self.heading, yaw_acceleration);
        YAW_RATE.apply(&self.heading, yaw_rate);
    }

    fn read(&mut self, history: &[VehicleState], states: &[VehicleState]) {
        for buffer in [&mut self.longitudinal, &mut self.lateral, &mut self.magnitude, &mut self.heading] {
            buffer.clear();
        }
        let mut yaw = None;
        for state in history.iter().chain(states) {
            let (along, across) = (state.acceleration_mps2, state.speed_mps * state.yaw_rate_radps);
            self.longitudinal.push(along);
            self.lateral.push(across);
            self.magnitude.push((along * along + across * across).sqrt());
            // Unwrapped, so that it can be differentiated.
            let unwrapped = yaw.map_or(state.pose.yaw, |last| last + wrap_angle(state.pose.yaw - last));
            self.heading.push(unwrapped);
            yaw = Some(unwrapped);
        }
    }

    /// The smoothed series that [`LIMITS`] apply to, in their order, history first.
    pub fn series(&self) -> impl Iterator<Item = (&'static Limit, &[f64])> {
        LIMITS.iter().zip(self.series.iter().map(Vec::as_slice))
    }

    /// Whether all limits hold at every step.
    pub fn is_comfortable(&self) -> bool {
        self.series().all(|(limit, values)| values.iter().all(|value| limit.holds(*value)))
    }
}

/// What a passenger feels at each step of a motion, smoothed as HC takes it: one series for each of [`LIMITS`], in their
/// order.
pub fn comfort_series(states: &[VehicleState]) -> [Vec<f64>; 6] {
    let mut ride = Ride::default();
    ride.load(&[], states);
    ride.series
}

/// What EC compares of a plan: acceleration, jerk, yaw rate and yaw acceleration, with the largest RMS difference of
/// each.
#[derive(Debug, Clone, Default)]
pub(super) struct PlanFeel([Vec<f64>; 4]);

const EC_LIMITS: [f64; 4] = [0.7, 0.5, 0.1, 0.1];

impl PlanFeel {
    pub fn new(states: &[VehicleState], ride: &mut Ride) -> Self {
        ride.read(&[], states);
        let mut feel = Self::default();
        let [acceleration, jerk, yaw_rate, yaw_acceleration] = &mut feel.0;
        ACCELERATION.apply(&ride.magnitude, acceleration);
        JERK.apply(acceleration, jerk);
        YAW_RATE.apply(&ride.heading, yaw_rate);
        YAW_ACCELERATION_EC.apply(&ride.heading, yaw_acceleration);
        feel
    }

    /// Whether two plans for the same steps feel alike; plans that share no step do.
    pub fn is_like(&self, other: &Self) -> bool {
        let pairs = self.0.iter().zip(&other.0).zip(EC_LIMITS);
        pairs.into_iter().all(|((a, b), limit)| {
            let count = a.len().min(b.len()).max(1);
            let sum: f64 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
            (sum / count as f64).sqrt() <= limit
        })
    }
}

/// Whether a plan feels like the one that was made `age_steps` before it, on the steps that both cover.
pub(super) fn is_consistent(
    previous: &[VehicleState],
    age_steps: usize,
    next: &[VehicleState],
    ride: &mut Ride,
) -> bool {
    let overlap = previous.len().saturating_sub(age_steps).min(next.len());
    let earlier = PlanFeel::new(&previous[previous.len().min(age_steps)..][..overlap], ride);
    PlanFeel::new(&next[..overlap], ride).is_like(&earlier)
}
