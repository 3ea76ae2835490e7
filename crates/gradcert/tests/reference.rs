//! Agreement with a plain float64 transcription of (T9+), (T16n), (T16e) and (T9m), `oracle/bounds.py`, on fixed networks and data: the
//! attack shows that the bounds are not too small, this that they are the bounds of the statements.

mod support;

use faer::Mat;
use gradcert::theorem::ball::ball;
use gradcert::theorem::centre::Metric;
use gradcert::theorem::inputs::InputBounds;
use gradcert::theorem::multiplicative::{CELLS, multiplicative_factor};
use gradcert::theorem::start::PositiveStart;
use gradcert::theorem::whitened::third_order::third_derivative;
use gradcert::theorem::whitened::two_layers::TwoLayers;
use gradcert_rigor::linear::{EnclosedMatrix, RelativeTo};
use serde::Deserialize;
use support::case::{Case, zeros};
use support::sigma::{self, Sigma};

const ORACLE: &str = include_str!("oracle/bounds.json");

#[derive(Deserialize)]
struct Oracle {
    general: Vec<General>,
    two_layers: Vec<TwoLayerNetwork>,
    positive: Vec<Positive>,
}

#[derive(Deserialize)]
struct At {
    activation: String,
    inputs: Vec<Vec<f64>>,
    multiplicity: Vec<u32>,
    weights: Vec<Vec<Vec<f64>>>,
    biases: Vec<Vec<f64>>,
    weight_factors: Vec<f64>,
    bias_factors: Vec<f64>,
}

impl At {
    fn case(self) -> Case {
        let mut widths = vec![self.inputs[0].len()];
        widths.extend(self.biases.iter().map(Vec::len));
        let mut net = zeros(activation(&self.activation), &widths);
        for l in 1..widths.len() {
            net.weights[l].clone_from(&self.weights[l - 1]);
            net.biases[l].clone_from(&self.biases[l - 1]);
        }
        net.weight_factor = self.weight_factors;
        net.bias_factor = self.bias_factors;
        Case { net, x: self.inputs, multiplicity: self.multiplicity }
    }
}

#[derive(Deserialize)]
struct General {
    #[serde(flatten)]
    at: At,
    balls: Vec<ExpectedBall>,
}

#[derive(Deserialize)]
struct TwoLayerNetwork {
    #[serde(flatten)]
    at: At,
    radius: f64,
    /// `N_2, ..., N_K` for K = 3, ..., 6.
    orders: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct ExpectedBall {
    s: f64,
    psi_first: f64,
    psi_all: f64,
    norm: f64,
    drift: f64,
    lipschitz: f64,
    third_order: f64,
}

#[derive(Deserialize)]
struct Positive {
    activation: String,
    widths: Vec<usize>,
    inputs: Vec<Vec<f64>>,
    hidden: Vec<f64>,
    output: f64,
    weight_factors: Vec<f64>,
    bias_factors: Vec<f64>,
    factors: Vec<ExpectedFactor>,
}

#[derive(Deserialize)]
struct ExpectedFactor {
    s: f64,
    factor: f64,
}

fn oracle() -> Oracle {
    serde_json::from_str(ORACLE).unwrap()
}

fn activation(name: &str) -> Sigma {
    match name {
        "smooth-leaky-relu:0.1" => sigma::leaky(),
        "softplus" => sigma::softplus(),
        "tanh" => sigma::tanh(),
        other => panic!("{other}"),
    }
}

/// Relative to the value, or to what the value was subtracted from.
fn agree(name: &str, found: f64, expected: f64, scale: f64) {
    assert!((found - expected).abs() <= 1e-9 * scale.max(expected), "{name}: {found} instead of {expected}");
}

#[test]
fn bounds_on_balls_are_those_of_the_statement() {
    for (number, general) in oracle().general.into_iter().enumerate() {
        let case = general.at.case();
        let (centre, _) = case.centre();
        for expected in general.balls {
            let found = ball(&centre, expected.s);
            let name = |what: &str| format!("{what} of case {number} at s = {}", expected.s);
            let smallest = centre.smin_jacobian.get();
            agree(&name("psi of layer 1"), found.psi_first.get(), expected.psi_first, centre.smin_inputs.get());
            agree(&name("psi of all layers"), found.psi_all.get(), expected.psi_all, smallest);
            agree(&name("sJ"), found.norm.get(), expected.norm, 0.0);
            agree(&name("dJ"), found.drift.get(), expected.drift, 0.0);
            agree(&name("LJ"), found.lipschitz.get(), expected.lipschitz, 0.0);
            let third = third_derivative(&centre, expected.s).expect("smooth").get();
            agree(&name("third order"), third, expected.third_order, 0.0);
        }
    }
}

#[test]
fn orders_of_two_layers_are_those_of_the_statement() {
    for (number, two) in oracle().two_layers.into_iter().enumerate() {
        let (radius, case) = (two.radius, two.at.case());
        let (centre, kernel) = case.centre();
        let relative = RelativeTo::new(&kernel, centre.smin_jacobian.square()).expect("positive definite");
        let bounds = TwoLayers::new(&case.network(), &case.passes(), &case.metric(), &case.inputs(), &relative);
        let bounds = bounds.expect("two layers");
        for (last, expected) in (3..).zip(two.orders) {
            let found = bounds.orders(last, radius);
            assert_eq!(found.values().len(), expected.len());
            for (k, (found, expected)) in (2..).zip(found.values().iter().zip(expected)) {
                agree(&format!("N_{k} of {last} of case {number}"), found.get(), expected, 0.0);
            }
        }
    }
}

#[test]
fn multiplicative_bound_is_that_of_the_statement() {
    for (number, positive) in oracle().positive.into_iter().enumerate() {
        let (n, d) = (positive.inputs.len(), positive.inputs[0].len());
        let rows = EnclosedMatrix::exact(Mat::from_fn(n, d, |i, j| positive.inputs[i][j]));
        let inputs = InputBounds::of_rows(&rows, &vec![1; n], positive.bias_factors[1] != 0.0);
        let metric = Metric { weights: positive.weight_factors, biases: positive.bias_factors };
        let sigma = activation(&positive.activation).of_library;
        let start = PositiveStart::new(sigma, &positive.widths, &positive.hidden, positive.output, metric, &inputs);
        for expected in positive.factors {
            let found = multiplicative_factor(&start, expected.s, CELLS).get();
            agree(&format!("P of case {number} at s = {}", expected.s), found, expected.factor, 1e-2);
        }
    }
}
