//! Text out of tokens as they come.

use std::ops::Deref;

use super::Tokenizer;

/// Gives out the text of tokens one by one, as soon as its characters are whole. All pieces together are what
/// [`Tokenizer::decode`] makes of all tokens.
#[derive(Debug, Clone)]
pub struct Stream<T> {
    /// Borrowed, or shared.
    tokenizer: T,
    /// The beginning of a character.
    pending: Vec<u8>,
    /// What was given out last.
    piece: String,
    /// Whether the next byte, if it is a space, is not of the text.
    drops_space: bool,
}

impl<T: Deref<Target = Tokenizer>> Stream<T> {
    /// Nothing has come yet.
    pub fn new(tokenizer: T) -> Self {
        let drops_space = tokenizer.drops_first_space();
        Self { tokenizer, pending: Vec::new(), piece: String::new(), drops_space }
    }

    /// Takes a token, and gives out what is whole with it: nothing, if the token ends within a character.
    pub fn push(&mut self, id: u32) -> &str {
        self.piece.clear();
        let bytes = self.tokenizer.bytes_of(id).unwrap_or_default();
        if !bytes.is_empty() && std::mem::take(&mut self.drops_space) {
            self.pending.extend_from_slice(bytes.strip_prefix(b" ").unwrap_or(bytes));
        } else {
            self.pending.extend_from_slice(bytes);
        }
        let mut kept = 0;
        let mut chunks = self.pending.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            self.piece.push_str(chunk.valid());
            let broken = std::str::from_utf8(chunk.invalid()).err();
            match broken.map(|error| error.error_len()) {
                None => (),
                // What breaks off at the very end may go on with the next token.
                Some(None) if chunks.peek().is_none() => kept = chunk.invalid().len(),
                Some(_) => self.piece.push(char::REPLACEMENT_CHARACTER),
            }
        }
        self.pending.drain(..self.pending.len() - kept);
        &self.piece
    }

    /// What is left when no more tokens come: U+FFFD if they ended within a character.
    pub fn finish(self) -> &'static str {
        if self.pending.is_empty() { "" } else { "\u{fffd}" }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::text::tokenizer::tests::{byte_level, sentence_piece};

    fn pieces(tokenizer: &Tokenizer, ids: &[u32]) -> Vec<String> {
        let mut stream = Stream::new(tokenizer);
        let mut pieces: Vec<String> = ids.iter().map(|id| stream.push(*id).to_owned()).collect();
        pieces.push(stream.finish().to_owned());
        pieces
    }

    /// In the vocabularies of these tests the token of a byte has the byte's number.
    fn ids(bytes: &[u8]) -> Vec<u32> {
        bytes.iter().map(|byte| u32::from(*byte)).collect()
    }

    #[test]
    fn character_comes_when_its_last_byte_does() {
        assert_eq!(pieces(&byte_level(), &ids("a漢b".as_bytes())), ["a", "", "", "漢", "b", ""]);
    }

    #[test]
    fn broken_off_character_is_marked_once() {
        // The first two bytes of 漢, then a letter; and at the end the first one.
        assert_eq!(pieces(&byte_level(), &ids(b"\xe6\xbca\xe6")), ["", "", "\u{fffd}a", "", "\u{fffd}"]);
    }

    #[test]
    fn control_token_within_a_character_does_not_break_it() {
        let tokenizer = byte_level();
        let end = tokenizer.id_of("<|im_end|>").unwrap();
        assert_eq!(pieces(&tokenizer, &[0xc3, end, 0xa9]), ["", "", "é", ""]);
    }

    proptest! {
        #[test]
        fn pieces_together_are_the_decoded_text(ids in prop::collection::vec(0_u32..300, 0..40)) {
            for tokenizer in [byte_level(), sentence_piece()] {
                prop_assert_eq!(pieces(&tokenizer, &ids).concat(), tokenizer.decode(&ids));
            }
        }
    }
}
