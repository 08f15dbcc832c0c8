//! The image half of the network as ONNX nodes: backbone and feature pyramid.

use burn::tensor::backend::Backend;

use super::graph::{Attribute, Graph, Value};
use super::layer::{add, conv, conv_relu, double, residual};
use crate::model::backbone::{EfficientNet, ResNet, Trunk, is_tap};
use crate::model::neck::Neck;

/// Images `[n, 3, height, width]` → features, finest first.
pub(super) fn trunk<B: Backend>(graph: &mut Graph, trunk: &Trunk<B>, images: &Value) -> Vec<Value> {
    match trunk {
        Trunk::EfficientNet(trunk) => efficientnet(graph, trunk, images),
        Trunk::ResNet(trunk) => resnet(graph, trunk, images),
    }
}

fn efficientnet<B: Backend>(graph: &mut Graph, trunk: &EfficientNet<B>, images: &Value) -> Vec<Value> {
    graph.part("trunk.stem");
    let stem = conv(graph, &trunk.stem, images);
    let mut x = relu6(graph, &stem);
    let mut taps = Vec::new();
    for (number, block) in trunk.blocks.iter().enumerate() {
        graph.part(&format!("trunk.blocks.{number}"));
        let wide = match &block.expand {
            Some(expand) => {
                let wide = conv(graph, expand, &x);
                relu6(graph, &wide)
            }
            None => x.clone(),
        };
        let filtered = conv(graph, &block.depthwise, &wide);
        let filtered = relu6(graph, &filtered);
        let narrow = conv(graph, &block.project, &filtered);
        x = if block.is_residual { add(graph, &narrow, &x) } else { narrow };
        if is_tap(number) {
            taps.push(x.clone());
        }
    }
    taps
}

fn relu6(graph: &mut Graph, x: &Value) -> Value {
    let [low, high] = [0.0, 6.0].map(|limit| graph.floats(&[], &[limit]));
    graph.node("Clip", &[x, &low, &high], &[])
}

fn resnet<B: Backend>(graph: &mut Graph, trunk: &ResNet<B>, images: &Value) -> Vec<Value> {
    graph.part("trunk.stem");
    let stem = conv_relu(graph, &trunk.stem, images);
    let mut x = graph.node(
        "MaxPool",
        &[&stem],
        &[
            ("kernel_shape", Attribute::Ints(&[3, 3])),
            ("strides", Attribute::Ints(&[2, 2])),
            ("pads", Attribute::Ints(&[1, 1, 1, 1])),
        ],
    );
    let mut taps = Vec::new();
    for (number, stage) in trunk.stages.iter().enumerate() {
        for (place, block) in stage.iter().enumerate() {
            graph.part(&format!("trunk.stages.{number}.{place}"));
            x = residual(graph, block, &x);
        }
        if number > 0 {
            taps.push(x.clone());
        }
    }
    taps
}

/// Features, finest first, and rays → `[n, neck, height / 8, width / 8]`.
pub(super) fn neck<B: Backend>(graph: &mut Graph, neck: &Neck<B>, features: &[Value], rays: &Value) -> Value {
    graph.part("neck");
    let mut levels = features.iter().zip(&neck.lateral).rev();
    let coarsest = levels.next().map(|(feature, lateral)| conv(graph, lateral, feature));
    let merged = levels.fold(coarsest, |coarse, (feature, lateral)| {
        let fine = conv(graph, lateral, feature);
        let coarse = double(graph, &coarse?);
        Some(add(graph, &fine, &coarse))
    });
    // A backbone has at least one stride.
    let merged = merged.unwrap_or_else(|| unreachable!("a backbone without features"));
    let rays = conv(graph, &neck.rays, rays);
    let merged = add(graph, &merged, &rays);
    conv_relu(graph, &neck.smooth, &merged)
}
