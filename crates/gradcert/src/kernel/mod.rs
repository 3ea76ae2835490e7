//! (T6) The empirical tangent kernel, layer by layer, in plain floats.

use crate::network::Network;
use crate::network::passes::{LayerInputs, Passes};
use crate::network::product::matmul;
use crate::theorem::centre::Metric;
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
        matmul(outer.as_mut(), Accum::Replace, g.transpose(), g.as_ref(), 1.0, par);
        match (l, inputs) {
            (1, LayerInputs::Rows(x)) => matmul(inner.as_mut(), Accum::Replace, x, x.transpose(), 1.0, par),
            (1, LayerInputs::Unit(_)) => inner = Mat::identity(n, n),
            _ => {
                let h = &passes.hidden[l - 1];
                matmul(inner.as_mut(), Accum::Replace, h.transpose(), h.as_ref(), 1.0, par);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::activation::Activation;
    use crate::network::random::{Law, draw};

    /// Rows of J D by central differences of the outputs, one parameter after the other.
    fn jacobian(network: &Network, inputs: &LayerInputs, metric: &Metric) -> Vec<Vec<f64>> {
        let outputs = |network: &Network| {
            let mut passes = Passes::new(network, inputs.samples());
            passes.forward(network, inputs, Par::Seq);
            passes.output
        };
        let step = 1e-5;
        let difference = |plus: &Network, minus: &Network, factor: f64| -> Vec<f64> {
            outputs(plus).iter().zip(outputs(minus)).map(|(a, b)| factor * (a - b) / (2.0 * step)).collect()
        };
        let mut columns = vec![];
        for l in 1..=network.layers() {
            for i in 0..network.weights[l].nrows() {
                for j in 0..network.weights[l].ncols() {
                    let (mut plus, mut minus) = (network.clone(), network.clone());
                    plus.weights[l][(i, j)] += step;
                    minus.weights[l][(i, j)] -= step;
                    columns.push(difference(&plus, &minus, metric.weights[l]));
                }
                let (mut plus, mut minus) = (network.clone(), network.clone());
                plus.biases[l][i] += step;
                minus.biases[l][i] -= step;
                columns.push(difference(&plus, &minus, metric.biases[l]));
            }
        }
        columns
    }

    #[test]
    fn layerwise_kernel_is_the_gram_matrix_of_the_jacobian() {
        for (activation, inputs) in [
            (Activation::Tanh, LayerInputs::Unit(4)),
            (
                Activation::SmoothLeakyRelu(0.1),
                LayerInputs::Rows(Mat::from_fn(4, 3, |i, j| ((i + 2 * j) as f64).sin())),
            ),
        ] {
            let network = draw(activation, &[inputs.features(), 5, 3, 1], Law::LeCun, 3);
            let metric = Metric { weights: vec![1.0, 1.0, 0.5, 2.0], biases: vec![1.0, 0.7, 0.0, 1.5] };
            let kernel = tangent_kernel(&network, &inputs, &metric, Par::Seq);
            let columns = jacobian(&network, &inputs, &metric);
            for i in 0..4 {
                for j in 0..4 {
                    let direct: f64 = columns.iter().map(|c| c[i] * c[j]).sum();
                    assert!((kernel[(i, j)] - direct).abs() < 1e-8 * kernel.norm_max(), "{activation}");
                }
            }
        }
    }
}
