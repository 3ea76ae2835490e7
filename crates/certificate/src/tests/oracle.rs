//! Certificates of many kinds are accepted, and descent in doubles keeps their promises.

use super::builder::{Case, Kind, run};
use crate::format::{Claim, Envelope, Form, Inputs};

pub(crate) fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    let mut push = |case: Case| all.push(case);
    push(Case::new(1, 5, 12, 2, 6, 30.0));
    push(Case::new(2, 6, 20, 3, 5, 8.0));
    push(Case { form: Form::Second, ..Case::new(3, 5, 12, 2, 6, 100.0) });
    push(Case { envelope: Envelope::Spectral, ..Case::new(4, 6, 15, 3, 6, 40.0) });
    push(Case { activation: "tanh", ..Case::new(5, 4, 10, 2, 8, 40.0) });
    push(Case { activation: "erf", envelope: Envelope::Spectral, ..Case::new(6, 4, 10, 3, 5, 40.0) });
    push(Case { activation: "softplus", ..Case::new(7, 4, 9, 2, 8, 40.0) });
    push(Case { activation: "arctan", form: Form::Second, ..Case::new(8, 4, 9, 2, 8, 200.0) });
    push(Case { activation: "algebraic", ..Case::new(9, 4, 9, 2, 5, 40.0) });
    push(Case { activation: "logistic", ..Case::new(10, 4, 9, 2, 9, 90.0) });
    push(Case { activation: "silu", ..Case::new(11, 3, 9, 2, 9, 90.0) });
    push(Case { activation: "gelu", ..Case::new(12, 3, 9, 2, 9, 90.0) });
    push(Case { activation: "softsign", ..Case::new(13, 3, 9, 2, 9, 90.0) });
    push(Case { activation: "identity", ..Case::new(14, 4, 4, 2, 5, 8.0) });
    push(Case::new(15, 6, 14, 4, 4, 20.0));
    push(Case::new(16, 6, 14, 2, 6, 20.0).whitened());
    push(Case { inputs: Inputs::WhitenedWithBias, form: Form::Second, ..Case::new(17, 5, 6, 3, 6, 30.0).whitened() });
    push(Case {
        weights: vec![1.0, 0.1, 0.1],
        biases: vec![0.0, 0.3, 0.1],
        ..Case::new(18, 5, 12, 3, 6, 4.0).whitened()
    });
    push(Case { weights: vec![1.0, 0.0, 0.0], biases: vec![1.0, 0.0, 0.0], ..Case::new(19, 5, 12, 3, 6, 20.0) });
    push(Case { weights: vec![0.5, 0.25], biases: vec![0.75, 0.1], ..Case::new(20, 5, 12, 2, 6, 30.0) });
    push(Case::new(21, 3, 8, 2, 40, 1.0).random_start(5, 1.0));
    push(Case {
        activation: "tanh",
        targets: vec![0.02, 0.01],
        ..Case::new(22, 2, 6, 2, 60, 1.0).random_start(6, 1.0)
    });
    push(Case { targets: vec![0.02, 0.01], ..Case::new(24, 2, 6, 2, 60, 1.0).whitened().random_start(8, 1.0) });
    let mut twice = Case { merge: true, ..Case::new(23, 6, 12, 2, 6, 40.0) };
    let row = twice.values[12..24].to_vec();
    twice.values[48..60].copy_from_slice(&row);
    twice.targets[4] = twice.targets[1];
    push(twice.clone());
    push(Case { envelope: Envelope::Spectral, ..twice });
    // Random starts are certifiable where the residual is small: the targets are moved close to the outputs.
    for case in &mut all {
        if let Kind::Tensors(_) = case.start {
            let outputs = Case { targets: vec![0.0; case.samples], ..case.clone() }.centre().rho;
            case.targets = outputs.iter().zip(&case.targets).map(|(f, y)| f.middle() + 1e-3 * y).collect();
        }
    }
    all
}

#[test]
fn built_certificates_are_accepted_and_descent_keeps_them() {
    for (k, case) in cases().into_iter().enumerate() {
        let claim = case.claim().unwrap_or_else(|| panic!("case {k}: nothing certified"));
        println!("case {k} {}: {} iterations, rate {:e}", case.activation, claim.iterations, claim.rate.get());
        let file = case.file(Claim::Descent(claim.clone()));
        case.check(&file).unwrap_or_else(|e| panic!("case {k}: {e}"));
        let shown = (claim.iterations as usize).min(2000);
        let losses = run(&case, claim.step_size.get(), shown);
        for pair in losses.windows(2) {
            assert!(pair[1] <= pair[0] * (1.0 - claim.rate.get()) + 1e-26, "case {k}: {pair:?}");
        }
        if claim.iterations as usize == shown {
            assert!(losses[shown] <= claim.tolerance.get() * 1.01 + 1e-26, "case {k}: {}", losses[shown]);
        }
    }
}
