//! Files of requests to a language model: a JSON object a line.

use std::fs::read_to_string;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use tandem_vlm::text::{Conversation, Message, Role, Special, Template, Tokenizer};

use crate::drive::Usage;

/// What a line says of a request, and of its answer if it has one; what is given as tokens counts before text.
#[derive(Deserialize)]
struct Line {
    prompt_ids: Option<Vec<u32>>,
    prompt: Option<String>,
    messages: Option<Vec<Turn>>,
    answer_ids: Option<Vec<u32>>,
    answer: Option<String>,
    form: Option<Form>,
}

/// What an answer has to obey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// The grammar of judgments.
    Judgment,
}

/// One turn of a conversation.
#[derive(Deserialize)]
struct Turn {
    role: Speaker,
    content: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Speaker {
    System,
    User,
    Assistant,
}

/// A request as tokens.
pub struct Asked {
    /// The line as it was, for who writes it down again.
    pub line: Map<String, Value>,
    /// What is asked; never empty.
    pub prompt: Vec<u32>,
    /// What was answered.
    pub answer: Option<Vec<u32>>,
    /// What it has to obey.
    pub form: Option<Form>,
}

/// Reads a file of requests: `prompt_ids`, `prompt` as text with the model's markup, or `messages`; and `answer_ids` or
/// `answer` if they were answered.
///
/// # Errors
/// [`Usage::Request`] with the line that is no request.
pub fn read(path: &Path, tokenizer: &Tokenizer, template: Option<&Template>) -> anyhow::Result<Vec<Asked>> {
    let text = read_to_string(path).map_err(|source| tandem_vlm::Error::Io { path: path.into(), source })?;
    let lines = text.lines().zip(1..).map(|(text, line)| {
        asked(text, tokenizer, template)
            .map_err(|reason| Usage::Request { path: path.into(), line, reason: format!("{reason:#}") }.into())
    });
    lines.collect()
}

/// A request that was answered.
pub struct Answered {
    pub prompt: Vec<u32>,
    pub answer: Vec<u32>,
    pub form: Option<Form>,
}

/// Reads a file of requests that were answered.
///
/// # Errors
/// As [`read`], and for a line without an answer.
pub fn answered(path: &Path, tokenizer: &Tokenizer, template: Option<&Template>) -> anyhow::Result<Vec<Answered>> {
    let requests = read(path, tokenizer, template)?.into_iter().zip(1..);
    let requests = requests.map(|(Asked { prompt, answer, form, .. }, line)| {
        let reason = || "it has no `answer` and no `answer_ids`".to_owned();
        let answer = answer.ok_or_else(|| Usage::Request { path: path.into(), line, reason: reason() })?;
        Ok(Answered { prompt, answer, form })
    });
    requests.collect()
}

fn asked(text: &str, tokenizer: &Tokenizer, template: Option<&Template>) -> anyhow::Result<Asked> {
    let line: Map<String, Value> = serde_json::from_str(text)?;
    let Line { prompt_ids, prompt, messages, answer_ids, answer, form } = serde_json::from_str(text)?;
    let encode = |text: &str| tokenizer.encode(text, Special::Markup);
    let prompt = match (prompt_ids, prompt, messages) {
        (Some(ids), _, _) => ids,
        (None, Some(text), _) => encode(&text),
        (None, None, Some(turns)) => {
            let template = template.ok_or_else(|| anyhow::anyhow!("messages: the model has no chat template"))?;
            encode(&rendered(turns, template)?)
        }
        (None, None, None) => anyhow::bail!("it has no `prompt`, `prompt_ids` or `messages`"),
    };
    anyhow::ensure!(!prompt.is_empty(), "the prompt is empty");
    let answer = answer_ids.or_else(|| answer.as_deref().map(encode));
    if let Some(token) = prompt.iter().chain(answer.iter().flatten()).find(|id| **id as usize >= tokenizer.size()) {
        anyhow::bail!("token {token} is not in the vocabulary");
    }
    Ok(Asked { line, prompt, answer, form })
}

fn rendered(turns: Vec<Turn>, template: &Template) -> anyhow::Result<String> {
    let message = |Turn { role, content }: Turn| {
        let role = match role {
            Speaker::System => Role::System,
            Speaker::User => Role::User,
            Speaker::Assistant => Role::Assistant,
        };
        Message::new(role, content)
    };
    let messages: Vec<_> = turns.into_iter().map(message).collect();
    let conversation = Conversation { messages: &messages, tools: None, add_generation_prompt: true, unix_s: None };
    Ok(template.render(&conversation)?)
}
