//! An exported network says in onnxruntime what it says in burn.
//!
//! Runs where `TANDEM_PYTHON` names a Python with `tests/peers/requirements.txt`.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use burn::backend::Flex;
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::tensor::{Dtype, TensorView};
use tandem_perception::frame::Frame;
use tandem_perception::model::{Backbone, Network, NetworkConfig};
use tandem_perception::onnx::{self, Batch};
use tandem_perception::rig::{LiftTable, WarpTable};

/// Fresh weights are zero in places; these are not.
struct Stir;

impl<B: Backend> ModuleMapper<B> for Stir {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        param.map(|value| value.clone() + value.random_like(Distribution::Normal(0.0, 0.01)))
    }
}

/// A frame of noise that reads anywhere.
fn frame(config: &NetworkConfig, rng: &mut ChaCha8Rng) -> Frame {
    let [height, width] = config.image;
    let pixels = (config.cameras * (height / 8) * (width / 8)) as i32;
    let cells = config.grid.cells * config.grid.cells;
    let voxels = cells * config.grid.heights_m.len();
    let mut below = |count: usize, end: i32| (0..count).map(|_| rng.random_range(0..end)).collect::<Vec<i32>>();
    let context = below(voxels, pixels * 4);
    let depth = below(voxels, pixels * config.depth.count as i32);
    let seen = below(voxels, 2).into_iter().map(|seen| seen as f32).collect();
    let index = below(cells, cells as i32 / 4);
    let mut noise = |count: usize, scale: f32| (0..count).map(|_| rng.random_range(-scale..scale)).collect();
    Frame {
        images: noise(config.cameras * 3 * height * width, 1.0),
        lift: LiftTable { context, depth, seen },
        warp: WarpTable { index, weight: noise(cells, 0.5) },
        history: [0.1, 1.0],
    }
}

fn save(tensors: Vec<(&str, TensorData)>, path: &Path) {
    let bytes: BTreeMap<_, _> = tensors
        .into_iter()
        .map(|(name, data)| {
            let shape = data.shape.to_vec();
            let is_whole = data.dtype.name().starts_with('i');
            let (dtype, bytes): (_, Vec<u8>) = match (is_whole, name.starts_with("out.")) {
                (false, _) => (Dtype::F32, data.iter::<f32>().flat_map(f32::to_le_bytes).collect()),
                (true, false) => (Dtype::I32, data.iter::<i32>().flat_map(i32::to_le_bytes).collect()),
                (true, true) => (Dtype::I64, data.iter::<i64>().flat_map(i64::to_le_bytes).collect()),
            };
            (name.to_owned(), (dtype, shape, bytes))
        })
        .collect();
    let views = bytes
        .iter()
        .map(|(name, (dtype, shape, bytes))| (name, TensorView::new(*dtype, shape.clone(), bytes).unwrap()));
    safetensors::serialize_to_file(views, None, path).unwrap();
}

/// Exports a network of random weights, and compares a batch of random frames.
fn is_equal_in_onnxruntime(config: &NetworkConfig, batch: Batch, count: usize) {
    let Some(python) = std::env::var_os("TANDEM_PYTHON") else {
        println!("skipped: TANDEM_PYTHON names no Python with tests/peers/requirements.txt");
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    // Where a developer wants to keep the model and its tensors, for a profile.
    let kept = std::env::var_os("TANDEM_ONNX_KEEP").map(std::path::PathBuf::from);
    let dir = kept.as_deref().unwrap_or(dir.path());
    let (model, tensors) = (dir.join("model.onnx"), dir.join("tensors.safetensors"));
    let device = Device::<Flex>::default();
    let network = Network::<Flex>::new(config, &device).map(&mut Stir);
    onnx::write(&network, config, batch, &model).unwrap();

    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let frames: Vec<_> = (0..count).map(|_| frame(config, &mut rng)).collect();
    let half = config.grid.cells / 2;
    let previous = Tensor::random([count, config.encoder[0], half, half], Distribution::Default, &device);
    let input = Frame::input::<Flex>(&frames.iter().collect::<Vec<_>>(), previous, config, &device);
    let output = network.forward(input.clone());
    save(
        vec![
            ("images", input.images.into_data()),
            ("lift_context", input.lift.context.into_data()),
            ("lift_depth", input.lift.depth.into_data()),
            ("lift_seen", input.lift.seen.into_data()),
            ("previous", input.previous.into_data()),
            ("warp_index", input.warp.index.into_data()),
            ("warp_weight", input.warp.weight.into_data()),
            ("history", input.history.into_data()),
            ("out.scores", output.scores.into_data()),
            ("out.cells", output.cells.into_data()),
            ("out.boxes", output.boxes.into_data()),
            ("out.forecasts", output.forecasts.into_data()),
            ("out.map", output.map.into_data()),
            ("out.embedding", output.embedding.into_data()),
            ("out.current", output.current.into_data()),
        ],
        &tensors,
    );
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/onnx_peer.py");
    let ran = Command::new(&python).arg(script).arg(&model).arg(&tensors).output();
    let ran = ran.unwrap_or_else(|error| panic!("TANDEM_PYTHON={}: {error}", python.display()));
    let text = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && text.ends_with("equal\n"), "{text}{}", String::from_utf8_lossy(&ran.stderr));
    println!("{text}");
}

/// Small, and unlike in every number that could be mixed up.
fn small(backbone: Backbone) -> NetworkConfig {
    let mut config = NetworkConfig::tiny();
    config.cameras = 3;
    config.image = [64, 96];
    config.backbone = backbone;
    (config.neck, config.context, config.lifted, config.head) = (20, 12, 28, 36);
    (config.encoder, config.blocks) = ([24, 44], [2, 1]);
    (config.grid.cells, config.depth.count, config.forecast_objects) = (32, 9, 24);
    config
}

#[test]
fn the_network_for_processors_is_equal() {
    is_equal_in_onnxruntime(&NetworkConfig::tiny(), Batch::Fixed(1), 1);
}

#[test]
fn a_fixed_batch_of_two_is_equal() {
    is_equal_in_onnxruntime(&small(Backbone::EfficientNetLite0), Batch::Fixed(2), 2);
}

#[test]
fn any_batch_is_equal() {
    is_equal_in_onnxruntime(&small(Backbone::EfficientNetLite0), Batch::Dynamic, 1);
    is_equal_in_onnxruntime(&small(Backbone::EfficientNetLite0), Batch::Dynamic, 2);
}

#[test]
fn a_resnet_is_equal() {
    is_equal_in_onnxruntime(&small(Backbone::ResNet18), Batch::Fixed(1), 1);
}
