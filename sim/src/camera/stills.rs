//! Meshes of what stands beside the road, in the unit box.

use std::sync::OnceLock;

use super::mesh::{Mesh, Part, Pattern};

/// All meshes of still things, made once.
pub(super) struct Stills {
    pub houses: Vec<Mesh>,
    pub trees: Vec<Mesh>,
    pub bush: Mesh,
    pub hedge: Mesh,
    pub post: Mesh,
    pub street_lamp: Mesh,
    pub sign: Mesh,
    pub fence: Mesh,
    pub wall: Mesh,
    pub signal: Mesh,
    pub arm: Mesh,
}

/// Vertices of a tree's trunk end here, as a share of its height.
const TRUNK: f32 = 0.35;

pub(super) fn stills() -> &'static Stills {
    static STILLS: OnceLock<Stills> = OnceLock::new();
    STILLS.get_or_init(|| Stills {
        houses: vec![house(false), house(true)],
        trees: vec![broad_tree(0.0), broad_tree(0.12), conifer(), palm()],
        bush: bush(),
        hedge: solid(Pattern::Leaves),
        post: post(),
        street_lamp: street_lamp(),
        sign: sign(),
        fence: solid(Pattern::Slats),
        wall: solid(Pattern::Plain),
        signal: signal(),
        arm: solid(Pattern::Plain),
    })
}

fn solid(pattern: Pattern) -> Mesh {
    let mut mesh = Mesh::default();
    mesh.cuboid([-0.5, 0.5], [-0.5, 0.5], [0.0, 1.0], Part::Body);
    mesh.faces.iter_mut().for_each(|face| face.pattern = pattern);
    mesh
}

/// A block with windows; flat or with a gable.
fn house(gabled: bool) -> Mesh {
    let mut mesh = Mesh::default();
    let eaves = if gabled { 0.72 } else { 1.0 };
    mesh.cuboid([-0.5, 0.5], [-0.5, 0.5], [0.0, eaves], Part::Body);
    mesh.faces.iter_mut().filter(|face| face.normal.z.abs() < 0.5).for_each(|face| face.pattern = Pattern::Windows);
    if gabled {
        mesh.prism(&[[-0.5, eaves], [0.5, eaves], [0.0, 1.0]], [-0.5, 0.5], Part::Second);
    }
    mesh
}

fn broad_tree(lean: f32) -> Mesh {
    let mut mesh = Mesh::default();
    mesh.block([-0.04, 0.04, -0.04, 0.04, 0.0], [-0.025, 0.025, -0.025, 0.025, TRUNK + 0.15], Part::Trim, Part::Trim);
    mesh.ball([lean, 0.0, 0.66], [0.36, 0.4, 0.3], 7, 4, Part::Body, Pattern::Leaves);
    mesh.ball([-0.2 + lean, 0.14, 0.55], [0.28, 0.3, 0.2], 6, 3, Part::Body, Pattern::Leaves);
    mesh.ball([0.16, -0.2, 0.56], [0.28, 0.28, 0.2], 6, 3, Part::Second, Pattern::Leaves);
    mesh.ball([0.08, 0.12, 0.82], [0.26, 0.26, 0.18], 6, 3, Part::Second, Pattern::Leaves);
    mesh
}

fn conifer() -> Mesh {
    let mut mesh = Mesh::default();
    mesh.cuboid([-0.04, 0.04], [-0.04, 0.04], [0.0, 0.2], Part::Trim);
    for (low, high, half) in [(0.12, 0.5, 0.5), (0.35, 0.75, 0.36), (0.6, 1.0, 0.22)] {
        let at = |step: usize| {
            let (sin, cos) = (step as f32 / 7.0 * std::f32::consts::TAU).sin_cos();
            [cos * half, sin * half, low]
        };
        for step in 0..7 {
            mesh.polygon(&[at(step), at(step + 1), [0.0, 0.0, high]], Part::Body, Pattern::Leaves);
        }
    }
    mesh
}

fn palm() -> Mesh {
    let mut mesh = Mesh::default();
    mesh.beam([0.0, 0.0, 0.0], [0.06, 0.0, 0.86], 0.03, Part::Trim);
    for step in 0..7 {
        let (sin, cos) = (step as f32 / 7.0 * std::f32::consts::TAU).sin_cos();
        let (side_x, side_y) = (-sin * 0.09, cos * 0.09);
        let (mid, tip) = ([0.06 + cos * 0.26, sin * 0.26, 0.99], [0.04 + cos * 0.46, sin * 0.46, 0.78]);
        let root = [0.06, 0.0, 0.88];
        let (a, b) = ([mid[0] + side_x, mid[1] + side_y, mid[2]], [mid[0] - side_x, mid[1] - side_y, mid[2]]);
        for corners in [[root, b, a], [b, tip, a], [a, b, root], [a, tip, b]] {
            mesh.polygon(&corners, Part::Body, Pattern::Leaves);
        }
    }
    mesh
}

fn bush() -> Mesh {
    let mut mesh = Mesh::default();
    mesh.ball([0.0, 0.0, 0.45], [0.5, 0.5, 0.55], 7, 4, Part::Body, Pattern::Leaves);
    mesh.points.iter_mut().for_each(|point| point.z = point.z.max(0.0));
    mesh
}

fn post() -> Mesh {
    let mut mesh = Mesh::default();
    mesh.cuboid([-0.5, 0.5], [-0.5, 0.5], [0.0, 1.0], Part::Trim);
    mesh
}

/// A post at the rear end and an arm that reaches forward with a lamp below its end.
fn street_lamp() -> Mesh {
    let mut mesh = Mesh::default();
    mesh.cuboid([-0.5, -0.44], [-0.22, 0.22], [0.0, 0.97], Part::Trim);
    mesh.cuboid([-0.5, 0.5], [-0.16, 0.16], [0.97, 0.99], Part::Trim);
    mesh.cuboid([0.2, 0.5], [-0.5, 0.5], [0.975, 1.0], Part::Trim);
    mesh.polygon(
        &[[0.22, -0.4, 0.974], [0.22, 0.4, 0.974], [0.48, 0.4, 0.974], [0.48, -0.4, 0.974]],
        Part::Head,
        Pattern::Plain,
    );
    mesh.lamps.push((nalgebra::Vector3::new(0.35, 0.0, 0.97), Part::Head));
    mesh
}

/// A post with a plate that looks ahead.
fn sign() -> Mesh {
    let mut mesh = Mesh::default();
    mesh.cuboid([-0.4, 0.0], [-0.05, 0.05], [0.0, 1.0], Part::Trim);
    let rim = |step: usize, radius: f32| {
        let (sin, cos) = ((step as f32 + 0.5) / 8.0 * std::f32::consts::TAU).sin_cos();
        [cos * 0.5 * radius, 0.86 + sin * 0.14 * radius]
    };
    let plate = |x: f32, radius: f32| (0..8).map(|step| rim(step, radius)).map(|[y, z]| [x, y, z]).collect::<Vec<_>>();
    mesh.polygon(&plate(0.2, 1.0), Part::Body, Pattern::Plain);
    mesh.polygon(&plate(0.5, 0.68), Part::Second, Pattern::Plain);
    let back: Vec<_> = plate(0.1, 1.0).into_iter().rev().collect();
    mesh.polygon(&back, Part::Trim, Pattern::Plain);
    mesh
}

/// A black case with three lamps that look ahead: red on top, yellow, green.
fn signal() -> Mesh {
    let mut mesh = Mesh::default();
    mesh.cuboid([-0.5, 0.3], [-0.5, 0.5], [0.0, 1.0], Part::Dark);
    for (z, part) in [(0.83, Part::Head), (0.5, Part::Tail), (0.17, Part::Skin)] {
        let disc: Vec<_> = (0..8)
            .map(|step| ((step as f32 + 0.5) / 8.0 * std::f32::consts::TAU).sin_cos())
            .map(|(sin, cos)| [0.32, cos * 0.4, z + sin * 0.135])
            .collect();
        mesh.polygon(&disc, part, Pattern::Plain);
        mesh.cuboid([0.3, 0.5], [-0.42, 0.42], [z + 0.135, z + 0.15], Part::Dark);
        mesh.lamps.push((nalgebra::Vector3::new(0.4, 0.0, z), part));
    }
    mesh
}
