//! What a file must satisfy before anything is computed from it. Files are hostile until proved otherwise.

use crate::check::CheckError;
use crate::format::{Certificate, Claim, Descent, DescentOriginal, FORMAT, File, Inputs, Start, VERSION};
use crate::hex::HexFloat;

/// Largest file in bytes.
pub const MAX_FILE: usize = 1 << 26;
/// Most layers.
pub const MAX_LAYERS: usize = 64;
/// Most radii of a claim.
pub const MAX_RADII: usize = 4096;
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
    if bytes.len() > MAX_FILE {
        return Err(CheckError::Limit { field: "file".into(), reason: format!("more than {MAX_FILE} bytes") });
    }
    // The parser refuses nesting beyond 128 levels, unknown, missing and repeated fields, and trailing text.
    let file: File = serde_json::from_slice(bytes).map_err(|e| CheckError::Malformed(e.to_string()))?;
    if file.format != FORMAT || file.version != VERSION {
        return Err(CheckError::Malformed(format!("not {FORMAT} version {VERSION}")));
    }
    require((1..=MAX_CERTIFICATES).contains(&file.certificates.len()), "certificates", "one to 4096")?;
    for (field, size) in [("data.samples", file.data.samples), ("data.features", file.data.features)] {
        require((1..=MAX_COUNT).contains(&size), field, "1 to 10^9")?;
    }
    for (i, certificate) in file.certificates.iter().enumerate() {
        require(
            file.certificates[..i].iter().all(|other| other.problem != certificate.problem),
            "problem",
            "one certificate per problem",
        )?;
        network(certificate, &file)?;
        match &certificate.claim {
            Claim::Descent(claim) => descent(claim)?,
            Claim::DescentOriginal(claim) => original(claim)?,
        }
    }
    Ok(file)
}

fn require(condition: bool, field: &str, reason: &str) -> Result<(), CheckError> {
    if condition { Ok(()) } else { Err(CheckError::Limit { field: field.into(), reason: reason.into() }) }
}

fn positive(x: HexFloat) -> bool {
    x.get() >= 1.0 / MAX_MAGNITUDE && x.get() <= MAX_MAGNITUDE
}

fn non_negative(x: HexFloat) -> bool {
    x.get() == 0.0 || positive(x)
}

fn network(certificate: &Certificate, file: &File) -> Result<(), CheckError> {
    let Certificate { network, start, metric, .. } = certificate;
    let layers = network.widths.len().saturating_sub(1);
    require((2..=MAX_LAYERS).contains(&layers), "widths", "2 to 64 layers")?;
    require(network.widths.iter().all(|w| (1..=MAX_COUNT).contains(w)), "widths", "each 1 to 10^9")?;
    require(network.widths[layers] == 1, "widths", "one output")?;
    require(metric.weights.len() == layers && metric.biases.len() == layers, "metric", "one factor per layer")?;
    require(metric.weights.iter().chain(&metric.biases).all(|&x| non_negative(x)), "metric", "factors >= 0, in range")?;
    if network.inputs == Inputs::Raw {
        require(network.widths[0] == file.data.features, "widths", "d_0 is the number of features")?;
    } else {
        require(metric.biases[0].get() == 0.0, "metric", "whitened inputs have no first bias")?;
    }
    if let Start::Positive { hidden, output } = start {
        require(hidden.len() == layers - 2, "start.hidden", "one entry per layer between the first and the last")?;
        require(hidden.iter().all(|&x| positive(x)) && positive(*output), "start", "entries > 0, in range")?;
    }
    Ok(())
}

fn descent(claim: &Descent) -> Result<(), CheckError> {
    common([claim.step_size, claim.radius, claim.tolerance], claim.rate, claim.iterations)?;
    require(positive(claim.theta), "theta", "> 0, in range")?;
    for (field, x) in [
        ("residual", claim.residual),
        ("smin_inputs", claim.smin_inputs),
        ("smax_inputs", claim.smax_inputs),
        ("smin_start", claim.smin_start),
        ("smax_start", claim.smax_start),
        ("jacobian_norm", claim.jacobian_norm),
        ("jacobian_lipschitz", claim.jacobian_lipschitz),
        ("jacobian_drift", claim.jacobian_drift),
    ] {
        require(non_negative(x), field, ">= 0, in range")?;
    }
    let (radii, psi) = (&claim.radii, &claim.psi);
    require((1..=MAX_RADII).contains(&radii.len()) && psi.len() == radii.len(), "radii", "1 to 4096, as many psi")?;
    require(radii.iter().all(|&x| positive(x)) && radii.windows(2).all(|w| w[0] < w[1]), "radii", "> 0, increasing")?;
    require(psi.iter().all(|&x| positive(x)) && psi.windows(2).all(|w| w[0] >= w[1]), "psi", "> 0, non-increasing")?;
    require(radii[radii.len() - 1] == claim.radius, "radius", "the last of the radii")
}

fn original(claim: &DescentOriginal) -> Result<(), CheckError> {
    common([claim.step_size, claim.radius, claim.tolerance], claim.rate, claim.iterations)?;
    require(claim.epsilon.get() > 0.0 && claim.epsilon.get() < 1.0, "epsilon", "between 0 and 1")?;
    require(non_negative(claim.residual), "residual", ">= 0, in range")?;
    for (field, x) in [
        ("smin_inputs", claim.smin_inputs),
        ("alpha", claim.alpha),
        ("first_partials", claim.first_partials),
        ("second_partials", claim.second_partials),
    ] {
        require(positive(x), field, "> 0, in range")?;
    }
    Ok(())
}

fn common(sizes: [HexFloat; 3], rate: HexFloat, iterations: u64) -> Result<(), CheckError> {
    for (field, x) in ["step_size", "radius", "tolerance"].into_iter().zip(sizes) {
        require(positive(x), field, "> 0, in range")?;
    }
    require((0.0..=1.0).contains(&rate.get()), "rate", "0 to 1")?;
    require(iterations <= MAX_ITERATIONS, "iterations", "at most 10^15")
}
