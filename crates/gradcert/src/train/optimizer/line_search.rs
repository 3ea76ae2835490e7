//! A step length with the strong Wolfe conditions (Nocedal and Wright, Numerical Optimization, section 3.5).

use super::Point;
use crate::network::product::dot;
use crate::train::flow::Field;

/// `phi(t) <= phi(0) + DECREASE t phi'(0)`.
const DECREASE: f64 = 1e-4;
/// `|phi'(t)| <= CURVATURE |phi'(0)|`.
const CURVATURE: f64 = 0.9;
/// Evaluations at most.
const EVALUATIONS: usize = 40;

/// A point `x + t d` on the line.
struct Trial {
    t: f64,
    slope: f64,
    point: Point,
}

/// The search along a direction, phi(t) = f(x + t d).
struct Search<'a> {
    f: &'a dyn Field,
    start: &'a Point,
    direction: &'a [f64],
    slope: f64,
    left: usize,
}

/// A point `x + t d` with both conditions, tried first at t = `first`; the best one with the first condition where the second cannot
/// be reached, `None` where rounding hides every decrease, or d does not descend.
pub(super) fn strong_wolfe(f: &dyn Field, start: &Point, direction: &[f64], first: f64) -> Option<Point> {
    let slope = dot(&start.gradient, direction);
    if !(slope < 0.0 && first > 0.0 && first.is_finite()) {
        return None;
    }
    let mut search = Search { f, start, direction, slope, left: EVALUATIONS };
    let (mut low, mut t) = (Trial { t: 0.0, slope, point: start.clone() }, first);
    // Farther and farther, until a point with the conditions lies between two trials.
    while search.left > 0 {
        let trial = search.trial(t);
        if !search.decreases(&trial) || (low.t > 0.0 && trial.point.value >= low.point.value) {
            return search.between(low, trial);
        }
        if search.is_flat(&trial) {
            return Some(trial.point);
        }
        if trial.slope >= 0.0 {
            return search.between(trial, low);
        }
        (low, t) = (trial, 4.0 * t);
    }
    search.lower(low)
}

impl Search<'_> {
    fn trial(&mut self, t: f64) -> Trial {
        self.left -= 1;
        let point = self.start.along(self.f, t, self.direction);
        Trial { t, slope: dot(&point.gradient, self.direction), point }
    }

    /// The first condition; not where f is no number. Where it asks for less than rounding, f must fall all the same.
    fn decreases(&self, trial: &Trial) -> bool {
        trial.point.value <= self.start.value + DECREASE * trial.t * self.slope && trial.point.value < self.start.value
    }

    fn is_flat(&self, trial: &Trial) -> bool {
        trial.slope.abs() <= -CURVATURE * self.slope
    }

    /// `low` has the first condition and the smallest value of all trials with it, and phi falls from it towards `high`: between them
    /// there are points with both conditions.
    fn between(&mut self, mut low: Trial, mut high: Trial) -> Option<Point> {
        while self.left > 0 {
            let t = minimum_of_cubic(&low, &high);
            if t == low.t || t == high.t {
                break;
            }
            let trial = self.trial(t);
            if !self.decreases(&trial) || trial.point.value >= low.point.value {
                high = trial;
                continue;
            }
            if self.is_flat(&trial) {
                return Some(trial.point);
            }
            if trial.slope * (high.t - low.t) >= 0.0 {
                high = low;
            }
            low = trial;
        }
        self.lower(low)
    }

    fn lower(&self, low: Trial) -> Option<Point> {
        (low.t > 0.0).then_some(low.point)
    }
}

/// The minimum of the cubic with the values and slopes at both ends, kept a tenth of the interval away from them; the middle where
/// there is none.
fn minimum_of_cubic(a: &Trial, b: &Trial) -> f64 {
    let width = b.t - a.t;
    let chord = (b.point.value - a.point.value) / width;
    let p = a.slope + b.slope - 3.0 * chord;
    let root = (p * p - a.slope * b.slope).max(0.0).sqrt() * width.signum();
    let share = 1.0 - (b.slope + root - p) / (b.slope - a.slope + 2.0 * root);
    let share = if share.is_finite() { share.clamp(0.1, 0.9) } else { 0.5 };
    a.t + share * width
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::optimizer::tests::{Formula, quadratic};

    /// Functions of one variable from More and Thuente (1994), started far too near and far too far away.
    #[test]
    fn both_conditions_hold() {
        type Curve = fn(f64) -> (f64, f64);
        let curves: [Curve; 4] = [
            |t| (-t / (t * t + 2.0), (t * t - 2.0) / (t * t + 2.0).powi(2)),
            |t| {
                let s = t + 0.004;
                (s.powi(5) - 2.0 * s.powi(4), 5.0 * s.powi(4) - 8.0 * s.powi(3))
            },
            |t| {
                let gamma = |b: f64| (1.0 + b * b).sqrt() - b;
                let (left, right) = ((1.0 - t).hypot(0.01), t.hypot(0.001));
                let (p, q) = (gamma(0.001), gamma(0.01));
                (p * left + q * right, -p * (1.0 - t) / left + q * t / right)
            },
            |t| ((t - 1.0).powi(2), 2.0 * (t - 1.0)),
        ];
        for (number, curve) in curves.into_iter().enumerate() {
            for first in [1e-3, 1e-1, 1.0, 10.0, 1e3] {
                let f = Formula(move |x: &[f64], gradient: &mut [f64]| {
                    let (value, slope) = curve(x[0]);
                    gradient[0] = slope;
                    value
                });
                let start = Point::at(&f, vec![0.0]);
                let found = strong_wolfe(&f, &start, &[1.0], first).expect("a step");
                let slope = start.gradient[0];
                assert!(found.value <= start.value + DECREASE * found.x[0] * slope, "curve {number} from {first}");
                assert!(found.gradient[0].abs() <= -CURVATURE * slope, "curve {number} from {first}");
            }
        }
    }

    #[test]
    fn cubics_are_minimised_at_once() {
        // t^3 - 3 t with the minimum 1, seen from 0 and 3, and the other way round.
        let f = |t: f64| Trial {
            t,
            slope: 3.0 * t * t - 3.0,
            point: Point { x: vec![t], value: t.powi(3) - 3.0 * t, gradient: vec![] },
        };
        assert!((minimum_of_cubic(&f(0.0), &f(3.0)) - 1.0).abs() < 1e-15);
        assert!((minimum_of_cubic(&f(3.0), &f(0.0)) - 1.0).abs() < 1e-15);
    }

    /// Beyond t = 2 there is no value.
    #[test]
    fn values_that_are_no_numbers_are_too_far() {
        let f = Formula(|x: &[f64], gradient: &mut [f64]| {
            gradient[0] = 2.0 * (x[0] - 1.0);
            if x[0] > 2.0 { f64::NAN } else { (x[0] - 1.0).powi(2) }
        });
        let start = Point::at(&f, vec![0.0]);
        let found = strong_wolfe(&f, &start, &[1.0], 1e6).expect("a step");
        assert!(found.value < 1.0 && found.x[0] < 2.0, "{found:?}");
    }

    #[test]
    fn ascent_is_refused() {
        let f = quadratic(&[1.0]);
        let start = Point::at(&f, vec![1.0]);
        assert!(strong_wolfe(&f, &start, &[1.0], 1.0).is_none());
        assert!(strong_wolfe(&f, &start, &[-1.0], f64::INFINITY).is_none());
    }
}
