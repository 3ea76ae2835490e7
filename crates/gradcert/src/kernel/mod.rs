//! (T6) The empirical tangent kernel, layer by layer, in plain floats.

pub mod limit;

use crate::network::Network;
use crate::network::passes::{LayerInputs, Passes};
use crate::network::product::matmul;
use crate::theorem::centre::Metric;
use faer::prelude::ReborrowMut;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use gradcert_rigor::linear::mirror;

/// Columns that are computed together: enough for products at full speed, few enough that two panels are small beside the matrix.
const PANEL: usize = 512;
/// A block on the diagonal is halved down to this: below, what is saved is less than what smaller products lose.
const LEAST_BLOCK: usize = 64;

/// `K = sum_l (G_l G_l^T) o (D_Wl^2 H_{l-1} H_{l-1}^T + D_bl^2 1 1^T)` (n x n), in the coordinates of the metric. The
/// Jacobian is never formed: O(n^2 sum d_l), and the upper triangle is a copy. Rows are not weighted by multiplicities.
pub fn tangent_kernel(network: &Network, inputs: &LayerInputs, metric: &Metric, par: Par) -> Mat<f64> {
    let n = inputs.samples();
    let mut passes = Passes::new(network, n);
    passes.forward(network, inputs, par);
    passes.backwards(network, &vec![1.0; n], par);
    let mut kernel = Mat::zeros(n, n);
    let (mut outer, mut inner) = (vec![0.0; n * PANEL.min(n)], vec![0.0; n * PANEL.min(n)]);
    for first in (0..n).step_by(PANEL) {
        for l in 1..=network.layers() {
            add_layer(&passes, inputs, metric, l, first, &mut kernel, (&mut outer, &mut inner), par);
        }
    }
    mirror(&mut kernel);
    kernel
}

/// Adds what layer l contributes to the columns from `first` on, on and below the diagonal; the buffers take the two factors.
fn add_layer(
    passes: &Passes,
    inputs: &LayerInputs,
    metric: &Metric,
    l: usize,
    first: usize,
    kernel: &mut Mat<f64>,
    (outer, inner): (&mut [f64], &mut [f64]),
    par: Par,
) {
    let (n, layers) = (kernel.nrows(), metric.layers());
    let (below, here) = (n - first, PANEL.min(n - first));
    let (weight, bias) = (metric.weights[l].powi(2), metric.biases[l].powi(2));
    if weight + bias == 0.0 {
        return;
    }
    let gram = |to: &mut [f64], samples: MatRef<'_, f64>| {
        let to = MatMut::from_column_major_slice_mut(&mut to[..below * here], below, here);
        lower_gram(to, samples.get(first.., ..), par);
    };
    match (l, inputs) {
        (1, LayerInputs::Rows(x)) => gram(inner, x.as_ref()),
        (1, LayerInputs::Unit(_)) => {
            inner.fill(0.0);
            (0..here).for_each(|j| inner[j * below + j] = 1.0);
        }
        _ => gram(inner, passes.hidden[l - 1].transpose()),
    }
    if l < layers {
        gram(outer, passes.backward[l].transpose());
    }
    for j in 0..here {
        let to = &mut kernel.col_as_slice_mut(first + j)[first + j..];
        let from_diagonal = j * below + j..(j + 1) * below;
        let (inner, outer) = (&inner[from_diagonal.clone()], &outer[from_diagonal]);
        if l == layers {
            // g_L = 1.
            to.iter_mut().zip(inner).for_each(|(k, h)| *k += weight * h + bias);
        } else {
            to.iter_mut().zip(inner.iter().zip(outer)).for_each(|(k, (h, g))| *k += g * (weight * h + bias));
        }
    }
}

/// The first columns of `samples samples^T`, on and below the diagonal; some entries above it are computed as well.
fn lower_gram(to: MatMut<'_, f64>, samples: MatRef<'_, f64>, par: Par) {
    let columns = to.ncols();
    if columns <= LEAST_BLOCK {
        matmul(to, Accum::Replace, samples, samples.get(..columns, ..).transpose(), 1.0, par);
        return;
    }
    let half = columns.div_ceil(2);
    let (mut left, right) = to.split_at_col_mut(half);
    let (corner, rest) = left.rb_mut().split_at_row_mut(half);
    lower_gram(corner, samples.get(..half, ..), par);
    matmul(rest, Accum::Replace, samples.get(half.., ..), samples.get(..half, ..).transpose(), 1.0, par);
    lower_gram(right.split_at_row_mut(half).1, samples.get(half.., ..), par);
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

    /// Several panels against the formula with whole matrices.
    #[test]
    fn panels_make_up_the_whole() {
        let n = 2 * PANEL + 37;
        let network = draw(Activation::Softplus, &[6, 8, 7, 1], Law::LeCun, 5);
        let inputs = Mat::from_fn(n, 6, |i, j| ((3 * i + 7 * j) as f64).sin());
        let metric = Metric { weights: vec![1.0, 1.0, 0.5, 0.3], biases: vec![1.0, 0.7, 0.0, 1.5] };
        let inputs = LayerInputs::Rows(inputs);
        let kernel = tangent_kernel(&network, &inputs, &metric, Par::Seq);
        assert_eq!(kernel, tangent_kernel(&network, &inputs, &metric, Par::rayon(2)));
        let mut passes = Passes::new(&network, n);
        passes.forward(&network, &inputs, Par::Seq);
        passes.backwards(&network, &vec![1.0; n], Par::Seq);
        let LayerInputs::Rows(x) = &inputs else { unreachable!() };
        for (i, j) in [(0, 0), (n - 1, 0), (3, PANEL), (PANEL, PANEL - 1), (n - 1, n - 2), (2 * PANEL + 1, PANEL + 5)] {
            let dot = |a: MatRef<'_, f64>| (0..a.nrows()).map(|k| a[(k, i)] * a[(k, j)]).sum::<f64>();
            let h = [dot(x.transpose()), dot(passes.hidden[1].as_ref()), dot(passes.hidden[2].as_ref())];
            let expected: f64 = (1..=3)
                .map(|l| {
                    let (weight, bias) = (metric.weights[l].powi(2), metric.biases[l].powi(2));
                    dot(passes.backward[l].as_ref()) * (weight * h[l - 1] + bias)
                })
                .sum();
            for entry in [kernel[(i, j)], kernel[(j, i)]] {
                assert!((entry - expected).abs() < 1e-12 * kernel.norm_max());
            }
        }
    }
}
