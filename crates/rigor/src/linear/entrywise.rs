//! Operations entry by entry, column after column, in loops without branches that the compiler turns into vector
//! instructions. They are most of the work around a product of small matrices.
//!
//! **Inflation.** Here a radius R is a sum of non-negative terms in plain floats that stands for the exact S. If every term
//! passes through at most 7 roundings and at most 16 products on the way may underflow, then
//! `S (1 - u)^7 <= R + 8 eta`, so `S <= R (1 + 8u) + 9 eta`, and [`inflate`] is not below it: its product loses a factor `1 - u`
//! and `eta / 2`, its sum another `1 - u`, of `R (1 + 16u) + 16 eta`.
//! Rounding each operation outward instead is as valid and takes five times as long.

use super::enclosed::EnclosedMatrix;
use super::roundoff::{LEAST, Majorant, UNIT, lane_sum, power_of_two_near, wide};
use crate::bound::{Lower, Upper};
use crate::interval::Interval;
use crate::rounding::{mul_down, mul_up, sqrt_down, sqrt_up};
use faer::Mat;

/// Not below the exact sum for which `radius` stands, see the head of this module.
#[inline(always)]
pub(super) fn inflate(radius: f64) -> f64 {
    radius * (1.0 + 16.0 * UNIT) + 16.0 * LEAST
}

/// One entry with its error; what is not finite becomes "unknown".
#[inline(always)]
pub(super) fn entry_or_unknown(middle: f64, radius: f64) -> (f64, f64) {
    if middle.abs() < f64::INFINITY && radius < f64::INFINITY { (middle, radius) } else { (0.0, f64::INFINITY) }
}

/// `(a +- ra) + (b +- rb)`. The rounding error of a sum is found exactly by Knuth's two-sum, so that exact sums stay
/// exact: their radius is a sum of zeros. (Sums of doubles do not underflow.)
#[inline(always)]
pub(super) fn sum_entry(a: f64, ra: f64, b: f64, rb: f64) -> (f64, f64) {
    let s = a + b;
    let t = s - a;
    let error = ((a - (s - t)) + (b - t)).abs();
    let radius = ra + rb + error;
    entry_or_unknown(s, if radius == 0.0 { 0.0 } else { inflate(radius) })
}

/// `(a +- ra)(b +- rb)`: `|true - ab| <= |a| rb + ra (|b| + rb)`, plus the rounding `u |fl(ab)| + eta / 2` of the middle where
/// no factor is 0 or +-1. Exact products stay exact.
#[inline(always)]
pub(super) fn product_entry(a: f64, ra: f64, b: f64, rb: f64) -> (f64, f64) {
    let p = a * b;
    let (size_a, size_b) = (a.abs(), b.abs());
    // No short circuits: they would be branches.
    let exact = (size_a == 0.0) | (size_b == 0.0) | (size_a == 1.0) | (size_b == 1.0);
    let zero = ((size_a + ra) == 0.0) | ((size_b + rb) == 0.0);
    let rounding = if exact { 0.0 } else { UNIT * p.abs() };
    let radius = size_a * rb + ra * (size_b + rb) + rounding;
    let known = zero | (exact & ((ra + rb) == 0.0));
    entry_or_unknown(p, if known { 0.0 } else { inflate(radius) })
}

/// A column: middle points and radii.
pub(super) type Column<'a> = (&'a [f64], &'a [f64]);

/// The right operand of an entrywise operation.
pub(super) enum Operand<'a> {
    /// A matrix of the same shape.
    Matrix(&'a EnclosedMatrix),
    /// One number per row.
    PerRow(Column<'a>),
    /// One number per column.
    PerColumn(Column<'a>),
}

/// `f(a, ra, b, rb)` for every entry.
pub(super) fn combine(
    a: &EnclosedMatrix,
    b: &Operand<'_>,
    f: impl Fn(f64, f64, f64, f64) -> (f64, f64),
) -> EnclosedMatrix {
    let rows = a.nrows();
    let zeros = vec![0.0; rows];
    let (mut constant, mut spread) = (vec![], vec![]);
    by_columns(rows, a.ncols(), |j, middle, radius| {
        let (am, ar) = a.column_or(j, &zeros);
        let (bm, br) = match b {
            Operand::Matrix(b) => b.column_or(j, &zeros),
            Operand::PerRow(column) => *column,
            Operand::PerColumn((m, r)) => {
                constant.clear();
                constant.resize(rows, m[j]);
                spread.clear();
                spread.resize(rows, r[j]);
                (&constant[..], &spread[..])
            }
        };
        let entries = am.iter().zip(ar).zip(bm.iter().zip(br));
        for ((m, r), ((&a, &ra), (&b, &rb))) in middle.iter_mut().zip(radius).zip(entries) {
            (*m, *r) = f(a, ra, b, rb);
        }
    })
}

/// The matrix whose columns `fill(j, middle, radius)` writes: finite middles, radii in `[0, +inf]`.
pub(super) fn by_columns(
    rows: usize,
    columns: usize,
    mut fill: impl FnMut(usize, &mut [f64], &mut [f64]),
) -> EnclosedMatrix {
    let mut middle = Mat::zeros(rows, columns);
    let mut radius = Mat::zeros(rows, columns);
    let exact = wide(|| {
        let mut total = 0.0;
        for j in 0..columns {
            let (middle, radius) = (middle.col_as_slice_mut(j), radius.col_as_slice_mut(j));
            fill(j, middle, radius);
            total += lane_sum(radius, |r| r);
        }
        total == 0.0
    });
    EnclosedMatrix { middle, radius: if exact { None } else { Some(radius) } }
}

/// An upper bound of the largest `|x|` in a column; 0 only if all are.
pub(super) fn largest((middle, radius): Column<'_>) -> Upper {
    let largest = wide(|| maximum(middle, radius, |m, r| m.abs() + r));
    Upper::new(if largest == 0.0 { 0.0 } else { inflate(largest) })
}

fn maximum(middle: &[f64], radius: &[f64], f: impl Fn(f64, f64) -> f64) -> f64 {
    const LANES: usize = 8;
    let mut partial = [0.0f64; LANES];
    let (m, r) = (middle.chunks_exact(LANES), radius.chunks_exact(LANES));
    let rest = m.remainder().iter().zip(r.remainder()).fold(0.0f64, |most, (&m, &r)| most.max(f(m, r)));
    for (m, r) in m.zip(r) {
        for k in 0..LANES {
            let x = f(m[k], r[k]);
            partial[k] = if x > partial[k] { x } else { partial[k] };
        }
    }
    partial.into_iter().fold(rest, f64::max)
}

/// The Euclidean norm of a column. Entries are scaled by a power of two near the largest before they are squared; a scaled
/// entry that is subnormal is off by at most eta, its square by far less.
pub(super) fn norm((middle, radius): Column<'_>) -> Interval {
    if let ([m], [r]) = (middle, radius) {
        return Interval::around(*m, Upper::new(*r)).abs();
    }
    let upper = largest((middle, radius));
    if upper == Upper::ZERO {
        return Interval::ZERO;
    }
    if !upper.is_finite() {
        return Interval::new(0.0, f64::INFINITY);
    }
    let scale = power_of_two_near(upper.get());
    let inverse = 1.0 / scale;
    let (most, least, largest) = wide(|| {
        let above = |m: f64, r: f64| (m.abs() + r) * inverse;
        let below = |m: f64, r: f64| (m.abs() - r).max(0.0) * inverse;
        (
            column_sum(middle, radius, |m, r| above(m, r) * above(m, r)),
            column_sum(middle, radius, |m, r| below(m, r) * below(m, r)),
            maximum(middle, radius, |m, r| m.abs() - r),
        )
    });
    // Entry, square and sum: at most k + 3 roundings each.
    let majorant = Majorant::new(middle.len() + 3);
    let upper = mul_up(sqrt_up(majorant.bound(most)), scale);
    let lower = mul_down(sqrt_down(majorant.below(least)), scale);
    let exact = radius.iter().all(|r| *r == 0.0);
    let largest = Lower::new(if exact { largest } else { largest.next_down() });
    Interval::new(lower.max(largest.get()), upper)
}

fn column_sum(middle: &[f64], radius: &[f64], f: impl Fn(f64, f64) -> f64) -> f64 {
    const LANES: usize = 8;
    let mut partial = [0.0; LANES];
    let (m, r) = (middle.chunks_exact(LANES), radius.chunks_exact(LANES));
    let rest: f64 = m.remainder().iter().zip(r.remainder()).map(|(&m, &r)| f(m, r)).sum();
    for (m, r) in m.zip(r) {
        for k in 0..LANES {
            partial[k] += f(m[k], r[k]);
        }
    }
    partial.iter().sum::<f64>() + rest
}
