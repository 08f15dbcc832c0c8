//! Traffic lights: posts at the places to stop, lit as the log says.

use nalgebra::{Point2, Vector2, Vector3};
use tandem_datasets::{Log, Map, SignalColor, SignalTrack};
use tandem_graph::Stamp;

use super::field::Field;
use super::item::Item;
use super::mesh::Part;
use super::plant::colors;
use super::semantics;
use super::stills::stills;

/// A place to stop with what rules there.
#[derive(Debug, Default)]
pub(super) struct Signals {
    /// One head for each different course of colours, with where it hangs.
    heads: Vec<(Item, SignalTrack)>,
    /// Posts and arms.
    pub posts: Vec<Item>,
}

impl Signals {
    /// The lights of a log. Those without a place to stop are left out.
    pub fn of(log: &Log, map: &Map, field: &mut Field, map_from_scene: Vector3<f64>) -> Self {
        let mut signals = Self { heads: Vec::new(), posts: Vec::new() };
        let mut stops: Vec<(Point2<f64>, Vec<&SignalTrack>)> = Vec::new();
        for track in &log.signals {
            let Some(at) = track.stop_point.map(Point2::from) else { continue };
            match stops.iter_mut().find(|(stop, _)| (*stop - at).norm() < 1.0) {
                Some((_, tracks)) if tracks.iter().any(|known| known.states == track.states) => {}
                Some((_, tracks)) => tracks.push(track),
                None => stops.push((at, vec![track])),
            }
        }
        for (stop, tracks) in stops {
            if let Some(hit) = map.lanes_near(stop, 2.0).into_iter().next() {
                signals.raise(stop - map_from_scene.xy(), hit.yaw, &tracks, field);
            }
        }
        signals
    }

    /// Puts up a post at the right of a stop, with heads on it and on an arm over the lane.
    fn raise(&mut self, stop: Point2<f64>, yaw_rad: f64, tracks: &[&SignalTrack], field: &mut Field) {
        let forward = Vector2::new(yaw_rad.cos(), yaw_rad.sin());
        let right = Vector2::new(forward.y, -forward.x);
        let ahead = stop + forward * 1.0;
        let steps = (3..40).map(|step| f64::from(step) * 0.5);
        let Some(aside_m) = steps.clone().find(|m| field.distance_m(ahead + right * *m) >= 0.9) else { return };
        let foot = ahead + right * aside_m;
        field.take(foot, 0.6);
        let metal = [0.09, 0.095, 0.09];
        let palette = colors(metal, metal, metal);
        let ground = foot.coords.push(0.0);
        self.posts.push(Item::still(&stills().post, ground, yaw_rad, [0.16, 0.16, 5.6], palette, semantics::POLE));
        // The arm ends over the middle of the lane.
        let reach = ground + (-right * (aside_m / 2.0)).push(5.45);
        self.posts.push(Item::still(&stills().arm, reach, yaw_rad, [0.1, aside_m, 0.1], palette, semantics::POLE));
        let mut lamps = palette;
        lamps[Part::Dark as usize] = [0.02, 0.02, 0.018];
        lamps[Part::Head as usize] = [0.9, 0.03, 0.015];
        lamps[Part::Tail as usize] = [0.9, 0.42, 0.02];
        lamps[Part::Skin as usize] = [0.03, 0.75, 0.30];
        for (index, track) in tracks.iter().enumerate() {
            let beside = index as f64 * 0.5;
            for place in
                [ground + (-right * (0.15 + beside)).push(2.3), ground + (-right * (aside_m - 0.3 - beside)).push(4.9)]
            {
                let toward = yaw_rad + std::f64::consts::PI;
                let head = Item::still(&stills().signal, place, toward, [0.35, 0.42, 1.1], lamps, semantics::SIGNAL);
                self.heads.push((head, (*track).clone()));
            }
        }
    }

    /// The heads as they shine at a time.
    pub fn heads(&self, stamp: Stamp) -> impl Iterator<Item = Item> {
        self.heads.iter().map(move |(head, track)| {
            let mut lit = head.clone();
            for part in [Part::Head, Part::Tail, Part::Skin] {
                lit.palette[part as usize] = lit.palette[part as usize].map(|value| value * 0.06);
            }
            let on = match track.at(stamp) {
                SignalColor::Red => Part::Head,
                SignalColor::Yellow => Part::Tail,
                SignalColor::Green => Part::Skin,
                SignalColor::Unknown => return lit,
            };
            lit.palette[on as usize] = head.palette[on as usize];
            lit.glow[on as usize] = 1.6;
            lit
        })
    }
}
