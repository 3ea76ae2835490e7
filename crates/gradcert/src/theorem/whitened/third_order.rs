//! (T16n) A bound of the third derivative on a ball, at any depth, any number of outputs.
//!
//! Fix S. The drifts of (T9) at s = S give, for everything in `B(w0, S)` and per sample, `phi_l >= |sigma'|`, `beta_l >= |sigma''|`,
//! `gam_l >= |sigma'''|` on the reachable intervals and the suprema `x_l = |h~_{l-1}|`, `g_l`, `v_l = |v_l|_inf`, with `w_l = |W_l| + D_Wl S`,
//! `sH_l = smax(H~_{l-1})` (weighted). Move layer l by a unit vector times u_l. The second derivatives of z and h along the move are
//! bounded per sample (small letters) and over samples (capitals, 2-norms), starting from 0:
//!
//! `zd_l = u_l x_l + w_l hd_{l-1}`, `ZD_l = min(|(zd_l)_i|_2, u_l sH_l + w_l HD_{l-1})`, `hd_l = phi_l zd_l`,
//! `HD_l = min(|(hd_l)_i|_2, max phi_l ZD_l)`, `zdd_l = w_l hdd_{l-1} + 2 D_Wl u_l hd_{l-1}`,
//! `ZDD_l = min(|(zdd_l)_i|_2, w_l HDD_{l-1} + 2 D_Wl u_l HD_{l-1})`, `hdd_l = beta_l zd_l^2 + phi_l zdd_l`,
//! `HDD_l = min(|(hdd_l)_i|_2, max(beta_l zd_l) ZD_l + max phi_l ZDD_l)`,
//!
//! and, since `z_L''' = sum_l 3 g_l^T D_Wl U_l h''_{l-1} + v_l^T (sigma''' zd^3 + 3 sigma'' zd zdd)`,
//!
//! `P(u) = sum_{l >= 2} 3 D_Wl u_l min(|(g_l hdd_{l-1})_i|_2, max g_l HDD_{l-1})
//!  + sum_{l < L} [ max(v_l gam_l zd_l^2) ZD_l + 3 min(max(v_l beta_l zdd_l) ZD_l, max(v_l beta_l zd_l) ZDD_l) ]`
//!
//! bounds `|D^3 F[u^3]|`. It does not decrease in any u_l, so over `sum u_l^2 <= 1` it is at most its maximum over the corners
//! `(sqrt(k_1/m), ..., sqrt(k_L/m))`, `k_l >= 1`, `sum k_l = m + L - 1`, whose boxes cover that set: round m u_l^2 up.

use crate::theorem::centre::Centre;
use gradcert_rigor::{Interval, Upper};

/// Boxes of the cover are at most this many.
const CORNERS: usize = 5000;

/// `|D^3 F(w)| <= ` this on `B(w0, radius)`; `None` for an activation without a third derivative.
pub fn third_derivative(centre: &Centre, radius: f64) -> Option<Upper> {
    let reach = Reach::new(centre, Upper::new(radius))?;
    Some(Upper::maximum(corners(centre.layers()).iter().map(|u| reach.bound(u))))
}

/// The corners, m as large as [`CORNERS`] allows but at most 16.
fn corners(layers: usize) -> Vec<Vec<Upper>> {
    let mut m = 16;
    while m > 1 && count(m, layers) > CORNERS {
        m -= 1;
    }
    let mut found = vec![];
    compositions(m + layers - 1, layers, &mut vec![], &mut found);
    let coordinate =
        |&k: &usize| Upper::new((Interval::exact(k as f64) / Interval::exact(m as f64)).sqrt().hi().min(1.0));
    found.iter().map(|ks| ks.iter().map(coordinate).collect()).collect()
}

/// Ways to write `m + layers - 1` as a sum of `layers` positive integers.
fn count(m: usize, layers: usize) -> usize {
    (1..layers).fold(1usize, |product, i| product.saturating_mul(m + layers - 1 - i) / i)
}

fn compositions(rest: usize, parts: usize, begun: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
    if parts == 1 {
        begun.push(rest);
        found.push(begun.clone());
        begun.pop();
        return;
    }
    for k in 1..=rest + 1 - parts {
        begun.push(k);
        compositions(rest - k, parts - 1, begun, found);
        begun.pop();
    }
}

/// Suprema over the ball, `[l][i]` where they are per sample.
struct Reach<'a> {
    centre: &'a Centre,
    /// `w_l`.
    norm: Vec<Upper>,
    /// `x_l`, `sH_l`.
    extended: Vec<Vec<Upper>>,
    smax_extended: Vec<Upper>,
    /// `phi_l`, `v_l beta_l`, `v_l gam_l`, and beta_l alone.
    slope: Vec<Vec<Upper>>,
    curvature: Vec<Vec<Upper>>,
    bend: Vec<Vec<Upper>>,
    third: Vec<Vec<Upper>>,
    /// `g_l`.
    backward: Vec<Vec<Upper>>,
}

fn maximum(values: impl IntoIterator<Item = Upper>) -> Upper {
    Upper::maximum(values)
}

impl<'a> Reach<'a> {
    fn new(centre: &'a Centre, s: Upper) -> Option<Reach<'a>> {
        let (layers, samples, activation) = (centre.layers(), centre.samples(), centre.activation);
        let third = activation.sup_third()?;
        let factor = |l: usize| Upper::new(centre.metric.weights[l]);
        let norm: Vec<Upper> =
            (0..=layers).map(|l| if l == 0 { Upper::ZERO } else { centre.norm_weights[l] + factor(l) * s }).collect();
        let (mut slope, mut curvature) = (vec![vec![]; layers], vec![vec![]; layers]);
        let (mut dz, mut dh) = (vec![vec![]; layers], vec![vec![Upper::ZERO; samples]; layers]);
        for l in 1..layers {
            dz[l] =
                (0..samples).map(|i| s * centre.extended[l - 1][i] + norm[l] * dh[l - 1][i]).collect::<Vec<Upper>>();
            for (units, reach) in centre.preactivations[l].iter().zip(&dz[l]) {
                let reachable = |z: &Interval| *z + Interval::new(-reach.get(), reach.get());
                slope[l].push(maximum(units.iter().map(|z| activation.sup_slope(reachable(z)))));
                curvature[l].push(maximum(units.iter().map(|z| activation.sup_curvature(reachable(z)))));
            }
            dh[l] = dz[l].iter().zip(&slope[l]).map(|(&dz, &phi): (&Upper, &Upper)| phi * dz).collect();
        }
        let mut backward = centre.backward.clone();
        let (mut bend, mut thirds) = (vec![vec![]; layers], vec![vec![]; layers]);
        let mut e = vec![Upper::ZERO; samples];
        for l in (1..layers).rev() {
            let mut next = vec![];
            for i in 0..samples {
                let dv = norm[l + 1] * e[i] + factor(l + 1) * s * centre.backward[l + 1][i];
                let v = centre.backward_max[l][i] + dv;
                bend[l].push(v * curvature[l][i]);
                thirds[l].push(v * third);
                next.push(slope[l][i] * dv + curvature[l][i] * dz[l][i] * centre.backward_max[l][i]);
                backward[l][i] = centre.backward[l][i] + next[i];
            }
            e = next;
        }
        let weighted = |values: &[Upper]| Upper::norm(values.iter().zip(&centre.weight).map(|(&x, &w)| w * x));
        let extended = |l: usize| -> Vec<Upper> {
            let sup = |i: usize| {
                let bias = Upper::new(centre.metric.biases[l]);
                let parts = (factor(l) * (centre.hidden[l - 1][i] + dh[l - 1][i])).hypot(bias);
                parts.min(centre.extended[l - 1][i] + factor(l) * dh[l - 1][i])
            };
            (0..samples).map(sup).collect()
        };
        Some(Reach {
            centre,
            extended: (0..=layers).map(|l| if l == 0 { vec![] } else { extended(l) }).collect(),
            smax_extended: (0..=layers)
                .map(|l| match l {
                    0 => Upper::ZERO,
                    _ => centre.smax_extended[l - 1] + factor(l) * weighted(&dh[l - 1]),
                })
                .collect(),
            norm,
            slope,
            curvature,
            bend,
            third: thirds,
            backward,
        })
    }

    /// P(u), `u[l - 1]` for layer l.
    fn bound(&self, u: &[Upper]) -> Upper {
        let (centre, samples) = (self.centre, self.centre.samples());
        let joint = |value: &dyn Fn(usize) -> Upper| Upper::norm((0..samples).map(|i| centre.weight[i] * value(i)));
        let worst = |value: &dyn Fn(usize) -> Upper| maximum((0..samples).map(value));
        let three = Upper::new(3.0);
        let (mut hd, mut hdd) = (vec![Upper::ZERO; samples], vec![Upper::ZERO; samples]);
        let (mut hd_joint, mut hdd_joint, mut sum) = (Upper::ZERO, Upper::ZERO, Upper::ZERO);
        for l in 1..=centre.layers() {
            let (own, w) = (u[l - 1], self.norm[l]);
            let moved = Upper::new(centre.metric.weights[l]) * own;
            if l > 1 {
                let g = &self.backward[l];
                let inner = joint(&|i| g[i] * hdd[i]).min(worst(&|i| g[i]) * hdd_joint);
                sum += three * moved * inner;
            }
            if l == centre.layers() {
                break;
            }
            let zd: Vec<Upper> = (0..samples).map(|i| own * self.extended[l][i] + w * hd[i]).collect();
            let zdd: Vec<Upper> = (0..samples).map(|i| w * hdd[i] + Upper::new(2.0) * moved * hd[i]).collect();
            let zd_joint = joint(&|i| zd[i]).min(own * self.smax_extended[l] + w * hd_joint);
            let zdd_joint = joint(&|i| zdd[i]).min(w * hdd_joint + Upper::new(2.0) * moved * hd_joint);
            let (phi, beta, bend, third) = (&self.slope[l], &self.curvature[l], &self.bend[l], &self.third[l]);
            sum += worst(&|i| third[i] * zd[i].square()) * zd_joint;
            let mixed = worst(&|i| bend[i] * zdd[i]) * zd_joint;
            sum += three * mixed.min(worst(&|i| bend[i] * zd[i]) * zdd_joint);
            hdd = (0..samples).map(|i| beta[i] * zd[i].square() + phi[i] * zdd[i]).collect();
            hdd_joint = joint(&|i| hdd[i]).min(worst(&|i| beta[i] * zd[i]) * zd_joint + worst(&|i| phi[i]) * zdd_joint);
            hd = (0..samples).map(|i| phi[i] * zd[i]).collect();
            hd_joint = joint(&|i| hd[i]).min(worst(&|i| phi[i]) * zd_joint);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boxes_cover_the_sphere() {
        for layers in [2, 3, 4, 7, 12] {
            let corners = corners(layers);
            assert!(corners.len() <= CORNERS, "{layers}: {}", corners.len());
            let mut state = 1u64;
            for _ in 0..300 {
                let mut u: Vec<f64> = (0..layers)
                    .map(|_| {
                        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                        ((state >> 11) as f64 / (1u64 << 53) as f64).powi(3)
                    })
                    .collect();
                let norm = u.iter().map(|x| x * x).sum::<f64>().sqrt();
                u.iter_mut().for_each(|x| *x /= norm * (1.0 + 1e-12));
                let covered = corners.iter().any(|c| c.iter().zip(&u).all(|(c, u)| c.get() >= *u));
                assert!(covered, "{u:?}");
            }
        }
    }
}
