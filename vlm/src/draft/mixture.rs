//! What several sources foretell together, each by how well it has foretold of late.
//!
//! Bayes' mixture of experts that may take turns in being right (fixed share: Herbster and Warmuth 1998).

use super::history::History;
use super::{Context, REACH};

/// The share of all credit that goes back to all sources alike at every token.
const SHARE: f64 = 0.01;

/// What a source is taken to have foretold a token with that it has not: it may be right next time.
const SURPRISE: f64 = 0.02;

/// How often what a source took for the likeliest came, beside how often that was to be expected, for places with so
/// many tokens in common with what was said: what a source says of a token that two places agree on is worth little if
/// they have but one token in common.
#[derive(Debug, Clone, Copy)]
struct Trust {
    came: f64,
    expected: f64,
}

/// Tokens for which what is known of other texts counts, before a source's own record does.
const PRIOR: f64 = 4.0;

/// The share that a record keeps with every token added to it.
const KEPT: f64 = 0.99;

impl Trust {
    /// Before anything is known.
    fn new(length: usize) -> Self {
        let square = (length * length) as f64;
        Self { came: PRIOR * square / (square + 9.0), expected: PRIOR }
    }

    fn share(self) -> f64 {
        (self.came / self.expected).min(1.0)
    }

    fn learn(&mut self, expected: f64, came: bool) {
        self.came = KEPT * self.came + f64::from(u8::from(came));
        self.expected = KEPT * self.expected + expected;
    }
}

/// Credit of `N` sources.
#[derive(Debug, Clone)]
pub(super) struct Mixture<const N: usize> {
    credit: [f64; N],
    /// By how many tokens the place that is most like the context has in common with it.
    trust: [[Trust; REACH + 1]; N],
    /// What each source foretells, with probabilities, while it is mixed, and by how many tokens in common.
    each: [(Vec<(u32, f64)>, usize); N],
}

impl<const N: usize> Mixture<N> {
    pub fn new() -> Self {
        Self {
            credit: [1.0 / N as f64; N],
            trust: [std::array::from_fn(Trust::new); N],
            each: std::array::from_fn(|_| (Vec::new(), 0)),
        }
    }

    /// What comes next after a context, with probabilities, the likeliest first; replaces `found`.
    pub fn foretell(&mut self, sources: [&History; N], context: &Context, found: &mut Vec<(u32, f64)>) {
        found.clear();
        self.ask(sources, context);
        let speakers = self.speakers();
        for ((credit, trust), (each, longest)) in self.credit.iter().zip(&self.trust).zip(&self.each) {
            for (token, probability) in each {
                let share = credit / speakers * trust[*longest].share() * probability;
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
        let before = self.speakers();
        for ((credit, trust), (each, longest)) in self.credit.iter_mut().zip(&mut self.trust).zip(&self.each) {
            let Some((likeliest, expected)) = each.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1)) else { continue };
            let share = each.iter().find(|(known, _)| *known == token).map_or(0.0, |(_, share)| *share);
            *credit *= SURPRISE + share;
            trust[*longest].learn(expected, likeliest == token);
        }
        let after = self.speakers();
        // One alone is neither better nor worse than others.
        for (credit, (each, _)) in self.credit.iter_mut().zip(&self.each) {
            *credit *= if each.is_empty() { 1.0 } else { before / after };
        }
        for credit in &mut self.credit {
            *credit = (1.0 - SHARE) * *credit + SHARE / N as f64;
        }
    }

    /// The credit of all sources that foretell something.
    fn speakers(&self) -> f64 {
        self.credit.iter().zip(&self.each).filter(|(_, (each, _))| !each.is_empty()).map(|(credit, _)| credit).sum()
    }

    /// What each source foretells.
    fn ask(&mut self, sources: [&History; N], context: &Context) {
        for (source, (each, longest)) in sources.into_iter().zip(&mut self.each) {
            *longest = source.foretell(context, each);
            let sum: f64 = each.iter().map(|(_, weight)| weight).sum();
            each.iter_mut().for_each(|(_, weight)| *weight /= sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::draft::NOTHING;

    /// The share of tokens for which the likeliest came, and for which it was expected to, where a token follows from the one
    /// before it with a probability and is any of forty otherwise.
    fn came_and_expected(follows: f64) -> [f64; 2] {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let (mut mixture, mut sources) = (Mixture::<2>::new(), [History::default(), History::default()]);
        let (mut context, mut found) = ([NOTHING; REACH], Vec::new());
        let (mut token, mut sums) = (0, [0.0; 2]);
        sources[0].begin(0);
        for count in 0..4000 {
            // One of the two hears the first quarter only.
            if count == 1000 {
                sources[1] = sources[0].clone();
            }
            let next = if random.random::<f64>() < follows { (token * 7 + 1) % 40 } else { random.random_range(0..40) };
            mixture.foretell(sources.each_ref(), &context, &mut found);
            if let Some((likeliest, probability)) = found.first() {
                sums[0] += f64::from(u8::from(*likeliest == next));
                sums[1] += probability;
            }
            mixture.learn(sources.each_ref(), &context, next);
            sources[0].extend(&[next]);
            context.rotate_left(1);
            context[REACH - 1] = next;
            token = next;
        }
        sums.map(|sum| sum / 4000.0)
    }

    #[test]
    fn what_is_foretold_comes_about_as_often_as_it_says() {
        for (follows, least) in [(0.9, 0.8), (0.5, 0.3), (0.0, 0.0)] {
            let [came, expected] = came_and_expected(follows);
            println!("{follows}: {came:.3} came, {expected:.3} were expected");
            assert!(came >= least && (expected - came).abs() < 0.05, "{follows}: {came} came, not {expected}");
        }
    }
}
