//! What is sent to `/v1/chat/completions` and `/v1/completions`: its fields, and which of them are known.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::marker::PhantomData;

use serde::de::{SeqAccess, Visitor, value::SeqAccessDeserializer};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::failure::Failure;
use crate::engine::Sampling;
use crate::grammar::{Grammar, Grammars};

/// Texts that may end an answer, at most, and the bytes of each.
const MOST_STOPS: (usize, usize) = (16, 256);

/// The longest name of a session, bytes: the engine keeps it.
const LONGEST_SESSION: usize = 256;

/// Fields of OpenAI's that do not change an answer.
const IDLE: [&str; 7] =
    ["metadata", "name", "parallel_tool_calls", "prompt_cache_key", "safety_identifier", "service_tier", "store"];

/// A request's body. Sources: OpenAI's API reference, "Create chat completion" and "Create completion"; `top_k`,
/// `session` and `priority` are ours.
#[derive(Debug, Default, Deserialize)]
pub struct Body {
    pub model: Option<String>,
    /// Of a chat.
    pub messages: Option<Vec<Turn>>,
    /// Of a completion: text, or tokens.
    pub prompt: Option<OneOrMany<u32>>,
    pub max_tokens: Option<usize>,
    pub max_completion_tokens: Option<usize>,
    pub temperature: Option<f32>,
    pub top_p: Option<f32>,
    pub top_k: Option<usize>,
    pub seed: Option<i64>,
    pub stop: Option<OneOrMany<String>>,
    pub stream: Option<bool>,
    pub stream_options: Option<StreamOptions>,
    pub user: Option<String>,
    /// Whose earlier answers drafts are made from; if it is absent, `user`.
    pub session: Option<String>,
    /// Higher goes first.
    pub priority: Option<i32>,
    pub response_format: Option<ResponseFormat>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A message.
#[derive(Debug, Deserialize)]
pub struct Turn {
    pub role: Speaker,
    pub content: OneOrMany<Part>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[cfg(test)]
impl Turn {
    /// A message without anything else.
    pub fn new(role: Speaker, content: OneOrMany<Part>) -> Self {
        Self { role, content, rest: Map::new() }
    }
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    System,
    Developer,
    User,
    Assistant,
    Tool,
}

/// A piece of what is said.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Part {
    Text { text: String },
    ImageUrl { image_url: ImageUrl },
}

/// Where an image is.
#[derive(Debug, Deserialize)]
pub struct ImageUrl {
    pub url: String,
}

/// How an answer is streamed.
#[derive(Debug, Deserialize)]
pub struct StreamOptions {
    #[serde(default)]
    pub include_usage: bool,
}

/// What form an answer has; the last is ours.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ResponseFormat {
    Text,
    JsonObject,
    JsonSchema { json_schema: NamedSchema },
    Grammar { grammar: String },
}

/// A JSON schema; its name and description change nothing, and it is always held to.
#[derive(Debug, Deserialize)]
pub struct NamedSchema {
    pub schema: Value,
}

/// A text, or a list of something.
#[derive(Debug)]
pub enum OneOrMany<T> {
    One(String),
    Many(Vec<T>),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or a list")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(OneOrMany::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(OneOrMany::Many)
            }
        }

        deserializer.deserialize_any(Either(PhantomData))
    }
}

impl Body {
    /// Out of JSON; what nobody here understands is refused, unless it asks for nothing.
    ///
    /// # Errors
    /// [`Failure`] that names the field.
    pub fn read(bytes: &[u8]) -> Result<Self, Failure> {
        let mut json = serde_json::Deserializer::from_slice(bytes);
        let body: Self = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let place = error.path().to_string();
            let reason = error.into_inner().to_string();
            if place == "." { Failure::wrong(format!("the body: {reason}")) } else { Failure::field(place, reason) }
        })?;
        json.end().map_err(|error| Failure::wrong(format!("the body: {error}")))?;
        refuse_unknown("", &body.rest)?;
        for (number, turn) in body.messages.iter().flatten().enumerate() {
            refuse_unknown(&format!("messages[{number}]."), &turn.rest)?;
        }
        Ok(body)
    }

    /// What the answer has to obey.
    pub fn grammar(&self, grammars: &Grammars) -> Result<Option<Grammar>, Failure> {
        let (field, grammar) = match &self.response_format {
            None | Some(ResponseFormat::Text) => return Ok(None),
            Some(ResponseFormat::JsonObject) => ("response_format", grammars.schema(&json!({ "type": "object" }))),
            Some(ResponseFormat::JsonSchema { json_schema }) => {
                ("response_format.json_schema.schema", grammars.schema(&json_schema.schema))
            }
            Some(ResponseFormat::Grammar { grammar }) => ("response_format.grammar", grammars.lark(grammar)),
        };
        grammar.map(Some).map_err(|error| Failure::field(field, error.to_string()))
    }

    /// How tokens are chosen. Without a seed it differs every time, as it does at OpenAI's.
    pub fn sampling(&self) -> Result<Sampling, Failure> {
        let within = |field: &str, value: Option<f32>, most: f32| match value {
            Some(value) if !(0.0..=most).contains(&value) => {
                Err(Failure::field(field, format!("{value} is not within 0 and {most}")))
            }
            value => Ok(value.unwrap_or(1.0)),
        };
        Ok(Sampling {
            temperature: within("temperature", self.temperature, 2.0)?,
            top_p: within("top_p", self.top_p, 1.0)?,
            top_k: self.top_k.unwrap_or(0),
            seed: self.seed.map_or_else(|| RandomState::new().hash_one(0), i64::cast_unsigned),
        })
    }

    /// The most tokens to say, if that is limited.
    pub fn most(&self) -> Result<Option<usize>, Failure> {
        match (self.max_completion_tokens, self.max_tokens) {
            (Some(0), _) => Err(Failure::field("max_completion_tokens", "an answer has at least one token")),
            (None, Some(0)) => Err(Failure::field("max_tokens", "an answer has at least one token")),
            (most, other) => Ok(most.or(other)),
        }
    }

    /// The texts that end an answer.
    pub fn stops(&mut self) -> Result<Vec<String>, Failure> {
        let texts = match self.stop.take() {
            None => Vec::new(),
            Some(OneOrMany::One(text)) => vec![text],
            Some(OneOrMany::Many(texts)) => texts,
        };
        let (count, length) = MOST_STOPS;
        if texts.len() > count || texts.iter().any(|text| text.is_empty() || text.len() > length) {
            return Err(Failure::field("stop", format!("at most {count} texts of 1 to {length} bytes")));
        }
        Ok(texts)
    }

    /// Whose earlier answers drafts are made from.
    pub fn session(&mut self) -> Result<Option<String>, Failure> {
        let (field, name) = match self.session.take() {
            None => ("user", self.user.take()),
            name => ("session", name),
        };
        match name {
            Some(name) if name.len() > LONGEST_SESSION => {
                Err(Failure::field(field, format!("at most {LONGEST_SESSION} bytes")))
            }
            name => Ok(name),
        }
    }
}

/// Refuses fields that ask for something which would not be done.
fn refuse_unknown(place: &str, fields: &Map<String, Value>) -> Result<(), Failure> {
    let asks_for_nothing = |(name, value): &(&String, &Value)| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => {
            number.as_f64() == Some(if matches!(name.as_str(), "n" | "best_of") { 1.0 } else { 0.0 })
        }
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(true) => false,
    };
    let is_idle = |(name, _): &(&String, &Value)| IDLE.contains(&name.as_str());
    match fields.iter().find(|field| !is_idle(field) && !asks_for_nothing(field)) {
        Some((name, _)) => {
            Err(Failure::field(format!("{place}{name}"), "this is not supported").code("unsupported_parameter"))
        }
        None => Ok(()),
    }
}
