//! The positive start: `W_1 = 0`, all biases 0, the entries of `W_l` equal to `a_l > 0`, those of `W_L` to `A > 0`.
//!
//! There `h_l = 0` for l >= 1, and every backward vector is a multiple of the all-ones vector:
//! `g_l = gamma_l 1` with `gamma_L = 1`, `gamma_{L-1} = phi0 A`, `gamma_l = phi0 a_{l+1} d_{l+1} gamma_{l+1}`,
//! `phi0 = sigma'(0)`. So all that (T9+) needs at w0 is known in closed form, up to the norms of the inputs.

use super::centre::{Centre, Metric};
use super::inputs::InputBounds;
use crate::network::Network;
use crate::network::activation::Activation;
use gradcert_rigor::linear::{largest_eigenvalue_upper, smallest_eigenvalue_lower};
use gradcert_rigor::{Interval, Lower, Upper};

/// A positive start with everything (T9m) needs to know.
#[derive(Clone, Debug)]
pub struct PositiveStart {
    /// The activation, with `sigma(0) = 0` and `sigma' > 0`.
    pub activation: Activation,
    /// `d_0, ..., d_L`, `d_L = 1`.
    pub widths: Vec<usize>,
    /// `a_2, ..., a_{L-1}`.
    pub hidden: Vec<f64>,
    /// A.
    pub output: f64,
    /// The metric.
    pub metric: Metric,
    /// `|W_l|`, l = 1..L, enclosed: `a_l sqrt(d_l d_{l-1})`, exact functions of the stored floats.
    pub norm_weights: Vec<Interval>,
    /// `gamma_l`, l = 1..L.
    pub gamma: Vec<Interval>,
    /// `|x~|_max`.
    pub largest_input: Upper,
}

impl PositiveStart {
    /// The start with the given entries. `hidden` has L - 2 entries.
    pub fn new(
        activation: Activation,
        widths: &[usize],
        hidden: &[f64],
        output: f64,
        metric: Metric,
        inputs: &InputBounds,
    ) -> PositiveStart {
        let layers = widths.len() - 1;
        let entry = |l: usize| Interval::exact(if l == layers { output } else { hidden[l - 2] });
        let width = |l: usize| Interval::exact(widths[l] as f64);
        let mut norm_weights = vec![Interval::ZERO; layers + 1];
        for l in 2..=layers {
            norm_weights[l] = entry(l).abs() * (width(l) * width(l - 1)).sqrt();
        }
        let phi0 = activation.enclose_slope(Interval::ZERO);
        let mut gamma = vec![Interval::ONE; layers + 1];
        for l in (1..layers).rev() {
            // Column sums of W_{l+1}: d_{l+1} entries a_{l+1}; d_L = 1.
            gamma[l] = phi0 * entry(l + 1) * width(l + 1) * gamma[l + 1];
        }
        PositiveStart {
            activation,
            widths: widths.to_vec(),
            hidden: hidden.to_vec(),
            output,
            metric,
            norm_weights,
            gamma,
            largest_input: Upper::maximum(inputs.extended.iter().copied()),
        }
    }

    /// The parameters themselves.
    pub fn network(&self) -> Network {
        Network::positive(self.activation, &self.widths, &self.hidden, self.output)
    }

    /// Number L of layers.
    pub fn layers(&self) -> usize {
        self.widths.len() - 1
    }

    /// Are all entries of the later layers positive? (T9m) needs it.
    pub fn is_positive(&self) -> bool {
        self.hidden.iter().all(|&a| a > 0.0) && self.output > 0.0
    }

    /// `|g_l| = |gamma_l| sqrt d_l`, the same for every sample.
    pub fn backward_norm(&self, l: usize) -> Interval {
        self.gamma[l].abs() * Interval::exact(self.widths[l] as f64).sqrt()
    }

    /// Tangent kernel at w0 (T6): `K0 = |g_1|^2 Xt Xt^T + beta 1 1^T`, `beta = sum_{l >= 2} D_bl^2 |g_l|^2`, since
    /// `H_l = 0` for l >= 1. Returns `(|g_1|^2, beta)`; with multiplicities 1 becomes `(sqrt m_i)`.
    pub fn kernel_coefficients(&self) -> (Interval, Interval) {
        let beta = (2..=self.layers()).fold(Interval::ZERO, |sum, l| {
            sum + (Interval::exact(self.metric.biases[l]) * self.backward_norm(l)).square()
        });
        (self.backward_norm(1).square(), beta)
    }

    /// What (T9+) needs at w0.
    ///
    /// All that tells samples apart here is `|x~_i|`, so samples of nearly equal norm are taken together: each group
    /// counts as one sample with the largest norm in it and the weight `|(sqrt m_i)_i|` of the group.
    pub fn centre(&self, inputs: &InputBounds) -> Centre {
        self.centre_with(inputs, self.jacobian_bounds(inputs))
    }

    /// The same with a cheaper bound of `|J(w0)|`: enough to know psi.
    pub fn rough_centre(&self, inputs: &InputBounds) -> Centre {
        self.centre_with(inputs, self.rough_jacobian_bounds(inputs))
    }

    fn centre_with(&self, inputs: &InputBounds, (smin_jacobian, smax_jacobian): (Lower, Upper)) -> Centre {
        let layers = self.layers();
        let (norms, weight) = groups(inputs);
        let samples = norms.len();
        let weight_norm = inputs.weight_norm();
        let backward: Vec<Interval> =
            (0..=layers).map(|l| if l == 0 { Interval::ZERO } else { self.backward_norm(l) }).collect();
        let bias = |l: usize| Upper::new(self.metric.biases[l]);
        // v_l = W_{l+1}^T g_{l+1} has equal entries gamma_l / phi0.
        let phi0 = self.activation.enclose_slope(Interval::ZERO);
        let entry = |l: usize| (self.gamma[l] / phi0).magnitude();
        Centre {
            activation: self.activation,
            metric: self.metric.clone(),
            weight,
            weight_norm,
            norm_weights: self.norm_weights.iter().map(|w| w.upper()).collect(),
            preactivations: (0..layers).map(|_| vec![vec![Interval::ZERO]; samples]).collect(),
            hidden: vec![vec![Upper::ZERO; samples]; layers],
            extended: (0..layers).map(|l| if l == 0 { norms.clone() } else { vec![bias(l + 1); samples] }).collect(),
            smax_hidden: (0..layers).map(|l| if l == 0 { Upper::UNKNOWN } else { Upper::ZERO }).collect(),
            smax_extended: (0..layers).map(|l| if l == 0 { inputs.smax } else { bias(l + 1) * weight_norm }).collect(),
            backward: backward.iter().map(|g| vec![g.upper(); samples]).collect(),
            backward_first: vec![backward[1].lower(); samples],
            backward_max: (0..layers).map(|l| if l == 0 { vec![] } else { vec![entry(l); samples] }).collect(),
            smax_backward: backward.iter().map(|g| g.upper() * weight_norm).collect(),
            smin_inputs: inputs.smin,
            smin_jacobian,
            smax_jacobian,
        }
    }

    /// `smin(J(w0))` and `|J(w0)|` from K0, verified on the matrix itself.
    fn jacobian_bounds(&self, inputs: &InputBounds) -> (Lower, Upper) {
        let (alpha, beta) = self.kernel_coefficients();
        let kernel = inputs.kernel(alpha, beta);
        let (smin, sum) = self.rough_jacobian_bounds(inputs);
        let verified = smallest_eigenvalue_lower(&kernel).map_or(Lower::ZERO, Lower::new).sqrt();
        (smin.max(verified), sum.min(largest_eigenvalue_upper(&kernel).sqrt()))
    }

    /// The same by the terms of K0: the rank-one term does not lower the smallest eigenvalue.
    fn rough_jacobian_bounds(&self, inputs: &InputBounds) -> (Lower, Upper) {
        let (alpha, beta) = self.kernel_coefficients();
        let sum = (alpha.upper() * inputs.smax.square() + beta.upper() * inputs.weight_norm().square()).sqrt();
        (self.backward_norm(1).lower() * inputs.smin, sum)
    }
}

/// Groups of samples; fewer samples than this are left alone.
const GROUPS: usize = 24;

/// Samples grouped by `|x~_i|` on a geometric scale: the largest norm and the weight of every group that is not empty.
fn groups(inputs: &InputBounds) -> (Vec<Upper>, Vec<Upper>) {
    let mut order: Vec<usize> = (0..inputs.samples()).collect();
    order.sort_by(|&i, &j| inputs.extended[i].get().total_cmp(&inputs.extended[j].get()));
    let norm = |i: usize| inputs.extended[i].get();
    let (Some(&first), Some(&last)) = (order.first(), order.last()) else { return (vec![], vec![]) };
    // Norms within this factor of the smallest one of a group join it; equal norms always do.
    let spread = (norm(last) / norm(first).max(f64::MIN_POSITIVE)).powf(1.0 / GROUPS as f64);
    let factor = if inputs.samples() <= GROUPS { 1.0 } else { spread };
    let (mut norms, mut weights): (Vec<Upper>, Vec<Upper>) = (vec![], vec![]);
    let mut smallest = f64::NEG_INFINITY;
    for i in order {
        match (norms.last_mut(), weights.last_mut()) {
            (Some(n), Some(w)) if norm(i) <= factor * smallest => {
                *n = inputs.extended[i];
                *w = w.hypot(inputs.weight[i]);
            }
            _ => {
                smallest = norm(i);
                norms.push(inputs.extended[i]);
                weights.push(inputs.weight[i]);
            }
        }
    }
    (norms, weights)
}
