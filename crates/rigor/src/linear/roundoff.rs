//! What rounding can do to a sum of products, and the float products everything here is built on.
//!
//! **Model.** Doubles, round to nearest, gradual underflow: `fl(a op b) = (a op b)(1 + d) + e` with `|d| <= u = 2^-53`
//! and `|e| <= eta / 2`, `eta = 2^-1074`, `e = 0` for sums and differences. A fused multiply-add rounds once.
//!
//! **Any order.** A sum of `k` products evaluated along any binary tree, with or without fused operations, sends each
//! product through at most `k` roundings (its own and at most `k - 1` additions; adding an exact 0 and multiplying by
//! `+-1` round nothing). Hence `|fl(x.y) - x.y| <= gamma_k |x|.|y| + k eta`, `gamma_k = k u / (1 - k u)`, for every
//! blocking, vector width and thread count; `k eta` covers the underflows `eta / 2` with their factor
//! `(1 + u)^k <= 2`. This is false for Strassen-like products, which the library in use does not contain, and without
//! gradual underflow, which Rust never switches off.

use crate::bound::Upper;
use crate::rounding::{add_up, div_up, mul_down, mul_up, sub_down};
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatMut, MatRef, Par, unzip, zip};

/// Unit roundoff `2^-53`.
pub(crate) const UNIT: f64 = f64::EPSILON / 2.0;
/// The smallest positive double, `2^-1074`.
pub(crate) const LEAST: f64 = f64::from_bits(1);

/// `gamma_k = k u / (1 - k u)` rounded up; infinite (nothing is known) unless `k u < 1/8`.
pub(crate) fn gamma(k: usize) -> f64 {
    // Exact: k is far below 2^53.
    let ku = k as f64 * UNIT;
    if ku < 0.125 { div_up(ku, sub_down(1.0, ku)) } else { f64::INFINITY }
}

/// `k eta` rounded up.
pub(crate) fn underflow(k: usize) -> f64 {
    mul_up(k as f64, LEAST)
}

/// Bounds sums of `k` non-negative products by their float values: all roundings act on non-negative terms, so
/// `fl(p.q) >= (1 - gamma_k) p.q - k eta` and `p.q <= (fl(p.q) + k eta)(1 + 2 gamma_k)`.
#[derive(Clone, Copy)]
pub(crate) struct Majorant {
    absolute: f64,
    relative: f64,
}

impl Majorant {
    pub(crate) fn new(k: usize) -> Majorant {
        Majorant { absolute: underflow(k), relative: add_up(1.0, mul_up(2.0, gamma(k))) }
    }

    /// An upper bound of the exact value of the sum that was evaluated to `computed`.
    #[inline]
    pub(crate) fn bound(self, computed: f64) -> f64 {
        mul_up(add_up(computed, self.absolute), self.relative)
    }

    /// A lower bound of it: `p.q >= (fl(p.q) - k eta)(1 - 2 gamma_k)`, since `(1 + u)^k (1 - 2 gamma_k) <= 1`.
    #[inline]
    pub(crate) fn below(self, computed: f64) -> f64 {
        // Each factor may be negative, and two of them would make a positive product of nothing.
        let [rest, share] = [sub_down(computed, self.absolute), sub_down(2.0, self.relative)].map(|x| x.max(0.0));
        mul_down(rest, share)
    }

    /// The float value to which [`inflate`](super::entrywise::inflate) applies in a loop without branches.
    #[inline(always)]
    pub(crate) fn rough_bound(self, computed: f64) -> f64 {
        (computed + self.absolute) * self.relative
    }
}

/// The threads to use. The library partitions the rows and columns of a product, never a sum (but for a matrix times a vector), so
/// that bits do not depend on their number; no bound relies on that.
pub(crate) fn parallelism() -> Par {
    faer::get_global_parallelism()
}

/// The threads for a `rows x columns` product whose bits must not depend on their number. A matrix times a vector is cut along the sum, so
/// it is left to one thread, which memory keeps busy anyway.
pub fn same_bits(par: Par, rows: usize, columns: usize) -> Par {
    if rows == 1 || columns == 1 { Par::Seq } else { par }
}

/// Runs loops with the widest vector instructions of the machine. No bound depends on the order of a sum, and nothing here is fused
/// unless it says so: each operation rounds as it does anywhere.
#[inline(always)]
pub(super) fn wide<R>(loops: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(loops)
}

/// `A B` in floats.
pub(crate) fn product(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    let mut c = Mat::zeros(a.nrows(), b.ncols());
    if a.ncols() > 0 {
        let par = same_bits(parallelism(), c.nrows(), c.ncols());
        matmul(c.as_mut(), Accum::Replace, a, b, 1.0, par);
    }
    c
}

/// The lower triangle of `C + alpha A A^T` in floats, `alpha = +-1`.
pub(crate) fn add_own_product(c: MatMut<'_, f64>, alpha: f64, a: MatRef<'_, f64>) {
    if a.ncols() > 0 {
        triangular::matmul(
            c,
            BlockStructure::TriangularLower,
            Accum::Add,
            a,
            BlockStructure::Rectangular,
            a.transpose(),
            BlockStructure::Rectangular,
            alpha,
            parallelism(),
        );
    }
}

/// `A A^T` in floats, exactly symmetric.
pub(crate) fn own_product(a: MatRef<'_, f64>) -> Mat<f64> {
    let mut c = Mat::zeros(a.nrows(), a.nrows());
    add_own_product(c.as_mut(), 1.0, a);
    mirror(&mut c);
    c
}

/// Copies the lower triangle of a square matrix onto the upper one.
pub fn mirror(c: &mut Mat<f64>) {
    for_each_pair(c.nrows(), |i, j| c[(j, i)] = c[(i, j)]);
}

/// `C + C^T` in floats, in place.
pub(crate) fn mirror_sum(c: &mut Mat<f64>) {
    for i in 0..c.nrows() {
        c[(i, i)] *= 2.0;
    }
    for_each_pair(c.nrows(), |i, j| {
        let sum = c[(i, j)] + c[(j, i)];
        c[(i, j)] = sum;
        c[(j, i)] = sum;
    });
}

/// The pairs `j < i < n`, in tiles that keep both the rows and the columns in the cache.
#[inline(always)]
fn for_each_pair(n: usize, mut f: impl FnMut(usize, usize)) {
    const TILE: usize = 64;
    for jt in (0..n).step_by(TILE) {
        for it in (jt..n).step_by(TILE) {
            for j in jt..n.min(jt + TILE) {
                for i in it.max(j + 1)..n.min(it + TILE) {
                    f(i, j);
                }
            }
        }
    }
}

/// Entrywise absolute values, with the storage order of the argument.
pub(crate) fn absolute(a: MatRef<'_, f64>) -> Mat<f64> {
    let mut b = Mat::zeros(a.nrows(), a.ncols());
    zip!(b.as_mut(), a).for_each(|unzip!(b, a)| *b = a.abs());
    b
}

/// The largest power of two that is at most `x`, and 1 where that would be 0, subnormal or not finite. Scaling by it
/// is exact up to underflow.
pub(crate) fn power_of_two_near(x: f64) -> f64 {
    if x.is_normal() && x > 0.0 { f64::from_bits(x.to_bits() & 0x7ff0_0000_0000_0000) } else { 1.0 }
}

/// Calls `f` with every column as a slice.
fn for_each_column(a: MatRef<'_, f64>, mut f: impl FnMut(usize, &[f64])) {
    let mut copy = Vec::new();
    wide(|| {
        for j in 0..a.ncols() {
            if let Some(column) = a.col(j).try_as_col_major() {
                f(j, column.as_slice());
            } else {
                copy.clear();
                copy.extend((0..a.nrows()).map(|i| a[(i, j)]));
                f(j, &copy);
            }
        }
    });
}

/// A float sum of `g(x)`, several partial sums at a time (the order does not matter).
#[inline]
pub(super) fn lane_sum(x: &[f64], g: impl Fn(f64) -> f64) -> f64 {
    const LANES: usize = 8;
    let mut partial = [0.0; LANES];
    let chunks = x.chunks_exact(LANES);
    let rest: f64 = chunks.remainder().iter().map(|&x| g(x)).sum();
    for chunk in chunks {
        for (p, &x) in partial.iter_mut().zip(chunk) {
            *p += g(x);
        }
    }
    partial.iter().sum::<f64>() + rest
}

/// The float sum of `n` non-negative numbers, rounded up. Sums do not underflow; NaN becomes +inf.
fn sum_up(computed: f64, n: usize) -> Upper {
    Upper::new(mul_up(computed, add_up(1.0, mul_up(2.0, gamma(n)))))
}

/// The largest row sum and the largest column sum of `|A|`, rounded up.
pub(crate) fn largest_sums(a: MatRef<'_, f64>) -> (Upper, Upper) {
    let mut rows = vec![0.0f64; a.nrows()];
    let mut largest = Upper::ZERO;
    for_each_column(a, |_, column| {
        rows.iter_mut().zip(column).for_each(|(sum, x)| *sum += x.abs());
        largest = largest.max(sum_up(lane_sum(column, f64::abs), column.len()));
    });
    (Upper::maximum(rows.into_iter().map(|x| sum_up(x, a.ncols()))), largest)
}

/// Row sums of the non-negative matrix `A A^T` (an upper bound of each), through `A (A^T 1)`.
pub(crate) fn row_sums_of_own_product(a: MatRef<'_, f64>) -> Vec<Upper> {
    let mut sums = Mat::zeros(a.ncols(), 1);
    for_each_column(a, |j, column| sums[(j, 0)] = sum_up(lane_sum(column, |x| x), column.len()).get());
    let majorant = Majorant::new(a.ncols());
    let rows = product(a, sums.as_ref());
    (0..a.nrows()).map(|i| Upper::new(majorant.bound(rows[(i, 0)]))).collect()
}

/// The largest `|entry|`; NaN if there is one.
pub(crate) fn largest_magnitude(a: MatRef<'_, f64>) -> f64 {
    let mut largest = 0.0f64;
    let mut nan = false;
    for_each_column(a, |_, column| {
        for &x in column {
            largest = if x.abs() > largest { x.abs() } else { largest };
            nan |= x.is_nan();
        }
    });
    if nan { f64::NAN } else { largest }
}

/// The Frobenius norm rounded up. The entries are scaled by a power of two near the largest before they are squared, so
/// that the squares do not vanish.
pub(crate) fn frobenius_up(a: MatRef<'_, f64>) -> Upper {
    let largest = largest_magnitude(a);
    if largest == 0.0 || !largest.is_finite() {
        return Upper::new(largest);
    }
    let scale = power_of_two_near(largest);
    let inverse = 1.0 / scale;
    let mut sum = 0.0;
    // An inexact (subnormal) quotient is off by at most eta, its square by far less than eta.
    for_each_column(a, |_, column| sum += lane_sum(column, |x| (x * inverse) * (x * inverse)));
    let k = a.nrows() * a.ncols();
    Upper::new(Majorant::new(2 * k).bound(sum)).sqrt() * Upper::new(scale)
}
