//! A body at its place: what is drawn, still or moving.

use nalgebra::{Matrix3x4, Vector3};
use tandem_datasets::DetectionClass;
use tandem_graph::Stamp;

use super::body::{self, Palette};
use super::light::Lighting;
use super::look::Look;
use super::mesh::{Mesh, Part};
use super::noise::hash;
use super::semantics;
use super::{Guise, NO_INSTANCE, Subject};

/// A mesh with its place, size and colours.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub mesh: &'static Mesh,
    /// The middle of its foot in the scene, m.
    pub foot: Vector3<f64>,
    pub yaw_rad: f64,
    /// Length, width, height, m.
    pub size: [f64; 3],
    pub palette: Palette,
    /// How brightly each part shines by itself, in multiples of its colour.
    pub glow: [f32; Part::COUNT],
    pub semantics: u8,
    pub instance: u32,
    /// Chance that belongs to it.
    pub seed: u32,
}

impl Item {
    /// Something that stands still.
    pub fn still(
        mesh: &'static Mesh,
        foot: Vector3<f64>,
        yaw_rad: f64,
        size: [f64; 3],
        palette: Palette,
        semantics: u8,
    ) -> Self {
        let seed = hash(foot.x.to_bits() ^ foot.y.to_bits().rotate_left(17)) as u32;
        Self { mesh, foot, yaw_rad, size, palette, glow: [0.0; Part::COUNT], semantics, instance: NO_INSTANCE, seed }
    }

    /// A subject at a time.
    pub fn of(subject: &Subject, look: &Look, lighting: &Lighting, map_from_scene: Vector3<f64>, stamp: Stamp) -> Self {
        let center = subject.center() - map_from_scene;
        let speed_mps = subject.velocity_mps[0].hypot(subject.velocity_mps[1]);
        let mut glow = [0.0; Part::COUNT];
        let motor = subject.class.is_vehicle() && subject.detection != Some(DetectionClass::Trailer);
        if motor && (speed_mps > 0.3 || subject.braking) && lighting.lamps > 0.0 {
            glow[Part::Head as usize] = 3.0;
            glow[Part::Tail as usize] = 0.9;
        }
        if subject.braking {
            glow[Part::Tail as usize] = 3.0;
        }
        if subject.detection == Some(DetectionClass::Bus) && lighting.is_dark() {
            glow[Part::Glass as usize] = 9.0;
        }
        if let Some(beacon) = subject.guise.and_then(Guise::beacon) {
            let is_on = (stamp.seconds() / beacon.period_s).fract() < 0.55;
            glow[Part::Beacon as usize] = if is_on { 4.0 } else { 0.0 };
        }
        Self {
            mesh: body::mesh(subject, stamp.seconds()),
            foot: center - Vector3::z() * (subject.size[2] / 2.0),
            yaw_rad: subject.pose.yaw,
            size: subject.size,
            palette: body::palette(subject, look),
            glow,
            semantics: semantics::of_object(subject.detection),
            instance: subject.number,
            seed: hash(u64::from(subject.number)) as u32,
        }
    }

    /// What takes points of the mesh to the scene.
    pub fn scene_from_mesh(&self) -> Matrix3x4<f64> {
        let (sin, cos) = self.yaw_rad.sin_cos();
        let [l, w, h] = self.size;
        let foot = self.foot;
        Matrix3x4::new(cos * l, -sin * w, 0.0, foot.x, sin * l, cos * w, 0.0, foot.y, 0.0, 0.0, h, foot.z)
    }

    /// A normal of the mesh in the scene.
    pub fn normal(&self, normal: &Vector3<f32>) -> Vector3<f32> {
        let [l, w, h] = self.size.map(|side| side as f32);
        let scaled = Vector3::new(normal.x / l, normal.y / w, normal.z / h);
        let (sin, cos) = (self.yaw_rad as f32).sin_cos();
        let turned = Vector3::new(cos * scaled.x - sin * scaled.y, sin * scaled.x + cos * scaled.y, scaled.z);
        turned.try_normalize(0.0).unwrap_or_else(Vector3::z)
    }

    /// The middle and half the diagonal, m.
    pub fn ball(&self) -> (Vector3<f64>, f64) {
        let [l, w, h] = self.size;
        (self.foot + Vector3::z() * (h / 2.0), (l * l + w * w + h * h).sqrt() / 2.0)
    }
}
