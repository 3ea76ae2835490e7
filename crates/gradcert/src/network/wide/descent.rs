//! Gradient descent on all layers, loss `L = |f(X) - y|^2 / 2` (a sum), one step for all.

use super::{WideNetwork, WidePasses};
use crate::network::product::matmul;
use faer::{Accum, Mat, Par};

/// The gradient of the loss.
#[derive(Clone, Debug)]
pub struct WideGradient {
    /// By `W^(h)`; entry 0 is empty.
    pub weights: Vec<Mat<f64>>,
    /// By a.
    pub output: Mat<f64>,
}

impl WidePasses {
    /// `sum_i rho_i df_i`, the gradient of the loss at residuals `rho = f(X) - y`.
    pub fn gradient(&self, residual: &[f64], par: Par) -> WideGradient {
        let p = self.shape.pixels;
        let mut weights = vec![Mat::zeros(0, 0)];
        for h in 1..=self.shape.depth {
            let d = &self.backward[h];
            let weighted = Mat::from_fn(d.nrows(), d.ncols(), |k, j| residual[j / p] * d[(k, j)]);
            let mut gradient = Mat::zeros(d.nrows(), self.patches[h].nrows());
            matmul(gradient.as_mut(), Accum::Replace, &weighted, self.patches[h].transpose(), 1.0, par);
            weights.push(gradient);
        }
        let entry = |k: usize, l: usize| residual.iter().enumerate().map(|(i, r)| r * self.last[(k, i * p + l)]).sum();
        WideGradient { weights, output: Mat::from_fn(self.shape.width, p, entry) }
    }
}

/// A run.
#[derive(Clone, Debug)]
pub struct WideTraining {
    network: WideNetwork,
    inputs: Mat<f64>,
    targets: Vec<f64>,
    passes: WidePasses,
    par: Par,
}

impl WideTraining {
    /// At the start; x is n x features, y has n targets.
    pub fn new(network: WideNetwork, x: &Mat<f64>, y: &[f64], par: Par) -> WideTraining {
        let passes = WidePasses::new(&network, x, par);
        WideTraining { network, inputs: x.clone(), targets: y.to_vec(), passes, par }
    }

    /// The network as it is now.
    pub fn network(&self) -> &WideNetwork {
        &self.network
    }

    /// Passes at the present weights.
    pub fn passes(&self) -> &WidePasses {
        &self.passes
    }

    /// `f(X) - y`.
    pub fn residual(&self) -> Vec<f64> {
        self.passes.outputs.iter().zip(&self.targets).map(|(f, y)| f - y).collect()
    }

    /// `|f(X) - y|^2 / 2`.
    pub fn loss(&self) -> f64 {
        0.5 * self.residual().iter().map(|r| r * r).sum::<f64>()
    }

    /// One step of gradient descent.
    pub fn step(&mut self, step: f64) {
        let gradient = self.passes.gradient(&self.residual(), self.par);
        for (w, g) in self.network.weights.iter_mut().zip(&gradient.weights) {
            *w -= faer::Scale(step) * g;
        }
        self.network.output -= faer::Scale(step) * &gradient.output;
        self.passes = WidePasses::new(&self.network, &self.inputs, self.par);
    }
}
