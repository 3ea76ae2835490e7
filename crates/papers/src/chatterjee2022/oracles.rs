//! The theorems on examples where the published constants can be worked out by hand.

use crate::{Comparison, Form};
use faer::Par;
use gradcert::certify::positive::PositiveSearch;
use gradcert::certify::problem::{Coordinates, Problem};
use gradcert::certify::random::theorem;
use gradcert::certify::{HiddenScale, Method, Options, Outcome, Scale};
use gradcert::network::Network;
use gradcert::network::activation::Activation;
use gradcert::sweep::data::gaussian;
use gradcert::theorem::original::Original;
use gradcert::train::coordinates::TrainingCoordinates;
use gradcert::train::descent::{Descent, TrainingSet};

/// A problem whose rows are the given ones, row by row.
fn problem(rows: &[f64], samples: usize, targets: Vec<f64>) -> Problem {
    Problem::new(rows, samples, rows.len() / samples, targets, Coordinates::Raw)
}

fn options(widths: &[usize], activation: Activation, hidden: f64, output: f64) -> Options {
    Options {
        hidden_widths: widths.to_vec(),
        activation,
        scale: Scale::Fixed(output),
        hidden_scale: HiddenScale::Fixed(hidden),
        freeze_bias: true,
        tolerance: 1e-20,
        method: Method::Paper,
        ..Options::default()
    }
}

fn original(problem: &Problem, options: &Options) -> Option<Original> {
    match PositiveSearch::new(problem, options).ok()?.certify() {
        Outcome::CertifiedOriginal(original) => Some(*original),
        _ => None,
    }
}

/// The smallest output scale that the original constants certify, by bisection; infinite if there is none below 1e9.
fn smallest_scale(problem: &Problem, widths: &[usize], activation: Activation, hidden: f64) -> f64 {
    let certified = |a: f64| original(problem, &options(widths, activation, hidden, a)).is_some();
    let (mut low, mut high) = (1e-3, 1e9);
    if !certified(high) {
        return f64::INFINITY;
    }
    while high / low > 1.0 + 1e-9 {
        let middle = f64::sqrt(low * high);
        if certified(middle) { high = middle } else { low = middle }
    }
    high
}

/// *Setting.* One sample x = 1 with target y, two layers of width 1, identity activation, no biases, W_1 = 0, W_2 = A; r = A/2.
///
/// *Claim.* Descent with a small step converges if `A > r + |y| / (r sqrt(lambda d_1))`; with r = A/2 that is `A > 2 sqrt|y|`.
///
/// *Where.* Theorem 2.1 with the constants of Remark 2.6 and A.3 (T8).
///
/// *Computed.* The smallest A with a certificate by the original constants, by bisection.
///
/// *Form.* Equality. The step at the edge vanishes, so the bisection stops a little above it.
pub fn smallest_scale_of_one_sample(target: f64) -> Comparison {
    let one = problem(&[1.0], 1, vec![target]);
    let computed = smallest_scale(&one, &[1], Activation::Identity, 1.0);
    Comparison { computed, published: 2.0 * target.abs().sqrt(), form: Form::Equality }
}

/// *Setting.* n = d samples, the unit vectors, with targets of norm |y|; three layers of widths w, smooth leaky-ReLU with slope c, no
/// biases, W_1 = 0, hidden entries a.
///
/// *Claim.* `A* = r + |y| / (r sqrt(lambda d_1) r^{L-2} prod_{l=2}^{L-1} d_l prod_{l=1}^{L-1} c_l)`, `r = a/2`, `c_l` the smallest slope on
/// `[-m_l, m_l]`, `m_1 = r (d M + 1)`, `m_2 = (a + r) d_1 sup |sigma| + r`.
///
/// *Where.* Remark 2.6 and A.3 (T8).
///
/// *Computed.* The smallest A with a certificate by the original constants, by bisection.
///
/// *Form.* Equality, as above.
pub fn smallest_scale_of_unit_vectors(samples: usize, width: usize, slope: f64, hidden: f64) -> Comparison {
    let identity: Vec<f64> =
        (0..samples * samples).map(|k| if k / samples == k % samples { 1.0 } else { 0.0 }).collect();
    let targets: Vec<f64> = (0..samples).map(|i| 0.1 * (i as f64 + 1.0)).collect();
    let norm = targets.iter().map(|y| y * y).sum::<f64>().sqrt();
    let act = Activation::SmoothLeakyRelu(slope);
    let (r, d1) = (0.5 * hidden, width as f64);
    let m1 = r * (samples as f64 + 1.0);
    let m2 = (hidden + r) * d1 * act.value(m1).abs().max(act.value(-m1).abs()) + r;
    // Slopes increase.
    let slopes = act.slope(-m1) * act.slope(-m2);
    let published = r + norm / (r * d1.sqrt() * r * d1 * slopes);
    let unit = problem(&identity, samples, targets);
    Comparison { computed: smallest_scale(&unit, &[width, width], act, hidden), published, form: Form::Equality }
}

/// A small Gaussian problem and its certificate by the original constants at 1.5 times the smallest scale: widths 4 and 3, smooth
/// leaky-ReLU with slope 1/2, hidden entries 1.
fn certified_example(seed: u64) -> Option<(Problem, Original)> {
    let (x, y) = gaussian(6, 10, seed);
    let example = problem(&x, 6, y);
    let act = Activation::SmoothLeakyRelu(0.5);
    let smallest = smallest_scale(&example, &[4, 3], act, 1.0);
    let found = original(&example, &options(&[4, 3], act, 1.0, 1.5 * smallest))?;
    Some((example, found))
}

fn descent_of<'a>(set: &'a TrainingSet, start: Network, original: &'a Original) -> Descent<'a> {
    Descent::new(start, set, &original.start.metric, original.step_size, Par::Seq)
}

/// *Setting.* 6 Gaussian samples with 10 features, widths 4 and 3, smooth leaky-ReLU with slope 1/2, A = 1.5 A*, the step of Theorem 1.2.
///
/// *Claim.* `S(w_k) <= (1 - delta)^k S(w_0)`, `delta = min(1, (1 - eps) alpha eta)`.
///
/// *Where.* Theorem 1.2 (T2) with the constants of Remark 2.6 (T8).
///
/// *Computed.* `S(w_k)` of the run.
///
/// *Form.* The computed number is at most the published one. `None` without a certificate.
pub fn loss_after(seed: u64, iterations: u32) -> Option<Comparison> {
    let (example, original) = certified_example(seed)?;
    let (coordinates, inputs) = TrainingCoordinates::new(&example);
    let set = TrainingSet { inputs, targets: example.targets.clone(), multiplicity: vec![1.0; 6] };
    let mut descent = descent_of(&set, coordinates.enter(&original.start.network()), &original);
    let first = descent.loss();
    for _ in 0..iterations {
        descent.step();
    }
    let published = (f64::from(iterations) * (-original.rate.get()).ln_1p()).exp() * first;
    Some(Comparison { computed: descent.loss(), published, form: Form::AtMost })
}

/// *Setting.* As in [`loss_after`].
///
/// *Claim.* `|grad S|^2 / S >= alpha` on the ball of radius r.
///
/// *Where.* The definition of alpha in section 1, its bound in A.3 (T8).
///
/// *Computed.* The smallest `|grad S|^2 / S` at the iterates, which stay in the ball: `|grad S|` is the length of a step over eta.
///
/// *Form.* The computed number is at least the published one. `None` without a certificate.
pub fn gradient_along_the_run(seed: u64, iterations: u32) -> Option<Comparison> {
    let (example, original) = certified_example(seed)?;
    let (coordinates, inputs) = TrainingCoordinates::new(&example);
    let set = TrainingSet { inputs, targets: example.targets.clone(), multiplicity: vec![1.0; 6] };
    let mut descent = descent_of(&set, coordinates.enter(&original.start.network()), &original);
    let mut smallest = f64::INFINITY;
    for _ in 0..iterations {
        let (loss, path) = (descent.loss(), descent.path());
        descent.step();
        let gradient = (descent.path() - path) / original.step_size;
        smallest = smallest.min(gradient * gradient / loss);
    }
    Some(Comparison { computed: smallest, published: original.alpha.get(), form: Form::AtLeast })
}

/// *Setting.* n Gaussian samples with d features, hidden layers of one width, smooth leaky-ReLU with slope 1/10, biases trained.
///
/// *Claim.* The explicit A* is sufficient; it is not claimed to be necessary.
///
/// *Where.* Remark 2.6 (T8); ours: (T9m).
///
/// *Computed.* The smallest A that our bounds certify; beside it the smallest by the original constants.
///
/// *Form.* The computed number is at most the published one.
pub fn smallest_scales(samples: usize, features: usize, widths: &[usize], seed: u64) -> Comparison {
    let (x, y) = gaussian(samples, features, seed);
    let data = problem(&x, samples, y);
    let smallest = |method| {
        let options = Options { hidden_widths: widths.to_vec(), scale: Scale::Minimum, method, ..Options::default() };
        let outcome = PositiveSearch::new(&data, &options).map(|search| search.certify());
        outcome.ok().and_then(|o| o.positive_start().map(|s| s.output)).unwrap_or(f64::INFINITY)
    };
    Comparison { computed: smallest(Method::Sharp), published: smallest(Method::Paper), form: Form::AtMost }
}

/// *Setting.* Three layers of one width, smooth leaky-ReLU with slope 1/2, Gaussian data.
///
/// *Claim.* The theorem's event, all entries of W_2 and W_3 in `[A, 2A]`, has probability
/// `(Phi(2A sqrt d_1) - Phi(A sqrt d_1))^{d_1 d_2 + d_2}`, at most `0.1614^{d_1 d_2 + d_2}` since no interval `[a, 2a]` has a larger
/// probability under the standard normal law (a = sqrt(2 ln 2 / 3)).
///
/// *Where.* Theorem 2.8 (T10).
///
/// *Computed.* log10 of the probability of the whole event at its best A, from below.
///
/// *Form.* The computed number is at most the published one. `None` if the event is empty.
pub fn probability_of_the_event(width: usize, seed: u64) -> Option<Comparison> {
    let (x, y) = gaussian(5, 8, seed);
    let data = problem(&x, 5, y);
    let options = Options {
        hidden_widths: vec![width, width],
        activation: Activation::SmoothLeakyRelu(0.5),
        ..Options::default()
    };
    let likeliest = theorem(&data, &options).ok()?.likeliest()?;
    let entries = (width * width + width) as f64;
    Some(Comparison {
        computed: likeliest.log10_probability,
        published: entries * 0.1614f64.log10(),
        form: Form::AtMost,
    })
}
