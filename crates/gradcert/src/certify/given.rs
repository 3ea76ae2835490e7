//! Certificates for a given start, whatever it is: the choice of the metric, of radius and step.

use super::positive::{ITERATION_LIMIT, LAYER_FACTORS};
use super::problem::{Coordinates, Problem, norm};
use super::record::{WEAKER, stated_extremes};
use super::search::{Effort, Goal, Spectrum, by_contraction, by_spectrum, candidates};
use super::{Certified, LayerSteps, Options, Outcome, Reason, StartKind, inconsistent};
use crate::network::Network;
use crate::theorem::ball::psi;
use crate::theorem::centre::Metric;
use crate::theorem::envelope::target;
use crate::theorem::general::{EnclosedPasses, centre, slope_floor_psi};
use crate::theorem::inputs::InputBounds;
use crate::theorem::profile::{Profile, radii};
use faer::Mat;
use gradcert_certificate::limits::MAX_ITERATIONS;
use gradcert_rigor::linear::EnclosedMatrix;
use gradcert_rigor::{Interval, Upper};

/// (T9+), or (T7+) where its hypotheses hold, with (T4), (T5), (T5s) at the given parameters.
///
/// With [`LayerSteps::Auto`] the factors of the layers after the first in `metric` are multiplied by a number of
/// [`LAYER_FACTORS`]: the one with the fewest certified iterations.
pub fn certify(problem: &Problem, start: &Network, metric: &Metric, options: &Options) -> Outcome {
    let reason =
        inconsistent(problem, options).or_else(|| misfit(problem, start, metric)).or_else(|| dependent(problem));
    match reason {
        Some(reason) => Outcome::Declined(vec![reason]),
        None => GivenSearch::new(problem, start, metric, options).certify(),
    }
}

/// Parameters that are no network for this problem.
pub(crate) fn misfit(problem: &Problem, start: &Network, metric: &Metric) -> Option<Reason> {
    let layers = start.layers();
    let chained = (1..=layers).all(|l| {
        let rows = start.weights[l].nrows();
        start.biases.get(l).is_some_and(|b| b.len() == rows)
            && (l == 1 || start.weights[l].ncols() == start.weights[l - 1].nrows())
    });
    let fits = layers >= 2
        && chained
        && start.weights[1].ncols() == problem.input_width()
        && start.weights[layers].nrows() == 1
        && metric.weights.len() == layers + 1
        && metric.biases.len() == layers + 1;
    if !fits {
        return Some(Reason::new("start_shape", "the start is not a network with one output that reads these samples"));
    }
    if !start.activation.vanishes_at_zero() {
        let message = "a start has an activation with sigma(0) = 0: logistic instead of sigmoid, softplus instead of plain-softplus";
        return Some(Reason::new("activation", message));
    }
    let factors = metric.weights[1..].iter().chain(&metric.biases[1..]);
    if !factors.clone().all(|&d| d >= 0.0 && d.is_finite()) {
        return Some(Reason::new("metric", "factors of a metric are finite and not negative"));
    }
    let whitened = matches!(problem.coordinates, Coordinates::Whitened { .. });
    if whitened && (metric.biases[1] > 0.0 || start.biases[1].iter().any(|&b| b != 0.0)) {
        let message = "whitened inputs have no first bias (it is part of the transformation): the biases of the first \
                       layer of the start must be 0";
        return Some(Reason::new("first_bias", message));
    }
    None
}

pub(crate) fn dependent(problem: &Problem) -> Option<Reason> {
    let Coordinates::Whitened { bias } = problem.coordinates else { return None };
    let independent = problem.smin_samples(bias).is_positive();
    (!independent).then(|| Reason::new("dependent_inputs", "whitening needs linearly independent input vectors"))
}

/// What does not depend on the steps of the layers after the first.
struct GivenSearch<'a> {
    problem: &'a Problem,
    start: &'a Network,
    metric: &'a Metric,
    options: &'a Options,
    passes: EnclosedPasses,
    inputs: InputBounds,
    residual: Vec<Interval>,
    goal: Goal,
}

/// How near a metric came to a certificate.
struct Miss {
    /// The largest certifiable residual over the residual.
    share: f64,
    reason: Reason,
}

/// With more samples the spectrum is left out while metrics are compared: it costs n^3 for each.
const COMPARED_BY_SPECTRUM: usize = 256;

impl<'a> GivenSearch<'a> {
    fn new(problem: &'a Problem, start: &'a Network, metric: &'a Metric, options: &'a Options) -> GivenSearch<'a> {
        let n = problem.rows.nrows();
        let passes = match problem.coordinates {
            Coordinates::Raw => EnclosedPasses::new(start, &problem.rows),
            Coordinates::Whitened { .. } => EnclosedPasses::new(start, &EnclosedMatrix::exact(Mat::identity(n, n))),
        };
        // Of the metric only the first layer matters here.
        let inputs = problem.input_bounds_in(metric);
        let residual = passes.residual(&problem.targets, inputs.root_multiplicity());
        let n = problem.total();
        let goal = Goal {
            residual: stated_residual(&residual),
            n,
            target: target(n, options.tolerance),
            limit: ITERATION_LIMIT,
        };
        GivenSearch { problem, start, metric, options, passes, inputs, residual, goal }
    }

    fn certify(&self) -> Outcome {
        let factors = self.factors();
        let chosen = match factors.as_slice() {
            [only] => Ok(*only),
            several => self.best_of(several),
        };
        let spectral = true;
        match chosen.and_then(|factor| self.attempt(factor, Effort::Certify, spectral)) {
            Ok(certified) => Outcome::Certified(Box::new(certified)),
            Err(miss) => Outcome::Declined(vec![miss.reason]),
        }
    }

    /// What the factors of the later layers may be multiplied by.
    fn factors(&self) -> Vec<f64> {
        let later = self.metric.weights[2..].iter().chain(&self.metric.biases[2..]);
        let moving = later.clone().any(|&d| d > 0.0);
        if self.options.layer_steps == LayerSteps::Auto && moving { LAYER_FACTORS.to_vec() } else { vec![1.0] }
    }

    /// The factor with the fewest certified iterations; a smaller one must save at least 5 %, since less is trained with it.
    fn best_of(&self, factors: &[f64]) -> Result<f64, Miss> {
        let spectral = self.problem.rows.nrows() <= COMPARED_BY_SPECTRUM;
        let (mut best, mut nearest): (Option<(u64, f64)>, Option<Miss>) = (None, None);
        for &factor in factors {
            match self.attempt(factor, Effort::Compare, spectral) {
                Ok(c) => {
                    let count = c.found.iterations;
                    if best.is_none_or(|(fewest, _)| (count as f64) < 0.95 * fewest as f64) {
                        best = Some((count, factor));
                    }
                }
                Err(miss) if nearest.as_ref().is_none_or(|n| miss.share > n.share) => nearest = Some(miss),
                Err(_) => {}
            }
        }
        let none = || Miss { share: 0.0, reason: Reason::new("singular_kernel", SINGULAR) };
        best.map(|(_, factor)| factor).ok_or_else(|| nearest.unwrap_or_else(none))
    }

    /// The certificate with the factors of the later layers multiplied by `factor`.
    fn attempt(&self, factor: f64, effort: Effort, spectral: bool) -> Result<Certified, Miss> {
        let metric = self.metric.clone().slower_later_layers(factor);
        let (at, kernel) = centre(self.start, &self.passes, &metric, &self.inputs);
        let floor = slope_floor_psi(self.start, &metric, self.inputs.smin);
        let residual = self.goal.residual;
        let lazy = residual.get() / at.smin_jacobian.get().max(floor.get());
        if !lazy.is_finite() {
            return Err(Miss { share: 0.0, reason: Reason::new("singular_kernel", SINGULAR) });
        }
        // With a floor the flow is certified on a ball that is large enough, and so is a small step.
        let global = if floor.is_positive() { 4.0 * residual.get() / floor.get() } else { 0.0 };
        let limit = if floor.is_positive() { MAX_ITERATIONS } else { self.goal.limit };
        let goal = Goal { limit, ..self.goal };
        let psi = |s: f64| psi(&at, s).max(floor);
        let radii = radii(&psi, lazy, global.max(1e3 * lazy), effort.cells());
        let profile = Profile::new(&at, &radii, &|_| floor);
        let candidates = candidates(&profile, &goal);
        let contraction = by_contraction(&candidates, &goal, effort);
        let wanted = spectral && !candidates.is_empty();
        let extremes = stated_extremes(at.smin_jacobian, at.smax_jacobian);
        let spectrum = if wanted { Spectrum::new(&kernel, &self.residual, extremes) } else { None };
        let sharper = spectrum.as_ref().and_then(|s| by_spectrum(&profile, &candidates, s, &goal, effort));
        let found = match (contraction, sharper) {
            (Some(a), Some(b)) => Some(if b.iterations < a.iterations { b } else { a }),
            (a, b) => a.or(b),
        };
        let Some(found) = found else { return Err(self.miss(&profile, candidates.is_empty())) };
        Ok(Certified {
            start: StartKind::Given(self.start.clone()),
            metric,
            profile: profile.truncated(found.descent.index),
            found,
            spectrum,
            residual,
            smin_inputs: self.inputs.smin,
            smax_inputs: self.inputs.smax,
            smin_start: at.smin_jacobian,
            smax_start: at.smax_jacobian,
        })
    }

    /// Which hypothesis failed: that of (T3), the residual; that of (T4) for every step; or only the number of iterations.
    fn miss(&self, profile: &Profile, no_step: bool) -> Miss {
        let (residual, largest) = (self.goal.residual, profile.integral.last().map_or(0.0, |i| i.get()));
        let later = self.metric.weights[2..].iter().chain(&self.metric.biases[2..]);
        let equal = self.options.layer_steps == LayerSteps::Equal && later.clone().any(|&d| d > 0.0);
        let slower = if equal { "--layer-steps auto, " } else { "" };
        let whiten = if self.problem.coordinates == Coordinates::Raw { "--whiten, " } else { "" };
        let reason = if profile.flow_index(residual).is_none() {
            Reason::new(
                "residual_too_large",
                format!(
                    "the residual |rho(w0)| = {:.3e} exceeds what the curvature around this start allows, {largest:.3e}: \
                     use {slower}a wider network, larger later weights with a smaller first layer, --start positive, or \
                     --train first-layer with positive later layers",
                    residual.get()
                ),
            )
        } else if no_step {
            Reason::new(
                "step_too_small",
                format!(
                    "gradient flow is certified (|rho(w0)| = {:.3e} is below {largest:.3e}), but no step above a \
                     billionth of 2 / |K|: the residual is too close to the limit; use {slower}a wider network, or another start",
                    residual.get()
                ),
            )
        } else {
            Reason::new(
                "too_slow",
                format!(
                    "gradient flow is certified from this start (T3), and so is descent, but not the tolerance within \
                     {ITERATION_LIMIT} iterations: use {slower}{whiten}larger later weights, or a larger --tol"
                ),
            )
        };
        Miss { share: largest / residual.get(), reason }
    }
}

/// `|rho(w0)|` from above, wider than proved: a program that adds in another order encloses the outputs a little
/// differently, and must be able to confirm the number. Its enclosures are about as wide as these.
pub(crate) fn stated_residual(residual: &[Interval]) -> Upper {
    let widths = Upper::norm(residual.iter().map(|r| r.radius()));
    norm(residual) * Upper::new(1.0 + WEAKER) + widths * Upper::new(64.0)
}

const SINGULAR: &str = "the tangent kernel at the start is not proved to be positive definite: use more parameters than \
                        samples, distinct inputs, or another start";
