//! S. S. Du, X. Zhai, B. Poczos, A. Singh, *Gradient descent provably optimizes over-parameterized neural networks*, arXiv 1810.02054 (ICLR
//! 2019).
//!
//! The network is `f(x) = m^{-1/2} sum_r a_r relu(w_r.x)`, the loss a sum, `L = |f(X) - y|^2 / 2`; W is trained. [`Item`] has the paper's experiment
//! (section 5) with the spectra it does not show, the tangent kernel against its limit, and the widths the theorem asks for beside
//! those that are certified for the data at hand. The paper gives n, d, widths and epochs, but neither step nor seed: those are ours.

mod data;
mod dynamics;
mod limit;
mod settings;
pub(crate) mod store;
mod theorem;
mod widths;

use crate::bench::{Bench, PaperError};
use crate::outcome::ItemOutcome;
pub(crate) use data::{extremes, norm};
pub use data::{limit_kernel, sphere};
pub use settings::Settings;
pub use theorem::{theorem_step, theorem_width};

/// Something to reproduce; [`Item::summary`] says what each is.
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    Dynamics,
    Limit,
    Widths,
}

/// All items, in order.
pub const ITEMS: [Item; 3] = [Item::Dynamics, Item::Limit, Item::Widths];

impl Item {
    /// Its name on the command line and in file names.
    pub fn name(self) -> &'static str {
        match self {
            Item::Dynamics => "dynamics",
            Item::Limit => "limit",
            Item::Widths => "certified-widths",
        }
    }

    /// What it shows.
    pub fn summary(self) -> &'static str {
        match self {
            Item::Dynamics => "Error, patterns, movement and the kernel's spectrum during training, five widths",
            Item::Limit => "The tangent kernel at the start against its limit, over the width",
            Item::Widths => "The theorem's width beside the certified one, and training there",
        }
    }

    /// Does the runs and draws the figures.
    ///
    /// # Errors
    /// [`PaperError`]: a folder that cannot be used.
    pub fn reproduce(self, settings: &Settings, bench: &Bench<'_>) -> Result<ItemOutcome, PaperError> {
        let mut outcome = match self {
            Item::Dynamics => dynamics::dynamics(settings, bench),
            Item::Limit => limit::limit(settings, bench),
            Item::Widths => widths::widths(settings, bench),
        }?;
        let article = &mut outcome.article;
        article.settings = settings.list();
        article.remark = "The paper states n, d, the widths, the number of epochs and the law of the data, but neither the step nor \
                          seeds: those are ours."
            .to_owned();
        article.producer = concat!("gradcert ", env!("CARGO_PKG_VERSION")).to_owned();
        article.command = format!("gradcert reproduce du2018 {} {}", self.name(), settings.arguments());
        Ok(outcome)
    }
}
