//! Forward and backward pass in plain floats, with buffers that are allocated once.

use super::Network;
use crate::network::product::matmul;
use faer::{Accum, Mat, Par};

/// What the first layer reads: one row per (merged) sample.
#[derive(Clone, Debug)]
pub enum LayerInputs {
    /// The rows of a matrix (n x d_0).
    Rows(Mat<f64>),
    /// Sample i reads the i-th unit vector: whitened inputs (T12), d_0 = n.
    Unit(usize),
}

impl LayerInputs {
    /// Number of samples.
    pub fn samples(&self) -> usize {
        match self {
            LayerInputs::Rows(x) => x.nrows(),
            LayerInputs::Unit(n) => *n,
        }
    }

    /// Length of a row.
    pub fn features(&self) -> usize {
        match self {
            LayerInputs::Rows(x) => x.ncols(),
            LayerInputs::Unit(n) => *n,
        }
    }
}

/// The buffers of one forward and backward pass. All matrices are units x samples, so that a sample is a contiguous
/// column and the bias is added along columns.
#[derive(Clone, Debug)]
pub struct Passes {
    /// `h_l` (d_l x n), l = 1..L-1.
    pub hidden: Vec<Mat<f64>>,
    /// `sigma'(z_l)`, same shape.
    pub slope: Vec<Mat<f64>>,
    /// `c_i g_l(x_i)` (d_l x n), l = 1..L, for the output weights c_i of the last backward pass.
    pub backward: Vec<Mat<f64>>,
    /// `f(x_i)` (n).
    pub output: Vec<f64>,
}

impl Passes {
    /// Buffers for a network and a number of samples.
    pub fn new(network: &Network, samples: usize) -> Passes {
        let widths = network.widths();
        let layers = network.layers();
        let buffers = |range: std::ops::Range<usize>| -> Vec<Mat<f64>> {
            (0..range.end)
                .map(|l| if range.contains(&l) { Mat::zeros(widths[l], samples) } else { Mat::zeros(0, 0) })
                .collect()
        };
        Passes {
            hidden: buffers(1..layers),
            slope: buffers(1..layers),
            backward: buffers(1..layers + 1),
            output: vec![0.0; samples],
        }
    }

    /// Forward pass; leaves `h_l`, `sigma'(z_l)` and the outputs.
    pub fn forward(&mut self, network: &Network, inputs: &LayerInputs, par: Par) {
        let layers = network.layers();
        let act = network.activation;
        for l in 1..layers {
            let (before, after) = self.hidden.split_at_mut(l);
            let z = &mut after[0];
            match (l, inputs) {
                (1, LayerInputs::Rows(x)) => {
                    matmul(z.as_mut(), Accum::Replace, &network.weights[1], x.transpose(), 1.0, par);
                }
                (1, LayerInputs::Unit(_)) => z.copy_from(&network.weights[1]),
                _ => matmul(z.as_mut(), Accum::Replace, &network.weights[l], &before[l - 1], 1.0, par),
            }
            for j in 0..z.ncols() {
                let column = z.col_as_slice_mut(j);
                let slopes = self.slope[l].col_as_slice_mut(j);
                for ((z, s), &b) in column.iter_mut().zip(slopes).zip(&network.biases[l]) {
                    let t = *z + b;
                    (*z, *s) = act.value_and_slope(t);
                }
            }
        }
        let last = &self.hidden[layers - 1];
        let (weights, bias) = (&network.weights[layers], network.biases[layers][0]);
        for (i, f) in self.output.iter_mut().enumerate() {
            *f = bias + last.col_as_slice(i).iter().enumerate().map(|(j, h)| weights[(0, j)] * h).sum::<f64>();
        }
    }

    /// Backward pass from the output weights `c`: leaves `c_i g_l(x_i)`. `g_L = 1`, `g_l = sigma'(z_l) o W_{l+1}^T g_{l+1}`.
    pub fn backwards(&mut self, network: &Network, c: &[f64], par: Par) {
        let layers = network.layers();
        for (i, &c) in c.iter().enumerate() {
            self.backward[layers][(0, i)] = c;
        }
        for l in (1..layers).rev() {
            let (before, after) = self.backward.split_at_mut(l + 1);
            let g = &mut before[l];
            matmul(g.as_mut(), Accum::Replace, network.weights[l + 1].transpose(), &after[0], 1.0, par);
            for j in 0..g.ncols() {
                let slopes = self.slope[l].col_as_slice(j);
                g.col_as_slice_mut(j).iter_mut().zip(slopes).for_each(|(g, s)| *g *= s);
            }
        }
    }
}
