//! Messages, time, nodes and what carries them: the part of Tandem that knows nothing of driving models.

pub mod cdr;
pub mod description;
pub mod field;
pub mod fit;
pub mod health;
pub mod live;
pub mod lockstep;
pub mod message;
pub mod msgs;
pub mod node;
pub mod observe;
pub mod recording;
pub mod rmw;
pub mod time;
pub mod topics;

pub use message::Message;
pub use node::{Inputs, Node, NodeSpec, Outputs, Sample, Topic, Trigger};
pub use time::Stamp;
