//! Certified descent is run, exactly as certified, and must keep every promise at every iteration: the residual below
//! the envelopes, the path inside the ball, the count sufficient.

mod support;

use faer::{Mat, Par};
use gradcert::certify::given;
use gradcert::certify::positive::PositiveSearch;
use gradcert::certify::problem::{Coordinates, Problem};
use gradcert::certify::search::{Goal, Spectrum, candidates};
use gradcert::certify::{Certified, HiddenScale, LayerSteps, Options, Outcome, Scale, StartKind};
use gradcert::network::passes::LayerInputs;
use gradcert::theorem::ball::ball;
use gradcert::theorem::centre::Centre;
use gradcert::theorem::descent::Descent;
use gradcert::theorem::envelope::{contraction_count, target};
use gradcert::theorem::multiplicative::{CELLS, multiplicative_factor};
use gradcert::theorem::profile::{Profile, radii};
use gradcert::train::descent::{Descent as Training, TrainingSet};
use gradcert_rigor::linear::SymmetricBall;
use gradcert_rigor::{Lower, Upper};
use support::case::{Case, positive_start, regular_start, zeros};
use support::plain::combine;
use support::record::Record;
use support::singular::Singular;
use support::{Dice, norm, sigma};

/// A certified run to be checked: everything it promises.
struct Promise<'a> {
    descent: &'a Descent,
    profile: &'a Profile,
    spectrum: Option<&'a Spectrum>,
    residual: Upper,
    tolerance: f64,
    count: u64,
}

/// Gradient descent in u by loops; stops at `limit` iterations. Every promise is compared at every iteration.
fn run(case: &Case, targets: &[f64], promise: &Promise, limit: u64, number: u64, record: &mut Record) {
    let (mut sampled, weight, n) = (case.sampled(), case.weight(), case.total());
    let here = vec![0.0; case.net.size()];
    let radius = promise.profile.radius[promise.descent.index];
    let c = 2.0 * promise.descent.step_size / n;
    let mut envelope = promise.spectrum.map(|s| s.envelope(promise.descent, promise.profile, promise.residual));
    let (mut u, mut path, mut last) = (promise.residual, 0.0, f64::INFINITY);
    // Rounding of outputs and labels.
    let slack = 1e-13 * (1.0 + norm(targets) + norm(&sampled.outputs(&here)));
    for k in 0..=limit {
        let outputs = sampled.outputs(&here);
        let rho: Vec<f64> = (0..outputs.len()).map(|i| weight[i] * (outputs[i] - targets[i])).collect();
        let size = norm(&rho);
        record.at_most("T5 envelope", size, u.get(), slack, number);
        if let Some(envelope) = &envelope {
            record.at_most("T5s envelope", size, envelope.current().get(), slack, number);
        }
        record.at_most("residual decreases", size, last, slack, number);
        record.at_most("path", path, radius, 1e-12 * radius, number);
        last = size;
        if k == promise.count {
            record.at_most("count", size, (n * promise.tolerance).sqrt(), slack, number);
        }
        if size * size <= n * promise.tolerance && k >= promise.count.min(limit) {
            return;
        }
        let pull = combine(&sampled.jacobian(&here), &rho);
        let step: Vec<f64> = pull.iter().map(|g| -c * g).collect();
        path += norm(&step);
        sampled.net = sampled.net.moved(&step);
        u = promise.descent.factor(u) * u;
        if let Some(envelope) = &mut envelope {
            envelope.advance();
        }
    }
}

/// Labels at a random distance below the largest certifiable one: along the slowest direction of the kernel, the
/// fastest, or any. Returns targets (unweighted).
fn labels(dice: &mut Dice, case: &Case, size: f64) -> Vec<f64> {
    let sampled = case.sampled();
    let here = vec![0.0; case.net.size()];
    let spectrum = Singular::new(&sampled.jacobian(&here));
    let rho = match dice.integer(0, 3) {
        0 => spectrum.left[0].clone(),
        1 => spectrum.left[spectrum.left.len() - 1].clone(),
        _ => dice.normals(case.x.len()),
    };
    let length = norm(&rho);
    let outputs = sampled.outputs(&here);
    let weight = case.weight();
    (0..rho.len()).map(|i| outputs[i] - size * rho[i] / length / weight[i]).collect()
}

/// One random certified radius and step, not the best one.
fn promise_and_run(
    dice: &mut Dice,
    case: &Case,
    centre: &Centre,
    kernel: &SymmetricBall,
    profile: &Profile,
    number: u64,
    record: &mut Record,
) {
    let Some(most) = profile.integral.last() else { return };
    let size = most.get() * dice.uniform(0.2, 0.98);
    let targets = labels(dice, case, size);
    let inputs = case.inputs();
    let residual = case.passes().residual(&targets, inputs.root_multiplicity());
    let size = Upper::norm(residual.iter().map(|r| r.magnitude()));
    let (n, tolerance) = (case.total(), dice.pick(&[1e-8, 1e-16]));
    let goal = Goal { residual: size, n, target: target(n, tolerance), limit: 1 << 40 };
    let found = candidates(profile, &goal);
    if found.is_empty() {
        return;
    }
    let (descent, _) = found[dice.integer(0, found.len() - 1)];
    let spectrum = Spectrum::new(kernel, &residual, (centre.smin_jacobian, centre.smax_jacobian));
    let limit = 1500;
    let count = contraction_count(&descent, size, goal.target, 1 << 40).unwrap_or(u64::MAX);
    let spectral = spectrum.as_ref().and_then(|s| s.envelope(&descent, profile, size).count(goal.target, limit));
    let count = count.min(spectral.unwrap_or(u64::MAX));
    let promise = Promise { descent: &descent, profile, spectrum: spectrum.as_ref(), residual: size, tolerance, count };
    run(case, &targets, &promise, limit, number, record);
}

fn given_run(number: u64, record: &mut Record) {
    let mut dice = Dice::new(5_000_000 + number);
    let case = regular_start(&mut dice);
    let (centre, kernel) = case.centre();
    if centre.smin_jacobian.get() <= 1e-3 * centre.smax_jacobian.get() {
        return;
    }
    let psi = |s: f64| ball(&centre, s).psi();
    let profile = Profile::new(&centre, &radii(&psi, 1e-3, 1e3, 60), &|_| Lower::ZERO);
    promise_and_run(&mut dice, &case, &centre, &kernel, &profile, number, record);
}

fn positive_run(number: u64, record: &mut Record) {
    let mut dice = Dice::new(6_000_000 + number);
    let positive = positive_start(&mut dice);
    let (case, start) = (&positive.case, positive.start());
    let inputs = case.inputs();
    let centre = start.centre(&inputs);
    let unit = start.backward_norm(1).lower() * inputs.smin;
    if !unit.is_positive() {
        return;
    }
    let multiplicative = |s: f64| multiplicative_factor(&start, s, CELLS) * unit;
    let psi = |s: f64| ball(&centre, s).psi().max(multiplicative(s));
    let profile = Profile::new(&centre, &radii(&psi, 0.1, 30.0, 60), &multiplicative);
    let (alpha, beta) = start.kernel_coefficients();
    let kernel = inputs.kernel(alpha, beta);
    promise_and_run(&mut dice, case, &centre, &kernel, &profile, number, record);
}

fn runs(range: std::ops::Range<u64>) -> Record {
    let mut record = Record::default();
    for number in range {
        given_run(number, &mut record);
        positive_run(number, &mut record);
    }
    record.print("descent");
    record
}

fn demand_runs(record: &Record, least: u64) {
    assert!(record.checks("count") >= least, "only {} runs reached their count", record.checks("count"));
    for name in ["T5 envelope", "T5s envelope"] {
        assert!(record.largest(name) > 0.99, "{name}: {}", record.largest(name));
    }
    assert!(record.largest("path") > 0.5, "path: {}", record.largest("path"));
}

#[test]
fn certified_runs_keep_their_promises() {
    demand_runs(&runs(0..100), 50);
}

#[test]
#[ignore = "long: make test-long"]
fn thousands_of_certified_runs_keep_their_promises() {
    demand_runs(&runs(10_000..12_500), 1000);
}

// ------------------------------------------------------------------------------------------ whole certificates

fn library_run(case: &Case, targets: &[f64], certified: &Certified, steps: u64) -> Vec<(f64, f64)> {
    let inputs = Mat::from_fn(case.x.len(), case.x[0].len(), |i, j| case.x[i][j]);
    let set = TrainingSet {
        inputs: LayerInputs::Rows(inputs),
        targets: targets.to_vec(),
        multiplicity: case.multiplicity.iter().map(|&m| f64::from(m)).collect(),
    };
    let step_size = certified.found.descent.step_size;
    let mut training = Training::new(case.network(), &set, &certified.metric, step_size, Par::Seq);
    let mut seen = vec![];
    for _ in 0..=steps {
        seen.push((training.loss(), training.path()));
        training.step();
    }
    seen
}

/// The library's trainer and the loops walk the same way.
fn compare_trainers(case: &Case, targets: &[f64], certified: &Certified) {
    let steps = certified.found.iterations.min(200);
    let library = library_run(case, targets, certified, steps);
    let (mut sampled, weight, n) = (case.sampled(), case.weight(), case.total());
    let here = vec![0.0; case.net.size()];
    let mut path = 0.0;
    for (k, (loss, walked)) in library.into_iter().enumerate() {
        let outputs = sampled.outputs(&here);
        let rho: Vec<f64> = (0..outputs.len()).map(|i| weight[i] * (outputs[i] - targets[i])).collect();
        // Outputs and labels are rounded, so the residual agrees to their precision.
        let slack = 1e-13 * (1.0 + norm(&outputs) + norm(targets));
        let other = (n * loss).sqrt();
        assert!((norm(&rho) - other).abs() <= slack, "residual {} {other} at {k}", norm(&rho));
        assert!((path - walked).abs() <= 1e-11 * (1.0 + path), "path {path} {walked} at {k}");
        let c = 2.0 * certified.found.descent.step_size / n;
        let step: Vec<f64> = combine(&sampled.jacobian(&here), &rho).iter().map(|g| -c * g).collect();
        path += norm(&step);
        sampled.net = sampled.net.moved(&step);
    }
}

fn check_certificate(case: &Case, targets: &[f64], certified: &Certified, tolerance: f64, number: u64, r: &mut Record) {
    let promise = Promise {
        descent: &certified.found.descent,
        profile: &certified.profile,
        spectrum: certified.spectrum.as_ref(),
        residual: certified.residual,
        tolerance,
        count: certified.found.iterations,
    };
    run(case, targets, &promise, certified.found.iterations.min(3000), number, r);
    compare_trainers(case, targets, certified);
}

fn problem(case: &Case, targets: &[f64]) -> Problem {
    let values: Vec<f64> = case.x.concat();
    let problem = Problem::new(&values, case.x.len(), case.x[0].len(), targets.to_vec(), Coordinates::Raw);
    problem.with_multiplicity(case.multiplicity.clone())
}

#[test]
fn certificates_of_the_positive_start_hold() {
    let mut record = Record::default();
    let mut certified_runs = 0;
    for number in 0..60 {
        let mut dice = Dice::new(7_000_000 + number);
        let mut positive = positive_start(&mut dice);
        let layers = positive.case.net.layers().min(5);
        let case = &mut positive.case;
        let widths = case.widths();
        let options = Options {
            hidden_widths: widths[1..layers].to_vec(),
            activation: case.net.sigma.of_library,
            scale: if number % 20 == 0 { Scale::Minimum } else { Scale::Fixed(dice.uniform(3.0, 50.0)) },
            hidden_scale: HiddenScale::Fixed(dice.uniform(0.2, 1.0)),
            layer_steps: if number % 20 == 1 { LayerSteps::Auto } else { LayerSteps::Equal },
            first_layer_only: dice.chance(0.15),
            freeze_bias: dice.chance(0.5),
            tolerance: dice.pick(&[1e-6, 1e-10]),
            ..Options::default()
        };
        let targets = dice.normals(case.x.len());
        let posed = problem(case, &targets);
        // Collinear samples take millions of iterations, and the search follows each.
        let inputs = posed.input_bounds(options.freeze_bias);
        if inputs.smin.get() < 0.2 * inputs.smax.get() {
            continue;
        }
        let Ok(search) = PositiveSearch::new(&posed, &options) else { continue };
        let Outcome::Certified(certified) = search.certify() else { continue };
        let StartKind::Positive(start) = &certified.start else { panic!("another start") };
        certified_runs += 1;
        let mut widths = vec![widths[0]];
        widths.extend(&options.hidden_widths);
        widths.push(1);
        let mut net = zeros(case.net.sigma, &widths);
        for l in 2..widths.len() {
            let entry = if l + 1 == widths.len() { start.output } else { start.hidden[l - 2] };
            net.weights[l].iter_mut().flatten().for_each(|w| *w = entry);
        }
        net.weight_factor.clone_from(&certified.metric.weights);
        net.bias_factor.clone_from(&certified.metric.biases);
        let case = Case { net, x: case.x.clone(), multiplicity: case.multiplicity.clone() };
        check_certificate(&case, &targets, &certified, options.tolerance, number, &mut record);
    }
    record.print("positive start");
    assert!(certified_runs >= 20, "only {certified_runs} certificates");
}

#[test]
fn certificates_of_given_starts_hold() {
    let mut record = Record::default();
    let mut certified_runs = 0;
    for number in 0..60 {
        let mut dice = Dice::new(8_000_000 + number);
        let mut case = regular_start(&mut dice);
        if dice.chance(0.3) {
            // (T7+): positive later layers, frozen.
            case.net.sigma = sigma::leaky();
            for l in 2..=case.net.layers() {
                case.net.weights[l].iter_mut().flatten().for_each(|w| *w = w.abs() + 0.1);
                (case.net.weight_factor[l], case.net.bias_factor[l]) = (0.0, 0.0);
            }
        }
        if dice.chance(0.4) {
            // The inputs, too, are seen through the metric.
            case.net.weight_factor[1] = dice.pick(&[0.3, 3.0, 10.0]);
            case.net.bias_factor[1] *= dice.pick(&[0.5, 1.0, 2.0]);
        }
        let spectrum = Singular::new(&case.sampled().jacobian(&vec![0.0; case.net.size()]));
        // The search follows thousands of iterations for every step it tries.
        if spectrum.smallest() < 0.1 * spectrum.largest() {
            continue;
        }
        let size = spectrum.smallest().powi(2) / spectrum.largest() * dice.decades(-3.0, 0.0);
        let targets = labels(&mut dice, &case, size);
        let options = Options { tolerance: 1e-5 * size * size, ..Options::default() };
        let Outcome::Certified(certified) =
            given::certify(&problem(&case, &targets), &case.network(), &case.metric(), &options)
        else {
            continue;
        };
        certified_runs += 1;
        check_certificate(&case, &targets, &certified, options.tolerance, number, &mut record);
    }
    record.print("given start");
    assert!(certified_runs >= 12, "only {certified_runs} certificates");
}
