//! Byte-level BPE: every byte has a character, so that a token can be any run of bytes.
//!
//! Source of the alphabet: `bytes_to_unicode` in GPT-2's `encoder.py`.

use std::path::Path;

use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{SplitDelimiterBehavior, Tokenizer};

use super::Vocabulary;
use crate::Error;

/// Where GPT-2 cuts a text.
const GPT_2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

/// How a text is cut before its pieces are merged.
struct Cut {
    /// What is cut out, pattern after pattern.
    patterns: &'static [&'static str],
    /// Whether a piece that is a token as it stands is taken without looking at merges.
    whole: bool,
}

/// The cut of a name that GGUF files use.
///
/// Source: the table of pre-tokenizers in llama.cpp's `llama-vocab.cpp`.
fn cut(pre: &str) -> Option<Cut> {
    let (patterns, whole): (&[&str], _) = match pre {
        "default" => (&[r"[\p{P}\$\+<=>\^~\|]+", GPT_2, r"\p{N}+", "[0-9][0-9][0-9]"], false),
        "gpt-2" => (&[GPT_2], false),
        "smollm" => (&[r"\p{N}", GPT_2], false),
        "llama-bpe" => (
            &[concat!(
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}",
                r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
            )],
            true,
        ),
        "qwen2" => (
            &[concat!(
                r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}",
                r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
            )],
            false,
        ),
        _ => return None,
    };
    Some(Cut { patterns, whole })
}

/// Builds the tokenizer of a vocabulary, but for its special tokens.
pub(super) fn build(vocabulary: &Vocabulary, path: &Path) -> Result<Tokenizer, Error> {
    let wrong =
        |key: &str, reason: &dyn std::fmt::Display| Error::model(path, format!("tokenizer.ggml.{key}: {reason}"));
    let Some(cut) = cut(&vocabulary.pre) else {
        return Err(wrong("pre", &format!("{:?} is not known", vocabulary.pre)));
    };
    let mut merges = Vec::with_capacity(vocabulary.merges.len());
    for (number, merge) in vocabulary.merges.iter().enumerate() {
        let Some((left, right)) = merge.split_once(' ') else {
            return Err(wrong(&format!("merges[{number}]"), &format!("{merge:?} is not two tokens")));
        };
        merges.push((left.to_owned(), right.to_owned()));
    }
    let tokens: Vocab = vocabulary.tokens.iter().cloned().zip(0..).collect();
    let model = BPE::builder().vocab_and_merges(tokens, merges).ignore_merges(cut.whole).build();
    let mut tokenizer = Tokenizer::new(model.map_err(|error| wrong("merges", &error))?);

    let mut steps = Vec::with_capacity(cut.patterns.len() + 1);
    for pattern in cut.patterns {
        let pattern = SplitPattern::Regex((*pattern).to_owned());
        let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false);
        steps.push(PreTokenizerWrapper::Split(split.map_err(|error| wrong("pre", &error))?));
    }
    steps.push(PreTokenizerWrapper::ByteLevel(ByteLevel::new(false, false, false)));
    tokenizer.with_pre_tokenizer(Some(Sequence::new(steps)));
    Ok(tokenizer)
}

/// Writes the bytes that a token stands for; a token that is not in the alphabet stands for itself.
pub(super) fn read(token: &str, bytes: &mut Vec<u8>) {
    let begin = bytes.len();
    for character in token.chars() {
        let Some(byte) = byte_of(character) else {
            bytes.truncate(begin);
            bytes.extend_from_slice(token.as_bytes());
            return;
        };
        bytes.push(byte);
    }
}

/// The byte that a character of the alphabet stands for: itself where Latin-1 has something to see, and the others
/// from U+0100 on, in their order.
fn byte_of(character: char) -> Option<u8> {
    let code = u32::from(character);
    let byte = match code {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => code,
        0x100..=0x120 => code - 0x100,
        0x121..=0x142 => code - 0x121 + 0x7f,
        0x143 => 0xad,
        _ => return None,
    };
    u8::try_from(byte).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn alphabet_has_every_byte_once() {
        let bytes: Vec<u8> = ('\0'..='\u{200}').filter_map(byte_of).collect();
        assert_eq!(bytes.len(), 256);
        assert_eq!(bytes.into_iter().collect::<BTreeSet<_>>().len(), 256);
    }

    #[test]
    fn alphabet_is_that_of_gpt_2() {
        // As GPT-2's own vocabulary writes them.
        for (character, byte) in [('Ġ', b' '), ('Ċ', b'\n'), ('ĉ', b'\t'), ('a', b'a'), ('Ã', 0xc3), ('ł', 0xa0)] {
            assert_eq!(byte_of(character), Some(byte), "{character}");
        }
        assert_eq!(byte_of(' '), None);
    }

    #[test]
    fn token_out_of_the_alphabet_stands_for_itself() {
        let mut bytes = Vec::new();
        read("Ġé", &mut bytes);
        assert_eq!(bytes, [b' ', 0xe9]);
        read("a 漢", &mut bytes);
        assert_eq!(&bytes[2..], "a 漢".as_bytes());
    }

    /// The pieces of a text.
    fn pieces(pre: &str, text: &str) -> Vec<String> {
        use tokenizers::{OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer};
        let vocabulary = Vocabulary { pre: pre.into(), tokens: vec!["a".into()], ..Vocabulary::default() };
        let tokenizer = build(&vocabulary, Path::new("a.gguf")).unwrap();
        let mut pieces = PreTokenizedString::from(text);
        tokenizer.get_pre_tokenizer().unwrap().pre_tokenize(&mut pieces).unwrap();
        let splits = pieces.get_splits(OffsetReferential::Original, OffsetType::Byte);
        splits.into_iter().map(|(_, (begin, end), _)| text[begin..end].to_owned()).collect()
    }

    #[test]
    fn smollm_cuts_every_digit() {
        assert_eq!(pieces("smollm", "in 117 m, it's"), ["in", " ", "1", "1", "7", " m", ",", " it", "'s"]);
    }

    #[test]
    fn llama_cuts_three_digits_and_keeps_lines_with_marks() {
        assert_eq!(pieces("llama-bpe", "It'S 12345.\n\n  a"), ["It", "'S", " ", "123", "45", ".\n\n", " ", " a"]);
    }

    #[test]
    fn qwen2_cuts_every_digit_and_takes_a_mark_with_its_word() {
        assert_eq!(pieces("qwen2", "(a) 42"), ["(a", ")", " ", "4", "2"]);
    }

    #[test]
    fn gpt_2_keeps_a_number_whole() {
        assert_eq!(pieces("gpt-2", "a  1234\n\nb"), ["a", " ", " 1234", "\n", "\n", "b"]);
    }

    #[test]
    fn default_cuts_marks_first() {
        assert_eq!(pieces("default", "a+b 12345"), ["a", "+", "b", " ", "123", "45"]);
    }
}
