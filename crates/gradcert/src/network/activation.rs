//! Activation functions: values for training, enclosures and suprema for certificates.
//!
//! Derivatives up to the third are enclosed at a point by formulas without cancellation (`pointwise`). On an interval the range
//! is spanned by the endpoints and the turning points inside; all turning points are known (`extrema`).

// Some turning points are constants of the standard library; here they are endpoints of enclosures.
#[allow(clippy::approx_constant)]
#[rustfmt::skip]
mod extrema;
mod float;
mod names;
mod pointwise;
mod taylor;
#[cfg(test)]
mod tests;
mod vector;

pub use names::UnknownActivation;

use extrema::Turn;
use gradcert_rigor::{Interval, Lower, Upper};
use pointwise::derivative_at;

/// An activation function sigma, applied entrywise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `c t + (1 - c) (ln(1 + e^t) - ln 2)`, 0 < c < 1: slope `c + (1 - c) logistic(t)`.
    SmoothLeakyRelu(f64),
    /// `ln(1 + e^t) - ln 2`.
    Softplus,
    /// `ln(1 + e^t)`, as other programs have it: not 0 at 0.
    PlainSoftplus,
    /// `tanh t`.
    Tanh,
    /// `1/(1 + e^-t) - 1/2`.
    Logistic,
    /// `1/(1 + e^-t)`, as other programs have it: not 0 at 0.
    Sigmoid,
    /// The error function.
    Erf,
    /// `arctan t`.
    Arctan,
    /// `t / sqrt(1 + t^2)`.
    Algebraic,
    /// `t / (1 + e^-t)`.
    Silu,
    /// `t Phi(t)`, Phi the distribution function of the normal law.
    Gelu,
    /// `t / (1 + |t|)`: its slope is Lipschitz, not differentiable at 0.
    Softsign,
    /// `t`.
    Identity,
}

use Activation::*;

/// The shape of a derivative, which tells where its range over an interval is attained.
#[derive(Clone, Copy)]
enum Shape {
    Constant,
    Increasing,
    /// Even, not increasing in |t|.
    Bump,
    /// Monotone between turning points.
    Turning(&'static [Turn]),
}

impl Activation {
    /// The function minus its value at 0: the same derivatives.
    pub fn centred(self) -> Activation {
        match self {
            PlainSoftplus => Softplus,
            Sigmoid => Logistic,
            other => other,
        }
    }

    /// The shape of the derivative of order k <= 3 (0: the function itself).
    ///
    /// Between the listed points each is monotone: inside [-8, 8] this was decided by interval arithmetic when the table was
    /// made; on the whole line it follows from the formulas. With T = tanh(t/2), w = (1 - T^2)/4 (logistic' = w):
    /// - softplus, orders 2 to 4: w; -w T, turns where w = 1/6; w (1 - 6w) with slope -w T (1 - 12 w): T = 0 or w = 1/12.
    /// - tanh, s = sech^2: s; -2 T' s; s (4 - 6 s), turns at t = 0, s = 1/3. erf: polynomials times exp(-t^2).
    /// - arctan: slope of order 3 is 24 t (1 - t^2)/(1+t^2)^4; algebraic: 15 t (3 - 4 t^2)/(1+t^2)^(9/2).
    /// - SiLU: slope 1 + t (1 - logistic) grows on t < 0 where it vanishes; order 2: 2 = t T, and t T grows with |t|; order 3:
    ///   t = 6 T/(3 T^2 - 1), decreasing in T > 3^(-1/2), against t increasing; order 4: with y = T^2, t T (2 - 3y) = 2 (1 - 3y): for y < 1/3
    ///   t T (2 - 3y)/(1 - 3y) grows; for 1/3 <= y <= 2/3 no solution; beyond, 2 (3y - 1)/(T (3y - 2)) decreases against t.
    /// - GELU: Phi/phi + t has the slope 2 + t Phi/phi > 1 on t < 0; phi times 2 - t^2, t^3 - 4 t, -t^4 + 7 t^2 - 4.
    #[inline]
    fn shape(self, k: usize) -> Shape {
        use Shape::*;
        use extrema::*;
        match (self.centred(), k) {
            // What `centred` returns instead.
            (PlainSoftplus | Sigmoid, _) => Increasing,
            (Identity, 0) | (SmoothLeakyRelu(_) | Softplus, 0 | 1) => Increasing,
            (Tanh | Logistic | Erf | Arctan | Algebraic | Softsign, 0) => Increasing,
            (Identity, _) => Constant,
            (SmoothLeakyRelu(_) | Softplus, 2) => Bump,
            (Tanh | Logistic | Erf | Arctan | Algebraic | Softsign, 1) => Bump,
            (SmoothLeakyRelu(_) | Softplus, _) => Turning(&SOFTPLUS_3),
            (Tanh, 2) => Turning(&TANH_2),
            (Tanh, _) => Turning(&TANH_3),
            (Logistic, 2) => Turning(&SOFTPLUS_3),
            (Logistic, _) => Turning(&SOFTPLUS_4),
            (Erf, 2) => Turning(&ERF_2),
            (Erf, _) => Turning(&ERF_3),
            (Arctan, 2) => Turning(&ARCTAN_2),
            (Arctan, _) => Turning(&ARCTAN_3),
            (Algebraic, 2) => Turning(&ALGEBRAIC_2),
            (Algebraic, _) => Turning(&ALGEBRAIC_3),
            (Silu, 0) => Turning(&SILU_0),
            (Silu, 1) => Turning(&SILU_1),
            (Silu, 2) => Turning(&SILU_2),
            (Silu, _) => Turning(&SILU_3),
            (Gelu, 0) => Turning(&GELU_0),
            (Gelu, 1) => Turning(&GELU_1),
            (Gelu, 2) => Turning(&GELU_2),
            (Gelu, _) => Turning(&GELU_3),
            (Softsign, _) => Turning(&[]),
        }
    }

    /// The factor of the tabulated shape: 1 - c for the smooth leaky-ReLU, else 1.
    #[inline]
    fn scale_of_table(self, value: Interval) -> Interval {
        match self {
            SmoothLeakyRelu(c) => (Interval::ONE - Interval::exact(c)) * value,
            _ => value,
        }
    }

    #[inline]
    fn turn_value(self, turn: &Turn) -> Interval {
        self.scale_of_table(Interval::new(turn.value.0, turn.value.1))
    }

    /// Encloses the range of the derivative of order k <= 3 over x.
    fn enclose(self, k: usize, x: Interval) -> Interval {
        let at = |t| derivative_at(self, k, t);
        if x.lo() == x.hi() {
            return at(x.lo());
        }
        match self.shape(k) {
            Shape::Constant => at(x.lo()),
            Shape::Increasing => Interval::new(at(x.lo()).lo(), at(x.hi()).hi()),
            Shape::Bump => Interval::new(at(x.magnitude().get()).lo(), at(x.mignitude().get()).hi()),
            Shape::Turning(turns) => turns
                .iter()
                .filter(|turn| x.meets(Interval::new(turn.at.0, turn.at.1)))
                .fold(at(x.lo()).hull(at(x.hi())), |range, turn| range.hull(self.turn_value(turn))),
        }
    }

    /// Encloses the values on x.
    pub fn enclose_value(self, x: Interval) -> Interval {
        self.enclose(0, x)
    }

    /// Encloses the slopes sigma' on x.
    pub fn enclose_slope(self, x: Interval) -> Interval {
        self.enclose(1, x)
    }

    /// Encloses sigma'' on x; for softsign the values of sigma'' where it exists, with `[-2, 2]` around 0.
    pub fn enclose_curvature(self, x: Interval) -> Interval {
        if self == Softsign && x.contains(0.0) {
            return Interval::new(-2.0, 2.0);
        }
        self.enclose(2, x)
    }

    /// Encloses sigma''' on x; none for softsign, which has no third derivative.
    pub fn enclose_third(self, x: Interval) -> Option<Interval> {
        self.is_c2().then(|| self.enclose(3, x))
    }

    /// `sup |sigma'|` over x. Never 0: slopes may underflow, their bounds do not.
    #[inline]
    pub fn sup_slope(self, x: Interval) -> Upper {
        match self.shape(1) {
            Shape::Increasing => derivative_at(self, 1, x.hi()).upper(),
            Shape::Bump => derivative_at(self, 1, x.mignitude().get()).upper(),
            _ => self.enclose(1, x).magnitude(),
        }
    }

    /// `inf sigma'` over x, 0 where the slope may be negative.
    #[inline]
    pub fn inf_slope(self, x: Interval) -> Lower {
        match self.shape(1) {
            Shape::Increasing => derivative_at(self, 1, x.lo()).lower(),
            Shape::Bump => derivative_at(self, 1, x.magnitude().get()).lower(),
            _ => self.enclose(1, x).lower(),
        }
    }

    /// `sup |sigma''|` over x; for softsign the Lipschitz constant of sigma' on x.
    ///
    /// |sigma''| is even. For the sigmoids it grows up to its only turning point and then falls: one evaluation will do.
    #[inline]
    pub fn sup_curvature(self, x: Interval) -> Upper {
        let (near, far) = (x.mignitude().get(), x.magnitude().get());
        match (self, self.shape(2)) {
            (_, Shape::Bump) => derivative_at(self, 2, near).upper(),
            (Softsign, _) => derivative_at(self, 2, near).magnitude(),
            (_, Shape::Turning([_, peak])) => {
                if near > peak.at.1 {
                    derivative_at(self, 2, near).magnitude()
                } else if far < peak.at.0 {
                    derivative_at(self, 2, far).magnitude()
                } else {
                    self.turn_value(peak).magnitude()
                }
            }
            _ => self.enclose(2, x).magnitude(),
        }
    }

    /// `sup |sigma'''|` over the real line; none for softsign.
    pub fn sup_third(self) -> Option<Upper> {
        self.sup_derivative(3)
    }

    /// `sup |sigma^(k)|` over the real line, k = 3, ..., 6; none for another k and for softsign.
    pub fn sup_derivative(self, k: usize) -> Option<Upper> {
        use extrema::*;
        let i = k.checked_sub(3).filter(|&i| i < 4)?;
        let bound = match self {
            SmoothLeakyRelu(_) | Softplus | PlainSoftplus => SOFTPLUS_SUPREMA[i],
            Tanh => TANH_SUPREMA[i],
            Logistic | Sigmoid => SOFTPLUS_SUPREMA[i + 1],
            Erf => ERF_SUPREMA[i],
            Arctan => ARCTAN_SUPREMA[i],
            Algebraic => ALGEBRAIC_SUPREMA[i],
            Silu => SILU_SUPREMA[i],
            Gelu => GELU_SUPREMA[i],
            Identity => return Some(Upper::ZERO),
            Softsign => return None,
        };
        Some(self.scale_of_table(Interval::exact(bound)).upper())
    }

    /// Is sigma(0) = 0?
    pub fn vanishes_at_zero(self) -> bool {
        self.centred() == self
    }

    /// Is sigma' > 0 everywhere?
    pub fn has_positive_slope(self) -> bool {
        !matches!(self, Silu | Gelu)
    }

    /// `inf sigma'` over the real line, 0 where it is negative.
    pub fn slope_floor(self) -> Lower {
        match self {
            SmoothLeakyRelu(c) => Lower::new(c),
            Identity => Lower::ONE,
            _ => Lower::ZERO,
        }
    }

    /// Is sigma''(0) = 0?
    pub fn curvature_vanishes_at_zero(self) -> bool {
        matches!(self.centred(), Tanh | Logistic | Erf | Arctan | Algebraic | Identity)
    }

    /// Is sigma' non-decreasing and convex on (-inf, 0], with sigma'(t) >= sigma'(-|t|)?
    ///
    /// Softsign has the property too; `false` for it means that no theorem here relies on it, since sigma'' jumps.
    pub fn slope_is_convex_on_negatives(self) -> bool {
        matches!(self.centred(), SmoothLeakyRelu(_) | Softplus | Identity)
    }

    /// Is sigma twice continuously differentiable? Softsign is not: its slope is Lipschitz only.
    pub fn is_c2(self) -> bool {
        self != Softsign
    }
}
