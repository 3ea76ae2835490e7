//! The options of one run: the same names and values as on the command line.

use super::data::Source;
use super::error::SweepError;
use crate::certify::{HiddenScale, LayerSteps, Method, Options, Scale};
use crate::network::activation::Activation;
use crate::network::random::Law;
use std::collections::BTreeMap;

/// Options as text, by name.
pub type OptionTexts = BTreeMap<String, String>;

/// Every option with the text it has where the plan is silent; empty texts stand for "depends on the others".
pub const OPTIONS: [(&str, &str); 25] = [
    ("data", ""),
    ("target", ""),
    ("labels", "false"),
    ("merge-duplicates", "false"),
    ("problem", "0"),
    ("depth", "2"),
    ("width", "32"),
    ("widths", ""),
    ("activation", "smooth-leaky-relu:0.1"),
    ("start", "positive"),
    ("box", ""),
    ("scale", "auto"),
    ("hidden-scale", "auto"),
    ("layer-steps", ""),
    ("method", "sharp"),
    ("whiten", "false"),
    ("train", "all"),
    ("freeze-bias", "false"),
    ("seed", "0"),
    ("tol", "1e-20"),
    ("levels", ""),
    ("step", "certified"),
    ("max-iterations", ""),
    ("stages", ""),
    ("history", "false"),
];

/// The start of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Start {
    /// The positive start.
    Positive,
    /// A random one, drawn with the seed of the run.
    Random(Law),
    /// LeCun weights, drawn with the seed of the run, in the metric of the tangent kernel parametrisation.
    Ntk,
}

/// The step of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// The certified one.
    Certified,
    /// This eta on the mean loss S.
    Given(f64),
    /// This multiple of `n / |K0|`: at the kernel of the start, `2 eta / n = multiple * 2 / |K0|`, so that a linear model
    /// is stable below 1.
    Kernel(f64),
}

/// What is done in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stages {
    /// Certify. A run that is declined is not trained.
    pub certify: bool,
    /// Train.
    pub train: bool,
}

/// One run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunOptions {
    /// Where the samples come from.
    pub source: Source,
    /// Target column of a table.
    pub target: Option<String>,
    /// Numeric targets are classes.
    pub labels: bool,
    /// Merge equal samples.
    pub merge_duplicates: bool,
    /// Which problem of the data, from 0: data with k > 2 classes have k.
    pub problem: usize,
    /// Network, scales, bounds, tolerance.
    pub certify: Options,
    /// Whitened coordinates (T12).
    pub whiten: bool,
    /// The start.
    pub start: Start,
    /// Seed of a random start, and of synthetic data without a seed of their own.
    pub seed: u64,
    /// The step.
    pub step: Step,
    /// Levels of S whose first iteration is recorded, the largest first.
    pub levels: Vec<f64>,
    /// Stop after so many iterations; by default the certified number with the certified step, else 100,000.
    pub max_iterations: Option<u64>,
    /// What is done.
    pub stages: Stages,
    /// Record the loss along the run.
    pub history: bool,
}

/// Options of one run by name, with the defaults behind them.
struct Reader<'a>(&'a OptionTexts);

impl Reader<'_> {
    fn text(&self, option: &str) -> &str {
        let default = || OPTIONS.iter().find(|(name, _)| *name == option).map_or("", |(_, text)| text);
        self.0.get(option).map_or_else(default, String::as_str)
    }

    /// `None` where the text is empty.
    fn optional<T>(
        &self,
        option: &str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, SweepError> {
        let text = self.text(option);
        if text.is_empty() {
            return Ok(None);
        }
        parse(text).map(Some).ok_or_else(|| SweepError::value(option, text, expected))
    }

    fn required<T>(&self, option: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, SweepError> {
        self.optional(option, expected, parse)?.ok_or_else(|| SweepError::value(option, "", expected))
    }

    fn flag(&self, option: &str) -> Result<bool, SweepError> {
        self.required(option, "true or false", |t| t.parse().ok())
    }

    fn choice<T: Copy>(&self, option: &str, choices: &[(&str, T)]) -> Result<Option<T>, SweepError> {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let find = |text: &str| choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        self.optional(option, &names.join(" or "), find)
    }
}

fn positive(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|x| *x > 0.0 && x.is_finite())
}

fn within(text: &str, least: usize, most: usize) -> Option<usize> {
    text.parse::<usize>().ok().filter(|x| (least..=most).contains(x))
}

fn list<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.split(',').map(|part| parse(part.trim())).collect()
}

/// The start; entries of the later layers of a conditional one lie in `box`, or in `[A, 2A]` with A the scale.
fn start(reader: &Reader<'_>) -> Result<Start, SweepError> {
    let expected = "two positive numbers LOW,HIGH";
    let entries = reader.optional("box", expected, |text| match list(text, positive)?[..] {
        [low, high] if low <= high => Some((low, high)),
        _ => None,
    })?;
    let kind = reader.text("start");
    if entries.is_some() && kind != "conditional" {
        return Err(SweepError::Contradiction("'box' is about the start 'conditional'".to_owned()));
    }
    match (kind, entries, positive(reader.text("scale"))) {
        ("positive", ..) => Ok(Start::Positive),
        ("lecun", ..) => Ok(Start::Random(Law::LeCun)),
        ("abs-lecun", ..) => Ok(Start::Random(Law::AbsoluteLeCun)),
        ("he", ..) => Ok(Start::Random(Law::He)),
        ("xavier", ..) => Ok(Start::Random(Law::Xavier)),
        ("ntk", ..) => Ok(Start::Ntk),
        ("conditional", Some((low, high)), _) => Ok(Start::Random(Law::Conditional { low, high })),
        ("conditional", None, Some(a)) => Ok(Start::Random(Law::Conditional { low: a, high: 2.0 * a })),
        ("conditional", None, None) => {
            Err(SweepError::Contradiction("the start 'conditional' needs 'box', or a number for 'scale'".to_owned()))
        }
        _ => Err(SweepError::value("start", kind, "positive, lecun, abs-lecun, he, xavier, ntk or conditional")),
    }
}

fn step(text: &str) -> Option<Step> {
    match text.strip_prefix("kernel:") {
        Some(multiple) => positive(multiple).map(Step::Kernel),
        None if text == "certified" => Some(Step::Certified),
        None => positive(text).map(Step::Given),
    }
}

fn stages(text: &str) -> Option<Stages> {
    match text {
        "certify" => Some(Stages { certify: true, train: false }),
        "train" => Some(Stages { certify: false, train: true }),
        "certify,train" => Some(Stages { certify: true, train: true }),
        _ => None,
    }
}

const POSITIVE: &str = "a positive number";
const WIDTH: (usize, usize) = (1, 1_000_000);
const DEPTH: (usize, usize) = (2, 64);

impl RunOptions {
    /// From texts by name.
    ///
    /// # Errors
    /// [`SweepError::UnknownOption`], [`SweepError::Value`] and [`SweepError::Contradiction`].
    pub fn parse(texts: &OptionTexts) -> Result<RunOptions, SweepError> {
        if let Some(unknown) = texts.keys().find(|key| !OPTIONS.iter().any(|(name, _)| name == key)) {
            return Err(SweepError::UnknownOption(unknown.clone()));
        }
        let reader = Reader(texts);
        let data: String = reader.required("data", "a source of samples", |t| Some(t.to_owned()))?;
        let source = Source::parse(&data)?;
        let run = RunOptions {
            source,
            target: reader.optional("target", "", |t| Some(t.to_owned()))?,
            labels: reader.flag("labels")?,
            merge_duplicates: reader.flag("merge-duplicates")?,
            problem: reader.required("problem", "a number from 0", |t| t.parse().ok())?,
            whiten: reader.flag("whiten")?,
            start: start(&reader)?,
            seed: reader.required("seed", "a whole number from 0", |t| t.parse().ok())?,
            step: reader.required("step", "certified, a positive number or kernel:MULTIPLE", step)?,
            levels: levels(&reader)?,
            max_iterations: reader.optional("max-iterations", "a whole number from 0", |t| t.parse().ok())?,
            stages: reader
                .optional("stages", "certify or train or certify,train", stages)?
                .unwrap_or(Stages { certify: step(reader.text("step")) == Some(Step::Certified), train: true }),
            history: reader.flag("history")?,
            certify: certify(&reader)?,
        };
        run.consistent()
    }

    fn consistent(self) -> Result<RunOptions, SweepError> {
        let fail = |message: &str| Err(SweepError::Contradiction(message.to_owned()));
        if self.stages.train && !self.stages.certify && self.step == Step::Certified {
            return fail("step 'certified' needs the stage 'certify'");
        }
        if self.start != Start::Positive {
            if self.certify.method == Method::Paper {
                return fail("method 'paper' is about the positive start");
            }
            if self.certify.layer_steps == LayerSteps::Auto && !self.whiten {
                return fail("layer-steps 'auto' needs the positive start");
            }
        }
        Ok(self)
    }

    /// Must something be certified before this run can begin? The positive start needs it where scales are open.
    pub fn needs_certificate(&self) -> bool {
        let open = match (self.certify.scale, self.certify.hidden_scale) {
            (Scale::Fixed(_), HiddenScale::Fixed(_)) => false,
            (Scale::Fixed(_), HiddenScale::Auto) => self.certify.hidden_widths.len() > 1,
            _ => true,
        };
        let chosen_steps = self.certify.layer_steps == LayerSteps::Auto && !self.certify.first_layer_only;
        self.stages.certify || (self.start == Start::Positive && (open || chosen_steps))
    }
}

fn levels(reader: &Reader<'_>) -> Result<Vec<f64>, SweepError> {
    let expected = "positive numbers, separated by commas";
    let given = reader.optional("levels", expected, |t| list(t, positive))?;
    let mut levels = match given {
        Some(levels) => levels,
        None => vec![reader.required("tol", POSITIVE, positive)?],
    };
    levels.sort_by(|a, b| b.total_cmp(a));
    levels.dedup();
    Ok(levels)
}

fn certify(reader: &Reader<'_>) -> Result<Options, SweepError> {
    let width = |text: &str| within(text, WIDTH.0, WIDTH.1);
    let expected = "a width from 1 to 1000000";
    let hidden_widths = match reader.optional("widths", expected, |t| list(t, width))? {
        Some(widths) if widths.len() < DEPTH.1 => widths,
        Some(_) => return Err(SweepError::Contradiction("'widths' has too many layers".to_owned())),
        None => {
            let depth = reader.required("depth", "a depth from 2 to 64", |t| within(t, DEPTH.0, DEPTH.1))?;
            vec![reader.required("width", expected, width)?; depth - 1]
        }
    };
    let method = reader.choice("method", &[("sharp", Method::Sharp), ("paper", Method::Paper)])?;
    let method = method.unwrap_or(Method::Sharp);
    let whiten = reader.flag("whiten")?;
    let layer_steps = reader.choice("layer-steps", &[("equal", LayerSteps::Equal), ("auto", LayerSteps::Auto)])?;
    let chosen = if whiten && method == Method::Sharp { LayerSteps::Auto } else { LayerSteps::Equal };
    Ok(Options {
        hidden_widths,
        activation: reader.required("activation", "the name of an activation", |t| t.parse::<Activation>().ok())?,
        scale: reader.required("scale", "auto, min or a positive number", |t| match t {
            "auto" => Some(Scale::Auto),
            "min" => Some(Scale::Minimum),
            number => positive(number).map(Scale::Fixed),
        })?,
        hidden_scale: reader.required("hidden-scale", "auto or a positive number", |t| match t {
            "auto" => Some(HiddenScale::Auto),
            number => positive(number).map(HiddenScale::Fixed),
        })?,
        layer_steps: layer_steps.unwrap_or(chosen),
        first_layer_only: reader.choice("train", &[("all", false), ("first-layer", true)])?.unwrap_or(false),
        freeze_bias: reader.flag("freeze-bias")?,
        tolerance: reader.required("tol", POSITIVE, positive)?,
        method,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pairs: &[(&str, &str)]) -> OptionTexts {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn silence_means_the_defaults_of_the_command_line() {
        let run = RunOptions::parse(&texts(&[("data", "bundled:khan")])).expect("options");
        assert_eq!(run.certify, Options::default());
        assert_eq!((run.start, run.step, run.seed), (Start::Positive, Step::Certified, 0));
        assert_eq!(run.levels, [1e-20]);
        assert!(run.stages.certify && run.stages.train);
        let whitened = RunOptions::parse(&texts(&[("data", "x.npz"), ("whiten", "true")])).expect("options");
        assert_eq!(whitened.certify.layer_steps, LayerSteps::Auto);
    }

    #[test]
    fn unusable_options_are_named() {
        for (option, value, code) in [
            ("depth", "1", "sweep_value"),
            ("width", "0", "sweep_value"),
            ("widths", "3,,4", "sweep_value"),
            ("activation", "relu", "sweep_value"),
            ("start", "zero", "sweep_value"),
            ("start", "conditional", "sweep_contradiction"),
            ("box", "1,2", "sweep_contradiction"),
            ("box", "2,1", "sweep_value"),
            ("step", "kernel:-1", "sweep_value"),
            ("step", "NaN", "sweep_value"),
            ("tol", "0", "sweep_value"),
            ("levels", "1e-3,inf", "sweep_value"),
            ("labels", "yes", "sweep_value"),
            ("stages", "train", "sweep_contradiction"),
            ("speed", "1", "sweep_option"),
        ] {
            let error = RunOptions::parse(&texts(&[("data", "gaussian:3,4"), (option, value)])).expect_err(option);
            assert_eq!(error.code(), code, "{option} = {value}: {error}");
            let named = option.trim_end_matches('s');
            assert!(error.to_string().contains(named), "{error}");
        }
        assert!(RunOptions::parse(&texts(&[])).is_err());
        let boxed = texts(&[("data", "gaussian:3,4"), ("start", "conditional"), ("scale", "3")]);
        let law = Law::Conditional { low: 3.0, high: 6.0 };
        assert_eq!(RunOptions::parse(&boxed).expect("options").start, Start::Random(law));
    }

    #[test]
    fn fixed_scales_need_no_certificate() {
        let needs = |more: &[(&str, &str)]| {
            let all = [&[("data", "gaussian:3,4"), ("step", "0.1")], more].concat();
            RunOptions::parse(&texts(&all)).expect("options").needs_certificate()
        };
        assert!(needs(&[]));
        assert!(!needs(&[("scale", "3")]));
        assert!(needs(&[("scale", "3"), ("depth", "3")]));
        assert!(!needs(&[("scale", "3"), ("depth", "3"), ("hidden-scale", "0.1")]));
        assert!(!needs(&[("start", "lecun")]));
        assert!(needs(&[("start", "lecun"), ("stages", "certify")]));
    }
}
