//! The number types a formula is evaluated with.

use gradcert_rigor::{Interval, elementary};

/// A number type with the operations of formulas: doubles to search with, intervals to prove with, [`Exact`] to
/// recognise a zero. `None` where a function is not defined, or not twice differentiable, on all the represented numbers.
pub trait Scalar: Clone {
    /// A constant of a formula.
    fn constant(number: Number) -> Self;
    /// `self + other`.
    fn plus(&self, other: &Self) -> Self;
    /// `-self`.
    fn negated(&self) -> Self;
    /// `self * other`.
    fn times(&self, other: &Self) -> Self;
    /// `self / other`; `None` if `other` may be 0.
    fn over(&self, other: &Self) -> Option<Self>;
    /// `self^exponent`.
    fn power(&self, exponent: u32) -> Self;
    /// The square root; `None` unless `self > 0`.
    fn root(&self) -> Option<Self>;
    /// The natural logarithm; `None` unless `self > 0`.
    fn logarithm(&self) -> Option<Self>;
    /// The exponential function.
    fn exponential(&self) -> Self;
    /// The sine.
    fn sine(&self) -> Self;
    /// The cosine.
    fn cosine(&self) -> Self;
    /// The hyperbolic tangent.
    fn hyperbolic_tangent(&self) -> Self;
    /// The derivative of the hyperbolic tangent.
    fn hyperbolic_secant_squared(&self) -> Self;

    /// An integer, exactly.
    fn integer(value: i32) -> Self {
        Self::constant(Number::exact(f64::from(value)))
    }

    /// `self - other`.
    fn minus(&self, other: &Self) -> Self {
        self.plus(&other.negated())
    }
}

/// A real constant: the nearest double, and an enclosure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number {
    nearest: f64,
    enclosure: Interval,
}

impl Number {
    /// The double itself.
    pub fn exact(value: f64) -> Number {
        Number { nearest: value, enclosure: Interval::exact(value) }
    }

    /// A number in the interval.
    pub fn enclosed(enclosure: Interval) -> Number {
        Number { nearest: enclosure.middle(), enclosure }
    }

    /// A number between the neighbours of the double that is nearest to it.
    pub fn near(nearest: f64) -> Number {
        Number { nearest, enclosure: Interval::new(nearest.next_down(), nearest.next_up()) }
    }

    /// The nearest double.
    pub fn nearest(self) -> f64 {
        self.nearest
    }

    /// The enclosure.
    pub fn enclosure(self) -> Interval {
        self.enclosure
    }

    /// The double that the number is, if it is known to be one.
    pub fn as_double(self) -> Option<f64> {
        (self.enclosure.lo() == self.enclosure.hi()).then_some(self.enclosure.lo())
    }
}

impl Scalar for f64 {
    fn constant(number: Number) -> f64 {
        number.nearest
    }
    fn plus(&self, other: &f64) -> f64 {
        self + other
    }
    fn negated(&self) -> f64 {
        -self
    }
    fn times(&self, other: &f64) -> f64 {
        self * other
    }
    fn over(&self, other: &f64) -> Option<f64> {
        (*other != 0.0).then(|| self / other)
    }
    fn power(&self, exponent: u32) -> f64 {
        self.powi(i32::try_from(exponent).unwrap_or(i32::MAX))
    }
    fn root(&self) -> Option<f64> {
        (*self > 0.0).then(|| self.sqrt())
    }
    fn logarithm(&self) -> Option<f64> {
        (*self > 0.0).then(|| self.ln())
    }
    fn exponential(&self) -> f64 {
        self.exp()
    }
    fn sine(&self) -> f64 {
        self.sin()
    }
    fn cosine(&self) -> f64 {
        self.cos()
    }
    fn hyperbolic_tangent(&self) -> f64 {
        self.tanh()
    }
    fn hyperbolic_secant_squared(&self) -> f64 {
        let e = (-2.0 * self.abs()).exp();
        4.0 * e / ((1.0 + e) * (1.0 + e))
    }
}

impl Scalar for Interval {
    fn constant(number: Number) -> Interval {
        number.enclosure
    }
    fn plus(&self, other: &Interval) -> Interval {
        *self + *other
    }
    fn negated(&self) -> Interval {
        -*self
    }
    fn times(&self, other: &Interval) -> Interval {
        *self * *other
    }
    fn over(&self, other: &Interval) -> Option<Interval> {
        (!other.contains(0.0)).then(|| *self / *other)
    }
    fn power(&self, exponent: u32) -> Interval {
        if exponent.is_multiple_of(2) {
            return self.powi(exponent);
        }
        // Odd powers increase: [a, b]^k = [a^k, b^k].
        let (low, high) = (Interval::exact(self.lo()).powi(exponent), Interval::exact(self.hi()).powi(exponent));
        Interval::new(low.lo(), high.hi())
    }
    fn root(&self) -> Option<Interval> {
        (self.lo() > 0.0).then(|| self.sqrt())
    }
    fn logarithm(&self) -> Option<Interval> {
        (self.lo() > 0.0).then(|| elementary::ln(*self))
    }
    fn exponential(&self) -> Interval {
        elementary::exp(*self)
    }
    fn sine(&self) -> Interval {
        elementary::sin(*self)
    }
    fn cosine(&self) -> Interval {
        elementary::cos(*self)
    }
    fn hyperbolic_tangent(&self) -> Interval {
        elementary::tanh(*self)
    }
    fn hyperbolic_secant_squared(&self) -> Interval {
        elementary::sech_squared(*self)
    }
}

/// A double that *is* the number, or nothing as soon as an operation has to round. Tells exact zeros from small numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exact(Option<f64>);

/// Products below may lose digits of their error term to underflow.
const SMALLEST_EXACT_PRODUCT: f64 = 1e-250;

impl Exact {
    /// The double `x`.
    pub fn new(x: f64) -> Exact {
        Exact(x.is_finite().then_some(x))
    }

    /// The number, if no operation had to round.
    pub fn get(self) -> Option<f64> {
        self.0
    }

    /// Is the number proved to be 0?
    pub fn is_zero(self) -> bool {
        self.0 == Some(0.0)
    }

    /// The value of a function that is rational at one argument only.
    fn only_at(self, argument: f64, value: f64) -> Exact {
        Exact((self.0 == Some(argument)).then_some(value))
    }
}

/// Knuth's sum: a + b = s + e exactly, so the sum is exact if e = 0.
fn exact_sum(a: f64, b: f64) -> Option<f64> {
    let s = a + b;
    let t = s - a;
    let e = (a - (s - t)) + (b - t);
    (s.is_finite() && e == 0.0).then_some(s)
}

/// a b = p + e with e = fma(a, b, -p), itself exact while p is far from underflow.
fn exact_product(a: f64, b: f64) -> Option<f64> {
    let p = a * b;
    let trivial = a == 0.0 || b == 0.0;
    let proved = p.is_finite() && p.abs() > SMALLEST_EXACT_PRODUCT && a.mul_add(b, -p) == 0.0;
    (trivial || proved).then_some(p)
}

impl Scalar for Exact {
    fn constant(number: Number) -> Exact {
        Exact(number.as_double())
    }
    fn plus(&self, other: &Exact) -> Exact {
        Exact(self.0.zip(other.0).and_then(|(a, b)| exact_sum(a, b)))
    }
    fn negated(&self) -> Exact {
        Exact(self.0.map(|a| -a))
    }
    fn times(&self, other: &Exact) -> Exact {
        Exact(self.0.zip(other.0).and_then(|(a, b)| exact_product(a, b)))
    }
    fn over(&self, other: &Exact) -> Option<Exact> {
        let (Some(a), Some(b)) = (self.0, other.0) else { return Some(Exact(None)) };
        if b == 0.0 {
            return None;
        }
        let quotient = a / b;
        Some(Exact(exact_product(quotient, b).filter(|&p| p == a).map(|_| quotient)))
    }
    fn power(&self, exponent: u32) -> Exact {
        match exponent {
            0 => Exact(Some(1.0)),
            1 => *self,
            k => {
                let half = self.power(k / 2);
                let square = half.times(&half);
                if k.is_multiple_of(2) { square } else { square.times(self) }
            }
        }
    }
    fn root(&self) -> Option<Exact> {
        let Some(a) = self.0 else { return Some(Exact(None)) };
        let root = a.sqrt();
        (a > 0.0).then(|| Exact(exact_product(root, root).filter(|&p| p == a).map(|_| root)))
    }
    fn logarithm(&self) -> Option<Exact> {
        match self.0 {
            Some(a) if a <= 0.0 => None,
            _ => Some(self.only_at(1.0, 0.0)),
        }
    }
    fn exponential(&self) -> Exact {
        self.only_at(0.0, 1.0)
    }
    fn sine(&self) -> Exact {
        self.only_at(0.0, 0.0)
    }
    fn cosine(&self) -> Exact {
        self.only_at(0.0, 1.0)
    }
    fn hyperbolic_tangent(&self) -> Exact {
        self.only_at(0.0, 0.0)
    }
    fn hyperbolic_secant_squared(&self) -> Exact {
        self.only_at(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_numbers_notice_every_rounding() {
        let third = Exact::new(1.0).over(&Exact::new(3.0)).expect("not 0");
        assert_eq!(third.get(), None);
        assert_eq!(Exact::new(0.1).plus(&Exact::new(0.2)).get(), None);
        assert_eq!(Exact::new(0.1).times(&Exact::new(0.1)).get(), None);
        assert_eq!(Exact::new(1e-200).times(&Exact::new(1e-200)).get(), None);
        assert_eq!(Exact::new(1e200).times(&Exact::new(1e200)).get(), None);
        assert_eq!(Exact::new(2.0).root().and_then(Exact::get), None);
        assert_eq!(Exact::new(2.25).root().and_then(Exact::get), Some(1.5));
        assert_eq!(Exact::new(0.75).power(3).get(), Some(0.421875));
        assert_eq!(Exact::new(1.0).over(&Exact::new(8.0)).and_then(Exact::get), Some(0.125));
        assert!(Exact::new(0.0).exponential().minus(&Exact::integer(1)).is_zero());
        assert!(!Exact::new(1e-300).exponential().minus(&Exact::integer(1)).is_zero());
    }

    #[test]
    fn odd_powers_of_intervals_are_tight() {
        let cube = Scalar::power(&Interval::new(-1.0, 2.0), 3);
        assert!(cube.lo() <= -1.0 && cube.lo() > -1.001 && cube.hi() >= 8.0 && cube.hi() < 8.001);
    }
}
