//! Audits: from a network that is already trained to a proof that an exactly interpolating one is near, and that gradient
//! descent goes there, or to coded reasons why there is none.
//!
//! K0, the residual and every bound are enclosed with rounding. kappa of (T15) is the drift of (T9+) over `smin(J(w0))` or the
//! Taylor form of (T16); psi is the larger of what both give.

mod moments;
mod record;
mod stage;
mod tables;

pub use moments::{AuditedMoment, first_provable};
pub use record::certificate;
pub use stage::{Stage, bytes, operations};

use super::Reason;
use super::given::stated_residual;
use super::problem::{Coordinates, Problem, norm};
use super::record::stated_extremes;
use super::search::{Effort, Found, Goal, by_contraction, candidates};
use crate::network::Network;
use crate::theorem::centre::{Centre, Metric};
use crate::theorem::envelope::target;
use crate::theorem::existence::{distance_by_drift, distance_by_orders};
use crate::theorem::general::{EnclosedPasses, centre};
use crate::theorem::inputs::InputBounds;
use crate::theorem::profile::Profile;
use crate::theorem::whitened::orders::{Orders, fitting};
use crate::theorem::whitened::row_space::second_order;
use crate::theorem::whitened::third_order::third_derivative;
use crate::theorem::whitened::two_layers::{LAST_ORDER, TwoLayers};
use gradcert_certificate::format::OrdersBy;
use gradcert_certificate::limits::MAX_ITERATIONS;
use gradcert_rigor::linear::{RelativeTo, SymmetricBall};
use gradcert_rigor::{Interval, Lower, Upper};
use std::cmp::Ordering;
use tables::Tables;

/// The bound of kappa that was used.
#[derive(Clone, Debug)]
pub enum Curvature {
    /// (T9+): `|J - J(w0)|` on balls, over `smin(J(w0))`.
    Drift {
        /// Increasing radii.
        radii: Vec<f64>,
        /// `|J - J(w0)|` on each ball.
        drift: Vec<Upper>,
    },
    /// (T16) by the statement named.
    Taylor(OrdersBy, Orders),
}

/// A route to a bound of kappa and how far it reaches.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// The statements.
    pub route: &'static str,
    /// The largest `|rho(w0)|` with which gradient flow from here would be certified.
    pub residual: f64,
}

/// A proof about a trained network.
#[derive(Clone, Debug)]
pub struct Audited {
    /// `|rho(w0)|`, from above.
    pub residual: Upper,
    /// `smin(J(w0))`, from below.
    pub smin_start: Lower,
    /// `|J(w0)|`, from above.
    pub smax_start: Upper,
    /// `|J(w0)^+ rho(w0)|`, from above.
    pub correction: Upper,
    /// The bound of kappa behind `distance`.
    pub curvature: Curvature,
    /// An exactly interpolating w* exists with `|w* - w0|` at most this.
    pub distance: f64,
    /// Gradient descent from w0, if it is certified too: the bounds on balls, and radius, step, count.
    pub convergence: Option<(Profile, Found)>,
    /// What each route would certify.
    pub reaches: Vec<Reach>,
    /// Number p of trained parameters.
    pub parameters: usize,
}

impl Audited {
    /// Every iteration multiplies S by at most `1 - rate`.
    pub fn rate(&self) -> Option<Lower> {
        self.convergence.as_ref().map(|(_, found)| found.descent.rate(self.residual))
    }

    /// The statements behind the distance.
    pub fn existence_theorem(&self) -> &'static str {
        match self.curvature {
            Curvature::Drift { .. } => "T15 with T9+",
            Curvature::Taylor(OrdersBy::TwoLayers, _) => "T15 with T16e",
            Curvature::Taylor(OrdersBy::RowSpace, _) => "T15 with T16d, T16n",
        }
    }
}

/// The answer.
pub enum AuditOutcome {
    /// Proved.
    Certified(Box<Audited>),
    /// Not proved, and why.
    Declined(Vec<Reason>),
}

fn declined(code: &'static str, message: impl Into<String>) -> AuditOutcome {
    AuditOutcome::Declined(vec![Reason::new(code, message)])
}

/// Audits a network on a problem with `n d_L` targets, sample by sample. `tolerance` is the level of S (a mean) to which iterations
/// are counted; `metric` says which parameters may move (1 everywhere is plain gradient descent on all of them).
pub fn audit(problem: &Problem, network: &Network, metric: &Metric, tolerance: f64) -> AuditOutcome {
    audit_watched(problem, network, metric, tolerance, &mut |_| {})
}

/// [`audit`], saying which stage begins.
pub fn audit_watched(
    problem: &Problem,
    network: &Network,
    metric: &Metric,
    tolerance: f64,
    watch: &mut dyn FnMut(Stage),
) -> AuditOutcome {
    if let Some(reason) = misfit(problem, network, metric, tolerance) {
        return AuditOutcome::Declined(vec![reason]);
    }
    let (rows, parameters) = (problem.rows.nrows() * network.outputs(), metric.trained_parameters(network));
    if parameters < rows {
        return declined(
            "too_few_parameters",
            format!(
                "{parameters} trained parameters cannot interpolate {rows} targets in general: J(w0) has rank below {rows}; \
                 use a wider network"
            ),
        );
    }
    watch(Stage::Outputs);
    let passes = EnclosedPasses::new(network, &problem.rows);
    let inputs = problem.input_bounds_in(metric);
    let residual = passes.residual(&problem.targets, inputs.root_multiplicity());
    watch(Stage::Kernel);
    let (at, kernel) = centre(network, &passes, metric, &inputs);
    let Some(relative) = RelativeTo::new(&kernel, stated_smallest(&at, &kernel)) else {
        return declined("singular_kernel", singular(problem, network));
    };
    let search =
        AuditSearch { problem, network, metric, passes, inputs, residual, at, kernel: &kernel, relative, tolerance };
    search.run(parameters, watch)
}

const SINGULAR: &str = "the tangent kernel of this network on these samples is not proved to be positive definite: samples that the \
                        network cannot tell apart (equal rows: --merge-duplicates), dead or saturated units, or too few parameters \
                        for so many samples (use a wider network)";

/// Why K0 may be singular; a hint, no proof.
///
/// Where the targets of every sample sum to the same number c, as one-hot ones do, and `[H_{L-1}, 1]` has full column rank
/// `d_{L-1} + 1 < n`, every exact solution has a singular kernel: `[H, 1] (1^T [W_L, b_L])^T = c 1` has the only solution
/// `1^T W_L = 0`, `1^T b_L = c`, and with v orthogonal to the columns of `[H, 1]` the vector `v (x) 1` is in the kernel of J^T: its
/// last layer because of v, the others because `1^T W_L = 0`.
fn singular(problem: &Problem, network: &Network) -> String {
    let outputs = network.outputs();
    let sums: Vec<f64> = problem.targets.chunks(outputs).map(|y| y.iter().sum()).collect();
    let last = network.weights[network.layers()].ncols();
    if outputs > 1 && problem.rows.nrows() > last + 1 && sums.iter().all(|s| *s == sums[0]) {
        return format!(
            "{SINGULAR}; the targets of every sample have the same sum, and there are more samples than units in the last hidden layer \
             ({last}) and one more: then every exact solution has a singular kernel at which that layer's outputs and a constant are \
             linearly independent functions on the samples; use a wider last hidden layer, or one network per class"
        );
    }
    SINGULAR.to_owned()
}

/// Parameters that are no network for this problem.
fn misfit(problem: &Problem, network: &Network, metric: &Metric, tolerance: f64) -> Option<Reason> {
    let (n, layers) = (problem.rows.nrows(), network.weights.len().saturating_sub(1));
    let shapes = n > 0
        && layers >= 2
        && network.outputs() > 0
        && network.biases.len() == layers + 1
        && problem.coordinates == Coordinates::Raw
        && problem.multiplicity.len() == n
        && problem.targets.len() == n * network.outputs()
        && network.weights[1].ncols() == problem.rows.ncols()
        && metric.weights.len() == layers + 1
        && metric.biases.len() == layers + 1
        && (1..=layers).all(|l| network.biases[l].len() == network.weights[l].nrows())
        && (2..=layers).all(|l| network.weights[l].ncols() == network.weights[l - 1].nrows());
    if !shapes {
        return Some(Reason::new(
            "shapes",
            "the network does not read these samples, or not one target per sample and output",
        ));
    }
    let finite = problem.targets.iter().all(|y| y.is_finite())
        && problem.rows.is_bounded()
        && !problem.multiplicity.contains(&0)
        && (1..=layers).all(|l| {
            let w = &network.weights[l];
            (0..w.ncols()).all(|j| w.col_as_slice(j).iter().all(|x| x.is_finite()))
                && network.biases[l].iter().all(|b| b.is_finite())
        });
    if !finite {
        return Some(Reason::new("not_finite", "samples, targets and parameters are finite, multiplicities positive"));
    }
    let factors = metric.weights[1..].iter().chain(&metric.biases[1..]);
    if !factors.clone().all(|&d| d >= 0.0 && d.is_finite()) {
        return Some(Reason::new("metric", "factors of a metric are finite and not negative"));
    }
    (!(tolerance > 0.0 && tolerance.is_finite()))
        .then(|| Reason::new("tolerance", "the tolerance is a positive number"))
}

/// lmin(K0) as it is stated: lower than proved by some radii of K0, as another program encloses K0 a little differently, and
/// must be able to confirm the number.
fn stated_smallest(at: &Centre, kernel: &SymmetricBall) -> Lower {
    let proved = at.smin_jacobian.square();
    let stated = proved.minus(kernel.radius() * Upper::new(8.0));
    let (smin, _) =
        stated_extremes(if stated.is_positive() { stated.sqrt() } else { at.smin_jacobian }, at.smax_jacobian);
    smin.square()
}

/// Orders are stated this much larger, relatively, which costs as much of the reach: more than another program loses that encloses
/// derivatives layer by layer, each layer widening what it gets.
fn orders_weaker(layers: usize) -> f64 {
    if layers <= 4 { 1e-4 } else { 3e-2 }
}

/// Which of two forms of kappa allows the larger residual.
fn by_reach(a: &Orders, b: &Orders) -> Ordering {
    a.largest_integral().1.get().total_cmp(&b.largest_integral().1.get())
}

struct AuditSearch<'a> {
    problem: &'a Problem,
    network: &'a Network,
    metric: &'a Metric,
    passes: EnclosedPasses,
    inputs: InputBounds,
    residual: Vec<Interval>,
    at: Centre,
    kernel: &'a SymmetricBall,
    relative: RelativeTo<'a>,
    tolerance: f64,
}

impl AuditSearch<'_> {
    fn run(mut self, parameters: usize, watch: &mut dyn FnMut(Stage)) -> AuditOutcome {
        let smin = self.relative.smallest().sqrt();
        let (_, smax) = stated_extremes(smin, self.at.smax_jacobian);
        // Everything after this uses the stated numbers.
        (self.at.smin_jacobian, self.at.smax_jacobian) = (smin, smax);
        let residual = stated_residual(&self.residual);
        let correction = self.correction(smin).min(residual / smin);
        watch(Stage::Curvature);
        let taylor = self.taylor();
        watch(Stage::Balls);
        let tables =
            Tables::new(&self.at, residual, correction, taylor.as_ref().map(|(_, orders)| orders), self.units());
        let mut reaches = vec![Reach { route: "T9+", residual: tables.reach_of_drift().get() }];
        if let Some((by, orders)) = &taylor {
            let route = if *by == OrdersBy::TwoLayers { "T16e" } else { "T16d, T16n" };
            reaches.push(Reach { route, residual: (smin * orders.largest_integral().1).get() });
        }
        let by_taylor = taylor.as_ref().and_then(|(by, orders)| {
            let distance = distance_by_orders(orders, correction)?;
            Some((distance, Curvature::Taylor(*by, orders.clone())))
        });
        let by_drift = distance_by_drift(&tables.radii, &tables.drift, smin, correction).map(|distance| {
            let last = tables.radii.partition_point(|&r| r < distance);
            let (radii, drift) = (tables.radii[..=last].to_vec(), tables.drift[..=last].to_vec());
            (distance, Curvature::Drift { radii, drift })
        });
        let found = match (by_taylor, by_drift) {
            (Some(a), Some(b)) => Some(if a.0 <= b.0 { a } else { b }),
            (a, b) => a.or(b),
        };
        let Some((distance, curvature)) = found else {
            return AuditOutcome::Declined(vec![self.miss(residual, correction, &reaches)]);
        };
        // Descent may use the Taylor form of this curvature only: a certificate states one.
        let orders = match &curvature {
            Curvature::Taylor(_, orders) => Some(orders),
            Curvature::Drift { .. } => None,
        };
        watch(Stage::Descent);
        let convergence = self.convergence(&tables, orders, residual);
        AuditOutcome::Certified(Box::new(Audited {
            residual,
            smin_start: smin,
            smax_start: smax,
            correction,
            curvature,
            distance,
            convergence,
            reaches,
            parameters,
        }))
    }

    /// Numbers of samples times hidden units: what a bound on a ball costs.
    fn units(&self) -> usize {
        self.problem.rows.nrows()
            * self.network.weights[1..self.network.layers()].iter().map(|w| w.nrows()).sum::<usize>()
    }

    /// `|J(w0)^+ rho(w0)|` as it is stated, see [`stated_residual`].
    fn correction(&self, smin: Lower) -> Upper {
        let widths = Upper::norm(self.residual.iter().map(|r| r.radius()));
        self.relative.inverse_norm_upper(&self.residual) * self.weaker(1e-6) + widths * Upper::new(64.0) / smin
    }

    /// How much weaker than proved numbers relative to K0 are stated: another program encloses K0, and what is measured by it, with
    /// other errors, which count in units of lmin(K0).
    fn weaker(&self, least: f64) -> Upper {
        Upper::new(1.0 + least) + Upper::new(64.0) * self.kernel.radius() / self.relative.smallest()
    }

    /// (T16) in the form that reaches farthest.
    fn taylor(&self) -> Option<(OrdersBy, Orders)> {
        [self.two_layers(), self.row_space()].into_iter().flatten().max_by(|a, b| by_reach(&a.1, &b.1))
    }

    /// (T16e), with as many orders as reach farthest.
    fn two_layers(&self) -> Option<(OrdersBy, Orders)> {
        let bounds = TwoLayers::new(self.network, &self.passes, self.metric, &self.inputs, &self.relative)?;
        let weaker = self.weaker(orders_weaker(self.network.layers()));
        let first = 0.01 / (1.0 + bounds.second().get());
        let by_order = (3..=LAST_ORDER).map(|last| fitting(|s| bounds.orders(last, s).weakened(weaker), first));
        by_order.max_by(by_reach).map(|best| (OrdersBy::TwoLayers, best))
    }

    /// (T16d), (T16n), where that is not too much work; two layers have (T16e).
    fn row_space(&self) -> Option<(OrdersBy, Orders)> {
        if !stage::uses_row_space(self.network, self.problem.rows.nrows()) {
            return None;
        }
        third_derivative(&self.at, 0.0)?;
        let second =
            second_order(self.network, &self.passes, self.metric, self.inputs.root_multiplicity(), &self.relative)?;
        let (weaker, smin) = (self.weaker(orders_weaker(self.network.layers())), self.relative.smallest().sqrt());
        let orders = |s: f64| {
            let third = third_derivative(&self.at, s).map_or(Upper::UNKNOWN, |d| d / smin);
            Orders::new(s, vec![second, third]).weakened(weaker)
        };
        Some((OrdersBy::RowSpace, fitting(orders, 0.01 / (1.0 + second.get()))))
    }

    /// (T4), (T5) with the larger psi.
    fn convergence(&self, tables: &Tables, orders: Option<&Orders>, residual: Upper) -> Option<(Profile, Found)> {
        let n = self.problem.total();
        // Where the tolerance is nearly reached already, the step is chosen as if there was some way to go.
        let wanted = target(n, self.tolerance);
        let chosen = wanted.min(Lower::new(residual.get() * 1e-3));
        let goal = |target: Lower| Goal { residual, n, target, limit: MAX_ITERATIONS };
        let profile = tables.profile(orders);
        let candidates = candidates(&profile, &goal(chosen));
        let step = by_contraction(&candidates, &goal(chosen), Effort::Compare)?;
        let found = by_contraction(&[(step.descent, 0.0)], &goal(wanted), Effort::Certify)?;
        Some((profile.truncated(found.descent.index), found))
    }

    fn miss(&self, residual: Upper, correction: Upper, reaches: &[Reach]) -> Reason {
        let limit = reaches.iter().map(|r| r.residual).fold(0.0, f64::max);
        let error = norm(&self.residual).get();
        let gross = error * error > 1e-2 * norm(&self.targets()).get().powi(2);
        let advice = if gross {
            "the network is not trained to interpolation: --polish, or train on"
        } else {
            "--polish (a few Gauss-Newton steps), or train on"
        };
        Reason::new(
            "residual_too_large",
            format!(
                "the residual |rho| = {:.3e} (Gauss-Newton step {:.3e}) is not within reach of the curvature here, about {limit:.3e}: \
                 {advice}",
                residual.get(),
                correction.get()
            ),
        )
    }

    fn targets(&self) -> Vec<Interval> {
        self.problem.targets.iter().map(|&y| Interval::exact(y)).collect()
    }
}
