//! What a good judge says of a moment in a world with a staged corner case: by what the world was made of and how its
//! reference driver goes on, not by what can be told from inside.

use nalgebra::{Isometry3, Point2, Translation3, UnitQuaternion, Vector3};
use tandem_datasets::log::upright;
use tandem_datasets::projection::Box3;
use tandem_datasets::{Box2, Camera, Class, DetectionClass};
use tandem_graph::Stamp;
use tandem_graph::topics::camera_name;
use tandem_planner::{MetaAction, VehicleState};
use tandem_sim::Course;
use tandem_sim::camera as look;
use tandem_sim::world::hazard::{Hazard, Kind, Ring, Staging};

use super::judgment::{Act, Avoid, Critical, ImageBox, Influence, Judgment, Light, Risk, WAYPOINTS, Weather};
use super::state::{Place, Relation, Seen, State};

/// Objects that are named at most, and stretches to avoid.
const MOST_OBJECTS: usize = 3;
const MOST_AVOIDED: usize = 2;

/// What is farther ahead is not spoken of, m.
const AHEAD_M: f64 = 90.0;

/// Who drives ahead matters from so little time between the two on, s, or so few metres.
const NEAR_S: f64 = 2.5;
const NEAR_M: f64 = 12.0;

/// A collision is near with so little time left, s; something has to be done with so little.
const SEVERE_S: f64 = 1.5;
const HIGH_S: f64 = 4.0;

/// What others hide is remembered for so long, s.
const REMEMBERED_S: i64 = 3;

/// How far ahead in time the reference driver is looked at, s.
const FORESIGHT_S: f64 = 3.0;

/// What moves less in that time stays where it is, m.
const MOVES_M: f64 = 1.0;

/// A change of speed over [`FORESIGHT_S`] that is an action, m/s; one that is a rapid one.
const CHANGE_MPS: f64 = 1.5;
const RAPID_MPS: f64 = 7.5;

/// Who is slower stands, m/s; who is slower than the other goes slowly.
const STANDS_MPS: f64 = 0.3;
const SLOW_MPS: f64 = 4.5;

/// A change of lane is done when the ego is so far beside its route, m.
const CHANGED_M: f64 = 2.0;

/// The judgment of a moment of a staged course; `None` for a course in which nothing was staged. `state` is what the
/// fast system knows of the moment, `rig` the cameras by which what it does not know is pointed at.
pub fn truth(course: &Course, state: &State, rig: &[Camera]) -> Option<Judgment> {
    let staging = course.staging.as_deref()?;
    let moment = Moment { course, staging, state, rig, stamp: state.stamp };
    let hazard = staging.hazard.as_ref().filter(|hazard| moment.is_on(hazard));
    let mut objects = hazard.map_or_else(Vec::new, |hazard| moment.hazardous(hazard));
    objects.extend(moment.usual(&objects));
    objects.truncate(MOST_OBJECTS);
    let risk = moment.risk(hazard, &objects);
    let actions = moment.actions(hazard, &objects);
    let is_sideways = actions.iter().any(|act| {
        use MetaAction::{ChangeLaneLeft, ChangeLaneRight, ShiftSlightlyLeft, ShiftSlightlyRight};
        matches!(act.action, ChangeLaneLeft | ChangeLaneRight | ShiftSlightlyLeft | ShiftSlightlyRight)
    });
    let environment = staging.environment;
    Some(Judgment {
        weather: match environment.weather {
            look::Weather::Clear => Weather::Clear,
            look::Weather::Rain => Weather::Rain,
            look::Weather::Fog => Weather::Fog,
        },
        light: match environment.light {
            look::Light::Sun => Light::Day,
            look::Light::Dusk => Light::Dusk,
            look::Light::Night => Light::Night,
        },
        road: environment.road,
        lane: format!("{} of {}", state.lane.min(9), state.lanes.min(9)),
        say: sentence(hazard.is_some(), &objects, &actions),
        risk,
        cap_mps: hazard.map(|hazard| tenths(hazard.reaction.speed_cap_mps)),
        avoid: hazard.map_or_else(Vec::new, |hazard| moment.avoid(hazard)),
        waypoints: if is_sideways { moment.waypoints() } else { Vec::new() },
        objects,
        actions,
        ttl_s: if hazard.is_some() { 3.0 } else { 2.0 },
    })
}

/// What there is to judge by.
struct Moment<'a> {
    course: &'a Course,
    staging: &'a Staging,
    state: &'a State,
    rig: &'a [Camera],
    stamp: Stamp,
}

impl Moment<'_> {
    fn at_s(&self) -> f64 {
        self.stamp.seconds_since(self.course.first())
    }

    fn is_on(&self, hazard: &Hazard) -> bool {
        let (log, ego) = (&self.course.log, self.state.map_from_ego);
        let ago = |seconds: i64| self.stamp.offset_ns(-seconds * 1_000_000_000);
        (0..=REMEMBERED_S).any(|seconds| hazard.is_seen(log, ego, ago(seconds)))
            && !hazard.is_over(log, ego, self.stamp)
    }

    /// The reference driver so much later.
    fn driver_in(&self, seconds: f64) -> VehicleState {
        self.course.human_at(self.stamp.offset_ns((seconds * 1e9) as i64))
    }

    fn map_from_ego(&self) -> Isometry3<f64> {
        upright(self.state.map_from_ego)
    }

    /// What was staged, as far as it is near ahead, or behind and coming.
    fn hazardous(&self, hazard: &Hazard) -> Vec<Critical> {
        let reaction = &hazard.reaction.actions;
        let influence = match reaction.as_slice() {
            actions if actions.contains(&MetaAction::ChangeLaneLeft) => Influence::PassLeft,
            actions if actions.contains(&MetaAction::ChangeLaneRight) => Influence::PassRight,
            actions if actions.contains(&MetaAction::ShiftSlightlyLeft) => Influence::PassLeft,
            actions if actions.contains(&MetaAction::ShiftSlightlyRight) => Influence::PassRight,
            actions if actions.contains(&MetaAction::Stop) => Influence::Stop,
            _ => Influence::Slow,
        };
        let why = |what: &str| why(self.staging.kind, what).to_owned();
        let tracks = hazard.tracks.iter().filter_map(|&number| {
            let track = self.course.log.tracks.get(number as usize)?;
            let there = track.at(self.stamp, i64::MAX)?;
            let ahead_m = self.state.along_route(there.pose.position()).0;
            if !(-AHEAD_M / 2.0..AHEAD_M).contains(&ahead_m) {
                return None;
            }
            let is_known = DetectionClass::of(track).is_some();
            // Whom the fast system knows but does not tell of is hidden, or farther off than others: nobody can name him.
            if is_known && !self.state.seen.iter().any(|seen| seen.id == number) {
                return None;
            }
            let image = if is_known { None } else { self.image(&Box3::of_track(track, &there)) };
            let what = what(Some(&track.source_class), track.class);
            (is_known || image.is_some()).then(|| Critical {
                id: is_known.then_some(number),
                image,
                why: why(&what),
                what,
                influence,
            })
        });
        let mut named: Vec<Critical> = Vec::new();
        for object in tracks {
            // Of ten cones one is enough.
            if named.iter().filter(|other| other.what == object.what).count() < 1 {
                named.push(object);
            }
        }
        if named.is_empty() {
            let ring = hazard.closed.first().and_then(|ring| self.image(&around(ring)));
            let what = if self.staging.kind == Kind::Flood { "water" } else { "closure" };
            named.extend(ring.map(|image| Critical {
                id: None,
                image: Some(image),
                what: what.to_owned(),
                why: why(what),
                influence,
            }));
        }
        named.truncate(2);
        named
    }

    /// Who matters in any traffic: who drives close ahead, who comes towards the way, who crosses it.
    fn usual(&self, named: &[Critical]) -> Vec<Critical> {
        let speed_mps = self.state.speed_mps;
        let critical = |seen: &Seen, why: &str, influence| Critical {
            id: Some(seen.id),
            image: None,
            what: what(None, seen.class),
            why: why.to_owned(),
            influence,
        };
        let judge = |seen: &Seen| {
            let gap_m = seen.ahead_m - 6.5;
            let comes_in = seen.left_m * seen.across_mps < 0.0 && seen.across_mps.abs() > 0.4;
            let is_ahead = (0.0..60.0).contains(&gap_m);
            if seen.relation == Relation::OwnLane && is_ahead && seen.class.is_agent() {
                let is_near = gap_m < NEAR_M.max(NEAR_S * speed_mps);
                let closes = speed_mps - seen.speed_mps > 1.0;
                match (is_near, closes) {
                    (true, true) => Some(critical(seen, "is slower in the own lane", Influence::Slow)),
                    (true, false) => Some(critical(seen, "leads in the own lane", Influence::KeepDistance)),
                    (false, _) => None,
                }
            } else if matches!(seen.class, Class::Pedestrian | Class::Bicycle) && comes_in && is_ahead {
                let is_soon = seen.left_m.abs() < 8.0 && gap_m < 40.0;
                is_soon.then(|| critical(seen, "comes towards the lane", Influence::Slow))
            } else {
                None
            }
        };
        let is_new = |seen: &&Seen| named.iter().all(|object| object.id != Some(seen.id));
        self.state.seen.iter().filter(is_new).filter_map(judge).collect()
    }

    fn risk(&self, hazard: Option<&Hazard>, objects: &[Critical]) -> Risk {
        let speed_mps = self.state.speed_mps.max(0.1);
        if let Some(hazard) = hazard {
            let tracks = hazard.tracks.iter().filter_map(|&number| {
                let there = self.course.log.tracks.get(number as usize)?.at(self.stamp, i64::MAX)?;
                Some(there.pose.position())
            });
            let places = tracks.chain(hazard.closed.iter().flatten().copied());
            let ahead = places.map(|place| self.state.along_route(place).0 - 4.0).filter(|ahead_m| *ahead_m > 0.0);
            let left_s = ahead.fold(f64::INFINITY, f64::min) / speed_mps;
            return match left_s {
                left_s if left_s < SEVERE_S => Risk::Severe,
                left_s if left_s < HIGH_S => Risk::High,
                _ => Risk::Moderate,
            };
        }
        let acts = |object: &Critical| object.influence != Influence::KeepDistance;
        if objects.iter().any(acts) { Risk::Moderate } else { Risk::Low }
    }

    fn actions(&self, hazard: Option<&Hazard>, objects: &[Critical]) -> Vec<Act> {
        let subject = |object: &Critical| object.id.map_or_else(|| object.what.clone(), |id| id.to_string());
        let subject = objects.first().map(subject).unwrap_or_default();
        let speed_mps = self.state.speed_mps;
        let act = |action, subject: &str, s: f64| Act { action, subject: subject.to_owned(), s: tenths(s) };
        let Some(hazard) = hazard else {
            let (action, for_what) = self.usual_action();
            let for_what = if for_what == "object" { subject.as_str() } else { for_what };
            return vec![act(action, for_what, FORESIGHT_S)];
        };
        let beside_m = self.state.along_route(self.state.map_from_ego.position()).1;
        let is_done = |action: &MetaAction| match action {
            MetaAction::SlowDown | MetaAction::SlowDownRapidly => {
                speed_mps < hazard.reaction.speed_cap_mps + 0.5 || speed_mps < STANDS_MPS
            }
            MetaAction::Stop => speed_mps < STANDS_MPS,
            MetaAction::ChangeLaneLeft => beside_m > CHANGED_M,
            MetaAction::ChangeLaneRight => beside_m < -CHANGED_M,
            _ => false,
        };
        let left_s = (hazard.over_s - self.at_s()).clamp(1.0, 8.0).round();
        let left: Vec<MetaAction> =
            hazard.reaction.actions.iter().skip_while(|action| is_done(action)).copied().collect();
        if left.is_empty() {
            return vec![act(MetaAction::GoStraightSlowly, &subject, left_s)];
        }
        left.into_iter().take(3).map(|action| act(action, &subject, left_s)).collect()
    }

    /// What the reference driver does next where nothing was staged, and for what.
    fn usual_action(&self) -> (MetaAction, &'static str) {
        let (now_mps, then_mps) = (self.state.speed_mps, self.driver_in(FORESIGHT_S).speed_mps);
        let red = |place| matches!(place, Place::Light(color) if color != tandem_datasets::SignalColor::Green);
        let for_what = if self.state.ahead.iter().any(|ahead| red(ahead.place)) { "light" } else { "object" };
        match then_mps - now_mps {
            _ if now_mps < STANDS_MPS && then_mps < SLOW_MPS / 4.0 => (MetaAction::Wait, for_what),
            _ if then_mps < STANDS_MPS => (MetaAction::Stop, for_what),
            change if change < -RAPID_MPS => (MetaAction::SlowDownRapidly, for_what),
            change if change < -CHANGE_MPS => (MetaAction::SlowDown, for_what),
            change if change > CHANGE_MPS => (MetaAction::SpeedUp, ""),
            _ if now_mps < SLOW_MPS => (MetaAction::GoStraightSlowly, ""),
            _ => (MetaAction::GoStraightAtConstantSpeed, ""),
        }
    }

    /// The stretches of the way that are not to be driven on.
    fn avoid(&self, hazard: &Hazard) -> Vec<Avoid> {
        let stretch = |ring: &Ring| {
            let corners: Vec<(f64, f64)> = ring.iter().map(|corner| self.state.along_route(*corner)).collect();
            let reach = |pick: fn(&(f64, f64)) -> f64| {
                let values = corners.iter().map(pick);
                values.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), x| (least.min(x), most.max(x)))
            };
            let ((from_m, to_m), (right_m, left_m)) = (reach(|corner| corner.0), reach(|corner| corner.1));
            let is_ahead = to_m > 0.0 && from_m < AHEAD_M && right_m < 6.0 && left_m > -6.0;
            is_ahead.then(|| Avoid {
                from_m: tenths(from_m.clamp(0.0, 199.0)),
                to_m: tenths(to_m.clamp(0.5, 200.0)),
                right_m: tenths(right_m.clamp(-20.0, 20.0)),
                left_m: tenths(left_m.clamp(-20.0, 20.0)),
            })
        };
        let crossing = hazard.tracks.iter().filter_map(|number| self.swept(*number));
        let rings = hazard.reaction.avoid.iter().cloned().chain(crossing);
        rings.filter_map(|ring| stretch(&ring)).take(MOST_AVOIDED).collect()
    }

    /// Where an animal runs in the next seconds, of which the fast system knows nothing; `None` for all else.
    fn swept(&self, number: u32) -> Option<Ring> {
        let track = self.course.log.tracks.get(number as usize)?;
        if track.class != Class::Animal {
            return None;
        }
        let outlines = (0..=FORESIGHT_S as i64).filter_map(|seconds| {
            let then = track.at(self.stamp.offset_ns(seconds * 1_000_000_000), i64::MAX)?;
            Some(track.outline(&then))
        });
        let outlines: Vec<Box2> = outlines.collect();
        let moved_m = (outlines.last()?.pose.position() - outlines.first()?.pose.position()).norm();
        let corners = outlines.iter().flat_map(|outline| outline.corners());
        (moved_m > MOVES_M).then(|| corners.collect())
    }

    /// Where the reference driver goes, in the ego frame.
    fn waypoints(&self) -> Vec<[f64; 2]> {
        let ego = self.state.map_from_ego;
        let point = |step: usize| {
            let there = ego.inverse_transform(self.driver_in(0.5 * step as f64).pose.position());
            [tenths(there.x.clamp(-120.0, 120.0)), tenths(there.y.clamp(-60.0, 60.0))]
        };
        (1..=WAYPOINTS).map(point).collect()
    }

    /// Where a camera shows a box: the one in which the most of it is.
    fn image(&self, target: &Box3) -> Option<ImageBox> {
        let map_from_ego = self.map_from_ego();
        let shown = self.rig.iter().filter_map(|camera| {
            let [left, top, right, bottom] = bounds(camera, &map_from_ego, target)?.map(|edge| 100.0 * edge);
            let area = (right - left) * (bottom - top);
            let edges = [left, top, right, bottom].map(|edge| edge.round() as u8);
            (area > 0.0).then(|| (area, ImageBox(camera_name(&camera.name), edges[0], edges[1], edges[2], edges[3])))
        });
        shown.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, image)| image)
    }
}

/// Where a camera shows a box: left, top, right and bottom as shares of the image's width and height, cut at its edges;
/// `None` where a corner lies behind the camera.
pub(crate) fn bounds(camera: &Camera, map_from_ego: &Isometry3<f64>, target: &Box3) -> Option<[f64; 4]> {
    let [width, height] = camera.image_size.map(f64::from);
    let (mut least, mut most) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
    for pixel in camera.project(map_from_ego, target) {
        let pixel = pixel?;
        for (axis, value) in [pixel.x / width, pixel.y / height].into_iter().enumerate() {
            (least[axis], most[axis]) = (least[axis].min(value), most[axis].max(value));
        }
    }
    let [left, top] = least.map(|edge| edge.clamp(0.0, 1.0));
    let [right, bottom] = most.map(|edge| edge.clamp(0.0, 1.0));
    Some([left, top, right, bottom])
}

/// A flat box around a ring on the ground.
fn around(ring: &[Point2<f64>]) -> Box3 {
    let middle = ring.iter().fold(Vector3::zeros(), |sum, corner| sum + Vector3::new(corner.x, corner.y, 0.0));
    let middle = middle / ring.len().max(1) as f64;
    let reach_m = |pick: fn(&Vector3<f64>) -> f64| {
        let sides = ring.iter().map(|corner| (pick(&(Vector3::new(corner.x, corner.y, 0.0) - middle))).abs());
        2.0 * sides.fold(0.0, f64::max)
    };
    Box3 {
        map_from_box: Isometry3::from_parts(Translation3::from(middle), UnitQuaternion::identity()),
        size: [reach_m(|v| v.x), reach_m(|v| v.y), 0.1],
    }
}

/// What a thing is, in a word or two.
pub(crate) fn what(category: Option<&str>, class: Class) -> String {
    let word = category.and_then(|category| category.rsplit('.').next()).map(|word| word.replace('_', " "));
    match (word.as_deref(), class) {
        (Some("stalled"), Class::Truck) => "stalled truck".to_owned(),
        (Some("stalled"), _) => "stalled car".to_owned(),
        (Some("police"), _) => "police car".to_owned(),
        (Some("school"), _) => "school bus".to_owned(),
        (Some("closed"), _) => "closed sign".to_owned(),
        (Some("works"), _) => "works sign".to_owned(),
        (Some("adult"), _) | (None, Class::Pedestrian) => "person".to_owned(),
        (Some("trafficcone"), _) | (None, Class::Cone) => "cone".to_owned(),
        (Some("construction"), _) => "digger".to_owned(),
        (Some("construction worker"), _) => "worker".to_owned(),
        (Some(word), _) => word.to_owned(),
        (None, Class::Car) => "car".to_owned(),
        (None, Class::Truck) => "truck".to_owned(),
        (None, Class::Bus) => "bus".to_owned(),
        (None, Class::Trailer) => "trailer".to_owned(),
        (None, Class::Motorcycle) => "motorcycle".to_owned(),
        (None, Class::Bicycle) => "cyclist".to_owned(),
        (None, Class::Animal) => "animal".to_owned(),
        (None, Class::Barrier) => "barrier".to_owned(),
        (None, Class::Other) => "object".to_owned(),
    }
}

/// Why a thing of what was staged matters: what it does.
fn why(kind: Kind, what: &str) -> &'static str {
    match kind {
        Kind::Calm => "is there",
        Kind::Debris => "lies on the lane",
        Kind::Construction => "narrows the lane",
        Kind::Emergency => "needs the way",
        Kind::Jaywalker => "steps out from behind a vehicle",
        Kind::Stalled => "blocks the lane",
        Kind::Flood => "stands on the road",
        Kind::Animal => "runs across the road",
        Kind::WrongWay => "comes towards us in our lane",
        Kind::ClosedRoad => "closes the road",
        Kind::Ball if what == "ball" => "rolls onto the road before a child",
        Kind::Ball => "runs after the ball",
        Kind::SchoolBus if what == "school bus" => "lets children cross",
        Kind::SchoolBus => "crosses at the bus",
        Kind::Cyclist => "swerves into the lane",
    }
}

/// A sentence for people.
fn sentence(is_on: bool, objects: &[Critical], actions: &[Act]) -> String {
    let action = actions.first().map_or("go on", |act| act.action.word()).replace('_', " ");
    match objects.first() {
        Some(object) => format!("The {} {}: {action}.", object.what, object.why),
        None if is_on => format!("Not over yet: {action}."),
        None => format!("The way is free: {action}."),
    }
}

fn tenths(value: f64) -> f64 {
    // Zero has no sign here.
    (value * 10.0).round() / 10.0 + 0.0
}
