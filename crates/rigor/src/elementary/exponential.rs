//! exp and the functions made of it without cancellation: expm1, exp(-t^2), logistic, tanh, sech^2.

use super::double_double::{DoubleDouble, power_of_two, two_sum};
use super::tables::{INVERSE_LN2_32, LN2_32, POWERS};
use super::{even_decreasing, increasing, odd};
use crate::interval::Interval;

/// Smallest positive double, the upper bound of everything positive that underflows.
const TINY: f64 = f64::from_bits(1);
/// The double before 1.
const ALMOST_ONE: f64 = 1.0 - f64::EPSILON / 2.0;
/// Beyond, exp(-t) < 2^-86 and `1 + exp(-t)` is treated as an error of the result.
pub(super) const FAR: f64 = 60.0;

/// `exp x = 2^k (1 + m) power`, see [`reduce`].
struct Reduced {
    k: i32,
    /// Is x itself the reduced argument? Then exp x - 1 = m.
    unreduced: bool,
    m: DoubleDouble,
    power: DoubleDouble,
}

/// Argument reduction and polynomial of exp, |x| <= 760 as a pair.
///
/// n = nearest integer to 32 x / ln 2 (up to 2^-36), |n| < 2^16; r = x - n ln2/32 = hi - n a - n b + (lo - n c): the
/// products n a, n b are exact, the sums error-free, the low part (below 2^-43) rounds three times: |error| < 2^-94.
/// |r| <= 0.01084 = rho. m = r + r^2/2 + r^3 P(r) with P cut after r^8/8!: remainder < rho^9/9! 1.01 < 2^-70 |r|.
/// In doubles P has a relative error below 3u (its first term dominates), r^3 2u, replacing r by its double 3u, the
/// product u: 9u |r|^3/6 < 2^-65.4 |r|. The sums and r^2 cost 2^-100. Hence m is wrong by less than
/// **2^-65 |r| < 2^-71.4** in units of m and by less than 2^-65 relatively where x is itself r (|m| > 0.994 |r|).
#[inline]
fn reduce(x: DoubleDouble) -> Reduced {
    // Adding 1.5 2^52 rounds to an integer, and takes it off again exactly.
    const ROUNDER: f64 = 6_755_399_441_055_744.0;
    let n = (x.hi * INVERSE_LN2_32 + ROUNDER) - ROUNDER;
    let (s, e) = two_sum(x.hi, -n * LN2_32[0]);
    let (t, f) = two_sum(s, -n * LN2_32[1]);
    let r = DoubleDouble::sum(t, (e + f) + (x.lo - n * LN2_32[2]));
    let h = r.hi;
    let h2 = h * h;
    let even = 1.0 / 6.0 + h2 * (1.0 / 120.0 + h2 * (1.0 / 5040.0));
    let odd = 1.0 / 24.0 + h2 * (1.0 / 720.0 + h2 * (1.0 / 40_320.0));
    let tail = h2 * h * (even + h * odd);
    let m = r.add(r.multiply(r).scale(0.5)).add(DoubleDouble::exact(tail));
    let n = n as i32;
    let power = DoubleDouble::from_pair(POWERS[(n & 31) as usize]);
    Reduced { k: n >> 5, unreduced: n == 0, m, power }
}

impl Reduced {
    /// `exp(x) 2^-k`, in [0.98, 2.02), relative error below **2^-71**: 2^-71.4/0.989 of m, 2^-106 of the power, 2^-102 of the product.
    #[inline]
    fn mantissa(&self) -> DoubleDouble {
        self.power.add(self.power.multiply(self.m))
    }

    /// `exp x` for |x| <= 300, relative error below 2^-71.
    #[inline]
    fn value(&self) -> DoubleDouble {
        self.mantissa().scale(power_of_two(self.k))
    }

    /// `exp x - 1` for 2^-62 <= |x| <= 300, relative error below **2^-64**: 2^-65 where m is the result. Otherwise |x| > 0.0108,
    /// and exp x/|exp x - 1| < 94 magnifies the error of exp x to 2^-64.4.
    #[inline]
    fn minus_one(&self) -> DoubleDouble {
        if self.unreduced { self.m } else { self.value().subtract(DoubleDouble::ONE) }
    }
}

/// Encloses `exp x (1 + d)`, |d| <= error, for a pair x whose own absolute error is included in `error` <= 2^-58.
#[inline]
pub(super) fn exp_enclosure(x: DoubleDouble, error: f64) -> Interval {
    if x.hi > 710.0 {
        return Interval::new(f64::MAX, f64::INFINITY);
    }
    if x.hi < -746.0 {
        return Interval::new(0.0, TINY);
    }
    let reduced = reduce(x);
    reduced.mantissa().enclose_scaled(error, reduced.k)
}

/// `exp x` as a pair for |x| <= 300, relative error below 2^-71.
#[inline]
pub(super) fn exp_pair(x: DoubleDouble) -> DoubleDouble {
    reduce(x).value()
}

/// `exp x` as a pair m and an exponent k with value `m 2^k`, relative error below 2^-71; |x| <= 760.
#[inline]
pub(super) fn exp_scaled(x: DoubleDouble) -> (DoubleDouble, i32) {
    let reduced = reduce(x);
    (reduced.mantissa(), reduced.k)
}

const ERROR_OF_EXP: f64 = power(-70);

/// `2^k` for constants.
pub(super) const fn power(k: i32) -> f64 {
    f64::from_bits(((k + 1023) as u64) << 52)
}

/// Encloses `exp x`.
#[inline]
pub fn exp_at(x: f64) -> Interval {
    if x == 0.0 {
        return Interval::ONE;
    }
    if x.is_nan() {
        return Interval::ENTIRE;
    }
    exp_enclosure(DoubleDouble::exact(x), ERROR_OF_EXP)
}

/// Encloses `exp x - 1`.
///
/// For 0 < |x| < 2^-60, x < exp x - 1 < x + 2^-60 |x|: less than the gap above x. Beyond `FAR` the 1 changes the result
/// by 2^-86 relatively.
#[inline]
pub fn expm1_at(x: f64) -> Interval {
    if x == 0.0 {
        Interval::ZERO
    } else if x.is_nan() {
        Interval::ENTIRE
    } else if x.abs() < power(-60) {
        Interval::new(x, x.next_up())
    } else if x < -FAR {
        Interval::new(-1.0, -ALMOST_ONE)
    } else if x > FAR {
        exp_enclosure(DoubleDouble::exact(x), ERROR_OF_EXP)
    } else {
        reduce(DoubleDouble::exact(x)).minus_one().enclose(power(-63))
    }
}

/// Encloses `exp(-x^2)`.
///
/// x^2 is an exact pair. For |x| < 2^-27 the value is above 1 - 2^-54; beyond |x| = 28 it underflows (28^2 > 746).
#[inline]
pub fn gaussian_at(x: f64) -> Interval {
    if x == 0.0 {
        Interval::ONE
    } else if x.is_nan() {
        Interval::ENTIRE
    } else if x.abs() < power(-27) {
        Interval::new(ALMOST_ONE, 1.0)
    } else if x.abs() > 28.0 {
        Interval::new(0.0, TINY)
    } else {
        exp_enclosure(DoubleDouble::square_of(x).negate(), ERROR_OF_EXP)
    }
}

/// Encloses the logistic function `1 / (1 + exp(-x))`.
///
/// With e = exp(-|x|) it is 1/(1+e) or e/(1+e): sums of positive numbers, relative error below 2 2^-71 + 2^-100. Beyond `FAR`,
/// e/(1+e) = e (1 - d), 0 < d < 2^-86.
#[inline]
pub fn logistic_at(x: f64) -> Interval {
    if x.is_nan() {
        Interval::ENTIRE
    } else if x == 0.0 {
        Interval::exact(0.5)
    } else if x > FAR {
        Interval::new(ALMOST_ONE, 1.0)
    } else if x < -FAR {
        exp_enclosure(DoubleDouble::exact(x), ERROR_OF_EXP)
    } else {
        let e = exp_pair(DoubleDouble::exact(-x.abs()));
        let numerator = if x < 0.0 { e } else { DoubleDouble::ONE };
        numerator.divide(DoubleDouble::ONE.add(e)).enclose(power(-69))
    }
}

/// Encloses `tanh x`.
///
/// For x > 0 it is (1 - e)/(1 + e), e = exp(-2x), 1 - e from expm1: relative error below 2^-64 + 2^-71 + 2^-100. For 0 < x < 2^-30,
/// x (1 - x^2/3) < tanh x < x, less than a gap of doubles below x.
#[inline]
pub fn tanh_at(x: f64) -> Interval {
    if x.is_nan() { Interval::ENTIRE } else { odd(x, tanh_of_non_negative) }
}

#[inline]
fn tanh_of_non_negative(x: f64) -> Interval {
    if x == 0.0 {
        Interval::ZERO
    } else if x < power(-30) {
        Interval::new(x.next_down(), x)
    } else if x > FAR {
        Interval::new(ALMOST_ONE, 1.0)
    } else {
        let reduced = reduce(DoubleDouble::exact(-2.0 * x));
        let denominator = DoubleDouble::ONE.add(reduced.value());
        reduced.minus_one().negate().divide(denominator).enclose(power(-63))
    }
}

/// Encloses `1 / cosh^2 x`, the slope of tanh.
///
/// It is 4 e/(1 + e)^2, e = exp(-2|x|): never as 1 - tanh^2, which cancels. Relative error below 3 2^-71 + 2^-98. Beyond `FAR` it is
/// 4 e (1 - d), 0 < d < 2^-170.
#[inline]
pub fn sech_squared_at(x: f64) -> Interval {
    if x.is_nan() {
        return Interval::ENTIRE;
    }
    let x = x.abs();
    if x == 0.0 {
        Interval::ONE
    } else if x > 380.0 {
        // 4 exp(-760) < 2^-1075
        Interval::new(0.0, TINY)
    } else if x > FAR {
        let reduced = reduce(DoubleDouble::exact(-2.0 * x));
        reduced.mantissa().enclose_scaled(ERROR_OF_EXP, reduced.k + 2)
    } else {
        let e = exp_pair(DoubleDouble::exact(-2.0 * x));
        let sum = DoubleDouble::ONE.add(e);
        e.scale(4.0).divide(sum.multiply(sum)).enclose(power(-69))
    }
}

/// Encloses `exp` on an interval.
#[inline]
pub fn exp(x: Interval) -> Interval {
    increasing(x, exp_at)
}

/// Encloses `exp x - 1` on an interval.
#[inline]
pub fn expm1(x: Interval) -> Interval {
    increasing(x, expm1_at)
}

/// Encloses `exp(-x^2)` on an interval.
#[inline]
pub fn gaussian(x: Interval) -> Interval {
    even_decreasing(x, gaussian_at)
}

/// Encloses the logistic function on an interval.
#[inline]
pub fn logistic(x: Interval) -> Interval {
    increasing(x, logistic_at)
}

/// Encloses `tanh` on an interval.
#[inline]
pub fn tanh(x: Interval) -> Interval {
    increasing(x, tanh_at)
}

/// Encloses `1 / cosh^2` on an interval.
#[inline]
pub fn sech_squared(x: Interval) -> Interval {
    even_decreasing(x, sech_squared_at)
}
