//! Closed intervals with double endpoints.

use crate::bound::{Lower, Upper};
use crate::rounding::{add_down, add_up, div_down, div_up, mul_down, mul_up, sqrt_down, sqrt_up, sub_down, sub_up};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A closed interval `[lo, hi]` that contains a real number; `lo <= hi`, endpoints may be infinite, never NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    lo: f64,
    hi: f64,
}

impl Interval {
    /// Exactly zero.
    pub const ZERO: Interval = Interval { lo: 0.0, hi: 0.0 };
    /// Exactly one.
    pub const ONE: Interval = Interval { lo: 1.0, hi: 1.0 };
    /// Nothing is known.
    pub const ENTIRE: Interval = Interval { lo: f64::NEG_INFINITY, hi: f64::INFINITY };

    /// `[lo, hi]`; endpoints that are NaN or out of order give [`Interval::ENTIRE`].
    #[inline]
    pub fn new(lo: f64, hi: f64) -> Interval {
        if lo <= hi { Interval { lo, hi } } else { Interval::ENTIRE }
    }

    /// `[lo, hi]` for constants, which are known to be in order.
    pub(crate) const fn ordered(lo: f64, hi: f64) -> Interval {
        assert!(lo <= hi);
        Interval { lo, hi }
    }

    /// The double `x` itself; NaN gives [`Interval::ENTIRE`].
    #[inline]
    pub fn exact(x: f64) -> Interval {
        Interval::new(x, x)
    }

    /// `[centre - radius, centre + radius]`, rounded outward.
    #[inline]
    pub fn around(centre: f64, radius: Upper) -> Interval {
        Interval::new(sub_down(centre, radius.get()), add_up(centre, radius.get()))
    }

    /// The lower endpoint.
    #[inline]
    pub fn lo(self) -> f64 {
        self.lo
    }

    /// The upper endpoint.
    #[inline]
    pub fn hi(self) -> f64 {
        self.hi
    }

    /// A double inside, near the middle; 0 for [`Interval::ENTIRE`].
    pub fn middle(self) -> f64 {
        if self.lo == f64::NEG_INFINITY || self.hi == f64::INFINITY {
            return 0.0f64.clamp(self.lo, self.hi);
        }
        (0.5 * self.lo + 0.5 * self.hi).clamp(self.lo, self.hi)
    }

    /// An upper bound of the distance from [`Interval::middle`] to the farther endpoint.
    pub fn radius(self) -> Upper {
        let middle = self.middle();
        Upper::new(sub_up(self.hi, middle).max(sub_up(middle, self.lo)))
    }

    /// Are both endpoints finite?
    #[inline]
    pub fn is_finite(self) -> bool {
        self.lo.is_finite() && self.hi.is_finite()
    }

    /// Does the interval contain `x`?
    #[inline]
    pub fn contains(self, x: f64) -> bool {
        self.lo <= x && x <= self.hi
    }

    /// Do the intervals have a point in common?
    #[inline]
    pub fn meets(self, other: Interval) -> bool {
        self.lo <= other.hi && other.lo <= self.hi
    }

    /// The smallest interval that contains both.
    #[inline]
    pub fn hull(self, other: Interval) -> Interval {
        Interval { lo: self.lo.min(other.lo), hi: self.hi.max(other.hi) }
    }

    /// An upper bound of `|x|` for `x` in the interval.
    #[inline]
    pub fn magnitude(self) -> Upper {
        Upper::new(self.hi.max(-self.lo))
    }

    /// A lower bound of `|x|` for `x` in the interval.
    #[inline]
    pub fn mignitude(self) -> Lower {
        Lower::new(self.lo.max(-self.hi))
    }

    /// The upper endpoint as a bound of a number known to be non-negative.
    #[inline]
    pub fn upper(self) -> Upper {
        Upper::new(self.hi)
    }

    /// The lower endpoint as a bound of a number known to be non-negative.
    #[inline]
    pub fn lower(self) -> Lower {
        Lower::new(self.lo)
    }

    /// `|x|`.
    #[inline]
    pub fn abs(self) -> Interval {
        Interval { lo: self.mignitude().get(), hi: self.magnitude().get() }
    }

    /// `max(x, 0)`.
    #[inline]
    pub fn positive_part(self) -> Interval {
        Interval { lo: self.lo.max(0.0), hi: self.hi.max(0.0) }
    }

    /// `x^2`, never below 0.
    #[inline]
    pub fn square(self) -> Interval {
        let a = self.abs();
        Interval::new(mul_down(a.lo, a.lo).max(0.0), mul_up(a.hi, a.hi))
    }

    /// `sqrt x` of the part of the interval that is not negative; an interval wholly below 0 gives
    /// [`Interval::ENTIRE`].
    #[inline]
    pub fn sqrt(self) -> Interval {
        if self.hi < 0.0 {
            return Interval::ENTIRE;
        }
        Interval::new(sqrt_down(self.lo.max(0.0)), sqrt_up(self.hi))
    }

    /// `x^k`: a function of `|x|` for even k, monotone for odd k, so the endpoints decide. `x^0` is 1.
    pub fn powi(self, k: u32) -> Interval {
        let base = if k.is_multiple_of(2) { self.abs() } else { self };
        let down = if base.lo < 0.0 { mul_up } else { mul_down };
        let up = if base.hi < 0.0 { mul_down } else { mul_up };
        Interval::new(signed_power(base.lo, k, down), signed_power(base.hi, k, up))
    }
}

/// `|a|^k` by repeated squaring, with products rounded by `multiply` and the sign of `a`.
fn signed_power(a: f64, k: u32, multiply: fn(f64, f64) -> f64) -> f64 {
    let magnitude = match k {
        0 => 1.0,
        1 => a.abs(),
        _ => {
            let half = signed_power(a.abs(), k / 2, multiply);
            let square = multiply(half, half);
            if k.is_multiple_of(2) { square } else { multiply(square, a.abs()) }
        }
    };
    if a < 0.0 { -magnitude } else { magnitude }
}

impl From<f64> for Interval {
    fn from(x: f64) -> Interval {
        Interval::exact(x)
    }
}

impl Neg for Interval {
    type Output = Interval;
    #[inline]
    fn neg(self) -> Interval {
        Interval { lo: -self.hi, hi: -self.lo }
    }
}

impl Add for Interval {
    type Output = Interval;
    #[inline]
    fn add(self, other: Interval) -> Interval {
        Interval::new(add_down(self.lo, other.lo), add_up(self.hi, other.hi))
    }
}

impl Sub for Interval {
    type Output = Interval;
    #[inline]
    fn sub(self, other: Interval) -> Interval {
        self + (-other)
    }
}

impl Mul for Interval {
    type Output = Interval;
    /// The hull of the four products of endpoints; an infinite endpoint times 0 is 0, as in [`mul_up`].
    #[inline]
    fn mul(self, other: Interval) -> Interval {
        if self.lo >= 0.0 && other.lo >= 0.0 {
            // The same endpoints as below, sooner: most intervals here bound positive numbers.
            return Interval { lo: mul_down(self.lo, other.lo), hi: mul_up(self.hi, other.hi) };
        }
        let down = |a, b| mul_down(a, b);
        let up = |a, b| mul_up(a, b);
        let lo = down(self.lo, other.lo)
            .min(down(self.lo, other.hi))
            .min(down(self.hi, other.lo))
            .min(down(self.hi, other.hi));
        let hi = up(self.lo, other.lo).max(up(self.lo, other.hi)).max(up(self.hi, other.lo)).max(up(self.hi, other.hi));
        Interval::new(lo, hi)
    }
}

impl Div for Interval {
    type Output = Interval;
    /// [`Interval::ENTIRE`] when the denominator may be 0, even only at an endpoint: then the quotient need not exist.
    #[inline]
    fn div(self, other: Interval) -> Interval {
        if other.contains(0.0) {
            return Interval::ENTIRE;
        }
        if self.lo >= 0.0 && other.lo > 0.0 && self.hi < f64::INFINITY && other.hi < f64::INFINITY {
            return Interval { lo: div_down(self.lo, other.hi), hi: div_up(self.hi, other.lo) };
        }
        let down = |a, b| div_down(a, b);
        let up = |a, b| div_up(a, b);
        let lo = down(self.lo, other.lo)
            .min(down(self.lo, other.hi))
            .min(down(self.hi, other.lo))
            .min(down(self.hi, other.hi));
        let hi = up(self.lo, other.lo).max(up(self.lo, other.hi)).max(up(self.hi, other.lo)).max(up(self.hi, other.hi));
        Interval::new(lo, hi)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_every_sign_contain_the_products_of_points() {
        let ends = [-3.5, -1.0, -0.1, 0.0, 0.3, 1.0, 2.75];
        for &a in &ends {
            for &b in ends.iter().filter(|&&b| b >= a) {
                for &c in &ends {
                    for &d in ends.iter().filter(|&&d| d >= c) {
                        let (x, y) = (Interval::new(a, b), Interval::new(c, d));
                        if a >= 0.0 && c > 0.0 {
                            // These take another way, which must not be looser (products with 1 are exact).
                            for (short, general) in [(x * y, -x * -y), (x / y, -x / -y)] {
                                assert!(general.lo() <= short.lo() && short.hi() <= general.hi(), "{x:?} {y:?}");
                            }
                        }
                        for p in [a, 0.5 * (a + b), b] {
                            for q in [c, 0.5 * (c + d), d] {
                                assert!((x * y).contains(p * q));
                                assert!((x + y).contains(p + q));
                                assert!((x - y).contains(p - q));
                                assert!(y.contains(0.0) || (x / y).contains(p / q));
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_denominator_that_may_be_zero_leaves_nothing_known() {
        let zeros = [(0.0, 0.0), (-0.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (-1.0, 2.0), (0.0, f64::INFINITY)];
        for zero in zeros.map(|(lo, hi)| Interval::new(lo, hi)).into_iter().chain([Interval::ENTIRE]) {
            for x in [Interval::ZERO, Interval::ONE, Interval::new(-1.0, 3.0), Interval::ENTIRE] {
                assert_eq!(x / zero, Interval::ENTIRE);
            }
        }
        let least = f64::from_bits(1);
        assert_eq!((Interval::ONE / Interval::new(least, 1.0)), Interval::new(1.0, f64::INFINITY));
        assert_eq!(Interval::ZERO / Interval::new(least, 1.0), Interval::ZERO);
        assert!(Interval::ONE.is_finite() && !Interval::new(0.0, f64::INFINITY).is_finite());
    }

    /// k-th powers of integers are exact in `i128`; the range over an interval is attained.
    #[test]
    fn integer_powers_are_the_ranges() {
        for k in 0..=9u32 {
            for a in -7..=7i128 {
                for b in a..=7 {
                    let range = Interval::new(a as f64, b as f64).powi(k);
                    let (values, ends) = ((a..=b).map(|x| x.pow(k)), [a.pow(k), b.pow(k)]);
                    let (least, greatest) = (values.min().unwrap(), ends[0].max(ends[1]));
                    assert!(range.lo() <= least as f64 && greatest as f64 <= range.hi());
                    // Each of at most k - 1 roundings costs at most one and a half units.
                    let unit = 1.5 * f64::from(k) * f64::EPSILON;
                    assert!(least as f64 - range.lo() <= unit * least.abs() as f64, "[{a}, {b}]^{k}");
                    assert!(range.hi() - greatest as f64 <= unit * greatest.abs() as f64, "[{a}, {b}]^{k}");
                }
            }
        }
        assert_eq!(Interval::exact(-1e200).powi(3), Interval::new(f64::NEG_INFINITY, -f64::MAX));
        assert!(Interval::exact(1e-200).powi(2).hi() > 0.0);
        assert_eq!(Interval::ENTIRE.powi(2), Interval::new(0.0, f64::INFINITY));
    }

    #[test]
    fn nothing_becomes_nan() {
        let e = Interval::ENTIRE;
        for x in [e + e, e - e, e * e, e / e, e * Interval::ZERO, e.sqrt(), e.square(), e.hull(Interval::ONE)] {
            assert!(x.lo() <= x.hi());
        }
        assert_eq!(Interval::exact(f64::NAN), e);
        assert!(e.radius().get() == f64::INFINITY);
    }
}
