//! Whether something can be seen from the vehicle, or others stand before it.

use nalgebra::Point2;
use tandem_datasets::messages::Object;
use tandem_datasets::{Box2, Pose2};

/// What may hide others or be hidden: an outline with a height, m.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Body {
    pub outline: Box2,
    pub height_m: f64,
}

/// From the rear axle forward to the front camera, m.
const EYE_AHEAD_M: f64 = 1.7;

/// Cameras on a roof look over what is lower than this, m.
const EYE_M: f64 = 1.5;

/// Whether every line from `eye` to the target's middle and corners passes through others at least as tall as a camera
/// is high, and as the target.
pub(crate) fn is_hidden(eye: Point2<f64>, target: &Body, others: impl Iterator<Item = Body>) -> bool {
    let to = target.outline;
    let corners = to.corners();
    let mut open = [corners[0], corners[1], corners[2], corners[3], to.pose.position()].map(Some);
    for other in others.filter(|other| other.height_m >= EYE_M && other.height_m >= target.height_m) {
        for line in &mut open {
            *line = line.filter(|point| !crosses(eye, *point, &other.outline));
        }
        if open.iter().all(Option::is_none) {
            return true;
        }
    }
    false
}

/// Whether something of an object shows from an ego's front camera past all others.
pub(crate) fn is_seen(ego: Pose2, target: &Object, all: &[Object]) -> bool {
    let body = |object: &Object| {
        let [length, width, height_m] = object.size;
        Body { outline: Box2 { pose: object.state.pose, length, width }, height_m }
    };
    let others = all.iter().filter(|other| other.number != target.number).map(body);
    !is_hidden(eye(ego), &body(target), others)
}

/// Where an ego's front camera is.
pub(crate) fn eye(ego: Pose2) -> Point2<f64> {
    ego.ahead(EYE_AHEAD_M).position()
}

/// Whether the stretch between two points meets a rectangle.
fn crosses(from: Point2<f64>, to: Point2<f64>, outline: &Box2) -> bool {
    let (from, to) = (outline.pose.inverse_transform(from), outline.pose.inverse_transform(to));
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for (from, to, half) in [(from.x, to.x, outline.length / 2.0), (from.y, to.y, outline.width / 2.0)] {
        let step = to - from;
        if step == 0.0 {
            if from.abs() > half {
                return false;
            }
            continue;
        }
        let (a, b) = ((-half - from) / step, (half - from) / step);
        (enter, leave) = (enter.max(a.min(b)), leave.min(a.max(b)));
    }
    enter <= leave
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(x: f64, y: f64, length: f64, width: f64, height_m: f64) -> Body {
        Body { outline: Box2 { pose: Pose2::new(x, y, 0.0), length, width }, height_m }
    }

    #[test]
    fn a_person_behind_a_lorry_is_hidden_until_a_shoulder_shows() {
        let lorry = body(20.0, -3.0, 7.0, 2.4, 3.0);
        let hidden =
            |y: f64, before: &Body| is_hidden(Point2::origin(), &body(25.0, y, 0.6, 0.6, 1.75), [*before].into_iter());
        // The lorry's far left corner, at (23.5, −1.8), throws its shadow to y = −1.91 at 25 m.
        assert!(hidden(-2.6, &lorry));
        assert!(!hidden(-2.1, &lorry));
        // Neither a low car nor one beside the line hides anybody.
        assert!(!hidden(-2.6, &body(20.0, -3.0, 7.0, 2.4, 1.4)));
        assert!(!hidden(2.6, &lorry));
    }
}
