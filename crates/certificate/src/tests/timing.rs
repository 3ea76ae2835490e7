//! How long a check takes: `cargo test --release -p gradcert-certificate timing -- --ignored --nocapture`.

use super::audit::By;
use super::builder::{Case, Kind};
use super::builder::{Stream, smallest};
use crate::format::{Claim, Envelope};
use crate::matrix::{Matrix, Symmetric};
use crate::{ball::ball, multiplicative};
use gradcert_rigor::Upper;
use std::time::Instant;

#[test]
#[ignore = "a measurement: make test-long"]
fn timing() {
    for (n, d, width, whitened) in [
        (38, 3051, 32, false),
        (60, 20_000, 32, false),
        (60, 1841, 32, true),
        (500, 1000, 32, false),
        (300, 600, 64, false),
    ] {
        for envelope in [Envelope::Contraction, Envelope::Spectral] {
            let mut case = Case { envelope, ..Case::new(7, n, d, 2, width, 300.0) };
            if whitened {
                case = case.whitened();
            }
            if n == 300 {
                case = case.random_start(5, 1.0);
                if let Kind::Tensors(_) = case.start {
                    let outputs = Case { targets: vec![0.0; n], ..case.clone() }.centre().rho;
                    case.targets = outputs.iter().zip(&case.targets).map(|(f, y)| f.middle() + 1e-4 * y).collect();
                }
            }
            let built = Instant::now();
            let Some(claim) = case.claim() else {
                println!("{n} x {d}: nothing");
                continue;
            };
            let built = built.elapsed();
            let file = case.file(Claim::Descent(claim.clone()));
            let start = Instant::now();
            case.check(&file).unwrap();
            println!(
                "n {n} d {d} whitened {whitened} {envelope:?}: {} iterations, {} radii, checked in {:?} (built in {built:?})",
                claim.iterations,
                claim.radii.len(),
                start.elapsed()
            );
        }
    }
}

#[test]
#[ignore = "a measurement: make test-long"]
fn timing_of_the_largest_matrices() {
    let (n, d) = (2000, 3000);
    let mut stream = Stream(3);
    let x = Matrix { rows: n, columns: d, values: (0..n * d).map(|_| stream.normal()).collect() };
    let start = Instant::now();
    let gram = Symmetric::gram(&x);
    println!("Gram matrix {:?}", start.elapsed());
    // The edge of the spectrum is (sqrt d -+ sqrt n)^2.
    let edge = |sign: f64| (3000f64.sqrt() + sign * 2000f64.sqrt()).powi(2);
    let start = Instant::now();
    assert!(gram.at_least(&vec![0.9 * edge(-1.0); n]));
    println!("lower bound {:?}", start.elapsed());
    let start = Instant::now();
    assert!(gram.at_most(&vec![1.1 * edge(1.0); n]));
    println!("upper bound {:?}", start.elapsed());
}

/// Inputs with singular values from 1 down to 1e-12, the Gram matrix to 1e-24: rows are prefix sums of scaled vectors, so
/// that the matrix is a product of a well-conditioned triangle and nearly orthogonal rows.
#[test]
fn smallest_singular_values_of_nearly_collinear_inputs_are_found() {
    let (n, d) = (38, 1841);
    let mut stream = Stream(4);
    let base: Vec<f64> = (0..n * d).map(|_| stream.normal() / (d as f64).sqrt()).collect();
    let mut values = vec![0.0; n * d];
    for i in 0..n {
        for j in 0..=i {
            let scale = 10f64.powf(-12.0 * j as f64 / (n - 1) as f64);
            (0..d).for_each(|k| values[i * d + k] += scale * base[j * d + k]);
        }
    }
    let gram = Symmetric::gram(&Matrix { rows: n, columns: d, values });
    let start = Instant::now();
    let found = smallest(&gram, &vec![1.0; n]);
    println!("smin >= {found:e} in {:?}", start.elapsed());
    assert!(found > 3e-13 && found < 1e-12);
}

/// The worst case of a profile: every one of 400 radii needs its own bounds.
#[test]
#[ignore = "a measurement: make test-long"]
fn timing_of_400_radii() {
    for (n, d, layers, width) in [(38, 3051, 2, 32), (500, 1000, 2, 32), (500, 1000, 4, 32)] {
        let case = Case::new(7, n, d, layers, width, 300.0);
        let centre = case.centre();
        let start = Instant::now();
        let radius = |j: usize| Upper::new(1e-3 * j as f64);
        let some = (1..=400).filter(|&j| multiplicative::psi(&centre, radius(j)).is_positive()).count();
        let first = start.elapsed();
        let start = Instant::now();
        let all = (1..=400).filter(|&j| ball(&centre, radius(j)).psi.is_positive()).count();
        println!("n {n} L {layers}: (T9m) {first:?} ({some} positive), (T9+) {:?} ({all} positive)", start.elapsed());
    }
}

/// Audits of two layers and of more, with numbers as the first bound that is tried gives them: inputs with a decaying spectrum, targets
/// close to the outputs. The last case also needs each unit's c_2j.
#[test]
#[ignore = "a measurement: make test-long"]
fn timing_of_audits() {
    for (n, widths, by, each) in [
        (300, vec![64, 256, 1], By::TwoLayers(6), false),
        (100, vec![64, 128, 128, 1], By::RowSpace, false),
        (300, vec![64, 256, 256, 1], By::RowSpace, false),
        (1797, vec![64, 512, 1], By::TwoLayers(6), false),
        (1797, vec![64, 512, 1], By::TwoLayers(6), true),
    ] {
        let mut case = Case::random(3, n, &widths, "tanh");
        let decay = |k: usize| 1.5 / (1.0 + 0.2 * (k % 64) as f64);
        case.values.iter_mut().enumerate().for_each(|(k, x)| *x *= decay(k));
        let start = Instant::now();
        let outputs = Case { targets: vec![0.0; n], ..case.clone() }.plain_centre_with_outputs();
        case.targets = outputs.iter().zip(&case.targets).map(|(f, y)| f + 1e-9 * y).collect();
        let claim = case.quick_audit(by, each);
        println!("n {n} {widths:?} {by:?}: built in {:?}, {claim:?}", start.elapsed());
        let start = Instant::now();
        let verdict = case.check(&case.file(Claim::Audit(claim)));
        println!("    checked in {:?}: {verdict:?}", start.elapsed());
        assert!(verdict.is_ok());
    }
}
