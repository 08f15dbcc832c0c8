//! What road users and things look like: a mesh for each kind, and colours for each of them.

mod guises;
mod people;
mod things;
mod vehicles;

use std::sync::OnceLock;

use tandem_datasets::{Class, DetectionClass};

use super::Subject;
use super::look::{Look, Rgb};
use super::mesh::{Mesh, Part};
use super::noise::Dice;

/// Colours of a body's parts, linear albedos.
pub(super) type Palette = [Rgb; Part::COUNT];

/// Steps in which a walk is drawn.
const PHASES: usize = 16;

/// All meshes, made once.
struct Meshes {
    cars: Vec<Mesh>,
    vans: Vec<Mesh>,
    pickup: Mesh,
    trucks: Vec<Mesh>,
    bus: Mesh,
    trailer: Mesh,
    diggers: Vec<Mesh>,
    motorcycle: Mesh,
    bicycles: Vec<Mesh>,
    walkers: Vec<Mesh>,
    cone: Mesh,
    barriers: Vec<Mesh>,
    animal: Mesh,
    crate_: Mesh,
}

fn meshes() -> &'static Meshes {
    static MESHES: OnceLock<Meshes> = OnceLock::new();
    MESHES.get_or_init(|| Meshes {
        cars: vec![vehicles::sedan(), vehicles::hatchback()],
        vans: vec![vehicles::sport_utility(), vehicles::van()],
        pickup: vehicles::pickup(),
        trucks: vec![vehicles::box_truck(), vehicles::flatbed()],
        bus: vehicles::bus(),
        trailer: vehicles::trailer(),
        diggers: vec![vehicles::excavator(), vehicles::loader()],
        motorcycle: people::motorcycle(),
        bicycles: vec![people::bicycle(false), people::bicycle(true)],
        walkers: (0..PHASES).map(|phase| people::walker(phase as f32 / PHASES as f32)).collect(),
        cone: things::cone(),
        barriers: vec![things::board(), things::concrete()],
        animal: things::animal(),
        crate_: things::crate_(),
    })
}

/// The mesh of a subject at a time, s.
pub(super) fn mesh(subject: &Subject, time_s: f64) -> &'static Mesh {
    if let Some(guise) = subject.guise {
        return guises::mesh(guise);
    }
    let all = meshes();
    let mut dice = Dice::new(u64::from(subject.number), 5);
    let [length_m, _, height_m] = subject.size;
    let pick = |of: &'static [Mesh], dice: &mut Dice| &of[((dice.next() * of.len() as f32) as usize).min(of.len() - 1)];
    match subject.detection {
        Some(DetectionClass::Car) if length_m > 5.0 && dice.chance(0.4) => &all.pickup,
        Some(DetectionClass::Car) if height_m > 1.95 => &all.vans[1],
        Some(DetectionClass::Car) if height_m > 1.65 => pick(&all.vans, &mut dice),
        Some(DetectionClass::Car) => pick(&all.cars, &mut dice),
        Some(DetectionClass::Truck) if height_m < 2.1 => &all.pickup,
        Some(DetectionClass::Truck) => &all.trucks[usize::from(dice.chance(0.25))],
        Some(DetectionClass::Bus) => &all.bus,
        Some(DetectionClass::Trailer) => &all.trailer,
        Some(DetectionClass::ConstructionVehicle) => pick(&all.diggers, &mut dice),
        Some(DetectionClass::Motorcycle) => &all.motorcycle,
        Some(DetectionClass::Bicycle) => &all.bicycles[usize::from(height_m > 1.3)],
        Some(DetectionClass::Pedestrian) => {
            let speed_mps = subject.velocity_mps[0].hypot(subject.velocity_mps[1]);
            // A stride of two steps covers 1.5 m.
            let phase = if speed_mps > 0.2 { time_s * speed_mps / 1.5 + f64::from(dice.next()) } else { 0.0 };
            &all.walkers[(phase.rem_euclid(1.0) * PHASES as f64) as usize % PHASES]
        }
        Some(DetectionClass::TrafficCone) => &all.cone,
        Some(DetectionClass::Barrier) => pick(&all.barriers, &mut dice),
        None if subject.class == Class::Animal => &all.animal,
        None => &all.crate_,
    }
}

/// Colours of vehicles as often as they are seen on roads.
const CAR_PAINT: [Rgb; 14] = [
    [0.72, 0.72, 0.72],
    [0.70, 0.70, 0.69],
    [0.62, 0.63, 0.64],
    [0.015, 0.015, 0.017],
    [0.018, 0.018, 0.02],
    [0.03, 0.03, 0.035],
    [0.32, 0.33, 0.34],
    [0.38, 0.38, 0.39],
    [0.13, 0.135, 0.14],
    [0.42, 0.02, 0.02],
    [0.02, 0.06, 0.28],
    [0.05, 0.14, 0.36],
    [0.03, 0.15, 0.07],
    [0.50, 0.36, 0.16],
];

const CLOTHES: [Rgb; 12] = [
    [0.02, 0.02, 0.025],
    [0.03, 0.04, 0.09],
    [0.05, 0.08, 0.20],
    [0.45, 0.45, 0.45],
    [0.65, 0.64, 0.62],
    [0.40, 0.04, 0.04],
    [0.08, 0.20, 0.10],
    [0.30, 0.22, 0.12],
    [0.12, 0.12, 0.13],
    [0.55, 0.35, 0.06],
    [0.10, 0.25, 0.42],
    [0.35, 0.12, 0.25],
];

const CARGO: [Rgb; 7] = [
    [0.72, 0.72, 0.70],
    [0.68, 0.68, 0.66],
    [0.55, 0.56, 0.57],
    [0.10, 0.20, 0.42],
    [0.45, 0.06, 0.05],
    [0.55, 0.42, 0.08],
    [0.10, 0.28, 0.15],
];

const SKIN: [Rgb; 4] = [[0.52, 0.33, 0.24], [0.42, 0.25, 0.17], [0.24, 0.13, 0.08], [0.10, 0.055, 0.035]];

/// The colours of a subject, the same whenever it is drawn with this look.
pub(super) fn palette(subject: &Subject, look: &Look) -> Palette {
    let mut dice = Dice::new(look.seed ^ 0xb0d1, u64::from(subject.number));
    let glass = [0.025, 0.03, 0.035];
    let dark = [0.016, 0.016, 0.016];
    let trim = [0.06, 0.06, 0.065];
    let lamps = ([0.75, 0.75, 0.72], [0.35, 0.015, 0.012]);
    let skin = dice.pick(&SKIN);
    let (body, second, trim) = match subject.detection {
        Some(DetectionClass::Car) => (dice.pick(&CAR_PAINT), dark, trim),
        Some(DetectionClass::Truck) => (dice.pick(&CAR_PAINT), dice.pick(&CARGO), trim),
        Some(DetectionClass::Bus) => (dice.pick(&CARGO), dice.pick(&CARGO), trim),
        Some(DetectionClass::Trailer) => (dice.pick(&CARGO), dice.pick(&CARGO), trim),
        Some(DetectionClass::ConstructionVehicle) => {
            (dice.pick(&[[0.66, 0.40, 0.02], [0.62, 0.36, 0.02], [0.60, 0.20, 0.02]]), [0.62, 0.38, 0.02], trim)
        }
        Some(DetectionClass::TrafficCone) => ([0.72, 0.14, 0.02], [0.75, 0.75, 0.75], [0.62, 0.12, 0.02]),
        Some(DetectionClass::Barrier) => {
            let stripes = dice.pick(&[[0.60, 0.04, 0.03], [0.65, 0.22, 0.02], [0.60, 0.04, 0.03]]);
            (stripes, [0.72, 0.72, 0.70], [0.36, 0.35, 0.33])
        }
        Some(DetectionClass::Pedestrian | DetectionClass::Bicycle) => (
            dice.pick(&CLOTHES),
            dice.pick(&CLOTHES),
            dice.pick(&[[0.05, 0.04, 0.03], [0.02, 0.02, 0.02], [0.2, 0.14, 0.07]]),
        ),
        Some(DetectionClass::Motorcycle) => (dice.pick(&CLOTHES), dice.pick(&CAR_PAINT), trim),
        None => {
            let brown = dice.pick(&[[0.32, 0.22, 0.12], [0.20, 0.13, 0.08], [0.30, 0.30, 0.30]]);
            (brown, brown.map(|value: f32| value * 0.8), trim)
        }
    };
    let usual = [body, second, glass, dark, trim, lamps.0, lamps.1, skin, [0.0; 3]];
    subject.guise.map_or(usual, |guise| guises::palette(guise, usual, &mut dice))
}
