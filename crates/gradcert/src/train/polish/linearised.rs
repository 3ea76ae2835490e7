//! A network with several outputs to first order: its tangent kernel by blocks, and J^T applied to a vector.

use super::Samples;
use crate::network::Network;
use crate::network::product::matmul;
use crate::theorem::centre::Metric;
use faer::{Accum, Mat, MatRef, Par};

/// Forward and backward pass at one network. Matrices are units x samples, those of the backward pass units x (sample, output),
/// outputs fastest.
pub(super) struct Linearised {
    /// `h_l` (d_l x n), l = 0..L-1.
    hidden: Vec<Mat<f64>>,
    /// `sigma'(z_l)` (d_l x n), l = 1..L-1.
    slope: Vec<Mat<f64>>,
    /// `G_l` (d_l x n d_L), l = 1..L: column (i, c) is the gradient of output c with respect to `z_l(x_i)`.
    stack: Vec<Mat<f64>>,
}

/// Rows of K that are computed at a time.
const PANEL: usize = 256;

impl Linearised {
    pub(super) fn new(network: &Network, samples: usize) -> Linearised {
        let (widths, layers) = (network.widths(), network.layers());
        let per_sample = |l: usize| Mat::zeros(widths[l], samples);
        Linearised {
            hidden: (0..layers).map(per_sample).collect(),
            slope: (0..layers).map(per_sample).collect(),
            stack: widths.iter().map(|&d| Mat::zeros(d, samples * widths[layers])).collect(),
        }
    }

    /// Both passes: `G_L` holds unit vectors, `G_l = diag(sigma'(z_l(x_i))) W_{l+1}^T G_{l+1}`.
    pub(super) fn pass(&mut self, network: &Network, rows: MatRef<'_, f64>, par: Par) {
        let (layers, outputs) = (network.layers(), network.outputs());
        self.hidden[0].copy_from(rows.transpose());
        for l in 1..layers {
            let (before, after) = self.hidden.split_at_mut(l);
            let z = &mut after[0];
            matmul(z.as_mut(), Accum::Replace, &network.weights[l], &before[l - 1], 1.0, par);
            for i in 0..z.ncols() {
                let z = z.col_as_slice_mut(i);
                z.iter_mut().zip(&network.biases[l]).for_each(|(z, b)| *z += b);
                network.activation.values_and_slopes(z, self.slope[l].col_as_slice_mut(i));
            }
        }
        let unit = |c: usize, r: usize| if r % outputs == c { 1.0 } else { 0.0 };
        self.stack[layers] = Mat::from_fn(outputs, rows.nrows() * outputs, unit);
        for l in (1..layers).rev() {
            let (before, after) = self.stack.split_at_mut(l + 1);
            back(&mut before[l], network, l, after[0].as_ref(), &self.slope[l], par);
        }
    }

    /// (T6) by blocks, rows weighted by `sqrt m_i`:
    /// `sum_l (G_l G_l^T) o (D_Wl^2 H_{l-1} H_{l-1}^T + D_bl^2 1 1^T)`, the second factor repeated over the outputs. Only the
    /// lower triangle is written, panel by panel: a second matrix of this size is never needed.
    pub(super) fn kernel(&self, metric: &Metric, roots: &[f64], par: Par, kernel: &mut Mat<f64>) {
        let (n, rows) = (roots.len(), kernel.nrows());
        let d = rows / n;
        let width = (PANEL / d).max(1);
        for first in (0..n).step_by(width) {
            let (samples, below) = (width.min(n - first), n - first);
            let (mut outer, mut inner) = (Mat::zeros(below * d, samples * d), Mat::<f64>::zeros(below, samples));
            let mut panel = kernel.submatrix_mut(first * d, first * d, below * d, samples * d);
            panel.fill(0.0);
            for l in 1..=metric.layers() {
                let (g, h) = (&self.stack[l], &self.hidden[l - 1]);
                let (g_below, g_here) = (g.subcols(first * d, below * d), g.subcols(first * d, samples * d));
                let (h_below, h_here) = (h.subcols(first, below), h.subcols(first, samples));
                matmul(outer.as_mut(), Accum::Replace, g_below.transpose(), g_here, 1.0, par);
                matmul(inner.as_mut(), Accum::Replace, h_below.transpose(), h_here, 1.0, par);
                let (weight, bias) = (metric.weights[l].powi(2), metric.biases[l].powi(2));
                for s in 0..samples * d {
                    for r in s..below * d {
                        let (i, j) = (r / d, s / d);
                        let factor = weight * inner[(i, j)] + bias;
                        panel[(r, s)] += roots[first + i] * roots[first + j] * outer[(r, s)] * factor;
                    }
                }
            }
        }
    }

    /// `D^2 J^T c` for c with one entry per sample and output: one backward pass, from the c themselves.
    pub(super) fn transposed(
        &self,
        network: &Network,
        c: &[f64],
        rows: MatRef<'_, f64>,
        metric: &Metric,
        par: Par,
    ) -> Step {
        let (layers, outputs, n) = (network.layers(), network.outputs(), rows.nrows());
        let mut step = Step { weights: network.weights.clone(), biases: network.biases.clone() };
        let mut g = Mat::from_fn(outputs, n, |k, i| c[i * outputs + k]);
        for l in (1..=layers).rev() {
            let (weight, bias) = (metric.weights[l].powi(2), metric.biases[l].powi(2));
            matmul(step.weights[l].as_mut(), Accum::Replace, &g, self.hidden[l - 1].transpose(), weight, par);
            for (j, b) in step.biases[l].iter_mut().enumerate() {
                *b = bias * (0..n).map(|i| g[(j, i)]).sum::<f64>();
            }
            if l > 1 {
                let mut before = Mat::zeros(self.slope[l - 1].nrows(), n);
                back(&mut before, network, l - 1, g.as_ref(), &self.slope[l - 1], par);
                g = before;
            }
        }
        step
    }

    /// How much outputs and targets can change if every weight, bias and target changes by a relative e, divided by e:
    /// `|(sqrt m_i (sum_l |g_l|^T (|W_l| |h_{l-1}| + |b_l|) + |y|))_(i,c)|`, entrywise absolute values.
    pub(super) fn sizes(&self, network: &Network, samples: &Samples<'_>, roots: &[f64]) -> f64 {
        let d = network.outputs();
        let mut sizes: Vec<f64> = samples.targets.iter().map(|y| y.abs()).collect();
        for l in 1..=network.layers() {
            let (w, h) = (absolute(&network.weights[l]), absolute(&self.hidden[l - 1]));
            let z = w * h;
            for (r, size) in sizes.iter_mut().enumerate() {
                let (g, z) = (self.stack[l].col_as_slice(r), z.col_as_slice(r / d));
                let terms = g.iter().zip(z).zip(&network.biases[l]);
                *size += terms.map(|((g, z), b)| g.abs() * (z + b.abs())).sum::<f64>();
            }
        }
        sizes.iter().enumerate().map(|(r, size)| (roots[r / d] * size).powi(2)).sum::<f64>().sqrt()
    }
}

fn absolute(a: &Mat<f64>) -> Mat<f64> {
    Mat::from_fn(a.nrows(), a.ncols(), |i, j| a[(i, j)].abs())
}

/// `diag(sigma'(z_l)) W_{l+1}^T g` column by column; several columns per sample use its slopes.
fn back(result: &mut Mat<f64>, network: &Network, l: usize, g: MatRef<'_, f64>, slope: &Mat<f64>, par: Par) {
    matmul(result.as_mut(), Accum::Replace, network.weights[l + 1].transpose(), g, 1.0, par);
    let per_sample = result.ncols() / slope.ncols();
    for r in 0..result.ncols() {
        let slopes = slope.col_as_slice(r / per_sample);
        result.col_as_slice_mut(r).iter_mut().zip(slopes).for_each(|(g, s)| *g *= s);
    }
}

/// A change of all parameters.
pub(super) struct Step {
    weights: Vec<Mat<f64>>,
    biases: Vec<Vec<f64>>,
}

impl Step {
    /// The network after the step.
    pub(super) fn applied(&self, network: &Network) -> Network {
        let mut moved = network.clone();
        for l in 1..=network.layers() {
            let (w, step) = (&mut moved.weights[l], &self.weights[l]);
            for j in 0..w.ncols() {
                w.col_as_slice_mut(j).iter_mut().zip(step.col_as_slice(j)).for_each(|(w, s)| *w += s);
            }
            moved.biases[l].iter_mut().zip(&self.biases[l]).for_each(|(b, s)| *b += s);
        }
        moved
    }
}
