//! Audits along a run: the promised step and count are kept, from every iterate that is called safe, whatever method led there.

mod support;

use faer::Par;
use gradcert::certify::audit::{AuditedMoment, first_provable};
use gradcert::certify::problem::{Coordinates, Problem};
use gradcert::network::Network;
use gradcert::network::activation::Activation;
use gradcert::network::random::{Law, draw};
use gradcert::theorem::centre::Metric;
use gradcert::train::optimizer::Algorithm;
use gradcert::train::run::{Moment, Plan, Stop, loss_of, run};
use support::Dice;

const SAMPLES: usize = 8;
const FEATURES: usize = 20;
const TOLERANCE: f64 = 1e-16;

/// Inputs between -1 and 1.
fn problem(coordinates: Coordinates) -> Problem {
    let mut dice = Dice::new(4);
    let inputs: Vec<f64> = (0..SAMPLES * FEATURES).map(|_| dice.uniform(-1.0, 1.0)).collect();
    let targets = (0..SAMPLES).map(|_| dice.uniform(-0.3, 0.3)).collect();
    Problem::new(&inputs, SAMPLES, FEATURES, targets, coordinates)
}

fn plan(start: Network, algorithm: Algorithm, max_iterations: u64) -> Plan {
    Plan { metric: Metric::plain(start.layers()), start, algorithm, tolerance: TOLERANCE, max_iterations }
}

/// Trains, auditing every k-th iterate; the iterates too.
fn audited(algorithm: Algorithm, law: Law, every: u64, problem: &Problem) -> Vec<(AuditedMoment, Network)> {
    let raw = problem.raw();
    let start = draw(Activation::Tanh, &[problem.input_width(), 40, 1], law, 3);
    let mut found = vec![];
    let mut look = |moment: &Moment<'_>| {
        if moment.iteration.is_multiple_of(every) {
            let network = moment.network();
            found.push((AuditedMoment::new(moment.iteration, moment.loss, &raw, &network, TOLERANCE), network));
        }
        true
    };
    let run = run(problem, &plan(start, algorithm, 20_000), None, Par::Seq, &mut look);
    assert_eq!(run.stop, Stop::Tolerance);
    found
}

#[test]
fn from_a_safe_iterate_descent_keeps_the_promise() {
    let whitened = Coordinates::Whitened { bias: true };
    for (algorithm, law, every, coordinates) in [
        (Algorithm::GradientDescent { step_size: 0.05 }, Law::He, 40, Coordinates::Raw),
        (Algorithm::Adam { step_size: 1e-2 }, Law::Xavier, 20, Coordinates::Raw),
        (Algorithm::Lbfgs, Law::LeCun, 1, Coordinates::Raw),
        (Algorithm::GradientDescent { step_size: 0.5 }, Law::LeCun, 10, whitened),
    ] {
        let problem = problem(coordinates);
        let moments = audited(algorithm, law, every, &problem);
        let raw = problem.raw();
        let mut safe = 0;
        for (moment, network) in &moments {
            // The iterate seen is the one that reads raw samples.
            let loss = loss_of(network, &raw, Par::Seq);
            assert!((loss - moment.loss).abs() <= 1e-9 * moment.loss + 1e-20, "{algorithm:?} {loss} {}", moment.loss);
            assert_eq!(moment.distance.is_none(), moment.declined.is_some());
            let (Some(step_size), Some(remaining)) = (moment.step_size, moment.remaining) else { continue };
            safe += 1;
            let onward = plan(network.clone(), Algorithm::GradientDescent { step_size }, remaining);
            let run = run(&raw, &onward, None, Par::Seq, &mut |_| true);
            assert_eq!(run.stop, Stop::Tolerance, "{algorithm:?} from {}", moment.iteration);
        }
        let moments: Vec<AuditedMoment> = moments.into_iter().map(|(m, _)| m).collect();
        let from = first_provable(&moments).expect("the end is safe");
        assert!(from > 0 && safe >= 2, "{algorithm:?}: {safe} safe, from {from}");
        // Nearer and nearer.
        let first = moments.iter().find_map(|m| m.distance).expect("a distance");
        let last = moments.last().and_then(|m| m.distance).expect("a distance");
        assert!(last < first, "{first} {last}");
    }
}
