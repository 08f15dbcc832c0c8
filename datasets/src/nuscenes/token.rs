//! The keys of nuScenes' tables, held small: there are millions of them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Visitor};

/// A row's key. The official ones are 128 bits in lower-case hexadecimal; any other text is a key as well.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Token {
    /// 32 lower-case hexadecimal digits.
    Bits([u8; 16]),
    /// Everything else; empty where a row refers to none.
    Text(Box<str>),
}

impl Token {
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }
}

impl From<&str> for Token {
    fn from(text: &str) -> Self {
        bits(text.as_bytes()).map_or_else(|| Self::Text(text.into()), Self::Bits)
    }
}

fn bits(text: &[u8]) -> Option<[u8; 16]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let digits: &[u8; 32] = text.try_into().ok()?;
    let mut bits = [0; 16];
    for (byte, pair) in bits.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bits)
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bits(bits) => bits.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TokenVisitor;
        impl Visitor<'_> for TokenVisitor {
            type Value = Token;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a token")
            }

            fn visit_str<E>(self, text: &str) -> Result<Token, E> {
                Ok(Token::from(text))
            }
        }
        deserializer.deserialize_str(TokenVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_shown_as_it_was_read() {
        for text in ["", "ca9a282c9e77460f8360f564131a8af5", "CA9A282C9E77460F8360F564131A8AF5", "scene-1", "é"] {
            assert_eq!(Token::from(text).to_string(), text);
        }
        assert!(matches!(Token::from("ca9a282c9e77460f8360f564131a8af5"), Token::Bits(_)));
        assert_ne!(Token::from("CA9A282C9E77460F8360F564131A8AF5"), Token::from("ca9a282c9e77460f8360f564131a8af5"));
    }
}
