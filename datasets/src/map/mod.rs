//! The vector map of a log: lanes and how they connect, crossings, drivable area, and fast lookup.

mod area;
pub(crate) mod bounds;
mod centerline;
mod check;
mod edge;
mod parts;
mod tile;

use nalgebra::Point2;
use serde::{Deserialize, Serialize};

use area::Area;
use bounds::Bounds;
use centerline::Centerlines;
use edge::RoadEdges;
use tile::Tiles;

pub use centerline::LaneHit;
pub use check::MapError;
pub use parts::{Lane, LaneId, LaneUse, Line, LineKind, MapParts};

/// How the drivable area of a map is known. Lane surfaces belong to it in every case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DrivableSource {
    /// The source draws it: its polygons hold at least half of the lanes.
    Polygons,
    /// The source draws road edges: the drivable side of the nearest one within 30 m is its left, as in Waymo's Sim
    /// Agents metrics. Polygons, such as driveways, belong to it besides.
    RoadEdges,
    /// Only lanes are known: their surfaces, widened by [`LANE_MARGIN_M`].
    Lanes,
    /// Nothing is known, not even the surface of a lane: everywhere is drivable.
    None,
}

/// How far a vehicle may stand beside the lanes where nothing but lanes is known, m.
///
/// In nuScenes' maps the outer edge of a lane is the edge of the drivable area in three of four places, and 2.2 m or
/// more from it in one of ten, where there is room to park (six mini scenes). Half a metre allows for lane widths that
/// are derived, and takes no such room for granted.
pub const LANE_MARGIN_M: f64 = 0.5;

/// A vector map with fast lookup. Immutable once built; shared by `Arc`.
#[derive(Debug)]
pub struct Map {
    parts: MapParts,
    drivable_source: DrivableSource,
    centerlines: Centerlines,
    edges: RoadEdges,
    /// The surfaces of all lanes, then the drivable polygons, then the intersections.
    areas: Vec<Area>,
    tiles: Option<Tiles>,
}

impl Map {
    /// Checks the parts and builds the lookup structures.
    ///
    /// # Errors
    /// See [`MapError`].
    pub fn new(parts: MapParts) -> Result<Self, MapError> {
        check::check(&parts)?;
        let surfaces = parts.lanes.iter().map(|lane| &lane.surface);
        let areas: Vec<Area> = surfaces.chain(&parts.drivable).chain(&parts.intersections).map(Area::new).collect();
        let edges = RoadEdges::new(&parts.lines);
        let drivable_source = drivable_source(&parts, &areas, &edges);
        let tiles = Tiles::new(areas.iter().fold(Bounds::EMPTY, |bounds, area| bounds.and(area.bounds())));
        Ok(Self { centerlines: Centerlines::new(&parts.lanes), parts, drivable_source, edges, areas, tiles })
    }

    /// The same map without stretches that can't be driven: rings of map points, open, m. How the drivable area is known
    /// stays the same, though the middles of lanes may be in such a stretch.
    ///
    /// # Errors
    /// [`MapError`] where a ring is none.
    pub fn without(&self, rings: &[Vec<Point2<f64>>]) -> Result<Self, MapError> {
        let mut parts = self.parts.clone();
        let surfaces = parts.lanes.iter_mut().map(|lane| &mut lane.surface).chain(&mut parts.drivable);
        surfaces.for_each(|surface| surface.holes.extend(rings.iter().cloned()));
        Ok(Self { drivable_source: self.drivable_source, ..Self::new(parts)? })
    }

    /// What the map is made of.
    pub fn parts(&self) -> &MapParts {
        &self.parts
    }

    /// One lane. Ids come from this map only, so the index is always valid.
    pub fn lane(&self, id: LaneId) -> &Lane {
        &self.parts.lanes[id.0 as usize]
    }

    /// How the drivable area is known.
    pub fn drivable_source(&self) -> DrivableSource {
        self.drivable_source
    }

    /// Whether a vehicle may be at `point`, after [`Self::drivable_source`].
    pub fn is_drivable(&self, point: Point2<f64>) -> bool {
        let drivable = self.parts.lanes.len() + self.parts.drivable.len();
        self.areas_at(point).any(|area| area < drivable)
            || match self.drivable_source {
                DrivableSource::Polygons => false,
                DrivableSource::RoadEdges => match &self.tiles {
                    Some(tiles) => tiles.on_road_side(point, &self.areas, &self.edges),
                    None => self.edges.on_road_side(point),
                },
                DrivableSource::Lanes => self.beside_a_lane(point),
                DrivableSource::None => true,
            }
    }

    fn beside_a_lane(&self, point: Point2<f64>) -> bool {
        // A lane's surface is no farther than its width and this margin from its centreline; 10 m is ample.
        let near = self.lanes_near(point, 10.0).into_iter();
        let mut surfaces = near.map(|hit| &self.areas[hit.lane.0 as usize]);
        surfaces.any(|surface| surface.distance_to_edge(point) <= LANE_MARGIN_M)
    }

    /// Whether `point` lies in an intersection: a drawn one, or the surface of a lane flagged so.
    pub fn in_intersection(&self, point: Point2<f64>) -> bool {
        let intersections = self.parts.lanes.len() + self.parts.drivable.len();
        let flagged = |area: usize| self.parts.lanes.get(area).is_some_and(|lane| lane.in_intersection);
        self.areas_at(point).any(|area| area >= intersections || flagged(area))
    }

    /// The lanes whose surface contains `point`, by rising id, without allocating.
    pub fn lane_ids_at(&self, point: Point2<f64>) -> impl Iterator<Item = LaneId> {
        let lanes = self.parts.lanes.len();
        self.areas_at(point).take_while(move |area| *area < lanes).map(|area| LaneId(area as u32))
    }

    /// The lanes whose surface contains `point`, by rising id.
    pub fn lanes_at(&self, point: Point2<f64>) -> Vec<LaneId> {
        self.lane_ids_at(point).collect()
    }

    /// The lanes whose centreline comes within `radius_m` of `point`, nearest first, with where on them.
    pub fn lanes_near(&self, point: Point2<f64>, radius_m: f64) -> Vec<LaneHit> {
        self.centerlines.near(point, radius_m)
    }

    /// The closest point of a lane's centreline to `point`.
    pub fn project(&self, lane: LaneId, point: Point2<f64>) -> LaneHit {
        self.centerlines.project(lane, point)
    }

    /// The areas that contain `point`, by rising number.
    fn areas_at(&self, point: Point2<f64>) -> impl Iterator<Item = usize> {
        let drawn = self.tiles.as_ref().map(|tiles| tiles.content(point, &self.areas));
        // Without tiles every area is asked; outside the tiles there is none.
        let all = 0..if drawn.is_none() { self.areas.len() } else { 0 };
        let content = drawn.flatten().map_or(&[][..], |content| content);
        let asked =
            content.iter().map(|(area, certain)| (*area as usize, *certain)).chain(all.map(|area| (area, false)));
        asked.filter(move |(area, certain)| *certain || self.areas[*area].contains(point)).map(|(area, _)| area)
    }
}

/// Polygons that hold at least half of the lanes are the road; others, such as driveways, only add to it.
fn drivable_source(parts: &MapParts, areas: &[Area], edges: &RoadEdges) -> DrivableSource {
    let drivable = &areas[parts.lanes.len()..parts.lanes.len() + parts.drivable.len()];
    let middles = parts.lanes.iter().map(|lane| lane.centerline[lane.centerline.len() / 2].xy());
    let held = middles.filter(|middle| drivable.iter().any(|area| area.contains(*middle))).count();
    if !drivable.is_empty() && held * 2 >= parts.lanes.len() {
        DrivableSource::Polygons
    } else if edges.iter().next().is_some() {
        DrivableSource::RoadEdges
    } else if parts.lanes.iter().any(|lane| lane.surface.exterior.len() >= 3) || !drivable.is_empty() {
        DrivableSource::Lanes
    } else {
        DrivableSource::None
    }
}

#[cfg(test)]
mod tests;
