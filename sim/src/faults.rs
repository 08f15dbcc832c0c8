//! What is made to go wrong in a run: delay, jitter, loss, frozen perception, failing cameras, a dead node. All of it
//! seeded.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The faults of a run. The default is none.
///
/// Delay, jitter and loss hit every message to and from the planner but the latched ones (map and route): the ego's own
/// state, the objects, the lights, and the trajectory on its way to the vehicle.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Faults {
    /// How much later every message arrives, ms.
    pub delay_ms: f64,
    /// The most by which a message is later still, ms; uniform from 0.
    pub jitter_ms: f64,
    /// The probability with which a message is lost, 0 to 1.
    pub drop: f64,
    /// When perception is frozen: nothing new from it arrives.
    pub freeze: Option<Window>,
    /// A node that dies.
    pub dead: Option<Death>,
    /// Cameras that fail.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cameras: Vec<CameraFault>,
    /// What the random numbers of jitter and loss start from.
    pub seed: u64,
}

/// A stretch of a run, in seconds since its start.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// From here on.
    pub from_s: f64,
    /// Up to here.
    pub to_s: f64,
}

impl Window {
    /// Whether a time is in it.
    pub fn holds(&self, time_s: f64) -> bool {
        (self.from_s..self.to_s).contains(&time_s)
    }

    fn is_sound(&self) -> bool {
        self.from_s >= 0.0 && self.to_s > self.from_s && self.to_s.is_finite()
    }
}

/// How a camera fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CameraFaultKind {
    /// It gives no image.
    Missing,
    /// Its files are damaged: what decodes of them lacks the lower half of the picture.
    Corrupt,
    /// Its images come half a second late.
    Late,
}

impl CameraFaultKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Missing, Self::Corrupt, Self::Late];

    /// Its name on the command line and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Corrupt => "corrupt",
            Self::Late => "late",
        }
    }
}

/// The failure of a camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CameraFault {
    /// The camera as its topics call it, such as `front_left`.
    pub camera: String,
    /// How it fails.
    pub kind: CameraFaultKind,
    /// When.
    pub during: Window,
}

/// The death of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Death {
    /// The node's name: `planner` or `perception`.
    pub node: String,
    /// When, in seconds since the run's start.
    pub at_s: f64,
}

impl Faults {
    /// Nothing, and then a set that every planner is held against: late, jittery and lost messages, frozen perception
    /// and a dead planner.
    pub fn standard(seed: u64) -> Vec<Self> {
        let none = Self { seed, ..Self::default() };
        vec![
            none.clone(),
            Self { delay_ms: 100.0, ..none.clone() },
            Self { delay_ms: 100.0, jitter_ms: 100.0, ..none.clone() },
            Self { drop: 0.1, ..none.clone() },
            Self { drop: 0.3, ..none.clone() },
            Self { freeze: Some(Window { from_s: 4.0, to_s: 6.0 }), ..none.clone() },
            Self { dead: Some(Death { node: "planner".to_owned(), at_s: 4.0 }), ..none },
        ]
    }

    /// Whether anything is injected. The seed alone injects nothing.
    pub fn any(&self) -> bool {
        *self != Self { seed: self.seed, ..Self::default() }
    }

    /// Checks that the figures mean something.
    ///
    /// # Errors
    /// [`crate::Error::Fault`] with the field that does not.
    pub fn check(&self) -> Result<(), crate::Error> {
        let fault = |field, reason: &str| Err(crate::Error::Fault { field, reason: reason.to_owned() });
        if !(0.0..=60_000.0).contains(&self.delay_ms) {
            return fault("delay", &format!("{} ms is not between 0 and 60000", self.delay_ms));
        }
        if !(0.0..=60_000.0).contains(&self.jitter_ms) {
            return fault("jitter", &format!("{} ms is not between 0 and 60000", self.jitter_ms));
        }
        if !(0.0..=1.0).contains(&self.drop) {
            return fault("drop", &format!("{} is no probability", self.drop));
        }
        let windows = self.cameras.iter().map(|fault| ("camera", fault.during));
        let mut windows = self.freeze.map(|window| ("freeze", window)).into_iter().chain(windows);
        if let Some((field, Window { from_s, to_s })) = windows.find(|(_, window)| !window.is_sound()) {
            return fault(field, &format!("{from_s} s to {to_s} s is no stretch of time"));
        }
        if let Some(Death { node, at_s }) = &self.dead {
            if !["planner", "perception"].contains(&node.as_str()) {
                return fault("dead", &format!("{node:?} is not one of planner, perception"));
            }
            if !(*at_s >= 0.0 && at_s.is_finite()) {
                return fault("dead", &format!("{at_s} s is no time in the run"));
            }
        }
        Ok(())
    }
}

impl fmt::Display for Faults {
    /// For people: `delay 100 ms, drop 0.1`; empty for none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if self.delay_ms > 0.0 {
            parts.push(format!("delay {} ms", self.delay_ms));
        }
        if self.jitter_ms > 0.0 {
            parts.push(format!("jitter {} ms", self.jitter_ms));
        }
        if self.drop > 0.0 {
            parts.push(format!("drop {}", self.drop));
        }
        if let Some(Window { from_s, to_s }) = self.freeze {
            parts.push(format!("perception frozen {from_s}–{to_s} s"));
        }
        if let Some(Death { node, at_s }) = &self.dead {
            parts.push(format!("{node} dead from {at_s} s"));
        }
        for CameraFault { camera, kind, during: Window { from_s, to_s } } in &self.cameras {
            parts.push(format!("camera {camera} {} {from_s}–{to_s} s", kind.name()));
        }
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_named_for_people_and_a_seed_alone_is_none() {
        assert!(!Faults { seed: 7, ..Faults::default() }.any());
        assert_eq!(Faults::default().to_string(), "");
        let faults = Faults {
            delay_ms: 100.0,
            drop: 0.1,
            dead: Some(Death { node: "planner".into(), at_s: 3.0 }),
            ..Faults::default()
        };
        assert!(faults.any());
        assert_eq!(faults.to_string(), "delay 100 ms, drop 0.1, planner dead from 3 s");
    }

    #[test]
    fn figures_that_mean_nothing_are_refused_by_name() {
        let refused = |faults: Faults| faults.check().unwrap_err().to_string();
        assert_eq!(refused(Faults { drop: 1.5, ..Faults::default() }), "drop: 1.5 is no probability");
        assert_eq!(
            refused(Faults { delay_ms: f64::NAN, ..Faults::default() }),
            "delay: NaN ms is not between 0 and 60000"
        );
        let freeze = Some(Window { from_s: 3.0, to_s: 2.0 });
        assert_eq!(refused(Faults { freeze, ..Faults::default() }), "freeze: 3 s to 2 s is no stretch of time");
        let (camera, during) = ("front".to_owned(), Window { from_s: -1.0, to_s: 2.0 });
        let cameras = vec![CameraFault { camera, kind: CameraFaultKind::Late, during }];
        assert_eq!(refused(Faults { cameras, ..Faults::default() }), "camera: -1 s to 2 s is no stretch of time");
        let dead = Some(Death { node: "radio".into(), at_s: 0.0 });
        assert_eq!(refused(Faults { dead, ..Faults::default() }), "dead: \"radio\" is not one of planner, perception");
    }
}
