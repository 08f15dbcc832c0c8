//! Many requests to one model at once: pass by pass, each with as many drafted tokens as pay.
//!
//! A pass reads the next token of every answer on its way, drafted tokens behind it, and a piece of the prompts that are
//! still being read. None of this changes a token of an answer: see [`crate::kernel`] and [`Sampling`]. Beginnings of
//! prompts that were read before are found in the cache. Where the cache is full, whoever ranks last gives its pages
//! back and reads again later.
//!
//! An [`Engine`] has no thread and no clock: [`Engine::step`] makes one pass.

pub mod company;
mod curve;
mod images;
mod pages;
mod sampling;
mod sequence;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

pub use self::curve::Curve;
pub use self::images::ImageKey;
use self::images::Images;
use self::pages::Pages;
pub use self::sampling::Sampling;
use self::sequence::Sequence;
pub use self::sequence::{End, Request, RequestId, Usage};
use crate::cache::{Cache, Precision};
use crate::draft::{Corpus, Drafter, Signs, Tree};
use crate::kernel::{Ancestors, PAGE};
use crate::model::{Config, Model, Span, Workspace};

/// What an engine may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Pages of the cache, of 16 tokens each.
    pub pages: usize,
    /// Requests that are answered at a time.
    pub running: usize,
    /// Requests that wait; more are refused.
    pub waiting: usize,
    /// Tokens of prompts that a pass reads.
    pub chunk: usize,
    /// Tokens that are drafted for a request and a pass, 63 at most; 0 for plain decoding.
    pub draft: usize,
    /// Tokens of answers that are remembered for all sessions.
    pub corpus: usize,
    /// Sessions that are remembered.
    pub sessions: usize,
    /// Features of images that are kept, each as wide as a token's embedding.
    pub features: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pages: 1024,
            running: 32,
            waiting: 256,
            chunk: 256,
            draft: 32,
            corpus: 1 << 20,
            sessions: 256,
            features: 1 << 14,
        }
    }
}

/// Why a request is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is nothing to go on from.
    #[error("the prompt is empty")]
    Empty,
    /// The prompt has a token that the model does not know, or of an image that is not kept any more.
    #[error("token {0} of the prompt is neither in the vocabulary nor of an image that is here")]
    UnknownToken(u32),
    /// Prompt and answer do not fit.
    #[error("{asked} tokens of prompt and answer are more than the {room} that there is room for")]
    TooLong {
        /// Tokens of the prompt and the longest answer.
        asked: usize,
        /// Tokens that fit.
        room: usize,
    },
    /// An image does not fit beside those that are in use.
    #[error("{0} features of an image do not fit beside those that are in use")]
    ImageTooLarge(usize),
    /// Too many wait already.
    #[error("{0} requests are waiting already")]
    Busy(usize),
}

/// A corpus to draft from has a token that the model does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("token {0} of the corpus is not in the vocabulary")]
pub struct UnknownToken(pub u32);

/// What a pass brought to a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Which request.
    pub id: RequestId,
    /// What was said.
    pub tokens: Vec<u32>,
    /// Why the answer ends here, if it does.
    pub end: Option<End>,
    /// What the request has taken so far.
    pub usage: Usage,
}

/// As many tokens of an answer as are read in the pass after they were said.
const AT_ONCE: usize = 48;

/// Answers requests.
#[derive(Debug)]
pub struct Engine {
    model: Model,
    limits: Limits,
    curve: Curve,
    cache: Cache,
    pages: Pages,
    images: Images,
    room: Workspace,
    signs: Signs,
    corpus: Corpus,
    /// What was drafted from in each session, with when it was used last.
    sessions: HashMap<String, (u64, Drafter)>,
    /// By rank.
    waiting: Vec<Sequence>,
    running: Vec<Sequence>,
    next: u64,
}

impl Engine {
    /// With a model, the signs of its vocabulary, and what its passes cost.
    pub fn new(model: Model, signs: Signs, curve: Curve, limits: Limits) -> Self {
        let limits = Limits {
            draft: limits.draft.min(63),
            running: limits.running.max(1),
            chunk: limits.chunk.max(1),
            ..limits
        };
        let Config { hidden, vocabulary, .. } = *model.config();
        Self {
            cache: Cache::new(model.shape(), Precision::Half, limits.pages),
            model,
            limits,
            curve,
            pages: Pages::new(limits.pages),
            images: Images::new(hidden, vocabulary as u32, limits.features),
            room: Workspace::default(),
            signs,
            corpus: Corpus::new(limits.corpus),
            sessions: HashMap::new(),
            waiting: Vec::new(),
            running: Vec::new(),
            next: 0,
        }
    }

    /// Drafts from what was heard before; the corpus keeps the room that it has.
    ///
    /// # Errors
    /// [`UnknownToken`] if a token of it is not in the vocabulary.
    pub fn with_corpus(self, corpus: Corpus) -> Result<Self, UnknownToken> {
        let known = self.model.config().vocabulary;
        let unknown = corpus.texts().flatten().copied().find(|token| *token as usize >= known);
        unknown.map_or_else(|| Ok(Self { corpus, ..self }), |token| Err(UnknownToken(token)))
    }

    /// What all sessions have said, to be saved.
    pub fn corpus(&self) -> &Corpus {
        &self.corpus
    }

    /// The first of the tokens that stand for an image, if it was shown and is still kept.
    pub fn find_image(&mut self, key: &ImageKey) -> Option<u32> {
        self.images.find(key)
    }

    /// Keeps the features of an image, `[features, hidden]`, and returns the first of the tokens that stand for them in
    /// prompts; those of the others follow. The same image gets the same tokens as long as it is kept: while requests use
    /// it, and until others need its room.
    ///
    /// # Errors
    /// [`Refused::ImageTooLarge`] if there is no room.
    ///
    /// # Panics
    /// If there are none, or they are not as wide as the model's embeddings.
    pub fn show_image(&mut self, key: ImageKey, features: Vec<f32>) -> Result<u32, Refused> {
        let hidden = self.model.config().hidden;
        let rows = features.len() / hidden;
        assert!(rows > 0 && features.len() == rows * hidden, "{} numbers are no rows of {hidden}", features.len());
        let shown = self.images.show(key, features).ok_or(Refused::ImageTooLarge(rows))?;
        if shown.is_anew {
            self.pages.forget();
        }
        Ok(shown.first)
    }

    /// Keeps the image that a token stands for, until it is released as often; does nothing if there is none.
    pub fn hold_image(&mut self, token: u32) {
        self.images.hold(&[token]);
    }

    /// Keeps an image no longer than others and the requests about it want it.
    pub fn release_image(&mut self, token: u32) {
        self.images.release(&[token]);
    }

    /// Takes a request.
    ///
    /// # Errors
    /// [`Refused`] for one that can never be answered, or while too many wait.
    pub fn submit(&mut self, request: Request) -> Result<RequestId, Refused> {
        let vocabulary = self.model.config().vocabulary;
        if request.prompt.is_empty() {
            return Err(Refused::Empty);
        }
        let is_known = |token: u32| (token as usize) < vocabulary || self.images.soft().row(token).is_some();
        if let Some(token) = request.prompt.iter().find(|token| !is_known(**token)) {
            return Err(Refused::UnknownToken(*token));
        }
        let asked = request.prompt.len().saturating_add(request.most);
        let room = self.room();
        if asked > room || request.most == 0 {
            return Err(Refused::TooLong { asked, room });
        }
        if self.waiting.len() >= self.limits.waiting {
            return Err(Refused::Busy(self.waiting.len()));
        }
        let id = RequestId(self.next);
        self.next += 1;
        let known = request.session.as_ref().and_then(|session| self.sessions.remove(session));
        let drafter = known.map_or_else(|| Drafter::new(self.signs.clone()), |(_, drafter)| drafter);
        self.images.hold(&request.prompt);
        self.wait(Sequence::new(id, request, drafter, vocabulary));
        Ok(id)
    }

    /// Ends a request without an answer; does nothing if it has ended.
    pub fn cancel(&mut self, id: RequestId) {
        if let Some(at) = self.waiting.iter().position(|sequence| sequence.id == id) {
            let sequence = self.waiting.remove(at);
            self.images.release(&sequence.request.prompt);
        }
        if let Some(at) = self.running.iter().position(|sequence| sequence.id == id) {
            let sequence = self.running.remove(at);
            self.pages.release(&sequence.pages);
            self.images.release(&sequence.request.prompt);
            self.remember(sequence);
        }
    }

    /// Forgets what was read: the next prompt is read from its beginning.
    pub fn forget(&mut self) {
        self.pages.forget();
    }

    /// The most tokens that a prompt and its answer may have together.
    pub fn room(&self) -> usize {
        (self.limits.pages * PAGE).min(self.model.config().context)
    }

    /// The requests that are not waiting.
    pub fn running(&self) -> impl Iterator<Item = RequestId> {
        self.running.iter().map(|sequence| sequence.id)
    }

    /// Whether nothing is left to do.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// Makes one pass, and says what it brought.
    pub fn step(&mut self) -> Vec<Event> {
        self.admit();
        let counts = self.plan();
        if counts.iter().all(|count| *count == 0) {
            return Vec::new();
        }
        let inputs: Vec<Input> =
            self.running.iter().zip(&counts).map(|(sequence, count)| Input::of(sequence, *count)).collect();
        let spans: Vec<Span<'_>> = self
            .running
            .iter()
            .zip(&inputs)
            .filter(|(_, input)| !input.tokens.is_empty())
            .map(|(sequence, input)| input.span(sequence))
            .collect();
        let logits = self.model.forward_with(&mut self.cache, &spans, self.images.soft(), &mut self.room);
        let mut logits = logits.chunks_exact(self.model.config().vocabulary);
        let mut events = Vec::new();
        for (sequence, input) in self.running.iter_mut().zip(&inputs) {
            let logits: Vec<&[f32]> = logits.by_ref().take(input.tokens.len() - input.wanted_from).collect();
            sequence.read += input.needed;
            if !logits.is_empty() {
                events.push(accept(sequence, &logits, &mut self.cache, &self.corpus));
            }
            while sequence.known < sequence.read / PAGE {
                let (page, first) = (sequence.known, sequence.known * PAGE);
                if let Some(tokens) = sequence.tokens[first..].first_chunk() {
                    let before = page.checked_sub(1).map(|before| sequence.pages[before]);
                    self.pages.know(sequence.pages[page], before, tokens);
                }
                sequence.known += 1;
            }
        }
        for event in events.iter().filter(|event| event.end.is_some()) {
            self.finish(event.id);
        }
        events
    }

    /// Lets those begin that rank first, while there is room.
    fn admit(&mut self) {
        while let Some(first) = self.waiting.first() {
            let needed = first.tokens.len() / PAGE + 1;
            if self.running.len() >= self.limits.running
                || (needed > self.pages.available() && !self.running.is_empty())
            {
                return;
            }
            let mut sequence = self.waiting.remove(0);
            // The last token is always read: what comes after it is what is asked for.
            sequence.pages = self.pages.find(&sequence.tokens[..sequence.tokens.len() - 1]);
            sequence.known = sequence.pages.len();
            sequence.read = sequence.pages.len() * PAGE;
            if sequence.said().is_empty() {
                sequence.usage.cached = sequence.read;
            }
            self.running.push(sequence);
        }
    }

    /// How many tokens each reads in this pass, drafted ones not counted; gives them pages and drafts.
    fn plan(&mut self) -> Vec<usize> {
        let mut left = self.limits.chunk;
        self.running.sort_by_key(Sequence::rank);
        // Who ranks last gives way until all that are left have pages for what they read.
        let mut counts = Vec::new();
        let mut at = 0;
        while at < self.running.len() {
            let unread = self.running[at].unread();
            // Tokens that were just said are read at once; prompts, and what gave its pages back, by and by.
            let is_prompt = self.running[at].said().is_empty() || unread > AT_ONCE;
            let count = if is_prompt { unread.min(left) } else { unread };
            if self.give_pages(at, count) {
                left -= if is_prompt { count } else { 0 };
                counts.push(count);
                at += 1;
            } else if let Some(last) = self.running.pop() {
                self.pages.release(&last.pages);
                self.wait(Sequence { pages: Vec::new(), known: 0, read: 0, ..last });
            }
        }
        self.draft(&counts);
        counts
    }

    /// Pages for so many more tokens, all or none.
    fn give_pages(&mut self, at: usize, count: usize) -> bool {
        let sequence = &mut self.running[at];
        let needed = (sequence.read + count).div_ceil(PAGE).saturating_sub(sequence.pages.len());
        if needed > self.pages.available() {
            return false;
        }
        sequence.pages.extend((0..needed).map_while(|_| self.pages.take()));
        true
    }

    /// Drafts for all who say a token in this pass, as much as pays for all together.
    fn draft(&mut self, counts: &[usize]) {
        let needed = counts.iter().sum();
        let said = self.running.iter().zip(counts).filter(|(sequence, count)| sequence.unread() == **count).count();
        let least = self.curve.least_probability(needed, said, said * self.limits.draft);
        let mut all: Vec<(f64, usize)> = Vec::new();
        for (at, sequence) in self.running.iter_mut().enumerate() {
            sequence.draft = Tree::default();
            // The answer's last token needs no draft behind it.
            let left = (sequence.request.most - sequence.said().len()).saturating_sub(1);
            let most = self.limits.draft.min(left).min(64_usize.saturating_sub(counts[at]));
            if counts[at] == sequence.unread() && !sequence.said().is_empty() && most > 0 {
                sequence.draft.clone_from(sequence.drafter.draft(&self.corpus, most, least));
                if let Some(progress) = &mut sequence.progress {
                    sequence.draft.prune(|branch| progress.allowed_of(branch));
                }
                all.extend(sequence.draft.nodes().iter().map(|node| (node.probability, at)));
            }
        }
        // By falling probability: a node never comes before its parent, whose probability is no lower.
        all.sort_by(|a, b| b.0.total_cmp(&a.0));
        let probabilities: Vec<f64> = all.iter().map(|(probability, _)| *probability).collect();
        let worth = self.curve.worth_reading(needed, said, &probabilities);
        let mut kept = vec![0; self.running.len()];
        all[..worth].iter().for_each(|(_, at)| kept[*at] += 1);
        for (at, mut kept) in kept.into_iter().enumerate() {
            while kept > 0 && !self.give_pages(at, counts[at] + kept) {
                kept -= 1;
            }
            self.running[at].draft.truncate(kept);
        }
    }

    fn wait(&mut self, sequence: Sequence) {
        let at = self.waiting.partition_point(|other| other.rank() < sequence.rank());
        self.waiting.insert(at, sequence);
    }

    /// Ends a request whose answer is whole.
    fn finish(&mut self, id: RequestId) {
        let Some(at) = self.running.iter().position(|sequence| sequence.id == id) else { return };
        let mut sequence = self.running.remove(at);
        self.pages.release(&sequence.pages);
        self.images.release(&sequence.request.prompt);
        self.corpus.add(&sequence.words, &sequence.tokens[sequence.request.prompt.len()..]);
        sequence.drafter.end();
        self.remember(sequence);
    }

    /// Keeps what a session's next request is drafted from.
    fn remember(&mut self, sequence: Sequence) {
        let Some(session) = sequence.request.session else { return };
        self.sessions.insert(session, (self.next, sequence.drafter));
        while self.sessions.len() > self.limits.sessions {
            let oldest =
                self.sessions.iter().min_by_key(|(name, (used, _))| (*used, *name)).map(|(name, _)| name.clone());
            oldest.and_then(|oldest| self.sessions.remove(&oldest));
        }
    }
}

/// What a sequence reads in a pass.
struct Input {
    /// Tokens that have to be read.
    needed: usize,
    /// These, and the drafted ones.
    tokens: Vec<u32>,
    ancestors: Option<Vec<u64>>,
    wanted_from: usize,
}

impl Input {
    fn of(sequence: &Sequence, count: usize) -> Self {
        let mut tokens = sequence.tokens[sequence.read..sequence.read + count].to_vec();
        let is_all = sequence.unread() == count;
        let nodes = sequence.draft.nodes();
        let ancestors = (!nodes.is_empty()).then(|| {
            let needed = (0..count).map(|token| u64::MAX >> (63 - token));
            let drafted = sequence.draft.ancestors().into_iter().map(|bits| bits << count | ((1 << count) - 1));
            needed.chain(drafted).collect()
        });
        tokens.extend(nodes.iter().map(|node| node.token));
        Self { needed: count, tokens, ancestors, wanted_from: if is_all { count.saturating_sub(1) } else { count } }
    }

    fn span<'a>(&'a self, sequence: &'a Sequence) -> Span<'a> {
        Span {
            pages: &sequence.pages,
            before: sequence.read,
            tokens: &self.tokens,
            ancestors: self.ancestors.as_deref().map_or(Ancestors::All, Ancestors::Of),
            wanted_from: self.wanted_from,
        }
    }
}

/// Says what the logits after a sequence's last token, and after the drafted ones, say.
fn accept(sequence: &mut Sequence, logits: &[&[f32]], cache: &mut Cache, corpus: &Corpus) -> Event {
    let first = sequence.said().len();
    let sampling = sequence.request.sampling;
    let progress = &mut sequence.progress;
    let mut said = Vec::new();
    let mut is_stuck = false;
    let branch = sequence.draft.accepted(|last| {
        let (logits, place) = (logits[last.map_or(0, |last| last + 1)], first + said.len());
        let token = match progress {
            None => Ok(sampling.choose(logits, place, None)),
            Some(progress) if progress.is_over() => return None,
            Some(progress) => progress.allowed().and_then(|allowed| {
                let token = sampling.choose(logits, place, Some(&allowed));
                progress.go_on(token).map(|()| token)
            }),
        };
        is_stuck |= token.is_err();
        said.extend(token.as_ref().ok());
        token.ok()
    });
    // Accepted tokens close up behind what is read.
    let slot = |pages: &[u32], at: usize| (pages[at / PAGE], at % PAGE);
    for (to, from) in branch.iter().enumerate().filter(|(to, from)| to != *from) {
        cache.shift(slot(&sequence.pages, sequence.read + from), slot(&sequence.pages, sequence.read + to));
    }
    let chosen = said.len();
    let mut is_over = false;
    if let Some(progress) = progress {
        said.extend(progress.forced());
        is_over = progress.is_over();
    }
    let (count, end) = sequence.say(&said);
    let end = end.or(is_over.then_some(if is_stuck { End::Stuck } else { End::Said }));
    sequence.read += branch.len().min(count);
    sequence.usage.steps += 1;
    sequence.usage.drafted += sequence.draft.nodes().len();
    sequence.usage.accepted += branch.len().min(count);
    sequence.usage.forced += count.saturating_sub(chosen);
    sequence.drafter.accept(corpus, &said[..count]);
    Event { id: sequence.id, tokens: said[..count].to_vec(), end, usage: sequence.usage }
}
