//! Puts the items of a scene into samples: shadows first, then bodies from near to far.

use nalgebra::{Matrix3x4, Vector3};

use super::item::Item;
use super::light::{HEADLIGHT_COLOR, LAMP_COLOR, LampLight, Lighting, headlights};
use super::look::Rgb;
use super::mesh::{Part, Pattern};
use super::raster::{FIRST_FACE, Samples, Shade};
use super::view::View;
use super::{NO_INSTANCE, semantics};

/// Farther than this from the camera nothing casts a shadow, m.
const SHADOW_REACH_M: f64 = 90.0;

/// How strongly beacons shine by day, beside lamps at night.
const BEACON_BY_DAY: f32 = 0.3;

/// What is known of a face in the picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drawn {
    /// Light that comes from it.
    pub color: Rgb,
    /// Light from its other parts: lit windows, the second stripe.
    pub second: Rgb,
    pub pattern: Pattern,
    /// Which of [`Picture::items`] it belongs to.
    pub item: u32,
    /// Whether its horizontal runs along the item's x axis.
    pub along_x: bool,
}

/// A lamp in the picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lamp {
    pub place: Vector3<f64>,
    pub color: Rgb,
    /// How far its shine reaches, m.
    pub radius_m: f32,
}

/// What was drawn.
#[derive(Debug, Default)]
pub(super) struct Picture<'a> {
    pub faces: Vec<Drawn>,
    pub items: Vec<&'a Item>,
    /// For each item the samples that it covers, hidden or not; counted for objects only.
    pub covered: Vec<u32>,
    pub lamps: Vec<Lamp>,
}

/// Draws everything that the view sees.
pub(super) fn draw<'a>(
    items: impl Iterator<Item = &'a Item>,
    view: &View,
    lighting: &Lighting,
    lamp_light: &LampLight,
    samples: &mut Samples,
) -> Picture<'a> {
    let mut picture = Picture::default();
    let mut seen: Vec<(f64, &Item)> = Vec::new();
    let casts = lighting.sun[1] > 0.15 && lighting.to_sun.z > 0.03;
    for item in items {
        let (middle, radius_m) = item.ball();
        shade(item, middle, radius_m, casts, view, lighting, samples);
        if let Some(depth_m) = view.sees(middle, radius_m) {
            seen.push((depth_m, item));
        }
    }
    seen.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut points = Vec::new();
    for (_, item) in seen {
        body(item, view, lighting, lamp_light, samples, &mut picture, &mut points);
    }
    picture
}

/// Shades the ground beneath an item and away from the sun.
fn shade(
    item: &Item,
    middle: Vector3<f64>,
    radius_m: f64,
    casts: bool,
    view: &View,
    lighting: &Lighting,
    samples: &mut Samples,
) {
    let apart = middle - view.eye;
    if apart.x.hypot(apart.y) > SHADOW_REACH_M + radius_m {
        return;
    }
    let on_ground = view.ground_m + 0.02;
    let to_samples = view.samples_from(&Matrix3x4::identity());
    let project = |point: Vector3<f64>| to_samples * point.push(1.0);
    if casts {
        let to_sun: Vector3<f64> = lighting.to_sun.cast();
        // Where the sun is very low, shadows are cut short.
        let per_m = to_sun.xy() / to_sun.z;
        let per_m = per_m * (12.0 / per_m.norm().max(1e-9)).min(1.0);
        let tall = item.size[2];
        let reach = middle - (per_m * (tall / 2.0)).push(tall / 2.0);
        if view.sees(reach, radius_m + per_m.norm() * tall / 2.0).is_some() {
            let scene_from_mesh = item.scene_from_mesh();
            let shadow: Vec<Vector3<f64>> = (item.mesh.points.iter())
                .map(|point| {
                    let at = scene_from_mesh * point.cast::<f64>().push(1.0);
                    let flat = at.xy() - per_m * (at.z - view.ground_m).max(0.0);
                    project(flat.push(view.ground_m))
                })
                .collect();
            for face in &item.mesh.faces {
                if item.normal(&face.normal).dot(&lighting.to_sun) > 0.0 {
                    samples.shade(face.corners.map(|corner| shadow[corner as usize]), Shade::Sun);
                }
            }
        }
    }
    let stands = item.foot.z < on_ground + 0.3 && item.instance != NO_INSTANCE;
    if stands && view.sees(middle, radius_m * 1.3).is_some() {
        let (sin, cos) = item.yaw_rad.sin_cos();
        for level in 1..=3_u32 {
            let out_m = f64::from(3 - level) * 0.13;
            let (l, w) = (item.size[0] / 2.0 + out_m, item.size[1] / 2.0 + out_m);
            let corner = |x: f64, y: f64| {
                let at = Vector3::new(item.foot.x + cos * x - sin * y, item.foot.y + sin * x + cos * y, view.ground_m);
                project(at)
            };
            let [a, b, c, d] = [corner(l, w), corner(-l, w), corner(-l, -w), corner(l, -w)];
            samples.shade([a, b, c], Shade::Contact(level));
            samples.shade([a, c, d], Shade::Contact(level));
        }
    }
}

fn body<'a>(
    item: &'a Item,
    view: &View,
    lighting: &Lighting,
    lamp_light: &LampLight,
    samples: &mut Samples,
    picture: &mut Picture<'a>,
    points: &mut Vec<Vector3<f64>>,
) {
    let scene_from_mesh = item.scene_from_mesh();
    let to_samples = view.samples_from(&scene_from_mesh);
    points.clear();
    points.extend(item.mesh.points.iter().map(|point| to_samples * point.cast::<f64>().push(1.0)));
    let number = picture.items.len() as u32;
    picture.items.push(item);
    let is_object = item.instance != NO_INSTANCE;
    let night = Night::at(item, view, lighting, lamp_light);
    let mut covered = 0;
    for face in &item.mesh.faces {
        let corners = face.corners.map(|corner| points[corner as usize]);
        let next = FIRST_FACE + picture.faces.len() as u32;
        let Some(first) = samples.triangle(corners, true, next, is_object.then_some(number + 1)) else { continue };
        covered += first;
        let normal = item.normal(&face.normal);
        let light = lighting.onto(&normal, false);
        let dark = night.onto(&normal);
        let light: Rgb = std::array::from_fn(|i| light[i] + dark[i]);
        let part = face.part as usize;
        let lit =
            |part: usize| -> Rgb { std::array::from_fn(|i| item.palette[part][i] * (light[i] + item.glow[part])) };
        let mut color = lit(part);
        if face.part == Part::Glass && face.pattern == Pattern::Plain && item.glow[part] == 0.0 {
            // Panes mirror the sky, the more the flatter they lie.
            let mirror = 0.12 + 0.25 * normal.z.max(0.0);
            (0..3).for_each(|i| color[i] += lighting.sky[i] * mirror);
        }
        if face.part == Part::Body && is_object && normal.z > 0.5 {
            (0..3).for_each(|i| color[i] += lighting.sky[i] * 0.05);
        }
        let second = match face.pattern {
            Pattern::Windows => lit(Part::Glass as usize),
            _ => lit(Part::Second as usize),
        };
        let along_x = face.normal.y.abs() > face.normal.x.abs();
        picture.faces.push(Drawn { color, second, pattern: face.pattern, item: number, along_x });
    }
    picture.covered.push(covered);
    for (place, part) in &item.mesh.lamps {
        let glow = item.glow[*part as usize];
        // Beacons are made to be seen by day.
        let lit = if *part == Part::Beacon { lighting.lamps.max(BEACON_BY_DAY) } else { lighting.lamps };
        if glow <= 0.0 || lit <= 0.0 {
            continue;
        }
        let place = scene_from_mesh * place.cast::<f64>().push(1.0);
        let (sin, cos) = item.yaw_rad.sin_cos();
        let (radius_m, strength) = match item.semantics {
            semantics::POLE => (0.8, 1.6),
            semantics::SIGNAL => (0.5, 0.5),
            _ if *part == Part::Beacon => (0.55, 0.7),
            _ => {
                let toward = (view.eye - place).normalize();
                let ahead = if *part == Part::Head { 1.0 } else { -1.0 };
                let facing = (toward.x * cos + toward.y * sin) * ahead;
                (if *part == Part::Head { 0.5 } else { 0.3 }, (facing.max(0.0).powi(2) * 0.8) as f32)
            }
        };
        let base = if item.semantics == semantics::POLE { LAMP_COLOR } else { item.palette[*part as usize] };
        let color = base.map(|value| value * glow * strength * lit);
        picture.lamps.push(Lamp { place, color, radius_m });
    }
}

/// What lamps and headlights give to an item.
struct Night {
    lamp: f32,
    headlight: f32,
    from_ego: Vector3<f32>,
}

impl Night {
    fn at(item: &Item, view: &View, lighting: &Lighting, lamp_light: &LampLight) -> Self {
        if lighting.lamps <= 0.0 {
            return Self { lamp: 0.0, headlight: 0.0, from_ego: Vector3::x() };
        }
        let (middle, _) = item.ball();
        let in_ego = view.ego_from_scene * nalgebra::Point3::from(middle);
        // Buildings are too large for one figure; they are lit pixel by pixel.
        let own = if item.semantics == semantics::BUILDING { 0.0 } else { lighting.lamps };
        Self {
            lamp: lamp_light.at(middle.x as f32, middle.y as f32) * own,
            headlight: headlights(in_ego.x as f32, in_ego.y as f32, in_ego.z.min(1.0) as f32) * own,
            from_ego: (middle - view.eye).cast::<f32>().normalize(),
        }
    }

    fn onto(&self, normal: &Vector3<f32>) -> Rgb {
        let from_above = 0.45 + 0.55 * normal.z.max(0.0);
        let facing = (-normal.dot(&self.from_ego)).max(0.0);
        std::array::from_fn(|i| {
            LAMP_COLOR[i] * self.lamp * from_above + HEADLIGHT_COLOR[i] * self.headlight * facing * 1.6
        })
    }
}
