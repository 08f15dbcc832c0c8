//! Operations that several parts of the network use, as ONNX nodes.

use burn::nn::Linear;
use burn::nn::conv::Conv2d;
use burn::tensor::backend::Backend;

use super::graph::{Attribute, Graph, Value};
use super::kernel::{Kernel, values};
use crate::model::layer::ResidualBlock;

pub(super) fn conv<B: Backend>(graph: &mut Graph, conv: &Conv2d<B>, x: &Value) -> Value {
    Kernel::of(conv).emit(graph, x)
}

pub(super) fn conv_relu<B: Backend>(graph: &mut Graph, layer: &Conv2d<B>, x: &Value) -> Value {
    let x = conv(graph, layer, x);
    relu(graph, &x)
}

pub(super) fn relu(graph: &mut Graph, x: &Value) -> Value {
    graph.node("Relu", &[x], &[])
}

pub(super) fn add(graph: &mut Graph, a: &Value, b: &Value) -> Value {
    graph.node("Add", &[a, b], &[])
}

/// A linear layer of a matrix, `[rows, in]` → `[rows, out]`.
pub(super) fn linear<B: Backend>(graph: &mut Graph, linear: &Linear<B>, x: &Value) -> Value {
    let weight = graph.floats(&linear.weight.dims(), &values(linear.weight.val()));
    match &linear.bias {
        Some(bias) => {
            let bias = graph.floats(&bias.dims(), &values(bias.val()));
            graph.node("Gemm", &[x, &weight, &bias], &[])
        }
        None => graph.node("MatMul", &[x, &weight], &[]),
    }
}

/// See [`ResidualBlock`].
pub(super) fn residual<B: Backend>(graph: &mut Graph, block: &ResidualBlock<B>, x: &Value) -> Value {
    let past = match &block.shortcut {
        Some(shortcut) => conv(graph, shortcut, x),
        None => x.clone(),
    };
    let first = conv_relu(graph, &block.first, x);
    let second = conv(graph, &block.second, &first);
    let sum = add(graph, &second, &past);
    relu(graph, &sum)
}

/// Twice the height and width, each value four times; in the form that onnxruntime runs without leaving its layout.
pub(super) fn double(graph: &mut Graph, x: &Value) -> Value {
    let scales = graph.floats(&[4], &[1.0, 1.0, 2.0, 2.0]);
    graph.node(
        "Resize",
        &[x, &Value::absent(), &scales],
        &[
            ("mode", Attribute::Text("nearest")),
            ("coordinate_transformation_mode", Attribute::Text("asymmetric")),
            ("nearest_mode", Attribute::Text("floor")),
        ],
    )
}

/// Channels become resolution, see [`crate::model::layer::spread`].
pub(super) fn spread(graph: &mut Graph, x: &Value) -> Value {
    graph.node("DepthToSpace", &[x], &[("blocksize", Attribute::Int(2)), ("mode", Attribute::Text("CRD"))])
}

pub(super) fn reshape(graph: &mut Graph, x: &Value, shape: &[i64]) -> Value {
    let shape = graph.ints(shape);
    graph.node("Reshape", &[x, &shape], &[])
}

pub(super) fn transpose(graph: &mut Graph, x: &Value, axes: &[i64]) -> Value {
    graph.node("Transpose", &[x], &[("perm", Attribute::Ints(axes))])
}

/// Rows of a table.
pub(super) fn gather(graph: &mut Graph, table: &Value, index: &Value) -> Value {
    graph.node("Gather", &[table, index], &[("axis", Attribute::Int(0))])
}

pub(super) fn concat(graph: &mut Graph, parts: &[&Value], axis: i64) -> Value {
    graph.node("Concat", parts, &[("axis", Attribute::Int(axis))])
}

/// `from..to` along an axis.
pub(super) fn slice(graph: &mut Graph, x: &Value, axis: i64, from: usize, to: usize) -> Value {
    let [from, to, axis] = [from as i64, to as i64, axis].map(|number| graph.ints(&[number]));
    graph.node("Slice", &[x, &from, &to, &axis], &[])
}
