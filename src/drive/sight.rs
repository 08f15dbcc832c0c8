//! By what the planner of `tandem drive` sees.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use tandem_graph::lockstep::NodeLatency;
use tandem_perception::engine;
use tandem_perception::model::NetworkConfig;
use tandem_perception::node::PerceptionNode;
use tandem_perception::perceiver::Perceiver;
use tandem_sim::camera::rig;
use tandem_sim::suite::Driver;
use tandem_sim::{CameraSight, Sight};

use crate::size::Size;

/// What perception can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Perception {
    /// Everything around as it is, at once.
    Truth,
    /// What a network makes of cameras.
    Cameras,
    /// Everything around as it is, but as seldom and as late as cameras tell; the images are rendered too.
    Oracle,
}

/// What is driven on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driven {
    /// Logs, with or without images.
    Logs,
    /// Generated worlds, whose images are rendered.
    Worlds,
    /// A generated world, by one planner, which is recorded.
    Recorded,
}

/// How perception looks at the world.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Perception")]
pub struct Looking {
    /// By what the planners see; without, logs are driven by truth, and generated worlds by the first planner's cameras
    /// and, beside it, by all planners' truth.
    #[arg(long, value_delimiter = ',')]
    perception: Vec<Perception>,
    /// The network that looks through the cameras: weights, or a model.onnx for onnxruntime; without, tandem's own.
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// How long perception computes on the images of one moment.
    #[arg(long, value_name = "MS", default_value_t = 100)]
    perception_ms: u64,
    /// How far apart the images are: a multiple of 100.
    #[arg(long, value_name = "MS", default_value_t = 200)]
    image_ms: u64,
    /// Size of the images of nuScenes' six cameras; without, that of the network's.
    #[arg(long, value_name = "WxH", conflicts_with = "rig")]
    image_size: Option<Size>,
    /// Cameras of one's own.
    #[arg(long, value_name = "FILE")]
    rig: Option<PathBuf>,
}

impl Looking {
    /// The planners with that by which they see.
    pub fn drivers(&self, planners: &[String], on: Driven) -> anyhow::Result<Vec<Driver>> {
        use Perception::{Cameras, Truth};
        let by = |planners: &[String], kind: Perception| -> anyhow::Result<Vec<_>> {
            let sight = self.sight(kind)?;
            Ok(planners.iter().map(|planner| Driver::alone(planner, sight.clone())).collect())
        };
        let mut kinds: Vec<Perception> = Vec::new();
        for kind in &self.perception {
            if !kinds.contains(kind) {
                kinds.push(*kind);
            }
        }
        match (kinds.as_slice(), on) {
            ([], Driven::Logs) => by(planners, Truth),
            ([], Driven::Worlds) => Ok([by(&planners[..1], Cameras)?, by(planners, Truth)?].concat()),
            ([], Driven::Recorded) => by(planners, Cameras),
            (kinds, _) => Ok(kinds.iter().map(|kind| by(planners, *kind)).collect::<Result<Vec<_>, _>>()?.concat()),
        }
    }

    /// One network for all runs, which take turns; each has a memory of its own. With the height and width of its images.
    fn network(&self) -> anyhow::Result<(CameraSight, [usize; 2])> {
        let engine = match &self.weights {
            Some(path) => engine::open(path)?,
            None => engine::own()?,
        };
        let image = engine::lock(&engine).config().image;
        let sight = CameraSight::new("cameras", move |_, sight| {
            let cameras: Vec<String> = sight.rig.iter().map(|camera| camera.name.clone()).collect();
            Box::new(PerceptionNode::new(Perceiver::new(Arc::clone(&engine)), &cameras))
        });
        Ok((sight, image))
    }

    fn sight(&self, kind: Perception) -> anyhow::Result<Sight> {
        let (sight, [height, width]) = match kind {
            Perception::Truth => return Ok(Sight::Truth),
            Perception::Oracle => (CameraSight::oracle(), NetworkConfig::tiny().image),
            Perception::Cameras => self.network()?,
        };
        let Size(width, height) = self.image_size.unwrap_or(Size(width as u32, height as u32));
        let rig = match &self.rig {
            Some(path) => rig::read(path)?,
            None => rig::nuscenes(width, height),
        };
        let latency = NodeLatency::fixed(Duration::from_millis(self.perception_ms));
        let period = Duration::from_millis(self.image_ms);
        Ok(Sight::Cameras(Arc::new(CameraSight { rig, latency, period, ..sight })))
    }
}
