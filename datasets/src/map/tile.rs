//! A raster over the map's areas: most points are answered by their cell alone, the rest by the few areas that cross it.
//!
//! The answers equal those of testing every polygon. A cell is only called certain of an area if no edge of the area
//! comes within [`MARGIN_M`] of it. Tiles are drawn when they are first asked for.

use std::sync::OnceLock;

use nalgebra::{Point2, Vector2};

use super::area::Area;
use super::bounds::Bounds;
use super::edge::{EdgeStretch, RoadEdges, on_road_side_of};

/// Side of a cell, m.
const CELL_M: f64 = 0.25;
/// Cells along a tile's side; the tile is 16 m wide.
const SIDE: usize = 64;
/// Cells along the side of a block, the stretch of a tile that shares its candidates for the nearest road edge.
const BLOCK: usize = 8;
/// What rounding may move an edge or a point by, with room to spare, m.
const MARGIN_M: f64 = 1e-6;
/// More tiles than this are not kept, 268 km²; such maps are answered without a raster.
const MAX_TILES: f64 = (1 << 20) as f64;

/// What a cell says of an area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cover {
    /// The cell lies outside.
    None,
    /// The cell lies inside.
    Full,
    /// The edge runs through it.
    Partial,
}

/// The areas that have to do with a cell, by rising number, and whether the cell lies wholly inside.
pub(super) type Content = Box<[(u32, bool)]>;

/// One tile: for each cell an index into the tile's different contents.
#[derive(Debug)]
struct Tile {
    cells: Box<[u16]>,
    contents: Vec<Content>,
    edges: OnceLock<Box<[Vec<EdgeStretch>]>>,
}

/// The tiles of a map.
#[derive(Debug)]
pub(super) struct Tiles {
    bounds: Bounds,
    columns: usize,
    tiles: Vec<OnceLock<Tile>>,
}

/// Where a point falls.
#[derive(Debug, Clone, Copy)]
struct Place {
    tile: usize,
    column: usize,
    row: usize,
}

impl Tiles {
    /// Room for the tiles within `bounds`; `None` if that is too much.
    pub fn new(bounds: Bounds) -> Option<Self> {
        let side_m = CELL_M * SIDE as f64;
        let [columns, rows] = [0, 1].map(|axis| ((bounds.max[axis] - bounds.min[axis]) / side_m).floor() + 1.0);
        if !(columns >= 1.0 && rows >= 1.0 && columns * rows <= MAX_TILES) {
            return None;
        }
        let (columns, rows) = (columns as usize, rows as usize);
        Some(Self { bounds, columns, tiles: (0..columns * rows).map(|_| OnceLock::new()).collect() })
    }

    /// What the cell of `point` holds; `None` outside the tiles.
    pub fn content(&self, point: Point2<f64>, areas: &[Area]) -> Option<&Content> {
        let place = self.place(point)?;
        let tile = self.tile(place.tile, areas);
        Some(&tile.contents[tile.cells[place.row * SIDE + place.column] as usize])
    }

    /// Equal to [`RoadEdges::on_road_side`].
    pub fn on_road_side(&self, point: Point2<f64>, areas: &[Area], edges: &RoadEdges) -> bool {
        let Some(place) = self.place(point) else { return edges.on_road_side(point) };
        let blocks = self.tile(place.tile, areas).edges.get_or_init(|| {
            let radius_m = CELL_M * BLOCK as f64 / 2.0 * std::f64::consts::SQRT_2 + MARGIN_M;
            let centers = (0..SIDE / BLOCK).flat_map(|row| (0..SIDE / BLOCK).map(move |column| (row, column)));
            centers
                .map(|(row, column)| {
                    let half = BLOCK as f64 / 2.0;
                    let cells = Vector2::new((column * BLOCK) as f64 + half, (row * BLOCK) as f64 + half);
                    edges.candidates(self.origin(place.tile) + cells * CELL_M, radius_m)
                })
                .collect()
        });
        on_road_side_of(&blocks[place.row / BLOCK * (SIDE / BLOCK) + place.column / BLOCK], point)
    }

    fn place(&self, point: Point2<f64>) -> Option<Place> {
        if !self.bounds.contains(point) {
            return None;
        }
        let [column, row] = [0, 1].map(|axis| ((point[axis] - self.bounds.min[axis]) / CELL_M) as usize);
        Some(Place { tile: row / SIDE * self.columns + column / SIDE, column: column % SIDE, row: row % SIDE })
    }

    fn origin(&self, tile: usize) -> Point2<f64> {
        let side_m = CELL_M * SIDE as f64;
        self.bounds.min + Vector2::new((tile % self.columns) as f64, (tile / self.columns) as f64) * side_m
    }

    fn tile(&self, index: usize, areas: &[Area]) -> &Tile {
        self.tiles[index].get_or_init(|| draw(self.origin(index), areas))
    }
}

/// Draws one tile, area by area: each refines what the cells hold so far.
fn draw(origin: Point2<f64>, areas: &[Area]) -> Tile {
    let side_m = CELL_M * SIDE as f64;
    let tile_bounds = Bounds::of([origin, origin + Vector2::repeat(side_m)]).grown(MARGIN_M);
    let mut cells = vec![0; SIDE * SIDE].into_boxed_slice();
    let mut contents: Vec<Content> = vec![Box::default()];
    for (number, area) in (0..).zip(areas) {
        if !area.bounds().overlaps(&tile_bounds) {
            continue;
        }
        let covers = cover(origin, &tile_bounds, area);
        let mut refined: Vec<Content> = Vec::new();
        // By old content and cover: the new content's index.
        let mut known = vec![[None; 3]; contents.len()];
        for (cell, cover) in cells.iter_mut().zip(covers) {
            let old = usize::from(*cell);
            *cell = *known[old][cover as usize].get_or_insert_with(|| {
                let more = (cover != Cover::None).then_some((number, cover == Cover::Full));
                refined.push(contents[old].iter().copied().chain(more).collect());
                // There are 4,096 cells, so there are no more contents than that.
                (refined.len() - 1) as u16
            });
        }
        contents = refined;
    }
    Tile { cells, contents, edges: OnceLock::new() }
}

/// What each cell of a tile says of an area.
fn cover(origin: Point2<f64>, tile_bounds: &Bounds, area: &Area) -> Vec<Cover> {
    let mut covers = vec![None; SIDE * SIDE];
    area.edges_between(tile_bounds.min.y, tile_bounds.max.y, |start, end| mark(origin, start, end, &mut covers));
    // Cells beside each other that no edge touches lie on the same side of all edges.
    for row in 0..SIDE {
        for column in 0..SIDE {
            let cell = row * SIDE + column;
            if covers[cell].is_some() {
                continue;
            }
            let beside =
                (column > 0).then(|| covers[cell - 1]).into_iter().chain((row > 0).then(|| covers[cell - SIDE]));
            let known = beside.flatten().find(|cover| *cover != Cover::Partial);
            covers[cell] = Some(known.unwrap_or_else(|| {
                let center = origin + Vector2::new(column as f64 + 0.5, row as f64 + 0.5) * CELL_M;
                if area.contains(center) { Cover::Full } else { Cover::None }
            }));
        }
    }
    covers.into_iter().map(|cover| cover.unwrap_or(Cover::Partial)).collect()
}

/// Marks the cells that a segment comes within the margin of.
fn mark(origin: Point2<f64>, start: Point2<f64>, end: Point2<f64>, covers: &mut [Option<Cover>]) {
    let (low, high) = if start.y <= end.y { (start, end) } else { (end, start) };
    let cells = |from: f64, to: f64| {
        // Casts saturate, so what lies beside the tile becomes an empty or cut range.
        let first = ((from - MARGIN_M) / CELL_M).floor().max(0.0) as usize;
        let end = (((to + MARGIN_M) / CELL_M).floor() + 1.0).max(0.0) as usize;
        first..end.min(SIDE)
    };
    for row in cells(low.y - origin.y, high.y - origin.y) {
        // The part of the segment at the heights of this row.
        let bottom = origin.y + row as f64 * CELL_M - MARGIN_M;
        let top = bottom + CELL_M + 2.0 * MARGIN_M;
        let x_at = |y: f64| {
            if high.y > low.y {
                low.x + (high.x - low.x) * ((y - low.y) / (high.y - low.y)).clamp(0.0, 1.0)
            } else {
                low.x
            }
        };
        let (a, b) = if high.y > low.y { (x_at(bottom), x_at(top)) } else { (low.x, high.x) };
        for column in cells(a.min(b) - origin.x, a.max(b) - origin.x) {
            covers[row * SIDE + column] = Some(Cover::Partial);
        }
    }
}
