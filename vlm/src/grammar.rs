//! Grammars that an answer has to obey, so that whoever reads it can rely on its form.
//!
//! A grammar says at every place which tokens may come next; the likeliest of these is taken. Where only one can come it
//! is said without asking the model. The grammars are those of llguidance: JSON schemas and its dialect of Lark.

use std::sync::{Arc, Mutex, PoisonError};

use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::{InferenceCapabilities, TokEnv, TokRxInfo, TokTrie, TokenizerEnv};
use llguidance::{Matcher, ParserFactory};
use serde_json::Value;

use crate::Error;
use crate::text::{Special, Tokenizer};

/// Makes grammars for a vocabulary.
pub struct Grammars(ParserFactory);

impl Grammars {
    /// For the vocabulary of a tokenizer.
    ///
    /// # Errors
    /// [`Error::Grammar`] if the vocabulary names no token that ends an answer.
    pub fn new(tokenizer: Arc<Tokenizer>) -> Result<Self, Error> {
        let names = |what: &str| Error::Grammar(format!("the vocabulary {what}"));
        let first_end = *tokenizer.ends().first().ok_or_else(|| names("has no token that ends an answer"))?;
        let size = u32::try_from(tokenizer.size()).map_err(|_| names("is too large"))?;
        let bytes = |token: u32| match tokenizer.bytes_of(token) {
            Some(bytes) if !tokenizer.is_control(token) => bytes.to_vec(),
            // Markup is never text; its own bytes would be.
            _ => {
                let name = tokenizer.name_of(token).unwrap_or_default();
                [&[TokTrie::SPECIAL_TOKEN_MARKER], name.as_bytes()].concat()
            }
        };
        let words: Vec<_> = (0..size).map(bytes).collect();
        let trie = TokTrie::from(&TokRxInfo::new(size, first_end), &words).with_eos_tokens(tokenizer.ends());
        // Some vocabularies put a space before every text, which a piece of one would get as well.
        let piece = tokenizer.encode("x", Special::Text);
        let is_canonical = piece.len() == 1 && tokenizer.bytes_of(piece[0]) == Some(b"x");
        let tokens: TokEnv = Arc::new(Tokens { tokenizer, trie, is_canonical });
        let can = InferenceCapabilities { ff_tokens: is_canonical, ..InferenceCapabilities::default() };
        let slices = llguidance::earley::SlicedBiasComputer::general_slices();
        let mut factory = ParserFactory::new(&tokens, can, &slices).map_err(wrong)?;
        factory.quiet();
        Ok(Self(factory))
    }

    /// Answers that are JSON as a schema says, without spaces but after separators.
    ///
    /// # Errors
    /// [`Error::Grammar`] with what is not understood of it.
    pub fn schema(&self, schema: &Value) -> Result<Grammar, Error> {
        let mut schema = schema.clone();
        if let Some(options) = schema.as_object_mut() {
            let spaces = serde_json::json!({
                "whitespace_flexible": false, "item_separator": ", ", "key_separator": ": ",
            });
            options.entry("x-guidance").or_insert(spaces);
        }
        self.of(TopLevelGrammar::from_json_schema(schema))
    }

    /// Answers that llguidance's dialect of Lark allows.
    ///
    /// # Errors
    /// [`Error::Grammar`] with what is not understood of it.
    pub fn lark(&self, grammar: &str) -> Result<Grammar, Error> {
        self.of(TopLevelGrammar::from_lark(grammar.to_owned()))
    }

    fn of(&self, grammar: TopLevelGrammar) -> Result<Grammar, Error> {
        let start = Matcher::new(self.0.create_parser(grammar));
        match start.get_error() {
            Some(reason) => Err(wrong(reason)),
            None => Ok(Grammar(Arc::new(Mutex::new(start)))),
        }
    }
}

/// One line of a library's many.
fn wrong(reason: impl std::fmt::Display) -> Error {
    let reason = reason.to_string();
    Error::Grammar(reason.lines().next().unwrap_or_default().to_owned())
}

/// A vocabulary, as llguidance asks for it.
struct Tokens {
    tokenizer: Arc<Tokenizer>,
    trie: TokTrie,
    is_canonical: bool,
}

impl TokenizerEnv for Tokens {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<u32> {
        self.trie.tokenize_with_greedy_fallback(bytes, |text| self.tokenizer.encode(text, Special::Text))
    }

    fn tokenize_is_canonical(&self) -> bool {
        self.is_canonical
    }
}

/// A grammar, ready for any number of answers.
#[derive(Clone)]
pub struct Grammar(Arc<Mutex<Matcher>>);

impl Grammar {
    /// At the beginning of an answer.
    pub(crate) fn begin(&self) -> Progress {
        Progress(self.0.lock().unwrap_or_else(PoisonError::into_inner).deep_clone())
    }
}

impl PartialEq for Grammar {
    /// Whether both are the same one; what they say is not compared.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl std::fmt::Debug for Grammar {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Grammar")
    }
}

/// How far an answer has come in its grammar.
pub(crate) struct Progress(Matcher);

impl std::fmt::Debug for Progress {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Progress")
    }
}

/// What a grammar has against going on: limits of its parser.
#[derive(Debug)]
pub(crate) struct Stuck;

impl Progress {
    /// The tokens that may come next, a bit each; those that end the answer among them where it may end.
    pub fn allowed(&mut self) -> Result<Allowed, Stuck> {
        self.0.compute_mask_or_eos().map(|bits| Allowed(bits.as_slice().to_vec())).map_err(|_| Stuck)
    }

    /// Goes on by a token that is allowed.
    pub fn go_on(&mut self, token: u32) -> Result<(), Stuck> {
        self.0.consume_token(token).map_err(|_| Stuck)
    }

    /// The tokens that must come next, as far as no other can; goes on by them.
    pub fn forced(&mut self) -> Vec<u32> {
        self.0.consume_ff_tokens()
    }

    /// Whether nothing can come any more.
    pub fn is_over(&self) -> bool {
        self.0.is_stopped()
    }

    /// How many of the tokens may come one after the other; stays where it is.
    pub fn allowed_of(&mut self, tokens: &[u32]) -> usize {
        self.0.validate_tokens(tokens).unwrap_or(0)
    }
}

/// Tokens that are allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allowed(Vec<u32>);

impl Allowed {
    #[cfg(test)]
    pub fn of(tokens: &[u32]) -> Self {
        let mut bits = vec![0; tokens.iter().max().map_or(0, |largest| *largest as usize / 32 + 1)];
        tokens.iter().for_each(|token| bits[*token as usize / 32] |= 1 << (token % 32));
        Self(bits)
    }

    pub fn has(&self, token: u32) -> bool {
        self.0.get(token as usize / 32).is_some_and(|bits| bits >> (token % 32) & 1 == 1)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::text::Vocabulary;

    /// Sixty-one tokens, a character each: two that are nothing, the end as number 2, then what JSON is made of.
    pub(crate) fn characters() -> Arc<Tokenizer> {
        let letters = ('a'..='z').chain('0'..='9').chain(r#"{}[]":,.-_+!?()=<>/*&%"#.chars()).map(String::from);
        let names = ["<a>", "<b>", "<end>"].map(String::from);
        let vocabulary = Vocabulary {
            kind: "gpt2".into(),
            pre: "default".into(),
            tokens: names.into_iter().chain(letters).collect(),
            types: [[3; 3].as_slice(), &[1; 58]].concat(),
            eos: Some(2),
            ..Vocabulary::default()
        };
        Arc::new(Tokenizer::new(&vocabulary, Path::new("characters.gguf")).unwrap())
    }

    fn text(tokenizer: &Tokenizer, allowed: &Allowed) -> String {
        (0..61).filter(|token| allowed.has(*token)).map(|token| tokenizer.name_of(token).unwrap()).collect()
    }

    #[test]
    fn what_may_come_is_what_the_grammar_says_and_what_must_come_is_said() {
        let tokenizer = characters();
        let grammars = Grammars::new(tokenizer.clone()).unwrap();
        let grammar = grammars.lark("start: \"go\" (\"left\" | \"right\")? \"!\"").unwrap();
        let mut progress = grammar.begin();
        assert_eq!(tokenizer.decode(&progress.forced()), "go");
        let allowed = progress.allowed().unwrap();
        assert_eq!(text(&tokenizer, &allowed), "lr!");
        let [l, r, e, end] = [14, 20, 7, 2];
        assert_eq!((progress.allowed_of(&[l, e, r]), progress.allowed_of(&[e])), (2, 0));
        progress.go_on(r).unwrap();
        assert_eq!(tokenizer.decode(&progress.forced()), "ight!");
        assert!(progress.is_over());
        assert!(progress.allowed().unwrap().has(end));
        // Another answer begins anew.
        assert_eq!(tokenizer.decode(&grammar.begin().forced()), "go");
    }

    #[test]
    fn an_answer_that_may_end_or_go_on_may_do_both() {
        let grammars = Grammars::new(characters()).unwrap();
        let mut progress = grammars.lark("start: /a+/").unwrap().begin();
        assert_eq!(progress.forced(), [3]);
        assert_eq!(text(&characters(), &progress.allowed().unwrap()), "<end>a");
    }

    #[test]
    fn a_schema_leaves_no_spaces_to_choose() {
        let grammars = Grammars::new(characters()).unwrap();
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["risk"],
            "properties": {"risk": {"enum": ["low", "high"]}},
            // The vocabulary has no space.
            "x-guidance": {"whitespace_flexible": false, "item_separator": ",", "key_separator": ":"},
        });
        let mut progress = grammars.schema(&schema).unwrap().begin();
        assert_eq!(characters().decode(&progress.forced()), r#"{"risk":""#);
        assert_eq!(text(&characters(), &progress.allowed().unwrap()), "hl");
    }

    #[test]
    fn what_is_no_grammar_is_one_line() {
        let grammars = Grammars::new(characters()).unwrap();
        for error in [
            grammars.lark("start: (").unwrap_err(),
            grammars.schema(&json!({"type": "nonsense"})).unwrap_err(),
            grammars.schema(&json!(3)).unwrap_err(),
        ] {
            let line = error.to_string();
            assert!(line.starts_with("grammar: ") && line.lines().count() == 1 && line.len() > 15, "{line:?}");
        }
    }
}
