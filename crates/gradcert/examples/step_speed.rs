//! Time of a full-batch step of gradient descent and of an activation with its slope, one thread: `step_speed [SECONDS PER ROW]`.

use faer::{Mat, Par};
use gradcert::network::activation::Activation;
use gradcert::network::passes::LayerInputs;
use gradcert::network::random::{Law, draw};
use gradcert::theorem::centre::Metric;
use gradcert::train::descent::{Descent, TrainingSet};
use std::time::Instant;

/// n, d, width, layers.
const ROWS: [(usize, usize, usize, usize); 5] =
    [(50, 100, 10, 3), (50, 100, 100, 3), (60, 7129, 10, 3), (60, 20_000, 50, 3), (1000, 1000, 256, 3)];

#[allow(clippy::print_stdout)]
fn main() {
    let seconds: f64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(0.5);
    steps(seconds);
    for name in ["smooth-leaky-relu:0.1", "tanh", "sigmoid", "silu", "algebraic", "arctan", "erf", "gelu"] {
        if let Ok(activation) = name.parse() {
            println!("{name}: {:.2} ns", nanoseconds(activation));
        }
    }
}

/// Per number, value and slope, the fastest of many blocks.
fn nanoseconds(activation: Activation) -> f64 {
    let points: Vec<f64> = (0..4096).map(|i| f64::from(i) * 0.002 - 4.0).collect();
    let (mut values, mut slopes) = (points.clone(), points.clone());
    let blocks = (0..200).map(|_| {
        values.copy_from_slice(&points);
        let began = Instant::now();
        activation.values_and_slopes(&mut values, &mut slopes);
        began.elapsed().as_secs_f64() / points.len() as f64 * 1e9
    });
    blocks.fold(f64::INFINITY, f64::min)
}

#[allow(clippy::print_stdout)]
fn steps(seconds: f64) {
    for (n, d, width, layers) in ROWS {
        // After the reduction to the span of the inputs.
        let features = d.min(n);
        let mut widths = vec![features];
        widths.extend(vec![width; layers - 1]);
        widths.push(1);
        let inputs = Mat::from_fn(n, features, |i, j| ((i * 31 + j * 17) as f64).sin());
        let set = TrainingSet {
            inputs: LayerInputs::Rows(inputs),
            targets: (0..n).map(|i| (i as f64).cos()).collect(),
            multiplicity: vec![1.0; n],
        };
        let metric = Metric::plain(layers);
        let start = draw(Activation::SmoothLeakyRelu(0.1), &widths, Law::LeCun, 1);
        let mut descent = Descent::new(start, &set, &metric, 1e-3, Par::Seq);
        let mut times = vec![];
        let began = Instant::now();
        while began.elapsed().as_secs_f64() < seconds {
            let block = Instant::now();
            let steps = 1 + 20_000 / (n * width);
            (0..steps).for_each(|_| descent.step());
            times.push(block.elapsed().as_secs_f64() / steps as f64 * 1e6);
        }
        times.sort_by(f64::total_cmp);
        println!(
            "n = {n}, d = {d}, width {width}, L = {layers}: {:.1} us, median {:.1} us a step",
            times[0],
            times[times.len() / 2]
        );
    }
}
