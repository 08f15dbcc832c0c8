//! Seeds of generated worlds as they are given on the command line.

use std::ops::Range;
use std::str::FromStr;

/// One seed, or a range of them.
#[derive(Debug, Clone)]
pub struct Seeds(pub Range<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is neither a seed nor a range of seeds such as 0..18");
        let seed = |text: &str| text.parse::<u64>().map_err(|_| wrong());
        match text.split_once("..") {
            Some((from, to)) => Ok(Self(seed(from)?..seed(to)?)),
            None => seed(text).map(|from| Self(from..from.saturating_add(1))),
        }
    }
}
