//! Positive definiteness by floating-point Cholesky factorisation (Rump, BIT 46, 2006).
//!
//! **What a completed factorisation proves.** Let `A` be symmetric in floats, `L` the computed factor, all pivots
//! positive and finite, `m = min(i, j)`. Each entry is computed as `l_ij = fl((a_ij - sum_{k<j} l_ik l_jk) / l_jj)`,
//! `l_jj = fl(sqrt(..))`, the sum in any order and with or without fused operations. Apart from underflow:
//!
//! 1. `a_ij - sum_k l_ik l_jk = E_ij` with `|E_ij| <= alpha_m sum_k |l_ik l_jk|`, `alpha_j = gamma_{j+1}` (counting from
//!    1). *Proof.* In the summation tree divide by the roundings on the path of `a_ij`. A product keeps its own
//!    rounding, the additions inside its subtree and those on the path of `a_ij` below the node where the two meet: at
//!    most `m - 1` roundings, there being `m - 1` additions with one of them shared. The last term `l_ij l_jj` keeps at
//!    most `m - 1` additions and its division, the diagonal term `l_jj^2` two for the square root: at most `m + 1`.
//! 2. From the diagonal, `|l_j|^2 = sum_k l_jk^2 <= d_j^2 := a_jj / (1 - alpha_j)`, so `|E_ij| <= alpha_m d_i d_j`.
//! 3. `alpha_m <= sqrt(alpha_i alpha_j)`, hence `|E| <= v v^T` entrywise with `v_j = sqrt(alpha_j) d_j`, and
//!    `|E| <= c(A) := sum_j alpha_j a_jj / (1 - alpha_j)` in the spectral norm. Since `L L^T` is semidefinite,
//!    **`lmin(A) >= -c(A)`**.
//!
//! Underflow: every operation may add `eta / 2`, the division's is multiplied by `l_jj`. With `D` the largest diagonal
//! entry, an entry of `E` gains at most `(n + 2)(1 + sqrt(2 D)) eta`, so the norm gains less than
//! `8 (n + 2)^2 (1 + D) eta`; entries that become subnormal when the matrix is scaled are in this count. Scaling by a
//! power of two brings the largest entry into `[1, 2)`, where this is negligible.
//!
//! To show `lmin(A) >= s`, factor a matrix that is at most `A - t I`, `t > s`: then `lmin(A) >= t - c(A - t I)`, with
//! `c` taken from the diagonal *that was factored*. For negative `t` this diagonal is larger than that of `A`.
//!
//! **Why an own factorisation.** Point 1 needs true divisions. A library may multiply by reciprocals or by inverted
//! diagonal blocks (faer does the former, at present within `gamma_{j+4}`), and may change that in a minor version. The
//! recursion below costs the same and relies on the library for products only.

use super::roundoff::{LEAST, add_own_product, gamma, parallelism};
use crate::bound::Upper;
use crate::rounding::{div_up, sub_down};
use faer::linalg::matmul::matmul;
use faer::prelude::{Reborrow, ReborrowMut};
use faer::{Accum, ColMut, ColRef, Mat, MatMut, MatRef, Par};

/// Below this order the factorisation is by plain loops.
const LEAF: usize = 16;
/// Rows that a plain triangular solve treats at a time, so that they stay in the cache.
const STRIP: usize = 512;
/// Below this number of rows a triangular solve stays on one thread.
const ROWS_PER_THREAD: usize = 64;

/// `c(A)` of the module's text, underflow included, for the diagonal `a_jj >= 0`.
pub(super) fn correction(diagonal: &[f64]) -> Upper {
    let n = diagonal.len() as f64;
    let mut sum = Upper::ZERO;
    let mut largest = Upper::ZERO;
    for (j, &a) in diagonal.iter().enumerate() {
        let alpha = gamma(j + 2);
        let factor = if alpha < 0.5 { div_up(alpha, sub_down(1.0, alpha)) } else { f64::INFINITY };
        sum += Upper::new(factor) * Upper::new(a);
        largest = largest.max(Upper::new(a));
    }
    // (n + 2)^2 is rounded; 9 instead of 8 covers that.
    sum + Upper::new(9.0 * (n + 2.0) * (n + 2.0)) * (Upper::ONE + largest) * Upper::new(LEAST)
}

/// A completed factorisation of `scale A - shift I`.
pub(super) struct Factor {
    /// Lower triangle; what is above the diagonal has no meaning.
    pub(super) lower: Mat<f64>,
    /// A proved lower bound of the smallest eigenvalue of `scale A`.
    pub(super) smallest: f64,
}

/// Factors `scale A - shift I`, the diagonal rounded down; `None` when that breaks down, which proves nothing. `scale`
/// is a power of two, or its negative, that brings the largest entry of `A` into `[1, 2)`.
pub(super) fn factor_shifted(a: MatRef<'_, f64>, scale: f64, shift: f64) -> Option<Factor> {
    factor_shifted_in(Mat::zeros(a.nrows(), a.ncols()), a, scale, shift).ok()
}

/// [`factor_shifted`] in given storage of the same shape, which is handed back when the factorisation breaks down (fresh
/// memory costs a tenth of a large factorisation).
pub(super) fn factor_shifted_in(
    mut storage: Mat<f64>,
    a: MatRef<'_, f64>,
    scale: f64,
    shift: f64,
) -> Result<Factor, Mat<f64>> {
    let n = a.nrows();
    for j in 0..n {
        let target = &mut storage.col_as_slice_mut(j)[j..];
        match a.col(j).subrows(j, n - j).try_as_col_major() {
            Some(source) => target.iter_mut().zip(source.as_slice()).for_each(|(x, y)| *x = scale * y),
            None => (j..n).for_each(|i| target[i - j] = scale * a[(i, j)]),
        }
        target[0] = sub_down(target[0], shift);
    }
    let diagonal: Vec<f64> = (0..n).map(|j| storage[(j, j)]).collect();
    // A diagonal entry that is not positive cannot be a pivot. (Written so that NaN fails.)
    if !diagonal.iter().all(|&x| x > 0.0) || !factor(storage.as_mut()) {
        return Err(storage);
    }
    let smallest = sub_down(shift, correction(&diagonal).get());
    if smallest.is_finite() { Ok(Factor { lower: storage, smallest }) } else { Err(storage) }
}

/// Cholesky factorisation of the lower triangle in place; false when a pivot is not positive and finite.
pub(super) fn factor(a: MatMut<'_, f64>) -> bool {
    let n = a.nrows();
    if n <= LEAF {
        return factor_leaf(a);
    }
    let half = split(n);
    let (mut a00, _, mut a10, mut a11) = a.split_at_mut(half, half);
    if !factor(a00.rb_mut()) {
        return false;
    }
    divide_rows(a00.rb(), a10.rb_mut(), parallelism().degree());
    add_own_product(a11.rb_mut(), -1.0, a10.rb());
    factor(a11)
}

/// About half of `n`, a multiple of the leaf.
fn split(n: usize) -> usize {
    (n / 2).div_ceil(LEAF) * LEAF
}

fn factor_leaf(mut a: MatMut<'_, f64>) -> bool {
    let n = a.nrows();
    for j in 0..n {
        for k in 0..j {
            let factor = a[(j, k)];
            for i in j..n {
                a[(i, j)] -= a[(i, k)] * factor;
            }
        }
        let pivot = a[(j, j)];
        if !(pivot > 0.0 && pivot < f64::INFINITY) {
            return false;
        }
        let root = pivot.sqrt();
        a[(j, j)] = root;
        for i in j + 1..n {
            a[(i, j)] /= root;
        }
    }
    true
}

/// `B <- B L^{-T}`, the rows (each a problem of its own) shared out once: a thread for each product in the recursion below
/// would spend a fifth of the time of two threads on waiting.
fn divide_rows(l: MatRef<'_, f64>, b: MatMut<'_, f64>, threads: usize) {
    let rows = b.nrows();
    if threads <= 1 || rows < ROWS_PER_THREAD {
        return divide_by_transpose(l, b);
    }
    let (top, bottom) = b.split_at_row_mut(rows / 2);
    rayon::join(|| divide_rows(l, top, threads.div_ceil(2)), || divide_rows(l, bottom, threads / 2));
}

/// `B <- B L^{-T}` on one thread, by columns with true divisions.
fn divide_by_transpose(l: MatRef<'_, f64>, mut b: MatMut<'_, f64>) {
    let n = l.nrows();
    if n <= LEAF {
        return divide_leaf(l, b);
    }
    let half = split(n);
    let (l00, _, l10, l11) = l.split_at(half, half);
    let (mut b0, mut b1) = b.rb_mut().split_at_col_mut(half);
    divide_by_transpose(l00, b0.rb_mut());
    matmul(b1.rb_mut(), Accum::Add, b0.rb(), l10.transpose(), -1.0, Par::Seq);
    divide_by_transpose(l11, b1);
}

fn divide_leaf(l: MatRef<'_, f64>, mut b: MatMut<'_, f64>) {
    let (rows, n) = (b.nrows(), l.nrows());
    for start in (0..rows).step_by(STRIP) {
        let mut strip = b.rb_mut().subrows_mut(start, STRIP.min(rows - start));
        for j in 0..n {
            let (done, rest) = strip.rb_mut().split_at_col_mut(j);
            let mut column = rest.col_mut(0);
            for k in 0..j {
                axpy(column.rb_mut(), -l[(j, k)], done.rb().col(k));
            }
            let pivot = l[(j, j)];
            for i in 0..column.nrows() {
                column[i] /= pivot;
            }
        }
    }
}

/// `y <- y + factor x`; slices where the storage allows it, for speed.
fn axpy(mut y: ColMut<'_, f64>, factor: f64, x: ColRef<'_, f64>) {
    if let (Some(y), Some(x)) = (y.rb_mut().try_as_col_major_mut(), x.try_as_col_major()) {
        y.as_slice_mut().iter_mut().zip(x.as_slice()).for_each(|(y, &x)| *y += factor * x);
    } else {
        for i in 0..x.nrows() {
            y[i] += factor * x[i];
        }
    }
}

/// The power of two by which entries of size `largest` are brought into `[1, 2)`, and its inverse; `None` when the
/// inverse is not a normal double (matrices of size 1e-308 or 1e308 are given up).
pub(super) fn scales(largest: f64) -> Option<(f64, f64)> {
    let unit = super::roundoff::power_of_two_near(largest);
    let scale = 1.0 / unit;
    (largest > 0.0 && scale.is_normal()).then_some((scale, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `X X^T`, exact in doubles, for an integer `X` whose last row is the sum of the two before it: singular, with a
    /// null vector that sees the rounding errors of three rows only, not those of the rounded diagonal.
    fn singular(n: usize, seed: u64) -> Mat<f64> {
        let mut state = seed;
        let mut x = Mat::from_fn(n, n, |_, _| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % 2001) as f64 - 1000.0
        });
        for j in 0..n {
            x[(n - 1, j)] = x[(n - 2, j)] + x[(n - 3, j)];
        }
        &x * x.transpose()
    }

    #[test]
    fn a_factorisation_completed_beyond_the_smallest_eigenvalue_proves_nothing_false() {
        let mut completed = 0;
        for seed in 0..40 {
            let a = singular(100 + 5 * seed as usize, seed);
            let (scale, _) = scales(super::super::roundoff::largest_magnitude(a.as_ref())).expect("a normal scale");
            for exponent in [-60, -56, -54, -53, -52, -51, -50] {
                let Some(f) = factor_shifted(a.as_ref(), scale, 2f64.powi(exponent)) else { continue };
                completed += 1;
                // The smallest eigenvalue is 0.
                assert!(f.smallest <= 0.0, "shift 2^{exponent}: {:e}", f.smallest);
            }
        }
        // Rounding does carry the factorisation over the edge, so that the correction is needed.
        assert!(completed > 10, "{completed}");
    }

    #[test]
    fn the_factor_reproduces_the_matrix() {
        for n in [1, 2, 15, 16, 17, 40, 130] {
            let a = Mat::from_fn(n, n, |i, j| if i == j { n as f64 } else { 1.0 / (1 + i + j) as f64 });
            let scale = scales(n as f64).expect("a normal scale").0;
            let f = factor_shifted(a.as_ref(), scale, 0.0).expect("a dominant diagonal");
            for i in 0..n {
                for j in 0..=i {
                    let sum: f64 = (0..=j).map(|k| f.lower[(i, k)] * f.lower[(j, k)]).sum();
                    assert!((sum - scale * a[(i, j)]).abs() < 1e-13);
                }
            }
        }
    }
}
