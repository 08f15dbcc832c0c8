//! A model's vocabulary as GGUF files write it.

use std::fmt;
use std::path::Path;

use crate::Error;
use crate::gguf;

/// Tokens that end an answer in one family of models or another, whatever the file's end-of-sequence token is.
///
/// Source: the names that llama.cpp's `llama-vocab.cpp` takes for the end of a generation.
pub(super) const ENDS: [&str; 8] = [
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<|end|>",
    "<end_of_turn>",
    "<end_of_utterance>",
];

/// What a GGUF file says of a model's tokens, under the keys `tokenizer.ggml.*`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vocabulary {
    /// The kind of tokenizer, of key `model`: `gpt2` for byte-level BPE, `llama` for SentencePiece.
    pub kind: String,
    /// How byte-level BPE cuts a text before it merges, of key `pre`: `default`, `gpt-2`, `smollm`, `llama-bpe` or
    /// `qwen2`.
    pub pre: String,
    /// Every token's text, of key `tokens`: in the byte-level alphabet, or SentencePiece's.
    pub tokens: Vec<String>,
    /// What every token is for, of key `token_type`: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte;
    /// empty if all are normal.
    pub types: Vec<i32>,
    /// Byte-level BPE's merges, first to last, of key `merges`: two tokens with a space between.
    pub merges: Vec<String>,
    /// SentencePiece's score of every token, of key `scores`.
    pub scores: Option<Vec<f32>>,
    /// The token a text begins with, of key `bos_token_id`.
    pub bos: Option<u32>,
    /// The token a text ends with, of key `eos_token_id`.
    pub eos: Option<u32>,
    /// The token for what the vocabulary can't write, of key `unknown_token_id`.
    pub unknown: Option<u32>,
    /// Whether a text without markup begins with the token `bos`, of key `add_bos_token`.
    pub add_bos: bool,
    /// Whether SentencePiece writes a space before a text, of key `add_space_prefix`.
    pub add_space_prefix: bool,
}

/// Says of two vocabularies whether their tokens mean the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VocabularyId {
    /// Tokens: one more than the highest.
    pub size: u32,
    /// XXH3 of what each stands for.
    pub hash: u128,
}

impl fmt::Display for VocabularyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tokens ({:08x})", self.size, self.hash >> 96)
    }
}

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A piece of text.
    Normal,
    /// Stands for what the vocabulary can't write.
    Unknown,
    /// Markup, such as the end of a turn: never a piece of text.
    Control,
    /// A piece of text that is never cut, even before merges.
    UserDefined,
    /// Nothing.
    Unused,
    /// One byte, written as `<0x0A>`.
    Byte,
}

impl Vocabulary {
    /// Of a GGUF file.
    ///
    /// # Errors
    /// For keys that are missing or of another kind.
    pub fn of_gguf(file: &gguf::File) -> Result<Self, Error> {
        let flag = |key: &str| file.find::<bool>(&format!("tokenizer.ggml.{key}"));
        let token = |key: &str| file.find::<u32>(&format!("tokenizer.ggml.{key}_token_id"));
        let texts = |key: &str| file.find::<&[String]>(&format!("tokenizer.ggml.{key}"));
        Ok(Self {
            kind: file.text("tokenizer.ggml.model")?.to_owned(),
            pre: file.find::<&str>("tokenizer.ggml.pre")?.unwrap_or("default").to_owned(),
            tokens: file.texts("tokenizer.ggml.tokens")?.to_vec(),
            types: file.find("tokenizer.ggml.token_type")?.unwrap_or_default(),
            merges: texts("merges")?.unwrap_or_default().to_vec(),
            scores: file.find("tokenizer.ggml.scores")?,
            bos: token("bos")?,
            eos: token("eos")?,
            unknown: token("unknown")?,
            // As llama.cpp has it where a file says nothing.
            add_bos: flag("add_bos_token")?.unwrap_or(file.text("tokenizer.ggml.model")? == "llama"),
            add_space_prefix: flag("add_space_prefix")?.unwrap_or(true),
        })
    }

    /// What every token is for, once all that does not depend on the kind of tokenizer has been checked.
    pub(super) fn kinds(&self, path: &Path) -> Result<Vec<Kind>, Error> {
        let wrong = |what: String| Err(Error::model(path, format!("tokenizer.ggml.{what}")));
        let count = self.tokens.len();
        if count == 0 || u32::try_from(count).is_err() {
            return wrong(format!("tokens: {count} tokens"));
        }
        for (key, token) in [("bos", self.bos), ("eos", self.eos), ("unknown", self.unknown)] {
            if let Some(token) = token.filter(|token| *token as usize >= count) {
                return wrong(format!("{key}_token_id: {token}, but there are {count} tokens"));
            }
        }
        if !self.types.is_empty() && self.types.len() != count {
            return wrong(format!("token_type: {} types for {count} tokens", self.types.len()));
        }
        let mut kinds = Vec::with_capacity(count);
        for (token, number) in self.types.iter().enumerate() {
            kinds.push(match number {
                1 => Kind::Normal,
                2 => Kind::Unknown,
                3 => Kind::Control,
                4 => Kind::UserDefined,
                5 => Kind::Unused,
                6 => Kind::Byte,
                _ => return wrong(format!("token_type[{token}]: {number} is no type")),
            });
        }
        kinds.resize(count, Kind::Normal);
        // Some files give the token that ends a turn as text, which must not be written.
        for (kind, token) in kinds.iter_mut().zip(&self.tokens) {
            if ENDS.contains(&token.as_str()) {
                *kind = Kind::Control;
            }
        }
        for token in [self.bos, self.eos].into_iter().flatten() {
            kinds[token as usize] = Kind::Control;
        }
        Ok(kinds)
    }
}
