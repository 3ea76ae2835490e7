//! (T7), (T8) with the step of (T2): the original constants.

use crate::ball::ball;
use crate::check::{CheckError, not_proved};
use crate::descent::reaches;
use crate::format::DescentOriginal;
use crate::start::{Centre, Layers, Positive};
use gradcert_rigor::rounding::{mul_up, sub_up};
use gradcert_rigor::{Interval, Lower, Upper};

/// Verifies everything but residual and smin_inputs, which have been verified before.
pub(crate) fn verify(
    claim: &DescentOriginal,
    count: usize,
    layers: &Layers,
    centre: &Centre,
    start: &Positive,
) -> Result<(), CheckError> {
    let last = layers.count();
    let plain =
        layers.weights[1..].iter().all(|&d| d == 1.0) && layers.biases[1..].iter().all(|&d| d == 0.0 || d == 1.0);
    if !(plain && layers.activation.is_increasing()) {
        return Err(not_proved("claim", "unit metric, sigma' > 0".into(), "another setting".into()));
    }
    let (r, n, residual) = (claim.radius.get(), count as f64, claim.residual.get());
    let smallest = start.entries[2..last].iter().fold(f64::INFINITY, |a, &b| a.min(b));
    if !(r > 0.0 && r <= 0.5 * smallest && r < start.entries[last]) {
        return Err(not_proved("radius", format!("{r:e}"), "half the smallest hidden entry, and below A".into()));
    }
    let alpha = alpha(claim, count, layers, centre, start);
    if claim.alpha.get() > alpha.get() {
        return Err(not_proved("alpha", format!("{:e}", claim.alpha.get()), format!("{:e}", alpha.get())));
    }
    let alpha = Lower::new(claim.alpha.get());
    let kept = (Interval::ONE - Interval::exact(claim.epsilon.get())).lower();
    let right = kept.square() * Lower::new(r).square() * alpha * Lower::new(n);
    let left = mul_up(4.0, mul_up(residual, residual));
    if !(left < right.get()) {
        return Err(not_proved("epsilon", format!("n (1-eps)^2 r^2 alpha > {left:e}"), format!("{:e}", right.get())));
    }
    let (first, second) = partials(n, residual, Upper::new(2.0 * r), layers, centre);
    for (field, stated, derived) in [
        ("first_partials", claim.first_partials.get(), first),
        ("second_partials", claim.second_partials.get(), second),
    ] {
        if !(stated >= derived.get() && stated > 0.0) {
            return Err(not_proved(field, format!("{stated:e}"), format!("{:e}", derived.get())));
        }
    }
    let p: Upper = (1..=last).map(|l| Upper::new(trained(layers, l))).sum();
    let p = Interval::exact(p.get());
    let (l1, l2) = (Interval::exact(claim.first_partials.get()), Interval::exact(claim.second_partials.get()));
    let by_first = Interval::exact(r) / (l1 * p.sqrt());
    let by_second = Interval::exact(2.0) * Interval::exact(claim.epsilon.get()) / (l2 * p);
    let limit = by_first.lo().min(by_second.lo());
    if !(claim.step_size.get() <= limit) {
        return Err(not_proved("step_size", format!("{:e}", claim.step_size.get()), format!("{limit:e}")));
    }
    let rate = (kept * alpha * Lower::new(claim.step_size.get())).min(Lower::ONE);
    if !(claim.rate.get() <= rate.get()) {
        return Err(not_proved("rate", format!("{:e}", claim.rate.get()), format!("{:e}", rate.get())));
    }
    if reaches(claim.tolerance.get(), count, claim.rate.get(), claim.iterations, residual) {
        return Ok(());
    }
    let remaining = sub_up(1.0, claim.rate.get()).powf(claim.iterations as f64) * residual * residual / n;
    Err(not_proved("iterations", format!("S <= {:e}", claim.tolerance.get()), format!("S <= {remaining:e}")))
}

/// Number of trained parameters of a layer, rounded up (widths are integers below 2^53, so their sum with 1 is exact).
pub(crate) fn trained(layers: &Layers, l: usize) -> f64 {
    let (rows, columns) = (layers.widths[l] as f64, layers.widths[l - 1] as f64);
    mul_up(rows, columns + if layers.biases[l] > 0.0 { 1.0 } else { 0.0 })
}

/// (T8) On B(w0, r) no parameter moves by more than r. So the entries of z_1 are at most `m_1 = r |x~|_max`, those of z_l
/// at most `m_l = (b + r) d_{l-1} sup_{|t| <= m_{l-1}} |sigma| + r`; slopes are at least c_l, entries of W_l at least
/// `a - r >= r` (W_L: A - r), so the entries of g_1 are at least `(A - r) r^{L-2} prod d_l prod c_l`.
pub(crate) fn alpha(
    claim: &DescentOriginal,
    count: usize,
    layers: &Layers,
    centre: &Centre,
    start: &Positive,
) -> Lower {
    let (last, f) = (layers.count(), layers.activation);
    let r = Upper::new(claim.radius.get());
    let mut reach = r * Upper::maximum(centre.h_tilde[0].iter().copied());
    let mut entry = (Interval::exact(start.entries[last]) - Interval::exact(r.get())).lower();
    for l in 1..last {
        if l > 1 {
            // sigma is increasing and sigma(0) = 0.
            let size = f.value_at(reach.get()).magnitude().max(f.value_at(-reach.get()).magnitude());
            let weight = Upper::new(start.entries[l]) + r;
            reach = weight * Upper::new(layers.widths[l - 1] as f64) * size + r;
            entry = entry * Lower::new(r.get()) * Lower::new(layers.widths[l] as f64);
        }
        entry = entry * Lower::new(f.slope_below(reach));
    }
    let lambda = Lower::new(claim.smin_inputs.get()).square();
    Lower::new(4.0) / Upper::new(count as f64) * lambda * Lower::new(layers.widths[1] as f64) * entry.square()
}

/// On B(w0, R), R = 2r: `|rho| <= |rho(w0)| + sJ R`, every first partial derivative of S is at most
/// `|grad S| <= (2/n) sJ |rho|`, every second one `|Hess S| <= (2/n) (sJ^2 + |rho| LJ)`.
pub(crate) fn partials(n: f64, residual: f64, radius: Upper, layers: &Layers, centre: &Centre) -> (Upper, Upper) {
    let bounds = ball(centre, layers, radius);
    let rho = Upper::new(residual) + bounds.norm * radius;
    let factor = Upper::new(2.0) / Lower::new(n);
    (factor * bounds.norm * rho, factor * (bounds.norm.square() + rho * bounds.lipschitz))
}
