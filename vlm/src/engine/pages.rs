//! Which pages of the cache are whose, and which hold the beginning of a text that was read before.

use std::collections::{BTreeMap, HashMap};

use crate::kernel::PAGE;

/// Pages with the sequences that use them. A full page stays known by its tokens and those before them; when no
/// sequence uses it, it is kept until room is needed, the longest unused first.
#[derive(Debug)]
pub(super) struct Pages {
    each: Vec<Page>,
    free: Vec<u32>,
    /// Full pages by what they hold.
    known: HashMap<Held, u32>,
    /// Known pages that nobody uses, by when they were last used.
    idle: BTreeMap<u64, u32>,
    clock: u64,
}

#[derive(Debug, Clone, Default)]
struct Page {
    users: usize,
    held: Option<Held>,
    /// Its key among the idle ones.
    idle_since: u64,
    /// How often it was given to somebody: pages after what it once held are not after what it holds now.
    life: u64,
}

/// The tokens of a full page, and the page before it with its life.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Held {
    before: Option<(u32, u64)>,
    tokens: [u32; PAGE],
}

impl Pages {
    /// So many, all free.
    pub fn new(count: usize) -> Self {
        let free = (0..count as u32).rev().collect();
        Self { each: vec![Page::default(); count], free, known: HashMap::new(), idle: BTreeMap::new(), clock: 0 }
    }

    /// Pages that can be had.
    pub fn available(&self) -> usize {
        self.free.len() + self.idle.len()
    }

    /// The pages that hold the beginning of a text, in order; the caller uses them from now on.
    pub fn find(&mut self, tokens: &[u32]) -> Vec<u32> {
        let mut found: Vec<u32> = Vec::new();
        for tokens in tokens.as_chunks::<PAGE>().0 {
            let held = Held { before: found.last().map(|page| (*page, self.life(*page))), tokens: *tokens };
            let Some(page) = self.known.get(&held).copied() else { break };
            self.hold(page);
            found.push(page);
        }
        found
    }

    /// A page to write to; what it held is forgotten. `None` if all are in use.
    pub fn take(&mut self) -> Option<u32> {
        let page = self.free.pop().or_else(|| {
            let (_, page) = self.idle.pop_first()?;
            if let Some(held) = self.each[page as usize].held.take() {
                self.known.remove(&held);
            }
            Some(page)
        })?;
        let taken = &mut self.each[page as usize];
        taken.users = 1;
        taken.life += 1;
        Some(page)
    }

    /// Makes a full page known, so that others find it.
    pub fn know(&mut self, page: u32, before: Option<u32>, tokens: &[u32; PAGE]) {
        let held = Held { before: before.map(|page| (page, self.life(page))), tokens: *tokens };
        // Where two read the same at once, the first is found.
        if self.each[page as usize].held.is_none() && !self.known.contains_key(&held) {
            self.known.insert(held.clone(), page);
            self.each[page as usize].held = Some(held);
        }
    }

    /// Forgets what full pages hold: nobody finds them any more.
    pub fn forget(&mut self) {
        self.known.clear();
        self.each.iter_mut().for_each(|page| page.held = None);
        self.free.extend(std::mem::take(&mut self.idle).into_values());
    }

    /// Gives back the pages of a sequence.
    pub fn release(&mut self, pages: &[u32]) {
        // The last first: what comes after a page is of no use without it.
        for page in pages.iter().rev() {
            let given = &mut self.each[*page as usize];
            given.users -= 1;
            if given.users > 0 {
                continue;
            }
            match given.held {
                Some(_) => {
                    self.clock += 1;
                    given.idle_since = self.clock;
                    self.idle.insert(self.clock, *page);
                }
                None => self.free.push(*page),
            }
        }
    }

    fn hold(&mut self, page: u32) {
        let held = &mut self.each[page as usize];
        if held.users == 0 {
            self.idle.remove(&held.idle_since);
        }
        held.users += 1;
    }

    fn life(&self, page: u32) -> u64 {
        self.each[page as usize].life
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a text into pages as a sequence does.
    fn read(pages: &mut Pages, tokens: &[u32]) -> (usize, Vec<u32>) {
        let mut own = pages.find(tokens);
        let found = own.len();
        for (number, tokens) in tokens.as_chunks::<PAGE>().0.iter().enumerate().skip(found) {
            let page = pages.take().unwrap();
            pages.know(page, own.last().copied(), tokens);
            assert_eq!(own.len(), number);
            own.push(page);
        }
        (found, own)
    }

    #[test]
    fn a_beginning_that_was_read_is_found_until_its_room_is_needed() {
        let mut pages = Pages::new(6);
        let text: Vec<u32> = (0..64).collect();
        let other: Vec<u32> = (0..32).chain(100..132).collect();
        let (found, first) = read(&mut pages, &text);
        assert_eq!((found, first.len()), (0, 4));
        // Another with the same beginning, while the first is at it.
        let (found, second) = read(&mut pages, &other);
        assert_eq!((found, &second[..2]), (2, &first[..2]));
        assert_eq!((pages.available(), pages.take()), (0, None));
        pages.release(&first);
        pages.release(&second);
        assert_eq!(pages.available(), 6);
        // All is known still; the last page of the first to go was used longest ago.
        assert_eq!(read(&mut pages, &other).0, 4);
        pages.release(&second);
        let taken = pages.take().unwrap();
        assert_eq!(taken, first[3]);
        let (found, third) = read(&mut pages, &text[..48]);
        assert_eq!(found, 3);
        pages.release(&third);
        pages.release(&[taken]);
        assert_eq!(pages.available(), 6);
    }

    #[test]
    fn what_is_forgotten_is_not_found_and_no_page_is_lost() {
        let mut pages = Pages::new(4);
        let text: Vec<u32> = (0..32).collect();
        let (_, idle) = read(&mut pages, &text);
        pages.release(&idle);
        let (found, used) = read(&mut pages, &text[..16]);
        assert_eq!(found, 1);
        pages.forget();
        assert_eq!((pages.available(), pages.find(&text)), (3, vec![]));
        pages.release(&used);
        assert_eq!((pages.available(), pages.find(&text)), (4, vec![]));
    }

    #[test]
    fn what_follows_a_page_that_holds_something_else_now_is_not_found() {
        let mut pages = Pages::new(2);
        let text: Vec<u32> = (0..32).collect();
        let (_, own) = read(&mut pages, &text);
        pages.release(&own);
        // Both are taken and become another text whose second page has the same tokens.
        let other: Vec<u32> = (50..66).chain(16..32).collect();
        let (found, own) = read(&mut pages, &other);
        assert_eq!(found, 0);
        pages.release(&own);
        let found = pages.find(&text);
        assert_eq!(found.len(), 0);
    }
}
