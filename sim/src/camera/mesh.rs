//! Bodies of triangles, and the few shapes that they are put together from.

use nalgebra::Vector3;

/// What part of a body a face belongs to; it takes its colour from the body's palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Paint, or a jacket.
    Body,
    /// A second colour: cargo box, trousers.
    Second,
    /// Panes.
    Glass,
    /// Wheels and what else is nearly black.
    Dark,
    /// Bumpers, frames, concrete.
    Trim,
    /// White lamps ahead.
    Head,
    /// Red lamps behind.
    Tail,
    /// Faces and hands.
    Skin,
    /// Lamps that flash.
    Beacon,
}

impl Part {
    /// How many there are.
    pub const COUNT: usize = 9;
}

/// What a face shows beside its plain colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Nothing.
    Plain,
    /// Lumps of leaves.
    Leaves,
    /// Rows of windows.
    Windows,
    /// Slanted stripes of the body's two colours.
    Stripes,
    /// Slats with gaps of shade.
    Slats,
}

/// One triangle, counter-clockwise seen from outside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Face {
    pub corners: [u16; 3],
    pub part: Part,
    pub pattern: Pattern,
    /// Unit normal in the body's own proportions.
    pub normal: Vector3<f32>,
}

/// A body in the unit box: x from −0.5 behind to 0.5 ahead, y to the left, z from 0 on the ground to 1.
#[derive(Debug, Clone, Default)]
pub(super) struct Mesh {
    pub points: Vec<Vector3<f32>>,
    pub faces: Vec<Face>,
    /// Lamps: where, and which.
    pub lamps: Vec<(Vector3<f32>, Part)>,
}

type Point = [f32; 3];

impl Mesh {
    /// A flat polygon, counter-clockwise seen from outside.
    pub fn polygon(&mut self, corners: &[Point], part: Part, pattern: Pattern) {
        let first = self.points.len() as u16;
        self.points.extend(corners.iter().map(|corner| Vector3::from(*corner)));
        let at = |index: u16| Vector3::from(corners[index as usize]);
        for index in 1..corners.len() as u16 - 1 {
            let cross = (at(index) - at(0)).cross(&(at(index + 1) - at(0)));
            let normal = cross.try_normalize(0.0).unwrap_or_else(Vector3::z);
            self.faces.push(Face { corners: [first, first + index, first + index + 1], part, pattern, normal });
        }
    }

    /// A block between a lower and an upper rectangle, each (x from, x to, y from, y to, z). No floor.
    pub fn block(&mut self, low: [f32; 5], high: [f32; 5], sides: Part, roof: Part) {
        let [a, b] = [low, high].map(|[x0, x1, y0, y1, z]| [[x1, y1, z], [x0, y1, z], [x0, y0, z], [x1, y0, z]]);
        for side in 0..4 {
            let next = (side + 1) % 4;
            self.polygon(&[a[side], a[next], b[next], b[side]], sides, Pattern::Plain);
        }
        self.polygon(&[b[0], b[1], b[2], b[3]], roof, Pattern::Plain);
    }

    /// An upright cuboid.
    pub fn cuboid(&mut self, [x0, x1]: [f32; 2], [y0, y1]: [f32; 2], [z0, z1]: [f32; 2], part: Part) {
        self.block([x0, x1, y0, y1, z0], [x0, x1, y0, y1, z1], part, part);
    }

    /// An outline in the x–z plane, counter-clockwise seen from the right, drawn out from `y0` to `y1`.
    pub fn prism(&mut self, outline: &[[f32; 2]], [y0, y1]: [f32; 2], part: Part) {
        let right: Vec<Point> = outline.iter().map(|[x, z]| [*x, y0, *z]).collect();
        let left: Vec<Point> = outline.iter().rev().map(|[x, z]| [*x, y1, *z]).collect();
        self.polygon(&right, part, Pattern::Plain);
        self.polygon(&left, part, Pattern::Plain);
        for (index, &[x, z]) in outline.iter().enumerate() {
            let [to_x, to_z] = outline[(index + 1) % outline.len()];
            self.polygon(&[[x, y0, z], [x, y1, z], [to_x, y1, to_z], [to_x, y0, to_z]], part, Pattern::Plain);
        }
    }

    /// A wheel that stands along x.
    pub fn wheel(&mut self, x: f32, [y0, y1]: [f32; 2], radius_x: f32, radius_z: f32) {
        let rim: Vec<[f32; 2]> = (0..8)
            .map(|i| (i as f32 + 0.5) / 8.0 * std::f32::consts::TAU)
            .map(|angle| [x + angle.cos() * radius_x * 1.05, radius_z * (1.0 + angle.sin())])
            .map(|[x, z]| [x, z.clamp(0.0, 1.0)])
            .collect();
        self.prism(&rim, [y0, y1], Part::Dark);
    }

    /// Four wheels, the axles at `rear` and `front`.
    pub fn wheels(&mut self, axles: &[f32], radius_x: f32, radius_z: f32) {
        for &axle in axles {
            self.wheel(axle, [-0.495, -0.36], radius_x, radius_z);
            self.wheel(axle, [0.36, 0.495], radius_x, radius_z);
        }
    }

    /// A lamp on the front or rear face and its mirror image.
    pub fn lamps(&mut self, x: f32, [y0, y1]: [f32; 2], [z0, z1]: [f32; 2], part: Part) {
        for [y0, y1] in [[y0, y1], [-y1, -y0]] {
            let corners = [[x, y0, z0], [x, y1, z0], [x, y1, z1], [x, y0, z1]];
            if x > 0.0 {
                self.polygon(&corners, part, Pattern::Plain);
            } else {
                self.polygon(&[corners[1], corners[0], corners[3], corners[2]], part, Pattern::Plain);
            }
            self.lamps.push((Vector3::new(x, (y0 + y1) / 2.0, (z0 + z1) / 2.0), part));
        }
    }

    /// A round thing of `around` × `rings` faces within a box.
    pub fn ball(&mut self, center: Point, radii: Point, around: usize, rings: usize, part: Part, pattern: Pattern) {
        let at = |ring: usize, step: usize| -> Point {
            let (up, turn) = (
                (ring as f32 / rings as f32 - 0.5) * std::f32::consts::PI,
                (step as f32 + ring as f32 * 0.5) / around as f32 * std::f32::consts::TAU,
            );
            [
                center[0] + radii[0] * up.cos() * turn.cos(),
                center[1] + radii[1] * up.cos() * turn.sin(),
                center[2] + radii[2] * up.sin(),
            ]
        };
        for ring in 0..rings {
            for step in 0..around {
                let (a, b) = (at(ring, step), at(ring, step + 1));
                let (c, d) = (at(ring + 1, step), at(ring + 1, step + 1));
                if ring > 0 {
                    self.polygon(&[a, b, c], part, pattern);
                }
                if ring + 1 < rings {
                    self.polygon(&[b, d, c], part, pattern);
                }
            }
        }
    }

    /// A beam with a square section between two points.
    pub fn beam(&mut self, from: Point, to: Point, half: f32, part: Part) {
        let (from, to) = (Vector3::from(from), Vector3::from(to));
        let along = (to - from).try_normalize(0.0).unwrap_or_else(Vector3::z);
        let aside = if along.z.abs() < 0.9 { Vector3::z() } else { Vector3::x() };
        let side = along.cross(&aside).normalize() * half;
        let up = side.cross(&along);
        let ring = [side + up, up - side, -side - up, side - up];
        for index in 0..4 {
            let (a, b) = (ring[index], ring[(index + 1) % 4]);
            self.polygon(&[(from + a), (to + a), (to + b), (from + b)].map(Into::into), part, Pattern::Plain);
        }
        self.polygon(&[3, 2, 1, 0].map(|i| (to + ring[i]).into()), part, Pattern::Plain);
        self.polygon(&[0, 1, 2, 3].map(|i| (from + ring[i]).into()), part, Pattern::Plain);
    }
}
