//! Drafts: what the model will probably say next, foretold from what was said before.
//!
//! Every step the decoder checks a tree of drafted tokens in the pass that it makes anyway, and keeps the branch that it
//! would have said itself: drafts make it faster and never change a token. A [`Drafter`] foretells from four sources:
//! the *transplant* (the previous answer with the values of the present prompt, see [`transplant`]), the answers of its
//! own session, the prompt, and a corpus of other answers. Each source foretells by the places where what stands there
//! now has stood before, the longer and the later the more; how much each counts is how well it has foretold of late.
//!
//! ```
//! use tandem_vlm::draft::{Corpus, Drafter, Signs};
//!
//! let (mut drafter, corpus) = (Drafter::new(Signs::none()), Corpus::new(1000));
//! // The second time it has heard it before.
//! for time in 0..2 {
//!     drafter.begin(&[1, 2, 3]);
//!     drafter.accept(&corpus, &[10]);
//!     let tree = drafter.draft(&corpus, 8, 0.0);
//!     let foretold: Vec<u32> = tree.nodes().iter().map(|node| node.token).collect();
//!     assert_eq!(foretold, if time == 0 { vec![] } else { vec![11, 12, 13] });
//!     drafter.accept(&corpus, &[11, 12, 13]);
//!     drafter.end();
//! }
//! ```

pub mod baselines;
mod corpus;
pub mod file;
mod history;
mod mixture;
mod session;
pub mod source;
#[cfg(test)]
mod tests;
pub mod transplant;
mod tree;

pub use corpus::Corpus;
pub use session::Drafter;
pub use transplant::Signs;
pub use tree::{Node, Tree};

/// How far back a place is compared with what stands there now, tokens.
const REACH: usize = 24;

/// What was said last, the latest at the end.
type Context = [u32; REACH];

/// Tokens of a prompt that stand before an answer in a history, so that a beginning is like a beginning.
const LEAD: usize = 8;

/// Stands before the first token of a context.
const NOTHING: u32 = u32::MAX;
