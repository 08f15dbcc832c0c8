//! Drafts for the requests of one session, one after the other.

use super::history::History;
use super::mixture::Mixture;
use super::transplant::{Memory, Signs};
use super::tree::Tree;
use super::{Context, NOTHING, REACH};

/// How much a drafter remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Tokens of the session's own answers.
    pub answers: usize,
    /// Tokens of other answers.
    pub corpus: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { answers: 1 << 15, corpus: 1 << 20 }
    }
}

/// Tokens of a prompt that stand before an answer in the history, so that a beginning is like a beginning.
const LEAD: usize = 8;

/// Foretells what the model will say.
#[derive(Debug, Clone)]
pub struct Drafter {
    signs: Signs,
    transplants: History,
    answers: History,
    prompts: History,
    corpus: History,
    mixture: Mixture<4>,
    /// The present request.
    prompt: Vec<u32>,
    answer: Vec<u32>,
    /// The one before it.
    memory: Option<Memory>,
    context: Context,
    tree: Tree,
}

impl Drafter {
    /// For a vocabulary; remembers nothing yet.
    pub fn new(signs: Signs, limits: Limits) -> Self {
        Self {
            signs,
            transplants: History::new(usize::MAX),
            answers: History::new(limits.answers),
            prompts: History::new(usize::MAX),
            corpus: History::new(limits.corpus),
            mixture: Mixture::new(),
            prompt: Vec::new(),
            answer: Vec::new(),
            memory: None,
            context: [NOTHING; REACH],
            tree: Tree::default(),
        }
    }

    /// Adds an answer from elsewhere, with the end of the prompt before it.
    pub fn hear(&mut self, prompt: &[u32], answer: &[u32]) {
        self.corpus.begin();
        self.corpus.extend(&prompt[prompt.len().saturating_sub(LEAD)..]);
        self.corpus.extend(answer);
    }

    /// Begins a request.
    pub fn begin(&mut self, prompt: &[u32]) {
        let lead = &prompt[prompt.len().saturating_sub(LEAD)..];
        self.prompt = prompt.to_vec();
        self.answer.clear();
        self.prompts.clear();
        self.prompts.begin();
        self.prompts.extend(prompt);
        self.transplants.clear();
        if let Some(memory) = &self.memory {
            self.transplants.begin();
            self.transplants.extend(lead);
            self.transplants.extend(&memory.transplant(&self.signs, prompt));
        }
        self.answers.begin();
        self.answers.extend(lead);
        self.context = [NOTHING; REACH];
        prompt.iter().for_each(|token| self.go_on(*token));
    }

    /// Takes in what the model said.
    pub fn accept(&mut self, tokens: &[u32]) {
        for token in tokens {
            let sources = [&self.transplants, &self.answers, &self.prompts, &self.corpus];
            self.mixture.learn(sources, &self.context, *token);
            self.answers.extend(&[*token]);
            self.answer.push(*token);
            self.go_on(*token);
        }
    }

    /// The `budget` most probable tokens from here on.
    pub fn draft(&mut self, budget: usize) -> &Tree {
        let sources = [&self.transplants, &self.answers, &self.prompts, &self.corpus];
        let mixture = &mut self.mixture;
        self.tree.grow(budget, self.context, |context, found| mixture.foretell(sources, context, found));
        &self.tree
    }

    /// Ends the request: its answer is what the next one's may be like.
    pub fn end(&mut self) {
        self.memory = Some(Memory::new(&self.signs, &self.prompt, &self.answer, self.memory.as_ref()));
    }

    fn go_on(&mut self, token: u32) {
        self.context.rotate_left(1);
        self.context[REACH - 1] = token;
    }
}
