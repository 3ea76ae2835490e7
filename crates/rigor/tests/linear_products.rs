//! Entrywise enclosures against exact rational arithmetic.
#![cfg(feature = "linear-algebra")]

use faer::Mat;
use gradcert_rigor::linear::{EnclosedMatrix, SymmetricBall, dot, dot_enclosed, gram, matvec, norm, residual_norm};
use gradcert_rigor::{Interval, Upper};
use num_rational::BigRational;
use proptest::prelude::*;

fn exact(x: f64) -> BigRational {
    BigRational::from_float(x).expect("a finite double")
}

fn zero() -> BigRational {
    exact(0.0)
}

fn encloses(x: Interval, truth: &BigRational) -> bool {
    let above = |bound: f64| bound == f64::INFINITY || exact(bound) >= *truth;
    let below = |bound: f64| bound == f64::NEG_INFINITY || exact(bound) <= *truth;
    above(x.hi()) && below(x.lo())
}

/// Doubles of every size, with zeros, ones, subnormal numbers and numbers whose products vanish or overflow.
fn any_size() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -1.0f64..1.0,
        2 => (-1.0f64..1.0, -40i32..40).prop_map(|(x, e)| x * 2f64.powi(e)),
        1 => (-1.0f64..1.0, -540i32..-500).prop_map(|(x, e)| x * 2f64.powi(e)),
        1 => (-1.0f64..1.0, 480i32..515).prop_map(|(x, e)| x * 2f64.powi(e)),
        1 => Just(0.0),
        1 => Just(1.0),
        1 => (1u64..1000).prop_map(f64::from_bits),
    ]
}

/// A member of an enclosed matrix next to the enclosure: the middle, the radius, and the exact entry
/// `middle + t radius`, `t` in `[-1, 1]` a double.
type Entry = (f64, f64, f64);

fn entry() -> impl Strategy<Value = Entry> {
    let radius = prop_oneof![2 => Just(0.0), 2 => (0.0f64..1.0, -60i32..0).prop_map(|(r, e)| r * 2f64.powi(e))];
    (any_size(), radius, prop_oneof![Just(-1.0), Just(1.0), -1.0f64..1.0])
}

#[derive(Clone, Debug)]
struct Member {
    enclosure: EnclosedMatrix,
    truth: Vec<Vec<BigRational>>,
}

fn member(rows: usize, columns: usize, entries: &[Entry]) -> Member {
    let at = |i: usize, j: usize| entries[i * columns + j];
    let truth = (0..rows)
        .map(|i| (0..columns).map(|j| exact(at(i, j).0) + exact(at(i, j).1) * exact(at(i, j).2)).collect())
        .collect();
    let (middle, radius) =
        (Mat::from_fn(rows, columns, |i, j| at(i, j).0), Mat::from_fn(rows, columns, |i, j| at(i, j).1));
    Member { enclosure: EnclosedMatrix::new(middle, radius), truth }
}

fn pair_of(rows: usize, inner: usize, columns: usize) -> impl Strategy<Value = (Member, Member)> {
    (prop::collection::vec(entry(), rows * inner), prop::collection::vec(entry(), inner * columns))
        .prop_map(move |(a, b)| (member(rows, inner, &a), member(inner, columns, &b)))
}

fn check(enclosure: &EnclosedMatrix, truth: impl Fn(usize, usize) -> BigRational) -> Result<(), TestCaseError> {
    for i in 0..enclosure.nrows() {
        for j in 0..enclosure.ncols() {
            let (x, t) = (enclosure.entry(i, j), truth(i, j));
            prop_assert!(encloses(x, &t), "entry ({i}, {j}): {x:?} misses {t}");
            // An interval around middle and radius is rounded outward; the radius itself must do.
            let radius = enclosure.radius(i, j).get();
            let error = &t - exact(enclosure.middle()[(i, j)]);
            let error = if error < zero() { -error } else { error };
            prop_assert!(
                radius == f64::INFINITY || exact(radius) >= error,
                "entry ({i}, {j}): {radius} is less than {error}"
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn products_contain_the_exact_ones((a, b) in (1usize..5, 0usize..20, 1usize..5).prop_flat_map(|(m, k, n)| pair_of(m, k, n))) {
        let product = |i: usize, j: usize| {
            a.truth[i].iter().zip(&b.truth).fold(zero(), |sum, (x, row)| sum + x * &row[j])
        };
        check(&a.enclosure.times(&b.enclosure), product)?;
        check(&a.enclosure.times_transpose(&b.enclosure.transpose()), product)?;
        check(&a.enclosure.transpose().transpose_times(&b.enclosure), product)?;
        let own = |i: usize, j: usize| {
            a.truth[i].iter().zip(&a.truth[j]).fold(zero(), |sum, (x, y)| sum + x * y)
        };
        check(&a.enclosure.times_own_transpose(), own)?;
        // Every entry of an error is at most its spectral norm.
        let ball = gram(&a.enclosure);
        let n = ball.dimension();
        let entries = EnclosedMatrix::from_fn(n, n, |i, j| Interval::around(ball.middle()[(i, j)], ball.radius()));
        check(&entries, own)?;
    }

    #[test]
    fn entrywise_operations_contain_the_exact_ones((a, b) in pair_of(3, 3, 3)) {
        check(&a.enclosure.plus(&b.enclosure), |i, j| &a.truth[i][j] + &b.truth[i][j])?;
        check(&a.enclosure.minus(&b.enclosure), |i, j| &a.truth[i][j] - &b.truth[i][j])?;
        check(&a.enclosure.hadamard(&b.enclosure), |i, j| &a.truth[i][j] * &b.truth[i][j])?;
        let row = b.enclosure.row(0);
        check(&a.enclosure.add_row(&row), |i, j| &a.truth[i][j] + &b.truth[0][j])?;
        check(&a.enclosure.scale_columns(&row), |i, j| &a.truth[i][j] * &b.truth[0][j])?;
        check(&a.enclosure.scale_rows(&row), |i, j| &a.truth[i][j] * &b.truth[0][i])?;
        check(&a.enclosure.scaled(row[1]), |i, j| &a.truth[i][j] * &b.truth[0][1])?;
        check(&a.enclosure.map(|x| x * x - x), |i, j| &a.truth[i][j] * &a.truth[i][j] - &a.truth[i][j])?;
        check(&a.enclosure.append_column(&b.enclosure.column(2)), |i, j| {
            if j < 3 { a.truth[i][j].clone() } else { b.truth[i][2].clone() }
        })?;
        check(&a.enclosure.select_rows(&[2, 0, 2]), |i, j| a.truth[[2, 0, 2][i]][j].clone())?;
    }

    #[test]
    fn symmetric_combinations_contain_the_exact_ones((a, b) in pair_of(3, 3, 3)) {
        let symmetric = |m: &Member, i: usize, j: usize| m.truth[i.max(j)][i.min(j)].clone();
        let (alpha, beta) = (b.enclosure.entry(0, 1), b.enclosure.entry(0, 2));
        let entries = |ball: &SymmetricBall| {
            EnclosedMatrix::from_fn(3, 3, |i, j| Interval::around(ball.middle()[(i, j)], ball.radius()))
        };
        let (first, second) = (SymmetricBall::from_enclosed(&a.enclosure), SymmetricBall::from_enclosed(&b.enclosure));
        check(&entries(&first), |i, j| symmetric(&a, i, j))?;
        check(&entries(&SymmetricBall::combine(alpha, &first, beta, &second)), |i, j| {
            &b.truth[0][1] * symmetric(&a, i, j) + &b.truth[0][2] * symmetric(&b, i, j)
        })?;
        let w = [0.3, -1.7, 5.0e-3];
        check(&entries(&first.plus_rank_one(beta, &w)), |i, j| {
            symmetric(&a, i, j) + &b.truth[0][2] * exact(w[i]) * exact(w[j])
        })?;
        check(&entries(&first.scale_both(&b.enclosure.row(1))), |i, j| {
            symmetric(&a, i, j) * &b.truth[1][i] * &b.truth[1][j]
        })?;
    }

    #[test]
    fn vectors(entries in prop::collection::vec((entry(), entry()), 0..20)) {
        let (x, y): (Vec<Entry>, Vec<Entry>) = entries.into_iter().unzip();
        let n = x.len();
        let (x, y) = (member(1, n, &x), member(n, 1, &y));
        let truth = x.truth.first().map_or(zero(), |row| {
            row.iter().zip(&y.truth).fold(zero(), |sum, (a, b)| sum + a * &b[0])
        });
        prop_assert!(encloses(matvec(&x.enclosure, &y.enclosure.column(0))[0], &truth));
        prop_assert!(encloses(dot_enclosed(&x.enclosure.row(0), &y.enclosure.column(0)), &truth));
        let shifted = &truth - exact(0.5);
        let residual = residual_norm(&x.enclosure, &y.enclosure.column(0), &[Interval::exact(0.5)]).get();
        prop_assert!(residual == f64::INFINITY || exact(residual) * exact(residual) >= &shifted * &shifted);
        let middles = |m: &Member| -> Vec<f64> {
            let e = &m.enclosure;
            (0..n).map(|k| if e.nrows() == 1 { e.middle()[(0, k)] } else { e.middle()[(k, 0)] }).collect()
        };
        let (mx, my) = (middles(&x), middles(&y));
        let truth = mx.iter().zip(&my).fold(zero(), |sum, (a, b)| sum + exact(*a) * exact(*b));
        prop_assert!(encloses(dot(&mx, &my), &truth));
        let squared = x.truth.first().map_or(zero(), |row| row.iter().fold(zero(), |sum, a| sum + a * a));
        let length = norm(&x.enclosure.row(0));
        for length in [length, x.enclosure.row_norms()[0], x.enclosure.transpose().column_norms()[0]] {
            prop_assert!(length.hi() == f64::INFINITY || exact(length.hi()) * exact(length.hi()) >= squared);
            prop_assert!(exact(length.lo()) * exact(length.lo()) <= squared);
        }
        let largest = x.truth[0].iter().map(|a| if *a < zero() { -a } else { a.clone() }).max().unwrap_or(zero());
        let bound = x.enclosure.largest_entry().get();
        prop_assert!(bound == f64::INFINITY || exact(bound) >= largest);
        let frobenius = x.enclosure.frobenius();
        prop_assert!(frobenius.hi() >= length.lo() && frobenius.lo() <= length.hi());
    }
}

#[test]
fn long_products_are_tight() {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    let a = Mat::from_fn(7, 700, |_, _| next());
    let b = Mat::from_fn(700, 5, |_, _| next());
    let c = EnclosedMatrix::exact(a.clone()).times(&EnclosedMatrix::exact(b.clone()));
    for i in 0..7 {
        for j in 0..5 {
            let truth = (0..700).fold(zero(), |sum, k| sum + exact(a[(i, k)]) * exact(b[(k, j)]));
            assert!(encloses(c.entry(i, j), &truth));
            // gamma_700 |a||b| with |a_k b_k| about 1/4.
            assert!(c.radius(i, j).get() < 700.0 * 1.2e-16 * 200.0);
        }
    }
}

#[test]
fn underflow_leaves_no_zero_bound() {
    let a = EnclosedMatrix::exact(Mat::from_fn(2, 3, |_, _| 1e-200));
    let product = a.times_own_transpose();
    assert!(product.entry(0, 1).hi() > 0.0 && product.entry(0, 1).lo() <= 0.0);
    assert!(a.hadamard(&a).entry(0, 0).hi() > 0.0);
    assert!(dot(&[1e-200, 1e-200], &[1e-200, 1e-200]).hi() > 0.0);
    assert!(gram(&a).radius() > Upper::ZERO);
    let norms = a.row_norms();
    assert!(norms[0].lo() > 1.73e-200 && norms[0].hi() < 1.733e-200);
}

#[test]
fn exact_zeros_stay_exact() {
    let zero = EnclosedMatrix::exact(Mat::zeros(3, 4));
    let x = EnclosedMatrix::exact(Mat::from_fn(5, 4, |i, j| (i + j) as f64 / 7.0));
    assert!(x.times_transpose(&zero).is_exact());
    assert_eq!(x.times_transpose(&zero).entry(2, 1), Interval::ZERO);
    assert_eq!(gram(&zero).radius(), Upper::ZERO);
    assert_eq!(zero.frobenius(), Interval::ZERO);
    assert_eq!(dot(&[0.0, 2.0], &[3.0, 0.0]), Interval::ZERO);
}

#[test]
fn what_is_not_finite_is_unknown_and_stays_so() {
    let bad = EnclosedMatrix::exact(Mat::from_fn(2, 2, |i, j| if i == j { f64::NAN } else { 1.0 }));
    let good = EnclosedMatrix::exact(Mat::identity(2, 2));
    assert!(!bad.is_bounded() && good.is_bounded());
    assert_eq!(bad.entry(0, 0), Interval::ENTIRE);
    for x in [bad.times(&good), good.times(&bad), bad.plus(&good), bad.minus(&good), bad.map(|x| x.square())] {
        assert_eq!(x.entry(0, 0).hi(), f64::INFINITY);
        assert_eq!(x.middle()[(0, 0)], 0.0);
    }
    let huge = EnclosedMatrix::exact(Mat::from_fn(2, 2, |_, _| f64::MAX));
    assert_eq!(huge.times(&huge).entry(0, 0), Interval::ENTIRE);
    assert_eq!(huge.plus(&huge).entry(0, 0), Interval::ENTIRE);
    assert_eq!(gram(&huge).radius(), Upper::UNKNOWN);
    assert_eq!(dot(&[f64::NAN], &[0.0]), Interval::ENTIRE);
    assert_eq!(dot(&[f64::MAX], &[2.0]), Interval::ENTIRE);
}

/// Sums of squares whose every addition rounds the same way: after a one, numbers a little above and a little below half a unit in
/// its last place.
#[test]
fn norms_of_columns_where_every_addition_rounds_the_same_way() {
    for bend in [1e-6, -1e-6] {
        let small = 2f64.powf(-26.5) * (1.0 + bend);
        let column = Mat::from_fn(800, 1, |i, _| if i < 8 { 1.0 } else { small });
        let truth = (0..800).fold(zero(), |sum, i| sum + exact(column[(i, 0)]) * exact(column[(i, 0)]));
        let norm = EnclosedMatrix::exact(column).column_norms()[0];
        assert!(
            exact(norm.lo()) * exact(norm.lo()) <= truth && truth <= exact(norm.hi()) * exact(norm.hi()),
            "{norm:?}"
        );
        assert!(norm.hi() - norm.lo() < 1e-12);
    }
}

/// Every product of a middle with itself and every product with a radius underflows to 0, just so.
#[test]
fn own_products_of_which_every_term_underflows() {
    let root = f64::from_bits(1).sqrt();
    let (k, middle, radius) = (400, 0.707 * root, 0.4365 * root);
    let a = EnclosedMatrix::new(Mat::from_fn(2, k, |_, _| middle), Mat::from_fn(2, k, |_, _| radius));
    let largest = exact(middle) + exact(radius);
    let truth = &largest * &largest * BigRational::from_integer(k.into());
    for product in [a.times_own_transpose(), a.times_transpose(&a)] {
        for (i, j) in [(0, 0), (1, 0), (0, 1)] {
            let bound = exact(product.middle()[(i, j)]) + exact(product.radius(i, j).get());
            assert!(bound >= truth, "{bound} {truth}");
        }
    }
}
