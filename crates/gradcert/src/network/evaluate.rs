//! Outputs for new samples, any number of them per sample, in plain floats.

use super::Network;
use super::columns::Columns;
use super::product::{dot, matmul};
use faer::{Accum, Mat, MatRef, Par};

impl Network {
    /// Number d_L of outputs.
    pub fn outputs(&self) -> usize {
        self.weights.last().map_or(0, Mat::nrows)
    }

    /// `f(x_i)` (d_L x n) for the rows x_i of a matrix (n x d_0). Where there is one output, the same operations as in
    /// [`super::passes::Passes::forward`], without the buffers of the backward pass.
    pub fn evaluate(&self, rows: MatRef<'_, f64>, par: Par) -> Mat<f64> {
        let (layers, samples) = (self.layers(), rows.nrows());
        let mut hidden = Columns::zeros(0, 0);
        let mut slopes = vec![];
        for l in 1..layers {
            let mut z = Columns::zeros(self.weights[l].nrows(), samples);
            z.iter_mut().for_each(|column| column.copy_from_slice(&self.biases[l]));
            let before = if l == 1 { rows.transpose() } else { hidden.as_ref() };
            matmul(z.as_mut(), Accum::Add, &self.weights[l], before, 1.0, par);
            slopes.resize(z.entries().len(), 0.0);
            self.activation.values_and_slopes(z.entries_mut(), &mut slopes);
            hidden = z;
        }
        let mut outputs = Mat::zeros(self.outputs(), samples);
        for (k, weights) in self.weights[layers].row_iter().enumerate() {
            let weights: Vec<f64> = weights.iter().copied().collect();
            for (i, h) in hidden.iter().enumerate() {
                outputs[(k, i)] = self.biases[layers][k] + dot(&weights, h);
            }
        }
        outputs
    }
}

#[cfg(test)]
mod tests {
    use crate::network::activation::Activation;
    use crate::network::passes::{LayerInputs, Passes};
    use crate::network::random::{Law, draw};
    use faer::{Mat, Par};

    #[test]
    fn one_output_is_that_of_the_training_pass() {
        let network = draw(Activation::Softplus, &[5, 7, 6, 1], Law::LeCun, 3);
        let rows = Mat::from_fn(9, 5, |i, j| ((3 * i + 5 * j) % 7) as f64 - 2.5);
        let mut passes = Passes::new(&network, 9);
        passes.forward(&network, &LayerInputs::Rows(rows.clone()), Par::Seq);
        let outputs = network.evaluate(rows.as_ref(), Par::Seq);
        assert_eq!((0..9).map(|i| outputs[(0, i)]).collect::<Vec<f64>>(), passes.output);
    }
}
