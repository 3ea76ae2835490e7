//! The parts a run is made of, one thread: steps, activations with their slopes, tangent kernels, bounds on a ball.

use divan::{Bencher, counter::ItemsCount};
use faer::{Mat, Par};
use gradcert::kernel::tangent_kernel;
use gradcert::network::activation::Activation;
use gradcert::network::passes::LayerInputs;
use gradcert::network::random::{Law, draw};
use gradcert::theorem::centre::Metric;
use gradcert::train::descent::{Descent, TrainingSet};

fn main() {
    divan::main();
}

/// n, d, width, layers.
const NETWORKS: [(usize, usize, usize, usize); 5] =
    [(50, 100, 10, 3), (50, 100, 100, 3), (60, 7129, 10, 3), (60, 20_000, 50, 3), (1000, 1000, 256, 3)];

fn names() -> impl Iterator<Item = String> {
    NETWORKS.iter().map(|(n, d, width, layers)| format!("n={n},d={d},width={width},L={layers}"))
}

fn widths(features: usize, width: usize, layers: usize) -> Vec<usize> {
    [vec![features], vec![width; layers - 1], vec![1]].concat()
}

fn inputs(n: usize, features: usize) -> LayerInputs {
    LayerInputs::Rows(Mat::from_fn(n, features, |i, j| ((i * 31 + j * 17) as f64).sin()))
}

/// A step of full-batch gradient descent, after the reduction to the span of the inputs (T11).
#[divan::bench(args = names())]
fn step(bencher: Bencher<'_, '_>, name: &str) {
    let Some((_, &(n, d, width, layers))) = names().zip(&NETWORKS).find(|(of, _)| of == name) else { return };
    let features = d.min(n);
    let set = TrainingSet {
        inputs: inputs(n, features),
        targets: (0..n).map(|i| (i as f64).cos()).collect(),
        multiplicity: vec![1.0; n],
    };
    let metric = Metric::plain(layers);
    let start = draw(Activation::SmoothLeakyRelu(0.1), &widths(features, width, layers), Law::LeCun, 1);
    let mut descent = Descent::new(start, &set, &metric, 1e-3, Par::Seq);
    bencher.bench_local(|| descent.step());
}

/// 4096 values and slopes.
#[divan::bench(args = ["smooth-leaky-relu:0.1", "tanh", "sigmoid", "silu", "algebraic", "arctan", "erf", "gelu"])]
fn activation_with_slope(bencher: Bencher<'_, '_>, name: &str) {
    let Ok(activation) = name.parse::<Activation>() else { return };
    let points: Vec<f64> = (0..4096).map(|i| f64::from(i) * 0.002 - 4.0).collect();
    let mut slopes = points.clone();
    bencher.counter(ItemsCount::new(points.len())).with_inputs(|| points.clone()).bench_local_refs(|values| {
        activation.values_and_slopes(values, &mut slopes);
    });
}

/// (T6), every layer and bias.
#[divan::bench(args = [(200, 100, 64), (1000, 784, 256)])]
fn tangent_kernel_three_layers(bencher: Bencher<'_, '_>, (n, d, width): (usize, usize, usize)) {
    let network = draw(Activation::SmoothLeakyRelu(0.1), &widths(d, width, 3), Law::LeCun, 1);
    let (set, metric) = (inputs(n, d), Metric::plain(3));
    bencher.bench_local(|| tangent_kernel(&network, &set, &metric, Par::Seq));
}
