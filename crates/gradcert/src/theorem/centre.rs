//! Everything the bounds on a ball need to know about its centre w0, with rounding.
//!
//! Layers are numbered 1..L as in the statements, so entry 0 of a list over layers is the input (for h) or unused.
//! Lists over samples hold one entry per distinct sample i with multiplicity `m_i` (T13); norms over samples are
//! weighted by `sqrt m_i`. All derivatives are in the coordinates `u = D^{-1} w` of the metric.

use crate::network::Network;
use crate::network::activation::Activation;
use gradcert_rigor::{Interval, Lower, Upper};

/// One positive factor per parameter group, `u = D^{-1} w`; 0 freezes the group. Entry 0 is unused.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// `D_W,l`, l = 1..L.
    pub weights: Vec<f64>,
    /// `D_b,l`, l = 1..L; 0 also where a bias is absent.
    pub biases: Vec<f64>,
}

impl Metric {
    /// Plain gradient descent on all parameters of L layers.
    pub fn plain(layers: usize) -> Metric {
        Metric { weights: vec![1.0; layers + 1], biases: vec![1.0; layers + 1] }
    }

    /// The same with every bias frozen.
    #[must_use]
    pub fn without_biases(mut self) -> Metric {
        self.biases.fill(0.0);
        self
    }

    /// The same with the factors of layers 2..L (weights and biases) multiplied by `factor`; 0 trains the first layer alone.
    #[must_use]
    pub fn slower_later_layers(mut self, factor: f64) -> Metric {
        for l in 2..self.weights.len() {
            self.weights[l] *= factor;
            self.biases[l] *= factor;
        }
        self
    }

    /// Number L of layers.
    pub fn layers(&self) -> usize {
        self.weights.len() - 1
    }

    /// Number p of parameters of a network with as many layers that are not frozen.
    pub fn trained_parameters(&self, network: &Network) -> usize {
        let of = |l: usize| {
            let (rows, columns) = network.weights[l].shape();
            let weights = if self.weights[l] > 0.0 { rows * columns } else { 0 };
            weights + if self.biases[l] > 0.0 { rows } else { 0 }
        };
        (1..=self.layers()).map(of).sum()
    }
}

/// Bounds of everything (T9+) uses at w0.
#[derive(Clone, Debug)]
pub struct Centre {
    /// The activation of the hidden layers.
    pub activation: Activation,
    /// The metric.
    pub metric: Metric,
    /// `sqrt m_i`.
    pub weight: Vec<Upper>,
    /// `sqrt n = |(sqrt m_i)_i|`.
    pub weight_norm: Upper,
    /// `|W_l|`, l = 1..L.
    pub norm_weights: Vec<Upper>,
    /// Enclosures of the distinct entries of `z_l(x_i)`, `[l][i]`, l = 1..L-1.
    pub preactivations: Vec<Vec<Vec<Interval>>>,
    /// `|h_l(x_i)|`, `[l][i]`, l = 0..L-1.
    pub hidden: Vec<Vec<Upper>>,
    /// `h~_l(x_i) = sqrt(D_W,l+1^2 |h_l|^2 + D_b,l+1^2)`, `[l][i]`, l = 0..L-1.
    pub extended: Vec<Vec<Upper>>,
    /// `smax(H_l)`, l = 0..L-1.
    pub smax_hidden: Vec<Upper>,
    /// `smax(H~_l)`, l = 0..L-1.
    pub smax_extended: Vec<Upper>,
    /// `|g_l(x_i)|`, `[l][i]`, l = 1..L.
    pub backward: Vec<Vec<Upper>>,
    /// `|g_1(x_i)|` from below.
    pub backward_first: Vec<Lower>,
    /// `|v_l(x_i)|_inf`, `[l][i]`, l = 1..L-1.
    pub backward_max: Vec<Vec<Upper>>,
    /// `smax(G_l)`, l = 1..L.
    pub smax_backward: Vec<Upper>,
    /// `smin(Xt)`.
    pub smin_inputs: Lower,
    /// `smin(J(w0))`.
    pub smin_jacobian: Lower,
    /// `|J(w0)|`.
    pub smax_jacobian: Upper,
}

impl Centre {
    /// Number L of layers.
    pub fn layers(&self) -> usize {
        self.metric.layers()
    }

    /// Number of distinct samples.
    pub fn samples(&self) -> usize {
        self.weight.len()
    }
}
