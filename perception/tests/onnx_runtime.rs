//! Exported networks and foreign detectors on onnxruntime.
//!
//! Runs with the feature `ort` where `ORT_DYLIB_PATH` names onnxruntime's library.

#![cfg(feature = "ort")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../tests/support/data.rs"]
mod data;
mod noise;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use burn::backend::Flex;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use nalgebra::{Isometry3, Matrix3};
use noise::{Stir, frame, small};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tandem_datasets::{Camera, DetectionClass};
use tandem_perception::Error;
use tandem_perception::decode::Numbers;
use tandem_perception::engine::{Burn, Engine, Kept};
use tandem_perception::model::{Backbone, Network};
use tandem_perception::onnx::graph::{Attribute, Dim, Element, Graph};
use tandem_perception::onnx::{self, Batch, Detector, Options, Provider, Session};
use tandem_perception::perceiver::Perceiver;
use tandem_perception::rig::Pixels;
use tandem_perception::train::drives::Drives;
use tandem_perception::weights;

fn has_library() -> bool {
    let has = std::env::var_os("ORT_DYLIB_PATH").is_some();
    if !has {
        println!("skipped: ORT_DYLIB_PATH names no onnxruntime");
    }
    has
}

const OPTIONS: Options = Options { provider: Provider::Cpu, threads: 1 };

#[test]
fn a_session_says_what_burn_says() {
    if !has_library() {
        return;
    }
    let (config, device) = (small(Backbone::EfficientNetLite0), Device::<Flex>::default());
    let network = Network::<Flex>::new(&config, &device).map(&mut Stir);
    let mut burn = Burn::new(network.clone(), config.clone(), device);
    let dir = tempfile::tempdir().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let [first, second] = std::array::from_fn(|_| frame(&config, &mut rng));
    for (name, batch) in [("fixed.onnx", Batch::Fixed(1)), ("any.onnx", Batch::Dynamic)] {
        let path = dir.path().join(name);
        onnx::write(&network, &config, batch, &path).unwrap();
        let mut session = Session::load(&path, OPTIONS).unwrap();
        assert_eq!(session.config(), &config);
        let mut kept: Option<[Kept; 2]> = None;
        for frame in [&first, &second] {
            let (mut found, mut wanted) = (Numbers::default(), Numbers::default());
            let now = [
                session.answer(frame, kept.as_ref().map(|[session, _]| session), &mut found).unwrap(),
                burn.answer(frame, kept.as_ref().map(|[_, burn]| burn), &mut wanted).unwrap(),
            ];
            let current = (
                now[0].downcast_ref::<Vec<f32>>().unwrap().clone(),
                now[1].downcast_ref::<Tensor<Flex, 4>>().unwrap().to_data().to_vec().unwrap(),
            );
            kept = Some(now);
            assert_eq!(found.cells, wanted.cells);
            for (found, wanted) in [
                (found.boxes, wanted.boxes),
                (found.forecasts, wanted.forecasts),
                (found.map, wanted.map),
                (found.embedding, wanted.embedding),
                current,
            ] {
                assert_eq!(found.len(), wanted.len());
                assert!(found.iter().zip(&wanted).all(|(found, wanted)| (found - wanted).abs() < 1e-4));
            }
        }
        // A frame of another shape is an error, and the session lives on.
        let short: Kept = Arc::new(vec![0.0_f32; 3]);
        let mut numbers = Numbers::default();
        assert!(matches!(session.answer(&first, Some(&short), &mut numbers), Err(Error::Model { .. })));
        let mut cut = first.clone();
        cut.images.pop();
        assert!(matches!(session.answer(&cut, None, &mut numbers), Err(Error::Model { .. })));
        let mut outside = first.clone();
        Arc::make_mut(&mut outside.lift).context[0] = i32::MAX;
        assert!(matches!(session.answer(&outside, None, &mut numbers), Err(Error::Model { .. })));
        assert!(session.answer(&first, kept.as_ref().map(|[session, _]| session), &mut numbers).is_ok());
    }
}

#[test]
fn burn_and_onnxruntime_agree_on_the_real_keyframe() {
    let Some(data) = data::data().filter(|_| has_library()) else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("own.onnx");
    let (network, config) = weights::own::<Flex>(&Device::<Flex>::default()).unwrap();
    onnx::write(&network, &config, Batch::Fixed(1), &path).unwrap();
    let drives = Drives::open(&data.join("nuscenes"), &config).unwrap();
    let captured = drives.capture(&drives.moments()[0]).unwrap();
    let images: Vec<_> = captured.images.iter().map(|image| image.as_ref().map(Pixels::from)).collect();
    let see = |engine| {
        let mut perceiver = Perceiver::new(engine);
        // The second time with a memory.
        [0, 500_000_000].map(|ns| {
            let stamp = captured.stamp.offset_ns(ns);
            perceiver.see(stamp, &captured.map_from_ego, &captured.cameras, &images).unwrap().numbers.clone()
        })
    };
    let burn = see(Burn::new(network, config, Device::<Flex>::default()).shared());
    let runtime = see(Session::load(&path, OPTIONS).unwrap().shared());
    let mut most = 0.0_f32;
    for (burn, runtime) in burn.iter().zip(&runtime) {
        let mut close = |a: &[f32], b: &[f32]| {
            assert_eq!(a.len(), b.len());
            let off = a.iter().zip(b).map(|(a, b)| (a - b).abs() / a.abs().max(1.0)).fold(0.0, f32::max);
            most = most.max(off);
        };
        close(&burn.map, &runtime.map);
        close(&burn.embedding, &runtime.embedding);
        // Objects by their cells: equal scores may stand in either order.
        let (count, each, future) =
            (burn.cells.len(), burn.boxes.len() / burn.cells.len(), burn.forecasts.len() / burn.cells.len());
        let mut same = 0;
        for (number, cell) in burn.cells.iter().enumerate() {
            let Some(other) = runtime.cells.iter().position(|known| known == cell) else { continue };
            same += 1;
            close(&burn.boxes[number * each..][..each], &runtime.boxes[other * each..][..each]);
            close(&burn.forecasts[number * future..][..future], &runtime.forecasts[other * future..][..future]);
        }
        assert!(same + 2 >= count, "{same} of {count} cells are the same");
    }
    println!("burn and onnxruntime differ by {most:.1e} at most on the real keyframe");
    assert!(most < 1e-3, "{most}");
}

#[test]
fn what_is_no_network_is_an_error() {
    if !has_library() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.onnx");
    assert!(matches!(Session::load(&path, OPTIONS), Err(Error::Io { .. })));
    std::fs::write(&path, b"not a model").unwrap();
    assert_eq!(Session::load(&path, OPTIONS).unwrap_err().to_string().lines().count(), 1);
    detector_model(&path);
    let error = Session::load(&path, OPTIONS).unwrap_err().to_string();
    assert!(error.contains("which network"), "{error}");
    // The library of these tests has no GPU in it.
    let options = Options { provider: Provider::Cuda, ..OPTIONS };
    assert!(matches!(Session::load(&path, options), Err(Error::Model { .. })));
}

#[test]
fn a_missing_library_is_one_line() {
    const WITHIN: &str = "TANDEM_TEST_WITHIN";
    if std::env::var_os(WITHIN).is_some() {
        let path = std::env::current_exe().unwrap();
        println!("error: {}", Session::load(&path, OPTIONS).unwrap_err());
        return;
    }
    // A process of its own, as the library is loaded once.
    let ran = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_missing_library_is_one_line", "--nocapture"])
        .env(WITHIN, "1")
        .env("ORT_DYLIB_PATH", "/nowhere/libonnxruntime.so")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{text}");
    let line = text.lines().find(|line| line.contains("error: ")).unwrap();
    assert!(line.contains("/nowhere/libonnxruntime.so") && line.contains("ORT_DYLIB_PATH"), "{line}");
}

/// A detector that sees two boxes: the centre of the first is the mean of each colour of the image, the size of the
/// second the focal lengths and the skew of the camera.
fn detector_model(path: &Path) {
    let mut graph = Graph::new("detector");
    let images = [1, 1, 4, 8, 3].map(Dim::Fixed);
    let images = graph.input("imgs", Element::Float, &images);
    let matrices = graph.input("k", Element::Float, &[1, 1, 3, 3].map(Dim::Fixed));
    let axes = ("axes", Attribute::Ints(&[0, 1, 2, 3]));
    let mean = graph.node("ReduceMean", &[&images], &[axes, ("keepdims", Attribute::Int(0))]);
    let shape = graph.ints(&[1, 3]);
    let mean = graph.node("Reshape", &[&mean, &shape], &[]);
    let nine = graph.ints(&[1, 9]);
    let k = graph.node("Reshape", &[&matrices, &nine], &[]);
    let picked = graph.ints(&[0, 4, 1]);
    let k = graph.node("Gather", &[&k, &picked], &[("axis", Attribute::Int(1))]);
    let rest = graph.floats(&[1, 4], &[4.0, 2.0, 1.5, 0.0]);
    let first = graph.node("Concat", &[&mean, &rest], &[("axis", Attribute::Int(1))]);
    let origin = graph.floats(&[1, 3], &[0.0; 3]);
    let yaw = graph.floats(&[1, 1], &[1.0]);
    let second = graph.node("Concat", &[&origin, &k, &yaw], &[("axis", Attribute::Int(1))]);
    let boxes = graph.node("Concat", &[&first, &second], &[("axis", Attribute::Int(0))]);
    let scores = graph.floats(&[2], &[0.7, 0.9]);
    let scores = graph.node("Identity", &[&scores], &[]);
    let labels = graph.ints(&[1, 0]);
    let labels = graph.node("Identity", &[&labels], &[]);
    graph.output(&boxes, "boxes", Element::Float, &[2, 7].map(Dim::Fixed));
    graph.output(&scores, "scores", Element::Float, &[Dim::Fixed(2)]);
    graph.output(&labels, "labels", Element::Int64, &[Dim::Fixed(2)]);
    std::fs::write(path, graph.finish(&[])).unwrap();
}

#[test]
fn a_foreign_detector_is_run_as_described() {
    if !has_library() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (model, description) = (dir.path().join("model.onnx"), dir.path().join("detector.json"));
    detector_model(&model);
    let text = r#"{
        "images": {"input": "imgs", "layout": "bnhwc", "cameras": 1, "size": [4, 8], "order": "bgr",
                   "mean": [10, 20, 30], "std": [2, 4, 5]},
        "matrices": [{"input": "k", "kind": "intrinsics"}],
        "outputs": {"boxes": "boxes", "scores": "scores", "labels": "labels",
                    "columns": ["x", "y", "z", "length", "width", "height", "yaw"]},
        "classes": ["truck", "bicycle"],
        "min_score": 0.2
    }"#;
    std::fs::write(&description, text).unwrap();
    let mut detector = Detector::load(&model, &description, OPTIONS).unwrap();
    let intrinsics = Matrix3::new(12.0, 2.0, 8.0, 0.0, 10.0, 4.0, 0.0, 0.0, 1.0);
    let camera =
        Camera { name: "front".into(), ego_from_camera: Isometry3::identity(), intrinsics, image_size: [16, 8] };
    let rgb = [200, 100, 50].repeat(16 * 8);
    let image = Pixels { width: 16, height: 8, rgb: &rgb };
    let seen = detector.detect(std::slice::from_ref(&camera), &[Some(image)]).unwrap();
    assert_eq!(
        seen.iter().map(|seen| seen.class).collect::<Vec<_>>(),
        [DetectionClass::Truck, DetectionClass::Bicycle]
    );
    // Half the size: half the focal lengths.
    assert_eq!(seen[0].size, [6.0, 5.0, 1.0]);
    for (found, wanted) in
        seen[1].center.into_iter().zip([(50.0 - 10.0) / 2.0, (100.0 - 20.0) / 4.0, (200.0 - 30.0) / 5.0])
    {
        assert!((found - wanted).abs() < 1e-3, "{found} is not {wanted}");
    }
    // A missing image is the mean; a missing camera is an error.
    let seen = detector.detect(&[camera], &[None]).unwrap();
    assert_eq!(seen[1].center, [0.0; 3]);
    assert!(matches!(detector.detect(&[], &[]), Err(Error::Model { .. })));
    std::fs::write(&description, text.replace("\"k\"", "\"q\"")).unwrap();
    let error = Detector::load(&model, &description, OPTIONS).unwrap_err().to_string();
    assert!(error.contains("no input q"), "{error}");
}
