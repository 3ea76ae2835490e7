//! Certificates for the positive start: the choice of its scales, of the metric, of radius and step.

use super::problem::{Coordinates, Problem, norm};
use super::record::stated_extremes;
use super::search::{Effort, Found, Goal, Spectrum, by_contraction, by_spectrum, candidates};
use super::{Certified, HiddenScale, LayerSteps, Method, Options, Outcome, Reason, Scale, StartKind, inconsistent};
use crate::theorem::ball::psi;
use crate::theorem::centre::{Centre, Metric};
use crate::theorem::envelope::target;
use crate::theorem::inputs::InputBounds;
use crate::theorem::multiplicative::{CELLS, multiplicative_factor};
use crate::theorem::original;
use crate::theorem::profile::{Profile, certifies_flow, radii};
use crate::theorem::start::PositiveStart;
use gradcert_rigor::{Interval, Upper};

/// More certified iterations than this count as no certificate.
pub const ITERATION_LIMIT: u64 = 1_000_000_000;

/// Entries of the hidden layers that are tried, as multiples of 1/width.
const HIDDEN_FACTORS: [f64; 4] = [1.0, 2.0, 4.0, 8.0];

/// Metric factors of the layers after the first that are tried.
pub const LAYER_FACTORS: [f64; 8] = [1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 1e-3, 1e-4];

/// Training at this multiple of the natural scale stands for A -> infinity.
const LAZY: f64 = 1e8;

/// The smallest of [`LAYER_FACTORS`] used for `--scale min`: with factors down to 0 every A > 0 is certified where
/// `sigma' >= c > 0`, and there would be no smallest one.
const SMALLEST_FACTOR_FOR_MINIMUM: f64 = 0.03;

/// Certificates for the positive start of one problem.
pub struct PositiveSearch<'a> {
    problem: &'a Problem,
    options: &'a Options,
    inputs: InputBounds,
    residual: Vec<Interval>,
    goal: Goal,
}

/// Computes the spectrum of the tangent kernel at a centre.
type SpectrumOf<'a> = &'a dyn Fn(&Centre) -> Option<Spectrum>;

/// The choices left open by the options.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Setting {
    /// Entries of hidden layers, as a multiple of `1 / sqrt(d_l d_{l-1})`; negative: the entry itself.
    hidden: f64,
    /// Metric factor of the layers after the first.
    factor: f64,
}

impl<'a> PositiveSearch<'a> {
    /// Prepares the search: everything that does not depend on the scales. Declines when a hypothesis fails already.
    pub fn new(problem: &'a Problem, options: &'a Options) -> Result<PositiveSearch<'a>, Vec<Reason>> {
        if let Some(reason) = inconsistent(problem, options).or_else(|| not_positive(options)) {
            return Err(vec![reason]);
        }
        let mut reasons = vec![];
        reasons.extend(unsuitable_activation(options));
        reasons.extend(dependent_samples(problem));
        let inputs = problem.input_bounds(options.freeze_bias);
        if !inputs.smin.is_positive() {
            reasons.push(dependent_inputs(problem, options));
        }
        if !reasons.is_empty() {
            return Err(reasons);
        }
        let residual = problem.residual_of_zero_output();
        let n = problem.total();
        let goal = Goal { residual: norm(&residual), n, target: target(n, options.tolerance), limit: ITERATION_LIMIT };
        Ok(PositiveSearch { problem, options, inputs, residual, goal })
    }

    /// The certificate the options ask for.
    pub fn certify(&self) -> Outcome {
        if self.options.method == Method::Paper {
            return self.by_original_constants();
        }
        let found = match self.options.scale {
            Scale::Fixed(a) => self.at_fixed_scale(a),
            Scale::Minimum => self.at_minimum(),
            Scale::Auto => self.automatic(),
        };
        match found {
            Some(certified) => Outcome::Certified(Box::new(certified)),
            None => Outcome::Declined(vec![self.why_not()]),
        }
    }

    /// Certified count and kernel movement at each scale, `None` where nothing is certified.
    pub fn scan(&self, scales: &[f64]) -> Vec<(f64, Option<Certified>)> {
        let setting = self.default_setting();
        scales.iter().map(|&a| (a, self.evaluate(a, setting, Effort::Compare, true))).collect()
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths = vec![self.problem.input_width()];
        widths.extend(&self.options.hidden_widths);
        widths.push(1);
        widths
    }

    fn hidden_entries(&self, setting: Setting) -> Vec<f64> {
        self.options
            .hidden_widths
            .windows(2)
            .map(
                |w| {
                    if setting.hidden < 0.0 { -setting.hidden } else { setting.hidden / ((w[0] * w[1]) as f64).sqrt() }
                },
            )
            .collect()
    }

    fn metric(&self, setting: Setting) -> Metric {
        let layers = self.options.hidden_widths.len() + 1;
        let mut metric = Metric::plain(layers).slower_later_layers(setting.factor);
        if self.options.freeze_bias {
            metric = metric.without_biases();
        }
        if matches!(self.problem.coordinates, Coordinates::Whitened { .. }) {
            metric.biases[1] = 0.0;
        }
        metric
    }

    fn start(&self, output: f64, setting: Setting) -> PositiveStart {
        PositiveStart::new(
            self.options.activation,
            &self.widths(),
            &self.hidden_entries(setting),
            output,
            self.metric(setting),
            &self.inputs,
        )
    }

    /// Radii for a profile, from a cheap psi.
    fn radii(&self, start: &PositiveStart, centre: &Centre, effort: Effort) -> Vec<f64> {
        let unit = start.backward_norm(1).lower() * self.inputs.smin;
        let rough = |s: f64| psi(centre, s).max(multiplicative_factor(start, s, CELLS / 8) * unit);
        let lazy = self.goal.residual.get() / centre.smin_jacobian.get();
        radii(&rough, lazy, 1e3 * lazy, effort.cells())
    }

    /// psi of (T9m), and (T9+) in the profile.
    fn profile(&self, start: &PositiveStart, centre: &Centre, effort: Effort) -> Profile {
        let unit = start.backward_norm(1).lower() * self.inputs.smin;
        let cover = if effort == Effort::Compare { CELLS / 4 } else { CELLS };
        let multiplicative = |s: f64| multiplicative_factor(start, s, cover) * unit;
        Profile::new(centre, &self.radii(start, centre, effort), &multiplicative)
    }

    fn flow_is_certified(&self, output: f64, setting: Setting) -> bool {
        let start = self.start(output, setting);
        let centre = start.rough_centre(&self.inputs);
        let unit = start.backward_norm(1).lower() * self.inputs.smin;
        let best = |s: f64| psi(&centre, s).max(multiplicative_factor(&start, s, CELLS / 4) * unit);
        certifies_flow(&self.radii(&start, &centre, Effort::Compare), &best, self.goal.residual)
    }

    /// The certificate with the fewest iterations at one scale.
    fn evaluate(&self, output: f64, setting: Setting, effort: Effort, spectral: bool) -> Option<Certified> {
        let start = self.start(output, setting);
        let spectrum = |centre: &Centre| {
            let (alpha, beta) = start.kernel_coefficients();
            Spectrum::new(
                &self.inputs.kernel(alpha, beta),
                &self.residual,
                stated_extremes(centre.smin_jacobian, centre.smax_jacobian),
            )
        };
        let spectrum: Option<SpectrumOf<'_>> = if spectral { Some(&spectrum) } else { None };
        self.evaluate_with(&start, effort, ITERATION_LIMIT, spectrum)
    }

    /// The same with at most `limit` iterations and a spectrum computed only where candidates ask for it.
    fn evaluate_with(
        &self,
        start: &PositiveStart,
        effort: Effort,
        limit: u64,
        spectrum: Option<SpectrumOf<'_>>,
    ) -> Option<Certified> {
        let goal = Goal { limit, ..self.goal };
        let centre = start.centre(&self.inputs);
        let profile = self.profile(start, &centre, effort);
        let candidates = candidates(&profile, &goal);
        let mut found = by_contraction(&candidates, &goal, effort);
        let spectrum = spectrum.filter(|_| !candidates.is_empty()).and_then(|compute| compute(&centre));
        let sharper = spectrum.as_ref().and_then(|s| by_spectrum(&profile, &candidates, s, &goal, effort));
        let fewer = |s: &Found| found.is_none_or(|f| s.iterations < f.iterations);
        found = sharper.filter(fewer).or(found);
        let found = found?;
        Some(Certified {
            metric: start.metric.clone(),
            start: StartKind::Positive(start.clone()),
            profile: profile.truncated(found.descent.index),
            found,
            spectrum,
            residual: self.goal.residual,
            smin_inputs: self.inputs.smin,
            smax_inputs: self.inputs.smax,
            smin_start: centre.smin_jacobian,
            smax_start: centre.smax_jacobian,
        })
    }

    /// Entries of the hidden layers that are open.
    fn hidden_choices(&self) -> Vec<f64> {
        match self.options.hidden_scale {
            HiddenScale::Fixed(a) => vec![-a],
            HiddenScale::Auto if self.options.hidden_widths.len() > 1 => HIDDEN_FACTORS.to_vec(),
            HiddenScale::Auto => vec![1.0],
        }
    }

    /// Metric factors that are open.
    fn factor_choices(&self) -> Vec<f64> {
        match (self.options.first_layer_only, self.options.layer_steps) {
            (true, _) => vec![0.0],
            (false, LayerSteps::Equal) => vec![1.0],
            (false, LayerSteps::Auto) => LAYER_FACTORS.to_vec(),
        }
    }

    fn default_setting(&self) -> Setting {
        let factor = self.factor_choices()[0];
        let hidden = self.hidden_choices();
        let with = |hidden: f64| Setting { hidden, factor };
        if let [only] = hidden[..] {
            return with(only);
        }
        let smallest = hidden.iter().map(|&h| (self.smallest_scale(with(h)).unwrap_or(f64::INFINITY), h));
        let best = smallest.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(1.0, |(_, h)| h);
        with(best)
    }

    /// The smallest A at which the flow is certified (so descent is, with small steps), to half a per cent.
    fn smallest_scale(&self, setting: Setting) -> Option<f64> {
        let certified = |a: f64| self.flow_is_certified(a, setting);
        let mut high = 10.0;
        let mut low;
        if certified(high) {
            low = high / 4.0;
            while certified(low) {
                high = low;
                low /= 4.0;
                if low < 1e-12 {
                    return Some(high);
                }
            }
        } else {
            loop {
                low = high;
                high *= 4.0;
                if high > 1e15 {
                    return None;
                }
                if certified(high) {
                    break;
                }
            }
        }
        while high / low > 1.005 {
            let middle = (high * low).sqrt();
            if certified(middle) { high = middle } else { low = middle }
        }
        Some(high)
    }

    fn at_fixed_scale(&self, output: f64) -> Option<Certified> {
        let settings = self
            .hidden_choices()
            .into_iter()
            .flat_map(|hidden| self.factor_choices().into_iter().map(move |factor| Setting { hidden, factor }));
        let best = settings
            .filter_map(|s| Some((self.evaluate(output, s, Effort::Compare, false)?.found.iterations, s)))
            .reduce(|a, b| if (b.0 as f64) < 0.95 * a.0 as f64 { b } else { a })?;
        self.evaluate(output, best.1, Effort::Certify, true)
    }

    fn at_minimum(&self) -> Option<Certified> {
        let factors: Vec<f64> =
            self.factor_choices().into_iter().filter(|&f| f == 0.0 || f >= SMALLEST_FACTOR_FOR_MINIMUM).collect();
        let settings =
            self.hidden_choices().into_iter().flat_map(|hidden| factors.iter().map(move |&factor| (hidden, factor)));
        let mut smallest: Vec<(f64, Setting)> = settings
            .filter_map(|(hidden, factor)| {
                let setting = Setting { hidden, factor };
                Some((self.smallest_scale(setting)?, setting))
            })
            .collect();
        smallest.sort_by(|a, b| a.0.total_cmp(&b.0));
        // Right at the edge only vanishing steps are certified; a little inside some step is. In deep networks the setting
        // with the smallest edge may need more iterations than are allowed; then the next one serves.
        smallest.into_iter().find_map(|(edge, setting)| {
            let inside = [1.0, 1.005, 1.01, 1.02, 1.04, 1.08, 1.15, 1.25];
            inside.iter().find_map(|m| self.evaluate(m * edge, setting, Effort::Certify, true))
        })
    }

    /// The smallest A, to 5 %, whose certified count is at most `ceil(1.1 N)`, N the count for A -> infinity.
    fn automatic(&self) -> Option<Certified> {
        let hidden = self.default_setting().hidden;
        let lazy = |factor: f64| -> Option<(f64, Certified)> {
            let setting = Setting { hidden, factor };
            Some((factor, self.evaluate(LAZY * self.natural_scale(setting), setting, Effort::Compare, true)?))
        };
        // Ties go to the larger factor: more of the network is trained.
        let count = |c: &Certified| c.found.iterations as f64;
        let (factor, laziest) = self
            .factor_choices()
            .into_iter()
            .filter_map(lazy)
            .reduce(|a, b| if count(&b.1) < 0.9 * count(&a.1) { b } else { a })?;
        let setting = Setting { hidden, factor };
        let enough = (count(&laziest) * 1.1).ceil() as u64;
        let natural = self.natural_scale(setting);
        let most = LAZY * natural;
        let (mut low, mut high) = (0.1 * natural, most);
        // The count falls with A; a geometric bisection to 5 % in A.
        while high / low > 1.05 {
            let middle = (low * high).sqrt();
            if self.suffices(middle, setting, enough, &laziest) { high = middle } else { low = middle }
        }
        // What was found by guessed spectra is confirmed; where it just fails, a slightly larger scale serves.
        let (mut nearly, mut growth) = (None, 1.02f64);
        while high <= most {
            let certified = self.evaluate(high, setting, Effort::Certify, true);
            if certified.as_ref().is_some_and(|c| c.found.iterations <= enough) {
                return certified;
            }
            nearly = certified.or(nearly);
            high *= growth;
            growth *= growth;
        }
        nearly.or_else(|| self.evaluate(most, setting, Effort::Certify, true))
    }

    /// Is the count at this scale likely to be at most `enough`? The kernel there is nearly a multiple of the laziest one
    /// (exactly, but for the share of the last bias), so no new eigendecomposition is made.
    fn suffices(&self, output: f64, setting: Setting, enough: u64, laziest: &Certified) -> bool {
        let start = self.start(output, setting);
        let StartKind::Positive(reference) = &laziest.start else { return false };
        let ratio = start.kernel_coefficients().0.middle() / reference.kernel_coefficients().0.middle();
        let guess = |centre: &Centre| {
            Some(
                laziest
                    .spectrum
                    .as_ref()?
                    .guess_scaled(ratio, stated_extremes(centre.smin_jacobian, centre.smax_jacobian)),
            )
        };
        self.evaluate_with(&start, Effort::Compare, enough, Some(&guess)).is_some()
    }

    /// The A at which the radius that lazy training needs, `|rho| / smin(J(w0))`, is about as large as A or, with the
    /// largest input, as the range in which slopes change: training is lazy far above it and uncertifiable far below.
    fn natural_scale(&self, setting: Setting) -> f64 {
        let unit = self.start(1.0, setting);
        let lazy = self.goal.residual.get() / (unit.backward_norm(1).lo() * self.inputs.smin.get());
        // Nothing is to be learned where the residual is 0, and any scale will do.
        if lazy > 0.0 { lazy.sqrt().max(lazy * unit.largest_input.get()) } else { 1.0 }
    }

    /// (T8) at the scales asked for; `auto` is the smallest A within 10 % of the fewest iterations on a grid, `min` the
    /// smallest certified one of the same grid.
    fn by_original_constants(&self) -> Outcome {
        let plain = self.options.layer_steps == LayerSteps::Equal && !self.options.first_layer_only;
        if !plain {
            return Outcome::Declined(vec![Reason::new(
                "method",
                "the original theorem is about plain gradient descent on all layers: use --layer-steps equal --train all",
            )]);
        }
        let largest = match self.problem.coordinates {
            Coordinates::Raw => self.problem.rows.largest_entry(),
            Coordinates::Whitened { .. } => Upper::ONE,
        };
        let at = |a: f64| {
            let found = self.hidden_choices().into_iter().filter_map(|hidden| {
                let start = self.start(a, Setting { hidden, factor: 1.0 });
                let tolerance = self.options.tolerance;
                original::certify(&start, &self.inputs, largest, self.goal.residual, self.goal.n, tolerance)
            });
            found.min_by_key(|o| o.iterations)
        };
        let grid: Vec<f64> = match self.options.scale {
            Scale::Fixed(a) => vec![a],
            _ => (-40..=200).map(|k| 10f64.powf(0.05 * f64::from(k))).collect(),
        };
        let found: Vec<_> = grid.into_iter().filter_map(at).collect();
        let fewest = found.iter().map(|o| o.iterations).min().unwrap_or(0) as f64;
        let enough =
            |o: &original::Original| self.options.scale == Scale::Minimum || o.iterations as f64 <= 1.1 * fewest;
        match found.into_iter().find(enough) {
            Some(original) => Outcome::CertifiedOriginal(Box::new(original)),
            None => Outcome::Declined(vec![Reason::new(
                "scale_too_small",
                "the hypothesis of the original theorem, 4 S(w0) < (1 - eps)^2 r^2 alpha, holds at none of the output \
                 scales tried: raise --scale, or use --method sharp",
            )]),
        }
    }

    fn why_not(&self) -> Reason {
        if let Scale::Fixed(a) = self.options.scale {
            let smallest = self.smallest_scale(self.default_setting());
            if let Some(smallest) = smallest.filter(|s| *s > a) {
                return Reason::new(
                    "scale_too_small",
                    format!(
                        "the output scale A = {a} is below the smallest certifiable one, about {smallest:.3}: raise \
                         --scale, or let the later layers move more slowly with --layer-steps auto"
                    ),
                );
            }
        }
        let (smin, smax) = (self.inputs.smin.get(), self.inputs.smax.get());
        let remedy = if self.problem.coordinates == Coordinates::Raw && smax > 1e3 * smin {
            format!(
                "the inputs are nearly collinear (smin = {smin:.2e}, |X~| = {smax:.2e}); --whiten removes their condition \
                 number"
            )
        } else {
            "try another --scale (auto finds one), a smaller --depth, or a larger --tol".to_owned()
        };
        let message = format!("no radius and step certify the tolerance within {ITERATION_LIMIT} iterations: {remedy}");
        Reason::new("too_slow", message)
    }
}

/// Options that describe no positive start.
fn not_positive(options: &Options) -> Option<Reason> {
    let positive = |x: f64| x > 0.0 && x.is_finite();
    let scale = !matches!(options.scale, Scale::Fixed(a) if !positive(a));
    let hidden = !matches!(options.hidden_scale, HiddenScale::Fixed(a) if !positive(a));
    let widths = !options.hidden_widths.is_empty() && options.hidden_widths.iter().all(|&w| w > 0);
    (!(scale && hidden && widths)).then(|| {
        Reason::new("options", "a positive start has at least one hidden layer, positive widths and positive entries")
    })
}

fn unsuitable_activation(options: &Options) -> Option<Reason> {
    let act = options.activation;
    let suitable = act.vanishes_at_zero() && act.has_positive_slope();
    (!suitable).then(|| {
        Reason::new(
            "activation",
            format!(
                "the positive start needs sigma(0) = 0 and sigma' > 0, which {act} does not have: use smooth-leaky-relu, \
                 softplus, tanh, logistic, erf, arctan, algebraic, softsign or identity, or give a start of your own"
            ),
        )
    })
}

fn dependent_samples(problem: &Problem) -> Option<Reason> {
    let Coordinates::Whitened { bias } = problem.coordinates else { return None };
    if problem.smin_samples(bias).is_positive() {
        return None;
    }
    let coordinate = if bias { " with the bias coordinate" } else { "" };
    Some(Reason::new(
        "dependent_inputs",
        format!(
            "whitening needs the {} input vectors{coordinate} to be linearly independent, and that is not proved: {}",
            problem.rows.nrows(),
            remedy(problem)
        ),
    ))
}

fn dependent_inputs(problem: &Problem, options: &Options) -> Reason {
    let affine = if problem.first_bias(options.freeze_bias) { "affinely" } else { "linearly" };
    Reason::new(
        "dependent_inputs",
        format!(
            "the {} input vectors are not proved to be {affine} independent (smin = 0): {}",
            problem.rows.nrows(),
            remedy(problem)
        ),
    )
}

fn remedy(problem: &Problem) -> &'static str {
    if problem.rows.nrows() > problem.rows.ncols() + 1 {
        "there are more samples than features, so they cannot be; use random features (--lift fourier:D, D at least the \
         number of samples), or train without a certificate and audit the result"
    } else {
        "look for duplicated rows (--merge-duplicates) or rows that are combinations of others; where they are only \
         nearly dependent, try --whiten"
    }
}
