//! What the tracker takes for likely: how things move, how well they are seen, when they are believed and forgotten.

use tandem_datasets::DetectionClass;

/// Classes that a detector takes for each other, and that move alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Everything with an engine and four wheels or more.
    Vehicle,
    /// Bicycles and motorcycles.
    Cycle,
    /// People.
    Pedestrian,
    /// Cones.
    Cone,
    /// Barriers.
    Barrier,
}

impl Kind {
    /// The kind of a class.
    pub fn of(class: DetectionClass) -> Self {
        match class {
            DetectionClass::Car
            | DetectionClass::Truck
            | DetectionClass::Bus
            | DetectionClass::Trailer
            | DetectionClass::ConstructionVehicle => Self::Vehicle,
            DetectionClass::Bicycle | DetectionClass::Motorcycle => Self::Cycle,
            DetectionClass::Pedestrian => Self::Pedestrian,
            DetectionClass::TrafficCone => Self::Cone,
            DetectionClass::Barrier => Self::Barrier,
        }
    }
}

/// How a kind of thing moves and is seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    /// A detection farther from where the object should be is another thing, m.
    pub gate_m: f64,
    /// Standard deviation of a detected position along each axis, m.
    pub position_std_m: f64,
    /// Standard deviation of a detected velocity along each axis, m/s.
    pub velocity_std_mps: f64,
    /// Standard deviation of the velocity along each axis of something never seen before, m/s.
    pub unknown_speed_mps: f64,
    /// Whether it goes where it looks, so that its velocity turns as its yaw does.
    pub velocity_turns: bool,
    /// How the velocity wanders: spectral density of white acceleration, m²/s³.
    pub acceleration_density: f64,
    /// The share of things that stand.
    pub standing_share: f64,
    /// Standard deviation of a detected yaw, rad.
    pub yaw_std_rad: f64,
    /// How the yaw rate wanders: spectral density of white angular acceleration, rad²/s³.
    pub turning_density: f64,
}

/// The tracker's settings.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackerConfig {
    /// Detections below this confidence are not looked at.
    pub min_score: f64,
    /// Detections below this confidence continue an object, but begin none.
    pub birth_score: f64,
    /// An object counts from this many sightings on; until then one miss ends it.
    pub confirm_hits: u32,
    /// An object whose sightings are less certain than this on the mean does not count.
    pub confirm_score: f64,
    /// An object unseen for longer is forgotten, s.
    pub forget_after_s: f64,
    /// The probability that a thing that is there is detected.
    pub detection_probability: f64,
    /// Vehicles.
    pub vehicle: Motion,
    /// Cycles.
    pub cycle: Motion,
    /// People.
    pub pedestrian: Motion,
    /// Cones and barriers.
    pub fixture: Motion,
}

/// For the network that comes with the program: shares, spreads and thresholds are about those that follow best what is
/// there on worlds that it was not trained on (300000 to 300007, ten and five times a second).
impl Default for TrackerConfig {
    fn default() -> Self {
        let vehicle = Motion {
            gate_m: 5.0,
            position_std_m: 0.6,
            velocity_std_mps: 4.0,
            unknown_speed_mps: 6.0,
            velocity_turns: true,
            acceleration_density: 2.0,
            standing_share: 0.6,
            yaw_std_rad: 0.15,
            turning_density: 0.05,
        };
        let cycle = Motion { gate_m: 3.5, position_std_m: 0.3, unknown_speed_mps: 4.0, ..vehicle };
        let pedestrian = Motion {
            gate_m: 1.6,
            position_std_m: 0.2,
            velocity_std_mps: 2.0,
            unknown_speed_mps: 1.2,
            velocity_turns: false,
            acceleration_density: 0.2,
            standing_share: 0.3,
            yaw_std_rad: 0.4,
            turning_density: 0.5,
        };
        let fixture = Motion {
            gate_m: 1.0,
            unknown_speed_mps: 0.05,
            acceleration_density: 1e-4,
            standing_share: 0.999,
            turning_density: 1e-4,
            ..pedestrian
        };
        Self {
            min_score: 0.1,
            birth_score: 0.45,
            confirm_hits: 2,
            confirm_score: 0.35,
            forget_after_s: 1.2,
            detection_probability: 0.8,
            vehicle,
            cycle,
            pedestrian,
            fixture,
        }
    }
}

impl TrackerConfig {
    /// How things of a class move.
    pub fn motion(&self, class: DetectionClass) -> &Motion {
        match Kind::of(class) {
            Kind::Vehicle => &self.vehicle,
            Kind::Cycle => &self.cycle,
            Kind::Pedestrian => &self.pedestrian,
            Kind::Cone | Kind::Barrier => &self.fixture,
        }
    }
}
