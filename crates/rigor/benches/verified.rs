//! What proving costs: enclosures of functions at a point, products and eigenvalues with their errors beside the plain ones.

use divan::{Bencher, black_box};
use faer::{Mat, Side};
use gradcert_rigor::Interval;
use gradcert_rigor::elementary::*;
use gradcert_rigor::linear::{EnclosedMatrix, gram, smallest_eigenvalue_lower};

fn main() {
    divan::main();
}

type Enclosure = (&'static str, fn(f64) -> Interval);

const FUNCTIONS: [Enclosure; 12] = [
    ("exp", exp_at),
    ("expm1", expm1_at),
    ("ln", ln_at),
    ("softplus", softplus_at),
    ("logistic", logistic_at),
    ("tanh", tanh_at),
    ("sech_squared", sech_squared_at),
    ("gaussian", gaussian_at),
    ("erf", erf_at),
    ("normal_cdf", normal_cdf_at),
    ("atan", atan_at),
    ("sin", sin_at),
];

/// One enclosure, at points in (0, 4].
#[divan::bench(args = FUNCTIONS.map(|(name, _)| name))]
fn enclosure_at_a_point(bencher: Bencher<'_, '_>, name: &str) {
    let Some((_, at)) = FUNCTIONS.iter().find(|(n, _)| *n == name) else { return };
    let mut i = 0;
    bencher
        .with_inputs(|| {
            i = i % 4096 + 1;
            f64::from(i) / 1024.0 + 1e-9
        })
        .bench_local_values(|x| at(black_box(x)));
}

fn samples(n: usize, d: usize) -> Mat<f64> {
    Mat::from_fn(n, d, |i, j| ((i * 31 + j * 17 + i * j) as f64).sin())
}

const ORDERS: [usize; 2] = [250, 1000];

/// `X X^T` in plain floats, both triangles.
#[divan::bench(args = ORDERS)]
fn gram_plain(bencher: Bencher<'_, '_>, n: usize) {
    let x = samples(n, 2 * n);
    bencher.bench_local(|| &x * x.transpose());
}

/// `X X^T` with its error.
#[divan::bench(args = ORDERS)]
fn gram_verified(bencher: Bencher<'_, '_>, n: usize) {
    let x = EnclosedMatrix::exact(samples(n, 2 * n));
    bencher.bench_local(|| gram(&x));
}

/// Cholesky in plain floats.
#[divan::bench(args = ORDERS)]
fn cholesky_plain(bencher: Bencher<'_, '_>, n: usize) {
    let ball = gram(&EnclosedMatrix::exact(samples(n, 2 * n)));
    bencher.bench_local(|| ball.middle().llt(Side::Lower).is_ok());
}

/// The proved lower bound of the smallest eigenvalue.
#[divan::bench(args = ORDERS)]
fn smallest_eigenvalue_verified(bencher: Bencher<'_, '_>, n: usize) {
    let ball = gram(&EnclosedMatrix::exact(samples(n, 2 * n)));
    bencher.bench_local(|| smallest_eigenvalue_lower(&ball));
}
