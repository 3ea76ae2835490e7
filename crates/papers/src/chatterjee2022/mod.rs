//! S. Chatterjee, *Convergence of gradient descent for deep neural networks*, arXiv 2203.16462 (v5, 2026).
//!
//! [`formulas`] has the theorems for any function, [`oracles`] those on networks, on examples that can be done by hand; [`Item`] the
//! experiments of its section 3 and the comparisons that belong to them. The paper does not give the settings of its experiments (n, d, depth, widths, law of the
//! data, activation, steps, scales): ours are [`Settings`], and every one can be changed.

mod constants;
mod curves;
mod figures;
pub mod formulas;
pub mod oracles;
mod settings;
mod speedup;
mod starts;

use crate::bench::{Bench, PaperError};
use crate::outcome::ItemOutcome;
pub use settings::{Settings, StartKind};

/// Something to reproduce; [`Item::summary`] says what each is.
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    Fig1,
    Fig2,
    Fig3,
    Constants,
    Speedup,
    Starts,
}

/// All items, in order.
pub const ITEMS: [Item; 6] = [Item::Fig1, Item::Fig2, Item::Fig3, Item::Constants, Item::Speedup, Item::Starts];

impl Item {
    /// Its name on the command line and in file names.
    pub fn name(self) -> &'static str {
        match self {
            Item::Fig1 => "fig1",
            Item::Fig2 => "fig2",
            Item::Fig3 => "fig3",
            Item::Constants => "constants",
            Item::Speedup => "speedup",
            Item::Starts => "starts",
        }
    }

    /// What it shows.
    pub fn summary(self) -> &'static str {
        match self {
            Item::Fig1 => "Loss against iteration, four starts, the first width",
            Item::Fig2 => "The same for all widths",
            Item::Fig3 => "The positive start for many output scales",
            Item::Constants => "The paper's explicit constants against ours",
            Item::Speedup => "Does the positive start accelerate?",
            Item::Starts => "How often random starts are certified",
        }
    }

    /// Does the runs and draws the figures.
    ///
    /// # Errors
    /// [`PaperError`]: unusable settings, or a folder that cannot be used.
    pub fn reproduce(self, settings: &Settings, bench: &Bench<'_>) -> Result<ItemOutcome, PaperError> {
        let mut outcome = match self {
            Item::Fig1 => figures::fig1(settings, bench),
            Item::Fig2 => figures::fig2(settings, bench),
            Item::Fig3 => figures::fig3(settings, bench),
            Item::Constants => constants::constants(settings, bench),
            Item::Speedup => speedup::speedup(settings, bench),
            Item::Starts => starts::starts(settings, bench),
        }?;
        let article = &mut outcome.article;
        article.settings = settings.list();
        article.remark = "The paper states neither the sizes nor the data, activation, steps, scales and seeds of its \
                          experiments, so none of these settings is known to be the paper's. They are ours."
            .to_owned();
        article.producer = concat!("gradcert ", env!("CARGO_PKG_VERSION")).to_owned();
        article.command = format!("gradcert reproduce chatterjee2022 {} {}", self.name(), settings.arguments());
        Ok(outcome)
    }
}
