//! A node: a plain struct with typed inputs and outputs that holds no socket, thread or clock.

use std::any::Any;
use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use crate::{Message, Stamp, cdr};

/// A named topic that carries one message type.
pub struct Topic<M> {
    name: Cow<'static, str>,
    message: PhantomData<fn() -> M>,
}

impl<M: Message> Topic<M> {
    /// A topic known at compile time, such as `/ego/odometry`.
    pub const fn new(name: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), message: PhantomData }
    }

    /// A topic whose name is made at run time, such as `/camera/<name>/image`.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: Cow::Owned(name.into()), message: PhantomData }
    }

    /// The topic's name, with its leading slash.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A received message with everything that came with it.
#[derive(Debug, Clone)]
pub struct Sample<M> {
    /// The message.
    pub message: Arc<M>,
    /// When what the message speaks of was captured.
    pub capture: Stamp,
    /// When it was published.
    pub publish: Stamp,
    /// When it arrived here.
    pub receive: Stamp,
    /// Its number on its topic, counted by the publisher from 0 in steps of 1.
    pub sequence: u64,
}

/// When a node is stepped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// At a fixed rate, from the start of the run on.
    Every(Duration),
    /// Whenever a message arrives on this topic.
    On(String),
}

/// An input of a node: a topic, its type, and how much of it is kept between steps.
#[derive(Clone)]
pub struct InputSpec {
    /// The topic's name.
    pub topic: String,
    /// The ROS type name.
    pub type_name: &'static str,
    /// The RIHS01 type hash.
    pub type_hash: &'static str,
    /// How many messages wait for the next step; older ones are dropped and counted.
    pub queue: usize,
    /// How old the newest message may be before the link counts as stale; armed at the start of the run.
    pub deadline: Option<Duration>,
    pub(crate) decode: fn(&[u8]) -> Result<AnyMessage, cdr::Error>,
    pub(crate) stamp: fn(&AnyMessage) -> Option<Stamp>,
}

/// An output of a node: a topic and its type.
#[derive(Clone)]
pub struct OutputSpec {
    /// The topic's name.
    pub topic: String,
    /// The ROS type name.
    pub type_name: &'static str,
    /// The RIHS01 type hash.
    pub type_hash: &'static str,
    /// The message definition text.
    pub definition: &'static str,
    /// Whether late subscribers get the last message (ROS: transient local), as for maps.
    pub latched: bool,
}

/// What a node is called, what it reads and writes, and when it runs.
#[derive(Clone)]
pub struct NodeSpec {
    /// The node's name, unique in the graph.
    pub name: String,
    /// When it is stepped.
    pub trigger: Trigger,
    /// What it reads.
    pub inputs: Vec<InputSpec>,
    /// What it writes.
    pub outputs: Vec<OutputSpec>,
}

impl NodeSpec {
    /// A node stepped at a fixed rate.
    pub fn every(name: impl Into<String>, period: Duration) -> Self {
        Self { name: name.into(), trigger: Trigger::Every(period), inputs: Vec::new(), outputs: Vec::new() }
    }

    /// A node stepped by the messages of one topic, which becomes its first input.
    pub fn on<M: Message>(name: impl Into<String>, topic: &Topic<M>) -> Self {
        let trigger = Trigger::On(topic.name().to_owned());
        Self { name: name.into(), trigger, inputs: Vec::new(), outputs: Vec::new() }.reads(topic)
    }

    /// Adds an input that keeps the latest message only.
    pub fn reads<M: Message>(self, topic: &Topic<M>) -> Self {
        self.reads_queue(topic, 1)
    }

    /// Adds an input that keeps up to `queue` messages between steps.
    pub fn reads_queue<M: Message>(mut self, topic: &Topic<M>, queue: usize) -> Self {
        self.inputs.push(InputSpec {
            topic: topic.name().to_owned(),
            type_name: M::NAME,
            type_hash: M::type_hash(),
            queue,
            deadline: None,
            decode: |bytes| Ok(Arc::new(cdr::decode::<M>(bytes)?)),
            stamp: |message| message.downcast_ref::<M>().and_then(Message::stamp),
        });
        self
    }

    /// Gives the input added last a deadline.
    pub fn within(mut self, deadline: Duration) -> Self {
        if let Some(input) = self.inputs.last_mut() {
            input.deadline = Some(deadline);
        }
        self
    }

    /// Adds an output.
    pub fn writes<M: Message>(mut self, topic: &Topic<M>) -> Self {
        self.outputs.push(OutputSpec {
            topic: topic.name().to_owned(),
            type_name: M::NAME,
            type_hash: M::type_hash(),
            definition: M::definition(),
            latched: false,
        });
        self
    }

    /// Adds an output whose last message late subscribers get too.
    pub fn writes_latched<M: Message>(self, topic: &Topic<M>) -> Self {
        let mut spec = self.writes(topic);
        if let Some(output) = spec.outputs.last_mut() {
            output.latched = true;
        }
        spec
    }
}

/// A message of any type, shared.
pub type AnyMessage = Arc<dyn Any + Send + Sync>;

/// One queued message of any type, with its stamps.
#[derive(Clone)]
pub(crate) struct AnySample {
    pub message: AnyMessage,
    pub capture: Stamp,
    pub publish: Stamp,
    pub receive: Stamp,
    pub sequence: u64,
}

impl AnySample {
    fn typed<M: Message>(&self) -> Option<Sample<M>> {
        Some(Sample {
            message: self.message.clone().downcast::<M>().ok()?,
            capture: self.capture,
            publish: self.publish,
            receive: self.receive,
            sequence: self.sequence,
        })
    }
}

/// What a node sees when it is stepped.
#[derive(Default)]
pub struct Inputs {
    pub(crate) slots: Vec<InputSlot>,
}

#[derive(Default)]
pub(crate) struct InputSlot {
    pub topic: String,
    /// The newest message ever received.
    pub latest: Option<AnySample>,
    /// Those that arrived since the last step, oldest first.
    pub fresh: Vec<AnySample>,
}

impl Inputs {
    /// The newest message of a topic, whether or not it was seen before; `None` before the first.
    pub fn latest<M: Message>(&self, topic: &Topic<M>) -> Option<Sample<M>> {
        self.slot(topic.name())?.latest.as_ref()?.typed()
    }

    /// The messages of a topic that arrived since the last step, oldest first.
    pub fn fresh<M: Message>(&self, topic: &Topic<M>) -> Vec<Sample<M>> {
        self.slot(topic.name()).map_or_else(Vec::new, |slot| slot.fresh.iter().filter_map(AnySample::typed).collect())
    }

    fn slot(&self, topic: &str) -> Option<&InputSlot> {
        self.slots.iter().find(|slot| slot.topic == topic)
    }
}

/// What a node publishes in one step, in order.
#[derive(Default)]
pub struct Outputs {
    pub(crate) messages: Vec<Outgoing>,
}

pub(crate) struct Outgoing {
    pub topic: String,
    pub type_name: &'static str,
    pub capture: Stamp,
    pub message: AnyMessage,
    pub encode: fn(&AnyMessage, &mut Vec<u8>) -> Result<(), cdr::Error>,
}

impl Outgoing {
    /// Whether it is what this output declares.
    pub fn is_of(&self, output: &OutputSpec) -> bool {
        self.topic == output.topic && self.type_name == output.type_name
    }
}

impl Outputs {
    /// Publishes `message`, which speaks of what was captured at `capture`.
    pub fn publish<M: Message>(&mut self, topic: &Topic<M>, capture: Stamp, message: M) {
        self.messages.push(Outgoing {
            topic: topic.name().to_owned(),
            type_name: M::NAME,
            capture,
            message: Arc::new(message),
            encode: |message, bytes| match message.downcast_ref::<M>() {
                Some(message) => cdr::encode_into(message, bytes),
                None => Ok(()),
            },
        });
    }
}

/// A node of the graph. Stepped with the time and its inputs; publishes through `outputs`.
///
/// The same struct runs in lockstep and live. It must not read a clock, start a thread or keep state
/// anywhere but in itself, or a replay would not give the same bytes.
pub trait Node: Send {
    /// Name, inputs, outputs and trigger; asked once, before the first step.
    fn spec(&self) -> NodeSpec;

    /// One step at time `now`.
    fn step(&mut self, now: Stamp, inputs: &Inputs, outputs: &mut Outputs);
}

impl<N: Node + ?Sized> Node for Box<N> {
    fn spec(&self) -> NodeSpec {
        (**self).spec()
    }

    fn step(&mut self, now: Stamp, inputs: &Inputs, outputs: &mut Outputs) {
        (**self).step(now, inputs, outputs);
    }
}

/// A borrowed node, so that it can be looked at after the run.
impl<N: Node + ?Sized> Node for &mut N {
    fn spec(&self) -> NodeSpec {
        (**self).spec()
    }

    fn step(&mut self, now: Stamp, inputs: &Inputs, outputs: &mut Outputs) {
        (**self).step(now, inputs, outputs);
    }
}

/// What a node that panicked said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic without a text".to_owned())
}
