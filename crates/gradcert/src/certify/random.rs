//! How often random starts are certified: by the theorem (T10), and by counting.

use super::flow::FlowSearch;
use super::given::dependent;
use super::problem::{Coordinates, Problem, norm};
use super::{Options, Reason};
use crate::network::random::{Law, draw};
use crate::statistics::{NINETY_FIVE, wilson};
use crate::theorem::centre::Metric;
use crate::theorem::inputs::InputBounds;
use crate::theorem::random_start::RandomStart;
use gradcert_rigor::Upper;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// d_0, ..., d_L for a problem.
pub fn widths(problem: &Problem, options: &Options) -> Vec<usize> {
    let mut widths = vec![problem.input_width()];
    widths.extend(&options.hidden_widths);
    widths.push(1);
    widths
}

/// The metric of a given start: plain, up to what is frozen.
pub fn metric(problem: &Problem, options: &Options) -> Metric {
    let factor = if options.first_layer_only { 0.0 } else { 1.0 };
    let mut metric = Metric::plain(options.hidden_widths.len() + 1).slower_later_layers(factor);
    if options.freeze_bias {
        metric = metric.without_biases();
    }
    if matches!(problem.coordinates, Coordinates::Whitened { .. }) {
        metric.biases[1] = 0.0;
    }
    metric
}

/// A metric for the parameters theta of the tangent kernel parametrisation (Jacot, Gabriel, Hongler 2018), times the factors given:
/// `z_l = d_{l-1}^{-1/2} Theta_l h_{l-1} + beta_l` with entries of Theta_l drawn from N(0, 1). `W_l = d_{l-1}^{-1/2} Theta_l` has
/// the law of LeCun, and gradient descent on theta is gradient descent on the weights in the metric
/// `D_Wl = d_{l-1}^{-1/2}`, `D_bl = 1`. Biases start at 0, where the authors draw them.
#[must_use]
pub fn by_fan_in(mut metric: Metric, widths: &[usize]) -> Metric {
    for (factor, &inputs) in metric.weights[1..].iter_mut().zip(widths) {
        *factor /= (inputs as f64).sqrt();
    }
    metric
}

/// The setting of (T10) for a problem. Declines where a hypothesis fails.
pub fn theorem(problem: &Problem, options: &Options) -> Result<RandomStart, Reason> {
    if let Some(reason) = dependent(problem) {
        return Err(reason);
    }
    let trained = problem.input_bounds(options.freeze_bias);
    let plain = match problem.coordinates {
        Coordinates::Raw => InputBounds::of_rows(&problem.rows, &problem.multiplicity, false).smax,
        Coordinates::Whitened { .. } => trained.smax,
    };
    let targets: Upper = norm(&problem.residual_of_zero_output());
    RandomStart::new(options.activation, &widths(problem, options), &trained, plain, targets)
        .map_err(|unmet| Reason::new(unmet.code(), unmet.to_string()))
}

/// What a number of draws says about the probability that a start is certified.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Draws.
    pub draws: u64,
    /// Draws from which gradient flow is certified, and so descent with small enough steps.
    pub certified: u64,
    /// The first certified seed.
    pub first: Option<u64>,
    /// How often each reason was given.
    pub declined: BTreeMap<&'static str, u64>,
    /// The median over certified draws of `alpha`: S falls at least like `exp(-alpha t)`.
    pub median_decay: Option<f64>,
}

impl Estimate {
    /// Wilson's 95 % interval of the probability.
    pub fn interval(&self) -> (f64, f64) {
        wilson(self.certified, self.draws, NINETY_FIVE)
    }
}

/// Draws `draws` starts with the seeds `seed, seed + 1, ...` and counts the certified ones (T3). The result does not depend on the
/// number of threads (0: one per processor), as long as faer computes sequentially. `progress` is called once per draw; when it returns `false` no new draw begins, and `None` is returned.
pub fn estimate(
    problem: &Problem,
    options: &Options,
    law: Law,
    seed: u64,
    draws: u64,
    threads: usize,
    progress: &(dyn Fn() -> bool + Sync),
) -> Result<Option<Estimate>, Reason> {
    let metric = metric(problem, options);
    let search = FlowSearch::new(problem, &metric)?;
    let widths = widths(problem, options);
    let one = |k: u64| {
        if !progress() {
            return None;
        }
        let start = draw(options.activation, &widths, law, seed.wrapping_add(k));
        Some(search.certify(&start).map(|flow| flow.decay().get()).map_err(|reason| reason.code))
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| Reason::new("threads", format!("no threads to draw with: {e}")))?;
    let outcomes: Option<Vec<Result<f64, &'static str>>> =
        pool.install(|| (0..draws).into_par_iter().map(one).collect());
    Ok(outcomes.map(|outcomes| summary(&outcomes, seed)))
}

fn summary(outcomes: &[Result<f64, &'static str>], seed: u64) -> Estimate {
    let mut declined = BTreeMap::new();
    for code in outcomes.iter().filter_map(|o| o.err()) {
        *declined.entry(code).or_insert(0) += 1;
    }
    let mut decays: Vec<f64> = outcomes.iter().filter_map(|o| o.ok()).collect();
    decays.sort_by(f64::total_cmp);
    Estimate {
        draws: outcomes.len() as u64,
        certified: decays.len() as u64,
        first: outcomes.iter().position(Result::is_ok).map(|k| seed.wrapping_add(k as u64)),
        declined,
        median_decay: decays.get(decays.len() / 2).copied(),
    }
}
