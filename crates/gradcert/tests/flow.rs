//! Gradient flow of networks: against descent with small steps, and against what is certified about it.

use gradcert::certify::flow::{CertifiedFlow, FlowSearch};
use gradcert::certify::positive::PositiveSearch;
use gradcert::certify::problem::{Coordinates, Problem};
use gradcert::certify::{Options, Outcome, Scale};
use gradcert::network::Network;
use gradcert::network::activation::Activation;
use gradcert::network::random::{Law, draw};
use gradcert::theorem::centre::Metric;
use gradcert::train::coordinates::TrainingCoordinates;
use gradcert::train::descent::{Descent, TrainingSet};
use gradcert::train::flow::{Field, Settings, Stop};
use gradcert::train::network_flow::{NetworkField, NetworkFlow, run};

const SAMPLES: usize = 4;
const FEATURES: usize = 9;

fn problem(coordinates: Coordinates) -> Problem {
    let drawn = draw(Activation::Identity, &[FEATURES + 1, SAMPLES, 1], Law::LeCun, 4).weights[1].clone();
    let values: Vec<f64> =
        (0..SAMPLES).flat_map(|i| (0..FEATURES).map(move |j| (i, j))).map(|(i, j)| 3.0 * drawn[(i, j)]).collect();
    let targets = (0..SAMPLES).map(|i| 2.0 * drawn[(i, FEATURES)]).collect();
    Problem::new(&values, SAMPLES, FEATURES, targets, coordinates)
}

fn flow(problem: &Problem, certified: &CertifiedFlow, settings: Settings) -> NetworkFlow {
    let curvature = certified.norm.map(|s| 2.0 / problem.total() * s.get().powi(2));
    let settings = Settings { curvature, ..settings };
    run(
        problem,
        &certified.start,
        &certified.metric,
        &settings,
        Some(certified.promise()),
        faer::Par::Seq,
        &mut |_, _| true,
    )
}

#[track_caller]
fn keeps_its_promise(problem: &Problem, certified: &CertifiedFlow) {
    let flow = flow(problem, certified, Settings::default()).flow;
    assert_eq!(flow.stop, Stop::Tolerance, "{} steps, {}", flow.steps, flow.value);
    let comparison = flow.comparison.expect("there is a promise");
    assert!(comparison.is_kept(), "{comparison:?}");
    assert!(flow.largest_increase <= 0.0, "{}", flow.largest_increase);
    // The certificate is about this start, and its bound is no empty one: the first record is the start itself.
    assert!((flow.history[0].value - flow.history[0].envelope.expect("there is a promise")).abs() == 0.0);
    assert!(comparison.distance > 0.01 && comparison.value > 0.9);
}

#[test]
fn flows_from_positive_starts() {
    for (coordinates, depth) in
        [(Coordinates::Raw, 2), (Coordinates::Whitened { bias: true }, 2), (Coordinates::Whitened { bias: true }, 3)]
    {
        let problem = problem(coordinates);
        for scale in [Scale::Minimum, Scale::Auto] {
            let options = Options { hidden_widths: vec![6; depth - 1], scale, ..Options::default() };
            let Ok(search) = PositiveSearch::new(&problem, &options) else { panic!("the inputs are independent") };
            let Outcome::Certified(certified) = search.certify() else { panic!("declined") };
            let flow = CertifiedFlow::of_descent(&certified, problem.total()).expect("a certified flow");
            keeps_its_promise(&problem, &flow);
        }
    }
}

#[test]
fn flows_from_drawn_starts() {
    let raw = problem(Coordinates::Raw);
    let whitened = problem(Coordinates::Whitened { bias: true });
    let plain = Metric::plain(2);
    let mut white = plain.clone();
    white.biases[1] = 0.0;
    let first = Metric::plain(2).slower_later_layers(0.0);
    for (problem, metric, law, width, certificate) in [
        (&raw, &first, Law::AbsoluteLeCun, 6, "T3 with T7+"),
        (&raw, &first, Law::Conditional { low: 1.0, high: 2.0 }, 6, "T3 with T7+"),
        (&raw, &first, Law::LeCun, 2000, "T3 with T9+"),
        (&raw, &plain, Law::LeCun, 2000, "T3 with T9+"),
        (&whitened, &white, Law::LeCun, 400, "T3 with T9+"),
    ] {
        let widths = [problem.input_width(), width, 1];
        let start = draw(Activation::SmoothLeakyRelu(0.1), &widths, law, 1);
        let search = FlowSearch::new(problem, metric).expect("independent inputs");
        let certified = search.certify(&start).expect("certified");
        assert_eq!(certified.theorem, certificate);
        keeps_its_promise(problem, &certified);
    }
}

#[test]
fn a_start_that_is_not_certified_is_declined() {
    let raw = problem(Coordinates::Raw);
    let start = draw(Activation::Tanh, &[FEATURES, 3, 1], Law::LeCun, 1);
    let metric = Metric::plain(2);
    let search = FlowSearch::new(&raw, &metric).expect("independent inputs");
    assert_eq!(search.certify(&start).err().map(|r| r.code), Some("residual_too_large"));
}

fn field(problem: &Problem, start: &Network, metric: &Metric) -> NetworkField {
    let (coordinates, inputs) = TrainingCoordinates::new(problem);
    NetworkField::new(coordinates.enter(start), inputs, problem, metric, faer::Par::Seq)
}

#[test]
fn the_gradient_is_the_derivative_of_the_loss() {
    let problem = problem(Coordinates::Raw).with_multiplicity(vec![1, 3, 2, 1]);
    let mut metric = Metric::plain(3).slower_later_layers(0.3);
    metric.biases[2] = 0.0;
    let start = draw(Activation::Tanh, &[FEATURES, 3, 2, 1], Law::LeCun, 5);
    let field = field(&problem, &start, &metric);
    let mut u = field.parameters(&TrainingCoordinates::new(&problem).0.enter(&start));
    let p = field.dimension();
    assert_eq!(u.len(), p);
    let (mut gradient, mut unused) = (vec![0.0; p], vec![0.0; p]);
    field.gradient(&u, &mut gradient);
    for k in 0..p {
        let (at, h) = (u[k], 1e-5);
        let mut value = |x: f64| {
            u[k] = x;
            field.gradient(&u, &mut unused)
        };
        let difference = (value(at + h) - value(at - h)) / (2.0 * h);
        u[k] = at;
        assert!((difference - gradient[k]).abs() < 1e-8, "{k}: {difference} and {}", gradient[k]);
    }
}

/// Descent with steps T/k is off by O(1/k): the error halves with the step, slope 1 on logarithmic axes.
#[test]
fn descent_tends_to_the_flow() {
    let problem = problem(Coordinates::Raw);
    let metric = Metric::plain(2).slower_later_layers(0.5);
    let start = draw(Activation::Tanh, &[FEATURES, 5, 1], Law::LeCun, 2);
    let time = 0.5;
    let settings = Settings { time: Some(time), ..Settings::default() };
    let flow = run(&problem, &start, &metric, &settings, None, faer::Par::Seq, &mut |_, _| true);
    assert_eq!(flow.flow.stop, Stop::Time);
    let field = field(&problem, &start, &metric);
    let (coordinates, inputs) = TrainingCoordinates::new(&problem);
    let set = TrainingSet { inputs, targets: problem.targets.clone(), multiplicity: vec![1.0; SAMPLES] };
    let errors: Vec<f64> = (0..6)
        .map(|j| {
            let steps = 100 << j;
            let mut descent =
                Descent::new(coordinates.enter(&start), &set, &metric, time / f64::from(steps), faer::Par::Seq);
            (0..steps).for_each(|_| descent.step());
            let u = field.parameters(descent.network());
            u.iter().zip(&flow.flow.end).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
        })
        .collect();
    for pair in errors.windows(2) {
        let slope = (pair[0] / pair[1]).log2();
        assert!((0.95..=1.05).contains(&slope), "{errors:?}");
    }
    assert!(errors[5] > 0.0 && errors[5] < 1e-3);
}

/// The network on raw samples has the loss of the reduced coordinates.
#[test]
fn the_end_of_a_flow_is_a_network_on_raw_samples() {
    for coordinates in [Coordinates::Raw, Coordinates::Whitened { bias: true }] {
        let problem = problem(coordinates);
        let start = draw(Activation::Tanh, &[problem.input_width(), 5, 1], Law::LeCun, 3);
        let mut metric = Metric::plain(2);
        metric.biases[1] = if coordinates == Coordinates::Raw { 1.0 } else { 0.0 };
        let settings = Settings { time: Some(0.2), ..Settings::default() };
        let flow = run(&problem, &start, &metric, &settings, None, faer::Par::Seq, &mut |_, _| true);
        let loss = gradcert::train::run::loss_of(&flow.network, &problem, faer::Par::Seq);
        assert!((loss - flow.flow.value).abs() < 1e-12 * (1.0 + loss), "{loss} and {}", flow.flow.value);
    }
}
