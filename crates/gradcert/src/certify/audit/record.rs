//! From an audit to its record in a certificate file.

use super::super::record::{Around, Overflow, descent_claim, hex, hexes, parameters_hash};
use super::{Audited, Curvature};
use crate::network::Network;
use crate::theorem::centre::Metric;
use crate::theorem::inputs::InputBounds;
use gradcert_certificate::format::{
    Audit, Certificate, Claim, Convergence, Curvature as StatedCurvature, Inputs, Metric as StatedMetric,
    Network as Architecture, Start,
};
use gradcert_certificate::hash;

/// What an audit takes for granted.
const ASSUMPTIONS: [&str; 3] = [
    "exact real arithmetic: the network with exactly the stored parameters, not a floating-point evaluation of it",
    "where descent is claimed: full-batch gradient descent with the constant step and the metric stated here",
    "data and parameters are exactly the doubles whose hashes are stated here",
];

/// What an audit does not say.
const LIMITS: [&str; 3] = [
    "nothing about new samples: zero training loss is no statement about generalisation",
    "nothing about how the network was trained",
    "the interpolating parameters exist; they are not computed here",
];

/// The record of an audit. `targets` are all targets, duplicates included, sample by sample.
///
/// # Errors
/// If a bound overflowed.
pub fn certificate(
    audited: &Audited,
    problem: &str,
    targets: &[f64],
    network: &Network,
    metric: &Metric,
    inputs: &InputBounds,
    tolerance: f64,
) -> Result<Certificate, Overflow> {
    let around = Around {
        residual: audited.residual,
        smin_inputs: inputs.smin,
        smax_inputs: inputs.smax,
        smin_start: audited.smin_start,
        smax_start: audited.smax_start,
    };
    let convergence = match &audited.convergence {
        None => Convergence::None,
        Some((profile, found)) => Convergence::Descent(Box::new(descent_claim(&around, profile, found, tolerance)?)),
    };
    let curvature = match &audited.curvature {
        Curvature::Drift { radii, drift } => StatedCurvature::Drift {
            radii: hexes(radii.iter().copied())?,
            drift: hexes(drift.iter().map(|d| d.get()))?,
        },
        Curvature::Taylor(orders_by, orders) => StatedCurvature::Taylor {
            orders_by: *orders_by,
            radius: hex(orders.radius())?,
            orders: hexes(orders.values().iter().map(|n| n.get()))?,
        },
    };
    Ok(Certificate {
        problem: problem.to_owned(),
        targets_sha256: hash::targets(targets),
        network: Architecture {
            widths: network.widths(),
            activation: network.activation.to_string(),
            inputs: Inputs::Raw,
        },
        start: Start::Tensors { sha256: parameters_hash(network) },
        metric: StatedMetric {
            weights: hexes(metric.weights[1..].iter().copied())?,
            biases: hexes(metric.biases[1..].iter().copied())?,
        },
        claim: Claim::Audit(Audit {
            residual: hex(audited.residual.get())?,
            smin_start: hex(audited.smin_start.get())?,
            smax_start: hex(audited.smax_start.get())?,
            correction: hex(audited.correction.get())?,
            curvature,
            distance: hex(audited.distance)?,
            convergence,
        }),
        assumptions: ASSUMPTIONS.map(str::to_owned).to_vec(),
        limits: LIMITS.map(str::to_owned).to_vec(),
    })
}
