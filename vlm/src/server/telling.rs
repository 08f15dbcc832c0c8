//! An answer as text: pieces as they come, up to one of the texts that end it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::service::{Answer, Failure, Times};
use super::stop::Stops;
use crate::engine::{End, Usage};
use crate::text::{Stream, Tokenizer};

/// An answer on its way. Dropping it cancels the request.
#[derive(Debug)]
pub struct Telling {
    /// For the log.
    id: String,
    answer: Answer,
    stream: Stream<Arc<Tokenizer>>,
    stops: Stops,
    said: usize,
    /// Whether it has ended, well or not.
    is_over: bool,
}

/// A piece of an answer.
#[derive(Debug)]
pub struct Passage {
    /// Possibly nothing, if it is the last.
    pub text: String,
    /// At the end.
    pub last: Option<Last>,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy)]
pub struct Last {
    /// As OpenAI calls it.
    pub reason: &'static str,
    usage: Usage,
    times: Times,
}

impl Telling {
    /// Nothing was told yet.
    pub fn new(id: String, answer: Answer, tokenizer: Arc<Tokenizer>, stops: Vec<String>) -> Self {
        Self { id, answer, stream: Stream::new(tokenizer), stops: Stops::new(stops), said: 0, is_over: false }
    }

    /// The next passage that has a text, or ends the answer.
    ///
    /// # Errors
    /// [`Failure`] if there is none.
    pub async fn next(&mut self) -> Result<Passage, Failure> {
        let mut text = String::new();
        loop {
            let piece = self.answer.next().await.inspect_err(|_| self.is_over = true)?;
            let mut reason = piece.end.map(|end| match end {
                End::Said => "stop",
                // A grammar's parser that came to its limits cuts an answer off as well.
                End::Length | End::Stuck => "length",
            });
            let mut is_stopped = false;
            for token in &piece.tokens {
                self.said += 1;
                is_stopped = self.stops.push(self.stream.push(*token), &mut text);
                if is_stopped {
                    break;
                }
            }
            if !is_stopped && reason.is_some() {
                // A character that broke off.
                is_stopped = self.stops.push(self.stream.clone().finish(), &mut text);
                text.push_str(&self.stops.finish());
            }
            if is_stopped {
                self.answer.cancel();
                reason = Some("stop");
            }
            self.is_over = reason.is_some();
            if self.is_over || !text.is_empty() {
                // Tokens behind a text that ended the answer were not asked for.
                let usage = Usage { said: self.said, ..piece.usage };
                let last = reason.map(|reason| Last { reason, usage, times: piece.times });
                last.inspect(|last| last.log(&self.id));
                return Ok(Passage { text, last });
            }
        }
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        if !self.is_over {
            tracing::info!("{}: whoever asked has gone, after {} tokens", self.id, self.said);
        }
    }
}

impl Last {
    fn log(&self, id: &str) {
        let Self { reason, usage, times } = self;
        tracing::info!(
            "{id}: {} tokens read, {} of them cached, {} said in {} steps, {:.0?} queued and {:.0?} answered, {reason}",
            usage.prompt,
            usage.cached,
            usage.said,
            usage.steps,
            times.queued,
            times.prompt + times.answer,
        );
    }

    /// What the request took, as JSON: OpenAI's counts, drafts and times.
    pub fn usage(&self) -> Value {
        let Self { usage, times, .. } = self;
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        json!({
            "prompt_tokens": usage.prompt,
            "completion_tokens": usage.said,
            "total_tokens": usage.prompt + usage.said,
            "prompt_tokens_details": { "cached_tokens": usage.cached },
            "draft": {
                "steps": usage.steps,
                "drafted_tokens": usage.drafted,
                "kept_tokens": usage.accepted,
                "forced_tokens": usage.forced,
                "tokens_a_step": usage.said as f64 / usage.steps.max(1) as f64,
            },
            "timings": {
                "queued_ms": ms(times.queued),
                "prompt_ms": ms(times.prompt),
                "answer_ms": ms(times.answer),
            },
        })
    }
}
