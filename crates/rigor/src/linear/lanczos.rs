//! Approximate extreme eigenvalues: plain floats that *find* where to look for a bound. Nothing here proves anything.

use super::roundoff::product;
use super::substitution::{solve_lower, solve_lower_transposed};
use faer::{Mat, MatRef, Side};

/// A Ritz value and a guess of its distance to the eigenvalue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) error: f64,
}

/// The largest eigenvalue of a symmetric operator, with full reorthogonalisation; stops when the guessed relative error
/// is below `tolerance`. `None` when something is not finite.
fn largest(n: usize, steps: usize, tolerance: f64, mut apply: impl FnMut(&Mat<f64>) -> Mat<f64>) -> Option<Estimate> {
    let mut basis: Vec<Vec<f64>> = vec![start(n)];
    let (mut alphas, mut betas) = (Vec::new(), Vec::new());
    let steps = steps.min(n);
    loop {
        let k = alphas.len();
        let v = &basis[k];
        let image = apply(&Mat::from_fn(n, 1, |i, _| v[i]));
        let mut w: Vec<f64> = image.col_as_slice(0).to_vec();
        alphas.push(inner(&w, v));
        // Twice is enough.
        for _ in 0..2 {
            for b in &basis {
                let c = inner(&w, b);
                w.iter_mut().zip(b).for_each(|(w, b)| *w -= c * b);
            }
        }
        let beta = inner(&w, &w).sqrt();
        let done = k + 1 == steps;
        if done || k >= 3 || beta.is_nan() || beta <= f64::EPSILON * alphas[0].abs() {
            let estimate = ritz(&alphas, &betas, beta)?;
            let small = estimate.error <= tolerance * estimate.value.abs();
            if done || small || beta <= f64::EPSILON * estimate.value.abs() {
                return Some(estimate);
            }
        }
        w.iter_mut().for_each(|w| *w /= beta);
        betas.push(beta);
        basis.push(w);
    }
}

/// The largest eigenvalue of the tridiagonal matrix; its error is at most the residual `beta |last component|`, and of
/// the order of residual^2 / gap.
fn ritz(alphas: &[f64], betas: &[f64], beta: f64) -> Option<Estimate> {
    let k = alphas.len();
    if !alphas.iter().chain(betas).chain([&beta]).all(|x| x.is_finite()) {
        return None;
    }
    let t = Mat::from_fn(k, k, |i, j| match i.abs_diff(j) {
        0 => alphas[i],
        1 => betas[i.min(j)],
        _ => 0.0,
    });
    let eigen = t.self_adjoint_eigen(Side::Lower).ok()?;
    let values = eigen.S().column_vector();
    let value = values[k - 1];
    let residual = beta * eigen.U()[(k - 1, k - 1)].abs();
    let gap = if k > 1 { value - values[k - 2] } else { 0.0 };
    let error = if gap > residual { residual * (residual / gap) } else { residual };
    Some(Estimate { value, error })
}

/// A fixed vector without special directions.
fn start(n: usize) -> Vec<f64> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut v: Vec<f64> = (0..n)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
        })
        .collect();
    let norm = inner(&v, &v).sqrt();
    v.iter_mut().for_each(|x| *x /= norm);
    v
}

fn inner(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

/// The largest eigenvalue of `scale A`, to a relative accuracy that does not limit the bound of a small matrix.
pub(super) fn largest_of(a: MatRef<'_, f64>, scale: f64) -> Option<Estimate> {
    let tolerance = if a.nrows() <= 300 { 1e-14 } else { 1e-10 };
    largest(a.nrows(), 60, tolerance, |v| {
        let mut w = product(a, v.as_ref());
        w.col_as_slice_mut(0).iter_mut().for_each(|x| *x *= scale);
        w
    })
}

/// The smallest eigenvalue of a matrix with Cholesky factor `L`, through that of the inverse, where it is far from the
/// others.
pub(super) fn smallest_of_factored(lower: &Mat<f64>, tolerance: f64) -> Option<Estimate> {
    // Each step costs a thirtieth of a large factorisation.
    let steps = if lower.nrows() <= 300 { 40 } else { 14 };
    let inverse = largest(lower.nrows(), steps, tolerance, |v| {
        let mut x = v.clone();
        solve_lower(lower, x.col_as_slice_mut(0));
        solve_lower_transposed(lower, x.col_as_slice_mut(0));
        x
    })?;
    let value = 1.0 / inverse.value;
    (value > 0.0 && value.is_finite()).then_some(Estimate { value, error: inverse.error * value * value })
}

/// The largest eigenvalue of `L^{-1} A L^{-T}` for a lower triangular `L`.
pub(super) fn relative_largest_of(lower: &Mat<f64>, a: MatRef<'_, f64>) -> Option<Estimate> {
    let tolerance = if a.nrows() <= 300 { 1e-12 } else { 1e-6 };
    largest(a.nrows(), 80, tolerance, |v| {
        let mut x = v.clone();
        solve_lower_transposed(lower, x.col_as_slice_mut(0));
        let mut x = product(a, x.as_ref());
        solve_lower(lower, x.col_as_slice_mut(0));
        x
    })
}
