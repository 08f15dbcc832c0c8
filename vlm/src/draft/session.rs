//! Drafts for the requests of one session, one after the other, and the corpus that sessions share.

use super::history::History;
use super::mixture::Mixture;
use super::transplant::{Memory, Signs};
use super::tree::Tree;
use super::{Context, NOTHING, REACH};

/// Tokens of its own answers that a session remembers.
const SESSION: usize = 1 << 15;

/// Tokens of a prompt that stand before an answer in the history, so that a beginning is like a beginning.
const LEAD: usize = 8;

/// Answers that were given to anybody.
#[derive(Debug, Clone)]
pub struct Corpus(History);

impl Corpus {
    /// With room for so many tokens; the oldest answers make room for new ones.
    pub fn new(room: usize) -> Self {
        Self(History::new(room))
    }

    /// Adds an answer, with the end of the prompt before it.
    pub fn add(&mut self, prompt: &[u32], answer: &[u32]) {
        self.0.begin();
        self.0.extend(&prompt[prompt.len().saturating_sub(LEAD)..]);
        self.0.extend(answer);
    }
}

/// Foretells what the model will say.
#[derive(Debug, Clone)]
pub struct Drafter {
    signs: Signs,
    transplants: History,
    answers: History,
    prompts: History,
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
    pub fn new(signs: Signs) -> Self {
        Self {
            signs,
            transplants: History::new(usize::MAX),
            answers: History::new(SESSION),
            prompts: History::new(usize::MAX),
            mixture: Mixture::new(),
            prompt: Vec::new(),
            answer: Vec::new(),
            memory: None,
            context: [NOTHING; REACH],
            tree: Tree::default(),
        }
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
    pub fn accept(&mut self, corpus: &Corpus, tokens: &[u32]) {
        for token in tokens {
            let sources = [&self.transplants, &self.answers, &self.prompts, &corpus.0];
            self.mixture.learn(sources, &self.context, *token);
            self.answers.extend(&[*token]);
            self.answer.push(*token);
            self.go_on(*token);
        }
    }

    /// The `budget` most probable tokens from here on.
    pub fn draft(&mut self, corpus: &Corpus, budget: usize) -> &Tree {
        let sources = [&self.transplants, &self.answers, &self.prompts, &corpus.0];
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
