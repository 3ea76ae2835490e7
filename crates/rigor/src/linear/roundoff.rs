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
use crate::rounding::{add_up, div_up, mul_up, sub_down};
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::{Accum, Mat, MatMut, MatRef, Par};

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
}

/// The threads to use. The library partitions the rows and columns of a product, never a sum, but no bound relies on
/// that.
pub(crate) fn parallelism() -> Par {
    faer::get_global_parallelism()
}

/// `A B` in floats.
pub(crate) fn product(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    let mut c = Mat::zeros(a.nrows(), b.ncols());
    if a.ncols() > 0 {
        matmul(c.as_mut(), Accum::Replace, a, b, 1.0, parallelism());
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

/// Copies the lower triangle onto the upper one.
pub(crate) fn mirror(c: &mut Mat<f64>) {
    // Tiles keep both the rows and the columns in the cache.
    const TILE: usize = 64;
    let n = c.nrows();
    for jt in (0..n).step_by(TILE) {
        for it in (jt..n).step_by(TILE) {
            for j in jt..n.min(jt + TILE) {
                for i in it.max(j + 1)..n.min(it + TILE) {
                    c[(j, i)] = c[(i, j)];
                }
            }
        }
    }
}

/// Entrywise absolute values.
pub(crate) fn absolute(a: MatRef<'_, f64>) -> Mat<f64> {
    Mat::from_fn(a.nrows(), a.ncols(), |i, j| a[(i, j)].abs())
}

/// The largest power of two that is at most `x`, and 1 where that would be 0, subnormal or not finite. Scaling by it
/// is exact up to underflow.
pub(crate) fn power_of_two_near(x: f64) -> f64 {
    if x.is_normal() && x > 0.0 { f64::from_bits(x.to_bits() & 0x7ff0_0000_0000_0000) } else { 1.0 }
}

/// Row and column sums of a non-negative matrix, rounded up. NaN becomes +inf.
pub(crate) fn sums_up(a: MatRef<'_, f64>) -> (Vec<f64>, Vec<f64>) {
    let mut rows = vec![0.0f64; a.nrows()];
    let mut columns = vec![0.0f64; a.ncols()];
    for j in 0..a.ncols() {
        for i in 0..a.nrows() {
            rows[i] += a[(i, j)];
            columns[j] += a[(i, j)];
        }
    }
    // Sums do not underflow; each has at most `n - 1` additions of non-negative terms.
    let finish = |x: f64, n: usize| {
        let y = mul_up(x, add_up(1.0, mul_up(2.0, gamma(n))));
        if y.is_nan() { f64::INFINITY } else { y }
    };
    let (m, n) = (a.nrows(), a.ncols());
    (rows.into_iter().map(|x| finish(x, n)).collect(), columns.into_iter().map(|x| finish(x, m)).collect())
}

/// The Frobenius norm rounded up. The entries are scaled by a power of two near the largest before they are squared, so
/// that the squares do not vanish.
pub(crate) fn frobenius_up(a: MatRef<'_, f64>) -> Upper {
    let mut largest = 0.0f64;
    for j in 0..a.ncols() {
        for i in 0..a.nrows() {
            let x = a[(i, j)].abs();
            // `max` would drop a NaN.
            largest = if x > largest || x.is_nan() { x } else { largest };
        }
    }
    if largest == 0.0 || !largest.is_finite() {
        return Upper::new(largest);
    }
    let scale = power_of_two_near(largest);
    let mut sum = 0.0;
    for j in 0..a.ncols() {
        for i in 0..a.nrows() {
            // An inexact (subnormal) quotient is off by at most eta, its square by far less than eta.
            let x = a[(i, j)] / scale;
            sum += x * x;
        }
    }
    let k = a.nrows() * a.ncols();
    Upper::new(Majorant::new(2 * k).bound(sum)).sqrt() * Upper::new(scale)
}
