//! One run in closed loop: a planner drives a log's course among its traffic, in lockstep.
//!
//! All moves as logged for the first second and a half ([`crate::course::HISTORY_STEPS`]), for the planner to see where
//! things are going; from then on the vehicle is the planner's. At each tenth of a second the vehicle moves on and
//! reports its state, perception moves the others on and reports what is near, and the planner answers with a
//! trajectory that the vehicle follows until the next one arrives. No node takes time by default, as in nuPlan.
//!
//! Where the planner sees by cameras ([`Sight::Cameras`]), perception is another's node: it gets images of the place and
//! of the others as they truly are, and takes its time. All of it runs from the log's start, so that it knows what is
//! around when the run starts. The planner brings late objects up to now by their capture stamp.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tandem_graph::health::{LinkSummary, RunSummary};
use tandem_graph::lockstep::{LinkFault, Lockstep, NodeLatency};
use tandem_graph::observe::Observer;
use tandem_graph::recording::Digest;
use tandem_graph::topics::{OBJECTS, SIGNALS, TRAJECTORY};
use tandem_graph::topics::{camera_image, camera_info};
use tandem_graph::{Node, Stamp, topics};
use tandem_planner::node::PlannerNode;
use tandem_planner::{VehicleState, planners};

use crate::course::Course;
use crate::faults::{Death, Faults, Window};
use crate::nodes::{Audience, Cameras, Keeper, MapServer, Monitor, Perceived, Picture, Planned, Vehicle};
use crate::sight::Sight;
use crate::traffic::TrafficMode;
use crate::{Error, FrameAgent};

/// The planner that drives as the log did: the vehicle then moves exactly on the logged poses.
pub const HUMAN: &str = "human";

/// The planner's node.
pub(crate) const PLANNER_NODE: &str = "planner";

/// A slow mind that drives along: it hears what the planner hears, and the planner hears its judgments.
#[derive(Clone)]
pub struct Companion {
    /// What tables call it.
    pub name: String,
    /// Makes its node for a run.
    pub node: Accompanying,
}

/// Makes a slow mind's node for one run; how long it thinks is its own affair.
pub type Accompanying = Arc<dyn Fn(&Arc<Course>) -> Box<dyn Node> + Send + Sync>;

impl Setup {
    /// By what the planner sees and who judges for it, as tables call it: `truth`, `cameras + slow`.
    pub fn seen_by(&self) -> String {
        let slow = self.slow.as_ref().map(|slow| format!(" + {}", slow.name));
        format!("{}{}", self.sight.name(), slow.unwrap_or_default())
    }
}

impl fmt::Debug for Companion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Companion").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What to drive.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The log, made ready.
    pub course: Arc<Course>,
    /// The planner's name, one of [`planners::NAMES`].
    pub planner: String,
    /// How the others move.
    pub traffic: TrafficMode,
    /// By what the planner sees.
    pub sight: Sight,
    /// Who judges the scene for the planner, if anybody.
    pub slow: Option<Companion>,
    /// What goes wrong.
    pub faults: Faults,
}

/// What a run left behind.
#[derive(Debug, Clone)]
pub struct Driven {
    /// The ego's states, 0.1 s apart, the first one at the course's start.
    pub states: Vec<VehicleState>,
    /// The others at each of these states.
    pub agents: Vec<Vec<FrameAgent>>,
    /// The plans as published.
    pub plans: Vec<Planned>,
    /// What perception said, where it is one that looks through cameras.
    pub perceived: Vec<Perceived>,
    /// What the cameras saw, about a second apart.
    pub pictures: Vec<Picture>,
    /// For how long the vehicle braked by itself because the planner was silent, s.
    pub braked_s: f64,
    /// What the links and nodes count.
    pub summary: RunSummary,
    /// Messages that the injected faults lost.
    pub lost_injected: u64,
    /// Messages lost that nothing was meant to lose.
    pub lost_unintended: u64,
    /// Whether all that no fault was to hinder came in time, and every node but a dead one ran to the end.
    pub complete: bool,
    /// SHA-256 over every message of the run, as hexadecimal digits.
    pub sha256: String,
}

/// Drives a run; the observers see every message of it.
///
/// # Errors
/// For an unknown planner, faults that mean nothing or a perception that can't be; never for how the run goes.
pub fn drive(setup: &Setup, observers: &mut [&mut dyn Observer]) -> Result<Driven, Error> {
    let Setup { course, planner: name, traffic, sight, slow, faults } = setup;
    faults.check()?;
    sight.check(faults)?;
    let mut map_server = MapServer::new(course);
    let mut vehicle = if name == HUMAN { Vehicle::logged(course) } else { Vehicle::following(course) };
    let mut keeper = Keeper::new(course, *traffic, audience(sight));
    let mut eyes = match sight {
        Sight::Truth => None,
        Sight::Cameras(sight) => {
            let perception = sight.perception(course)?;
            Some((Cameras::new(course, sight, &faults.cameras), perception, sight.latency))
        }
    };
    let human_track = if name == HUMAN { course.human_track() } else { Vec::new() };
    let mut planner = PlannerNode::new(planners::by_name(name, &human_track)?, *course.body());
    let mut slow = slow.as_ref().map(|slow| (slow.node)(course));
    let mut monitor = if eyes.is_some() { Monitor::of_perception() } else { Monitor::default() };
    let mut digest = Digest::default();

    let links = faulty_links(faults, &planner, course.start);
    let mut lockstep = Lockstep::new(course.first());
    lockstep
        .add(&mut map_server, NodeLatency::NONE)
        .add(&mut vehicle, NodeLatency::NONE)
        .add(&mut keeper, NodeLatency::NONE);
    if let Some((cameras, perception, latency)) = &mut eyes {
        lockstep.add(cameras, NodeLatency::NONE).add(perception, *latency);
    }
    lockstep.add(&mut planner, NodeLatency::NONE);
    // Behind the planner, whose links keep their numbers.
    if let Some(slow) = &mut slow {
        lockstep.add(slow, NodeLatency::NONE);
    }
    lockstep.add(&mut monitor, NodeLatency::NONE).observe(&mut digest);
    for observer in observers {
        lockstep.observe(*observer);
    }
    for link in &links {
        lockstep.link(link.clone());
    }
    if let Some(Death { node, at_s }) = &faults.dead {
        lockstep.kill(node.clone(), course.start.offset_ns((at_s * 1e9) as i64));
    }
    // What is due at the end itself is part of the run.
    let summary = lockstep.run_until(course.end().offset_ns(1))?;

    let is_meant = |link: &LinkSummary| {
        let hit = |fault: &LinkFault| fault.topic == link.topic && fault.node.as_ref() == Some(&link.node);
        let is_of =
            |camera: &str| link.topic == camera_image(camera).name() || link.topic == camera_info(camera).name();
        links.iter().any(hit) || faults.dead.is_some() || faults.cameras.iter().any(|fault| is_of(&fault.camera))
    };
    let lost = |links: &mut dyn Iterator<Item = &LinkSummary>| links.map(lost).sum();
    let dead = faults.dead.as_ref().map(|death| death.node.as_str());
    let mut nodes = summary.nodes.iter().filter(|node| dead != Some(node.name.as_str()));
    Ok(Driven {
        states: vehicle.states().to_vec(),
        agents: keeper.frames().to_vec(),
        plans: monitor.plans().to_vec(),
        perceived: monitor.perceived().to_vec(),
        pictures: eyes.map_or_else(Vec::new, |(cameras, ..)| cameras.into_pictures()),
        braked_s: vehicle.braked_s(),
        lost_injected: lost(&mut summary.links.iter().filter(|link| is_meant(link))),
        lost_unintended: lost(&mut summary.links.iter().filter(|link| !is_meant(link))),
        complete: nodes.all(|node| node.is_complete())
            && summary.links.iter().all(|link| is_meant(link) || link.is_complete()),
        sha256: digest.sha256(),
        summary,
    })
}

fn audience(sight: &Sight) -> Audience {
    match sight {
        Sight::Truth => Audience::Planner,
        Sight::Cameras(_) => Audience::Cameras,
    }
}

/// How many links the nodes have that are added before the planner: its own are numbered from there, and their dice go
/// by the number.
pub(crate) fn links_before_planner(setup: &Setup) -> Result<usize, Error> {
    let Setup { course, sight, .. } = setup;
    let mut specs = vec![Vehicle::node_spec(), Keeper::node_spec(audience(sight))];
    if let Sight::Cameras(sight) = sight {
        specs.extend([Cameras::node_spec(sight), sight.perception(course)?.spec()]);
    }
    Ok(specs.iter().map(|spec| spec.inputs.len()).sum())
}

/// Where the faults strike: on the way to the planner, but for the latched topics, and from it to the vehicle.
pub(crate) fn faulty_links(faults: &Faults, planner: &impl Node, start: Stamp) -> Vec<LinkFault> {
    let Faults { delay_ms, jitter_ms, drop, freeze, seed, .. } = faults;
    let is_latched = |topic: &String| topic == topics::MAP.name() || topic == topics::ROUTE.name();
    let inputs = planner.spec().inputs.into_iter().map(|input| input.topic);
    let mut ways: Vec<_> = inputs
        .filter(|topic| !is_latched(topic))
        .map(|topic| LinkFault { topic, ..LinkFault::on(&OBJECTS).to(PLANNER_NODE) })
        .collect();
    ways.push(LinkFault::on(&TRAJECTORY).to("vehicle"));
    let milliseconds = |ms: f64| Duration::from_secs_f64(ms * 1e-3);
    let fault = |way: LinkFault| {
        let way = way.seeded(*seed).delayed(milliseconds(*delay_ms)).jittered(milliseconds(*jitter_ms)).losing(*drop);
        match freeze {
            Some(Window { from_s, to_s }) if [OBJECTS.name(), SIGNALS.name()].contains(&way.topic.as_str()) => {
                let at = |seconds: f64| start.offset_ns((seconds * 1e9) as i64);
                way.frozen(at(*from_s), at(*to_s))
            }
            _ => way,
        }
    };
    let is_fault =
        |way: &LinkFault| !way.delay.is_zero() || !way.jitter.is_zero() || way.loss > 0.0 || way.frozen.is_some();
    ways.into_iter().map(fault).filter(is_fault).collect()
}

/// Messages of a link that its reader wanted and never saw; what a latest-value input skips is not lost.
fn lost(link: &LinkSummary) -> u64 {
    link.counters.lost + if link.queue > 1 { link.counters.dropped } else { 0 }
}
