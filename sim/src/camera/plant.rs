//! Puts up what stands along the roads: houses, trees, lamps, signs, hedges and fences.

use nalgebra::{Point2, Vector2};

use super::field::Field;
use super::ground::{Shapes, Stretch};
use super::item::Item;
use super::look::{Look, Rgb};
use super::mesh::Part;
use super::noise::Dice;
use super::semantics;
use super::stills::stills;

/// A place on the road's edge, and the direction away from the road.
#[derive(Debug, Clone, Copy)]
struct Kerb {
    at: Point2<f64>,
    outward: Vector2<f64>,
}

/// What stands still, and where the street lamps shine.
#[derive(Debug, Default)]
pub(super) struct Plants {
    pub items: Vec<Item>,
    pub lamps: Vec<Point2<f64>>,
}

/// Colours of parts: body, second and trim; the rest as usual.
pub(super) fn colors(body: Rgb, second: Rgb, trim: Rgb) -> [Rgb; Part::COUNT] {
    [body, second, [0.03, 0.035, 0.04], [0.02; 3], trim, [0.75, 0.72, 0.65], [0.4, 0.02, 0.02], [0.4; 3], [0.0; 3]]
}

const METAL: Rgb = [0.14, 0.145, 0.15];
const BARK: Rgb = [0.075, 0.055, 0.04];

/// Plants everything, the biggest first. Without roads nothing is planted.
pub(super) fn plant(shapes: &Shapes, field: &mut Field, look: &Look) -> Plants {
    let kerbs: Vec<Kerb> = shapes.edges.iter().flat_map(|edge| walk(edge, field)).collect();
    let mut planter = Planter { look, field, plants: Plants::default(), dice: Dice::new(look.seed, 7) };
    let pavement_m = look.pavement_m;
    planter.every(&kerbs, [24.0, 34.0], 1.0, |planter, kerb| planter.street_lamp(kerb));
    planter.every(&kerbs, [9.0, 20.0], look.built, |planter, kerb| planter.house(kerb, pavement_m + 0.8, false));
    planter.every(&kerbs, [22.0, 60.0], look.built, |planter, kerb| planter.house(kerb, 24.0, true));
    planter.every(&kerbs, [7.0, 16.0], look.planted, |planter, kerb| planter.tree(kerb, 1.2, true));
    planter.every(&kerbs, [40.0, 90.0], 0.8, |planter, kerb| planter.sign(kerb));
    planter.every(&kerbs, [3.0, 9.0], look.planted, |planter, kerb| planter.hedge(kerb, pavement_m + 0.5));
    planter.every(&kerbs, [5.0, 25.0], look.planted, |planter, kerb| planter.tree(kerb, pavement_m + 2.0, false));
    planter.every(&kerbs, [12.0, 40.0], look.planted, |planter, kerb| planter.tree(kerb, 16.0, false));
    planter.plants
}

/// Places a metre apart along an edge, with the side away from the road; none where both sides are road.
fn walk([from, to]: &Stretch, field: &Field) -> Vec<Kerb> {
    let step = to - from;
    let length_m = step.norm();
    if !(length_m > 0.01 && length_m < 1e4) {
        return Vec::new();
    }
    let left = Vector2::new(-step.y, step.x) / length_m;
    let count = length_m.ceil() as usize;
    let place = |index: usize| {
        let at = from + step * ((index as f64 + 0.5) / count as f64);
        let away_m = |outward: Vector2<f64>| field.distance_m(at + outward * 3.5);
        let outward = if away_m(left) > away_m(-left) { left } else { -left };
        (away_m(outward) >= 1.5 && field.distance_m(at) <= 1.5).then_some(Kerb { at, outward })
    };
    (0..count).filter_map(place).collect()
}

struct Planter<'a> {
    look: &'a Look,
    field: &'a mut Field,
    plants: Plants,
    dice: Dice,
}

impl Planter<'_> {
    /// Plants at intervals along the kerbs.
    fn every(
        &mut self,
        kerbs: &[Kerb],
        [least_m, most_m]: [f32; 2],
        density: f32,
        mut put: impl FnMut(&mut Self, Kerb),
    ) {
        let mut next = self.dice.between(0.0, most_m);
        for (index, kerb) in kerbs.iter().enumerate() {
            if index as f32 >= next {
                next = index as f32 + self.dice.between(least_m, most_m);
                if self.dice.chance(density) {
                    put(self, *kerb);
                }
            }
        }
    }

    fn add(&mut self, item: Item) {
        self.plants.items.push(item);
    }

    fn varied(&mut self, color: Rgb, by: f32) -> Rgb {
        let scale = self.dice.between(1.0 - by, 1.0 + by);
        color.map(|value| value * scale)
    }

    fn house(&mut self, kerb: Kerb, setback_m: f64, tall: bool) {
        let dice = &mut self.dice;
        let front_m = f64::from(dice.between(8.0, if tall { 30.0 } else { 22.0 }));
        let depth_m = f64::from(dice.between(8.0, 16.0));
        let gabled = !tall && dice.chance(0.35);
        let floors = if tall { dice.between(4.0, 14.0) } else { dice.between(1.3, 6.0) }.floor();
        let height_m = f64::from(floors * dice.between(2.9, 3.5) + if gabled { 3.0 } else { 0.5 });
        let setback_m = setback_m + f64::from(dice.next().powi(2)) * 6.0;
        let center = kerb.at + kerb.outward * (setback_m + depth_m / 2.0);
        let yaw_rad = kerb.outward.y.atan2(kerb.outward.x);
        let clear_m = (self.look.pavement_m as f32).max(3.0);
        if !self.field.claim(center, yaw_rad, [depth_m, front_m], clear_m) {
            return;
        }
        let wall = self.dice.pick(&self.look.walls);
        let wall = self.varied(wall, 0.25);
        let roof = self.dice.pick(&[[0.16, 0.07, 0.05], [0.10, 0.10, 0.105], [0.20, 0.11, 0.07]]);
        let mut palette = colors(wall, roof, METAL);
        // Panes tend to be a little blue; each house has its own.
        let shade = self.dice.between(0.5, 1.8);
        palette[Part::Glass as usize] = [0.045 * shade, 0.055 * shade, 0.065 * shade];
        let mesh = &stills().houses[usize::from(gabled)];
        let size = [depth_m, front_m, height_m];
        self.add(Item::still(mesh, center.coords.push(0.0), yaw_rad, size, palette, semantics::BUILDING));
    }

    fn tree(&mut self, kerb: Kerb, setback_m: f64, on_pavement: bool) {
        let aside_m = setback_m + f64::from(self.dice.next()) * if on_pavement { 0.3 } else { 9.0 };
        let at = kerb.at + kerb.outward * aside_m;
        let clear_m = if on_pavement { 0.5 } else { self.look.pavement_m as f32 };
        if !self.field.claim(at, 0.0, [0.8, 0.8], clear_m) {
            return;
        }
        // A street has one kind of tree, gardens have many.
        let kinds = &stills().trees;
        let kind = if on_pavement { self.look.seed as usize } else { (self.dice.next() * 97.0) as usize } % kinds.len();
        let height_m = f64::from(self.dice.between(4.5, 10.0));
        let spread_m = height_m * f64::from(self.dice.between(0.45, 0.75)) * if kind == 2 { 0.6 } else { 1.0 };
        let (leaves, second) = (self.varied(self.look.leaves, 0.3), self.varied(self.look.leaves, 0.35));
        let yaw_rad = f64::from(self.dice.between(0.0, std::f32::consts::TAU));
        let size = [spread_m, spread_m, height_m];
        let palette = colors(leaves, second, BARK);
        self.add(Item::still(&kinds[kind], at.coords.push(0.0), yaw_rad, size, palette, semantics::VEGETATION));
    }

    fn hedge(&mut self, kerb: Kerb, setback_m: f64) {
        let at = kerb.at + kerb.outward * (setback_m + f64::from(self.dice.next()));
        let yaw_rad = kerb.outward.y.atan2(kerb.outward.x);
        let leaves = self.varied(self.look.leaves, 0.35);
        let (mesh, size, palette, semantics) = match self.dice.next() {
            p if p < 0.4 => {
                let wide = f64::from(self.dice.between(0.8, 2.2));
                (&stills().bush, [wide, wide, wide * 0.7], colors(leaves, leaves, BARK), semantics::VEGETATION)
            }
            p if p < 0.7 => {
                let size = [0.8, f64::from(self.dice.between(3.0, 8.0)), f64::from(self.dice.between(0.8, 1.8))];
                (&stills().hedge, size, colors(leaves, leaves, BARK), semantics::VEGETATION)
            }
            p if p < 0.85 => {
                let wood = self.varied([0.22, 0.16, 0.10], 0.4);
                let size = [0.1, f64::from(self.dice.between(4.0, 9.0)), f64::from(self.dice.between(1.0, 1.8))];
                (&stills().fence, size, colors(wood, wood.map(|value| value * 0.4), wood), semantics::FENCE)
            }
            _ => {
                let wall = self.look.walls[1];
                let size = [0.3, f64::from(self.dice.between(4.0, 10.0)), f64::from(self.dice.between(0.8, 2.2))];
                (&stills().wall, size, colors(wall, wall, wall), semantics::FENCE)
            }
        };
        if self.field.claim(at, yaw_rad, [size[0], size[1]], self.look.pavement_m as f32 - 0.6) {
            self.add(Item::still(mesh, at.coords.push(0.0), yaw_rad, size, palette, semantics));
        }
    }

    fn street_lamp(&mut self, kerb: Kerb) {
        let foot = kerb.at + kerb.outward * 1.1;
        if !self.field.claim(foot, 0.0, [0.3, 0.3], 0.5) {
            return;
        }
        let inward = -kerb.outward;
        let size = [2.4, 0.34, 7.5];
        let middle = foot + inward * 1.15;
        let mut item = Item::still(
            &stills().street_lamp,
            middle.coords.push(0.0),
            inward.y.atan2(inward.x),
            size,
            colors(METAL, METAL, METAL),
            semantics::POLE,
        );
        item.glow[Part::Head as usize] = 1.0;
        self.add(item);
        self.plants.lamps.push(foot + inward * 2.0);
    }

    fn sign(&mut self, kerb: Kerb) {
        let foot = kerb.at + kerb.outward * 0.8;
        if !self.field.claim(foot, 0.0, [0.3, 0.3], 0.5) {
            return;
        }
        // It looks along the road at those who come; traffic keeps to the right.
        let facing = Vector2::new(-kerb.outward.y, kerb.outward.x) * -1.0;
        let plates = [
            ([0.55, 0.03, 0.03], [0.75, 0.75, 0.74]),
            ([0.03, 0.10, 0.42], [0.03, 0.10, 0.42]),
            ([0.65, 0.65, 0.64], [0.05, 0.05, 0.05]),
            ([0.62, 0.42, 0.03], [0.62, 0.42, 0.03]),
        ];
        let (rim, plate) = self.dice.pick(&plates);
        let palette = colors(rim, plate, METAL);
        let yaw_rad = facing.y.atan2(facing.x);
        let foot = foot.coords.push(0.0);
        self.add(Item::still(&stills().sign, foot, yaw_rad, [0.16, 0.75, 2.7], palette, semantics::POLE));
    }
}
