//! The server through real sockets: its answers are the engine's, whoever else comes, goes, lingers or sends garbage.

#![allow(clippy::unwrap_used)]

mod answers;
mod client;
mod errors;
mod hanging_up;
mod images;
mod peer;
mod running;
mod speed;
#[path = "../support/mod.rs"]
mod support;
