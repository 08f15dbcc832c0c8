//! Tokens and prompts are those of other programs: SentencePiece, Hugging Face's tokenizers and transformers, and BPE
//! by its definition in plain Python. `text_peer.py` made the files.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tandem_vlm::text::{Conversation, Message, Named, Part, Role, Special, Template, Tokenizer, Vocabulary};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/text_peer").join(name)
}

fn golden<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_slice(&std::fs::read(file(name)).unwrap()).unwrap()
}

#[derive(Deserialize)]
struct ByteLevel {
    tokens: Vec<String>,
    types: Vec<i32>,
    merges: Vec<String>,
    bos: u32,
    eos: u32,
    cases: Vec<Encoded>,
}

#[derive(Deserialize)]
struct Encoded {
    pre: String,
    text: String,
    special: bool,
    ids: Vec<u32>,
}

fn special(counts: bool) -> Special {
    if counts { Special::Markup } else { Special::Text }
}

#[test]
fn byte_level_tokens_are_the_peers() {
    let golden: ByteLevel = golden("byte_level.json");
    let mut vocabulary = Vocabulary {
        kind: "gpt2".into(),
        tokens: golden.tokens,
        types: golden.types,
        merges: golden.merges,
        bos: Some(golden.bos),
        eos: Some(golden.eos),
        ..Vocabulary::default()
    };
    for case in golden.cases {
        vocabulary.pre = case.pre;
        let tokenizer = Tokenizer::new(&vocabulary, Path::new("golden")).unwrap();
        let ids = tokenizer.encode(&case.text, special(case.special));
        assert_eq!(ids, case.ids, "{} {:?}", vocabulary.pre, case.text);
    }
}

#[test]
fn file_of_hugging_face_gives_the_same_tokens() {
    let golden: ByteLevel = golden("byte_level.json");
    let tokenizer = Tokenizer::open(&file("tokenizer.json")).unwrap();
    assert_eq!(tokenizer.size(), golden.tokens.len());
    assert_eq!(tokenizer.id_of("<|im_end|>"), Some(golden.eos));
    assert!(tokenizer.ends().contains(&golden.eos));
    for case in golden.cases.iter().filter(|case| case.pre == "smollm") {
        assert_eq!(tokenizer.encode(&case.text, special(case.special)), case.ids, "{:?}", case.text);
        if !case.special {
            assert_eq!(tokenizer.decode(&case.ids), case.text);
        }
    }
}

#[test]
fn configuration_beside_the_file_names_the_first_and_last_token() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokenizer.json");
    std::fs::copy(file("tokenizer.json"), &path).unwrap();
    let config = path.with_file_name("tokenizer_config.json");
    let described = r#"{"bos_token": {"content": "<|im_start|>"}, "eos_token": "<|im_end|>", "add_bos_token": true}"#;
    std::fs::write(&config, described).unwrap();
    let tokenizer = Tokenizer::open(&path).unwrap();
    let named = Named { bos: Some("<|im_start|>".into()), eos: Some("<|im_end|>".into()) };
    assert_eq!((tokenizer.named(), tokenizer.adds_bos()), (named, true));

    std::fs::write(&config, r#"{"eos_token": "<nothing>"}"#).unwrap();
    let error = Tokenizer::open(&path).unwrap_err().to_string();
    assert_eq!(error, format!("{}: eos_token: there is no token \"<nothing>\"", config.display()));
}

#[test]
fn other_files_are_refused_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tokenizer.json");
    let missing = Tokenizer::open(&path).unwrap_err().to_string();
    assert!(missing.starts_with(&path.display().to_string()), "{missing}");
    let whole = std::fs::read_to_string(file("tokenizer.json")).unwrap();
    let words = r#"{"version":"1.0","model":{"type":"WordLevel","vocab":{"a":0},"unk_token":"a"}}"#;
    let far = whole.replace("\"Ġ\":", "\"far\":4294967295,\"Ġ\":");
    for (expected, text) in [
        ("EOF", &whole[..whole.len() / 2]),
        ("expected ident", "no JSON"),
        ("key must be a string", &whole.replace("\"decoder\":{\"type\"", "\"decoder\":{no JSON")),
        ("model.type", words),
        ("model.vocab", &far),
        ("model.unk_token", &whole.replace("\"unk_token\":null", "\"unk_token\":\"<nothing>\"")),
        ("decoder", &whole.replace("\"decoder\":{\"type\":\"ByteLevel\"", "\"decoder\":{\"type\":\"Fuse\"")),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = Tokenizer::open(&path).unwrap_err().to_string();
        assert!(error.starts_with(&path.display().to_string()) && error.contains(expected), "{expected}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[derive(Deserialize)]
struct SentencePiece {
    tokens: Vec<String>,
    types: Vec<i32>,
    scores: Vec<f32>,
    unknown: u32,
    bos: u32,
    eos: u32,
    cases: Vec<Decoded>,
}

#[derive(Deserialize)]
struct Decoded {
    text: String,
    ids: Vec<u32>,
    decoded: String,
}

#[test]
fn sentence_piece_tokens_are_the_peers() {
    let golden: SentencePiece = golden("sentence_piece.json");
    let vocabulary = Vocabulary {
        kind: "llama".into(),
        tokens: golden.tokens,
        types: golden.types,
        scores: Some(golden.scores),
        unknown: Some(golden.unknown),
        bos: Some(golden.bos),
        eos: Some(golden.eos),
        add_bos: true,
        add_space_prefix: true,
        ..Vocabulary::default()
    };
    let tokenizer = Tokenizer::new(&vocabulary, Path::new("golden")).unwrap();
    for case in golden.cases {
        assert_eq!(tokenizer.encode(&case.text, Special::Text), case.ids, "{:?}", case.text);
        assert_eq!(tokenizer.decode(&case.ids), case.decoded);
    }
}

#[derive(Deserialize)]
struct Templates {
    bos: String,
    eos: String,
    unix_s: i64,
    cases: Vec<Rendered>,
}

#[derive(Deserialize)]
struct Rendered {
    template: String,
    messages: Vec<Said>,
    tools: Option<String>,
    add_generation_prompt: bool,
    rendered: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    role: String,
    content: Content,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Piece>),
}

#[derive(Deserialize)]
struct Piece {
    text: Option<String>,
}

fn message(said: Said) -> Message {
    let role = match said.role.as_str() {
        "system" => Role::System,
        "user" => Role::User,
        _ => Role::Assistant,
    };
    match said.content {
        Content::Text(text) => Message::new(role, text),
        Content::Parts(parts) => {
            let part = |part: Piece| part.text.map_or(Part::Image, |text| Part::Text { text });
            Message::new(role, parts.into_iter().map(part).collect::<Vec<_>>())
        }
    }
}

#[test]
fn prompts_are_those_of_transformers() {
    let golden: Templates = golden("templates.json");
    let named = Named { bos: Some(golden.bos), eos: Some(golden.eos) };
    for case in golden.cases {
        let path = file(&format!("{}.jinja", case.template));
        let source = std::fs::read_to_string(&path).unwrap();
        let template = Template::new(&path, &source, &named).unwrap();
        let messages: Vec<Message> = case.messages.into_iter().map(message).collect();
        let conversation = Conversation {
            messages: &messages,
            tools: case.tools.as_deref(),
            add_generation_prompt: case.add_generation_prompt,
            unix_s: Some(golden.unix_s),
        };
        match (template.render(&conversation), case.rendered) {
            (Ok(rendered), Some(expected)) => assert_eq!(rendered, expected, "{}", case.template),
            (Err(error), None) => {
                let line = source.lines().position(|line| line.contains("raise_exception")).unwrap() + 1;
                let expected = "Turns must alternate, but turn 2 is the user's again";
                assert_eq!(error.to_string(), format!("{}: chat template, line {line}: {expected}", path.display()));
            }
            (ours, theirs) => panic!("{}: {ours:?} instead of {theirs:?}", case.template),
        }
    }
}
