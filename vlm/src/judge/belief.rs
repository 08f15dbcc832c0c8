//! What of a judgment is to be believed: nothing is closed or slowed down for that neither the fast system nor the eyes
//! see.
//!
//! A mind may be wrong, late or worse. Its objects are looked for among what the fast system tells of and what the eyes
//! saw in the last seconds; its regions have to have something in them. What nobody sees is left out, and with it what is
//! asked for because of it.

use std::collections::{HashMap, VecDeque};

use nalgebra::Point2;
use tandem_datasets::Class;
use tandem_graph::Stamp;

use super::judgment::{Avoid, Critical, ImageBox, Judgment};
use super::sight::Sight;
use super::state::{Relation, Seen, State};
use super::truth::what;
use crate::eyes::{self, View, WORDS};

/// What was seen, and what was believed, counts for so long, s.
const REMEMBERED_S: f64 = 3.5;

/// The eyes see something where a word is at least so probable; signs they know well.
const SEEN: f32 = 0.1;
const SEEN_SIGN: f32 = 0.3;

/// Two boxes are of the same thing if they have so much of both in common, with so much around them, as a share of the image.
const OVERLAP: f32 = 0.15;
const AROUND: f32 = 0.015;

/// How far off a place may be along the way, m and as a share of its distance, and across it, m.
const ALONG_M: f64 = 4.0;
const ALONG_SHARE: f64 = 0.15;
const ACROSS_M: f64 = 1.5;

/// A region around one thing is no longer, m.
const OF_A_THING_M: f64 = 16.0;

/// Who is farther from the lane's middle is not in the way, m; nor who is behind and so much slower, m/s.
const NEAR_M: f64 = 9.0;
const FOLLOWS_MPS: f64 = 1.0;

/// Who is slower stands, m/s.
const MOVES_MPS: f64 = 0.5;

/// What the fast system takes for any vehicle.
const GUISES: [&str; 7] =
    ["police car", "ambulance", "fire engine", "school bus", "stalled car", "stalled truck", "digger"];

/// Signs and what closes roads.
const SIGNS: [&str; 3] = ["closure", "closed sign", "works sign"];

/// Words that the eyes take for each other.
const ALIKE: [&[&str]; 6] = [
    &SIGNS,
    &["debris", "tyre", "planks", "branch", "ball", "warning triangle"],
    &["deer", "dog"],
    &["stalled car", "stalled truck"],
    &["police car", "ambulance", "fire engine"],
    &["person", "child", "worker"],
];

/// Something that the eyes saw.
#[derive(Debug, Clone)]
struct Thing {
    stamp: Stamp,
    word: &'static str,
    is_told: bool,
    view: View,
    /// Left, top, right and bottom as shares of the image's width and height.
    bounds: [f32; 4],
    map_point: Point2<f64>,
}

/// What there is to believe a judgment by.
#[derive(Debug, Default)]
pub struct Belief {
    things: VecDeque<Thing>,
    told: HashMap<u32, (Stamp, Seen)>,
    /// When something was believed last, and the regions, in the map.
    believed: Option<(Stamp, Vec<Vec<Point2<f64>>>)>,
}

impl Belief {
    /// Remembers what a scene tells of and what is seen of it.
    pub fn learn(&mut self, state: &State, sight: &Sight) {
        let is_recent = |stamp: Stamp| state.stamp.seconds_since(stamp) < REMEMBERED_S;
        self.things.retain(|thing| is_recent(thing.stamp));
        self.told.retain(|_, (stamp, _)| is_recent(*stamp));
        self.told.extend(state.seen.iter().map(|seen| (seen.id, (state.stamp, seen.clone()))));
        for glance in &sight.glances {
            for sighting in &glance.sightings {
                let place = Point2::from(sighting.place_m.map(f64::from));
                let map_point = state.map_from_ego.transform(place);
                let is_seen = |(_, word): (usize, &str), score: f32| {
                    score >= if SIGNS.contains(&word) { SEEN_SIGN } else { SEEN }
                };
                let words = WORDS.into_iter().enumerate().zip(&sighting.scores);
                let words = words.filter(|(word, score)| is_seen(*word, **score));
                self.things.extend(words.map(|((number, word), _)| Thing {
                    stamp: state.stamp,
                    word,
                    is_told: eyes::is_told(number),
                    view: glance.view,
                    bounds: sighting.bounds,
                    map_point,
                }));
            }
        }
    }

    /// What is left of a judgment of a scene.
    pub fn of(&mut self, judgment: &Judgment, state: &State) -> Judgment {
        let objects: Vec<Critical> =
            judgment.objects.iter().filter(|object| self.is_there(object, state)).cloned().collect();
        let before = self.believed.take_if(|(stamp, _)| state.stamp.seconds_since(*stamp) < REMEMBERED_S);
        let closed = before.as_ref().map_or(&[][..], |(_, rings)| rings);
        let is_backed = |avoid: &&Avoid| {
            self.is_something_in(avoid, state) || closed.iter().any(|ring| are_near(&state.ring(avoid), ring))
        };
        let avoid: Vec<Avoid> = judgment.avoid.iter().filter(is_backed).copied().collect();
        if objects.is_empty() && before.is_none() {
            self.believed = None;
            return Judgment {
                objects,
                actions: Vec::new(),
                cap_mps: None,
                avoid: Vec::new(),
                waypoints: Vec::new(),
                ..judgment.clone()
            };
        }
        self.believed = if objects.is_empty() {
            before
        } else {
            Some((state.stamp, avoid.iter().map(|avoid| state.ring(avoid)).collect()))
        };
        Judgment { objects, avoid, ..judgment.clone() }
    }

    fn is_there(&self, object: &Critical, state: &State) -> bool {
        match (&object.id, &object.image) {
            (Some(id), _) => self.told.get(id).is_some_and(|(_, seen)| self.is_it(&object.what, seen, state)),
            (None, Some(image)) => self
                .things
                .iter()
                .any(|thing| thing.stamp == state.stamp && are_alike(thing.word, &object.what) && is_at(thing, image)),
            (None, None) => false,
        }
    }

    /// Whether what the fast system tells of may be called so, and is where it matters.
    fn is_it(&self, word: &str, seen: &Seen, state: &State) -> bool {
        let Seen { class, relation, ahead_m, left_m, speed_mps, .. } = *seen;
        if left_m.abs() > NEAR_M {
            return false;
        }
        let (is_behind, moves) = (ahead_m <= 0.0, speed_mps.abs() > MOVES_MPS);
        match word {
            _ if word == what(None, class) => !is_behind || speed_mps > state.speed_mps - FOLLOWS_MPS,
            "child" | "worker" => class == Class::Pedestrian,
            "bicycle" => class == Class::Bicycle,
            // By their looks; nobody looks back, and what stands in the lane has stalled, whatever it looks like.
            "stalled car" | "stalled truck" if class.is_vehicle() && !moves && relation == Relation::OwnLane => true,
            _ if GUISES.contains(&word) && class.is_vehicle() => {
                let is_seen = self.things.iter().any(|thing| are_alike(thing.word, word));
                is_seen || (is_behind && moves && speed_mps > state.speed_mps - FOLLOWS_MPS)
            }
            _ => false,
        }
    }

    /// Whether something is where a stretch of the way is not to be driven on.
    fn is_something_in(&self, avoid: &Avoid, state: &State) -> bool {
        let is_in = |ahead_m: f64, left_m: f64| {
            let reach_m = ALONG_M + ALONG_SHARE * ahead_m.abs();
            (avoid.from_m - reach_m..avoid.to_m + reach_m).contains(&ahead_m)
                && (avoid.right_m - ACROSS_M..avoid.left_m + ACROSS_M).contains(&left_m)
        };
        let is_small = avoid.to_m - avoid.from_m < OF_A_THING_M;
        let told = (self.told.values()).any(|(_, seen)| {
            let stands = matches!(seen.class, Class::Cone | Class::Barrier);
            (is_small || stands) && is_in(seen.ahead_m, seen.left_m)
        });
        let is_seen = |thing: &Thing| {
            let (ahead_m, left_m) = state.along_route(thing.map_point);
            is_in(ahead_m, left_m)
        };
        told || self.things.iter().any(|thing| !thing.is_told && is_seen(thing))
    }
}

fn are_alike(seen: &str, said: &str) -> bool {
    seen == said || ALIKE.iter().any(|words| words.contains(&seen) && words.contains(&said))
}

/// Whether a thing is where a box is.
fn is_at(thing: &Thing, ImageBox(camera, left, top, right, bottom): &ImageBox) -> bool {
    let said = [left, top, right, bottom].map(|share| f32::from(*share) / 100.0);
    let [a, b] = [thing.bounds, said]
        .map(|[left, top, right, bottom]| [left - AROUND, top - AROUND, right + AROUND, bottom + AROUND]);
    let area = |[left, top, right, bottom]: [f32; 4]| (right - left).max(0.0) * (bottom - top).max(0.0);
    let both = area([a[0].max(b[0]), a[1].max(b[1]), a[2].min(b[2]), a[3].min(b[3])]);
    thing.view.name() == camera && both > OVERLAP * (area(a) + area(b) - both)
}

/// Whether two rings touch, by the rectangles around them.
fn are_near(one: &[Point2<f64>], other: &[Point2<f64>]) -> bool {
    let reach = |ring: &[Point2<f64>], axis: usize| {
        let values = ring.iter().map(|corner| corner[axis]);
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)))
    };
    (0..2).all(|axis| {
        let ((from, to), (others_from, others_to)) = (reach(one, axis), reach(other, axis));
        from < others_to && others_from < to
    })
}
