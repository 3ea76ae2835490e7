//! `gradcert kernel`.

use super::{DataArgs, NetArgs, positive_number};
use clap::{Args, Subcommand};
use gradcert::kernel::limit::Unit;
use std::path::PathBuf;

/// A kernel.
#[derive(Debug, Subcommand)]
pub(crate) enum KernelCommand {
    /// The tangent kernel J J^T of a network at its start, J with respect to the parameters of --train and --freeze-bias.
    Ntk(NtkArgs),
    /// The limit, for wide networks, of the tangent kernel of the first layer of two layers of rectified linear units (arXiv 1810.02054).
    Hinf(TwoLayerArgs),
    /// The same with both layers trained.
    HinfJoint(TwoLayerArgs),
    /// The limit K^(H) for fully connected networks (arXiv 1811.03804).
    Fc(DeepArgs),
    /// The limit K^(H) for residual networks.
    Resnet(ResidualArgs),
    /// The limit K^(H) for convolutional residual networks.
    ConvResnet(ConvolutionalArgs),
}

/// What is written.
#[derive(Debug, Args)]
pub(crate) struct KernelOutput {
    /// File for the matrix (.npy, float64); for several problems a folder.
    #[arg(long, value_name = "K.npy")]
    pub(crate) out: Option<PathBuf>,
    /// Leave out the verified bound of the smallest eigenvalue, which takes longer than the matrix.
    #[arg(long)]
    pub(crate) no_bound: bool,
    /// One JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct NtkArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) net: NetArgs,
    #[command(flatten)]
    pub(crate) output: KernelOutput,
}

/// What all limits have in common.
#[derive(Debug, Args)]
pub(crate) struct LimitArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Divide every sample by its norm: the theorems are about unit vectors.
    #[arg(long)]
    pub(crate) normalize: bool,
    /// File for the eigenvalues, in floats: a picture (.svg, .png) or a table (.csv).
    #[arg(long, value_name = "FILE")]
    pub(crate) spectrum: Option<PathBuf>,
    /// Threads (default: all processors).
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    #[command(flatten)]
    pub(crate) output: KernelOutput,
}

#[derive(Debug, Args)]
pub(crate) struct TwoLayerArgs {
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DeepArgs {
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    /// H, the hidden layers.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) depth: u16,
    /// softplus (ln(1 + e^t) here, as in the paper), relu, tanh, smooth-leaky-relu:C, logistic, erf, arctan, algebraic, softsign,
    /// identity, silu or gelu.
    #[arg(long, default_value = "softplus", value_parser = parse_unit)]
    pub(crate) activation: Unit,
}

#[derive(Debug, Args)]
pub(crate) struct ResidualArgs {
    #[command(flatten)]
    pub(crate) deep: DeepArgs,
    /// The factor c_res of residual layers, between 0 and 1; each layer is multiplied by c_res/H.
    #[arg(long, default_value_t = 0.5, value_parser = positive_number)]
    pub(crate) residual_scale: f64,
}

#[derive(Debug, Args)]
pub(crate) struct ConvolutionalArgs {
    #[command(flatten)]
    pub(crate) residual: ResidualArgs,
    /// Channels: the features of a sample are channel after channel, each with the same number of pixels.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) channels: u32,
    /// q, odd: a unit sees so many neighbouring pixels.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1_000_001))]
    pub(crate) patch: u32,
}

impl KernelCommand {
    /// Is the answer a JSON object?
    pub(crate) fn json(&self) -> bool {
        let output = match self {
            KernelCommand::Ntk(args) => &args.output,
            KernelCommand::Hinf(args) | KernelCommand::HinfJoint(args) => &args.limit.output,
            KernelCommand::Fc(args) => &args.limit.output,
            KernelCommand::Resnet(args) => &args.deep.limit.output,
            KernelCommand::ConvResnet(args) => &args.residual.deep.limit.output,
        };
        output.json
    }
}

/// A unit of a limit.
fn parse_unit(text: &str) -> Result<Unit, String> {
    text.parse::<Unit>().map_err(|e| e.to_string())
}
