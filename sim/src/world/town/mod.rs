//! Towns: a seed becomes a network of streets with lights, traffic, people and things of all kinds, for networks to
//! learn from.

mod fleet;
mod lights;
mod network;
mod plan;
mod populate;
mod traffic;
mod verge;

#[cfg(test)]
mod tests;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tandem_datasets::{Box2, Error, Log, MapError, Pose2};

use self::network::Turn;
use self::populate::Town;
use self::traffic::{Cast, States};
use super::actor::{Actor, Motion, STEP_S};
use super::stage::{EGO, Stage};

/// How often a town is played again without those who ran into each other.
const REPEATS: usize = 3;

/// A town in which the recording vehicle gets nowhere, or brakes hard, is drawn anew, so often.
const DRAFTS: u64 = 8;
/// What is far enough, m.
const ENOUGH_M: f64 = 50.0;
/// What is no hard braking yet, m/s².
const HARDEST_MPS2: f64 = -3.5;

/// The id of the town of a seed, such as `town-0007`.
pub fn id(seed: u64) -> String {
    format!("town-{seed:04}")
}

/// The town of a seed: 20 s at 10 Hz on a drive across one or several junctions. Tracks have nuScenes' categories as
/// their source class.
///
/// The same seed always makes the same town, to the last bit.
///
/// # Errors
/// If the map is not a valid one, which would be a fault of the generator.
pub fn town(seed: u64) -> Result<Log, Error> {
    make(seed).map_err(|reason| Error::Map { path: id(seed).into(), reason })
}

fn make(seed: u64) -> Result<Log, MapError> {
    for draft in 0..DRAFTS {
        if let Some(log) = draw(seed, draft)? {
            return Ok(log);
        }
    }
    // The last draft is always taken.
    Err(MapError::Empty)
}

/// Whether the recording vehicle gets somewhere without hard braking.
fn is_worth_it(states: &[(f64, Pose2, f64)]) -> bool {
    let way_m: f64 = states.iter().map(|(_, _, speed_mps)| speed_mps * STEP_S).sum();
    let changes = states.windows(2).map(|pair| pair[1].2 - pair[0].2);
    way_m >= ENOUGH_M && changes.fold(0.0, f64::min) / STEP_S > HARDEST_MPS2
}

/// One of the towns that a seed could make; `None` for one to be drawn anew.
fn draw(seed: u64, draft: u64) -> Result<Option<Log>, MapError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(draft);
    let mut stage = Stage::new(rng);
    let plan = plan::draw(&mut stage);
    let network = network::build(&mut stage, &plan);
    let mut town = Town {
        stage,
        plan: &plan,
        network: &network,
        cast: Cast::default(),
        way: Vec::new(),
        links: Vec::new(),
        taken: Vec::new(),
    };
    let wish = [Turn::Left, Turn::Straight, Turn::Right][(seed % 3) as usize];
    let turn = populate::ego(&mut town, wish);
    populate::drivers(&mut town);
    let has_site = town.stage.chance(0.42);
    if has_site {
        verge::site(&mut town);
    }
    if town.stage.chance(0.5) {
        verge::marked_place(&mut town);
    }
    verge::parked(&mut town);
    verge::pavement(&mut town);
    if town.stage.chance(0.6) {
        verge::forecourt(&mut town);
    }
    populate::people(&mut town);

    let Town { mut stage, cast, .. } = town;
    stage.drop_overlapping();
    let mut states = traffic::play(&network, &stage.lights, &stage.actors, &cast);
    if draft + 1 < DRAFTS && !is_worth_it(&states[EGO]) {
        return Ok(None);
    }
    for _ in 0..REPEATS {
        let hits = collisions(&stage.actors, &cast, &states);
        if hits.is_empty() {
            break;
        }
        hits.into_iter().for_each(|actor| stage.actors[actor].leave());
        states = traffic::play(&network, &stage.lights, &stage.actors, &cast);
    }
    for (actor, states) in stage.actors.iter().zip(&mut states).skip(1) {
        states.iter_mut().for_each(|(_, pose, _)| *pose = pose.ahead(actor.center_m));
    }
    stage.lights.iter_mut().for_each(lights::begin);
    let (words, tag) = match turn {
        Turn::Left => ("A left turn", "left-turn"),
        Turn::Straight => ("Straight on", "straight-on"),
        Turn::Right => ("A right turn", "right-turn"),
    };
    let mut tags = vec![tag.to_owned(), "town".to_owned()];
    if has_site {
        tags.insert(0, "construction".to_owned());
    }
    let place = if has_site { " past a construction site" } else { "" };
    stage.write_down(&states, id(seed), format!("{words} in a town{place}"), tags).map(Some)
}

/// Those to take out because they run into others; never the recording vehicle.
fn collisions(actors: &[Actor], cast: &Cast, states: &States) -> Vec<usize> {
    let outline = |actor: usize, pose: Pose2| {
        let Actor { size, center_m, .. } = actors[actor];
        Box2 { pose: pose.ahead(center_m), length: size[0], width: size[1] }
    };
    let moves = |actor: usize| actors[actor].motion == Motion::Drive;
    let is_towed = |a: usize, b: usize| {
        let pair = |driver: &traffic::Driver| driver.tow.map(|(trailer, _)| (driver.actor, trailer));
        cast.drivers.iter().filter_map(pair).any(|pair| pair == (a, b) || pair == (b, a))
    };
    let steps = states[EGO].len();
    let mut hits: Vec<usize> = Vec::new();
    for step in (0..steps).step_by(2) {
        let boxes: Vec<_> = (0..actors.len())
            .filter(|actor| !hits.contains(actor))
            .filter_map(|actor| states[actor].get(step).map(|&(_, pose, _)| (actor, outline(actor, pose))))
            .collect();
        for (a, box_a) in boxes.iter().filter(|(actor, _)| moves(*actor)) {
            for (b, box_b) in boxes.iter().filter(|(b, _)| b > a || !moves(*b)) {
                if hits.contains(a) || hits.contains(b) {
                    continue;
                }
                let reach_m = (box_a.length + box_a.width + box_b.length + box_b.width) / 2.0;
                let is_far = (box_a.pose.position() - box_b.pose.position()).norm_squared() > reach_m * reach_m;
                if !is_far && !is_towed(*a, *b) && box_a.intersects(box_b) {
                    // The later one is the less important one.
                    hits.push(if *a == EGO { *b } else { *a.max(b) });
                }
            }
        }
    }
    hits
}
