//! Norms, scalar products and matrix-vector products of enclosed vectors.

use super::enclosed::EnclosedMatrix;
use super::roundoff::{Majorant, gamma, power_of_two_near, underflow};
use crate::bound::{Lower, Upper};
use crate::interval::Interval;
use crate::rounding::{add_up, div_down, mul_down, mul_up, sqrt_down};

/// The Euclidean norm. Entries are scaled by a power of two near the largest before they are squared.
pub fn norm(x: &[Interval]) -> Interval {
    let upper = Upper::norm(x.iter().map(|v| v.magnitude()));
    let largest = x.iter().fold(0.0f64, |m, v| m.max(v.mignitude().get()));
    if largest == 0.0 {
        return Interval::new(0.0, upper.get());
    }
    if let [single] = x {
        return single.abs();
    }
    let scale = power_of_two_near(largest);
    let squares: Lower = x.iter().map(|v| Lower::new(div_down(v.mignitude().get(), scale)).square()).sum();
    Interval::new(mul_down(sqrt_down(squares.get()), scale).max(largest), upper.get())
}

/// Upper bound of the Euclidean norm of a vector of doubles.
pub fn norm_upper_of(x: &[f64]) -> Upper {
    Upper::norm(x.iter().map(|v| Upper::new(v.abs())))
}

/// `x.y` of two vectors of doubles, enclosed: the float value with the radius `gamma_k |x|.|y| + k eta`.
///
/// # Panics
/// If the lengths differ.
pub fn dot(x: &[f64], y: &[f64]) -> Interval {
    assert_eq!(x.len(), y.len(), "the lengths differ");
    let mut value = 0.0;
    let mut absolute = 0.0;
    let mut terms = 0;
    for (&a, &b) in x.iter().zip(y) {
        let p = a * b;
        value += p;
        absolute += p.abs();
        // Products with an exact 0 do not count: they round nothing, and 0 stays 0. (0 times infinity is NaN.)
        let exact = p == 0.0 && (a == 0.0 || b == 0.0);
        terms += usize::from(!exact);
    }
    if terms == 0 {
        return Interval::ZERO;
    }
    let radius = add_up(mul_up(gamma(terms), Majorant::new(terms).bound(absolute)), underflow(terms));
    if f64::is_finite(value) { Interval::around(value, Upper::new(radius)) } else { Interval::ENTIRE }
}

/// `x.y` of two enclosed vectors.
///
/// # Panics
/// If the lengths differ.
pub fn dot_enclosed(x: &[Interval], y: &[Interval]) -> Interval {
    assert_eq!(x.len(), y.len(), "the lengths differ");
    x.iter().zip(y).fold(Interval::ZERO, |sum, (&a, &b)| sum + a * b)
}

/// `A x`, one interval per row.
///
/// # Panics
/// If `x` does not have one entry per column of `A`.
pub fn matvec(a: &EnclosedMatrix, x: &[Interval]) -> Vec<Interval> {
    assert_eq!(a.ncols(), x.len(), "one entry per column");
    let column = EnclosedMatrix::from_fn(x.len(), 1, |i, _| x[i]);
    a.times(&column).column(0)
}

/// An upper bound of `|A x - b|`, for every member of the enclosures.
///
/// # Panics
/// If the shapes do not fit.
pub fn residual_norm(a: &EnclosedMatrix, x: &[Interval], b: &[Interval]) -> Upper {
    assert_eq!(a.nrows(), b.len(), "one entry per row");
    Upper::norm(matvec(a, x).iter().zip(b).map(|(&ax, &b)| (ax - b).magnitude()).collect::<Vec<_>>())
}
