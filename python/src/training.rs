//! Runs, with their certificates and audits.

use crate::audit::{Audit, of_trained};
use crate::background::{self, Watch};
use crate::certification::{Certification, Certified, Results};
use crate::failure::Failure;
use crate::model::Model;
use crate::options::{Training as Options, set_threads};
use crate::session::require_memory;
use gradcert::certify::audit::{AuditedMoment, first_provable};
use gradcert::certify::problem::Problem;
use gradcert::certify::random::{metric, widths};
use gradcert::model::Model as Networks;
use gradcert::network::random::{Law, draw};
use gradcert::train::optimizer::Algorithm;
use gradcert::train::optimizer::adam::Adam;
use gradcert::train::optimizer::lbfgs::Lbfgs;
use gradcert::train::run::{Plan, Record, Run, Stop, run};
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

/// Iterations of a run without a certificate, unless said otherwise.
const UNCERTIFIED_ITERATIONS: u64 = 100_000;

/// One run.
struct Trained {
    run: Run,
    certified: bool,
    algorithm: Algorithm,
    moments: Vec<AuditedMoment>,
    seconds: f64,
}

/// Networks that were trained, one per problem.
#[pyclass(frozen, module = "gradcert._gradcert")]
pub(crate) struct Training {
    results: Arc<Results>,
    trained: Vec<Trained>,
    networks: Networks,
    audit: Option<Py<Audit>>,
}

/// Trains every problem of a certification, and audits what came out.
#[pyfunction]
#[pyo3(signature = (certification, options, progress=None))]
pub(crate) fn train(
    py: Python<'_>,
    certification: &Certification,
    options: &str,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Training> {
    let options: Options = serde_json::from_str(options).map_err(Failure::from)?;
    let results = Arc::clone(&certification.0);
    let work = Arc::clone(&results);
    let (trained, networks, audit) = background::run(py, progress, move |watch| all(&work, &options, watch))?;
    let audit = audit.map(|audit| Py::new(py, audit)).transpose()?;
    Ok(Training { results, trained, networks, audit })
}

fn all(
    results: &Results,
    options: &Options,
    watch: &mut Watch,
) -> Result<(Vec<Trained>, Networks, Option<Audit>), Failure> {
    set_threads(results.net.threads);
    let chosen = algorithm(options)?;
    if !(results.is_certified() || options.uncertified) {
        return Err(Failure::Declined(results.reasons()));
    }
    let mut trained = vec![];
    for (index, certified) in results.all.iter().enumerate() {
        trained.push(one(results, certified, index, options, chosen, watch)?);
    }
    let names = results.all.iter().map(|c| c.name.clone()).collect();
    let networks = Networks {
        networks: trained.iter().map(|t: &Trained| t.run.network.clone()).collect(),
        meaning: results.session.meaning(names),
    };
    let sound = trained.iter().all(|t| t.run.stop != Stop::Diverged);
    let wanted = options.audit && sound && !watch.cancelled();
    let audit =
        wanted.then(|| of_trained(&results.session, &networks, results.options.tolerance, watch)).transpose()?;
    Ok((trained, networks, audit))
}

/// The method of runs that nothing is proved about; `None` for gradient descent with the certified step.
fn algorithm(options: &Options) -> Result<Option<Algorithm>, Failure> {
    if options.step_size.is_some_and(|eta| !(eta > 0.0 && eta.is_finite())) {
        return Err(Failure::Usage("step_size: a positive number".to_owned()));
    }
    match (options.optimizer.as_deref(), options.step_size) {
        (None, None) => Ok(None),
        (None | Some("gd"), Some(step_size)) => Ok(Some(Algorithm::GradientDescent { step_size })),
        (Some("gd"), None) => Ok(None),
        (Some("adam"), eta) => Ok(Some(Algorithm::Adam { step_size: eta.unwrap_or(Adam::STEP_SIZE) })),
        (Some("lbfgs"), None) => Ok(Some(Algorithm::Lbfgs)),
        (Some("lbfgs"), Some(_)) => Err(Failure::Usage("optimizer='lbfgs' searches its steps".to_owned())),
        (Some(other), _) => Err(Failure::Usage(format!("optimizer={other:?}: choose 'gd', 'adam' or 'lbfgs'"))),
    }
}

/// The problem and the plan of a run, and whether the certificate is about it.
fn plan(
    results: &Results,
    certified: &Certified,
    index: usize,
    options: &Options,
    chosen: Option<Algorithm>,
) -> Result<(Problem, Plan, bool), Failure> {
    let tolerance = results.options.tolerance;
    let facts = certified.outcome.facts(certified.problem.total());
    if let (Some((start, metric)), Some(facts)) = (certified.outcome.start(), facts) {
        let own = Algorithm::GradientDescent { step_size: facts.step_size };
        let limit = if chosen.is_some() { UNCERTIFIED_ITERATIONS } else { facts.iterations };
        let max_iterations = options.max_iter.unwrap_or(limit);
        let plan = Plan { start, metric, algorithm: chosen.unwrap_or(own), tolerance, max_iterations };
        return Ok((certified.problem.clone(), plan, chosen.is_none()));
    }
    // Whitening needs independent samples, which may be what was missing: a drawn start on samples as they are, by L-BFGS.
    let problem = certified.problem.raw();
    let seed = results.net.random_state.wrapping_add(index as u64);
    let start = draw(results.options.activation, &widths(&problem, &results.options), Law::LeCun, seed);
    let plan = Plan {
        start,
        metric: metric(&problem, &results.options),
        algorithm: chosen.unwrap_or(Algorithm::Lbfgs),
        tolerance,
        max_iterations: options.max_iter.unwrap_or(UNCERTIFIED_ITERATIONS),
    };
    Ok((problem, plan, false))
}

fn one(
    results: &Results,
    certified: &Certified,
    index: usize,
    options: &Options,
    chosen: Option<Algorithm>,
    watch: &mut Watch,
) -> Result<Trained, Failure> {
    let (problem, plan, proved) = plan(results, certified, index, options, chosen)?;
    if plan.algorithm == Algorithm::Lbfgs {
        let parameters = plan.start.parameters() as f64;
        let memory = 8.0 * (2 * Lbfgs::MEMORY + 12) as f64 * parameters;
        require_memory(memory, &format!("L-BFGS with {parameters} parameters needs"))?;
    }
    let clock = Instant::now();
    let mut moments = vec![];
    let raw = options.audit_every.map(|every| (every.max(1), problem.raw()));
    let envelope = certified.certified().filter(|_| proved);
    let par = faer::get_global_parallelism();
    let run = run(&problem, &plan, envelope, par, &mut |moment| {
        if let Some((every, raw)) = &raw
            && moment.iteration.is_multiple_of(*every)
        {
            let (network, tolerance) = (moment.network(), plan.tolerance);
            moments.push(AuditedMoment::new(moment.iteration, moment.loss, raw, &network, tolerance));
        }
        watch.go_on(|| (certified.name.clone(), moment.iteration, Some(moment.loss)))
    });
    Ok(Trained { run, certified: proved, algorithm: plan.algorithm, moments, seconds: clock.elapsed().as_secs_f64() })
}

impl Trained {
    fn to_json(&self, name: &str) -> Value {
        json!({
            "problem": name,
            "certified": self.certified,
            "optimizer": self.algorithm.name(),
            "step_size": self.algorithm.step_size(),
            "iterations": self.run.iterations,
            "final_loss": self.run.final_loss,
            "folded_loss": self.run.folded_loss,
            "stop": self.run.stop,
            "moments": self.moments,
            "first_provable": first_provable(&self.moments),
            "seconds": self.seconds,
        })
    }
}

#[pymethods]
impl Training {
    /// One JSON list, an object per problem.
    fn summary(&self) -> String {
        let pairs = self.trained.iter().zip(&self.results.all);
        json!(pairs.map(|(t, c)| t.to_json(&c.name)).collect::<Vec<Value>>()).to_string()
    }

    /// The recorded iterations of a problem: iteration, loss, envelope, path, distance, kernel movement (NaN where there is none).
    #[pyo3(signature = (index=0))]
    fn history<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let missing = || Failure::Usage(format!("problem {index} of {}", self.trained.len()));
        let history = &self.trained.get(index).ok_or_else(missing)?.run.history;
        let row = |r: &Record| {
            let or_nan = |x: Option<f64>| x.unwrap_or(f64::NAN);
            [r.iteration as f64, r.loss, or_nan(r.envelope), r.path, r.distance, or_nan(r.kernel_movement)]
        };
        PyArray1::from_iter(py, history.iter().flat_map(row)).reshape([history.len(), 6])
    }

    /// The trained networks, on samples as they are.
    fn model(&self) -> Model {
        Model::of(self.networks.networks.clone(), self.networks.meaning.clone())
    }

    /// The audit of the trained networks, if one was asked for and no run diverged.
    fn audit(&self, py: Python<'_>) -> Option<Py<Audit>> {
        self.audit.as_ref().map(|audit| audit.clone_ref(py))
    }
}
