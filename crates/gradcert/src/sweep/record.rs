//! What is kept of a run.

use super::options::OptionTexts;
use crate::train::run::Stop;
use serde::{Deserialize, Serialize};

/// Numbers of a certificate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// S is at most the tolerance from this iteration on.
    pub iterations: u64,
    /// eta.
    pub step_size: f64,
    /// The run stays within this distance of its start.
    pub radius: f64,
    /// Every iteration multiplies S by at most `1 - rate`.
    pub rate: f64,
    /// `smin(J)` on the ball, from below.
    pub smin_lower: f64,
    /// The statements used.
    pub theorem: String,
}

/// Why nothing is certified.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Declined {
    /// Stable name of the unmet hypothesis.
    pub code: String,
    /// What failed.
    pub message: String,
}

/// The loss along a run, at 0, 1, 2, ... and then at ever larger distances, and at its end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// k.
    pub iteration: Vec<u64>,
    /// S(w_k).
    pub loss: Vec<f64>,
    /// Certified upper bound of S(w_k); empty without a certificate of this run.
    pub envelope: Vec<f64>,
}

/// A training run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// eta.
    pub step_size: f64,
    /// S(w_0).
    pub initial_loss: f64,
    /// Iterations done.
    pub iterations: u64,
    /// S at the end; `None` if it is not finite.
    pub final_loss: Option<f64>,
    /// Why it ended.
    pub stop: Stop,
    /// The levels asked for, the largest first.
    pub levels: Vec<f64>,
    /// The first iteration at or below each level.
    pub reached: Vec<Option<u64>>,
    /// The loss along the run, if asked for.
    pub history: Option<History>,
}

/// One finished run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The key of the run.
    pub key: String,
    /// Its options.
    pub options: OptionTexts,
    /// Beginning of the hash of inputs and targets.
    pub data: String,
    /// Distinct samples.
    pub samples: usize,
    /// Features.
    pub features: usize,
    /// Entry of W_L of a positive start.
    pub scale: Option<f64>,
    /// Entry of the hidden layers of a positive start with more than two layers.
    pub hidden_scale: Option<f64>,
    /// What is certified, if that was asked for and is so.
    pub certificate: Option<Certificate>,
    /// Why nothing is certified, if that was asked for and is so.
    pub declined: Vec<Declined>,
    /// Largest and smallest eigenvalue of the tangent kernel at the start, in the metric, as floats.
    pub kernel: Option<(f64, f64)>,
    /// The training run, if there was one.
    pub training: Option<Training>,
}

impl Record {
    /// The first iteration with S at most `level`, if the run recorded it.
    pub fn reached(&self, level: f64) -> Option<u64> {
        let training = self.training.as_ref()?;
        training.levels.iter().position(|l| *l == level).and_then(|at| training.reached.get(at).copied().flatten())
    }
}
