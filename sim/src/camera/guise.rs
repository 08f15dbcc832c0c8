//! Looks that a class alone does not tell: a track's category names them.

use super::look::Rgb;

/// How something looks other than things of its class do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Guise {
    /// A police car with its blue lights on.
    Police,
    /// An ambulance with its blue lights on.
    Ambulance,
    /// A fire engine with its blue lights on.
    FireEngine,
    /// A school bus with its red lights on and its stop sign out.
    SchoolBus,
    /// A car with its hazard lights on.
    StalledCar,
    /// A lorry with its hazard lights on.
    StalledTruck,
    /// A deer.
    Deer,
    /// A dog.
    Dog,
    /// A ball.
    Ball,
    /// A tyre that lies on its side.
    Tyre,
    /// Boards, crosswise.
    Planks,
    /// The crown of a fallen tree.
    Branch,
    /// A warning triangle on the ground.
    Triangle,
    /// A red and white board on two feet that closes a road.
    Closure,
    /// A sign: no vehicles.
    ClosedSign,
    /// A sign: works.
    WorksSign,
}

/// Lamps that flash: their colour, and how long from one flash to the next, s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Beacon {
    pub color: Rgb,
    pub period_s: f64,
}

const BLUE: Beacon = Beacon { color: [0.04, 0.14, 1.0], period_s: 0.44 };
const AMBER: Beacon = Beacon { color: [1.0, 0.36, 0.02], period_s: 0.72 };
const RED: Beacon = Beacon { color: [1.0, 0.03, 0.02], period_s: 0.9 };

impl Guise {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Police,
        Self::Ambulance,
        Self::FireEngine,
        Self::SchoolBus,
        Self::StalledCar,
        Self::StalledTruck,
        Self::Deer,
        Self::Dog,
        Self::Ball,
        Self::Tyre,
        Self::Planks,
        Self::Branch,
        Self::Triangle,
        Self::Closure,
        Self::ClosedSign,
        Self::WorksSign,
    ];

    /// The category of tracks that look so. Those of vehicles begin as nuScenes' do, so that they are of a detection
    /// class; the others are of none.
    pub const fn category(self) -> &'static str {
        match self {
            Self::Police => "vehicle.car.police",
            Self::Ambulance => "vehicle.truck.ambulance",
            Self::FireEngine => "vehicle.truck.fire_engine",
            Self::SchoolBus => "vehicle.bus.school",
            Self::StalledCar => "vehicle.car.stalled",
            Self::StalledTruck => "vehicle.truck.stalled",
            Self::Deer => "animal.deer",
            Self::Dog => "animal.dog",
            Self::Ball => "object.ball",
            Self::Tyre => "object.tyre",
            Self::Planks => "object.planks",
            Self::Branch => "object.branch",
            Self::Triangle => "object.warning_triangle",
            Self::Closure => "object.closure",
            Self::ClosedSign => "sign.closed",
            Self::WorksSign => "sign.works",
        }
    }

    /// The look of a track's category; `None` for the usual one of its class.
    pub fn of(category: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|guise| guise.category() == category)
    }

    /// Its flashing lamps, if it has such.
    pub(super) fn beacon(self) -> Option<Beacon> {
        match self {
            Self::Police | Self::Ambulance | Self::FireEngine => Some(BLUE),
            Self::StalledCar | Self::StalledTruck => Some(AMBER),
            Self::SchoolBus => Some(RED),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use tandem_datasets::DetectionClass;

    use super::*;

    #[test]
    fn every_category_is_found_again_and_only_vehicles_are_of_a_detection_class() {
        for guise in Guise::ALL {
            assert_eq!(Guise::of(guise.category()), Some(guise));
            let is_vehicle = guise.category().starts_with("vehicle.");
            assert_eq!(DetectionClass::of_category(guise.category()).is_some(), is_vehicle, "{guise:?}");
        }
        assert_eq!(Guise::of("vehicle.car"), None);
    }
}
