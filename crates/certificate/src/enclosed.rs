//! Matrices of intervals, as middles and radii, for the passes through a network with given parameters.

use crate::matrix::Matrix;
use crate::pairs::{U, plain_dot, plain_dot_error};
use gradcert_rigor::{Interval, Upper};

/// An unknown matrix within `radius` of `middle`, entrywise.
#[derive(Clone)]
pub(crate) struct Enclosed {
    pub(crate) middle: Matrix,
    pub(crate) radius: Matrix,
}

impl Enclosed {
    pub(crate) fn exact(middle: Matrix) -> Enclosed {
        let radius = Matrix { values: vec![0.0; middle.values.len()], ..middle };
        Enclosed { middle, radius }
    }

    pub(crate) fn from_intervals(rows: usize, columns: usize, entries: &[Interval]) -> Enclosed {
        let middle = entries.iter().map(|x| x.middle()).collect();
        let radius = entries.iter().map(|x| x.radius().get()).collect();
        Enclosed { middle: Matrix { rows, columns, values: middle }, radius: Matrix { rows, columns, values: radius } }
    }

    pub(crate) fn intervals(&self) -> Vec<Interval> {
        let pairs = self.middle.values.iter().zip(&self.radius.values);
        pairs.map(|(&m, &r)| Interval::around(m, Upper::new(r))).collect()
    }

    /// `A W^T`. A computed entry is wrong by at most `sum_k |w_k| (r_k + gamma |m_k|)`, gamma that of the scalar product;
    /// this sum of non-negative numbers, itself computed in doubles, is enlarged by twice its own relative error.
    pub(crate) fn times_transposed(&self, w: &Matrix) -> Enclosed {
        let gamma = plain_dot_error(w.columns);
        let enlarge = 1.0 + 2.0 * gamma + 8.0 * U;
        let size = Matrix { values: w.values.iter().map(|x| x.abs()).collect(), ..*w };
        let (rows, columns) = (self.middle.rows, w.rows);
        let (mut middle, mut radius) = (Vec::with_capacity(rows * columns), Vec::with_capacity(rows * columns));
        for i in 0..rows {
            let row = self.middle.row(i);
            let wrong: Vec<f64> = row.iter().zip(self.radius.row(i)).map(|(m, r)| r + gamma * m.abs()).collect();
            for j in 0..columns {
                middle.push(plain_dot(row, w.row(j)));
                radius.push(plain_dot(&wrong, size.row(j)) * enlarge + w.columns as f64 * 1e-320);
            }
        }
        Enclosed { middle: Matrix { rows, columns, values: middle }, radius: Matrix { rows, columns, values: radius } }
    }

    /// Upper bounds of the norms of the rows of the middle and of the radius.
    pub(crate) fn row_norms(&self) -> Vec<(Upper, Upper)> {
        let norm = |row: &[f64]| Upper::norm(row.iter().map(|x| Upper::new(x.abs())));
        (0..self.middle.rows).map(|i| (norm(self.middle.row(i)), norm(self.radius.row(i)))).collect()
    }

    /// Upper bounds of the norms of the rows, and of `|diag(sqrt m) A|`, by the middle in the spectral norm and the radius
    /// in the Frobenius norm.
    pub(crate) fn norms(&self, m: &[f64]) -> Vec<Upper> {
        let root = |k: usize| Interval::exact(m[k / self.middle.columns]).sqrt();
        let entries: Vec<Interval> = self.intervals().iter().enumerate().map(|(k, &x)| root(k) * x).collect();
        let weighted = Enclosed::from_intervals(self.middle.rows, self.middle.columns, &entries);
        let all = weighted.middle.spectral_norm() + weighted.radius.frobenius();
        self.row_norms().into_iter().map(|(middle, radius)| middle + radius).chain([all]).collect()
    }
}
