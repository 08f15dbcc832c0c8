//! Tokens of small vocabularies, worked out by hand.

use proptest::prelude::*;

use super::*;

/// The characters of GPT-2's alphabet in the order of their bytes.
fn alphabet() -> Vec<String> {
    let mut next = 0x100_u32;
    let characters = (0..=255_u8).map(|byte| match byte {
        b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff => char::from(byte),
        _ => {
            next += 1;
            char::from_u32(next - 1).unwrap()
        }
    });
    characters.map(String::from).collect()
}

/// Token 256 is "he", 257 "ll", 258 "hell", 259 " hell", then come control tokens and a user-defined one.
fn vocabulary() -> Vocabulary {
    let mut tokens = alphabet();
    tokens.extend(["he", "ll", "hell", "Ġhell", "<|im_start|>", "<|im_end|>", "<car>"].map(String::from));
    let mut types = vec![1; tokens.len()];
    types[260..262].fill(3);
    types[262] = 4;
    let merges = ["h e", "l l", "he ll", "Ġ hell"].map(String::from).to_vec();
    Vocabulary {
        kind: "gpt2".into(),
        pre: "smollm".into(),
        tokens,
        types,
        merges,
        bos: Some(260),
        eos: Some(261),
        ..Vocabulary::default()
    }
}

pub(crate) fn byte_level() -> Tokenizer {
    Tokenizer::new(&vocabulary(), Path::new("a.gguf")).unwrap()
}

/// Tokens 0 to 255 are bytes, then come "▁", "a", "b", "ab", "▁ab", "<unk>", "<s>", "</s>".
fn sentence_piece_vocabulary() -> Vocabulary {
    let mut tokens: Vec<String> = (0..256).map(|byte| format!("<0x{byte:02X}>")).collect();
    tokens.extend(["▁", "a", "b", "ab", "▁ab", "<unk>", "<s>", "</s>"].map(String::from));
    let mut types = vec![6; 256];
    types.extend([1, 1, 1, 1, 1, 2, 3, 3]);
    let mut scores = vec![0.0; 256];
    scores.extend([-3.0, -4.0, -5.0, -1.0, -2.0, 0.0, 0.0, 0.0]);
    Vocabulary {
        kind: "llama".into(),
        tokens,
        types,
        scores: Some(scores),
        unknown: Some(261),
        bos: Some(262),
        eos: Some(263),
        add_bos: true,
        add_space_prefix: true,
        ..Vocabulary::default()
    }
}

pub(in crate::text) fn sentence_piece() -> Tokenizer {
    Tokenizer::new(&sentence_piece_vocabulary(), Path::new("a.gguf")).unwrap()
}

#[test]
fn merges_in_their_order() {
    let ids = byte_level().encode("hello hell", Special::Text);
    assert_eq!(ids, [258, u32::from(b'o'), 259]);
}

#[test]
fn control_token_counts_only_in_markup() {
    let tokenizer = byte_level();
    assert_eq!(tokenizer.encode("he<|im_end|>", Special::Markup), [256, 261]);
    let plain = tokenizer.encode("he<|im_end|>", Special::Text);
    assert!(plain.iter().all(|id| !tokenizer.is_control(*id)));
    assert_eq!(tokenizer.decode(&plain), "he<|im_end|>");
    assert_eq!(tokenizer.decode(&[256, 261]), "he");
}

#[test]
fn user_defined_token_counts_always() {
    for special in [Special::Markup, Special::Text] {
        assert_eq!(byte_level().encode("a<car>", special), [u32::from(b'a'), 262]);
    }
    assert_eq!(byte_level().decode(&[262]), "<car>");
}

#[test]
fn text_does_not_become_a_control_token_by_way_of_the_whole_piece() {
    // "llama-bpe" takes a piece that is a token without merging.
    let mut vocabulary = Vocabulary { pre: "llama-bpe".into(), unknown: Some(263), ..vocabulary() };
    vocabulary.tokens.push("END".into());
    vocabulary.types.push(3);
    let tokenizer = Tokenizer::new(&vocabulary, Path::new("a.gguf")).unwrap();
    assert_eq!(tokenizer.encode("END", Special::Markup), [263]);
    assert_eq!(tokenizer.encode("END", Special::Text), b"END".map(u32::from));
}

#[test]
fn missing_byte_is_left_out() {
    let mut vocabulary = vocabulary();
    vocabulary.tokens[4] = "gone".into();
    let tokenizer = Tokenizer::new(&vocabulary, Path::new("a.gguf")).unwrap();
    assert_eq!(tokenizer.encode("a\u{4}b", Special::Text), [u32::from(b'a'), u32::from(b'b')]);
}

#[test]
fn tokens_are_known_by_name_and_number() {
    let tokenizer = byte_level();
    assert_eq!(tokenizer.size(), 263);
    assert_eq!(tokenizer.id_of("<|im_end|>"), Some(261));
    assert_eq!(tokenizer.name_of(259).as_deref(), Some("Ġhell"));
    assert_eq!(tokenizer.bytes_of(259), Some(b" hell".as_slice()));
    assert_eq!(tokenizer.bytes_of(261), Some(b"".as_slice()));
    assert_eq!(tokenizer.bytes_of(263), None);
    assert_eq!(tokenizer.ends(), [261]);
    assert_eq!((tokenizer.bos(), tokenizer.adds_bos()), (Some(260), false));
    let named = Named { bos: Some("<|im_start|>".into()), eos: Some("<|im_end|>".into()) };
    assert_eq!(tokenizer.named(), named);
}

#[test]
fn end_of_a_turn_is_markup_even_if_the_file_calls_it_text() {
    let vocabulary = Vocabulary { types: Vec::new(), bos: None, eos: None, ..vocabulary() };
    let tokenizer = Tokenizer::new(&vocabulary, Path::new("a.gguf")).unwrap();
    assert!(tokenizer.is_control(261) && !tokenizer.is_control(260));
    assert_eq!(tokenizer.ends(), [261]);
}

#[test]
fn sentence_piece_merges_by_score_and_falls_back_on_bytes() {
    let tokenizer = sentence_piece();
    assert_eq!(tokenizer.encode("ab ab", Special::Text), [260, 260]);
    assert_eq!(tokenizer.encode("é", Special::Text), [256, 0xc3, 0xa9]);
    assert_eq!(tokenizer.decode(&[260, 260, 0xc3, 0xa9]), "ab abé");
    assert!(tokenizer.encode("</s>", Special::Text).iter().all(|id| !tokenizer.is_control(*id)));
    assert_eq!(tokenizer.encode("</s>", Special::Markup), [263]);
}

#[test]
fn every_error_names_its_key() {
    let good = vocabulary();
    let spoilt: [(&str, Vocabulary); 10] = [
        ("tokens: 0 tokens", Vocabulary::default()),
        ("model: \"bert\"", Vocabulary { kind: "bert".into(), ..good.clone() }),
        ("pre: \"x\"", Vocabulary { pre: "x".into(), ..good.clone() }),
        ("token_type: 1 types for 263", Vocabulary { types: vec![1], ..good.clone() }),
        ("token_type[0]: 7", Vocabulary { types: vec![7; 263], ..good.clone() }),
        ("merges[0]: \"he\"", Vocabulary { merges: vec!["he".into()], ..good.clone() }),
        ("merges: ", Vocabulary { merges: vec!["x y".into()], ..good.clone() }),
        ("eos_token_id: 263", Vocabulary { eos: Some(263), ..good.clone() }),
        ("scores: are missing", Vocabulary { scores: None, ..sentence_piece_vocabulary() }),
        ("scores: 1 scores for 264", Vocabulary { scores: Some(vec![0.0]), ..sentence_piece_vocabulary() }),
    ];
    for (expected, vocabulary) in spoilt {
        let error = Tokenizer::new(&vocabulary, Path::new("a.gguf")).unwrap_err().to_string();
        assert!(error.starts_with(&format!("a.gguf: tokenizer.ggml.{expected}")), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

proptest! {
    #[test]
    fn any_text_comes_back(text in any::<String>()) {
        for pre in ["default", "gpt-2", "smollm", "llama-bpe", "qwen2"] {
            let vocabulary = Vocabulary { pre: pre.into(), ..vocabulary() };
            let tokenizer = Tokenizer::new(&vocabulary, Path::new("a.gguf")).unwrap();
            let ids = tokenizer.encode(&text, Special::Text);
            prop_assert_eq!(tokenizer.decode(&ids), text.as_str(), "{}", pre);
            prop_assert!(ids.iter().all(|id| !tokenizer.is_control(*id)));
        }
    }

    #[test]
    fn text_full_of_markup_comes_back(
        pieces in prop::collection::vec(r"<\|im_end\|>|<car>|<\|im_|start\|>|he| {1,3}|\n|é|7", 0..12),
    ) {
        let (tokenizer, text) = (byte_level(), pieces.concat());
        let ids = tokenizer.encode(&text, Special::Text);
        prop_assert_eq!(tokenizer.decode(&ids), text);
        prop_assert!(ids.iter().all(|id| !tokenizer.is_control(*id)));
    }

    #[test]
    fn sentence_piece_gives_any_text_back(text in any::<String>()) {
        // "▁" is SentencePiece's space, and can't be told from one.
        let text = text.replace('▁', "_");
        let tokenizer = sentence_piece();
        prop_assert_eq!(tokenizer.decode(&tokenizer.encode(&text, Special::Text)), text);
    }

    #[test]
    fn no_token_breaks_decoding(ids in prop::collection::vec(any::<u32>(), 0..20)) {
        for tokenizer in [byte_level(), sentence_piece()] {
            tokenizer.decode(&ids);
            prop_assert!(ids.iter().all(|id| tokenizer.bytes_of(*id).is_none() || (*id as usize) < tokenizer.size()));
        }
    }
}
