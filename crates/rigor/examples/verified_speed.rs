//! What proving costs: verified bounds against the plain float factorisation.
//!
//! `cargo run --release -p gradcert-rigor --example verified_speed [n]`

#![allow(clippy::print_stdout)]

use faer::{Mat, Side};
use gradcert_rigor::linear::{EnclosedMatrix, SymmetricBall, gram, norm_upper, smallest_eigenvalue_lower};
use gradcert_rigor::linear::{largest_eigenvalue_upper, smallest_singular_value_lower};
use gradcert_rigor::{Interval, Upper};
use std::time::Instant;

fn random(rows: usize, columns: usize, mut state: u64) -> Mat<f64> {
    Mat::from_fn(rows, columns, |_, _| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    })
}

/// Row `i` multiplied by `10^(-decades i / (rows - 1))`.
fn graded(x: &Mat<f64>, decades: f64) -> Mat<f64> {
    let last = (x.nrows() - 1).max(1) as f64;
    Mat::from_fn(x.nrows(), x.ncols(), |i, j| x[(i, j)] * 10f64.powf(-decades * i as f64 / last))
}

fn product_of(a: &Mat<f64>, b: &Mat<f64>) -> Mat<f64> {
    a * b
}

fn seconds<T>(repeat: usize, mut f: impl FnMut() -> T) -> (f64, T) {
    let mut best = f64::INFINITY;
    let mut value = None;
    for _ in 0..repeat {
        let start = Instant::now();
        value = Some(f());
        best = best.min(start.elapsed().as_secs_f64());
    }
    (best, value.expect("at least one repetition"))
}

fn compare(name: &str, ball: &SymmetricBall) {
    // In turns, so that other work on the machine meets both.
    let (mut plain, mut verified, mut lower) = (f64::INFINITY, f64::INFINITY, None);
    for _ in 0..15 {
        plain = plain.min(seconds(1, || ball.middle().llt(Side::Lower).is_ok()).0);
        let (time, bound) = seconds(1, || smallest_eigenvalue_lower(ball));
        (verified, lower) = (verified.min(time), bound);
    }
    let (upper_time, upper) = seconds(3, || largest_eigenvalue_upper(ball));
    println!(
        "{name}: plain Cholesky {plain:.3} s, verified lmin {verified:.3} s (ratio {:.2}), {:e}; lmax {upper_time:.3} s, {:e}",
        verified / plain,
        lower.unwrap_or(f64::NAN),
        upper.get()
    );
    if ball.dimension() <= 1000 {
        let values = ball.middle().self_adjoint_eigenvalues(Side::Lower).unwrap_or_default();
        println!("  float eigenvalues {:e} .. {:e}", values[0], values[values.len() - 1]);
    }
}

fn main() {
    let n: usize = std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(2000);
    println!("threads: {}", faer::get_global_parallelism().degree());
    let x = EnclosedMatrix::exact(random(n, 3 * n / 2, 1));
    let (time, ball) = seconds(1, || gram(&x));
    println!("gram {time:.3} s, radius {:e}", ball.radius().get());
    compare("gram of uniform data", &ball);
    let spectrum: Vec<Interval> = (0..3 * n / 2).map(|j| Interval::exact(1.0 / (1.0 + j as f64).powi(2))).collect();
    compare("decaying spectrum", &gram(&x.scale_columns(&spectrum)));
    compare(
        "near identity",
        &SymmetricBall::combine(
            Interval::ONE,
            &SymmetricBall::new(Mat::identity(n, n), Upper::ZERO),
            Interval::exact(1e-3 / n as f64),
            &ball,
        ),
    );
    let (time, product) = seconds(1, || x.times_transpose(&x));
    println!("enclosed product {time:.3} s, error {:e}", product.radius(0, 1).get());
    let (time, norm) = seconds(1, || norm_upper(&x));
    println!("norm {:e} in {time:.3} s", norm.get());
    for (rows, columns) in [(n, 3 * n / 2), (60, 20_000), (60, 1841)] {
        for decades in [0.0, 5.0, 8.0, 10.0, 12.0] {
            // Q-like rows scaled to a spectrum that spans the decades, then mixed.
            let mixed = product_of(&random(rows, rows, 3), &graded(&random(rows, columns, 7), decades));
            let x = EnclosedMatrix::exact(mixed.clone());
            let (time, lower) = seconds(1, || smallest_singular_value_lower(&x));
            let (float_time, float) = seconds(1, || mixed.singular_values().unwrap_or_default());
            println!(
                "smin of {rows} x {columns} over {decades} decades: {:e} in {time:.3} s; float SVD {:e} in {float_time:.3} s",
                lower.get(),
                float.last().copied().unwrap_or(f64::NAN)
            );
        }
    }
}
