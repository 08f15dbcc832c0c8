//! Texts that end an answer, found as it comes, also where they lie across tokens.

/// Looks for texts that end an answer, and holds back what may become one.
///
/// The answer ends with the character that completes the first of them, however it comes in pieces.
#[derive(Debug, Clone)]
pub struct Stops {
    texts: Vec<String>,
    /// The beginning of at least one of the texts.
    held: String,
}

impl Stops {
    /// For texts that are not empty.
    pub fn new(texts: Vec<String>) -> Self {
        Self { texts, held: String::new() }
    }

    /// Takes a piece of the answer, and gives out what is certainly no part of a text that ends it. Whether it ends
    /// here; then nothing more is to be asked.
    pub fn push(&mut self, piece: &str, out: &mut String) -> bool {
        for character in piece.chars() {
            self.held.push(character);
            // Of several that end here the longest counts.
            let found = self.texts.iter().filter(|text| self.held.ends_with(text.as_str())).map(String::len).max();
            if let Some(length) = found {
                out.push_str(&self.held[..self.held.len() - length]);
                self.held.clear();
                return true;
            }
            let kept = self.held.char_indices().map(|(at, _)| at).find(|at| self.may_begin(&self.held[*at..]));
            out.extend(self.held.drain(..kept.unwrap_or(self.held.len())));
        }
        false
    }

    /// What is left when the answer has ended without one of the texts.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    fn may_begin(&self, text: &str) -> bool {
        self.texts.iter().any(|stop| stop.starts_with(text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is given out of an answer in pieces, and whether one of the texts ended it.
    fn given(stops: &[&str], pieces: &[&str]) -> (String, bool) {
        let mut stops = Stops::new(stops.iter().map(|text| (*text).to_owned()).collect());
        let mut out = String::new();
        let found = pieces.iter().any(|piece| stops.push(piece, &mut out));
        out.push_str(&stops.finish());
        (out, found)
    }

    #[test]
    fn a_text_across_pieces_ends_the_answer_and_is_not_given_out() {
        assert_eq!(given(&["END"], &["a E", "N", "D b"]), ("a ".into(), true));
        assert_eq!(given(&["END"], &["a E", "N", "d b"]), ("a ENd b".into(), false));
        assert_eq!(given(&["END"], &["ENEN", "END"]), ("ENEN".into(), true));
        assert_eq!(given(&["aab"], &["a", "a", "a", "b"]), ("a".into(), true));
        assert_eq!(given(&["道路"], &["走", "道", "路", "x"]), ("走".into(), true));
    }

    #[test]
    fn of_several_texts_the_first_complete_one_counts_and_of_those_the_longest() {
        assert_eq!(given(&["abc", "b"], &["abc"]), ("a".into(), true));
        assert_eq!(given(&["b", "ab"], &["xab"]), ("x".into(), true));
    }

    #[test]
    fn what_may_be_a_beginning_is_held_back_and_the_rest_is_not() {
        let mut stops = Stops::new(vec!["\n\n".into()]);
        let mut out = String::new();
        assert!(!stops.push("one\n", &mut out));
        assert_eq!(out, "one");
        assert!(!stops.push("two", &mut out));
        assert_eq!(out, "one\ntwo");
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(
            text in "[abcé]{0,40}",
            stops in prop::collection::vec("[abcé]{1,4}", 0..4),
            cuts in prop::collection::vec(0_usize..41, 0..9),
        ) {
            // By definition: the shortest beginning that ends with one of the texts, without the longest such.
            let ends = text.char_indices().map(|(at, character)| at + character.len_utf8());
            let wanted = ends.into_iter().find_map(|end| {
                let found = stops.iter().filter(|stop| text[..end].ends_with(stop.as_str())).map(String::len).max();
                found.map(|length| text[..end - length].to_owned())
            });
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| text.is_char_boundary(*cut)).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&str> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
            let stops: Vec<&str> = stops.iter().map(String::as_str).collect();
            let expected = wanted.map_or((text.clone(), false), |wanted| (wanted, true));
            prop_assert_eq!(given(&stops, &pieces), expected);
        }
    }
}
