//! Texts that were said, and where in them any two tokens stand one behind the other.
//!
//! All places behind the same two tokens hang together in a chain, the newest first, and so do those behind the same
//! one. Chains are linked in both directions, so that any text, wherever in the order it stands, leaves without a look at
//! the others, and nothing tells afterwards that it was there.

use std::collections::{HashMap, VecDeque};

use super::{Context, NOTHING, REACH};

/// Of places with the same two tokens before them, so many of the newest are looked at.
const PLACES: usize = 256;

/// Of places with the same one token before them, where there are none with two.
const SINGLE_PLACES: usize = 64;

/// How much more a place weighs for each token more that stands there as here.
const PER_TOKEN: f64 = 3.0;

/// What a text weighs beside the one after it.
const PER_TEXT: f64 = 0.8;

/// Texts before so many others are all equally old: in a large corpus it counts how much is alike, not when it was said.
const OLD: usize = 32;

/// The chains that a place hangs in: that of the same one token before it, and that of the same two.
const CHAINS: usize = 2;

/// A token of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    text: u32,
    /// Tokens of the text before it.
    at: u32,
}

/// The end of a chain.
const NOWHERE: Place = Place { text: u32::MAX, at: u32::MAX };

/// A place's neighbours in a chain.
#[derive(Debug, Clone, Copy)]
struct Link {
    older: Place,
    newer: Place,
}

#[derive(Debug, Clone, Default)]
struct Text {
    tokens: Vec<u32>,
    /// Of every token.
    links: Vec<[Link; CHAINS]>,
}

impl Text {
    /// What all places of a chain have before them; none at the beginning of a text.
    fn key(&self, at: usize, chain: usize) -> Option<[u32; 2]> {
        let before = |count: usize| at.checked_sub(count).map(|at| self.tokens[at]);
        Some([if chain == 0 { NOTHING } else { before(2)? }, before(1)?])
    }
}

/// Texts with an index.
#[derive(Debug, Clone, Default)]
pub(super) struct History {
    /// Texts by number; the number of one that has left is the next one's.
    texts: Vec<Text>,
    free: Vec<u32>,
    /// Numbers of texts from the oldest to the newest.
    order: VecDeque<u32>,
    /// The newest place of every chain.
    newest: HashMap<[u32; 2], Place>,
    /// Tokens of all texts.
    tokens: usize,
}

impl History {
    /// Begins a text of about so many tokens, and gives it a number.
    pub fn begin(&mut self, length: usize) -> u32 {
        let number = self.free.pop().unwrap_or_else(|| {
            self.texts.push(Text::default());
            self.texts.len() as u32 - 1
        });
        let text = &mut self.texts[number as usize];
        text.tokens.reserve_exact(length);
        text.links.reserve_exact(length);
        self.order.push_back(number);
        number
    }

    /// Goes on with the newest text.
    pub fn extend(&mut self, tokens: &[u32]) {
        let Some(number) = self.order.back().copied() else { return };
        for token in tokens {
            let at = self.texts[number as usize].tokens.len();
            let place = Place { text: number, at: at as u32 };
            let mut links = [Link { older: NOWHERE, newer: NOWHERE }; CHAINS];
            for (chain, link) in links.iter_mut().enumerate() {
                let Some(key) = self.texts[number as usize].key(at, chain) else { continue };
                link.older = self.newest.insert(key, place).unwrap_or(NOWHERE);
                if let Some(older) = self.link(link.older, chain) {
                    older.newer = place;
                }
            }
            let text = &mut self.texts[number as usize];
            text.tokens.push(*token);
            text.links.push(links);
        }
        self.tokens += tokens.len();
    }

    /// Forgets a text.
    pub fn remove(&mut self, number: u32) {
        let Some(rank) = self.order.iter().position(|other| *other == number) else { return };
        for at in 0..self.text(number).len() {
            for chain in 0..CHAINS {
                let text = &self.texts[number as usize];
                let Some(key) = text.key(at, chain) else { continue };
                let Link { older, newer } = text.links[at][chain];
                if let Some(link) = self.link(older, chain) {
                    link.newer = newer;
                }
                match self.link(newer, chain) {
                    Some(link) => link.older = older,
                    None if older == NOWHERE => drop(self.newest.remove(&key)),
                    None => drop(self.newest.insert(key, older)),
                }
            }
        }
        self.tokens -= self.text(number).len();
        self.texts[number as usize] = Text::default();
        self.free.push(number);
        self.order.remove(rank);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.texts.clear();
        self.free.clear();
        self.order.clear();
        self.newest.clear();
        self.tokens = 0;
    }

    /// A text by its number.
    pub fn text(&self, number: u32) -> &[u32] {
        self.texts.get(number as usize).map_or(&[], |text| &text.tokens)
    }

    /// Numbers of texts from the oldest to the newest.
    pub fn order(&self) -> impl ExactSizeIterator<Item = u32> + '_ {
        self.order.iter().copied()
    }

    /// The number of the oldest text.
    pub fn oldest(&self) -> Option<u32> {
        self.order.front().copied()
    }

    /// Tokens of all texts.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// What it takes in memory, bytes.
    pub fn memory_bytes(&self) -> usize {
        let text = |text: &Text| {
            text.tokens.capacity() * size_of::<u32>() + text.links.capacity() * size_of::<[Link; CHAINS]>()
        };
        // A hash table has room for an eighth more than it takes, a power of two of places, and a byte for each.
        let places = (self.newest.capacity() * 8 / 7).next_power_of_two();
        self.texts.iter().map(text).sum::<usize>()
            + self.texts.capacity() * size_of::<Text>()
            + (self.free.capacity() + self.order.capacity()) * size_of::<u32>()
            + places * (size_of::<([u32; 2], Place)>() + 1)
    }

    /// What comes next after a context, with weights, by the places that are like it; they replace `found`. How many
    /// tokens the place that is most like it has in common with it.
    pub fn foretell(&self, context: &Context, found: &mut Vec<(u32, f64)>) -> usize {
        found.clear();
        let [before, last] = [context[REACH - 2], context[REACH - 1]];
        let pair = self.newest.get(&[before, last]).map(|place| (*place, 1, PLACES));
        let Some((mut place, chain, most)) =
            pair.or_else(|| Some((*self.newest.get(&[NOTHING, last])?, 0, SINGLE_PLACES)))
        else {
            return 0;
        };
        let mut newer = self.order.iter().rev().take(OLD).peekable();
        // The newest text weighs 1.
        let mut text_weight = 1.0;
        let mut longest = 0;
        for _ in 0..most {
            let Some(text) = self.texts.get(place.text as usize) else { break };
            while newer.next_if(|number| **number != place.text).is_some() {
                text_weight *= PER_TEXT;
            }
            let at = place.at as usize;
            let pairs = text.tokens[..at].iter().rev().zip(context.iter().rev());
            let length = pairs.take_while(|(there, here)| there == here).count();
            longest = longest.max(length);
            let weight = text_weight * PER_TOKEN.powi(length as i32);
            let token = text.tokens[at];
            match found.iter_mut().find(|(known, _)| *known == token) {
                Some((_, sum)) => *sum += weight,
                None => found.push((token, weight)),
            }
            place = text.links[at][chain].older;
        }
        longest
    }

    /// All chains, each from its oldest place, told by the text's rank; for tests.
    #[cfg(test)]
    pub fn chains(&self) -> std::collections::BTreeMap<[u32; 2], Vec<(usize, u32)>> {
        let rank = |place: Place| self.order.iter().position(|number| *number == place.text);
        let chain = |(key, newest): (&[u32; 2], &Place)| {
            let mut places = Vec::new();
            let mut place = *newest;
            while let Some(rank) = rank(place) {
                places.insert(0, (rank, place.at));
                place = self.texts[place.text as usize].links[place.at as usize][usize::from(key[0] != NOTHING)].older;
            }
            (*key, places)
        };
        self.newest.iter().map(chain).collect()
    }

    /// A place's neighbours, if it is one.
    fn link(&mut self, place: Place, chain: usize) -> Option<&mut Link> {
        Some(&mut self.texts.get_mut(place.text as usize)?.links.get_mut(place.at as usize)?[chain])
    }
}
