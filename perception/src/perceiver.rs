//! The network at work on a drive: keeps calibration, memory and weights, and answers frame by frame.
//!
//! What a frame needs is written where the frame before had it: after the first few, nothing is allocated but what the
//! network's library takes for its tensors.

use std::borrow::Borrow;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nalgebra::Isometry3;
use rayon::prelude::*;
use tandem_datasets::log::planar;
use tandem_datasets::{Camera, Pose2};
use tandem_graph::Stamp;

use crate::Error;
use crate::decode::{Numbers, SeenBox};
use crate::engine::{Kept, Shared, lock};
use crate::frame::Frame;
use crate::lanes::{LaneFinder, SeenLane};
use crate::model::NetworkConfig;
use crate::rig::{GridFrame, LiftTable, Pixels, Preparation, WarpTable};
use crate::roads::RoadMemory;

/// The previous frame should be about so old, s: what the network was trained on.
const MEMORY_S: f64 = 0.5;

/// Frames older or younger than this are no previous frame, s.
const MEMORY_RANGE_S: [f64; 2] = [0.15, 1.05];

/// What the network says of one frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Percept {
    /// Boxes in the vehicle's frame, the most certain first.
    pub boxes: Vec<SeenBox>,
    /// Lanes in the vehicle's frame.
    pub lanes: Vec<SeenLane>,
    /// `[6, cells, cells]`, as the network's, with what earlier frames showed of the map.
    pub map: Vec<f32>,
    /// The network's numbers.
    pub numbers: Numbers,
    /// Cameras that gave no image.
    pub missing: Vec<usize>,
    /// The share of the grid that some camera sees.
    pub coverage: f64,
    /// How long each stage took.
    pub times: StageTimes,
}

/// How long the stages of a frame took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StageTimes {
    /// Images to tensors, and indices where the calibration changed.
    pub prepare: Duration,
    /// The network.
    pub network: Duration,
    /// Numbers to boxes and lanes.
    pub decode: Duration,
}

/// A network with what it remembers.
pub struct Perceiver {
    engine: Shared,
    config: NetworkConfig,
    rig: Option<Rig>,
    frame: Frame,
    memory: VecDeque<Memory>,
    roads: RoadMemory,
    lanes: LaneFinder,
    percept: Percept,
}

/// A rig's calibration, prepared.
struct Rig {
    cameras: Vec<Camera>,
    /// `None` for cameras that cannot be used; they may give no images.
    preparations: Vec<Option<Preparation>>,
    /// For which cameras the indices in the frame are.
    present: Option<Vec<bool>>,
}

/// The grid of an earlier frame.
struct Memory {
    stamp: Stamp,
    map_from_ego: Pose2,
    grid: Kept,
}

impl Perceiver {
    /// With a network, without memory.
    pub fn new(engine: Shared) -> Self {
        let config = lock(&engine).config().clone();
        let images = vec![0.0; config.cameras * 3 * config.image[0] * config.image[1]];
        let lift = Arc::new(LiftTable::new(&config, &[], GridFrame::VEHICLE));
        let frame = Frame { images, lift, warp: WarpTable::none(&config.grid), history: [0.0; 2] };
        let (roads, lanes) = (RoadMemory::new(&config.grid), LaneFinder::new(&config.grid));
        Self { engine, config, rig: None, frame, memory: VecDeque::new(), roads, lanes, percept: Percept::default() }
    }

    /// What the network is like.
    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// Forgets earlier frames.
    pub fn forget(&mut self) {
        self.memory.clear();
        self.roads.forget();
    }

    /// Sees one frame. `images` has an entry a camera, `None` where it is missing.
    ///
    /// # Errors
    /// For a calibration or an image that cannot be used; the memory stays as it was.
    pub fn see(
        &mut self,
        stamp: Stamp,
        map_from_ego: &Isometry3<f64>,
        cameras: &[impl Borrow<Camera> + Sync],
        images: &[Option<Pixels<'_>>],
    ) -> Result<&mut Percept, Error> {
        let start = Instant::now();
        let here = planar(map_from_ego);
        self.prepare(cameras, images)?;
        let previous = self.remember(stamp, here);
        let prepared = Instant::now();
        let previous = previous.map(|memory| &self.memory[memory].grid);
        let Percept { boxes, lanes, map, numbers, .. } = &mut self.percept;
        let grid = lock(&self.engine).answer(&self.frame, previous, numbers)?;
        let answered = Instant::now();
        self.memory.push_back(Memory { stamp, map_from_ego: here, grid });
        numbers.boxes(&self.config, boxes);
        map.clone_from(&numbers.map);
        self.roads.add(stamp, here, map);
        self.lanes.find(map, lanes);
        self.percept.times =
            StageTimes { prepare: prepared - start, network: answered - prepared, decode: answered.elapsed() };
        Ok(&mut self.percept)
    }

    fn prepare(&mut self, cameras: &[impl Borrow<Camera> + Sync], images: &[Option<Pixels<'_>>]) -> Result<(), Error> {
        let cameras = &cameras[..cameras.len().min(self.config.cameras)];
        if cameras.is_empty() {
            return Err(Error::NoCameras);
        }
        let rig = match self.rig.take().filter(|rig| rig.cameras.iter().eq(cameras.iter().map(Borrow::borrow))) {
            Some(rig) => self.rig.insert(rig),
            None => {
                let cameras: Vec<Camera> = cameras.iter().map(|camera| camera.borrow().clone()).collect();
                let preparations =
                    cameras.iter().map(|camera| Preparation::new(self.config.image, camera).ok()).collect();
                self.rig.insert(Rig { cameras, preparations, present: None })
            }
        };
        let size = 3 * self.config.image[0] * self.config.image[1];
        let all = self.frame.images.par_chunks_mut(size).zip(&mut rig.preparations).enumerate();
        all.try_for_each(|(number, (planes, preparation))| {
            match (images.get(number).copied().flatten(), preparation) {
                (Some(image), Some(preparation)) => preparation.fill(image, planes),
                // Once more, for what is wrong with it.
                (Some(image), None) => {
                    Preparation::new(self.config.image, cameras[number].borrow())?.fill(image, planes)
                }
                (None, _) => {
                    planes.fill(0.0);
                    Ok(())
                }
            }
        })?;
        let present = (0..cameras.len()).map(|number| matches!(images.get(number), Some(Some(_))));
        if !rig.present.iter().flatten().copied().eq(present.clone()) {
            let present: Vec<bool> = present.collect();
            let seeing = rig.preparations.iter().zip(&present);
            let seeing: Vec<_> = seeing
                .map(|(preparation, is)| {
                    preparation.as_ref().filter(|_| *is).map(|preparation| preparation.camera.clone())
                })
                .collect();
            self.frame.lift = Arc::new(LiftTable::new(&self.config, &seeing, GridFrame::VEHICLE));
            self.percept.coverage = self.frame.lift.coverage(self.config.grid.heights_m.len());
            self.percept.missing = (0..present.len()).filter(|number| !present[*number]).collect();
            rig.present = Some(present);
        }
        Ok(())
    }

    /// The memory of the frame that is nearest to half a second old; the frame then says where it is read.
    fn remember(&mut self, stamp: Stamp, here: Pose2) -> Option<usize> {
        let [least_s, most_s] = MEMORY_RANGE_S;
        let age_s = |memory: &Memory| stamp.seconds_since(memory.stamp);
        self.memory.retain(|memory| (0.0..=most_s).contains(&age_s(memory)));
        let off = |memory: &Memory| (age_s(memory) - MEMORY_S).abs();
        let usable = self.memory.iter().enumerate().filter(|(_, memory)| age_s(memory) >= least_s);
        let grid = &self.config.grid;
        match usable.min_by(|(_, a), (_, b)| off(a).total_cmp(&off(b))) {
            Some((number, memory)) => {
                self.frame.warp.fill(grid, here, memory.map_from_ego, GridFrame::VEHICLE);
                self.frame.history = [age_s(memory) as f32, 1.0];
                Some(number)
            }
            None => {
                self.frame.warp.clear();
                self.frame.history = [0.0; 2];
                None
            }
        }
    }
}
