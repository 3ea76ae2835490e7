//! Matrices of the tests, exact in doubles; formulas shared with `oracle/linear_reference.py`.

// Each test file uses its own part.
#![allow(dead_code)]

pub(crate) mod reference;

use faer::Mat;
use gradcert_rigor::linear::SymmetricBall;
use gradcert_rigor::{Interval, Upper};

pub(crate) struct Lcg(pub(crate) u64);

impl Lcg {
    /// The upper 31 bits of the next state.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// `k / 2^30 - 1`.
    pub(crate) fn uniform(&mut self) -> f64 {
        self.next() as f64 / (1u64 << 30) as f64 - 1.0
    }

    /// An integer in `-range..=range`.
    pub(crate) fn integer(&mut self, range: u64) -> f64 {
        (self.next() % (2 * range + 1)) as f64 - range as f64
    }
}

pub(crate) fn uniform(rows: usize, columns: usize, seed: u64) -> Mat<f64> {
    let mut g = Lcg(seed);
    let mut a = Mat::zeros(rows, columns);
    for j in 0..columns {
        for i in 0..rows {
            a[(i, j)] = g.uniform();
        }
    }
    a
}

pub(crate) fn integers(rows: usize, columns: usize, range: u64, seed: u64) -> Mat<f64> {
    let mut g = Lcg(seed);
    let mut a = Mat::zeros(rows, columns);
    for j in 0..columns {
        for i in 0..rows {
            a[(i, j)] = g.integer(range);
        }
    }
    a
}

pub(crate) fn bumps(rows: usize, columns: usize, width: u64) -> Mat<f64> {
    Mat::from_fn(rows, columns, |i, j| {
        let distance = j.abs_diff((i + 1) * columns / (rows + 1)) as u64;
        let value = ((width * width) << 40) / (width * width + distance * distance);
        value as f64 / (1u64 << 40) as f64
    })
}

pub(crate) fn vandermonde(rows: usize, columns: usize) -> Mat<f64> {
    Mat::from_fn(rows, columns, |i, j| ((i + 1) as f64 / 16.0).powi(j as i32))
}

pub(crate) fn second_difference(n: usize) -> Mat<f64> {
    Mat::from_fn(n, n, |i, j| match i.abs_diff(j) {
        0 => 2.0,
        1 => -1.0,
        _ => 0.0,
    })
}

pub(crate) fn exact_ball(a: Mat<f64>) -> SymmetricBall {
    SymmetricBall::new(a, Upper::ZERO)
}

/// `-A` and its radius.
pub(crate) fn negated(a: &SymmetricBall) -> SymmetricBall {
    let zero = exact_ball(Mat::zeros(a.dimension(), a.dimension()));
    SymmetricBall::combine(Interval::exact(-1.0), a, Interval::ZERO, &zero)
}

/// Is the double `x` proved to be at most the reference value? (The double next below the parsed lower rounding is.)
pub(crate) fn is_below(x: f64, reference: (&str, &str)) -> bool {
    x <= parse(reference.0).next_down()
}

/// Is the double `x` proved to be at least the reference value?
pub(crate) fn is_above(x: f64, reference: (&str, &str)) -> bool {
    x >= parse(reference.1).next_up()
}

pub(crate) fn parse(text: &str) -> f64 {
    text.parse().expect("a number in reference.rs")
}
