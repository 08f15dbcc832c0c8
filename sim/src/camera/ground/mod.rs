//! The ground as a picture: tiles of several resolutions, painted when they are first looked at.

mod fill;
mod shapes;

use std::sync::{Arc, OnceLock};

use nalgebra::{Point2, Vector2, Vector3};
use tandem_datasets::{DrivableSource, Map};

use super::look::{Look, Rgb};
use super::noise::Noise;
use super::semantics;

pub(super) use fill::Grid;
pub(super) use shapes::{Shapes, Stretch};

/// Side of the finest texel, m.
const FINEST_M: f64 = 0.08;
/// Levels, each half as fine as the one before.
const LEVELS: usize = 6;
/// Texels along a tile's side; one more is kept, so that neighbours can be blended.
const SIDE: usize = 128;
const STRIDE: usize = SIDE + 1;

/// Colour (square root of the albedo) and kind of a texel.
pub(super) type Texel = [u8; 4];

/// The ground of a scene.
#[derive(Debug)]
pub(super) struct Ground {
    pub shapes: Shapes,
    look: Look,
    /// Where roads are known by their edges alone.
    edged: Option<(Arc<Map>, Vector3<f64>)>,
    levels: Vec<Level>,
}

#[derive(Debug)]
struct Level {
    texel_m: f64,
    origin: Point2<f64>,
    columns: usize,
    rows: usize,
    tiles: Vec<OnceLock<Box<[Texel]>>>,
}

impl Ground {
    /// The ground between two corners of the scene.
    pub fn new(
        shapes: Shapes,
        look: &Look,
        map: Option<(Arc<Map>, Vector3<f64>)>,
        low: Point2<f64>,
        high: Point2<f64>,
    ) -> Self {
        let edged = map.filter(|(map, _)| map.drivable_source() == DrivableSource::RoadEdges);
        let levels = (0..LEVELS).map(|level| {
            let texel_m = FINEST_M * f64::from(1 << level);
            let tile_m = texel_m * SIDE as f64;
            let count = |extent_m: f64| ((extent_m / tile_m).ceil().clamp(1.0, 4096.0)) as usize;
            let (columns, rows) = (count(high.x - low.x), count(high.y - low.y));
            let tiles = (0..columns * rows).map(|_| OnceLock::new()).collect();
            Level { texel_m, origin: low, columns, rows, tiles }
        });
        Self { shapes, look: look.clone(), edged, levels: levels.collect() }
    }

    /// Colour and kind at a place, seen through a window of about `wide_m` × `long_m` whose long side lies along `along`.
    #[inline]
    pub fn look_at(&self, x: f32, y: f32, wide_m: f32, long_m: f32, along: Vector2<f32>) -> (Rgb, u8) {
        // Up to five looks along the window, at a resolution that leaves no gaps between them.
        let fine_m = wide_m.max(long_m / 5.0).max(FINEST_M as f32 * 0.25);
        let looks = ((long_m / fine_m).round() as i32).clamp(1, 5);
        let level = (fine_m / FINEST_M as f32 * 1.2).log2().max(0.0) as usize;
        let level = &self.levels[level.min(LEVELS - 1)];
        let step = long_m / looks as f32;
        let mut sum = [0.0; 3];
        for index in 0..looks {
            let offset = (index as f32 - (looks - 1) as f32 * 0.5) * step;
            let (x, y) = (x + along.x * offset, y + along.y * offset);
            // Several looks smooth well enough without blending each.
            let color = if looks > 2 { self.nearest(level, x, y) } else { self.blend(level, x, y) };
            (0..3).for_each(|channel| sum[channel] += color[channel]);
        }
        let scale = 1.0 / (looks as f32 * 255.0);
        let color = sum.map(|value| (value * scale) * (value * scale));
        (color, self.kind(level, x, y))
    }

    fn kind(&self, level: &Level, x: f32, y: f32) -> u8 {
        let per_m = 1.0 / level.texel_m as f32;
        let (x, y) = ((x - level.origin.x as f32) * per_m, (y - level.origin.y as f32) * per_m);
        let Some((tile, column, row)) = level.place(x, y) else { return semantics::TERRAIN };
        self.tile(level, tile)[row * STRIDE + column][3]
    }

    /// The colour of the texel at a place, 0 to 255.
    #[inline]
    fn nearest(&self, level: &Level, x: f32, y: f32) -> Rgb {
        let per_m = 1.0 / level.texel_m as f32;
        let (u, v) = ((x - level.origin.x as f32) * per_m + 0.5, (y - level.origin.y as f32) * per_m + 0.5);
        let Some((tile, column, row)) = level.place(u, v) else {
            return self.look.terrain.map(|value| value.sqrt() * 255.0);
        };
        let [r, g, b, _] = self.tile(level, tile)[row * STRIDE + column];
        [r, g, b].map(f32::from)
    }

    /// The colour between the four texels around a place, 0 to 255.
    #[inline]
    fn blend(&self, level: &Level, x: f32, y: f32) -> Rgb {
        let per_m = 1.0 / level.texel_m as f32;
        let (u, v) = ((x - level.origin.x as f32) * per_m, (y - level.origin.y as f32) * per_m);
        let Some((tile, column, row)) = level.place(u, v) else {
            return self.look.terrain.map(|value| value.sqrt() * 255.0);
        };
        let tile = self.tile(level, tile);
        let (tx, ty) = (u - (u as i32) as f32, v - (v as i32) as f32);
        let at = |offset: usize| tile[row * STRIDE + column + offset];
        let (a, b, c, d) = (at(0), at(1), at(STRIDE), at(STRIDE + 1));
        let weights = [(1.0 - tx) * (1.0 - ty), tx * (1.0 - ty), (1.0 - tx) * ty, tx * ty];
        std::array::from_fn(|i| {
            f32::from(a[i]) * weights[0]
                + f32::from(b[i]) * weights[1]
                + f32::from(c[i]) * weights[2]
                + f32::from(d[i]) * weights[3]
        })
    }

    #[inline]
    fn tile<'a>(&'a self, level: &'a Level, index: usize) -> &'a [Texel] {
        level.tiles[index].get_or_init(|| self.paint(level, index))
    }

    /// Paints a tile: terrain, pavements, kerbs, roads, crossings, lines, water. A texel stands for the cell around its corner.
    fn paint(&self, level: &Level, index: usize) -> Box<[Texel]> {
        let tile_m = level.texel_m * SIDE as f64;
        let corner =
            level.origin + Vector2::new((index % level.columns) as f64, (index / level.columns) as f64) * tile_m;
        let origin = corner - Vector2::repeat(level.texel_m / 2.0);
        let grid = Grid { origin, cell_m: level.texel_m, columns: STRIDE, rows: STRIDE };
        let mut canvas =
            Canvas { grid, look: &self.look, noise: Noise::get(), texels: vec![[0.0; 4]; STRIDE * STRIDE] };
        canvas.terrain();
        let mut cover = vec![0.0; STRIDE * STRIDE];
        let reach = tile_m * 0.75 + level.texel_m;
        let middle = corner + Vector2::repeat(tile_m / 2.0);
        let near = |[from, to]: &Stretch, half_m: f64| {
            let apart =
                |axis: usize| (from[axis].min(to[axis]) - middle[axis]).max(middle[axis] - from[axis].max(to[axis]));
            apart(0).max(apart(1)) < reach + half_m
        };
        let edges: Vec<_> = self.shapes.edges.iter().filter(|edge| near(edge, self.look.pavement_m + 0.2)).collect();
        for (half_m, kind) in [(self.look.pavement_m, semantics::PAVEMENT), (0.17, KERB)] {
            edges.iter().for_each(|[from, to]| grid.stroke(*from, *to, half_m, true, &mut cover));
            canvas.lay(&mut cover, kind);
        }
        self.shapes.roads.iter().for_each(|road| grid.fill(road, &mut cover));
        if let Some((map, map_from_scene)) = &self.edged {
            for (index, cell) in cover.iter_mut().enumerate() {
                let point = grid.middle(index % STRIDE, index / STRIDE) + map_from_scene.xy();
                *cell = if *cell < 1.0 && map.is_drivable(point) { 1.0 } else { *cell };
            }
        }
        canvas.lay(&mut cover, semantics::ROAD);
        for (crossing, walk) in &self.shapes.crossings {
            grid.fill(crossing, &mut cover);
            canvas.zebra(&mut cover, *walk);
        }
        for (lines, kind) in [(&self.shapes.white, semantics::MARKING), (&self.shapes.colored, COLORED)] {
            lines.iter().filter(|(line, half_m)| near(line, *half_m)).for_each(|([from, to], half_m)| {
                grid.stroke(*from, *to, *half_m, false, &mut cover);
            });
            canvas.lay(&mut cover, kind);
        }
        self.shapes.water.iter().for_each(|water| grid.fill(water, &mut cover));
        canvas.lay(&mut cover, semantics::WATER);
        canvas
            .texels
            .iter()
            .map(|[r, g, b, kind]| {
                let [r, g, b] = [r, g, b].map(|value| (value.max(0.0).sqrt() * 255.0 + 0.5) as u8);
                [r, g, b, *kind as u8]
            })
            .collect()
    }
}

impl Level {
    /// The tile of a place in texels, and the texel in it.
    #[inline]
    fn place(&self, x: f32, y: f32) -> Option<(usize, usize, usize)> {
        if !(x >= 0.0 && y >= 0.0) {
            return None;
        }
        let (x, y) = (x as usize, y as usize);
        let (column, row) = (x / SIDE, y / SIDE);
        (column < self.columns && row < self.rows).then(|| (row * self.columns + column, x % SIDE, y % SIDE))
    }
}

/// Kinds that exist only while a tile is painted.
const KERB: u8 = 250;
const COLORED: u8 = 251;

/// A tile at work: linear colours and kinds.
struct Canvas<'a> {
    grid: Grid,
    look: &'a Look,
    noise: &'a Noise,
    texels: Vec<[f32; 4]>,
}

impl Canvas<'_> {
    /// Where a texel is in the scene, and noise that belongs there: coarse, middle and fine, ±1.
    fn noise_at(&self, index: usize) -> (Point2<f64>, [f32; 3]) {
        let at = self.grid.middle(index % STRIDE, index / STRIDE);
        let (x, y) = (at.x as f32, at.y as f32);
        let fade = (0.1 / self.grid.cell_m as f32).min(1.0);
        let fine = self.noise.white((at.x / FINEST_M).round() as i32, (at.y / FINEST_M).round() as i32) * fade;
        (at, [self.noise.smooth(x * 1.3, y * 1.3), self.noise.cloud(x * 13.0 + 31.0, y * 13.0), fine])
    }

    fn terrain(&mut self) {
        let terrain = self.look.terrain;
        for index in 0..self.texels.len() {
            let (_, [coarse, middle, fine]) = self.noise_at(index);
            let scale = 1.0 + 0.35 * coarse + 0.3 * middle + 0.25 * fine;
            let [r, g, b] = terrain.map(|value| value * scale.max(0.2));
            // Dry patches are browner.
            self.texels[index] = [r * (1.0 + 0.25 * coarse), g, b, f32::from(semantics::TERRAIN)];
        }
    }

    /// The colour of a material at a texel, and how much of it is there.
    fn material(&self, kind: u8, index: usize) -> (Rgb, f32) {
        let (at, [coarse, middle, fine]) = self.noise_at(index);
        let scaled = |color: Rgb, scale: f32| color.map(|value| value * scale);
        let worn = |color: Rgb| {
            let wear = self.look.paint_wear;
            let left = (1.0 - wear * 0.6 + (middle * 0.9 + fine * 0.5 + coarse * 0.4) * wear).clamp(0.15, 1.0);
            (scaled(color, 1.0 + 0.06 * middle), left * 0.95)
        };
        match kind {
            semantics::ROAD => (scaled(self.look.asphalt, 1.0 + 0.16 * coarse + 0.1 * middle + 0.16 * fine), 1.0),
            semantics::PAVEMENT => {
                let joint = |m: f64| (m / 0.8).rem_euclid(1.0) < 0.1;
                let dark = self.grid.cell_m < 0.2 && (joint(at.x) || joint(at.y));
                let scale = 1.0 + 0.12 * coarse + 0.12 * middle + 0.08 * fine - if dark { 0.3 } else { 0.0 };
                (scaled(self.look.pavement, scale), 1.0)
            }
            KERB => (scaled([0.36, 0.355, 0.34], 1.0 + 0.1 * middle + 0.1 * fine), 1.0),
            COLORED => worn(self.look.center_paint),
            // Deep enough that little of the ground shows.
            semantics::WATER => (scaled([0.115, 0.088, 0.055], 1.0 + 0.15 * coarse), 0.93),
            _ => worn([0.70, 0.70, 0.68]),
        }
    }

    /// Lays a material where `cover` says, and clears `cover`.
    fn lay(&mut self, cover: &mut [f32], kind: u8) {
        let shown = match kind {
            KERB => semantics::PAVEMENT,
            COLORED => semantics::MARKING,
            kind => kind,
        };
        for (index, share) in cover.iter_mut().enumerate() {
            if *share <= 0.0 {
                continue;
            }
            let (color, opacity) = self.material(kind, index);
            let share = std::mem::take(share);
            let texel = &mut self.texels[index];
            (0..3).for_each(|channel| texel[channel] += (color[channel] - texel[channel]) * share * opacity);
            if share >= 0.5 {
                texel[3] = f32::from(shown);
            }
        }
    }

    /// Paints stripes along the road over a crossing.
    fn zebra(&mut self, cover: &mut [f32], walk: Vector2<f64>) {
        const PERIOD_M: f64 = 1.0;
        let width = self.grid.cell_m / PERIOD_M;
        for (index, share) in cover.iter_mut().enumerate() {
            if *share <= 0.0 {
                continue;
            }
            let at = self.grid.middle(index % STRIDE, index / STRIDE);
            let phase = (at.coords.dot(&walk) / PERIOD_M).rem_euclid(1.0);
            // The share of the texel that lies on the first half of the period.
            let stripe = (0.25 + width / 2.0 - (phase - 0.5).abs()) / width;
            let stripe = if width < 0.5 { stripe.clamp(0.0, 1.0) } else { 0.5 };
            *share *= stripe as f32;
        }
        self.lay(cover, semantics::MARKING);
    }
}
