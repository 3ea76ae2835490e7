//! (T11), (T12), (T13): the same training in other coordinates.

use faer::{Mat, Par};
use gradcert::certify::problem::{Coordinates, Problem};
use gradcert::certify::random::by_fan_in;
use gradcert::network::Network;
use gradcert::network::activation::Activation;
use gradcert::network::passes::LayerInputs;
use gradcert::network::random::{Law, draw};
use gradcert::theorem::centre::Metric;
use gradcert::train::coordinates::TrainingCoordinates;
use gradcert::train::descent::{Descent, TrainingSet};
use gradcert::train::run::loss_of;

const SAMPLES: usize = 6;
const FEATURES: usize = 40;

fn problem(coordinates: Coordinates) -> Problem {
    let w = draw(Activation::Identity, &[FEATURES, SAMPLES, 1], Law::LeCun, 5);
    let values: Vec<f64> = (0..SAMPLES * FEATURES).map(|k| 4.0 * w.weights[1][(k / FEATURES, k % FEATURES)]).collect();
    let targets = (0..SAMPLES).map(|i| w.weights[2][(0, i)]).collect();
    Problem::new(&values, SAMPLES, FEATURES, targets, coordinates)
}

fn set(problem: &Problem, inputs: LayerInputs) -> TrainingSet {
    let multiplicity = problem.multiplicity.iter().map(|&m| f64::from(m)).collect();
    TrainingSet { inputs, targets: problem.targets.clone(), multiplicity }
}

fn losses(start: &Network, set: &TrainingSet, metric: &Metric, step_size: f64) -> (Vec<f64>, Network) {
    let mut descent = Descent::new(start.clone(), set, metric, step_size, Par::Seq);
    let mut losses = vec![descent.loss()];
    for _ in 0..100 {
        descent.step();
        losses.push(descent.loss());
    }
    (losses, descent.network().clone())
}

fn agree(a: &[f64], b: &[f64], tolerance: f64) {
    for (k, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= tolerance * a.abs().max(1e-3 * tolerance), "iteration {k}: {a} and {b}");
    }
}

#[test]
fn reduced_training_is_full_training() {
    let problem = problem(Coordinates::Raw);
    let start = draw(Activation::Tanh, &[FEATURES, 7, 5, 1], Law::LeCun, 2);
    let metric = Metric::plain(3);
    let full = set(&problem, LayerInputs::Rows(problem.rows.middle().to_owned()));
    let (expected, trained) = losses(&start, &full, &metric, 0.02);
    let (coordinates, inputs) = TrainingCoordinates::new(&problem);
    assert_eq!(inputs.features(), SAMPLES);
    let (found, reduced) = losses(&coordinates.enter(&start), &set(&problem, inputs), &metric, 0.02);
    agree(&expected, &found, 1e-12);
    let back = coordinates.leave(&reduced, &start);
    assert!((&back.weights[1] - &trained.weights[1]).norm_max() < 1e-12);
}

#[test]
fn folded_whitened_networks_predict_the_same_on_raw_samples() {
    for bias in [false, true] {
        let problem = problem(Coordinates::Whitened { bias });
        let (coordinates, inputs) = TrainingCoordinates::new(&problem);
        let start = Network::positive(Activation::SmoothLeakyRelu(0.1), &[SAMPLES, 7, 1], &[], 3.0);
        let mut metric = Metric::plain(2);
        metric.biases[1] = 0.0;
        let (found, trained) = losses(&start, &set(&problem, inputs), &metric, 0.05);
        let folded = coordinates.leave(&trained, &start);
        let loss = loss_of(&folded, &problem, Par::Seq);
        let last = found[found.len() - 1];
        assert!((loss - last).abs() <= 1e-12 * found[0], "{loss} and {last}");
        assert_eq!(folded.weights[1].ncols(), FEATURES);
    }
}

#[test]
fn merged_duplicates_give_the_same_trajectory() {
    let merged = problem(Coordinates::Raw).with_multiplicity(vec![1, 2, 1, 3, 1, 1]);
    let rows = merged.rows.middle();
    let order: Vec<usize> = (0..SAMPLES).flat_map(|i| vec![i; merged.multiplicity[i] as usize]).collect();
    let repeated = Mat::from_fn(order.len(), FEATURES, |i, j| rows[(order[i], j)]);
    let whole = TrainingSet {
        inputs: LayerInputs::Rows(repeated),
        targets: order.iter().map(|&i| merged.targets[i]).collect(),
        multiplicity: vec![1.0; order.len()],
    };
    let start = draw(Activation::Erf, &[FEATURES, 4, 1], Law::LeCun, 8);
    let metric = Metric::plain(2);
    let (expected, _) = losses(&start, &whole, &metric, 0.02);
    let (found, _) = losses(&start, &set(&merged, LayerInputs::Rows(rows.to_owned())), &metric, 0.02);
    agree(&expected, &found, 1e-12);
}

/// `z_l = Theta_l h_{l-1} / sqrt(d_{l-1}) + b_l`: a step of gradient descent on (Theta, b), its gradient by differences, is the step of
/// the weights in the metric.
#[test]
fn tangent_kernel_parametrisation_is_a_metric() {
    let problem = problem(Coordinates::Raw);
    let widths = [FEATURES, 3, 2, 1];
    let start = draw(Activation::Tanh, &widths, Law::LeCun, 2);
    let metric = by_fan_in(Metric::plain(3), &widths);
    let set = set(&problem, LayerInputs::Rows(problem.rows.middle().to_owned()));
    let (step_size, difference) = (0.1, 1e-5);
    let mut descent = Descent::new(start.clone(), &set, &metric, step_size, Par::Seq);
    descent.step();
    for l in 1..=3 {
        let root = (widths[l - 1] as f64).sqrt();
        for i in 0..widths[l] {
            for j in 0..widths[l - 1] {
                let loss = |change: f64| {
                    let mut moved = start.clone();
                    // Theta moves by `change`.
                    moved.weights[l][(i, j)] += change / root;
                    loss_of(&moved, &problem, Par::Seq)
                };
                let slope = (loss(difference) - loss(-difference)) / (2.0 * difference);
                let theta = |network: &Network| root * network.weights[l][(i, j)];
                let moved = theta(descent.network()) - theta(&start);
                assert!((moved + step_size * slope).abs() < 1e-9, "layer {l}: {moved} {slope}");
            }
            let loss = |change: f64| {
                let mut moved = start.clone();
                moved.biases[l][i] += change;
                loss_of(&moved, &problem, Par::Seq)
            };
            let slope = (loss(difference) - loss(-difference)) / (2.0 * difference);
            assert!((descent.network().biases[l][i] + step_size * slope).abs() < 1e-9, "bias of layer {l}");
        }
    }
}
