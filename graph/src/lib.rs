//! Messages, time, nodes and what carries them: the part of Tandem that knows nothing of driving models.

pub mod cdr;
pub mod live;
pub mod message;
pub mod node;
pub mod observe;
pub mod rmw;
pub mod time;

pub use message::Message;
pub use node::{Inputs, Node, NodeSpec, Outputs, Sample, Topic, Trigger};
pub use time::Stamp;
