//! `K^(H)` of fully connected and residual networks (1811.03804v4, definitions 5.1 and 6.1, as their proofs have them).

use super::Unit;
use super::dual::{Accuracy, Moments, Quadrature, diagonal, symmetric};
use faer::Mat;

/// `K^(0) = X X^T`, `K^(h) = c E sigma(u) sigma(v)` over the covariance `K^(h-1)` for h < H, and
/// `K^(H) = c K^(H-1) o E sigma'(u) sigma'(v)` over the covariance `K^(H-1)`.
pub(super) fn fully_connected(x: &Mat<f64>, unit: Unit, depth: usize, accuracy: Accuracy) -> Mat<f64> {
    let (quadrature, c) = (Quadrature::new(accuracy), unit.normalisation());
    let mut kernel = gram(x);
    for _ in 1..depth {
        let moments = Moments::new(unit, diagonal(kernel.as_ref()), &quadrature);
        kernel = symmetric(x.nrows(), |i, j| c * moments.product(i, j, kernel[(i, j)]));
    }
    last(&kernel, unit, c, &quadrature)
}

/// `K^(1) = c E sigma(u) sigma(v)`, `b^(1) = sqrt(c) E sigma(u)`; with t = s/H for h = 2, ..., H-1
/// `K^(h)_ij = K^(h-1)_ij + t (b_j E sigma(u_i) + b_i E sigma(u_j)) + t^2 E sigma(u_i) sigma(u_j)`, `b^(h) = b^(h-1) + t E sigma(u)`;
/// `K^(H) = t^2 K^(H-1) o E sigma'(u) sigma'(v)`.
pub(super) fn residual(x: &Mat<f64>, unit: Unit, depth: usize, scale: f64, accuracy: Accuracy) -> Mat<f64> {
    let (quadrature, c, t) = (Quadrature::new(accuracy), unit.normalisation(), scale / depth as f64);
    let n = x.nrows();
    let input = gram(x);
    let moments = Moments::new(unit, diagonal(input.as_ref()), &quadrature);
    let mut kernel = symmetric(n, |i, j| c * moments.product(i, j, input[(i, j)]));
    let mut mean: Vec<f64> = (0..n).map(|i| c.sqrt() * moments.mean(i)).collect();
    for _ in 2..depth {
        let moments = Moments::new(unit, diagonal(kernel.as_ref()), &quadrature);
        kernel = symmetric(n, |i, j| {
            let cross = mean[j] * moments.mean(i) + mean[i] * moments.mean(j);
            kernel[(i, j)] + t * cross + t * t * moments.product(i, j, kernel[(i, j)])
        });
        mean.iter_mut().enumerate().for_each(|(i, b)| *b += t * moments.mean(i));
    }
    last(&kernel, unit, t * t, &quadrature)
}

/// `factor K o E sigma'(u) sigma'(v)` over the covariance K.
fn last(kernel: &Mat<f64>, unit: Unit, factor: f64, quadrature: &Quadrature) -> Mat<f64> {
    let moments = Moments::new(unit, diagonal(kernel.as_ref()), quadrature);
    symmetric(kernel.nrows(), |i, j| factor * kernel[(i, j)] * moments.product_of_slopes(i, j, kernel[(i, j)]))
}

/// `X X^T`.
pub(super) fn gram(x: &Mat<f64>) -> Mat<f64> {
    let mut gram = x * x.transpose();
    gradcert_rigor::linear::mirror(&mut gram);
    gram
}
