use super::adam::Adam;
use super::*;
use crate::certify::problem::{Coordinates, Problem};
use crate::network::activation::Activation;
use crate::network::product::dot;
use crate::network::random::{Law, draw};
use crate::theorem::centre::Metric;
use crate::train::run::{Plan, Run, Stop, run};
use faer::Par;

/// A function given by a closure that writes the gradient and returns the value.
pub(super) struct Formula<F>(pub(super) F);

impl<F: Fn(&[f64], &mut [f64]) -> f64> Field for Formula<F> {
    fn dimension(&self) -> usize {
        0
    }

    fn gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.0(x, gradient)
    }
}

/// `sum_i s_i x_i^2 / 2`.
pub(super) fn quadratic(scales: &[f64]) -> impl Field {
    let scales = scales.to_vec();
    Formula(move |x: &[f64], gradient: &mut [f64]| {
        let terms = x.iter().zip(&scales).zip(gradient);
        terms
            .map(|((x, s), g)| {
                *g = s * x;
                0.5 * s * x * x
            })
            .sum()
    })
}

/// With a constant gradient c the corrected moments are c and c^2 from the first step on: each step is `eta c / (|c| + eps)`.
#[test]
fn adam_on_a_linear_function() {
    let c = [3.0, -0.5, 1e-8];
    let f = Formula(|x: &[f64], gradient: &mut [f64]| {
        gradient.copy_from_slice(&c);
        dot(x, &c)
    });
    let mut point = Point::at(&f, vec![1.0, 2.0, 0.0]);
    let mut adam = Adam::new(0.01, 3);
    for _ in 0..7 {
        assert!(adam.step(&f, &mut point));
    }
    let expected = [1.0 - 0.07 * 3.0 / (3.0 + 1e-8), 2.0 + 0.07 * 0.5 / (0.5 + 1e-8), -0.07 * 0.5];
    for (x, e) in point.x.iter().zip(expected) {
        assert!((x - e).abs() < 1e-14, "{x} {e}");
    }
}

/// Two steps by hand on x^2/2 from 1 with eta = 0.1, but for eps: m = 0.18/0.19, v = 0.001809/0.001999.
#[test]
fn adam_on_a_square_by_hand() {
    let f = quadratic(&[1.0]);
    let mut point = Point::at(&f, vec![1.0]);
    let mut adam = Adam::new(0.1, 1);
    adam.step(&f, &mut point);
    assert!((point.x[0] - 0.9).abs() < 2e-9);
    adam.step(&f, &mut point);
    let expected = 0.9 - 0.1 * (0.18 / 0.19) / (0.001809f64 / 0.001999).sqrt();
    assert!((point.x[0] - expected).abs() < 1e-8, "{}", point.x[0]);
}

fn problem(n: usize, d: usize) -> Problem {
    let wave = |k: usize| (0.7 * (k * k) as f64).sin();
    let values: Vec<f64> = (1..=n * d).map(wave).collect();
    Problem::new(&values, n, d, (1..=n).map(|k| wave(1000 + k)).collect(), Coordinates::Raw)
}

fn plan(algorithm: Algorithm, d: usize, max_iterations: u64) -> Plan {
    Plan {
        start: draw(Activation::Tanh, &[d, 8, 6, 1], Law::LeCun, 3),
        metric: Metric { weights: vec![1.0, 1.0, 0.5, 1.0], biases: vec![1.0, 1.0, 0.0, 1.0] },
        algorithm,
        tolerance: 1e-20,
        max_iterations,
    }
}

fn train(problem: &Problem, plan: &Plan, par: Par) -> Run {
    run(problem, plan, None, par, &mut |_| true)
}

#[test]
fn both_methods_interpolate() {
    let problem = problem(10, 4);
    let adam = train(&problem, &plan(Algorithm::Adam { step_size: 3e-3 }, 4, 20_000), Par::Seq);
    assert!(adam.final_loss < 1e-10, "{:?} {:e}", adam.stop, adam.final_loss);
    let lbfgs = train(&problem, &plan(Algorithm::Lbfgs, 4, 2000), Par::Seq);
    assert_eq!(lbfgs.stop, Stop::Tolerance, "{} {:e}", lbfgs.iterations, lbfgs.final_loss);
    for run in [&adam, &lbfgs] {
        let last = run.history.last().expect("a history");
        assert_eq!(last.iteration, run.iterations);
        assert!(last.distance > 0.1 && last.distance <= last.path);
        assert!((run.folded_loss - run.final_loss).abs() <= 1e-3 * run.final_loss);
        assert_eq!(run.network.biases[2], vec![0.0; 6], "frozen");
    }
    // A loss that never rises is what the conditions of the search promise.
    assert!(lbfgs.history.windows(2).all(|w| w[1].loss < w[0].loss));
}

/// A first step of Adam moves every weight by eta in u, also where there are more features than samples: in the coordinates that are
/// given, not in those of (T11).
#[test]
fn adam_runs_in_the_given_coordinates() {
    let (problem, eta) = (problem(3, 12), 1e-3);
    let plan = plan(Algorithm::Adam { step_size: eta }, 12, 1);
    let run = train(&problem, &plan, Par::Seq);
    for (l, factor) in [(1, 1.0), (2, 0.5), (3, 1.0)] {
        let moved = &run.network.weights[l] - &plan.start.weights[l];
        for column in moved.col_iter() {
            for step in column.iter() {
                assert!((step.abs() - factor * eta).abs() < 1e-3 * eta, "layer {l}: {step:e}");
            }
        }
    }
}

/// (T11) for L-BFGS: it adds multiples of gradients, so it never leaves the span of the inputs.
#[test]
fn reduced_coordinates_do_not_change_lbfgs() {
    let problem = problem(5, 30);
    let plan = plan(Algorithm::Lbfgs, 30, 12);
    let reduced = train(&problem, &plan, Par::Seq);
    let inputs = crate::network::passes::LayerInputs::Rows(problem.rows.middle().to_owned());
    let field = NetworkField::new(plan.start.clone(), inputs, &problem, &plan.metric, Par::Seq);
    let mut full = Walk::new(field, &plan.start, Box::new(lbfgs::Lbfgs::new(lbfgs::Lbfgs::MEMORY)));
    for record in &reduced.history {
        assert_eq!(record.iteration, full.iteration());
        let loss = full.loss();
        assert!((record.loss - loss).abs() <= 1e-6 * loss, "{}: {:e} {loss:e}", record.iteration, record.loss);
        assert!((record.path - full.path()).abs() <= 1e-8 * full.path());
        full.step();
    }
    assert_eq!(reduced.iterations, 12);
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let problem = problem(40, 30);
    for algorithm in [Algorithm::Adam { step_size: 1e-2 }, Algorithm::Lbfgs] {
        let plan = plan(algorithm, 30, 30);
        let alone = train(&problem, &plan, Par::Seq);
        for threads in [2, 5] {
            let together = train(&problem, &plan, Par::rayon(threads));
            assert_eq!(alone.network, together.network, "{algorithm:?}, {threads} threads");
        }
    }
}

#[test]
fn too_large_steps_of_adam_diverge_or_wander() {
    let run = train(&problem(4, 3), &plan(Algorithm::Adam { step_size: 1e300 }, 3, 50), Par::Seq);
    assert_eq!(run.stop, Stop::Diverged);
}

/// Two equal samples with different targets: L-BFGS ends at the mean of them, and says that it stands still.
#[test]
fn a_positive_minimum_ends_the_search() {
    let mut problem = problem(2, 3);
    let row: Vec<f64> = (0..3).map(|j| problem.rows.middle()[(0, j)]).collect();
    problem = Problem::new(&[row.clone(), row].concat(), 2, 3, vec![1.0, 0.0], Coordinates::Raw);
    let run = train(&problem, &plan(Algorithm::Lbfgs, 3, 1000), Par::Seq);
    assert_eq!(run.stop, Stop::Rounding);
    assert!((run.final_loss - 0.25).abs() < 1e-12, "{}", run.final_loss);
}
