//! The arctangent.

use super::double_double::{DoubleDouble, two_product};
use super::exponential::power;
use super::tables::{ARCTANGENTS, HALF_PI};
use super::{increasing, odd};
use crate::interval::Interval;

/// `atan v` for |v| <= 1/127, relative error below **2^-65**.
///
/// v + v^3 P(v^2), P cut after v^9/9: remainder below v^10/11 < 2^-73 |v|. In doubles v^3 P has a relative error below 9u
/// (P 3u, v^3 2u, v rounded to a double 3u, product u), and |v^3 P| <= |v|^3/3: 2^-65.4 |v|.
#[inline]
fn atan_small(v: DoubleDouble) -> DoubleDouble {
    let h2 = v.hi * v.hi;
    let series = -1.0 / 3.0 + h2 * (1.0 / 5.0 + h2 * (-1.0 / 7.0 + h2 * (1.0 / 9.0)));
    v.add(DoubleDouble::exact(h2 * v.hi * series))
}

/// `atan t` for 2^-30 <= t <= 2^60, relative error below **2^-64**.
///
/// t <= 1: c = i/64 nearest to t, atan t = atan c + atan v, v = (t - c)/(1 + t c), |v| <= 1/128; t - c and t c
/// are exact pairs. For i = 0, v = t. The absolute error is 2^-65.4 |v| and the sums' 2^-103; atan t is above
/// |v| for every i (for i >= 1, atan t >= atan(c - 1/128) >= atan(1/128)).
/// t > 1: c nearest to 1/t, atan t = pi/2 - atan c - atan v, v = (1 - c t)/(t + c): 1 - c t is a pair up to 2^-105.
#[inline]
fn atan_pair(t: f64) -> DoubleDouble {
    if t <= 1.0 {
        let i = (64.0 * t + 0.5) as usize;
        if i == 0 {
            return atan_small(DoubleDouble::exact(t));
        }
        let c = i as f64 / 64.0;
        let denominator = DoubleDouble::ONE.add(DoubleDouble::from_pair(two_product(t, c)));
        let v = DoubleDouble::sum(t, -c).divide(denominator);
        DoubleDouble::from_pair(ARCTANGENTS[i]).add(atan_small(v))
    } else {
        let i = (64.0 / t + 0.5) as usize;
        let c = i as f64 / 64.0;
        let numerator = DoubleDouble::ONE.subtract(DoubleDouble::from_pair(two_product(t, c)));
        let v = numerator.divide(DoubleDouble::sum(t, c));
        HALF_PI.subtract(DoubleDouble::from_pair(ARCTANGENTS[i])).subtract(atan_small(v))
    }
}

/// Encloses `atan x`.
///
/// For 0 < x < 2^-30, x (1 - x^2/3) < atan x < x, less than a gap of doubles below x. For x > 2^60, atan x lies within 2^-60
/// of pi/2, below it.
#[inline]
pub fn atan_at(x: f64) -> Interval {
    if x.is_nan() { Interval::ENTIRE } else { odd(x, atan_of_non_negative) }
}

#[inline]
fn atan_of_non_negative(x: f64) -> Interval {
    if x == 0.0 {
        Interval::ZERO
    } else if x < power(-30) {
        Interval::new(x.next_down(), x)
    } else if x > power(60) {
        HALF_PI.enclose(power(-60))
    } else {
        atan_pair(x).enclose(power(-63))
    }
}

/// Encloses `atan` on an interval.
#[inline]
pub fn atan(x: Interval) -> Interval {
    increasing(x, atan_at)
}
