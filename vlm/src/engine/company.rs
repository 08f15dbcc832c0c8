//! Requests in each other's company, as a server has them, and alone: what is said to them must be the same.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{End, Engine, Refused, Request, RequestId, Usage};

/// Requests that come between two passes, at most.
const AT_A_TIME: usize = 3;

/// Whoever goes, goes before so many passes.
const PATIENCE: usize = 40;

/// What was said to a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Said {
    /// The answer's tokens.
    pub tokens: Vec<u32>,
    /// Why it ended; `None` if it was cancelled on its way.
    pub end: Option<End>,
    /// What it took.
    pub usage: Usage,
}

impl Said {
    /// How many tokens are not those that were wanted: others, too many, or missing; at least one if it should have ended
    /// otherwise. Of an answer that was cancelled none are missing.
    pub fn differing(&self, wanted: &Self) -> usize {
        let (found, wanted_tokens) = (self.tokens.len(), wanted.tokens.len());
        let others = self.tokens.iter().zip(&wanted.tokens).filter(|(found, wanted)| found != wanted).count();
        match self.end {
            None => others + found.saturating_sub(wanted_tokens),
            end => (others + found.abs_diff(wanted_tokens)).max(usize::from(end != wanted.end)),
        }
    }
}

/// What became of requests that came together.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Company {
    /// To each of them, in their order.
    pub said: Vec<Said>,
    /// How often one of them gave its pages back and began to read again.
    pub preempted: usize,
}

/// Asks an engine that has nothing else to do one thing, which it reads from its beginning.
///
/// # Errors
/// [`Refused`] if it does not take the request.
pub fn alone(engine: &mut Engine, request: &Request) -> Result<Said, Refused> {
    engine.forget();
    engine.submit(request.clone())?;
    let mut said = Said::default();
    while !engine.is_idle() {
        for event in engine.step() {
            said.tokens.extend(event.tokens);
            (said.end, said.usage) = (event.end, event.usage);
        }
    }
    Ok(said)
}

/// Lets requests come in any order, up to three between two passes, to an engine that has nothing else to do. A share of
/// them, `cancels`, is cancelled after up to forty passes, unless it is answered by then.
///
/// # Errors
/// [`Refused`] for the first that the engine does not take.
pub fn together(
    engine: &mut Engine,
    requests: &[Request],
    cancels: f64,
    random: &mut ChaCha8Rng,
) -> Result<Company, Refused> {
    let mut coming: Vec<usize> = (0..requests.len()).collect();
    let mut on_the_way: BTreeMap<RequestId, Asked> = BTreeMap::new();
    let mut company = Company { said: vec![Said::default(); requests.len()], preempted: 0 };
    while !(coming.is_empty() && engine.is_idle()) {
        for _ in 0..random.random_range(0..=AT_A_TIME).min(coming.len()) {
            let number = coming.swap_remove(random.random_range(0..coming.len()));
            let patience = if random.random_bool(cancels) { random.random_range(0..PATIENCE) } else { usize::MAX };
            on_the_way.insert(engine.submit(requests[number].clone())?, Asked { number, patience });
        }
        for (id, _) in on_the_way.extract_if(.., |_, asked| asked.patience == 0) {
            engine.cancel(id);
        }
        on_the_way.values_mut().for_each(|asked| asked.patience -= 1);
        let before: BTreeSet<RequestId> = engine.running().collect();
        for event in engine.step() {
            let Some(Asked { number, .. }) = on_the_way.get(&event.id) else { continue };
            let said = &mut company.said[*number];
            said.tokens.extend(event.tokens);
            (said.end, said.usage) = (event.end, event.usage);
            if event.end.is_some() {
                on_the_way.remove(&event.id);
            }
        }
        let after: BTreeSet<RequestId> = engine.running().collect();
        company.preempted += before.difference(&after).filter(|id| on_the_way.contains_key(id)).count();
    }
    Ok(company)
}

/// A request on its way.
struct Asked {
    number: usize,
    /// Passes after which it is cancelled.
    patience: usize,
}
