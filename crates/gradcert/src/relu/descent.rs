//! Training in floats, in the coordinates of the samples.
//!
//! *Reduced inputs (T11).* Updates of `w_r` are combinations of the samples, `w_r = w_r(0) + X^T b_r`, so the pre-activations `z_r = X w_r`
//! (n numbers) move by `G b_r`, G = X X^T, whatever d is. A step costs one n x n by n x m product, 2 n^2 m operations, and
//! the distance of a neuron from its start is `|X^T b_r| = sqrt(b_r.(z_r - z_r(0)))`.

use super::patterns::Patterns;
use super::start::Start;
use crate::network::product::{dot, matmul};
use faer::{Accum, Mat, MatMut, MatRef, Par};
use rayon::prelude::*;

/// Neurons that are moved together.
const BLOCK: usize = 256;

/// Which layers are trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trained {
    /// W alone: the setting of the theorems and of (T14).
    FirstLayer,
    /// W and the output weights, with the same step.
    BothLayers,
}

/// A network on its way.
#[derive(Clone, Debug)]
pub struct Training {
    gram: Mat<f64>,
    targets: Vec<f64>,
    trained: Trained,
    /// Pre-activations, n x m, and those of the start.
    z: Mat<f64>,
    z_start: Mat<f64>,
    /// Coordinates of the movement, n x m.
    moved: Mat<f64>,
    output_weights: Vec<f64>,
    residual: Vec<f64>,
    start: Patterns,
}

impl Training {
    /// At the start. `x` is n x d, one target per row.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn new(x: &Mat<f64>, targets: &[f64], start: &Start, trained: Trained) -> Training {
        assert_eq!((x.nrows(), x.ncols()), (targets.len(), start.features()), "the shapes differ");
        let par = faer::get_global_parallelism();
        let product = |a: MatRef<'_, f64>, b: MatRef<'_, f64>| {
            let mut c = Mat::zeros(a.nrows(), b.ncols());
            matmul(c.as_mut(), Accum::Replace, a, b, 1.0, par);
            c
        };
        let z = product(x.as_ref(), start.weights().as_ref());
        let mut training = Training {
            gram: product(x.as_ref(), x.transpose()),
            targets: targets.to_vec(),
            trained,
            start: Patterns::of(&z),
            z_start: z.clone(),
            moved: Mat::zeros(z.nrows(), z.ncols()),
            z,
            output_weights: start.signs().to_vec(),
            residual: vec![],
        };
        training.residual = training.outputs().iter().zip(targets).map(|(f, y)| f - y).collect();
        training
    }

    /// Bytes a training of n samples with m neurons holds.
    pub fn bytes(samples: usize, width: usize) -> f64 {
        8.0 * (3.0 * samples as f64 * width as f64 + 2.0 * (samples as f64).powi(2))
    }

    fn root(&self) -> f64 {
        (self.z.ncols() as f64).sqrt()
    }

    /// The n outputs: partial sums over blocks of neurons, added in order, the same for every number of threads.
    pub fn outputs(&self) -> Vec<f64> {
        let (n, m) = (self.z.nrows(), self.z.ncols());
        let blocks: Vec<Vec<f64>> = (0..m.div_ceil(BLOCK))
            .into_par_iter()
            .map(|block| {
                let mut sum = vec![0.0; n];
                for r in block * BLOCK..m.min((block + 1) * BLOCK) {
                    let a = self.output_weights[r];
                    sum.iter_mut().zip(self.z.col_as_slice(r)).for_each(|(s, z)| *s += a * z.max(0.0));
                }
                sum
            })
            .collect();
        let mut total = vec![0.0; n];
        blocks.iter().for_each(|block| total.iter_mut().zip(block).for_each(|(t, b)| *t += b));
        total.iter().map(|f| f / self.root()).collect()
    }

    /// `rho = f(X) - y`.
    pub fn residual(&self) -> &[f64] {
        &self.residual
    }

    /// `|rho|^2`; the mean loss is this over n, the paper's sum half of it.
    pub fn squared_residual(&self) -> f64 {
        self.residual.iter().map(|x| x * x).sum()
    }

    /// One iteration `w <- w - c J^T rho`: `c = 2 eta / n` for the mean loss, c = eta for the sum `|rho|^2 / 2`. The derivative of
    /// relu at 0 is 1.
    pub fn step(&mut self, c: f64) {
        let (n, root) = (self.z.nrows(), self.root());
        let (gram, residual, both) = (&self.gram, &self.residual, self.trained == Trained::BothLayers);
        let block = |((z, mut moved), weights): ((MatMut<'_, f64>, MatMut<'_, f64>), &mut [f64])| {
            let mut move_by = Mat::zeros(n, weights.len());
            for (r, a) in weights.iter_mut().enumerate() {
                let (column, step) = (z.as_ref().col(r), -c * *a / root);
                let target = move_by.col_as_slice_mut(r);
                for i in 0..n {
                    target[i] = if column[i] >= 0.0 { step * residual[i] } else { 0.0 };
                }
                if both {
                    *a -= c / root * (0..n).map(|i| column[i].max(0.0) * residual[i]).sum::<f64>();
                }
            }
            matmul(z, Accum::Add, gram, &move_by, 1.0, Par::Seq);
            moved += &move_by;
        };
        let columns = self.z.as_mut().par_col_chunks_mut(BLOCK);
        let moves = self.moved.as_mut().par_col_chunks_mut(BLOCK);
        columns.zip(moves).zip(self.output_weights.par_chunks_mut(BLOCK)).for_each(block);
        self.residual = self.outputs().iter().zip(&self.targets).map(|(f, y)| f - y).collect();
    }

    /// Which neurons are active now.
    pub fn patterns(&self) -> Patterns {
        Patterns::of(&self.z)
    }

    /// The share of pairs (sample, neuron) whose pattern differs from the start.
    pub fn changed_patterns(&self) -> f64 {
        self.start.changes(&self.patterns()) as f64 / (self.z.nrows() * self.z.ncols()) as f64
    }

    /// `max_r |w_r - w_r(0)|`.
    pub fn largest_movement(&self) -> f64 {
        let n = self.z.nrows();
        let square = |r: usize| {
            let (now, start) = (self.z.col_as_slice(r), self.z_start.col_as_slice(r));
            let by: Vec<f64> = (0..n).map(|i| now[i] - start[i]).collect();
            dot(self.moved.col_as_slice(r), &by).max(0.0)
        };
        (0..self.z.ncols()).into_par_iter().map(square).reduce(|| 0.0, f64::max).sqrt()
    }

    /// The movement in the coordinates of the samples, n x m: `w_r - w_r(0) = X^T b_r`, b_r the r-th column.
    pub fn movement(&self) -> &Mat<f64> {
        &self.moved
    }

    /// The output weights `a_r`.
    pub fn output_weights(&self) -> &[f64] {
        &self.output_weights
    }

    /// The tangent kernel of the first layer (n x n) at the present patterns, for signs +-1.
    pub fn kernel(&self) -> Mat<f64> {
        self.patterns().kernel(&self.gram, self.z.ncols())
    }

    /// The tangent kernel of everything that is trained: with weights `a_r^2` where they move, plus `relu(Z) relu(Z)^T / m`.
    pub fn joint_kernel(&self) -> Mat<f64> {
        let (n, m) = (self.z.nrows(), self.z.ncols());
        let slope = Mat::from_fn(n, m, |i, r| if self.z[(i, r)] >= 0.0 { self.output_weights[r] } else { 0.0 });
        let value = Mat::from_fn(n, m, |i, r| self.z[(i, r)].max(0.0));
        let (first, second) = (&slope * slope.transpose(), &value * value.transpose());
        let own = if self.trained == Trained::BothLayers { 1.0 } else { 0.0 };
        Mat::from_fn(n, n, |i, j| (self.gram[(i, j)] * first[(i, j)] + own * second[(i, j)]) / m as f64)
    }
}
