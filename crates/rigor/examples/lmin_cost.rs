//! What the proof of a smallest eigenvalue costs, in units of a plain Cholesky factorisation of the same matrix.
//!
//! `cargo run --release -p gradcert-rigor --example lmin_cost [n] [pairs] [threads]`: pairs of measurements in turns, so
//! that other work on the machine meets both; the median of the ratios is printed, the fastest times, and the proved bound.

#![allow(clippy::print_stdout)]

use faer::{Mat, Side};
use gradcert_rigor::linear::{EnclosedMatrix, SymmetricBall, gram, smallest_eigenvalue_lower};
use gradcert_rigor::{Interval, Upper};
use std::time::Instant;

fn random(rows: usize, columns: usize, mut state: u64) -> EnclosedMatrix {
    EnclosedMatrix::exact(Mat::from_fn(rows, columns, |_, _| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }))
}

fn milliseconds<T>(f: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let value = f();
    (1e3 * start.elapsed().as_secs_f64(), value)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn fastest(values: &[f64]) -> f64 {
    values.iter().fold(f64::INFINITY, |m, &x| m.min(x))
}

fn compare(name: &str, ball: &SymmetricBall, pairs: usize) {
    let (mut plain, mut verified, mut bound) = (Vec::new(), Vec::new(), None);
    for _ in 0..pairs {
        plain.push(milliseconds(|| ball.middle().llt(Side::Lower).is_ok()).0);
        let (time, found) = milliseconds(|| smallest_eigenvalue_lower(ball));
        verified.push(time);
        bound = found;
    }
    let ratios = verified.iter().zip(&plain).map(|(v, p)| v / p).collect();
    println!(
        "{name}, n = {}: median ratio {:.2} of {pairs} pairs, fastest {:.0} and {:.0} ms ({:.2}); lmin >= {:e}",
        ball.dimension(),
        median(ratios),
        fastest(&verified),
        fastest(&plain),
        fastest(&verified) / fastest(&plain),
        bound.unwrap_or(f64::NAN)
    );
}

fn main() {
    let argument = |k: usize| std::env::args().nth(k).and_then(|a| a.parse().ok());
    let (n, pairs) = (argument(1).unwrap_or(2000), argument(2).unwrap_or(15));
    faer::set_global_parallelism(faer::Par::rayon(argument(3).unwrap_or(2)));
    println!("threads: {}", faer::get_global_parallelism().degree());
    let x = random(n, 3 * n / 2, 1);
    compare("uniform data", &gram(&x), pairs);
    compare("nearly square data", &gram(&random(n, n + n / 20, 2)), pairs);
    // Condition of about 1e10.
    let decay: Vec<Interval> = (0..3 * n / 2).map(|j| Interval::exact(1.0 / (1.0 + j as f64).powf(1.2))).collect();
    compare("decaying spectrum", &gram(&x.scale_columns(&decay)), pairs);
    let identity = SymmetricBall::new(Mat::identity(n, n), Upper::ZERO);
    let near = SymmetricBall::combine(Interval::ONE, &identity, Interval::exact(1e-3 / n as f64), &gram(&x));
    compare("near the identity", &near, pairs);
}
