//! The checker: every claim of a file is derived again from the data, by ways of its own.

use crate::activation::Activation;
use crate::ball::{ball, lipschitz};
use crate::format::{Certificate, Claim, Descent, File, Inputs as Coordinates, Start};
use crate::hex::HexFloat;
use crate::limits::{MAX_MAGNITUDE, MAX_SAMPLES, MAX_WORK, parse, require};
use crate::matrix::{Matrix, Symmetric};
use crate::pairs::{Pair, U};
use crate::start::{Centre, Layers, Samples};
use crate::{audit, descent, hash, multiplicative, original, start, width};
use gradcert_rigor::rounding::{div_down, div_up, mul_down, mul_up, sqrt_up};
use gradcert_rigor::{Interval, Lower, Upper};
use std::collections::BTreeMap;
use std::fmt::Display;

/// The inputs the certificates of a file speak about.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// n x d, row-major.
    pub values: &'a [f64],
    /// n, duplicates counted.
    pub samples: usize,
    /// d.
    pub features: usize,
}

/// The targets of one problem, and the parameters of its start where the certificate refers to such.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    /// Name of the problem, as in the file.
    pub name: &'a str,
    /// n targets; n d_L, sample by sample, where there are several outputs.
    pub targets: &'a [f64],
    /// `W_1` (row-major, `d_1` x `d_0`), `b_1`, ..., `W_L`, `b_L` for [`Start::Tensors`]. On whitened inputs `b_1` does not
    /// exist: an empty slice, or zeros.
    pub start: Option<&'a [&'a [f64]]>,
}

/// What was verified; there is no report of a file in which anything failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// One entry per certificate: the problem and, in words, what has been proved.
    pub certificates: Vec<(String, Vec<String>)>,
}

/// Why a file is not accepted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CheckError {
    /// Not a certificate file of this version.
    #[error("malformed certificate file: {0}")]
    Malformed(String),
    /// A field outside its range, or in contradiction to another.
    #[error("field {field} is out of range or contradictory: {reason}")]
    Limit {
        /// The field.
        field: String,
        /// What it must satisfy.
        reason: String,
    },
    /// The file speaks about other numbers.
    #[error("{what} do not have the hash stated in the certificate")]
    Hash {
        /// Inputs, targets or parameters.
        what: &'static str,
    },
    /// The data given to the checker cannot be used.
    #[error("data: {0}")]
    Data(String),
    /// A stated number could not be derived.
    #[error("problem {problem:?}: {field} is not proved: stated {stated}, derived {derived}")]
    NotProved {
        /// Name of the problem.
        problem: String,
        /// The field.
        field: String,
        /// What the file says.
        stated: String,
        /// What could be derived.
        derived: String,
    },
}

impl CheckError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            CheckError::Malformed(_) => "certificate_malformed",
            CheckError::Limit { .. } => "certificate_limit",
            CheckError::Hash { .. } => "certificate_hash",
            CheckError::Data(_) => "certificate_data",
            CheckError::NotProved { .. } => "certificate_not_proved",
        }
    }
}

/// What has been proved, or what is wrong.
pub(crate) type Proved<T = ()> = Result<T, CheckError>;

/// An error unless what is stated about a field has been proved; the name of the problem is added by [`check`].
pub(crate) fn proved(holds: bool, field: &str, stated: impl Display, derived: impl Display) -> Proved {
    let (field, stated, derived) = (field.into(), stated.to_string(), derived.to_string());
    if holds { Ok(()) } else { Err(CheckError::NotProved { problem: String::new(), field, stated, derived }) }
}

pub(crate) fn at_most(field: &str, stated: HexFloat, derived: f64) -> Proved {
    proved(stated.get() <= derived, field, format!("{stated:e}"), format!("{derived:e}"))
}

pub(crate) fn at_least(field: &str, stated: HexFloat, derived: f64) -> Proved {
    proved(stated.get() >= derived, field, format!("{stated:e}"), format!("{derived:e}"))
}

fn usable(holds: bool, reason: impl Into<String>) -> Proved {
    if holds { Ok(()) } else { Err(CheckError::Data(reason.into())) }
}

fn hashed(holds: bool, what: &'static str) -> Proved {
    if holds { Ok(()) } else { Err(CheckError::Hash { what }) }
}

fn in_range(values: &[f64], what: &str) -> Proved {
    let fits = values.iter().all(|x| x.abs() <= MAX_MAGNITUDE);
    usable(fits, format!("{what} must be finite and at most {MAX_MAGNITUDE:e} in absolute value"))
}

/// Verifies every certificate of a file.
///
/// # Errors
/// The first thing that is wrong; see [`CheckError`]. Only `Ok` means valid.
pub fn check(file: &[u8], inputs: Inputs, problems: &[Problem]) -> Result<Report, CheckError> {
    let file = parse(file)?;
    let data = &file.data;
    let shape_fits = (inputs.samples, inputs.features) == (data.samples, data.features)
        && inputs.samples.checked_mul(inputs.features) == Some(inputs.values.len());
    usable(shape_fits, "the inputs do not have the stated shape")?;
    in_range(inputs.values, "inputs")?;
    hashed(hash::inputs(inputs.values, inputs.samples, inputs.features) == data.inputs_sha256, "inputs")?;
    let mut certificates = Vec::new();
    for certificate in &file.certificates {
        let name = &certificate.problem;
        let problem = problems.iter().find(|p| p.name == name);
        let problem = problem.ok_or_else(|| CheckError::Data(format!("no targets for the problem {name:?}")))?;
        let verified = one(certificate, &file, inputs, problem).map_err(|mut error| {
            if let CheckError::NotProved { problem, .. } = &mut error {
                problem.clone_from(name);
            }
            error
        })?;
        certificates.push((name.clone(), verified));
    }
    Ok(Report { certificates })
}

fn one(certificate: &Certificate, file: &File, inputs: Inputs, problem: &Problem) -> Result<Vec<String>, CheckError> {
    let outputs = certificate.network.widths[certificate.network.widths.len() - 1];
    usable(Some(problem.targets.len()) == inputs.samples.checked_mul(outputs), "one target per sample and output")?;
    in_range(problem.targets, "targets")?;
    hashed(hash::targets(problem.targets) == certificate.targets_sha256, "targets")?;
    if let Claim::Width(claim) = &certificate.claim {
        return width::verify(claim, certificate, inputs, problem);
    }
    let (network, metric) = (&certificate.network, &certificate.metric);
    let (name, shift) = audit::activation(certificate);
    let activation = Activation::parse(name)
        .ok_or_else(|| CheckError::Malformed(format!("unknown activation {:?}", network.activation)))?;
    let factors = |list: &[HexFloat]| std::iter::once(0.0).chain(list.iter().map(|x| x.get())).collect();
    let (weights, biases) = (factors(&metric.weights), factors(&metric.biases));
    let layers = Layers { activation, shift, widths: network.widths.clone(), weights, biases };
    let samples = coordinates(merged(inputs, problem.targets, file.data.merge_duplicates)?, network.inputs, &layers)?;
    let mut verified = vec![format!("hashes of {} x {} inputs and of the targets", inputs.samples, inputs.features)];
    verified.push(format!("{} distinct samples, singular values of the inputs", samples.multiplicity.len()));
    let mut centre = Centre::new(samples, layers);
    at_start(&certificate.start, problem, &mut centre)?;
    match &certificate.claim {
        Claim::Descent(claim) => {
            affordable(claim.radii.len(), &centre)?;
            singular_values_of_inputs(claim.smin_inputs, Some(claim.smax_inputs), &mut centre)?;
            at_given_parameters(claim.residual, claim.smin_start, claim.smax_start, &mut centre)?;
            verified.push(format!("singular values of the Jacobian at the start; |rho| <= {:e}", claim.residual));
            verified.extend(sharp(claim, &centre, |s| multiplicative::psi(&centre, s))?);
        }
        Claim::DescentOriginal(claim) => {
            singular_values_of_inputs(claim.smin_inputs, None, &mut centre)?;
            residual_above(claim.residual, &centre)?;
            original::verify(claim, &centre)?;
            verified.push(format!("alpha >= {:e} on the ball of radius {:e}", claim.alpha, claim.radius));
            verified.push(claim.promise());
        }
        Claim::Audit(claim) => verified.extend(audit::verify(claim, &mut centre)?),
        Claim::Width(claim) => verified.extend(width::verify(claim, certificate, inputs, problem)?),
    }
    Ok(verified)
}

pub(crate) fn affordable(radii: usize, centre: &Centre) -> Proved {
    let work = radii * centre.layers.count().pow(2) * centre.root.len();
    require(work <= MAX_WORK, "radii", "radii times layers^2 times samples at most 2^31")
}

/// Bounds of the singular values of the weighted inputs; the largest one is computed where it is not stated.
pub(crate) fn singular_values_of_inputs(smin: HexFloat, smax: Option<HexFloat>, centre: &mut Centre) -> Proved {
    let (gram, m) = (&centre.gram, &centre.samples.multiplicity);
    singular_values_above("smin_inputs", gram, m, smin, 1.0)?;
    smax.map_or(Ok(()), |smax| singular_values_below("smax_inputs", gram, m, smax, 1.0))?;
    let largest = smax.map_or_else(|| gram.largest(m).sqrt(), |smax| Upper::new(smax.get()));
    (centre.smin_inputs, centre.h_tilde[0][m.len()]) = (Lower::new(smin.get()), largest);
    Ok(())
}

/// (T13) Equal rows with equal targets become one row with a multiplicity, in the order of their first occurrence.
pub(crate) fn merged(inputs: Inputs, targets: &[f64], merge: bool) -> Result<Samples, CheckError> {
    let mut seen: BTreeMap<Vec<u64>, usize> = BTreeMap::new();
    let (mut values, mut kept, mut multiplicity) = (Vec::new(), Vec::<f64>::new(), Vec::new());
    let outputs = targets.len() / inputs.samples;
    for (row, y) in inputs.values.chunks(inputs.features).zip(targets.chunks(outputs)) {
        if merge {
            // -0 equals 0.
            let key = row.iter().map(|x| (x + 0.0).to_bits()).collect();
            let first = *seen.entry(key).or_insert(multiplicity.len());
            if first < multiplicity.len() {
                let equal = kept[first * outputs..].starts_with(y);
                usable(equal, "equal inputs with different targets: no loss of 0 exists")?;
                multiplicity[first] += 1.0;
                continue;
            }
        }
        values.extend_from_slice(row);
        kept.extend_from_slice(y);
        multiplicity.push(1.0);
    }
    usable(kept.len() <= MAX_SAMPLES, format!("more than {MAX_SAMPLES} distinct samples, times outputs"))?;
    let rows = multiplicity.iter().flat_map(|&m| vec![m; outputs]).collect();
    let x = Matrix { rows: multiplicity.len(), columns: inputs.features, values };
    Ok(Samples { count: inputs.samples, multiplicity, rows, inputs: Some(x), targets: kept })
}

/// (T12) Whitened sample i reads e_i exactly; that the transformation exists needs inputs (with the bias column) of full
/// row rank, which is proved here.
pub(crate) fn coordinates(samples: Samples, inputs: Coordinates, layers: &Layers) -> Result<Samples, CheckError> {
    let (Some(x), false) = (&samples.inputs, inputs == Coordinates::Raw) else { return Ok(samples) };
    require(layers.widths[0] == x.rows, "widths", "d_0 is the number of distinct samples")?;
    let column = if inputs == Coordinates::WhitenedWithBias { 1.0 } else { 0.0 };
    let gram = Symmetric::gram(x).combined(Pair::exact(1.0), Pair::exact(column));
    let full = gram.at_least(&vec![f64::MIN_POSITIVE; x.rows]);
    proved(full, "inputs", "whitened: inputs of full row rank", "unknown rank")?;
    Ok(Samples { inputs: None, ..samples })
}

fn at_start(start: &Start, problem: &Problem, centre: &mut Centre) -> Proved {
    if let Start::Positive { hidden, output } = start {
        let entries = hidden.iter().chain([output]).map(|x| x.get());
        start::positive(centre, [0.0, 0.0].into_iter().chain(entries).collect());
    }
    let Start::Tensors { sha256 } = start else { return Ok(()) };
    let missing = || CheckError::Data("the certificate needs the parameters of its start".into());
    let (tensors, widths) = (problem.start.ok_or_else(missing)?, &centre.layers.widths);
    let whitened = centre.samples.inputs.is_none();
    // Widths are at most 10^9.
    let sizes = widths.windows(2).flat_map(|w| [w[0] as u64 * w[1] as u64, w[1] as u64]);
    let fits = |(k, (size, t)): (usize, (u64, &&[f64]))| t.len() as u64 == size || (whitened && k == 1 && t.is_empty());
    let fit = tensors.len() == 2 * (widths.len() - 1) && sizes.zip(tensors).enumerate().all(fits);
    usable(fit, "the parameters of the start do not fit the widths")?;
    usable(!whitened || tensors[1].iter().all(|&b| b == 0.0), "whitened inputs have no first bias")?;
    tensors.iter().try_for_each(|t| in_range(t, "parameters"))?;
    hashed(hash::parameters(widths, tensors.iter().copied()) == *sha256, "parameters")?;
    start::tensors(centre, tensors);
    Ok(())
}

/// `stated^2 >= |rho(w0)|^2 = sum m_i rho_i^2`, as pairs: nothing is lost to the rounding of a square root. Each term and each
/// sum is wrong by at most 24 u^2 of the total.
fn residual_above(stated: HexFloat, centre: &Centre) -> Proved {
    let square = |x: f64| Pair::exact(x).times(Pair::exact(x));
    let weighted = |(x, &m): (&Interval, &f64)| square(x.magnitude().get()).times(Pair::exact(m));
    let total = centre.rho.iter().zip(&centre.samples.rows).map(weighted).fold(Pair::default(), Pair::plus);
    let error = (centre.rho.len() + 8) as f64 * 64.0 * U * U * total.hi + 1e-280;
    let excess = square(stated.get()).plus(total.negative()).hi;
    proved(excess >= error, "residual", format!("{stated:e}"), format!("{:e}", sqrt_up(total.hi)))
}

/// `|rho(w0)|`, and the singular values of J(w0).
pub(crate) fn at_given_parameters(rho: HexFloat, smin: HexFloat, smax: HexFloat, centre: &mut Centre) -> Proved {
    residual_above(rho, centre)?;
    let (kernel, m, one) = (&centre.kernel, &centre.samples.rows, Pair::exact(1.0));
    // K = scale (base + shift 1 1^T): a smaller shift and scale give a smaller matrix.
    let low = kernel.base.combined(one, Pair::exact(kernel.shift.lo().max(0.0)));
    singular_values_above("smin_start", &low, m, smin, kernel.scale.lo())?;
    let high = kernel.base.combined(one, Pair::exact(kernel.shift.hi()));
    singular_values_below("smax_start", &high, m, smax, kernel.scale.hi())?;
    (centre.smin_start, centre.smax_start) = (Lower::new(smin.get()), Upper::new(smax.get()));
    Ok(())
}

/// Everything of a [`Descent`] claim but what is known at the start. Each number is verified from those before it; `psi` is one
/// more lower bound of smin(J) on balls.
pub(crate) fn sharp(claim: &Descent, centre: &Centre, psi: impl Fn(Upper) -> Lower) -> Proved<[String; 3]> {
    let radius = Upper::new(claim.radius.get());
    let bounds = ball(centre, radius);
    at_least("jacobian_norm", claim.jacobian_norm, bounds.norm.get())?;
    at_least("jacobian_drift", claim.jacobian_drift, bounds.drift.get())?;
    at_least("jacobian_lipschitz", claim.jacobian_lipschitz, lipschitz(centre, radius).get())?;
    profile(claim, centre, psi)?;
    descent::verify(claim, centre)?;
    let balls = format!("lower bounds of the smallest singular value of the Jacobian on {} balls", claim.radii.len());
    let norms = format!("norm, Lipschitz constant and drift of the Jacobian up to radius {:e}", claim.radius);
    Ok([balls, norms, claim.promise()])
}

/// `psi[j] <= smin(J)` on B(w0, radii[j]), from the largest ball inward: a bound for a larger ball serves the smaller ones,
/// and costly bounds are computed only where cheap ones do not suffice.
fn profile(claim: &Descent, centre: &Centre, also: impl Fn(Upper) -> Lower) -> Proved {
    let mut best = centre.g_floor * centre.smin_inputs;
    for (j, (radius, psi)) in claim.radii.iter().zip(&claim.psi).enumerate().rev() {
        let s = Upper::new(radius.get());
        if psi.get() > best.get() {
            best = best.max(also(s));
        }
        if psi.get() > best.get() {
            best = best.max(ball(centre, s).psi);
        }
        at_most(&format!("psi[{j}]"), *psi, best.get())?;
    }
    Ok(())
}

/// `scale M A M >= s^2`, M = diag(sqrt m). By congruence with M^-1 it is `A >= diag(s^2 / (scale m_i))`, without roots.
fn singular_values_above(field: &str, a: &Symmetric, m: &[f64], s: HexFloat, scale: f64) -> Proved {
    let level = |&m: &f64| div_up(mul_up(s.get(), s.get()), mul_down(scale, m));
    let holds = s.get() == 0.0 || (scale > 0.0 && a.at_least(&m.iter().map(level).collect::<Vec<_>>()));
    proved(holds, field, format!("{s:e}"), "a smaller number, if any")
}

/// `scale M A M <= s^2`, the same way.
fn singular_values_below(field: &str, a: &Symmetric, m: &[f64], s: HexFloat, scale: f64) -> Proved {
    let level = |&m: &f64| div_down(mul_down(s.get(), s.get()), mul_up(scale, m));
    proved(a.at_most(&m.iter().map(level).collect::<Vec<_>>()), field, format!("{s:e}"), "a larger number")
}
