//! Publishes the map and the route, once and latched.

use std::sync::Arc;

use tandem_datasets::messages;
use tandem_graph::topics::{MAP, ROUTE};
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp};

use super::PERIOD;
use crate::course::Course;

/// The map node.
pub struct MapServer {
    course: Arc<Course>,
    is_done: bool,
}

impl MapServer {
    /// A node that publishes the map and the route of a course.
    pub fn new(course: &Arc<Course>) -> Self {
        Self { course: Arc::clone(course), is_done: false }
    }
}

impl Node for MapServer {
    fn spec(&self) -> NodeSpec {
        NodeSpec::every("map_server", PERIOD).writes_latched(&MAP).writes_latched(&ROUTE)
    }

    fn step(&mut self, now: Stamp, _: &Inputs, outputs: &mut Outputs) {
        if !self.is_done {
            self.is_done = true;
            outputs.publish(&MAP, now, messages::vector_map(self.course.map.parts(), now));
            outputs.publish(&ROUTE, now, self.course.route.message(now));
        }
    }
}
