//! One request on its way: what it has read and said.

use super::sampling::Sampling;
use crate::draft::{Drafter, Tree};
use crate::grammar::{Grammar, Progress};

/// What is asked of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The prompt's tokens.
    pub prompt: Vec<u32>,
    /// Whose answers the next ones are like: a vehicle, a conversation.
    pub session: Option<String>,
    /// The most tokens to say.
    pub most: usize,
    /// How they are chosen.
    pub sampling: Sampling,
    /// Tokens that end the answer.
    pub ends: Vec<u32>,
    /// What the answer has to obey.
    pub grammar: Option<Grammar>,
    /// Higher goes first.
    pub priority: i32,
}

/// A request's number within its engine; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The model said so.
    Said,
    /// It has as many tokens as were asked for.
    Length,
    /// The grammar's parser came to its limits.
    Stuck,
}

/// What a request took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt: usize,
    /// Those of them that were in the cache.
    pub cached: usize,
    /// Tokens said.
    pub said: usize,
    /// Those of them that the grammar left no choice about.
    pub forced: usize,
    /// Passes in which they were said.
    pub steps: usize,
    /// Tokens drafted.
    pub drafted: usize,
    /// Drafted tokens that were said.
    pub accepted: usize,
}

/// A request on its way.
#[derive(Debug)]
pub(super) struct Sequence {
    pub id: RequestId,
    pub request: Request,
    /// The prompt's tokens that are words: what is said is drafted from them, and never an image.
    pub words: Vec<u32>,
    /// The prompt, then what was said.
    pub tokens: Vec<u32>,
    /// Tokens that are in the cache.
    pub read: usize,
    pub pages: Vec<u32>,
    /// Of the pages, those that others can find.
    pub known: usize,
    pub drafter: Drafter,
    /// How far the answer has come in its grammar.
    pub progress: Option<Progress>,
    /// What is drafted for the present step.
    pub draft: Tree,
    pub usage: Usage,
}

impl Sequence {
    /// For a model with so many tokens in its vocabulary.
    pub fn new(id: RequestId, request: Request, mut drafter: Drafter, vocabulary: usize) -> Self {
        let words: Vec<u32> = request.prompt.iter().copied().filter(|token| (*token as usize) < vocabulary).collect();
        drafter.begin(&words);
        Self {
            id,
            words,
            tokens: request.prompt.clone(),
            progress: request.grammar.as_ref().map(Grammar::begin),
            usage: Usage { prompt: request.prompt.len(), ..Usage::default() },
            request,
            read: 0,
            pages: Vec::new(),
            known: 0,
            drafter,
            draft: Tree::default(),
        }
    }

    /// What was said so far.
    pub fn said(&self) -> &[u32] {
        &self.tokens[self.request.prompt.len()..]
    }

    /// Tokens that have to be read before the next can be said.
    pub fn unread(&self) -> usize {
        self.tokens.len() - self.read
    }

    /// Who goes first: the higher priority, then who came first.
    pub fn rank(&self) -> (i32, RequestId) {
        (-self.request.priority, self.id)
    }

    /// Takes in what was said; the tokens that count, and why the answer ends with them, if so.
    pub fn say(&mut self, tokens: &[u32]) -> (usize, Option<End>) {
        let left = self.request.most - self.said().len();
        let mut count = tokens.len().min(left);
        let mut end = (count == left).then_some(End::Length);
        if let Some(at) = tokens[..count].iter().position(|token| self.request.ends.contains(token)) {
            (count, end) = (at, Some(End::Said));
        }
        self.tokens.extend_from_slice(&tokens[..count]);
        self.usage.said += count;
        (count, end)
    }
}
