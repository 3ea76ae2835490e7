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

    /// `A W^T`. With rows within r of m and within t of w, an entry is wrong by at most
    /// `sum_k |w_k| (r_k + gamma |m_k|) + t_k (|m_k| + r_k)`, gamma that of the scalar product; this sum of non-negative numbers,
    /// itself computed in doubles, is enlarged by more than twice its own relative error.
    pub(crate) fn times_transposed(&self, w: &Enclosed) -> Enclosed {
        let (rows, columns, length) = (self.middle.rows, w.middle.rows, self.middle.columns);
        let gamma = plain_dot_error(length);
        let size = |x: &Matrix| Matrix { values: x.values.iter().map(|x| x.abs()).collect(), ..*x };
        let (m_size, w_size) = (size(&self.middle), size(&w.middle));
        let (mut middle, mut radius) = (Vec::with_capacity(rows * columns), Vec::with_capacity(rows * columns));
        for i in 0..rows {
            let sides = || m_size.row(i).iter().zip(self.radius.row(i));
            let wrong: Vec<f64> = sides().map(|(m, r)| r + gamma * m).collect();
            let reach: Vec<f64> = sides().map(|(m, r)| m + r).collect();
            for j in 0..columns {
                middle.push(plain_dot(self.middle.row(i), w.middle.row(j)));
                let error = plain_dot(&wrong, w_size.row(j)) + plain_dot(&reach, w.radius.row(j));
                radius.push(error * (1.0 + 2.0 * gamma + 16.0 * U) + length as f64 * 1e-320);
            }
        }
        Enclosed { middle: Matrix { rows, columns, values: middle }, radius: Matrix { rows, columns, values: radius } }
    }

    /// Upper bounds of the norms of the rows, and of `|diag(sqrt m) A|`, by the middle in the spectral norm and the radius
    /// in the Frobenius norm.
    pub(crate) fn norms(&self, m: &[f64]) -> Vec<Upper> {
        let (entries, columns) = (self.intervals(), self.middle.columns);
        let root = |k: usize| Interval::exact(m[k / columns]).sqrt();
        let weighted: Vec<Interval> = entries.iter().enumerate().map(|(k, &x)| root(k) * x).collect();
        let weighted = Enclosed::from_intervals(self.middle.rows, columns, &weighted);
        let all = weighted.middle.spectral_norm() + weighted.radius.frobenius();
        let row = |row: &[Interval]| Upper::norm(row.iter().map(|x| x.magnitude()));
        entries.chunks(columns).map(row).chain([all]).collect()
    }
}
