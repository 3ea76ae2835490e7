//! Full-batch gradient descent on `S = (1/n) sum_i m_i rho_i^2` (a mean over n = sum m_i samples) in a metric:
//! `w <- w - eta D^2 grad S`. Path lengths and distances are in `u = D^{-1} w`.

use crate::network::Network;
use crate::network::passes::{LayerInputs, Passes};
use crate::network::product::{dot, matmul};
use crate::theorem::centre::Metric;
use faer::{Accum, Mat, Par};

/// The data of a run: what the first layer reads, targets, multiplicities.
#[derive(Clone, Debug)]
pub struct TrainingSet {
    /// Rows read by the first layer.
    pub inputs: LayerInputs,
    /// Targets, one per row.
    pub targets: Vec<f64>,
    /// Multiplicities `m_i`.
    pub multiplicity: Vec<f64>,
}

impl TrainingSet {
    /// n, duplicates counted.
    pub fn total(&self) -> f64 {
        self.multiplicity.iter().sum()
    }
}

/// Gradient descent in progress.
#[derive(Clone, Debug)]
pub struct Descent<'a> {
    set: &'a TrainingSet,
    metric: &'a Metric,
    step_size: f64,
    par: Par,
    network: Network,
    start: Network,
    passes: Passes,
    gradient: Vec<Mat<f64>>,
    bias_gradient: Vec<Vec<f64>>,
    weights: Vec<f64>,
    loss: f64,
    path: f64,
    iteration: u64,
}

impl<'a> Descent<'a> {
    /// At the start, iteration 0.
    pub fn new(start: Network, set: &'a TrainingSet, metric: &'a Metric, step_size: f64, par: Par) -> Descent<'a> {
        let samples = set.inputs.samples();
        let gradient = start.weights.iter().map(|w| Mat::zeros(w.nrows(), w.ncols())).collect();
        let bias_gradient = start.biases.iter().map(|b| vec![0.0; b.len()]).collect();
        let passes = Passes::new(&start, samples);
        let mut descent = Descent {
            set,
            metric,
            step_size,
            par,
            network: start.clone(),
            start,
            passes,
            gradient,
            bias_gradient,
            weights: vec![0.0; samples],
            loss: 0.0,
            path: 0.0,
            iteration: 0,
        };
        descent.evaluate();
        descent
    }

    /// The loss S at the current iteration.
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// Number of steps taken.
    pub fn iteration(&self) -> u64 {
        self.iteration
    }

    /// Length of the path walked, in u.
    pub fn path(&self) -> f64 {
        self.path
    }

    /// The current network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Outputs at the current iteration, one per row.
    pub fn outputs(&self) -> &[f64] {
        &self.passes.output
    }

    /// `|u - u_0|`; frozen groups do not move.
    pub fn distance(&self) -> f64 {
        let mut total = 0.0;
        for l in 1..=self.network.layers() {
            let (weight, bias) = (self.metric.weights[l], self.metric.biases[l]);
            if weight > 0.0 {
                let difference = &self.network.weights[l] - &self.start.weights[l];
                total += difference.squared_norm_l2() / (weight * weight);
            }
            if bias > 0.0 {
                let moved = self.network.biases[l].iter().zip(&self.start.biases[l]);
                total += moved.map(|(b, a)| (b - a).powi(2)).sum::<f64>() / (bias * bias);
            }
        }
        total.sqrt()
    }

    fn evaluate(&mut self) {
        self.passes.forward(&self.network, &self.set.inputs, self.par);
        let n = self.set.total();
        let mut loss = 0.0;
        for i in 0..self.weights.len() {
            let (residual, m) = (self.passes.output[i] - self.set.targets[i], self.set.multiplicity[i]);
            loss += m * residual * residual;
            self.weights[i] = 2.0 / n * m * residual;
        }
        self.loss = loss / n;
    }

    /// One step.
    pub fn step(&mut self) {
        self.passes.backwards(&self.network, &self.weights, self.par);
        let mut walked = 0.0;
        for l in 1..=self.network.layers() {
            let (weight, bias) = (self.metric.weights[l], self.metric.biases[l]);
            let g = &self.passes.backward[l];
            if weight > 0.0 {
                let gradient = &mut self.gradient[l];
                match (l, &self.set.inputs) {
                    (1, LayerInputs::Rows(x)) => {
                        matmul(gradient.as_mut(), Accum::Replace, g.as_ref(), x, 1.0, self.par)
                    }
                    (1, LayerInputs::Unit(_)) => gradient.copy_from(g.as_ref()),
                    _ => {
                        let h = &self.passes.hidden[l - 1];
                        matmul(gradient.as_mut(), Accum::Replace, g.as_ref(), h.transpose(), 1.0, self.par);
                    }
                }
                walked += move_against(&mut self.network.weights[l], gradient, self.step_size, weight);
            }
            if bias > 0.0 {
                let slopes = &mut self.bias_gradient[l];
                g.sum_into(slopes);
                for (b, slope) in self.network.biases[l].iter_mut().zip(slopes) {
                    *b -= self.step_size * bias * bias * *slope;
                    walked += (self.step_size * bias * *slope).powi(2);
                }
            }
        }
        self.path += walked.sqrt();
        self.iteration += 1;
        self.evaluate();
    }
}

/// `W -= eta D^2 gradient`; returns the squared length of the step in u.
fn move_against(weights: &mut Mat<f64>, gradient: &Mat<f64>, step_size: f64, factor: f64) -> f64 {
    let (scale, mut squares) = (step_size * factor * factor, 0.0);
    for j in 0..weights.ncols() {
        let column = gradient.col_as_slice(j);
        weights.col_as_slice_mut(j).iter_mut().zip(column).for_each(|(w, g)| *w -= scale * g);
        squares += dot(column, column);
    }
    (step_size * factor).powi(2) * squares
}
