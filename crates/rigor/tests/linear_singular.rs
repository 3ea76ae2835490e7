//! Norms and smallest singular values against enclosed references; rank-deficient matrices.
#![cfg(feature = "linear-algebra")]

mod linear_support;

use faer::Mat;
use gradcert_rigor::linear::{EnclosedMatrix, norm_upper, smallest_singular_value_lower};
use gradcert_rigor::{Interval, Lower, Upper};
use linear_support::{bumps, integers, is_above, is_below, parse, reference, uniform, vandermonde};

fn smallest(a: Mat<f64>) -> f64 {
    smallest_singular_value_lower(&EnclosedMatrix::exact(a)).get()
}

#[test]
fn well_and_ill_conditioned_matrices() {
    for (x, smin, smax, tightness) in [
        (uniform(20, 30, 3), reference::UNIFORM_20_30_SMIN, reference::UNIFORM_20_30_SMAX, 1e-10),
        (uniform(24, 24, 9), reference::UNIFORM_24_24_SMIN, reference::UNIFORM_24_24_SMAX, 1e-9),
        (bumps(16, 128, 8), reference::BUMPS_16_128_W8_SMIN, reference::BUMPS_16_128_W8_SMAX, 1e-9),
        (bumps(16, 128, 40), reference::BUMPS_16_128_W40_SMIN, reference::BUMPS_16_128_W40_SMAX, 1e-3),
        (bumps(24, 128, 30), reference::BUMPS_24_128_W30_SMIN, reference::BUMPS_24_128_W30_SMAX, 1e-3),
        (bumps(20, 128, 60), reference::BUMPS_20_128_W60_SMIN, reference::BUMPS_20_128_W60_SMAX, 1e-2),
        (vandermonde(8, 12), reference::VANDERMONDE_8_12_SMIN, reference::VANDERMONDE_8_12_SMAX, 1e-3),
        (vandermonde(12, 12), reference::VANDERMONDE_12_12_SMIN, reference::VANDERMONDE_12_12_SMAX, 1e-2),
    ] {
        let shape = (x.nrows(), x.ncols());
        let low = smallest(x.clone());
        assert!(is_below(low, smin), "{shape:?}: {low:e} is not below {}", smin.0);
        assert!(low > parse(smin.0) * (1.0 - tightness), "{shape:?}: {low:e} is far below {}", smin.0);
        let high = norm_upper(&EnclosedMatrix::exact(x)).get();
        assert!(is_above(high, smax), "{shape:?}: {high:e} is not above {}", smax.1);
        assert!(high < parse(smax.1) * (1.0 + 1e-10), "{shape:?}: {high:e} is far above {}", smax.1);
    }
}

#[test]
fn scaling_by_powers_of_two_changes_nothing() {
    let x = bumps(16, 128, 40);
    let plain = smallest(x.clone());
    for exponent in [-900, -300, 300, 900] {
        let scale = 2f64.powi(exponent);
        let scaled = Mat::from_fn(16, 128, |i, j| x[(i, j)] * scale);
        let low = smallest(scaled.clone());
        assert!(low <= parse(reference::BUMPS_16_128_W40_SMIN.0) * scale);
        assert!((low / scale - plain).abs() < 1e-12 * plain, "{exponent}");
        let norm = norm_upper(&EnclosedMatrix::exact(scaled)).get();
        assert!(is_above(norm / scale, reference::BUMPS_16_128_W40_SMAX));
    }
}

#[test]
fn rank_deficient_integer_matrices_are_never_accepted() {
    let mut accepted_by_floats = 0;
    for seed in 0..40 {
        // Rank at most 6, exact products.
        let x = integers(8, 6, 30, seed) * integers(6, 20, 30, 1000 + seed);
        assert_eq!(smallest(x.clone()), 0.0, "seed {seed}");
        let values = x.singular_values().expect("singular values");
        accepted_by_floats += usize::from(values[7] > 0.0);
    }
    // What a float SVD says about singular matrices.
    assert!(accepted_by_floats > 0);
}

#[test]
fn duplicates_and_dependent_rows_of_ill_conditioned_data() {
    for width in [8, 40, 60] {
        let x = bumps(16, 128, width);
        let duplicated = Mat::from_fn(17, 128, |i, j| x[(if i == 16 { 5 } else { i }, j)]);
        assert_eq!(smallest(duplicated), 0.0);
        // x and 2x; a difference of two rows, exact since entries are multiples of 2^-40 below 1.
        let doubled = Mat::from_fn(17, 128, |i, j| if i == 16 { 2.0 * x[(3, j)] } else { x[(i, j)] });
        assert_eq!(smallest(doubled), 0.0);
        let dependent = Mat::from_fn(17, 128, |i, j| if i == 16 { x[(3, j)] - x[(9, j)] } else { x[(i, j)] });
        assert_eq!(smallest(dependent), 0.0);
    }
}

#[test]
fn more_rows_than_columns_empty_and_unknown() {
    assert_eq!(smallest(uniform(5, 4, 1)), 0.0);
    assert_eq!(smallest(Mat::zeros(0, 0)), 0.0);
    assert_eq!(smallest(Mat::zeros(0, 3)), 0.0);
    assert_eq!(smallest(Mat::zeros(3, 0)), 0.0);
    assert_eq!(smallest(Mat::zeros(3, 5)), 0.0);
    for bad in [f64::NAN, f64::INFINITY] {
        let x = Mat::from_fn(3, 4, |i, j| if i == 1 && j == 1 { bad } else { (i * j) as f64 });
        assert_eq!(smallest(x.clone()), 0.0);
        assert_eq!(norm_upper(&EnclosedMatrix::exact(x)), Upper::UNKNOWN);
    }
    for empty in [Mat::zeros(0, 0), Mat::zeros(0, 3), Mat::zeros(3, 0), Mat::zeros(2, 2)] {
        assert_eq!(norm_upper(&EnclosedMatrix::exact(empty)), Upper::ZERO);
    }
    let single = smallest(Mat::from_fn(1, 2, |_, j| [3.0, 4.0][j]));
    assert!(single <= 5.0 && single > 5.0 - 1e-12);
    let huge = Mat::from_fn(2, 2, |_, _| f64::MAX);
    assert!(norm_upper(&EnclosedMatrix::exact(huge.clone())).get() >= f64::MAX);
    assert_eq!(smallest(huge), 0.0);
    let least = Mat::from_fn(2, 2, |i, j| if i == j { f64::from_bits(1) } else { 0.0 });
    assert!(norm_upper(&EnclosedMatrix::exact(least.clone())).get() >= f64::from_bits(1));
    assert!(smallest(least) <= f64::from_bits(1));
}

#[test]
fn radii_widen_both_bounds() {
    let identity = Mat::<f64>::identity(4, 4);
    let ball = EnclosedMatrix::new(identity, Mat::from_fn(4, 4, |_, _| 0.0625));
    // The extreme members I -+ 0.0625 1 1^T.
    assert!(smallest_singular_value_lower(&ball).get() <= 0.75);
    assert!(smallest_singular_value_lower(&ball).get() > 0.75 - 1e-12);
    assert!(norm_upper(&ball).get() >= 1.25 && norm_upper(&ball).get() < 1.25 + 1e-12);
    let wide = EnclosedMatrix::from_fn(4, 4, |i, j| Interval::around(f64::from(i == j), Upper::ONE));
    assert_eq!(smallest_singular_value_lower(&wide), Lower::ZERO);
}
