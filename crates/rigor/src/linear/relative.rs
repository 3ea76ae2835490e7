//! Bounds relative to a positive definite matrix: `lmax(K^{-1/2} A K^{-1/2})` and `y^T K^{-1} y`.

use super::cholesky::{Factor, factor_shifted, factor_shifted_in, scales};
use super::lanczos::relative_largest_of;
use super::roundoff::{Majorant, UNIT, absolute, gamma, product, underflow};
use super::substitution::{solve_lower, solve_lower_transposed};
use super::symmetric::SymmetricBall;
use super::vector::{dot_enclosed, norm_upper_of};
use crate::bound::{Lower, Upper};
use crate::interval::Interval;
use crate::rounding::{add_up, mul_up, sub_down};
use faer::Mat;

/// A symmetric positive definite matrix K with what measuring others by it needs.
pub struct RelativeTo<'a> {
    ball: &'a SymmetricBall,
    /// An approximate Cholesky factor of `scale` times the middle.
    lower: Mat<f64>,
    scale: f64,
    /// `lmin(K)`.
    smallest: Lower,
}

impl<'a> RelativeTo<'a> {
    /// `smallest` is a proved lower bound of `lmin(K)`. `None` unless it is positive and the middle can be factored.
    pub fn new(ball: &'a SymmetricBall, smallest: Lower) -> Option<RelativeTo<'a>> {
        let (scale, _) = scales(ball.middle.norm_max())?;
        if !smallest.is_positive() || !ball.radius.is_finite() {
            return None;
        }
        let Factor { lower, .. } = factor_shifted(ball.middle.as_ref(), scale, 0.0)?;
        Some(RelativeTo { ball, lower, scale, smallest })
    }

    /// K.
    pub fn ball(&self) -> &SymmetricBall {
        self.ball
    }

    /// `lmin(K)` from below.
    pub fn smallest(&self) -> Lower {
        self.smallest
    }

    /// The approximate factor `L`, `L L^T ~ scale K`, and `scale`; what is above the diagonal has no meaning.
    pub fn factor(&self) -> (&Mat<f64>, f64) {
        (&self.lower, self.scale)
    }

    /// An upper bound of `lmax(K^{-1/2} A K^{-1/2})` for a symmetric A, 0 if that is negative.
    ///
    /// `t K - A >= 0` for all members of both balls says `x^T A x <= t x^T K x` for all x, hence the claim for t. Where to
    /// look is found by Lanczos iterations with the factor; `t K - A` is then factored, which proves it (see the Cholesky factorisation of this module).
    ///
    /// # Panics
    /// If the dimensions differ.
    pub fn largest_upper(&self, a: &SymmetricBall) -> Upper {
        assert_eq!(a.dimension(), self.ball.dimension(), "the dimensions differ");
        if !a.radius.is_finite() {
            return Upper::UNKNOWN;
        }
        let Some(estimate) = relative_largest_of(&self.lower, a.middle.as_ref()) else { return Upper::UNKNOWN };
        // The trivial bound |A| / lmin(K).
        let trivial = a.norm_bound() / self.smallest;
        let n = a.dimension();
        let value = (estimate.value * self.scale).max(0.0);
        let mut storage = Mat::zeros(n, n);
        let mut excess = 1e-9 + if n <= 300 { 0.0 } else { 1e-5 };
        let mut margin = 4.0 * estimate.error * self.scale + excess * value + f64::MIN_POSITIVE;
        while excess < 0.5 {
            let level = value + margin;
            match self.exceeds(a, level, storage) {
                Ok(()) => return Upper::new(level).min(trivial),
                Err(back) => storage = back,
            }
            (excess, margin) = (8.0 * excess, 8.0 * margin);
        }
        trivial
    }

    /// Is `level K - A` proved to be positive semidefinite? The storage is handed back when it is not.
    fn exceeds(&self, a: &SymmetricBall, level: f64, mut storage: Mat<f64>) -> Result<(), Mat<f64>> {
        let n = a.dimension();
        // Entry by entry: two products' and a difference's rounding, u (|x| + |x - y|) + eta; summed over rows it
        // bounds the norm of the symmetric error.
        let mut sums = vec![0.0f64; n];
        for j in 0..n {
            let (k, a) = (self.ball.middle.col_as_slice(j), a.middle.col_as_slice(j));
            let column = storage.col_as_slice_mut(j);
            for i in j..n {
                let x = level * k[i];
                let d = x - a[i];
                column[i] = d;
                let size = x.abs() + d.abs();
                sums[i] += size;
                if i != j {
                    sums[j] += size;
                }
            }
        }
        let largest = sums.iter().fold(0.0, |m: f64, &s| if s > m || s.is_nan() { s } else { m });
        let rounding = mul_up(mul_up(UNIT, largest), add_up(1.0, mul_up(4.0, gamma(2 * n + 2))));
        let error = Upper::new(add_up(rounding, underflow(n))) + Upper::new(level) * self.ball.radius + a.radius;
        let entry = storage.as_ref();
        let greatest = (0..n).fold(0.0f64, |m, j| entry[(j, j)].abs().max(m));
        let Some((scale, _)) = scales(greatest) else { return Err(storage) };
        let shift = mul_up(error.get(), scale);
        if !shift.is_finite() {
            return Err(storage);
        }
        // The correction of the factorisation, about n u trace, is added to the shift that is tried.
        let trace: f64 = (0..n).map(|j| storage[(j, j)] * scale).sum();
        let tried = add_up(shift, mul_up(2.0 * UNIT * (n + 2) as f64, trace.max(0.0)));
        let difference = storage;
        match factor_shifted_in(Mat::zeros(n, n), difference.as_ref(), scale, tried) {
            Ok(factor) if sub_down(factor.smallest, shift) >= 0.0 => Ok(()),
            _ => Err(difference),
        }
    }

    /// An upper bound of `sqrt(y^T K^{-1} y)` for every y in the enclosures.
    ///
    /// For any x: `y = K x + r`, and `|K^{-1/2} y| <= |K^{1/2} x| + |r| / sqrt(lmin(K))`, `|K^{1/2} x|^2 = x . (K x)`. With x close
    /// to the solution the second term is small.
    ///
    /// # Panics
    /// If there is not one entry per row.
    pub fn inverse_norm_upper(&self, y: &[Interval]) -> Upper {
        assert_eq!(y.len(), self.ball.dimension(), "one entry per row");
        let mut x: Vec<f64> = y.iter().map(|y| y.middle() * self.scale).collect();
        solve_lower(&self.lower, &mut x);
        solve_lower_transposed(&self.lower, &mut x);
        let trivial = Upper::norm(y.iter().map(|y| y.magnitude())) / self.smallest.sqrt();
        if !x.iter().all(|x| x.is_finite()) {
            return trivial;
        }
        let image = self.image(&x);
        let exact: Vec<Interval> = x.iter().map(|&x| Interval::exact(x)).collect();
        let blur = self.ball.radius * norm_upper_of(&x);
        let square = dot_enclosed(&exact, &image).magnitude() + blur * norm_upper_of(&x);
        let rest = Upper::norm(image.iter().zip(y).map(|(&kx, &y)| (y - kx).magnitude())) + blur;
        (square.sqrt() + rest / self.smallest.sqrt()).min(trivial)
    }

    /// `M x` for the middle M, enclosed: `|fl(M x) - M x| <= gamma_n |M| |x| + n eta`.
    fn image(&self, x: &[f64]) -> Vec<Interval> {
        let n = x.len();
        let column = Mat::from_fn(n, 1, |i, _| x[i]);
        let value = product(self.ball.middle.as_ref(), column.as_ref());
        let size = product(absolute(self.ball.middle.as_ref()).as_ref(), absolute(column.as_ref()).as_ref());
        let (gamma, majorant) = (gamma(n), Majorant::new(n));
        let radius = |i: usize| add_up(mul_up(gamma, majorant.bound(size[(i, 0)])), underflow(n));
        (0..n).map(|i| Interval::around(value[(i, 0)], Upper::new(radius(i)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linear::{EnclosedMatrix, gram, smallest_eigenvalue_lower};

    fn exact(m: Mat<f64>) -> SymmetricBall {
        SymmetricBall::new(m, Upper::ZERO)
    }

    fn random(rows: usize, columns: usize, seed: u64) -> Mat<f64> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Mat::from_fn(rows, columns, |_, _| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
        })
    }

    fn relative(k: &SymmetricBall) -> RelativeTo<'_> {
        let smallest = smallest_eigenvalue_lower(k).map_or(Lower::ZERO, Lower::new);
        RelativeTo::new(k, smallest).expect("positive definite")
    }

    /// K = diag(1, 1/4), A = c c^T with c = (3, 2): `K^{-1/2} c = (3, 4)`, so the answers are 25 and 5.
    #[test]
    fn two_by_two_by_hand() {
        let k = exact(Mat::from_fn(2, 2, |i, j| if i == j { [1.0, 0.25][i] } else { 0.0 }));
        let a = exact(Mat::from_fn(2, 2, |i, j| [3.0, 2.0][i] * [3.0, 2.0][j]));
        let bound = relative(&k).largest_upper(&a).get();
        assert!((25.0..25.0 * (1.0 + 1e-7)).contains(&bound), "{bound}");
        let norm = relative(&k).inverse_norm_upper(&[Interval::exact(3.0), Interval::exact(2.0)]).get();
        assert!((5.0..5.0 * (1.0 + 1e-12)).contains(&norm), "{norm}");
    }

    /// `x^T A x <= t x^T K x` for vectors that make the quotient large, and t is close to the largest quotient.
    #[test]
    fn quotients_of_random_pencils_stay_below() {
        for (n, seed) in [(3, 1), (17, 2), (60, 3)] {
            let k = gram(&EnclosedMatrix::exact(random(n, n + 2, seed)));
            let a = gram(&EnclosedMatrix::exact(random(n, 4, seed + 50)));
            let measure = relative(&k);
            let bound = measure.largest_upper(&a).get();
            let mut x = random(n, 1, seed + 99);
            let mut largest = 0.0f64;
            for _ in 0..3000 {
                // The power method with K^{-1} A.
                let mut y = (a.middle() * &x).col_as_slice(0).to_vec();
                solve_lower(&measure.lower, &mut y);
                solve_lower_transposed(&measure.lower, &mut y);
                let size = y.iter().fold(0.0f64, |m, y| m.max(y.abs()));
                x = Mat::from_fn(n, 1, |i, _| y[i] / size);
                let quotient = (x.transpose() * a.middle() * &x)[(0, 0)] / (x.transpose() * k.middle() * &x)[(0, 0)];
                largest = largest.max(quotient);
            }
            assert!(largest <= bound * (1.0 + 1e-10) && bound <= largest * (1.0 + 1e-5), "{largest} {bound}");
        }
    }

    /// A wide ball of K or A must show in the bound: the worst member is what counts.
    #[test]
    fn the_radii_count() {
        let k = exact(Mat::identity(5, 5)).widened(Upper::new(0.25));
        let a = exact(Mat::identity(5, 5)).widened(Upper::new(0.5));
        let bound = RelativeTo::new(&k, Lower::new(0.75)).expect("definite").largest_upper(&a).get();
        assert!((2.0..2.0 + 1e-6).contains(&bound), "{bound}");
        let y = [Interval::new(-1.0, 1.0); 5];
        let norm = RelativeTo::new(&k, Lower::new(0.75)).expect("definite").inverse_norm_upper(&y).get();
        assert!(norm >= (5.0f64 / 0.75).sqrt());
    }

    #[test]
    fn what_is_not_definite_is_refused() {
        let singular = exact(Mat::full(3, 3, 1.0));
        assert!(RelativeTo::new(&singular, Lower::ZERO).is_none());
        assert!(RelativeTo::new(&SymmetricBall::unknown(3), Lower::ONE).is_none());
    }
}
