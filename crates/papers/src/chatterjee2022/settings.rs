//! Everything that can be chosen.

use gradcert::sweep::options::OptionTexts;

/// A start of section 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartKind {
    /// W_1 = 0, later layers positive.
    Positive,
    /// N(0, 1/d_{l-1}).
    LeCun,
    /// Absolute values of it.
    AbsoluteLeCun,
    /// LeCun, given that the later layers lie in a box.
    Conditional,
}

impl StartKind {
    /// All four.
    pub const ALL: [StartKind; 4] =
        [StartKind::Positive, StartKind::LeCun, StartKind::AbsoluteLeCun, StartKind::Conditional];

    /// The random ones.
    pub const RANDOM: [StartKind; 3] = [StartKind::LeCun, StartKind::AbsoluteLeCun, StartKind::Conditional];

    /// Its name as an option.
    pub fn name(self) -> &'static str {
        match self {
            StartKind::Positive => "positive",
            StartKind::LeCun => "lecun",
            StartKind::AbsoluteLeCun => "abs-lecun",
            StartKind::Conditional => "conditional",
        }
    }

    /// Its name in legends.
    pub fn title(self) -> &'static str {
        match self {
            StartKind::Positive => "positive",
            StartKind::LeCun => "LeCun",
            StartKind::AbsoluteLeCun => "|LeCun|",
            StartKind::Conditional => "conditional",
        }
    }

    /// Its number, for colours.
    pub(crate) fn index(self) -> u8 {
        match self {
            StartKind::Positive => 1,
            StartKind::LeCun => 0,
            StartKind::AbsoluteLeCun => 2,
            StartKind::Conditional => 3,
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
    /// Widths of the hidden layers; figure 1, figure 3 and the speed-up use the first.
    pub widths: Vec<usize>,
    /// Weight layers.
    pub depth: usize,
    /// The activation, by name.
    pub activation: String,
    /// Output scale A of the positive start in figures 1 and 2 and in the speed-up.
    pub scale: f64,
    /// Entries of the hidden layers of the positive start; 8/width by default, which is what the search for the smallest
    /// certifiable A tends to choose.
    pub hidden_scale: Option<f64>,
    /// Output scales of figure 3.
    pub scales: Vec<f64>,
    /// Depths for which constants are compared.
    pub depths: Vec<usize>,
    /// The box of the conditional start; [s, 2s] with s = 1/sqrt(width), the standard deviation of LeCun's law, by default.
    pub entry_box: Option<(f64, f64)>,
    /// Seeds of the figures: data and start.
    pub seeds: u64,
    /// Seeds of the speed-up.
    pub speedup_seeds: u64,
    /// Draws of every random start whose certificates are counted.
    pub draws: u64,
    /// Steps that are tried in the speed-up, as multiples of n/|K0|.
    pub steps: Vec<f64>,
    /// The step of the figures' second panels, as a multiple of n/|K0|.
    pub step: f64,
    /// S that counts as zero.
    pub tolerance: f64,
    /// No run of the first width is longer.
    pub max_iterations: u64,
    /// No run of the other widths, which cost more, is longer.
    pub wide_iterations: u64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            samples: 50,
            features: 100,
            widths: vec![10, 50, 100],
            depth: 3,
            activation: "smooth-leaky-relu:0.1".to_owned(),
            scale: 10.0,
            hidden_scale: None,
            depths: vec![2, 3, 4],
            scales: vec![1.0, 4.0, 8.0, 16.0, 32.0, 64.0, 256.0, 1024.0],
            entry_box: None,
            seeds: 5,
            speedup_seeds: 20,
            draws: 20,
            steps: vec![0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0],
            step: 0.5,
            tolerance: 1e-20,
            max_iterations: 10_000,
            wide_iterations: 2000,
        }
    }
}

/// The levels of S to which iterations are counted, besides the tolerance.
pub(crate) const LEVELS: [f64; 2] = [1e-6, 1e-10];

impl Settings {
    /// Small ones, that take seconds.
    pub fn quick() -> Settings {
        Settings {
            samples: 10,
            features: 20,
            widths: vec![4, 8],
            depths: vec![2, 3],
            scales: vec![2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0],
            seeds: 5,
            speedup_seeds: 8,
            draws: 10,
            steps: vec![0.2, 0.5, 1.0, 1.4, 2.0],
            max_iterations: 3000,
            wide_iterations: 1000,
            ..Settings::default()
        }
    }

    /// The options that all runs share, with one hidden width and a seed.
    pub(crate) fn texts(&self, width: usize, seed: u64) -> OptionTexts {
        let most = if width == self.first_width() { self.max_iterations } else { self.wide_iterations };
        let levels: Vec<String> = LEVELS.iter().chain([&self.tolerance]).map(|l| format!("{l:e}")).collect();
        let pairs = [
            ("data", format!("gaussian:{},{}", self.samples, self.features)),
            ("depth", self.depth.to_string()),
            ("width", width.to_string()),
            ("activation", self.activation.clone()),
            ("tol", format!("{:e}", self.tolerance)),
            ("levels", levels.join(",")),
            ("max-iterations", most.to_string()),
            ("seed", seed.to_string()),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The options of a start.
    pub(crate) fn start(&self, kind: StartKind, width: usize, seed: u64) -> OptionTexts {
        let mut texts = self.texts(width, seed);
        texts.insert("start".to_owned(), kind.name().to_owned());
        match kind {
            StartKind::Positive => {
                texts.insert("scale".to_owned(), self.scale.to_string());
                let hidden = self.hidden_scale.unwrap_or(8.0 / width as f64);
                texts.insert("hidden-scale".to_owned(), hidden.to_string());
            }
            StartKind::Conditional => {
                let (low, high) = self.box_of(width);
                texts.insert("box".to_owned(), format!("{low},{high}"));
            }
            StartKind::LeCun | StartKind::AbsoluteLeCun => {}
        }
        texts
    }

    pub(crate) fn box_of(&self, width: usize) -> (f64, f64) {
        let deviation = 1.0 / (width as f64).sqrt();
        self.entry_box.unwrap_or((deviation, 2.0 * deviation))
    }

    pub(crate) fn first_width(&self) -> usize {
        self.widths.first().copied().unwrap_or(1)
    }

    /// Names and values, for a page.
    pub fn list(&self) -> Vec<(String, String)> {
        let join = |values: &[f64]| values.iter().map(f64::to_string).collect::<Vec<_>>().join(", ");
        let widths: Vec<String> = self.widths.iter().map(usize::to_string).collect();
        let entry_box = match self.entry_box {
            Some((low, high)) => format!("[{low}, {high}]"),
            None => "[s, 2s], s = 1/√width".to_owned(),
        };
        let hidden = self.hidden_scale.map_or_else(|| "8/width".to_owned(), |a| a.to_string());
        let depths: Vec<String> = self.depths.iter().map(usize::to_string).collect();
        let pairs = [
            (
                "data",
                format!(
                    "{} samples, {} features, X and y standard normal, anew for every seed",
                    self.samples, self.features
                ),
            ),
            ("hidden widths", widths.join(", ")),
            ("depth", self.depth.to_string()),
            ("depths of constants and starts", depths.join(", ")),
            ("activation", self.activation.clone()),
            ("positive start", format!("W₁ = 0, biases 0, last layer A = {}, hidden layers {}", self.scale, hidden)),
            ("LeCun start", "all entries N(0, 1/inputs), biases 0".to_owned()),
            ("|LeCun| start", "absolute values of LeCun's".to_owned()),
            ("conditional start", format!("LeCun, given that the entries of W₂, …, W_L lie in {entry_box}")),
            ("output scales of figure 3", join(&self.scales)),
            (
                "seeds",
                format!(
                    "{} in the figures, {} in the speed-up, {} draws counted",
                    self.seeds, self.speedup_seeds, self.draws
                ),
            ),
            (
                "step of its own",
                format!("{} n/|K₀|, K₀ the tangent kernel at the start; a linear model is stable below 1", self.step),
            ),
            ("steps tried in the speed-up", format!("{} times n/|K₀|", join(&self.steps))),
            ("tolerance", format!("{:e}", self.tolerance)),
            (
                "longest run",
                format!(
                    "{} iterations at the first width, {} at the others",
                    self.max_iterations, self.wide_iterations
                ),
            ),
        ];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The arguments of the command that has these settings.
    pub fn arguments(&self) -> String {
        let join = |values: &[f64]| values.iter().map(f64::to_string).collect::<Vec<_>>().join(",");
        let widths: Vec<String> = self.widths.iter().map(usize::to_string).collect();
        let depths: Vec<String> = self.depths.iter().map(usize::to_string).collect();
        let hidden = self.hidden_scale.map_or_else(String::new, |a| format!(" --hidden-scale {a}"));
        let entry_box = self.entry_box.map_or_else(String::new, |(low, high)| format!(" --box {low},{high}"));
        format!(
            "--n {} --d {} --widths {} --depth {} --depths {} --activation {} --scale {}{hidden} --scales {}{entry_box} --seeds {} \
             --speedup-seeds {} --draws {} --step {} --steps {} --tol {:e} --max-iterations {} --wide-iterations {}",
            self.samples,
            self.features,
            widths.join(","),
            self.depth,
            depths.join(","),
            self.activation,
            self.scale,
            join(&self.scales),
            self.seeds,
            self.speedup_seeds,
            self.draws,
            self.step,
            join(&self.steps),
            self.tolerance,
            self.max_iterations,
            self.wide_iterations
        )
    }
}
