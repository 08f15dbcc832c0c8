//! What answers look like as JSON: whole, or as server-sent events.

use std::convert::Infallible;

use axum::Json;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::failure::Failure;
use super::telling::{Passage, Telling};

/// What ends a stream.
const DONE: &str = "[DONE]";

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `/v1/chat/completions`
    Chat,
    /// `/v1/completions`
    Completion,
}

/// What all parts of a reply say.
#[derive(Debug)]
pub struct Head {
    pub kind: Kind,
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
    pub model: String,
    /// Whether a streamed reply ends with what it took.
    pub include_usage: bool,
}

impl Head {
    /// The whole answer at once.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn whole(self, mut telling: Telling) -> Result<Response, Failure> {
        let mut said = String::new();
        loop {
            let Passage { text, last } = telling.next().await?;
            said.push_str(&text);
            if let Some(last) = last {
                let (object, mut choice) = match self.kind {
                    Kind::Chat => {
                        let message = json!({ "role": "assistant", "content": said, "refusal": null });
                        ("chat.completion", json!({ "message": message }))
                    }
                    Kind::Completion => ("text_completion", json!({ "text": said })),
                };
                choice["finish_reason"] = last.reason.into();
                let mut reply = self.part(object, Some(choice));
                reply["usage"] = last.usage();
                return Ok(Json(reply).into_response());
            }
        }
    }

    /// The answer as it comes.
    ///
    /// # Errors
    /// Why it does not begin; what goes wrong later is told in the stream.
    pub async fn streamed(self, mut telling: Telling) -> Result<Response, Failure> {
        let first = telling.next().await?;
        let begin = match self.kind {
            Kind::Chat => vec![self.chunk(json!({ "role": "assistant", "content": "", "refusal": null }), None)],
            Kind::Completion => Vec::new(),
        };
        let is_whole = first.last.is_some();
        let first: Vec<String> = begin.into_iter().chain(self.chunks(&first)).collect();
        let rest = (!is_whole).then_some((self, telling));
        let rest = stream::unfold(rest, |state| async {
            let (head, mut telling) = state?;
            match telling.next().await {
                Ok(passage) => {
                    let chunks = head.chunks(&passage);
                    Some((chunks, passage.last.is_none().then_some((head, telling))))
                }
                Err(failure) => Some((vec![Failure::from(failure).body().to_string()], None)),
            }
        });
        let chunks = stream::iter([first]).chain(rest).flat_map(stream::iter);
        let events = chunks.map(|chunk| Ok::<_, Infallible>(Event::default().data(chunk)));
        // Comments keep proxies from taking a long pass for a dead connection.
        Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
    }

    /// A passage as chunks of a stream.
    fn chunks(&self, passage: &Passage) -> Vec<String> {
        let mut chunks = Vec::new();
        let text = |text: &str| match self.kind {
            Kind::Chat => json!({ "content": text }),
            Kind::Completion => json!(text),
        };
        if !passage.text.is_empty() {
            chunks.push(self.chunk(text(&passage.text), None));
        }
        if let Some(last) = &passage.last {
            let nothing = if self.kind == Kind::Chat { json!({}) } else { json!("") };
            chunks.push(self.chunk(nothing, Some(last.reason)));
            if self.include_usage {
                let mut chunk = self.part(self.chunk_object(), None);
                chunk["usage"] = last.usage();
                chunks.push(chunk.to_string());
            }
            chunks.push(DONE.to_owned());
        }
        chunks
    }

    fn chunk_object(&self) -> &'static str {
        if self.kind == Kind::Chat { "chat.completion.chunk" } else { "text_completion" }
    }

    fn chunk(&self, said: Value, reason: Option<&str>) -> String {
        let said_as = if self.kind == Kind::Chat { "delta" } else { "text" };
        let mut chunk = self.part(self.chunk_object(), Some(json!({ said_as: said, "finish_reason": reason })));
        if self.include_usage {
            chunk["usage"] = Value::Null;
        }
        chunk.to_string()
    }

    fn part(&self, object: &str, choice: Option<Value>) -> Value {
        let choices = choice.map(|mut choice| {
            choice["index"] = 0.into();
            choice["logprobs"] = Value::Null;
            choice
        });
        let choices: Vec<Value> = choices.into_iter().collect();
        json!({ "id": self.id, "object": object, "created": self.created, "model": self.model, "choices": choices })
    }
}
