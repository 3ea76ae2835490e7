//! What a file must satisfy before anything is computed from it. Files are hostile until proved otherwise.

use crate::audit::limits::audit;
use crate::check::{CheckError, Proved};
use crate::format::{Certificate, Claim, Descent, FORMAT, File, Inputs, Start, VERSION};
use crate::hex::HexFloat;
use std::collections::BTreeSet;

/// Largest file in bytes.
pub const MAX_FILE: usize = 1 << 26;
/// Most layers.
pub const MAX_LAYERS: usize = 64;
/// Most radii of a claim.
pub const MAX_RADII: usize = 4096;
/// Most radii times layers^2 times (merged) samples: this is what the bounds on balls cost.
pub const MAX_WORK: usize = 1 << 31;
/// Most certificates of a file.
pub const MAX_CERTIFICATES: usize = 4096;
/// Largest width, number of samples or features.
pub const MAX_COUNT: usize = 1_000_000_000;
/// Largest certified count; exactly a double.
pub const MAX_ITERATIONS: u64 = 1_000_000_000_000_000;
/// Most (merged) samples: matrices of their square are held in memory.
pub const MAX_SAMPLES: usize = 8192;
/// Largest input, target and parameter, and the range of positive numbers in a file: far from overflow of squares.
pub const MAX_MAGNITUDE: f64 = 1e100;

/// Reads a file and checks everything that does not need the data.
pub(crate) fn parse(bytes: &[u8]) -> Result<File, CheckError> {
    require(bytes.len() <= MAX_FILE, "file", "at most 64 MiB")?;
    // The parser refuses nesting beyond 128 levels, unknown, missing and repeated fields, and trailing text.
    let file: File = serde_json::from_slice(bytes).map_err(|e| CheckError::Malformed(e.to_string()))?;
    if file.format != FORMAT || file.version != VERSION {
        return Err(CheckError::Malformed(format!("not {FORMAT} version {VERSION}")));
    }
    require((1..=MAX_CERTIFICATES).contains(&file.certificates.len()), "certificates", "one to 4096")?;
    require((1..=MAX_COUNT).contains(&file.data.samples), "data.samples", "1 to 10^9")?;
    require((1..=MAX_COUNT).contains(&file.data.features), "data.features", "1 to 10^9")?;
    let names: BTreeSet<&str> = file.certificates.iter().map(|c| c.problem.as_str()).collect();
    require(names.len() == file.certificates.len(), "problem", "one certificate per problem")?;
    file.certificates
        .iter()
        .try_for_each(|certificate| network(certificate, &file).and_then(|()| claim(certificate)))?;
    Ok(file)
}

pub(crate) fn require(condition: bool, field: &str, reason: &str) -> Proved {
    if condition { Ok(()) } else { Err(CheckError::Limit { field: field.into(), reason: reason.into() }) }
}

/// Names and values of fields.
macro_rules! fields {
    ($from:ident: $($field:ident),*) => { [$((stringify!($field), std::slice::from_ref(&$from.$field))),*] };
}
pub(crate) use fields;

/// Are all numbers in the range of positive ones, or 0 where that is allowed?
pub(crate) fn sizes(zero_allowed: bool, fields: &[(&str, &[HexFloat])]) -> Proved {
    let range = 1.0 / MAX_MAGNITUDE..=MAX_MAGNITUDE;
    let fits = |x: &HexFloat| range.contains(&x.get()) || (zero_allowed && x.get() == 0.0);
    let reason = if zero_allowed { "0, or 1e-100 to 1e100" } else { "1e-100 to 1e100" };
    fields.iter().try_for_each(|(field, list)| require(list.iter().all(fits), field, reason))
}

fn network(certificate: &Certificate, file: &File) -> Proved {
    let Certificate { network, start, metric, .. } = certificate;
    let layers = network.widths.len().saturating_sub(1);
    require((2..=MAX_LAYERS).contains(&layers), "widths", "2 to 64 layers")?;
    require(network.widths.iter().all(|w| (1..=MAX_COUNT).contains(w)), "widths", "each 1 to 10^9")?;
    let audit = matches!(certificate.claim, Claim::Audit(_));
    require(audit || network.widths[layers] == 1, "widths", "one output, but for audits")?;
    require(metric.weights.len() == layers && metric.biases.len() == layers, "metric", "one factor per layer")?;
    sizes(true, &[("metric", &metric.weights), ("metric", &metric.biases)])?;
    if network.inputs == Inputs::Raw {
        require(network.widths[0] == file.data.features, "widths", "d_0 is the number of features")?;
    } else {
        require(metric.biases[0].get() == 0.0, "metric", "whitened inputs have no first bias")?;
    }
    if let Start::Positive { hidden, output } = start {
        require(hidden.len() == layers - 2, "start.hidden", "one entry per layer between the first and the last")?;
        sizes(false, &[("start.hidden", hidden), ("start.output", &[*output])])?;
    }
    Ok(())
}

fn claim(certificate: &Certificate) -> Proved {
    match &certificate.claim {
        Claim::Descent(claim) => descent(claim),
        Claim::DescentOriginal(claim) => {
            sizes(false, &fields!(claim: step_size, radius, tolerance, smin_inputs, alpha))?;
            sizes(false, &fields!(claim: first_partials, second_partials))?;
            sizes(true, &fields!(claim: residual))?;
            require(claim.epsilon.get() > 0.0 && claim.epsilon.get() < 1.0, "epsilon", "between 0 and 1")?;
            promise(claim.rate, claim.iterations)
        }
        Claim::Audit(claim) => audit(claim, certificate),
        Claim::Width(claim) => crate::width::limits(claim, certificate),
    }
}

pub(crate) fn descent(claim: &Descent) -> Proved {
    let (radii, psi) = (&claim.radii, &claim.psi);
    sizes(false, &fields!(claim: step_size, radius, tolerance, theta))?;
    sizes(false, &[("radii", radii), ("psi", psi)])?;
    sizes(true, &fields!(claim: residual, smin_inputs, smax_inputs, smin_start, smax_start))?;
    sizes(true, &fields!(claim: jacobian_norm, jacobian_lipschitz, jacobian_drift))?;
    require((1..=MAX_RADII).contains(&radii.len()) && psi.len() == radii.len(), "radii", "1 to 4096, as many psi")?;
    require(radii.windows(2).all(|w| w[0] < w[1]), "radii", "increasing")?;
    require(psi.windows(2).all(|w| w[0] >= w[1]), "psi", "non-increasing")?;
    require(radii.last() == Some(&claim.radius), "radius", "the last of the radii")?;
    promise(claim.rate, claim.iterations)
}

fn promise(rate: HexFloat, iterations: u64) -> Proved {
    require((0.0..=1.0).contains(&rate.get()), "rate", "0 to 1")?;
    require(iterations <= MAX_ITERATIONS, "iterations", "at most 10^15")
}
