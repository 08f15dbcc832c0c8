use nalgebra::Point3;
use proptest::prelude::*;

use super::*;
use crate::geometry::Polygon;

fn lane(centerline: &[[f64; 2]]) -> Lane {
    Lane {
        source_id: "a lane".into(),
        usage: LaneUse::Vehicle,
        centerline: centerline.iter().map(|[x, y]| Point3::new(*x, *y, 0.0)).collect(),
        left_edge: Vec::new(),
        right_edge: Vec::new(),
        surface: Polygon::default(),
        successors: Vec::new(),
        predecessors: Vec::new(),
        left_neighbor: None,
        right_neighbor: None,
        speed_limit_mps: None,
        in_intersection: false,
    }
}

fn rectangle(min: [f64; 2], max: [f64; 2]) -> Polygon {
    let corners = [[min[0], min[1]], [max[0], min[1]], [max[0], max[1]], [min[0], max[1]]];
    Polygon { exterior: corners.map(Point2::from).to_vec(), holes: Vec::new() }
}

fn straight() -> MapParts {
    let mut lane = lane(&[[0.0, 0.0], [10.0, 0.0], [20.0, 0.0]]);
    lane.surface = rectangle([0.0, -2.0], [20.0, 2.0]);
    MapParts { lanes: vec![lane], ..MapParts::default() }
}

#[test]
fn what_is_wrong_with_a_map_is_told() {
    type Change = fn(&mut MapParts);
    let error = |change: Change| {
        let mut parts = straight();
        change(&mut parts);
        Map::new(parts).unwrap_err().to_string()
    };
    let cases: [(Change, &str); 10] = [
        (|parts| parts.lanes.clear(), "the map is empty"),
        (|parts| parts.lanes[0].centerline.truncate(1), "lane a lane: its centreline has fewer than two points"),
        (|parts| parts.lanes[0].centerline = vec![Point3::origin(); 2], "no length"),
        (|parts| parts.lanes[0].centerline[0].z = f64::NAN, "not finite"),
        (|parts| parts.lanes[0].surface.exterior[0].x = f64::INFINITY, "not finite"),
        (|parts| parts.lanes[0].speed_limit_mps = Some(0.0), "speed limit"),
        (|parts| parts.lanes[0].successors = vec![LaneId(7)], "successors refers to lane number 7"),
        (|parts| parts.lanes[0].left_neighbor = Some(LaneId(1)), "left_neighbor refers to lane number 1"),
        (|parts| parts.drivable = vec![rectangle([f64::NAN, 0.0], [1.0, 1.0])], "drivable number 0"),
        (|parts| parts.stop_signs = vec![(Point2::origin(), vec![LaneId(1)])], "stop_signs number 0"),
    ];
    for (change, expected) in cases {
        let told = error(change);
        assert!(told.contains(expected), "{told:?} should tell {expected:?}");
    }
}

#[test]
fn the_drivable_area_follows_its_source() {
    let beside = |y: f64| Point2::new(5.0, y);
    let map = Map::new(straight()).unwrap();
    assert_eq!(map.drivable_source(), DrivableSource::Lanes);
    assert!(map.is_drivable(beside(2.4)) && !map.is_drivable(beside(2.6)), "the lanes and a margin");

    let edge = Line { kind: LineKind::RoadEdge, points: vec![Point2::new(20.0, 5.0), Point2::new(0.0, 5.0)] };
    let driveway = rectangle([4.0, 5.0], [6.0, 9.0]);
    let map = Map::new(MapParts { lines: vec![edge], drivable: vec![driveway], ..straight() }).unwrap();
    assert_eq!(map.drivable_source(), DrivableSource::RoadEdges);
    assert!(map.is_drivable(beside(4.9)) && map.is_drivable(beside(8.0)), "up to the edge, and the driveway");
    assert!(!map.is_drivable(Point2::new(8.0, 5.1)) && !map.is_drivable(beside(-26.0)));

    let road = rectangle([0.0, -3.0], [20.0, 3.0]);
    let map = Map::new(MapParts { drivable: vec![road], ..straight() }).unwrap();
    assert_eq!(map.drivable_source(), DrivableSource::Polygons);
    assert!(map.is_drivable(beside(2.9)) && !map.is_drivable(beside(3.1)));

    let map = Map::new(MapParts { lanes: vec![lane(&[[0.0, 0.0], [20.0, 0.0]])], ..MapParts::default() }).unwrap();
    assert_eq!(map.drivable_source(), DrivableSource::None);
    assert!(map.is_drivable(beside(100.0)), "nothing is known against it");
}

#[test]
fn a_place_is_projected_to_the_side_it_is_on() {
    let map = Map::new(straight()).unwrap();
    let hit = map.project(LaneId(0), Point2::new(12.0, -1.5));
    assert_eq!((hit.along_m, hit.left_m, hit.yaw), (12.0, -1.5, 0.0));
    assert!(map.lanes_near(Point2::new(12.0, 3.0), 2.9).is_empty());
    assert_eq!(map.lanes_near(Point2::new(12.0, 3.0), 3.0).len(), 1);
}

#[test]
fn a_point_that_is_not_one_is_nowhere() {
    let map = Map::new(straight()).unwrap();
    for point in [Point2::new(f64::NAN, 0.0), Point2::new(f64::INFINITY, 0.0), Point2::new(1e300, -1e300)] {
        assert!(!map.is_drivable(point) && map.lanes_at(point).is_empty() && map.lanes_near(point, 5.0).is_empty());
    }
}

/// A ring around a centre, its corners at the given distances.
fn ring() -> impl Strategy<Value = Vec<Point2<f64>>> {
    let center = (-30.0..30.0f64, -30.0..30.0f64);
    (center, prop::collection::vec(0.5..25.0f64, 3..12), any::<bool>()).prop_map(|((x, y), radii, on_grid)| {
        let step = std::f64::consts::TAU / radii.len() as f64;
        let corners = (0..).zip(&radii).map(|(index, radius)| {
            let (sin, cos) = (f64::from(index) * step).sin_cos();
            Point2::new(x + radius * cos, y + radius * sin)
        });
        // Corners on the borders of cells are the hard case.
        corners.map(|corner| if on_grid { corner.map(|number| (number * 4.0).round() / 4.0) } else { corner }).collect()
    })
}

fn polygon() -> impl Strategy<Value = Polygon> {
    (ring(), prop::collection::vec(ring(), 0..2)).prop_map(|(exterior, holes)| Polygon { exterior, holes })
}

fn course() -> impl Strategy<Value = Vec<[f64; 2]>> {
    let step = (-6.0..6.0f64, -6.0..6.0f64);
    ((-30.0..30.0f64, -30.0..30.0f64), prop::collection::vec(step, 1..40)).prop_map(|((mut x, mut y), steps)| {
        let mut points = vec![[x, y]];
        for (dx, dy) in steps {
            (x, y) = (x + dx, y + dy + 0.1);
            points.push([x, y]);
        }
        points
    })
}

prop_compose! {
    fn parts()(
        lanes in prop::collection::vec((course(), polygon(), any::<bool>()), 1..6),
        drivable in prop::collection::vec(polygon(), 0..4),
        intersections in prop::collection::vec(polygon(), 0..3),
        edges in prop::collection::vec(course(), 0..3),
    ) -> MapParts {
        let lanes = lanes.into_iter().map(|(course, surface, in_intersection)| {
            Lane { surface, in_intersection, ..lane(&course) }
        });
        let lines = edges.into_iter().map(|course| {
            Line { kind: LineKind::RoadEdge, points: course.into_iter().map(Point2::from).collect() }
        });
        MapParts { lanes: lanes.collect(), drivable, intersections, lines: lines.collect(), ..MapParts::default() }
    }
}

/// Points all over, and the corners of the areas themselves.
fn points_of(parts: &MapParts, random: &[(f64, f64)]) -> Vec<Point2<f64>> {
    let areas = parts.lanes.iter().map(|lane| &lane.surface).chain(&parts.drivable).chain(&parts.intersections);
    let corners = areas.flat_map(|area| area.exterior.iter().chain(area.holes.iter().flatten()).copied());
    let on_grid = random.iter().map(|(x, y)| Point2::new((x * 4.0).round() / 4.0, (y * 4.0).round() / 4.0));
    random.iter().map(|(x, y)| Point2::new(*x, *y)).chain(on_grid).chain(corners).collect()
}

proptest! {
    #[test]
    fn answers_equal_testing_every_polygon(
        parts in parts(),
        random in prop::collection::vec((-60.0..60.0f64, -60.0..60.0f64), 60),
    ) {
        let map = Map::new(parts.clone()).unwrap();
        for point in points_of(&parts, &random) {
            let lanes: Vec<_> = (0..).map(LaneId).zip(&parts.lanes).filter(|(_, lane)| lane.surface.contains(point)).collect();
            prop_assert_eq!(map.lanes_at(point), lanes.iter().map(|(id, _)| *id).collect::<Vec<_>>());
            let flagged = lanes.iter().any(|(_, lane)| lane.in_intersection);
            prop_assert_eq!(map.in_intersection(point), flagged || parts.intersections.iter().any(|area| area.contains(point)));
            let drawn = !lanes.is_empty() || parts.drivable.iter().any(|area| area.contains(point));
            match map.drivable_source() {
                DrivableSource::Polygons => prop_assert_eq!(map.is_drivable(point), drawn),
                DrivableSource::RoadEdges => {
                    prop_assert_eq!(map.is_drivable(point), drawn || map.edges.on_road_side(point));
                }
                DrivableSource::Lanes => prop_assert!(map.is_drivable(point) || !drawn),
                DrivableSource::None => prop_assert!(false, "every lane here has a surface"),
            }
        }
    }

    #[test]
    fn projection_equals_asking_every_stretch(
        parts in parts(),
        random in prop::collection::vec((-60.0..60.0f64, -60.0..60.0f64), 20),
        radius_m in 0.0..40.0f64,
    ) {
        let map = Map::new(parts.clone()).unwrap();
        for (x, y) in random {
            let point = Point2::new(x, y);
            let mut distances = Vec::new();
            for (id, lane) in (0..).map(LaneId).zip(&parts.lanes) {
                let hit = map.project(id, point);
                let stretches = lane.centerline.windows(2).map(|pair| {
                    let (start, step) = (pair[0].xy(), pair[1].xy() - pair[0].xy());
                    let along = ((point - start).dot(&step) / step.norm_squared()).clamp(0.0, 1.0);
                    (point - (start + step * along)).norm()
                });
                let nearest = stretches.fold(f64::INFINITY, f64::min);
                prop_assert!((hit.left_m.abs() - nearest).abs() < 1e-9, "{} {}", hit.left_m, nearest);
                distances.push((nearest, id));
            }
            distances.retain(|(distance, _)| *distance <= radius_m);
            distances.sort_by(|a, b| a.0.total_cmp(&b.0));
            let near: Vec<_> = map.lanes_near(point, radius_m).iter().map(|hit| hit.lane).collect();
            prop_assert_eq!(near, distances.iter().map(|(_, id)| *id).collect::<Vec<_>>());
        }
    }
}
