//! (T9+) Bounds of the Jacobian on the closed ball B(w0, s), at any start.
//!
//! Lists over samples have one more entry for all samples together, as in [`Centre`]: the recursions of single samples and of
//! the whole differ in their starting values alone.

use crate::start::Centre;
use gradcert_rigor::{Lower, Upper};

/// Bounds on the ball of one radius.
pub(crate) struct Ball {
    /// `smin(J)`, by the first layer alone or by all layers, whichever is larger.
    pub(crate) psi: Lower,
    /// `|J|`.
    pub(crate) norm: Upper,
    /// `|J - J(w0)|`.
    pub(crate) drift: Upper,
}

/// (T9+ 1) `[q, c_1, ..., c_L]`: a bound `c . (s_1, ..., s_L) + q` of a drift, valid for every split of the ball over the
/// layers, `sum s_l^2 <= s^2`: over all splits it is at most `|c| s + q`.
#[derive(Clone)]
struct Drift(Vec<Upper>);

impl Drift {
    fn slope(&self) -> Upper {
        Upper::norm(self.0[1..].iter().copied())
    }

    fn value(&self, s: Upper) -> Upper {
        self.slope() * s + self.0[0]
    }

    fn scaled(&self, factor: Upper) -> Drift {
        Drift(self.0.iter().map(|&x| factor * x).collect())
    }

    fn plus(self, other: Drift) -> Drift {
        Drift::entrywise(&[self, other], |x| x[0] + x[1])
    }

    /// `(norm + D s_l) drift + s_l size`: what a layer makes of a drift, its own move included. The form `t_l (c . t)` on unit t
    /// has the largest eigenvalue `(c_l + |c|) / 2`, so `s_l (c . (s_1..s_L) + q) <= s^2 (c_l + |c|) / 2 + s q`: that part
    /// becomes remainder.
    fn through(&self, norm: Upper, factor: Upper, l: usize, size: Upper, s: Upper) -> Drift {
        let half = (self.0[l] + self.slope()) * Upper::HALF;
        let mut result = self.scaled(norm);
        result.0[0] += factor * (s.square() * half + s * self.0[0]);
        result.0[l] += size;
        result
    }

    /// One whole pair, the one that is smaller over the ball; entries of two pairs must not be mixed.
    fn smaller(self, other: Drift, s: Upper) -> Drift {
        if self.value(s) <= other.value(s) { self } else { other }
    }

    /// Entry by entry, `f` of a list of drifts: the maximum, or a Euclidean norm.
    fn entrywise(drifts: &[Drift], f: impl Fn(&[Upper]) -> Upper) -> Drift {
        let column = |k: usize| drifts.iter().map(|d| d.0[k]).collect::<Vec<_>>();
        Drift((0..drifts[0].0.len()).map(|k| f(&column(k))).collect())
    }
}

fn maximum(values: &[Upper]) -> Upper {
    Upper::maximum(values.iter().copied())
}

/// As long as the shorter list.
fn products(a: &[Upper], b: &[Upper]) -> Vec<Upper> {
    a.iter().zip(b).map(|(&a, &b)| a * b).collect()
}

fn with_maximum(values: Vec<Upper>) -> Vec<Upper> {
    [values.as_slice(), &[maximum(&values)]].concat()
}

/// What both passes over the layers leave behind, for the ball of radius s.
pub(crate) struct Reach {
    /// `sup |sigma'|`, `sup |sigma''|`, and `sup |v_l|_inf`.
    pub(crate) phi: Vec<Vec<Upper>>,
    pub(crate) beta: Vec<Vec<Upper>>,
    pub(crate) v: Vec<Vec<Upper>>,
    /// `dh_l`, `e_l`; of all samples together `|dH_l|_F`, `|dG_l|_F`.
    dh: Vec<Vec<Drift>>,
    e: Vec<Vec<Drift>>,
    /// Suprema of `h~_l`, `|g_l|`.
    pub(crate) h: Vec<Vec<Upper>>,
    pub(crate) g: Vec<Vec<Upper>>,
}

/// Forward and backward drifts (T9), per sample and collectively (T9+ 3):
/// `dz_l = s_l h~_{l-1} + (|W_l| + D s_l) dh_{l-1}`, `dh_l = phi_l dz_l`,
/// `e_l = phi_l ((|W_{l+1}| + D s_{l+1}) e_{l+1} + D s_{l+1} |g_{l+1}|) + beta_l |v_l|_inf dz_l`. Where W_{l+1} is
/// frozen also `|v_l| <= |W_{l+1}| |g_{l+1}|`, `|g_l| <= phi_l |v_l|`, which need not grow with the radius (T7+).
pub(crate) fn reach(centre: &Centre, s: Upper) -> Reach {
    let (last, count, layers) = (centre.layers.count(), centre.root.len(), &centre.layers);
    let factor = |l: usize| Upper::new(layers.weights[l]);
    let zeros = vec![Drift(vec![Upper::ZERO; last + 1]); count + 1];
    let (mut dz, mut dh) = (vec![zeros.clone()], vec![zeros.clone()]);
    let (mut phi, mut beta) = (vec![Vec::new()], vec![Vec::new()]);
    for l in 1..last {
        let through = |i: usize| dh[l - 1][i].through(centre.norm_w[l], factor(l), l, centre.h_tilde[l - 1][i], s);
        let moved: Vec<Drift> = (0..=count).map(through).collect();
        let units = || centre.units[l].iter().zip(&moved).map(|(units, dz)| (units, dz.value(s)));
        phi.push(with_maximum(units().map(|(z, dz)| layers.activation.derivative(1, z, dz).magnitude()).collect()));
        beta.push(units().map(|(z, dz)| layers.activation.derivative(2, z, dz).magnitude()).collect());
        let mut outputs: Vec<Drift> = moved.iter().zip(&phi[l]).map(|(dz, &phi)| dz.scaled(phi)).collect();
        let by_sample = Drift::entrywise(&outputs[..count], |x| Upper::norm(products(x, &centre.root)));
        outputs[count] = by_sample.smaller(outputs[count].clone(), s);
        dz.push(moved);
        dh.push(outputs);
    }
    let (mut e, mut v, mut g) = (vec![zeros; last + 1], vec![Vec::new(); last], centre.g.clone());
    for l in (1..last).rev() {
        let step = |i: usize| {
            e[l + 1][i].through(centre.norm_w[l + 1], factor(l + 1), l + 1, factor(l + 1) * centre.g[l + 1][i], s)
        };
        let dv: Vec<Drift> = (0..=count).map(step).collect();
        let at_start = with_maximum(products(&beta[l], &centre.v_inf[l]));
        e[l] = (0..=count).map(|i| dv[i].scaled(phi[l][i]).plus(dz[l][i].scaled(at_start[i]))).collect();
        let frozen = if factor(l + 1) == Upper::ZERO { centre.norm_w[l + 1] } else { Upper::UNKNOWN };
        v[l] = (0..count).map(|i| (centre.v_inf[l][i] + dv[i].value(s)).min(frozen * g[l + 1][i])).collect();
        let size = |i: usize| (centre.g[l][i] + e[l][i].value(s)).min(phi[l][i] * frozen * g[l + 1][i]);
        g[l] = (0..=count).map(size).collect();
    }
    let all = Upper::new(centre.samples.count as f64).sqrt();
    let h = |l: usize| {
        let supremum = |i: usize| {
            let (moved, ones) = (dh[l][i].value(s), if i < count { Upper::ONE } else { all });
            let sum = centre.h_tilde[l][i] + factor(l + 1) * moved;
            sum.min((factor(l + 1) * (centre.h[l][i] + moved)).hypot(Upper::new(layers.biases[l + 1]) * ones))
        };
        (0..=count).map(supremum).collect()
    };
    Reach { h: (0..last).map(h).collect(), g, phi, beta, v, dh, e }
}

/// All bounds on the ball of radius s but the Lipschitz constant.
///
/// Block l of J is the row-wise product `G_l (.) H~_{l-1}`, and `|A (.) B| <= max |a_i| |B|`, `<= |A| max |b_i|`. Its
/// drift is `dG (.) H~ + G' (.) D_W dH`. Blocks are bounded by `C_l . (s_1..s_L) + R_l`, so `|J - J(w0)| <= |C| s + |R|`.
pub(crate) fn ball(centre: &Centre, s: Upper) -> Ball {
    let (last, count, layers) = (centre.layers.count(), centre.root.len(), &centre.layers);
    let reach = reach(centre, s);
    let (mut rows, mut rest, mut norms) = (Vec::new(), Vec::new(), Vec::new());
    for l in 1..=last {
        let (e, dh, g, h) = (&reach.e[l], &reach.dh[l - 1], &reach.g[l], &centre.h_tilde[l - 1]);
        let by_sample = Drift::entrywise(&e[..count], maximum).scaled(h[count]);
        let outer = by_sample.smaller(e[count].scaled(maximum(&h[..count])), s);
        let weights = products(&centre.root, g);
        let by_sample = Drift::entrywise(&dh[..count], |x| Upper::norm(products(x, &weights)));
        let inner = by_sample.smaller(dh[count].scaled(maximum(&g[..count])), s);
        let block = outer.plus(inner.scaled(Upper::new(layers.weights[l])));
        rows.push(block.0[1..].to_vec());
        rest.push(block.0[0]);
        norms.push(row_wise(g, &reach.h[l - 1]));
    }
    let drift = small_norm(&rows) * s + Upper::norm(rest);
    let first = Lower::minimum(centre.g_low.iter().zip(&reach.e[1]).map(|(&g, e)| g.minus(e.value(s))));
    Ball {
        psi: (first * centre.smin_inputs).max(centre.smin_start.minus(drift)),
        norm: Upper::norm(norms).min(centre.smax_start + drift),
        drift,
    }
}

/// `|A (.) B|` from the norms of the rows and, last in the lists, of the matrices.
fn row_wise(a: &[Upper], b: &[Upper]) -> Upper {
    let n = a.len() - 1;
    (maximum(&a[..n]) * b[n]).min(a[n] * maximum(&b[..n]))
}

/// Lipschitz constant of J on the ball: `|M|`, M[l][k] a bound of the derivative of block l along a unit move of layer k:
/// `zd_l = t_l h~_{l-1} + (|W_l| + D s) hd_{l-1}`, `hd_l = phi_l zd_l`,
/// `gd_l = beta_l |v_l|_inf zd_l + phi_l (D t_{l+1} |g_{l+1}| + (|W_{l+1}| + D s) gd_{l+1})`. Both triangles of M bound the
/// same symmetric bilinear form, so each entry may be replaced by the smaller of the two. `|W_l| + s` keeps the whole s,
/// as the move u is independent of the position in the ball.
pub(crate) fn lipschitz(centre: &Centre, s: Upper) -> Upper {
    let (last, count, layers) = (centre.layers.count(), centre.root.len(), &centre.layers);
    let Reach { phi, beta, v, h, g, .. } = reach(centre, s);
    let bend: Vec<_> = beta.iter().zip(&v).map(|(beta, v)| with_maximum(products(beta, v))).collect();
    let mut m = vec![vec![Upper::ZERO; last]; last];
    for k in 1..=last {
        let own = |l: usize, x: Upper| if l == k { x } else { Upper::ZERO };
        let layer = |l: usize, d: Upper| (centre.norm_w[l] + Upper::new(layers.weights[l]) * s) * d;
        let (mut zd, mut hd) = (vec![vec![Upper::ZERO; count + 1]; last], vec![vec![Upper::ZERO; count + 1]; last]);
        for l in 1..last {
            zd[l] = (0..=count).map(|i| own(l, h[l - 1][i]) + layer(l, hd[l - 1][i])).collect();
            hd[l] = products(&phi[l], &zd[l]);
            hd[l][count] = Upper::norm(products(&centre.root, &hd[l])).min(hd[l][count]);
        }
        let mut gd = vec![Upper::ZERO; count + 1];
        for l in (1..=last).rev() {
            if l < last {
                let next = |i: usize| Upper::new(layers.weights[l + 1]) * own(l + 1, g[l + 1][i]) + layer(l + 1, gd[i]);
                gd = (0..=count).map(|i| bend[l][i] * zd[l][i] + phi[l][i] * next(i)).collect();
            }
            let weights = products(&centre.root, &g[l]);
            let inner = Upper::norm(products(&weights, &hd[l - 1])).min(maximum(&g[l][..count]) * hd[l - 1][count]);
            m[l - 1][k - 1] = row_wise(&gd, &h[l - 1]) + Upper::new(layers.weights[l]) * inner;
        }
    }
    small_norm(&(0..last).map(|l| (0..last).map(|k| m[l][k].min(m[k][l])).collect()).collect::<Vec<_>>())
}

/// Upper bound of the spectral norm of a small non-negative matrix C: for any x > 0,
/// `|C|^2 <= max_i (C^T C x)_i / x_i` (Collatz, Wielandt), with x from the power method; never above the Frobenius norm.
fn small_norm(rows: &[Vec<Upper>]) -> Upper {
    let mut best = Upper::norm(rows.concat());
    if !best.is_finite() || best == Upper::ZERO {
        return best;
    }
    let mut x = vec![Upper::ONE; rows[0].len()];
    for _ in 0..200 {
        let y: Vec<Upper> = rows.iter().map(|row| products(row, &x).into_iter().sum()).collect();
        let z: Vec<Upper> = (0..x.len()).map(|k| rows.iter().zip(&y).map(|(row, &y)| row[k] * y).sum()).collect();
        best = best.min(Upper::maximum(z.iter().zip(&x).map(|(&z, &x)| z / Lower::new(x.get()))).sqrt());
        // Kept away from 0, so that every x_i stays positive.
        let scale = maximum(&z).get();
        x = z.iter().map(|z| Upper::new((z.get() / scale).max(1e-17))).collect();
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norms_of_small_matrices() {
        let matrix = |rows: &[&[f64]]| -> Vec<Vec<Upper>> {
            rows.iter().map(|r| r.iter().map(|&x| Upper::new(x)).collect()).collect()
        };
        for (rows, norm) in [
            (matrix(&[&[0.0, 3.0, 4.0]]), 5.0),
            (matrix(&[&[0.0, 1.0], &[1.0, 0.0]]), 1.0),
            (matrix(&[&[1.0, 1.0], &[1.0, 1.0]]), 2.0),
            (matrix(&[&[2.0, 0.0], &[0.0, 1.9999]]), 2.0),
            (matrix(&[&[1.0, 1.0], &[0.0, 1.0]]), 1.618_033_988_749_895),
        ] {
            let got = small_norm(&rows).get();
            assert!(got >= norm && got <= norm * (1.0 + 1e-6), "{got} {norm}");
        }
    }
}
