//! Meta-actions: the manoeuvres that DriveVLM names (Tian et al. 2024, arXiv 2402.12289, section 3.3).

use serde::{Deserialize, Serialize};

use crate::proposals::Maneuver;

/// A meta-action, in the paper's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetaAction {
    /// Drive faster.
    SpeedUp,
    /// Drive more slowly.
    SlowDown,
    /// Brake hard.
    SlowDownRapidly,
    /// Go on slowly.
    GoStraightSlowly,
    /// Go on as now.
    GoStraightAtConstantSpeed,
    /// Come to a stand.
    Stop,
    /// Stand until somebody has passed.
    Wait,
    /// Drive backwards.
    Reverse,
    /// Turn left.
    TurnLeft,
    /// Turn right.
    TurnRight,
    /// Turn back.
    TurnAround,
    /// Change to the lane on the left.
    ChangeLaneLeft,
    /// Change to the lane on the right.
    ChangeLaneRight,
    /// Make room to the left within the lane.
    ShiftSlightlyLeft,
    /// Make room to the right within the lane.
    ShiftSlightlyRight,
}

impl MetaAction {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::SpeedUp,
        Self::SlowDown,
        Self::SlowDownRapidly,
        Self::GoStraightSlowly,
        Self::GoStraightAtConstantSpeed,
        Self::Stop,
        Self::Wait,
        Self::Reverse,
        Self::TurnLeft,
        Self::TurnRight,
        Self::TurnAround,
        Self::ChangeLaneLeft,
        Self::ChangeLaneRight,
        Self::ShiftSlightlyLeft,
        Self::ShiftSlightlyRight,
    ];

    /// The word for it in messages, such as `slow_down`.
    pub fn word(self) -> &'static str {
        match self {
            Self::SpeedUp => "speed_up",
            Self::SlowDown => "slow_down",
            Self::SlowDownRapidly => "slow_down_rapidly",
            Self::GoStraightSlowly => "go_straight_slowly",
            Self::GoStraightAtConstantSpeed => "go_straight_at_constant_speed",
            Self::Stop => "stop",
            Self::Wait => "wait",
            Self::Reverse => "reverse",
            Self::TurnLeft => "turn_left",
            Self::TurnRight => "turn_right",
            Self::TurnAround => "turn_around",
            Self::ChangeLaneLeft => "change_lane_left",
            Self::ChangeLaneRight => "change_lane_right",
            Self::ShiftSlightlyLeft => "shift_slightly_left",
            Self::ShiftSlightlyRight => "shift_slightly_right",
        }
    }

    /// The action that a word names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.word() == word)
    }

    /// What the planner makes of it; `None` for what the route decides, and for what it never does.
    pub fn maneuver(self) -> Option<Maneuver> {
        match self {
            Self::SpeedUp | Self::GoStraightAtConstantSpeed => Some(Maneuver::KeepLane),
            Self::SlowDown | Self::SlowDownRapidly | Self::GoStraightSlowly => Some(Maneuver::SlowDown),
            Self::Stop => Some(Maneuver::Stop),
            Self::Wait => Some(Maneuver::Yield),
            Self::ChangeLaneLeft => Some(Maneuver::ChangeLaneLeft),
            Self::ChangeLaneRight => Some(Maneuver::ChangeLaneRight),
            Self::ShiftSlightlyLeft => Some(Maneuver::NudgeLeft),
            Self::ShiftSlightlyRight => Some(Maneuver::NudgeRight),
            Self::TurnLeft | Self::TurnRight | Self::TurnAround | Self::Reverse => None,
        }
    }

    /// Whether a plan that leaves this action out, or does it without being asked, is only more or less careful: a
    /// reaction in speed, which DriveVLM's sequence score calls conservative.
    pub fn is_conservative(self) -> bool {
        matches!(self, Self::SlowDown | Self::SlowDownRapidly | Self::GoStraightSlowly | Self::Stop | Self::Wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_their_actions() {
        for action in MetaAction::ALL {
            assert_eq!(MetaAction::from_word(action.word()), Some(action));
            assert_eq!(serde_json::to_value(action).unwrap(), action.word());
        }
        assert_eq!(MetaAction::from_word("fly"), None);
    }
}
