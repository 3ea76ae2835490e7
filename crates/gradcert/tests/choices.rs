//! What the searches choose, what they refuse and why: options and starts that are contradictory, hopeless or slow.

mod support;

use faer::Par;
use gradcert::certify::positive::{LAYER_FACTORS, PositiveSearch};
use gradcert::certify::problem::{Coordinates, Problem};
use gradcert::certify::{Certified, LayerSteps, Options, Outcome, Reason, Scale, given};
use gradcert::network::Network;
use gradcert::network::activation::Activation;
use gradcert::network::random::{Law, draw};
use gradcert::theorem::ball::{ball, psi};
use gradcert::theorem::centre::Metric;
use gradcert::theorem::multiplicative::multiplicative_factor;
use gradcert::theorem::profile::{Profile, certifies_flow};
use gradcert::theorem::start::PositiveStart;
use gradcert::train::optimizer::Algorithm;
use gradcert::train::run::{Plan, Run, Stop, run};
use gradcert_rigor::{Lower, Upper};
use support::Dice;
use support::case::regular_start;

const LEAKY: Activation = Activation::SmoothLeakyRelu(0.1);

fn gaussian(dice: &mut Dice, n: usize, d: usize, size: f64) -> Problem {
    let targets = dice.normals(n).iter().map(|y| size * y).collect();
    Problem::new(&dice.normals(n * d), n, d, targets, Coordinates::Raw)
}

fn code(reasons: &[Reason]) -> &'static str {
    reasons[0].code
}

fn refused(problem: &Problem, options: &Options) -> &'static str {
    match PositiveSearch::new(problem, options) {
        Err(reasons) => code(&reasons),
        Ok(_) => panic!("not refused"),
    }
}

fn certified(outcome: Outcome) -> Box<Certified> {
    match outcome {
        Outcome::Certified(c) => c,
        Outcome::Declined(reasons) => panic!("declined: {reasons:?}"),
        Outcome::CertifiedOriginal(_) => panic!("another method"),
    }
}

fn declined(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Declined(reasons) => code(&reasons),
        _ => panic!("certified"),
    }
}

/// Trains as certified, for the certified number of iterations.
fn train(problem: &Problem, c: &Certified, start: &Network, tolerance: f64) -> Run {
    let plan = Plan {
        start: start.clone(),
        metric: c.metric.clone(),
        algorithm: Algorithm::GradientDescent { step_size: c.found.descent.step_size },
        tolerance,
        max_iterations: c.found.iterations,
    };
    run(problem, &plan, Some(c), Par::Seq, &mut |_| true)
}

fn keeps_its_promise(run: &Run) {
    assert_eq!(run.stop, Stop::Tolerance);
    for record in &run.history {
        let bound = record.envelope.unwrap();
        assert!(record.loss <= bound * (1.0 + 1e-12) + 1e-25, "{} above {bound} at {}", record.loss, record.iteration);
    }
}

/// With a negative entry the bounds of |g| were 0, and so was every drift.
#[test]
fn entries_of_the_positive_start_are_positive() {
    let mut dice = Dice::new(1);
    let problem = gaussian(&mut dice, 3, 5, 1.0);
    for scale in [-3.0, 0.0, f64::NAN, f64::INFINITY] {
        let options = Options { scale: Scale::Fixed(scale), ..Options::default() };
        assert_eq!(refused(&problem, &options), "options", "{scale}");
    }
    assert_eq!(refused(&problem, &Options { hidden_widths: vec![], ..Options::default() }), "options");
    let inputs = problem.input_bounds(false);
    let start = |output| PositiveStart::new(LEAKY, &[5, 4, 1], &[], output, Metric::plain(2), &inputs);
    let (plus, minus) = (start(3.0), start(-3.0));
    // f and -f have the same derivatives but for the sign.
    assert_eq!(ball(&plus.centre(&inputs), 0.1), ball(&minus.centre(&inputs), 0.1));
    assert_eq!(multiplicative_factor(&minus, 0.1, 8), Lower::ZERO);
}

#[test]
fn problems_and_options_that_do_not_fit_are_refused() {
    let mut dice = Dice::new(2);
    let problem = gaussian(&mut dice, 3, 5, 1.0);
    let options = Options::default();
    // Without the second target the residual would be too small.
    let short = Problem { targets: problem.targets[..2].to_vec(), ..problem.clone() };
    assert_eq!(refused(&short, &options), "shapes");
    let start = draw(LEAKY, &[5, 32, 1], Law::LeCun, 0);
    assert_eq!(declined(given::certify(&short, &start, &Metric::plain(2), &options)), "shapes");
    assert_eq!(refused(&problem.clone().with_multiplicity(vec![1, 1]), &options), "shapes");
    let hole = Problem { targets: vec![1.0, f64::NAN, 2.0], ..problem.clone() };
    assert_eq!(refused(&hole, &options), "not_finite");
    assert_eq!(refused(&problem, &Options { tolerance: 0.0, ..options.clone() }), "tolerance");
    // For c > 1 the slope decreases, and c is no lower bound of it.
    let steep = Options { activation: Activation::SmoothLeakyRelu(1.5), ..options.clone() };
    assert_eq!(refused(&problem, &steep), "activation");
    let other = draw(LEAKY, &[4, 32, 1], Law::LeCun, 0);
    assert_eq!(declined(given::certify(&problem, &other, &Metric::plain(2), &options)), "start_shape");
    let two_outputs = draw(LEAKY, &[5, 32, 2], Law::LeCun, 0);
    assert_eq!(declined(given::certify(&problem, &two_outputs, &Metric::plain(2), &options)), "start_shape");
    assert_eq!(declined(given::certify(&problem, &start, &Metric::plain(3), &options)), "start_shape");
}

#[test]
fn whitened_starts_have_no_first_bias() {
    let mut dice = Dice::new(3);
    let problem = Problem { coordinates: Coordinates::Whitened { bias: true }, ..gaussian(&mut dice, 3, 5, 1.0) };
    let mut start = draw(LEAKY, &[3, 32, 1], Law::AbsoluteLeCun, 0);
    let mut metric = Metric::plain(2).slower_later_layers(0.0);
    assert_eq!(declined(given::certify(&problem, &start, &metric, &Options::default())), "first_bias");
    metric.biases[1] = 0.0;
    certified(given::certify(&problem, &start, &metric, &Options::default()));
    start.biases[1][0] = 0.5;
    assert_eq!(declined(given::certify(&problem, &start, &metric, &Options::default())), "first_bias");
}

#[test]
fn nothing_to_learn_is_certified_at_once() {
    let mut dice = Dice::new(4);
    let problem = gaussian(&mut dice, 3, 5, 0.0);
    let options = Options::default();
    let search = PositiveSearch::new(&problem, &options).ok().unwrap();
    assert_eq!(certified(search.certify()).found.iterations, 0);
}

/// What scales are compared by says the same as the full bounds.
#[test]
fn psi_alone_is_psi_of_the_ball() {
    let mut dice = Dice::new(8);
    for _ in 0..20 {
        let case = regular_start(&mut dice);
        let (centre, _) = case.centre();
        let radii: Vec<f64> = (1..30).map(|k| 0.003 * f64::from(k)).collect();
        assert!(radii.iter().all(|&s| psi(&centre, s) == ball(&centre, s).psi()));
        let profile = Profile::new(&centre, &radii, &|_| Lower::ZERO);
        for part in [0.5, 0.999, 1.001] {
            let residual = Upper::new(part * profile.integral.last().map_or(1.0, |i| i.get()));
            let by_psi = certifies_flow(&radii, &|s| psi(&centre, s), residual);
            assert_eq!(by_psi, profile.flow_index(residual).is_some());
        }
    }
}

/// At most `ceil(1.1 N)` iterations, N the count for A -> infinity.
#[test]
fn automatic_scale_means_what_it_says() {
    let mut dice = Dice::new(5);
    for (coordinates, layer_steps) in
        [(Coordinates::Raw, LayerSteps::Equal), (Coordinates::Whitened { bias: true }, LayerSteps::Auto)]
    {
        let problem = Problem { coordinates, ..gaussian(&mut dice, 6, 20, 1.0) };
        let at = |scale| {
            let options = Options { scale, layer_steps, ..Options::default() };
            certified(PositiveSearch::new(&problem, &options).ok().unwrap().certify()).found.iterations
        };
        let (chosen, lazy) = (at(Scale::Auto), at(Scale::Fixed(1e9)));
        assert!(chosen as f64 <= (1.1 * lazy as f64).ceil() + 1.0, "{chosen} {lazy}");
    }
}

/// (T7+) with the inputs independent, every |LeCun| start is certified with later layers frozen, at every depth.
#[test]
fn positive_frozen_later_layers_are_always_certified() {
    for seed in 0..40 {
        let mut dice = Dice::new(100 + seed);
        let layers = dice.integer(2, 5);
        let mut widths = vec![8];
        widths.extend((1..layers).map(|_| dice.integer(1, 32)));
        widths.push(1);
        let size = dice.decades(-2.0, 2.0);
        let problem = gaussian(&mut dice, 4, 8, size);
        let activation = Activation::SmoothLeakyRelu(dice.pick(&[0.1, 0.3, 0.9]));
        let start = draw(activation, &widths, Law::AbsoluteLeCun, seed);
        let metric = Metric::plain(layers).slower_later_layers(0.0);
        let options = Options { tolerance: 1e-10 * size * size, ..Options::default() };
        match given::certify(&problem, &start, &metric, &options) {
            Outcome::Certified(c) if c.found.iterations < 20_000 => {
                keeps_its_promise(&train(&problem, &c, &start, options.tolerance));
            }
            Outcome::Certified(_) => {}
            other => panic!("{widths:?} {activation}: {}", declined(other)),
        }
    }
}

/// `--layer-steps auto` for a given start: what it certifies holds, it is never worse than equal steps by more than the
/// 5 % that a larger factor is worth, and it certifies starts that equal steps do not.
#[test]
fn slower_later_layers_certify_more_given_starts() {
    let (mut more, mut fewer) = (0, 0);
    for seed in 0..12 {
        let mut dice = Dice::new(200 + seed);
        let start = draw(LEAKY, &[10, 24, 16, 1], Law::LeCun, seed);
        let size = dice.decades(-2.5, 0.0);
        let mut problem = gaussian(&mut dice, 4, 10, size);
        // Targets near the outputs of the start, so that something can be certified.
        let outputs = gradcert::theorem::general::EnclosedPasses::new(&start, &problem.rows)
            .residual(&[0.0; 4], problem.input_bounds(false).root_multiplicity());
        problem.targets.iter_mut().zip(&outputs).for_each(|(y, f)| *y += f.middle());
        let certify = |layer_steps| {
            let options = Options { layer_steps, tolerance: 1e-12 * size * size, ..Options::default() };
            given::certify(&problem, &start, &Metric::plain(3), &options)
        };
        let (equal, auto) = (certify(LayerSteps::Equal), certify(LayerSteps::Auto));
        let Outcome::Certified(auto) = auto else {
            assert!(matches!(equal, Outcome::Declined(_)));
            continue;
        };
        let factor = auto.metric.weights[2];
        assert!(LAYER_FACTORS.contains(&factor) && auto.metric.biases[3] == factor && auto.metric.weights[1] == 1.0);
        if auto.found.iterations < 20_000 {
            keeps_its_promise(&train(&problem, &auto, &start, 1e-12 * size * size));
        }
        match equal {
            Outcome::Certified(equal) => {
                assert!(auto.found.iterations as f64 <= 1.06 * equal.found.iterations as f64);
                fewer += u32::from(auto.found.iterations < equal.found.iterations);
            }
            _ => more += 1,
        }
    }
    assert!(more > 0 && fewer > 0, "{more} {fewer}");
}

/// Each hypothesis that fails has its own name.
#[test]
fn a_residual_that_is_too_large_and_a_descent_that_is_too_slow_are_told_apart() {
    let mut dice = Dice::new(6);
    let start = draw(LEAKY, &[10, 24, 1], Law::LeCun, 1);
    let far = gaussian(&mut dice, 4, 10, 1e3);
    assert_eq!(declined(given::certify(&far, &start, &Metric::plain(2), &Options::default())), "residual_too_large");
    let mut problem = gaussian(&mut dice, 2, 10, 1.0);
    for j in 0..10 {
        // Nearly equal samples: the kernel is nearly singular.
        let mut rows = problem.rows.middle().to_owned();
        rows[(1, j)] = rows[(0, j)] * (1.0 + 1e-4 * f64::from(j as u8 % 3));
        problem.rows = gradcert_rigor::linear::EnclosedMatrix::exact(rows);
    }
    let start = draw(LEAKY, &[10, 24, 1], Law::AbsoluteLeCun, 1);
    let outputs = gradcert::theorem::general::EnclosedPasses::new(&start, &problem.rows)
        .residual(&[0.0; 2], problem.input_bounds(false).root_multiplicity());
    problem.targets = vec![outputs[0].middle() + 1e-12, outputs[1].middle() - 1e-12];
    let options = Options { tolerance: 1e-60, ..Options::default() };
    assert_eq!(declined(given::certify(&problem, &start, &Metric::plain(2), &options)), "too_slow");
}

/// A tolerance that doubles cannot reach: the run ends where the loss stands still, and says so.
#[test]
fn runs_end_where_double_precision_ends() {
    let mut dice = Dice::new(7);
    let problem = gaussian(&mut dice, 5, 12, 1.0);
    let options = Options { tolerance: 1e-80, ..Options::default() };
    let c = certified(PositiveSearch::new(&problem, &options).ok().unwrap().certify());
    let start = Outcome::Certified(c).start().map(|(network, _)| network).unwrap();
    let c = certified(PositiveSearch::new(&problem, &options).ok().unwrap().certify());
    let run = train(&problem, &c, &start, options.tolerance);
    assert_eq!(run.stop, Stop::Rounding, "{} {}", run.iterations, run.final_loss);
    assert!(run.final_loss < 1e-26 && run.iterations < c.found.iterations, "{} {}", run.final_loss, run.iterations);
    // The same steps without the certificate, and with a tolerance that can be reached.
    let mut plan = Plan {
        start,
        metric: c.metric.clone(),
        algorithm: Algorithm::GradientDescent { step_size: c.found.descent.step_size },
        tolerance: options.tolerance,
        max_iterations: 100_000,
    };
    let free = gradcert::train::run::run(&problem, &plan, None, Par::Seq, &mut |_| true);
    assert_eq!(free.stop, Stop::Rounding, "{} {}", free.iterations, free.final_loss);
    plan.tolerance = 1e-20;
    assert_eq!(gradcert::train::run::run(&problem, &plan, None, Par::Seq, &mut |_| true).stop, Stop::Tolerance);
    // A step so small that nothing seems to happen is slow, not finished.
    plan.algorithm = Algorithm::GradientDescent { step_size: 1e-9 * c.found.descent.step_size };
    plan.max_iterations = 3000;
    assert_eq!(gradcert::train::run::run(&problem, &plan, None, Par::Seq, &mut |_| true).stop, Stop::Iterations);
}
