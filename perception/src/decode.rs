//! From the network's numbers to boxes with futures, in the vehicle's frame.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use tandem_datasets::DetectionClass;

use crate::eval::Attribute;
use crate::model::heads::{ATTRIBUTES, BOX, CLASSES, FORECAST_STEPS, MODES, VELOCITY_MPS};
use crate::model::{Grid, NetworkConfig, Output};
use crate::truth::FORECAST_STEP_S;

/// Boxes less certain than this are not looked at.
pub const MIN_SCORE: f32 = 0.05;

/// The length of a forecast's numbers for one object.
const FORECAST: usize = MODES * (2 * FORECAST_STEPS + 1);

/// One of an object's futures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Future {
    /// How likely it is; those of an object sum to 1.
    pub probability: f64,
    /// Where the centre will be, [`FORECAST_STEP_S`] apart, in the vehicle's frame now, m.
    pub positions: [[f64; 2]; FORECAST_STEPS],
}

/// A box as the network sees it, in the vehicle's frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeenBox {
    /// What it is taken for.
    pub class: DetectionClass,
    /// The confidence in [0, 1].
    pub score: f64,
    /// Its centre, m.
    pub center: [f64; 3],
    /// Length, width, height, m.
    pub size: [f64; 3],
    /// Heading, rad.
    pub yaw_rad: f64,
    /// Over ground, along the vehicle's axes, m/s.
    pub velocity_mps: [f64; 2],
    /// What it seems to be doing; `None` for what has no attributes.
    pub attribute: Option<Attribute>,
    /// Its futures, the likeliest first; `None` of a detector that tells none.
    pub futures: Option<[Future; MODES]>,
}

/// The numbers of one frame of a network's output, on the host.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Numbers {
    /// `[count]`.
    pub cells: Vec<i64>,
    /// `[count, BOX + ATTRIBUTES + CLASSES]`.
    pub boxes: Vec<f32>,
    /// `[count, MODES · (2 · FORECAST_STEPS + 1)]`.
    pub forecasts: Vec<f32>,
    /// `[6, cells, cells]`.
    pub map: Vec<f32>,
    /// `[128]`.
    pub embedding: Vec<f32>,
    /// `[PATHS, SCORES]`, see [`crate::path`].
    pub paths: Vec<f32>,
    /// `[SPEEDS]`.
    pub speeds: Vec<f32>,
}

impl Numbers {
    /// Becomes those of an output with a batch of one.
    pub fn read<B: Backend>(&mut self, output: &Output<B>) {
        fn floats<B: Backend, const D: usize>(tensor: &Tensor<B, D>, values: &mut Vec<f32>) {
            values.clear();
            values.extend(tensor.clone().into_data().iter::<f32>());
        }
        self.cells.clear();
        self.cells.extend(output.cells.clone().into_data().iter::<i64>());
        floats(&output.boxes, &mut self.boxes);
        floats(&output.forecasts, &mut self.forecasts);
        floats(&output.map, &mut self.map);
        floats(&output.embedding, &mut self.embedding);
        floats(&output.path.paths, &mut self.paths);
        floats(&output.path.speeds, &mut self.speeds);
    }

    /// Writes the boxes that are certain enough, duplicates left out, the most certain first, in place of others.
    pub fn boxes(&self, config: &NetworkConfig, found: &mut Vec<SeenBox>) {
        let numbers = self.boxes.chunks_exact(BOX + ATTRIBUTES + CLASSES).zip(self.forecasts.chunks_exact(FORECAST));
        let all = self.cells.iter().zip(numbers).flat_map(|(cell, (numbers, forecast))| {
            let cell = usize::try_from(*cell).unwrap_or(0);
            let classes = DetectionClass::ALL.into_iter().zip(&numbers[BOX + ATTRIBUTES..]);
            let certain =
                classes.map(|(class, logit)| (class, sigmoid(*logit))).filter(|(_, score)| *score >= MIN_SCORE);
            certain.filter_map(move |(class, score)| seen_box(&config.grid, cell, class, score, numbers, forecast))
        });
        found.clear();
        found.extend(all);
        leave_out_duplicates(found);
    }
}

/// The logistic function.
pub(crate) fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

fn seen_box(
    grid: &Grid,
    cell: usize,
    class: DetectionClass,
    score: f32,
    numbers: &[f32],
    forecast: &[f32],
) -> Option<SeenBox> {
    if !numbers.iter().chain(forecast).all(|number| number.is_finite()) {
        return None;
    }
    let number = |index: usize| f64::from(numbers[index]);
    let [x, y] = grid.center(cell);
    let center = [x + number(0) * grid.cell_m(), y + number(1) * grid.cell_m(), number(2)];
    let velocity_mps = [number(8) * VELOCITY_MPS, number(9) * VELOCITY_MPS];
    Some(SeenBox {
        class,
        score: f64::from(score),
        center,
        // Between 5 cm and 50 m, whatever the network says.
        size: std::array::from_fn(|axis| number(3 + axis).clamp(-3.0, 3.9).exp()),
        yaw_rad: number(6).atan2(number(7)),
        velocity_mps,
        attribute: attribute(class, &numbers[BOX..BOX + ATTRIBUTES]),
        futures: Some(futures(center, velocity_mps, forecast)),
    })
}

/// The likeliest of the attributes that a class may have.
fn attribute(class: DetectionClass, logits: &[f32]) -> Option<Attribute> {
    use Attribute::*;
    let may_be: &[Attribute] = match class {
        DetectionClass::TrafficCone | DetectionClass::Barrier => &[],
        DetectionClass::Pedestrian => &[PedestrianMoving, PedestrianSitting, PedestrianStanding],
        DetectionClass::Bicycle | DetectionClass::Motorcycle => &[CycleWithRider, CycleWithoutRider],
        _ => &[VehicleMoving, VehicleParked, VehicleStopped],
    };
    let logit = |attribute: &Attribute| logits[*attribute as usize];
    may_be.iter().copied().max_by(|a, b| logit(a).total_cmp(&logit(b)))
}

fn futures(center: [f64; 3], velocity_mps: [f64; 2], forecast: &[f32]) -> [Future; MODES] {
    let modes: [&[f32]; MODES] =
        std::array::from_fn(|mode| &forecast[mode * (2 * FORECAST_STEPS + 1)..][..2 * FORECAST_STEPS + 1]);
    let most = modes.iter().map(|mode| mode[2 * FORECAST_STEPS]).fold(f32::MIN, f32::max);
    let weight = |mode: &[f32]| f64::from((mode[2 * FORECAST_STEPS] - most).exp());
    let sum: f64 = modes.iter().map(|mode| weight(mode)).sum();
    let mut futures = modes.map(|mode| Future {
        probability: weight(mode) / sum,
        positions: std::array::from_fn(|step| {
            let seconds = FORECAST_STEP_S * (step + 1) as f64;
            std::array::from_fn(|axis| center[axis] + velocity_mps[axis] * seconds + f64::from(mode[2 * step + axis]))
        }),
    });
    futures.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    futures
}

/// Two boxes of a class closer than this are one, m.
fn apart_m(class: DetectionClass) -> f64 {
    match class {
        DetectionClass::Pedestrian | DetectionClass::TrafficCone => 0.4,
        DetectionClass::Motorcycle | DetectionClass::Bicycle | DetectionClass::Barrier => 0.8,
        DetectionClass::Car => 1.5,
        _ => 2.5,
    }
}

/// Leaves out boxes that lie close to a more certain one of their class (circle suppression, as in CenterPoint).
fn leave_out_duplicates(boxes: &mut Vec<SeenBox>) {
    boxes.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept = 0;
    for next in 0..boxes.len() {
        let SeenBox { class, center: [x, y, _], .. } = boxes[next];
        let is_close = |earlier: &SeenBox| {
            earlier.class == class && (earlier.center[0] - x).hypot(earlier.center[1] - y) < apart_m(class)
        };
        if !boxes[..kept].iter().any(is_close) {
            boxes.swap(kept, next);
            kept += 1;
        }
    }
    boxes.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rig::GridFrame;
    use crate::truth::{Targets, Thing, Truth};

    /// The numbers of a network that says exactly what the targets ask for.
    fn perfect(config: &NetworkConfig, targets: &Targets) -> Numbers {
        let mut numbers = Numbers::default();
        for object in &targets.objects {
            numbers.cells.push(object.cell as i64);
            numbers.boxes.extend(object.numbers);
            numbers
                .boxes
                .extend((0..ATTRIBUTES).map(|index| if index as i32 == object.attribute { 5.0 } else { -5.0 }));
            numbers.boxes.extend((0..CLASSES).map(|index| if index == object.class.index() { 4.0 } else { -9.0 }));
            for mode in 0..MODES {
                numbers.forecasts.extend(object.future.as_flattened());
                numbers.forecasts.push(if mode == 2 { 3.0 } else { 0.0 });
            }
        }
        assert_eq!(numbers.cells.len(), targets.objects.len());
        assert_eq!(config.grid.cells, 128);
        numbers
    }

    #[test]
    fn what_the_targets_ask_for_decodes_to_the_truth() {
        let config = NetworkConfig::tiny();
        let thing = Thing {
            class: DetectionClass::Truck,
            center: [12.34, -7.89, 1.4],
            size: [7.1, 2.4, 3.0],
            yaw_rad: 2.9,
            velocity_mps: Some([-5.0, 1.2]),
            attribute: Some(Attribute::VehicleMoving),
            future: std::array::from_fn(|step| Some([12.0 - step as f64, -7.0 + 0.1 * step as f64])),
        };
        let truth = Truth {
            things: vec![thing.clone()],
            roads: None,
            depth_m: Vec::new(),
            shown: Vec::new(),
            tags: None,
            ego: None,
        };
        let targets = Targets::new(&config, &truth, GridFrame::VEHICLE);
        let mut boxes = Vec::new();
        perfect(&config, &targets).boxes(&config, &mut boxes);
        let [found] = boxes.as_slice() else { panic!("{boxes:?}") };
        assert_eq!((found.class, found.attribute), (thing.class, thing.attribute));
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-4, "{a} {b}");
        (0..3).for_each(|axis| close(found.center[axis], thing.center[axis]));
        (0..3).for_each(|axis| close(found.size[axis], thing.size[axis]));
        close(found.yaw_rad, thing.yaw_rad);
        (0..2).for_each(|axis| close(found.velocity_mps[axis], thing.velocity_mps.unwrap()[axis]));
        let futures = found.futures.unwrap();
        close(futures.iter().map(|future| future.probability).sum(), 1.0);
        for (place, wanted) in futures[0].positions.iter().zip(thing.future) {
            (0..2).for_each(|axis| close(place[axis], wanted.unwrap()[axis]));
        }
    }

    #[test]
    fn of_two_boxes_of_a_class_on_one_spot_the_surer_one_stays() {
        let at = |x: f64, class, score| SeenBox {
            class,
            score,
            center: [x, 0.0, 0.0],
            size: [1.0; 3],
            yaw_rad: 0.0,
            velocity_mps: [0.0; 2],
            attribute: None,
            futures: None,
        };
        use DetectionClass::{Car, Pedestrian};
        let mut boxes = vec![at(0.0, Car, 0.4), at(1.0, Car, 0.8), at(1.0, Pedestrian, 0.3), at(3.0, Car, 0.2)];
        leave_out_duplicates(&mut boxes);
        let kept: Vec<_> = boxes.iter().map(|seen| (seen.class, seen.score)).collect();
        assert_eq!(kept, [(Car, 0.8), (Pedestrian, 0.3), (Car, 0.2)]);
    }
}
