//! Vehicles on duty, animals, and what lies or stands on roads now and then, in the unit box.

use std::sync::OnceLock;

use super::{Palette, vehicles};
use crate::camera::guise::Guise;
use crate::camera::look::Rgb;
use crate::camera::mesh::{Mesh, Part, Pattern};
use crate::camera::noise::Dice;

/// The mesh of a guise, made once.
pub(super) fn mesh(guise: Guise) -> &'static Mesh {
    static MESHES: OnceLock<Vec<Mesh>> = OnceLock::new();
    // In the order of the guises: each is its own index.
    &MESHES.get_or_init(|| Guise::ALL.map(make).to_vec())[guise as usize]
}

fn make(guise: Guise) -> Mesh {
    match guise {
        Guise::Police => police(),
        Guise::Ambulance => ambulance(),
        Guise::FireEngine => fire_engine(),
        Guise::SchoolBus => school_bus(),
        Guise::StalledCar => blinking(vehicles::sedan(), [0.36, 0.49], 0.5, 0.41),
        Guise::StalledTruck => blinking(vehicles::box_truck(), [0.3, 0.37], 0.5, 0.26),
        Guise::Deer => deer(),
        Guise::Dog => dog(),
        Guise::Ball => ball(),
        Guise::Tyre => tyre(),
        Guise::Planks => planks(),
        Guise::Branch => branch(),
        Guise::Triangle => triangle(),
        Guise::Closure => closure(),
        Guise::ClosedSign => closed_sign(),
        Guise::WorksSign => works_sign(),
    }
}

const WHITE: Rgb = [0.74, 0.74, 0.73];
const RED: Rgb = [0.62, 0.03, 0.025];

/// Its colours: body, second colour, trim and the flashing lamps; the rest is the usual palette's.
pub(super) fn palette(guise: Guise, usual: Palette, dice: &mut Dice) -> Palette {
    let [body, second, glass, dark, trim, head, tail, skin, _] = usual;
    let (body, second, trim) = match guise {
        Guise::Police => (WHITE, [0.03, 0.09, 0.42], trim),
        Guise::Ambulance => (WHITE, [0.72, 0.16, 0.02], trim),
        Guise::FireEngine => (RED, WHITE, [0.30, 0.30, 0.31]),
        Guise::SchoolBus => ([0.78, 0.42, 0.01], [0.015; 3], RED),
        Guise::StalledCar | Guise::StalledTruck => (body, second, trim),
        Guise::Deer => ([0.25, 0.135, 0.06], [0.17, 0.095, 0.045], [0.55, 0.50, 0.42]),
        Guise::Dog => {
            let coat = dice.pick(&[[0.30, 0.17, 0.07], [0.03, 0.028, 0.025], [0.50, 0.45, 0.38]]);
            (coat, coat.map(|value: f32| value * 0.75), [0.02; 3])
        }
        Guise::Ball => (dice.pick(&[[0.75, 0.06, 0.03], [0.05, 0.20, 0.70], [0.80, 0.60, 0.04]]), WHITE, trim),
        Guise::Tyre => ([0.018; 3], [0.05; 3], [0.10, 0.09, 0.08]),
        Guise::Planks => ([0.42, 0.29, 0.15], [0.34, 0.22, 0.11], [0.26, 0.17, 0.09]),
        Guise::Branch => ([0.06, 0.11, 0.028], [0.085, 0.13, 0.035], [0.13, 0.085, 0.05]),
        Guise::Triangle => ([0.85, 0.05, 0.03], WHITE, [0.2; 3]),
        Guise::Closure => (RED, WHITE, [0.30; 3]),
        Guise::ClosedSign => (RED, WHITE, [0.30; 3]),
        Guise::WorksSign => (RED, [0.85, 0.55, 0.03], [0.30; 3]),
    };
    let beacon = guise.beacon().map_or([0.0; 3], |beacon| beacon.color);
    [body, second, glass, dark, trim, head, tail, skin, beacon]
}

/// A row of flashing lamps across the roof at `x`, between two heights.
fn light_bar(mesh: &mut Mesh, [x0, x1]: [f32; 2], half: f32, [z0, z1]: [f32; 2]) {
    mesh.cuboid([x0, x1], [-half, -0.08], [z0, z1], Part::Beacon);
    mesh.cuboid([x0, x1], [0.08, half], [z0, z1], Part::Beacon);
    mesh.cuboid([x0, x1], [-0.08, 0.08], [z0, z1], Part::Head);
    let x = (x0 + x1) / 2.0;
    for y in [-half * 0.7, half * 0.7] {
        mesh.lamps.push((nalgebra::Vector3::new(x, y, z1), Part::Beacon));
    }
}

/// A stripe along both sides.
fn stripe(mesh: &mut Mesh, [x0, x1]: [f32; 2], half: f32, [z0, z1]: [f32; 2], part: Part) {
    let right = [[x0, -half, z0], [x1, -half, z0], [x1, -half, z1], [x0, -half, z1]];
    let left = [[x1, half, z0], [x0, half, z0], [x0, half, z1], [x1, half, z1]];
    mesh.polygon(&right, part, Pattern::Plain);
    mesh.polygon(&left, part, Pattern::Plain);
}

/// A patch on the rear and one on the front.
fn ends(mesh: &mut Mesh, [y0, y1]: [f32; 2], [z0, z1]: [f32; 2], part: Part) {
    mesh.polygon(&[[0.5, y0, z0], [0.5, y1, z0], [0.5, y1, z1], [0.5, y0, z1]], part, Pattern::Plain);
    mesh.polygon(&[[-0.5, y1, z0], [-0.5, y0, z0], [-0.5, y0, z1], [-0.5, y1, z1]], part, Pattern::Plain);
}

/// The same vehicle lower by what stands on its roof.
fn lowered(mut mesh: Mesh, to: f32) -> Mesh {
    mesh.points.iter_mut().for_each(|point| point.z *= to);
    mesh.lamps.iter_mut().for_each(|(place, _)| place.z *= to);
    mesh
}

fn police() -> Mesh {
    let mut mesh = lowered(vehicles::sedan(), 0.91);
    stripe(&mut mesh, [-0.40, 0.38], 0.5, [0.385, 0.435], Part::Second);
    ends(&mut mesh, [-0.4, 0.4], [0.36, 0.41], Part::Second);
    light_bar(&mut mesh, [-0.14, -0.04], 0.42, [0.91, 1.0]);
    mesh
}

fn ambulance() -> Mesh {
    let mut mesh = lowered(vehicles::van(), 0.93);
    stripe(&mut mesh, [-0.48, 0.38], 0.5, [0.40, 0.48], Part::Second);
    ends(&mut mesh, [-0.44, 0.44], [0.40, 0.48], Part::Second);
    // A red cross on the doors behind and on the sides.
    for (across, up) in [([-0.05, 0.05], [0.56, 0.84]), ([-0.14, 0.14], [0.66, 0.74])] {
        let [y0, y1] = across;
        let [z0, z1] = up;
        let rear = [[-0.5, y1 + 0.25, z0], [-0.5, y0 + 0.25, z0], [-0.5, y0 + 0.25, z1], [-0.5, y1 + 0.25, z1]];
        mesh.polygon(&rear, Part::Tail, Pattern::Plain);
        stripe(&mut mesh, [-0.22 + y0 * 0.5, -0.22 + y1 * 0.5], 0.5, up, Part::Tail);
    }
    light_bar(&mut mesh, [0.06, 0.13], 0.42, [0.92, 1.0]);
    light_bar(&mut mesh, [-0.49, -0.45], 0.42, [0.92, 0.99]);
    mesh
}

fn fire_engine() -> Mesh {
    let mut mesh = lowered(vehicles::box_truck(), 0.93);
    // The body is red as the cab; shutters and stripes are white.
    mesh.faces.iter_mut().filter(|face| face.part == Part::Second).for_each(|face| face.part = Part::Body);
    stripe(&mut mesh, [-0.5, 0.5], 0.501, [0.36, 0.42], Part::Second);
    stripe(&mut mesh, [-0.46, -0.28], 0.501, [0.48, 0.82], Part::Trim);
    stripe(&mut mesh, [-0.24, -0.06], 0.501, [0.48, 0.82], Part::Trim);
    ends(&mut mesh, [-0.46, 0.46], [0.36, 0.42], Part::Second);
    // A ladder on the roof.
    for y in [-0.2, 0.2] {
        mesh.beam([-0.48, y, 0.955], [0.18, y, 0.955], 0.012, Part::Trim);
    }
    for step in 0..7 {
        let x = -0.45 + 0.1 * step as f32;
        mesh.beam([x, -0.2, 0.955], [x, 0.2, 0.955], 0.008, Part::Trim);
    }
    light_bar(&mut mesh, [0.3, 0.36], 0.42, [0.79, 0.89]);
    mesh.cuboid([-0.02, 0.02], [-0.01, 0.01], [0.93, 1.0], Part::Trim);
    light_bar(&mut mesh, [-0.49, -0.46], 0.42, [0.93, 0.99]);
    mesh
}

fn school_bus() -> Mesh {
    let mut mesh = vehicles::bus();
    // All bodywork in one colour, with two black bands.
    mesh.faces.iter_mut().filter(|face| face.part == Part::Second).for_each(|face| face.part = Part::Body);
    for z in [[0.28, 0.305], [0.36, 0.38]] {
        stripe(&mut mesh, [-0.5, 0.42], 0.501, z, Part::Second);
        ends(&mut mesh, [-0.48, 0.48], z, Part::Second);
    }
    // Lamps above the windows at both ends.
    for y in [[-0.44, -0.26], [0.26, 0.44]] {
        ends(&mut mesh, y, [0.86, 0.96], Part::Beacon);
        for x in [-0.5, 0.5] {
            mesh.lamps.push((nalgebra::Vector3::new(x, (y[0] + y[1]) / 2.0, 0.91), Part::Beacon));
        }
    }
    // The stop sign on its arm at the left side, within the box as the mirrors are.
    let disc = |x: f32| -> Vec<[f32; 3]> {
        let rim = |step: usize| ((step as f32 + 0.5) / 8.0 * std::f32::consts::TAU).sin_cos();
        (0..8).map(rim).map(|(sin, cos)| [x, 0.40 + cos * 0.09, 0.6 + sin * 0.085]).collect()
    };
    mesh.polygon(&disc(-0.5).into_iter().rev().collect::<Vec<_>>(), Part::Trim, Pattern::Plain);
    mesh
}

/// A vehicle with amber lamps at its corners.
fn blinking(mut mesh: Mesh, [y0, y1]: [f32; 2], front: f32, z: f32) -> Mesh {
    for [y0, y1] in [[y0, y1], [-y1, -y0]] {
        ends(&mut mesh, [y0, y1], [z - 0.05, z + 0.05], Part::Beacon);
        for x in [-front, front] {
            mesh.lamps.push((nalgebra::Vector3::new(x, (y0 + y1) / 2.0, z), Part::Beacon));
        }
    }
    mesh
}

/// Four legs that end at `belly`, two fore and two hind.
fn legs(mesh: &mut Mesh, hind: f32, fore: f32, half: f32, belly: f32) {
    for (x, lean) in [(hind, -0.05), (fore, 0.03)] {
        for y in [-0.26, 0.26] {
            mesh.block(
                [x - half * 0.6, x + half * 0.6, y - 0.09, y + 0.09, 0.0],
                [x + lean - half, x + lean + half, y - 0.16, y + 0.16, belly],
                Part::Second,
                Part::Second,
            );
        }
    }
}

fn deer() -> Mesh {
    let mut mesh = Mesh::default();
    legs(&mut mesh, -0.3, 0.18, 0.035, 0.46);
    mesh.ball([-0.06, 0.0, 0.52], [0.34, 0.46, 0.13], 10, 6, Part::Body, Pattern::Plain);
    // A white rump.
    mesh.ball([-0.38, 0.0, 0.54], [0.06, 0.3, 0.07], 7, 4, Part::Trim, Pattern::Plain);
    mesh.prism(&[[0.14, 0.5], [0.24, 0.46], [0.38, 0.72], [0.30, 0.76]], [-0.18, 0.18], Part::Body);
    mesh.ball([0.38, 0.0, 0.76], [0.10, 0.2, 0.055], 8, 4, Part::Body, Pattern::Plain);
    mesh.ball([0.46, 0.0, 0.745], [0.04, 0.12, 0.03], 6, 3, Part::Dark, Pattern::Plain);
    for side in [-1.0, 1.0] {
        mesh.beam([0.33, side * 0.2, 0.79], [0.30, side * 0.42, 0.83], 0.016, Part::Second);
        // Antlers with three points.
        let (root, bow, tip) = ([0.36, side * 0.1, 0.8], [0.28, side * 0.4, 0.9], [0.36, side * 0.47, 0.99]);
        mesh.beam(root, bow, 0.013, Part::Trim);
        mesh.beam(bow, tip, 0.011, Part::Trim);
        mesh.beam([0.32, side * 0.25, 0.85], [0.42, side * 0.3, 0.92], 0.01, Part::Trim);
    }
    mesh
}

fn dog() -> Mesh {
    let mut mesh = Mesh::default();
    legs(&mut mesh, -0.28, 0.2, 0.045, 0.5);
    mesh.ball([-0.04, 0.0, 0.58], [0.34, 0.4, 0.17], 9, 5, Part::Body, Pattern::Plain);
    mesh.prism(&[[0.16, 0.6], [0.27, 0.56], [0.35, 0.8], [0.26, 0.86]], [-0.2, 0.2], Part::Body);
    mesh.ball([0.34, 0.0, 0.86], [0.10, 0.3, 0.12], 8, 4, Part::Body, Pattern::Plain);
    mesh.cuboid([0.40, 0.495], [-0.14, 0.14], [0.76, 0.86], Part::Second);
    mesh.cuboid([0.485, 0.5], [-0.07, 0.07], [0.82, 0.87], Part::Trim);
    for side in [-1.0, 1.0] {
        mesh.beam([0.29, side * 0.28, 0.95], [0.30, side * 0.42, 0.76], 0.035, Part::Second);
    }
    mesh.beam([-0.36, 0.0, 0.62], [-0.49, 0.0, 0.9], 0.025, Part::Second);
    mesh
}

fn ball() -> Mesh {
    let mut mesh = Mesh::default();
    mesh.ball([0.0, 0.0, 0.5], [0.5, 0.5, 0.5], 10, 6, Part::Body, Pattern::Plain);
    // Two bands.
    let faces = mesh.faces.len();
    mesh.faces.iter_mut().take(faces).skip(faces / 3).step_by(3).for_each(|face| face.part = Part::Second);
    mesh
}

/// A flat ring.
fn tyre() -> Mesh {
    let mut mesh = Mesh::default();
    let rim = |step: usize, radius: f32, z: f32| {
        let (sin, cos) = (step as f32 / 14.0 * std::f32::consts::TAU).sin_cos();
        [cos * radius, sin * radius, z]
    };
    for step in 0..14 {
        let next = step + 1;
        let outer = [rim(step, 0.5, 0.0), rim(next, 0.5, 0.0), rim(next, 0.5, 0.8), rim(step, 0.5, 0.8)];
        let shoulder = [rim(step, 0.5, 0.8), rim(next, 0.5, 0.8), rim(next, 0.42, 1.0), rim(step, 0.42, 1.0)];
        let wall = [rim(step, 0.42, 1.0), rim(next, 0.42, 1.0), rim(next, 0.26, 0.9), rim(step, 0.26, 0.9)];
        let inner = [rim(next, 0.26, 0.1), rim(step, 0.26, 0.1), rim(step, 0.26, 0.9), rim(next, 0.26, 0.9)];
        mesh.polygon(&outer, Part::Body, Pattern::Plain);
        mesh.polygon(&shoulder, Part::Second, Pattern::Plain);
        mesh.polygon(&wall, Part::Second, Pattern::Plain);
        mesh.polygon(&inner, Part::Body, Pattern::Plain);
    }
    mesh
}

/// Four boards that fell onto one another.
fn planks() -> Mesh {
    let mut mesh = Mesh::default();
    let boards = [
        ([-0.42, -0.46, 0.12], [0.1, 0.46, 0.12], Part::Body),
        ([-0.1, -0.46, 0.12], [-0.2, 0.46, 0.2], Part::Second),
        ([0.42, -0.44, 0.14], [0.2, 0.46, 0.34], Part::Body),
        ([-0.4, 0.3, 0.42], [0.42, -0.36, 0.82], Part::Trim),
    ];
    for (from, to, part) in boards {
        mesh.beam(from, to, 0.08, part);
    }
    mesh
}

/// A crown that lies on its side, and what is left of its stem.
fn branch() -> Mesh {
    let mut mesh = Mesh::default();
    mesh.beam([-0.2, -0.49, 0.14], [0.1, 0.2, 0.3], 0.06, Part::Trim);
    mesh.beam([0.0, -0.1, 0.22], [0.4, 0.3, 0.6], 0.03, Part::Trim);
    mesh.beam([0.0, -0.05, 0.24], [-0.4, 0.35, 0.5], 0.03, Part::Trim);
    let lumps = [([0.1, 0.22, 0.4], [0.36, 0.26, 0.4]), ([-0.24, 0.18, 0.3], [0.25, 0.28, 0.3])];
    for (center, radii) in lumps {
        mesh.ball(center, radii, 8, 5, Part::Body, Pattern::Leaves);
    }
    mesh.ball([0.2, -0.08, 0.5], [0.27, 0.26, 0.46], 7, 4, Part::Second, Pattern::Leaves);
    mesh.points.iter_mut().for_each(|point| point.z = point.z.max(0.0));
    mesh
}

/// A frame of three beams on feet, on both sides of which it looks the same.
fn triangle() -> Mesh {
    let mut mesh = Mesh::default();
    let corners = [[0.0, -0.42, 0.1], [0.0, 0.42, 0.1], [0.0, 0.0, 0.92]];
    for index in 0..3 {
        mesh.beam(corners[index], corners[(index + 1) % 3], 0.075, Part::Body);
    }
    mesh.cuboid([-0.5, 0.5], [-0.3, 0.3], [0.0, 0.05], Part::Dark);
    mesh
}

/// A high board with broad stripes on two feet.
fn closure() -> Mesh {
    let mut mesh = Mesh::default();
    for z in [[0.68, 1.0], [0.26, 0.52]] {
        let first = mesh.faces.len();
        mesh.cuboid([-0.1, 0.1], [-0.5, 0.5], z, Part::Body);
        mesh.faces[first..].iter_mut().for_each(|face| face.pattern = Pattern::Stripes);
    }
    for y in [[-0.40, -0.36], [0.36, 0.40]] {
        mesh.cuboid([-0.06, 0.06], y, [0.0, 0.95], Part::Trim);
        mesh.cuboid([-0.5, 0.5], [y[0] - 0.02, y[1] + 0.02], [0.0, 0.06], Part::Dark);
    }
    mesh
}

/// A post with a plate that looks ahead, and what makes rings on it: how far ahead, and of which share of its size.
fn plate(corners: usize, turn: f32) -> (Mesh, impl Fn(f32, f32) -> Vec<[f32; 3]>) {
    let mut mesh = Mesh::default();
    mesh.cuboid([-0.5, -0.1], [-0.04, 0.04], [0.0, 1.0], Part::Trim);
    let half_z = 0.19;
    let ring = move |x: f32, radius: f32| -> Vec<[f32; 3]> {
        let rim = |step: usize| ((step as f32 / corners as f32 + turn) * std::f32::consts::TAU).sin_cos();
        let place = |(sin, cos): (f32, f32)| [x, cos * 0.5 * radius, 1.0 - half_z + sin * half_z * radius];
        (0..corners).map(rim).map(place).collect()
    };
    mesh.polygon(&ring(0.0, 1.0), Part::Body, Pattern::Plain);
    let back: Vec<_> = ring(-0.05, 1.0).into_iter().rev().collect();
    mesh.polygon(&back, Part::Trim, Pattern::Plain);
    (mesh, ring)
}

/// A red disc with a white bar, and a striped board below it.
fn closed_sign() -> Mesh {
    let (mut mesh, _) = plate(16, 1.0 / 32.0);
    let white = [[0.3, -0.36, 0.775], [0.3, 0.36, 0.775], [0.3, 0.36, 0.845], [0.3, -0.36, 0.845]];
    mesh.polygon(&white, Part::Second, Pattern::Plain);
    let bar = [[0.2, -0.5, 0.48], [0.2, 0.5, 0.48], [0.2, 0.5, 0.58], [0.2, -0.5, 0.58]];
    mesh.polygon(&bar, Part::Body, Pattern::Stripes);
    mesh.polygon(&bar.map(|[_, y, z]| [0.1, -y, z]), Part::Trim, Pattern::Plain);
    mesh
}

/// A yellow triangle with a red rim and something dark in it.
fn works_sign() -> Mesh {
    let (mut mesh, ring) = plate(3, 0.25);
    mesh.polygon(&ring(0.25, 0.66), Part::Second, Pattern::Plain);
    mesh.polygon(&[[0.4, -0.12, 0.73], [0.4, 0.12, 0.73], [0.4, 0.0, 0.83]], Part::Dark, Pattern::Plain);
    mesh
}
