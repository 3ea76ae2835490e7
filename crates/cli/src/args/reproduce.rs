//! `gradcert reproduce`.

use super::{parse_activation, parse_box, positive_number};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use gradcert::network::activation::Activation;
use gradcert_papers::{chatterjee2022, du2018, du2019};
use std::path::PathBuf;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Paper {
    /// S. Chatterjee, Convergence of gradient descent for deep neural networks, arXiv 2203.16462.
    Chatterjee2022,
    /// S. S. Du, X. Zhai, B. Poczos, A. Singh, Gradient descent provably optimizes over-parameterized neural networks, arXiv 1810.02054.
    Du2018,
    /// S. S. Du, J. D. Lee, H. Li, L. Wang, X. Zhai, Gradient descent finds global minima of deep neural networks, arXiv 1811.03804.
    Du2019,
}

/// What of a paper is reproduced, by name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Items(String);

impl Items {
    /// Is an item of this name wanted?
    pub(crate) fn contain(&self, name: &str) -> bool {
        self.0 == ALL || self.0 == name
    }

    /// What was asked for.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }
}

const ALL: &str = "all";

/// The names of the items, and one for all of them.
fn items() -> impl TypedValueParser<Value = Items> {
    let first = chatterjee2022::ITEMS.map(|item| (item.name(), item.summary()));
    let second = du2018::ITEMS.map(|item| (item.name(), item.summary()));
    let third = du2019::ITEMS.map(|item| (item.name(), item.summary()));
    let single =
        first.into_iter().chain(second).chain(third).map(|(name, summary)| PossibleValue::new(name).help(summary));
    let all = PossibleValue::new(ALL).help("Everything");
    PossibleValuesParser::new(single.chain([all])).map(Items)
}

#[derive(Debug, Args)]
pub(crate) struct ReproduceArgs {
    /// The paper.
    pub(crate) paper: Paper,
    /// What of it.
    #[arg(default_value = ALL, value_parser = items())]
    pub(crate) item: Items,
    /// Folder for pages, figures, tables and records.
    #[arg(long, default_value = "gradcert-reproduce", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Small settings, seconds instead of minutes; other flags change them further.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Keep the finished runs of an earlier call and do the rest.
    #[arg(long)]
    pub(crate) resume: bool,
    /// Samples.
    #[arg(long, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub(crate) n: Option<u32>,
    /// Features.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) d: Option<u32>,
    /// Hidden widths of the networks that are compared; each network has hidden layers of one width.
    #[arg(long, value_delimiter = ',', value_name = "A,B,..", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) widths: Option<Vec<u32>>,
    /// Weight layers.
    #[arg(long, value_parser = clap::value_parser!(u16).range(2..=64))]
    pub(crate) depth: Option<u16>,
    /// The activation.
    #[arg(long, value_parser = parse_activation)]
    pub(crate) activation: Option<Activation>,
    /// Output scale A of the positive start in fig1, fig2 and speedup.
    #[arg(long, value_parser = positive_number)]
    pub(crate) scale: Option<f64>,
    /// Entries of the hidden layers of the positive start in these (default: 8/width).
    #[arg(long, value_parser = positive_number)]
    pub(crate) hidden_scale: Option<f64>,
    /// Depths for which constants are compared; in du2019 those of depth and residual-training.
    #[arg(long, value_delimiter = ',', value_name = "A,B,..", value_parser = clap::value_parser!(u16).range(2..=64))]
    pub(crate) depths: Option<Vec<u16>>,
    /// Output scales of fig3.
    #[arg(long, value_delimiter = ',', value_name = "A,B,..", value_parser = positive_number)]
    pub(crate) scales: Option<Vec<f64>>,
    /// Entries of W_2, ..., W_L of the conditional start (default: s to 2 s, s = 1/sqrt(width)).
    #[arg(long = "box", value_name = "LOW,HIGH", value_parser = parse_box)]
    pub(crate) entry_box: Option<(f64, f64)>,
    /// Seeds of the figures; every seed is another data set and another start.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) seeds: Option<u64>,
    /// Seeds of the speed-up.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) speedup_seeds: Option<u64>,
    /// Draws of every random start in starts, of every size in certified-widths, and of every width in finite-width.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) draws: Option<u64>,
    /// Step of the figures' second panels, as a multiple of n/|K0|; in du2018, the step on the loss |rho|^2 / 2; in du2019, a multiple of
    /// 1/|G(0)| on it.
    #[arg(long, value_parser = positive_number)]
    pub(crate) step: Option<f64>,
    /// Steps that are tried in the speed-up, as multiples of n/|K0|.
    #[arg(long, value_delimiter = ',', value_name = "A,B,..", value_parser = positive_number)]
    pub(crate) steps: Option<Vec<f64>>,
    /// The mean squared loss that counts as zero.
    #[arg(long, value_parser = positive_number)]
    pub(crate) tol: Option<f64>,
    /// Epochs of dynamics and residual-training.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) epochs: Option<u32>,
    /// No run of the first width is longer.
    #[arg(long, value_name = "N")]
    pub(crate) max_iterations: Option<u64>,
    /// No run of the other widths is longer.
    #[arg(long, value_name = "N")]
    pub(crate) wide_iterations: Option<u64>,
    /// Runs at a time (default: one per processor).
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// One JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}
