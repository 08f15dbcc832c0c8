//! Texts that were said, and where in them any two tokens stand one behind the other.

use std::collections::{HashMap, VecDeque};

use super::{Context, NOTHING, REACH};

/// Of places with the same two tokens before them, so many of the latest are looked at.
const PLACES: usize = 256;

/// Of places with the same one token before them, where there are none with two.
const SINGLE_PLACES: usize = 64;

/// How much more a place weighs for each token more that stands there as here.
const PER_TOKEN: f64 = 3.0;

/// What a text weighs beside the one after it.
const PER_TEXT: f64 = 0.8;

/// Texts with an index, of which the oldest make room for new ones.
#[derive(Debug, Clone)]
pub(super) struct History {
    /// All texts one after the other, each with [`NOTHING`] before it.
    tokens: VecDeque<u32>,
    /// Number of the first token that is left, since the beginning.
    first: u64,
    /// Where each text that is left begins.
    begins: VecDeque<u64>,
    /// Places behind two tokens, and behind one, in order.
    pairs: HashMap<[u32; 2], VecDeque<u64>>,
    singles: HashMap<u32, VecDeque<u64>>,
    /// The most tokens.
    room: usize,
}

impl History {
    /// With room for so many tokens.
    pub fn new(room: usize) -> Self {
        let (tokens, begins) = (VecDeque::new(), VecDeque::new());
        Self { tokens, first: 0, begins, pairs: HashMap::new(), singles: HashMap::new(), room }
    }

    /// Begins a text.
    pub fn begin(&mut self) {
        self.begins.push_back(self.end());
        self.tokens.push_back(NOTHING);
        self.make_room();
    }

    /// Goes on with the latest text.
    pub fn extend(&mut self, tokens: &[u32]) {
        for token in tokens {
            let (place, count) = (self.end(), self.tokens.len());
            if let Some(last) = count.checked_sub(1).map(|at| self.tokens[at]).filter(|last| *last != NOTHING) {
                self.singles.entry(last).or_default().push_back(place);
                if let Some(before) = count.checked_sub(2).map(|at| self.tokens[at]).filter(|last| *last != NOTHING) {
                    self.pairs.entry([before, last]).or_default().push_back(place);
                }
            }
            self.tokens.push_back(*token);
        }
        self.make_room();
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.first = self.end();
        self.tokens.clear();
        self.begins.clear();
        self.pairs.clear();
        self.singles.clear();
    }

    /// Tokens that are kept.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Places that the index knows.
    #[cfg(test)]
    pub fn places(&self) -> usize {
        self.singles.values().chain(self.pairs.values()).map(VecDeque::len).sum()
    }

    /// The number of the token that will be next.
    fn end(&self) -> u64 {
        self.first + self.tokens.len() as u64
    }

    /// Whole texts go, the oldest first; the latest stays.
    fn make_room(&mut self) {
        while self.tokens.len() > self.room && self.begins.len() > 1 {
            self.begins.pop_front();
            let upto = self.begins[0];
            let mut behind = [NOTHING; 2];
            while self.first < upto {
                let Some(token) = self.tokens.pop_front() else { return };
                forget(&mut self.singles, behind[1], self.first);
                if behind[0] != NOTHING {
                    forget(&mut self.pairs, behind, self.first);
                }
                behind = [behind[1], token];
                self.first += 1;
            }
        }
    }

    /// What comes next after a context, with weights, by the places that are like it; they replace `found`.
    pub fn foretell(&self, context: &Context, found: &mut Vec<(u32, f64)>) {
        found.clear();
        let [before, last] = [context[REACH - 2], context[REACH - 1]];
        let (places, most, is_pair) = match self.pairs.get(&[before, last]) {
            Some(places) => (places, PLACES, true),
            None => match self.singles.get(&last) {
                Some(places) => (places, SINGLE_PLACES, false),
                None => return,
            },
        };
        let mut begins = self.begins.iter().rev().peekable();
        // The latest text weighs 1.
        let mut text_weight = 1.0;
        for place in places.iter().rev().take(most) {
            while begins.next_if(|begin| *begin > place).is_some() {
                text_weight *= PER_TEXT;
            }
            let length = if is_pair { self.length(*place, context) } else { 1 };
            let weight = text_weight * PER_TOKEN.powi(length as i32);
            let token = self.tokens[(place - self.first) as usize];
            match found.iter_mut().find(|(known, _)| *known == token) {
                Some((_, sum)) => *sum += weight,
                None => found.push((token, weight)),
            }
        }
    }

    /// How many tokens before a place, behind which two are known to, stand before it as in a context.
    fn length(&self, place: u64, context: &Context) -> usize {
        let at = (place - self.first) as usize;
        let mut length = 2;
        while length < REACH && length < at {
            let token = self.tokens[at - length - 1];
            if token != context[REACH - length - 1] || token == NOTHING {
                break;
            }
            length += 1;
        }
        length
    }
}

/// Takes the oldest place out of an index.
fn forget<K: std::hash::Hash + Eq>(index: &mut HashMap<K, VecDeque<u64>>, key: K, place: u64) {
    if let std::collections::hash_map::Entry::Occupied(mut entry) = index.entry(key)
        && entry.get().front() == Some(&place)
    {
        entry.get_mut().pop_front();
        if entry.get().is_empty() {
            entry.remove();
        }
    }
}
