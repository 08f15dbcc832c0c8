//! SentencePiece's BPE: a space is `▁`, merges follow scores, and a byte that no token has is written as `<0x0A>`.

use std::path::Path;

use tokenizers::Tokenizer;
use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::normalizers::{NormalizerWrapper, Prepend, Replace, Sequence};

use super::Vocabulary;
use super::vocabulary::Kind;
use crate::Error;

/// How a space is written.
const SPACE: &str = "▁";

/// Builds the tokenizer of a vocabulary, but for its special tokens.
pub(super) fn build(vocabulary: &Vocabulary, kinds: &[Kind], path: &Path) -> Result<Tokenizer, Error> {
    let wrong =
        |key: &str, reason: &dyn std::fmt::Display| Error::model(path, format!("tokenizer.ggml.{key}: {reason}"));
    let Some(scores) = &vocabulary.scores else {
        return Err(wrong("scores", &"are missing, and without them it is not known what is merged"));
    };
    if scores.len() != vocabulary.tokens.len() {
        return Err(wrong("scores", &format!("{} scores for {} tokens", scores.len(), vocabulary.tokens.len())));
    }
    let tokens: Vocab = vocabulary.tokens.iter().cloned().zip(0..).collect();
    let merges = merges(vocabulary, scores, kinds, &tokens);
    let mut model = BPE::builder().vocab_and_merges(tokens, merges).byte_fallback(true).fuse_unk(true);
    if let Some(unknown) = vocabulary.unknown {
        model = model.unk_token(vocabulary.tokens[unknown as usize].clone());
    }
    let mut tokenizer = Tokenizer::new(model.build().map_err(|error| wrong("tokens", &error))?);
    let mut steps = Vec::new();
    if vocabulary.add_space_prefix {
        steps.push(NormalizerWrapper::Prepend(Prepend::new(SPACE.into())));
    }
    let spaces = Replace::new(" ", SPACE).map_err(|error| wrong("model", &error))?;
    steps.push(NormalizerWrapper::Replace(spaces));
    tokenizer.with_normalizer(Some(Sequence::new(steps)));
    Ok(tokenizer)
}

/// Every way to make a token of two others, best score first.
///
/// Source: `generate_merges` in transformers' `convert_slow_tokenizer.py`.
fn merges(vocabulary: &Vocabulary, scores: &[f32], kinds: &[Kind], ids: &Vocab) -> Merges {
    let is_text = |id: &u32| matches!(kinds[*id as usize], Kind::Normal | Kind::UserDefined | Kind::Unused);
    let mut merges = Vec::new();
    for (token, (text, score)) in (0..).zip(vocabulary.tokens.iter().zip(scores)) {
        if !is_text(&token) {
            continue;
        }
        let cuts = text.char_indices().skip(1).map(|(cut, _)| text.split_at(cut));
        let mut ways: Vec<_> = cuts
            .filter_map(|(left, right)| {
                Some([ids.get(left)?, ids.get(right)?]).filter(|ids| ids.iter().all(|id| is_text(id)))
            })
            .map(|ids| (*score, ids.map(|id| *id as usize)))
            .collect();
        ways.sort_by_key(|(_, ids)| *ids);
        merges.append(&mut ways);
    }
    let length = |id: usize| vocabulary.tokens[id].chars().count();
    merges.sort_by(|(a, [a_left, a_right]), (b, [b_left, b_right])| {
        let lengths = |left: usize, right: usize| (length(left), length(right));
        b.total_cmp(a).then_with(|| lengths(*b_left, *b_right).cmp(&lengths(*a_left, *a_right)))
    });
    merges.into_iter().map(|(_, ids)| ids.map(|id| vocabulary.tokens[id].clone()).into()).collect()
}

/// Writes the bytes that a token stands for.
pub(super) fn read(token: &str, bytes: &mut Vec<u8>) {
    match byte_of(token) {
        Some(byte) => bytes.push(byte),
        None => bytes.extend_from_slice(token.replace(SPACE, " ").as_bytes()),
    }
}

/// The byte of a token such as `<0x0A>`.
fn byte_of(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    let is_byte = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_byte.then(|| u8::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_of_tokens() {
        for (token, expected) in [("<0x0A>", "\n"), ("▁a▁", " a "), ("<0x0>", "<0x0>"), ("<0x+1>", "<0x+1>")] {
            let mut bytes = Vec::new();
            read(token, &mut bytes);
            assert_eq!(bytes, expected.as_bytes(), "{token}");
        }
    }

    #[test]
    fn merges_follow_scores_and_make_no_control_token() {
        let tokens = ["a", "b", "c", "ab", "bc", "abc", "<", ">", "<>"];
        let vocabulary = Vocabulary { tokens: tokens.map(String::from).to_vec(), ..Vocabulary::default() };
        let scores = [0.0, 0.0, 0.0, -2.0, -1.0, -3.0, 0.0, 0.0, 0.0];
        let mut kinds = [Kind::Normal; 9];
        kinds[8] = Kind::Control;
        let ids: Vocab = vocabulary.tokens.iter().cloned().zip(0..).collect();
        let merges = merges(&vocabulary, &scores, &kinds, &ids);
        let expected = [("b", "c"), ("a", "b"), ("ab", "c"), ("a", "bc")];
        assert_eq!(merges, expected.map(|(left, right)| (left.to_owned(), right.to_owned())));
    }
}
