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
        self.drafter.draft(&self.corpus, budget, 0.0).clone()
    }

    fn accept(&mut self, tokens: &[u32]) {
        self.drafter.accept(&self.corpus, tokens);
    }

    fn end(&mut self) {
        self.drafter.end();
    }
}

/// What an answer took: the first token comes out of reading the prompt, and every step says one token itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    /// Tokens behind the first.
    pub tokens: usize,
    /// Steps in which they were said.
    pub steps: usize,
}

impl Steps {
    /// Tokens a step over several answers.
    pub fn rate(answers: &[Self]) -> f64 {
        let sum = |of: fn(&Self) -> usize| answers.iter().map(of).sum::<usize>() as f64;
        sum(|answer| answer.tokens) / sum(|answer| answer.steps).max(1.0)
    }
}

/// What each of the requests takes, one after the other, as if a model had answered them so.
pub fn replay(source: &mut dyn Source, requests: &[(Vec<u32>, Vec<u32>)], budget: usize) -> Vec<Steps> {
    let mut each = Vec::with_capacity(requests.len());
    for (prompt, answer) in requests {
        let mut steps = Steps { tokens: answer.len().saturating_sub(1), steps: 0 };
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
            steps.steps += 1;
            at = upto;
        }
        source.end();
        each.push(steps);
    }
    each
}
