//! One of several equal parts of the work, as array jobs on a cluster take them.

use std::str::FromStr;

use crate::Error;

/// Part `index` of `count`, counted from 1: `--shard 2/8`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl Shard {
    /// All of the work.
    pub const WHOLE: Self = Self { index: 1, count: 1 };

    /// The part of `items` that is this shard's: every `count`th one.
    pub fn select<T>(self, items: Vec<T>) -> Vec<T> {
        items.into_iter().skip(self.index - 1).step_by(self.count).collect()
    }
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text.split_once('/').and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        match parts {
            Some((index, count)) if (1..=count).contains(&index) => Ok(Self { index, count }),
            _ => Err(Error::Shard { text: text.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shards_together_are_the_whole_and_share_nothing() {
        let items: Vec<_> = (0..17).collect();
        let shards = ["1/4", "2/4", "3/4", "4/4"].map(|text| text.parse::<Shard>().unwrap().select(items.clone()));
        let mut together = shards.concat();
        together.sort_unstable();
        assert_eq!(together, items);
        assert!(shards.iter().all(|shard| (4..=5).contains(&shard.len())));
        assert_eq!(Shard::WHOLE.select(items.clone()), items);
    }

    #[test]
    fn what_is_no_shard_is_refused() {
        for text in ["", "0/4", "5/4", "1/0", "1", "a/b", "1/4/2", "-1/4"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
