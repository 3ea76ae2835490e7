//! (T16n) A crude bound of the third derivative of the outputs on a ball, at any depth.

use super::derivatives::supremum;
use crate::ball::{Reach, reach};
use crate::start::Centre;
use gradcert_rigor::{Interval, Upper};

/// Most boxes of the cover of a unit of move over the layers, and most cells of a layer.
const BOXES: usize = 5000;
const CELLS: usize = 16;

/// `|D^3 F(w)[u, u, u]| <= third_order` for unit u and all w in B(w0, S).
///
/// A unit move u, with |u_l| in layer l, lies in a box `u_l^2 <= k_l / m` with `k_l >= 1`, `sum k_l = m + L - 1`: round m u_l^2 up.
/// So the largest P of these boxes is a bound, for any m.
pub(crate) fn third_order(centre: &Centre, radius: Upper) -> Upper {
    let (last, reach) = (centre.layers.count(), reach(centre, radius));
    // C(m + L - 2, L - 1) lists; one for m = 1.
    let count = |m: usize| (1..last).fold(1, |product: usize, i| product.saturating_mul(m + last - 1 - i) / i);
    let m = (1..=CELLS).rev().find(|&m| count(m) <= BOXES).unwrap_or(1);
    let root = |&k: &usize| (Interval::exact(k as f64) / Interval::exact(m as f64)).sqrt().upper();
    let value = |k: Vec<usize>| largest(centre, &reach, radius, &k.iter().map(root).collect::<Vec<_>>());
    Upper::maximum(corners(last, m + last - 1).into_iter().map(value))
}

/// All lists of so many positive numbers with this sum.
fn corners(layers: usize, sum: usize) -> Vec<Vec<usize>> {
    let first = if layers == 1 { sum..=sum } else { 1..=sum + 1 - layers };
    let rest = |k: usize| if layers == 1 { vec![vec![]] } else { corners(layers - 1, sum - k) };
    first.flat_map(|k| rest(k).into_iter().map(move |rest| [vec![k], rest].concat())).collect()
}

/// P(u): a bound for moves of at most u_l of layer l. First and second derivatives along u of z_l, h_l are at most zd, zdd, hd,
/// hdd per sample, and over all samples together the same in capitals: `zd_l = u_l h~_{l-1} + (|W_l| + D S) hd_{l-1}`,
/// `zdd_l = (|W_l| + D S) hdd_{l-1} + 2 D u_l hd_{l-1}`, `hd_l = phi_l zd_l`, `hdd_l = beta_l zd_l^2 + phi_l zdd_l`. The third derivative
/// of the outputs is `sum_l 3 g_l^T U_l h''_{l-1} + v_l^T (sigma''' z'^3 + 3 sigma'' z' z'')`.
fn largest(centre: &Centre, reach: &Reach, radius: Upper, u: &[Upper]) -> Upper {
    let (layers, n, three) = (&centre.layers, centre.root.len(), Upper::new(3.0));
    let worst = |x: &[Upper]| Upper::maximum(x[..n].iter().copied());
    let together = |x: &[Upper]| Upper::norm(x.iter().zip(&centre.root).map(|(&x, &root)| x * root));
    let each = |f: &dyn Fn(usize) -> Upper| -> Vec<Upper> { (0..n).map(f).collect() };
    let gamma = supremum(layers.activation, 3);
    let [mut hd, mut hdd] = [vec![Upper::ZERO; n], vec![Upper::ZERO; n]];
    let [mut hd_all, mut hdd_all, mut sum] = [Upper::ZERO; 3];
    for l in 1..=layers.count() {
        let (u, d, g, h) = (u[l - 1], Upper::new(layers.weights[l]), &reach.g[l], &reach.h[l - 1]);
        sum += three * d * u * together(&each(&|i| g[i] * hdd[i])).min(worst(g) * hdd_all);
        if l == layers.count() {
            break;
        }
        let (w, both) = (centre.norm_w[l] + d * radius, Upper::new(2.0) * d * u);
        let (phi, beta, v) = (&reach.phi[l], &reach.beta[l], &reach.v[l]);
        let zd = each(&|i| u * h[i] + w * hd[i]);
        let zd_all = together(&zd).min(u * h[n] + w * hd_all);
        let zdd = each(&|i| w * hdd[i] + both * hd[i]);
        let zdd_all = together(&zdd).min(w * hdd_all + both * hd_all);
        sum += worst(&each(&|i| v[i] * gamma * zd[i].square())) * zd_all;
        let by_zdd = worst(&each(&|i| v[i] * beta[i] * zdd[i])) * zd_all;
        sum += three * by_zdd.min(worst(&each(&|i| v[i] * beta[i] * zd[i])) * zdd_all);
        hd = each(&|i| phi[i] * zd[i]);
        hdd = each(&|i| beta[i] * zd[i].square() + phi[i] * zdd[i]);
        hd_all = together(&hd).min(worst(phi) * zd_all);
        hdd_all = together(&hdd).min(worst(&each(&|i| beta[i] * zd[i])) * zd_all + worst(phi) * zdd_all);
    }
    sum
}
