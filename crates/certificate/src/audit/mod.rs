//! Audits: next to given parameters there are others that interpolate exactly (T15), (T16), and descent converges to some.

pub(crate) mod derivatives;
pub(crate) mod limits;
pub(crate) mod relative;
pub(crate) mod row_space;
mod third_order;
pub(crate) mod two_layers;

use crate::ball::ball;
use crate::check::{Proved, affordable, at_given_parameters, at_least, at_most, sharp, singular_values_of_inputs};
use crate::format::{Audit, Certificate, Claim, Convergence, Curvature, OrdersBy};
use crate::hex::HexFloat;
use crate::start::Centre;
use gradcert_rigor::elementary::constants;
use gradcert_rigor::rounding::sub_down;
use gradcert_rigor::{Interval, Lower, Upper};
use relative::Relative;

/// The activation and a constant to add: audits know two with `sigma(0)` other than 0.
pub(crate) fn activation(certificate: &Certificate) -> (&str, Interval) {
    match (&certificate.claim, certificate.network.activation.as_str()) {
        (Claim::Audit(_), "sigmoid") => ("logistic", Interval::exact(0.5)),
        (Claim::Audit(_), "plain-softplus") => ("softplus", constants::LN_2),
        (_, name) => (name, Interval::ZERO),
    }
}

/// Verifies everything but hashes; returns in words what has been proved.
pub(crate) fn verify(claim: &Audit, centre: &mut Centre) -> Proved<Vec<String>> {
    if let Curvature::Drift { radii, .. } = &claim.curvature {
        affordable(radii.len(), centre)?;
    }
    if let Convergence::Descent(descent) = &claim.convergence {
        affordable(descent.radii.len(), centre)?;
        singular_values_of_inputs(descent.smin_inputs, Some(descent.smax_inputs), centre)?;
    } else {
        singular_values_of_inputs(HexFloat::default(), None, centre)?;
    }
    at_given_parameters(claim.residual, claim.smin_start, claim.smax_start, centre)?;
    let relative = Relative::new(centre)?;
    let crude = Upper::new(claim.residual.get()) / centre.smin_start;
    at_least("correction", claim.correction, crude.min(relative.length(&centre.rho)).get())?;
    let mut verified = vec![
        format!("singular values of the Jacobian at the given parameters; |rho| <= {:e}", claim.residual),
        format!("the Gauss-Newton step from there is at most {:e} long", claim.correction),
        curvature(claim, centre, &relative)?,
    ];
    at_most("correction", claim.correction, integral(claim))?;
    verified.push(format!("parameters that interpolate exactly exist within the distance {:e}", claim.distance));
    if let Convergence::Descent(descent) = &claim.convergence {
        let psi = |s: Upper| centre.smin_start * Lower::ONE.minus(kappa(claim, s.get()));
        verified.extend(sharp(descent, centre, psi)?);
    }
    Ok(verified)
}

/// Verifies what bounds kappa; returns it in words.
fn curvature(claim: &Audit, centre: &Centre, relative: &Relative) -> Proved<String> {
    let (name, stated, derived, words) = match &claim.curvature {
        Curvature::Drift { radii, drift } => {
            let derived = radii.iter().map(|s| ball(centre, Upper::new(s.get())).drift).collect();
            ("drift", drift, derived, format!("the drift of the Jacobian on {} balls", radii.len()))
        }
        Curvature::Taylor { orders_by, radius, orders } => {
            let bounds = if *orders_by == OrdersBy::TwoLayers { two_layers::orders } else { row_space::orders };
            let derived = bounds(orders, Upper::new(radius.get()), centre, relative);
            let last = orders.len() + 1;
            let words = format!("derivatives of orders 2 to {last} relative to the Jacobian, up to radius {radius:e}");
            ("orders", orders, derived, words)
        }
    };
    for (j, (stated, derived)) in stated.iter().zip(&derived).enumerate() {
        at_least(&format!("{name}[{j}]"), *stated, derived.get())?;
    }
    Ok(words)
}

/// kappa at s; unknown beyond its range.
pub(crate) fn kappa(claim: &Audit, s: f64) -> Upper {
    match &claim.curvature {
        Curvature::Drift { radii, drift } => {
            let cell = radii.iter().zip(drift).find(|(radius, _)| s <= radius.get());
            cell.map_or(Upper::UNKNOWN, |(_, drift)| Upper::new(drift.get()) / Lower::new(claim.smin_start.get()))
        }
        Curvature::Taylor { radius, .. } if s > radius.get() => Upper::UNKNOWN,
        Curvature::Taylor { orders, .. } => series(orders, s, 0),
    }
}

/// `sum_k N_k s^(k-1+m) / (k-1+m)!`: kappa, and for m = 1 its integral.
fn series(orders: &[HexFloat], s: f64, m: usize) -> Upper {
    let ratio = |j: usize| Interval::exact(s) / Interval::exact(j as f64);
    let power = |k: usize| (1..k + m).fold(Interval::ONE, |power, j| power * ratio(j));
    (2..).zip(orders).map(|(k, order)| Upper::new(order.get()) * power(k).upper()).sum()
}

/// `integral_0^distance (1 - kappa)`, down, kappa by upper sums; 1 - kappa may be negative somewhere.
pub(crate) fn integral(claim: &Audit) -> f64 {
    let end = claim.distance.get();
    let (mut sum, mut before) = (Interval::ZERO, 0.0);
    let radii = match &claim.curvature {
        Curvature::Drift { radii, .. } => radii,
        Curvature::Taylor { orders, .. } => return sub_down(end, series(orders, end, 1).get()),
    };
    for s in radii.iter().map(|s| s.get()) {
        let (cell, height) = (Interval::exact(s.min(end)) - Interval::exact(before), kappa(claim, s).get());
        sum = sum + cell * (Interval::ONE - Interval::exact(height));
        before = s.min(end);
    }
    sum.lo()
}
