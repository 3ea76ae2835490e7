//! The command line. Options of data and networks and the commands about them are here, the others in files of their own.

mod audit;
mod criterion;
mod kernel;
mod reproduce;
mod sweep;
mod width;

pub(crate) use audit::{AuditArgs, CodingArg, StoreArg};
pub(crate) use criterion::{CriterionArgs, StartPoint};
pub(crate) use kernel::{DeepArgs, KernelCommand, LimitArgs, NtkArgs, ResidualArgs};
pub(crate) use reproduce::{Paper, ReproduceArgs};
pub(crate) use sweep::{SweepCommand, SweepMergeArgs, SweepPlanArgs, SweepRunArgs};
pub(crate) use width::WidthArgs;

use clap::{Args, Parser, Subcommand, ValueEnum};
use gradcert::certify::{HiddenScale, LayerSteps, Scale};
use gradcert::network::activation::Activation;
use gradcert_data::LiftPlan;
use std::path::PathBuf;

/// Provable training: certificates, before training, that gradient descent reaches zero loss.
#[derive(Debug, Parser)]
#[command(name = "gradcert", version, propagate_version = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done (certified, valid), 1 certificate invalid, 2 usage, 3 declined (or the run diverged), 4 bad input, \
5 over a resource limit, 70 bug.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bundled real data: certify, train, check, report.
    Demo(DemoArgs),
    /// Look at data: shape, rank, duplicates, and what can be certified; or at a model.
    Inspect(InspectArgs),
    /// Prove before training that gradient descent interpolates the data.
    Certify(CertifyArgs),
    /// Certify, train, and write certificate, model, history and report.
    Train(TrainArgs),
    /// Re-derive every claim of a certificate with an independent program.
    Check(CheckArgs),
    /// Prove that an exactly interpolating network lies next to a trained one.
    Audit(AuditArgs),
    /// Gradient flow of a network or of a formula, integrated, beside what is proved about it.
    Flow(FlowArgs),
    /// How often four starts (positive, lecun, abs-lecun, conditional) are certified: by the theorem about random starts, and by counting draws.
    Starts(StartsArgs),
    /// Prove that gradient descent on a formula of a few variables reaches a zero of it.
    Criterion(CriterionArgs),
    /// The tangent kernel of a network on the samples, or its limit for wide networks, with a verified bound of the smallest eigenvalue.
    #[command(subcommand)]
    Kernel(KernelCommand),
    /// Is a two-layer ReLU network of some width certified for these data, and which is the smallest that is?
    Width(WidthArgs),
    /// Outputs of a trained model for new samples.
    Predict(PredictArgs),
    /// Many runs over a grid of options: list them, do a share of them, join the records.
    #[command(subcommand)]
    Sweep(SweepCommand),
    /// Figures and tables of a paper, with the data behind them.
    Reproduce(ReproduceArgs),
    /// Shell completions.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Where the samples come from.
#[derive(Clone, Debug, Args)]
pub(crate) struct DataArgs {
    /// File with the samples: .npz (X, y), X.npy,y.npy, .csv/.tsv with header, .parquet, libsvm text; or
    /// bundled:leukaemia, bundled:khan, bundled:coffee.
    #[arg(long, value_name = "FILE")]
    pub(crate) data: String,
    /// Target column of a table, by name or zero-based index (default: the last).
    #[arg(long, value_name = "COL")]
    pub(crate) target: Option<String>,
    /// Numeric targets are classes.
    #[arg(long)]
    pub(crate) labels: bool,
    #[command(flatten)]
    pub(crate) table: TableArgs,
    /// Merge equal rows with equal targets into one with a multiplicity: the same trajectory, less work, and
    /// independence may be restored.
    #[arg(long)]
    pub(crate) merge_duplicates: bool,
    /// Replace the features by D random ones, for more samples than features: fourier:D, tanh:D or relu:D, with a seed and
    /// a scale if wanted, fourier:D:SEED:SCALE, or as printed (default: the seed 0, for relu the first whose features are proved to be independent, and
    /// the median distance of two samples). Everything is then about the lifted numbers.
    #[arg(long, value_name = "LIFT")]
    pub(crate) lift: Option<LiftPlan>,
}

/// How a table is laid out.
#[derive(Clone, Debug, Args)]
pub(crate) struct TableArgs {
    /// Columns of a table that are no features (identifiers, dates), by name or zero-based index.
    #[arg(long, value_delimiter = ',', value_name = "COL,..")]
    pub(crate) ignore: Vec<String>,
    /// The first line of a text table is a sample, not a header.
    #[arg(long, conflicts_with = "header")]
    pub(crate) no_header: bool,
    /// The first line of a text table is a header, even if it consists of numbers.
    #[arg(long)]
    pub(crate) header: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    /// Our bounds.
    Sharp,
    /// The original theorem with its explicit constants.
    Paper,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Train {
    /// Every layer.
    All,
    /// The first layer alone.
    FirstLayer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Steps {
    /// One step size for all parameters: plain gradient descent.
    Equal,
    /// Slower later layers, chosen.
    Auto,
}

/// The start.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum StartArg {
    Positive,
    LeCun,
    AbsoluteLeCun,
    He,
    Xavier,
    /// LeCun weights, trained in the metric of the tangent kernel parametrisation.
    Ntk,
    Conditional,
    File(PathBuf),
    /// Values of the variables of a formula; only `gradcert flow` reads them.
    Point(StartPoint),
}

fn parse_start(text: &str) -> Result<StartArg, String> {
    match text {
        "positive" => Ok(StartArg::Positive),
        "lecun" => Ok(StartArg::LeCun),
        "abs-lecun" => Ok(StartArg::AbsoluteLeCun),
        "he" => Ok(StartArg::He),
        "xavier" => Ok(StartArg::Xavier),
        "ntk" => Ok(StartArg::Ntk),
        "conditional" => Ok(StartArg::Conditional),
        file if file.ends_with(".safetensors") => Ok(StartArg::File(file.into())),
        _ => Err("positive, lecun, abs-lecun, he, xavier, ntk, conditional or a .safetensors file".to_owned()),
    }
}

/// The start of a flow: of a network, or of a formula.
fn parse_flow_start(text: &str) -> Result<StartArg, String> {
    if text.contains('=') { criterion::parse_point(text).map(StartArg::Point) } else { parse_start(text) }
}

fn positive_number(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x > 0.0 && x.is_finite() => Ok(x),
        _ => Err("a positive number".to_owned()),
    }
}

fn parse_box(text: &str) -> Result<(f64, f64), String> {
    let ends =
        text.split_once(',').and_then(|(low, high)| Some((positive_number(low).ok()?, positive_number(high).ok()?)));
    ends.filter(|(low, high)| low < high).ok_or_else(|| "LOW,HIGH with 0 < LOW < HIGH".to_owned())
}

fn parse_scale(text: &str) -> Result<Scale, String> {
    match text {
        "auto" => Ok(Scale::Auto),
        "min" => Ok(Scale::Minimum),
        number => positive_number(number).map(Scale::Fixed).map_err(|_| "auto, min or a positive number".to_owned()),
    }
}

fn parse_hidden_scale(text: &str) -> Result<HiddenScale, String> {
    match text {
        "auto" => Ok(HiddenScale::Auto),
        number => positive_number(number).map(HiddenScale::Fixed).map_err(|_| "auto or a positive number".to_owned()),
    }
}

fn parse_activation(text: &str) -> Result<Activation, String> {
    text.parse::<Activation>().map_err(|e| e.to_string())
}

/// The network and how it is to be trained.
#[derive(Clone, Debug, Args)]
pub(crate) struct NetArgs {
    /// Weight layers, at least 2 (default: 2).
    #[arg(long, value_parser = clap::value_parser!(u16).range(2..=64), conflicts_with = "widths")]
    pub(crate) depth: Option<u16>,
    /// Width of every hidden layer (default: 32).
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000), conflicts_with = "widths")]
    pub(crate) width: Option<u32>,
    /// Widths of the hidden layers, one by one.
    #[arg(long, value_delimiter = ',', value_name = "A,B,..", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) widths: Vec<u32>,
    /// smooth-leaky-relu:C, softplus, tanh, logistic, erf, arctan, algebraic, softsign, identity, silu, gelu
    /// (default: smooth-leaky-relu:0.1).
    #[arg(long, value_parser = parse_activation)]
    pub(crate) activation: Option<Activation>,
    /// positive; drawn: lecun, abs-lecun, he, xavier, ntk (LeCun weights, trained in the tangent kernel parametrisation), conditional
    /// (LeCun with the entries of the later layers in --box); or a .safetensors file, which decides depth, widths and activation.
    #[arg(long, default_value = "positive", value_parser = parse_start)]
    pub(crate) start: StartArg,
    /// Output scale A of the positive start: auto (the smallest, to 5 %, with at most ceil(1.1 N) certified iterations, N
    /// the number for A to infinity), min (the smallest certifiable), or a number.
    #[arg(long, default_value = "auto", value_parser = parse_scale, allow_negative_numbers = true)]
    pub(crate) scale: Scale,
    /// Entries of W_2, ..., W_L of the conditional start (default: A to 2 A with A of --scale; auto is the A at
    /// which the theorem about random starts is likeliest to apply).
    #[arg(long = "box", value_name = "LOW,HIGH", value_parser = parse_box, allow_negative_numbers = true)]
    pub(crate) entry_box: Option<(f64, f64)>,
    /// Entries of the hidden layers of the positive start: auto or a number.
    #[arg(long, default_value = "auto", value_parser = parse_hidden_scale, allow_negative_numbers = true)]
    pub(crate) hidden_scale: HiddenScale,
    /// Step sizes of the layers after the first: equal, or auto (slower, chosen; the default with --whiten).
    #[arg(long, value_enum)]
    pub(crate) layer_steps: Option<Steps>,
    /// Bounds: sharp (ours), or paper (the original explicit constants).
    #[arg(long, value_enum, default_value_t = Method::Sharp)]
    pub(crate) method: Method,
    /// Train the first layer in coordinates in which the samples are unit vectors; folded back into an ordinary network.
    #[arg(long)]
    pub(crate) whiten: bool,
    /// Which layers move.
    #[arg(long, value_enum, default_value_t = Train::All)]
    pub(crate) train: Train,
    /// Keep every bias at its start.
    #[arg(long)]
    pub(crate) freeze_bias: bool,
    /// Draw up to N starts, with the seeds S, S + 1, ..., until one is certified.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    pub(crate) retry: Option<u32>,
    /// Seed S of a random start (default: 0).
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// The mean squared loss that counts as zero.
    #[arg(long, default_value = "1e-20", value_parser = positive_number, allow_negative_numbers = true)]
    pub(crate) tol: f64,
    /// Threads (default: all processors).
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

impl NetArgs {
    /// The widths asked for, or the default ones. A start from a file has its own.
    pub(crate) fn hidden_widths(&self) -> Vec<usize> {
        if self.widths.is_empty() {
            vec![self.width.unwrap_or(32) as usize; usize::from(self.depth.unwrap_or(2)) - 1]
        } else {
            self.widths.iter().map(|&w| w as usize).collect()
        }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed.unwrap_or(0)
    }

    pub(crate) fn activation(&self) -> Activation {
        self.activation.unwrap_or(Activation::SmoothLeakyRelu(0.1))
    }

    /// What was asked for explicitly and a network from a file is not: option, wanted, found.
    pub(crate) fn contradiction(&self, hidden: &[usize], activation: Activation) -> Option<[String; 3]> {
        let answer = |option: &str, wanted: String, found: String| Some([option.to_owned(), wanted, found]);
        let list = |widths: &[usize]| widths.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        match (self.depth, self.width, self.activation) {
            (Some(depth), ..) if usize::from(depth) != hidden.len() + 1 => {
                answer("--depth", depth.to_string(), (hidden.len() + 1).to_string())
            }
            (_, Some(width), _) if hidden.iter().any(|&w| w != width as usize) => {
                answer("--width", width.to_string(), list(hidden))
            }
            _ if !self.widths.is_empty() && self.hidden_widths() != hidden => {
                answer("--widths", list(&self.hidden_widths()), list(hidden))
            }
            (.., Some(wanted)) if wanted != activation => {
                answer("--activation", wanted.to_string(), activation.to_string())
            }
            _ => None,
        }
    }

    pub(crate) fn layer_steps(&self) -> LayerSteps {
        match self.layer_steps {
            Some(Steps::Equal) => LayerSteps::Equal,
            Some(Steps::Auto) => LayerSteps::Auto,
            // The original theorem is about plain descent.
            None if self.whiten && self.method == Method::Sharp => LayerSteps::Auto,
            None => LayerSteps::Equal,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Folder for the results.
    #[arg(long, default_value = "gradcert-demo", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// One JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
// Samples or a model. The empty default stands in for the samples that a model has not; it counts as absent.
#[command(mut_arg("data", |data| data.required(false).required_unless_present("model").default_value("").hide_default_value(true)))]
pub(crate) struct InspectArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Look at a model instead: a gradcert model, a state dict of fully connected layers in safetensors, or ONNX.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "target", "labels", "merge_duplicates", "lift"])]
    pub(crate) model: Option<PathBuf>,
    /// Activation of a state dict, as it is called where the model was made.
    #[arg(long, value_name = "NAME", requires = "model", conflicts_with = "data")]
    pub(crate) activation: Option<String>,
    /// One JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CertifyArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) net: NetArgs,
    /// Certificate file to write.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Show the trade-off: certified iterations and kernel movement against the output scale A.
    #[arg(long)]
    pub(crate) scan: bool,
    /// One JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is said about data and networks means nothing to a formula.
const NETWORK_OPTIONS: [&str; 22] = [
    "lift",
    "data",
    "target",
    "labels",
    "ignore",
    "no_header",
    "header",
    "merge_duplicates",
    "depth",
    "width",
    "widths",
    "activation",
    "scale",
    "entry_box",
    "hidden_scale",
    "layer_steps",
    "method",
    "whiten",
    "train",
    "freeze_bias",
    "retry",
    "seed",
];

#[derive(Debug, Args)]
// Samples or a formula. The empty default stands in for the samples that a formula has not; it counts as absent.
#[command(mut_arg("data", |data| data.required(false).required_unless_present("function").default_value("").hide_default_value(true)))]
#[command(mut_arg("start", |start| start.value_parser(parse_flow_start).allow_hyphen_values(true).help(FLOW_START)))]
pub(crate) struct FlowArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Flow of a formula that is >= 0 instead, like "(x*y - 1)^2": numbers, + - * / ^, sin, cos, exp, log, sqrt, tanh, pi.
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true, requires = "start", conflicts_with_all = NETWORK_OPTIONS)]
    pub(crate) function: Option<String>,
    #[command(flatten)]
    pub(crate) net: NetArgs,
    /// Stop at this time, if the loss has not fallen to --tol before.
    #[arg(long, value_name = "T", value_parser = positive_number, allow_negative_numbers = true)]
    pub(crate) time: Option<f64>,
    /// Steps of the integrator to take at most; stiff problems need many.
    #[arg(long, default_value_t = 200_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_steps: u64,
    /// Integrate although nothing is certified (not the positive start).
    #[arg(long)]
    pub(crate) allow_uncertified: bool,
    /// Folder for history.csv, flow.json and, of networks, model.safetensors.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// One JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

const FLOW_START: &str = "positive; drawn: lecun, abs-lecun, he, xavier, ntk (LeCun weights, trained in the tangent kernel \
parametrisation), conditional (LeCun with the entries of the later layers in --box); or a .safetensors file, which decides depth, widths and activation; of a formula one value for each variable, x=..,y=..";

#[derive(Debug, Args)]
pub(crate) struct StartsArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) net: NetArgs,
    /// Starts to draw per law; both ways of training, all layers and the first alone, are shown.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) draws: u64,
    /// Show LeCun starts also for these hidden widths, equal in every layer ...
    #[arg(long, value_delimiter = ',', value_name = "A,B,..", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) scan_widths: Vec<u32>,
    /// ... and these numbers of weight layers.
    #[arg(long, value_delimiter = ',', value_name = "L,M,..", default_value = "2", requires = "scan_widths", value_parser = clap::value_parser!(u16).range(2..=64))]
    pub(crate) scan_depths: Vec<u16>,
    /// One JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The step to train with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum StepArg {
    Certified,
    Given(f64),
}

fn parse_step(text: &str) -> Result<StepArg, String> {
    match text {
        "certified" => Ok(StepArg::Certified),
        number => positive_number(number).map(StepArg::Given).map_err(|_| "certified or a positive number".to_owned()),
    }
}

/// What to train with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Optimizer {
    /// Gradient descent.
    Gd,
    /// Adam on the full gradient (an uncertified run).
    Adam,
    /// L-BFGS with a line search (an uncertified run).
    Lbfgs,
}

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) net: NetArgs,
    /// Folder for certificate, model, history and report.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// The method. Certificates are about gradient descent with the certified step.
    #[arg(long, value_enum, default_value_t = Optimizer::Gd)]
    pub(crate) optimizer: Optimizer,
    /// certified, or a step size of your own, an uncertified run (default: certified with gd, 0.001 with adam; lbfgs
    /// searches its steps).
    #[arg(long, value_parser = parse_step, allow_negative_numbers = true)]
    pub(crate) step: Option<StepArg>,
    /// Stop after this many iterations (default: the certified number, 100,000 without a certificate).
    #[arg(long, value_name = "N")]
    pub(crate) max_iterations: Option<u64>,
    /// Train although nothing is certified; needs --step ETA or another --optimizer.
    #[arg(long)]
    pub(crate) allow_uncertified: bool,
    /// Audit the iterates 0, K, 2K, ... before the end (as `gradcert audit` does, on raw samples): from which of them plain gradient
    /// descent is proved to converge, and how soon.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) audit_every: Option<u64>,
    /// Do not audit the stored model at the end.
    #[arg(long)]
    pub(crate) no_audit: bool,
    /// One JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The certificate.
    pub(crate) certificate: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Start parameters, where the certificate speaks about given ones (default: beside the certificate).
    #[arg(long, value_name = "FILE")]
    pub(crate) start: Option<PathBuf>,
    /// One JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// The model: a gradcert model, a state dict of fully connected layers in safetensors, or ONNX.
    #[arg(long, value_name = "FILE")]
    pub(crate) model: PathBuf,
    /// Activation of a state dict, as it is called where the model was made: tanh, sigmoid, softplus, gelu, silu, ...
    #[arg(long, value_name = "NAME")]
    pub(crate) activation: Option<String>,
    /// File with the samples; a target column is ignored.
    #[arg(long, value_name = "FILE")]
    pub(crate) data: String,
    #[command(flatten)]
    pub(crate) table: TableArgs,
    /// File to write (default: standard output).
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// One JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}
