//! Keys and values of tokens that a model has read, in pages that sequences share.

use crate::kernel::{Keys, PAGE};

/// How numbers of the cache are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// 16 bits.
    #[default]
    Half,
    /// 32 bits.
    Full,
}

/// What a cache holds for a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Layers of the model.
    pub layers: usize,
    /// Heads of keys and values.
    pub kv_heads: usize,
    /// Numbers of a head.
    pub head_size: usize,
}

impl Shape {
    /// Numbers of a page of a layer.
    fn page(&self) -> usize {
        self.kv_heads * 2 * PAGE * self.head_size
    }
}

/// The pages of all sequences: for every layer, page and head keys `[head_size, PAGE]`, then values `[PAGE, head_size]`.
#[derive(Debug)]
pub struct Cache {
    shape: Shape,
    pages: usize,
    numbers: Numbers,
}

#[derive(Debug)]
enum Numbers {
    Half(Vec<u16>),
    Full(Vec<f32>),
}

impl Cache {
    /// With room for so many pages.
    pub fn new(shape: Shape, precision: Precision, pages: usize) -> Self {
        let count = shape.layers * pages * shape.page();
        let numbers = match precision {
            Precision::Half => Numbers::Half(vec![0; count]),
            Precision::Full => Numbers::Full(vec![0.0; count]),
        };
        Self { shape, pages, numbers }
    }

    /// Pages in all.
    pub fn pages(&self) -> usize {
        self.pages
    }

    /// A layer's part.
    pub(crate) fn layer(&self, layer: usize) -> Keys<'_> {
        let size = self.pages * self.shape.page();
        match &self.numbers {
            Numbers::Half(numbers) => Keys::Half(&numbers[layer * size..][..size]),
            Numbers::Full(numbers) => Keys::Full(&numbers[layer * size..][..size]),
        }
    }

    /// Puts a token's keys and values, `[kv_heads, head_size]` each, into a slot of a page.
    pub(crate) fn put(&mut self, layer: usize, page: u32, slot: usize, keys: &[f32], values: &[f32]) {
        let first = (layer * self.pages + page as usize) * self.shape.page();
        let (size, head_size) = (self.shape.page(), self.shape.head_size);
        match &mut self.numbers {
            Numbers::Half(numbers) => {
                let nearest = |value: f32| half::f16::from_f32(value).to_bits();
                put(&mut numbers[first..][..size], head_size, slot, keys, values, nearest);
            }
            Numbers::Full(numbers) => {
                put(&mut numbers[first..][..size], head_size, slot, keys, values, |value| value);
            }
        }
    }

    /// Moves a token, in all layers, from one slot (page and place in it) to another.
    pub fn shift(&mut self, from: (u32, usize), to: (u32, usize)) {
        for layer in 0..self.shape.layers {
            let [from, to] =
                [from, to].map(|(page, slot)| ((layer * self.pages + page as usize) * self.shape.page(), slot));
            match &mut self.numbers {
                Numbers::Half(numbers) => shift(numbers, &self.shape, from, to),
                Numbers::Full(numbers) => shift(numbers, &self.shape, from, to),
            }
        }
    }
}

fn put<T>(page: &mut [T], head_size: usize, slot: usize, keys: &[f32], values: &[f32], nearest: impl Fn(f32) -> T) {
    let heads = page.chunks_exact_mut(2 * PAGE * head_size);
    for (head, (keys, values)) in heads.zip(keys.chunks_exact(head_size).zip(values.chunks_exact(head_size))) {
        let (key_part, value_part) = head.split_at_mut(PAGE * head_size);
        for (at, key) in keys.iter().enumerate() {
            key_part[at * PAGE + slot] = nearest(*key);
        }
        for (place, value) in value_part[slot * head_size..].iter_mut().zip(values) {
            *place = nearest(*value);
        }
    }
}

fn shift<T: Copy>(numbers: &mut [T], shape: &Shape, (from, from_slot): (usize, usize), (to, to_slot): (usize, usize)) {
    let head_size = shape.head_size;
    for head in 0..shape.kv_heads {
        let first = head * 2 * PAGE * head_size;
        for at in 0..head_size {
            numbers[to + first + at * PAGE + to_slot] = numbers[from + first + at * PAGE + from_slot];
        }
        let values = first + PAGE * head_size;
        let source = from + values + from_slot * head_size;
        numbers.copy_within(source..source + head_size, to + values + to_slot * head_size);
    }
}
