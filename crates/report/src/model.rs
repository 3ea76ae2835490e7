//! What a report contains: plain numbers and text.
//!
//! Losses are `S = (1/n) |rho|^2`, the mean of the squared residuals. Radii, distances and path lengths are measured in
//! the metric of the step sizes. Numbers that are not finite are displayed as such and left out of the plots.

use serde::{Deserialize, Serialize};

/// Everything on the page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Heading of the page.
    pub title: String,
    /// Program and version, e.g. `gradcert 0.1.0`.
    pub producer: String,
    /// The command line that reproduces the run.
    pub command: String,
    /// The data.
    pub data: Data,
    /// One entry per output that is trained: one for a regression or two classes, one per class otherwise.
    pub problems: Vec<Problem>,
    /// What the independent checker said, if it ran.
    pub check: Option<Check>,
    /// How well the trained network predicts, e.g. on its own samples and on a test set.
    pub evaluations: Vec<Evaluation>,
}

/// The data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Data {
    /// Its name.
    pub name: String,
    /// Where it came from: a file, a package and its licence.
    pub source: String,
    /// n, the number of samples, repeated ones counted every time.
    pub samples: u64,
    /// d, the number of features.
    pub features: u64,
    /// What is learned, e.g. `4 classes (BL, EWS, NB, RMS), one against the rest`.
    pub target: String,
    /// What the validation found.
    pub findings: Vec<Finding>,
    /// Hash of the inputs, in hexadecimal.
    pub inputs_hash: String,
    /// How often rows occur; empty if duplicates were not looked for.
    pub multiplicities: Vec<Multiplicity>,
}

/// `rows` distinct rows occur `times` times each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Multiplicity {
    /// How often each of these rows occurs.
    pub times: u64,
    /// The number of distinct rows that occur so often.
    pub rows: u64,
}

/// One remark on the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Does it matter for the result?
    pub severity: Severity,
    /// Stable code.
    pub code: String,
    /// The remark.
    pub message: String,
}

/// Weight of a [`Finding`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Look at it before trusting the result.
    Warning,
}

/// One training problem: a network with one target, certified or declined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// Its name, e.g. the class.
    pub name: String,
    /// The network and its start.
    pub network: Network,
    /// The coordinates in which the first layer is trained.
    pub coordinates: Coordinates,
    /// Step factors per layer, from the first; empty for plain gradient descent.
    pub metric: Vec<MetricFactor>,
    /// Certified or declined.
    pub outcome: Outcome,
    /// The main line of the derivation: how the rate grows out of the data, factor by factor.
    pub chain: Vec<Link>,
    /// Where each constant came from, in the order of the derivation: from the data to the iterations. May stop early
    /// when the outcome is declined.
    pub derivation: Vec<Constant>,
    /// How the certified number of iterations builds up, from the ideal to the certified count.
    pub stages: Vec<Stage>,
    /// psi against the radius.
    pub profile: Option<RadiusProfile>,
    /// Eigenvalues of the tangent kernel.
    pub spectrum: Option<Spectrum>,
    /// What training did, if it ran.
    pub training: Option<Training>,
    /// What is proved about the stored model, if it was audited.
    pub audit: Option<Audit>,
}

/// An audit of a stored model: about the numbers in the file, where a certificate made before training is about exact arithmetic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audit {
    /// Parameters with loss 0 exist nearby.
    Certified {
        /// At most so far away.
        distance: f64,
        /// The statements.
        theorem: String,
        /// The step of gradient descent, from the stored model, that is proved to converge, and the iterations to the tolerance.
        descent: Option<(f64, u64)>,
    },
    /// Nothing is proved.
    Declined(Vec<Reason>),
}

/// Architecture and start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// d_0, d_1, .., d_L.
    pub widths: Vec<u64>,
    /// The activation with its parameters.
    pub activation: String,
    /// p, the number of trained parameters.
    pub trained_parameters: u64,
    /// The start.
    pub start: Start,
}

/// How training starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// `W_1 = 0`, biases 0, hidden entries `hidden` (absent with two layers), last-layer entries `scale` (A).
    Positive {
        /// A.
        scale: f64,
        /// a.
        hidden: Option<f64>,
    },
    /// Parameters drawn at random.
    Drawn {
        /// The distribution.
        distribution: String,
        /// The seed.
        seed: u64,
    },
    /// Parameters read from a file.
    Given {
        /// Where they came from.
        source: String,
        /// Their hash, in hexadecimal.
        hash: String,
    },
}

/// Coordinates of the inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coordinates {
    /// The features as given.
    Raw,
    /// Whitened: the inputs become orthonormal.
    Whitened {
        /// Is the bias of the first layer one of the whitened coordinates?
        bias: bool,
    },
}

/// Factors by which the parameters of one layer are scaled; a step is multiplied by the square. 0: frozen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MetricFactor {
    /// Of the weights.
    pub weights: f64,
    /// Of the biases; `None` if the layer has none.
    pub biases: Option<f64>,
}

/// The answer. There is nothing between the two.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Proved.
    Certified(Certificate),
    /// A hypothesis is not met; this is no error.
    Declined(Vec<Reason>),
}

/// Why a certificate was declined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Stable code.
    pub code: String,
    /// What is not met.
    pub message: String,
    /// What could help.
    pub remedy: Option<String>,
}

/// What was proved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// The statements used.
    pub statements: Vec<Statement>,
    /// eta, the step size on S, exactly as used.
    pub step_size: f64,
    /// r: the iterates stay within this distance of the start.
    pub radius: f64,
    /// Number of iterations after which `S <= tolerance` is proved.
    pub iterations: u64,
    /// Every iteration multiplies S by at most `1 - rate`.
    pub rate: f64,
    /// The loss that is promised.
    pub tolerance: f64,
    /// Which arithmetic the certificate speaks about.
    pub arithmetic: Arithmetic,
    /// Certified upper bounds of S, increasing in the iteration.
    pub envelope: Vec<Sample>,
    /// More that was proved, one sentence each.
    pub further_claims: Vec<String>,
    /// More that this certificate does not say, after what every certificate does not say.
    pub limits: Vec<String>,
}

/// A theorem by its label and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// E.g. `T4, first form`.
    pub label: String,
    /// E.g. `descent with steps up to 2/|K|`.
    pub name: String,
}

/// The arithmetic of the certified run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arithmetic {
    /// Real numbers.
    Exact,
    /// Any run whose every step differs from the exact one by at most this much, in the metric.
    Perturbed {
        /// The permitted difference per step.
        deviation: f64,
    },
}

/// A value at an iteration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// The iteration, 0 at the start.
    pub iteration: u64,
    /// The value.
    pub value: f64,
}

/// One link of the main line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// How it follows from the link before, e.g. `× 1.7e5`; empty for the first.
    pub by: String,
    /// E.g. `psi(r)`.
    pub symbol: String,
    /// Its value.
    pub value: f64,
    /// What the value is to the quantity.
    pub direction: Direction,
    /// A few words for the reader.
    pub meaning: String,
}

/// One constant of the derivation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Constant {
    /// E.g. `psi(r)`.
    pub symbol: String,
    /// In words.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// What the value is to the quantity.
    pub direction: Direction,
    /// Where it comes from, e.g. `(T9+)`.
    pub statement: String,
    /// How it is computed from constants above, e.g. `c sJ^2`; empty for what is given or bounded directly.
    pub formula: String,
    /// One sentence for the reader.
    pub explanation: String,
}

/// Relation of a displayed number to the quantity it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// A proved lower bound.
    Lower,
    /// A proved upper bound.
    Upper,
    /// The quantity itself, e.g. a chosen step size.
    Exact,
    /// Not proved, for orientation.
    Estimate,
}

/// One stage in the build-up of the iteration count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// E.g. `condition of the kernel`.
    pub name: String,
    /// Iterations needed once this and all earlier stages are taken into account. Positive.
    pub iterations: f64,
    /// One sentence for the reader.
    pub explanation: String,
}

/// The step function psi: `psi[j]` on `(radius[j-1], radius[j]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RadiusProfile {
    /// Increasing radii.
    pub radius: Vec<f64>,
    /// Lower bounds of the smallest singular value of the Jacobian on those balls.
    pub psi: Vec<f64>,
    /// The integral that the theorem asks for, e.g. `|rho(w0)| / theta`.
    pub needed: f64,
    /// The integral up to the certified radius, or the largest one found if declined.
    pub available: f64,
}

/// Eigenvalues of a kernel matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spectrum {
    /// Of which kernel, e.g. `tangent kernel at the start`.
    pub kernel: String,
    /// The eigenvalues in any order; approximations.
    pub eigenvalues: Vec<f64>,
    /// A verified lower bound of the smallest one.
    pub smallest_verified: Option<f64>,
}

/// What a training run did.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Training {
    /// S.
    pub loss: Vec<Sample>,
    /// First iteration with S at most the tolerance, if it was reached.
    pub iterations_to_tolerance: Option<u64>,
    /// Length of the path walked, in the metric.
    pub path: Vec<Sample>,
    /// Distance from the start, in the metric.
    pub distance: Vec<Sample>,
    /// `|K - K(w0)| / |K(w0)|`, the relative movement of the tangent kernel.
    pub kernel_movement: Vec<Sample>,
    /// Audits of iterates.
    pub audits: Vec<AuditedIterate>,
}

/// What is proved about an iterate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AuditedIterate {
    /// The iteration.
    pub iteration: u64,
    /// Parameters with loss 0 exist within this distance, if that is proved.
    pub distance: Option<f64>,
    /// Gradient descent from here needs at most so many iterations to the tolerance, if that is proved.
    pub remaining: Option<u64>,
}

/// What the independent checker said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The checker and its version.
    pub checker: String,
    /// Valid as a whole? The page treats a check with an unconfirmed line as invalid too.
    pub valid: bool,
    /// What it looked at.
    pub lines: Vec<CheckLine>,
}

/// One verified (or refuted) claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckLine {
    /// Confirmed?
    pub confirmed: bool,
    /// The claim.
    pub text: String,
}

/// Quality of the predictions on one set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The set, e.g. `training` or `test`.
    pub set: String,
    /// Counts per label; empty for a regression.
    pub labels: Vec<LabelCount>,
    /// Named figures, e.g. the root mean squared error.
    pub figures: Vec<NamedValue>,
}

/// Predictions for the samples of one label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelCount {
    /// The label.
    pub label: String,
    /// Samples that carry it.
    pub samples: u64,
    /// Of these, predicted correctly.
    pub correct: u64,
}

/// A number with a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedValue {
    /// The name.
    pub name: String,
    /// The number.
    pub value: f64,
}
