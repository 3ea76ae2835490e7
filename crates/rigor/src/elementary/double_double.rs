//! Pairs of doubles: numbers with about 106 bits, and the step from such a number to an enclosure.
//!
//! u = 2^-53. Error statements hold without over- and underflow of the partial products; every caller keeps magnitudes
//! between 2^-450 and 2^450 (or exactly 0). No fused multiply-add: without the CPU feature it is a slow library call.

use crate::interval::Interval;

/// The unevaluated sum `hi + lo`, with `hi` the double nearest to it: |lo| <= u |hi|.
#[derive(Clone, Copy, Debug)]
pub(super) struct DoubleDouble {
    pub(super) hi: f64,
    pub(super) lo: f64,
}

/// `a + b = s + e` exactly, s = fl(a + b) (Knuth).
#[inline]
pub(super) fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let s = a + b;
    let b_part = s - a;
    (s, (a - (s - b_part)) + (b - b_part))
}

/// As [`two_sum`], for |a| >= |b| or a = 0 (Dekker).
#[inline]
fn fast_two_sum(a: f64, b: f64) -> (f64, f64) {
    let s = a + b;
    (s, b - (s - a))
}

/// `a b = p + e` exactly, p = fl(a b) (Dekker's product with Veltkamp's splitting).
#[inline]
pub(super) fn two_product(a: f64, b: f64) -> (f64, f64) {
    let p = a * b;
    let ((ah, al), (bh, bl)) = (split(a), split(b));
    (p, ((ah * bh - p) + ah * bl + al * bh) + al * bl)
}

/// `a = h + l` exactly, both with at most 26 bits.
#[inline]
fn split(a: f64) -> (f64, f64) {
    let c = 134_217_729.0 * a;
    let h = c - (c - a);
    (h, a - h)
}

impl DoubleDouble {
    pub(super) const ONE: DoubleDouble = DoubleDouble { hi: 1.0, lo: 0.0 };

    #[inline]
    pub(super) fn exact(x: f64) -> DoubleDouble {
        DoubleDouble { hi: x, lo: 0.0 }
    }

    #[inline]
    pub(super) fn from_pair(pair: (f64, f64)) -> DoubleDouble {
        DoubleDouble { hi: pair.0, lo: pair.1 }
    }

    /// The exact sum of two doubles.
    #[inline]
    pub(super) fn sum(a: f64, b: f64) -> DoubleDouble {
        DoubleDouble::from_pair(two_sum(a, b))
    }

    /// The exact square of a double.
    #[inline]
    pub(super) fn square_of(a: f64) -> DoubleDouble {
        DoubleDouble::from_pair(two_product(a, a))
    }

    #[inline]
    pub(super) fn negate(self) -> DoubleDouble {
        DoubleDouble { hi: -self.hi, lo: -self.lo }
    }

    /// `self + other` with an error of at most 2^-104 (|self| + |other|): s + e is exact, |e| <= u |s|; rounding
    /// `al + bl` costs u u (|a| + |b|), adding e to it u (2u) (|a| + |b|).
    #[inline]
    pub(super) fn add(self, other: DoubleDouble) -> DoubleDouble {
        let (s, e) = two_sum(self.hi, other.hi);
        DoubleDouble::from_pair(two_sum(s, e + (self.lo + other.lo)))
    }

    /// `self - other`; see [`DoubleDouble::add`].
    #[inline]
    pub(super) fn subtract(self, other: DoubleDouble) -> DoubleDouble {
        self.add(other.negate())
    }

    /// `self other` with a relative error of at most 2^-102: dropping `al bl` costs u^2, the two cross products u^2
    /// each, their sum 2 u^2, its sum with e (together below 3 u) 3 u^2: 8 u^2 in all.
    #[inline]
    pub(super) fn multiply(self, other: DoubleDouble) -> DoubleDouble {
        let (p, e) = two_product(self.hi, other.hi);
        DoubleDouble::from_pair(fast_two_sum(p, e + (self.hi * other.lo + self.lo * other.hi)))
    }

    /// `self / other` with a relative error of at most 2^-101. q is the quotient up to 3 u, p = fl(q bh) is near ah, so
    /// `ah - p` is exact; the remainder r is below 4 u |a| and carries errors u^2 (q bl), 2 u^2, 3 u^2, 4 u^2 relative
    /// to |a|; r / bh is off by (u + u) 4 u: together below 20 u^2.
    #[inline]
    pub(super) fn divide(self, other: DoubleDouble) -> DoubleDouble {
        let q = self.hi / other.hi;
        let (p, e) = two_product(q, other.hi);
        let r = (self.hi - p) + (self.lo - (e + q * other.lo));
        DoubleDouble::from_pair(fast_two_sum(q, r / other.hi))
    }

    /// The product by a power of two (exact).
    #[inline]
    pub(super) fn scale(self, factor: f64) -> DoubleDouble {
        DoubleDouble { hi: self.hi * factor, lo: self.lo * factor }
    }

    /// Encloses every v with |v - self| <= error |self|, for `error` <= 2^-57.
    ///
    /// The margin m exceeds error |hi + lo|, and the sign of a computed difference of doubles is right. If lo - m >= 0
    /// then v >= hi. Otherwise v >= hi + lo - m lies above the double before hi: hi is nearest to hi + lo, so lo is at
    /// least minus half the gap below hi, and m is at most a quarter of that gap (error 2^53 of it at a power of two).
    #[inline]
    pub(super) fn enclose(self, error: f64) -> Interval {
        debug_assert!(error <= 2f64.powi(-57));
        let margin = 1.001 * error * self.hi.abs();
        let lo = if self.lo - margin >= 0.0 { self.hi } else { self.hi.next_down() };
        let hi = if self.lo + margin <= 0.0 { self.hi } else { self.hi.next_up() };
        Interval::new(lo, hi)
    }

    /// As [`DoubleDouble::enclose`], of `v 2^k`; |k| <= 1100, 2^-99 <= |v| <= 2^99 or 0.
    #[inline]
    pub(super) fn enclose_scaled(self, error: f64, k: i32) -> Interval {
        let x = self.enclose(error);
        Interval::new(times_power_of_two(x.lo(), k, f64::next_down), times_power_of_two(x.hi(), k, f64::next_up))
    }
}

/// `2^k` for -1022 <= k <= 1023.
#[inline]
pub(super) fn power_of_two(k: i32) -> f64 {
    f64::from_bits(((k + 1023) as u64) << 52)
}

/// `x 2^k` moved outward by `outward` unless exact; |k| <= 1100, 2^-100 <= |x| <= 2^100 or 0.
///
/// The first factor is exact. The second rounds at most once, to a result that is not normal: a subnormal number, 0, or
/// an infinity, which `outward` leaves or turns into the largest double, as it should.
#[inline]
fn times_power_of_two(x: f64, k: i32, outward: fn(f64) -> f64) -> f64 {
    let half = k / 2;
    let y = (x * power_of_two(half)) * power_of_two(k - half);
    if y.is_normal() || x == 0.0 { y } else { outward(y) }
}
