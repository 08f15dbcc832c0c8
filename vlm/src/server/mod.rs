//! The language model for others: a thread that answers requests, and OpenAI's HTTP interface to it.
//!
//! [`Service`] is for this process: any thread or task asks it through a [`Handle`]. [`serve`] is for others:
//!
//! ```no_run
//! # use tandem_vlm::engine::Engine;
//! # use tandem_vlm::server::{Served, Service, serve};
//! # async fn run(engine: Engine, served: Served) -> std::io::Result<()> {
//! let service = Service::start(engine)?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! serve(listener, service.handle(), served, std::future::pending()).await;
//! # Ok(())
//! # }
//! ```
//!
//! A request goes `body` → `prompt` → [`Service`] → `telling` → `reply`. Whatever is wrong with it comes back as
//! `failure` writes it.

mod body;
mod failure;
mod listen;
mod picture;
mod prompt;
mod reply;
mod routes;
mod service;
mod sight;
mod stop;
mod telling;

use std::sync::Arc;

use tokio::net::TcpListener;

pub use self::service::{Answer, Failure, Handle, Piece, Service, Shown, Times};
use crate::text::{Template, Tokenizer};
use crate::vision::Vision;

/// What a server says of the model behind it, and what it needs to speak with it.
#[derive(Debug)]
pub struct Served {
    /// The model's name, which requests may say.
    pub name: String,
    /// Its tokenizer.
    pub tokenizer: Arc<Tokenizer>,
    /// How it is asked; without, there are completions only.
    pub template: Option<Template>,
    /// Its eyes, if it has any.
    pub vision: Option<Vision>,
}

/// Serves a model over HTTP until `stop` comes, then answers the requests that have come, and comes back.
///
/// It needs a tokio runtime with time and network. A client that hangs up cancels its request.
pub async fn serve(listener: TcpListener, handle: Handle, served: Served, stop: impl Future<Output = ()>) {
    listen::listen(listener, routes::router(handle, served), stop).await;
}
