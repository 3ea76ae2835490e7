//! Everything that can be chosen.

/// The settings of all items.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// n of the experiment.
    pub samples: usize,
    /// d of the experiment.
    pub features: usize,
    /// Its widths.
    pub widths: Vec<usize>,
    /// Its epochs (iterations: batches are full).
    pub epochs: usize,
    /// Its step on the loss `L = |rho|^2 / 2`.
    pub step: f64,
    /// Spectra are computed every so many epochs.
    pub every: usize,
    /// Seed of data and starts.
    pub seed: u64,
    /// Widths at which the kernel is compared with its limit.
    pub limit_widths: Vec<usize>,
    /// Draws at each of them.
    pub limit_draws: u64,
    /// (n, d) of the certified widths.
    pub sizes: Vec<(usize, usize)>,
    /// Draws of each.
    pub draws: u64,
    /// The mean loss that counts as zero there.
    pub tolerance: f64,
    /// How close to a width that is not certified the search ends, relatively.
    pub resolution: f64,
    /// No larger width is tried.
    pub largest_width: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            samples: 1000,
            features: 1000,
            widths: vec![500, 1000, 2000, 4000, 8000],
            epochs: 100,
            step: 0.3,
            every: 10,
            seed: 0,
            limit_widths: vec![250, 500, 1000, 2000, 4000, 8000, 16_000],
            limit_draws: 3,
            sizes: vec![(10, 50), (10, 100), (20, 50), (20, 100), (50, 50), (50, 100)],
            draws: 5,
            tolerance: 1e-20,
            resolution: 0.1,
            largest_width: 2_000_000,
        }
    }
}

impl Settings {
    /// Seconds instead of minutes.
    pub fn quick() -> Settings {
        Settings {
            samples: 40,
            features: 40,
            widths: vec![100, 400],
            epochs: 20,
            every: 5,
            limit_widths: vec![100, 400, 1600, 6400],
            sizes: vec![(4, 20), (5, 40)],
            draws: 3,
            tolerance: 1e-12,
            ..Settings::default()
        }
    }

    fn text(widths: &[usize]) -> String {
        widths.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }

    fn sizes_text(&self) -> String {
        self.sizes.iter().map(|(n, d)| format!("{n} x {d}")).collect::<Vec<_>>().join(", ")
    }

    /// Names and values, for a page.
    pub(crate) fn list(&self) -> Vec<(String, String)> {
        [
            ("samples n", self.samples.to_string()),
            ("features d", self.features.to_string()),
            ("widths m", Settings::text(&self.widths)),
            ("epochs", self.epochs.to_string()),
            ("step on |rho|^2 / 2", format!("{:?}", self.step)),
            ("data", "uniform on the unit sphere, targets N(0, 1)".to_owned()),
            ("seed", self.seed.to_string()),
            ("widths against the limit", Settings::text(&self.limit_widths)),
            ("draws against the limit", self.limit_draws.to_string()),
            ("sizes of certified widths", self.sizes_text()),
            ("draws of certified widths", self.draws.to_string()),
            ("tolerance (mean loss)", format!("{:e}", self.tolerance)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// The options that give them, as far as there are options.
    pub(crate) fn arguments(&self) -> String {
        format!(
            "--n {} --d {} --widths {} --epochs {} --step {:?} --draws {} --tol {:e}",
            self.samples,
            self.features,
            Settings::text(&self.widths),
            self.epochs,
            self.step,
            self.draws,
            self.tolerance
        )
    }

    /// The part of the settings a record depends on, for its name.
    pub(crate) fn experiment(&self) -> String {
        format!("n{}-d{}-e{}-s{:?}-k{}-r{}", self.samples, self.features, self.epochs, self.step, self.every, self.seed)
    }
}
