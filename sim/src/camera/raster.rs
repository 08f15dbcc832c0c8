//! Triangles become samples: a depth buffer that keeps, for every sample, what is nearest.

use nalgebra::Vector3;

use super::view::View;

/// Nothing but sky.
pub(super) const SKY: u32 = 0;
/// The ground; up to [`FIRST_FACE`] its number says how it is shaded, see [`Shade`].
pub(super) const GROUND: u32 = 1;
/// Numbers from here on are faces.
pub(super) const FIRST_FACE: u32 = 16;
/// Farther than this the ground is one with the horizon, m.
pub(super) const FAR_M: f32 = 700.0;
/// What is nearer to the image plane is cut off, m.
const NEAR_M: f64 = 0.1;

/// How a patch of ground is shaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shade {
    /// The sun is hidden.
    Sun,
    /// Something stands over it, more closely with the level, 1 to 3.
    Contact(u32),
}

impl Shade {
    fn onto(self, ground: u32) -> u32 {
        let flags = ground - GROUND;
        GROUND
            + match self {
                Self::Sun => flags | 1,
                Self::Contact(level) => (flags & 1) | (flags >> 1).max(level) << 1,
            }
    }
}

/// What a ground sample's number says: whether the sun is hidden, and the contact level.
pub(super) fn shading(ground: u32) -> (bool, u32) {
    let flags = ground - GROUND;
    (flags & 1 == 1, flags >> 1)
}

/// The samples of a picture.
#[derive(Debug, Default)]
pub(super) struct Samples {
    pub width: usize,
    pub height: usize,
    /// One over the depth along the optical axis, 1/m.
    pub nearness: Vec<f32>,
    /// What is nearest.
    pub face: Vec<u32>,
    /// Which body was drawn here last, hidden or not.
    touched: Vec<u32>,
    /// Left and right ends of each row of the polygon at hand.
    spans: Vec<(f32, f32)>,
}

impl Samples {
    /// Starts a picture: ground up to the horizon, and sky.
    pub fn begin(&mut self, view: &View) {
        (self.width, self.height) = view.sample_size();
        self.nearness.clear();
        self.face.clear();
        self.touched.clear();
        self.touched.resize(self.width * self.height, 0);
        self.spans.resize(self.height, (0.0, 0.0));
        let [a, b, c] = view.ground_plane();
        for row in 0..self.height {
            let start = (b * (row as f64 + 0.5) + c + a * 0.5) as f32;
            let near = (0..self.width).map(|column| start + a as f32 * column as f32);
            self.nearness.extend(near.map(|near| if near > 1.0 / FAR_M { near } else { 0.0 }));
        }
        self.face.extend(self.nearness.iter().map(|near| if *near > 0.0 { GROUND } else { SKY }));
    }

    /// Draws the triangle with these corners in homogeneous samples. With `outer`, only if it turns its outside to the
    /// camera. `body` is marked wherever the triangle falls, and the samples that it marks first are counted.
    ///
    /// Returns the count, `None` if nothing of the triangle can be seen.
    pub fn triangle(&mut self, corners: [Vector3<f64>; 3], outer: bool, face: u32, body: Option<u32>) -> Option<u32> {
        let normal = (corners[1] - corners[0]).cross(&(corners[2] - corners[0]));
        let offset = corners[0].dot(&normal);
        // The optical frame's y points down, so counter-clockwise corners seen from outside have a negative volume.
        if offset == 0.0 || (outer && offset > 0.0) || !offset.is_finite() {
            return None;
        }
        let plane = normal / offset;
        let rows = self.cover(&corners)?;
        let [a, b, c] = [plane.x, plane.y, plane.z];
        let mut first = 0;
        for row in rows {
            let Some((left, right)) = self.span(row) else { continue };
            let start = (b * (row as f64 + 0.5) + c + a * (left as f64 + 0.5)) as f32;
            let (from, to) = (row * self.width + left, row * self.width + right);
            let step = a as f32;
            let samples = self.nearness[from..to].iter_mut().zip(&mut self.face[from..to]);
            for (column, (nearness, kept)) in samples.enumerate() {
                let near = start + step * column as f32;
                if near > *nearness {
                    *nearness = near;
                    *kept = face;
                }
            }
            if let Some(body) = body {
                for mark in &mut self.touched[from..to] {
                    first += u32::from(*mark != body);
                    *mark = body;
                }
            }
        }
        Some(first)
    }

    /// Shades the ground under a triangle that lies on it. To be done before anything else is drawn.
    pub fn shade(&mut self, corners: [Vector3<f64>; 3], shade: Shade) {
        let Some(rows) = self.cover(&corners) else { return };
        for row in rows {
            let Some((left, right)) = self.span(row) else { continue };
            for kept in &mut self.face[row * self.width + left..row * self.width + right] {
                if *kept != SKY {
                    *kept = shade.onto(*kept);
                }
            }
        }
    }

    fn span(&self, row: usize) -> Option<(usize, usize)> {
        let (left, right) = self.spans[row];
        // Casts saturate, so what lies beside the picture is cut.
        let left = (left - 0.5).ceil().max(0.0) as usize;
        let right = ((right - 0.5).ceil().max(0.0) as usize).min(self.width);
        (left < right).then_some((left, right))
    }

    /// Notes for each row between which columns the triangle lies, and returns the rows.
    fn cover(&mut self, corners: &[Vector3<f64>; 3]) -> Option<std::ops::Range<usize>> {
        let mut polygon = [(0.0, 0.0); 4];
        let mut count = 0;
        for index in 0..3 {
            let (from, to) = (corners[index], corners[(index + 1) % 3]);
            if from.z >= NEAR_M {
                polygon[count] = (from.x / from.z, from.y / from.z);
                count += 1;
            }
            if (from.z >= NEAR_M) != (to.z >= NEAR_M) {
                // The same order from both sides, so that neighbours meet.
                let (low, high) = if from.z < to.z { (from, to) } else { (to, from) };
                let cut = low + (high - low) * ((NEAR_M - low.z) / (high.z - low.z));
                polygon[count] = (cut.x / NEAR_M, cut.y / NEAR_M);
                count += 1;
            }
        }
        let polygon = &polygon[..count];
        let top = polygon.iter().fold(f64::INFINITY, |top, corner| top.min(corner.1));
        let bottom = polygon.iter().fold(f64::NEG_INFINITY, |bottom, corner| bottom.max(corner.1));
        let rows = row_after(top, self.height)..row_after(bottom, self.height);
        if rows.is_empty() {
            return None;
        }
        self.spans[rows.clone()].fill((f32::INFINITY, f32::NEG_INFINITY));
        for (index, from) in polygon.iter().enumerate() {
            let to = &polygon[(index + 1) % count];
            let (high, low) = if from.1 <= to.1 { (from, to) } else { (to, from) };
            let slope = (low.0 - high.0) / (low.1 - high.1);
            for row in row_after(high.1, self.height)..row_after(low.1, self.height) {
                let x = (high.0 + (row as f64 + 0.5 - high.1) * slope) as f32;
                let (left, right) = &mut self.spans[row];
                *left = left.min(x);
                *right = right.max(x);
            }
        }
        Some(rows)
    }
}

/// The first row whose middle is at or below a height.
fn row_after(y: f64, rows: usize) -> usize {
    ((y - 0.5).ceil().max(0.0) as usize).min(rows)
}
