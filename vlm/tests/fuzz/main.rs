//! Whatever comes from outside: every parser of it gives a value or one line, without panic, and takes no memory without
//! end. What it is fed is something valid with changes: bits flipped, parts cut, copied, put in or exchanged, other
//! numbers.
//!
//! Some hundred cases each take seconds; `PROPTEST_CASES=100000 cargo test --release -p tandem -p tandem-vlm --test fuzz`
//! takes as long as one likes. GGUF files have tests of their own beside these (`gguf_damaged.rs`).

#![allow(clippy::unwrap_used)]

mod change;
mod files;
#[path = "../server/client.rs"]
#[allow(dead_code)]
mod http;
mod models;
mod requests;
#[path = "../server/running.rs"]
#[allow(dead_code)]
mod running;
mod texts;
