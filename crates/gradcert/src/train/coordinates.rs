//! (T11), (T12): training in few coordinates, and the way back to a network that reads raw samples.
//!
//! With `A^T = Q R` (thin, A the samples, with the constant coordinate where T sees it):
//! *reduction* trains on `x Q`, the rows of R^T, and `W_1 = V Q^T + W_1(0)(I - Q Q^T)`; plain descent does the same in
//! both coordinates, step by step. *Whitening* trains on unit vectors, T = R^{-1} Q^T, and `[W_1, b_1] = V T`.

use crate::certify::problem::{Coordinates, Problem};
use crate::network::Network;
use crate::network::passes::LayerInputs;
use faer::{Mat, MatRef};

/// The coordinates in which the first layer is trained.
#[derive(Clone, Debug)]
pub enum TrainingCoordinates {
    /// Samples as they are: there is nothing to reduce when d <= n.
    Plain,
    /// (T11): Q (d x n).
    Reduced(Mat<f64>),
    /// (T12): Q ((d or d + 1) x n) and R (n x n).
    Whitened {
        /// Orthonormal basis of the samples.
        basis: Mat<f64>,
        /// Upper triangular factor.
        factor: Mat<f64>,
        /// Does T see the constant coordinate?
        bias: bool,
    },
}

fn thin_qr(samples: MatRef<'_, f64>) -> (Mat<f64>, Mat<f64>) {
    let qr = samples.transpose().to_owned().qr();
    (qr.compute_thin_Q(), qr.thin_R().to_owned())
}

impl TrainingCoordinates {
    /// The coordinates for a problem, and what the first layer reads in them.
    pub fn new(problem: &Problem) -> (TrainingCoordinates, LayerInputs) {
        let rows = problem.rows.middle();
        let (n, d) = rows.shape();
        match problem.coordinates {
            Coordinates::Raw if d <= n => (TrainingCoordinates::Plain, LayerInputs::Rows(rows.to_owned())),
            Coordinates::Raw => {
                let (basis, factor) = thin_qr(rows);
                (TrainingCoordinates::Reduced(basis), LayerInputs::Rows(factor.transpose().to_owned()))
            }
            Coordinates::Whitened { bias } => {
                let samples = Mat::from_fn(n, d + usize::from(bias), |i, j| if j < d { rows[(i, j)] } else { 1.0 });
                let (basis, factor) = thin_qr(samples.as_ref());
                (TrainingCoordinates::Whitened { basis, factor, bias }, LayerInputs::Unit(n))
            }
        }
    }

    /// The same without reduction, for methods that depend on the basis: samples as they are, or whitened ones.
    pub fn given(problem: &Problem) -> (TrainingCoordinates, LayerInputs) {
        match problem.coordinates {
            Coordinates::Raw => (TrainingCoordinates::Plain, LayerInputs::Rows(problem.rows.middle().to_owned())),
            Coordinates::Whitened { .. } => TrainingCoordinates::new(problem),
        }
    }

    /// The start in these coordinates. A start for whitened inputs is given in them already.
    pub fn enter(&self, start: &Network) -> Network {
        let mut network = start.clone();
        if let TrainingCoordinates::Reduced(basis) = self {
            network.weights[1] = &start.weights[1] * basis;
        }
        network
    }

    /// The network that reads raw samples. `start` is the start in raw coordinates.
    pub fn leave(&self, trained: &Network, start: &Network) -> Network {
        let mut network = trained.clone();
        match self {
            TrainingCoordinates::Plain => {}
            TrainingCoordinates::Reduced(basis) => {
                let moved = &trained.weights[1] - &start.weights[1] * basis;
                network.weights[1] = &start.weights[1] + moved * basis.transpose();
            }
            TrainingCoordinates::Whitened { basis, factor, bias } => {
                let folded = fold(&trained.weights[1], basis, factor);
                let d = folded.ncols() - usize::from(*bias);
                network.weights[1] = folded.subcols(0, d).to_owned();
                if *bias {
                    for (j, b) in network.biases[1].iter_mut().enumerate() {
                        *b += folded[(j, d)];
                    }
                }
            }
        }
        network
    }
}

/// `V R^{-1} Q^T`, by a triangular solve with `R^T`.
fn fold(weights: &Mat<f64>, basis: &Mat<f64>, factor: &Mat<f64>) -> Mat<f64> {
    let mut solution = weights.transpose().to_owned();
    faer::linalg::triangular_solve::solve_lower_triangular_in_place(
        factor.transpose(),
        solution.as_mut(),
        faer::get_global_parallelism(),
    );
    solution.transpose() * basis.transpose()
}
