//! The quantities at any start, from one enclosed forward and backward pass.
//!
//! A network with d_L outputs has n d_L rows (i, c), outputs fastest: of the residual, of J, of the backward vectors. `|g_l|` of a
//! sample is then the spectral norm of its d_L rows, and weights of samples count for each of its rows.

use super::centre::{Centre, Metric};
use super::inputs::InputBounds;
use super::tiles::assemble;
use crate::network::Network;
use gradcert_rigor::linear::{
    EnclosedMatrix, SymmetricBall, largest_eigenvalue_upper, norm_upper, smallest_eigenvalue_lower,
};
use gradcert_rigor::{Interval, Lower, Upper};

/// Enclosed passes at w0, samples as rows.
pub struct EnclosedPasses {
    /// Number d_L of outputs.
    pub outputs: usize,
    /// `z_l` (n x d_l), l = 1..L.
    pub preactivation: Vec<EnclosedMatrix>,
    /// `h_l` (n x d_l), l = 0..L-1; entry 0 is the input.
    pub hidden: Vec<EnclosedMatrix>,
    /// `v_l` (n d_L x d_l), l = 1..L-1.
    pub backward_before_slope: Vec<EnclosedMatrix>,
    /// `g_l` (n d_L x d_l), l = 1..L.
    pub backward: Vec<EnclosedMatrix>,
}

fn exact_row(values: &[f64]) -> Vec<Interval> {
    values.iter().map(|&x| Interval::exact(x)).collect()
}

impl EnclosedPasses {
    /// Both passes with every rounding accounted for.
    pub fn new(network: &Network, inputs: &EnclosedMatrix) -> EnclosedPasses {
        let layers = network.layers();
        let act = network.activation;
        let empty = || EnclosedMatrix::exact(faer::Mat::zeros(0, 0));
        let weights: Vec<EnclosedMatrix> = network.weights.iter().map(|w| EnclosedMatrix::exact(w.clone())).collect();
        let mut hidden = vec![inputs.clone()];
        let mut preactivation = vec![empty()];
        for l in 1..=layers {
            let z = hidden[l - 1].times_transpose(&weights[l]).add_row(&exact_row(&network.biases[l]));
            if l < layers {
                hidden.push(z.map(|t| act.enclose_value(t)));
            }
            preactivation.push(z);
        }
        let mut backward = vec![empty(); layers + 1];
        let mut before_slope = vec![empty(); layers];
        let outputs = network.outputs();
        let unit = |i: usize, c: usize| if i % outputs == c { 1.0 } else { 0.0 };
        backward[layers] = EnclosedMatrix::exact(faer::Mat::from_fn(inputs.nrows() * outputs, outputs, unit));
        for l in (1..layers).rev() {
            let v = backward[l + 1].times(&weights[l + 1]);
            backward[l] = repeat_rows(preactivation[l].map(|t| act.enclose_slope(t)), outputs).hadamard(&v);
            before_slope[l] = v;
        }
        EnclosedPasses { outputs, preactivation, hidden, backward_before_slope: before_slope, backward }
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        self.hidden[0].nrows()
    }

    /// `rho(w0)` with weights `sqrt m_i`, enclosed, for n d_L targets.
    pub fn residual(&self, targets: &[f64], root_multiplicity: &[Interval]) -> Vec<Interval> {
        let Some(output) = self.preactivation.last() else { return vec![] };
        let k = self.outputs;
        let entry =
            |(r, &y): (usize, &f64)| root_multiplicity[r / k] * (output.entry(r / k, r % k) - Interval::exact(y));
        targets.iter().take(output.nrows() * k).enumerate().map(entry).collect()
    }

    /// The tangent kernel by layers (T6), in the metric, weighted by `sqrt m_i`:
    /// `sum_l (G_l G_l^T) o (H~_{l-1} H~_{l-1}^T)`, the second factor repeated over the outputs.
    pub fn kernel(&self, metric: &Metric, root_multiplicity: &[Interval]) -> SymmetricBall {
        let k = self.outputs;
        let extended: Vec<EnclosedMatrix> = (0..metric.layers()).map(|l| self.extended(l, metric)).collect();
        let roots = self.per_row(root_multiplicity);
        assemble(self.samples() * k, |rows, columns| {
            let term = |l: usize| {
                let inner = |part: &[usize]| {
                    let samples: Vec<usize> = part.iter().map(|r| r / k).collect();
                    extended[l - 1].select_rows(&samples)
                };
                let outer = self.backward[l].select_rows(rows).times_transpose(&self.backward[l].select_rows(columns));
                outer.hadamard(&inner(rows).times_transpose(&inner(columns)))
            };
            let sum = (2..=metric.layers()).fold(term(1), |sum, l| sum.plus(&term(l)));
            let of = |part: &[usize]| part.iter().map(|&r| roots[r]).collect::<Vec<_>>();
            sum.scale_rows(&of(rows)).scale_columns(&of(columns))
        })
    }

    /// A number per sample repeated for each of its rows.
    pub fn per_row(&self, per_sample: &[Interval]) -> Vec<Interval> {
        per_sample.iter().flat_map(|&x| std::iter::repeat_n(x, self.outputs)).collect()
    }

    /// The spectral norm of the d_L rows of every sample, from above.
    fn sample_norms(&self, rows: &EnclosedMatrix) -> Vec<Upper> {
        let k = self.outputs;
        if k == 1 {
            return rows.row_norms().iter().map(|r| r.upper()).collect();
        }
        let block = |i: usize| rows.select_rows(&(i * k..(i + 1) * k).collect::<Vec<_>>());
        (0..rows.nrows() / k).map(|i| norm_upper(&block(i))).collect()
    }

    /// `|g_1(x_i)|` from below; 0 for several outputs, where the first layer alone is not looked at.
    fn smallest_backward(&self) -> Vec<Lower> {
        if self.outputs > 1 {
            return vec![Lower::ZERO; self.samples()];
        }
        self.backward[1].row_norms().iter().map(|r| r.lower()).collect()
    }

    /// `|v_l(x_i)|_inf`: the largest norm over the outputs of what reaches a unit.
    fn largest_per_unit(&self, v: &EnclosedMatrix) -> Vec<Upper> {
        let k = self.outputs;
        let norm = |i: usize, j: usize| Upper::norm((i * k..(i + 1) * k).map(|r| v.entry(r, j).magnitude()));
        (0..v.nrows() / k).map(|i| Upper::maximum((0..v.ncols()).map(|j| norm(i, j)))).collect()
    }

    /// `H~_l = [D_W,l+1 H_l, D_b,l+1 1]`.
    pub(super) fn extended(&self, l: usize, metric: &Metric) -> EnclosedMatrix {
        let (weight, bias) = (metric.weights[l + 1], metric.biases[l + 1]);
        let scaled =
            if weight == 1.0 { self.hidden[l].clone() } else { self.hidden[l].scaled(Interval::exact(weight)) };
        if bias == 0.0 { scaled } else { scaled.append_column(&vec![Interval::exact(bias); self.hidden[l].nrows()]) }
    }
}

/// What (T9+) needs at any start. Also returns the tangent kernel at w0.
pub fn centre(
    network: &Network,
    passes: &EnclosedPasses,
    metric: &Metric,
    inputs: &InputBounds,
) -> (Centre, SymmetricBall) {
    let layers = network.layers();
    let weights = inputs.root_multiplicity();
    let row_weights = passes.per_row(weights);
    let weighted_norm = |a: &EnclosedMatrix| norm_upper(&a.scale_rows(weights));
    let uppers = |norms: Vec<Interval>| -> Vec<Upper> { norms.iter().map(|r| r.upper()).collect() };
    let kernel = passes.kernel(metric, weights);
    let smin_jacobian = smallest_eigenvalue_lower(&kernel).map_or(Lower::ZERO, Lower::new).sqrt();
    let smax_jacobian = largest_eigenvalue_upper(&kernel).sqrt();
    let centre = Centre {
        activation: network.activation,
        metric: metric.clone(),
        weight: inputs.weight.clone(),
        weight_norm: inputs.weight_norm(),
        norm_weights: network.weights.iter().map(|w| norm_upper(&EnclosedMatrix::exact(w.clone()))).collect(),
        preactivations: (0..layers)
            .map(|l| if l == 0 { vec![] } else { distinct_rows(&passes.preactivation[l]) })
            .collect(),
        hidden: passes.hidden.iter().map(|h| uppers(h.row_norms())).collect(),
        extended: (0..layers)
            .map(|l| if l == 0 { inputs.extended.clone() } else { uppers(passes.extended(l, metric).row_norms()) })
            .collect(),
        smax_hidden: passes.hidden.iter().map(&weighted_norm).collect(),
        smax_extended: (0..layers)
            .map(|l| if l == 0 { inputs.smax } else { weighted_norm(&passes.extended(l, metric)) })
            .collect(),
        backward: passes.backward.iter().map(|g| passes.sample_norms(g)).collect(),
        backward_first: passes.smallest_backward(),
        backward_max: passes.backward_before_slope.iter().map(|v| passes.largest_per_unit(v)).collect(),
        smax_backward: passes.backward.iter().map(weighted_norm_or_zero(&row_weights)).collect(),
        smin_inputs: inputs.smin,
        smin_jacobian,
        smax_jacobian,
    };
    (centre, kernel)
}

/// Entry 0 of a list over layers is empty and has no rows to weight.
fn weighted_norm_or_zero(weights: &[Interval]) -> impl Fn(&EnclosedMatrix) -> Upper + '_ {
    |a| if a.nrows() == 0 { Upper::ZERO } else { norm_upper(&a.scale_rows(weights)) }
}

/// Every row `times` times in succession.
pub(super) fn repeat_rows(a: EnclosedMatrix, times: usize) -> EnclosedMatrix {
    if times == 1 {
        return a;
    }
    a.select_rows(&(0..a.nrows()).flat_map(|i| std::iter::repeat_n(i, times)).collect::<Vec<_>>())
}

/// The distinct enclosures in each row, so that equal units cost one evaluation.
fn distinct_rows(z: &EnclosedMatrix) -> Vec<Vec<Interval>> {
    (0..z.nrows())
        .map(|i| {
            let mut row = z.row(i);
            row.sort_by(|a, b| a.lo().total_cmp(&b.lo()).then(a.hi().total_cmp(&b.hi())));
            row.dedup();
            row
        })
        .collect()
}

/// (T7+) psi at every radius for positive later layers that are frozen: a global Polyak-Lojasiewicz inequality.
///
/// Let `sigma' >= c > 0` and the entries of `W_2, ..., W_L` be positive and frozen. Entries of g_1 are at least those of
/// gamma_1, `gamma_{L-1} = c W_L^T`, `gamma_l = c W_{l+1}^T gamma_{l+1}`, wherever the first layer (and any bias) goes:
/// `psi(s) >= |gamma_1| smin(Xt)` for all s. Returns 0 where the hypotheses fail.
pub fn slope_floor_psi(network: &Network, metric: &Metric, smin_inputs: Lower) -> Lower {
    let layers = network.layers();
    let floor = network.activation.slope_floor();
    let frozen = metric.weights[2..].iter().all(|&d| d == 0.0);
    if !(floor.is_positive() && frozen && network.later_layers_are_positive()) {
        return Lower::ZERO;
    }
    let mut gamma = vec![Lower::ONE];
    for l in (1..layers).rev() {
        let w = &network.weights[l + 1];
        gamma =
            (0..w.ncols()).map(|j| floor * (0..w.nrows()).map(|i| Lower::new(w[(i, j)]) * gamma[i]).sum()).collect();
    }
    // The norm from below: squares of tiny entries may vanish, which only weakens the bound.
    let square: Lower = gamma.iter().map(|g| g.square()).sum();
    square.sqrt() * smin_inputs
}
