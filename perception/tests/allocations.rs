//! What a frame costs in memory: once all is as large as the drive needs it, nothing is allocated from decoded images to
//! tracked objects, but by what computes the network.

#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use allocation_counter::{measure, opt_out};
use tandem_perception::Error;
use tandem_perception::decode::Numbers;
use tandem_perception::engine::{self, Engine, Kept, Shared, lock};
use tandem_perception::follow::Follower;
use tandem_perception::frame::Frame;
use tandem_perception::model::NetworkConfig;
use tandem_perception::perceiver::Perceiver;
use tandem_perception::rig::Pixels;
use tandem_perception::train::sample::Captured;
use tandem_perception::train::worlds::Place;
use tandem_sim::camera::rig;

/// A network whose own allocations are not counted.
struct Uncounted {
    engine: Shared,
    config: NetworkConfig,
}

impl Engine for Uncounted {
    fn config(&self) -> &NetworkConfig {
        &self.config
    }

    fn answer(&mut self, frame: &Frame, previous: Option<&Kept>, numbers: &mut Numbers) -> Result<Kept, Error> {
        let mut answer = Err(Error::NoCameras);
        opt_out(|| answer = lock(&self.engine).answer(frame, previous, numbers));
        answer
    }
}

/// Two and a half seconds of a town, five frames a second.
fn drive() -> Vec<Captured> {
    let place = Place::new(1).unwrap();
    let start = place.log.span().unwrap().0;
    let cameras = rig::nuscenes(448, 160);
    let moments = (0..13).map(|frame| start.offset_ns(frame * 200_000_000));
    moments.map(|stamp| place.capture(&cameras, &place.log.ego_at(stamp).unwrap().map_from_ego, stamp)).collect()
}

#[test]
fn a_drive_that_was_driven_before_allocates_nothing() {
    let drive = drive();
    let images: Vec<Vec<_>> = drive
        .iter()
        .map(|captured| captured.images.iter().map(|image| image.as_ref().map(Pixels::from)).collect())
        .collect();
    let engine = engine::own().unwrap();
    let config = lock(&engine).config().clone();
    let mut perceiver = Perceiver::new(Arc::new(Mutex::new(Uncounted { engine, config })));
    let mut follower = Follower::default();
    // Allocations are counted thread by thread: one thread does it all.
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let (first, again) = alone.install(|| {
        let mut objects = 0;
        // The second time begins when all is forgotten that was seen the first time.
        let mut once = |later_ns: i64| {
            measure(|| {
                for (captured, images) in drive.iter().zip(&images) {
                    let stamp = captured.stamp.offset_ns(later_ns);
                    let percept = perceiver.see(stamp, &captured.map_from_ego, &captured.cameras, images).unwrap();
                    objects += follower.follow(stamp, &captured.map_from_ego, &mut percept.boxes).len();
                }
            })
        };
        let times = (once(0), once(60_000_000_000));
        assert!(objects > 50, "{objects} objects: nothing to speak of was followed");
        times
    });
    assert!(first.count_total > 10, "the counter does not count: {first:?}");
    assert_eq!(again.count_total, 0, "{again:?}");
}
