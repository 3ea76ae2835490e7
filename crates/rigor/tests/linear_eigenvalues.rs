//! Bounds of eigenvalues against enclosed references; singular matrices; ends of the range of doubles.
#![cfg(feature = "linear-algebra")]

mod linear_support;

use faer::{Mat, Side};
use gradcert_rigor::linear::{
    Eigenpairs, EnclosedMatrix, SymmetricBall, gram, gram_of_samples, is_positive_definite, largest_eigenvalue_upper,
    smallest_eigenvalue_lower,
};
use gradcert_rigor::{Interval, Upper};
use linear_support::{
    bumps, exact_ball, integers, is_above, is_below, negated, parse, reference, second_difference, uniform,
};

fn lower(a: &SymmetricBall) -> f64 {
    smallest_eigenvalue_lower(a).expect("a bounded matrix")
}

fn hilbert(n: usize) -> SymmetricBall {
    let entry = |i: usize, j: usize| Interval::ONE / Interval::exact((i + j + 1) as f64);
    SymmetricBall::from_enclosed(&EnclosedMatrix::from_fn(n, n, entry))
}

fn check_both(a: &SymmetricBall, smallest: (&str, &str), largest: (&str, &str), slack: f64) {
    let low = lower(a);
    assert!(is_below(low, smallest), "{low:e} is not below {}", smallest.0);
    assert!(low >= parse(smallest.0) - slack, "{low:e} is far below {}", smallest.0);
    let high = largest_eigenvalue_upper(a).get();
    assert!(is_above(high, largest), "{high:e} is not above {}", largest.1);
    assert!(high <= parse(largest.1) * (1.0 + 1e-12) + slack, "{high:e} is far above {}", largest.1);
}

#[test]
fn hilbert_matrices() {
    check_both(&hilbert(4), reference::HILBERT_4_SMALLEST, reference::HILBERT_4_LARGEST, 1e-14);
    check_both(&hilbert(8), reference::HILBERT_8_SMALLEST, reference::HILBERT_8_LARGEST, 1e-14);
    assert!(is_positive_definite(&hilbert(8)));
    // Order 10: the smallest eigenvalue is 1e-13, the rounding of 1/(i+j-1) alone is 1e-15.
    check_both(&hilbert(10), reference::HILBERT_10_SMALLEST, reference::HILBERT_10_LARGEST, 2e-14);
    // The matrix of doubles nearest to 1/(i+j-1) has another smallest eigenvalue than the Hilbert matrix.
    let rounded = exact_ball(hilbert(8).middle().to_owned());
    let low = lower(&rounded);
    assert!(is_below(low, reference::HILBERT_8_ROUNDED));
    assert!(low > parse(reference::HILBERT_8_ROUNDED.0) * (1.0 - 1e-4), "{low:e}");
}

#[test]
fn indefinite_matrix_and_its_negative() {
    let a = exact_ball(uniform(12, 12, 5));
    check_both(&a, reference::INDEFINITE_SMALLEST, reference::INDEFINITE_LARGEST, 1e-13);
    assert!(!is_positive_definite(&a));
    let minus = negated(&a);
    assert!(lower(&minus) <= -parse(reference::INDEFINITE_LARGEST.0));
    assert!(lower(&minus) >= -parse(reference::INDEFINITE_LARGEST.0) - 1e-13);
}

#[test]
fn a_negative_shift_takes_the_correction_of_the_larger_diagonal() {
    // [[0, M], [M, 0]] has eigenvalues +-M but a zero diagonal: the rounding term of A itself would be 0.
    for m in [1.0, 3.0, 1e10, 0.1] {
        let mut a = Mat::zeros(2, 2);
        a[(1, 0)] = m;
        let ball = exact_ball(a);
        assert!(lower(&ball) < -m && lower(&ball) >= -m * (1.0 + 1e-14));
        assert!(largest_eigenvalue_upper(&ball).get() > m);
    }
}

#[test]
fn grams_of_spectra_and_random_data() {
    for (x, smallest, largest) in [
        (uniform(20, 30, 3), reference::UNIFORM_20_30_SMIN, reference::UNIFORM_20_30_SMAX),
        (uniform(24, 24, 9), reference::UNIFORM_24_24_SMIN, reference::UNIFORM_24_24_SMAX),
        (bumps(16, 128, 8), reference::BUMPS_16_128_W8_SMIN, reference::BUMPS_16_128_W8_SMAX),
    ] {
        let ball = gram(&EnclosedMatrix::exact(x));
        let low = lower(&ball);
        // (s - s ulp)^2 < s^2 exactly; a product of doubles rounded down stays below.
        let truth = parse(smallest.0).next_down();
        assert!(low < (truth * truth).next_up());
        assert!(low > truth * truth - 1e-11);
        let high = largest_eigenvalue_upper(&ball).get();
        let truth = parse(largest.1).next_up();
        assert!(high > (truth * truth).next_down() && high < truth * truth * (1.0 + 1e-11));
    }
}

#[test]
fn matrix_of_second_differences() {
    let ball = exact_ball(second_difference(40));
    let low = lower(&ball);
    assert!(is_below(low, reference::DIFFERENCE_40_SMALLEST));
    // The rounding term of the factorisation is sum_j gamma_{j+1} a_jj = 40 * 43 u = 1.91e-13 for this diagonal.
    assert!(low > parse(reference::DIFFERENCE_40_SMALLEST.0) - 1.1 * 1.91e-13);
    // 2 - 2 cos(k pi / 41) < 4.
    assert!(largest_eigenvalue_upper(&ball).get() > 3.994 && largest_eigenvalue_upper(&ball).get() < 4.0);
}

#[test]
fn singular_integer_matrices_are_never_accepted() {
    let mut positive_floats = 0;
    for seed in 0..60 {
        // B of rank at most 5 in dimension 9: B B^T is singular and exact in doubles.
        let x = integers(9, 5, 20, seed);
        let exact = exact_ball(&x * x.transpose());
        assert!(lower(&exact) <= 0.0 && lower(&exact) > -1e-9);
        assert!(!is_positive_definite(&exact));
        let values = exact.middle().self_adjoint_eigenvalues(Side::Lower).expect("eigenvalues");
        positive_floats += usize::from(values[0] > 0.0);
    }
    // What plain floats say.
    assert!(positive_floats > 0);
    for a in [[[1.0, 1.0], [1.0, 1.0]], [[4.0, 6.0], [6.0, 9.0]], [[0.0, 0.0], [0.0, 0.0]]] {
        let ball = exact_ball(Mat::from_fn(2, 2, |i, j| a[i][j]));
        assert!(lower(&ball) <= 0.0 && lower(&ball) >= -1e-14);
        assert!(!is_positive_definite(&ball));
    }
}

#[test]
fn the_radius_counts() {
    let identity = exact_ball(Mat::identity(30, 30));
    assert!(lower(&identity) > 1.0 - 1e-12 && lower(&identity) <= 1.0);
    let wide = identity.clone().widened(Upper::new(0.25));
    assert!(lower(&wide) > 0.75 - 1e-12 && lower(&wide) <= 0.75);
    assert!(largest_eigenvalue_upper(&wide).get() >= 1.25);
    assert!(is_positive_definite(&wide));
    assert!(!is_positive_definite(&identity.clone().widened(Upper::ONE)));
    assert_eq!(smallest_eigenvalue_lower(&identity.widened(Upper::UNKNOWN)), None);
}

#[test]
fn tiny_huge_and_unknown_matrices_give_valid_bounds() {
    for scale in [1e-300, 1e-160, 1e-30, 1e30, 1e153, 1e300] {
        let mut a = second_difference(6);
        for j in 0..6 {
            a.col_as_slice_mut(j).iter_mut().for_each(|x| *x *= scale);
        }
        let ball = exact_ball(a);
        let truth = 0.198_062_264_195_161_7 * scale;
        assert!(lower(&ball) < truth && lower(&ball) > 0.999_999 * truth, "{:e} {scale:e}", lower(&ball));
        assert!(is_positive_definite(&ball));
        assert!(largest_eigenvalue_upper(&ball).get() > 3.801 * scale);
        assert!(largest_eigenvalue_upper(&ball).get() < 3.803 * scale);
    }
    // Subnormal and nearly overflowing entries.
    for entry in [f64::from_bits(1), f64::from_bits(9), f64::MIN_POSITIVE, f64::MAX] {
        let ball = exact_ball(Mat::from_fn(3, 3, |i, j| if i == j { entry } else { 0.0 }));
        assert!(smallest_eigenvalue_lower(&ball).is_none_or(|x| x <= entry));
        assert!(largest_eigenvalue_upper(&ball).get() >= entry);
    }
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let ball = exact_ball(Mat::from_fn(4, 4, |i, j| if i == 2 && j == 1 { bad } else { 1.0 }));
        assert_eq!(smallest_eigenvalue_lower(&ball), None);
        assert_eq!(largest_eigenvalue_upper(&ball), Upper::UNKNOWN);
        assert!(!is_positive_definite(&ball));
        assert!(Eigenpairs::new(&ball).is_none());
    }
}

#[test]
fn an_underflowing_gram_is_not_positive() {
    // Squares of 1e-200 vanish; the eigenvalue 1e-400 is below every double, and no positive bound exists.
    let x = EnclosedMatrix::exact(Mat::from_fn(3, 3, |i, j| if i == j { 1e-200 } else { 0.0 }));
    assert!(lower(&gram(&x)) <= 0.0);
    assert!(largest_eigenvalue_upper(&gram(&x)).get() > 0.0);
}

#[test]
fn orders_zero_and_one() {
    let empty = exact_ball(Mat::zeros(0, 0));
    assert_eq!(smallest_eigenvalue_lower(&empty), None);
    assert_eq!(largest_eigenvalue_upper(&empty), Upper::ZERO);
    assert!(Eigenpairs::new(&empty).is_some());
    for value in [3.0, 0.0, -2.0] {
        let one = exact_ball(Mat::from_fn(1, 1, |_, _| value));
        assert!(lower(&one) <= value && lower(&one) >= value - 1e-14);
        assert!(largest_eigenvalue_upper(&one).get() >= value);
        assert_eq!(is_positive_definite(&one), value > 0.0);
    }
}

#[test]
fn larger_orders_use_every_level_of_the_recursion() {
    // I + beta 1 1^T: eigenvalues 1 and 1 + n beta, exact in doubles.
    for n in [15, 16, 17, 33, 64, 100, 257] {
        let ball = exact_ball(Mat::from_fn(n, n, |i, j| if i == j { 1.25 } else { 0.25 }));
        assert!(lower(&ball) <= 1.0 && lower(&ball) > 1.0 - 1e-10, "{n}: {}", lower(&ball));
        let largest = 1.0 + 0.25 * n as f64;
        let high = largest_eigenvalue_upper(&ball).get();
        assert!(high >= largest && high < largest * (1.0 + 1e-9), "{n}: {high}");
        // One less: singular.
        let singular = exact_ball(Mat::from_fn(n, n, |i, j| if i == j { n as f64 - 1.0 } else { -1.0 }));
        assert!(lower(&singular) <= 0.0 && !is_positive_definite(&singular));
    }
}

#[test]
fn combinations_rank_one_terms_and_scalings() {
    let a = exact_ball(Mat::from_fn(3, 3, |i, j| if i == j { 2.0 } else { 0.5 }));
    let b = exact_ball(Mat::identity(3, 3)).widened(Upper::new(1e-3));
    let sum = SymmetricBall::combine(Interval::new(0.99, 1.01), &a, Interval::exact(3.0), &b);
    // Smallest eigenvalue of any member: at least 0.99 * 1.5 + 3 - 0.003, the ball is a little wider.
    assert!(lower(&sum) <= 0.99 * 1.5 + 3.0 - 0.003 && lower(&sum) > 4.4);
    assert!(largest_eigenvalue_upper(&sum).get() >= 1.01 * 3.0 + 3.003);
    let lifted = a.plus_rank_one(Interval::exact(4.0), &[1.0, 1.0, 1.0]);
    assert!(largest_eigenvalue_upper(&lifted).get() >= 15.0 && lower(&lifted) <= 1.5 && lower(&lifted) > 1.499_999);
    let scaled = a.scale_both(&[Interval::exact(2.0); 3]);
    assert!(lower(&scaled) <= 6.0 && lower(&scaled) > 5.999_999);
}

#[test]
fn gram_of_weighted_samples_with_a_constant_column() {
    let x = EnclosedMatrix::exact(integers(5, 8, 9, 4));
    let weights = [1.0, 4.0, 2.0, 1.0, 3.0].map(|m: f64| Interval::exact(m).sqrt());
    let ball = gram_of_samples(&x, Some(1.0), Some(&weights));
    for i in 0..5 {
        for j in 0..5 {
            let dot: f64 = (0..8).map(|k| x.middle()[(i, k)] * x.middle()[(j, k)]).sum::<f64>() + 1.0;
            let truth = weights[i] * weights[j] * Interval::exact(dot);
            assert!(Interval::around(ball.middle()[(i, j)], ball.radius()).meets(truth));
        }
    }
    assert!(ball.radius().get() < 1e-11);
}

#[test]
fn eigenpairs_with_a_proved_defect() {
    for a in [exact_ball(uniform(30, 30, 8)), gram(&EnclosedMatrix::exact(uniform(40, 60, 2))), hilbert(8)] {
        let pairs = Eigenpairs::new(&a).expect("a decomposition");
        assert!(pairs.defect().get() > 0.0 && pairs.defect().get() < 1e-10, "{:e}", pairs.defect().get());
        assert!(pairs.orthogonality().get() < 1e-12);
        assert!(pairs.values()[0] - pairs.defect().get() <= lower(&a) + 1e-10);
    }
    let pairs = Eigenpairs::new(&hilbert(8)).expect("a decomposition");
    assert!((pairs.values()[0] - parse(reference::HILBERT_8_SMALLEST.0)).abs() <= pairs.defect().get());
}

#[test]
fn wrong_eigenpairs_have_a_large_defect() {
    let a = exact_ball(uniform(10, 10, 1));
    let pairs = Eigenpairs::new(&a).expect("a decomposition");
    let mut values = pairs.values().to_vec();
    values[3] += 1e-3;
    let moved = Eigenpairs::from_approximation(&a, values, pairs.vectors().to_owned());
    assert!(moved.defect().get() >= 1e-3 * (1.0 - 1e-9));
    let mut vectors = pairs.vectors().to_owned();
    for i in 0..10 {
        vectors[(i, 0)] *= 1.0 + 1e-4;
    }
    // A first column of length 1 + 1e-4 is at distance 1e-4 from an orthogonal matrix.
    let stretched = Eigenpairs::from_approximation(&a, pairs.values().to_vec(), vectors);
    assert!(stretched.orthogonality().get() >= 1e-4 * (1.0 - 1e-9) && stretched.orthogonality().get() < 1.1e-4);
    let zero = Eigenpairs::from_approximation(&a, pairs.values().to_vec(), Mat::zeros(10, 10));
    assert_eq!(zero.defect(), Upper::UNKNOWN);
}
