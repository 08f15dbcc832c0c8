//! Changes to what is valid, and how a parser is watched.

use std::fmt::Display;

use allocation_counter::measure;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;

/// What texts of all kinds are made of, and what they should not have.
const WORDS: [&str; 30] = [
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\\",
    "\n",
    "\0",
    "null",
    "true",
    "-1",
    "0",
    "1e999",
    "18446744073709551616",
    "4294967295",
    "NaN",
    "{%",
    "{{",
    "}}",
    "%}",
    "<|im_end|>",
    "<image>",
    "\u{fffd}",
    "é",
    "🛑",
    "((((((((",
    "/.*/",
    "[[",
];

/// A change to bytes.
#[derive(Debug, Clone)]
pub enum Change {
    Flip(Index, u8),
    Cut(Index, usize),
    End(Index),
    Put(Index, Vec<u8>),
    Word(Index, &'static str),
    Copy(Index, Index, usize),
    Exchange(Index, Index, usize),
    /// A number of four or eight bytes, little endian.
    Number(Index, u64, usize),
}

/// A few changes.
pub fn changes() -> impl Strategy<Value = Vec<Change>> {
    let number = prop_oneof![
        any::<u64>(),
        0..300_u64,
        (0..64_u32).prop_map(|bit| 1 << bit),
        (0..64_u32).prop_map(|bit| u64::MAX << bit),
    ];
    let place = any::<Index>;
    let change = prop_oneof![
        4 => (place(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        1 => (place(), 1..40_usize).prop_map(|(at, count)| Change::Cut(at, count)),
        1 => place().prop_map(Change::End),
        1 => (place(), proptest::collection::vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Change::Put(at, bytes)),
        4 => (place(), proptest::sample::select(WORDS.as_slice())).prop_map(|(at, word)| Change::Word(at, word)),
        1 => (place(), place(), 1..40_usize).prop_map(|(from, to, count)| Change::Copy(from, to, count)),
        1 => (place(), place(), 1..40_usize).prop_map(|(one, other, count)| Change::Exchange(one, other, count)),
        2 => (place(), number, prop_oneof![Just(4_usize), Just(8)]).prop_map(|(at, number, size)| {
            Change::Number(at, number, size)
        }),
    ];
    proptest::collection::vec(change, 1..5)
}

/// Bytes with changes in the first `within` of them.
pub fn changed(bytes: &[u8], within: usize, changes: &[Change]) -> Vec<u8> {
    let (head, rest) = bytes.split_at(within.min(bytes.len()));
    let mut bytes = head.to_vec();
    for change in changes {
        let length = bytes.len();
        if length == 0 {
            break;
        }
        let at = |place: &Index| place.index(length);
        let span = |place: &Index, count: usize| at(place)..(at(place) + count).min(length);
        match change {
            Change::Flip(place, bit) => bytes[at(place)] ^= 1 << bit,
            Change::Cut(place, count) => drop(bytes.drain(span(place, *count))),
            Change::End(place) => bytes.truncate(at(place)),
            Change::Put(place, put) => drop(bytes.splice(at(place)..at(place), put.iter().copied())),
            Change::Word(place, word) => drop(bytes.splice(at(place)..at(place), word.bytes())),
            Change::Copy(from, to, count) => {
                let copy = bytes[span(from, *count)].to_vec();
                bytes.splice(at(to)..at(to), copy);
            }
            Change::Exchange(one, other, count) => {
                let count = (*count).min(length - at(one)).min(length - at(other));
                (0..count).for_each(|step| bytes.swap(at(one) + step, at(other) + step));
            }
            Change::Number(place, number, size) => {
                let place = span(place, *size);
                let count = place.len();
                bytes[place].copy_from_slice(&number.to_le_bytes()[..count]);
            }
        }
    }
    bytes.extend_from_slice(rest);
    bytes
}

/// The valid text with changes, as far as it is still text.
pub fn changed_text(text: &str, changes: &[Change]) -> String {
    String::from_utf8_lossy(&changed(text.as_bytes(), text.len(), changes)).into_owned()
}

/// Looks at as many cases as `PROPTEST_CASES` says, or some hundred, divided by what one costs.
pub fn cases<S: Strategy>(cost: u32, strategy: S, look: impl Fn(S::Value)) {
    let config = ProptestConfig::default();
    let cases = (config.cases / cost).max(1);
    let mut runner = TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..config });
    let looked = runner.run(&strategy, |value| {
        look(value);
        Ok(())
    });
    looked.unwrap();
    println!("{cases} cases");
}

/// What a parser gives, which may take so many bytes of memory.
pub fn within<T, E: Display>(bytes: usize, parse: impl FnOnce() -> Result<T, E>) -> Option<T> {
    let mut parsed = None;
    let memory = measure(|| parsed = Some(parse()));
    assert!(memory.bytes_max <= bytes as u64, "{memory:?}, and {bytes} bytes are enough");
    match parsed.unwrap() {
        Ok(value) => Some(value),
        Err(error) => {
            let line = error.to_string();
            assert!(!line.is_empty() && !line.contains(['\n', '\r']) && line.len() < 2000, "no line: {line:?}");
            None
        }
    }
}
