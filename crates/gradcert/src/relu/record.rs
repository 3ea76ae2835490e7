//! The certificate of a width.

use super::start::Start;
use super::width::{Certified, Problem};
use crate::certify::record::{Overflow, hex, hexes};
use gradcert_certificate::format::{Certificate, Claim, Inputs, Metric, Network, Start as StartRecord, Width};
use gradcert_certificate::hash;

const ASSUMPTIONS: [&str; 3] = [
    "exact real arithmetic: the claim is about the mathematical iteration, not about a floating-point run of it",
    "full-batch gradient descent on the first layer with the constant step stated here, from exactly the start stated here; the \
     derivative of relu at 0 is 1",
    "the data are exactly the doubles whose hash is stated here",
];

const LIMITS: [&str; 3] = [
    "nothing about new samples: zero training loss is no statement about generalisation",
    "nothing about other draws, widths, precisions, optimisers, mini-batches or step sizes",
    "nothing about training the output weights",
];

/// The certificate about one problem.
///
/// # Errors
/// [`Overflow`]: a bound is not finite.
pub fn certificate(
    name: &str,
    problem: &Problem,
    start: &Start,
    certified: &Certified,
    tolerance: f64,
) -> Result<Certificate, Overflow> {
    let widths = vec![start.features(), start.width(), 1];
    let rows = start.rows();
    let claim = Width {
        step_size: hex(certified.step_size)?,
        radius: hex(certified.radius.get())?,
        tolerance: hex(tolerance)?,
        iterations: certified.descent.iterations,
        rate: hex(certified.rate)?,
        residual: hex(certified.residual.get())?,
        smin: hex(certified.smin)?,
        clocks: hexes(certified.cells.iter().map(|cell| cell.clock))?,
        decay: hexes(certified.decay.iter().copied())?,
        spread: hexes(certified.cells.iter().map(|cell| cell.spread))?,
    };
    Ok(Certificate {
        problem: name.to_owned(),
        targets_sha256: hash::targets(problem.targets()),
        network: Network { widths: widths.clone(), activation: "relu".to_owned(), inputs: Inputs::Raw },
        start: StartRecord::Tensors { sha256: hash::parameters(&widths, [rows.as_slice(), start.signs()]) },
        metric: Metric { weights: hexes([1.0, 0.0])?, biases: hexes([0.0, 0.0])? },
        claim: Claim::Width(claim),
        assumptions: ASSUMPTIONS.map(str::to_owned).to_vec(),
        limits: LIMITS.map(str::to_owned).to_vec(),
    })
}
