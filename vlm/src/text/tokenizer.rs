//! Text to tokens and back, exactly as the model was taught.

use std::collections::BTreeSet;
use std::path::Path;

use tokenizers::{AddedToken, AddedVocabulary, Model, OffsetType, PreTokenizer};
use xxhash_rust::xxh3::Xxh3Default;

use super::vocabulary::{ENDS, Kind};
use super::{Vocabulary, VocabularyId, byte_level, sentence_piece};
use crate::Error;

/// What a control token is that is written out in a text, such as `<|im_end|>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Special {
    /// The control token: the text is a prompt that a template made.
    Markup,
    /// Plain text like any other: it came from outside, and must not end a turn or begin one.
    Text,
}

/// The tokens with a name of their own, as a chat template writes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// What a text begins with.
    pub bos: Option<String>,
    /// What a text ends with.
    pub eos: Option<String>,
}

/// A model's tokenizer: byte-level BPE, or SentencePiece's BPE.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    /// Cuts and merges, and finds control tokens.
    whole: tokenizers::Tokenizer,
    /// Finds only those added tokens that are text.
    text_only: AddedVocabulary,
    tokens: Tokens,
    /// For every byte a token that is just that one.
    spelling: Vec<Option<u32>>,
    bos: Option<u32>,
    eos: Option<u32>,
    ends: Vec<u32>,
    adds_bos: bool,
}

/// What the tokens stand for.
#[derive(Debug, Clone, Default)]
pub(super) struct Tokens {
    /// The bytes of all, one after the other.
    bytes: Vec<u8>,
    /// Where those of each end.
    ends: Vec<usize>,
    controls: BTreeSet<u32>,
    /// What stands for text that the vocabulary can't write.
    unknown: Option<u32>,
    /// Whether a text is read with a space before it, which is not of the text.
    space_prefix: bool,
}

impl Tokens {
    /// None yet.
    pub(super) fn new(unknown: Option<u32>, space_prefix: bool) -> Self {
        Self { unknown, space_prefix, ..Self::default() }
    }

    /// Adds the next token, with the bytes that `write` appends.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// Adds the next token, which is markup and no text.
    pub(super) fn push_control(&mut self) {
        self.controls.extend(u32::try_from(self.ends.len()));
        self.push(|_| ());
    }

    fn get(&self, id: u32) -> Option<&[u8]> {
        let id = id as usize;
        let end = *self.ends.get(id)?;
        let begin = id.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.bytes[begin..end])
    }
}

impl Tokenizer {
    /// The tokenizer of a vocabulary from the GGUF file at `path`.
    ///
    /// # Errors
    /// [`Error::Model`] with the key that is wrong, or that says something which is not known here.
    pub fn new(vocabulary: &Vocabulary, path: &Path) -> Result<Self, Error> {
        let kinds = vocabulary.kinds(path)?;
        let (mut whole, read): (_, fn(&str, &mut Vec<u8>)) = match vocabulary.kind.as_str() {
            "gpt2" => (byte_level::build(vocabulary, path)?, byte_level::read),
            "llama" => (sentence_piece::build(vocabulary, &kinds, path)?, sentence_piece::read),
            kind => return Err(Error::model(path, format!("tokenizer.ggml.model: {kind:?} is not known"))),
        };
        // Byte-level BPE has bytes for everything.
        let is_sentence_piece = vocabulary.kind == "llama";
        let unknown = vocabulary.unknown.filter(|_| is_sentence_piece);
        let mut tokens = Tokens::new(unknown, is_sentence_piece && vocabulary.add_space_prefix);
        let mut added = Vec::new();
        for (text, kind) in vocabulary.tokens.iter().zip(kinds) {
            match kind {
                Kind::Normal | Kind::Unused | Kind::Byte => tokens.push(|bytes| read(text, bytes)),
                Kind::UserDefined => tokens.push(|bytes| bytes.extend_from_slice(text.as_bytes())),
                Kind::Control | Kind::Unknown => tokens.push_control(),
            }
            if matches!(kind, Kind::UserDefined | Kind::Control | Kind::Unknown) {
                added.push(AddedToken::from(text.as_str(), kind != Kind::UserDefined).normalized(false));
            }
        }
        whole.add_tokens(&added);
        let named = [vocabulary.bos, vocabulary.eos];
        Ok(Self::assemble(whole, tokens, named, vocabulary.add_bos))
    }

    /// Puts together what does not depend on where the tokenizer came from.
    pub(super) fn assemble(
        whole: tokenizers::Tokenizer,
        tokens: Tokens,
        [bos, eos]: [Option<u32>; 2],
        adds_bos: bool,
    ) -> Self {
        let mut text_only = whole.get_added_vocabulary().clone();
        text_only.set_encode_special_tokens(true);
        let mut spelling = vec![None; 256];
        for id in (0..).take(tokens.ends.len()) {
            if let Some([byte]) = tokens.get(id) {
                spelling[usize::from(*byte)].get_or_insert(id);
            }
        }
        let known = ENDS.iter().filter_map(|name| whole.token_to_id(name));
        let ends: BTreeSet<u32> = known.filter(|id| tokens.controls.contains(id)).chain(eos).collect();
        Self { whole, text_only, tokens, spelling, bos, eos, ends: ends.into_iter().collect(), adds_bos }
    }

    /// The tokens of a text. [`Self::bos`] is not put before them: the template writes it, or the caller adds it.
    ///
    /// Bytes that the vocabulary has no token for are left out: a vocabulary may lack some that hardly ever occur.
    pub fn encode(&self, text: &str, special: Special) -> Vec<u32> {
        let added = match special {
            Special::Markup => self.whole.get_added_vocabulary(),
            Special::Text => &self.text_only,
        };
        let Ok(ids) = self.cut_and_merge(added, text) else { return self.spell(text) };
        let is_markup = |id: &u32| self.is_control(*id) && self.tokens.unknown != Some(*id);
        // Merges must not lead to markup either, whatever the vocabulary says.
        if special == Special::Text && ids.iter().any(is_markup) {
            return self.spell(text);
        }
        ids
    }

    fn cut_and_merge(&self, added: &AddedVocabulary, text: &str) -> tokenizers::Result<Vec<u32>> {
        let mut pieces = added.extract_and_normalize(self.whole.get_normalizer(), text);
        if let Some(cut) = self.whole.get_pre_tokenizer() {
            cut.pre_tokenize(&mut pieces)?;
        }
        pieces.tokenize(|piece| self.whole.get_model().tokenize(piece.get()))?;
        Ok(pieces.into_encoding(None, 0, OffsetType::None)?.get_ids().to_vec())
    }

    /// A text byte for byte: what any model can read, if nothing better is known.
    fn spell(&self, text: &str) -> Vec<u32> {
        text.bytes().filter_map(|byte| self.spelling[usize::from(byte)]).collect()
    }

    /// The text of tokens, without control tokens and without tokens that are not in the vocabulary. Bytes that are not
    /// UTF-8 become U+FFFD.
    pub fn decode(&self, ids: &[u32]) -> String {
        let mut bytes: Vec<u8> = ids.iter().filter_map(|id| self.bytes_of(*id)).flatten().copied().collect();
        if self.tokens.space_prefix && bytes.first() == Some(&b' ') {
            bytes.remove(0);
        }
        String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// The bytes that a token adds to a text: none for a control token, and possibly a part of a character.
    pub fn bytes_of(&self, id: u32) -> Option<&[u8]> {
        self.tokens.get(id)
    }

    /// Whether a token is markup, such as the end of a turn, and no text.
    pub fn is_control(&self, id: u32) -> bool {
        self.tokens.controls.contains(&id)
    }

    /// The token that the vocabulary writes as `name`, such as `<|im_end|>`.
    pub fn id_of(&self, name: &str) -> Option<u32> {
        self.whole.token_to_id(name)
    }

    /// How the vocabulary writes a token.
    pub fn name_of(&self, id: u32) -> Option<String> {
        self.whole.id_to_token(id)
    }

    /// The tokens that a chat template may ask for.
    pub fn named(&self) -> Named {
        let name = |id: Option<u32>| id.and_then(|id| self.name_of(id));
        Named { bos: name(self.bos), eos: name(self.eos) }
    }

    /// The token a text begins with.
    pub fn bos(&self) -> Option<u32> {
        self.bos
    }

    /// Whether a text that no template made is to begin with [`Self::bos`].
    pub fn adds_bos(&self) -> bool {
        self.adds_bos
    }

    /// The tokens that end an answer, in ascending order.
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Tokens in the vocabulary: one more than the highest.
    pub fn size(&self) -> usize {
        self.tokens.ends.len()
    }

    /// What says whether two tokenizers mean the same by their tokens.
    pub fn vocabulary_id(&self) -> VocabularyId {
        let mut hash = Xxh3Default::new();
        let size = self.size() as u32;
        for id in 0..size {
            // A control token adds no bytes to a text, and is what its name says.
            let name = if self.is_control(id) { self.name_of(id).unwrap_or_default() } else { String::new() };
            for bytes in [name.as_bytes(), self.bytes_of(id).unwrap_or_default()] {
                hash.update(&(bytes.len() as u32).to_le_bytes());
                hash.update(bytes);
            }
        }
        VocabularyId { size, hash: hash.digest128() }
    }

    /// Whether the space that a text begins with is not of the text.
    pub(super) fn drops_first_space(&self) -> bool {
        self.tokens.space_prefix
    }
}

#[cfg(test)]
pub(crate) mod tests;
