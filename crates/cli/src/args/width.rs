//! `gradcert width`.

use super::{DataArgs, positive_number};
use clap::{ArgAction, Args};
use std::path::PathBuf;

/// A step of the mean loss, or `None` to choose it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StepArg(pub(crate) Option<f64>);

fn parse_step(text: &str) -> Result<StepArg, String> {
    match text {
        "auto" => Ok(StepArg(None)),
        number => positive_number(number).map(|x| StepArg(Some(x))).map_err(|_| "auto or a positive number".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(crate) struct WidthArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Decide about this width.
    #[arg(long, conflicts_with = "search", value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    pub(crate) width: Option<u32>,
    /// Search the smallest certified width, by doubling and bisection.
    #[arg(long, required_unless_present = "width")]
    pub(crate) search: bool,
    /// Draws, with the seeds S, S + 1, ...; the answer is about the median one.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) draws: u32,
    /// Seed S of the first draw.
    #[arg(long, default_value_t = 0, value_name = "S")]
    pub(crate) seed: u64,
    /// Every neuron twice, with opposite signs: all outputs of the start are 0 (an odd width is rounded up).
    #[arg(long, default_value_t = true, action = ArgAction::Set, value_name = "BOOL")]
    pub(crate) antisymmetric: bool,
    /// Step of the mean loss S = |rho|^2 / n: auto (that with the fewest certified iterations) or a number.
    #[arg(long, default_value = "auto", value_parser = parse_step, allow_negative_numbers = true)]
    pub(crate) step: StepArg,
    /// The mean loss that counts as zero.
    #[arg(long, default_value_t = 1e-20, value_parser = positive_number, allow_negative_numbers = true)]
    pub(crate) tol: f64,
    /// The search tries no larger width.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(2..=100_000_000))]
    pub(crate) max_width: u32,
    /// The search ends when the certified width is larger by at most this share than one that is not.
    #[arg(long, default_value_t = 0.02, value_parser = positive_number)]
    pub(crate) resolution: f64,
    /// Threads (default: all processors).
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Folder for the start (start.safetensors: w, m x d, and a, m) and the certificate of the median draw.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// One JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}
