//! An exported network says in onnxruntime what it says in burn.
//!
//! Runs where `TANDEM_PYTHON` names a Python with `tests/peers/requirements.txt`; where `TANDEM_TORCH` names one with
//! PyTorch, `benches/peer.py` has to say the same as well.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod noise;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use burn::backend::Flex;
use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use noise::{Stir, frame, small};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use safetensors::tensor::{Dtype, TensorView};
use tandem_perception::frame::Frame;
use tandem_perception::model::{Backbone, Network, NetworkConfig};
use tandem_perception::onnx::{self, Batch};
use tandem_perception::path;
use tandem_perception::rig::GridFrame;

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
    let previous = Tensor::random(config.kept(count), Distribution::Default, &device);
    let input = Frame::input::<Flex>(&frames.iter().collect::<Vec<_>>(), None, previous, config, &device);
    let output = network.forward(input.clone());
    save(
        vec![
            ("images", input.images.into_data()),
            ("lift_context", input.lift.context.into_data()),
            ("lift_depth", input.lift.depth.into_data()),
            ("lift_seen", input.lift.seen.into_data()),
            ("rays", input.lift.rays.into_data()),
            ("previous", input.previous.into_data()),
            ("warp_index", input.warp.index.into_data()),
            ("warp_weight", input.warp.weight.into_data()),
            ("history", input.history.into_data()),
            (
                "path_cells",
                TensorData::from(
                    path::cells(config.grid.extent_m, config.grid.cells / 2, GridFrame::VEHICLE).as_slice(),
                ),
            ),
            ("out.scores", output.scores.into_data()),
            ("out.cells", output.cells.into_data()),
            ("out.boxes", output.boxes.into_data()),
            ("out.forecasts", output.forecasts.into_data()),
            ("out.map", output.map.into_data()),
            ("out.embedding", output.embedding.into_data()),
            ("out.paths", output.path.paths.into_data()),
            ("out.speeds", output.path.speeds.into_data()),
            ("out.current", output.current.into_data()),
        ],
        &tensors,
    );
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/onnx_peer.py");
    is_equal(Command::new(python).arg(script).arg(&model).arg(&tensors));
    let Some(python) = std::env::var_os("TANDEM_TORCH") else {
        println!("not compared with PyTorch: TANDEM_TORCH names no Python that has it");
        return;
    };
    let weights = dir.join("weights.safetensors");
    tandem_perception::weights::save(&network, config, &weights).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peer.py");
    is_equal(Command::new(python).arg(script).arg("--weights").arg(&weights).arg("--check").arg(&tensors));
}

/// Runs a peer that ends by saying that all is equal.
fn is_equal(peer: &mut Command) {
    let ran = peer.output().unwrap_or_else(|error| panic!("{peer:?}: {error}"));
    let text = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success() && text.ends_with("equal\n"), "{text}{}", String::from_utf8_lossy(&ran.stderr));
    println!("{text}");
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
