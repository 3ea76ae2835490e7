//! (T16e) Two layers, one output: orders of the Taylor form of kappa.
//!
//! With `G = X~ X~^T`, S_k the matrix of `sigma^(k)(z_ij)` with columns s_kj, a = W_2, D the factor of W_2, and sizes
//! `|A|_K = sqrt(lmax(K^{-1/2} A K^{-1/2}))`, along a unit move with first-layer parts U_j and second-layer parts alpha_j
//! `D^k F_i[u^k] = sum_j a_j s_kij (U_j . x~_i)^k + k D alpha_j s_{k-1,ij} (U_j . x~_i)^(k-1)`.
//!
//! All units together: `B_k = |(S_k diag(a^2) S_k^T) o G^k|_K`, `C_k = D |(S_{k-1} S_{k-1}^T) o G^(k-1)|_K`, and the form is at
//! most `B_k x^k + k C_k x^(k-1) y` with `x^2 + y^2 = 1`. Each unit for itself: the same with the sizes of single columns,
//! `b_kj` times |a_j| and `c_kj`, then the largest over the units. At k = 2 the second term of the first form may be taken from
//! the second one.

use super::derivatives::{Coefficients, derivatives, supremum};
use super::relative::{Relative, times};
use crate::hex::HexFloat;
use crate::matrix::{Enclosed, Symmetric};
use crate::start::Centre;
use gradcert_rigor::{Interval, Lower, Upper};

/// What is tried unit by unit takes at most samples^2 times inputs times units multiplications, or 20 samples^3 times units.
const MAX_WORK: f64 = 4e11;

struct TwoLayers<'a> {
    centre: &'a Centre,
    relative: &'a Relative<'a>,
    gram: Vec<Interval>,
    /// `s_kij`, by i, j and k.
    s: Vec<Vec<Coefficients>>,
    a: &'a [f64],
    factor: Upper,
}

/// Upper bounds of `N_2, ..., N_K` for the radius S, no better than it takes to confirm what is stated. On the whole ball the
/// entries of W_2 grow by at most D S, and sizes are at most the norm over smin(J(w0)).
pub(crate) fn orders(stated: &[HexFloat], radius: Upper, centre: &Centre, relative: &Relative) -> Vec<Upper> {
    let (layers, last) = (&centre.layers, stated.len() + 1);
    let (a, factor) = (&centre.passes[0][1].middle.values, Upper::new(layers.weights[2]));
    let (longest, smax_inputs) = (centre.largest_input(), centre.h_tilde[0][centre.root.len()]);
    let largest = Upper::maximum(a.iter().map(|a| Upper::new(a.abs()))) + factor * radius;
    let power = |k: usize| (0..k).fold(Upper::ONE, |product, _| product * longest);
    let own = supremum(layers.activation, last) * largest * power(last - 1);
    let mixed = factor * supremum(layers.activation, last - 1) * power(last - 2);
    let crude = smax_inputs / centre.smin_start * form(last, own, mixed);
    let unit = |z: &Interval| derivatives(layers.activation, *z);
    let s = centre.units[1].iter().map(|z| z.iter().map(unit).collect()).collect();
    let two = TwoLayers { centre, relative, gram: centre.gram.intervals(), s, a, factor };
    (2..last).map(|k| two.order(k, stated[k - 2].get())).chain([crude]).collect()
}

impl TwoLayers<'_> {
    /// The first of a few bounds of order k < K that confirms what is stated, or the best of all.
    fn order(&self, k: usize, stated: f64) -> Upper {
        let all: Vec<usize> = (0..self.a.len()).collect();
        let b = self.size(k, &all, |j| self.a[j]);
        let least = || form(k, b, Upper::maximum(all.iter().map(|&j| self.at_most(j))));
        let together = || form(k, b, self.factor * self.size(k - 1, &all, |_| 1.0));
        let second = || form(k, b, self.largest_c(b, stated));
        let by_unit = || self.by_unit(k);
        let routes: [(bool, &dyn Fn() -> Upper); 4] =
            [(k == 2, &least), (true, &together), (k == 2, &second), (true, &by_unit)];
        let mut best = Upper::UNKNOWN;
        for (_, route) in routes.iter().filter(|(valid, _)| *valid) {
            best = if stated < best.get() { best.min(route()) } else { best };
        }
        best
    }

    /// `|(S diag(f^2) S^T) o G^k|_K`, S the given columns of S_k.
    fn size(&self, k: usize, columns: &[usize], f: impl Fn(usize) -> f64) -> Upper {
        let n = self.s.len();
        let row = |s: &Vec<Coefficients>| columns.iter().map(|&j| s[j][k] * Interval::exact(f(j))).collect::<Vec<_>>();
        let s = Enclosed::from_intervals(n, columns.len(), &self.s.iter().flat_map(row).collect::<Vec<_>>());
        let product = s.times_transposed(&s).intervals();
        let powered: Vec<Interval> = product.iter().zip(&self.gram).map(|(&s, g)| s * g.powi(k as u32)).collect();
        self.relative.largest(&Symmetric::enclosing(n, &powered)).sqrt()
    }

    /// The largest over the units.
    fn by_unit(&self, k: usize) -> Upper {
        if 20.0 * (self.s.len() as f64).powi(3) * self.a.len() as f64 > MAX_WORK {
            return Upper::UNKNOWN;
        }
        let unit = |j| form(k, self.size(k, &[j], |j| self.a[j]), self.factor * self.size(k - 1, &[j], |_| 1.0));
        Upper::maximum((0..self.a.len()).map(unit))
    }

    /// K contains a_j^2 times the term of a unit, so `c_2j <= D / |a_j|`.
    fn at_most(&self, j: usize) -> Upper {
        self.factor / Lower::new(self.a[j].abs())
    }

    /// `max_j c_2j`, where [`TwoLayers::at_most`] is too large by `D |R diag(s_1j) X~| / sqrt(1 - delta)`.
    fn largest_c(&self, b: Upper, stated: f64) -> Upper {
        let (layers, x) = (&self.centre.layers, &self.centre.passes[1][0].middle);
        let (n, inputs, [w, one]) = (x.rows, x.columns + 1, [layers.weights[1], layers.biases[1]].map(Interval::exact));
        if (n as f64).powi(2) * inputs as f64 * self.a.len() as f64 > MAX_WORK {
            return Upper::UNKNOWN;
        }
        let Some((r, kept)) = self.relative.whitener() else { return Upper::UNKNOWN };
        let unit = |j: usize| {
            let most = self.at_most(j);
            if form(2, b, most).get() <= stated {
                return most;
            }
            let input = |k: usize, i: usize| if k < x.columns { w * Interval::exact(x.row(i)[k]) } else { one };
            let entries: Vec<Interval> = (0..inputs * n).map(|e| input(e / n, e % n) * self.s[e % n][j][1]).collect();
            let product = times(&r, &Enclosed::from_intervals(inputs, n, &entries));
            most.min(self.factor * product.spectral_norm() / kept)
        };
        Upper::maximum((0..self.a.len()).map(unit))
    }
}

/// An upper bound of `b x^k + k c x^(k-1) y` over `x^2 + y^2 = 1`: the exact maximum for k = 2; otherwise that of the first term plus
/// that of the second, `sqrt k ((k-1)/k)^((k-1)/2) c`.
fn form(k: usize, b: Upper, c: Upper) -> Upper {
    if k == 2 {
        return (b + b.hypot(c + c)) * Upper::HALF;
    }
    let n = Interval::exact(k as f64);
    b + (n * ((n - Interval::ONE) / n).powi(k as u32 - 1)).sqrt().upper() * c
}
