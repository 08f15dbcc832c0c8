//! Anything that drafts, as a bench or an engine asks it.

use super::{Corpus, Drafter, Tree};

/// Foretells what a model will say, request by request.
pub trait Source {
    /// Begins a request.
    fn begin(&mut self, prompt: &[u32]);

    /// A tree of so many tokens at most.
    fn draft(&mut self, budget: usize) -> Tree;

    /// Takes in what was said.
    fn accept(&mut self, tokens: &[u32]);

    /// Ends the request.
    fn end(&mut self);
}

/// A drafter with a corpus that it has to itself.
#[derive(Debug, Clone)]
pub struct Alone {
    /// The drafter.
    pub drafter: Drafter,
    /// What else it has heard.
    pub corpus: Corpus,
}

impl Source for Alone {
    fn begin(&mut self, prompt: &[u32]) {
        self.drafter.begin(prompt);
    }

    fn draft(&mut self, budget: usize) -> Tree {
        self.drafter.draft(&self.corpus, budget).clone()
    }

    fn accept(&mut self, tokens: &[u32]) {
        self.drafter.accept(&self.corpus, tokens);
    }

    fn end(&mut self) {
        self.drafter.end();
    }
}

/// Tokens a step over requests with their answers, as if a model had said these; the first `warm_up` are heard but not
/// counted. The first token of an answer comes out of reading the prompt, and every step says one token itself.
pub fn tokens_a_step(source: &mut dyn Source, requests: &[(Vec<u32>, Vec<u32>)], budget: usize, warm_up: usize) -> f64 {
    let (mut tokens, mut steps) = (0_u32, 0_u32);
    for (number, (prompt, answer)) in requests.iter().enumerate() {
        source.begin(prompt);
        source.accept(&answer[..answer.len().min(1)]);
        let mut at = 1;
        while at < answer.len() {
            let mut said = at;
            let tree = source.draft(budget);
            let branch = tree.accepted(|_| {
                said += 1;
                answer.get(said - 1).copied()
            });
            let upto = (at + branch.len() + 1).min(answer.len());
            source.accept(&answer[at..upto]);
            if number >= warm_up {
                tokens += (upto - at) as u32;
                steps += 1;
            }
            at = upto;
        }
        source.end();
    }
    f64::from(tokens) / f64::from(steps.max(1))
}
