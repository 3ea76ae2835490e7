//! Options as Python says them.

use crate::failure::Failure;
use gradcert::certify::problem::{Coordinates, Problem};
use gradcert::certify::random::{self, by_fan_in};
use gradcert::certify::{HiddenScale, LayerSteps, Method, Options, Scale};
use gradcert::network::activation::Activation;
use gradcert::network::random::Law;
use gradcert::theorem::centre::Metric;
use serde::Deserialize;

/// A word, or a number.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum WordOrNumber {
    Number(f64),
    Word(String),
}

/// The network and how it is to be trained.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Net {
    pub(crate) hidden_layer_sizes: Vec<usize>,
    pub(crate) activation: String,
    pub(crate) start: String,
    pub(crate) scale: WordOrNumber,
    pub(crate) hidden_scale: WordOrNumber,
    pub(crate) layer_steps: String,
    pub(crate) method: String,
    pub(crate) whiten: bool,
    pub(crate) train: String,
    pub(crate) freeze_bias: bool,
    pub(crate) retry: u64,
    pub(crate) random_state: u64,
    pub(crate) tol: f64,
    pub(crate) threads: Option<usize>,
}

fn unknown(option: &str, given: &str, choices: &str) -> Failure {
    Failure::Usage(format!("{option}={given:?}: choose {choices}"))
}

fn positive(option: &str, x: f64) -> Result<f64, Failure> {
    let fits = x > 0.0 && x.is_finite();
    if fits { Ok(x) } else { Err(Failure::Usage(format!("{option}={x}: a positive number"))) }
}

impl Net {
    pub(crate) fn options(&self) -> Result<Options, Failure> {
        let scale = match &self.scale {
            WordOrNumber::Word(word) if word == "auto" => Scale::Auto,
            WordOrNumber::Word(word) if word == "min" => Scale::Minimum,
            WordOrNumber::Word(word) => return Err(unknown("scale", word, "'auto', 'min' or a positive number")),
            WordOrNumber::Number(a) => Scale::Fixed(positive("scale", *a)?),
        };
        let hidden_scale = match &self.hidden_scale {
            WordOrNumber::Word(word) if word == "auto" => HiddenScale::Auto,
            WordOrNumber::Word(word) => return Err(unknown("hidden_scale", word, "'auto' or a positive number")),
            WordOrNumber::Number(a) => HiddenScale::Fixed(positive("hidden_scale", *a)?),
        };
        let method = match self.method.as_str() {
            "sharp" => Method::Sharp,
            "paper" => Method::Paper,
            other => return Err(unknown("method", other, "'sharp' or 'paper'")),
        };
        if method == Method::Paper && self.start != "positive" {
            return Err(Failure::Usage("method='paper' is about start='positive'".to_owned()));
        }
        let layer_steps = match self.layer_steps.as_str() {
            "equal" => LayerSteps::Equal,
            "auto" => LayerSteps::Auto,
            // The original theorem is about plain descent.
            "default" if self.whiten && method == Method::Sharp => LayerSteps::Auto,
            "default" => LayerSteps::Equal,
            other => return Err(unknown("layer_steps", other, "'equal' or 'auto'")),
        };
        let first_layer_only = match self.train.as_str() {
            "all" => false,
            "first-layer" => true,
            other => return Err(unknown("train", other, "'all' or 'first-layer'")),
        };
        let sizes = &self.hidden_layer_sizes;
        if sizes.is_empty() || sizes.len() > 63 || sizes.iter().any(|&w| w == 0 || w > 1_000_000) {
            let message = format!("hidden_layer_sizes={sizes:?}: 1 to 63 hidden layers, each 1 to 1000000 wide");
            return Err(Failure::Usage(message));
        }
        let activation: Activation = self.activation.parse().map_err(|e| Failure::Usage(format!("activation: {e}")))?;
        Ok(Options {
            hidden_widths: sizes.clone(),
            activation,
            scale,
            hidden_scale,
            layer_steps,
            first_layer_only,
            freeze_bias: self.freeze_bias,
            tolerance: positive("tol", self.tol)?,
            method,
        })
    }

    pub(crate) fn coordinates(&self) -> Coordinates {
        if self.whiten { Coordinates::Whitened { bias: !self.freeze_bias } } else { Coordinates::Raw }
    }

    /// The law of a drawn start; `None` for the positive one.
    pub(crate) fn law(&self, problem: &Problem, options: &Options) -> Result<Option<Law>, Failure> {
        Ok(match self.start.as_str() {
            "positive" => None,
            "lecun" | "ntk" => Some(Law::LeCun),
            "abs-lecun" => Some(Law::AbsoluteLeCun),
            "he" => Some(Law::He),
            "xavier" => Some(Law::Xavier),
            "conditional" => Some(conditional(problem, options)?),
            other => {
                let choices = "'positive', 'lecun', 'abs-lecun', 'he', 'xavier', 'ntk' or 'conditional'";
                return Err(unknown("start", other, choices));
            }
        })
    }

    /// The metric of a start that is not the positive one, for a network with the widths d_0, ..., d_L.
    pub(crate) fn metric(&self, problem: &Problem, options: &Options, widths: &[usize]) -> Metric {
        let own = Options { hidden_widths: widths[1..widths.len() - 1].to_vec(), ..options.clone() };
        let metric = random::metric(problem, &own);
        if self.start == "ntk" { by_fan_in(metric, widths) } else { metric }
    }
}

/// Later layers in `[A, 2A]`, with the A given or the one at which (T10) is likeliest.
fn conditional(problem: &Problem, options: &Options) -> Result<Law, Failure> {
    let from = |a: f64| Law::Conditional { low: a, high: 2.0 * a };
    if let Scale::Fixed(a) = options.scale {
        return Ok(from(a));
    }
    let likeliest = random::theorem(problem, options).ok().and_then(|t| t.likeliest());
    let missing = "no box is known in which the theorem about random starts holds for this network and these data: give scale=A for the box A, 2A";
    likeliest.map(|l| from(l.scale)).ok_or_else(|| Failure::Usage(missing.to_owned()))
}

/// Sets the number of threads of all linear algebra.
pub(crate) fn set_threads(threads: Option<usize>) {
    faer::set_global_parallelism(match threads {
        Some(1) => faer::Par::Seq,
        Some(k) => faer::Par::rayon(k),
        None => faer::Par::rayon(0),
    });
}

/// How to train.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Training {
    /// `None`: gradient descent with the certified step.
    pub(crate) optimizer: Option<String>,
    pub(crate) step_size: Option<f64>,
    pub(crate) max_iter: Option<u64>,
    /// What is declined is trained without a certificate.
    pub(crate) uncertified: bool,
    pub(crate) audit: bool,
    pub(crate) audit_every: Option<u64>,
}
