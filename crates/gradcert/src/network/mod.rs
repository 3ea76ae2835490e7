//! Feedforward networks: `z_l = W_l h_{l-1} + b_l`, `h_l = sigma(z_l)` for l < L, `h_0 = x`, output `z_L`.
//!
//! Layers are numbered 1..L as in the statements; entry 0 of a list over layers is the input or unused. Samples are rows.

pub mod activation;
pub mod columns;
mod evaluate;
pub mod passes;
pub(crate) mod product;
pub mod random;
mod truncated;
pub mod wide;

use activation::Activation;
use faer::Mat;

/// A network, plain floats. Networks that are trained or certified have one output, those that are read may have several.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// The activation of every hidden layer.
    pub activation: Activation,
    /// `W_l` (d_l x d_{l-1}), l = 1..L; entry 0 is empty.
    pub weights: Vec<Mat<f64>>,
    /// `b_l` (d_l), l = 1..L; entry 0 is empty. All 0 where a bias is absent.
    pub biases: Vec<Vec<f64>>,
}

impl Network {
    /// Number L of layers.
    pub fn layers(&self) -> usize {
        self.weights.len() - 1
    }

    /// `d_0, ..., d_L`.
    pub fn widths(&self) -> Vec<usize> {
        let inputs = self.weights[1].ncols();
        std::iter::once(inputs).chain(self.weights[1..].iter().map(|w| w.nrows())).collect()
    }

    /// Number p of parameters, biases included.
    pub fn parameters(&self) -> usize {
        (1..=self.layers()).map(|l| self.weights[l].nrows() * (self.weights[l].ncols() + 1)).sum()
    }

    /// The positive start: `W_1 = 0`, `b = 0`, entries of `W_l` equal to `hidden[l - 2]`, of `W_L` to `output`.
    pub fn positive(activation: Activation, widths: &[usize], hidden: &[f64], output: f64) -> Network {
        let layers = widths.len() - 1;
        let entry = |l: usize| match l {
            1 => 0.0,
            l if l == layers => output,
            l => hidden[l - 2],
        };
        let weights = std::iter::once(Mat::zeros(0, 0))
            .chain((1..=layers).map(|l| Mat::from_fn(widths[l], widths[l - 1], |_, _| entry(l))))
            .collect();
        let biases = std::iter::once(vec![]).chain(widths[1..].iter().map(|&d| vec![0.0; d])).collect();
        Network { activation, weights, biases }
    }

    /// Are all entries of `W_2, ..., W_L` positive?
    pub fn later_layers_are_positive(&self) -> bool {
        self.weights[2..].iter().all(|w| (0..w.ncols()).all(|j| (0..w.nrows()).all(|i| w[(i, j)] > 0.0)))
    }
}
