//! Quality of service as ROS tells it in a liveliness token: only what differs from `rmw_zenoh`'s default.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::Error;

/// Whether a lost message is worth waiting for; numbered as in `rmw/types.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reliability {
    /// Every message counts.
    Reliable = 1,
    /// Only the newest counts.
    BestEffort = 2,
}

/// Whether a late subscription gets what was published before it; numbered as in `rmw/types.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// It gets as many past messages as the history keeps.
    TransientLocal = 1,
    /// It does not.
    Volatile = 2,
}

/// How many messages wait for a slow subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// The last ones, up to this many.
    KeepLast(usize),
    /// All.
    KeepAll,
}

/// The quality of service of a publisher or a subscription.
///
/// Written as `reliability:durability:history,depth:deadline:lifespan:liveliness`, each part empty where it is
/// the default, each time as `seconds,nanoseconds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Qos {
    /// Whether a lost message is worth waiting for.
    pub reliability: Reliability,
    /// Whether late subscriptions get past messages.
    pub durability: Durability,
    /// How many messages wait.
    pub history: History,
    /// The longest time promised between two messages; `None` for no promise.
    pub deadline: Option<Duration>,
    /// How long a message is of use; `None` for ever.
    pub lifespan: Option<Duration>,
    /// How long a publisher may be silent and still count as alive; `None` for ever.
    pub lease: Option<Duration>,
}

/// `rmw_zenoh`'s own default depth, which is what an empty field stands for.
const DEFAULT_DEPTH: usize = 42;

impl Default for Qos {
    fn default() -> Self {
        Self {
            reliability: Reliability::Reliable,
            durability: Durability::Volatile,
            history: History::KeepLast(DEFAULT_DEPTH),
            deadline: None,
            lifespan: None,
            lease: None,
        }
    }
}

impl fmt::Display for Qos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = Self::default();
        if self.reliability != default.reliability {
            write!(f, "{}", self.reliability as u8)?;
        }
        f.write_str(":")?;
        if self.durability != default.durability {
            write!(f, "{}", self.durability as u8)?;
        }
        f.write_str(":")?;
        match self.history {
            History::KeepLast(DEFAULT_DEPTH) => f.write_str(",")?,
            History::KeepLast(depth) => write!(f, ",{depth}")?,
            History::KeepAll => f.write_str("2,")?,
        }
        f.write_str(":")?;
        write_time(f, self.deadline)?;
        f.write_str(":")?;
        write_time(f, self.lifespan)?;
        // Liveliness is always automatic here: the token itself is the sign of life.
        f.write_str(":,")?;
        write_time(f, self.lease)
    }
}

fn write_time(f: &mut fmt::Formatter<'_>, time: Option<Duration>) -> fmt::Result {
    match time {
        None => f.write_str(","),
        Some(time) => write!(f, "{},{}", time.as_secs(), time.subsec_nanos()),
    }
}

impl FromStr for Qos {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |field| Error::Qos { qos: text.to_owned(), field };
        let parts: Vec<&str> = text.split(':').collect();
        let [reliability, durability, history, deadline, lifespan, liveliness] = parts[..] else {
            return Err(wrong("one of the six parts"));
        };
        let (kind, depth) = history.split_once(',').ok_or_else(|| wrong("history"))?;
        let depth = match depth {
            "" => DEFAULT_DEPTH,
            depth => depth.parse().map_err(|_| wrong("depth"))?,
        };
        let (_automatic, lease) = liveliness.split_once(',').ok_or_else(|| wrong("liveliness"))?;
        Ok(Self {
            reliability: match reliability {
                "" | "0" | "1" => Reliability::Reliable,
                "2" => Reliability::BestEffort,
                _ => return Err(wrong("reliability")),
            },
            durability: match durability {
                "1" => Durability::TransientLocal,
                "" | "0" | "2" => Durability::Volatile,
                _ => return Err(wrong("durability")),
            },
            history: match kind {
                "" | "0" | "1" => History::KeepLast(depth),
                "2" => History::KeepAll,
                _ => return Err(wrong("history")),
            },
            deadline: read_time(deadline).ok_or_else(|| wrong("deadline"))?,
            lifespan: read_time(lifespan).ok_or_else(|| wrong("lifespan"))?,
            lease: read_time(lease).ok_or_else(|| wrong("liveliness lease"))?,
        })
    }
}

/// `seconds,nanoseconds`, both empty for no limit; the outer `None` is a syntax error.
fn read_time(text: &str) -> Option<Option<Duration>> {
    match text.split_once(',')? {
        ("", "") => Some(None),
        (seconds, ns) => {
            let number = |text: &str| if text.is_empty() { Ok(0) } else { text.parse::<u64>() };
            let (seconds, ns) = (number(seconds).ok()?, number(ns).ok()?);
            Duration::from_secs(seconds).checked_add(Duration::from_nanos(ns)).map(Some)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn strings_are_those_of_rmw_zenoh() {
        let default = Qos::default();
        let cases = [
            (default, "::,:,:,:,,"),
            (Qos { history: History::KeepLast(7), ..default }, "::,7:,:,:,,"),
            (Qos { reliability: Reliability::BestEffort, history: History::KeepLast(5), ..default }, "2::,5:,:,:,,"),
            (Qos { durability: Durability::TransientLocal, history: History::KeepLast(1), ..default }, ":1:,1:,:,:,,"),
            (Qos { history: History::KeepAll, ..default }, "::2,:,:,:,,"),
            (Qos { deadline: Some(Duration::from_millis(1500)), ..default }, "::,:1,500000000:,:,,"),
            (Qos { lease: Some(Duration::from_secs(3)), ..default }, "::,:,:,:,3,0"),
        ];
        for (qos, text) in cases {
            assert_eq!(qos.to_string(), text);
            assert_eq!(text.parse(), Ok(qos), "{text}");
        }
    }

    #[test]
    fn a_wrong_field_is_named() {
        let field = |text: &str| match text.parse::<Qos>() {
            Err(Error::Qos { field, .. }) => field,
            other => panic!("{text:?} gave {other:?}"),
        };
        assert_eq!(field(""), "one of the six parts");
        assert_eq!(field("9::,:,:,:,,"), "reliability");
        assert_eq!(field(":x:,:,:,:,,"), "durability");
        assert_eq!(field("::,-1:,:,:,,"), "depth");
        assert_eq!(field("::,:5:,:,,"), "deadline");
        assert_eq!(field("::,:,:x,0:,,"), "lifespan");
        assert_eq!(field("::,:,:,:,18446744073709551615,9999999999"), "liveliness lease");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_without_panic(text in "[0-9:,x]{0,40}") {
            if let Ok(qos) = text.parse::<Qos>() {
                prop_assert_eq!(qos.to_string().parse(), Ok(qos));
            }
        }
    }
}
