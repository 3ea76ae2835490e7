//! From a problem and options to a certificate, or to coded reasons why there is none.

pub mod audit;
pub mod flow;
pub mod given;
pub mod positive;
pub mod problem;
pub mod random;
pub mod record;
pub mod search;

use crate::network::Network;
use crate::network::activation::Activation;
use crate::theorem::centre::Metric;
use crate::theorem::original::Original;
use crate::theorem::profile::Profile;
use crate::theorem::start::PositiveStart;
use gradcert_certificate::format::{Envelope, Form};
use gradcert_rigor::{Lower, Upper};
use problem::Problem;
use search::{Found, Spectrum};
use serde::Serialize;

/// How large the output weights A of the positive start are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scale {
    /// The smallest A, to 5 %, whose certified count is at most `ceil(1.1 N)`, N the count for A -> infinity. Whole
    /// iterations are rounded up: where N = 2 it is 3.
    Auto,
    /// The smallest certifiable A.
    Minimum,
    /// This A.
    Fixed(f64),
}

/// How large the entries of the hidden layers 2..L-1 of the positive start are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HiddenScale {
    /// A multiple of 1/width that allows the smallest A.
    Auto,
    /// This entry in every hidden layer.
    Fixed(f64),
}

/// Step sizes of the layers after the first, relative to the first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LayerSteps {
    /// Plain gradient descent.
    Equal,
    /// One metric factor for all later layers, chosen.
    Auto,
}

/// What is asked of the certificate.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Widths of the hidden layers, L - 1 of them.
    pub hidden_widths: Vec<usize>,
    /// The activation of the hidden layers.
    pub activation: Activation,
    /// See [`Scale`].
    pub scale: Scale,
    /// See [`HiddenScale`].
    pub hidden_scale: HiddenScale,
    /// See [`LayerSteps`].
    pub layer_steps: LayerSteps,
    /// Train the first layer alone.
    pub first_layer_only: bool,
    /// Freeze every bias at its start.
    pub freeze_bias: bool,
    /// The level of the loss S (a mean) that counts as zero.
    pub tolerance: f64,
    /// The bounds.
    pub method: Method,
}

/// Which bounds certify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Ours: (T9+), (T9m) with (T4), (T5), (T5s).
    Sharp,
    /// The original constants (T8) with the step of (T2).
    Paper,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            hidden_widths: vec![32],
            activation: Activation::SmoothLeakyRelu(0.1),
            scale: Scale::Auto,
            hidden_scale: HiddenScale::Auto,
            layer_steps: LayerSteps::Equal,
            first_layer_only: false,
            freeze_bias: false,
            tolerance: 1e-20,
            method: Method::Sharp,
        }
    }
}

/// Why there is no certificate. A decline is an answer, not an error.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reason {
    /// Stable name of the unmet hypothesis.
    pub code: &'static str,
    /// What failed, with numbers, and the remedy.
    pub message: String,
}

impl Reason {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Reason {
        Reason { code, message: message.into() }
    }
}

/// A problem or options that make no sense, whatever is to be certified.
pub(crate) fn inconsistent(problem: &Problem, options: &Options) -> Option<Reason> {
    let n = problem.rows.nrows();
    if n == 0 || problem.rows.ncols() == 0 || problem.targets.len() != n || problem.multiplicity.len() != n {
        return Some(Reason::new(
            "shapes",
            "one target and one multiplicity per sample, at least one sample and feature",
        ));
    }
    if !(problem.targets.iter().all(|y| y.is_finite())
        && problem.rows.is_bounded()
        && !problem.multiplicity.contains(&0))
    {
        return Some(Reason::new("not_finite", "samples and targets are finite, multiplicities positive"));
    }
    if !(options.tolerance > 0.0 && options.tolerance.is_finite()) {
        return Some(Reason::new("tolerance", "the tolerance is a positive number"));
    }
    let floor = options.activation.slope_floor().get();
    let leaky = matches!(options.activation, Activation::SmoothLeakyRelu(_));
    (leaky && !(floor > 0.0 && floor < 1.0))
        .then(|| Reason::new("activation", "the slope of the smooth leaky-ReLU lies between 0 and 1"))
}

/// The start a certificate speaks about.
#[derive(Clone, Debug)]
pub enum StartKind {
    /// The positive start.
    Positive(PositiveStart),
    /// Given parameters.
    Given(Network),
}

/// A certified descent with everything it was derived from.
pub struct Certified {
    /// The start.
    pub start: StartKind,
    /// The metric.
    pub metric: Metric,
    /// The bounds as functions of the radius, up to the certified one.
    pub profile: Profile,
    /// Radius, step, count.
    pub found: Found,
    /// Spectrum of the tangent kernel at w0, where it was computed.
    pub spectrum: Option<Spectrum>,
    /// `|rho(w0)|`.
    pub residual: Upper,
    /// `smin(Xt)`.
    pub smin_inputs: Lower,
    /// `|Xt|`.
    pub smax_inputs: Upper,
    /// `smin(J(w0))`.
    pub smin_start: Lower,
    /// `|J(w0)|`.
    pub smax_start: Upper,
}

impl Certified {
    /// The statements that certified.
    pub fn theorem(&self) -> String {
        let form = match self.found.descent.form {
            Form::First => "first form",
            Form::Second => "second form",
        };
        let envelope = match self.found.envelope {
            Envelope::Contraction => "T5",
            Envelope::Spectral => "T5s",
        };
        format!("T4 ({form}), {envelope}")
    }

    /// Every iteration multiplies S by at most `1 - rate`.
    pub fn rate(&self) -> Lower {
        self.found.descent.rate(self.residual)
    }

    /// The certified radius, in the coordinates of the metric.
    pub fn radius(&self) -> f64 {
        self.profile.radius[self.found.descent.index]
    }

    /// A bound of `|K - K0| / |K0|` anywhere on the run: how far from linear the training can be.
    pub fn kernel_movement(&self) -> Upper {
        let j = self.found.descent.index;
        let change = self.profile.drift[j] * (self.profile.norm[j] + self.smax_start);
        // |K0| from below by its largest eigenvalue (Weyl: within the defect of the computed one); smin is always at hand.
        let computed = self.spectrum.as_ref().map_or(Lower::ZERO, Spectrum::largest_eigenvalue);
        change / computed.max(self.smin_start.square())
    }
}

/// The answer.
pub enum Outcome {
    /// Proved by our bounds.
    Certified(Box<Certified>),
    /// Proved by the original theorem with its explicit constants.
    CertifiedOriginal(Box<Original>),
    /// Not proved, and why.
    Declined(Vec<Reason>),
}

/// What every certificate states, by whichever method.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// `eta`, the step on the mean loss S.
    pub step_size: f64,
    /// The run stays within this distance of its start.
    pub radius: f64,
    /// S is at most the tolerance from this iteration on.
    pub iterations: u64,
    /// Every iteration multiplies S by at most `1 - rate`.
    pub rate: f64,
    /// `smin(J) >= smin_lower` on the ball.
    pub smin_lower: f64,
    /// The statements used.
    pub theorem: String,
}

impl Outcome {
    /// What is certified, if anything is.
    pub fn facts(&self, n: f64) -> Option<Facts> {
        match self {
            Outcome::Declined(_) => None,
            Outcome::Certified(c) => Some(Facts {
                step_size: c.found.descent.step_size,
                radius: c.radius(),
                iterations: c.found.iterations,
                rate: c.rate().get(),
                smin_lower: c.found.descent.psi().get(),
                theorem: c.theorem(),
            }),
            Outcome::CertifiedOriginal(o) => Some(Facts {
                step_size: o.step_size,
                radius: o.radius,
                iterations: o.iterations,
                rate: o.rate.get(),
                // alpha = (4/n) smin^2.
                smin_lower: (o.alpha * Lower::new(n) * Lower::new(0.25)).sqrt().get(),
                theorem: "T7, T8 (original constants), T2".to_owned(),
            }),
        }
    }

    /// The positive start that is certified, if it is one.
    pub fn positive_start(&self) -> Option<&PositiveStart> {
        match self {
            Outcome::Certified(c) => match &c.start {
                StartKind::Positive(p) => Some(p),
                StartKind::Given(_) => None,
            },
            Outcome::CertifiedOriginal(o) => Some(&o.start),
            Outcome::Declined(_) => None,
        }
    }

    /// Widths d_0, ..., d_L and activation of the certified network.
    pub fn architecture(&self) -> Option<(Vec<usize>, Activation)> {
        if let Some(positive) = self.positive_start() {
            return Some((positive.widths.clone(), positive.activation));
        }
        match self {
            Outcome::Certified(c) => match &c.start {
                StartKind::Given(network) => Some((network.widths(), network.activation)),
                StartKind::Positive(_) => None,
            },
            _ => None,
        }
    }

    /// The certified start as a network in the coordinates of the problem, and the metric.
    pub fn start(&self) -> Option<(Network, Metric)> {
        match self {
            Outcome::Certified(c) => Some((
                match &c.start {
                    StartKind::Positive(p) => p.network(),
                    StartKind::Given(network) => network.clone(),
                },
                c.metric.clone(),
            )),
            Outcome::CertifiedOriginal(o) => Some((o.start.network(), o.start.metric.clone())),
            Outcome::Declined(_) => None,
        }
    }
}
