//! Everything that can be chosen.

use gradcert::kernel::limit::Unit;
use gradcert::network::activation::Activation;

/// The three networks of the paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// Fully connected, section 5.
    Plain,
    /// Residual, section 6.
    Residual,
    /// Convolutional residual, section 7.
    Convolutional,
}

impl Architecture {
    pub(crate) const ALL: [Architecture; 3] =
        [Architecture::Plain, Architecture::Residual, Architecture::Convolutional];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Architecture::Plain => "fc",
            Architecture::Residual => "resnet",
            Architecture::Convolutional => "conv-resnet",
        }
    }
}

/// The settings of all items.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// n.
    pub samples: usize,
    /// d.
    pub features: usize,
    /// Channels of a sample read as an image.
    pub channels: usize,
    /// q.
    pub patch: usize,
    /// c_res.
    pub residual_scale: f64,
    /// The activation.
    pub activation: Activation,
    /// Depths H of the limit kernels.
    pub depths: Vec<usize>,
    /// Depth of the networks against the limit.
    pub finite_depth: usize,
    /// Their widths.
    pub widths: Vec<usize>,
    /// Draws at each of them.
    pub draws: u64,
    /// Depths of the networks that are trained.
    pub trained_depths: Vec<usize>,
    /// Their width.
    pub trained_width: usize,
    /// Iterations.
    pub epochs: usize,
    /// The step, as a multiple of `1 / lmax(G(0))`.
    pub step: f64,
    /// Spectra are computed every so many iterations.
    pub every: usize,
    /// Seed of data and starts.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            samples: 20,
            features: 20,
            channels: 5,
            patch: 3,
            residual_scale: 0.5,
            activation: Activation::PlainSoftplus,
            depths: vec![1, 2, 3, 4, 6, 8, 12, 16, 24, 32],
            finite_depth: 3,
            widths: vec![64, 128, 256, 512, 1024, 2048],
            draws: 5,
            trained_depths: vec![2, 4, 8, 16],
            trained_width: 256,
            epochs: 1000,
            step: 1.0,
            every: 50,
            seed: 0,
        }
    }
}

impl Settings {
    /// Seconds instead of minutes.
    pub fn quick() -> Settings {
        Settings {
            samples: 8,
            features: 8,
            channels: 2,
            depths: vec![1, 2, 3, 4, 8],
            widths: vec![32, 128, 512],
            draws: 3,
            trained_depths: vec![2, 6],
            trained_width: 64,
            epochs: 40,
            every: 10,
            ..Settings::default()
        }
    }

    pub(crate) fn unit(&self) -> Unit {
        Unit::Smooth(self.activation)
    }

    fn text(sizes: &[usize]) -> String {
        sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }

    /// Names and values, for a page.
    pub(crate) fn list(&self) -> Vec<(String, String)> {
        [
            ("samples n", self.samples.to_string()),
            ("features d", self.features.to_string()),
            ("channels, patch", format!("{}, {}", self.channels, self.patch)),
            ("c_res", format!("{:?}", self.residual_scale)),
            ("activation", self.activation.to_string()),
            ("data", "uniform on the unit sphere, targets N(0, 1)".to_owned()),
            ("depths of the limits", Settings::text(&self.depths)),
            ("depth, widths, draws against the limit", {
                format!("{}; {}; {}", self.finite_depth, Settings::text(&self.widths), self.draws)
            }),
            ("trained depths", Settings::text(&self.trained_depths)),
            ("trained width", self.trained_width.to_string()),
            ("iterations", self.epochs.to_string()),
            ("step, times 1 / lmax(G(0))", format!("{:?}", self.step)),
            ("seed", self.seed.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// The options that give them, as far as there are options.
    pub(crate) fn arguments(&self) -> String {
        // One option sets the depths of limits and of networks.
        let same = self.depths == self.trained_depths;
        let depths = if same { format!(" --depths {}", Settings::text(&self.depths)) } else { String::new() };
        format!(
            "--n {} --d {} --widths {} --epochs {} --step {:?} --draws {} --activation {}{depths}",
            self.samples,
            self.features,
            Settings::text(&self.widths),
            self.epochs,
            self.step,
            self.draws,
            self.activation
        )
    }

    /// Bytes of the largest network with its gradient and passes, and of the Gram matrices of pixels.
    pub fn bytes(&self) -> f64 {
        let pixels = (self.features / self.channels.max(1)) as f64;
        let columns = self.samples as f64 * pixels;
        let (q, deepest) = (self.patch as f64, self.trained_depths.iter().copied().max().unwrap_or(0) as f64);
        let network = |depth: f64, width: f64| depth * width * (2.0 * q * width + (q + 3.0) * columns);
        let widest = self.widths.iter().copied().max().unwrap_or(0) as f64;
        let networks = network(self.finite_depth as f64, widest).max(network(deepest, self.trained_width as f64));
        8.0 * (networks + columns * (8.0 * columns + 768.0))
    }

    /// What every record depends on, for its name.
    pub(crate) fn experiment(&self) -> String {
        format!(
            "n{}-d{}-c{}-q{}-s{:?}-{}-r{}",
            self.samples, self.features, self.channels, self.patch, self.residual_scale, self.activation, self.seed
        )
    }
}
