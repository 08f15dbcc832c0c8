//! Whoever answers the questions that a judging node asks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tandem_datasets::Camera;
use tandem_graph::Stamp;
use tandem_sim::Course;

use super::judgment::{Judgment, MOST_TOKENS};
use super::prompt::Prompt;
use super::sight::Sight;
use super::state::State;
use super::truth::truth;
use crate::Error;
use crate::engine::{Engine, ImageKey, Request, RequestId, Sampling, Usage};
use crate::eyes::Rows;
use crate::grammar::{Grammar, Grammars};
use crate::model::Projector;
use crate::text::{Template, Tokenizer};

/// A scene and how it is told.
#[derive(Debug, Clone)]
pub struct Question {
    /// The scene.
    pub state: State,
    /// What the model is told of it.
    pub prompt: Prompt,
    /// What images show of it.
    pub sight: Option<Arc<Sight>>,
}

/// Answers questions, one at a time.
pub trait Mind: Send {
    /// Begins to think about a question; what it was thinking about until now is dropped.
    fn ask(&mut self, now: Stamp, question: Question);

    /// The answer to the last question, once, as soon as it is there: a judgment, or in one line why there is none.
    fn answer(&mut self, now: Stamp) -> Option<Result<Judgment, String>>;
}

/// What questions to a model and its answers look like.
pub struct Voice {
    tokenizer: Arc<Tokenizer>,
    template: Template,
    grammar: Grammar,
    /// What turns what eyes see into embeddings.
    projector: Option<Projector>,
}

impl Voice {
    /// By a model's tokenizer and chat template, and where it has learnt to see, by what it was learnt with.
    ///
    /// # Errors
    /// [`Error::Grammar`] if answers can't be held to their form with this tokenizer.
    pub fn new(tokenizer: Tokenizer, template: Template, projector: Option<Projector>) -> Result<Self, Error> {
        let tokenizer = Arc::new(tokenizer);
        let grammar = Grammars::new(tokenizer.clone())?.schema(&Judgment::schema())?;
        Ok(Self { tokenizer, template, grammar, projector })
    }
}

/// A language model as a judge.
pub struct Judge {
    engine: Engine,
    voice: Arc<Voice>,
}

impl Judge {
    /// With an engine, and the voice of its model.
    pub fn new(engine: Engine, voice: Arc<Voice>) -> Self {
        Self { engine, voice }
    }

    /// Answers a question, as the next of a session; `sight` is what the eyes see.
    pub fn judge(&mut self, prompt: &Prompt, sight: Option<&Rows>, session: &str) -> Answered {
        let start = Instant::now();
        let seen = sight.map_or(Ok(Vec::new()), |rows| self.show(rows));
        let told = sight.map(|rows| prompt.with_sight(rows));
        let prompt = told.as_ref().unwrap_or(prompt);
        let submitted = seen.and_then(|seen| self.request(prompt, &seen, session).map_err(|error| error.to_string()));
        let submitted = submitted.and_then(|request| {
            let asked = request.prompt.clone();
            self.engine.submit(request).map(|id| (id, asked)).map_err(|refused| refused.to_string())
        });
        match submitted {
            Ok((id, asked)) => self.run(id, asked, start),
            Err(reason) => Answered {
                judgment: Err(reason),
                asked: Vec::new(),
                tokens: Vec::new(),
                usage: Usage::default(),
                read: Duration::ZERO,
                said: Duration::ZERO,
            },
        }
    }

    /// The tokens that stand for what the eyes see.
    fn show(&mut self, rows: &Rows) -> Result<Vec<u32>, String> {
        let projector = self.voice.projector.as_ref().ok_or("the model has not learnt to see")?;
        if rows.width != projector.width() {
            return Err(format!("the eyes' rows have {} numbers, and {} are wanted", rows.width, projector.width()));
        }
        let digest = rows.values.iter().fold(Sha256::new(), |digest, value| digest.chain_update(value.to_le_bytes()));
        let key = ImageKey(digest.finalize().into());
        let first = match self.engine.find_image(&key) {
            Some(first) => first,
            None => {
                let features = projector.project(&rows.values);
                self.engine.show_image(key, features).map_err(|refused| refused.to_string())?
            }
        };
        Ok((first..).take(rows.count()).collect())
    }

    fn request(&self, prompt: &Prompt, seen: &[u32], session: &str) -> Result<Request, Error> {
        Ok(Request {
            prompt: prompt.encode(&self.voice.tokenizer, &self.voice.template, seen)?,
            session: Some(session.to_owned()),
            most: MOST_TOKENS,
            sampling: Sampling::GREEDY,
            ends: self.voice.tokenizer.ends().to_vec(),
            grammar: Some(self.voice.grammar.clone()),
            priority: 0,
        })
    }

    /// Until a request is answered.
    fn run(&mut self, id: RequestId, asked: Vec<u32>, start: Instant) -> Answered {
        let (mut said, mut usage, mut read) = (Vec::new(), Usage::default(), None);
        while !self.engine.is_idle() {
            for event in self.engine.step().into_iter().filter(|event| event.id == id) {
                read.get_or_insert_with(|| start.elapsed());
                said.extend(event.tokens);
                usage = event.usage;
            }
        }
        let (took, text) = (start.elapsed(), self.voice.tokenizer.decode(&said));
        let read = read.unwrap_or(took);
        let judgment = Judgment::parse(&text).map_err(|reason| format!("{reason}: {text}"));
        Answered { judgment, asked, tokens: said, usage, read, said: took.saturating_sub(read) }
    }
}

/// What a model answered, and what it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The answer, or in one line why there is none.
    pub judgment: Result<Judgment, String>,
    /// The prompt's tokens, with those that stand for what the eyes see.
    pub asked: Vec<u32>,
    /// The answer's tokens.
    pub tokens: Vec<u32>,
    /// Tokens and steps.
    pub usage: Usage,
    /// Until the first token.
    pub read: Duration,
    /// From there to the end.
    pub said: Duration,
}

/// An answer that is known already, and kept until it is due.
#[derive(Debug, Default)]
pub(super) struct Later(Option<(Stamp, Result<Judgment, String>)>);

impl Later {
    pub(super) fn at(due: Stamp, answer: Result<Judgment, String>) -> Self {
        Self(Some((due, answer)))
    }

    pub(super) fn take(&mut self, now: Stamp) -> Option<Result<Judgment, String>> {
        self.0.take_if(|(due, _)| *due <= now).map(|(_, answer)| answer)
    }
}

/// A mind that knows what was staged in a world: what judgments could bring at best, were they only as late.
pub struct Knowing {
    course: Arc<Course>,
    rig: Vec<Camera>,
    takes: Duration,
    later: Later,
}

impl Knowing {
    /// Of a course; it points with the cameras of `rig` and thinks for so long.
    pub fn new(course: Arc<Course>, rig: Vec<Camera>, takes: Duration) -> Self {
        Self { course, rig, takes, later: Later::default() }
    }
}

impl Mind for Knowing {
    fn ask(&mut self, now: Stamp, question: Question) {
        let judged = truth(&self.course, &question.state, &self.rig);
        self.later = Later::at(now + self.takes, judged.ok_or_else(|| "nothing was staged here".to_owned()));
    }

    fn answer(&mut self, now: Stamp) -> Option<Result<Judgment, String>> {
        self.later.take(now)
    }
}

/// How long a model takes on the machine that it is to run on, where time is simulated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Before the first token of a prompt: images, and what else is the same every time.
    pub start: Duration,
    /// For a token of the prompt that is not in the cache.
    pub read: Duration,
    /// For a step of the answer.
    pub step: Duration,
}

impl Pace {
    /// Two cores of a server: tandem's default model with what it has learnt, measured by `tandem vlm judge` (`docs/vlm.md`).
    pub const TWO_CORES: Self =
        Self { start: Duration::from_millis(45), read: Duration::from_micros(480), step: Duration::from_millis(14) };

    /// How long an answer takes.
    pub fn takes(&self, usage: &Usage) -> Duration {
        let read = (usage.prompt - usage.cached) as u32;
        self.start + self.read * read + self.step * usage.steps as u32
    }
}

/// A judge in simulated time: it answers at once, and keeps the answer until it would have been there.
pub struct Paced {
    judge: Judge,
    pace: Pace,
    session: String,
    later: Later,
}

impl Paced {
    /// Whose answers take as long as `pace` says.
    pub fn new(judge: Judge, pace: Pace, session: impl Into<String>) -> Self {
        Self { judge, pace, session: session.into(), later: Later::default() }
    }
}

impl Mind for Paced {
    fn ask(&mut self, now: Stamp, question: Question) {
        let rows = question.sight.as_ref().map(|sight| &sight.rows);
        let Answered { judgment, usage, .. } = self.judge.judge(&question.prompt, rows, &self.session);
        self.later = Later(Some((now + self.pace.takes(&usage), judgment)));
    }

    fn answer(&mut self, now: Stamp) -> Option<Result<Judgment, String>> {
        self.later.take(now)
    }
}
