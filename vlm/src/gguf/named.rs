//! Things with names, in order, each once.

use std::collections::HashMap;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Named<T> {
    items: Vec<(String, T)>,
    places: HashMap<String, usize>,
}

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self { items: Vec::new(), places: HashMap::new() }
    }
}

impl<T> Named<T> {
    /// Puts a thing behind the others, or in the place of the one of this name, which is given back.
    pub fn put(&mut self, name: &str, item: T) -> Option<T> {
        if let Some(place) = self.places.get(name) {
            return Some(std::mem::replace(&mut self.items[*place].1, item));
        }
        self.places.insert(name.to_owned(), self.items.len());
        self.items.push((name.to_owned(), item));
        None
    }

    /// The name as it is kept, and the thing.
    pub fn get(&self, name: &str) -> Option<(&str, &T)> {
        let (name, item) = &self.items[*self.places.get(name)?];
        Some((name, item))
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &T)> {
        self.items.iter().map(|(name, item)| (name.as_str(), item))
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }
}
