//! What runs that differ in their step or in what they record have in common: data, certificate, start.

use super::error::SweepError;
use super::options::{RunOptions, Start};
use super::plan::Planned;
use super::record::{Certificate, Declined};
use crate::certify::problem::{Coordinates, Problem};
use crate::certify::random::{by_fan_in, metric, widths};
use crate::certify::{Certified, HiddenScale, Method, Outcome, Reason, Scale, given, positive::PositiveSearch};
use crate::kernel::tangent_kernel;
use crate::network::Network;
use crate::network::random::{Law, draw};
use crate::theorem::centre::Metric;
use crate::train::coordinates::TrainingCoordinates;
use crate::train::descent::TrainingSet;
use faer::{Par, Side};
use gradcert_certificate::hash;

/// Everything before the first step.
pub(super) struct Setup {
    pub(super) data: String,
    pub(super) samples: usize,
    pub(super) features: usize,
    /// n, duplicates counted.
    pub(super) total: f64,
    pub(super) outcome: Option<Outcome>,
    /// Start in the coordinates of training, and metric; none where a certificate was needed and declined.
    pub(super) start: Option<(Network, Metric)>,
    pub(super) set: TrainingSet,
    /// Largest and smallest eigenvalue of the tangent kernel at the start.
    pub(super) kernel: Option<(f64, f64)>,
}

/// Options that do not change the setup.
const LATER: [&str; 5] = ["step", "levels", "max-iterations", "stages", "history"];

/// Runs with equal names share a setup.
pub(super) fn name(planned: &Planned) -> String {
    let run = &planned.options;
    // The positive start on given data is the same for every seed.
    let seedless = run.start == Start::Positive && !run.source.follows_the_seed();
    let kept =
        planned.texts.iter().filter(|(name, _)| !(LATER.contains(&name.as_str()) || seedless && *name == "seed"));
    let mut text: String = kept.map(|(name, value)| format!("{name}={value}\n")).collect();
    if run.needs_certificate() {
        text.push_str("certified");
    }
    text
}

impl Setup {
    pub(super) fn new(key: &str, run: &RunOptions) -> Result<Setup, SweepError> {
        let (problem, data) = problem(key, run)?;
        let (coordinates, inputs) = TrainingCoordinates::new(&problem);
        let set = TrainingSet {
            inputs,
            targets: problem.targets.clone(),
            multiplicity: problem.multiplicity.iter().map(|&m| f64::from(m)).collect(),
        };
        let (outcome, start) = certified_start(run, &problem);
        let start = start.map(|(network, metric)| (coordinates.enter(&network), metric));
        let kernel = start.as_ref().and_then(|(network, metric)| extremes(network, metric, &set));
        let (samples, features) = (problem.rows.nrows(), problem.rows.ncols());
        Ok(Setup { data, samples, features, total: problem.total(), outcome, start, set, kernel })
    }

    /// The certificate of our bounds, if there is one.
    pub(super) fn certified(&self) -> Option<&Certified> {
        match &self.outcome {
            Some(Outcome::Certified(certified)) => Some(certified),
            _ => None,
        }
    }

    pub(super) fn certificate(&self) -> Option<Certificate> {
        let facts = self.outcome.as_ref()?.facts(self.total)?;
        Some(Certificate {
            iterations: facts.iterations,
            step_size: facts.step_size,
            radius: facts.radius,
            rate: facts.rate,
            smin_lower: facts.smin_lower,
            theorem: facts.theorem,
        })
    }

    pub(super) fn declined(&self) -> Vec<Declined> {
        match &self.outcome {
            Some(Outcome::Declined(reasons)) => {
                reasons.iter().map(|r| Declined { code: r.code.to_owned(), message: r.message.clone() }).collect()
            }
            _ => vec![],
        }
    }

    /// Output scale A and entry of the hidden layers of a positive start.
    pub(super) fn scales(&self, run: &RunOptions) -> (Option<f64>, Option<f64>) {
        if run.start != Start::Positive {
            return (None, None);
        }
        let Some((network, _)) = &self.start else { return (None, None) };
        let layers = network.layers();
        let hidden = (layers > 2).then(|| network.weights[2][(0, 0)]);
        (Some(network.weights[layers][(0, 0)]), hidden)
    }
}

/// The problem of a run, and the beginning of the hash of its data.
fn problem(key: &str, run: &RunOptions) -> Result<(Problem, String), SweepError> {
    let dataset = run.source.load(key, run.target.as_deref(), run.labels, run.seed)?;
    let named = |source| SweepError::Data { key: key.to_owned(), source };
    let merged = if run.merge_duplicates {
        Some(gradcert_data::merge_duplicates(&dataset).map_err(named)?)
    } else {
        gradcert_data::inspect(&dataset).map_err(named)?.require_distinct_rows().map_err(named)?;
        None
    };
    let distinct = merged.as_ref().map_or(&dataset, |m| &m.dataset);
    let problems = distinct.problems();
    let count = problems.len();
    let targets = problems.into_iter().nth(run.problem).map(|p| p.y).ok_or_else(|| SweepError::Run {
        key: key.to_owned(),
        message: format!("problem {} does not exist: the data have {count}, counted from 0", run.problem),
    })?;
    let (n, d) = distinct.shape();
    let values = distinct.inputs().as_slice();
    let both = [hash::inputs(values, n, d), hash::targets(&targets)].map(|h| h[..16].to_owned()).concat();
    let multiplicity = merged.as_ref().map_or_else(|| vec![1; n], |m| m.multiplicity.clone());
    let coordinates =
        if run.whiten { Coordinates::Whitened { bias: !run.certify.freeze_bias } } else { Coordinates::Raw };
    Ok((Problem::new(values, n, d, targets, coordinates).with_multiplicity(multiplicity), both))
}

/// The start of a run in the coordinates of the problem, certified where that is needed.
fn certified_start(run: &RunOptions, problem: &Problem) -> (Option<Outcome>, Option<(Network, Metric)>) {
    match run.start {
        Start::Random(law) => drawn_start(run, problem, law, metric(problem, &run.certify)),
        Start::Ntk => {
            let metric = by_fan_in(metric(problem, &run.certify), &widths(problem, &run.certify));
            drawn_start(run, problem, Law::LeCun, metric)
        }
        Start::Positive if run.needs_certificate() => {
            let outcome = match PositiveSearch::new(problem, &run.certify) {
                Ok(search) => search.certify(),
                Err(reasons) => Outcome::Declined(reasons),
            };
            let start = outcome.start();
            (Some(outcome), start)
        }
        Start::Positive => {
            let (Scale::Fixed(output), true) = (run.certify.scale, run.certify.method == Method::Sharp) else {
                return (Some(Outcome::Declined(vec![open_scale()])), None);
            };
            let hidden = match run.certify.hidden_scale {
                HiddenScale::Fixed(a) => a,
                HiddenScale::Auto => 1.0,
            };
            let layers = run.certify.hidden_widths.len() + 1;
            let hidden = vec![hidden; layers - 2];
            let network = Network::positive(run.certify.activation, &widths(problem, &run.certify), &hidden, output);
            (None, Some((network, metric(problem, &run.certify))))
        }
    }
}

fn drawn_start(
    run: &RunOptions,
    problem: &Problem,
    law: Law,
    metric: Metric,
) -> (Option<Outcome>, Option<(Network, Metric)>) {
    let network = draw(run.certify.activation, &widths(problem, &run.certify), law, run.seed);
    let outcome = run.needs_certificate().then(|| given::certify(problem, &network, &metric, &run.certify));
    (outcome, Some((network, metric)))
}

fn open_scale() -> Reason {
    Reason::new("scale_too_small", "the scale of the start is open: certify, or give --scale a number")
}

/// Largest and smallest eigenvalue of `K(w0)`, weighted by `sqrt(m_i m_j)`.
fn extremes(network: &Network, metric: &Metric, set: &TrainingSet) -> Option<(f64, f64)> {
    let mut kernel = tangent_kernel(network, &set.inputs, metric, Par::Seq);
    for j in 0..kernel.ncols() {
        for i in 0..kernel.nrows() {
            kernel[(i, j)] *= (set.multiplicity[i] * set.multiplicity[j]).sqrt();
        }
    }
    let values = kernel.self_adjoint_eigenvalues(Side::Lower).ok()?;
    Some((*values.last()?, *values.first()?)).filter(|(largest, smallest)| largest.is_finite() && smallest.is_finite())
}
