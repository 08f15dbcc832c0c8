//! Drafts for the requests of one session, one after the other.

use super::corpus::Corpus;
use super::history::History;
use super::mixture::Mixture;
use super::transplant::{Memory, Signs};
use super::tree::Tree;
use super::{Context, LEAD, NOTHING, REACH};

/// Tokens of its own answers that a session remembers.
const SESSION: usize = 1 << 15;

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
            transplants: History::default(),
            answers: History::default(),
            prompts: History::default(),
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
        self.prompts.begin(prompt.len());
        self.prompts.extend(prompt);
        self.transplants.clear();
        if let Some(memory) = &self.memory {
            let text = [lead, &memory.transplant(&self.signs, prompt)].concat();
            self.transplants.begin(text.len());
            self.transplants.extend(&text);
        }
        while self.answers.tokens() > SESSION
            && let Some(oldest) = self.answers.oldest()
        {
            self.answers.remove(oldest);
        }
        self.answers.begin(lead.len());
        self.answers.extend(lead);
        self.context = [NOTHING; REACH];
        prompt.iter().for_each(|token| self.go_on(*token));
    }

    /// Takes in what the model said.
    pub fn accept(&mut self, corpus: &Corpus, tokens: &[u32]) {
        for token in tokens {
            let sources = [&self.transplants, &self.answers, &self.prompts, corpus.history()];
            self.mixture.learn(sources, &self.context, *token);
            self.answers.extend(&[*token]);
            self.answer.push(*token);
            self.go_on(*token);
        }
    }

    /// The `budget` most probable tokens from here on, without those that are less probable than `least`.
    pub fn draft(&mut self, corpus: &Corpus, budget: usize, least: f64) -> &Tree {
        let sources = [&self.transplants, &self.answers, &self.prompts, corpus.history()];
        let mixture = &mut self.mixture;
        self.tree.grow(budget, least, self.context, |context, found| mixture.foretell(sources, context, found));
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
