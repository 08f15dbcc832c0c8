//! Cars, lorries, buses, trailers and construction vehicles in the unit box.

use crate::camera::mesh::{Mesh, Part, Pattern};

/// Lower bodywork, the wheels, bumpers, lamps and number plates of a car whose waist is at `waist`.
fn chassis(mesh: &mut Mesh, waist: f32, axles: [f32; 2]) {
    let sides = [-0.48, 0.48];
    let outline = [
        [-0.5, 0.2],
        [-0.44, 0.13],
        [0.46, 0.13],
        [0.5, 0.2],
        [0.5, waist - 0.14],
        [0.46, waist - 0.06],
        [0.2, waist],
        [-0.47, waist],
        [-0.5, waist - 0.08],
    ];
    mesh.prism(&outline, sides, Part::Body);
    // A waist as wide as the box.
    mesh.cuboid([-0.40, 0.38], [-0.5, 0.5], [waist - 0.2, waist - 0.12], Part::Body);
    mesh.cuboid([-0.36, 0.36], [-0.485, 0.485], [0.12, 0.2], Part::Dark);
    mesh.wheels(&axles, 0.075, 0.21);
    mesh.lamps(0.5, [0.26, 0.46], [waist - 0.25, waist - 0.15], Part::Head);
    mesh.lamps(-0.5, [0.28, 0.47], [waist - 0.24, waist - 0.11], Part::Tail);
    mesh.polygon(
        &[[0.5, -0.22, 0.22], [0.5, 0.22, 0.22], [0.5, 0.22, 0.36], [0.5, -0.22, 0.36]],
        Part::Dark,
        Pattern::Plain,
    );
    mesh.polygon(
        &[[-0.5, 0.15, 0.3], [-0.5, -0.15, 0.3], [-0.5, -0.15, 0.38], [-0.5, 0.15, 0.38]],
        Part::Head,
        Pattern::Plain,
    );
}

/// A cabin of panes between the waist and a roof, with pillars: (x from, x to) at the bottom and the top.
fn cabin(mesh: &mut Mesh, low: [f32; 2], high: [f32; 2], waist: f32, pillars: &[f32]) {
    mesh.block([low[0], low[1], -0.47, 0.47, waist], [high[0], high[1], -0.40, 0.40, 0.95], Part::Glass, Part::Body);
    mesh.block(
        [high[0], high[1], -0.40, 0.40, 0.95],
        [high[0] + 0.02, high[1] - 0.02, -0.36, 0.36, 1.0],
        Part::Body,
        Part::Body,
    );
    for &at in pillars {
        let (bottom, top) = (low[0] + (low[1] - low[0]) * at, high[0] + (high[1] - high[0]) * at);
        for side in [-1.0, 1.0] {
            mesh.beam([bottom, side * 0.47, waist], [top, side * 0.405, 0.96], 0.012, Part::Body);
        }
    }
}

/// Three boxes.
pub(in crate::camera) fn sedan() -> Mesh {
    let mut mesh = Mesh::default();
    chassis(&mut mesh, 0.6, [-0.30, 0.31]);
    cabin(&mut mesh, [-0.36, 0.24], [-0.24, 0.07], 0.6, &[0.0, 0.45, 1.0]);
    mesh
}

/// Two boxes.
pub(in crate::camera) fn hatchback() -> Mesh {
    let mut mesh = Mesh::default();
    chassis(&mut mesh, 0.58, [-0.30, 0.32]);
    cabin(&mut mesh, [-0.48, 0.28], [-0.40, 0.1], 0.58, &[0.0, 0.3, 0.62, 1.0]);
    mesh
}

/// Higher, with a steep rear.
pub(in crate::camera) fn sport_utility() -> Mesh {
    let mut mesh = Mesh::default();
    chassis(&mut mesh, 0.62, [-0.29, 0.31]);
    cabin(&mut mesh, [-0.49, 0.26], [-0.45, 0.13], 0.62, &[0.0, 0.28, 0.6, 1.0]);
    mesh
}

/// A short nose and much room.
pub(in crate::camera) fn van() -> Mesh {
    let mut mesh = Mesh::default();
    chassis(&mut mesh, 0.55, [-0.31, 0.33]);
    mesh.block([-0.495, 0.12, -0.485, 0.485, 0.55], [-0.485, 0.12, -0.44, 0.44, 1.0], Part::Body, Part::Body);
    mesh.block([0.12, 0.38, -0.47, 0.47, 0.55], [0.12, 0.2, -0.42, 0.42, 0.97], Part::Glass, Part::Body);
    mesh.polygon(
        &[[-0.496, 0.4, 0.6], [-0.496, -0.4, 0.6], [-0.488, -0.38, 0.9], [-0.488, 0.38, 0.9]],
        Part::Glass,
        Pattern::Plain,
    );
    mesh
}

/// A cab and an open bed.
pub(in crate::camera) fn pickup() -> Mesh {
    let mut mesh = Mesh::default();
    chassis(&mut mesh, 0.56, [-0.31, 0.32]);
    cabin(&mut mesh, [-0.1, 0.26], [-0.07, 0.12], 0.56, &[0.0, 0.45, 1.0]);
    mesh.polygon(
        &[[-0.46, -0.4, 0.565], [-0.13, -0.4, 0.565], [-0.13, 0.4, 0.565], [-0.46, 0.4, 0.565]],
        Part::Dark,
        Pattern::Plain,
    );
    mesh
}

/// The cab of a lorry from `rear` to the front, `height` tall.
fn lorry_cab(mesh: &mut Mesh, rear: f32, height: f32) {
    let top = height;
    mesh.block([rear, 0.5, -0.46, 0.46, 0.14], [rear, 0.5, -0.46, 0.46, top * 0.52], Part::Body, Part::Body);
    mesh.block([rear, 0.5, -0.46, 0.46, top * 0.52], [rear, 0.46, -0.45, 0.45, top * 0.9], Part::Glass, Part::Body);
    mesh.block([rear, 0.46, -0.45, 0.45, top * 0.9], [rear, 0.45, -0.44, 0.44, top], Part::Body, Part::Body);
    for side in [-1.0, 1.0] {
        mesh.cuboid(
            [rear, rear + 0.05],
            if side < 0.0 { [-0.462, -0.40] } else { [0.40, 0.462] },
            [top * 0.5, top * 0.92],
            Part::Body,
        );
    }
    mesh.lamps(0.501_f32.min(0.5), [0.28, 0.42], [0.18, 0.24], Part::Head);
    mesh.polygon(&[[0.5, -0.2, 0.2], [0.5, 0.2, 0.2], [0.5, 0.2, 0.34], [0.5, -0.2, 0.34]], Part::Dark, Pattern::Plain);
}

/// A cab and a box.
pub(in crate::camera) fn box_truck() -> Mesh {
    let mut mesh = Mesh::default();
    lorry_cab(&mut mesh, 0.25, 0.84);
    mesh.cuboid([-0.5, 0.22], [-0.5, 0.5], [0.28, 1.0], Part::Second);
    mesh.cuboid([-0.48, 0.3], [-0.3, 0.3], [0.14, 0.28], Part::Dark);
    mesh.wheels(&[-0.28, 0.36], 0.068, 0.15);
    mesh.lamps(-0.5, [0.36, 0.48], [0.29, 0.35], Part::Tail);
    mesh.polygon(
        &[[-0.5, 0.01, 0.38], [-0.5, -0.01, 0.38], [-0.5, -0.01, 0.97], [-0.5, 0.01, 0.97]],
        Part::Dark,
        Pattern::Plain,
    );
    mesh
}

/// A cab and a bed with a load.
pub(in crate::camera) fn flatbed() -> Mesh {
    let mut mesh = Mesh::default();
    lorry_cab(&mut mesh, 0.2, 1.0);
    mesh.cuboid([-0.5, 0.17], [-0.5, 0.5], [0.28, 0.36], Part::Trim);
    mesh.cuboid([-0.46, 0.12], [-0.46, 0.46], [0.36, 0.62], Part::Second);
    mesh.cuboid([-0.48, 0.3], [-0.3, 0.3], [0.14, 0.28], Part::Dark);
    mesh.wheels(&[-0.36, -0.22, 0.34], 0.062, 0.15);
    mesh.lamps(-0.5, [0.36, 0.48], [0.29, 0.35], Part::Tail);
    mesh
}

/// A long box with bands of windows.
pub(in crate::camera) fn bus() -> Mesh {
    let mut mesh = Mesh::default();
    mesh.cuboid([-0.5, 0.5], [-0.5, 0.5], [0.1, 0.42], Part::Body);
    mesh.cuboid([-0.498, 0.498], [-0.485, 0.485], [0.42, 0.8], Part::Glass);
    mesh.cuboid([-0.5, 0.5], [-0.5, 0.5], [0.8, 1.0], Part::Second);
    for index in 0..7 {
        let x = -0.5 + index as f32 / 6.0 * 0.985;
        for y in [[-0.5, -0.47], [0.47, 0.5]] {
            mesh.cuboid([x, x + 0.015], y, [0.42, 0.8], Part::Second);
        }
    }
    mesh.polygon(
        &[[0.5, -0.45, 0.3], [0.5, 0.45, 0.3], [0.5, 0.45, 0.8], [0.5, -0.45, 0.8]],
        Part::Glass,
        Pattern::Plain,
    );
    mesh.polygon(
        &[[0.5, -0.3, 0.85], [0.5, 0.3, 0.85], [0.5, 0.3, 0.95], [0.5, -0.3, 0.95]],
        Part::Dark,
        Pattern::Plain,
    );
    mesh.wheels(&[-0.28, 0.28], 0.045, 0.16);
    mesh.lamps(0.5, [0.3, 0.45], [0.17, 0.24], Part::Head);
    mesh.lamps(-0.5, [0.38, 0.48], [0.2, 0.4], Part::Tail);
    mesh
}

/// A box on wheels with a coupling ahead.
pub(in crate::camera) fn trailer() -> Mesh {
    let mut mesh = Mesh::default();
    mesh.cuboid([-0.5, 0.5], [-0.5, 0.5], [0.3, 1.0], Part::Body);
    mesh.cuboid([-0.5, 0.5], [-0.5, 0.5], [0.26, 0.3], Part::Trim);
    mesh.cuboid([-0.48, 0.4], [-0.2, 0.2], [0.16, 0.26], Part::Dark);
    for index in 0..5 {
        let x = -0.45 + index as f32 * 0.21;
        for y in [[-0.5, -0.495], [0.495, 0.5]] {
            mesh.cuboid([x, x + 0.012], y, [0.3, 1.0], Part::Second);
        }
    }
    mesh.wheels(&[-0.38, -0.29, -0.2], 0.042, 0.13);
    mesh.cuboid([0.28, 0.3], [-0.35, -0.28], [0.0, 0.26], Part::Dark);
    mesh.cuboid([0.28, 0.3], [0.28, 0.35], [0.0, 0.26], Part::Dark);
    mesh.lamps(-0.5, [0.36, 0.48], [0.2, 0.26], Part::Tail);
    mesh.polygon(
        &[[-0.5, 0.48, 0.27], [-0.5, -0.48, 0.27], [-0.5, -0.48, 0.3], [-0.5, 0.48, 0.3]],
        Part::Tail,
        Pattern::Plain,
    );
    mesh
}

/// Tracks, a cab that turns, and an arm with a bucket.
pub(in crate::camera) fn excavator() -> Mesh {
    let mut mesh = Mesh::default();
    for y in [[-0.5, -0.26], [0.26, 0.5]] {
        mesh.prism(
            &[
                [-0.42, 0.05],
                [-0.36, 0.0],
                [0.12, 0.0],
                [0.18, 0.05],
                [0.18, 0.2],
                [0.12, 0.26],
                [-0.36, 0.26],
                [-0.42, 0.2],
            ],
            y,
            Part::Dark,
        );
    }
    mesh.cuboid([-0.5, 0.1], [-0.44, 0.44], [0.28, 0.55], Part::Body);
    mesh.block([-0.18, 0.1, 0.08, 0.44, 0.55], [-0.16, 0.06, 0.1, 0.42, 0.85], Part::Glass, Part::Body);
    mesh.prism(&[[0.0, 0.5], [0.1, 0.45], [0.34, 0.9], [0.30, 1.0], [0.24, 0.98]], [-0.16, 0.02], Part::Second);
    mesh.prism(&[[0.27, 0.97], [0.45, 0.3], [0.5, 0.32], [0.34, 1.0]], [-0.14, 0.0], Part::Second);
    mesh.prism(&[[0.34, 0.1], [0.46, 0.08], [0.5, 0.34], [0.42, 0.34]], [-0.26, 0.12], Part::Dark);
    mesh
}

/// Big wheels, a cab, and a shovel ahead.
pub(in crate::camera) fn loader() -> Mesh {
    let mut mesh = Mesh::default();
    mesh.cuboid([-0.5, 0.0], [-0.36, 0.36], [0.2, 0.6], Part::Body);
    mesh.cuboid([0.0, 0.24], [-0.25, 0.25], [0.2, 0.45], Part::Body);
    mesh.block([-0.22, 0.06, -0.28, 0.28, 0.6], [-0.2, 0.02, -0.26, 0.26, 0.94], Part::Glass, Part::Body);
    mesh.block([-0.21, 0.03, -0.27, 0.27, 0.94], [-0.21, 0.03, -0.27, 0.27, 1.0], Part::Body, Part::Body);
    mesh.wheels(&[-0.28, 0.16], 0.13, 0.24);
    for y in [[-0.3, -0.2], [0.2, 0.3]] {
        mesh.prism(&[[0.0, 0.5], [0.06, 0.42], [0.42, 0.16], [0.44, 0.24]], y, Part::Second);
    }
    mesh.prism(&[[0.36, 0.02], [0.5, 0.0], [0.44, 0.12], [0.42, 0.36], [0.36, 0.3]], [-0.5, 0.5], Part::Second);
    mesh.lamps(-0.5, [0.2, 0.34], [0.5, 0.58], Part::Tail);
    mesh
}
