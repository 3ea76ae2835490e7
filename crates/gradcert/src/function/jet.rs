//! Forward-mode automatic differentiation: a number with its first and second partial derivatives.

use super::scalar::{Number, Scalar};
use std::ops::{Add, Mul, Neg, Sub};

/// Value, gradient and Hessian of a function of n variables, over doubles or over intervals (then each part encloses what it
/// names on a whole box).
///
/// A jet without derivatives is a constant and combines with every other. Jets of one computation have one dimension.
#[derive(Clone, Debug, PartialEq)]
pub struct Jet<T> {
    value: T,
    /// n first derivatives, then - for jets of second order - the n (n + 1) / 2 second ones, (i, j) with i <= j in rows.
    derivatives: Vec<T>,
    dimension: usize,
}

/// How many derivatives are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The value alone.
    Value,
    /// Value and gradient.
    Gradient,
    /// Value, gradient and Hessian.
    Hessian,
}

impl<T: Scalar> Jet<T> {
    /// A constant.
    pub fn constant(value: T) -> Jet<T> {
        Jet { value, derivatives: vec![], dimension: 0 }
    }

    /// An integer constant.
    pub fn integer(value: i32) -> Jet<T> {
        Jet::constant(T::integer(value))
    }

    /// A constant given by a double, which is meant exactly.
    pub fn number(value: f64) -> Jet<T> {
        Jet::constant(T::constant(Number::exact(value)))
    }

    /// The variables at a point, or on a box.
    pub fn variables(point: &[T], order: Order) -> Vec<Jet<T>> {
        let n = point.len();
        let length = match order {
            Order::Value => 0,
            Order::Gradient => n,
            Order::Hessian => n + n * (n + 1) / 2,
        };
        let dimension = if order == Order::Value { 0 } else { n };
        let variable = |(i, value): (usize, &T)| {
            let mut derivatives = vec![T::integer(0); length];
            if let Some(own) = derivatives.get_mut(i) {
                *own = T::integer(1);
            }
            Jet { value: value.clone(), derivatives, dimension }
        };
        point.iter().enumerate().map(variable).collect()
    }

    /// The value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The partial derivative by variable `i`; 0 for a constant.
    pub fn partial(&self, i: usize) -> T {
        self.derivatives.get(i).cloned().unwrap_or_else(|| T::integer(0))
    }

    /// The second partial derivative by variables `i` and `j`; 0 for a constant, and for a jet of first order, which does not
    /// know it.
    pub fn second_partial(&self, i: usize, j: usize) -> T {
        if self.derivatives.len() <= self.dimension {
            return T::integer(0);
        }
        let (i, j) = (i.min(j), i.max(j));
        // Row i begins after i rows of lengths n, n - 1, ..., together i n - i (i - 1) / 2.
        let at = self.dimension + i * self.dimension - i * i.saturating_sub(1) / 2 + (j - i);
        self.derivatives.get(at).cloned().unwrap_or_else(|| T::integer(0))
    }

    /// `f(self)` by the chain rule from f, f' and f'' at the value.
    fn chain(&self, value: T, first: &T, second: &T) -> Jet<T> {
        let n = self.dimension;
        let mut derivatives: Vec<T> = self.derivatives.iter().map(|d| first.times(d)).collect();
        if self.derivatives.len() > n {
            for (at, i, j) in pairs(n) {
                let product = self.product_of_partials(i, j);
                derivatives[at] = derivatives[at].plus(&second.times(&product));
            }
        }
        Jet { value, derivatives, dimension: n }
    }

    fn product_of_partials(&self, i: usize, j: usize) -> T {
        if i == j { self.derivatives[i].power(2) } else { self.derivatives[i].times(&self.derivatives[j]) }
    }

    /// The same linear map of both jets, entry by entry.
    fn combine(&self, other: &Jet<T>, both: impl Fn(&T, &T) -> T, right: impl Fn(&T) -> T) -> Jet<T> {
        let value = both(&self.value, &other.value);
        let derivatives = match (self.derivatives.is_empty(), other.derivatives.is_empty()) {
            (_, true) => self.derivatives.clone(),
            (true, false) => other.derivatives.iter().map(right).collect(),
            (false, false) => self.derivatives.iter().zip(&other.derivatives).map(|(a, b)| both(a, b)).collect(),
        };
        Jet { value, derivatives, dimension: self.dimension.max(other.dimension) }
    }

    fn scaled(&self, factor: &T) -> Jet<T> {
        let derivatives = self.derivatives.iter().map(|d| factor.times(d)).collect();
        Jet { value: self.value.times(factor), derivatives, dimension: self.dimension }
    }

    fn product(&self, other: &Jet<T>) -> Jet<T> {
        if other.derivatives.is_empty() {
            return self.scaled(&other.value);
        }
        if self.derivatives.is_empty() {
            return other.scaled(&self.value);
        }
        let n = self.dimension;
        let (a, b) = (&self.derivatives, &other.derivatives);
        let mut derivatives: Vec<T> =
            a.iter().zip(b).map(|(da, db)| other.value.times(da).plus(&self.value.times(db))).collect();
        if a.len() > n && b.len() > n {
            for (at, i, j) in pairs(n) {
                let mixed = a[i].times(&b[j]).plus(&a[j].times(&b[i]));
                derivatives[at] = derivatives[at].plus(&mixed);
            }
        }
        Jet { value: self.value.times(&other.value), derivatives, dimension: n }
    }

    /// `1 / self`; `None` if the value may be 0.
    pub fn reciprocal(&self) -> Option<Jet<T>> {
        let one = T::integer(1);
        let value = one.over(&self.value)?;
        let square = value.power(2);
        let second = T::integer(2).times(&value.power(3));
        Some(self.chain(value, &square.negated(), &second))
    }

    /// `self / other`; `None` if `other` may be 0.
    pub fn quotient(&self, other: &Jet<T>) -> Option<Jet<T>> {
        let mut result = self.product(&other.reciprocal()?);
        result.value = self.value.over(&other.value)?;
        Some(result)
    }

    /// `self^exponent`.
    pub fn power(&self, exponent: u32) -> Jet<T> {
        let k = exponent;
        match k {
            0 => Jet::integer(1),
            1 => self.clone(),
            _ => {
                let factor = |m: u32| T::constant(Number::exact(f64::from(m)));
                let first = factor(k).times(&self.value.power(k - 1));
                let second = factor(k).times(&factor(k - 1)).times(&self.value.power(k - 2));
                self.chain(self.value.power(k), &first, &second)
            }
        }
    }

    /// `self^exponent` for a constant real exponent; `None` unless the value is positive.
    pub fn real_power(&self, exponent: Number) -> Option<Jet<T>> {
        let exponent = Jet::constant(T::constant(exponent));
        Some(self.logarithm()?.product(&exponent).exponential())
    }

    /// The square root; `None` unless the value is positive.
    pub fn root(&self) -> Option<Jet<T>> {
        let root = self.value.root()?;
        let first = T::integer(1).over(&T::integer(2).times(&root))?;
        let second = first.over(&T::integer(2).times(&self.value))?.negated();
        Some(self.chain(root, &first, &second))
    }

    /// The natural logarithm; `None` unless the value is positive.
    pub fn logarithm(&self) -> Option<Jet<T>> {
        let first = T::integer(1).over(&self.value)?;
        let second = first.power(2).negated();
        Some(self.chain(self.value.logarithm()?, &first, &second))
    }

    /// The exponential function.
    pub fn exponential(&self) -> Jet<T> {
        let e = self.value.exponential();
        self.chain(e.clone(), &e, &e)
    }

    /// The sine.
    pub fn sine(&self) -> Jet<T> {
        let sine = self.value.sine();
        self.chain(sine.clone(), &self.value.cosine(), &sine.negated())
    }

    /// The cosine.
    pub fn cosine(&self) -> Jet<T> {
        let cosine = self.value.cosine();
        self.chain(cosine.clone(), &self.value.sine().negated(), &cosine.negated())
    }

    /// The hyperbolic tangent.
    pub fn hyperbolic_tangent(&self) -> Jet<T> {
        let tangent = self.value.hyperbolic_tangent();
        let first = self.value.hyperbolic_secant_squared();
        // tanh'' = -2 tanh sech^2.
        let second = T::integer(-2).times(&tangent).times(&first);
        self.chain(tangent, &first, &second)
    }
}

/// Positions and indices (at, i, j), i <= j, of the second derivatives.
fn pairs(n: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..n).flat_map(move |i| (i..n).map(move |j| (i, j))).enumerate().map(move |(k, (i, j))| (n + k, i, j))
}

impl<T: Scalar> Add for &Jet<T> {
    type Output = Jet<T>;
    fn add(self, other: &Jet<T>) -> Jet<T> {
        self.combine(other, T::plus, T::clone)
    }
}

impl<T: Scalar> Sub for &Jet<T> {
    type Output = Jet<T>;
    fn sub(self, other: &Jet<T>) -> Jet<T> {
        self.combine(other, T::minus, T::negated)
    }
}

impl<T: Scalar> Mul for &Jet<T> {
    type Output = Jet<T>;
    fn mul(self, other: &Jet<T>) -> Jet<T> {
        self.product(other)
    }
}

impl<T: Scalar> Neg for &Jet<T> {
    type Output = Jet<T>;
    fn neg(self) -> Jet<T> {
        let derivatives = self.derivatives.iter().map(T::negated).collect();
        Jet { value: self.value.negated(), derivatives, dimension: self.dimension }
    }
}

/// The operators on owned jets, for formulas that read like formulas.
macro_rules! owned {
    ($($operator:ident $method:ident),*) => {$(
        impl<T: Scalar> $operator for Jet<T> {
            type Output = Jet<T>;
            fn $method(self, other: Jet<T>) -> Jet<T> {
                (&self).$method(&other)
            }
        }
    )*};
}
owned!(Add add, Sub sub, Mul mul);

impl<T: Scalar> Neg for Jet<T> {
    type Output = Jet<T>;
    fn neg(self) -> Jet<T> {
        -&self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_have_no_derivatives() {
        let constant = Jet::<f64>::integer(3);
        let first = &Jet::variables(&[1.0; 8], Order::Gradient)[7];
        for (i, j) in (0..8).flat_map(|i| (0..8).map(move |j| (i, j))) {
            assert_eq!(
                (constant.second_partial(i, j), first.second_partial(i, j), constant.partial(i)),
                (0.0, 0.0, 0.0)
            );
        }
    }

    #[test]
    fn derivatives_of_a_product_of_everything() {
        // f = x^3 y^2 z at (2, 3, 5): all partial derivatives by hand.
        let v = Jet::variables(&[2.0, 3.0, 5.0], Order::Hessian);
        let f = &(&v[0].power(3) * &v[1].power(2)) * &v[2];
        assert_eq!(*f.value(), 360.0);
        assert_eq!([f.partial(0), f.partial(1), f.partial(2)], [540.0, 240.0, 72.0]);
        let expected = [[540.0, 360.0, 108.0], [360.0, 80.0, 48.0], [108.0, 48.0, 0.0]];
        for (i, row) in expected.iter().enumerate() {
            for (j, &entry) in row.iter().enumerate() {
                assert_eq!(f.second_partial(i, j), entry, "({i}, {j})");
            }
        }
    }
}
