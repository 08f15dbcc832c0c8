//! What can go wrong on a link: delay, jitter, loss, and messages that do not change any more.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::node::AnySample;
use crate::{Message, Stamp, Topic};

/// A fault on the way of a topic's messages to one reader or all. Seeded: the same run has the same faults.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkFault {
    /// The topic.
    pub topic: String,
    /// The reader; `None` for all, each with its own dice.
    pub node: Option<String>,
    /// How much later every message arrives.
    pub delay: Duration,
    /// How much later still, at most; evenly spread. Messages never overtake each other.
    pub jitter: Duration,
    /// The probability that a message is lost.
    pub loss: f64,
    /// From when to when the last message before it comes again in the place of each new one: old content and
    /// capture stamp under new publish stamps and numbers. Before the first message, nothing comes.
    pub frozen: Option<(Stamp, Stamp)>,
    /// The seed of the dice.
    pub seed: u64,
}

impl LinkFault {
    /// No fault yet, on the way of this topic to all readers.
    pub fn on<M: Message>(topic: &Topic<M>) -> Self {
        Self {
            topic: topic.name().to_owned(),
            node: None,
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            loss: 0.0,
            frozen: None,
            seed: 0,
        }
    }

    /// On the way to this node only.
    pub fn to(self, node: impl Into<String>) -> Self {
        Self { node: Some(node.into()), ..self }
    }

    /// With this delay.
    pub fn delayed(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    /// With up to so much more delay.
    pub fn jittered(self, jitter: Duration) -> Self {
        Self { jitter, ..self }
    }

    /// With this probability of losing a message.
    pub fn losing(self, loss: f64) -> Self {
        Self { loss, ..self }
    }

    /// With frozen messages from `from` until before `until`.
    pub fn frozen(self, from: Stamp, until: Stamp) -> Self {
        Self { frozen: Some((from, until)), ..self }
    }

    /// With this seed.
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }
}

/// A fault at work on one link.
pub(super) struct Dice {
    fault: LinkFault,
    rng: ChaCha8Rng,
    before_frozen: Option<AnySample>,
}

impl Dice {
    /// The fault on the link of this number.
    pub fn new(fault: LinkFault, link: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(fault.seed);
        rng.set_stream(link as u64);
        Self { fault, rng, before_frozen: None }
    }

    /// What becomes of a message: it arrives, maybe changed, so much later; or it is lost.
    ///
    /// Rolls the same number of dice for each message, so that one fault's strength does not change another's luck.
    pub fn roll(&mut self, mut sample: AnySample) -> Option<(AnySample, Duration)> {
        let (luck, lag): (f64, f64) = (self.rng.random(), self.rng.random());
        if let Some((from, until)) = self.fault.frozen {
            if sample.publish < from {
                self.before_frozen = Some(sample.clone());
            } else if sample.publish < until {
                let frozen = self.before_frozen.as_ref()?;
                sample.message = frozen.message.clone();
                sample.capture = frozen.capture;
            }
        }
        (luck >= self.fault.loss).then(|| (sample, self.fault.delay + self.fault.jitter.mul_f64(lag)))
    }
}
