//! Where requests go, and their way from a body to an answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::{Bytes, HttpBody};
use axum::extract::{DefaultBodyLimit, FromRequest, Request as HttpRequest, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use tokio::time::timeout;

use super::Served;
use super::body::{Body, OneOrMany};
use super::failure::Failure;
use super::listen::PATIENCE;
use super::prompt::Prompter;
use super::reply::{Head, Kind};
use super::service::{self, Handle, Shown};
use super::sight::Sight;
use super::telling::Telling;
use crate::engine::Request;
use crate::grammar::{Grammar, Grammars};
use crate::text::Tokenizer;

/// The longest body, bytes: a few images in base64.
const LONGEST_BODY: usize = 16 << 20;

/// What is said of a longer one.
const TOO_LONG: &str = "a body may have 16 MiB";

/// What all requests need.
struct Desk {
    handle: Handle,
    name: String,
    tokenizer: Arc<Tokenizer>,
    prompter: Prompter,
    /// Without, answers can't be held to a form, and this is why.
    grammars: Result<Grammars, String>,
    /// Seconds since 1970.
    since: u64,
    asked: AtomicU64,
}

/// The paths that there are.
pub fn router(handle: Handle, Served { name, tokenizer, template, vision }: Served) -> Router {
    let sight = vision.map(|vision| Sight::new(vision, handle.clone()));
    let prompter = Prompter::new(Arc::clone(&tokenizer), template, sight, handle.room());
    let grammars = Grammars::new(Arc::clone(&tokenizer)).map_err(|error| error.to_string());
    let desk = Desk { handle, name, tokenizer, prompter, grammars, since: now(), asked: AtomicU64::new(0) };
    let chat = |State(desk): State<Arc<Desk>>, request: HttpRequest| answer(desk, Kind::Chat, request);
    let completion = |State(desk): State<Arc<Desk>>, request: HttpRequest| answer(desk, Kind::Completion, request);
    Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/completions", post(completion))
        .route("/v1/models", get(models))
        .route("/health", get(health))
        .fallback(async |uri: Uri| Failure::status(StatusCode::NOT_FOUND, format!("there is no {}", uri.path())))
        .method_not_allowed_fallback(async |method: Method, uri: Uri| {
            Failure::status(StatusCode::METHOD_NOT_ALLOWED, format!("{} does not take {method}", uri.path()))
        })
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .with_state(Arc::new(desk))
}

async fn models(State(desk): State<Arc<Desk>>) -> Response {
    let model = json!({
        "id": desk.name,
        "object": "model",
        "created": desk.since,
        "owned_by": "tandem",
        "max_model_len": desk.handle.room(),
    });
    Json(json!({ "object": "list", "data": [model] })).into_response()
}

async fn health(State(desk): State<Arc<Desk>>) -> Response {
    if desk.handle.is_stopped() {
        return Failure::from(service::Failure::Stopped).into_response();
    }
    Json(json!({ "status": "ok" })).into_response()
}

async fn answer(desk: Arc<Desk>, kind: Kind, request: HttpRequest) -> Result<Response, Failure> {
    let id = desk.asked.fetch_add(1, Ordering::Relaxed);
    let prefix = if kind == Kind::Chat { "chatcmpl" } else { "cmpl" };
    let id = format!("{prefix}-{:x}-{id}", desk.since);
    let result = reply(desk, kind, request, id.clone()).await;
    if let Err(failure) = &result {
        tracing::info!("{id}: {}, {:?}", failure.status, failure.message);
    }
    result
}

async fn reply(desk: Arc<Desk>, kind: Kind, request: HttpRequest, id: String) -> Result<Response, Failure> {
    // What says that it is too long is not waited for.
    if request.body().size_hint().lower() > LONGEST_BODY as u64 {
        return Err(Failure::status(StatusCode::PAYLOAD_TOO_LARGE, TOO_LONG));
    }
    let bytes = timeout(PATIENCE, Bytes::from_request(request, &())).await;
    let bytes = bytes.map_err(|_| Failure::status(StatusCode::REQUEST_TIMEOUT, "the body did not come"))?;
    let bytes = bytes.map_err(|rejected| match rejected.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Failure::status(StatusCode::PAYLOAD_TOO_LARGE, TOO_LONG),
        _ => Failure::wrong(rejected.body_text()),
    })?;
    // Long texts take a while to be cut into tokens and images to be looked at, and others are not to wait for it.
    let at_desk = Arc::clone(&desk);
    let asked = tokio::task::spawn_blocking(move || at_desk.read(kind, &bytes)).await;
    let asked =
        asked.map_err(|_| Failure::status(StatusCode::INTERNAL_SERVER_ERROR, "the body was not understood"))??;
    let head = Head { kind, id, created: now(), model: desk.name.clone(), include_usage: asked.include_usage };
    let answer = desk.handle.ask(asked.request);
    // From here on the request keeps its images.
    drop(asked.shown);
    let telling = Telling::new(head.id.clone(), answer, Arc::clone(&desk.tokenizer), asked.stops);
    if asked.is_streamed { head.streamed(telling).await } else { head.whole(telling).await }
}

/// A request that the engine understands, and what is to become of its answer.
struct Asked {
    request: Request,
    /// The images that it is about.
    shown: Vec<Shown>,
    stops: Vec<String>,
    is_streamed: bool,
    include_usage: bool,
}

impl Desk {
    fn grammar(&self, body: &Body) -> Result<Option<Grammar>, Failure> {
        match &self.grammars {
            Ok(grammars) => body.grammar(grammars),
            Err(_) if body.response_format.is_none() => Ok(None),
            Err(reason) => Err(Failure::field("response_format", reason.as_str())),
        }
    }

    fn read(&self, kind: Kind, bytes: &[u8]) -> Result<Asked, Failure> {
        let mut body = Body::read(bytes)?;
        if let Some(model) = body.model.take().filter(|model| *model != self.name) {
            let failure =
                Failure::field("model", format!("there is no {model:?}, only {:?}", self.name)).code("model_not_found");
            return Err(Failure { status: StatusCode::NOT_FOUND, ..failure });
        }
        let (prompt, shown) = match (kind, body.messages.take(), body.prompt.take()) {
            (Kind::Chat, Some(turns), None) => self.prompter.chat(turns)?,
            (Kind::Completion, None, Some(OneOrMany::One(text))) => (self.prompter.plain(&text)?, Vec::new()),
            (Kind::Completion, None, Some(OneOrMany::Many(tokens))) => (tokens, Vec::new()),
            (Kind::Chat, ..) => return Err(Failure::field("messages", "a chat has messages and no prompt")),
            (Kind::Completion, ..) => {
                return Err(Failure::field("prompt", "a completion has a prompt and no messages"));
            }
        };
        let left = self.handle.room().saturating_sub(prompt.len()).max(1);
        Ok(Asked {
            request: Request {
                most: body.most()?.unwrap_or(left),
                sampling: body.sampling()?,
                session: body.session()?,
                ends: self.tokenizer.ends().to_vec(),
                grammar: self.grammar(&body)?,
                priority: body.priority.unwrap_or(0),
                prompt,
            },
            shown,
            stops: body.stops()?,
            is_streamed: body.stream.unwrap_or(false),
            include_usage: body.stream_options.as_ref().is_some_and(|options| options.include_usage),
        })
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
