//! What all sessions have said: it is shared, bounded, and outlives the program.
//!
//! Every text is in it once, however often it was said, and counts as said when it was said last. So an answer that is
//! given a thousand times drives out nothing. Once there is no room, the texts that were said longest ago leave whole:
//! a corpus always foretells as if it had only ever heard those that are left, whatever came before (test
//! `it_is_as_if_only_the_newest_texts_that_fit_had_been_said`).

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::path::Path;

use super::history::History;
use super::{Context, LEAD, NOTHING, REACH, file};
use crate::Error;
use crate::text::VocabularyId;

/// Answers that were given to anybody.
#[derive(Debug, Clone, Default)]
pub struct Corpus {
    history: History,
    /// Numbers of texts by their hash. Of two with the same hash only one is found, and the other may be there twice.
    known: HashMap<u64, u32>,
    room: usize,
}

impl Corpus {
    /// With room for so many tokens. The newest text stays even if it alone has more.
    pub fn new(room: usize) -> Self {
        Self { room, ..Self::default() }
    }

    /// Out of files of the same vocabulary, as if their texts had been said at the same time: those behind which equally
    /// many stand in their file stand together, in the order of the files. So with too little room all lose their oldest.
    pub fn merged(files: &[Vec<Vec<u32>>], room: usize) -> Self {
        let mut corpus = Self::new(room);
        let longest = files.iter().map(Vec::len).max().unwrap_or(0);
        for behind in (0..longest).rev() {
            let texts = files.iter().filter_map(|texts| texts.get(texts.len().checked_sub(behind + 1)?));
            texts.for_each(|text| corpus.add_text(text));
        }
        corpus
    }

    /// Reads a file that [`Self::save`] wrote; with too little room only its newest texts.
    ///
    /// # Errors
    /// [`Error::Io`] if it can't be read, and [`Error::Corpus`] if it is damaged or of another vocabulary.
    pub fn open(path: &Path, vocabulary: VocabularyId, room: usize) -> Result<Self, Error> {
        let (of, texts) = file::read(path)?;
        file::check(path, of, vocabulary)?;
        Ok(Self::merged(&[texts], room))
    }

    /// Writes it down, so that whatever happens meanwhile either the old file is there or the new one.
    ///
    /// # Errors
    /// [`Error::Io`] if it can't be written.
    pub fn save(&self, path: &Path, vocabulary: VocabularyId) -> Result<(), Error> {
        file::write(path, vocabulary, self.texts())
    }

    /// Adds an answer, with the end of the prompt before it.
    pub fn add(&mut self, prompt: &[u32], answer: &[u32]) {
        let lead = &prompt[prompt.len().saturating_sub(LEAD)..];
        self.add_text(&[lead, answer].concat());
    }

    /// Adds a text.
    fn add_text(&mut self, text: &[u32]) {
        if text.is_empty() {
            return;
        }
        let key = self.known.hasher().hash_one(text);
        if let Some(number) = self.known.get(&key).filter(|number| self.history.text(**number) == text) {
            self.history.remove(*number);
        }
        let number = self.history.begin(text.len());
        self.history.extend(text);
        self.known.insert(key, number);
        while self.history.tokens() > self.room
            && let Some(oldest) = self.history.oldest().filter(|oldest| *oldest != number)
        {
            self.remove(oldest);
        }
    }

    fn remove(&mut self, number: u32) {
        let key = self.known.hasher().hash_one(self.history.text(number));
        self.history.remove(number);
        if self.known.get(&key) == Some(&number) {
            self.known.remove(&key);
        }
    }

    /// Its texts from the oldest to the newest, each with the end of its prompt before it.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        self.history.order().map(|number| self.history.text(number))
    }

    /// Tokens of all texts.
    pub fn tokens(&self) -> usize {
        self.history.tokens()
    }

    /// What it takes in memory, bytes.
    pub fn memory_bytes(&self) -> usize {
        let places = (self.known.capacity() * 8 / 7).next_power_of_two();
        self.history.memory_bytes() + places * (size_of::<(u64, u32)>() + 1)
    }

    /// The share of answers' tokens that the rest of the corpus takes for the likeliest: what a new answer like these
    /// would find.
    pub fn foretold(&self) -> f64 {
        let mut rest = self.history.clone();
        let (mut all, mut hits, mut found) = (0_usize, 0_usize, Vec::new());
        for number in self.history.order() {
            let text = self.history.text(number);
            rest.remove(number);
            let mut context: Context = [NOTHING; REACH];
            for (at, token) in text.iter().enumerate() {
                if at >= LEAD {
                    rest.foretell(&context, &mut found);
                    let best = found.iter().max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
                    hits += usize::from(best.is_some_and(|(best, _)| best == token));
                    all += 1;
                }
                context.rotate_left(1);
                context[REACH - 1] = *token;
            }
            // Behind all others: once all had their turn, they stand in their order again.
            rest.begin(text.len());
            rest.extend(text);
        }
        hits as f64 / all.max(1) as f64
    }

    pub(super) fn history(&self) -> &History {
        &self.history
    }
}

#[cfg(test)]
mod tests;
