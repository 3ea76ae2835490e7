//! `gradcert kernel`.

use super::{DataArgs, NetArgs};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// A kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KernelKind {
    /// The tangent kernel J J^T of a network at its start, J with respect to the parameters of --train and --freeze-bias.
    Ntk,
}

#[derive(Debug, Args)]
pub(crate) struct KernelArgs {
    /// Which kernel.
    #[arg(value_enum)]
    pub(crate) kind: KernelKind,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) net: NetArgs,
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
