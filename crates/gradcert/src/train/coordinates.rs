//! (T11), (T12): training in few coordinates, and the way back to a network that reads raw samples.
//!
//! With `A^T = Q R` (thin, A the samples, with the constant coordinate where T sees it):
//! *reduction* trains on `x Q`, the rows of R^T, and `W_1 = V Q^T + W_1(0)(I - Q Q^T)`; plain descent does the same in
//! both coordinates, step by step. *Whitening* trains on unit vectors, T = R^{-1} Q^T, and `[W_1, b_1] = V T`.

use crate::certify::problem::{Coordinates, Problem};
use crate::network::Network;
use crate::network::passes::LayerInputs;
use crate::network::product::matmul;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::householder::{
    apply_block_householder_sequence_on_the_left_in_place_scratch,
    apply_block_householder_sequence_on_the_left_in_place_with_conj,
};
use faer::linalg::qr::no_pivoting::factor::{qr_in_place, qr_in_place_scratch, recommended_block_size};
use faer::{Accum, Conj, Mat, MatRef, Par, Spec};

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

/// Q and R of the transposed samples.
///
/// The library's parallel factorisation of tall matrices depends on the number of threads in its last bits, so one thread does it.
fn thin_qr(samples: MatRef<'_, f64>) -> (Mat<f64>, Mat<f64>) {
    let mut basis = samples.transpose().to_owned();
    let (rows, columns) = basis.shape();
    let (size, block) = (rows.min(columns), recommended_block_size::<f64>(rows, columns));
    let mut coefficients = Mat::zeros(block, size);
    let parameters = Spec::default();
    let scratch = qr_in_place_scratch::<f64>(rows, columns, block, ALONE, parameters);
    qr_in_place(basis.as_mut(), coefficients.as_mut(), ALONE, MemStack::new(&mut MemBuffer::new(scratch)), parameters);
    let factor = Mat::from_fn(size, columns, |i, j| if i <= j { basis[(i, j)] } else { 0.0 });
    let mut q = Mat::identity(rows, size);
    let scratch = apply_block_householder_sequence_on_the_left_in_place_scratch::<f64>(rows, block, size);
    apply_block_householder_sequence_on_the_left_in_place_with_conj(
        basis.get(.., ..size),
        coefficients.as_ref(),
        Conj::No,
        q.as_mut(),
        ALONE,
        MemStack::new(&mut MemBuffer::new(scratch)),
    );
    (q, factor)
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
            network.weights[1] = times(start.weights[1].as_ref(), basis.as_ref());
        }
        network
    }

    /// The network that reads raw samples. `start` is the start in raw coordinates.
    pub fn leave(&self, trained: &Network, start: &Network) -> Network {
        let mut network = trained.clone();
        match self {
            TrainingCoordinates::Plain => {}
            TrainingCoordinates::Reduced(basis) => {
                let moved = &trained.weights[1] - times(start.weights[1].as_ref(), basis.as_ref());
                network.weights[1] = &start.weights[1] + times(moved.as_ref(), basis.transpose());
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

const ALONE: Par = Par::Seq;

/// `V R^{-1} Q^T`, by a triangular solve with `R^T`.
fn fold(weights: &Mat<f64>, basis: &Mat<f64>, factor: &Mat<f64>) -> Mat<f64> {
    let mut solution = weights.transpose().to_owned();
    faer::linalg::triangular_solve::solve_lower_triangular_in_place(factor.transpose(), solution.as_mut(), ALONE);
    times(solution.transpose(), basis.transpose())
}

/// `A B`, the same bits for every number of threads.
fn times(a: MatRef<'_, f64>, b: MatRef<'_, f64>) -> Mat<f64> {
    let mut product = Mat::zeros(a.nrows(), b.ncols());
    matmul(product.as_mut(), Accum::Replace, a, b, 1.0, faer::get_global_parallelism());
    product
}
