//! Gradient flow of a network: `u' = -grad S` in the coordinates of the metric, on few coordinates of the inputs (T11), (T12).

use super::coordinates::TrainingCoordinates;
use super::flow::{Field, Flow, Promise, Settings, integrate};
use crate::certify::problem::Problem;
use crate::network::Network;
use crate::network::passes::{LayerInputs, Passes};
use crate::network::product::matmul;
use crate::theorem::centre::Metric;
use faer::{Accum, Mat, MatRef, Par};
use std::cell::RefCell;

/// The mean loss S of a network as a function of its trained parameters u, layer by layer, weights by columns, then biases.
pub struct NetworkField {
    inputs: LayerInputs,
    targets: Vec<f64>,
    multiplicity: Vec<f64>,
    metric: Metric,
    par: Par,
    start: Network,
    state: RefCell<(Network, Passes)>,
}

impl NetworkField {
    /// `start` is in the coordinates that `inputs` are given in.
    pub fn new(start: Network, inputs: LayerInputs, problem: &Problem, metric: &Metric, par: Par) -> NetworkField {
        let passes = Passes::new(&start, inputs.samples());
        NetworkField {
            targets: problem.targets.clone(),
            multiplicity: problem.multiplicity.iter().map(|&m| f64::from(m)).collect(),
            metric: metric.clone(),
            par,
            state: RefCell::new((start.clone(), passes)),
            start,
            inputs,
        }
    }

    /// The trained parameters of a network, in u.
    pub fn parameters(&self, network: &Network) -> Vec<f64> {
        let mut u = vec![];
        for l in 1..=network.layers() {
            let (weight, bias) = (self.metric.weights[l], self.metric.biases[l]);
            if weight > 0.0 {
                u.extend(network.weights[l].col_iter().flat_map(|c| c.iter().map(|w| w / weight).collect::<Vec<_>>()));
            }
            if bias > 0.0 {
                u.extend(network.biases[l].iter().map(|b| b / bias));
            }
        }
        u
    }

    /// The network with trained parameters u.
    pub fn network(&self, u: &[f64]) -> Network {
        let mut network = self.start.clone();
        self.write(u, &mut network);
        network
    }

    /// `f(x_i)` of the network with trained parameters u.
    pub fn outputs(&self, u: &[f64]) -> Vec<f64> {
        let (network, passes) = &mut *self.state.borrow_mut();
        self.write(u, network);
        passes.forward(network, &self.inputs, self.par);
        passes.output.clone()
    }

    fn write(&self, u: &[f64], network: &mut Network) {
        let mut u = u.iter();
        for l in 1..=network.layers() {
            let (weight, bias) = (self.metric.weights[l], self.metric.biases[l]);
            if weight > 0.0 {
                let w = &mut network.weights[l];
                for j in 0..w.ncols() {
                    w.col_as_slice_mut(j).iter_mut().zip(u.by_ref()).for_each(|(w, u)| *w = weight * u);
                }
            }
            if bias > 0.0 {
                network.biases[l].iter_mut().zip(u.by_ref()).for_each(|(b, u)| *b = bias * u);
            }
        }
    }

    /// dS/dW_l for the last backward pass.
    fn weight_gradient(&self, l: usize, passes: &Passes) -> Mat<f64> {
        let g = passes.backward[l].as_ref();
        let product = |right: MatRef<'_, f64>| {
            let mut gradient = Mat::zeros(g.nrows(), right.ncols());
            matmul(gradient.as_mut(), Accum::Replace, g, right, 1.0, self.par);
            gradient
        };
        match (l, &self.inputs) {
            (1, LayerInputs::Rows(x)) => product(x.as_ref()),
            (1, LayerInputs::Unit(_)) => g.to_owned(),
            _ => product(passes.hidden[l - 1].transpose()),
        }
    }
}

impl Field for NetworkField {
    fn dimension(&self) -> usize {
        let widths = self.start.widths();
        let size = |l: usize| {
            let weights = if self.metric.weights[l] > 0.0 { widths[l] * widths[l - 1] } else { 0 };
            weights + if self.metric.biases[l] > 0.0 { widths[l] } else { 0 }
        };
        (1..widths.len()).map(size).sum()
    }

    fn gradient(&self, u: &[f64], gradient: &mut [f64]) -> f64 {
        let (network, passes) = &mut *self.state.borrow_mut();
        self.write(u, network);
        passes.forward(network, &self.inputs, self.par);
        let n: f64 = self.multiplicity.iter().sum();
        let residuals = passes.output.iter().zip(&self.targets).map(|(f, y)| f - y);
        let (mut loss, mut weights) = (0.0, vec![]);
        for (rho, m) in residuals.zip(&self.multiplicity) {
            loss += m * rho * rho;
            weights.push(2.0 / n * m * rho);
        }
        passes.backwards(network, &weights, self.par);
        let mut entries = gradient.iter_mut();
        for l in 1..=network.layers() {
            let (weight, bias) = (self.metric.weights[l], self.metric.biases[l]);
            if weight > 0.0 {
                let g = self.weight_gradient(l, passes);
                for j in 0..g.ncols() {
                    g.col_as_slice(j).iter().zip(entries.by_ref()).for_each(|(g, e)| *e = weight * g);
                }
            }
            if bias > 0.0 {
                let mut slopes = vec![0.0; network.biases[l].len()];
                passes.backward[l].sum_into(&mut slopes);
                slopes.iter().zip(entries.by_ref()).for_each(|(slope, e)| *e = bias * slope);
            }
        }
        loss / n
    }
}

/// A flow and the network it ended at, on raw samples.
pub struct NetworkFlow {
    /// The flow.
    pub flow: Flow,
    /// The network at its end.
    pub network: Network,
}

/// Integrates the flow of a network from `start` (in the coordinates of the problem).
pub fn run(
    problem: &Problem,
    start: &Network,
    metric: &Metric,
    settings: &Settings,
    promise: Option<Promise>,
    par: Par,
    progress: &mut dyn FnMut(f64, f64) -> bool,
) -> NetworkFlow {
    let (coordinates, inputs) = TrainingCoordinates::new(problem);
    let field = NetworkField::new(coordinates.enter(start), inputs, problem, metric, par);
    let u = field.parameters(&coordinates.enter(start));
    let flow = integrate(&field, &u, settings, promise, progress);
    let network = coordinates.leave(&field.network(&flow.end), start);
    NetworkFlow { flow, network }
}
