//! Images that an engine was shown: the tokens that stand for their features, and who uses them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::model::Soft;

/// What names an image: equal for equal ones only, such as a digest of its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageKey(pub [u8; 32]);

/// Images with the tokens that stand for them. A token number is not used again until all have been used, so that what
/// was read of one image is never taken for another.
#[derive(Debug)]
pub(super) struct Images {
    /// Numbers of an embedding, and the first token behind the vocabulary.
    columns: usize,
    first: u32,
    /// Rows of embeddings that may be kept, and those that are.
    most: usize,
    kept: usize,
    next: u32,
    soft: Soft,
    known: HashMap<ImageKey, u32>,
    /// By first token.
    each: BTreeMap<u32, Image>,
    clock: u64,
}

#[derive(Debug)]
struct Image {
    key: ImageKey,
    rows: usize,
    users: usize,
    used: u64,
}

/// Where an image has got its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    /// The first of them.
    pub first: u32,
    /// Whether numbers begin anew, so that what was read of earlier images must be forgotten.
    pub is_anew: bool,
}

impl Images {
    /// For embeddings of so many numbers, with tokens from `first` on, and room for so many rows.
    pub fn new(columns: usize, first: u32, most: usize) -> Self {
        let (soft, known, each) = (Soft::new(columns), HashMap::new(), BTreeMap::new());
        Self { columns, first, most, kept: 0, next: first, soft, known, each, clock: 0 }
    }

    /// What tokens stand for.
    pub fn soft(&self) -> &Soft {
        &self.soft
    }

    /// The first token of an image that is kept; it is now the one used last.
    pub fn find(&mut self, key: &ImageKey) -> Option<u32> {
        let first = *self.known.get(key)?;
        self.touch(first, |_| ());
        Some(first)
    }

    /// Keeps an image's features, whole rows. Those that nobody uses make room, the longest unused first; `None` if that
    /// is not enough.
    pub fn show(&mut self, key: ImageKey, features: Vec<f32>) -> Option<Shown> {
        if let Some(first) = self.find(&key) {
            return Some(Shown { first, is_anew: false });
        }
        let rows = features.len() / self.columns;
        let idle = || self.each.values().filter(|image| image.users == 0);
        if self.kept - idle().map(|image| image.rows).sum::<usize>() + rows > self.most {
            return None;
        }
        while self.kept + rows > self.most {
            let unused = self.each.iter().filter(|(_, image)| image.users == 0);
            let oldest = *unused.min_by_key(|(_, image)| image.used)?.0;
            if let Some(image) = self.each.remove(&oldest) {
                self.known.remove(&image.key);
                self.soft.remove(oldest);
                self.kept -= image.rows;
            }
        }
        let shown = self.number(u32::try_from(rows).ok()?);
        self.kept += rows;
        self.next = shown.first + rows as u32;
        self.known.insert(key, shown.first);
        self.soft.add(shown.first, features);
        self.each.insert(shown.first, Image { key, rows, users: 0, used: 0 });
        self.touch(shown.first, |_| ());
        Some(shown)
    }

    /// The next numbers that no image has.
    fn number(&self, rows: u32) -> Shown {
        let mut shown = Shown { first: self.next, is_anew: false };
        loop {
            let Some(end) = shown.first.checked_add(rows) else {
                shown = Shown { first: self.first, is_anew: true };
                continue;
            };
            let Some((first, image)) = self.each.range(..end).next_back() else { return shown };
            if first + image.rows as u32 <= shown.first {
                return shown;
            }
            shown.first = first + image.rows as u32;
        }
    }

    /// A request uses the images of its prompt from now on.
    pub fn hold(&mut self, prompt: &[u32]) {
        for first in self.of(prompt) {
            self.touch(first, |image| image.users += 1);
        }
    }

    /// A request has ended.
    pub fn release(&mut self, prompt: &[u32]) {
        for first in self.of(prompt) {
            self.touch(first, |image| image.users -= 1);
        }
    }

    /// First tokens of the images of a prompt.
    fn of(&self, prompt: &[u32]) -> BTreeSet<u32> {
        prompt.iter().filter(|token| **token >= self.first).filter_map(|token| self.soft.run_of(*token)).collect()
    }

    fn touch(&mut self, first: u32, change: impl FnOnce(&mut Image)) {
        self.clock += 1;
        if let Some(image) = self.each.get_mut(&first) {
            change(image);
            image.used = self.clock;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> ImageKey {
        ImageKey([number; 32])
    }

    fn show(images: &mut Images, number: u8, rows: usize) -> Option<(u32, bool)> {
        images.show(key(number), vec![f32::from(number); 2 * rows]).map(|shown| (shown.first, shown.is_anew))
    }

    #[test]
    fn an_image_keeps_its_tokens_until_room_is_needed_and_nobody_uses_it() {
        let mut images = Images::new(2, 61, 10);
        assert_eq!(show(&mut images, 1, 4), Some((61, false)));
        assert_eq!(show(&mut images, 2, 4), Some((65, false)));
        assert_eq!(show(&mut images, 1, 4), Some((61, false)));
        images.hold(&[5, 61, 62, 62]);
        // The second was used longest ago; the first is in use.
        assert_eq!(show(&mut images, 3, 5), Some((69, false)));
        assert_eq!((images.find(&key(1)), images.find(&key(2)), images.find(&key(3))), (Some(61), None, Some(69)));
        assert_eq!((images.soft().row(64), images.soft().row(65)), (Some(&[1.0, 1.0][..]), None));
        assert_eq!((show(&mut images, 4, 7), show(&mut images, 5, 11)), (None, None));
        assert_eq!(images.find(&key(3)), Some(69), "what is refused drives nothing out");
        images.release(&[5, 61, 62, 62]);
        assert_eq!(show(&mut images, 4, 7), Some((74, false)));
    }

    #[test]
    fn numbers_begin_anew_behind_those_that_are_kept() {
        let mut images = Images::new(2, 61, 10);
        assert_eq!(show(&mut images, 1, 3), Some((61, false)));
        images.hold(&[61]);
        images.next = u32::MAX - 4;
        assert_eq!(show(&mut images, 2, 3), Some((u32::MAX - 4, false)));
        assert_eq!(show(&mut images, 3, 3), Some((64, true)));
        assert_eq!(show(&mut images, 4, 3), Some((67, false)));
    }
}
