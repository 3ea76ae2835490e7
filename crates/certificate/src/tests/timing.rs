//! How long a check takes: `cargo test --release -p gradcert-certificate timing -- --ignored --nocapture`.

use super::builder::{Case, Kind};
use crate::format::{Claim, Envelope};
use std::time::Instant;

#[test]
#[ignore = "a measurement"]
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
                    let outputs = Case { targets: vec![0.0; n], ..case.clone() }.centre().1.rho;
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
