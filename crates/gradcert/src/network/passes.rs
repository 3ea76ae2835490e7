//! Forward and backward pass in plain floats, with buffers that are allocated once.

use super::Network;
use super::columns::Columns;
use super::product::{dot, matmul};
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

/// The buffers of one forward and backward pass, units x samples.
#[derive(Clone, Debug)]
pub struct Passes {
    /// `h_l` (d_l x n), l = 1..L-1.
    pub hidden: Vec<Columns>,
    /// `sigma'(z_l)`, same shape.
    pub slope: Vec<Columns>,
    /// `c_i g_l(x_i)` (d_l x n), l = 1..L, for the output weights c_i of the last backward pass.
    pub backward: Vec<Columns>,
    /// `f(x_i)` (n).
    pub output: Vec<f64>,
    /// The weights of the output, contiguous.
    last: Vec<f64>,
}

impl Passes {
    /// Buffers for a network and a number of samples.
    pub fn new(network: &Network, samples: usize) -> Passes {
        let widths = network.widths();
        let layers = network.layers();
        let buffers = |range: std::ops::Range<usize>| -> Vec<Columns> {
            (0..range.end)
                .map(|l| if range.contains(&l) { Columns::zeros(widths[l], samples) } else { Columns::zeros(0, 0) })
                .collect()
        };
        Passes {
            hidden: buffers(1..layers),
            slope: buffers(1..layers),
            backward: buffers(1..layers + 1),
            output: vec![0.0; samples],
            last: vec![0.0; widths[layers - 1]],
        }
    }

    /// Forward pass; leaves `h_l`, `sigma'(z_l)` and the outputs.
    pub fn forward(&mut self, network: &Network, inputs: &LayerInputs, par: Par) {
        let layers = network.layers();
        for l in 1..layers {
            let (before, after) = self.hidden.split_at_mut(l);
            let z = &mut after[0];
            z.iter_mut().for_each(|column| column.copy_from_slice(&network.biases[l]));
            let weights = &network.weights[l];
            match (l, inputs) {
                (1, LayerInputs::Rows(x)) => matmul(z.as_mut(), Accum::Add, weights, x.transpose(), 1.0, par),
                (1, LayerInputs::Unit(_)) => {
                    for (j, column) in z.iter_mut().enumerate() {
                        column.iter_mut().zip(weights.col_as_slice(j)).for_each(|(z, w)| *z += w);
                    }
                }
                _ => matmul(z.as_mut(), Accum::Add, weights, before[l - 1].as_ref(), 1.0, par),
            }
            network.activation.values_and_slopes(z.entries_mut(), self.slope[l].entries_mut());
        }
        let (weights, bias) = (network.weights[layers].row(0), network.biases[layers][0]);
        self.last.iter_mut().zip(weights.iter()).for_each(|(to, w)| *to = *w);
        for (f, h) in self.output.iter_mut().zip(self.hidden[layers - 1].iter()) {
            *f = bias + dot(&self.last, h);
        }
    }

    /// Backward pass after a forward pass, from the output weights `c`: leaves `c_i g_l(x_i)`. `g_L = 1`,
    /// `g_l = sigma'(z_l) o W_{l+1}^T g_{l+1}`.
    pub fn backwards(&mut self, network: &Network, c: &[f64], par: Par) {
        let layers = network.layers();
        self.backward[layers].entries_mut().copy_from_slice(c);
        let slopes = self.slope[layers - 1].iter();
        for ((g, s), c) in self.backward[layers - 1].iter_mut().zip(slopes).zip(c) {
            g.iter_mut().zip(s).zip(&self.last).for_each(|((g, s), w)| *g = c * w * s);
        }
        for l in (1..layers - 1).rev() {
            let (before, after) = self.backward.split_at_mut(l + 1);
            let g = &mut before[l];
            matmul(g.as_mut(), Accum::Replace, network.weights[l + 1].transpose(), after[0].as_ref(), 1.0, par);
            g.entries_mut().iter_mut().zip(self.slope[l].entries()).for_each(|(g, s)| *g *= s);
        }
    }
}
