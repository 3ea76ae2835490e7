//! The checker: every claim of a file is derived again from the data, by ways of its own.

use crate::activation::Activation;
use crate::ball::ball;
use crate::format::{Certificate, Claim, Descent, File, Inputs as Coordinates, Start};
use crate::limits::{MAX_MAGNITUDE, MAX_SAMPLES, parse};
use crate::matrix::{Matrix, Symmetric};
use crate::pairs::Pair;
use crate::start::{Centre, Layers, Samples};
use crate::{descent, hash, multiplicative, original, start};
use gradcert_rigor::rounding::{div_down, div_up, mul_down, mul_up, sqrt_up};
use gradcert_rigor::{Lower, Upper};
use std::collections::BTreeMap;

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
    /// n targets.
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

    fn about(self, name: &str) -> CheckError {
        match self {
            CheckError::NotProved { field, stated, derived, .. } => {
                CheckError::NotProved { problem: name.into(), field, stated, derived }
            }
            other => other,
        }
    }
}

pub(crate) fn not_proved(field: &str, stated: String, derived: String) -> CheckError {
    CheckError::NotProved { problem: String::new(), field: field.into(), stated, derived }
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
    if !shape_fits {
        return Err(CheckError::Data("the inputs do not have the stated shape".into()));
    }
    in_range(inputs.values, "inputs")?;
    if hash::inputs(inputs.values, inputs.samples, inputs.features) != data.inputs_sha256 {
        return Err(CheckError::Hash { what: "inputs" });
    }
    let mut certificates = Vec::new();
    for certificate in &file.certificates {
        let name = &certificate.problem;
        let problem = problems.iter().find(|p| p.name == name);
        let problem = problem.ok_or_else(|| CheckError::Data(format!("no targets for the problem {name:?}")))?;
        let verified = one(certificate, &file, inputs, problem).map_err(|e| e.about(name))?;
        certificates.push((name.clone(), verified));
    }
    Ok(Report { certificates })
}

fn in_range(values: &[f64], what: &str) -> Result<(), CheckError> {
    if values.iter().all(|x| x.abs() <= MAX_MAGNITUDE) {
        return Ok(());
    }
    Err(CheckError::Data(format!("{what} must be finite and at most {MAX_MAGNITUDE:e} in absolute value")))
}

fn one(certificate: &Certificate, file: &File, inputs: Inputs, problem: &Problem) -> Result<Vec<String>, CheckError> {
    if problem.targets.len() != inputs.samples {
        return Err(CheckError::Data("one target per sample".into()));
    }
    in_range(problem.targets, "targets")?;
    if hash::targets(problem.targets) != certificate.targets_sha256 {
        return Err(CheckError::Hash { what: "targets" });
    }
    let network = &certificate.network;
    let activation = Activation::parse(&network.activation)
        .ok_or_else(|| CheckError::Malformed(format!("unknown activation {:?}", network.activation)))?;
    let layers = Layers {
        activation,
        widths: network.widths.clone(),
        weights: std::iter::once(0.0).chain(certificate.metric.weights.iter().map(|x| x.get())).collect(),
        biases: std::iter::once(0.0).chain(certificate.metric.biases.iter().map(|x| x.get())).collect(),
    };
    let samples = coordinates(merged(inputs, problem.targets, file.data.merge_duplicates)?, network.inputs, &layers)?;
    let gram = start::input_gram(&samples, &layers);
    let m = &samples.multiplicity;
    let smax_inputs = match &certificate.claim {
        Claim::Descent(claim) => {
            at_least("smin_inputs", &gram, m, claim.smin_inputs.get(), 1.0)?;
            at_most("smax_inputs", &gram, m, claim.smax_inputs.get(), 1.0)?;
            Upper::new(claim.smax_inputs.get())
        }
        Claim::DescentOriginal(claim) => {
            at_least("smin_inputs", &gram, m, claim.smin_inputs.get(), 1.0)?;
            gram.largest(m).sqrt()
        }
    };
    let mut centre = centre(&certificate.start, &samples, &layers, gram, problem)?;
    centre.smax_h_tilde[0] = smax_inputs;
    let mut verified = vec![
        format!("hashes of {} x {} inputs and of the targets", inputs.samples, inputs.features),
        format!("{} distinct samples, singular values of the inputs", m.len()),
    ];
    match &certificate.claim {
        Claim::Descent(claim) => {
            sharp(claim, &mut centre, &layers, &samples)?;
            verified.push(format!("singular values of the Jacobian at the start; |rho| <= {:e}", claim.residual.get()));
            verified.push(format!("lower bounds of its smallest singular value on {} balls", claim.radii.len()));
            verified.push(format!("norm, Lipschitz constant and drift up to radius {:e}", claim.radius.get()));
            verified.push(format!(
                "descent with step {:e}: the loss is at most {:e} after {} iterations, each multiplies it by at most 1 - {:e}",
                claim.step_size.get(), claim.tolerance.get(), claim.iterations, claim.rate.get()
            ));
        }
        Claim::DescentOriginal(claim) => {
            residual(&centre, claim.residual.get())?;
            centre.smin_inputs = Lower::new(claim.smin_inputs.get());
            let Some(entries) = &centre.positive else {
                return Err(not_proved("start", "a positive start".into(), "tensors".into()));
            };
            original::verify(claim, samples.count, &layers, &centre, entries)?;
            verified.push(format!("alpha >= {:e} on the ball of radius {:e}", claim.alpha.get(), claim.radius.get()));
            verified.push(format!(
                "descent with step {:e}: the loss is at most {:e} after {} iterations",
                claim.step_size.get(),
                claim.tolerance.get(),
                claim.iterations
            ));
        }
    }
    Ok(verified)
}

/// (T13) Equal rows with equal targets become one row with a multiplicity, in the order of their first occurrence.
pub(crate) fn merged(inputs: Inputs, targets: &[f64], merge: bool) -> Result<Samples, CheckError> {
    let mut seen: BTreeMap<Vec<u64>, usize> = BTreeMap::new();
    let (mut values, mut kept, mut multiplicity) = (Vec::new(), Vec::<f64>::new(), Vec::new());
    for (row, &y) in inputs.values.chunks(inputs.features).zip(targets) {
        if merge {
            // -0 equals 0.
            let key = row.iter().map(|x| (x + 0.0).to_bits()).collect();
            if let Some(&first) = seen.get(&key) {
                if kept[first] != y {
                    return Err(CheckError::Data("equal inputs with different targets: no loss of 0 exists".into()));
                }
                multiplicity[first] += 1.0;
                continue;
            }
            seen.insert(key, kept.len());
        }
        values.extend_from_slice(row);
        kept.push(y);
        multiplicity.push(1.0);
    }
    if kept.len() > MAX_SAMPLES {
        return Err(CheckError::Data(format!("more than {MAX_SAMPLES} distinct samples")));
    }
    let x = Matrix { rows: kept.len(), columns: inputs.features, values };
    Ok(Samples { count: inputs.samples, multiplicity, inputs: Some(x), targets: kept })
}

/// (T12) Whitened sample i reads e_i exactly; that the transformation exists needs inputs (with the bias column) of full
/// row rank, which is proved here.
pub(crate) fn coordinates(samples: Samples, inputs: Coordinates, layers: &Layers) -> Result<Samples, CheckError> {
    let (Some(x), false) = (&samples.inputs, inputs == Coordinates::Raw) else { return Ok(samples) };
    if layers.widths[0] != x.rows {
        return Err(CheckError::Limit {
            field: "widths".into(),
            reason: "d_0 is the number of distinct samples".into(),
        });
    }
    let column = if inputs == Coordinates::WhitenedWithBias { 1.0 } else { 0.0 };
    let gram = Symmetric::gram(x).combined(Pair::exact(1.0), Pair::exact(column));
    if !gram.at_least(&vec![f64::MIN_POSITIVE; x.rows]) {
        return Err(not_proved("inputs", "whitened: inputs of full row rank".into(), "unknown rank".into()));
    }
    Ok(Samples { inputs: None, ..samples })
}

fn centre(
    start: &Start,
    samples: &Samples,
    layers: &Layers,
    gram: Symmetric,
    problem: &Problem,
) -> Result<Centre, CheckError> {
    let sha256 = match start {
        Start::Positive { hidden, output } => {
            let hidden = hidden.iter().map(|x| x.get());
            let entries = [0.0, 0.0].into_iter().chain(hidden).chain([output.get()]).collect();
            return Ok(start::positive(samples, layers, gram, entries));
        }
        Start::Tensors { sha256 } => sha256,
    };
    let tensors =
        problem.start.ok_or_else(|| CheckError::Data("the certificate needs the parameters of its start".into()))?;
    let whitened = samples.inputs.is_none();
    let fits = tensors.len() == 2 * layers.count()
        && (1..=layers.count()).all(|l| {
            let (rows, columns) = (layers.widths[l], layers.widths[l - 1]);
            let bias = tensors[2 * l - 1];
            let absent = l == 1 && whitened && bias.is_empty();
            rows.checked_mul(columns) == Some(tensors[2 * l - 2].len()) && (bias.len() == rows || absent)
        });
    if !fits {
        return Err(CheckError::Data("the parameters of the start do not fit the widths".into()));
    }
    if whitened && tensors[1].iter().any(|&b| b != 0.0) {
        return Err(CheckError::Data("whitened inputs have no first bias".into()));
    }
    tensors.iter().try_for_each(|t| in_range(t, "parameters"))?;
    if hash::parameters(&layers.widths, tensors.iter().copied()) != *sha256 {
        return Err(CheckError::Hash { what: "parameters" });
    }
    Ok(start::tensors(samples, layers, gram, tensors))
}

/// Everything of a [`Descent`] claim but the inputs' singular values. Each number is verified from those before it.
fn sharp(claim: &Descent, centre: &mut Centre, layers: &Layers, samples: &Samples) -> Result<(), CheckError> {
    let (kernel, m) = (&centre.kernel, &samples.multiplicity);
    residual(centre, claim.residual.get())?;
    let one = Pair::exact(1.0);
    // K = scale (base + shift 1 1^T): a smaller shift and scale give a smaller matrix.
    let low = kernel.base.combined(one, Pair::exact(kernel.shift.lo().max(0.0)));
    at_least("smin_start", &low, m, claim.smin_start.get(), kernel.scale.lo())?;
    let high = kernel.base.combined(one, Pair::exact(kernel.shift.hi()));
    at_most("smax_start", &high, m, claim.smax_start.get(), kernel.scale.hi())?;
    centre.smin_inputs = Lower::new(claim.smin_inputs.get());
    centre.smin_start = Lower::new(claim.smin_start.get());
    centre.smax_start = Upper::new(claim.smax_start.get());
    let bounds = ball(centre, layers, Upper::new(claim.radius.get()));
    for (field, stated, derived) in [
        ("jacobian_norm", claim.jacobian_norm, bounds.norm),
        ("jacobian_lipschitz", claim.jacobian_lipschitz, bounds.lipschitz),
        ("jacobian_drift", claim.jacobian_drift, bounds.drift),
    ] {
        if !(stated.get() >= derived.get()) {
            return Err(not_proved(field, format!("{:e}", stated.get()), format!("{:e}", derived.get())));
        }
    }
    profile(claim, centre, layers)?;
    descent::verify(claim, samples.count, m, &centre.kernel, &centre.rho)
}

/// `psi[j] <= smin(J)` on B(w0, radii[j]), from the largest ball inward: a bound for a larger ball serves the smaller ones,
/// and costly bounds are computed only where cheap ones do not suffice.
fn profile(claim: &Descent, centre: &Centre, layers: &Layers) -> Result<(), CheckError> {
    let mut best = centre.g_floor * centre.smin_inputs;
    for (j, (radius, psi)) in claim.radii.iter().zip(&claim.psi).enumerate().rev() {
        let s = Upper::new(radius.get());
        if let (Some(start), true) = (&centre.positive, psi.get() > best.get()) {
            best = best.max(multiplicative::psi(centre, layers, start, s));
        }
        if psi.get() > best.get() {
            best = best.max(ball(centre, layers, s).psi);
        }
        if psi.get() > best.get() {
            return Err(not_proved(&format!("psi[{j}]"), format!("{:e}", psi.get()), format!("{:e}", best.get())));
        }
    }
    Ok(())
}

/// `residual^2 >= |rho(w0)|^2`, compared as pairs: nothing is lost to the rounding of a square root.
fn residual(centre: &Centre, stated: f64) -> Result<(), CheckError> {
    let square = Pair::exact(stated).times(Pair::exact(stated));
    let excess = square.plus(centre.residual_squared.negative());
    if excess.hi >= 0.0 && square.hi.is_finite() {
        return Ok(());
    }
    Err(not_proved("residual", format!("{stated:e}"), format!("{:e}", sqrt_up(centre.residual_squared.hi))))
}

/// `scale M A M >= s^2`, M = diag(sqrt m). By congruence with M^-1 it is `A >= diag(s^2 / (scale m_i))`, without roots.
fn at_least(field: &str, a: &Symmetric, m: &[f64], s: f64, scale: f64) -> Result<(), CheckError> {
    let level = |&m: &f64| div_up(mul_up(s, s), mul_down(scale, m));
    if s == 0.0 || (scale > 0.0 && a.at_least(&m.iter().map(level).collect::<Vec<_>>())) {
        return Ok(());
    }
    Err(not_proved(field, format!("{s:e}"), "a smaller number, if any".into()))
}

/// `scale M A M <= s^2`, the same way.
fn at_most(field: &str, a: &Symmetric, m: &[f64], s: f64, scale: f64) -> Result<(), CheckError> {
    let level = |&m: &f64| div_down(mul_down(s, s), mul_up(scale, m));
    if a.at_most(&m.iter().map(level).collect::<Vec<_>>()) {
        return Ok(());
    }
    Err(not_proved(field, format!("{s:e}"), "a larger number".into()))
}
