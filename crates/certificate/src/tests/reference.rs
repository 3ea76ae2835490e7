//! The bounds on balls against an independent implementation in another language, in float64, whose numbers are printed
//! here. Data, starts and metrics come from the stream of the builder, so that the numbers can be computed again.

use super::builder::{Case, Kind};
use crate::ball::{ball, lipschitz};
use crate::multiplicative;
use gradcert_rigor::Upper;

fn fl(x: &[f64]) -> Vec<f64> {
    x.to_vec()
}

/// psi (the larger of first-layer and all-layer), |J|, Lipschitz constant, drift, multiplicative psi (0: none).
fn agree(case: &Case, s: f64, expected: [f64; 5]) {
    let centre = case.centre();
    let b = ball(&centre, Upper::new(s));
    let mult = multiplicative::psi(&centre, Upper::new(s)).get();
    let got = [b.psi.get(), b.norm.get(), lipschitz(&centre, Upper::new(s)).get(), b.drift.get(), mult];
    for i in 0..5 {
        // The builder weakens singular values by 1e-9; differences of large numbers may amplify that.
        let error = (got[i] - expected[i]).abs();
        assert!(error <= 5e-9 * expected[i] + 2e-9 * expected[1], "{i}: {} {}", got[i], expected[i]);
    }
}

#[test]
fn reference_1() {
    let case = Case {
        activation: "smooth-leaky-relu:0.1",
        weights: fl(&[1.0, 1.0]),
        biases: fl(&[1.0, 1.0]),
        ..Case::new(1, 5, 12, 2, 6, 30.0)
    };
    agree(
        &case,
        0.01,
        [68.27306004675027, 170.19444815844273, 106.01319820008813, 1.0597790656270587, 68.27284685785115],
    );
    agree(
        &case,
        0.3,
        [55.788795174421686, 200.94024086718892, 107.08498631216851, 31.808014246051375, 56.00959428704912],
    );
}

#[test]
fn reference_2() {
    let case = Case {
        activation: "tanh",
        weights: fl(&[1.0, 0.5, 0.25]),
        biases: fl(&[0.75, 0.5, 0.1]),
        ..Case::new(2, 6, 20, 3, 5, 8.0)
    };
    agree(
        &case,
        0.01,
        [178.64993398209702, 493.2825069804443, 2025.0812125462053, 20.109966066290628, 182.36729620124518],
    );
    agree(&case, 0.3, [0.0, 1843.751080040351, 9359.022263636345, 1371.2657186006604, 0.0]);
}

#[test]
fn reference_3() {
    let case = Case {
        activation: "softplus",
        weights: fl(&[1.0, 1.0, 0.5, 1.0]),
        biases: fl(&[1.0, 1.0, 0.3, 0.0]),
        ..Case::new(3, 4, 9, 4, 5, 20.0)
    };
    agree(
        &case,
        0.01,
        [145.28848713865636, 403.9376969291781, 2475.1800103649066, 23.814122013754048, 145.7285812191764],
    );
    agree(&case, 0.3, [0.0, 4445.557324171817, 30965.861587814987, 4090.2598768083453, 0.0]);
}

#[test]
fn reference_4() {
    let case = Case {
        activation: "smooth-leaky-relu:0.1",
        weights: fl(&[1.0, 0.5, 1.0]),
        biases: fl(&[1.0, 0.5, 1.0]),
        ..Case::new(4, 4, 9, 3, 6, 1.0)
    };
    let case = case.random_start(5, 1.0);
    assert!(matches!(case.start, Kind::Tensors(_)));
    agree(&case, 0.01, [0.28425378731214374, 2.466362162607279, 9.646129979297022, 0.09510868803848734, 0.0]);
    agree(&case, 0.3, [0.0, 5.9248837007385395, 18.26230449118785, 3.553630226169748, 0.0]);
}

#[test]
fn reference_5() {
    let case = Case {
        activation: "erf",
        weights: fl(&[0.5, 1.0, 1.0, 0.7]),
        biases: fl(&[1.0, 1.0, 0.2, 1.0]),
        ..Case::new(5, 3, 8, 4, 5, 1.0)
    };
    let case = case.random_start(6, 0.8);
    assert!(matches!(case.start, Kind::Tensors(_)));
    agree(&case, 0.01, [0.07064200040730867, 2.458544787093606, 16.93753241404189, 0.1642196868490816, 0.0]);
    agree(&case, 0.3, [0.0, 9.98335290357812, 72.83201409681075, 8.279592941933863, 0.0]);
}

#[test]
fn reference_6() {
    let case = Case {
        activation: "logistic",
        weights: fl(&[1.0, 1.0]),
        biases: fl(&[1.0, 1.0]),
        ..Case::new(6, 4, 7, 2, 8, 1.0)
    };
    let case = case.random_start(7, 1.5);
    assert!(matches!(case.start, Kind::Tensors(_)));
    agree(&case, 0.01, [0.958600479103524, 2.3917368465209723, 2.143512790679956, 0.021317971806152677, 0.0]);
    agree(&case, 0.3, [0.3816616964590267, 3.021542819780578, 2.5427739620839493, 0.6511239450657584, 0.0]);
}

#[test]
fn reference_7() {
    let case = Case {
        activation: "arctan",
        weights: fl(&[1.0, 1.0, 1.0]),
        biases: fl(&[1.0, 1.0, 1.0]),
        ..Case::new(7, 5, 12, 3, 6, 12.0)
    };
    // The second sample counts twice.
    let mut case = Case { merge: true, samples: 6, ..case };
    let row = case.values[12..24].to_vec();
    case.values.extend(row);
    case.targets.push(case.targets[1]);
    agree(
        &case,
        0.01,
        [256.18999148862036, 647.9563137616329, 1449.8116093296196, 14.40769296636432, 258.92791183603623],
    );
    agree(&case, 0.3, [0.0, 1738.0778048021327, 6364.731205082384, 1108.9283575781826, 4.018287813043175]);
}
