//! Audits, polishing and kernels of networks that are there.

use crate::background::{self, Watch};
use crate::data::Data;
use crate::failure::Failure;
use crate::model::Model;
use crate::options::set_threads;
use crate::session::{MEMORY_LIMIT, Session, require_memory};
use faer::Mat;
use gradcert::certify::Reason;
use gradcert::certify::audit::{AuditOutcome, Audited, Curvature, audit_watched, bytes, certificate};
use gradcert::certify::problem::{Coordinates, Problem};
use gradcert::kernel::tangent_kernel as kernel_of;
use gradcert::model::{Model as Networks, ReadModel};
use gradcert::network::Network;
use gradcert::network::passes::LayerInputs;
use gradcert::theorem::centre::Metric;
use gradcert::theorem::general::EnclosedPasses;
use gradcert::train::polish::{PolishError, PolishOptions, Samples, polish as polish_network, round_to_f32};
use gradcert_data::Coding;
use gradcert_rigor::Interval;
use gradcert_rigor::linear::smallest_eigenvalue_lower;
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::prelude::*;
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

/// One network with the problem it was trained on.
pub(crate) struct Case {
    pub(crate) name: String,
    /// All targets, duplicates included, sample by sample.
    pub(crate) targets: Vec<f64>,
    pub(crate) problem: Problem,
    pub(crate) network: Network,
    pub(crate) metric: Metric,
}

impl Case {
    fn new(session: &Session, read: &ReadModel, name: &str, targets: &[f64], network: &Network) -> Case {
        let problem = session.problem(targets, network.outputs(), Coordinates::Raw);
        let mut metric = Metric::plain(network.layers());
        // What the model does not have cannot move.
        read.without_bias.iter().for_each(|&l| metric.biases[l] = 0.0);
        Case { name: name.to_owned(), targets: targets.to_vec(), problem, network: network.clone(), metric }
    }

    /// An error if the kernel and what is made of it do not fit into memory.
    fn within_memory(&self) -> Result<(), Failure> {
        let samples = self.problem.rows.nrows();
        let rows = samples * self.network.outputs();
        require_memory(bytes(&self.network, samples), &format!("{rows} samples times outputs need"))
    }
}

/// Networks and problems that belong together: one network per problem, or one network with one output per problem.
fn cases(session: &Session, read: &ReadModel, coding: &str) -> Result<Vec<Case>, Failure> {
    let networks = &read.model.networks;
    let (features, inputs) = (session.dataset.shape().1, networks[0].widths()[0]);
    if inputs != features {
        let message = format!("the samples have {features} features, the model reads {inputs}");
        return Err(Failure::Data { code: "shape".to_owned(), message });
    }
    if networks.iter().any(|n| n.layers() < 2) {
        return Err(Failure::model_shape("the model has one layer: an audit is about networks with hidden layers"));
    }
    if networks.len() == session.problems.len() && networks.iter().all(|n| n.outputs() == 1) {
        let pairs = session.problems.iter().zip(networks);
        return Ok(pairs.map(|((name, targets), network)| Case::new(session, read, name, targets, network)).collect());
    }
    let wanted = match coding {
        "auto" => None,
        "plus-minus-one" => Some(Coding::PlusMinusOne),
        "one-hot" => Some(Coding::OneHot),
        other => {
            let message = format!("coding={other:?}: choose 'auto', 'plus-minus-one' or 'one-hot'");
            return Err(Failure::Usage(message));
        }
    };
    let outputs = networks[0].outputs();
    let fits = networks.len() == 1 && outputs == session.problems.len();
    let values = if fits { float_outputs(&networks[0], session) } else { vec![] };
    let misfit = |targets: &[f64]| values.iter().zip(targets).map(|(f, y)| (f - y).powi(2)).sum::<f64>();
    let joint = session.joint.iter().filter(|(own, _)| fits && (own.is_none() || wanted.is_none() || *own == wanted));
    let best = joint.min_by(|a, b| misfit(&a.1.1).total_cmp(&misfit(&b.1.1)));
    let Some((_, (name, targets))) = best else {
        let all: usize = networks.iter().map(Network::outputs).sum();
        return Err(Failure::model_shape(format!(
            "the model has {all} outputs in {} networks, the data pose {} problems: one output each, in one network or in several",
            networks.len(),
            session.problems.len()
        )));
    };
    Ok(vec![Case::new(session, read, name, targets, &networks[0])])
}

/// Outputs of all samples, sample by sample.
fn float_outputs(network: &Network, session: &Session) -> Vec<f64> {
    let (n, d) = session.dataset.shape();
    let rows = Mat::from_fn(n, d, |i, j| session.dataset.inputs().row(i)[j]);
    let outputs = network.evaluate(rows.as_ref(), faer::get_global_parallelism());
    (0..n).flat_map(|i| outputs.col_as_slice(i).to_vec()).collect()
}

/// What is proved about networks that are trained.
#[pyclass(frozen, module = "gradcert._gradcert")]
pub(crate) struct Audit {
    session: Arc<Session>,
    all: Vec<(Case, AuditOutcome)>,
    tolerance: f64,
    seconds: f64,
}

/// Audits a model on data.
#[pyfunction]
#[pyo3(signature = (data, model, tolerance=1e-20, coding="auto", threads=None, progress=None))]
pub(crate) fn audit(
    py: Python<'_>,
    data: &Data,
    model: &Model,
    tolerance: f64,
    coding: &str,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Audit> {
    let (session, read, coding) = (Arc::clone(&data.0), Arc::clone(&model.0), coding.to_owned());
    background::run(py, progress, move |watch| {
        set_threads(threads);
        let clock = Instant::now();
        let cases = cases(&session, &read, &coding)?;
        cases.iter().try_for_each(Case::within_memory)?;
        let mut all = vec![];
        for case in cases {
            let outcome = outcome(&session, &case, tolerance, watch);
            all.push((case, outcome));
        }
        Ok(Audit { session, all, tolerance, seconds: clock.elapsed().as_secs_f64() })
    })
}

fn outcome(session: &Session, case: &Case, tolerance: f64, watch: &mut Watch) -> AuditOutcome {
    if let Some(reason) = session.obvious_decline() {
        return AuditOutcome::Declined(vec![reason]);
    }
    audit_watched(&case.problem, &case.network, &case.metric, tolerance, &mut |stage| {
        watch.go_on(|| (format!("audit: {}", stage.name()), stage.number(), None));
    })
}

/// Audits networks that were trained on the problems of the session, one each.
pub(crate) fn of_trained(
    session: &Arc<Session>,
    model: &Networks,
    tolerance: f64,
    watch: &mut Watch,
) -> Result<Audit, Failure> {
    let clock = Instant::now();
    let read = Model::read_as(model.clone(), vec![], vec![]).0;
    let mut all = vec![];
    for case in cases(session, &read, "auto")? {
        let outcome = match case.within_memory() {
            Ok(()) => outcome(session, &case, tolerance, watch),
            Err(Failure::Limit(message)) => AuditOutcome::Declined(vec![Reason { code: "resource_limit", message }]),
            Err(other) => return Err(other),
        };
        all.push((case, outcome));
    }
    Ok(Audit { session: Arc::clone(session), all, tolerance, seconds: clock.elapsed().as_secs_f64() })
}

fn to_json(case: &Case, outcome: &AuditOutcome, tolerance: f64) -> Value {
    let (certified, reasons): (Option<&Audited>, &[Reason]) = match outcome {
        AuditOutcome::Certified(a) => (Some(a), &[]),
        AuditOutcome::Declined(reasons) => (None, reasons),
    };
    let found = certified.and_then(|a| a.convergence.as_ref());
    let orders = certified.and_then(|a| match &a.curvature {
        Curvature::Taylor(_, orders) => Some(orders.values().iter().map(|n| n.get()).collect::<Vec<f64>>()),
        Curvature::Drift { .. } => None,
    });
    let reaches = certified
        .map(|a| a.reaches.iter().map(|r| json!({"route": r.route, "residual": r.residual})).collect::<Vec<Value>>());
    json!({
        "problem": case.name,
        "status": if certified.is_some() { "certified" } else { "declined" },
        "reasons": reasons,
        "distance": certified.map(|a| a.distance),
        "residual_upper": certified.map(|a| a.residual.get()),
        "correction_upper": certified.map(|a| a.correction.get()),
        "smin_lower": certified.map(|a| a.smin_start.get()),
        "smax_upper": certified.map(|a| a.smax_start.get()),
        "theorem": certified.map(Audited::existence_theorem),
        "curvature_orders": orders,
        "certifiable_residual": reaches,
        "convergence": found.is_some(),
        "step_size": found.map(|(_, f)| f.descent.step_size),
        "radius": found.map(|(profile, f)| profile.radius[f.descent.index]),
        "certified_iterations": found.map(|(_, f)| f.iterations),
        "rate": certified.and_then(|a| a.rate()).map(|r| r.get()),
        "tolerance": tolerance,
        "widths": case.network.widths(),
        "activation": case.network.activation.to_string(),
        "parameters": certified.map(|a| a.parameters),
        "samples": case.problem.rows.nrows(),
    })
}

impl Audit {
    fn reasons(&self) -> Vec<Reason> {
        let mut reasons: Vec<Reason> = vec![];
        for (_, outcome) in &self.all {
            if let AuditOutcome::Declined(own) = outcome {
                reasons.extend(
                    own.iter().filter(|r| reasons.iter().all(|k| k.code != r.code)).cloned().collect::<Vec<_>>(),
                );
            }
        }
        reasons
    }
}

#[pymethods]
impl Audit {
    /// One JSON object: `problems`, `seconds`.
    pub(crate) fn summary(&self) -> String {
        let problems: Vec<Value> = self.all.iter().map(|(c, o)| to_json(c, o, self.tolerance)).collect();
        json!({"problems": problems, "lift": self.session.lift.map(|l| l.to_string()), "seconds": self.seconds})
            .to_string()
    }

    /// Raises `Declined` unless every network passed.
    fn require(&self) -> PyResult<()> {
        let reasons = self.reasons();
        if reasons.is_empty() { Ok(()) } else { Err(Failure::Declined(reasons).into()) }
    }

    /// The certificate file; `Declined` if a network did not pass.
    fn certificate(&self) -> PyResult<String> {
        self.require()?;
        let mut certificates = vec![];
        for (case, outcome) in &self.all {
            let AuditOutcome::Certified(audited) = outcome else { continue };
            let inputs = case.problem.input_bounds_in(&case.metric);
            let record =
                certificate(audited, &case.name, &case.targets, &case.network, &case.metric, &inputs, self.tolerance);
            certificates.push(record.map_err(Failure::from)?);
        }
        Ok(self.session.file(certificates)?)
    }

    /// The audited networks, to be kept beside the certificate.
    fn model(&self) -> Model {
        let networks: Vec<Network> = self.all.iter().map(|(case, _)| case.network.clone()).collect();
        let problems = match networks.as_slice() {
            [one] if one.outputs() > 1 => self.session.problems.iter().map(|(name, _)| name.clone()).collect(),
            _ => self.all.iter().map(|(case, _)| case.name.clone()).collect(),
        };
        Model::of(networks, self.session.meaning(problems))
    }
}

/// Moves a model to a nearby one that interpolates up to rounding; the model and a JSON list of what was done to each network.
#[pyfunction]
#[pyo3(signature = (data, model, max_iter=200, coding="auto", single=false, threads=None, progress=None))]
pub(crate) fn polish(
    py: Python<'_>,
    data: &Data,
    model: &Model,
    max_iter: usize,
    coding: &str,
    single: bool,
    threads: Option<usize>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Model, String)> {
    let (session, read, coding) = (Arc::clone(&data.0), Arc::clone(&model.0), coding.to_owned());
    let (networks, reports) = background::run(py, progress, move |watch| {
        set_threads(threads);
        if let Some(reason) = session.obvious_decline() {
            return Err(Failure::Declined(vec![reason]));
        }
        let (mut networks, mut reports) = (vec![], vec![]);
        for case in cases(&session, &read, &coding)? {
            let (network, report) = polish_case(&case, max_iter, single, watch)?;
            networks.push(network);
            reports.push(report);
        }
        Ok((networks, reports))
    })?;
    let polished = Networks { networks, meaning: model.0.model.meaning.clone() };
    let moved = Model::read_as(polished, model.0.layers.clone(), model.0.without_bias.clone());
    Ok((moved, json!(reports).to_string()))
}

fn polish_case(case: &Case, max_steps: usize, single: bool, watch: &mut Watch) -> Result<(Network, Value), Failure> {
    let par = faer::get_global_parallelism();
    let options = PolishOptions { memory: MEMORY_LIMIT, max_steps, ..PolishOptions::new(case.metric.clone(), par) };
    let problem = &case.problem;
    let samples =
        Samples { rows: problem.rows.middle(), targets: &problem.targets, multiplicity: &problem.multiplicity };
    let result = polish_network(&case.network, &samples, &options, &mut |step| {
        let on = watch.go_on(|| ("polish".to_owned(), step.step as u64, Some(step.residual)));
        if on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let polished = match result {
        Ok(polished) => polished,
        Err(error @ PolishError::Memory { .. }) => return Err(Failure::Limit(error.to_string())),
        Err(error) => {
            return Err(Failure::Declined(vec![Reason { code: error.code(), message: error.to_string() }]));
        }
    };
    let report = json!({
        "problem": case.name,
        "steps": polished.steps.len(),
        "residual_before": polished.residual_before,
        "residual_after": polished.residual_after,
        "parameter_change": polished.change,
        "prediction_change": polished.prediction_change,
    });
    Ok((if single { round_to_f32(&polished.network) } else { polished.network }, report))
}

/// The tangent kernel (n x n) of one network with one output on the distinct samples, and a proved lower bound of its smallest eigenvalue
/// if that is asked for.
#[pyfunction]
#[pyo3(signature = (data, model, index=0, bound=true, threads=None))]
#[allow(clippy::type_complexity)]
pub(crate) fn tangent_kernel<'py>(
    py: Python<'py>,
    data: &Data,
    model: &Model,
    index: usize,
    bound: bool,
    threads: Option<usize>,
) -> PyResult<(Bound<'py, PyArray2<f64>>, Option<f64>)> {
    let (session, read) = (Arc::clone(&data.0), Arc::clone(&model.0));
    let (n, values, lower) = background::run(py, None, move |_| {
        set_threads(threads);
        let cases = cases(&session, &read, "auto")?;
        let missing = || Failure::Usage(format!("network {index} of {}", cases.len()));
        let case = cases.get(index).ok_or_else(missing)?;
        if case.network.outputs() != 1 {
            return Err(Failure::model_shape("kernels are those of networks with one output"));
        }
        let rows = &case.problem.rows;
        let n = rows.nrows();
        let squares = if bound { 8.0 } else { 2.0 };
        require_memory(8.0 * squares * (n as f64).powi(2), &format!("the kernel of {n} samples needs"))?;
        let inputs = LayerInputs::Rows(rows.middle().to_owned());
        let matrix = kernel_of(&case.network, &inputs, &case.metric, faer::get_global_parallelism());
        let lower = if bound {
            let kernel = EnclosedPasses::new(&case.network, rows).kernel(&case.metric, &vec![Interval::ONE; n]);
            smallest_eigenvalue_lower(&kernel)
        } else {
            None
        };
        // Symmetric: columns are rows.
        Ok((n, (0..n).flat_map(|j| matrix.col_as_slice(j).to_vec()).collect::<Vec<f64>>(), lower))
    })?;
    Ok((PyArray1::from_vec(py, values).reshape([n, n])?, lower))
}
