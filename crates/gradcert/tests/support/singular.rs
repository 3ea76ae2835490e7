//! Singular values by one-sided Jacobi rotations of the rows.

use super::{dot, norm};

/// `A = sum_k values[k] left[k] right[k]^T` of an n x p matrix given by rows; n values, descending. Where p < n the last
/// ones are 0 up to rounding, and a right vector that belongs to 0 is 0.
pub(crate) struct Singular {
    pub(crate) values: Vec<f64>,
    pub(crate) left: Vec<Vec<f64>>,
    pub(crate) right: Vec<Vec<f64>>,
}

impl Singular {
    pub(crate) fn new(rows: &[Vec<f64>]) -> Singular {
        let n = rows.len();
        let mut a = rows.to_vec();
        // Row k of `turn` holds the coefficients of the rotated row k in the original rows.
        let mut turn: Vec<Vec<f64>> = (0..n).map(|k| (0..n).map(|i| f64::from(i == k)).collect()).collect();
        for _ in 0..40 {
            let mut rotated = false;
            for i in 0..n {
                for k in i + 1..n {
                    let (p, q, r) = (dot(&a[i], &a[i]), dot(&a[k], &a[k]), dot(&a[i], &a[k]));
                    if r.abs() <= 1e-16 * (p * q).sqrt() || r == 0.0 {
                        continue;
                    }
                    rotated = true;
                    let zeta = (q - p) / (2.0 * r);
                    let t = zeta.signum() / (zeta.abs() + zeta.hypot(1.0));
                    let cosine = 1.0 / t.hypot(1.0);
                    rotate(&mut a, i, k, cosine, cosine * t);
                    rotate(&mut turn, i, k, cosine, cosine * t);
                }
            }
            if !rotated {
                break;
            }
        }
        let mut order: Vec<usize> = (0..n).collect();
        let sizes: Vec<f64> = a.iter().map(|row| norm(row)).collect();
        order.sort_by(|&i, &k| sizes[k].total_cmp(&sizes[i]));
        let right = |&k: &usize| a[k].iter().map(|x| if sizes[k] > 0.0 { x / sizes[k] } else { 0.0 }).collect();
        Singular {
            values: order.iter().map(|&k| sizes[k]).collect(),
            left: order.iter().map(|&k| turn[k].clone()).collect(),
            right: order.iter().map(right).collect(),
        }
    }

    pub(crate) fn largest(&self) -> f64 {
        self.values[0]
    }

    pub(crate) fn smallest(&self) -> f64 {
        self.values[self.values.len() - 1]
    }
}

fn rotate(rows: &mut [Vec<f64>], i: usize, k: usize, cosine: f64, sine: f64) {
    for j in 0..rows[i].len() {
        let (x, y) = (rows[i][j], rows[k][j]);
        rows[i][j] = cosine * x - sine * y;
        rows[k][j] = sine * x + cosine * y;
    }
}

/// The spectral norm.
pub(crate) fn largest(rows: &[Vec<f64>]) -> f64 {
    if rows.is_empty() || rows[0].is_empty() { 0.0 } else { Singular::new(rows).largest() }
}
