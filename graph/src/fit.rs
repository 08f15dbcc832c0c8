//! Whether nodes fit together: checked before every run, by every runner.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::{NodeSpec, Trigger};

/// Why nodes can't run together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// Two nodes have the same name.
    #[error("node {node}: there are two of this name")]
    SameName {
        /// The name.
        node: String,
    },
    /// A node reads a topic as another type than the one it is written as.
    #[error("topic {topic}: node {reader} reads {read}, but {writer} writes {written}")]
    Type {
        /// The topic.
        topic: String,
        /// Who reads.
        reader: String,
        /// As what.
        read: &'static str,
        /// Who writes.
        writer: String,
        /// What.
        written: &'static str,
    },
    /// A node is stepped by a topic that is none of its inputs.
    #[error("node {node}: stepped by {topic}, which it does not read")]
    Trigger {
        /// The node.
        node: String,
        /// The topic.
        topic: String,
    },
    /// A node is stepped at a rate that is no rate.
    #[error("node {node}: its period is zero")]
    Period {
        /// The node.
        node: String,
    },
}

/// Checks names, triggers and the types of topics.
pub(crate) fn check<'a>(specs: impl Iterator<Item = &'a NodeSpec> + Clone) -> Result<(), Misfit> {
    let mut names = BTreeSet::new();
    for spec in specs.clone() {
        let node = || spec.name.clone();
        if !names.insert(&spec.name) {
            return Err(Misfit::SameName { node: node() });
        }
        match &spec.trigger {
            Trigger::Every(Duration::ZERO) => return Err(Misfit::Period { node: node() }),
            Trigger::On(topic) if !spec.inputs.iter().any(|input| input.topic == *topic) => {
                return Err(Misfit::Trigger { node: node(), topic: topic.clone() });
            }
            Trigger::Every(_) | Trigger::On(_) => {}
        }
    }
    let outputs = specs.clone().flat_map(|spec| spec.outputs.iter().map(move |output| (spec, output)));
    for (writer, output) in outputs {
        for (reader, input) in specs.clone().flat_map(|spec| spec.inputs.iter().map(move |input| (spec, input))) {
            if input.topic == output.topic && input.type_hash != output.type_hash {
                return Err(Misfit::Type {
                    topic: input.topic.clone(),
                    reader: reader.name.clone(),
                    read: input.type_name,
                    writer: writer.name.clone(),
                    written: output.type_name,
                });
            }
        }
    }
    Ok(())
}
