//! Activations written out in elementary operations: what a value of the graph is as a function of the last sum z.

use crate::network::activation::Activation;
use std::f64::consts::SQRT_2;

/// `factor kind(z)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Form {
    /// Which sum z: every layer, and every bias added, makes a new one.
    pub(super) sum: usize,
    /// The factor as a double.
    pub(super) factor: f64,
    /// Is the factor what real arithmetic gives?
    pub(super) exact: bool,
    pub(super) kind: Kind,
}

/// A function of z.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    /// z.
    Linear,
    /// erf(c z).
    Erf(f64),
    /// 1 + erf(c z).
    OnePlusErf(f64),
    /// z (1 + erf(c z)).
    LinearOnePlusErf(f64),
    /// |z|.
    Absolute,
    /// 1 + |z|.
    OnePlusAbsolute,
    /// Is z > T?
    Above(f64),
    /// sigma(z).
    Value(Activation),
}

/// A constant sqrt 2 may be rounded to float32.
const CONSTANT_ERROR: f64 = 1e-6;
/// PyTorch returns z instead of ln(1 + e^z) from here on; they differ by ln(1 + e^-20) < 2.1e-9.
const SOFTPLUS_THRESHOLD: f64 = 20.0;

/// `a b` if a double is the product. The error of a product is a multiple of 2^-104 times its size, a double itself as long as
/// the product is not tiny.
pub(super) fn exact_product(a: f64, b: f64) -> Option<f64> {
    let product = a * b;
    let exact = a == 0.0 || b == 0.0 || (product.abs() > 1e-290 && a.mul_add(b, -product) == 0.0);
    (exact && product.is_finite()).then_some(product)
}

impl Form {
    /// The sum itself.
    pub(super) fn linear(sum: usize) -> Form {
        Form { sum, factor: 1.0, exact: true, kind: Kind::Linear }
    }

    fn with(self, kind: Kind) -> Form {
        Form { factor: 1.0, exact: true, kind, ..self }
    }

    fn is_plain(&self) -> bool {
        self.factor == 1.0 && self.exact
    }

    /// Is it the sum itself?
    pub(super) fn is_sum(&self) -> bool {
        self.is_plain() && self.kind == Kind::Linear
    }

    /// An activation in one operator.
    pub(super) fn activated(self, sigma: Activation) -> Option<Form> {
        self.is_sum().then(|| self.with(Kind::Value(sigma)))
    }

    pub(super) fn erf(self) -> Option<Form> {
        (self.kind == Kind::Linear).then(|| self.with(Kind::Erf(self.factor)))
    }

    pub(super) fn absolute(self) -> Option<Form> {
        self.is_sum().then(|| self.with(Kind::Absolute))
    }

    pub(super) fn above(self, threshold: f64) -> Option<Form> {
        self.is_sum().then(|| self.with(Kind::Above(threshold)))
    }

    /// Adds the number 1; other sums are biases or nothing known.
    pub(super) fn plus_one(self) -> Option<Form> {
        match self.kind {
            Kind::Erf(c) if self.is_plain() => Some(self.with(Kind::OnePlusErf(c))),
            Kind::Absolute if self.is_plain() => Some(self.with(Kind::OnePlusAbsolute)),
            _ => None,
        }
    }

    pub(super) fn scaled(self, c: f64) -> Option<Form> {
        let factor = self.factor * c;
        let exact = self.exact && exact_product(self.factor, c).is_some();
        (!matches!(self.kind, Kind::Above(_)) && factor.is_finite()).then_some(Form { factor, exact, ..self })
    }

    pub(super) fn divided(self, c: f64) -> Option<Form> {
        let factor = self.factor / c;
        let exact = self.exact && exact_product(factor, c) == Some(self.factor);
        (!matches!(self.kind, Kind::Above(_)) && factor.is_finite()).then_some(Form { factor, exact, ..self })
    }

    /// The product of two forms of the same sum.
    pub(super) fn times(self, other: Form) -> Option<Form> {
        let kind = match (self.kind, other.kind) {
            (Kind::Linear, Kind::OnePlusErf(c)) | (Kind::OnePlusErf(c), Kind::Linear) => Kind::LinearOnePlusErf(c),
            (Kind::Linear, Kind::Value(Activation::Sigmoid)) | (Kind::Value(Activation::Sigmoid), Kind::Linear) => {
                Kind::Value(Activation::Silu)
            }
            _ => return None,
        };
        self.scaled(other.factor).map(|form| Form { kind, exact: form.exact && other.exact, ..form })
    }

    /// The quotient of two forms of the same sum.
    pub(super) fn over(self, other: Form) -> Option<Form> {
        let softsign = self.kind == Kind::Linear && other.kind == Kind::OnePlusAbsolute && other.is_plain();
        softsign.then_some(Form { kind: Kind::Value(Activation::Softsign), ..self })
    }

    /// `self` where `condition` holds, else `other`: the softplus of PyTorch.
    pub(super) fn chosen(condition: Form, then: Form, otherwise: Form) -> Option<Form> {
        let Kind::Above(threshold) = condition.kind else { return None };
        let softplus = otherwise.is_plain() && otherwise.kind == Kind::Value(Activation::PlainSoftplus);
        (threshold >= SOFTPLUS_THRESHOLD && then.is_sum() && softplus).then_some(otherwise)
    }

    /// The activation this form is, if it is one, and what is to be told about it. The sum itself is the identity.
    pub(super) fn activation(&self) -> Option<(Activation, Option<String>)> {
        match self.kind {
            _ if !self.exact => None,
            Kind::Linear if self.factor == 1.0 => Some((Activation::Identity, None)),
            Kind::Value(sigma) if self.factor == 1.0 => Some((sigma, None)),
            Kind::Erf(c) if self.factor == 1.0 && c == 1.0 => Some((Activation::Erf, None)),
            Kind::LinearOnePlusErf(c) if self.factor == 0.5 && (c * SQRT_2 - 1.0).abs() <= CONSTANT_ERROR => {
                let note =
                    format!("GELU is written out with erf({c:?} t), a rounded 1/sqrt 2; it is read as t Phi(t) itself");
                Some((Activation::Gelu, Some(note)))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All orders of the factors of GELU; a wrong constant is no GELU.
    #[test]
    fn gelu_in_every_order() {
        let z = Form::linear(3);
        let inner = z.divided(SQRT_2).and_then(Form::erf).and_then(Form::plus_one).unwrap();
        let single = f64::from(std::f32::consts::FRAC_1_SQRT_2);
        let multiplied = z.scaled(single).and_then(Form::erf).and_then(Form::plus_one).unwrap();
        let forms = [
            z.times(inner).and_then(|f| f.scaled(0.5)),
            inner.scaled(0.5).and_then(|f| z.times(f)),
            z.scaled(0.5).and_then(|f| f.times(inner)),
            multiplied.times(z).and_then(|f| f.divided(2.0)),
        ];
        for form in forms {
            assert_eq!(form.unwrap().activation().map(|a| a.0), Some(Activation::Gelu));
        }
        assert!(z.times(inner).unwrap().activation().is_none());
        let other = z.divided(1.4).and_then(Form::erf).and_then(Form::plus_one).unwrap();
        assert!(z.times(other).and_then(|f| f.scaled(0.5)).unwrap().activation().is_none());
    }

    /// 3 (1/3) is 1 in doubles and not in fact.
    #[test]
    fn factors_that_rounded_are_not_one() {
        let third = 1.0 / 3.0;
        let form = Form::linear(0).scaled(3.0).and_then(|f| f.scaled(third)).unwrap();
        assert!(form.factor == 1.0 && !form.is_sum() && form.activation().is_none());
        let form = Form::linear(0).scaled(0.5).and_then(|f| f.scaled(2.0)).unwrap();
        assert!(form.is_sum());
        assert_eq!(exact_product(3.0 * 2f64.powi(-540), 2f64.powi(-536)), None);
    }
}
