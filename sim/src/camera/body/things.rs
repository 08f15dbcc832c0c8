//! Cones, barriers, animals and whatever else lies about, in the unit box.

use crate::camera::mesh::{Mesh, Part, Pattern};

/// A cone with a white band on a foot.
pub(in crate::camera) fn cone() -> Mesh {
    let mut mesh = Mesh::default();
    mesh.cuboid([-0.5, 0.5], [-0.5, 0.5], [0.0, 0.06], Part::Trim);
    let half = |z: f32| 0.36 + (0.07 - 0.36) * z;
    let bands = [
        (0.06, 0.36, Part::Body),
        (0.36, 0.56, Part::Second),
        (0.56, 0.7, Part::Body),
        (0.7, 0.82, Part::Second),
        (0.82, 1.0, Part::Body),
    ];
    for (low, high, part) in bands {
        let ring = |z: f32, step: usize| {
            let (sin, cos) = (step as f32 / 8.0 * std::f32::consts::TAU).sin_cos();
            [half(z) * cos, half(z) * sin, z]
        };
        for step in 0..8 {
            mesh.polygon(
                &[ring(low, step), ring(low, step + 1), ring(high, step + 1), ring(high, step)],
                part,
                Pattern::Plain,
            );
        }
    }
    let top = |step: usize| {
        let (sin, cos) = (step as f32 / 8.0 * std::f32::consts::TAU).sin_cos();
        [half(1.0) * cos, half(1.0) * sin, 1.0]
    };
    let rim: Vec<_> = (0..8).map(top).collect();
    mesh.polygon(&rim, Part::Body, Pattern::Plain);
    mesh
}

/// Two striped boards on legs.
pub(in crate::camera) fn board() -> Mesh {
    let mut mesh = Mesh::default();
    for z in [[0.62, 1.0], [0.26, 0.48]] {
        let first = mesh.faces.len();
        mesh.cuboid([-0.3, 0.3], [-0.5, 0.5], z, Part::Body);
        mesh.faces[first..].iter_mut().for_each(|face| face.pattern = Pattern::Stripes);
    }
    for y in [[-0.42, -0.36], [0.36, 0.42]] {
        mesh.cuboid([-0.2, 0.2], y, [0.06, 0.95], Part::Trim);
        mesh.cuboid([-0.5, 0.5], [y[0] - 0.04, y[1] + 0.04], [0.0, 0.07], Part::Dark);
    }
    mesh
}

/// A concrete profile, wide below.
pub(in crate::camera) fn concrete() -> Mesh {
    let mut mesh = Mesh::default();
    mesh.block([-0.5, 0.5, -0.5, 0.5, 0.0], [-0.5, 0.5, -0.5, 0.5, 0.1], Part::Trim, Part::Trim);
    mesh.block([-0.5, 0.5, -0.5, 0.5, 0.1], [-0.28, 0.28, -0.5, 0.5, 0.4], Part::Trim, Part::Trim);
    mesh.block([-0.28, 0.28, -0.5, 0.5, 0.4], [-0.2, 0.2, -0.5, 0.5, 1.0], Part::Trim, Part::Trim);
    let first = mesh.faces.len();
    mesh.cuboid([-0.27, 0.27], [-0.49, 0.49], [0.6, 0.84], Part::Body);
    mesh.faces[first..].iter_mut().for_each(|face| face.pattern = Pattern::Stripes);
    mesh
}

/// Four legs, a body, a head and a tail.
pub(in crate::camera) fn animal() -> Mesh {
    let mut mesh = Mesh::default();
    for x in [[-0.32, -0.24], [0.14, 0.22]] {
        for y in [[-0.4, -0.15], [0.15, 0.4]] {
            mesh.cuboid(x, y, [0.0, 0.5], Part::Second);
        }
    }
    mesh.cuboid([-0.36, 0.26], [-0.5, 0.5], [0.42, 0.78], Part::Body);
    mesh.cuboid([0.2, 0.42], [-0.3, 0.3], [0.66, 1.0], Part::Body);
    mesh.cuboid([0.42, 0.5], [-0.2, 0.2], [0.68, 0.84], Part::Second);
    mesh.cuboid([-0.5, -0.34], [-0.1, 0.1], [0.66, 0.76], Part::Second);
    mesh
}

/// A box.
pub(in crate::camera) fn crate_() -> Mesh {
    let mut mesh = Mesh::default();
    mesh.cuboid([-0.5, 0.5], [-0.5, 0.5], [0.0, 1.0], Part::Body);
    mesh.faces.iter_mut().for_each(|face| face.pattern = Pattern::Slats);
    mesh
}
