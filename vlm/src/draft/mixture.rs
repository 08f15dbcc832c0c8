//! What several sources foretell together, each by how well it has foretold of late.
//!
//! Bayes' mixture of experts that may take turns in being right (fixed share: Herbster and Warmuth 1998).

use super::Context;
use super::history::History;

/// The share of all credit that goes back to all sources alike at every token.
const SHARE: f64 = 0.01;

/// What a source is taken to have foretold a token with that it has not: it may be right next time.
const SURPRISE: f64 = 0.02;

/// Credit of `N` sources.
#[derive(Debug, Clone)]
pub(super) struct Mixture<const N: usize> {
    credit: [f64; N],
    /// What each source foretells, while it is mixed.
    each: [Vec<(u32, f64)>; N],
}

impl<const N: usize> Mixture<N> {
    pub fn new() -> Self {
        Self { credit: [1.0 / N as f64; N], each: std::array::from_fn(|_| Vec::new()) }
    }

    /// What comes next after a context, with probabilities, the likeliest first; replaces `found`.
    pub fn foretell(&mut self, sources: [&History; N], context: &Context, found: &mut Vec<(u32, f64)>) {
        found.clear();
        self.ask(sources, context);
        let all: f64 =
            self.credit.iter().zip(&self.each).filter(|(_, each)| !each.is_empty()).map(|(credit, _)| credit).sum();
        for (credit, each) in self.credit.iter().zip(&self.each) {
            for (token, probability) in each {
                let share = credit / all * probability;
                match found.iter_mut().find(|(known, _)| known == token) {
                    Some((_, sum)) => *sum += share,
                    None => found.push((*token, share)),
                }
            }
        }
        // Equal ones in the order of tokens, so that equal histories give equal drafts.
        found.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    }

    /// Learns which token came.
    pub fn learn(&mut self, sources: [&History; N], context: &Context, token: u32) {
        self.ask(sources, context);
        let speaks: [bool; N] = std::array::from_fn(|source| !self.each[source].is_empty());
        // One alone is neither better nor worse than others.
        if speaks.iter().filter(|speaks| **speaks).count() < 2 {
            return;
        }
        let speakers = |credit: &[f64; N]| -> f64 {
            credit.iter().zip(&speaks).filter(|(_, speaks)| **speaks).map(|(credit, _)| credit).sum()
        };
        let before = speakers(&self.credit);
        for ((credit, each), _) in self.credit.iter_mut().zip(&self.each).zip(&speaks).filter(|(_, speaks)| **speaks) {
            *credit *= SURPRISE + each.iter().find(|(known, _)| *known == token).map_or(0.0, |(_, share)| *share);
        }
        let after = speakers(&self.credit);
        for (credit, _) in self.credit.iter_mut().zip(&speaks).filter(|(_, speaks)| **speaks) {
            *credit *= before / after;
        }
        for credit in &mut self.credit {
            *credit = (1.0 - SHARE) * *credit + SHARE / N as f64;
        }
    }

    /// What each source foretells, with probabilities.
    fn ask(&mut self, sources: [&History; N], context: &Context) {
        for (source, each) in sources.into_iter().zip(&mut self.each) {
            source.foretell(context, each);
            let sum: f64 = each.iter().map(|(_, weight)| weight).sum();
            each.iter_mut().for_each(|(_, weight)| *weight /= sum);
        }
    }
}
