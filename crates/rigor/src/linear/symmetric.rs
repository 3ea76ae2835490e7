//! Symmetric matrices known up to an error in the spectral norm.

use super::enclosed::{EnclosedMatrix, quick_norm};
use super::roundoff::{
    LEAST, UNIT, absolute, frobenius_up, gamma, mirror, own_product, row_sums_of_own_product, underflow,
};
use crate::bound::Upper;
use crate::interval::Interval;
use crate::rounding::{add_up, mul_up};
use faer::{Mat, MatRef};

/// A real symmetric matrix known in the spectral norm: `|true - middle| <= radius`.
#[derive(Clone, Debug)]
pub struct SymmetricBall {
    /// Finite, exactly symmetric.
    pub(super) middle: Mat<f64>,
    pub(super) radius: Upper,
}

impl SymmetricBall {
    /// The ball around the symmetric matrix whose lower triangle is given (the upper one is not read). A matrix with
    /// entries that are not finite gives a ball about which nothing is known.
    ///
    /// # Panics
    /// If the matrix is not square.
    pub fn new(lower_triangle: Mat<f64>, radius: Upper) -> SymmetricBall {
        assert_eq!(lower_triangle.nrows(), lower_triangle.ncols(), "the matrix is not square");
        let mut middle = lower_triangle;
        let n = middle.nrows();
        if (0..n).any(|j| middle.col_as_slice(j)[j..].iter().any(|x| !x.is_finite())) {
            return SymmetricBall::unknown(n);
        }
        mirror(&mut middle);
        SymmetricBall { middle, radius }
    }

    /// Nothing is known about an `n x n` matrix.
    pub fn unknown(n: usize) -> SymmetricBall {
        SymmetricBall { middle: Mat::zeros(n, n), radius: Upper::UNKNOWN }
    }

    /// From an entrywise enclosure of a matrix known to be symmetric; only the lower triangle is read. The error is the
    /// norm of the mirrored radii.
    ///
    /// # Panics
    /// If the matrix is not square.
    pub fn from_enclosed(a: &EnclosedMatrix) -> SymmetricBall {
        let radius = a.radius.as_ref().map_or(Upper::ZERO, |r| {
            let mut r = r.clone();
            mirror(&mut r);
            quick_norm(r.as_ref())
        });
        SymmetricBall::new(a.middle.clone(), radius)
    }

    /// Dimension.
    pub fn dimension(&self) -> usize {
        self.middle.nrows()
    }

    /// The middle; finite and exactly symmetric.
    pub fn middle(&self) -> MatRef<'_, f64> {
        self.middle.as_ref()
    }

    /// The radius in the spectral norm.
    pub fn radius(&self) -> Upper {
        self.radius
    }

    /// The same middle with a larger radius.
    pub fn widened(mut self, by: Upper) -> SymmetricBall {
        self.radius += by;
        self
    }

    /// Diagonal entry `i` (an entry of the error is at most its norm).
    pub fn diagonal(&self, i: usize) -> Interval {
        Interval::around(self.middle[(i, i)], self.radius)
    }

    /// A bound of the spectral norm by row sums and the Frobenius norm, in `O(n^2)`.
    pub fn norm_bound(&self) -> Upper {
        quick_norm(self.middle.as_ref()) + self.radius
    }

    /// The ball whose middle has the given entries (each with a bound of its error), lower triangle `j <= i`, widened
    /// by `radius`.
    fn from_entries(n: usize, radius: Upper, entry: impl Fn(usize, usize) -> (f64, f64)) -> SymmetricBall {
        let errors = EnclosedMatrix::from_entries(n, n, |i, j| if j <= i { entry(i, j) } else { (0.0, 0.0) });
        SymmetricBall::from_enclosed(&errors).widened(radius)
    }

    /// `alpha A + beta B`. With `alpha = am +- ar` (so for beta): `|alpha A - am Am| <= ar |Am| + |alpha| rA`, and each
    /// entry of the middle rounds three times: `u(|x| + |y| + |x + y|) + eta`, with `x`, `y` the rounded products.
    ///
    /// # Panics
    /// If the dimensions differ.
    pub fn combine(alpha: Interval, a: &SymmetricBall, beta: Interval, b: &SymmetricBall) -> SymmetricBall {
        assert_eq!(a.dimension(), b.dimension(), "the dimensions differ");
        let (am, bm) = (alpha.middle(), beta.middle());
        let spread = |c: Interval, m: &SymmetricBall| {
            let exact = SymmetricBall { middle: m.middle.clone(), radius: Upper::ZERO };
            let own = if c.radius() == Upper::ZERO { Upper::ZERO } else { c.radius() * exact.norm_bound() };
            own + c.magnitude() * m.radius
        };
        let radius = spread(alpha, a) + spread(beta, b);
        SymmetricBall::from_entries(a.dimension(), radius, |i, j| {
            let (x, y) = (am * a.middle[(i, j)], bm * b.middle[(i, j)]);
            let sum = x + y;
            (sum, rounding_of(&[x, y, sum]))
        })
    }

    /// `A + beta w w^T` for a vector of doubles (all ones: add a constant to every entry).
    ///
    /// # Panics
    /// If `w` does not have one entry per row.
    pub fn plus_rank_one(&self, beta: Interval, w: &[f64]) -> SymmetricBall {
        assert_eq!(w.len(), self.dimension(), "one entry per row");
        let spread = if beta.radius() == Upper::ZERO {
            Upper::ZERO
        } else {
            beta.radius() * super::vector::norm_upper_of(w).square()
        };
        let bm = beta.middle();
        SymmetricBall::from_entries(self.dimension(), self.radius + spread, |i, j| {
            let p = w[i] * w[j];
            let x = bm * p;
            let sum = self.middle[(i, j)] + x;
            // The error of p, at most u |p| + eta, is multiplied by |beta|.
            let scaled = mul_up(bm.abs(), rounding_of(&[p]));
            (sum, add_up(scaled, rounding_of(&[x, sum])))
        })
    }

    /// `D A D` for a diagonal matrix `D = diag(d)`: `|D E D| <= max d^2 |E|` and entrywise errors as for products.
    ///
    /// # Panics
    /// If `d` does not have one entry per row.
    pub fn scale_both(&self, d: &[Interval]) -> SymmetricBall {
        assert_eq!(d.len(), self.dimension(), "one factor per row");
        let largest = Upper::maximum(d.iter().map(|x| x.magnitude()));
        let exact = EnclosedMatrix { middle: self.middle.clone(), radius: None };
        SymmetricBall::from_enclosed(&exact.scale_rows(d).scale_columns(d)).widened(largest.square() * self.radius)
    }

    /// `X X^T` for the rows of `X`, see [`gram`].
    pub fn gram(x: &EnclosedMatrix) -> SymmetricBall {
        gram(x)
    }
}

/// `u sum |values| + (number of values) eta`: bounds the roundings that produced `values`; exact zeros round nothing
/// only when they are sums, and an underflow to 0 is covered by `eta`.
fn rounding_of(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |sum, v| add_up(sum, add_up(mul_up(UNIT, v.abs()), LEAST)))
}

/// `X X^T` with its error, `n x n` for `n` rows, `d` columns.
///
/// With `X = M + E`, `|E| <= R` entrywise: `|X X^T - M M^T| <= (2 |M| + |E|) |E|`, and the float product obeys
/// `|fl(M M^T) - M M^T| <= gamma_d | |M| |M|^T | + n d eta`. The matrix `|M| |M|^T` is never formed: its norm is at most
/// its largest row sum `|M| (|M|^T 1)`, and at most `|M|_F^2`.
pub fn gram(x: &EnclosedMatrix) -> SymmetricBall {
    let (n, d) = (x.nrows(), x.ncols());
    let magnitude = absolute(x.middle.as_ref());
    let norm_squared = norm_of_own_product(magnitude.as_ref());
    let rounding = if norm_squared == Upper::ZERO {
        Upper::ZERO
    } else {
        Upper::new(gamma(d)) * norm_squared + Upper::new(underflow(n * d))
    };
    let spread = x.radius_norm();
    let spread =
        if spread == Upper::ZERO { Upper::ZERO } else { (Upper::new(2.0) * norm_squared.sqrt() + spread) * spread };
    SymmetricBall::new(own_product(x.middle.as_ref()), rounding + spread)
}

/// [`gram`] of `[diag(weights) X, constant diag(weights) 1]`: rows with weights (square roots of multiplicities, say), a
/// bias column appended before the rows are weighted.
///
/// # Panics
/// If there is not one weight per row.
pub fn gram_of_samples(x: &EnclosedMatrix, constant: Option<f64>, weights: Option<&[Interval]>) -> SymmetricBall {
    let with_bias = constant.map(|c| x.append_column(&vec![Interval::exact(c); x.nrows()]));
    let x = with_bias.as_ref().unwrap_or(x);
    match weights {
        Some(w) => gram(&x.scale_rows(w)),
        None => gram(x),
    }
}

/// An upper bound of `|A A^T| = |A|^2` for a non-negative `A`: the largest row sum of `A A^T`, or `|A|_F^2`.
fn norm_of_own_product(a: MatRef<'_, f64>) -> Upper {
    Upper::maximum(row_sums_of_own_product(a)).min(frobenius_up(a).square())
}
