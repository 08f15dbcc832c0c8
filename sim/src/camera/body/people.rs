//! People on foot and on two wheels in the unit box.

use crate::camera::mesh::{Mesh, Part, Pattern};

/// A person at a phase of the stride, 0 to 1; the box is as long as it is wide.
pub(in crate::camera) fn walker(phase: f32) -> Mesh {
    let mut mesh = Mesh::default();
    let swing = (phase * std::f32::consts::TAU).sin();
    for (side, swing) in [(-1.0, swing), (1.0, -swing)] {
        let (y, foot_x) = (side * 0.15, swing * 0.34);
        let ahead = foot_x.max(0.0) * 0.25;
        mesh.block(
            [foot_x - 0.11, foot_x + 0.11, y - 0.11, y + 0.11, 0.04],
            [-0.12, 0.12, y - 0.14, y + 0.14, 0.5],
            Part::Second,
            Part::Second,
        );
        mesh.cuboid([(foot_x - 0.12).max(-0.5), (foot_x + 0.16).min(0.5)], [y - 0.1, y + 0.1], [0.0, 0.05], Part::Dark);
        let (arm_y, hand_x) = (side * 0.40, -swing * 0.3 + ahead);
        let inner = if side < 0.0 { [-0.5, -0.33] } else { [0.33, 0.5] };
        mesh.block(
            [hand_x - 0.08, hand_x + 0.08, inner[0], inner[1], 0.5],
            [-0.1, 0.1, inner[0] * 0.94, inner[1] * 0.94, 0.81],
            Part::Body,
            Part::Body,
        );
        mesh.cuboid([hand_x - 0.07, hand_x + 0.07], [arm_y - 0.06, arm_y + 0.06], [0.45, 0.5], Part::Skin);
    }
    torso(&mut mesh, 0.0, 0.46, 0.84, 0.36);
    head(&mut mesh, 0.0, 0.91, [0.2, 0.2, 0.09]);
    mesh
}

fn torso(mesh: &mut Mesh, x: f32, low: f32, high: f32, half: f32) {
    mesh.block(
        [x - 0.16, x + 0.16, -half * 0.8, half * 0.8, low],
        [x - 0.19, x + 0.19, -half, half, high - 0.04],
        Part::Body,
        Part::Body,
    );
    mesh.block(
        [x - 0.19, x + 0.19, -half, half, high - 0.04],
        [x - 0.1, x + 0.1, -half * 0.5, half * 0.5, high],
        Part::Body,
        Part::Skin,
    );
}

fn head(mesh: &mut Mesh, x: f32, z: f32, radii: [f32; 3]) {
    let [rx, ry, rz] = radii;
    mesh.ball([x, 0.0, z], [rx * 0.95, ry * 0.95, rz], 6, 4, Part::Skin, Pattern::Plain);
    // Hair lies over the back of the head.
    mesh.ball([x - rx * 0.12, 0.0, z + rz * 0.12], [rx * 0.98, ry, rz * 0.88], 6, 4, Part::Trim, Pattern::Plain);
    mesh.polygon(
        &[
            [x + rx * 0.97, -ry * 0.5, z - rz * 0.6],
            [x + rx * 0.97, ry * 0.5, z - rz * 0.6],
            [x + rx * 0.9, ry * 0.5, z + rz * 0.35],
            [x + rx * 0.9, -ry * 0.5, z + rz * 0.35],
        ],
        Part::Skin,
        Pattern::Plain,
    );
}

/// A rider who sits at `x`, from the hips up.
fn rider(mesh: &mut Mesh, seat: [f32; 2], hands: [f32; 2], feet: [f32; 2], scale: f32, helmet: Part) {
    let [x, z] = seat;
    let shoulder = [x + 0.12 * scale, 0.82];
    mesh.prism(
        &[[x - 0.07, z], [x + 0.06, z], [shoulder[0] + 0.05, shoulder[1]], [shoulder[0] - 0.06, shoulder[1]]],
        [-0.3, 0.3],
        Part::Body,
    );
    for side in [-1.0, 1.0] {
        mesh.beam([shoulder[0], side * 0.34, 0.79], [hands[0], side * 0.42, hands[1]], 0.03, Part::Body);
        let knee = [(x + feet[0]) / 2.0 + 0.1 * scale, (z + feet[1]) / 2.0 + 0.07];
        mesh.beam([x, side * 0.2, z + 0.01], [knee[0], side * 0.24, knee[1]], 0.036, Part::Second);
        mesh.beam([knee[0], side * 0.24, knee[1]], [feet[0], side * 0.22, feet[1]], 0.032, Part::Second);
    }
    mesh.ball([shoulder[0] + 0.03, 0.0, 0.91], [0.062, 0.2, 0.09], 8, 4, helmet, Pattern::Plain);
    mesh.polygon(
        &[
            [shoulder[0] + 0.09, -0.1, 0.86],
            [shoulder[0] + 0.09, 0.1, 0.86],
            [shoulder[0] + 0.092, 0.1, 0.92],
            [shoulder[0] + 0.092, -0.1, 0.92],
        ],
        Part::Skin,
        Pattern::Plain,
    );
}

/// A motorcycle with its rider.
pub(in crate::camera) fn motorcycle() -> Mesh {
    let mut mesh = Mesh::default();
    mesh.wheel(-0.35, [-0.1, 0.1], 0.142, 0.2);
    mesh.wheel(0.35, [-0.08, 0.08], 0.142, 0.2);
    mesh.prism(
        &[[-0.2, 0.2], [0.12, 0.16], [0.22, 0.4], [0.18, 0.56], [0.0, 0.54], [-0.2, 0.48], [-0.44, 0.55], [-0.3, 0.4]],
        [-0.16, 0.16],
        Part::Second,
    );
    mesh.beam([0.35, 0.0, 0.2], [0.2, 0.0, 0.58], 0.025, Part::Trim);
    mesh.beam([0.18, -0.49, 0.61], [0.18, 0.49, 0.61], 0.012, Part::Trim);
    mesh.prism(&[[0.24, 0.44], [0.29, 0.48], [0.27, 0.58], [0.22, 0.58]], [-0.13, 0.13], Part::Head);
    mesh.prism(&[[-0.46, 0.5], [-0.43, 0.5], [-0.43, 0.56], [-0.46, 0.56]], [-0.12, 0.12], Part::Tail);
    mesh.lamps.push((nalgebra::Vector3::new(0.29, 0.0, 0.52), Part::Head));
    mesh.lamps.push((nalgebra::Vector3::new(-0.46, 0.0, 0.53), Part::Tail));
    rider(&mut mesh, [-0.12, 0.52], [0.17, 0.61], [0.0, 0.2], 1.0, Part::Trim);
    mesh
}

/// A bicycle, with its rider or without.
pub(in crate::camera) fn bicycle(ridden: bool) -> Mesh {
    let mut mesh = Mesh::default();
    // Alone it is as high as its handlebar.
    let tall = if ridden { 0.58 } else { 1.0 };
    let radius_z = 0.32 * tall;
    for x in [-0.31, 0.31] {
        let rim = |i: i32| {
            let (sin, cos) = (i as f32 / 10.0 * std::f32::consts::TAU).sin_cos();
            [x + cos * 0.185, 0.0, radius_z * (1.0 + sin * 0.93)]
        };
        (0..10).for_each(|i| mesh.beam(rim(i), rim(i + 1), 0.014, Part::Dark));
        mesh.beam([x, -0.06, radius_z], [x, 0.06, radius_z], 0.02, Part::Trim);
    }
    let frame = [
        ([-0.31, 0.0, radius_z], [-0.05, 0.0, radius_z * 0.95]),
        ([-0.05, 0.0, radius_z * 0.95], [0.22, 0.0, tall * 0.82]),
        ([-0.05, 0.0, radius_z * 0.95], [-0.13, 0.0, tall * 0.86]),
        ([-0.12, 0.0, tall * 0.8], [0.21, 0.0, tall * 0.82]),
        ([-0.31, 0.0, radius_z], [-0.12, 0.0, tall * 0.8]),
        ([0.31, 0.0, radius_z], [0.19, 0.0, tall * 0.95]),
    ];
    frame.into_iter().for_each(|(from, to)| mesh.beam(from, to, 0.016, Part::Body));
    mesh.beam([0.19, -0.48, tall * 0.965], [0.19, 0.48, tall * 0.965], 0.016, Part::Dark);
    mesh.cuboid([-0.2, -0.07], [-0.12, 0.12], [tall * 0.86, tall * 0.9], Part::Dark);
    if ridden {
        rider(&mut mesh, [-0.14, 0.52], [0.19, 0.57], [-0.02, 0.13], 1.6, Part::Trim);
    }
    mesh
}
