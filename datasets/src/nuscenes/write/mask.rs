//! The raster mask of a map: where one may drive, at nuScenes' resolution, from the map's origin up and to the right.

use nalgebra::Point2;

use super::png;
use crate::geometry::Polygon;
use crate::map::MapParts;

/// Side of a pixel, m (nuscenes-devkit `utils/map_mask.py`).
const PIXEL_M: f64 = 0.1;

/// The longest side that is drawn, px; a larger map is cut.
const MAX_SIDE: f64 = 20_000.0;

/// The mask as a PNG; a single black pixel where there is no map. nuScenes' maps have no negative coordinates; what
/// lies there is left out.
pub(super) fn png(parts: Option<&MapParts>) -> Vec<u8> {
    let areas: Vec<&Polygon> = parts.into_iter().flat_map(areas).collect();
    let extent = areas.iter().flat_map(|area| &area.exterior).fold(Point2::new(1.0, 1.0), |far, point| far.sup(point));
    let [width, height] = [extent.x, extent.y].map(|far_m| (far_m / PIXEL_M).ceil().clamp(1.0, MAX_SIDE) as usize);
    let stride = width.div_ceil(4);
    let mut rows = vec![0_u8; stride * height];
    for area in areas {
        fill(&mut rows, stride, [width, height], area);
    }
    png::encode(width as u32, height as u32, &rows)
}

fn areas(parts: &MapParts) -> impl Iterator<Item = &Polygon> {
    parts.lanes.iter().map(|lane| &lane.surface).chain(&parts.drivable)
}

/// Sets the pixels whose centres lie inside by the even–odd rule, row by row.
fn fill(rows: &mut [u8], stride: usize, [width, height]: [usize; 2], area: &Polygon) {
    let rings = || std::iter::once(&area.exterior).chain(&area.holes);
    let (low, high) =
        area.exterior.iter().fold((f64::MAX, f64::MIN), |(low, high), point| (low.min(point.y), high.max(point.y)));
    // Casts saturate, so what lies outside becomes an empty or cut range.
    let range = ((low / PIXEL_M - 0.5).ceil().max(0.0) as usize)
        ..(((high / PIXEL_M + 0.5).floor().max(0.0) as usize).min(height));
    for row in range {
        let y = (row as f64 + 0.5) * PIXEL_M;
        let mut crossings: Vec<f64> = Vec::new();
        for ring in rings() {
            for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
                if (a.y > y) != (b.y > y) {
                    crossings.push(a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y));
                }
            }
        }
        crossings.sort_by(f64::total_cmp);
        // The image's first row is the map's uppermost.
        let line = &mut rows[(height - 1 - row) * stride..(height - row) * stride];
        for pair in crossings.chunks_exact(2) {
            let from = (pair[0] / PIXEL_M - 0.5).ceil().max(0.0) as usize;
            let to = ((pair[1] / PIXEL_M - 0.5).floor() + 1.0).max(0.0) as usize;
            for column in from..to.min(width) {
                line[column / 4] |= 0xC0 >> (2 * (column % 4));
            }
        }
    }
}
