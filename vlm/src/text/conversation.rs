//! What is said between a user and a model.

use serde::Serialize;

/// A conversation, and how it is to be written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Conversation<'a> {
    /// What has been said.
    pub messages: &'a [Message],
    /// Descriptions of what the model may call, a JSON array as `apply_chat_template` takes it; its order is kept.
    pub tools: Option<&'a str>,
    /// Whether the model's answer is to begin at the end.
    pub add_generation_prompt: bool,
    /// The time that a template may write down, in seconds since 1970, UTC. Without it a template falls back on a date
    /// of its own, if it has one. It is not read from a clock, so that a replay asks the same.
    pub unix_s: Option<i64>,
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: Content,
}

/// Who says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Whoever set the task.
    System,
    /// Whoever asks.
    User,
    /// The model.
    Assistant,
    /// What the model called.
    Tool,
}

/// What is said: text, or parts of which some are images. Templates tell the two apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Content {
    /// Text alone.
    Text(String),
    /// Text and images, in their order.
    Parts(Vec<Part>),
}

/// A piece of what is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Part {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// Where an image is, for which a template writes the model's marker.
    Image,
}

impl Message {
    /// What somebody says.
    pub fn new(role: Role, content: impl Into<Content>) -> Self {
        Self { role, content: content.into() }
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<Part>> for Content {
    fn from(parts: Vec<Part>) -> Self {
        Self::Parts(parts)
    }
}

impl From<&str> for Part {
    fn from(text: &str) -> Self {
        Self::Text { text: text.into() }
    }
}
