//! What the planner saw by: pictures with boxes in them, and what perception said, for the page.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nalgebra::{Isometry3, Point3, Translation3, UnitQuaternion, Vector3};
use serde::Serialize;
use tandem_datasets::messages::Object;
use tandem_datasets::{Box3, Camera};
use tandem_graph::topics::camera_name;

use crate::camera::Subject;
use crate::nodes::{Perceived, Picture};
use crate::report::columns::Columns;
use crate::report::runs::class_number;
use crate::trace::Seen;

/// Steps to which quantities are kept: m, rad, s, px.
const POSITION_M: f64 = 0.01;
const ANGLE_RAD: f64 = 0.001;
const TIME_S: f64 = 0.001;
const PIXEL: f64 = 0.25;

/// Boxes are cut where they come closer to the image plane than this, m.
const NEAR_M: f64 = 0.3;

/// Boxes farther away are left out of the pictures, m.
const FAR_M: f64 = 70.0;

/// True boxes are drawn where so many pixels show them.
const VISIBLE_PIXELS: f64 = 3.0;

/// The edges of a box as pairs of [`Box3::corners`].
const EDGES: [(usize, usize); 12] =
    [(0, 1), (1, 2), (2, 3), (3, 0), (4, 5), (5, 6), (6, 7), (7, 4), (0, 4), (1, 5), (2, 6), (3, 7)];

/// A camera as the page shows it.
#[derive(Debug, PartialEq, Serialize)]
pub struct View {
    name: String,
    width: u32,
    height: u32,
    /// Its place on the page: those that look ahead in the first row, all from left to right.
    row: usize,
    turn: usize,
}

/// The cameras of a run.
pub fn views(rig: &[Camera]) -> Vec<View> {
    let row = |camera: &Camera| usize::from(yaw_rad(camera).abs() > std::f64::consts::FRAC_PI_2);
    // To the left of the picture is what is more counter-clockwise; behind, seen in a mirror, what is less so.
    let rank = |camera: &Camera| match row(camera) {
        0 => -yaw_rad(camera),
        _ => yaw_rad(camera).rem_euclid(std::f64::consts::TAU),
    };
    let turn = |camera: &Camera| {
        let before = |other: &&Camera| row(other) == row(camera) && rank(other) < rank(camera);
        rig.iter().filter(before).count()
    };
    let view = |camera: &Camera| {
        let [width, height] = camera.image_size;
        View { name: camera_name(&camera.name), width, height, row: row(camera), turn: turn(camera) }
    };
    rig.iter().map(view).collect()
}

/// Where a camera looks, rad counter-clockwise from straight ahead.
fn yaw_rad(camera: &Camera) -> f64 {
    let ahead = camera.ego_from_camera.rotation * Vector3::z();
    ahead.y.atan2(ahead.x)
}

/// The image files of a run: for each picture one a camera, in base64.
pub fn files(seen: &Seen) -> Vec<Vec<Option<String>>> {
    let file = |jpeg: &Option<Vec<u8>>| jpeg.as_ref().map(|bytes| STANDARD.encode(bytes));
    seen.pictures.iter().map(|picture| picture.jpegs.iter().map(file).collect()).collect()
}

/// Adds what perception said and the boxes in the pictures to a run's columns, positions counted from `origin`.
pub fn encode(columns: &mut Columns, seen: &Seen, origin: [f64; 2]) {
    let answers = &seen.perceived;
    let since_start = |stamp: tandem_graph::Stamp| stamp.seconds_since(seen.start);
    columns.push("answer.time", TIME_S, answers.iter().map(|answer| since_start(answer.publish)));
    columns.push("answer.capture", TIME_S, answers.iter().map(|answer| since_start(answer.capture)));
    columns.push("answer.count", 1.0, answers.iter().map(|answer| answer.objects.len() as f64));
    let mut of_object = |name: &str, step: f64, value: &dyn Fn(&Object) -> f64| {
        columns.push(name, step, answers.iter().flat_map(|answer| &answer.objects).map(value));
    };
    of_object("answer.class", 1.0, &|object| class_number(object.class) as f64);
    of_object("answer.x", POSITION_M, &|object| object.state.pose.x - origin[0]);
    of_object("answer.y", POSITION_M, &|object| object.state.pose.y - origin[1]);
    of_object("answer.yaw", ANGLE_RAD, &|object| object.state.pose.yaw);
    of_object("answer.length", POSITION_M, &|object| object.size[0]);
    of_object("answer.width", POSITION_M, &|object| object.size[1]);

    columns.push("picture.time", TIME_S, seen.pictures.iter().map(|picture| since_start(picture.stamp)));
    let (mut counts, mut perceived, mut ends) = (Vec::new(), Vec::new(), [(); 4].map(|()| Vec::new()));
    for picture in &seen.pictures {
        for camera in &seen.rig {
            let edges = edges(picture, camera, answers);
            counts.push(edges.len() as f64);
            for (is_perceived, segment) in edges {
                perceived.push(f64::from(u8::from(is_perceived)));
                ends.iter_mut().zip(segment).for_each(|(column, value)| column.push(value));
            }
        }
    }
    columns.push("edge.count", 1.0, counts);
    columns.push("edge.perceived", 1.0, perceived);
    for (name, values) in ["edge.x1", "edge.y1", "edge.x2", "edge.y2"].into_iter().zip(ends) {
        columns.push(name, PIXEL, values);
    }
}

/// The edges of the boxes in one camera's picture: whether perception says so, and both ends in pixels.
fn edges(picture: &Picture, camera: &Camera, answers: &[Perceived]) -> Vec<(bool, [f64; 4])> {
    let ego = picture.map_from_ego.translation.vector;
    let is_near = |target: &Box3| (target.map_from_box.translation.vector - ego).norm() < FAR_M;
    let shown = |(_, seen): &&(Subject, Option<crate::camera::Visibility>)| {
        seen.is_some_and(|seen| seen.pixels >= VISIBLE_PIXELS)
    };
    let truth = picture
        .subjects
        .iter()
        .filter(shown)
        .map(|(subject, _)| (false, upright(subject.center(), subject.pose.yaw, subject.size)));
    let answer = answers.iter().rev().find(|answer| answer.capture <= picture.stamp);
    let objects = answer.map_or(&[][..], |answer| &answer.objects);
    let perceived = objects.iter().map(|object| {
        let center = Vector3::new(object.state.pose.x, object.state.pose.y, object.state.z);
        (true, upright(center, object.state.pose.yaw, object.size))
    });
    let boxes = truth.chain(perceived).filter(|(_, target)| is_near(target));
    boxes
        .flat_map(|(is_perceived, target)| {
            let corners = target.corners().map(|corner| camera.in_camera(&picture.map_from_ego, corner));
            let segments = EDGES.into_iter().filter_map(move |(a, b)| segment(camera, corners[a], corners[b]));
            segments.map(move |segment| (is_perceived, segment)).collect::<Vec<_>>()
        })
        .collect()
}

fn upright(center: Vector3<f64>, yaw_rad: f64, size: [f64; 3]) -> Box3 {
    let rotation = UnitQuaternion::from_axis_angle(&Vector3::z_axis(), yaw_rad);
    Box3 { map_from_box: Isometry3::from_parts(Translation3::from(center), rotation), size }
}

/// The line between two points in the camera's frame, in pixels, cut at [`NEAR_M`]; `None` where it is out of sight.
fn segment(camera: &Camera, a: Point3<f64>, b: Point3<f64>) -> Option<[f64; 4]> {
    let (near, far) = if a.z < b.z { (a, b) } else { (b, a) };
    let cut = if near.z < NEAR_M { near + (far - near) * ((NEAR_M - near.z) / (far.z - near.z)) } else { near };
    if far.z <= NEAR_M {
        return None;
    }
    let (p, q) = (camera.pixel(cut)?, camera.pixel(far)?);
    let [width, height] = camera.image_size.map(f64::from);
    let is_out = |p: f64, q: f64, side: f64| (p < 0.0 && q < 0.0) || (p > side && q > side) || !(p + q).is_finite();
    (!is_out(p.x, q.x, width) && !is_out(p.y, q.y, height)).then_some([p.x, p.y, q.x, q.y])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::rig;

    #[test]
    fn cameras_are_laid_out_as_one_looks_around_and_into_mirrors() {
        let placed = |name: &str| {
            let views = views(&rig::nuscenes(256, 96));
            let view = views.iter().find(|view| view.name == name).unwrap();
            (view.row, view.turn)
        };
        assert_eq!(["front_left", "front", "front_right"].map(placed), [(0, 0), (0, 1), (0, 2)]);
        assert_eq!(["back_left", "back", "back_right"].map(placed), [(1, 0), (1, 1), (1, 2)]);
    }

    #[test]
    fn a_line_through_the_image_plane_is_cut_and_what_is_behind_is_not_drawn() {
        let camera = &rig::nuscenes(256, 96)[0];
        let [focal, cx] = [camera.intrinsics[(0, 0)], camera.intrinsics[(0, 2)]];
        let (behind, ahead) = (Point3::new(0.1, 0.0, -5.0), Point3::new(0.1, 0.0, 10.0));
        let cut = segment(camera, ahead, behind).unwrap();
        assert!((cut[0] - (cx + focal * 0.1 / NEAR_M)).abs() < 1e-9 && (cut[2] - (cx + focal * 0.01)).abs() < 1e-9);
        assert_eq!(segment(camera, behind, behind), None);
        let aside = Point3::new(50.0, 0.0, 10.0);
        assert_eq!(segment(camera, aside, aside), None);
    }
}
