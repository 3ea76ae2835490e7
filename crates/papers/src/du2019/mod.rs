//! S. S. Du, J. D. Lee, H. Li, L. Wang, X. Zhai, *Gradient descent finds global minima of deep neural networks*, arXiv 1811.03804v4 (ICML 2019).
//!
//! The paper has theorems and no experiments. [`Item`] computes what they are about: the smallest eigenvalue of the limit kernels over depth, the
//! kernels of finite networks against them, and training of all layers, residual networks beside plain ones. Networks and
//! normalisation are those of [`gradcert::network::wide`]; the loss is a sum, `L = |f(X) - y|^2 / 2`.

mod depth;
mod finite;
mod pages;
mod settings;
mod theorem;
mod training;

use crate::bench::{Bench, PaperError};
use crate::outcome::ItemOutcome;
use gradcert::kernel::limit::{LimitError, LimitKernel};
pub use settings::{Architecture, Settings};
pub use theorem::{theorem_step, theorem_width};

/// Something to reproduce; [`Item::summary`] says what each is.
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    Depth,
    FiniteWidth,
    Training,
}

/// All items, in order.
pub const ITEMS: [Item; 3] = [Item::Depth, Item::FiniteWidth, Item::Training];

impl Item {
    /// Its name on the command line and in file names.
    pub fn name(self) -> &'static str {
        match self {
            Item::Depth => "depth",
            Item::FiniteWidth => "finite-width",
            Item::Training => "residual-training",
        }
    }

    /// What it shows.
    pub fn summary(self) -> &'static str {
        match self {
            Item::Depth => "Smallest eigenvalues of the limit kernels over depth, and the widths the theorems ask for",
            Item::FiniteWidth => "Kernels of deep networks at the start against their limits, over the width",
            Item::Training => "Training all layers, residual against plain networks, over depth",
        }
    }

    /// Does the runs and draws the figures.
    ///
    /// # Errors
    /// [`PaperError`]: a folder that cannot be used, or settings without a network.
    pub fn reproduce(self, settings: &Settings, bench: &Bench<'_>) -> Result<ItemOutcome, PaperError> {
        let mut outcome = match self {
            Item::Depth => depth::depth(settings, bench),
            Item::FiniteWidth => finite::finite(settings, bench),
            Item::Training => training::training(settings, bench),
        }?;
        let article = &mut outcome.article;
        article.settings = settings.list();
        article.remark = "The paper has no experiments: sizes, steps and seeds are ours.".to_owned();
        article.producer = concat!("gradcert ", env!("CARGO_PKG_VERSION")).to_owned();
        article.command = format!("gradcert reproduce du2019 {} {}", self.name(), settings.arguments());
        Ok(outcome)
    }
}

/// Settings that describe no network.
fn no_network(error: &LimitError) -> PaperError {
    PaperError::Declined(error.to_string())
}

/// The kernel of an architecture; plain networks have one hidden layer at least, the others two.
fn kernel_of(architecture: Architecture, settings: &Settings, depth: usize) -> LimitKernel {
    let (unit, scale) = (settings.unit(), settings.residual_scale);
    match architecture {
        Architecture::Plain => LimitKernel::FullyConnected { unit, depth },
        Architecture::Residual => LimitKernel::Residual { unit, depth, scale },
        Architecture::Convolutional => {
            let (channels, patch) = (settings.channels, settings.patch);
            LimitKernel::ConvolutionalResidual { unit, depth, scale, channels, patch }
        }
    }
}
