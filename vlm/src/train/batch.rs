//! Lessons as a learner takes them: embeddings, and what should follow on which of them.

use crate::eyes::Rows;
use crate::model::Plain;

/// A lesson in tokens.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The prompt, then what should be said with the token that ends it. Tokens behind the vocabulary stand for rows.
    pub tokens: Vec<u32>,
    /// Where what should be said begins.
    pub answer: usize,
    /// What the eyes see.
    pub rows: Option<Rows>,
}

/// Lessons side by side, the shorter ones filled up behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Lessons, and tokens of the longest.
    pub shape: [usize; 2],
    /// `[lessons · tokens, hidden]`; zeros for rows and behind the end.
    pub embeddings: Vec<f32>,
    /// `[places, width]`.
    pub rows: Vec<f32>,
    /// Where among the embeddings rows stand.
    pub places: Vec<i32>,
    /// After which of the embeddings something should be said.
    pub wanted: Vec<i32>,
    /// What.
    pub targets: Vec<i32>,
}

impl Batch {
    /// Of lessons for a decoder.
    pub fn new(examples: &[Example], plain: &Plain) -> Self {
        let hidden = plain.config.hidden;
        // What is said last is not read.
        let tokens = examples.iter().map(|example| example.tokens.len() - 1).max().unwrap_or(0);
        let mut batch = Self {
            shape: [examples.len(), tokens],
            embeddings: vec![0.0; examples.len() * tokens * hidden],
            rows: Vec::new(),
            places: Vec::new(),
            wanted: Vec::new(),
            targets: Vec::new(),
        };
        for (number, example) in examples.iter().enumerate() {
            let first = number * tokens;
            let read = &example.tokens[..example.tokens.len() - 1];
            for (place, token) in (first..).zip(read) {
                if (*token as usize) < plain.config.vocabulary {
                    plain.embedding(*token, &mut batch.embeddings[place * hidden..][..hidden]);
                } else {
                    batch.places.push(place as i32);
                }
            }
            batch.rows.extend(example.rows.iter().flat_map(|rows| &rows.values));
            batch.wanted.extend((first + example.answer - 1..first + read.len()).map(|place| place as i32));
            batch.targets.extend(example.tokens[example.answer..].iter().map(|token| *token as i32));
        }
        batch
    }
}
