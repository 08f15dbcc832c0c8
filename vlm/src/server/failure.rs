//! Why a request over HTTP has no answer, in OpenAI's form.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::service;
use crate::engine::Refused;
use crate::error::one_line;

/// The longest message or name of a field, bytes: both may quote what was sent.
const LONGEST: usize = 400;

/// Seconds after which somebody who was refused may try again.
const RETRY_AFTER_S: HeaderValue = HeaderValue::from_static("1");

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    pub status: StatusCode,
    pub message: String,
    /// Which field of the request is wrong.
    pub param: Option<String>,
    pub code: Option<&'static str>,
}

impl Failure {
    /// What is asked for is not here, or can't be done.
    pub fn status(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: shortened(message.into()), param: None, code: None }
    }

    /// The request as a whole is wrong.
    pub fn wrong(message: impl Into<String>) -> Self {
        Self::status(StatusCode::BAD_REQUEST, message)
    }

    /// A field of the request is wrong.
    pub fn field(field: impl Into<String>, reason: impl std::fmt::Display) -> Self {
        let field = shortened(field.into());
        Self { param: Some(field.clone()), ..Self::wrong(format!("{field}: {reason}")) }
    }

    /// With a code for programs.
    pub fn code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }

    /// Prompt and answer have more tokens than there is room for.
    pub fn too_long(asked: impl std::fmt::Display, room: usize) -> Self {
        let message = format!("prompt and answer have {asked} tokens together, and there is room for {room}");
        Self::wrong(message).code("context_length_exceeded")
    }

    /// As JSON.
    pub fn body(&self) -> Value {
        let kind = match self.status {
            StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
            status if status.is_server_error() => "server_error",
            _ => "invalid_request_error",
        };
        json!({ "error": { "message": self.message, "type": kind, "param": self.param, "code": self.code } })
    }
}

fn shortened(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push_str("...");
    }
    one_line(&text)
}

impl From<service::Failure> for Failure {
    fn from(failure: service::Failure) -> Self {
        let message = failure.to_string();
        match failure {
            service::Failure::Refused(Refused::TooLong { asked, room }) => Self::too_long(asked, room),
            service::Failure::Refused(Refused::Busy(_)) => {
                Self::status(StatusCode::TOO_MANY_REQUESTS, message).code("rate_limit_exceeded")
            }
            service::Failure::Refused(Refused::Empty | Refused::UnknownToken(_) | Refused::ImageTooLarge(_)) => {
                Self::wrong(message)
            }
            service::Failure::Stopped => Self::status(StatusCode::SERVICE_UNAVAILABLE, message).code("stopped"),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER_S);
        }
        response
    }
}
