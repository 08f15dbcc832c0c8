//! The previous answer with the values of the present prompt.
//!
//! Judgments of one second and the next mostly differ in numbers, and most of these stand in the prompt: what the
//! sentence "23.6 m ahead" says is what the prompt says of a vehicle's x. So numbers of an answer are traced to where in
//! its prompt they came from, by their surroundings and by where they came from the time before; that prompt is aligned
//! with the present one, numbers standing for one another; and every number is replaced by the one that stands in its
//! source's place now.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::text::Tokenizer;

/// Units before a number that say what it is.
const BEFORE: usize = 16;

/// Units of the prompt around a number that say what it is, before and behind it.
const AROUND: [usize; 2] = [20, 6];

/// What a source is worth that was the source before, and which share of its worth then it keeps.
const SAME_SOURCE: f64 = 1.0;
const KEPT: f64 = 0.9;

/// What the tokens of a vocabulary are for numbers.
#[derive(Debug, Clone)]
pub struct Signs(Arc<[Sign]>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// Digits only.
    Digits,
    /// The point in a number.
    Point,
    /// Ends in a letter: digits that follow are of a name.
    Letter,
    Other,
}

impl Signs {
    /// Of a tokenizer's vocabulary.
    pub fn of(tokenizer: &Tokenizer) -> Self {
        let sign = |id: u32| match tokenizer.bytes_of(id).unwrap_or_default() {
            b"." => Sign::Point,
            bytes if !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit) => Sign::Digits,
            [.., last] if last.is_ascii_alphabetic() || *last >= 128 => Sign::Letter,
            _ => Sign::Other,
        };
        Self((0..tokenizer.size() as u32).map(sign).collect())
    }

    /// Of a vocabulary without numbers.
    pub fn none() -> Self {
        Self(Arc::new([]))
    }

    fn of_token(&self, token: u32) -> Sign {
        self.0.get(token as usize).copied().unwrap_or(Sign::Other)
    }

    /// A text's units: numbers whole, anything else token by token.
    fn units(&self, tokens: &[u32]) -> Vec<Unit> {
        let mut units: Vec<Unit> = Vec::with_capacity(tokens.len());
        let mut at = 0;
        while at < tokens.len() {
            let mut end = at + 1;
            let mut is_number = false;
            if self.of_token(tokens[at]) == Sign::Digits {
                is_number = at == 0 || self.of_token(tokens[at - 1]) != Sign::Letter;
                let is_digits = |at: usize| tokens.get(at).is_some_and(|token| self.of_token(*token) == Sign::Digits);
                while is_digits(end)
                    || (self.of_token(*tokens.get(end).unwrap_or(&0)) == Sign::Point
                        && end < tokens.len()
                        && is_digits(end + 1))
                {
                    end += 1;
                }
            }
            units.push(Unit { is_number, tokens: tokens[at..end].into() });
            at = end;
        }
        units
    }
}

/// A number, or a token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Unit {
    /// Whether other numbers may take its place.
    is_number: bool,
    tokens: Box<[u32]>,
}

impl Unit {
    /// What it is aligned by: numbers are alike.
    fn key(&self) -> Option<&[u32]> {
        (!self.is_number).then_some(&*self.tokens)
    }
}

/// For the units of a text those of another that stand in their place.
fn aligned(from: &[Unit], to: &[Unit]) -> HashMap<usize, usize> {
    let [from, to] = [from, to].map(|units| units.iter().map(Unit::key).collect::<Vec<_>>());
    let mut places = HashMap::new();
    for part in capture_diff_slices(Algorithm::Myers, &from, &to) {
        if let DiffOp::Equal { old_index, new_index, len } = part {
            places.extend((0..len).map(|at| (old_index + at, new_index + at)));
        }
    }
    places
}

/// A request that was answered, with where its answer's numbers came from.
#[derive(Debug, Clone)]
pub struct Memory {
    prompt: Vec<Unit>,
    answer: Vec<Unit>,
    /// For numbers of the answer places in the prompt where they may have come from, with what speaks for each.
    sources: BTreeMap<usize, BTreeMap<usize, f64>>,
}

impl Memory {
    /// Of a request and the one before it.
    pub fn new(signs: &Signs, prompt: &[u32], answer: &[u32], previous: Option<&Self>) -> Self {
        let (prompt, answer) = (signs.units(prompt), signs.units(answer));
        let known = previous.map(|previous| previous.carried(&prompt, &answer)).unwrap_or_default();
        let mut counts: HashMap<&Unit, usize> = HashMap::new();
        let mut numbers: HashMap<&Unit, Vec<usize>> = HashMap::new();
        for (at, unit) in prompt.iter().enumerate() {
            *counts.entry(unit).or_default() += 1;
            if unit.is_number {
                numbers.entry(unit).or_default().push(at);
            }
        }
        let mut sources = BTreeMap::new();
        for (at, unit) in answer.iter().enumerate().filter(|(_, unit)| unit.is_number) {
            let Some(places) = numbers.get(unit) else { continue };
            let before = &answer[at.saturating_sub(BEFORE)..at];
            let speaks = |place: &usize| {
                let from = place.saturating_sub(AROUND[0]);
                let around: HashSet<&Unit> = prompt[from..prompt.len().min(place + AROUND[1])].iter().collect();
                let shared = before.iter().rev().enumerate().filter(|(_, unit)| around.contains(unit));
                // What is rare in the prompt says more, and what is near.
                let by_words: f64 =
                    shared.map(|(far, unit)| 1.0 / (counts[unit] + 1) as f64 / (1.0 + 0.1 * far as f64)).sum();
                let by_memory = known.get(&at).and_then(|known| known.get(place));
                by_words + by_memory.map_or(0.0, |worth| SAME_SOURCE + KEPT * worth)
            };
            sources.insert(at, places.iter().map(|place| (*place, speaks(place))).collect());
        }
        Self { prompt, answer, sources }
    }

    /// The sources in terms of a later request.
    fn carried(&self, prompt: &[Unit], answer: &[Unit]) -> HashMap<usize, BTreeMap<usize, f64>> {
        let (places, numbers) = (aligned(&self.prompt, prompt), aligned(&self.answer, answer));
        let carry = |(number, sources): (&usize, &BTreeMap<usize, f64>)| {
            let sources = sources.iter().filter_map(|(place, worth)| Some((*places.get(place)?, *worth)));
            Some((*numbers.get(number)?, sources.collect()))
        };
        self.sources.iter().filter_map(carry).collect()
    }

    /// The answer as it would be to another prompt, had only values changed.
    pub fn transplant(&self, signs: &Signs, prompt: &[u32]) -> Vec<u32> {
        let prompt = signs.units(prompt);
        let places = aligned(&self.prompt, &prompt);
        let mut answer = Vec::new();
        for (at, unit) in self.answer.iter().enumerate() {
            let best = self.sources.get(&at).and_then(|sources| sources.iter().max_by(|a, b| a.1.total_cmp(b.1)));
            let now = best.and_then(|(place, _)| places.get(place)).map(|place| &prompt[*place]);
            answer.extend_from_slice(&now.unwrap_or(unit).tokens);
        }
        answer
    }
}
