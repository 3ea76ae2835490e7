//! (T7), (T8) with the step of (T2): the original constants.

use crate::ball::{ball, lipschitz};
use crate::check::{CheckError, at_least, at_most, proved};
use crate::descent::reaches;
use crate::format::DescentOriginal;
use crate::start::Centre;
use gradcert_rigor::rounding::mul_up;
use gradcert_rigor::{Interval, Lower, Upper};

/// Verifies everything but residual and smin_inputs, which have been verified before.
pub(crate) fn verify(claim: &DescentOriginal, centre: &Centre) -> Result<(), CheckError> {
    let entries = centre.positive.as_deref().unwrap_or_default();
    proved(!entries.is_empty(), "start", "a positive start", "tensors")?;
    let (last, layers, count) = (centre.layers.count(), &centre.layers, centre.samples.count);
    let plain =
        layers.weights[1..].iter().all(|&d| d == 1.0) && layers.biases[1..].iter().all(|&d| d == 0.0 || d == 1.0);
    proved(plain && layers.activation.is_increasing(), "claim", "unit metric, sigma' > 0", "another setting")?;
    let (r, n, residual) = (claim.radius.get(), Interval::exact(count as f64), claim.residual.get());
    let farthest = entries[2..last].iter().fold(f64::INFINITY, |a, &b| a.min(0.5 * b));
    proved(r <= farthest && r < entries[last], "radius", format!("{r:e}"), "half the hidden entries, and below A")?;
    at_most("alpha", claim.alpha, alpha(claim, centre, entries).get())?;
    // (T2) 4 S(w0) < (1 - eps)^2 r^2 alpha.
    let [eps, alpha, eta] = [claim.epsilon, claim.alpha, claim.step_size].map(|x| Interval::exact(x.get()));
    let kept = Interval::ONE - eps;
    let right = (kept.square() * Interval::exact(r).square() * alpha * n).lo();
    let left = mul_up(4.0, mul_up(residual, residual));
    proved(left < right, "epsilon", format!("n (1-eps)^2 r^2 alpha > {left:e}"), format!("{right:e}"))?;
    let (first, second) = partials(residual, Upper::new(2.0 * r), centre);
    at_least("first_partials", claim.first_partials, first.get())?;
    at_least("second_partials", claim.second_partials, second.get())?;
    // Trained parameters; widths are integers below 2^53, so their sum with 1 is exact.
    let inputs = |l: usize| layers.widths[l - 1] as f64 + layers.biases[l];
    let p: Upper = (1..=last).map(|l| Upper::new(layers.widths[l] as f64) * Upper::new(inputs(l))).sum();
    let p = Interval::exact(p.get());
    let [l1, l2] = [claim.first_partials, claim.second_partials].map(|x| Interval::exact(x.get()));
    let by_second = Interval::exact(2.0) * eps / (l2 * p);
    at_most("step_size", claim.step_size, (Interval::exact(r) / (l1 * p.sqrt())).lo().min(by_second.lo()))?;
    at_most("rate", claim.rate, (kept * alpha * eta).lo().min(1.0))?;
    let (tolerance, rate) = (claim.tolerance.get(), claim.rate.get());
    let enough = reaches(tolerance, count, rate, claim.iterations, residual);
    proved(enough, "iterations", claim.iterations, format!("S above {tolerance:e} at rate {rate:e}"))
}

/// (T8) On B(w0, r) no parameter moves by more than r. So the entries of z_1 are at most `m_1 = r |x~|_max`, those of z_l
/// at most `m_l = (b + r) d_{l-1} sup_{|t| <= m_{l-1}} |sigma| + r`; slopes are at least c_l, entries of W_l at least
/// `a - r >= r` (W_L: A - r), so the entries of g_1 are at least `(A - r) r^{L-2} prod d_l prod c_l`.
pub(crate) fn alpha(claim: &DescentOriginal, centre: &Centre, entries: &[f64]) -> Lower {
    let (last, layers, f) = (centre.layers.count(), &centre.layers, centre.layers.activation);
    let r = Upper::new(claim.radius.get());
    let mut reach = r * centre.largest_input();
    let mut entry = (Interval::exact(entries[last]) - Interval::exact(r.get())).lower();
    for l in 1..last {
        if l > 1 {
            // sigma is increasing and sigma(0) = 0.
            let size = f.at(reach.get())[0].magnitude().max(f.at(-reach.get())[0].magnitude());
            let weight = Upper::new(entries[l]) + r;
            reach = weight * Upper::new(layers.widths[l - 1] as f64) * size + r;
            entry = entry * Lower::new(r.get()) * Lower::new(layers.widths[l] as f64);
        }
        entry = entry * f.derivative(1, &[Interval::ZERO], reach).lower();
    }
    let lambda = Lower::new(claim.smin_inputs.get()).square();
    Lower::new(4.0) / Upper::new(centre.samples.count as f64)
        * lambda
        * Lower::new(layers.widths[1] as f64)
        * entry.square()
}

/// On B(w0, R), R = 2r: `|rho| <= |rho(w0)| + sJ R`, every first partial derivative of S is at most
/// `|grad S| <= (2/n) sJ |rho|`, every second one `|Hess S| <= (2/n) (sJ^2 + |rho| LJ)`.
pub(crate) fn partials(residual: f64, radius: Upper, centre: &Centre) -> (Upper, Upper) {
    let norm = ball(centre, radius).norm;
    let rho = Upper::new(residual) + norm * radius;
    let factor = Upper::new(2.0) / Lower::new(centre.samples.count as f64);
    (factor * norm * rho, factor * (norm.square() + rho * lipschitz(centre, radius)))
}
