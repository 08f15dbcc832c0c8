//! What a model says when it is asked nothing: texts to calibrate it by where there are no others.
//!
//! They are nearer to all that it was taught than any one text is; LLM-QAT (Liu et al. 2023, arXiv 2305.17888) makes its
//! training texts so.

use std::collections::BTreeMap;

use crate::draft::Signs;
use crate::engine::{Curve, Engine, Limits, Refused, Request, Sampling};
use crate::kernel::PAGE;
use crate::model::Model;
use crate::text::Tokenizer;

/// The likeliest tokens that are chosen from; rarer ones soon lead into nonsense.
const LIKELIEST: usize = 50;

/// So many texts of `length` tokens, the same each time. `progress` hears how many tokens of how many there are.
///
/// # Errors
/// [`Refused`] for texts that are longer than the model's context, or of no tokens.
pub fn own_words(
    model: Model,
    tokenizer: &Tokenizer,
    count: usize,
    length: usize,
    mut progress: impl FnMut(usize, usize),
) -> Result<Vec<Vec<u32>>, Refused> {
    let begin = tokenizer.bos().unwrap_or(0);
    let running = Limits::default().running;
    let limits = Limits { draft: 0, waiting: count, pages: running * length.div_ceil(PAGE), ..Limits::default() };
    // A curve says how much to draft, and nothing is.
    let mut engine = Engine::new(model, Signs::of(tokenizer), Curve::new([(1, 1.0)]), limits);
    let mut texts = BTreeMap::new();
    for seed in 0..count as u64 {
        let sampling = Sampling { temperature: 1.0, top_k: LIKELIEST, top_p: 1.0, seed };
        let most = length.saturating_sub(1);
        let id = engine.submit(Request {
            prompt: vec![begin],
            session: None,
            most,
            sampling,
            ends: Vec::new(),
            grammar: None,
            priority: 0,
        })?;
        texts.insert(id, vec![begin]);
    }
    let mut said = 0;
    while !engine.is_idle() {
        for event in engine.step() {
            said += event.tokens.len();
            texts.entry(event.id).or_default().extend(event.tokens);
        }
        progress(said, count * length.saturating_sub(1));
    }
    Ok(texts.into_values().collect())
}
