//! Networks as loops, one output at a time, with first and second derivatives in the coordinates `u = D^{-1} w`.

use super::dot;
use super::sigma::Sigma;

type Rows = Vec<Vec<f64>>;

/// Layers are numbered from 1; entry 0 of every list is unused.
#[derive(Clone)]
pub(crate) struct Plain {
    pub(crate) sigma: Sigma,
    pub(crate) weights: Vec<Rows>,
    pub(crate) biases: Rows,
    pub(crate) weight_factor: Vec<f64>,
    pub(crate) bias_factor: Vec<f64>,
}

/// Everything one sample leaves behind.
pub(crate) struct Trace {
    /// `z_l`, l = 1..L; `h_l`, l = 0..L-1; `v_l`, l = 1..L-1; `g_l`, l = 1..L.
    pub(crate) z: Rows,
    pub(crate) h: Rows,
    pub(crate) v: Rows,
    pub(crate) g: Rows,
}

impl Plain {
    pub(crate) fn layers(&self) -> usize {
        self.weights.len() - 1
    }

    /// Number of parameters, biases and frozen ones included.
    pub(crate) fn size(&self) -> usize {
        (1..=self.layers()).map(|l| self.weights[l].len() * (self.weights[l][0].len() + 1)).sum()
    }

    /// The network at `w + D u`; u holds `(U_1, beta_1, ..., U_L, beta_L)`, rows first.
    pub(crate) fn moved(&self, u: &[f64]) -> Plain {
        let mut moved = self.clone();
        let mut u = u.iter();
        for l in 1..=self.layers() {
            for w in moved.weights[l].iter_mut().flatten() {
                *w += self.weight_factor[l] * u.next().unwrap();
            }
            for b in &mut moved.biases[l] {
                *b += self.bias_factor[l] * u.next().unwrap();
            }
        }
        moved
    }

    pub(crate) fn outputs(&self) -> usize {
        self.biases[self.layers()].len()
    }

    /// With the backward vectors of the first output.
    pub(crate) fn trace(&self, x: &[f64]) -> Trace {
        self.trace_of(x, 0)
    }

    fn trace_of(&self, x: &[f64], output: usize) -> Trace {
        let last = self.layers();
        let mut at = Trace {
            z: vec![vec![]; last + 1],
            h: vec![vec![]; last],
            v: vec![vec![]; last],
            g: vec![vec![]; last + 1],
        };
        at.h[0] = x.to_vec();
        for l in 1..=last {
            at.z[l] = self.weights[l].iter().zip(&self.biases[l]).map(|(w, b)| dot(w, &at.h[l - 1]) + b).collect();
            if l < last {
                at.h[l] = at.z[l].iter().map(|&t| (self.sigma.value)(t)).collect();
            }
        }
        at.g[last] = (0..self.outputs()).map(|c| f64::from(c == output)).collect();
        for l in (1..last).rev() {
            at.v[l] = transposed(&self.weights[l + 1], &at.g[l + 1]);
            at.g[l] = at.z[l].iter().zip(&at.v[l]).map(|(&t, v)| (self.sigma.slope)(t) * v).collect();
        }
        at
    }

    /// The outputs.
    pub(crate) fn values(&self, x: &[f64]) -> Vec<f64> {
        self.trace(x).z[self.layers()].clone()
    }

    /// `D grad F_c(x)`, c the output.
    pub(crate) fn gradient(&self, x: &[f64], output: usize) -> Vec<f64> {
        let at = self.trace_of(x, output);
        let mut out = Vec::with_capacity(self.size());
        for l in 1..=self.layers() {
            for g in &at.g[l] {
                out.extend(at.h[l - 1].iter().map(|h| self.weight_factor[l] * g * h));
            }
            out.extend(at.g[l].iter().map(|g| self.bias_factor[l] * g));
        }
        out
    }

    /// `D Hess F_c(x) D u`, by differentiating both passes along u.
    pub(crate) fn hessian(&self, x: &[f64], output: usize, u: &[f64]) -> Vec<f64> {
        let (at, last) = (self.trace_of(x, output), self.layers());
        let (moves, shifts) = self.split(u);
        let mut hd: Rows = vec![vec![0.0; x.len()]];
        let mut zd: Rows = vec![vec![]];
        for l in 1..last {
            let z: Vec<f64> = (0..self.biases[l].len())
                .map(|j| dot(&moves[l][j], &at.h[l - 1]) + shifts[l][j] + dot(&self.weights[l][j], &hd[l - 1]))
                .collect();
            hd.push(z.iter().zip(&at.z[l]).map(|(d, &t)| (self.sigma.slope)(t) * d).collect());
            zd.push(z);
        }
        let mut gd = vec![vec![]; last + 1];
        gd[last] = vec![0.0; self.outputs()];
        for l in (1..last).rev() {
            let (own, carried) =
                (transposed(&moves[l + 1], &at.g[l + 1]), transposed(&self.weights[l + 1], &gd[l + 1]));
            gd[l] = (0..at.z[l].len())
                .map(|j| {
                    let t = at.z[l][j];
                    (self.sigma.curvature)(t) * zd[l][j] * at.v[l][j] + (self.sigma.slope)(t) * (own[j] + carried[j])
                })
                .collect();
        }
        let mut out = Vec::with_capacity(self.size());
        for l in 1..=last {
            for (g, d) in at.g[l].iter().zip(&gd[l]) {
                let row = at.h[l - 1].iter().zip(&hd[l - 1]);
                out.extend(row.map(|(h, dh)| self.weight_factor[l] * (d * h + g * dh)));
            }
            out.extend(gd[l].iter().map(|d| self.bias_factor[l] * d));
        }
        out
    }

    /// `D u` by layers.
    fn split(&self, u: &[f64]) -> (Vec<Rows>, Rows) {
        let (mut moves, mut shifts, mut start) = (vec![vec![]], vec![vec![]], 0);
        for l in 1..=self.layers() {
            let (rows, columns) = (self.weights[l].len(), self.weights[l][0].len());
            let scaled = |part: &[f64], d: f64| -> Vec<f64> { part.iter().map(|x| d * x).collect() };
            let block = scaled(&u[start..start + rows * columns], self.weight_factor[l]);
            moves.push(block.chunks(columns).map(<[f64]>::to_vec).collect());
            start += rows * columns;
            shifts.push(scaled(&u[start..start + rows], self.bias_factor[l]));
            start += rows;
        }
        (moves, shifts)
    }
}

fn transposed(rows: &Rows, g: &[f64]) -> Vec<f64> {
    (0..rows[0].len()).map(|j| rows.iter().zip(g).map(|(row, g)| row[j] * g).sum()).collect()
}

/// A network on weighted samples, as functions of the displacement u.
pub(crate) struct Sampled {
    pub(crate) net: Plain,
    pub(crate) x: Rows,
    /// `sqrt m_i`.
    pub(crate) weight: Vec<f64>,
}

impl Sampled {
    /// One row per sample and output, outputs fastest.
    fn rows(&self, row: impl Fn(&[f64], usize) -> Vec<f64>) -> Rows {
        let outputs = self.net.outputs();
        let weighted =
            |r: usize| row(&self.x[r / outputs], r % outputs).iter().map(|a| self.weight[r / outputs] * a).collect();
        (0..self.x.len() * outputs).map(weighted).collect()
    }

    /// `sqrt m_i` for each row.
    pub(crate) fn row_weight(&self) -> Vec<f64> {
        self.weight.iter().flat_map(|&w| std::iter::repeat_n(w, self.net.outputs())).collect()
    }

    pub(crate) fn outputs(&self, u: &[f64]) -> Vec<f64> {
        let moved = self.net.moved(u);
        self.x.iter().flat_map(|x| moved.values(x)).collect()
    }

    /// J, n d_L x p.
    pub(crate) fn jacobian(&self, u: &[f64]) -> Rows {
        let moved = self.net.moved(u);
        self.rows(|x, c| moved.gradient(x, c))
    }

    /// `DJ[v]`, n d_L x p.
    pub(crate) fn derivative(&self, u: &[f64], v: &[f64]) -> Rows {
        let moved = self.net.moved(u);
        self.rows(|x, c| moved.hessian(x, c, v))
    }

    /// `sum_i c_i w_i Hess_i v`: the gradient of `c^T J v`.
    pub(crate) fn pull(&self, u: &[f64], c: &[f64], v: &[f64]) -> Vec<f64> {
        combine(&self.derivative(u, v), c)
    }

    /// `|g_1(x_i)|` of the first output.
    pub(crate) fn backward_norms(&self, u: &[f64]) -> Vec<f64> {
        let moved = self.net.moved(u);
        self.x.iter().map(|x| super::norm(&moved.trace(x).g[1])).collect()
    }
}

/// `c^T A`.
pub(crate) fn combine(rows: &Rows, c: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; rows[0].len()];
    for (row, c) in rows.iter().zip(c) {
        out.iter_mut().zip(row).for_each(|(o, r)| *o += c * r);
    }
    out
}
