//! One-sided bounds of non-negative real numbers.

use crate::rounding::{add_down, add_up, div_down, div_up, mul_down, mul_up, sqrt_down, sqrt_up, sub_down};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul};

/// An upper bound of a non-negative real number: a value in `[0, +inf]`, never NaN. Operations round up.
///
/// `+inf` means "nothing is known": it bounds some finite number, so `0 * inf = 0`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Default)]
pub struct Upper(f64);

/// A lower bound of a non-negative real number: a finite value in `[0, f64::MAX]`, never NaN. Operations round down.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Default)]
pub struct Lower(f64);

impl Upper {
    /// Exactly zero.
    pub const ZERO: Upper = Upper(0.0);
    /// Exactly one.
    pub const ONE: Upper = Upper(1.0);
    /// Exactly one half.
    pub const HALF: Upper = Upper(0.5);
    /// Nothing is known.
    pub const UNKNOWN: Upper = Upper(f64::INFINITY);

    /// The bound `x`; NaN becomes [`Upper::UNKNOWN`]. A negative `x` bounds no non-negative number from above except
    /// by a bug in the caller; the bound becomes 0.
    #[inline]
    pub fn new(x: f64) -> Upper {
        if x.is_nan() { Upper::UNKNOWN } else { Upper(x.max(0.0)) }
    }

    /// The stored double.
    #[inline]
    pub fn get(self) -> f64 {
        self.0
    }

    /// Is the bound finite?
    #[inline]
    pub fn is_finite(self) -> bool {
        self.0.is_finite()
    }

    /// The smaller of two bounds of the same number.
    #[inline]
    pub fn min(self, other: Upper) -> Upper {
        Upper(self.0.min(other.0))
    }

    /// A bound of the larger of two numbers.
    #[inline]
    pub fn max(self, other: Upper) -> Upper {
        Upper(self.0.max(other.0))
    }

    /// The square root.
    #[inline]
    pub fn sqrt(self) -> Upper {
        Upper(sqrt_up(self.0))
    }

    /// The square.
    #[inline]
    pub fn square(self) -> Upper {
        self * self
    }

    /// `sqrt(self^2 + other^2)`, without overflow or underflow of the squares.
    #[inline]
    pub fn hypot(self, other: Upper) -> Upper {
        Upper::norm([self, other])
    }

    /// The Euclidean norm of a vector of bounds. The entries are scaled by the largest before they are squared: squares
    /// of numbers near 1e-200 would vanish and turn an upper bound into 0. Empty: 0.
    pub fn norm<I>(values: I) -> Upper
    where
        I: IntoIterator<Item = Upper>,
        I::IntoIter: Clone,
    {
        let values = values.into_iter();
        let largest = values.clone().fold(Upper::ZERO, Upper::max);
        if largest.0 == 0.0 || !largest.is_finite() {
            return largest;
        }
        // A power of two: division by it is exact except for numbers that are negligible against 1, rounded up anyway.
        let scale = power_of_two_below(largest.0);
        let sum: Upper = values.map(|v| Upper(div_up(v.0, scale)).square()).sum();
        sum.sqrt() * Upper(scale)
    }

    /// The largest entry; 0 for none.
    pub fn maximum<I: IntoIterator<Item = Upper>>(values: I) -> Upper {
        values.into_iter().fold(Upper::ZERO, Upper::max)
    }
}

/// The largest power of two that is at most `x`, for finite `x > 0`.
fn power_of_two_below(x: f64) -> f64 {
    let bits = x.to_bits() & 0x7ff0_0000_0000_0000;
    if bits == 0 { f64::MIN_POSITIVE } else { f64::from_bits(bits) }
}

impl Lower {
    /// Zero: the trivial bound.
    pub const ZERO: Lower = Lower(0.0);
    /// Exactly one.
    pub const ONE: Lower = Lower(1.0);

    /// The bound `x`. NaN and negative numbers become the trivial bound 0, infinity the largest double.
    #[inline]
    pub fn new(x: f64) -> Lower {
        // A comparison with NaN is false.
        if x > 0.0 { Lower(x.min(f64::MAX)) } else { Lower(0.0) }
    }

    /// The stored double.
    #[inline]
    pub fn get(self) -> f64 {
        self.0
    }

    /// Is the bound better than trivial?
    #[inline]
    pub fn is_positive(self) -> bool {
        self.0 > 0.0
    }

    /// The larger of two bounds of the same number.
    #[inline]
    pub fn max(self, other: Lower) -> Lower {
        Lower(self.0.max(other.0))
    }

    /// A bound of the smaller of two numbers.
    #[inline]
    pub fn min(self, other: Lower) -> Lower {
        Lower(self.0.min(other.0))
    }

    /// The square root.
    #[inline]
    pub fn sqrt(self) -> Lower {
        Lower::new(sqrt_down(self.0))
    }

    /// The square.
    #[inline]
    pub fn square(self) -> Lower {
        self * self
    }

    /// `(self - other)_+`: the difference, clipped at 0.
    #[inline]
    pub fn minus(self, other: Upper) -> Lower {
        Lower::new(sub_down(self.0, other.0))
    }

    /// The smallest entry; the largest double for none.
    pub fn minimum<I: IntoIterator<Item = Lower>>(values: I) -> Lower {
        values.into_iter().fold(Lower(f64::MAX), Lower::min)
    }
}

impl Add for Upper {
    type Output = Upper;
    #[inline]
    fn add(self, other: Upper) -> Upper {
        Upper(add_up(self.0, other.0))
    }
}

impl AddAssign for Upper {
    #[inline]
    fn add_assign(&mut self, other: Upper) {
        *self = *self + other;
    }
}

impl Mul for Upper {
    type Output = Upper;
    #[inline]
    fn mul(self, other: Upper) -> Upper {
        Upper(mul_up(self.0, other.0))
    }
}

impl Div<Lower> for Upper {
    type Output = Upper;
    /// The quotient; unknown when the denominator may be 0, unless the numerator is exactly 0.
    #[inline]
    fn div(self, other: Lower) -> Upper {
        if self.0 == 0.0 {
            Upper::ZERO
        } else if other.0 == 0.0 {
            Upper::UNKNOWN
        } else {
            Upper(div_up(self.0, other.0))
        }
    }
}

impl Sum for Upper {
    fn sum<I: Iterator<Item = Upper>>(values: I) -> Upper {
        values.fold(Upper::ZERO, Add::add)
    }
}

impl Add for Lower {
    type Output = Lower;
    #[inline]
    fn add(self, other: Lower) -> Lower {
        Lower::new(add_down(self.0, other.0))
    }
}

impl Mul for Lower {
    type Output = Lower;
    #[inline]
    fn mul(self, other: Lower) -> Lower {
        Lower::new(mul_down(self.0, other.0))
    }
}

impl Div<Upper> for Lower {
    type Output = Lower;
    /// The quotient; 0 when nothing is known about the denominator.
    #[inline]
    fn div(self, other: Upper) -> Lower {
        // A denominator bounded by 0 is 0: the quotient does not exist, and the trivial bound is all there is.
        if other.0 == 0.0 { Lower::ZERO } else { Lower::new(div_down(self.0, other.0)) }
    }
}

impl Sum for Lower {
    fn sum<I: Iterator<Item = Lower>>(values: I) -> Lower {
        values.fold(Lower::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norms_of_tiny_numbers_do_not_vanish() {
        let tiny = Upper::new(1e-200);
        let norm = Upper::norm([tiny, tiny]);
        assert!(norm.get() >= 1.414_213_562_373_095e-200 && norm.get() < 1.42e-200);
        // What plain floats say.
        assert_eq!((1e-200f64 * 1e-200 + 1e-200 * 1e-200).sqrt(), 0.0);
        let least = Upper::new(f64::from_bits(1));
        assert!(Upper::norm([least]).get() >= least.get());
        assert!((least * least).get() > 0.0);
    }

    #[test]
    fn norms_of_huge_numbers_do_not_overflow() {
        let norm = Upper::norm([Upper::new(1e300), Upper::new(1e300)]);
        assert!(norm.get() >= 1.414_213_562_373_095e300 && norm.get() < 1.42e300);
    }

    #[test]
    fn zero_stays_zero_and_nothing_known_stays_unknown() {
        assert_eq!(Upper::ZERO * Upper::UNKNOWN, Upper::ZERO);
        assert_eq!(Upper::ZERO + Upper::ZERO, Upper::ZERO);
        assert_eq!(Upper::ONE / Lower::ZERO, Upper::UNKNOWN);
        assert_eq!(Upper::new(f64::NAN), Upper::UNKNOWN);
        assert_eq!(Lower::new(f64::NAN), Lower::ZERO);
        assert_eq!(Lower::new(-1.0), Lower::ZERO);
        assert_eq!(Lower::ONE / Upper::UNKNOWN, Lower::ZERO);
        assert_eq!(Lower::ONE.minus(Upper::UNKNOWN), Lower::ZERO);
    }

    #[test]
    fn overflow_leaves_a_valid_bound() {
        assert_eq!(Upper::new(f64::MAX) * Upper::new(2.0), Upper::UNKNOWN);
        assert_eq!((Lower::new(f64::MAX) + Lower::new(f64::MAX)).get(), f64::MAX);
    }
}
