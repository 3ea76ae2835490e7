//! Polish: a trained network is moved to a nearby one that interpolates up to the rounding of its weights.
//!
//! Gauss-Newton damped as Levenberg and Marquardt do, in kernel form: with rows weighted by `sqrt m_i` and the metric D,
//! `w <- w - D^2 J^T (K + mu I)^{-1} rho`, `K = J D^2 J^T` (T6). The system has one row per sample and output however
//! many parameters there are. mu rises until `|rho|` falls, and is kept proportional to S, so that convergence is quadratic where
//! K is regular. Plain floats: what comes out is a proposal, an audit proves something about it.

mod extended;
mod linearised;

use crate::network::Network;
use crate::theorem::centre::Metric;
use extended::extended_outputs;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{LltRegularization, cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::cholesky::llt::solve::{solve_in_place, solve_in_place_scratch};
use faer::{Mat, MatRef, Par};
use linearised::{Linearised, Step};
use std::ops::ControlFlow;

/// What is to be interpolated.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a> {
    /// Distinct samples (n x d_0).
    pub rows: MatRef<'a, f64>,
    /// Targets (n d_L), sample by sample.
    pub targets: &'a [f64],
    /// Multiplicities (n).
    pub multiplicity: &'a [u32],
}

/// How to polish.
#[derive(Clone, Debug)]
pub struct PolishOptions {
    /// Groups with factor 0 keep their values.
    pub metric: Metric,
    /// Stop when `|rho|` is at most this; 0 goes as far as the weights can express.
    pub tolerance: f64,
    /// Stop after this many steps.
    pub max_steps: usize,
    /// The first mu, as a multiple of the mean eigenvalue of K times `min(1, S)`.
    pub damping: f64,
    /// Refuse problems whose two matrices of the size of K exceed this many bytes.
    pub memory: f64,
    /// Threads.
    pub par: Par,
}

impl PolishOptions {
    /// As far as possible, in the given metric.
    pub fn new(metric: Metric, par: Par) -> PolishOptions {
        PolishOptions { metric, tolerance: 0.0, max_steps: 200, damping: 1e-2, memory: 16e9, par }
    }
}

/// One accepted step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PolishStep {
    /// Its number, from 1.
    pub step: usize,
    /// `|rho|` after it, rows weighted by `sqrt m_i`.
    pub residual: f64,
    /// mu.
    pub damping: f64,
}

/// Why polishing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolishStop {
    /// The tolerance was reached.
    Tolerance,
    /// `|rho|` is at the rounding of the weights and no longer falls.
    Rounding,
    /// The allowed number of steps was used up.
    Steps,
    /// The caller asked to stop.
    Interrupted,
}

/// A polished network.
#[derive(Clone, Debug)]
pub struct Polished {
    /// The network; its weights are doubles.
    pub network: Network,
    /// The steps that led to it.
    pub steps: Vec<PolishStep>,
    /// Why they ended.
    pub stop: PolishStop,
    /// `|rho|` before, rows weighted by `sqrt m_i`.
    pub residual_before: f64,
    /// `|rho|` after.
    pub residual_after: f64,
    /// Euclidean norm of the change of all parameters.
    pub change: f64,
    /// Largest change of an output on the samples.
    pub prediction_change: f64,
}

/// Why a network cannot be polished.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PolishError {
    /// Network, samples, targets or metric do not fit together.
    #[error("polishing needs a network that reads these samples, with d_L targets each, and a metric of its layers")]
    Shapes,
    /// A number is not finite, or an output is not.
    #[error("samples, targets and weights must be finite, with finite outputs and positive multiplicities")]
    NotFinite,
    /// Two matrices of the size of K do not fit.
    #[error("{rows} equations (samples times outputs) need about {gigabytes:.0} GB of memory: use fewer samples")]
    Memory {
        /// n d_L.
        rows: usize,
        /// Size of both matrices.
        gigabytes: f64,
    },
    /// K is singular for certain.
    #[error(
        "{parameters} trained parameters cannot make the tangent kernel of {rows} equations (samples times outputs) regular: \
         use a wider network, or train more layers"
    )]
    TooFewParameters {
        /// Trained parameters.
        parameters: usize,
        /// n d_L.
        rows: usize,
    },
    /// `|rho|` cannot be lowered although it is not small: J^T rho vanishes, so K is singular.
    #[error(
        "the tangent kernel is singular where |rho| = {residual:.3e} can no longer be lowered: look for equal samples with \
         different targets, use a wider network, or train it further first"
    )]
    SingularKernel {
        /// `|rho|` there.
        residual: f64,
    },
}

impl PolishError {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            PolishError::Shapes => "shapes",
            PolishError::NotFinite => "not_finite",
            PolishError::Memory { .. } => "resource_limit",
            PolishError::TooFewParameters { .. } | PolishError::SingularKernel { .. } => "singular_kernel",
        }
    }
}

/// Moves the network until `|rho|` no longer falls. The callback sees every step and says whether to go on. The result does
/// not depend on the number of threads.
pub fn polish(
    network: &Network,
    samples: &Samples<'_>,
    options: &PolishOptions,
    progress: &mut dyn FnMut(PolishStep) -> ControlFlow<()>,
) -> Result<Polished, PolishError> {
    check(network, samples, options)?;
    let mut polish = Polish::new(network, samples, options)?;
    let residual_before = polish.state.norm;
    let mut steps = vec![];
    let stop = loop {
        if polish.state.norm <= options.tolerance {
            break PolishStop::Tolerance;
        }
        if steps.len() >= options.max_steps {
            break PolishStop::Steps;
        }
        let before = polish.state.norm;
        let Some(damping) = polish.step() else {
            if polish.at_rounding() {
                break PolishStop::Rounding;
            }
            return Err(PolishError::SingularKernel { residual: polish.state.norm });
        };
        let step = PolishStep { step: steps.len() + 1, residual: polish.state.norm, damping };
        steps.push(step);
        if progress(step).is_break() {
            break PolishStop::Interrupted;
        }
        if polish.state.norm > 0.5 * before && polish.at_rounding() {
            break PolishStop::Rounding;
        }
    };
    let outputs = polish.outputs(network);
    let changes = outputs.iter().zip(&polish.state.outputs).map(|(a, b)| (a - b).abs());
    Ok(Polished {
        steps,
        stop,
        residual_before,
        residual_after: polish.state.norm,
        change: distance(network, &polish.network),
        prediction_change: changes.fold(0.0, f64::max),
        network: polish.network,
    })
}

/// Every parameter rounded to the nearest float32, as an exact double; what exceeds that range becomes infinite.
pub fn round_to_f32(network: &Network) -> Network {
    let round = |x: f64| f64::from(x as f32);
    let mut rounded = network.clone();
    for w in &mut rounded.weights {
        *w = Mat::from_fn(w.nrows(), w.ncols(), |i, j| round(w[(i, j)]));
    }
    rounded.biases.iter_mut().flatten().for_each(|b| *b = round(*b));
    rounded
}

fn entries(network: &Network) -> impl Iterator<Item = f64> {
    let weights = network.weights.iter().flat_map(|w| w.col_iter().flat_map(|c| c.iter().copied()));
    weights.chain(network.biases.iter().flatten().copied())
}

fn distance(a: &Network, b: &Network) -> f64 {
    entries(a).zip(entries(b)).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

fn check(network: &Network, samples: &Samples<'_>, options: &PolishOptions) -> Result<(), PolishError> {
    let (n, layers, metric) = (samples.rows.nrows(), network.weights.len().saturating_sub(1), &options.metric);
    let chained = layers >= 2
        && network.biases.len() == layers + 1
        && (1..=layers).all(|l| {
            let before = if l == 1 { samples.rows.ncols() } else { network.weights[l - 1].nrows() };
            network.weights[l].ncols() == before && network.biases[l].len() == network.weights[l].nrows()
        });
    let rows = n.saturating_mul(network.outputs());
    let fits = chained
        && rows > 0
        && samples.targets.len() == rows
        && samples.multiplicity.len() == n
        && metric.weights.len() == layers + 1
        && metric.biases.len() == layers + 1;
    if !fits {
        return Err(PolishError::Shapes);
    }
    let factors = metric.weights[1..].iter().chain(&metric.biases[1..]);
    let finite = samples.rows.is_all_finite()
        && samples.targets.iter().all(|y| y.is_finite())
        && entries(network).all(f64::is_finite)
        && factors.clone().all(|d| *d >= 0.0 && d.is_finite())
        && !samples.multiplicity.contains(&0);
    if !finite {
        return Err(PolishError::NotFinite);
    }
    let parameters = metric.trained_parameters(network);
    if parameters < rows {
        return Err(PolishError::TooFewParameters { parameters, rows });
    }
    let bytes = 16.0 * (rows as f64).powi(2);
    if bytes > options.memory {
        return Err(PolishError::Memory { rows, gigabytes: bytes / 1e9 });
    }
    Ok(())
}

/// Outputs and residual of a network.
struct State {
    /// `f(x_i)`, sample by sample.
    outputs: Vec<f64>,
    /// `sqrt m_i (f(x_i) - y_i)`.
    residual: Vec<f64>,
    norm: f64,
}

/// A network on its way.
struct Polish<'a> {
    samples: &'a Samples<'a>,
    options: &'a PolishOptions,
    /// `sqrt m_i`.
    roots: Vec<f64>,
    network: Network,
    state: State,
    linearised: Linearised,
    kernel: Mat<f64>,
    factor: Mat<f64>,
    damping: f64,
    /// Are sums compensated?
    precise: bool,
}

/// A step and the norm of `q = (K + mu I)^{-1} rho` that it came from.
struct Direction {
    step: Step,
    size: f64,
}

impl<'a> Polish<'a> {
    fn new(network: &Network, samples: &'a Samples<'a>, options: &'a PolishOptions) -> Result<Polish<'a>, PolishError> {
        let (n, rows) = (samples.rows.nrows(), samples.targets.len());
        let mut polish = Polish {
            samples,
            options,
            roots: samples.multiplicity.iter().map(|&m| f64::from(m).sqrt()).collect(),
            network: network.clone(),
            state: State { outputs: vec![], residual: vec![], norm: 0.0 },
            linearised: Linearised::new(network, n),
            kernel: Mat::zeros(rows, rows),
            factor: Mat::zeros(rows, rows),
            damping: options.damping,
            precise: false,
        };
        polish.state = polish.state_of(network, false);
        if polish.state.norm.is_finite() { Ok(polish) } else { Err(PolishError::NotFinite) }
    }

    /// `f(x_i)`, sample by sample.
    fn outputs(&self, network: &Network) -> Vec<f64> {
        let outputs = network.evaluate(self.samples.rows, self.options.par);
        outputs.col_iter().flat_map(|c| c.iter().copied().collect::<Vec<f64>>()).collect()
    }

    fn state_of(&self, network: &Network, precise: bool) -> State {
        let (outputs, samples) = (self.outputs(network), self.samples);
        let differences: Vec<f64> = if precise {
            let extended = extended_outputs(network, samples.rows, self.options.par);
            extended.iter().zip(samples.targets).map(|((high, low), y)| (high - y) + low).collect()
        } else {
            outputs.iter().zip(samples.targets).map(|(f, y)| f - y).collect()
        };
        let d = network.outputs();
        let residual: Vec<f64> = differences.iter().enumerate().map(|(r, x)| self.roots[r / d] * x).collect();
        let norm = residual.iter().map(|x| x * x).sum::<f64>().sqrt();
        State { outputs, residual, norm }
    }

    /// What rounding every weight and target by one unit in the last place does to `|rho|` at worst.
    fn level(&self) -> f64 {
        f64::EPSILON * self.linearised.sizes(&self.network, self.samples, &self.roots)
    }

    fn at_rounding(&self) -> bool {
        self.state.norm <= self.level()
    }

    /// One step, or `None` if `|rho|` does not fall. Returns mu.
    fn step(&mut self) -> Option<f64> {
        let par = self.options.par;
        self.linearised.pass(&self.network, self.samples.rows, par);
        if !self.precise && self.state.norm < 1e3 * self.level() {
            let state = self.state_of(&self.network, true);
            // Halves of numbers next to overflow are not finite.
            if state.norm.is_finite() {
                (self.precise, self.state) = (true, state);
            }
        }
        self.linearised.kernel(&self.options.metric, &self.roots, par, &mut self.kernel);
        let rows = self.kernel.nrows();
        let mean = (0..rows).map(|r| self.kernel[(r, r)]).sum::<f64>() / rows as f64;
        let total: f64 = self.roots.iter().map(|r| r * r).sum();
        let scale = mean * (self.state.norm.powi(2) / total).min(1.0);
        let mut raise = 4.0;
        // With mu far above the trace the step is a short one of gradient descent: no larger mu makes a difference.
        while self.damping * scale <= 1e3 * mean * rows as f64 {
            let mu = self.damping * scale;
            let direction = self.solve(mu);
            if let Some(gain) = direction.as_ref().and_then(|direction| self.advance(direction, mu)) {
                // Nielsen's rule: smoothly from a third, where the linear problem foretold the fall, to larger mu.
                self.damping *= (1.0 - (2.0 * gain - 1.0).powi(3)).max(1.0 / 3.0);
                return Some(mu);
            }
            if direction.is_some() && self.at_rounding() {
                return None;
            }
            self.damping = (self.damping * raise).max(f64::EPSILON * mean * rows as f64 / scale);
            raise *= 2.0;
        }
        None
    }

    /// `- D^2 J^T (K + mu I)^{-1} rho`; `None` where the factorisation fails.
    fn solve(&mut self, mu: f64) -> Option<Direction> {
        let (par, rows) = (self.options.par, self.kernel.nrows());
        self.factor.copy_from_triangular_lower(&self.kernel);
        for r in 0..rows {
            self.factor[(r, r)] += mu;
        }
        let scratch = cholesky_in_place_scratch::<f64>(rows, par, Default::default());
        let mut memory = MemBuffer::new(scratch.or(solve_in_place_scratch::<f64>(rows, 1, par)));
        let stack = MemStack::new(&mut memory);
        let regularization = LltRegularization::default();
        cholesky_in_place(self.factor.as_mut(), regularization, par, stack, Default::default()).ok()?;
        let mut solution = Mat::from_fn(rows, 1, |r, _| self.state.residual[r]);
        solve_in_place(self.factor.as_ref(), solution.as_mut(), par, stack);
        let d = self.network.outputs();
        let q = solution.col_as_slice(0);
        let weights: Vec<f64> = q.iter().enumerate().map(|(r, q)| -self.roots[r / d] * q).collect();
        let rows = self.samples.rows;
        Some(Direction {
            step: self.linearised.transposed(&self.network, &weights, rows, &self.options.metric, par),
            size: solution.norm_l2(),
        })
    }

    /// Takes the step if `|rho|` falls. Returns by which share of what the linear problem foretells: its residual is
    /// `rho - K q = mu q`.
    fn advance(&mut self, direction: &Direction, mu: f64) -> Option<f64> {
        let moved = direction.step.applied(&self.network);
        let state = self.state_of(&moved, self.precise);
        let (before, after) = (self.state.norm.powi(2), state.norm.powi(2));
        (state.norm < self.state.norm).then(|| {
            (self.network, self.state) = (moved, state);
            (before - after) / (before - (mu * direction.size).powi(2))
        })
    }
}

#[cfg(test)]
mod tests;
