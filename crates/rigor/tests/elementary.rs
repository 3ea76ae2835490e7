//! Elementary functions against a committed table of reference values, special values and monotonicity.

use gradcert_rigor::{Interval, elementary::*};

type At = fn(f64) -> Interval;
type On = fn(Interval) -> Interval;

const FUNCTIONS: [(&str, At, On); 22] = [
    ("exp", exp_at, exp),
    ("expm1", expm1_at, expm1),
    ("ln", ln_at, ln),
    ("ln_1p", ln_1p_at, ln_1p),
    ("softplus", softplus_at, softplus),
    ("logistic", logistic_at, logistic),
    ("tanh", tanh_at, tanh),
    ("sech_squared", sech_squared_at, sech_squared),
    ("gaussian", gaussian_at, gaussian),
    ("erf", erf_at, erf),
    ("erfc", erfc_at, erfc),
    ("normal_cdf", normal_cdf_at, normal_cdf),
    ("normal_density", normal_density_at, normal_density),
    ("atan", atan_at, atan),
    ("sin", sin_at, sin),
    ("cos", cos_at, cos),
    ("power_1.5", |x| powf_at(x, 1.5), |x| powf(x, Interval::exact(1.5))),
    ("power_-0.3", |x| powf_at(x, -0.3), |x| powf(x, Interval::exact(-0.3))),
    ("power_17", |x| powf_at(x, 17.0), |x| powf(x, Interval::exact(17.0))),
    ("power_-2.25", |x| powf_at(x, -2.25), |x| powf(x, Interval::exact(-2.25))),
    ("base_10", |y| powf_at(10.0, y), |y| powf(Interval::exact(10.0), y)),
    ("base_0.999", |y| powf_at(0.999, y), |y| powf(Interval::exact(0.999), y)),
];

const TINY: f64 = f64::from_bits(1);

/// Is `x` <= `hi + lo`, the latter an unevaluated sum with |lo| at most half a unit of hi?
fn at_most(x: f64, hi: f64, lo: f64) -> bool {
    x < hi || (x == hi && lo >= 0.0)
}

#[test]
fn enclosures_contain_the_reference_values_and_are_narrow() {
    let table = include_str!("elementary_reference.txt");
    let mut counts = std::collections::BTreeMap::new();
    for line in table.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let [x, hi, lo] = [1, 2, 3].map(|i| f64::from_bits(u64::from_str_radix(fields[i], 16).unwrap()));
        let (name, at, _) = FUNCTIONS.iter().find(|(name, ..)| *name == fields[0]).unwrap();
        let enclosure = at(x);
        assert!(at_most(enclosure.lo(), hi, lo), "{name}({x:e}) below {enclosure:?}");
        assert!(at_most(-enclosure.hi(), -hi, -lo), "{name}({x:e}) above {enclosure:?}");
        let width = enclosure.hi().abs().to_bits().abs_diff(enclosure.lo().abs().to_bits());
        let near_zero_of_sine = matches!(*name, "sin" | "cos") && hi.abs() < 1e-9 && x.abs() > 1.0;
        let widest = if name.starts_with("power_") || name.starts_with("base_") { 5 } else { 4 };
        assert!(width <= widest || near_zero_of_sine, "{name}({x:e}): {width} units");
        *counts.entry(*name).or_insert(0) += 1;
    }
    assert_eq!(counts.len(), FUNCTIONS.len());
    assert!(counts.values().all(|&count| count > 100), "{counts:?}");
}

#[test]
fn exact_values_are_exact() {
    let zero = Interval::ZERO;
    for at in [expm1_at, ln_1p_at, tanh_at, erf_at, atan_at, sin_at] {
        assert_eq!(at(0.0), zero);
        assert_eq!(at(-0.0), zero);
    }
    for at in [exp_at, gaussian_at, sech_squared_at, cos_at] {
        assert_eq!(at(0.0), Interval::ONE);
    }
    assert_eq!(ln_at(1.0), zero);
    assert_eq!((logistic_at(0.0), normal_cdf_at(0.0)), (Interval::exact(0.5), Interval::exact(0.5)));
    assert!(erfc_at(0.0).contains(1.0) && softplus_at(0.0).meets(constants::LN_2));
}

#[test]
fn saturated_values_keep_their_strict_bounds() {
    for x in [750.0, 1e6, 1e300, f64::MAX, f64::INFINITY] {
        for positive in [exp_at(-x), logistic_at(-x), softplus_at(-x), sech_squared_at(x), gaussian_at(x), erfc_at(x)] {
            assert_eq!((positive.lo(), positive.hi()), (0.0, TINY));
        }
        for (almost_one, one) in [(tanh_at(x), 1.0), (erf_at(x), 1.0), (logistic_at(x), 1.0), (normal_cdf_at(x), 1.0)] {
            assert_eq!((almost_one.lo(), almost_one.hi()), (1f64.next_down(), one));
        }
        assert_eq!(tanh_at(-x), -tanh_at(x));
        assert_eq!((exp_at(x).lo(), exp_at(x).hi()), (f64::MAX, f64::INFINITY));
        assert!(softplus_at(x).hi() > x.min(f64::MAX) && softplus_at(x).lo() <= x);
        assert_eq!(expm1_at(-x).lo(), -1.0);
    }
    assert_eq!(ln_at(f64::INFINITY).hi(), f64::INFINITY);
    assert_eq!((sin_at(1e300), cos_at(f64::INFINITY)), (Interval::new(-1.0, 1.0), Interval::new(-1.0, 1.0)));
}

/// tanh x < x, sin x < x, expm1 x > x, ln(1+x) < x hold strictly for the smallest numbers too.
#[test]
fn smallest_arguments() {
    for x in [TINY, 3.0 * TINY, f64::MIN_POSITIVE, 1e-300, 1e-100, 1e-20] {
        for below in [tanh_at(x), sin_at(x), ln_1p_at(x), atan_at(x)] {
            assert_eq!((below.lo(), below.hi()), (x.next_down(), x));
        }
        assert_eq!((expm1_at(x).lo(), expm1_at(x).hi()), (x, x.next_up()));
        assert!(erf_at(x).lo() >= x.next_down() && erf_at(x).hi() <= 2.0 * x);
    }
}

#[test]
fn nothing_known_stays_sound() {
    for (name, at, on) in FUNCTIONS {
        assert!(at(f64::NAN).contains(0.3), "{name}");
        let everything = on(Interval::ENTIRE);
        for x in [1e-3, 0.7, 5.0] {
            assert!(everything.lo() <= at(x).hi() && at(x).lo() <= everything.hi());
        }
    }
    for x in [Interval::new(-3.0, -1.0), Interval::new(-1.0, 0.0)] {
        assert_eq!(ln(x), Interval::ENTIRE);
    }
    assert_eq!(ln(Interval::new(-1.0, 1.0)), Interval::new(f64::NEG_INFINITY, 0.0));
    assert_eq!(ln_1p(Interval::new(-4.0, 0.0)), Interval::new(f64::NEG_INFINITY, 0.0));
}

/// Enclosures at neighbouring doubles of a monotone function are ordered up to overlap, also across branches; the range of
/// an interval meets the enclosures of all its points and is spanned by them.
#[test]
fn monotone_and_consistent_on_intervals() {
    let grid: Vec<f64> = (-4000..4000)
        .map(|i| f64::from(i) / 50.0)
        .chain([-60.0f64, 60.0, 0.5, 6.0, -0.5, 1.0, 0.0078125, 0.015625].into_iter().flat_map(|x| {
            let start = x.to_bits();
            (0..40).map(move |i| f64::from_bits(start - 20 + i))
        }))
        .collect();
    let mut grid = grid;
    grid.sort_by(f64::total_cmp);
    for (name, at, on) in FUNCTIONS {
        let increasing = ["exp", "expm1", "softplus", "logistic", "tanh", "erf", "normal_cdf", "atan"].contains(&name);
        for pair in grid.windows(40) {
            let (a, b) = (pair[0], pair[39]);
            if (name.starts_with("ln") || name.starts_with("power_")) && a <= 0.0 {
                continue;
            }
            assert!(!increasing || at(a).lo() <= at(pair[1]).hi(), "{name} {a}");
            let range = on(Interval::new(a, b));
            let values: Vec<Interval> = pair.iter().map(|&x| at(x)).collect();
            assert!(values.iter().all(|v| v.lo() <= range.hi() && range.lo() <= v.hi()), "{name} [{a}, {b}]");
        }
    }
}

#[test]
fn ranges_of_sine_and_cosine_know_their_extrema() {
    let x = |lo, hi| Interval::new(lo, hi);
    assert_eq!(sin(x(0.0, 7.0)), x(-1.0, 1.0));
    assert_eq!(sin(x(1.5, 1.6)).hi(), 1.0);
    assert!(sin(x(0.0, 1.5)).hi() < 0.998 && sin(x(0.0, 1.5)).lo() == 0.0);
    assert_eq!(cos(x(-0.1, 0.2)).hi(), 1.0);
    assert!(cos(x(0.1, 3.0)).hi() < 0.996 && cos(x(0.1, 3.0)).lo() > -0.99);
    assert_eq!(cos(x(3.0, 3.2)).lo(), -1.0);
    assert_eq!(sin(x(-1.6, 0.0)).lo(), -1.0);
}

/// 1 - tanh^2 in floats misses the true slope; the enclosure does not.
#[test]
fn sech_squared_does_not_cancel() {
    let naive = 1.0 - 18f64.tanh().powi(2);
    let slope = sech_squared_at(18.0);
    assert!(!slope.contains(naive) && slope.hi() < slope.lo() * (1.0 + 1e-15));
}
