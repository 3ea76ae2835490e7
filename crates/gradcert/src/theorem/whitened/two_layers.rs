//! (T16e) Two layers, one output: every order of the Taylor form of kappa.
//!
//! `F_i(w) = sum_j alpha_j sigma(U_j . x~_i) + b_2`. For unit moves (U, a) in the coordinates of the metric
//!
//! `D^k F_i[u^k] = sum_j a_j sigma^(k)(z_ij) (U_j . x~_i)^k + k D_W2 sum_j alpha_j sigma^(k-1)(z_ij) (U_j . x~_i)^(k-1)`
//!
//! (a the weights W_2, alpha_j the unit moves of them). Both sums are linear in the tensors U_j^(k), whose norm is at most
//! `|U|^k`. With `G = X~ X~^T` (not weighted), M = diag(sqrt m_i), S_k the n x d_1 matrix of `sigma^(k)(z_ij)`, o the entrywise
//! product and G^(k) the k-th entrywise power, they are bounded by
//!
//! `B_k^2 = lmax(K0^{-1/2} M ((S_k diag(a)^2 S_k^T) o G^(k)) M K0^{-1/2})`, `C_k^2` the same with `D_W2 S_{k-1}` and G^(k-1):
//!
//! `|J(w0)^+ D^k F[u^k]| <= B_k x^k + k C_k x^(k-1) y` with `x = |U|`, `y = |alpha|`, `x^2 + y^2 = 1`. Its maximum is at most
//! `N_k = B_k + kap_k C_k`, `kap_k = sqrt(k) ((k-1)/k)^((k-1)/2)`; for k = 2 it is `(B_2 + sqrt(B_2^2 + 4 c^2))/2` with c = C_2, or
//! any bound of the same sum per unit: `c <= D_W2 / min |a_j|` as K0 contains a_j^2 times each unit's term.
//!
//! The last order on the whole ball of radius S: `|D^K F| <= |M X~| ( sup|sigma^(K)| (max|a_j| + D_W2 S) max|x~|^(K-1) +
//! kap_K D_W2 sup|sigma^(K-1)| max|x~|^(K-2) )`, and N_K is that divided by smin(J(w0)).

use super::orders::Orders;
use crate::network::Network;
use crate::theorem::centre::Metric;
use crate::theorem::general::EnclosedPasses;
use crate::theorem::inputs::InputBounds;
use crate::theorem::tiles::{TILE, assemble};
use faer::Mat;
use gradcert_rigor::linear::{EnclosedMatrix, RelativeTo, SymmetricBall};
use gradcert_rigor::{Interval, Lower, Upper};
use rayon::prelude::*;
use std::borrow::Cow;

/// The largest K that is used.
pub const LAST_ORDER: usize = 6;

/// What (T16e) needs to know; the orders depend on the radius through the last one alone.
pub struct TwoLayers {
    /// `N_2, ..., N_5`.
    at_start: Vec<Upper>,
    /// `sup |sigma^(k)|`, k = 0..=6, where k >= 2 is used.
    suprema: Vec<Upper>,
    largest_weight: Upper,
    output_factor: Upper,
    longest: Upper,
    smax_inputs: Upper,
    smin_jacobian: Lower,
}

impl TwoLayers {
    /// `None` unless there are two layers, one output and an activation with six derivatives. `kernel` is K0 with the lower bound
    /// of its smallest eigenvalue, `inputs` are those of the metric.
    pub fn new(
        network: &Network,
        passes: &EnclosedPasses,
        metric: &Metric,
        inputs: &InputBounds,
        kernel: &RelativeTo,
    ) -> Option<TwoLayers> {
        if network.layers() != 2 || passes.outputs != 1 {
            return None;
        }
        let activation = network.activation;
        let suprema = (0..=LAST_ORDER)
            .map(|k| match k {
                0 | 1 => Some(Upper::UNKNOWN),
                2 => Some(activation.sup_curvature(Interval::ENTIRE)),
                _ => activation.sup_derivative(k),
            })
            .collect::<Option<Vec<_>>>()?;
        let derivatives = derivatives(network, &passes.preactivation[1])?;
        let weights: Vec<f64> = (0..network.weights[2].ncols()).map(|j| network.weights[2][(0, j)]).collect();
        let scale: Vec<Interval> = weights.iter().map(|&a| Interval::exact(a)).collect();
        let rows = inputs.rows();
        let roots = inputs.root_multiplicity();
        let output_factor = Upper::new(metric.weights[2]);
        let gram = Gram::new(&rows);
        let size = |s: &EnclosedMatrix, power: usize| kernel.largest_upper(&powered(s, &gram, power, roots)).sqrt();
        let least = Lower::minimum(weights.iter().map(|a| Lower::new(a.abs())));
        let at_start = (2..LAST_ORDER)
            .map(|k| {
                let b = size(&derivatives[k - 1].scale_columns(&scale), k);
                let c = if metric.weights[2] == 0.0 {
                    Upper::ZERO
                } else {
                    output_factor * size(&derivatives[k - 2], k - 1)
                };
                if k == 2 { second(b, c.min(output_factor / least)) } else { b + kap(k) * c }
            })
            .collect();
        Some(TwoLayers {
            at_start,
            suprema,
            largest_weight: Upper::maximum(weights.iter().map(|a| Upper::new(a.abs()))),
            output_factor,
            longest: Upper::maximum(inputs.extended.iter().copied()),
            smax_inputs: inputs.smax,
            smin_jacobian: kernel.smallest().sqrt(),
        })
    }

    /// N_2.
    pub fn second(&self) -> Upper {
        self.at_start[0]
    }

    /// `N_2, ..., N_K` for the radius S, 3 <= K <= 6.
    pub fn orders(&self, last: usize, radius: f64) -> Orders {
        let mut values = self.at_start[..last - 2].to_vec();
        let power = |k: usize| (0..k).fold(Upper::ONE, |product, _| product * self.longest);
        let weight = self.largest_weight + self.output_factor * Upper::new(radius);
        let own = self.suprema[last] * weight * power(last - 1);
        let mixed = kap(last) * self.output_factor * self.suprema[last - 1] * power(last - 2);
        values.push(self.smax_inputs / self.smin_jacobian * (own + mixed));
        Orders::new(radius, values)
    }
}

/// The maximum of `b x^2 + 2 c x y` over `x^2 + y^2 = 1`.
fn second(b: Upper, c: Upper) -> Upper {
    (b + b.hypot(Upper::new(2.0) * c)) * Upper::HALF
}

/// The maximum of `k x^(k-1) y` over `x^2 + y^2 = 1`.
fn kap(k: usize) -> Upper {
    let n = k as f64;
    let ratio = (Interval::exact(n - 1.0) / Interval::exact(n)).upper();
    let power = (1..k).fold(Upper::ONE, |product, _| product * ratio);
    Upper::new(n).sqrt() * power.sqrt()
}

/// `S_1, ..., S_5`; `None` where the activation has no such derivatives.
fn derivatives(network: &Network, z: &EnclosedMatrix) -> Option<Vec<EnclosedMatrix>> {
    let (n, width) = (z.nrows(), z.ncols());
    let columns: Option<Vec<Vec<[Interval; LAST_ORDER + 1]>>> = (0..width)
        .into_par_iter()
        .map(|j| (0..n).map(|i| network.activation.enclose_derivatives(z.entry(i, j))).collect())
        .collect();
    let columns = columns?;
    let matrix = |k: usize| {
        let middle = Mat::from_fn(n, width, |i, j| columns[j][i][k].middle());
        EnclosedMatrix::new(middle, Mat::from_fn(n, width, |i, j| columns[j][i][k].radius().get()))
    };
    Some((1..LAST_ORDER).map(matrix).collect())
}

/// `G = X X^T` in tiles. It is needed for every order; where it is one tile it is made once.
struct Gram<'a> {
    rows: &'a EnclosedMatrix,
    whole: Option<EnclosedMatrix>,
}

impl Gram<'_> {
    fn new(rows: &EnclosedMatrix) -> Gram<'_> {
        Gram { rows, whole: (rows.nrows() <= TILE).then(|| rows.times_transpose(rows)) }
    }

    fn tile(&self, above: &[usize], left: &[usize]) -> Cow<'_, EnclosedMatrix> {
        match &self.whole {
            Some(whole) => Cow::Borrowed(whole),
            None => Cow::Owned(self.rows.select_rows(above).times_transpose(&self.rows.select_rows(left))),
        }
    }
}

/// `M ((S S^T) o G^(power)) M`.
fn powered(s: &EnclosedMatrix, gram: &Gram<'_>, power: usize, roots: &[Interval]) -> SymmetricBall {
    assemble(s.nrows(), |above, left| {
        let gram = gram.tile(above, left);
        let outer = s.select_rows(above).times_transpose(&s.select_rows(left));
        let product = (0..power).fold(outer, |product, _| product.hadamard(&gram));
        let of = |part: &[usize]| part.iter().map(|&i| roots[i]).collect::<Vec<_>>();
        product.scale_rows(&of(above)).scale_columns(&of(left))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maxima_on_the_circle() {
        for k in 2..=6usize {
            let largest = (0..=100_000)
                .map(|i| {
                    let t = i as f64 * std::f64::consts::FRAC_PI_2 / 1e5;
                    k as f64 * t.cos().powi(k as i32 - 1) * t.sin()
                })
                .fold(0.0, f64::max);
            let bound = kap(k).get();
            assert!(bound >= largest && bound <= largest * (1.0 + 1e-8), "{k}: {bound} {largest}");
        }
        let largest = (0..=100_000)
            .map(|i| {
                let t = i as f64 * std::f64::consts::FRAC_PI_2 / 1e5;
                3.0 * t.cos().powi(2) + 2.0 * 0.7 * t.cos() * t.sin()
            })
            .fold(0.0, f64::max);
        let bound = second(Upper::new(3.0), Upper::new(0.7)).get();
        assert!(bound >= largest && bound <= largest * (1.0 + 1e-8));
    }
}
