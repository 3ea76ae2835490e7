//! Real powers of a non-negative base.

use super::double_double::DoubleDouble;
use super::exponential::{exp_enclosure, power};
use super::logarithm::ln_pair_of_positive;
use crate::interval::Interval;

/// Encloses `x^y` for x >= 0 and any y, with `x^0 = 1` and `0^y = 0` for y > 0. An infinite argument stands for
/// arbitrarily large ones; there is no power for x < 0, and none for x = 0 and y < 0: [`Interval::ENTIRE`].
#[inline]
pub fn powf_at(x: f64, y: f64) -> Interval {
    if x.is_nan() || y.is_nan() || x < 0.0 || (x == 0.0 && y < 0.0) {
        Interval::ENTIRE
    } else if y == 0.0 || x == 1.0 {
        Interval::ONE
    } else if x == 0.0 {
        Interval::ZERO
    } else if y == 1.0 && x.is_finite() {
        Interval::exact(x)
    } else if x.is_infinite() || y.abs() > power(70) {
        // |ln x| >= 2^-53 for a double other than 1: |y ln x| > 2^17, and exp over- or underflows.
        exp_enclosure(DoubleDouble::exact(if (x > 1.0) == (y > 0.0) { 1e3 } else { -1e3 }), 0.0)
    } else if y.abs() < power(-70) {
        // |ln x| < 745, so |y ln x| < 2^-60: less than the gaps at 1.
        if (x > 1.0) == (y > 0.0) { Interval::new(1.0, 1f64.next_up()) } else { Interval::new(1f64.next_down(), 1.0) }
    } else {
        exp_of_product(ln_pair_of_positive(x), y)
    }
}

/// Encloses exp(L y) for a pair that approximates L with a relative error below 2^-63.
///
/// The product p is off by less than d = 1.001 2^-63 |p|, exp p by the factor exp d. Up to |p| = 30, d < 2^-58. Where exp
/// neither over- nor underflows |p| < 746 and exp d - 1 < 2^-53 (beyond, the enclosure does not depend on d), which one more step outward covers: the gap above a double
/// h is at least 2^-53 h, and so is the gap below.
#[inline]
fn exp_of_product(logarithm: DoubleDouble, y: f64) -> Interval {
    let exponent = logarithm.multiply(DoubleDouble::exact(y));
    let value = exp_enclosure(exponent, power(-58));
    if !(30.0..=746.0).contains(&exponent.hi.abs()) {
        return value;
    }
    Interval::new(value.lo().next_down().max(0.0), value.hi().next_up())
}

/// Encloses `base^exponent` on the part of the base that is not negative, with the conventions of [`powf_at`]; a base below
/// 0 gives [`Interval::ENTIRE`], so does a base that is 0 with an exponent that may be negative.
///
/// y ln x is monotone in each variable, so the extremes are at corners of the box. A base that reaches 0 is approached
/// from above: for a negative exponent there is no upper bound.
pub fn powf(base: Interval, exponent: Interval) -> Interval {
    if base.hi() < 0.0 || (base.hi() == 0.0 && exponent.lo() < 0.0) {
        return Interval::ENTIRE;
    }
    let corner = |x: f64, y: f64| {
        if x == 0.0 && y < 0.0 { Interval::new(f64::MAX, f64::INFINITY) } else { powf_at(x, y) }
    };
    let near = base.lo().max(0.0);
    if near == base.hi() && exponent.lo() == exponent.hi() {
        return corner(near, exponent.lo());
    }
    let at_ends = |x: f64| corner(x, exponent.lo()).hull(corner(x, exponent.hi()));
    at_ends(near).hull(at_ends(base.hi()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn width(x: Interval) -> u64 {
        x.hi().to_bits().abs_diff(x.lo().to_bits())
    }

    /// Powers whose value is a double: k^n for integers, and their roots.
    #[test]
    fn exact_powers_are_inside_a_narrow_enclosure() {
        for k in 2..=9u64 {
            for n in (1..=16).take_while(|&n| k.pow(n) < 1 << 53) {
                let (base, value) = (k as f64, k.pow(n) as f64);
                let computed = powf_at(base, f64::from(n));
                assert!(computed.contains(value) && width(computed) <= 4, "{k}^{n}: {computed:?}");
                for root in [2u32, 4, 8] {
                    let computed = powf_at(k.pow(n) as f64, 1.0 / f64::from(root));
                    if n % root == 0 {
                        assert!(computed.contains(k.pow(n / root) as f64) && width(computed) <= 4);
                    }
                }
            }
        }
        for k in -1074..=1023 {
            let value = if k < -1022 { f64::from_bits(1 << (k + 1074)) } else { power(k) };
            let computed = powf_at(2.0, f64::from(k));
            assert!(computed.contains(value) && width(computed) <= 6, "2^{k}: {computed:?}");
        }
    }

    #[test]
    fn conventions_and_limits() {
        let (tiny, infinity) = (f64::from_bits(1), f64::INFINITY);
        assert_eq!(powf_at(0.0, 0.0), Interval::ONE);
        assert_eq!(powf_at(0.0, 0.5), Interval::ZERO);
        assert_eq!(powf_at(0.0, -0.5), Interval::ENTIRE);
        assert_eq!(powf_at(-1.0, 2.0), Interval::ENTIRE);
        assert_eq!(powf_at(f64::NAN, 0.0), Interval::ENTIRE);
        assert_eq!(powf_at(1.0, infinity), Interval::ONE);
        assert_eq!(powf_at(infinity, 0.0), Interval::ONE);
        assert_eq!(powf_at(0.3, 1.0), Interval::exact(0.3));
        for (x, y) in
            [(1e300, 2.0), (1e-300, -2.0), (2.0, 1e300), (1f64.next_up(), 1e40), (infinity, 0.1), (0.5, -infinity)]
        {
            assert_eq!(powf_at(x, y), Interval::new(f64::MAX, infinity), "{x:e}^{y:e}");
            assert_eq!(powf_at(x, -y), Interval::new(0.0, tiny), "{x:e}^-{y:e}");
        }
        for x in [tiny, 0.5, 3.0, f64::MAX] {
            for y in [tiny, 1e-30, -1e-30, -1e-300] {
                let value = powf_at(x, y);
                assert!(value.contains(1.0) && width(value) == 1);
                assert_eq!(value.hi() > 1.0, (x > 1.0) == (y > 0.0));
            }
        }
    }

    #[test]
    fn boxes_contain_their_points() {
        let bases = [0.0, 1e-320, 1e-3, 0.5, 1.0, 1.7, 40.0, 1e200];
        let exponents = [-700.0, -2.5, -1.0, -1e-90, 0.0, 0.3, 1.0, 2.0, 900.0];
        for (i, &a) in bases.iter().enumerate() {
            for &b in &bases[i..] {
                for (j, &c) in exponents.iter().enumerate() {
                    for &d in &exponents[j..] {
                        let range = powf(Interval::new(a, b), Interval::new(c, d));
                        for x in [a, 0.5 * (a + b), b] {
                            for y in [c, 0.5 * (c + d), d] {
                                let point = powf_at(x, y);
                                // 0 to a negative power: a limit of the box.
                                let limit = x == 0.0 && y < 0.0;
                                assert!(limit || (range.lo() <= point.lo() && point.hi() <= range.hi()));
                                assert!(!limit || range.hi() == f64::INFINITY);
                            }
                        }
                    }
                }
            }
        }
        assert_eq!(powf(Interval::new(-1.0, 4.0), Interval::ONE), Interval::new(0.0, 4.0));
        assert_eq!(powf(Interval::new(-2.0, -1.0), Interval::ONE), Interval::ENTIRE);
        assert_eq!(powf(Interval::ZERO, Interval::new(-1.0, 1.0)), Interval::ENTIRE);
        assert_eq!(powf(Interval::new(0.0, 0.5), Interval::new(-1.0, 1.0)), Interval::new(0.0, f64::INFINITY));
        assert_eq!(powf(Interval::ENTIRE, Interval::ENTIRE), Interval::new(0.0, f64::INFINITY));
    }
}
