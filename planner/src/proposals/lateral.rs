//! The sideways half of a proposal: how far left of the centreline to be at each point along it.

/// Longest a shift may take at the current speed, s, is this times the root of its width in metres: keeps the
/// lateral acceleration of a quintic, 5.77 Δd / T², at or below 1 m/s².
const SECONDS_PER_ROOT_METER: f64 = 2.4;

/// Shortest time for a shift, s.
const MIN_SHIFT_S: f64 = 1.5;

/// Metres along for a shift at walking pace, per root of its width: bounds its curvature, 5.77 Δd / L².
const METERS_PER_ROOT_METER: f64 = 7.0;

/// Shortest shift, m.
const MIN_SHIFT_M: f64 = 5.0;

/// Offset from the centreline and its first two derivatives by arc length.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Offset {
    /// To the left, m.
    pub left_m: f64,
    /// Slope.
    pub slope: f64,
    /// Curvature relative to the centreline, 1/m.
    pub bend_pm: f64,
}

/// A quintic from one offset to another between two places.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shift {
    from_m: f64,
    length_m: f64,
    target_m: f64,
    coefficients: [f64; 6],
}

impl Shift {
    /// Meets `start` at `from_m` and rests at `target_m` from `from_m + length_m` on.
    fn new(from_m: f64, start: Offset, length_m: f64, target_m: f64) -> Self {
        let (c0, c1, c2) = (start.left_m, start.slope * length_m, start.bend_pm * length_m * length_m / 2.0);
        let (position, slope, bend) = (target_m - c0 - c1 - c2, -c1 - 2.0 * c2, -2.0 * c2);
        let c3 = 10.0 * position - 4.0 * slope + bend / 2.0;
        let c4 = -15.0 * position + 7.0 * slope - bend;
        let c5 = 6.0 * position - 3.0 * slope + bend / 2.0;
        Self { from_m, length_m, target_m, coefficients: [c0, c1, c2, c3, c4, c5] }
    }

    fn at(&self, along_m: f64) -> Offset {
        let t = (along_m - self.from_m) / self.length_m;
        if t >= 1.0 {
            return Offset { left_m: self.target_m, ..Offset::default() };
        }
        let t = t.max(0.0);
        let [c0, c1, c2, c3, c4, c5] = self.coefficients;
        let left_m = c0 + t * (c1 + t * (c2 + t * (c3 + t * (c4 + t * c5))));
        let slope = c1 + t * (2.0 * c2 + t * (3.0 * c3 + t * (4.0 * c4 + t * 5.0 * c5)));
        let bend = 2.0 * c2 + t * (6.0 * c3 + t * (12.0 * c4 + t * 20.0 * c5));
        Offset { left_m, slope: slope / self.length_m, bend_pm: bend / (self.length_m * self.length_m) }
    }

    /// The Bernstein coefficients: bₖ = Σᵢ C(k, i) / C(5, i) cᵢ.
    fn control_points(&self) -> [f64; 6] {
        let [c0, c1, c2, c3, c4, c5] = self.coefficients;
        [
            c0,
            c0 + c1 / 5.0,
            c0 + 2.0 * c1 / 5.0 + c2 / 10.0,
            c0 + 3.0 * c1 / 5.0 + 3.0 * c2 / 10.0 + c3 / 10.0,
            c0 + 4.0 * c1 / 5.0 + 6.0 * c2 / 10.0 + 4.0 * c3 / 10.0 + c4 / 5.0,
            c0 + c1 + c2 + c3 + c4 + c5,
        ]
    }

    fn to_m(&self) -> f64 {
        self.from_m + self.length_m
    }
}

/// A lateral plan: one shift to an offset, and perhaps one back to the centreline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    shift: Shift,
    back: Option<Shift>,
    target_m: f64,
}

impl Line {
    /// From `start` at `from_m` to `target_m`, as quickly as is comfortable at `speed_mps`.
    pub fn to(target_m: f64, from_m: f64, start: Offset, speed_mps: f64) -> Self {
        let length_m = shift_length_m(target_m - start.left_m, speed_mps);
        Self { shift: Shift::new(from_m, start, length_m, target_m), back: None, target_m }
    }

    /// The same, arriving by `by_m` at the latest where that leaves a drivable curve.
    pub fn to_by(target_m: f64, from_m: f64, start: Offset, speed_mps: f64, by_m: f64) -> Self {
        let width_m = target_m - start.left_m;
        let length_m = shift_length_m(width_m, speed_mps).min(by_m - from_m).max(shift_length_m(width_m, 0.0));
        Self { shift: Shift::new(from_m, start, length_m, target_m), back: None, target_m }
    }

    /// This line, going back to the centreline from `from_m` on.
    pub fn and_back(self, from_m: f64, speed_mps: f64) -> Self {
        let start = Offset { left_m: self.target_m, ..Offset::default() };
        let length_m = shift_length_m(self.target_m, speed_mps);
        let back = Shift::new(from_m.max(self.shift.to_m()), start, length_m, 0.0);
        Self { back: Some(back), ..self }
    }

    /// The offset at `along_m`: held before the first shift and after the last.
    pub fn at(&self, along_m: f64) -> Offset {
        match &self.back {
            Some(back) if along_m > back.from_m => back.at(along_m),
            _ => self.shift.at(along_m),
        }
    }

    /// An interval that all its offsets lie in, m: rightmost, leftmost.
    ///
    /// Each quintic is bounded by its Bernstein coefficients.
    pub fn range_m(&self) -> (f64, f64) {
        let shifts = std::iter::once(&self.shift).chain(&self.back);
        let bounds = shifts.flat_map(Shift::control_points);
        bounds.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    }

    /// The offset that it makes for first, m.
    pub fn target_m(&self) -> f64 {
        self.target_m
    }

    /// Whether nothing is left to steer at `along_m`.
    pub fn is_done(&self, along_m: f64) -> bool {
        along_m >= self.back.as_ref().unwrap_or(&self.shift).to_m()
    }

    /// Whether it comes back to the centreline.
    pub fn comes_back(&self) -> bool {
        self.back.is_some()
    }
}

/// How long a shift by `width_m` is, m.
fn shift_length_m(width_m: f64, speed_mps: f64) -> f64 {
    let root = width_m.abs().sqrt();
    (speed_mps * MIN_SHIFT_S.max(SECONDS_PER_ROOT_METER * root)).max(METERS_PER_ROOT_METER * root).max(MIN_SHIFT_M)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_meets_both_ends_and_its_derivatives_are_those_of_finite_differences() {
        let start = Offset { left_m: -0.4, slope: 0.05, bend_pm: 0.01 };
        let line = Line::to(1.5, 100.0, start, 8.0);
        let begin = line.at(100.0);
        assert!((begin.left_m - start.left_m).abs() < 1e-12 && (begin.slope - start.slope).abs() < 1e-12);
        assert!((begin.bend_pm - start.bend_pm).abs() < 1e-12);
        let end = line.at(200.0);
        assert!((end.left_m - 1.5).abs() < 1e-9 && end.slope.abs() < 1e-9 && end.bend_pm.abs() < 1e-9);
        let h = 1e-4;
        for along_m in [101.0, 107.3, 115.0] {
            let (a, b, c) = (line.at(along_m - h), line.at(along_m), line.at(along_m + h));
            assert!(((c.left_m - a.left_m) / (2.0 * h) - b.slope).abs() < 1e-6);
            assert!(((c.slope - a.slope) / (2.0 * h) - b.bend_pm).abs() < 1e-6);
        }
    }

    #[test]
    fn a_shift_is_comfortable_at_speed_and_drivable_at_walking_pace() {
        for width_m in [0.3, 1.0, 3.5] {
            for speed_mps in [0.5, 5.0, 15.0] {
                let line = Line::to(width_m, 0.0, Offset::default(), speed_mps);
                let bend = (0..1000).map(|k| line.at(k as f64 * 0.1).bend_pm.abs()).fold(0.0, f64::max);
                assert!(bend * speed_mps * speed_mps < 1.01, "{bend} at {speed_mps}");
                assert!(bend < 0.13, "{bend}");
            }
        }
    }

    #[test]
    fn all_offsets_lie_within_the_range() {
        let start = Offset { left_m: -0.4, slope: 0.08, bend_pm: 0.02 };
        let line = Line::to(1.5, 0.0, start, 8.0).and_back(40.0, 8.0);
        let (low, high) = line.range_m();
        assert!(
            (0..1000).map(|k| line.at(k as f64 * 0.1).left_m).all(|left| left >= low - 1e-9 && left <= high + 1e-9)
        );
        assert!(low > -1.0 && high < 2.0, "{low} {high}");
    }

    #[test]
    fn a_detour_ends_on_the_centreline() {
        let line = Line::to_by(1.2, 0.0, Offset::default(), 6.0, 12.0).and_back(30.0, 6.0);
        assert!((line.at(12.0).left_m - 1.2).abs() < 0.05);
        assert!((line.at(29.9).left_m - 1.2).abs() < 1e-9);
        assert!(line.at(80.0).left_m.abs() < 1e-9 && line.is_done(80.0) && !line.is_done(20.0));
    }
}
