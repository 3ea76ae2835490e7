//! Expectations of products over two normal variables: the dual of an activation.
//!
//! `(u, v)` is normal with mean 0, variances a, b and covariance c, `rho = c / sqrt(ab)`. With the normalised Hermite polynomials h_k,
//! which are orthonormal under N(0,1), and `f_k(a) = E f(sqrt(a) g) h_k(g)`, Mehler's formula gives `E f(u) f(v) = sum_k f_k(a) f_k(b) rho^k`:
//! one series in rho for every pair, its coefficients from integrals over one variable for every sample. What is left out after K
//! terms is at most the geometric mean of `E f(u)^2 - sum_{k<K} f_k(a)^2` and the same for v, times `|rho|^K`.

use super::Unit;
use crate::network::activation::Activation;
use crate::network::product::matmul;
use faer::{Accum, Mat, MatRef};
use rayon::prelude::*;
use std::f64::consts::{PI, TAU};

/// The largest number of terms.
pub(super) const TERMS: usize = 384;
/// Integrals end here: normal densities and polynomials of degree [`TERMS`] times their root are below 1e-20 beyond.
const END: f64 = 14.0;
/// Panels of the integrals, with a border at 0, where an activation may have a kink.
const PANELS_PER_UNIT: usize = 2;

/// How finely expectations are computed; two of them give an estimate of the error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accuracy {
    /// Gauss-Legendre nodes of a panel.
    nodes: usize,
    terms: usize,
}

impl Accuracy {
    pub(super) const FINE: Accuracy = Accuracy { nodes: 20, terms: TERMS };
    pub(super) const COARSE: Accuracy = Accuracy { nodes: 16, terms: 256 };
}

/// A rule for expectations of functions of a standard normal variable.
pub(super) struct Quadrature {
    nodes: Vec<f64>,
    /// With the normal density.
    weights: Vec<f64>,
    /// `w h_k(x)`, terms x nodes.
    polynomials: Mat<f64>,
}

/// Nodes and weights of Gauss and Legendre on [-1, 1], by Newton's method.
fn gauss_legendre(order: usize) -> Vec<(f64, f64)> {
    let legendre = |x: f64| {
        let (mut before, mut now) = (1.0, x);
        for k in 2..=order {
            (before, now) = (now, ((2 * k - 1) as f64 * x * now - (k - 1) as f64 * before) / k as f64);
        }
        (now, order as f64 * (x * now - before) / (x * x - 1.0))
    };
    let node = |i: usize| {
        let mut x = (PI * (i as f64 + 0.75) / (order as f64 + 0.5)).cos();
        for _ in 0..8 {
            let (value, slope) = legendre(x);
            x -= value / slope;
        }
        (x, 2.0 / ((1.0 - x * x) * legendre(x).1.powi(2)))
    };
    (0..order).map(node).collect()
}

impl Quadrature {
    pub(super) fn new(accuracy: Accuracy) -> Quadrature {
        let rule = gauss_legendre(accuracy.nodes);
        let half = 0.5 / PANELS_PER_UNIT as f64;
        let panels = (END as usize) * PANELS_PER_UNIT;
        let (mut nodes, mut weights) = (vec![], vec![]);
        for panel in 0..2 * panels {
            let middle = -END + half * (2 * panel + 1) as f64;
            for &(x, w) in &rule {
                let node = middle + half * x;
                nodes.push(node);
                weights.push(half * w * (-0.5 * node * node).exp() / TAU.sqrt());
            }
        }
        let polynomials = polynomials(&nodes, &weights, accuracy.terms);
        Quadrature { nodes, weights, polynomials }
    }

    /// `E f(deviation g) h_k(g)` and `E f^2` for the activation and its slope, one deviation after the other.
    fn expand(&self, activation: Activation, deviations: &[f64]) -> [Expansions; 2] {
        let mut values = Mat::zeros(self.nodes.len(), deviations.len());
        let mut slopes = values.clone();
        for (j, deviation) in deviations.iter().enumerate() {
            let points = values.col_as_slice_mut(j);
            points.iter_mut().zip(&self.nodes).for_each(|(point, x)| *point = deviation * x);
            activation.values_and_slopes(points, slopes.col_as_slice_mut(j));
        }
        [values, slopes].map(|f| self.expansions(&f))
    }

    /// For functions whose values at the nodes are the columns of f.
    fn expansions(&self, f: &Mat<f64>) -> Expansions {
        let mut coefficients = Mat::zeros(self.polynomials.nrows(), f.ncols());
        let par = faer::get_global_parallelism();
        matmul(coefficients.as_mut(), Accum::Replace, &self.polynomials, f, 1.0, par);
        let square = |j: usize| self.weights.iter().zip(f.col_as_slice(j)).map(|(w, v)| w * v * v).sum();
        let squares = (0..f.ncols()).map(square).collect();
        Expansions { coefficients, squares }
    }
}

/// `w h_k(x)` (terms x nodes), made with the root of the density, so that no polynomial overflows.
fn polynomials(nodes: &[f64], weights: &[f64], terms: usize) -> Mat<f64> {
    let mut table = Mat::zeros(terms, nodes.len());
    let roots: Vec<f64> = (0..=terms).map(|k| (k as f64).sqrt()).collect();
    for (j, (&x, w)) in nodes.iter().zip(weights).enumerate() {
        let root = (-0.25 * x * x).exp();
        let (mut before, mut now) = (0.0, root);
        for (k, entry) in table.col_as_slice_mut(j).iter_mut().enumerate() {
            *entry = w / root * now;
            (before, now) = (now, (x * now - roots[k] * before) / roots[k + 1]);
        }
    }
    table
}

/// Functions of a normal variable, one per sample.
struct Expansions {
    /// `f_k`, terms x samples.
    coefficients: Mat<f64>,
    /// `E f(u)^2`.
    squares: Vec<f64>,
}

impl Expansions {
    /// Where there are closed forms.
    fn none() -> Expansions {
        Expansions { coefficients: Mat::new(), squares: vec![] }
    }

    /// `sum_k f_k(a) f_k(b) rho^k` for samples i and j.
    fn product(&self, i: usize, j: usize, rho: f64) -> f64 {
        let pairs = self.coefficients.col_as_slice(i).iter().zip(self.coefficients.col_as_slice(j));
        pairs.rev().fold(0.0, |sum, (a, b)| a * b + sum * rho)
    }
}

impl Unit {
    /// Are the expectations elementary functions?
    pub(super) fn has_closed_form(self) -> bool {
        matches!(self, Unit::Relu | Unit::Smooth(Activation::Erf | Activation::Identity))
    }

    /// c, `1 / E sigma(N(0,1))^2`.
    pub fn normalisation(self) -> f64 {
        1.0 / Moments::new(self, vec![1.0], &Quadrature::new(Accuracy::FINE)).product(0, 0, 1.0)
    }
}

/// Expectations of a unit over normal variables u_i with given variances.
pub(super) struct Moments {
    unit: Unit,
    variance: Vec<f64>,
    values: Expansions,
    slopes: Expansions,
}

impl Moments {
    pub(super) fn new(unit: Unit, variance: Vec<f64>, quadrature: &Quadrature) -> Moments {
        let deviations: Vec<f64> = variance.iter().map(|v| v.sqrt()).collect();
        let [values, slopes] = match unit {
            Unit::Smooth(activation) if !unit.has_closed_form() => quadrature.expand(activation, &deviations),
            _ => [Expansions::none(), Expansions::none()],
        };
        Moments { unit, variance, values, slopes }
    }

    /// The correlation of u_i and u_j; 0 where one does not vary.
    fn correlation(&self, i: usize, j: usize, covariance: f64) -> f64 {
        if i == j {
            return 1.0;
        }
        let size = (self.variance[i] * self.variance[j]).sqrt();
        if size > 0.0 { (covariance / size).clamp(-1.0, 1.0) } else { 0.0 }
    }

    /// `E sigma(u_i) sigma(u_j)`.
    pub(super) fn product(&self, i: usize, j: usize, covariance: f64) -> f64 {
        let (a, b) = (self.variance[i], self.variance[j]);
        match self.unit {
            Unit::Smooth(Activation::Identity) => covariance,
            // The arcsine kernel of C. Williams (1998).
            Unit::Smooth(Activation::Erf) => {
                2.0 / PI * (2.0 * covariance / ((1.0 + 2.0 * a) * (1.0 + 2.0 * b)).sqrt()).asin()
            }
            Unit::Smooth(_) if i == j => self.values.squares[i],
            Unit::Smooth(_) => self.values.product(i, j, self.correlation(i, j, covariance)),
            // The arc-cosine kernel of Y. Cho, L. Saul (2009).
            Unit::Relu => {
                let angle = self.correlation(i, j, covariance).acos();
                (a * b).sqrt() * (angle.sin() + (PI - angle) * angle.cos()) / TAU
            }
        }
    }

    /// `E sigma'(u_i) sigma'(u_j)`.
    pub(super) fn product_of_slopes(&self, i: usize, j: usize, covariance: f64) -> f64 {
        let (a, b) = (self.variance[i], self.variance[j]);
        match self.unit {
            Unit::Smooth(Activation::Identity) => 1.0,
            Unit::Smooth(Activation::Erf) => {
                4.0 / PI / ((1.0 + 2.0 * a) * (1.0 + 2.0 * b) - 4.0 * covariance * covariance).sqrt()
            }
            Unit::Smooth(_) if i == j => self.slopes.squares[i],
            Unit::Smooth(_) => self.slopes.product(i, j, self.correlation(i, j, covariance)),
            Unit::Relu => (PI - self.correlation(i, j, covariance).acos()) / TAU,
        }
    }

    /// `E sigma(u_i)`.
    pub(super) fn mean(&self, i: usize) -> f64 {
        match self.unit {
            Unit::Smooth(Activation::Identity | Activation::Erf) => 0.0,
            Unit::Smooth(_) => self.values.coefficients[(0, i)],
            Unit::Relu => (self.variance[i] / TAU).sqrt(),
        }
    }
}

/// A symmetric matrix whose entry (i, j), i >= j, is given.
pub(super) fn symmetric(n: usize, entry: impl Fn(usize, usize) -> f64 + Sync) -> Mat<f64> {
    let columns: Vec<Vec<f64>> = (0..n).into_par_iter().map(|j| (j..n).map(|i| entry(i, j)).collect()).collect();
    let mut matrix = Mat::zeros(n, n);
    for (j, column) in columns.into_iter().enumerate() {
        matrix.col_as_slice_mut(j)[j..].copy_from_slice(&column);
    }
    gradcert_rigor::linear::mirror(&mut matrix);
    matrix
}

/// The diagonal of a matrix.
pub(super) fn diagonal(matrix: MatRef<'_, f64>) -> Vec<f64> {
    (0..matrix.nrows()).map(|i| matrix[(i, i)]).collect()
}
