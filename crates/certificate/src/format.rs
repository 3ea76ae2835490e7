//! The certificate file: canonical JSON, every real number an exact hexadecimal float.
//!
//! A file holds one record of the data and one certificate per problem (a data set with k > 2 classes is k problems,
//! one class against the rest). Fields are never optional and unknown fields are refused, so that nothing in a file is
//! read by one program and ignored by another.
//!
//! *Direction.* Every number that states a bound may be weaker than the truth, never stronger; the checker accepts a
//! number that is weaker than what it derives itself.

use crate::hex::HexFloat;
pub use crate::width::Width;
use serde::{Deserialize, Serialize};

/// The value of [`File::format`].
pub const FORMAT: &str = "gradcert-certificate";
/// The value of [`File::version`].
pub const VERSION: u32 = 1;

/// A certificate file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Always [`FORMAT`].
    pub format: String,
    /// Always [`VERSION`].
    pub version: u32,
    /// Name and version of the program that wrote the file; nothing depends on it.
    pub producer: String,
    /// The inputs all certificates of the file speak about.
    pub data: Data,
    /// One certificate per problem, at least one.
    pub certificates: Vec<Certificate>,
}

/// The inputs, before anything is done to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// Number n of samples (duplicates counted).
    pub samples: usize,
    /// Number d of features.
    pub features: usize,
    /// [`crate::hash::inputs`] of the n x d array.
    pub inputs_sha256: String,
    /// Were equal rows with equal targets merged, with multiplicities (T13)? The claims then speak about the same
    /// trajectory; n stays the number of samples.
    pub merge_duplicates: bool,
}

/// What is claimed about one network on one problem.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// Name of the problem: the target column, or "CLASS against the rest".
    pub problem: String,
    /// [`crate::hash::targets`] of the n targets as numbers; of n d_L, sample by sample, where there are several outputs.
    pub targets_sha256: String,
    /// The network.
    pub network: Network,
    /// The parameters w0 from which descent starts.
    pub start: Start,
    /// The metric of the descent.
    pub metric: Metric,
    /// What was proved.
    pub claim: Claim,
    /// What the proof takes for granted, in words.
    pub assumptions: Vec<String>,
    /// What the claim does not say, in words.
    pub limits: Vec<String>,
}

/// Architecture and input coordinates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// `d_0, d_1, ..., d_L`. `d_0` is the number of features of raw inputs, the number of (merged) samples of whitened
    /// ones; `d_L = 1`, but for audits.
    pub widths: Vec<usize>,
    /// Name of the activation of every hidden layer, as the command line spells it.
    pub activation: String,
    /// What the first layer reads.
    pub inputs: Inputs,
}

/// The coordinates of the first layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inputs {
    /// The rows of the data, `z_1 = W_1 x + b_1`.
    Raw,
    /// (T12) with `T = (X^T)^+` in exact arithmetic: `z_1 = V T x`, so sample i reads `T x_i = e_i` exactly. Needs rank n.
    Whitened,
    /// (T12) with `T = (X~^T)^+`, `X~ = [X, 1]`: `z_1 = V T [x; 1]`, sample i reads `e_i` exactly. Needs X~ of rank n.
    WhitenedWithBias,
}

/// The start w0. Biases of a positive start are 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Start {
    /// `W_1 = 0`, every entry of `W_l` equals `hidden[l - 2]` for `1 < l < L`, every entry of `W_L` equals `output`.
    Positive {
        /// `a_2, ..., a_{L-1}` > 0.
        hidden: Vec<HexFloat>,
        /// `A` > 0.
        output: HexFloat,
    },
    /// Parameters from a file: [`crate::hash::parameters`] of `W_1, b_1, ..., W_L, b_L`.
    Tensors {
        /// Hash of the parameters.
        sha256: String,
    },
}

/// `u = D^{-1} w`, one factor per group; 0 freezes the group. Descent is `w <- w - eta D^2 grad S`, and radii, path
/// lengths and all derivatives are in `u`. Plain descent with trained biases has every factor 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Factors of `W_1, ..., W_L`.
    pub weights: Vec<HexFloat>,
    /// Factors of `b_1, ..., b_L`; the first is 0 on whitened inputs.
    pub biases: Vec<HexFloat>,
}

/// What was proved. Other kinds of claims (functions) will be further variants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Claim {
    /// Descent in exact arithmetic interpolates, by (T4), (T5), (T5s) on (T9+), (T9m).
    Descent(Descent),
    /// The same by the original constants (T7), (T8) and the original step (T2).
    DescentOriginal(DescentOriginal),
    /// Next to the given parameters there are others that interpolate exactly, by (T15), (T16).
    Audit(Audit),
    /// Descent on a two-layer ReLU network of this width interpolates, by (T14).
    Width(Width),
}

/// Gradient descent on `S = |rho|^2 / n` (a mean) with step `step_size`, from w0, in exact arithmetic: it stays within
/// `radius` of w0 (total path included), `|rho_k|` decreases and converges linearly to 0, every iteration multiplies S
/// by at most `1 - rate`, and `S <= tolerance` from iteration `iterations` on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Descent {
    /// `eta`.
    pub step_size: HexFloat,
    /// `r`; equals the last of `radii`.
    pub radius: HexFloat,
    /// Level of S that counts as zero.
    pub tolerance: HexFloat,
    /// Certified number of iterations.
    pub iterations: u64,
    /// Every iteration multiplies S by at most `1 - rate`.
    pub rate: HexFloat,
    /// Which hypothesis of (T4) holds.
    pub form: Form,
    /// Which envelope gives `iterations`.
    pub envelope: Envelope,
    /// The theta of that form (thA or thL), rounded down.
    pub theta: HexFloat,
    /// `|rho(w0)| <= residual`.
    pub residual: HexFloat,
    /// Weighted inputs: `smin(Xt) >= smin_inputs`, Xt with the metric factors of the first layer.
    pub smin_inputs: HexFloat,
    /// `|Xt| <= smax_inputs`.
    pub smax_inputs: HexFloat,
    /// `smin(J(w0)) >= smin_start`.
    pub smin_start: HexFloat,
    /// `|J(w0)| <= smax_start`.
    pub smax_start: HexFloat,
    /// `0 < s_1 < ... < s_J = r`.
    pub radii: Vec<HexFloat>,
    /// `smin(J(w)) >= psi[j]` on the closed ball `B(w0, s_j)`; positive, non-increasing.
    pub psi: Vec<HexFloat>,
    /// `|J| <= jacobian_norm` on `B(w0, r)`.
    pub jacobian_norm: HexFloat,
    /// Lipschitz constant of J on `B(w0, r)`.
    pub jacobian_lipschitz: HexFloat,
    /// `|J - J(w0)| <= jacobian_drift` on `B(w0, r)`.
    pub jacobian_drift: HexFloat,
}

impl Descent {
    /// The claim in words.
    pub fn promise(&self) -> String {
        promise(self.step_size, self.tolerance, self.iterations, self.rate)
    }
}

fn promise(step: HexFloat, tolerance: HexFloat, iterations: u64, rate: HexFloat) -> String {
    let count = format!("the loss is at most {tolerance:e} after {iterations} iterations");
    format!("descent with step {step:e}: {count}, each multiplies it by at most 1 - {rate:e}")
}

/// The two hypotheses of (T4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// `|rho(w0)| < thA integral_0^r psi`.
    First,
    /// `|rho(w0)| < integral_0^r (thL psi - lam sJ)`, the integrand non-negative.
    Second,
}

/// How the residual is bounded along the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Envelope {
    /// (T5).
    Contraction,
    /// (T5s), at every k the smaller of it and (T5).
    Spectral,
}

/// (T7), (T8) with the step of (T2): gradient descent on S from the positive start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DescentOriginal {
    /// `eta <= min(r / (L1 sqrt p), 2 eps / (L2 p))`.
    pub step_size: HexFloat,
    /// `r`: half the smallest hidden entry, or chosen below A when L = 2.
    pub radius: HexFloat,
    /// Level of S that counts as zero.
    pub tolerance: HexFloat,
    /// Certified number of iterations.
    pub iterations: u64,
    /// `delta = min(1, (1 - eps) alpha eta)`, rounded down.
    pub rate: HexFloat,
    /// `eps` in (0, 1) with `4 S(w0) < (1 - eps)^2 r^2 alpha`.
    pub epsilon: HexFloat,
    /// `|rho(w0)| <= residual`.
    pub residual: HexFloat,
    /// `smin(Xt) >= smin_inputs`.
    pub smin_inputs: HexFloat,
    /// Lower bound of `alpha(w0, r)` by (T8).
    pub alpha: HexFloat,
    /// `L1`: bound of every first partial derivative of S on `B(w0, 2r)`.
    pub first_partials: HexFloat,
    /// `L2`: bound of every second partial derivative of S on `B(w0, 2r)`.
    pub second_partials: HexFloat,
}

impl DescentOriginal {
    /// The claim in words.
    pub fn promise(&self) -> String {
        promise(self.step_size, self.tolerance, self.iterations, self.rate)
    }
}

/// (T15) Parameters w* with `|w* - w0| <= distance` interpolate exactly: every output equals its target. No bound on the
/// number of samples by that of features is needed; `smin(J(w0)) > 0` is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// `|rho(w0)| <= residual`.
    pub residual: HexFloat,
    /// `smin(J(w0)) >= smin_start > 0`, the (n d_L)-th singular value.
    pub smin_start: HexFloat,
    /// `|J(w0)| <= smax_start`.
    pub smax_start: HexFloat,
    /// `|J(w0)^+ rho(w0)| <= correction`: the length of the Gauss-Newton step.
    pub correction: HexFloat,
    /// What bounds kappa of (T15).
    pub curvature: Curvature,
    /// Upper bound of the distance, in the coordinates of the metric.
    pub distance: HexFloat,
    /// What is claimed about gradient descent from w0.
    pub convergence: Convergence,
}

/// Where a non-decreasing kappa with `|J(w0)^+ (J(w) - J(w0))| <= kappa(|w - w0|)` comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Curvature {
    /// (T9+): `kappa = drift[j] / smin_start` on `(radii[j-1], radii[j]]`, the first entry also at 0.
    Drift {
        /// `0 < s_1 < ... < s_J`.
        radii: Vec<HexFloat>,
        /// `|J - J(w0)| <= drift[j]` on `B(w0, s_j)`.
        drift: Vec<HexFloat>,
    },
    /// (T16) in its Taylor form: `kappa(s) = sum_k N_k s^(k-1) / (k-1)!` for `s <= radius`.
    Taylor {
        /// Which bounds of the derivatives.
        orders_by: OrdersBy,
        /// S: the last order holds on `B(w0, S)`, and kappa is used up to S alone.
        radius: HexFloat,
        /// `N_2, ..., N_K`.
        orders: Vec<HexFloat>,
    },
}

/// The statements that bound derivatives in the norm `|J(w0)^+ .|`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrdersBy {
    /// (T16e): two layers, one output, `3 <= K <= 6`.
    TwoLayers,
    /// (T16d) and (T16n): any depth, `K = 3`.
    RowSpace,
}

/// The claim about gradient descent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Convergence {
    /// None.
    None,
    /// As in a certificate of training. Here `psi[j]` is at most the larger of (T9+) and
    /// `smin_start (1 - kappa(s_j))`; `residual`, `smin_start`, `smax_start` repeat those of the audit.
    Descent(Box<Descent>),
}
