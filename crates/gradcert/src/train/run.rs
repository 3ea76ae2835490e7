//! A training run with its history, beside the certified envelope where there is one.

use super::coordinates::TrainingCoordinates;
use super::descent::{Descent, TrainingSet};
use super::flow::Field;
use super::network_flow::NetworkField;
use super::optimizer::adam::Adam;
use super::optimizer::lbfgs::Lbfgs;
use super::optimizer::{Algorithm, Optimizer, Walk};
use crate::certify::Certified;
use crate::certify::problem::Problem;
use crate::kernel::tangent_kernel;
use crate::network::Network;
use crate::theorem::centre::Metric;
use faer::{Mat, Par};
use gradcert_certificate::format::Envelope;
use gradcert_rigor::Upper;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// What to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The start, in the coordinates of the problem.
    pub start: Network,
    /// The metric.
    pub metric: Metric,
    /// The method, on the mean loss S.
    pub algorithm: Algorithm,
    /// Stop when S is at most this.
    pub tolerance: f64,
    /// Stop after this many iterations.
    pub max_iterations: u64,
}

/// One recorded iteration.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Record {
    /// k.
    pub iteration: u64,
    /// S(w_k), a mean.
    pub loss: f64,
    /// Certified upper bound of S(w_k).
    pub envelope: Option<f64>,
    /// Length of the path walked so far, in the metric.
    pub path: f64,
    /// Distance from the start, in the metric.
    pub distance: f64,
    /// `|K_k - K_0|_F / |K_0|_F`, where it was computed.
    pub kernel_movement: Option<f64>,
}

/// A run, looked at while it goes on.
pub struct Moment<'a> {
    /// k.
    pub iteration: u64,
    /// S(w_k), a mean.
    pub loss: f64,
    network: &'a dyn Fn() -> Network,
}

impl Moment<'_> {
    /// The network after k iterations, on raw samples.
    pub fn network(&self) -> Network {
        (self.network)()
    }
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// The tolerance was reached.
    Tolerance,
    /// The allowed number of iterations was used up.
    Iterations,
    /// The loss stopped being finite.
    Diverged,
    /// Double precision ends here: the loss no longer falls, although it is above what is certified in exact arithmetic, or
    /// (without an envelope) at the rounding level of outputs and targets.
    Rounding,
    /// The caller asked to stop.
    Interrupted,
}

/// A finished run.
#[derive(Clone, Debug)]
pub struct Run {
    /// The trained network on raw samples.
    pub network: Network,
    /// Iterations done.
    pub iterations: u64,
    /// S in the coordinates of training.
    pub final_loss: f64,
    /// S of the network on raw samples: what folding adds.
    pub folded_loss: f64,
    /// Some iterations, first and last among them.
    pub history: Vec<Record>,
    /// Why it ended.
    pub stop: Stop,
    /// What the steps alone took: no rotation of the inputs, history, tangent kernels, audits.
    pub stepping: Duration,
}

/// Runs the method of a plan. `certified`, if given, must be the certificate of exactly this plan; its envelope is recorded. The
/// callback sees every iteration but the last and returns whether to go on.
pub fn run(
    problem: &Problem,
    plan: &Plan,
    certified: Option<&Certified>,
    par: Par,
    progress: &mut dyn FnMut(&Moment<'_>) -> bool,
) -> Run {
    let (coordinates, inputs) = if plan.algorithm.ignores_rotations() {
        TrainingCoordinates::new(problem)
    } else {
        TrainingCoordinates::given(problem)
    };
    let set = TrainingSet {
        inputs,
        targets: problem.targets.clone(),
        multiplicity: problem.multiplicity.iter().map(|&m| f64::from(m)).collect(),
    };
    let mut optimizer = optimizer(coordinates.enter(&plan.start), &set, problem, plan, par);
    let mut envelope = certified.map(|c| EnvelopeWalk::new(c, problem.total()));
    let kernel = KernelMovement::new(&optimizer.network(), &set, &plan.metric, par);
    let mut stall = Stall::new(optimizer.loss());
    let mut history = vec![];
    let (mut next_record, mut stuck, mut stepping) = (0, false, Duration::ZERO);
    let stop = loop {
        let (k, loss) = (optimizer.iteration(), optimizer.loss());
        let network = || coordinates.leave(&optimizer.network(), &plan.start);
        let floor = || rounding_level(&optimizer.outputs(), &set);
        let stop = if !loss.is_finite() {
            Some(Stop::Diverged)
        } else if loss <= plan.tolerance {
            Some(Stop::Tolerance)
        } else if k >= plan.max_iterations {
            Some(Stop::Iterations)
        } else if stuck || stall.ended(k, loss, envelope.as_ref().map(EnvelopeWalk::loss), &floor) {
            Some(Stop::Rounding)
        } else if !progress(&Moment { iteration: k, loss, network: &network }) {
            Some(Stop::Interrupted)
        } else {
            None
        };
        if stop.is_some() {
            history.pop_if(|r: &mut Record| r.iteration == k);
        }
        if k >= next_record || stop.is_some() {
            history.push(Record {
                iteration: k,
                loss,
                envelope: envelope.as_ref().map(EnvelopeWalk::loss),
                path: optimizer.path(),
                distance: optimizer.distance(),
                kernel_movement: kernel.at(optimizer.as_ref(), &set, &plan.metric, par, stop.is_some()),
            });
            // Every iteration at first, then a constant number per factor of e.
            next_record = k + 1 + k / 200;
        }
        if let Some(stop) = stop {
            break stop;
        }
        let began = Instant::now();
        stuck = !optimizer.step();
        stepping += began.elapsed();
        if let Some(walk) = &mut envelope {
            walk.advance();
        }
    };
    let network = coordinates.leave(&optimizer.network(), &plan.start);
    Run {
        folded_loss: loss_of(&network, problem, par),
        network,
        iterations: optimizer.iteration(),
        final_loss: optimizer.loss(),
        history,
        stop,
        stepping,
    }
}

/// The method of a plan at its start, which is in the coordinates of the set.
fn optimizer<'a>(
    start: Network,
    set: &'a TrainingSet,
    problem: &Problem,
    plan: &'a Plan,
    par: Par,
) -> Box<dyn Optimizer + 'a> {
    let field = || NetworkField::new(start.clone(), set.inputs.clone(), problem, &plan.metric, par);
    match plan.algorithm {
        Algorithm::GradientDescent { step_size } => Box::new(Descent::new(start, set, &plan.metric, step_size, par)),
        Algorithm::Adam { step_size } => {
            let field = field();
            let method = Box::new(Adam::new(step_size, field.dimension()));
            Box::new(Walk::new(field, &start, method))
        }
        Algorithm::Lbfgs => Box::new(Walk::new(field(), &start, Box::new(Lbfgs::new(Lbfgs::MEMORY)))),
    }
}

/// The loss of outputs that are wrong by about ten units in the last place of output and target.
pub(crate) fn rounding_level(outputs: &[f64], set: &TrainingSet) -> f64 {
    let sizes = outputs.iter().zip(&set.targets).zip(&set.multiplicity);
    let squares: f64 = sizes.map(|((f, y), m)| m * (10.0 * f64::EPSILON * (f.abs() + y.abs())).powi(2)).sum();
    squares / set.total()
}

/// Does a run stand still because of rounding?
///
/// The run is looked at in windows. One has no progress if the smallest loss in it is more than half of the smallest before.
/// A window lasts until the envelope has fallen by a factor 16, where there is one, so that only rounding can explain a
/// loss that does not follow it from above; without one, for a quarter of the run so far. Never less than [`Stall::PATIENCE`].
pub(crate) struct Stall {
    /// First iteration of the window, smallest loss before it, envelope at its beginning.
    since: u64,
    before: f64,
    envelope: f64,
    smallest: f64,
}

impl Stall {
    const PATIENCE: u64 = 200;

    pub(crate) fn new(loss: f64) -> Stall {
        Stall { since: 0, before: loss, envelope: f64::INFINITY, smallest: f64::INFINITY }
    }

    /// After iteration k with this loss; `level` is the rounding level of the loss.
    pub(crate) fn ended(&mut self, k: u64, loss: f64, envelope: Option<f64>, level: &dyn Fn() -> f64) -> bool {
        self.smallest = self.smallest.min(loss);
        let old = match envelope {
            Some(bound) => 16.0 * bound < self.envelope,
            None => k - self.since > self.since / 4,
        };
        if !old || k - self.since < Stall::PATIENCE {
            return false;
        }
        let above = match envelope {
            Some(bound) => self.smallest > 4.0 * bound,
            None => self.smallest < level(),
        };
        if above && self.smallest > 0.5 * self.before {
            return true;
        }
        *self = Stall {
            since: k,
            before: self.before.min(self.smallest),
            envelope: envelope.unwrap_or(f64::INFINITY),
            smallest: f64::INFINITY,
        };
        false
    }
}

/// S of a network that reads raw samples.
pub fn loss_of(network: &Network, problem: &Problem, par: Par) -> f64 {
    let rows = problem.rows.middle().to_owned();
    let samples = rows.nrows();
    let mut passes = crate::network::passes::Passes::new(network, samples);
    passes.forward(network, &crate::network::passes::LayerInputs::Rows(rows), par);
    let squares = passes.output.iter().zip(&problem.targets).zip(&problem.multiplicity);
    squares.map(|((f, y), &m)| f64::from(m) * (f - y).powi(2)).sum::<f64>() / problem.total()
}

/// The certified envelope of the residual, iteration by iteration.
pub(crate) enum EnvelopeWalk<'a> {
    Contraction { certified: &'a Certified, u: Upper, n: f64 },
    Spectral { envelope: crate::theorem::envelope::SpectralEnvelope<'a>, n: f64 },
}

impl<'a> EnvelopeWalk<'a> {
    pub(crate) fn new(certified: &'a Certified, n: f64) -> EnvelopeWalk<'a> {
        let u = certified.residual;
        match (&certified.spectrum, certified.found.envelope) {
            (Some(spectrum), Envelope::Spectral) => EnvelopeWalk::Spectral {
                envelope: spectrum.envelope(&certified.found.descent, &certified.profile, u),
                n,
            },
            _ => EnvelopeWalk::Contraction { certified, u, n },
        }
    }

    pub(crate) fn advance(&mut self) {
        match self {
            EnvelopeWalk::Contraction { certified, u, .. } => *u = certified.found.descent.factor(*u) * *u,
            EnvelopeWalk::Spectral { envelope, .. } => envelope.advance(),
        }
    }

    /// The bound of S.
    pub(crate) fn loss(&self) -> f64 {
        let (u, n) = match self {
            EnvelopeWalk::Contraction { u, n, .. } => (*u, n),
            EnvelopeWalk::Spectral { envelope, n } => (envelope.current(), n),
        };
        (u.square() / gradcert_rigor::Lower::new(*n)).get()
    }
}

/// How far the tangent kernel has moved: computed at iterations 0, 1, 2, 4, 8, ... and at the end, for up to
/// [`KernelMovement::LARGEST`] samples (at the end always).
struct KernelMovement {
    start: Option<Mat<f64>>,
}

impl KernelMovement {
    const LARGEST: usize = 1000;

    fn new(start: &Network, set: &TrainingSet, metric: &Metric, par: Par) -> KernelMovement {
        let small = set.inputs.samples() <= 4 * KernelMovement::LARGEST;
        KernelMovement { start: small.then(|| tangent_kernel(start, &set.inputs, metric, par)) }
    }

    fn at(&self, run: &dyn Optimizer, set: &TrainingSet, metric: &Metric, par: Par, last: bool) -> Option<f64> {
        let start = self.start.as_ref()?;
        let k = run.iteration();
        if k == 0 {
            return Some(0.0);
        }
        let due = last || (k.is_power_of_two() && set.inputs.samples() <= KernelMovement::LARGEST);
        due.then(|| {
            let now = tangent_kernel(&run.network(), &set.inputs, metric, par);
            (&now - start).norm_l2() / start.norm_l2()
        })
    }
}
