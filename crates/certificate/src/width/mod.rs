//! Certified widths of two-layer ReLU networks (T14): the claim, and how it is derived again.

mod kernel;
mod movement;
mod recursion;

use crate::check::{Proved, at_least, proved};
use crate::format::{Certificate, Start};
use crate::hex::HexFloat;
use crate::limits::{MAX_SAMPLES, fields, require, sizes};
use crate::matrix::{Enclosed, Matrix, Symmetric};
use crate::{CheckError, Inputs, Problem, hash};
use gradcert_rigor::rounding::{div_up, mul_up, sqrt_down};
use gradcert_rigor::{Interval, Upper};
use serde::{Deserialize, Serialize};

/// `f(x) = m^{-1/2} sum_r a_r relu(w_r.x)`, W trained from the given start, a fixed: gradient descent on `S = |rho|^2 / n` (a mean)
/// with step `step_size`, in exact arithmetic, never increases `|rho_k|` and converges linearly to 0, every iteration multiplies S by at most `1 -
/// rate`, `S <= tolerance` from iteration `iterations` on, no `w_r` leaves the ball of radius `radius` around its start, and the smallest singular
/// value of the Jacobian is at least `smin` at every iterate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Width {
    /// `eta`; `c = 2 eta / n`.
    pub step_size: HexFloat,
    /// Largest distance of a single neuron from its start.
    pub radius: HexFloat,
    /// Level of S that counts as zero.
    pub tolerance: HexFloat,
    /// Certified number of iterations.
    pub iterations: u64,
    /// Every iteration multiplies S by at most `1 - rate`.
    pub rate: HexFloat,
    /// `|rho(w0)| <= residual`.
    pub residual: HexFloat,
    /// `smin(J) >= smin` at every iterate.
    pub smin: HexFloat,
    /// `0 < tau_1 < ... < tau_J`, values of `sum_k c |rho_k|`.
    pub clocks: Vec<HexFloat>,
    /// `|I - c Jbar J^T| <= 1 - c decay[j]` up to the clock `clocks[j]`; positive, non-increasing.
    pub decay: Vec<HexFloat>,
    /// Upper bound of the norm of the spread of the kernel up to that clock.
    pub spread: Vec<HexFloat>,
}

impl Width {
    /// The claim in words.
    pub fn promise(&self) -> String {
        let Width { step_size, tolerance, iterations, rate, .. } = self;
        let count = format!("the loss is at most {tolerance:e} after {iterations} iterations");
        format!("descent with step {step_size:e}: {count}, each multiplies it by at most 1 - {rate:e}")
    }
}

/// Most cells times samples squared: integers in memory.
pub const MAX_COUNTS: usize = 1 << 26;
/// Most weights of a start.
pub const MAX_WEIGHTS: usize = 1 << 31;

/// What must hold before anything is computed.
pub(crate) fn limits(claim: &Width, certificate: &Certificate) -> Proved {
    let (network, metric) = (&certificate.network, &certificate.metric);
    let values = |list: &[HexFloat]| list.iter().map(|x| x.get()).collect::<Vec<_>>();
    let trained = values(&metric.weights) == [1.0, 0.0] && values(&metric.biases) == [0.0, 0.0];
    require(trained, "metric", "of a width: the first layer alone, without biases")?;
    require(network.activation == "relu", "activation", "of a width: relu")?;
    require(network.inputs == crate::format::Inputs::Raw, "inputs", "of a width: raw")?;
    require(network.widths[0].saturating_mul(network.widths[1]) <= MAX_WEIGHTS, "widths", "d m at most 2^31")?;
    require(matches!(certificate.start, Start::Tensors { .. }), "start", "of a width: tensors")?;
    let (clocks, decay, spread) = (&claim.clocks, &claim.decay, &claim.spread);
    sizes(false, &fields!(claim: step_size, radius, tolerance))?;
    sizes(false, &[("clocks", clocks), ("decay", decay)])?;
    sizes(true, &fields!(claim: residual, smin))?;
    sizes(true, &[("spread", spread)])?;
    let fit = !clocks.is_empty() && [decay.len(), spread.len()] == [clocks.len(); 2];
    require(fit, "clocks", "at least one, as many decays and spreads")?;
    require(clocks.windows(2).all(|w| w[0] < w[1]), "clocks", "increasing")?;
    require(decay.windows(2).all(|w| w[0] >= w[1]), "decay", "non-increasing")?;
    require((0.0..=1.0).contains(&claim.rate.get()), "rate", "0 to 1")?;
    require(claim.iterations <= recursion::MAX_STEPS, "iterations", "of a width: at most 10^7")
}

/// Verifies a certificate whose data and targets have the stated hashes; returns in words what has been proved.
pub(crate) fn verify(
    claim: &Width,
    certificate: &Certificate,
    inputs: Inputs,
    problem: &Problem,
) -> Result<Vec<String>, CheckError> {
    let (n, d, m) = (inputs.samples, inputs.features, certificate.network.widths[1]);
    require(n <= MAX_SAMPLES, "data.samples", "of a width: at most 8192")?;
    require(claim.clocks.len().saturating_mul(n * n) <= MAX_COUNTS, "clocks", "times samples^2 at most 2^26")?;
    let (w, a) = parameters(certificate, problem)?;
    let x = Matrix { rows: n, columns: d, values: inputs.values.to_vec() };
    let gram = Symmetric::gram(&x);
    let c = Interval::exact(2.0) * Interval::exact(claim.step_size.get()) / Interval::exact(n as f64);
    let clocks: Vec<f64> = claim.clocks.iter().map(|t| t.get()).collect();
    let movement = movement::follow(&Enclosed::exact(x.clone()), &gram.intervals(), w, a, &clocks);
    residual(claim, &movement.outputs, problem.targets, m)?;
    kernel::verify(claim, &gram.intervals(), &movement, c, m)?;
    recursion::verify(claim, c, n)?;
    let last = clocks[clocks.len() - 1];
    let largest = x.spectral_norm() * Upper::new(div_up(last, sqrt_down(m as f64)));
    at_least("radius", claim.radius, largest.get())?;
    // lmin(J J^T) >= lmin(C) - |D| >= decay, as the symmetric part of the bound on Jbar J^T with Jbar = J.
    let smin = claim.smin.get();
    proved(
        mul_up(smin, smin) <= claim.decay[clocks.len() - 1].get(),
        "smin",
        format!("{:e}", claim.smin),
        "a smaller number",
    )?;
    Ok(vec![
        format!("hashes of {n} x {d} inputs, of the targets and of {m} neurons; |rho| <= {:e}", claim.residual),
        format!("bounds of the tangent kernel up to {} clocks, the last {last:e}", clocks.len()),
        format!("no neuron moves by more than {:e}", claim.radius),
        claim.promise(),
    ])
}

/// W (row by row) and a, with the stated hash; the empty tensors between and behind stand for the biases that do not exist.
fn parameters<'a>(certificate: &Certificate, problem: &Problem<'a>) -> Proved<(&'a [f64], &'a [f64])> {
    let missing = |reason: &str| CheckError::Data(reason.to_owned());
    let tensors = problem.start.ok_or_else(|| missing("the certificate needs the parameters of its start"))?;
    let widths = &certificate.network.widths;
    let Start::Tensors { sha256 } = &certificate.start else { return Err(missing("the start must be tensors")) };
    let &[w, b_1, a, b_2] = tensors else { return Err(missing("the start must be w and a")) };
    let fit = b_1.is_empty() && b_2.is_empty() && w.len() == widths[0] * widths[1] && a.len() == widths[1];
    let signs = a.iter().all(|&a| a == 1.0 || a == -1.0);
    let finite = w.iter().all(|x| x.abs() <= crate::limits::MAX_MAGNITUDE);
    if !(fit && signs && finite) {
        return Err(missing("the start must be w (m x d, finite) and a (m signs)"));
    }
    if hash::parameters(widths, [w, a]) != *sha256 {
        return Err(CheckError::Hash { what: "parameters" });
    }
    Ok((w, a))
}

/// `|rho(w0)|` from `sum_r a_r relu(w_r.x_i)`, enclosed.
fn residual(claim: &Width, sums: &[Interval], targets: &[f64], m: usize) -> Proved {
    let root = Interval::exact(m as f64).sqrt();
    let rho = sums.iter().zip(targets).map(|(&f, &y)| (f / root - Interval::exact(y)).magnitude());
    at_least("residual", claim.residual, Upper::norm(rho.collect::<Vec<_>>()).get())
}

#[cfg(test)]
mod tests;
