//! Bounds of eigenvalues and singular values of random matrices, decided without any slack by exact rational elimination.
#![cfg(feature = "linear-algebra")]

use faer::Mat;
use gradcert_rigor::Upper;
use gradcert_rigor::linear::{
    EnclosedMatrix, SymmetricBall, gram, is_positive_definite, largest_eigenvalue_upper, norm_upper,
    smallest_eigenvalue_lower, smallest_singular_value_lower,
};
use num_rational::BigRational;
use proptest::prelude::*;

type Rational = Vec<Vec<BigRational>>;

fn exact(x: f64) -> BigRational {
    BigRational::from_float(x).expect("a finite double")
}

fn rational(a: &Mat<f64>) -> Rational {
    (0..a.nrows()).map(|i| (0..a.ncols()).map(|j| exact(a[(i, j)])).collect()).collect()
}

fn own_product(x: &Rational) -> Rational {
    x.iter().map(|r| x.iter().map(|s| r.iter().zip(s).fold(exact(0.0), |t, (a, b)| t + a * b)).collect()).collect()
}

/// Is `sign A - shift I` positive semidefinite? Elimination: no negative pivot, and a zero pivot only in a zero row.
fn semidefinite(a: &Rational, sign: f64, shift: &BigRational) -> bool {
    let (n, sign, zero) = (a.len(), exact(sign), exact(0.0));
    let mut a: Rational = a.iter().map(|row| row.iter().map(|x| x * &sign).collect()).collect();
    (0..n).for_each(|i| a[i][i] -= shift);
    for k in 0..n {
        if a[k][k] < zero || (a[k][k] == zero && a[k][k + 1..].iter().any(|x| *x != zero)) {
            return false;
        }
        if a[k][k] == zero {
            continue;
        }
        for i in k + 1..n {
            let factor = &a[i][k] / &a[k][k];
            for j in k..n {
                let change = &factor * &a[k][j];
                a[i][j] -= change;
            }
        }
    }
    true
}

/// Matrices `X` (`rows x columns`) whose rows are nearly dependent to a random degree, down to exactly dependent.
fn nearly_dependent() -> impl Strategy<Value = Mat<f64>> {
    let nearness = prop_oneof![Just(0.0), (-60i32..2).prop_map(|e| 2f64.powi(e))];
    (1usize..6, 0usize..3, nearness, prop::collection::vec(-1.0f64..1.0, 60)).prop_map(|(n, more, nearness, v)| {
        Mat::from_fn(n, n + more, |i, j| {
            let own = v[i * 8 + j];
            // The last row is the first one, disturbed.
            if i + 1 == n && n > 1 { v[j] + nearness * own } else { own }
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn eigenvalue_bounds_of_symmetric_matrices(n in 1usize..7, v in prop::collection::vec(-1.0f64..1.0, 49)) {
        let a = Mat::from_fn(n, n, |i, j| v[i.max(j) * 7 + i.min(j)]);
        let (ball, truth) = (SymmetricBall::new(a.clone(), Upper::ZERO), rational(&a));
        let low = smallest_eigenvalue_lower(&ball).expect("a bounded matrix");
        // The correction is at most 27 u times the largest diagonal of the shifted matrix (below 7), the distance kept
        // from the estimate some tens of u |A|.
        let slack = 1e-13;
        prop_assert!(semidefinite(&truth, 1.0, &exact(low)));
        prop_assert!(!semidefinite(&truth, 1.0, &exact(low + slack)), "{low:e} is not tight");
        let high = largest_eigenvalue_upper(&ball).get();
        prop_assert!(semidefinite(&truth, -1.0, &exact(-high)));
        prop_assert!(high == 0.0 || !semidefinite(&truth, -1.0, &exact(slack - high)), "{high:e} is not tight");
        prop_assert!(!is_positive_definite(&ball) || semidefinite(&truth, 1.0, &exact(0.0)));
    }

    #[test]
    fn bounds_of_nearly_dependent_rows(x in nearly_dependent()) {
        let truth = own_product(&rational(&x));
        let enclosed = EnclosedMatrix::exact(x);
        let low = smallest_eigenvalue_lower(&gram(&enclosed)).expect("a bounded matrix");
        prop_assert!(semidefinite(&truth, 1.0, &exact(low)));
        let smin = smallest_singular_value_lower(&enclosed).get();
        prop_assert!(semidefinite(&truth, 1.0, &(exact(smin) * exact(smin))));
        // Nothing is proved below about 1e-14, everything above 1e-12, within one per cent.
        let floor = exact(1e-12) * exact(1e-12);
        if semidefinite(&truth, 1.0, &floor) {
            let above = exact(1.01 * smin);
            prop_assert!(smin > 0.0 && !semidefinite(&truth, 1.0, &(&above * &above)), "{smin:e} is not tight");
        }
        let norm = norm_upper(&enclosed).get();
        prop_assert!(semidefinite(&truth, -1.0, &-(exact(norm) * exact(norm))));
        let below = exact(norm * (1.0 - 1e-12));
        prop_assert!(!semidefinite(&truth, -1.0, &-(&below * &below)), "{norm:e} is not tight");
    }

    #[test]
    fn exactly_dependent_integer_rows(v in prop::collection::vec(-50i32..50, 30), weights in prop::collection::vec(-3i32..4, 4)) {
        // Row 4 is an integer combination of rows 0..4.
        let at = |i: usize, j: usize| f64::from(v[i * 6 + j]);
        let x = Mat::from_fn(5, 6, |i, j| {
            if i < 4 { at(i, j) } else { (0..4).map(|k| f64::from(weights[k]) * at(k, j)).sum() }
        });
        prop_assert_eq!(smallest_singular_value_lower(&EnclosedMatrix::exact(x.clone())).get(), 0.0);
        let ball = gram(&EnclosedMatrix::exact(x));
        prop_assert!(smallest_eigenvalue_lower(&ball).is_none_or(|low| low <= 0.0));
        prop_assert!(!is_positive_definite(&ball));
    }
}
