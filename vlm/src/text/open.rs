//! Tokenizers in Hugging Face's files.

use std::path::Path;

use serde::Deserialize;
use tokenizers::{DecoderWrapper, ModelWrapper};

use super::tokenizer::Tokens;
use super::{Tokenizer, byte_level, sentence_piece};
use crate::Error;

/// No vocabulary is as large; a damaged file must not make the program ask for memory without end.
const MOST_TOKENS: usize = 1 << 24;

/// What is read of `tokenizer_config.json`.
#[derive(Debug, Default, Deserialize)]
struct Config {
    bos_token: Option<Name>,
    eos_token: Option<Name>,
    add_bos_token: Option<bool>,
}

/// How a configuration names a token.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Name {
    Plain(String),
    Described { content: String },
}

impl Tokenizer {
    /// Reads a `tokenizer.json`, and if there is one, the `tokenizer_config.json` beside it, which says what a text
    /// begins and ends with.
    ///
    /// # Errors
    /// [`Error::Io`] if a file can't be read, and [`Error::Model`] if it is damaged, is of a kind of tokenizer other
    /// than byte-level BPE and BPE with byte fallback, or names a token that there is not.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(Error::io(path))?;
        // The crate panics where it finds a decoder that is no JSON.
        serde_json::from_slice::<serde_json::Value>(&bytes).map_err(|error| Error::model(path, error.to_string()))?;
        let whole = tokenizers::Tokenizer::from_bytes(bytes).map_err(|error| Error::model(path, error.to_string()))?;
        let wrong = |reason: &str| Err(Error::model(path, reason));
        let ModelWrapper::BPE(model) = whole.get_model() else { return wrong("model.type: only BPE is known") };
        let byte_level = whole.get_decoder().is_some_and(is_byte_level);
        if !byte_level && !model.byte_fallback {
            return wrong("decoder: BPE is known if it is byte-level, or if it falls back on bytes");
        }
        let unknown = match model.get_unk_token() {
            Some(name) => match whole.token_to_id(name) {
                None => return wrong("model.unk_token: there is no such token"),
                id => id,
            },
            None => None,
        };
        let space_prefix = !byte_level && whole.get_decoder().is_some_and(drops_space);
        let mut tokens = Tokens::new(unknown, space_prefix);
        let size = whole.get_vocab(true).into_values().max().map_or(0, |id| id as usize + 1);
        if size > MOST_TOKENS {
            return wrong("model.vocab: a token has a number that no vocabulary reaches");
        }
        let added = whole.get_added_tokens_decoder();
        for id in (0..).take(size) {
            match added.get(&id) {
                Some(token) if token.special => tokens.push_control(),
                Some(token) => tokens.push(|bytes| bytes.extend_from_slice(token.content.as_bytes())),
                None => {
                    let name = whole.id_to_token(id).unwrap_or_default();
                    let read = if byte_level { byte_level::read } else { sentence_piece::read };
                    tokens.push(|bytes| read(&name, bytes));
                }
            }
        }

        let path = path.with_file_name("tokenizer_config.json");
        let config: Config = match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| Error::model(&path, error.to_string()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Config::default(),
            Err(error) => return Err(Error::io(&path)(error)),
        };
        let find = |key: &str, name: Option<Name>| match name {
            None => Ok(None),
            Some(Name::Plain(name) | Name::Described { content: name }) => match whole.token_to_id(&name) {
                None => Err(Error::model(&path, format!("{key}: there is no token {name:?}"))),
                id => Ok(id),
            },
        };
        let named = [find("bos_token", config.bos_token)?, find("eos_token", config.eos_token)?];
        Ok(Self::assemble(whole, tokens, named, config.add_bos_token.unwrap_or(false)))
    }
}

fn is_byte_level(decoder: &DecoderWrapper) -> bool {
    match decoder {
        DecoderWrapper::ByteLevel(_) => true,
        DecoderWrapper::Sequence(steps) => steps.get_decoders().iter().any(is_byte_level),
        _ => false,
    }
}

fn drops_space(decoder: &DecoderWrapper) -> bool {
    match decoder {
        DecoderWrapper::Strip(strip) => strip.content == ' ' && strip.start > 0,
        DecoderWrapper::Metaspace(_) => true,
        DecoderWrapper::Sequence(steps) => steps.get_decoders().iter().any(drops_space),
        _ => false,
    }
}
