//! From text to tokens and back, and from a conversation to the text that a model was taught to answer.
//!
//! ```no_run
//! use std::path::Path;
//! use tandem_vlm::text::{Conversation, Message, Role, Special, Stream, Template, Tokenizer};
//!
//! # fn main() -> Result<(), tandem_vlm::Error> {
//! let tokenizer = Tokenizer::open(Path::new("model/tokenizer.json"))?;
//! let source = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}";
//! let template = Template::new(Path::new("model/chat_template.jinja"), source, &tokenizer.named())?;
//! let messages = [Message::new(Role::User, "What is ahead?")];
//! let prompt = template.render(&Conversation { messages: &messages, ..Conversation::default() })?;
//! let ids = tokenizer.encode(&prompt, Special::Markup);
//!
//! let mut answer = Stream::new(&tokenizer);
//! for id in ids {
//!     print!("{}", answer.push(id));
//! }
//! println!("{}", answer.finish());
//! # Ok(())
//! # }
//! ```

mod byte_level;
mod conversation;
mod open;
mod python;
mod sentence_piece;
mod stream;
mod template;
mod tokenizer;
mod vocabulary;

pub use conversation::{Content, Conversation, Message, Part, Role};
pub use stream::Stream;
pub use template::Template;
pub use tokenizer::{Named, Special, Tokenizer};
pub use vocabulary::{Vocabulary, VocabularyId};

#[cfg(test)]
pub(crate) use tokenizer::tests;
