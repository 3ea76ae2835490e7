//! The error function, its complement, and the distribution function and density of the normal law.

use super::double_double::{DoubleDouble, power_of_two};
use super::exponential::{exp_scaled, power};
use super::tables::{ERF, ERFCX, INVERSE_SQRT_2, INVERSE_SQRT_2_PI, TWO_OVER_SQRT_PI};
use super::{even_decreasing, increasing, odd};
use crate::interval::Interval;

/// Beyond, erfc underflows: erfc 27.3 < exp(-745.29)/48 < 2^-1074.
const UNDERFLOW: f64 = 27.3;
/// The relative error of every branch below, with room.
const ERROR: f64 = power(-58);

/// A Taylor polynomial: the first two coefficients as pairs, then doubles.
#[inline]
fn taylor<const N: usize>(coefficients: &[f64; N], h: DoubleDouble) -> DoubleDouble {
    let tail = coefficients[4..].iter().rev().fold(0.0, |sum, a| sum * h.hi + a);
    let constant = DoubleDouble { hi: coefficients[0], lo: coefficients[1] };
    let slope = DoubleDouble { hi: coefficients[2], lo: coefficients[3] };
    constant.add(slope.multiply(h).add(DoubleDouble::exact(tail * h.hi * h.hi)))
}

/// `erf x` for 2^-100 <= x <= 1/2 (up to rounding of x), relative error below **2^-60.8**: 2^-61 rounding and 2^-64 remainder
/// (proved by the generator of the table), 2^-100 of the pairs.
#[inline]
fn erf_small(x: DoubleDouble) -> DoubleDouble {
    let i = (32.0 * x.hi + 0.5) as usize;
    let h = DoubleDouble::sum(x.hi, -(i as f64) / 32.0).add(DoubleDouble::exact(x.lo));
    taylor(&ERF[i.min(16)], h)
}

/// `erfc x = m 2^k` for 1/2 <= x < 32, as (m, k), relative error below **2^-59.6**.
///
/// erfc x = exp(-x^2) erfcx x. The table's cell is read off the exponent and the first four bits of x; its centre is exact and so
/// is x - centre. erfcx: 2^-60 rounding, 2^-64 remainder (proved by the generator). exp(-x^2): 2^-71, and the pair x^2
/// is wrong by less than 2^-101 x^2 < 2^-91.
#[inline]
fn erfc_large(x: DoubleDouble) -> (DoubleDouble, i32) {
    let bits = x.hi.to_bits() >> 48;
    let cell = (bits as usize).wrapping_sub(1022 << 4).min(95);
    let centre = f64::from_bits((bits << 48) | (1 << 47));
    let h = DoubleDouble::sum(x.hi - centre, x.lo);
    let (mantissa, k) = exp_scaled(x.multiply(x).negate());
    (mantissa.multiply(taylor(&ERFCX[cell], h)), k)
}

/// `erf x` for 2^-100 <= x <= 6, relative error below **2^-59.6**: for x > 1/2, erfc x < erf x carries the error.
#[inline]
fn erf_pair(x: DoubleDouble) -> DoubleDouble {
    if x.hi < 0.5 {
        return erf_small(x);
    }
    let (mantissa, k) = erfc_large(x);
    DoubleDouble::ONE.subtract(mantissa.scale(power_of_two(k)))
}

/// Encloses `erfc(x) 2^shift` for a pair x with an absolute error that moves erfc by less than 2^-70 relatively.
///
/// x < 0: 1 + erf(-x), error at most that of erf. 0 <= x < 1/2: 1 - erf x, with erf x < 1.1 (1 - erf x). Below -6 the value is within
/// 2^-54 of 2, below it; |x| < 2^-100 moves it by less than 2^-99.
#[inline]
fn erfc_enclosure(x: DoubleDouble, shift: i32) -> Interval {
    if x.hi > UNDERFLOW {
        return Interval::new(0.0, f64::from_bits(1));
    }
    if x.hi >= 0.5 {
        let (mantissa, k) = erfc_large(x);
        return mantissa.enclose_scaled(ERROR, k + shift);
    }
    if x.hi < -6.0 {
        let unit = power_of_two(shift);
        return Interval::new(2f64.next_down() * unit, 2.0 * unit);
    }
    let erf = if x.hi.abs() < power(-100) {
        DoubleDouble::exact(0.0)
    } else if x.hi < 0.0 {
        erf_pair(x.negate()).negate()
    } else {
        erf_pair(x)
    };
    DoubleDouble::ONE.subtract(erf).enclose_scaled(ERROR, shift)
}

/// Encloses `erf x`.
///
/// For |x| < 2^-30 it is (2/sqrt pi) x (1 - d), 0 < d < 2^-61; the product is taken of the significand of x. Beyond 6 it
/// is within 2^-55 of 1.
#[inline]
pub fn erf_at(x: f64) -> Interval {
    if x.is_nan() { Interval::ENTIRE } else { odd(x, erf_of_non_negative) }
}

#[inline]
fn erf_of_non_negative(x: f64) -> Interval {
    if x == 0.0 {
        Interval::ZERO
    } else if x > 6.0 {
        Interval::new(1f64.next_down(), 1.0)
    } else if x < power(-30) {
        // Into [2^-52, 2), where the product of pairs does not underflow. Two factors, since 2^-k need not be a double.
        let k = ((x.to_bits() >> 52) as i32 - 1023).max(-1022);
        let unit = x * power_of_two(-k / 2) * power_of_two(-k - (-k / 2));
        TWO_OVER_SQRT_PI.multiply(DoubleDouble::exact(unit)).enclose_scaled(ERROR, k)
    } else {
        erf_pair(DoubleDouble::exact(x)).enclose(ERROR)
    }
}

/// Encloses `erfc x = 1 - erf x`.
#[inline]
pub fn erfc_at(x: f64) -> Interval {
    if x.is_nan() { Interval::ENTIRE } else { erfc_enclosure(DoubleDouble::exact(x), 0) }
}

/// Encloses the distribution function of the normal law, `erfc(-x / sqrt 2) / 2`.
///
/// x / sqrt 2 is a pair with a relative error of 2^-101, which moves erfc relatively by at most 2^-101 times
/// 2 x^2 + 1 < 2^12.
#[inline]
pub fn normal_cdf_at(x: f64) -> Interval {
    if x.is_nan() {
        return Interval::ENTIRE;
    }
    if x.abs() < power(-100) {
        return DoubleDouble::exact(0.5).enclose(if x == 0.0 { 0.0 } else { ERROR });
    }
    erfc_enclosure(INVERSE_SQRT_2.multiply(DoubleDouble::exact(-x.clamp(-50.0, 50.0))), -1)
}

/// Encloses the density of the normal law, `exp(-x^2/2) / sqrt(2 pi)`.
///
/// x^2/2 is an exact pair; relative error 2^-71 + 2^-100. Below |x| = 2^-100 the exponential is 1 up to 2^-200; beyond 38.9 the
/// value is below exp(-756) < 2^-1090.
#[inline]
pub fn normal_density_at(x: f64) -> Interval {
    if x.is_nan() {
        return Interval::ENTIRE;
    }
    if x.abs() > 38.9 {
        return Interval::new(0.0, f64::from_bits(1));
    }
    let squared = if x.abs() < power(-100) { DoubleDouble::exact(0.0) } else { DoubleDouble::square_of(x) };
    let (mantissa, k) = exp_scaled(squared.scale(-0.5));
    mantissa.multiply(INVERSE_SQRT_2_PI).enclose_scaled(power(-70), k)
}

/// Encloses the density of the normal law on an interval.
#[inline]
pub fn normal_density(x: Interval) -> Interval {
    even_decreasing(x, normal_density_at)
}

/// Encloses `erf` on an interval.
#[inline]
pub fn erf(x: Interval) -> Interval {
    increasing(x, erf_at)
}

/// Encloses `erfc` on an interval.
#[inline]
pub fn erfc(x: Interval) -> Interval {
    let low = erfc_at(x.hi());
    if x.lo() == x.hi() { low } else { Interval::new(low.lo(), erfc_at(x.lo()).hi()) }
}

/// Encloses the distribution function of the normal law on an interval.
#[inline]
pub fn normal_cdf(x: Interval) -> Interval {
    increasing(x, normal_cdf_at)
}
