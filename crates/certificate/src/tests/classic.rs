//! Certificates with the original constants.

use super::builder::{Case, Kind, SLACK, hex, residual, run};
use crate::format::{Claim, DescentOriginal};
use crate::original::{alpha, partials};
use gradcert_rigor::Upper;

fn claim(case: &Case, radius: f64) -> DescentOriginal {
    let layers = case.layers();
    let centre = case.centre();
    let start = centre.positive.as_ref().unwrap();
    let n = case.samples as f64;
    let residual = residual(&centre) * (1.0 + SLACK);
    let mut claim = DescentOriginal {
        step_size: hex(1.0),
        radius: hex(radius),
        tolerance: hex(1e-20),
        iterations: 0,
        rate: hex(0.0),
        epsilon: hex(0.5),
        residual: hex(residual),
        smin_inputs: hex(centre.smin_inputs.get()),
        alpha: hex(0.0),
        first_partials: hex(0.0),
        second_partials: hex(0.0),
    };
    claim.alpha = hex(alpha(&claim, &centre, start).get() * (1.0 - SLACK));
    let ratio = (4.0 * residual * residual / (n * radius * radius * claim.alpha.get())).sqrt();
    assert!(ratio < 1.0, "not certified: {ratio}");
    claim.epsilon = hex((1.0 - ratio) * (1.0 - SLACK));
    let (l1, l2) = partials(residual, Upper::new(2.0 * radius), &centre);
    let (l1, l2) = (l1.get() * (1.0 + SLACK), l2.get() * (1.0 + SLACK));
    (claim.first_partials, claim.second_partials) = (hex(l1), hex(l2));
    let trained = |l: usize| layers.widths[l] as f64 * (layers.widths[l - 1] as f64 + layers.biases[l]);
    let p: f64 = (1..=layers.count()).map(trained).sum();
    let step = (radius / (l1 * p.sqrt())).min(2.0 * claim.epsilon.get() / (l2 * p)) * (1.0 - SLACK);
    claim.step_size = hex(step);
    let rate = (1.0 - claim.epsilon.get()) * claim.alpha.get() * step * (1.0 - SLACK);
    claim.rate = hex(rate);
    claim.iterations = ((residual * residual / n / 1e-20).ln() / rate * (1.0 + SLACK)).ceil() as u64;
    claim
}

fn cases() -> Vec<(Case, f64)> {
    let deep = Kind::Positive { hidden: vec![1.0], output: 300.0 };
    vec![
        (Case::new(31, 3, 6, 2, 4, 60.0), 5.0),
        (Case { activation: "tanh", ..Case::new(32, 3, 6, 2, 4, 2000.0) }, 0.3),
        (Case { start: deep, ..Case::new(33, 3, 6, 3, 4, 300.0) }, 0.5),
        (Case { biases: vec![0.0, 0.0], ..Case::new(34, 3, 6, 2, 4, 60.0) }, 5.0),
        (Case::new(35, 4, 6, 2, 4, 60.0).whitened(), 5.0),
    ]
}

#[test]
fn original_certificates_are_accepted_and_descent_keeps_them() {
    for (case, radius) in cases() {
        let claim = claim(&case, radius);
        let verdict = case.check(&case.file(Claim::DescentOriginal(claim.clone())));
        assert!(verdict.is_ok(), "{verdict:?}");
        for pair in run(&case, claim.step_size.get(), 50).windows(2) {
            assert!(pair[1] <= pair[0] * (1.0 - claim.rate.get()) * (1.0 + 1e-13));
        }
    }
}

#[test]
fn original_certificates_that_claim_more_are_rejected() {
    let mut count = 0;
    for (case, radius) in cases() {
        let claim = claim(&case, radius);
        let mut reject = |name: &str, change: &dyn Fn(&mut DescentOriginal)| {
            let mut changed = claim.clone();
            change(&mut changed);
            count += 1;
            assert!(case.check(&case.file(Claim::DescentOriginal(changed))).is_err(), "{name}");
        };
        for factor in [1.0 + 1e-8, 1.0 + 1e-5, 1.1, 3.0, 1e6] {
            reject("step", &|d| d.step_size = hex(d.step_size.get() * factor));
            reject("rate", &|d| d.rate = hex(d.rate.get() * factor));
            reject("alpha", &|d| d.alpha = hex(d.alpha.get() * factor));
            reject("residual", &|d| d.residual = hex(d.residual.get() / factor));
            reject("smin", &|d| d.smin_inputs = hex(d.smin_inputs.get() * factor));
            reject("L1", &|d| d.first_partials = hex(d.first_partials.get() / factor));
            reject("L2", &|d| d.second_partials = hex(d.second_partials.get() / factor));
            reject("epsilon", &|d| d.epsilon = hex(d.epsilon.get() * factor));
            reject("epsilon", &|d| d.epsilon = hex(d.epsilon.get() / factor));
            // (1 - rate)^k is a little below the exponential from which the builder takes the count;
            // a small 1 - epsilon has more than the usual slack.
            let visible = 1.01 * factor;
            reject("iterations", &|d| d.iterations = (d.iterations as f64 / visible) as u64);
            reject("tolerance", &|d| d.tolerance = hex(d.tolerance.get() / visible));
            reject("radius", &|d| d.radius = hex(d.radius.get() / visible));
        }
        for far in [1e3, 1e6, 1e9] {
            reject("radius", &|d| d.radius = hex(d.radius.get() * far));
        }
        let mut other = case.clone();
        other.weights[1] = 0.5;
        assert!(other.check(&other.file(Claim::DescentOriginal(claim.clone()))).is_err());
        other = Case { activation: "silu", ..case.clone() };
        assert!(other.check(&other.file(Claim::DescentOriginal(claim.clone()))).is_err());
    }
    println!("{count} mutants of original claims, all rejected");
}
