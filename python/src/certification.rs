//! Certificates before training.

use crate::background::{self, Watch};
use crate::data::Data;
use crate::failure::Failure;
use crate::model::Model;
use crate::options::{Net, set_threads};
use crate::session::{Session, require_memory};
use gradcert::certify::problem::Problem;
use gradcert::certify::random::widths;
use gradcert::certify::record;
use gradcert::certify::{Options, Outcome, Reason, given, positive::PositiveSearch};
use gradcert::network::Network;
use gradcert::network::random::draw;
use pyo3::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

/// One problem and what is proved about it.
pub(crate) struct Certified {
    pub(crate) name: String,
    /// All targets, duplicates included.
    pub(crate) targets: Vec<f64>,
    pub(crate) problem: Problem,
    pub(crate) outcome: Outcome,
    /// Seed and number of draws of a drawn start.
    drawn: Option<(u64, u64)>,
}

/// All problems of a data set.
pub(crate) struct Results {
    pub(crate) session: Arc<Session>,
    pub(crate) net: Net,
    pub(crate) options: Options,
    pub(crate) all: Vec<Certified>,
    seconds: f64,
}

/// What is proved before training, one outcome per problem.
#[pyclass(frozen, module = "gradcert._gradcert")]
pub(crate) struct Certification(pub(crate) Arc<Results>);

/// Certifies every problem of the data.
#[pyfunction]
#[pyo3(signature = (data, options, start=None, progress=None))]
pub(crate) fn certify(
    py: Python<'_>,
    data: &Data,
    options: &str,
    start: Option<&Model>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Certification> {
    let net: Net = serde_json::from_str(options).map_err(Failure::from)?;
    let session = Arc::clone(&data.0);
    let starts = start.map(|model| model.0.model.networks.clone());
    let results = background::run(py, progress, move |watch| all(session, net, starts.as_deref(), watch))?;
    Ok(Certification(Arc::new(results)))
}

fn all(session: Arc<Session>, net: Net, starts: Option<&[Network]>, watch: &mut Watch) -> Result<Results, Failure> {
    let options = net.options()?;
    set_threads(net.threads);
    session.within_memory()?;
    let clock = Instant::now();
    let mut all = vec![];
    for (index, (name, targets)) in session.problems.iter().enumerate() {
        let problem = session.problem(targets, 1, net.coordinates());
        let start = match starts {
            None => None,
            Some(networks) => {
                let missing = || Failure::model_shape(format!("the start has no network for problem {index}"));
                Some(networks.get(index).ok_or_else(missing)?)
            }
        };
        within_memory(&start.map_or_else(|| widths(&problem, &options), Network::widths), &problem)?;
        let (outcome, drawn) = match session.obvious_decline() {
            Some(reason) => (Outcome::Declined(vec![reason]), None),
            None => one(&problem, index as u64, &net, &options, start, watch)?,
        };
        all.push(Certified { name: name.clone(), targets: targets.clone(), problem, outcome, drawn });
    }
    Ok(Results { session, net, options, all, seconds: clock.elapsed().as_secs_f64() })
}

type Found = (Outcome, Option<(u64, u64)>);

fn one(
    problem: &Problem,
    index: u64,
    net: &Net,
    options: &Options,
    start: Option<&Network>,
    watch: &mut Watch,
) -> Result<Found, Failure> {
    if let Some(start) = start {
        let metric = net.metric(problem, options, &start.widths());
        return Ok((given::certify(problem, start, &metric, options), None));
    }
    let Some(law) = net.law(problem, options)? else {
        let outcome = match PositiveSearch::new(problem, options) {
            Ok(search) => search.certify(),
            Err(reasons) => Outcome::Declined(reasons),
        };
        return Ok((outcome, None));
    };
    let widths = widths(problem, options);
    let metric = net.metric(problem, options, &widths);
    let first = net.random_state.wrapping_add(index);
    let mut reasons: Vec<Reason> = vec![];
    for k in 0..net.retry.max(1) {
        let seed = first.wrapping_add(k);
        let outcome = given::certify(problem, &draw(options.activation, &widths, law, seed), &metric, options);
        match outcome {
            Outcome::Declined(own) => reasons = if reasons.is_empty() { own } else { reasons },
            certified => return Ok((certified, Some((seed, k + 1)))),
        }
        if !watch.go_on(|| ("draws".to_owned(), k + 1, None)) {
            break;
        }
    }
    Ok((Outcome::Declined(reasons), Some((first, net.retry.max(1)))))
}

/// Parameters, their gradient and the start, and a few arrays per hidden layer with a row per sample.
pub(crate) fn within_memory(widths: &[usize], problem: &Problem) -> Result<(), Failure> {
    let parameters: f64 = widths.windows(2).map(|w| w[1] as f64 * (w[0] as f64 + 1.0)).sum();
    let units: f64 = widths[1..].iter().map(|&w| w as f64).sum();
    let bytes = 8.0 * (4.0 * parameters + 6.0 * problem.rows.nrows() as f64 * units);
    require_memory(bytes, &format!("a network with {parameters:.1e} parameters needs"))
}

impl Certified {
    /// Why nothing is certified; empty where something is.
    pub(crate) fn reasons(&self) -> &[Reason] {
        match &self.outcome {
            Outcome::Declined(reasons) => reasons,
            _ => &[],
        }
    }

    pub(crate) fn to_json(&self, results: &Results) -> Value {
        let facts = self.outcome.facts(self.problem.total());
        let facts = facts.as_ref();
        let positive = self.outcome.positive_start();
        let architecture = self.outcome.architecture();
        let movement = match &self.outcome {
            Outcome::Certified(c) => Some(c.kernel_movement().get()),
            _ => None,
        };
        let steps = self.outcome.start().filter(|_| results.net.start != "ntk");
        json!({
            "problem": self.name,
            "status": if facts.is_some() { "certified" } else { "declined" },
            "reasons": self.reasons(),
            "step_size": facts.map(|f| f.step_size),
            "radius": facts.map(|f| f.radius),
            "certified_iterations": facts.map(|f| f.iterations),
            "rate": facts.map(|f| f.rate),
            "smin_lower": facts.map(|f| f.smin_lower),
            "scale": positive.map(|p| p.output),
            "hidden_scale": positive.and_then(|p| p.hidden.first()),
            "layer_steps": steps.and_then(|(_, metric)| metric.weights.last().copied()),
            "method": results.net.method,
            "theorem": facts.map(|f| f.theorem.clone()),
            "tolerance": results.options.tolerance,
            "seed": self.drawn.map(|d| d.0),
            "draws": self.drawn.map(|d| d.1),
            "kernel_movement_upper": movement,
            "widths": architecture.as_ref().map(|(widths, _)| widths),
            "activation": architecture.as_ref().map(|(_, activation)| activation.to_string()),
            "residual_upper": self.certified().map(|c| c.residual.get()),
            "smin_inputs_lower": self.certified().map(|c| c.smin_inputs.get()),
            "smin_start_lower": self.certified().map(|c| c.smin_start.get()),
            "smax_start_upper": self.certified().map(|c| c.smax_start.get()),
            "waterfall": self.certified().map(|c| {
                let j = c.found.descent.index;
                json!({
                    "radii": c.profile.radius[..=j],
                    "psi": c.profile.psi[..=j].iter().map(|p| p.get()).collect::<Vec<f64>>(),
                    "psi_certified": c.found.descent.psi().get(),
                    "drift": c.profile.drift[j].get(),
                })
            }),
        })
    }

    /// The certificate of our bounds, if there is one.
    pub(crate) fn certified(&self) -> Option<&gradcert::certify::Certified> {
        match &self.outcome {
            Outcome::Certified(certified) => Some(certified),
            _ => None,
        }
    }
}

impl Results {
    /// Reasons of all problems that declined, those of one code once.
    pub(crate) fn reasons(&self) -> Vec<Reason> {
        let mut reasons: Vec<Reason> = vec![];
        for reason in self.all.iter().flat_map(Certified::reasons) {
            if reasons.iter().all(|known| known.code != reason.code) {
                reasons.push(reason.clone());
            }
        }
        reasons
    }

    pub(crate) fn is_certified(&self) -> bool {
        self.all.iter().all(|c| c.reasons().is_empty())
    }
}

#[pymethods]
impl Certification {
    /// One JSON object: `problems`, `seconds`.
    fn summary(&self) -> String {
        let problems: Vec<Value> = self.0.all.iter().map(|c| c.to_json(&self.0)).collect();
        let lift = self.0.session.lift.map(|lift| lift.to_string());
        json!({"problems": problems, "lift": lift, "seconds": self.0.seconds}).to_string()
    }

    /// Raises `Declined` unless every problem is certified.
    fn require(&self) -> PyResult<()> {
        if self.0.is_certified() { Ok(()) } else { Err(Failure::Declined(self.0.reasons()).into()) }
    }

    /// The certificate file; `Declined` if a problem is not certified.
    fn certificate(&self) -> PyResult<String> {
        self.require()?;
        let results = &self.0;
        let mut certificates = vec![];
        for c in &results.all {
            let coordinates = results.net.coordinates();
            let record = record::certificate(&c.outcome, &c.name, &c.targets, coordinates, results.options.tolerance);
            certificates.extend(record.map_err(Failure::from)?);
        }
        Ok(results.session.file(certificates)?)
    }

    /// The certified starts in the coordinates of the certificate, where they are not the positive one.
    fn start(&self) -> Option<Model> {
        let results = &self.0;
        if results.all.iter().any(|c| c.outcome.positive_start().is_some()) {
            return None;
        }
        let networks: Option<Vec<Network>> = results.all.iter().map(|c| c.outcome.start().map(|s| s.0)).collect();
        let meaning = results.session.meaning(results.all.iter().map(|c| c.name.clone()).collect());
        Some(Model::of(networks?, meaning))
    }
}
