//! The natural logarithm, ln(1 + x), and softplus.

use super::double_double::{DoubleDouble, power_of_two, two_product};
use super::exponential::{FAR, exp_enclosure, exp_pair, power};
use super::increasing;
use super::tables::{LN2, MINUS_LOGS};
use crate::interval::Interval;

/// `ln(1 + r)` for 2^-90 <= |r| <= 2^-7 or r = 0, relative error below **2^-65**.
///
/// r - r^2/2 + r^3 P(r), P cut after r^10/10: remainder below |r|^11/11 1.01 < 2^-73 |r|. In doubles r^3 P(r) has a relative error
/// below 9u (P is dominated by its first term: 3u; r^3 2u; r rounded to a double 3u; product u): 9u r^2/3 |r| <
/// 2^-65.4 |r|. |ln(1+r)| > 0.996 |r|; the sums cost 2^-103.
#[inline]
fn ln_1p_small(r: DoubleDouble) -> DoubleDouble {
    let h = r.hi;
    let h2 = h * h;
    let even = 1.0 / 3.0 + h2 * (1.0 / 5.0 + h2 * (1.0 / 7.0 + h2 * (1.0 / 9.0)));
    let odd = 1.0 / 4.0 + h2 * (1.0 / 6.0 + h2 * (1.0 / 8.0 + h2 * (1.0 / 10.0)));
    let tail = h2 * h * (even - h * odd);
    r.subtract(r.multiply(r).scale(0.5)).add(DoubleDouble::exact(tail))
}

/// `ln y` for a normal y > 0 given as an exact pair, relative error below **2^-64**.
///
/// y = 2^k z, z in (0.707, 1.4143); c = i/128 with i nearest to 128/z, so r = z c - 1 has |r| <= z/256 < 0.00553, and
/// ln y = k ln 2 - ln c + ln(1 + r). r: zh c is an exact pair p + e, p - 1 is exact, e + zl c rounds with an error
/// below 2^-105; for i = 128, c = 1 it is exact. If k = 0 and i = 128 the result is ln(1+r). Otherwise
/// |ln y| >= ln(128.5/128) > 2^-8.01, the error of ln(1+r) is below 2^-65.2 0.0056 < 2^-72.6, tables and sums add at most
/// 2^-105 (1 + 2 |ln y|): below 2^-64.5 |ln y|. (For k != 0, |k ln 2| - |ln z| >= 0.34: no cancellation.)
#[inline]
fn ln_pair(y: DoubleDouble) -> DoubleDouble {
    const SQRT_2: f64 = std::f64::consts::SQRT_2;
    let mut k = ((y.hi.to_bits() >> 52) & 0x7ff) as i32 - 1023;
    let mantissa = y.hi.to_bits() & 0x000f_ffff_ffff_ffff;
    if f64::from_bits(mantissa | 0x3ff0_0000_0000_0000) > SQRT_2 {
        k += 1;
    }
    // Two exact steps: 2^-k may itself not be normal.
    let z = y.scale(power_of_two(-k / 2)).scale(power_of_two(-k - (-k / 2)));
    let i = (128.0 / z.hi + 0.5) as usize;
    let c = i as f64 / 128.0;
    let (p, e) = two_product(z.hi, c);
    let logarithm = ln_1p_small(DoubleDouble::sum(p - 1.0, e + z.lo * c));
    if k == 0 && i == 128 {
        return logarithm;
    }
    let table = DoubleDouble::from_pair(MINUS_LOGS[i.clamp(90, 182) - 90]);
    let multiple = LN2.multiply(DoubleDouble::exact(f64::from(k)));
    multiple.add(table).add(logarithm)
}

/// `ln(1 + x)` for a pair 2^-90 <= |x| <= 2^500, x > -1; the relative error is below **2^-64** plus that of x when x > 0.
///
/// 1 + x is a pair with an error below 2^-104 (1 + |x|), which is below 2^-97 |x| where this branch is taken.
#[inline]
fn ln_1p_pair(x: DoubleDouble) -> DoubleDouble {
    if x.hi.abs() <= power(-7) { ln_1p_small(x) } else { ln_pair(DoubleDouble::ONE.add(x)) }
}

/// Encloses `ln x`, x > 0; where there is no logarithm it gives [`Interval::ENTIRE`].
#[inline]
pub fn ln_at(x: f64) -> Interval {
    if x == 1.0 {
        Interval::ZERO
    } else if x.is_nan() || x <= 0.0 {
        Interval::ENTIRE
    } else if x == f64::INFINITY {
        Interval::new(ln_at(f64::MAX).lo(), f64::INFINITY)
    } else {
        ln_pair_of_positive(x).enclose(power(-63))
    }
}

/// `ln x` for a finite x > 0, relative error below **2^-63**. A subnormal x is scaled; both terms are then negative.
#[inline]
pub(super) fn ln_pair_of_positive(x: f64) -> DoubleDouble {
    if x < f64::MIN_POSITIVE {
        ln_pair(DoubleDouble::exact(x * power(64))).subtract(LN2.scale(64.0))
    } else {
        ln_pair(DoubleDouble::exact(x))
    }
}

/// Encloses `ln(1 + x)`, x > -1; conventions of [`ln_at`].
///
/// 1 + x is an exact pair. For 0 < |x| < 2^-60, x - x^2 < ln(1+x) < x, less than the gap below x.
#[inline]
pub fn ln_1p_at(x: f64) -> Interval {
    if x == 0.0 {
        Interval::ZERO
    } else if x.abs() < power(-60) {
        Interval::new(x.next_down(), x)
    } else if x.abs() <= power(-7) {
        ln_1p_small(DoubleDouble::exact(x)).enclose(power(-63))
    } else if x > -1.0 && x < f64::INFINITY {
        ln_pair(DoubleDouble::sum(1.0, x)).enclose(power(-63))
    } else {
        ln_at(1.0 + x)
    }
}

/// Encloses softplus, `ln(1 + exp x)`.
///
/// With e = exp(-|x|) it is max(x, 0) + ln(1 + e): positive terms, relative error below 2^-64 + 2^-71. Beyond `FAR` e < 2^-86:
/// ln(1 + e) = e (1 - d) with 0 < d < 2^-86, and x < softplus x < x + 2^-86.
#[inline]
pub fn softplus_at(x: f64) -> Interval {
    if x.is_nan() {
        Interval::ENTIRE
    } else if x > FAR {
        Interval::new(x.min(f64::MAX), x.next_up())
    } else if x < -FAR {
        exp_enclosure(DoubleDouble::exact(x), power(-70))
    } else {
        let logarithm = ln_1p_pair(exp_pair(DoubleDouble::exact(-x.abs())));
        let value = if x > 0.0 { DoubleDouble::exact(x).add(logarithm) } else { logarithm };
        value.enclose(power(-63))
    }
}

/// Encloses `ln` on the positive part of an interval; an interval without one gives [`Interval::ENTIRE`].
#[inline]
pub fn ln(x: Interval) -> Interval {
    if x.hi() <= 0.0 { Interval::ENTIRE } else { increasing(Interval::new(x.lo().max(0.0), x.hi()), ln_at) }
}

/// Encloses `ln(1 + x)` on the part of an interval above -1; an interval without one gives [`Interval::ENTIRE`].
#[inline]
pub fn ln_1p(x: Interval) -> Interval {
    if x.hi() <= -1.0 { Interval::ENTIRE } else { increasing(Interval::new(x.lo().max(-1.0), x.hi()), ln_1p_at) }
}

/// Encloses softplus on an interval.
#[inline]
pub fn softplus(x: Interval) -> Interval {
    increasing(x, softplus_at)
}
