//! How well a model foretells a text: its perplexity, as llama.cpp's tool of that name computes it.
//!
//! The text is cut into windows; of each, the tokens of the second half are scored, so that every one has at least half
//! a window before it (llama.cpp `tools/perplexity/perplexity.cpp`, `perplexity`).

use rayon::prelude::*;

use crate::cache::{Cache, Precision};
use crate::kernel::{Ancestors, PAGE};
use crate::model::{Model, Span, Workspace};

/// A text's windows of `context` tokens, which begin with `begin` in the place of their first token if it is given. What
/// fills no window is left out.
pub fn windows(tokens: &[u32], context: usize, begin: Option<u32>) -> impl ExactSizeIterator<Item = Vec<u32>> {
    tokens.chunks_exact(context.max(1)).map(move |window| {
        let mut window = window.to_vec();
        window[0] = begin.unwrap_or(window[0]);
        window
    })
}

/// The token of a window behind which tokens are scored.
pub const fn scored_from(context: usize) -> usize {
    context / 2
}

/// A model that foretells windows.
#[derive(Debug)]
pub struct Foreteller<'a> {
    model: &'a Model,
    cache: Cache,
    room: Workspace,
}

impl<'a> Foreteller<'a> {
    /// For windows of so many tokens at most.
    pub fn new(model: &'a Model, context: usize) -> Self {
        let cache = Cache::new(model.shape(), Precision::default(), context.div_ceil(PAGE));
        Self { model, cache, room: Workspace::default() }
    }

    /// The negative log-likelihoods of a window's scored tokens, nats. The tokens must be the model's.
    pub fn nats(&mut self, window: &[u32]) -> Vec<f64> {
        let pages: Vec<u32> = (0..self.cache.pages() as u32).collect();
        let wanted_from = scored_from(window.len());
        let span = Span { pages: &pages, before: 0, tokens: window, ancestors: Ancestors::All, wanted_from };
        let logits = self.model.forward(&mut self.cache, &[span], &mut self.room);
        (logits.par_chunks_exact(self.model.config().vocabulary))
            .zip(&window[wanted_from + 1..])
            .map(|(logits, next)| nats(logits, *next))
            .collect()
    }
}

/// The negative log-likelihood of a token by the logits before it.
fn nats(logits: &[f32], token: u32) -> f64 {
    let largest = logits.iter().copied().fold(f32::MIN, f32::max);
    let sum: f64 = logits.iter().map(|logit| f64::from((logit - largest).exp())).sum();
    sum.ln() - f64::from(logits[token as usize] - largest)
}

/// What a text was to a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Perplexity {
    /// Tokens that were scored.
    pub tokens: usize,
    /// The mean of their negative log-likelihoods, nats.
    pub mean_nats: f64,
    /// The standard error of the mean, nats.
    pub error_nats: f64,
}

impl Perplexity {
    /// Of tokens' negative log-likelihoods, nats; `None` if there are none.
    pub fn of(nats: &[f64]) -> Option<Self> {
        let count = nats.len() as f64;
        let mean_nats = nats.iter().sum::<f64>() / count;
        let variance = nats.iter().map(|nats| (nats - mean_nats).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
        (!nats.is_empty()).then(|| Self { tokens: nats.len(), mean_nats, error_nats: (variance / count).sqrt() })
    }

    /// The perplexity itself: the number of equally likely tokens that would have been as hard to foretell.
    pub fn value(&self) -> f64 {
        self.mean_nats.exp()
    }

    /// The perplexity's standard error.
    pub fn error(&self) -> f64 {
        self.value() * self.error_nats
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::format::Format;
    use crate::model::tests::{quantized, sequences};

    #[test]
    fn it_is_that_of_the_peers_logits_for_the_second_half_of_a_window() {
        let (tokens, logits) = sequences().pop().unwrap();
        let model = quantized(Format::F32);
        let size = model.config().vocabulary;
        let context = 20;
        // The peer's logits know all that was before, and so only the first window is the same.
        let wanted: Vec<f64> = (context / 2..context - 1)
            .map(|at| {
                let logits = logits[at * size..(at + 1) * size].iter().map(|logit| f64::from(*logit));
                let sum = logits.clone().map(f64::exp).sum::<f64>();
                sum.ln() - logits.clone().nth(tokens[at + 1] as usize).unwrap()
            })
            .collect();
        let window = windows(&tokens, context, None).next().unwrap();
        let found = Foreteller::new(&model, context).nats(&window);
        assert_eq!(found.len(), 9);
        // Keys and values are kept in half precision.
        assert!(found.iter().zip(&wanted).all(|(a, b)| (a - b).abs() < 1e-2), "{found:?} {wanted:?}");
        let [found, wanted] = [&found, &wanted].map(|nats| Perplexity::of(nats).unwrap().mean_nats);
        assert!((found - wanted).abs() < 2e-3, "{found} {wanted}");
    }

    #[test]
    fn windows_are_whole_and_begin_with_what_is_given() {
        let tokens: Vec<u32> = (0..11).collect();
        let all: Vec<_> = windows(&tokens, 4, Some(99)).collect();
        assert_eq!(all, [[99, 1, 2, 3], [99, 5, 6, 7]]);
        assert_eq!(windows(&tokens, 12, None).len(), 0);
    }

    #[test]
    fn its_error_is_that_of_a_mean() {
        assert_eq!(Perplexity::of(&[]), None);
        // Mean 2, variance 4 / 3, over four.
        let found = Perplexity::of(&[1.0, 3.0, 3.0, 1.0]).unwrap();
        assert_eq!((found.tokens, found.mean_nats), (4, 2.0));
        assert!((found.error_nats - (1.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert!((found.value() - 2.0_f64.exp()).abs() < 1e-12 && found.error() > found.error_nats);
    }
}
