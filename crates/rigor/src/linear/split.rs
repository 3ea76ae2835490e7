//! Products of doubles with about one and a half times the usual precision, from three ordinary products.
//!
//! Let `beta` satisfy `2 beta + ceil(log2 k) <= 53` for the inner dimension `k`. Split every row of `S` and every column
//! of `M`, with `2^e` at least its largest magnitude, as `x = x1 + x2`, both exact, `x1` a multiple of `2^(e - beta)`
//! with `|x1| <= 2^e`, `|x2| <= 2^(e - beta)`. In the product of the leading parts, all terms of an entry are
//! integer multiples, below `2^(2 beta)`, of one power of two, so every partial sum is below `2^53` of it: the float
//! product is exact in any order, up to underflow (at most `eta` per term). What is left is small:
//! `S M = S1 M1 + (S1 M2 + S2 M)`, and only the bracket carries the error
//! `gamma_{2k} (|S1| |M2| + |S2| |M|)`, smaller by a factor of about `2^beta` than that of `S M`.

use super::roundoff::{UNIT, frobenius_up, gamma, parallelism, product, underflow};
use crate::bound::Upper;
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef};

/// `S M` as a float matrix, and a bound of the Frobenius norm of its error.
pub(super) fn accurate_product(s: MatRef<'_, f64>, m: MatRef<'_, f64>) -> (Mat<f64>, Upper) {
    let (rows, k, columns) = (s.nrows(), s.ncols(), m.ncols());
    // usize::BITS - leading zeros of k - 1 is the ceiling of log2 k.
    let bits = (53 - (usize::BITS - k.saturating_sub(1).leading_zeros()) as i32) / 2;
    let (st, s_low_t) = split_columns(s.transpose(), bits);
    let (s_high, s_low) = (st.transpose(), s_low_t.transpose());
    let (m_high, m_low) = split_columns(m, bits);
    let mut y = product(s_high, m_high.as_ref());
    let mut rest = product(s_high, m_low.as_ref());
    if k > 0 {
        matmul(rest.as_mut(), Accum::Add, s_low, m, 1.0, parallelism());
    }
    for j in 0..columns {
        y.col_as_slice_mut(j).iter_mut().zip(rest.col_as_slice(j)).for_each(|(y, r)| *y += r);
    }
    // Entrywise bounds by row and column norms (Cauchy-Schwarz), summed in the Frobenius norm; the last sum rounds by
    // u |y|, and at most 3 k products underflow per entry.
    let terms = frobenius_up(s_high) * frobenius_up(m_low.as_ref()) + frobenius_up(s_low) * frobenius_up(m);
    let error = Upper::new(UNIT) * frobenius_up(y.as_ref())
        + Upper::new(gamma(2 * k)) * terms
        + Upper::new(underflow(4 * k)) * Upper::new((rows * columns) as f64);
    (y, error)
}

/// Leading and trailing parts of every column. Adding and subtracting `sigma = 2^(e + 53 - beta)` rounds `x` to a
/// multiple of `2^(e - beta)`; both differences are exact. Where `sigma` overflows the result is NaN and bounds nothing.
fn split_columns(a: MatRef<'_, f64>, bits: i32) -> (Mat<f64>, Mat<f64>) {
    let mut high = Mat::zeros(a.nrows(), a.ncols());
    let mut low = Mat::zeros(a.nrows(), a.ncols());
    for j in 0..a.ncols() {
        let largest = (0..a.nrows()).fold(0.0f64, |x, i| x.max(a[(i, j)].abs()));
        let sigma = power_of_two_above(largest) * 2f64.powi(53 - bits);
        for i in 0..a.nrows() {
            let x = a[(i, j)];
            let leading = (x + sigma) - sigma;
            high[(i, j)] = leading;
            low[(i, j)] = x - leading;
        }
    }
    (high, low)
}

/// A power of two that is at least `x`, NaN if there is none.
fn power_of_two_above(x: f64) -> f64 {
    if x < f64::MIN_POSITIVE {
        return f64::MIN_POSITIVE;
    }
    let below = f64::from_bits(x.to_bits() & 0x7ff0_0000_0000_0000);
    let above = if below == x { below } else { 2.0 * below };
    if above.is_finite() { above } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_rational::BigRational;

    fn exact(x: f64) -> BigRational {
        BigRational::from_float(x).expect("a finite double")
    }

    #[test]
    fn cancelling_products_are_accurate_and_the_error_is_bounded() {
        let mut state = 3u64;
        let mut next = |decades: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 11) as f64 / (1u64 << 52) as f64 - 1.0)
                * 10f64.powi((state % (2 * decades + 1)) as i32 - decades as i32)
        };
        for (k, decades) in [(1, 0), (7, 3), (60, 1), (200, 0), (33, 90)] {
            let s = Mat::from_fn(4, k, |_, _| next(decades));
            let m = Mat::from_fn(k, 5, |_, _| next(decades));
            let (y, error) = accurate_product(s.as_ref(), m.as_ref());
            let mut squared = exact(0.0);
            for i in 0..4 {
                for j in 0..5 {
                    let truth = (0..k).fold(exact(0.0), |t, l| t + exact(s[(i, l)]) * exact(m[(l, j)]));
                    let difference = exact(y[(i, j)]) - truth;
                    squared += &difference * &difference;
                }
            }
            assert!(squared <= exact(error.get()) * exact(error.get()), "k = {k}");
            // Apart from the rounding u |y| of the result, far below that of an ordinary product.
            let result = Upper::new(UNIT) * frobenius_up(y.as_ref());
            let ordinary = Upper::new(gamma(k)) * frobenius_up(s.as_ref()) * frobenius_up(m.as_ref());
            assert!(error.get() - result.get() <= 1e-5 * ordinary.get());
        }
    }

    #[test]
    fn overflow_and_empty_products() {
        let huge = Mat::from_fn(2, 2, |_, _| f64::MAX);
        assert!(!accurate_product(huge.as_ref(), huge.as_ref()).1.is_finite());
        let (y, error) = accurate_product(Mat::zeros(2, 0).as_ref(), Mat::zeros(0, 3).as_ref());
        assert_eq!((y.nrows(), y.ncols()), (2, 3));
        assert_eq!(error, Upper::ZERO);
        let zero = Mat::zeros(3, 3);
        assert!(accurate_product(zero.as_ref(), zero.as_ref()).1.get() < 1e-300);
    }
}
