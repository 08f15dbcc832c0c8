//! The slow mind as a node of the graph: it watches the scene, decides when to ask, and publishes judgments.
//!
//! It never waits: a step asks, or takes an answer that has come, and returns. A question that has become stale while it
//! was thought about is dropped for a new one, but not twice in a row, so that an answer comes even where much happens.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tandem_datasets::EgoBody;
use tandem_graph::topics::{
    ACCELERATION, EMBEDDING, JUDGMENT, MAP, OBJECTS, ODOMETRY, ROUTE, SIGNALS, STATUS, STEERING,
};
use tandem_graph::{Inputs, Node, NodeSpec, Outputs, Stamp};
use tandem_planner::node::Surroundings;

use super::belief::Belief;
use super::judgment::Judgment;
use super::knowledge::Knowledge;
use super::memory::Memory;
use super::mind::{Mind, Question};
use super::prompt::Prompt;
use super::sight::{Look, Sight};
use super::state::State;
use super::trigger::{Trigger, Why};

/// What the node is called.
pub const JUDGE_NODE: &str = "judge";

/// The node looks this often.
const PERIOD: Duration = Duration::from_millis(100);

/// Objects and ego are moved on by this at most.
const PROPAGATION: Duration = Duration::from_secs(1);

/// Scenes of the seconds before that a question tells of.
const EARLIER: usize = 3;

/// A question that has been thought about for longer is stale.
const STALE: Duration = Duration::from_secs(2);

/// What the node has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Questions asked.
    pub asked: usize,
    /// Of these, beside the beat.
    pub prompted: usize,
    /// Dropped for a newer one.
    pub superseded: usize,
    /// Answers that could not be used.
    pub failed: usize,
    /// Judgments published.
    pub judged: usize,
}

/// The node.
pub struct JudgeNode {
    surroundings: Surroundings,
    trigger: Trigger,
    memory: Memory,
    knowledge: Option<Knowledge>,
    mind: Box<dyn Mind>,
    /// Where there are images: whoever looks at them, and what judgments are believed by.
    eyes: Option<(Box<dyn Look>, Belief)>,
    /// Scenes a second apart, the latest first.
    earlier: VecDeque<State>,
    /// What was judged last.
    before: Option<Judgment>,
    /// What is thought about.
    asked: Option<State>,
    was_superseded: bool,
    counts: Counts,
}

impl JudgeNode {
    /// With whoever answers, for a vehicle of dimensions `body`.
    pub fn new(mind: Box<dyn Mind>, body: EgoBody) -> Self {
        Self {
            surroundings: Surroundings::new(body, PROPAGATION),
            trigger: Trigger::default(),
            memory: Memory::default(),
            knowledge: None,
            mind,
            eyes: None,
            earlier: VecDeque::new(),
            before: None,
            asked: None,
            was_superseded: false,
            counts: Counts::default(),
        }
    }

    /// With a file of local notes, which is read again whenever it changes.
    pub fn with_knowledge(mut self, knowledge: Knowledge) -> Self {
        self.knowledge = Some(knowledge);
        self
    }

    /// With eyes: the mind is shown what they see, and believed what they or the fast system see.
    pub fn with_eyes(mut self, eyes: Box<dyn Look>) -> Self {
        self.eyes = Some((eyes, Belief::default()));
        self
    }

    /// What it has done so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    fn publish(&mut self, now: Stamp, outputs: &mut Outputs) {
        let Some(answer) = self.mind.answer(now) else { return };
        let Some(state) = self.asked.take() else { return };
        self.was_superseded = false;
        match answer {
            Ok(judgment) => {
                let believed = self.eyes.as_mut().map(|(_, belief)| belief.of(&judgment, &state));
                outputs.publish(&JUDGMENT, state.stamp, believed.as_ref().unwrap_or(&judgment).to_message(&state));
                self.memory.add(state.stamp, &judgment);
                self.before = Some(judgment);
                self.counts.judged += 1;
            }
            Err(reason) => {
                tracing::warn!(reason, topic = JUDGMENT.name(), "no judgment");
                self.counts.failed += 1;
            }
        }
    }

    fn look(&mut self, now: Stamp, inputs: &Inputs) -> Option<(State, Why)> {
        self.surroundings.take(inputs);
        let ego = self.surroundings.ego_at(now, None)?;
        let scene = self.surroundings.scene(now, ego, inputs, Vec::new())?;
        let state = State::new(&scene, &self.earlier.iter().collect::<Vec<_>>());
        let embedding = inputs.latest(&EMBEDDING);
        let score = inputs.latest(&STATUS).map(|status| status.message.score).filter(|score| score.is_finite());
        let why = self.trigger.ask(&state, embedding.as_ref().map(|sample| sample.message.values.as_slice()), score);
        let is_second = |last: &State| now.seconds_since(last.stamp) >= 1.0 - 1e-6;
        if self.earlier.front().is_none_or(is_second) {
            self.earlier.truncate(EARLIER - 1);
            self.earlier.push_front(state.clone());
        }
        Some((state, why?))
    }

    fn ask(&mut self, now: Stamp, state: State, why: Why) {
        if let Some(asked) = &self.asked {
            let is_stale = now.seconds_since(asked.stamp) > STALE.as_secs_f64();
            if self.was_superseded || (!is_stale && why == Why::Beat) {
                return;
            }
            self.was_superseded = true;
            self.counts.superseded += 1;
        }
        if let Some(knowledge) = &mut self.knowledge
            && let Err(error) = knowledge.refresh()
        {
            tracing::error!(%error, "the notes are not usable; those from before hold");
        }
        let memory = self.memory.lines(now);
        let plain = Prompt::new(&state, &[], &memory, self.before.as_ref());
        let prompt = match &self.knowledge {
            Some(knowledge) => {
                let notes = knowledge.about(&state, plain.scene());
                Prompt::new(&state, &notes, &memory, self.before.as_ref())
            }
            None => plain,
        };
        self.counts.asked += 1;
        self.counts.prompted += usize::from(why != Why::Beat);
        self.asked = Some(state.clone());
        let sight = self.eyes.as_mut().and_then(|(eyes, belief)| see(eyes.as_mut(), belief, &state));
        self.mind.ask(now, Question { state, prompt, sight });
    }
}

fn see(eyes: &mut dyn Look, belief: &mut Belief, state: &State) -> Option<Arc<Sight>> {
    let sight = eyes.look(state)?;
    belief.learn(state, &sight);
    Some(Arc::new(sight))
}

impl Node for JudgeNode {
    fn spec(&self) -> NodeSpec {
        NodeSpec::every(JUDGE_NODE, PERIOD)
            .reads_queue(&ODOMETRY, 64)
            .reads(&ACCELERATION)
            .reads(&STEERING)
            .reads(&OBJECTS)
            .reads(&SIGNALS)
            .reads(&MAP)
            .reads(&ROUTE)
            .reads(&EMBEDDING)
            .reads(&STATUS)
            .writes(&JUDGMENT)
    }

    fn step(&mut self, now: Stamp, inputs: &Inputs, outputs: &mut Outputs) {
        self.publish(now, outputs);
        if let Some((state, why)) = self.look(now, inputs) {
            self.ask(now, state, why);
        }
    }
}
