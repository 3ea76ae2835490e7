//! Options of `gradcert audit`.

use super::DataArgs;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// The number format in which a polished model is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StoreArg {
    /// Doubles.
    Float64,
    /// Every parameter rounded to the nearest float32; audited as rounded.
    Float32,
}

/// How classes are written as numbers for a network with one output per class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CodingArg {
    /// The one of the others with the smaller residual.
    Auto,
    /// 1 and -1.
    PlusMinusOne,
    /// 1 and 0.
    OneHot,
}

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// The model: a gradcert model, a state dict of fully connected layers in safetensors, or ONNX.
    #[arg(long, value_name = "FILE")]
    pub(crate) model: PathBuf,
    /// Activation of a state dict, as it is called where the model was made: tanh, sigmoid, softplus, gelu, silu, ...
    #[arg(long, value_name = "NAME")]
    pub(crate) activation: Option<String>,
    /// Targets of a network with one output per class.
    #[arg(long, value_enum, default_value_t = CodingArg::Auto)]
    pub(crate) coding: CodingArg,
    /// First move the network to a nearby one that interpolates up to rounding (Gauss-Newton steps), and audit that one.
    #[arg(long)]
    pub(crate) polish: bool,
    /// Precision of the polished parameters.
    #[arg(long, value_enum, default_value_t = StoreArg::Float64, requires = "polish")]
    pub(crate) store: StoreArg,
    /// File for the polished model.
    #[arg(long, value_name = "FILE", requires = "polish")]
    pub(crate) polished: Option<PathBuf>,
    /// File for the polished network as a plain state dict in safetensors, with the names of the layers it came with; in float32 with
    /// `--store float32`.
    #[arg(long, value_name = "FILE", requires = "polish")]
    pub(crate) state_dict: Option<PathBuf>,
    /// Level of the loss S (a mean) to which iterations of descent from the model are counted.
    #[arg(long, default_value = "1e-20", value_parser = super::positive_number)]
    pub(crate) tol: f64,
    /// Certificate file to write; the audited parameters are written beside it.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Number of threads (default: all).
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// One JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}
