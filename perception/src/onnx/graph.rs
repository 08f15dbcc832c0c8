//! A builder of ONNX graphs: inputs, constants and nodes in the order in which they run.

use prost::Message;

use super::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};

/// The newest operator set whose `Resize` onnxruntime runs in its blocked layout.
const OPSET: i64 = 17;

/// The version of the file format that came with it.
const IR_VERSION: i64 = 8;

/// A tensor of the graph, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value(String);

impl Value {
    /// For an optional input that is not given.
    pub fn absent() -> Self {
        Self(String::new())
    }
}

/// What a tensor holds; the number is ONNX's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// 32-bit floats.
    Float = 1,
    /// 32-bit whole numbers.
    Int32 = 6,
    /// 64-bit whole numbers.
    Int64 = 7,
}

/// The length of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dim {
    /// Known.
    Fixed(usize),
    /// Known only when the model runs; equal names mean equal lengths.
    Named(&'static str),
}

/// What fixes the behaviour of a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Attribute<'a> {
    /// A whole number.
    Int(i64),
    /// Whole numbers.
    Ints(&'a [i64]),
    /// A number.
    Float(f32),
    /// A word.
    Text(&'a str),
}

/// A graph under construction.
#[derive(Debug)]
pub struct Graph {
    proto: GraphProto,
    part: String,
}

impl Graph {
    /// Without anything in it.
    pub fn new(name: &str) -> Self {
        Self { proto: GraphProto { name: name.into(), ..Default::default() }, part: name.into() }
    }

    /// Nodes and constants from here on are named after this part of the network, which profiles show.
    pub fn part(&mut self, name: &str) {
        name.clone_into(&mut self.part);
    }

    /// An input.
    pub fn input(&mut self, name: &str, element: Element, shape: &[Dim]) -> Value {
        self.proto.input.push(info(name, element, shape));
        Value(name.into())
    }

    /// Makes a node's result an output of the graph, under this name; after all nodes that use it.
    pub fn output(&mut self, value: &Value, name: &str, element: Element, shape: &[Dim]) {
        for node in &mut self.proto.node {
            for used in node.input.iter_mut().chain(&mut node.output).filter(|used| **used == value.0) {
                name.clone_into(used);
            }
        }
        self.proto.output.push(info(name, element, shape));
    }

    /// A constant of floats.
    pub fn floats(&mut self, shape: &[usize], values: &[f32]) -> Value {
        debug_assert_eq!(shape.iter().product::<usize>(), values.len());
        self.constant(Element::Float, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// A vector of 64-bit whole numbers, as shapes and axes are given.
    pub fn ints(&mut self, values: &[i64]) -> Value {
        self.constant(Element::Int64, &[values.len()], values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// A constant is shared by all that ask for the same one.
    fn constant(&mut self, element: Element, shape: &[usize], raw_data: Vec<u8>) -> Value {
        let dims: Vec<_> = shape.iter().map(|side| *side as i64).collect();
        let data_type = element as i32;
        let same = self
            .proto
            .initializer
            .iter()
            .find(|known| known.data_type == data_type && known.dims == dims && known.raw_data == raw_data);
        if let Some(known) = same {
            return Value(known.name.clone());
        }
        let name = format!("{}/constant_{}", self.part, self.proto.initializer.len());
        self.proto.initializer.push(TensorProto { dims, data_type, name: name.clone(), raw_data });
        Value(name)
    }

    /// A node with one result.
    pub fn node(&mut self, operator: &str, inputs: &[&Value], attributes: &[(&str, Attribute<'_>)]) -> Value {
        let [result] = self.nodes(operator, inputs, attributes);
        result
    }

    /// A node with several results.
    pub fn nodes<const N: usize>(
        &mut self,
        operator: &str,
        inputs: &[&Value],
        attributes: &[(&str, Attribute<'_>)],
    ) -> [Value; N] {
        let name = format!("{}/{operator}_{}", self.part, self.proto.node.len());
        let results = std::array::from_fn(|number| Value(format!("{name}:{number}")));
        self.proto.node.push(NodeProto {
            input: inputs.iter().map(|value| value.0.clone()).collect(),
            output: results.iter().map(|value| value.0.clone()).collect(),
            name,
            op_type: operator.into(),
            attribute: attributes.iter().map(|(name, attribute)| attribute.proto(name)).collect(),
        });
        results
    }

    /// The file, with words about the model in it.
    pub fn finish(self, metadata: &[(&str, &str)]) -> Vec<u8> {
        let entry = |(key, value): &(&str, &str)| StringStringEntryProto { key: (*key).into(), value: (*value).into() };
        let model = ModelProto {
            ir_version: IR_VERSION,
            producer_name: "tandem".into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            graph: Some(self.proto),
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
            metadata_props: metadata.iter().map(entry).collect(),
        };
        model.encode_to_vec()
    }
}

impl Attribute<'_> {
    fn proto(self, name: &str) -> AttributeProto {
        let empty = AttributeProto { name: name.into(), ..Default::default() };
        match self {
            Self::Float(value) => AttributeProto { f: Some(value), kind: 1, ..empty },
            Self::Int(value) => AttributeProto { i: Some(value), kind: 2, ..empty },
            Self::Text(value) => AttributeProto { s: Some(value.into()), kind: 3, ..empty },
            Self::Ints(values) => AttributeProto { ints: values.into(), kind: 7, ..empty },
        }
    }
}

fn info(name: &str, element: Element, shape: &[Dim]) -> ValueInfoProto {
    let dim = |dim: &Dim| match dim {
        Dim::Fixed(length) => DimensionProto { dim_value: Some(*length as i64), dim_param: None },
        Dim::Named(name) => DimensionProto { dim_value: None, dim_param: Some((*name).into()) },
    };
    let shape = TensorShapeProto { dim: shape.iter().map(dim).collect() };
    let tensor_type = Some(TensorTypeProto { elem_type: element as i32, shape: Some(shape) });
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type }) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_output_keeps_its_users_and_equal_constants_are_one() {
        let mut graph = Graph::new("sum");
        let x = graph.input("x", Element::Float, &[Dim::Named("batch"), Dim::Fixed(2)]);
        let one = graph.floats(&[2], &[1.0, 1.0]);
        assert_eq!(graph.floats(&[2], &[1.0, 1.0]), one);
        assert_ne!(graph.floats(&[1, 2], &[1.0, 1.0]), one);
        let sum = graph.node("Add", &[&x, &one], &[]);
        let softmax = graph.node("Softmax", &[&sum], &[("axis", Attribute::Int(0))]);
        graph.output(&sum, "sum", Element::Float, &[Dim::Named("batch"), Dim::Fixed(2)]);
        graph.output(&softmax, "share", Element::Float, &[Dim::Named("batch"), Dim::Fixed(2)]);

        let model = ModelProto::decode(&*graph.finish(&[("key", "value")])).unwrap();
        assert_eq!((model.ir_version, model.opset_import[0].version), (8, 17));
        assert_eq!(model.metadata_props[0].value, "value");
        let graph = model.graph.unwrap();
        assert_eq!(graph.initializer.len(), 2);
        assert_eq!(graph.initializer[0].raw_data, [0, 0, 128, 63, 0, 0, 128, 63]);
        assert_eq!(graph.node[0].output, ["sum"]);
        assert_eq!((&graph.node[1].input[0], &graph.node[1].output[0]), (&"sum".to_owned(), &"share".to_owned()));
        // An axis of 0 is written, though 0 is the default of the format.
        assert_eq!(graph.node[1].attribute[0].i, Some(0));
        let shape = graph.input[0].r#type.clone().unwrap().tensor_type.unwrap().shape.unwrap();
        assert_eq!(shape.dim[0].dim_param.as_deref(), Some("batch"));
        assert_eq!(shape.dim[1].dim_value, Some(2));
    }
}
