//! Small networks in doubles with an explicit Jacobian, written apart from everything they are compared with.

use super::builder::{Case, Kind};
use crate::start::Centre;

/// The network of a case in the coordinates u of the metric, u = 0 at the given parameters.
pub(crate) struct Explicit {
    widths: Vec<usize>,
    /// W_1, b_1, ..., and the factor of each.
    tensors: Vec<(Vec<f64>, f64)>,
    inputs: Vec<Vec<f64>>,
    targets: Vec<f64>,
    /// Square roots of the multiplicities.
    weights: Vec<f64>,
    sigma: Box<dyn Fn(f64) -> [f64; 2]>,
}

/// Rows.
pub(crate) type Rows = Vec<Vec<f64>>;

pub(crate) fn scalar(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(crate) fn length(a: &[f64]) -> f64 {
    scalar(a, a).sqrt()
}

impl Explicit {
    pub(crate) fn new(case: &Case, centre: &Centre) -> Explicit {
        let Kind::Tensors(all) = &case.start else { panic!("given parameters") };
        let factors = case.weights.iter().zip(&case.biases).flat_map(|(&w, &b)| [w, b]);
        let (f, shift) = (centre.layers.activation, centre.layers.shift.middle());
        let x = centre.samples.inputs.as_ref().expect("raw inputs");
        Explicit {
            widths: case.widths.clone(),
            tensors: all.iter().cloned().zip(factors).collect(),
            inputs: (0..x.rows).map(|i| x.row(i).to_vec()).collect(),
            targets: centre.samples.targets.clone(),
            weights: centre.samples.multiplicity.iter().map(|m| m.sqrt()).collect(),
            sigma: Box::new(move |t| [f.at(t)[0].middle() + shift, f.at(t)[1].middle()]),
        }
    }

    pub(crate) fn parameters(&self) -> usize {
        self.tensors.iter().map(|(t, _)| t.len()).sum()
    }

    /// The tensors at u.
    pub(crate) fn moved(&self, u: &[f64]) -> Vec<Vec<f64>> {
        let mut rest = u;
        let tensor = |(t, factor): &(Vec<f64>, f64)| {
            let (own, after) = rest.split_at(t.len());
            rest = after;
            t.iter().zip(own).map(|(t, u)| t + factor * u).collect()
        };
        self.tensors.iter().map(tensor).collect()
    }

    /// rho and its Jacobian at u, rows (sample, output) weighted.
    pub(crate) fn at(&self, u: &[f64]) -> (Vec<f64>, Rows) {
        let (all, last) = (self.moved(u), self.widths.len() - 1);
        let (mut rho, mut jacobian) = (Vec::new(), Vec::new());
        for (i, x) in self.inputs.iter().enumerate() {
            let (mut h, mut slopes) = (vec![x.clone()], vec![Vec::new()]);
            for l in 1..=last {
                let row = |j: usize| &all[2 * l - 2][j * self.widths[l - 1]..(j + 1) * self.widths[l - 1]];
                let z = (0..self.widths[l]).map(|j| scalar(row(j), &h[l - 1]) + all[2 * l - 1][j]);
                let both = z.map(|z| if l < last { (self.sigma)(z) } else { [z, 1.0] });
                let (value, slope) = both.map(|[h, s]| (h, s)).unzip();
                h.push(value);
                slopes.push(slope);
            }
            let outputs = self.widths[last];
            for c in 0..outputs {
                rho.push(self.weights[i] * (h[last][c] - self.targets[i * outputs + c]));
                let mut g: Vec<f64> = (0..outputs).map(|k| f64::from(u8::from(k == c))).collect();
                let mut blocks = vec![Vec::new(); 2 * last];
                for l in (1..=last).rev() {
                    let (w, b) = (self.tensors[2 * l - 2].1, self.tensors[2 * l - 1].1);
                    let weight = self.weights[i];
                    blocks[2 * l - 2] =
                        g.iter().flat_map(|g| h[l - 1].iter().map(move |h| weight * w * g * h)).collect();
                    blocks[2 * l - 1] = g.iter().map(|g| weight * b * g).collect();
                    let width = self.widths[l - 1];
                    let back = |k: usize| (0..g.len()).map(|j| g[j] * all[2 * l - 2][j * width + k]).sum::<f64>();
                    g = if l > 1 { (0..width).map(|k| back(k) * slopes[l - 1][k]).collect() } else { Vec::new() };
                }
                jacobian.push(blocks.concat());
            }
        }
        (rho, jacobian)
    }
}

/// `A B^T`.
pub(crate) fn times_transposed(a: &Rows, b: &Rows) -> Rows {
    a.iter().map(|a| b.iter().map(|b| scalar(a, b)).collect()).collect()
}

/// The Cholesky factor.
pub(crate) fn cholesky(a: &Rows) -> Rows {
    let mut l = vec![vec![0.0; a.len()]; a.len()];
    for i in 0..a.len() {
        for j in 0..=i {
            let rest = a[i][j] - scalar(&l[i][..j], &l[j][..j]);
            l[i][j] = if i == j { rest.sqrt() } else { rest / l[j][j] };
        }
    }
    l
}

/// `L^{-1} y`.
pub(crate) fn forward(l: &Rows, y: &[f64]) -> Vec<f64> {
    let mut x: Vec<f64> = Vec::new();
    for i in 0..y.len() {
        x.push((y[i] - scalar(&l[i][..i], &x)) / l[i][i]);
    }
    x
}

/// `L^{-T} y`.
pub(crate) fn backward(l: &Rows, y: &[f64]) -> Vec<f64> {
    let mut x = y.to_vec();
    for i in (0..y.len()).rev() {
        x[i] = (x[i] - (i + 1..y.len()).map(|k| l[k][i] * x[k]).sum::<f64>()) / l[i][i];
    }
    x
}

pub(crate) fn transposed(a: &Rows) -> Rows {
    (0..a[0].len()).map(|j| a.iter().map(|row| row[j]).collect()).collect()
}

/// `L^{-1} A`.
pub(crate) fn whitened(l: &Rows, a: &Rows) -> Rows {
    transposed(&transposed(a).iter().map(|column| forward(l, column)).collect())
}

/// The spectral norm, by the power method: never above it by more than rounding.
pub(crate) fn norm(a: &Rows) -> f64 {
    let gram = times_transposed(a, a);
    let mut x: Vec<f64> = (0..a.len()).map(|i| 1.0 + 0.3 * i as f64).collect();
    for _ in 0..300 {
        let size = length(&x);
        if size == 0.0 {
            return 0.0;
        }
        x = gram.iter().map(|row| scalar(row, &x) / size).collect();
    }
    length(&x).sqrt()
}
