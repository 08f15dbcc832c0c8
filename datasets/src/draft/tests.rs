use super::*;
use crate::map::Map;

fn line(points: &[[f64; 2]]) -> Vec<Point3<f64>> {
    points.iter().map(|[x, y]| Point3::new(*x, *y, 0.0)).collect()
}

fn build(lanes: Vec<DraftLane>) -> (MapParts, LaneIds, Vec<String>) {
    let mut notes = Vec::new();
    let (parts, ids) = Draft { lanes, ..Draft::default() }.build(&mut notes);
    Map::new(parts.clone()).unwrap();
    (parts, ids, notes)
}

#[test]
fn lanes_are_joined_where_ends_and_headings_meet() {
    let (parts, ..) = build(vec![
        DraftLane::new("south", line(&[[0.0, 0.0], [10.0, 0.0]])),
        DraftLane::new("straight on", line(&[[10.0, 0.0], [20.0, 0.0]])),
        DraftLane::new("oncoming", line(&[[20.0, 3.5], [10.0, 3.5]])),
        DraftLane::new("starts here, leads back", line(&[[10.0, 0.0], [0.0, 1.0]])),
    ]);
    assert_eq!(parts.lanes[0].successors, [LaneId(1)]);
    assert_eq!(parts.lanes[1].predecessors, [LaneId(0)]);
    assert!(parts.lanes[2].successors.is_empty() && parts.lanes[3].predecessors.is_empty());
}

#[test]
fn neighbors_run_the_same_way_and_the_nearest_counts() {
    let (parts, ..) = build(vec![
        DraftLane::new("right", line(&[[0.0, 0.0], [20.0, 0.0], [40.0, 0.0]])),
        DraftLane::new("middle", line(&[[0.0, 3.5], [20.0, 3.5], [40.0, 3.5]])),
        DraftLane::new("left", line(&[[0.0, 7.0], [20.0, 7.0], [40.0, 7.0]])),
        DraftLane::new("oncoming", line(&[[40.0, 10.5], [0.0, 10.5]])),
    ]);
    let neighbors: Vec<_> = parts
        .lanes
        .iter()
        .map(|lane| (lane.left_neighbor.map(|id| id.0), lane.right_neighbor.map(|id| id.0)))
        .collect();
    assert_eq!(neighbors, [(Some(1), None), (Some(2), Some(0)), (None, Some(1)), (None, None)]);
}

#[test]
fn a_lane_of_one_point_is_bridged() {
    let mut before = DraftLane::new("before", line(&[[0.0, 0.0], [10.0, 0.0]]));
    before.exits = vec!["point".into()];
    let mut point = DraftLane::new("point", line(&[[10.0, 0.0], [10.0, 0.0]]));
    point.entries = vec!["before".into()];
    point.exits = vec!["after".into(), "point".into()];
    let mut after = DraftLane::new("after", line(&[[10.0, 0.0], [20.0, 0.0]]));
    after.entries = vec!["point".into()];
    let (parts, ids, notes) = build(vec![before, point, after]);
    assert_eq!(parts.lanes.len(), 2);
    assert_eq!(parts.lanes[0].successors, [ids["after"]]);
    assert_eq!(parts.lanes[1].predecessors, [ids["before"]]);
    assert_eq!(ids["point"], ids["after"], "its light is the light of what follows");
    assert!(notes[0].contains("1 lanes of a single point"), "{notes:?}");
}

#[test]
fn a_connector_is_as_wide_as_the_lanes_it_joins() {
    let mut lane = DraftLane::new("lane", line(&[[0.0, 0.0], [10.0, 0.0]]));
    lane.surface = [[0.0, -1.5], [10.0, -1.5], [10.0, 1.5], [0.0, 1.5]].map(|[x, y]| Point2::new(x, y)).to_vec();
    let connector = DraftLane::new("connector", line(&[[10.0, 0.0], [20.0, 0.0]]));
    let (parts, ..) = build(vec![lane, connector]);
    let surface = &parts.lanes[1].surface;
    assert!(surface.contains(Point2::new(15.0, 1.45)) && !surface.contains(Point2::new(15.0, 1.55)));
}

#[test]
fn edges_come_from_distances_to_the_boundaries() {
    let mut lane = DraftLane::new("lane", line(&[[0.0, 0.0], [10.0, 0.0], [20.0, 0.0]]));
    lane.half_widths = vec![[2.0, 1.0], [0.0, 0.0], [2.0, 1.0]];
    let (parts, ..) = build(vec![lane]);
    let y = |edge: &[Point2<f64>]| edge.iter().map(|point| point.y).collect::<Vec<_>>();
    assert_eq!(y(&parts.lanes[0].left_edge), [2.0; 3], "a gap takes the lane's own median");
    assert_eq!(y(&parts.lanes[0].right_edge), [-1.0; 3]);

    let mut lane = DraftLane::new("lane", line(&[[0.0, 0.0], [10.0, 0.0]]));
    lane.half_widths = vec![[1.5, 9.0], [1.5, 0.0]];
    let (parts, ..) = build(vec![lane]);
    assert_eq!(y(&parts.lanes[0].right_edge), [-1.5; 2], "a boundary of something else is not taken");
}

#[test]
fn crossing_lanes_are_an_intersection_but_bridges_are_not() {
    let over = |z: f64| vec![Point3::new(10.0, -10.0, z), Point3::new(10.0, 10.0, z)];
    for (height_m, expected) in [(0.0, true), (6.0, false)] {
        let (parts, ..) = build(vec![
            DraftLane::new("east", line(&[[0.0, 0.0], [20.0, 0.0]])),
            DraftLane::new("north", over(height_m)),
        ]);
        assert_eq!(parts.lanes[0].in_intersection, expected);
    }
}

#[test]
fn rings_become_polygons_with_holes() {
    let square = |center: f64, half: f64| {
        let corners = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0]];
        corners.map(|[x, y]| Point2::new(center + half * x, half * y)).to_vec()
    };
    let polygons = rings::polygons(vec![square(0.0, 1.0), square(0.0, 9.0), square(0.0, 5.0), square(30.0, 2.0)]);
    assert_eq!(polygons.iter().map(|polygon| polygon.holes.len()).collect::<Vec<_>>(), [0, 1, 0]);
    let inside = |x: f64| polygons.iter().filter(|polygon| polygon.contains(Point2::new(x, 0.0))).count();
    assert_eq!([0.5, 3.0, 7.0, 15.0, 29.0].map(inside), [1, 0, 1, 0, 1]);
}
