//! Plays a staged street through, by a driver who knows and by one who does not, and writes it down if both show what
//! they should.

use tandem_datasets::{Box2, MapError, Polygon, Pose2};

use tandem_planner::MetaAction;

use super::super::actor::{Actor, Motion, STEP_S};
use super::super::stage::{DURATION_S, EGO, perform};
use super::Kind;
use super::presence::Over;
use super::staging::{Environment, Hazard, Reaction, Ring, Staged, Staging};
use super::street::{Plot, Street, Until};
use crate::camera::{Light, Look};

/// Time, pose and speed of an actor at each step.
type Course = Vec<(f64, Pose2, f64)>;

/// How often a street is played again without those who ran into others.
const REPEATS: usize = 4;

/// The reference driver brakes no harder, m/s², and gets at least so far, m.
const HARDEST_MPS2: f64 = -4.0;
const ENOUGH_M: f64 = 35.0;

/// A thing can be told from so many times its largest side away, between these bounds, m: from a fiftieth of a radian on.
const SIDES: f64 = 50.0;
const RANGE_M: [f64; 2] = [30.0, 90.0];
/// What has no light of its own is seen at night by headlights only, m; what lies flat from near only, m.
const HEADLIGHTS_M: f64 = 45.0;
const FLAT_M: f64 = 45.0;

/// Of what is so many times the air's attenuation away, a twentieth of the contrast is left.
const HAZE: f32 = 3.0;

/// The world of a street; `None` if it is not as it should be and need not be `taken`.
pub(super) fn play(
    kind: Kind,
    id: String,
    mut street: Street,
    plot: Option<Plot>,
    look: Look,
    taken: bool,
) -> Result<Option<Staged>, MapError> {
    street.stage.drop_overlapping();
    let hazardous = plot.as_ref().map_or(&[][..], |plot| &plot.actors);
    let closed = plot.as_ref().map_or(&[][..], |plot| &plot.closed);
    let states = settle(&mut street, hazardous);
    let actors = &street.stage.actors;
    let harms = |ego: &Course, among: &[usize]| {
        let ego = (&actors[EGO], ego);
        among.iter().any(|&other| touch(ego, (&actors[other], &states[other]))) || enters(ego, closed)
    };
    let is_whole = hazardous.iter().all(|&actor| !actors[actor].is_gone());
    let is_right = is_well_driven(&states[EGO]) && !harms(&states[EGO], &(1..states.len()).collect::<Vec<_>>());
    let plain = regardless(&street, hazardous);
    let is_met = plot.is_none() || harms(&plain, hazardous);
    let is_fit = is_whole && is_right && is_met;
    if !(is_fit || taken) {
        return Ok(None);
    }
    let lying =
        hazardous.iter().filter(|&&actor| actors[actor].motion == Motion::Still).map(|&actor| place(&actors[actor]));
    let lying: Vec<Ring> = lying.collect();
    let plain_drive = plain.iter().map(|(_, pose, _)| *pose).collect();
    let environment = Environment {
        weather: look.weather,
        light: look.light,
        road: street.road,
        lanes: street.layout.forward,
        lane: street.lane,
        oncoming_lanes: street.layout.backward,
        limit_mps: street.layout.limit_mps,
    };
    let mut tags =
        ["hazard", kind.name(), look.light.name(), look.weather.name(), street.road.name()].map(str::to_owned);
    tags.sort_unstable();
    let description = plot.as_ref().map_or("A calm drive", |plot| plot.description).to_owned();
    let own = street.own.clone();
    let ranges_m: Vec<f64> = actors.iter().map(|actor| range_m(actor.size, actor.class.is_vehicle(), &look)).collect();
    let log = street.stage.write_down(&states, id, description, tags.to_vec())?;
    let may_wait = plot.as_ref().is_none_or(|plot| plot.actions.contains(&MetaAction::Wait));
    let mut is_seen = plot.is_none();
    let hazard = plot.map(|plot| {
        // Actors that were never there have no track.
        let number = |actor: &usize| log.tracks.iter().position(|track| track.source_id == actor.to_string());
        let numbers: Vec<(usize, u32)> =
            plot.actors.iter().filter_map(|actor| Some((*actor, number(actor)? as u32))).collect();
        let track =
            |actor: usize| numbers.iter().find(|(other, _)| *other == actor).map_or(u32::MAX, |(_, track)| *track);
        let mut hazard = Hazard {
            goes_first: numbers.first().map(|(_, track)| *track).filter(|_| plot.goes_first),
            tracks: numbers.iter().map(|(_, track)| *track).collect(),
            ranges_m: numbers.iter().map(|(actor, _)| ranges_m[*actor]).collect(),
            flat_range_m: FLAT_M.min(haze_m(&look)),
            over: match plot.over {
                Until::Passed(along_m) => Over::Passed(own.at(along_m)),
                Until::Ahead(actor) => Over::Ahead(track(actor)),
                Until::Behind(actor) => Over::Behind(track(actor)),
            },
            visible_from_s: 0.0,
            over_s: DURATION_S,
            reaction: Reaction {
                actions: plot.actions,
                speed_cap_mps: plot.speed_cap_mps,
                avoid: plot.closed.iter().cloned().chain(lying).collect(),
            },
            closed: plot.closed,
        };
        if let Some(times_s) = hazard.on_the_reference_drive(&log) {
            [hazard.visible_from_s, hazard.over_s] = times_s;
            is_seen = true;
        }
        hazard
    });
    // Who need not wait gets past.
    let is_past = may_wait || hazard.as_ref().is_none_or(|hazard| hazard.over_s < DURATION_S);
    if !(is_fit && is_seen && is_past || taken) {
        return Ok(None);
    }
    Ok(Some(Staged { log, staging: Staging { kind, look, environment, hazard, plain_drive } }))
}

/// Plays, and again without those of the usual traffic who ran into somebody.
fn settle(street: &mut Street, hazardous: &[usize]) -> Vec<Course> {
    let mut states = perform(&mut street.stage.actors.clone(), &street.stage.lights);
    for _ in 0..REPEATS {
        let actors = &street.stage.actors;
        let drives = |other: &usize| actors[*other].motion == Motion::Drive;
        let meets = |&other: &usize| {
            let earlier = (1..other).filter(|&first| first < street.first_other || drives(&first));
            let mut among = earlier.chain(hazardous.iter().copied());
            among.any(|first| touch((&actors[other], &states[other]), (&actors[first], &states[first])))
        };
        let culprits: Vec<usize> = (street.first_other..actors.len()).filter(drives).filter(meets).collect();
        if culprits.is_empty() {
            break;
        }
        culprits.into_iter().for_each(|culprit| street.stage.actors[culprit].leave());
        states = perform(&mut street.stage.actors.clone(), &street.stage.lights);
    }
    states
}

/// How an ego drives who knows nothing of the hazard.
fn regardless(street: &Street, hazardous: &[usize]) -> Course {
    let mut actors = street.stage.actors.clone();
    actors[EGO] = street.plain_ego.clone();
    hazardous.iter().for_each(|&actor| actors[actor].leave());
    perform(&mut actors, &street.stage.lights).swap_remove(EGO)
}

fn outline(actor: &Actor, pose: Pose2) -> Box2 {
    Box2 { pose: pose.ahead(actor.center_m), length: actor.size[0], width: actor.size[1] }
}

/// Whether two overlap at some step.
fn touch((a, course_a): (&Actor, &Course), (b, course_b): (&Actor, &Course)) -> bool {
    let reach_m = (a.size[0] + a.size[1] + b.size[0] + b.size[1]) / 2.0 + a.center_m + b.center_m;
    course_a.iter().zip(course_b).any(|((_, at, _), (_, there, _))| {
        (at.position() - there.position()).norm() < reach_m && outline(a, *at).intersects(&outline(b, *there))
    })
}

/// Whether a corner is in a closed stretch at some step.
fn enters((ego, course): (&Actor, &Course), closed: &[Ring]) -> bool {
    let closed: Vec<_> = closed.iter().map(|ring| Polygon { exterior: ring.clone(), holes: Vec::new() }).collect();
    let mut corners = course.iter().flat_map(|(_, pose, _)| outline(ego, *pose).corners());
    corners.any(|corner| closed.iter().any(|stretch| stretch.contains(corner)))
}

/// Whether a drive gets somewhere without hard braking.
fn is_well_driven(course: &Course) -> bool {
    let way_m: f64 = course.iter().map(|(_, _, speed_mps)| speed_mps * STEP_S).sum();
    let changes = course.windows(2).map(|pair| pair[1].2 - pair[0].2);
    way_m >= ENOUGH_M && changes.fold(0.0, f64::min) / STEP_S > HARDEST_MPS2
}

/// The outline of what stands somewhere, with half a metre around it.
fn place(actor: &Actor) -> Ring {
    let outline = actor.outline();
    Box2 { length: outline.length + 1.0, width: outline.width + 1.0, ..outline }.corners().to_vec()
}

/// How far away a thing of this length, width and height can be told from, m.
fn range_m(size: [f64; 3], has_lights: bool, look: &Look) -> f64 {
    let side_m = size.into_iter().fold(0.0, f64::max);
    let lit_m = if has_lights || look.light != Light::Night { f64::INFINITY } else { HEADLIGHTS_M };
    (side_m * SIDES).clamp(RANGE_M[0], RANGE_M[1]).min(lit_m).min(haze_m(look))
}

fn haze_m(look: &Look) -> f64 {
    f64::from(HAZE / look.fog_per_m)
}
