//! How deep two bodies reach into each other.

use tandem_datasets::Box2;

/// How far one of the two would have to be moved for them to part, m; 0 where they do not overlap. The least overlap
/// along any of their four axes (separating-axis theorem).
pub(crate) fn depth_m(a: &Box2, b: &Box2) -> f64 {
    let between = b.pose.position() - a.pose.position();
    let reach = |of: &Box2, axis: nalgebra::Vector2<f64>| {
        let heading = of.pose.heading();
        0.5 * (of.length * axis.dot(&heading).abs() + of.width * axis.perp(&heading).abs())
    };
    let overlap = |axis| reach(a, axis) + reach(b, axis) - between.dot(&axis).abs();
    let left = |of: &Box2| nalgebra::Vector2::new(-of.pose.heading().y, of.pose.heading().x);
    let axes = [a.pose.heading(), left(a), b.pose.heading(), left(b)];
    axes.into_iter().map(overlap).fold(f64::INFINITY, f64::min).max(0.0)
}

#[cfg(test)]
mod tests {
    use tandem_datasets::Pose2;

    use super::*;

    #[test]
    fn depth_is_the_shortest_way_out() {
        let at = |x, y, yaw| Box2 { pose: Pose2::new(x, y, yaw), length: 4.0, width: 2.0 };
        assert_eq!(depth_m(&at(0.0, 0.0, 0.0), &at(5.0, 0.0, 0.0)), 0.0);
        assert!((depth_m(&at(0.0, 0.0, 0.0), &at(3.7, 0.5, 0.0)) - 0.3).abs() < 1e-12);
        assert!((depth_m(&at(0.0, 0.0, 0.0), &at(1.0, 1.8, 0.0)) - 0.2).abs() < 1e-12);
        // Crosswise: half a length and half a width meet.
        let crosswise = at(2.5, 0.0, std::f64::consts::FRAC_PI_2);
        assert!((depth_m(&at(0.0, 0.0, 0.0), &crosswise) - 0.5).abs() < 1e-12);
    }
}
