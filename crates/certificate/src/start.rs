//! What the bounds need to know about the start w0, in the coordinates u of the metric.
//!
//! Layers are counted 1..=L and lists over layers have an unused entry 0, so that indices read as in the formulas. Lists over
//! samples of `|h|`, `h~`, `|g|` have one more entry, that of all samples together: where the entry of sample i bounds the norm
//! of the row `h(x_i)`, the last one bounds the spectral norm of the matrix with the rows `sqrt(m_i) h(x_i)`.

use crate::activation::Activation;
use crate::matrix::{Enclosed, Matrix, Symmetric};
use crate::pairs::Pair;
use gradcert_rigor::{Interval, Lower, Upper};

/// The (merged) samples.
pub(crate) struct Samples {
    /// Number n of samples, duplicates counted.
    pub(crate) count: usize,
    /// Multiplicities m_i of the merged samples, and of the rows (i, c) of the Jacobian, c the d_L outputs.
    pub(crate) multiplicity: Vec<f64>,
    pub(crate) rows: Vec<f64>,
    /// What the first layer reads, one row per merged sample; nothing stands for the identity (whitened inputs).
    pub(crate) inputs: Option<Matrix>,
    /// One per row of the Jacobian.
    pub(crate) targets: Vec<f64>,
}

/// Architecture and metric; `weights[l]`, `biases[l]` are the factors D of layer l.
pub(crate) struct Layers {
    pub(crate) activation: Activation,
    /// A constant that is added to the activation.
    pub(crate) shift: Interval,
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

/// Norms at the start.
pub(crate) struct Centre {
    pub(crate) samples: Samples,
    pub(crate) layers: Layers,
    /// `X~ X~^T` without multiplicities, `X~ = [D_W1 X, D_b1 1]`.
    pub(crate) gram: Symmetric,
    /// Square roots of the multiplicities.
    pub(crate) root: Vec<Upper>,
    /// `|W_l|`.
    pub(crate) norm_w: Vec<Upper>,
    /// `|h_l|` and `h~_l`, l = 0..L-1 (`|h_0|` unknown).
    pub(crate) h: Vec<Vec<Upper>>,
    pub(crate) h_tilde: Vec<Vec<Upper>>,
    /// `|g_l|`, l = 1..=L, and `|g_1|` of the samples from below.
    pub(crate) g: Vec<Vec<Upper>>,
    pub(crate) g_low: Vec<Lower>,
    /// `|v_l|_inf` and z_l of the units of the samples, l = 1..L-1.
    pub(crate) v_inf: Vec<Vec<Upper>>,
    pub(crate) units: Vec<Vec<Vec<Interval>>>,
    /// Lower bound of `|g_1|` for every first layer (T7+), 0 where it does not apply.
    pub(crate) g_floor: Lower,
    /// `F(x_i) - y_i` without multiplicities.
    pub(crate) rho: Vec<Interval>,
    /// Of given parameters: W_1, ..., W_L; h_0, ..., h_{L-1}; g_0 (unused), ..., g_L.
    pub(crate) passes: [Vec<Enclosed>; 3],
    pub(crate) kernel: Kernel,
    /// Stated and verified.
    pub(crate) smin_inputs: Lower,
    pub(crate) smin_start: Lower,
    pub(crate) smax_start: Upper,
    /// Of a positive start: `W_1 = 0`, `b = 0`, all entries of W_l are `positive[l]`, l = 2..=L.
    pub(crate) positive: Option<Vec<f64>>,
}

impl Centre {
    /// What is known without the parameters but for the singular values of X~.
    pub(crate) fn new(samples: Samples, layers: Layers) -> Centre {
        let gram = input_gram(&samples, &layers);
        let (diagonal, n) = (gram.intervals(), gram.n);
        let norms = (0..n).map(|i| diagonal[i * n + i].upper().sqrt());
        Centre {
            root: samples.multiplicity.iter().map(|&m| Upper::new(m).sqrt()).collect(),
            norm_w: vec![Upper::ZERO],
            h: vec![vec![Upper::UNKNOWN; n + 1]],
            h_tilde: vec![norms.chain([Upper::UNKNOWN]).collect()],
            g: Vec::new(),
            g_low: Vec::new(),
            v_inf: vec![Vec::new(); layers.count()],
            units: vec![Vec::new()],
            g_floor: Lower::ZERO,
            rho: Vec::new(),
            passes: Default::default(),
            kernel: Kernel { base: gram.clone(), scale: Interval::ONE, shift: Interval::ZERO },
            smin_inputs: Lower::ZERO,
            smin_start: Lower::ZERO,
            smax_start: Upper::UNKNOWN,
            positive: None,
            samples,
            layers,
            gram,
        }
    }

    /// `|x~|_max`.
    pub(crate) fn largest_input(&self) -> Upper {
        Upper::maximum(self.h_tilde[0][..self.root.len()].iter().copied())
    }
}

fn input_gram(samples: &Samples, layers: &Layers) -> Symmetric {
    let square = |x: f64| Pair::exact(x).times(Pair::exact(x));
    let gram = match &samples.inputs {
        Some(x) => Symmetric::gram(x),
        None => Symmetric::from_entries(samples.targets.len(), Upper::ZERO, |i, j| Pair::exact((i == j).into())),
    };
    gram.combined(square(layers.weights[1]), square(layers.biases[1]))
}

/// The positive start in closed form: h_l = 0, g_l = gamma_l 1, gamma_{L-1} = phi0 A, gamma_l = phi0 a_{l+1} d_{l+1}
/// gamma_{l+1} (T9m). Samples differ in |x~_i| alone.
pub(crate) fn positive(centre: &mut Centre, entries: Vec<f64>) {
    let (layers, count, all) = (&centre.layers, centre.root.len(), Upper::new(centre.samples.count as f64).sqrt());
    let (last, slope) = (layers.count(), layers.activation.at(0.0)[1]);
    let width = |l: usize| Interval::exact(layers.widths[l] as f64);
    // The same for every sample; all together are a matrix of rank one.
    let same = |x: Upper| [vec![x; count], vec![x * all]].concat();
    // (T7+) with every slope at its floor instead of phi0.
    let (mut gamma, mut floor) = (vec![Interval::ONE; last + 1], vec![Interval::ONE; last + 1]);
    for l in (1..last).rev() {
        let spread = Interval::exact(entries[l + 1]) * width(l + 1);
        gamma[l] = slope * spread * gamma[l + 1];
        floor[l] = Interval::exact(layers.activation.slope_floor()) * spread * floor[l + 1];
        centre.v_inf[l] = vec![(spread * gamma[l + 1]).upper(); count];
    }
    let norm = |l: usize| gamma[l] * width(l).sqrt();
    let mut later = Interval::ZERO;
    centre.norm_w.push(Upper::ZERO);
    for l in 2..=last {
        centre.h.push(same(Upper::ZERO));
        centre.h_tilde.push(same(Upper::new(layers.biases[l])));
        centre.units.push(vec![vec![Interval::ZERO]; count]);
        centre.norm_w.push((Interval::exact(entries[l]) * (width(l) * width(l - 1)).sqrt()).upper());
        later = later + norm(l).square() * Interval::exact(layers.biases[l]).square();
    }
    centre.g = (0..=last).map(|l| same(norm(l.max(1)).upper())).collect();
    centre.g_low = vec![norm(1).lower(); count];
    if layers.weights[2..].iter().all(|&d| d == 0.0) {
        centre.g_floor = (floor[1] * width(1).sqrt()).lower();
    }
    centre.rho = centre.samples.targets.iter().map(|&y| -Interval::exact(y)).collect();
    centre.kernel.scale = norm(1).square();
    centre.kernel.shift = later / centre.kernel.scale;
    centre.positive = Some(entries);
}

/// Forward and backward pass at given parameters, enclosed; `tensors` are W_1, b_1, ..., W_L, b_L of the right sizes.
pub(crate) fn tensors(centre: &mut Centre, tensors: &[&[f64]]) {
    let (layers, samples, m) = (&centre.layers, &centre.samples, &centre.samples.multiplicity);
    let (last, n, rows) = (layers.count(), m.len(), samples.rows.len());
    let outputs = rows / n;
    let exact = |rows, columns, values| Enclosed::exact(Matrix { rows, columns, values });
    let weight = |l: usize| exact(layers.widths[l], layers.widths[l - 1], tensors[2 * l - 2].to_vec());
    let weights: Vec<Enclosed> = (1..=last).map(weight).collect();
    // Below one another: one for whitened inputs, one for the outputs of every sample.
    let unit = |k: usize, size: usize| if k / size % size == k % size { 1.0 } else { 0.0 };
    let identities = |rows, size| exact(rows, size, (0..rows * size).map(|k| unit(k, size)).collect());
    let mut hidden = vec![samples.inputs.clone().map_or_else(|| identities(n, n), Enclosed::exact)];
    let (mut slopes, mut inner) = (vec![Vec::new()], vec![centre.gram.intervals()]);
    for l in 1..=last {
        let (width, bias) = (layers.widths[l], tensors[2 * l - 1]);
        let mut z = hidden[l - 1].times_transposed(&weights[l - 1]).intervals();
        // Whitened inputs may have no first bias.
        z.iter_mut().zip(bias.iter().cycle()).for_each(|(z, &b)| *z = *z + Interval::exact(b));
        centre.norm_w.push(weights[l - 1].middle.spectral_norm());
        centre.units.push(z.chunks(width).map(<[Interval]>::to_vec).collect());
        if l < last {
            let (value, slope): (Vec<_>, Vec<_>) =
                z.iter().map(|&z| layers.activation.value_and_slope(z, layers.shift)).unzip();
            let (w, b) = (Interval::exact(layers.weights[l + 1]), Interval::exact(layers.biases[l + 1]));
            let row = |row: &[Interval]| row.iter().map(|&x| w * x).chain([b]).collect::<Vec<_>>();
            let tilde = Enclosed::from_intervals(n, width + 1, &value.chunks(width).flat_map(row).collect::<Vec<_>>());
            hidden.push(Enclosed::from_intervals(n, width, &value));
            slopes.push(slope);
            centre.h.push(hidden[l].norms(m, 1));
            centre.h_tilde.push(tilde.norms(m, 1));
            inner.push(tilde.times_transposed(&tilde).intervals());
        }
    }
    let mut g = vec![identities(rows, outputs); last + 1];
    for l in (1..last).rev() {
        let v = g[l + 1].times_transposed(&Enclosed::exact(weights[l].middle.transposed())).intervals();
        let (width, size) = (layers.widths[l], layers.widths[l] * outputs);
        let norm = |v: &[Interval], j: usize| Upper::norm((j..size).step_by(width).map(|k| v[k].magnitude()));
        let largest = |v: &[Interval]| Upper::maximum((0..width).map(|j| norm(v, j)));
        centre.v_inf[l] = v.chunks(size).map(largest).collect();
        let product = |(k, &v): (usize, &Interval)| v * slopes[l][k / size * width + k % width];
        g[l] = Enclosed::from_intervals(rows, width, &v.iter().enumerate().map(product).collect::<Vec<_>>());
    }
    centre.g = g.iter().map(|g| g.norms(&samples.rows, outputs)).collect();
    // The smallest singular value of a row is its norm; that of more rows is not made use of.
    let sum = |x: &[Interval]| x.iter().map(|x| x.mignitude().square()).sum::<Lower>().sqrt();
    let low = |x: &[Interval]| if outputs == 1 { sum(x) } else { Lower::ZERO };
    centre.g_low = g[1].intervals().chunks(layers.widths[1] * outputs).map(low).collect();
    centre.g_floor = tensor_floor(layers, &weights);
    centre.rho =
        centre.units[last].concat().iter().zip(&samples.targets).map(|(&f, &y)| f - Interval::exact(y)).collect();
    centre.kernel.base = layerwise_kernel(&g, &inner, outputs);
    centre.passes = [weights, hidden, g];
}

/// (T7+) With layers 2..L frozen and entrywise positive, and sigma' >= c > 0, the entries of g_1 are at least those of
/// gamma_1: gamma_{L-1} = c W_L^T, gamma_l = c W_{l+1}^T gamma_{l+1}.
fn tensor_floor(layers: &Layers, weights: &[Enclosed]) -> Lower {
    let last = layers.count();
    let usable = |l: usize| layers.weights[l] == 0.0 && weights[l - 1].middle.values.iter().all(|&x| x > 0.0);
    if layers.widths[last] > 1 || !(2..=last).all(usable) {
        return Lower::ZERO;
    }
    let c = Lower::new(layers.activation.slope_floor());
    let mut gamma = vec![Lower::ONE];
    for l in (1..last).rev() {
        let w = &weights[l].middle;
        let entry = |k: usize| (0..w.rows).map(|j| Lower::new(w.row(j)[k]) * gamma[j]).sum::<Lower>() * c;
        gamma = (0..w.columns).map(entry).collect();
    }
    gamma.into_iter().map(Lower::square).sum::<Lower>().sqrt()
}

/// (T6) `sum_l (G_l G_l^T) o (H~_{l-1} H~_{l-1}^T)` in interval arithmetic; the last ones are the Gram matrices `inner`, the same for
/// all outputs of a sample.
fn layerwise_kernel(g: &[Enclosed], inner: &[Vec<Interval>], outputs: usize) -> Symmetric {
    let rows = g[0].middle.rows;
    let mut sum = vec![Interval::ZERO; rows * rows];
    for (g, inner) in g[1..].iter().zip(inner) {
        let outer = g.times_transposed(g).intervals();
        let inner = |k: usize| inner[k / rows / outputs * (rows / outputs) + k % rows / outputs];
        sum.iter_mut().zip(&outer).enumerate().for_each(|(k, (sum, &outer))| *sum = *sum + outer * inner(k));
    }
    Symmetric::enclosing(rows, &sum)
}
