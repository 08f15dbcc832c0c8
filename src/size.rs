//! Image sizes on the command line.

use std::str::FromStr;

/// Width and height of an image, px.
#[derive(Debug, Clone, Copy)]
pub struct Size(pub u32, pub u32);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
        let fits = |(width, height): &(u32, u32)| (1..=16_384).contains(width) && (1..=16_384).contains(height);
        parts
            .filter(fits)
            .map(|(width, height)| Self(width, height))
            .ok_or_else(|| format!("{text:?} is not like 1600x900"))
    }
}
