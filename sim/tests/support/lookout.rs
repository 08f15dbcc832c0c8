//! A perception that looks at every image, keeps what it found of them, and answers with what is true.

#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tandem_datasets::{Camera, messages};
use tandem_graph::topics::{OBJECTS, SIM_OBJECTS, TF_STATIC, camera_image, camera_info};
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp};

/// One image as it came.
#[derive(Debug, Clone)]
pub struct Found {
    pub camera: usize,
    pub capture: Stamp,
    pub receive: Stamp,
    /// Width and height; `None` for a file that does not decode.
    pub size: Option<(u32, u32)>,
    /// The file.
    pub data: Vec<u8>,
    /// The camera as its messages tell of it.
    pub calibration: Option<Camera>,
}

/// What a run's lookout found, to be read after the run.
pub type Finds = Arc<Mutex<Vec<Found>>>;

pub struct Lookout {
    cameras: Vec<String>,
    finds: Finds,
}

impl Lookout {
    pub fn new(cameras: &[Camera], finds: &Finds) -> Self {
        let names = cameras.iter().map(|camera| camera.name.clone()).collect();
        Self { cameras: names, finds: Arc::clone(finds) }
    }
}

impl Node for Lookout {
    fn spec(&self) -> NodeSpec {
        let spec = NodeSpec::every("perception", Duration::from_millis(200)).reads(&TF_STATIC).reads(&SIM_OBJECTS);
        let names = self.cameras.iter();
        names
            .fold(spec, |spec, name| spec.reads(&camera_info(name)).reads_queue(&camera_image(name), 8))
            .writes(&OBJECTS)
    }

    fn step(&mut self, _: Stamp, inputs: &Inputs, outputs: &mut Outputs) {
        let mounts = inputs.latest(&TF_STATIC);
        for (camera, name) in self.cameras.iter().enumerate() {
            for sample in inputs.fresh(&camera_image(name)) {
                assert_eq!(sample.message.format, "jpeg");
                assert_eq!(Stamp::from(sample.message.header.stamp), sample.capture);
                let info = inputs.latest(&camera_info(name)).unwrap();
                let image = image::load_from_memory_with_format(&sample.message.data, image::ImageFormat::Jpeg);
                self.finds.lock().unwrap().push(Found {
                    camera,
                    capture: sample.capture,
                    receive: sample.receive,
                    size: image.ok().map(|image| (image.width(), image.height())),
                    data: sample.message.data.clone(),
                    calibration: messages::camera_of(name, &info.message, &mounts.as_ref().unwrap().message),
                });
            }
        }
        if let Some(truth) = inputs.latest(&SIM_OBJECTS) {
            outputs.publish(&OBJECTS, truth.capture, (*truth.message).clone());
        }
    }
}
