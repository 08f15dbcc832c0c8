//! What the planner sees by: everything as it is, or what a perception node makes of cameras.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tandem_datasets::Camera;
use tandem_graph::Node;
use tandem_graph::lockstep::NodeLatency;
use tandem_graph::topics::{OBJECTS, camera_name};

use crate::camera::{Look, rig};
use crate::course::Course;
use crate::nodes::{Oracle, PERIOD};
use crate::{Error, Faults};

/// The name that a perception node has on the graph.
pub const PERCEPTION_NODE: &str = "perception";

/// The size of the images unless another is asked for, px.
pub const IMAGE_SIZE: [u32; 2] = [256, 96];

/// How long a perception node computes unless another time is given.
pub const LATENCY: Duration = Duration::from_millis(150);

/// By what the planner sees.
#[derive(Debug, Clone)]
pub enum Sight {
    /// Everything around as it is, at once.
    Truth,
    /// Cameras, and a node that looks through them.
    Cameras(Arc<CameraSight>),
}

/// Cameras and who looks through them.
#[derive(Clone)]
pub struct CameraSight {
    /// What tables call it.
    pub name: String,
    /// The cameras, in the order that the perception node is made for.
    pub rig: Vec<Camera>,
    /// What the place looks like; `None` for the look that belongs to the log.
    pub look: Option<Look>,
    /// How far apart the images are: a multiple of [`PERIOD`].
    pub period: Duration,
    /// How long the perception node computes.
    pub latency: NodeLatency,
    /// Makes the perception node of a run.
    pub perception: Perceiving,
}

/// Makes the perception node of one run: called [`PERCEPTION_NODE`], it writes [`OBJECTS`].
pub type Perceiving = Arc<dyn Fn(&Course, &CameraSight) -> Box<dyn Node> + Send + Sync>;

impl CameraSight {
    /// Six cameras as nuScenes has them, five times a second, and a perception node that takes [`LATENCY`]; `perception`
    /// makes it for each run anew.
    pub fn new(
        name: impl Into<String>,
        perception: impl Fn(&Course, &Self) -> Box<dyn Node> + Send + Sync + 'static,
    ) -> Self {
        let [width, height] = IMAGE_SIZE;
        Self {
            name: name.into(),
            rig: rig::nuscenes(width, height),
            look: None,
            period: 2 * PERIOD,
            latency: NodeLatency::fixed(LATENCY),
            perception: Arc::new(perception),
        }
    }

    /// With a perception that sees all of what the cameras could, at their rate and as late.
    pub fn oracle() -> Self {
        Self::new("oracle", |course, sight| Box::new(Oracle::new(course, sight.period)))
    }

    /// The perception node of a run.
    ///
    /// # Errors
    /// [`Error::Sight`] for a rig or a rate that can't be, or a node that is not what it has to be.
    pub(crate) fn perception(&self, course: &Course) -> Result<Box<dyn Node>, Error> {
        let wrong = |reason: String| Error::Sight { sight: self.name.clone(), reason };
        rig::check(&self.rig).map_err(wrong)?;
        let names: BTreeSet<_> = self.rig.iter().map(|camera| camera_name(&camera.name)).collect();
        if names.len() < self.rig.len() {
            return Err(wrong("two cameras have the same name".to_owned()));
        }
        if self.period.is_zero() || !self.period.as_nanos().is_multiple_of(PERIOD.as_nanos()) {
            return Err(wrong(format!("images {:?} apart: no multiple of {PERIOD:?}", self.period)));
        }
        let node = (self.perception)(course, self);
        let spec = node.spec();
        if spec.name != PERCEPTION_NODE || !spec.outputs.iter().any(|output| output.topic == OBJECTS.name()) {
            let reason =
                format!("node {} is not called {PERCEPTION_NODE} or does not write {}", spec.name, OBJECTS.name());
            return Err(wrong(reason));
        }
        Ok(node)
    }
}

impl fmt::Debug for CameraSight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, rig, look, period, latency, perception: _ } = self;
        let mut fields = f.debug_struct("CameraSight");
        fields.field("name", name).field("rig", rig).field("look", look).field("period", period);
        fields.field("latency", latency).finish_non_exhaustive()
    }
}

impl Sight {
    /// What tables call it: `truth` or the cameras' own name.
    pub fn name(&self) -> &str {
        match self {
            Self::Truth => TRUTH,
            Self::Cameras(cameras) => &cameras.name,
        }
    }

    /// Checks that the cameras that are to fail are there.
    ///
    /// # Errors
    /// [`Error::Fault`] with the camera that is not.
    pub fn check(&self, faults: &Faults) -> Result<(), Error> {
        let names: Vec<String> = match self {
            Self::Truth => Vec::new(),
            Self::Cameras(cameras) => cameras.rig.iter().map(|camera| camera_name(&camera.name)).collect(),
        };
        match faults.cameras.iter().find(|fault| !names.contains(&fault.camera)) {
            Some(fault) => {
                let there = if names.is_empty() { "no cameras".to_owned() } else { names.join(", ") };
                let (camera, sight) = (&fault.camera, self.name());
                Err(Error::Fault { field: "camera", reason: format!("{camera:?}: {sight} has {there}") })
            }
            None => Ok(()),
        }
    }
}

/// What tables call the sight of everything as it is.
pub const TRUTH: &str = "truth";
