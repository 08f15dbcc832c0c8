//! Which token comes next, given the logits.
//!
//! A sampled token depends on nothing but the logits, the seed and its place in the answer: not on what else is computed
//! with it, nor on how many tokens were drafted. So sampling with drafts gives the tokens of sampling without.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::grammar::Allowed;

/// How tokens are chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// Logits are divided by it; 0 takes the likeliest token.
    pub temperature: f32,
    /// Only so many of the likeliest tokens count; 0 for all.
    pub top_k: usize,
    /// Only the likeliest tokens count that together have this probability.
    pub top_p: f32,
    /// For what is random.
    pub seed: u64,
}

impl Sampling {
    /// The likeliest token.
    pub const GREEDY: Self = Self { temperature: 0.0, top_k: 0, top_p: 1.0, seed: 0 };

    /// The token at a place of the answer, of those that are allowed there, or of all. What is no number is never
    /// chosen, unless all are.
    pub(crate) fn choose(&self, logits: &[f32], place: usize, allowed: Option<&Allowed>) -> u32 {
        let may = |token: u32| allowed.is_none_or(|allowed| allowed.has(token));
        if self.temperature <= 0.0 {
            return likeliest(logits, may);
        }
        let all = (0..).zip(logits.iter().copied());
        let mut tokens: Vec<(u32, f32)> = all.filter(|(token, x)| !x.is_nan() && may(*token)).collect();
        let by_logit = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if self.top_k > 0 && self.top_k < tokens.len() {
            tokens.select_nth_unstable_by(self.top_k, by_logit);
            tokens.truncate(self.top_k);
        }
        tokens.sort_unstable_by(by_logit);
        let Some((_, largest)) = tokens.first().copied() else { return likeliest(logits, may) };
        let weight = |logit: f32| (f64::from(logit - largest) / f64::from(self.temperature)).exp();
        let all: f64 = tokens.iter().map(|(_, logit)| weight(*logit)).sum();
        let mut kept = 0.0;
        let count = tokens.iter().take_while(|(_, logit)| {
            let is_in = kept < f64::from(self.top_p) * all;
            kept += if is_in { weight(*logit) } else { 0.0 };
            is_in
        });
        let count = count.count().max(1);
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(place as u64);
        let mut left = random.random::<f64>() * kept.max(weight(largest));
        for (token, logit) in &tokens[..count] {
            left -= weight(*logit);
            if left < 0.0 {
                return *token;
            }
        }
        tokens[count - 1].0
    }
}

/// The first of the largest that may be; of none, the first that may be.
fn likeliest(logits: &[f32], may: impl Fn(u32) -> bool) -> u32 {
    let largest = |may: &dyn Fn(u32) -> bool| {
        let mut best = None;
        for (token, logit) in (0..).zip(logits) {
            if *logit > best.map_or(f32::NEG_INFINITY, |(_, largest)| largest) && may(token) {
                best = Some((token, *logit));
            }
        }
        best.map(|(token, _)| token)
    };
    largest(&may).or_else(|| (0..).zip(logits).map(|(token, _)| token).find(|token| may(*token))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likeliest_is_the_first_of_the_largest_numbers() {
        assert_eq!(Sampling::GREEDY.choose(&[1.0, f32::NAN, 3.0, 3.0], 0, None), 2);
        assert_eq!(Sampling::GREEDY.choose(&[f32::NAN; 3], 0, None), 0);
    }

    #[test]
    fn what_is_not_allowed_is_never_chosen() {
        let allowed = Allowed::of(&[0, 3]);
        let greedy = |logits: &[f32]| Sampling::GREEDY.choose(logits, 0, Some(&allowed));
        assert_eq!(greedy(&[1.0, 5.0, 3.0, 2.0]), 3);
        assert_eq!(greedy(&[f32::NEG_INFINITY, 5.0, 3.0, f32::NAN]), 0);
        let sampling = Sampling { temperature: 1.0, seed: 1, ..Sampling::GREEDY };
        let mut seen: Vec<u32> =
            (0..99).map(|place| sampling.choose(&[1.0, 5.0, 3.0, 1.0], place, Some(&allowed))).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, [0, 3]);
    }

    #[test]
    fn sampled_tokens_come_as_often_as_their_probabilities_say() {
        let logits = [0.0, 2.0_f32.ln(), f32::NAN, 5.0_f32.ln(), -50.0];
        let count = |sampling: Sampling| {
            let mut counts = [0; 5];
            (0..8000).for_each(|place| counts[sampling.choose(&logits, place, None) as usize] += 1);
            counts.map(|count| f64::from(count) / 8000.0)
        };
        let plain = Sampling { temperature: 1.0, seed: 3, ..Sampling::GREEDY };
        for (found, wanted) in count(plain).into_iter().zip([0.125, 0.25, 0.0, 0.625, 0.0]) {
            assert!((found - wanted).abs() < 0.02, "{found} {wanted}");
        }
        // Of 5, 2 and 1 parts the first two are enough for 0.8 of all.
        for narrow in [Sampling { top_p: 0.8, ..plain }, Sampling { top_k: 2, ..plain }] {
            for (found, wanted) in count(narrow).into_iter().zip([0.0, 2.0 / 7.0, 0.0, 5.0 / 7.0, 0.0]) {
                assert!((found - wanted).abs() < 0.02, "{found} {wanted}");
            }
        }
        // At half the temperature weights are squared.
        let cold = Sampling { temperature: 0.5, ..plain };
        for (found, wanted) in count(cold).into_iter().zip([1.0 / 30.0, 4.0 / 30.0, 0.0, 25.0 / 30.0, 0.0]) {
            assert!((found - wanted).abs() < 0.02, "{found} {wanted}");
        }
        assert_eq!(plain.choose(&logits, 7, None), plain.choose(&logits, 7, None));
    }
}
