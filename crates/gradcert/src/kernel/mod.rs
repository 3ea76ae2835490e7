//! (T6) The empirical tangent kernel, layer by layer, in plain floats.

use crate::network::Network;
use crate::network::passes::{LayerInputs, Passes};
use crate::theorem::centre::Metric;
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};

/// `K = sum_l (G_l G_l^T) o (D_Wl^2 H_{l-1} H_{l-1}^T + D_bl^2 1 1^T)` (n x n), in the coordinates of the metric. The
/// Jacobian is never formed: O(n^2 sum d_l). Rows are not weighted by multiplicities.
pub fn tangent_kernel(network: &Network, inputs: &LayerInputs, metric: &Metric, par: Par) -> Mat<f64> {
    let n = inputs.samples();
    let mut passes = Passes::new(network, n);
    passes.forward(network, inputs, par);
    passes.backwards(network, &vec![1.0; n], par);
    let mut kernel = Mat::zeros(n, n);
    let (mut outer, mut inner) = (Mat::zeros(n, n), Mat::<f64>::zeros(n, n));
    for l in 1..=network.layers() {
        let g = &passes.backward[l];
        matmul(outer.as_mut(), Accum::Replace, g.transpose(), g, 1.0, par);
        match (l, inputs) {
            (1, LayerInputs::Rows(x)) => matmul(inner.as_mut(), Accum::Replace, x, x.transpose(), 1.0, par),
            (1, LayerInputs::Unit(_)) => inner = Mat::identity(n, n),
            _ => {
                let h = &passes.hidden[l - 1];
                matmul(inner.as_mut(), Accum::Replace, h.transpose(), h, 1.0, par);
            }
        }
        let (weight, bias) = (metric.weights[l].powi(2), metric.biases[l].powi(2));
        for j in 0..n {
            for i in 0..n {
                kernel[(i, j)] += outer[(i, j)] * (weight * inner[(i, j)] + bias);
            }
        }
    }
    kernel
}
