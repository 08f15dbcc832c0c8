//! Records runs, and runs the planner of a recording again on what it was told: the answers must be the same bytes.

use std::collections::BTreeMap;
use std::path::Path;

use tandem_datasets::{EgoBody, Pose2};
use tandem_graph::lockstep::{Lockstep, NodeLatency};
use tandem_graph::observe::{Observer, Published};
use tandem_graph::recording::{self, Digest, Metadata, Recorded, Recorder};
use tandem_graph::topics::{STATUS, TRAJECTORY};
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp};
use tandem_planner::node::PlannerNode;
use tandem_planner::{VehicleState, planners};

use crate::drive::{self, Driven, HUMAN, Setup, faulty_links};
use crate::faults::{Death, Faults};
use crate::nodes::{PERCEPTION, VEHICLE};
use crate::{Error, drive::drive};

/// The metadata record that says how a run was made.
const RECORD: &str = "tandem.run";

/// What the planner publishes.
const ANSWERS: [&str; 2] = ["/planning/trajectory", "/planning/status"];
