//! The lights of a junction: two groups that are green in turn.

use tandem_datasets::SignalColor::{self, Green, Red, Yellow};

use super::super::actor::Light;
use super::super::stage::{DURATION_S, Stage};

/// How long yellow and the red of both groups last, s.
const YELLOW_S: f64 = 3.5;
const CLEARING_S: f64 = 2.0;

/// Before a world begins its traffic is already on the way, s.
pub(super) const WARM_UP_S: f64 = 4.0;

/// The lights of the two streets of a junction, somewhere in their cycle.
pub(super) fn pair(stage: &mut Stage) -> [Light; 2] {
    let green_s = [stage.draw(7.0, 12.0), stage.draw(7.0, 12.0)];
    let change_s = YELLOW_S + CLEARING_S;
    let cycle_s = green_s[0] + green_s[1] + 2.0 * change_s;
    let begun_s = -WARM_UP_S - stage.draw(0.0, cycle_s);
    [0.0, green_s[0] + change_s].map(|after_s| {
        let own_s = if after_s == 0.0 { green_s[0] } else { green_s[1] };
        let mut phases = vec![(begun_s - cycle_s, Red)];
        let mut from_s = begun_s + after_s - cycle_s;
        while from_s < DURATION_S {
            phases.extend([(from_s, Green), (from_s + own_s, Yellow), (from_s + own_s + YELLOW_S, Red)]);
            from_s += cycle_s;
        }
        Light { phases }
    })
}

/// Leaves out what was before the world begins.
pub(super) fn begin(light: &mut Light) {
    let first: SignalColor = light.at(0.0);
    light.phases.retain(|(from_s, _)| *from_s > 0.0 && *from_s < DURATION_S);
    light.phases.insert(0, (0.0, first));
}
