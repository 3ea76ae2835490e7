//! From a certified descent to its record in a certificate file.

use super::problem::Coordinates;
use super::search::Found;
use super::{Certified, Outcome};
use crate::network::Network;
use crate::theorem::original::Original;
use crate::theorem::profile::Profile;
use gradcert_certificate::format::{
    Certificate, Claim, Descent, DescentOriginal, Inputs, Metric, Network as Architecture, Start,
};
use gradcert_certificate::hash;
use gradcert_certificate::hex::HexFloat;
use gradcert_rigor::{Lower, Upper};

/// A number that cannot be written into a certificate: it is not finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a bound overflowed: the certificate would contain a number that is not finite")]
pub struct Overflow;

pub(crate) fn hex(x: f64) -> Result<HexFloat, Overflow> {
    HexFloat::new(x).ok_or(Overflow)
}

pub(crate) fn hexes(values: impl IntoIterator<Item = f64>) -> Result<Vec<HexFloat>, Overflow> {
    values.into_iter().map(hex).collect()
}

/// The SHA-256 of all parameters of a network.
pub fn parameters_hash(network: &Network) -> String {
    let rows: Vec<Vec<f64>> = (1..=network.layers())
        .flat_map(|l| {
            let w = &network.weights[l];
            let flat = (0..w.nrows()).flat_map(|i| (0..w.ncols()).map(move |j| w[(i, j)])).collect();
            [flat, network.biases[l].clone()]
        })
        .collect();
    hash::parameters(&network.widths(), rows.iter().map(Vec::as_slice))
}

/// What a certificate takes for granted.
const ASSUMPTIONS: [&str; 3] = [
    "exact real arithmetic: the claim is about the mathematical iteration, not about a floating-point run of it",
    "full-batch gradient descent with the constant step and the metric stated here, from exactly the start stated here",
    "the data are exactly the doubles whose hash is stated here",
];

/// What a certificate does not say.
const LIMITS: [&str; 3] = [
    "nothing about new samples: zero training loss is no statement about generalisation",
    "nothing about other precisions, optimisers, mini-batches or step sizes",
    "nothing about the rounding of a trained model file",
];

/// The record of one problem, `None` for a decline. `targets` are all n targets, duplicates included.
pub fn certificate(
    outcome: &Outcome,
    problem: &str,
    targets: &[f64],
    coordinates: Coordinates,
    tolerance: f64,
) -> Result<Option<Certificate>, Overflow> {
    let Some((network, metric)) = outcome.start() else { return Ok(None) };
    let start = match outcome.positive_start() {
        Some(p) => Start::Positive { hidden: hexes(p.hidden.iter().copied())?, output: hex(p.output)? },
        None => Start::Tensors { sha256: parameters_hash(&network) },
    };
    let inputs = match coordinates {
        Coordinates::Raw => Inputs::Raw,
        Coordinates::Whitened { bias: false } => Inputs::Whitened,
        Coordinates::Whitened { bias: true } => Inputs::WhitenedWithBias,
    };
    let claim = match outcome {
        Outcome::Declined(_) => return Ok(None),
        Outcome::Certified(c) => Claim::Descent(descent(c, tolerance)?),
        Outcome::CertifiedOriginal(o) => Claim::DescentOriginal(original(o, tolerance)?),
    };
    Ok(Some(Certificate {
        problem: problem.to_owned(),
        targets_sha256: hash::targets(targets),
        network: Architecture { widths: network.widths(), activation: network.activation.to_string(), inputs },
        start,
        metric: Metric {
            weights: hexes(metric.weights[1..].iter().copied())?,
            biases: hexes(metric.biases[1..].iter().copied())?,
        },
        claim,
        assumptions: ASSUMPTIONS.map(str::to_owned).to_vec(),
        limits: LIMITS.map(str::to_owned).to_vec(),
    }))
}

fn original(o: &Original, tolerance: f64) -> Result<DescentOriginal, Overflow> {
    Ok(DescentOriginal {
        step_size: hex(o.step_size)?,
        radius: hex(o.radius)?,
        tolerance: hex(tolerance)?,
        iterations: o.iterations,
        rate: hex(o.rate.get())?,
        epsilon: hex(o.epsilon)?,
        residual: hex(o.residual.get())?,
        smin_inputs: hex(o.smin_inputs.get() * (1.0 - WEAKER))?,
        alpha: hex(o.alpha.get())?,
        first_partials: hex(o.first_partials.get())?,
        second_partials: hex(o.second_partials.get())?,
    })
}

/// Stated a little weaker than proved, so that a program that rounds elsewhere can confirm it.
pub(crate) const WEAKER: f64 = 1e-9;

/// Bounds of the singular values of `J(w0)` as a certificate states them: (T5s) is computed with these.
pub(crate) fn stated_extremes(smin: Lower, smax: Upper) -> (Lower, Upper) {
    (Lower::new(smin.get() * (1.0 - WEAKER)), Upper::new(smax.get() * (1.0 + WEAKER)))
}

/// What is known about a certified descent but radius, step and count.
pub(crate) struct Around {
    pub(crate) residual: Upper,
    pub(crate) smin_inputs: Lower,
    pub(crate) smax_inputs: Upper,
    /// As they are stated.
    pub(crate) smin_start: Lower,
    pub(crate) smax_start: Upper,
}

fn descent(certified: &Certified, tolerance: f64) -> Result<Descent, Overflow> {
    let (smin_start, smax_start) = stated_extremes(certified.smin_start, certified.smax_start);
    let Certified { residual, smin_inputs, smax_inputs, .. } = *certified;
    let around = Around { residual, smin_inputs, smax_inputs, smin_start, smax_start };
    descent_claim(&around, &certified.profile, &certified.found, tolerance)
}

/// A rate as it is stated. Whoever checks it compares 1 - rate with a square, and a tiny rate loses its last digits there: a few
/// units of roundoff are taken off.
pub(crate) fn stated_rate(rate: Lower) -> Lower {
    Lower::new(rate.get() * (1.0 - WEAKER)).minus(Upper::new(4.0 * f64::EPSILON))
}

pub(crate) fn descent_claim(
    around: &Around,
    profile: &Profile,
    found: &Found,
    tolerance: f64,
) -> Result<Descent, Overflow> {
    let j = found.descent.index;
    let weaker_lower = |x: f64| hex(x * (1.0 - WEAKER));
    let weaker_upper = |x: f64| hex(x * (1.0 + WEAKER));
    Ok(Descent {
        step_size: hex(found.descent.step_size)?,
        radius: hex(profile.radius[j])?,
        tolerance: hex(tolerance)?,
        iterations: found.iterations,
        rate: hex(stated_rate(found.descent.rate(around.residual)).get())?,
        form: found.descent.form,
        envelope: found.envelope,
        theta: hex(found.descent.theta.get())?,
        residual: hex(around.residual.get())?,
        smin_inputs: weaker_lower(around.smin_inputs.get())?,
        smax_inputs: weaker_upper(around.smax_inputs.get())?,
        smin_start: hex(around.smin_start.get())?,
        smax_start: hex(around.smax_start.get())?,
        radii: hexes(profile.radius[..=j].iter().copied())?,
        psi: hexes(profile.psi[..=j].iter().map(|p| p.get()))?,
        jacobian_norm: hex(profile.norm[j].get())?,
        jacobian_lipschitz: hex(profile.lipschitz[j].get())?,
        jacobian_drift: hex(profile.drift[j].get())?,
    })
}
