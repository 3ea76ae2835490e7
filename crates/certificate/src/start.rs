//! What the bounds need to know about the start w0, in the coordinates u of the metric.
//!
//! Layers are counted 1..=L and lists have an unused entry 0, so that indices read as in the formulas.

use crate::activation::Activation;
use crate::enclosed::Enclosed;
use crate::matrix::{Matrix, Symmetric};
use crate::pairs::{Pair, U, plain_dot, plain_dot_error};
use gradcert_rigor::{Interval, Lower, Upper};
use std::collections::BTreeMap;

/// The (merged) samples and the metric.
pub(crate) struct Samples {
    /// Number n of samples, duplicates counted.
    pub(crate) count: usize,
    /// Multiplicities m_i of the merged samples.
    pub(crate) multiplicity: Vec<f64>,
    /// What the first layer reads, one row per merged sample; nothing stands for the identity (whitened inputs).
    pub(crate) inputs: Option<Matrix>,
    pub(crate) targets: Vec<f64>,
}

/// Architecture and metric; `weights[l]`, `biases[l]` are the factors D of layer l.
pub(crate) struct Layers {
    pub(crate) activation: Activation,
    pub(crate) widths: Vec<usize>,
    pub(crate) weights: Vec<f64>,
    pub(crate) biases: Vec<f64>,
}

impl Layers {
    pub(crate) fn count(&self) -> usize {
        self.widths.len() - 1
    }
}

/// The kernel at the start without multiplicities: `scale (base + shift 1 1^T)`.
pub(crate) struct Kernel {
    pub(crate) base: Symmetric,
    pub(crate) scale: Interval,
    pub(crate) shift: Interval,
}

/// Norms at the start. Per-sample lists are over groups of samples about which everything here agrees.
pub(crate) struct Centre {
    /// Square roots of the multiplicities of the groups.
    pub(crate) root: Vec<Upper>,
    /// `|W_l|`.
    pub(crate) norm_w: Vec<Upper>,
    /// `|h_l|` and `h~_l`, l = 0..L-1.
    pub(crate) h: Vec<Vec<Upper>>,
    pub(crate) h_tilde: Vec<Vec<Upper>>,
    /// `|g_l|`, l = 1..=L, and `|g_1|` from below.
    pub(crate) g: Vec<Vec<Upper>>,
    pub(crate) g_low: Vec<Lower>,
    /// `|v_l|_inf`, l = 1..L-1.
    pub(crate) v_inf: Vec<Vec<Upper>>,
    /// z_l of the units of a sample, l = 1..L-1.
    pub(crate) units: Vec<Vec<Vec<Interval>>>,
    /// `smax(H~_l)`, `smax(H_l)`, l = 0..L-1, and `smax(G_l)`, weighted.
    pub(crate) smax_h_tilde: Vec<Upper>,
    pub(crate) smax_h: Vec<Upper>,
    pub(crate) smax_g: Vec<Upper>,
    /// Lower bound of `|g_1|` for every first layer (T7+), 0 where it does not apply.
    pub(crate) g_floor: Lower,
    /// `F(x_i) - y_i` without multiplicities, and `|rho(w0)|^2` from above.
    pub(crate) rho: Vec<Interval>,
    pub(crate) residual_squared: Pair,
    pub(crate) kernel: Kernel,
    /// Stated and verified.
    pub(crate) smin_inputs: Lower,
    pub(crate) smin_start: Lower,
    pub(crate) smax_start: Upper,
    /// The entries of a positive start.
    pub(crate) positive: Option<Positive>,
}

/// `W_1 = 0`, `b = 0`, entries of W_l all equal to `entries[l]`, l = 2..=L.
pub(crate) struct Positive {
    pub(crate) entries: Vec<f64>,
    pub(crate) slope: Interval,
}

/// `X~ X~^T` without multiplicities, `X~ = [D_W1 X, D_b1 1]`.
pub(crate) fn input_gram(samples: &Samples, layers: &Layers) -> Symmetric {
    let square = |x: f64| Pair::exact(x).times(Pair::exact(x));
    let gram = match &samples.inputs {
        Some(x) => Symmetric::gram(x),
        None => Symmetric::identity(samples.targets.len()),
    };
    gram.combined(square(layers.weights[1]), square(layers.biases[1]))
}

/// `sum m_i x_i^2` with an upper bound of its error added: at most 8 u^2 of the sum per sample and step.
fn weighted_squares(m: &[f64], x: impl Iterator<Item = f64>) -> Pair {
    let square = |(x, &m): (f64, &f64)| Pair::exact(x).times(Pair::exact(x)).times(Pair::exact(m));
    let sum = x.zip(m).map(square).fold(Pair::default(), Pair::plus);
    sum.plus(Pair::exact((m.len() + 8) as f64 * 64.0 * U * U * sum.hi + 1e-280))
}

/// The positive start in closed form: h_l = 0, g_l = gamma_l 1, gamma_{L-1} = phi0 A, gamma_l = phi0 a_{l+1} d_{l+1}
/// gamma_{l+1} (T9m). Samples differ in |x~_i| alone and are grouped by it.
pub(crate) fn positive(samples: &Samples, layers: &Layers, gram: Symmetric, entries: Vec<f64>) -> Centre {
    let (last, widths) = (layers.count(), &layers.widths);
    let slope = layers.activation.slope_at(0.0);
    let exact = |x: usize| Interval::exact(x as f64);
    let mut gamma = vec![Interval::ONE; last + 1];
    let mut floor = vec![Interval::ONE; last + 1];
    let least = Interval::exact(layers.activation.slope_floor().unwrap_or(0.0));
    for l in (1..last).rev() {
        let spread = Interval::exact(entries[l + 1]) * exact(widths[l + 1]);
        (gamma[l], floor[l]) = (slope * spread * gamma[l + 1], least * spread * floor[l + 1]);
    }
    let norm = |l: usize| gamma[l] * exact(widths[l]).sqrt();
    let frozen = (2..=last).all(|l| layers.weights[l] == 0.0);
    let base_error = gram.error;
    let mut groups: BTreeMap<u64, f64> = BTreeMap::new();
    for (i, m) in samples.multiplicity.iter().enumerate() {
        let square = Upper::new(gram.hi[i * gram.n + i]) * Upper::new(1.0 + 4.0 * U) + base_error;
        *groups.entry(square.sqrt().get().to_bits()).or_default() += m;
    }
    let count = groups.len();
    let root: Vec<Upper> = groups.values().map(|&m| Upper::new(m).sqrt()).collect();
    let all = Upper::new(samples.count as f64).sqrt();
    let same = |x: Upper| vec![x; count];
    // At the start h_l = 0 for l >= 1, so h~_l = D_{b,l+1}.
    let bias = |l: usize| Upper::new(layers.biases[l + 1]);
    let inputs: Vec<Upper> = groups.keys().map(|&x| Upper::new(f64::from_bits(x))).collect();
    let per_layer =
        |f: &dyn Fn(usize) -> Upper| (0..last).map(|l| if l == 0 { Upper::UNKNOWN } else { f(l) }).collect();
    let scale = norm(1).square();
    let later: Interval = (2..=last)
        .map(|l| norm(l).square() * Interval::exact(layers.biases[l]).square())
        .fold(Interval::ZERO, |a, b| a + b);
    let norm_of = |l: usize| {
        let entry = if l == 1 { 0.0 } else { entries[l] };
        Upper::new(entry) * (Upper::new(widths[l] as f64) * Upper::new(widths[l - 1] as f64)).sqrt()
    };
    Centre {
        root,
        norm_w: (0..=last).map(|l| if l == 0 { Upper::ZERO } else { norm_of(l) }).collect(),
        h: (0..last).map(|l| if l == 0 { same(Upper::UNKNOWN) } else { same(Upper::ZERO) }).collect(),
        h_tilde: (0..last).map(|l| if l == 0 { inputs.clone() } else { same(bias(l)) }).collect(),
        g: (0..=last).map(|l| same(norm(l.max(1)).upper())).collect(),
        g_low: vec![norm(1).lower(); count],
        v_inf: (0..last).map(|l| same((gamma[l.max(1)] / slope).upper())).collect(),
        units: vec![vec![vec![Interval::ZERO]; count]; last],
        smax_h_tilde: per_layer(&|l| bias(l) * all),
        smax_h: per_layer(&|_| Upper::ZERO),
        smax_g: (0..=last).map(|l| norm(l.max(1)).upper() * all).collect(),
        g_floor: if frozen { (floor[1] * exact(widths[1]).sqrt()).lower() } else { Lower::ZERO },
        rho: samples.targets.iter().map(|&y| -Interval::exact(y)).collect(),
        residual_squared: weighted_squares(&samples.multiplicity, samples.targets.iter().copied()),
        kernel: Kernel { base: gram, scale, shift: later / scale },
        smin_inputs: Lower::ZERO,
        smin_start: Lower::ZERO,
        smax_start: Upper::UNKNOWN,
        positive: Some(Positive { entries, slope }),
    }
}

/// Forward and backward pass at given parameters, enclosed; `tensors` are W_1, b_1, ..., W_L, b_L of the right sizes.
pub(crate) fn tensors(samples: &Samples, layers: &Layers, gram: Symmetric, tensors: &[&[f64]]) -> Centre {
    let (last, n, m) = (layers.count(), samples.targets.len(), &samples.multiplicity);
    let matrix = |l: usize| Matrix {
        rows: layers.widths[l],
        columns: layers.widths[l - 1],
        values: tensors[2 * l - 2].to_vec(),
    };
    let inputs = samples.inputs.clone().unwrap_or_else(|| Matrix {
        rows: n,
        columns: n,
        values: (0..n * n).map(|k| if k % (n + 1) == 0 { 1.0 } else { 0.0 }).collect(),
    });
    let weights: Vec<Matrix> = (1..=last).map(matrix).collect();
    let mut h = vec![Enclosed::exact(inputs)];
    let (mut units, mut slopes) = (vec![Vec::new()], vec![Vec::new()]);
    for l in 1..=last {
        let mut z = h[l - 1].times_transposed(&weights[l - 1]).intervals();
        let width = layers.widths[l];
        z.iter_mut()
            .enumerate()
            .for_each(|(k, z)| *z = *z + Interval::exact(tensors[2 * l - 1].get(k % width).copied().unwrap_or(0.0)));
        units.push(z.chunks(width).map(<[Interval]>::to_vec).collect());
        if l < last {
            let (value, slope): (Vec<_>, Vec<_>) = z.iter().map(|&z| layers.activation.value_and_slope(z)).unzip();
            h.push(Enclosed::from_intervals(n, width, &value));
            slopes.push(slope);
        }
    }
    let one = Matrix { rows: n, columns: 1, values: vec![1.0; n] };
    let mut g = vec![Enclosed::exact(one); last + 1];
    let mut v_inf = vec![Vec::new(); last];
    for l in (1..last).rev() {
        let v = g[l + 1].times_transposed(&weights[l].transposed()).intervals();
        let width = layers.widths[l];
        v_inf[l] = v.chunks(width).map(|row| Upper::maximum(row.iter().map(|x| x.magnitude()))).collect();
        let product: Vec<Interval> = v.iter().zip(&slopes[l]).map(|(&v, &s)| v * s).collect();
        g[l] = Enclosed::from_intervals(n, width, &product);
    }
    let rho: Vec<Interval> = (0..n).map(|i| units[last][i][0] - Interval::exact(samples.targets[i])).collect();
    let norms = |x: &Enclosed| x.row_norms().iter().map(|&(a, b)| a + b).collect::<Vec<Upper>>();
    let h_norms: Vec<Vec<Upper>> = h.iter().map(norms).collect();
    let extended = |l: usize, x: Upper| (Upper::new(layers.weights[l + 1]) * x).hypot(Upper::new(layers.biases[l + 1]));
    let smax_h: Vec<Upper> = (0..last).map(|l| if l == 0 { Upper::UNKNOWN } else { h[l].weighted_norm(m) }).collect();
    let all = Upper::new(samples.count as f64).sqrt();
    let smax_h_tilde =
        (0..last).map(|l| if l == 0 { Upper::UNKNOWN } else { extended_norm(&h[l], layers, l + 1, m, all) });
    let low = |x: &[Interval]| x.iter().map(|x| x.mignitude().square()).sum::<Lower>().sqrt();
    Centre {
        root: m.iter().map(|&m| Upper::new(m).sqrt()).collect(),
        norm_w: std::iter::once(Upper::ZERO).chain(weights.iter().map(Matrix::spectral_norm)).collect(),
        h_tilde: (0..last).map(|l| h_norms[l].iter().map(|&x| extended(l, x)).collect()).collect(),
        g: g.iter().map(norms).collect(),
        g_low: g[1].intervals().chunks(layers.widths[1]).map(low).collect(),
        v_inf,
        smax_h_tilde: smax_h_tilde.collect(),
        smax_h,
        smax_g: g.iter().map(|g| g.weighted_norm(m)).collect(),
        g_floor: tensor_floor(layers, &weights),
        residual_squared: weighted_squares(m, rho.iter().map(|x| x.magnitude().get())),
        rho,
        kernel: Kernel { base: layerwise_kernel(&h, &g, &gram, layers), scale: Interval::ONE, shift: Interval::ZERO },
        h: h_norms,
        units,
        smin_inputs: Lower::ZERO,
        smin_start: Lower::ZERO,
        smax_start: Upper::UNKNOWN,
        positive: None,
    }
}

/// Upper bound of `|diag(sqrt m) [D_W H, D_b 1]|`.
fn extended_norm(h: &Enclosed, layers: &Layers, l: usize, m: &[f64], all: Upper) -> Upper {
    let (rows, width) = (h.middle.rows, h.middle.columns);
    let (weight, bias) = (Interval::exact(layers.weights[l]), Interval::exact(layers.biases[l]));
    let mut entries = Vec::with_capacity(rows * (width + 1));
    for row in h.intervals().chunks(width) {
        entries.extend(row.iter().map(|&x| weight * x));
        entries.push(bias);
    }
    if layers.weights[l] == 0.0 {
        bias.upper() * all
    } else {
        Enclosed::from_intervals(rows, width + 1, &entries).weighted_norm(m)
    }
}

/// (T7+) With layers 2..L frozen and entrywise positive, and sigma' >= c > 0, the entries of g_1 are at least those of
/// gamma_1: gamma_{L-1} = c W_L^T, gamma_l = c W_{l+1}^T gamma_{l+1}.
fn tensor_floor(layers: &Layers, weights: &[Matrix]) -> Lower {
    let last = layers.count();
    let Some(c) = layers.activation.slope_floor() else { return Lower::ZERO };
    let usable = |l: usize| layers.weights[l] == 0.0 && weights[l - 1].values.iter().all(|&x| x > 0.0);
    if !(2..=last).all(usable) {
        return Lower::ZERO;
    }
    let mut gamma = vec![Lower::ONE];
    for l in (1..last).rev() {
        let w = &weights[l];
        let entry = |k: usize| (0..w.rows).map(|j| Lower::new(w.row(j)[k]) * gamma[j]).sum::<Lower>() * Lower::new(c);
        gamma = (0..w.columns).map(entry).collect();
    }
    gamma.into_iter().map(Lower::square).sum::<Lower>().sqrt()
}

/// (T6) `sum_l (G_l G_l^T) o (H~_{l-1} H~_{l-1}^T)`. With p, q the norms of middles and r, t those of radii, a scalar
/// product of two enclosed rows is wrong by at most `gamma p_i p_j + p_i r_j + r_i p_j + r_i r_j`; a product of two such
/// numbers by the product rule. The sums of these non-negative errors are enlarged by 1e-9 for their own rounding.
fn layerwise_kernel(h: &[Enclosed], g: &[Enclosed], gram: &Symmetric, layers: &Layers) -> Symmetric {
    let n = gram.n;
    let norms = |x: &Enclosed| x.row_norms().iter().map(|&(a, b)| (a.get(), b.get())).collect::<Vec<_>>();
    let (h_norms, g_norms): (Vec<_>, Vec<_>) = (h.iter().map(norms).collect(), g.iter().map(norms).collect());
    let product = |x: &Enclosed, norms: &[(f64, f64)], i: usize, j: usize| {
        let ((p, r), (q, t)) = (norms[i], norms[j]);
        let error = plain_dot_error(x.middle.columns) * p * q + p * t + r * q + r * t + 1e-300;
        (plain_dot(x.middle.row(i), x.middle.row(j)), error)
    };
    let mut squares = 0.0;
    let mut kernel = Symmetric::from_entries(n, Upper::ZERO, |i, j| {
        let (mut sum, mut error) = (0.0, 0.0);
        for l in 1..=layers.count() {
            let (outer, outer_error) = product(&g[l], &g_norms[l], i, j);
            let (inner, inner_error) = if l == 1 {
                (gram.hi[i * n + j], gram.error.get() + U * gram.hi[i * n + j].abs())
            } else {
                let (w, b) = (layers.weights[l] * layers.weights[l], layers.biases[l] * layers.biases[l]);
                let (x, e) = product(&h[l - 1], &h_norms[l - 1], i, j);
                (w * x + b, w * e + 4.0 * U * (w * x.abs() + b))
            };
            sum += outer * inner;
            error += outer_error * (inner.abs() + inner_error) + outer.abs() * inner_error;
            error += 2.0 * U * (outer * inner).abs() + layers.count() as f64 * U * sum.abs();
        }
        squares += error * error * if i == j { 1.0 } else { 2.0 };
        Pair::exact(sum)
    });
    kernel.error = Upper::new(squares * (1.0 + 1e-7)).sqrt() + Upper::new(n as f64 * 1e-150);
    kernel
}
