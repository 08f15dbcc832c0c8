//! The published ways to draft from what was said before, to compare with: each as published, each with the present
//! answer's own tokens.

use std::collections::HashMap;

use super::NOTHING;
use super::source::Source;
use super::tree::{Node, Tree};

/// Texts, one after the other, with the places behind every token.
#[derive(Debug, Clone, Default)]
struct Texts {
    tokens: Vec<u32>,
    behind: HashMap<u32, Vec<usize>>,
}

impl Texts {
    fn push(&mut self, tokens: &[u32]) {
        for token in tokens {
            if let Some(last) = self.tokens.last() {
                self.behind.entry(*last).or_default().push(self.tokens.len());
            }
            self.tokens.push(*token);
        }
    }

    /// Ends a text.
    fn cut(&mut self) {
        self.tokens.push(NOTHING);
    }

    fn clear(&mut self) {
        self.tokens.clear();
        self.behind.clear();
    }

    /// Places before which a pattern stands, with something behind them, in order.
    fn places(&self, pattern: &[u32]) -> Vec<usize> {
        let Some(places) = pattern.last().and_then(|last| self.behind.get(last)) else { return Vec::new() };
        let is_like = |place: &usize| {
            let tokens = place.checked_sub(pattern.len()).map(|from| &self.tokens[from..*place]);
            tokens == Some(pattern) && self.tokens[*place] != NOTHING
        };
        places.iter().copied().filter(is_like).collect()
    }

    /// What comes at a place, so many tokens at most.
    fn from(&self, place: usize, most: usize) -> &[u32] {
        let upto = (place + most).min(self.tokens.len());
        let text = &self.tokens[place..upto];
        text.iter().position(|token| *token == NOTHING).map_or(text, |end| &text[..end])
    }

    /// The tree of what comes at places: a node's probability is the share of its parent's places that go on with it;
    /// the `budget` most probable nodes within `depth`, none less probable than `least`.
    fn tree(&self, places: &[usize], budget: usize, depth: usize, least: f64) -> Tree {
        let mut nodes: Vec<Node> = Vec::new();
        let mut waiting: Vec<Branch> = Vec::new();
        let mut branch = Some((1.0, 0, None, places.to_vec()));
        while let Some((probability, level, parent, places)) = branch.take() {
            if level < depth {
                let mut next: Vec<(u32, Vec<usize>)> = Vec::new();
                for place in places.iter().filter(|place| **place < self.tokens.len()) {
                    let token = self.tokens[*place];
                    match next.iter_mut().find(|(known, _)| *known == token) {
                        _ if token == NOTHING => (),
                        Some((_, places)) => places.push(place + 1),
                        None => next.push((token, vec![place + 1])),
                    }
                }
                waiting.extend(next.into_iter().map(|(token, after)| {
                    let probability = probability * after.len() as f64 / places.len() as f64;
                    Branch { node: Node { token, parent, probability }, level: level + 1, places: after }
                }));
            }
            let best = (0..waiting.len()).max_by(|a, b| {
                let [x, y] = [a, b].map(|at| waiting[*at].node.probability);
                x.total_cmp(&y).then(b.cmp(a))
            });
            let is_worth = |best: &usize| nodes.len() < budget && waiting[*best].node.probability >= least;
            let Some(best) = best.filter(is_worth) else { break };
            let Branch { node, level, places } = waiting.remove(best);
            nodes.push(node);
            branch = Some((node.probability, level, Some(nodes.len() - 1), places));
        }
        Tree::of(nodes)
    }
}

/// A node that may be drafted, with the places behind it.
struct Branch {
    node: Node,
    level: usize,
    places: Vec<usize>,
}

/// What was said: earlier answers, and the present request.
#[derive(Debug, Clone, Default)]
struct Heard {
    answers: Texts,
    /// The prompt, then the answer.
    present: Texts,
    answer: Vec<u32>,
}

impl Heard {
    fn begin(&mut self, prompt: &[u32]) {
        self.present.clear();
        self.present.push(prompt);
        self.answer.clear();
    }

    fn accept(&mut self, tokens: &[u32]) {
        self.present.push(tokens);
        self.answer.extend_from_slice(tokens);
    }

    fn end(&mut self) {
        self.answers.push(&self.answer);
        self.answers.cut();
    }

    /// Both, the earlier answers first.
    fn both(&self) -> [&Texts; 2] {
        [&self.answers, &self.present]
    }
}

/// Prompt lookup (Saxena 2023, as in transformers): what comes behind the first place that is like the last tokens, at
/// least one and at most `longest` of them, in the prompt and the answer so far. With `least` = `longest` and the latest
/// place it is llama.cpp's ngram-simple.
#[derive(Debug, Clone)]
pub struct Lookup {
    longest: usize,
    least: usize,
    is_first: bool,
    text: Texts,
}

impl Lookup {
    /// As in transformers.
    pub fn prompt(longest: usize) -> Self {
        Self { longest, least: 1, is_first: true, text: Texts::default() }
    }

    /// As in llama.cpp.
    pub fn simple(length: usize) -> Self {
        Self { longest: length, least: length, is_first: false, text: Texts::default() }
    }
}

impl Source for Lookup {
    fn begin(&mut self, prompt: &[u32]) {
        self.text.clear();
        self.text.push(prompt);
    }

    fn draft(&mut self, budget: usize) -> Tree {
        for length in (self.least..=self.longest.min(self.text.tokens.len())).rev() {
            let places = self.text.places(&self.text.tokens[self.text.tokens.len() - length..]);
            if let Some(place) = if self.is_first { places.first() } else { places.last() } {
                return Tree::chain(self.text.from(*place, budget));
            }
        }
        Tree::default()
    }

    fn accept(&mut self, tokens: &[u32]) {
        self.text.push(tokens);
    }

    fn end(&mut self) {}
}

/// The trie of Ant's Lookahead (Zhao et al. 2023): what has come behind the last two tokens, or the last one, in the
/// prompt, the answer so far and earlier answers, the most frequent first, so many tokens deep. Once there is more than
/// the budget holds, it leaves out what stands only in the prompt; here it does not.
#[derive(Debug, Clone)]
pub struct Trie {
    depth: usize,
    heard: Heard,
}

impl Trie {
    /// With branches of so many tokens.
    pub fn new(depth: usize) -> Self {
        Self { depth, heard: Heard::default() }
    }
}

impl Source for Trie {
    fn begin(&mut self, prompt: &[u32]) {
        self.heard.begin(prompt);
    }

    fn draft(&mut self, budget: usize) -> Tree {
        let present = &self.heard.present.tokens;
        for length in [2, 1] {
            let pattern = &present[present.len().saturating_sub(length)..];
            // One text for both, so that frequencies add up.
            let mut all = Texts::default();
            let mut places = Vec::new();
            for texts in self.heard.both() {
                for place in texts.places(pattern) {
                    places.push(all.tokens.len());
                    all.tokens.extend_from_slice(texts.from(place, self.depth));
                    all.cut();
                }
            }
            if !places.is_empty() {
                return all.tree(&places, budget, self.depth, 0.0);
            }
        }
        Tree::default()
    }

    fn accept(&mut self, tokens: &[u32]) {
        self.heard.accept(tokens);
    }

    fn end(&mut self) {
        self.heard.end();
    }
}

/// SuffixDecoding (Oliaro et al. 2024): of the tree of the present request and that of earlier answers, and of all
/// lengths of what they have in common with what was said last, the draft whose probabilities sum to the most; its size
/// is at most `factor` times that length.
#[derive(Debug, Clone)]
pub struct Suffix {
    factor: f64,
    heard: Heard,
}

impl Suffix {
    /// The longest common past, tokens.
    const DEPTH: usize = 64;

    /// Less probable tokens are not drafted.
    const LEAST: f64 = 0.1;

    /// With drafts of so many tokens for one that is common.
    pub fn new(factor: f64) -> Self {
        Self { factor, heard: Heard::default() }
    }
}

impl Source for Suffix {
    fn begin(&mut self, prompt: &[u32]) {
        self.heard.begin(prompt);
    }

    fn draft(&mut self, budget: usize) -> Tree {
        let said = &self.heard.present.tokens;
        let mut best = (0.0, Tree::default());
        for texts in [&self.heard.present, &self.heard.answers] {
            for length in 1..=said.len().min(Self::DEPTH) {
                let places = texts.places(&said[said.len() - length..]);
                if places.is_empty() {
                    break;
                }
                let size = budget.min((self.factor * length as f64) as usize);
                let tree = texts.tree(&places, size, Self::DEPTH, Self::LEAST);
                let score = tree.nodes().iter().map(|node| node.probability).sum();
                // Of equal ones the one with more in common.
                if score >= best.0 {
                    best = (score, tree);
                }
            }
        }
        best.1
    }

    fn accept(&mut self, tokens: &[u32]) {
        self.heard.accept(tokens);
    }

    fn end(&mut self) {
        self.heard.end();
    }
}

/// The most that copying can bring: of all places in the prompt and in answers that are like the last `length` tokens,
/// the one that goes on rightly the longest. Its tree has a branch for each, and knows no budget but a branch's length.
#[derive(Debug, Clone)]
pub struct Oracle {
    length: usize,
    heard: Heard,
}

impl Oracle {
    /// For places like the last so many tokens.
    pub fn new(length: usize) -> Self {
        Self { length, heard: Heard::default() }
    }
}

impl Source for Oracle {
    fn begin(&mut self, prompt: &[u32]) {
        self.heard.begin(prompt);
    }

    fn draft(&mut self, budget: usize) -> Tree {
        let present = &self.heard.present.tokens;
        let pattern = &present[present.len().saturating_sub(self.length)..];
        let mut tree = Tree::default();
        for texts in self.heard.both() {
            texts.places(pattern).into_iter().for_each(|place| tree.add_branch(texts.from(place, budget)));
        }
        tree
    }

    fn accept(&mut self, tokens: &[u32]) {
        self.heard.accept(tokens);
    }

    fn end(&mut self) {
        self.heard.end();
    }
}
