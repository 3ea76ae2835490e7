//! Sine and cosine.

use super::double_double::{DoubleDouble, two_sum};
use super::exponential::power;
use super::tables::{COSINES, HALF_PI_PARTS, SINES};
use crate::interval::Interval;

/// Beyond, the enclosure is `[-1, 1]`: the argument reduction below stops there.
const LIMIT: f64 = 2_097_152.0;
const UNIT: Interval = Interval::ordered(-1.0, 1.0);
const INVERSE_HALF_PI: f64 = std::f64::consts::FRAC_2_PI;

/// `x = n pi/2 + r`, |x| <= 2^21: (n mod 4, r), |r| < 0.7855, the absolute error of r below **2^-101**.
///
/// |n| < 2^21, so n times a part of 32 bits is exact; the sums are error-free, their errors below 2^-53 each (|s|, |t|, |v| < 1) and
/// n d < 2^-73 are added with three roundings below 2^-104 each; pi/2 is known to 2^-148.
#[inline]
fn reduce(x: f64) -> (i64, DoubleDouble) {
    // Adding 1.5 2^52 rounds to an integer, and takes it off again exactly.
    const ROUNDER: f64 = 6_755_399_441_055_744.0;
    let n = (x * INVERSE_HALF_PI + ROUNDER) - ROUNDER;
    let (s, e) = two_sum(x, -n * HALF_PI_PARTS[0]);
    let (t, f) = two_sum(s, -n * HALF_PI_PARTS[1]);
    let (v, g) = two_sum(t, -n * HALF_PI_PARTS[2]);
    (n as i64 & 3, DoubleDouble::sum(v, e + (f + (g - n * HALF_PI_PARTS[3]))))
}

/// (sin v, cos v - 1) for |v| < 1/63. The first has a relative error below **2^-64**, the second an absolute one below 2^-76.
///
/// sin v = v + v^3 P(v^2), P cut after v^9/9!: in doubles v^3 P is wrong by 9u |v|^3/6 < 2^-64.3 |v| (P 3u, v^3 2u, v
/// rounded to a double 3u, product u), the remainder is below v^10/11! |v| < 2^-85 |v|. cos v - 1 = -v^2/2 + v^4 Q(v^2), Q cut after
/// v^8/8!: 10u v^4/24 < 2^-77, remainder below v^10/10! < 2^-81.
#[inline]
fn small(v: DoubleDouble) -> (DoubleDouble, DoubleDouble) {
    let h2 = v.hi * v.hi;
    let p = -1.0 / 6.0 + h2 * (1.0 / 120.0 + h2 * (-1.0 / 5040.0 + h2 * (1.0 / 362_880.0)));
    let q = 1.0 / 24.0 + h2 * (-1.0 / 720.0 + h2 * (1.0 / 40_320.0));
    let sine = v.add(DoubleDouble::exact(h2 * v.hi * p));
    (sine, v.multiply(v).scale(-0.5).add(DoubleDouble::exact(h2 * h2 * q)))
}

/// sin r for 2^-40 <= |r| < 0.786 and an exact r; relative error below **2^-63.5**.
///
/// |r| = c + v, c = i/32: sin c + (sin c (cos v - 1) + cos c sin v). For i = 0 it is sin v. For i >= 1 the absolute error is below
/// 2^-64 |v| + 2^-76 |sin c| + 2^-100, and |v| <= 1/64 < sin |r| 1.01.
#[inline]
fn sine(r: DoubleDouble) -> DoubleDouble {
    let magnitude = if r.hi < 0.0 { r.negate() } else { r };
    let i = ((32.0 * magnitude.hi + 0.5) as usize).min(26);
    let (sin_v, cos_v_less_1) =
        small(DoubleDouble::sum(magnitude.hi, -(i as f64) / 32.0).add(DoubleDouble::exact(magnitude.lo)));
    let (sin_c, cos_c) = (DoubleDouble::from_pair(SINES[i]), DoubleDouble::from_pair(COSINES[i]));
    let value = sin_c.add(sin_c.multiply(cos_v_less_1).add(cos_c.multiply(sin_v)));
    if r.hi < 0.0 { value.negate() } else { value }
}

/// cos r for |r| < 0.786; relative error below **2^-68**: cos c + (cos c (cos v - 1) - sin c sin v) >= 0.7, with
/// the absolute error 2^-76 + 0.71 2^-64/64.
#[inline]
fn cosine(r: DoubleDouble) -> DoubleDouble {
    let magnitude = if r.hi < 0.0 { r.negate() } else { r };
    let i = ((32.0 * magnitude.hi + 0.5) as usize).min(26);
    let (sin_v, cos_v_less_1) =
        small(DoubleDouble::sum(magnitude.hi, -(i as f64) / 32.0).add(DoubleDouble::exact(magnitude.lo)));
    let (sin_c, cos_c) = (DoubleDouble::from_pair(SINES[i]), DoubleDouble::from_pair(COSINES[i]));
    cos_c.add(cos_c.multiply(cos_v_less_1).subtract(sin_c.multiply(sin_v)))
}

/// sin(x + quarters pi/2) for |x| <= 2^21.
///
/// The error 2^-101 of r is 2^-61 relative to sin r when |r| >= 2^-40 (and less to cos r). Nearer to a zero of the sine,
/// |sin r - r| < 2^-120 and the absolute error is used.
#[inline]
fn shifted_sine(x: f64, quarters: i64) -> Interval {
    let (n, r) = reduce(x);
    let quadrant = (n + quarters) & 3;
    let value = if quadrant & 1 == 1 {
        cosine(r).enclose(power(-59))
    } else if r.hi.abs() >= power(-40) {
        sine(r).enclose(power(-59))
    } else {
        // |r.lo| <= 2^-53 |r.hi|
        Interval::around(r.hi, crate::Upper::new(r.lo.abs()) + crate::Upper::new(power(-100)))
    };
    if quadrant & 2 == 2 { -value } else { value }
}

/// Encloses `sin x`; only by `[-1, 1]` for |x| > 2^21.
///
/// For 0 < |x| < 2^-30, |x| (1 - x^2/6) < |sin x| < |x|, less than a gap of doubles.
#[inline]
pub fn sin_at(x: f64) -> Interval {
    if x == 0.0 {
        Interval::ZERO
    } else if x.abs() < power(-30) {
        if x > 0.0 { Interval::new(x.next_down(), x) } else { Interval::new(x, x.next_up()) }
    } else if x.abs() <= LIMIT {
        shifted_sine(x, 0)
    } else {
        UNIT
    }
}

/// Encloses `cos x`; only by `[-1, 1]` for |x| > 2^21.
#[inline]
pub fn cos_at(x: f64) -> Interval {
    if x == 0.0 {
        Interval::ONE
    } else if x.abs() < power(-27) {
        Interval::new(1f64.next_down(), 1.0)
    } else if x.abs() <= LIMIT {
        shifted_sine(x, 1)
    } else {
        UNIT
    }
}

/// The range of a function with period 2 pi, values in [-1, 1], monotone between its maxima `maximum + 2 pi Z` and the
/// minima half a period away; `maximum` in quarter turns. An extremum that may be inside counts as inside.
fn range(x: Interval, at: impl Fn(f64) -> Interval, maximum: f64) -> Interval {
    if x.magnitude().get() > LIMIT {
        return UNIT;
    }
    let quarter_turns = x * Interval::exact(2.0) / super::constants::PI;
    let extremum = |phase: f64| {
        let turns = (quarter_turns - Interval::exact(phase)) * Interval::exact(0.25);
        turns.hi().floor() >= turns.lo().ceil()
    };
    let ends = at(x.lo()).hull(at(x.hi()));
    let lo = if extremum(maximum + 2.0) { -1.0 } else { ends.lo().max(-1.0) };
    let hi = if extremum(maximum) { 1.0 } else { ends.hi().min(1.0) };
    Interval::new(lo, hi)
}

/// Encloses `sin` on an interval.
pub fn sin(x: Interval) -> Interval {
    if x.lo() == x.hi() { sin_at(x.lo()) } else { range(x, sin_at, 1.0) }
}

/// Encloses `cos` on an interval.
pub fn cos(x: Interval) -> Interval {
    if x.lo() == x.hi() { cos_at(x.lo()) } else { range(x, cos_at, 0.0) }
}
