//! (T16d) `|J(w0)^+ D^2 F(w0)[v, u]| <= om` for unit u in the row space of J(w0) and unit v, at any depth.
//!
//! With R of [`Relative::whitener`], every unit u of the row space is `J^T R^T b` with `|b| <= 1 / sqrt(1 - delta)`. Let V_r be
//! the matrix `Hess F_r J^T R^T`, r = (i, c) a row of J; entry r of `D^2 F[v, u]` is `<V_r, v b^T>`, so
//! `om^2 (1 - delta) = |Gam|_K`, `Gam_rs = <V_r, V_s>`. With rows for the samples, repeated over the outputs, direction b changes
//!
//! `zd_l = (H~_{l-1} H~_{l-1}^T) diag(R_b) G_l + hd_{l-1} W_l^T`, `hd_l = sigma' o zd_l`,
//! `vd_l = D^2 (G_{l+1} G_{l+1}^T) diag(R_b) H_l + gd_{l+1} W_{l+1}`, `gd_l = sigma'' o v_l o zd_l + sigma' o vd_l`,
//!
//! and layer l of column b of V_r is `gd_l (x) h~_{l-1} + g_l (x) D hd_{l-1}`. All that is enclosed. The Gram matrix of the middles is
//! summed in doubles; what they miss of V is bounded in the Frobenius norm, `|V|_K <= |V^|_K + |M (V - V^)| / smin`.

use super::derivatives::{Coefficients, derivatives};
use super::relative::{Relative, sizes, times};
use super::third_order::third_order;
use crate::hex::HexFloat;
use crate::matrix::{Enclosed, Matrix, Symmetric, UNDERFLOW};
use crate::pairs::{Pair, U, plain_dot, plain_dot_error};
use crate::start::Centre;
use gradcert_rigor::{Interval, Upper};
use std::ops::{Add, Mul};

/// What is the same for all directions; matrices have a row for each row of J, but for W.
struct Layer {
    factor: f64,
    /// `W_l`, and transposed.
    w: [Enclosed; 2],
    /// `H_{l-1}`, `G_l`, and transposed.
    h: [Enclosed; 2],
    g: [Enclosed; 2],
    /// `H~_{l-1} H~_{l-1}^T`, `D^2 G_l G_l^T`.
    inner: Enclosed,
    outer: Enclosed,
    /// `sigma'`, `sigma'' o v_l`; no columns in the last layer.
    slope: Enclosed,
    bend: Enclosed,
    /// Norms of the rows of the middles of H~_{l-1} and G_l, and of what these miss.
    tilde_sizes: [Vec<Upper>; 2],
    g_sizes: [Vec<Upper>; 2],
}

/// Entry by entry; k is the index of the entry.
fn map(x: &Enclosed, f: impl Fn(usize, Interval) -> Interval) -> Enclosed {
    let entries: Vec<Interval> = x.intervals().into_iter().enumerate().map(|(k, x)| f(k, x)).collect();
    Enclosed::from_intervals(x.middle.rows, x.middle.columns, &entries)
}

fn both(x: &Enclosed, y: &Enclosed, f: impl Fn(Interval, Interval) -> Interval) -> Enclosed {
    let y = y.intervals();
    map(x, |k, x| f(x, y[k]))
}

fn with_transposed(x: Enclosed) -> [Enclosed; 2] {
    let transposed = Enclosed { middle: x.middle.transposed(), radius: x.radius.transposed() };
    [x, transposed]
}

fn layer(centre: &Centre, l: usize) -> Layer {
    let (layers, [weights, hidden, g]) = (&centre.layers, &centre.passes);
    let (rows, width, outputs) = (g[l].middle.rows, layers.widths[l - 1], g[l].middle.rows / centre.root.len());
    let [w, b] = [layers.weights[l], layers.biases[l]].map(Interval::exact);
    let sample: Vec<Vec<Interval>> = hidden[l - 1].intervals().chunks(width).map(<[Interval]>::to_vec).collect();
    let h: Vec<Interval> = (0..rows).flat_map(|r| sample[r / outputs].clone()).collect();
    let extended = |row: &[Interval]| row.iter().map(|&x| w * x).chain([b]).collect::<Vec<_>>();
    let tilde: Vec<Interval> = h.chunks(width).flat_map(extended).collect();
    let tilde = Enclosed::from_intervals(rows, width + 1, &tilde);
    let back = |next: &Enclosed| next.times_transposed(&Enclosed::exact(weights[l].middle.transposed()));
    let v = g.get(l + 1).map_or_else(|| Enclosed::from_intervals(rows, 0, &[]), back);
    let units = (0..rows).flat_map(|r| &centre.units[l][r / outputs]);
    let s: Vec<Coefficients> = units.map(|&z| derivatives(layers.activation, z)).collect();
    Layer {
        factor: layers.weights[l],
        w: with_transposed(weights[l - 1].clone()),
        h: with_transposed(Enclosed::from_intervals(rows, width, &h)),
        g: with_transposed(g[l].clone()),
        inner: tilde.times_transposed(&tilde),
        outer: g[l].times_transposed(&map(&g[l], |_, x| w.square() * x)),
        slope: map(&v, |k, _| s[k][1]),
        bend: map(&v, |k, v| s[k][2] * v),
        tilde_sizes: sizes(&tilde),
        g_sizes: sizes(&g[l]),
    }
}

/// Most rows of J, cubed, times units: what more takes is not computed.
const MAX_WORK: f64 = 1e12;

/// Upper bounds of `N_2 = om` and `N_3`.
pub(crate) fn orders(_stated: &[HexFloat], radius: Upper, centre: &Centre, relative: &Relative) -> Vec<Upper> {
    let units = centre.layers.widths[1..].iter().sum::<usize>() as f64;
    if (centre.samples.rows.len() as f64).powi(3) * units > MAX_WORK {
        return vec![Upper::UNKNOWN; 2];
    }
    vec![second_order(centre, relative), third_order(centre, radius) / centre.smin_start]
}

fn second_order(centre: &Centre, relative: &Relative) -> Upper {
    let Some((r, kept)) = relative.whitener() else { return Upper::UNKNOWN };
    let layers: Vec<Layer> = (1..=centre.layers.count()).map(|l| layer(centre, l)).collect();
    let (r, longest) = (&r.middle, 1 + centre.layers.widths.iter().fold(0, |most, &w| most.max(w)));
    let rows = r.rows;
    let (mut gram, mut missed, mut size) = (vec![0.0; rows * rows], vec![Upper::ZERO; rows], Upper::ZERO);
    for b in 0..rows {
        let (hd, gd) = moves(&layers, &r.row(b)[..=b]);
        let (mut norms, mut errors) = (vec![Upper::ZERO; rows], vec![Upper::ZERO; rows]);
        for (layer, (hd, gd)) in layers.iter().zip(hd.iter().zip(&gd)) {
            add_products(&mut gram, layer, &hd.middle, &gd.middle);
            let ([h, dh], [g, dg], d) = (&layer.tilde_sizes, &layer.g_sizes, Upper::new(layer.factor));
            let ([hd, dhd], [gd, dgd]) = (sizes(hd), sizes(gd));
            for r in 0..rows {
                norms[r] += gd[r] * h[r] + d * g[r] * hd[r];
                errors[r] += dgd[r] * (h[r] + dh[r]) + gd[r] * dh[r] + d * ((g[r] + dg[r]) * dhd[r] + dg[r] * hd[r]);
            }
        }
        size += norms.iter().map(|x| x.square()).sum();
        missed.iter_mut().zip(&errors).for_each(|(sum, x)| *sum += x.square());
    }
    // Products of two scalar products each, summed one by one over directions and layers: relative to the sizes.
    let gamma = 2.0 * plain_dot_error(longest) + (rows * layers.len() + 16) as f64 * U;
    let error = Upper::new(gamma) * size + Upper::new(rows as f64 * UNDERFLOW);
    let gram = Symmetric::from_entries(rows, error, |r, s| Pair::exact(gram[r * rows + s]));
    let missed = relative.crude(missed.iter().map(|x| x.sqrt()));
    (relative.largest(&gram).sqrt() + missed) / kept
}

/// `hd_0, ..., hd_{L-1}` and `gd_1, ..., gd_L` along a direction, whose last coefficients are 0 and left out; hd_0 and gd_L are 0 and
/// have no columns.
fn moves(layers: &[Layer], direction: &[f64]) -> (Vec<Enclosed>, Vec<Enclosed>) {
    let rows = layers[0].inner.middle.rows;
    let scaled = |x: &[Interval]| x.iter().zip(direction).map(|(&x, &r)| x * Interval::exact(r)).collect::<Vec<_>>();
    let along = |x: &Enclosed| {
        let entries: Vec<Interval> = x.intervals().chunks(rows).flat_map(scaled).collect();
        Enclosed::from_intervals(rows, direction.len(), &entries)
    };
    let nothing = Enclosed::from_intervals(rows, 0, &[]);
    let (mut zd, mut hd, mut gd) = (Vec::new(), vec![nothing.clone()], vec![nothing; layers.len()]);
    for (l, own) in layers[..layers.len() - 1].iter().enumerate() {
        let moved = times(&along(&own.inner), &own.g[1]);
        zd.push(both(&moved, &times(&hd[l], &own.w[0]), Add::add));
        hd.push(both(&zd[l], &own.slope, Mul::mul));
    }
    for (l, own) in layers[..layers.len() - 1].iter().enumerate().rev() {
        let next = &layers[l + 1];
        let moved = times(&along(&next.outer), &next.h[1]);
        let vd = both(&moved, &times(&gd[l + 1], &next.w[1]), Add::add);
        let [bent, carried] = [both(&zd[l], &own.bend, Mul::mul), both(&vd, &own.slope, Mul::mul)];
        gd[l] = both(&bent, &carried, Add::add);
    }
    (hd, gd)
}

/// Adds the scalar products of the parts `gd_r (x) h~_r + g_r (x) D hd_r` of one layer along one direction, in doubles.
fn add_products(gram: &mut [f64], layer: &Layer, hd: &Matrix, gd: &Matrix) {
    let (rows, h, g) = (hd.rows, &layer.h[0].middle, &layer.g[0].middle);
    let mixed = |r: usize, s: usize| match hd.columns * gd.columns {
        0 => 0.0,
        _ => plain_dot(gd.row(r), g.row(s)) * plain_dot(h.row(r), hd.row(s)),
    };
    for (k, sum) in gram.iter_mut().enumerate().filter(|(k, _)| k % rows <= k / rows) {
        let (r, s) = (k / rows, k % rows);
        let own = layer.inner.middle.values[k] * plain_dot(gd.row(r), gd.row(s))
            + layer.outer.middle.values[k] * plain_dot(hd.row(r), hd.row(s));
        *sum += own + layer.factor * layer.factor * (mixed(r, s) + mixed(s, r));
    }
}
