//! (T7), (T8) The original theorem with its explicit constants, and the step of (T2).
//!
//! Positive start, `lambda = smin(Xt)^2`, A the entries of W_L, a and b the smallest and largest entry of
//! `W_2, ..., W_{L-1}`, `r = a/2` (any r in (0, A) when L = 2), `M = max |x_ij|`. On `B(w0, r)` no entry moves by more
//! than r, so pre-activations of layer l stay within
//! `m_1 = r (d M + 1)`, `m_l = (b + r) d_{l-1} sup_{|t| <= m_{l-1}} |sigma(t)| + r`,
//! slopes above `c_l = min_{|t| <= m_l} sigma'(t)`, and the entries of g_1 above
//! `(A - r)(a - r)^{L-2} prod_{l=2}^{L-1} d_l prod_{l=1}^{L-1} c_l`. Hence
//! `alpha(w0, r) >= (4/n) lambda d_1 [that]^2`.
//!
//! (T2) With eps in (0, 1), `4 S(w0) < (1 - eps)^2 r^2 alpha`, L1 and L2 bounds of all first and second partial
//! derivatives of S on `B(w0, 2r)`, every step `eta <= min(r / (L1 sqrt p), 2 eps / (L2 p))` gives
//! `S(w_k) <= (1 - delta)^k S(w0)`, `delta = min(1, (1 - eps) alpha eta)`.
//!
//! L1 and L2: on `B(w0, 2r)` `|rho| <= |rho(w0)| + 2r sJ =: R`, a partial derivative of S is at most
//! `|grad S| <= (2/n) sJ R`, and a second one at most `|Hess S| <= (2/n)(sJ^2 + R LJ)`.

use super::ball::ball;
use super::inputs::InputBounds;
use super::start::PositiveStart;
use gradcert_rigor::{Interval, Lower, Upper};

/// A certificate by the original constants.
#[derive(Clone, Debug)]
pub struct Original {
    /// The start.
    pub start: PositiveStart,
    /// eta.
    pub step_size: f64,
    /// r.
    pub radius: f64,
    /// eps.
    pub epsilon: f64,
    /// Lower bound of `alpha(w0, r)`.
    pub alpha: Lower,
    /// L1.
    pub first_partials: Upper,
    /// L2.
    pub second_partials: Upper,
    /// delta.
    pub rate: Lower,
    /// Certified iterations.
    pub iterations: u64,
    /// `|rho(w0)|`.
    pub residual: Upper,
    /// `smin(Xt)`.
    pub smin_inputs: Lower,
}

/// The constants are stated a little weaker than derived, so that a program that rounds elsewhere can confirm them.
const WEAKER: f64 = 1e-6;

/// The entries of g_1 on `B(w0, r)`, from below; and r. `largest_entry` is M.
fn first_backward_entry(start: &PositiveStart, r: f64, largest_entry: Upper) -> Lower {
    let (act, layers) = (start.activation, start.layers());
    let radius = Upper::new(r);
    let mut reach = radius * (Upper::new(start.widths[0] as f64) * largest_entry + Upper::ONE);
    let mut entry = Lower::new(start.output).minus(radius);
    for l in 1..layers {
        let interval = Interval::new(-reach.get(), reach.get());
        entry = entry * act.inf_slope(interval);
        if l + 1 < layers {
            let weight = start.hidden[l - 1];
            let value = act.enclose_value(interval).magnitude();
            reach = (Upper::new(weight) + radius) * Upper::new(start.widths[l] as f64) * value + radius;
        }
        if l >= 2 {
            let weight = Lower::new(start.hidden[l - 2]).minus(radius);
            entry = entry * weight * Lower::new(start.widths[l] as f64);
        }
    }
    entry
}

/// Number p of parameters that move.
fn parameters(start: &PositiveStart) -> f64 {
    let layers = 1..=start.layers();
    let weights = layers.clone().map(|l| start.widths[l] * start.widths[l - 1]).sum::<usize>();
    let biases: usize = layers.map(|l| if start.metric.biases[l] > 0.0 { start.widths[l] } else { 0 }).sum();
    (weights + biases) as f64
}

/// The certificate at a start whose outputs are 0, or `None` if its hypothesis fails. `n` counts duplicates,
/// `tolerance` is the level of S that counts as zero.
pub fn certify(
    start: &PositiveStart,
    inputs: &InputBounds,
    largest_entry: Upper,
    residual: Upper,
    n: f64,
    tolerance: f64,
) -> Option<Original> {
    let smallest = start.hidden.iter().copied().fold(start.output, f64::min);
    let radius = 0.5 * smallest;
    let entry = first_backward_entry(start, radius, largest_entry);
    let alpha = Lower::new(4.0) / Upper::new(n)
        * inputs.smin.square()
        * Lower::new(start.widths[1] as f64)
        * entry.square()
        * Lower::new(1.0 - WEAKER);
    // The checker has no better bound of |J(w0)| than the two terms of K0, and neither has the original.
    let centre = start.rough_centre(inputs);
    let wide = ball(&centre, 2.0 * radius);
    let largest_residual = residual + Upper::new(2.0 * radius) * wide.norm;
    let twice = Upper::new(2.0) / Lower::new(n);
    let widen = Upper::new(1.0 + WEAKER);
    let first_partials = twice * wide.norm * largest_residual * widen;
    let second_partials = twice * (wide.norm.square() + largest_residual * wide.lipschitz) * widen;
    // 4 |rho|^2 / n < (1 - eps)^2 r^2 alpha.
    let loss = residual.square() / Lower::new(n);
    let ratio = (Upper::new(4.0) * loss) / (Lower::new(radius).square() * alpha);
    let largest_epsilon = 1.0 - ratio.sqrt().get();
    let epsilon = (0.999 * largest_epsilon).min(0.5);
    if !(epsilon > 0.0 && second_partials.is_finite()) {
        return None;
    }
    let p = parameters(start);
    let by_first = Lower::new(radius) / (first_partials * Upper::new(p).sqrt());
    let by_second = Lower::new(2.0) * Lower::new(epsilon) / (second_partials * Upper::new(p));
    // A little below the limit, so that a program that rounds elsewhere confirms it.
    let step_size = by_first.min(by_second) * Lower::new(1.0 - WEAKER);
    let rate = Lower::ONE.minus(Upper::new(epsilon)) * alpha * step_size;
    let rate = rate.min(Lower::ONE) * Lower::new(1.0 - 1e-9);
    if !rate.is_positive() {
        return None;
    }
    // (1 - delta)^k S(w0) <= tolerance follows from k delta >= log(S(w0) / tolerance), since log(1 - delta) <= -delta.
    let fall = gradcert_rigor::elementary::ln((loss / Lower::new(tolerance)).max(Upper::ONE).get().into());
    let iterations = (fall.upper() / rate * Upper::new(1.0 + 1e-9)).get().ceil();
    // More than the certificate format can say is no certificate.
    (iterations <= 1e15).then(|| Original {
        start: start.clone(),
        step_size: step_size.get(),
        radius,
        epsilon,
        alpha,
        first_partials,
        second_partials,
        rate,
        iterations: iterations as u64,
        residual,
        smin_inputs: inputs.smin,
    })
}
