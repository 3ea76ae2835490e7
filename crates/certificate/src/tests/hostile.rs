//! Files that are well-formed and expensive or wrong on purpose.

use super::builder::{Case, Kind, SLACK, Stream, hex, run};
use super::oracle::cases;
use crate::CheckError;
use crate::format::{Claim, Descent, Envelope, Form};

/// A count that takes 10^11 steps one by one. With the envelope at n = 1 nothing but a limit of the steps ends in time.
#[test]
fn long_counts_with_the_spectral_envelope_take_seconds() {
    let case = Case { envelope: Envelope::Spectral, ..Case::new(1, 1, 6, 2, 6, 30.0) };
    let claim = case.claim().unwrap();
    let step_size = hex(claim.step_size.get() * 1e-9);
    let slow = Descent { step_size, rate: hex(0.0), iterations: 1_000_000_000_000_000, ..claim };
    let verdict = case.check(&case.file(Claim::Descent(slow)));
    assert!(verdict.is_ok(), "{verdict:?}");
}

#[test]
fn more_work_than_the_limit_is_refused() {
    let case = Case { values: vec![0.0; 8192], targets: vec![0.0; 8192], ..Case::new(2, 8192, 1, 64, 1, 1.0) };
    let claim = cases()[0].claim().unwrap();
    let radii: Vec<_> = (1..=4096).map(|j| hex(claim.radius.get() * j as f64 / 4096.0)).collect();
    let psi = vec![claim.psi[0]; 4096];
    let verdict = case.check(&case.file(Claim::Descent(Descent { radii, psi, ..claim })));
    assert!(matches!(verdict, Err(CheckError::Limit { .. })), "{verdict:?}");
}

/// Many fields changed at once, in either direction and far: what is accepted must be kept by descent in doubles.
#[test]
fn accepted_changes_keep_their_promises() {
    let (mut stream, mut accepted, mut tried) = (Stream(12), 0, 0);
    for case in cases().iter().filter(|case| case.samples <= 6 && !case.merge) {
        let claim = case.claim().unwrap();
        for _ in 0..60 {
            let (mut case, mut changed) = (case.clone(), claim.clone());
            change(&mut case, &mut changed, &mut stream);
            tried += 1;
            if case.check(&case.file(Claim::Descent(changed.clone()))).is_err() {
                continue;
            }
            accepted += 1;
            let shown = (changed.iterations as usize).min(300);
            let losses = run(&case, changed.step_size.get(), shown);
            for pair in losses.windows(2) {
                assert!(pair[1] <= pair[0] * (1.0 - changed.rate.get()) + 1e-26, "{changed:?}: {pair:?}");
            }
            if changed.iterations as usize == shown {
                assert!(losses[shown] <= changed.tolerance.get() * 1.01 + 1e-26, "{changed:?}: {}", losses[shown]);
            }
        }
    }
    println!("{accepted} of {tried} changed certificates accepted, all kept");
    assert!(accepted > 50 && accepted < tried);
}

fn change(case: &mut Case, claim: &mut Descent, stream: &mut Stream) {
    // Mostly weaker by little or much, sometimes stronger.
    let mut grown = |x: f64, sign: f64| {
        let size =
            10f64.powf(6.0 * stream.next() - 6.0).max(2.0 * SLACK) * if stream.next() > 0.95 { -sign } else { sign };
        hex(x * (1.0 + size).max(1e-3))
    };
    claim.residual = grown(claim.residual.get(), 1.0);
    claim.jacobian_norm = grown(claim.jacobian_norm.get(), 1.0);
    claim.jacobian_lipschitz = grown(claim.jacobian_lipschitz.get(), 1.0);
    claim.jacobian_drift = grown(claim.jacobian_drift.get(), 1.0);
    claim.smin_start = grown(claim.smin_start.get(), -1.0);
    claim.smax_start = grown(claim.smax_start.get(), 1.0);
    claim.theta = grown(claim.theta.get(), -1.0);
    claim.rate = grown(claim.rate.get(), -1.0);
    claim.tolerance = grown(claim.tolerance.get(), 1.0);
    let (step, scale) = (grown(claim.step_size.get(), -1.0), grown(1.0, -1.0).get());
    claim.step_size = step;
    claim.psi.iter_mut().for_each(|p| *p = hex(p.get() * scale));
    claim.iterations = (claim.iterations as f64 * (1.0 + stream.next().abs())) as u64 + 1;
    match (10.0 * stream.next()) as i32 {
        1 => claim.form = if claim.form == Form::First { Form::Second } else { Form::First },
        2 => claim.envelope = Envelope::Spectral,
        3 => claim.envelope = Envelope::Contraction,
        4 => case.activation = if case.activation == "tanh" { "arctan" } else { "identity" },
        5 => case.weights[1] *= 0.999,
        6 => case.biases[1] *= 0.5,
        7 => case.targets.iter_mut().for_each(|y| *y *= 0.9),
        8 => {
            if let Kind::Positive { output, .. } = &mut case.start {
                *output *= 1.0 + 0.1 * stream.next();
            }
        }
        _ => {}
    }
}
