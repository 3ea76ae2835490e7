//! (T9+) Bounds of the Jacobian on the closed ball B(w0, s), at any start.

use crate::start::{Centre, Layers};
use gradcert_rigor::{Lower, Upper};

/// Bounds on the ball of one radius.
pub(crate) struct Ball {
    /// `smin(J)`, by the first layer alone or by all layers, whichever is larger.
    pub(crate) psi: Lower,
    /// `|J|`.
    pub(crate) norm: Upper,
    /// Lipschitz constant of J.
    pub(crate) lipschitz: Upper,
    /// `|J - J(w0)|`.
    pub(crate) drift: Upper,
}

/// (T9+ 1) A bound `c . (s_1, ..., s_L) + q` of a drift, valid for every split of the ball over the layers,
/// `sum s_l^2 <= s^2`: over all splits it is at most `|c| s + q`.
#[derive(Clone)]
struct Drift {
    c: Vec<Upper>,
    q: Upper,
}

impl Drift {
    fn zero(layers: usize) -> Drift {
        Drift { c: vec![Upper::ZERO; layers + 1], q: Upper::ZERO }
    }

    /// `s_l size`.
    fn of_move(layers: usize, l: usize, size: Upper) -> Drift {
        let mut drift = Drift::zero(layers);
        drift.c[l] = size;
        drift
    }

    fn value(&self, s: Upper) -> Upper {
        Upper::norm(self.c.iter().copied()) * s + self.q
    }

    fn plus(&self, other: &Drift) -> Drift {
        Drift { c: self.c.iter().zip(&other.c).map(|(&a, &b)| a + b).collect(), q: self.q + other.q }
    }

    fn scaled(&self, factor: Upper) -> Drift {
        Drift { c: self.c.iter().map(|&c| factor * c).collect(), q: factor * self.q }
    }

    /// `(norm + D s_l)` times the drift. The form `t_l (c . t)` on unit t has the largest eigenvalue `(c_l + |c|) / 2`, so
    /// `s_l (c . (s_1..s_L) + q) <= s^2 (c_l + |c|) / 2 + s q`: that part becomes remainder.
    fn through(&self, norm: Upper, l: usize, factor: Upper, s: Upper) -> Drift {
        let half = (self.c[l] + Upper::norm(self.c.iter().copied())) * Upper::new(0.5);
        let mut result = self.scaled(norm);
        result.q += factor * (s.square() * half + s * self.q);
        result
    }

    /// One whole pair, the one that is smaller over the ball; entries of two pairs must not be mixed.
    fn smaller(self, other: Drift, s: Upper) -> Drift {
        if self.value(s) <= other.value(s) { self } else { other }
    }

    /// Entrywise maximum over samples.
    fn worst(drifts: &[Drift], layers: usize) -> Drift {
        let largest = |f: &dyn Fn(&Drift) -> Upper| Upper::maximum(drifts.iter().map(f));
        Drift { c: (0..=layers).map(|k| largest(&|d| d.c[k])).collect(), q: largest(&|d| d.q) }
    }

    /// Entrywise Euclidean norm over samples, each weighted.
    fn over_samples(drifts: &[Drift], weights: &[Upper], layers: usize) -> Drift {
        let norm = |f: &dyn Fn(&Drift) -> Upper| {
            Upper::norm(drifts.iter().zip(weights).map(|(d, &w)| w * f(d)).collect::<Vec<_>>())
        };
        Drift { c: (0..=layers).map(|k| norm(&|d| d.c[k])).collect(), q: norm(&|d| d.q) }
    }
}

fn maximum(values: &[Upper]) -> Upper {
    Upper::maximum(values.iter().copied())
}

fn products(a: &[Upper], b: &[Upper]) -> Vec<Upper> {
    a.iter().zip(b).map(|(&a, &b)| a * b).collect()
}

/// What both passes over the layers leave behind, for the ball of radius s.
struct Drifts {
    /// `sup |sigma'|`, `sup |sigma''|` per layer and sample on the reachable intervals.
    phi: Vec<Vec<Upper>>,
    beta: Vec<Vec<Upper>>,
    /// `dh_l`, `e_l` per sample, `|dH_l|_F`, `|dG_l|_F`.
    dh: Vec<Vec<Drift>>,
    dh_all: Vec<Drift>,
    e: Vec<Vec<Drift>>,
    dg_all: Vec<Drift>,
    /// `|v_l|_inf` on the ball, per sample.
    v: Vec<Vec<Upper>>,
}

/// Forward and backward drifts (T9), per sample and collectively (T9+ 3):
/// `dz_l = s_l h~_{l-1} + (|W_l| + D s_l) dh_{l-1}`, `dh_l = phi_l dz_l`,
/// `e_l = phi_l ((|W_{l+1}| + D s_{l+1}) e_{l+1} + D s_{l+1} |g_{l+1}|) + beta_l |v_l|_inf dz_l`.
fn drifts(centre: &Centre, layers: &Layers, s: Upper) -> Drifts {
    let (last, count) = (layers.count(), centre.root.len());
    let factor = |l: usize| Upper::new(layers.weights[l]);
    let (zero, zeros) = (Drift::zero(last), vec![Drift::zero(last); count]);
    let (mut dz, mut dz_all) = (vec![zeros.clone()], vec![zero.clone()]);
    let (mut dh, mut dh_all) = (vec![zeros.clone()], vec![zero.clone()]);
    let (mut phi, mut beta) = (vec![Vec::new()], vec![Vec::new()]);
    for l in 1..last {
        let single = |i: usize| {
            let moved = Drift::of_move(last, l, centre.h_tilde[l - 1][i]);
            moved.plus(&dh[l - 1][i].through(centre.norm_w[l], l, factor(l), s))
        };
        dz.push((0..count).map(single).collect::<Vec<_>>());
        let moved = Drift::of_move(last, l, centre.smax_h_tilde[l - 1]);
        dz_all.push(moved.plus(&dh_all[l - 1].through(centre.norm_w[l], l, factor(l), s)));
        let reach: Vec<Upper> = dz[l].iter().map(|d| d.value(s)).collect();
        let units = &centre.units[l];
        phi.push((0..count).map(|i| layers.activation.slope_above(&units[i], reach[i])).collect::<Vec<_>>());
        beta.push((0..count).map(|i| layers.activation.curvature_above(&units[i], reach[i])).collect::<Vec<_>>());
        dh.push((0..count).map(|i| dz[l][i].scaled(phi[l][i])).collect());
        let all = Drift::over_samples(&dh[l], &centre.root, last);
        dh_all.push(all.smaller(dz_all[l].scaled(maximum(&phi[l])), s));
    }
    let (mut e, mut dg_all, mut v) = (vec![zeros; last + 1], vec![zero; last + 1], vec![Vec::new(); last]);
    for l in (1..last).rev() {
        let step = |drift: &Drift, size: Upper| {
            let through = drift.through(centre.norm_w[l + 1], l + 1, factor(l + 1), s);
            through.plus(&Drift::of_move(last, l + 1, factor(l + 1) * size))
        };
        let dv: Vec<Drift> = (0..count).map(|i| step(&e[l + 1][i], centre.g[l + 1][i])).collect();
        let bend = products(&beta[l], &centre.v_inf[l]);
        e[l] = (0..count).map(|i| dv[i].scaled(phi[l][i]).plus(&dz[l][i].scaled(bend[i]))).collect();
        v[l] = (0..count).map(|i| centre.v_inf[l][i] + dv[i].value(s)).collect();
        let dv_all = step(&dg_all[l + 1], centre.smax_g[l + 1]);
        dg_all[l] = dv_all.scaled(maximum(&phi[l])).plus(&dz_all[l].scaled(maximum(&bend)));
    }
    Drifts { phi, beta, dh, dh_all, e, dg_all, v }
}

/// Suprema over the ball: `|g_l|`, `smax(G_l)`, `h~_l`, `smax(H~_l)`.
struct Suprema {
    g: Vec<Vec<Upper>>,
    smax_g: Vec<Upper>,
    h: Vec<Vec<Upper>>,
    smax_h: Vec<Upper>,
}

fn suprema(centre: &Centre, layers: &Layers, d: &Drifts, s: Upper) -> Suprema {
    let (last, count) = (layers.count(), centre.root.len());
    let g = |l: usize| (0..count).map(|i| centre.g[l][i] + d.e[l][i].value(s)).collect::<Vec<_>>();
    let all = Upper::norm(centre.root.iter().copied());
    let extended = |l: usize, x: Upper, ones: Upper| {
        (Upper::new(layers.weights[l + 1]) * x).hypot(Upper::new(layers.biases[l + 1]) * ones)
    };
    let h = |l: usize| {
        if l == 0 {
            return centre.h_tilde[0].clone();
        }
        (0..count).map(|i| extended(l, centre.h[l][i] + d.dh[l][i].value(s), Upper::ONE)).collect()
    };
    let smax_h = |l: usize| {
        let moved = d.dh_all[l].value(s);
        let sum = centre.smax_h_tilde[l] + Upper::new(layers.weights[l + 1]) * moved;
        if l == 0 { sum } else { sum.min(extended(l, centre.smax_h[l] + moved, all)) }
    };
    Suprema {
        g: (0..=last).map(g).collect(),
        smax_g: (0..=last).map(|l| centre.smax_g[l] + d.dg_all[l].value(s)).collect(),
        h: (0..last).map(h).collect(),
        smax_h: (0..last).map(smax_h).collect(),
    }
}

/// All bounds on the ball of radius s.
///
/// Block l of J is the row-wise product `G_l (.) H~_{l-1}`, and `|A (.) B| <= max |a_i| |B|`, `<= |A| max |b_i|`. Its
/// drift is `dG (.) H~ + G' (.) D_W dH`. Blocks are bounded by `C_l . (s_1..s_L) + R_l`, so `|J - J(w0)| <= |C| s + |R|`.
pub(crate) fn ball(centre: &Centre, layers: &Layers, s: Upper) -> Ball {
    let last = layers.count();
    let d = drifts(centre, layers, s);
    let sup = suprema(centre, layers, &d, s);
    let (mut rows, mut rest, mut norms) = (Vec::new(), Vec::new(), Vec::new());
    for l in 1..=last {
        let by_sample = Drift::worst(&d.e[l], last).scaled(centre.smax_h_tilde[l - 1]);
        let outer = by_sample.smaller(d.dg_all[l].scaled(maximum(&centre.h_tilde[l - 1])), s);
        let weights = products(&centre.root, &sup.g[l]);
        let by_sample = Drift::over_samples(&d.dh[l - 1], &weights, last);
        let inner = by_sample.smaller(d.dh_all[l - 1].scaled(maximum(&sup.g[l])), s);
        let block = outer.plus(&inner.scaled(Upper::new(layers.weights[l])));
        rows.push(block.c);
        rest.push(block.q);
        norms.push((maximum(&sup.g[l]) * sup.smax_h[l - 1]).min(sup.smax_g[l] * maximum(&sup.h[l - 1])));
    }
    let drift = small_norm(&rows) * s + Upper::norm(rest);
    let first = Lower::minimum(centre.g_low.iter().zip(&d.e[1]).map(|(&g, e)| g.minus(e.value(s))));
    Ball {
        psi: (first * centre.smin_inputs).max(centre.smin_start.minus(drift)),
        norm: Upper::norm(norms).min(centre.smax_start + drift),
        lipschitz: lipschitz(centre, layers, &d, &sup, s),
        drift,
    }
}

/// `|M|`, M[l][k] a bound of the derivative of block l along a unit move of layer k anywhere in the ball:
/// `zd_l = t_l h~_{l-1} + (|W_l| + D s) hd_{l-1}`, `hd_l = phi_l zd_l`,
/// `gd_l = beta_l |v_l|_inf zd_l + phi_l (D t_{l+1} |g_{l+1}| + (|W_{l+1}| + D s) gd_{l+1})`. Both triangles of M bound the
/// same symmetric bilinear form, so each entry may be replaced by the smaller of the two. `|W_l| + s` keeps the whole s,
/// as the move u is independent of the position in the ball.
fn lipschitz(centre: &Centre, layers: &Layers, d: &Drifts, sup: &Suprema, s: Upper) -> Upper {
    let (last, count) = (layers.count(), centre.root.len());
    let reach = |l: usize| centre.norm_w[l] + Upper::new(layers.weights[l]) * s;
    let mut m = vec![vec![Upper::ZERO; last]; last];
    // One layer k at a time; lists are over samples, the `_all` are collective norms.
    for k in 1..=last {
        let unit = |l: usize| if l == k { Upper::ONE } else { Upper::ZERO };
        let (mut zd, mut hd) = (vec![vec![Upper::ZERO; count]; last], vec![vec![Upper::ZERO; count]; last]);
        let (mut zd_all, mut hd_all) = (vec![Upper::ZERO; last], vec![Upper::ZERO; last]);
        for l in 1..last {
            zd[l] = (0..count).map(|i| unit(l) * sup.h[l - 1][i] + reach(l) * hd[l - 1][i]).collect();
            zd_all[l] = unit(l) * sup.smax_h[l - 1] + reach(l) * hd_all[l - 1];
            hd[l] = products(&d.phi[l], &zd[l]);
            hd_all[l] = Upper::norm(products(&centre.root, &hd[l])).min(maximum(&d.phi[l]) * zd_all[l]);
        }
        let (mut gd, mut gd_all) = (vec![Upper::ZERO; count], Upper::ZERO);
        for l in (1..=last).rev() {
            if l < last {
                let move_next = unit(l + 1) * Upper::new(layers.weights[l + 1]);
                let bend = products(&d.beta[l], &d.v[l]);
                let next = |i: usize| move_next * sup.g[l + 1][i] + reach(l + 1) * gd[i];
                gd = (0..count).map(|i| bend[i] * zd[l][i] + d.phi[l][i] * next(i)).collect();
                let next_all = move_next * sup.smax_g[l + 1] + reach(l + 1) * gd_all;
                gd_all = maximum(&bend) * zd_all[l] + maximum(&d.phi[l]) * next_all;
            }
            let outer = (maximum(&gd) * sup.smax_h[l - 1]).min(gd_all * maximum(&sup.h[l - 1]));
            let weights = products(&centre.root, &sup.g[l]);
            let inner = Upper::norm(products(&weights, &hd[l - 1])).min(maximum(&sup.g[l]) * hd_all[l - 1]);
            m[l - 1][k - 1] = outer + Upper::new(layers.weights[l]) * inner;
        }
    }
    let symmetric: Vec<Vec<Upper>> = (0..last).map(|l| (0..last).map(|k| m[l][k].min(m[k][l])).collect()).collect();
    small_norm(&symmetric)
}

/// Upper bound of the spectral norm of a small non-negative matrix C: for any x > 0,
/// `|C|^2 <= max_i (C^T C x)_i / x_i` (Collatz, Wielandt), with x from the power method; never above the Frobenius norm.
fn small_norm(rows: &[Vec<Upper>]) -> Upper {
    let frobenius = Upper::norm(rows.iter().flatten().copied().collect::<Vec<_>>());
    if !frobenius.is_finite() || frobenius == Upper::ZERO {
        return frobenius;
    }
    let columns = rows[0].len();
    let unit: Vec<Vec<Upper>> =
        rows.iter().map(|r| r.iter().map(|&x| x / Lower::new(frobenius.get())).collect()).collect();
    let squared = |x: &[Upper]| -> Vec<Upper> {
        let y: Vec<Upper> = unit.iter().map(|row| products(row, x).into_iter().sum()).collect();
        (0..columns).map(|k| unit.iter().zip(&y).map(|(row, &y)| row[k] * y).sum()).collect()
    };
    let mut x = vec![Upper::ONE; columns];
    let mut best = Upper::ONE;
    for _ in 0..200 {
        let y = squared(&x);
        let ratio = Upper::maximum(y.iter().zip(&x).map(|(&y, &x)| y / Lower::new(x.get())));
        if ratio.get() >= best.get() * (1.0 - 1e-15) && best < Upper::ONE {
            break;
        }
        best = best.min(ratio);
        // Kept away from 0, so that every x_i stays positive.
        let scale = maximum(&y).get();
        x = y.iter().map(|y| Upper::new((y.get() / scale).max(1e-17))).collect();
    }
    best.sqrt() * frobenius
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
