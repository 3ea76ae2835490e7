//! Proved bounds of the smallest and largest eigenvalue. Where a bound may lie is found by Lanczos iterations, whether
//! it holds is decided by the factorisation in [`super::cholesky`] alone.

use super::cholesky::{Factor, correction, factor_shifted, factor_shifted_in, scales};
use super::lanczos::{largest_of, smallest_of_factored};
use super::roundoff::{UNIT, lane_sum};
use super::symmetric::SymmetricBall;
use crate::bound::Upper;
use crate::rounding::{add_up, mul_down, mul_up, sub_down};
use faer::Mat;

/// A proved lower bound, of either sign, of the smallest eigenvalue of every matrix in the ball; `None` when nothing is
/// known or the dimension is 0.
pub fn smallest_eigenvalue_lower(a: &SymmetricBall) -> Option<f64> {
    if a.dimension() == 0 || !a.radius.is_finite() {
        return None;
    }
    let found = Search::new(a).and_then(|s| s.smallest().map(|x| sub_down(mul_down(x, s.unit), a.radius.get())));
    // No eigenvalue is below minus the norm.
    let bound = found.unwrap_or_else(|| -a.norm_bound().get());
    bound.is_finite().then_some(bound)
}

/// An upper bound of the largest eigenvalue, 0 if that is negative.
pub fn largest_eigenvalue_upper(a: &SymmetricBall) -> Upper {
    if a.dimension() == 0 || !a.radius.is_finite() {
        return a.radius;
    }
    let found = Search::new(a).and_then(|s| s.largest().map(|x| add_up(mul_up(x, s.unit), a.radius.get())));
    found.map_or_else(|| a.norm_bound(), Upper::new)
}

/// Is every matrix of the ball proved to be positive definite? `false` means "not proved". One factorisation.
pub fn is_positive_definite(a: &SymmetricBall) -> bool {
    if a.dimension() == 0 {
        return true;
    }
    let Some(search) = Search::new(a) else { return false };
    let radius = mul_up(a.radius.get(), search.scale);
    // The diagonal shrinks by the shift, and the correction with it.
    let shift = 1.000_001 * add_up(radius, search.correction());
    search.factor(shift).is_some_and(|f| f.smallest > radius)
}

/// The matrix scaled so that the largest entry is in `[1, 2)`; every number below is in these units.
struct Search<'a> {
    ball: &'a SymmetricBall,
    scale: f64,
    unit: f64,
    norm: f64,
}

/// How far the search for the smallest eigenvalue goes, relative to its distance from the first shift.
struct Effort {
    /// The guessed error at which the iteration stops.
    accuracy: f64,
    /// The least distance of the proof from the estimate: guessed errors are too small where the spectrum is dense, and a
    /// factorisation that breaks down is lost.
    distance: f64,
    /// The loss at which a further factorisation pays.
    tolerance: f64,
}

impl Effort {
    /// A further factorisation costs next to nothing for a small matrix; a large one is given two.
    fn for_order(n: usize) -> Effort {
        if n <= 300 {
            Effort { accuracy: 1e-16, distance: 0.0, tolerance: 1e-13 }
        } else {
            Effort { accuracy: 1e-4, distance: 5e-4, tolerance: 0.1 }
        }
    }
}

/// The largest magnitude of an entry of a symmetric matrix and its largest row sum of magnitudes, in plain floats and in
/// one pass over the lower triangle: a second pass over the whole matrix would cost a tenth of a factorisation.
fn sizes(a: &Mat<f64>) -> (f64, f64) {
    let mut sums = vec![0.0; a.nrows()];
    let mut largest = 0.0f64;
    for j in 0..a.ncols() {
        let column = &a.col_as_slice(j)[j..];
        largest = column.iter().fold(largest, |m, x| if x.abs() > m { x.abs() } else { m });
        sums[j..].iter_mut().zip(column).for_each(|(sum, x)| *sum += x.abs());
        sums[j] += lane_sum(&column[1..], f64::abs);
    }
    (largest, sums.into_iter().fold(0.0, f64::max))
}

impl<'a> Search<'a> {
    /// `None` for the zero matrix and for entries near the ends of the range of doubles.
    fn new(ball: &'a SymmetricBall) -> Option<Search<'a>> {
        let (largest, norm) = sizes(&ball.middle);
        let (scale, unit) = scales(largest)?;
        Some(Search { ball, scale, unit, norm: norm * scale })
    }

    fn correction(&self) -> f64 {
        let a = &self.ball.middle;
        let diagonal: Vec<f64> = (0..a.nrows()).map(|j| (self.scale * a[(j, j)]).max(0.0)).collect();
        correction(&diagonal).get()
    }

    fn factor(&self, shift: f64) -> Option<Factor> {
        factor_shifted(self.ball.middle.as_ref(), self.scale, shift)
    }

    /// First a shift at which the factorisation completes, then, with that factor, an estimate of the eigenvalue, then a
    /// proof just below the estimate.
    fn smallest(&self) -> Option<f64> {
        let correction = self.correction();
        let (mut shift, factor) = self.first_factor(correction)?;
        let mut best = factor.smallest;
        let mut lower = factor.lower;
        let Effort { accuracy, distance, tolerance } = Effort::for_order(self.ball.dimension());
        for _ in 0..3 {
            let Some(estimate) = smallest_of_factored(&lower, accuracy) else { break };
            let target = shift + estimate.value;
            let margin = 2.0 * estimate.error + distance * estimate.value + 0.05 * correction + 8.0 * UNIT * self.norm;
            let Some((next, f)) = self.factor_below(target, margin, shift, lower) else { break };
            best = best.max(f.smallest);
            (shift, lower) = (next, f.lower);
            if target - best <= tolerance * best.abs() + 2.0 * correction {
                break;
            }
        }
        Some(best)
    }

    /// The factor at `target - margin`, the margin growing as long as that fails and stays above `known`.
    fn factor_below(&self, target: f64, margin: f64, known: f64, storage: Mat<f64>) -> Option<(f64, Factor)> {
        let (mut margin, mut storage) = (margin, storage);
        for _ in 0..8 {
            let shift = target - margin;
            if shift <= known {
                return None;
            }
            match factor_shifted_in(storage, self.ball.middle.as_ref(), self.scale, shift) {
                Ok(f) => return Some((shift, f)),
                Err(s) => storage = s,
            }
            margin *= 4.0;
        }
        None
    }

    /// Shifts 0, then negative ones that grow.
    fn first_factor(&self, correction: f64) -> Option<(f64, Factor)> {
        let mut shift = 0.0;
        while shift >= -4.0 * self.norm {
            if let Some(f) = self.factor(shift) {
                return Some((shift, f));
            }
            shift = if shift == 0.0 { -4.0 * correction } else { 64.0 * shift };
        }
        let shift = -2.0 * self.norm;
        self.factor(shift).map(|f| (shift, f))
    }

    /// `t I - A` is factored for `t` just above an estimate: `lmax(A) = -lmin(-A)`.
    fn largest(&self) -> Option<f64> {
        let a = self.ball.middle.as_ref();
        let estimate = largest_of(a, self.scale)?;
        let diagonal: Vec<f64> = (0..a.nrows()).map(|j| (estimate.value - self.scale * a[(j, j)]).max(0.0)).collect();
        let correction = correction(&diagonal).get();
        let mut margin = 2.0 * estimate.error + 0.05 * correction + 8.0 * UNIT * estimate.value.abs();
        for _ in 0..12 {
            if let Some(f) = factor_shifted(a, -self.scale, -(estimate.value + margin)) {
                return Some(-f.smallest);
            }
            margin *= 4.0;
        }
        None
    }
}
