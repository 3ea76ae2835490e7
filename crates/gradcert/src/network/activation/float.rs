//! Plain floating-point values for training. They find; they never claim.

use super::Activation::{self, *};
use gradcert_rigor::elementary::{erf_at, normal_cdf_at};
use std::f64::consts::{FRAC_2_SQRT_PI, LN_2};

/// `1 / sqrt(2 pi)`.
const INVERSE_SQRT_2_PI: f64 = 0.398_942_280_401_432_7;

#[inline]
fn logistic(t: f64) -> f64 {
    // exp(-|t|) never overflows.
    let e = (-t.abs()).exp();
    if t < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) }
}

/// `1 / cosh^2 t`; 1 - tanh^2 would cancel.
#[inline]
fn sech_squared(t: f64) -> f64 {
    let e = (-2.0 * t.abs()).exp();
    4.0 * e / ((1.0 + e) * (1.0 + e))
}

/// `ln((1 + e^t)/2)`, accurate near 0, where it vanishes.
#[inline]
fn shifted_softplus(t: f64) -> f64 {
    if t.abs() < 1.0 { (0.5 * t.exp_m1()).ln_1p() } else { t.max(0.0) + (-t.abs()).exp().ln_1p() - LN_2 }
}

/// [`shifted_softplus`] and its slope, the logistic function, from one exponential and one logarithm:
/// `ln((1 + e^t)/2) = max(t, 0) + ln(1 + m/2)` with `m = e^-|t| - 1`.
#[inline]
fn shifted_softplus_and_slope(t: f64) -> (f64, f64) {
    let size = t.abs();
    let (m, e) = if size < 1.0 {
        let m = (-size).exp_m1();
        (m, 1.0 + m)
    } else {
        let e = (-size).exp();
        (e - 1.0, e)
    };
    let slope = if t < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) };
    (t.max(0.0) + (0.5 * m).ln_1p(), slope)
}

#[inline]
fn normal_density(t: f64) -> f64 {
    INVERSE_SQRT_2_PI * (-0.5 * t * t).exp()
}

/// `1 / sqrt(1 + t^2)` without overflow.
#[inline]
fn inverse_hypotenuse(t: f64) -> f64 {
    1.0 / 1f64.hypot(t)
}

impl Activation {
    /// sigma(t).
    #[inline]
    pub fn value(self, t: f64) -> f64 {
        match self {
            SmoothLeakyRelu(c) => c * t + (1.0 - c) * shifted_softplus(t),
            Softplus => shifted_softplus(t),
            PlainSoftplus => t.max(0.0) + (-t.abs()).exp().ln_1p(),
            Tanh => t.tanh(),
            Logistic => 0.5 * (0.5 * t).tanh(),
            Sigmoid => logistic(t),
            Erf => erf_at(t).lo(),
            Arctan => t.atan(),
            Algebraic => t * inverse_hypotenuse(t),
            Silu => t * logistic(t),
            Gelu => t * normal_cdf_at(t).lo(),
            Softsign => t / (1.0 + t.abs()),
            Identity => t,
        }
    }

    /// sigma(t) and sigma'(t), where training spends most of its time.
    #[inline]
    pub fn value_and_slope(self, t: f64) -> (f64, f64) {
        match self {
            SmoothLeakyRelu(c) => {
                let (value, slope) = shifted_softplus_and_slope(t);
                (c * t + (1.0 - c) * value, c + (1.0 - c) * slope)
            }
            Softplus => shifted_softplus_and_slope(t),
            _ => (self.value(t), self.slope(t)),
        }
    }

    /// sigma'(t).
    #[inline]
    pub fn slope(self, t: f64) -> f64 {
        match self {
            SmoothLeakyRelu(c) => c + (1.0 - c) * logistic(t),
            Softplus | PlainSoftplus => logistic(t),
            Tanh => sech_squared(t),
            Logistic | Sigmoid => 0.25 * sech_squared(0.5 * t),
            Erf => FRAC_2_SQRT_PI * (-t * t).exp(),
            Arctan => 1.0 / (1.0 + t * t),
            Algebraic => inverse_hypotenuse(t).powi(3),
            Silu => logistic(t) * (1.0 + t * logistic(-t)),
            Gelu => normal_cdf_at(t).lo() + t * normal_density(t),
            Softsign => (1.0 + t.abs()).powi(-2),
            Identity => 1.0,
        }
    }

    /// sigma''(t); 0 for softsign at 0, where it jumps.
    #[inline]
    pub fn curvature(self, t: f64) -> f64 {
        match self {
            SmoothLeakyRelu(c) => (1.0 - c) * 0.25 * sech_squared(0.5 * t),
            Softplus | PlainSoftplus => 0.25 * sech_squared(0.5 * t),
            Tanh => -2.0 * t.tanh() * sech_squared(t),
            Logistic | Sigmoid => -0.25 * (0.5 * t).tanh() * sech_squared(0.5 * t),
            Erf => -2.0 * t * FRAC_2_SQRT_PI * (-t * t).exp(),
            Arctan => {
                let r = 1.0 / (1.0 + t * t);
                -2.0 * (t * r) * r
            }
            Algebraic => {
                let q = inverse_hypotenuse(t);
                -3.0 * (t * q) * q.powi(4)
            }
            Silu => 0.25 * sech_squared(0.5 * t) * (2.0 - t * (0.5 * t).tanh()),
            Gelu => {
                // In this order a huge t gives 0, not inf 0.
                let density = normal_density(t);
                2.0 * density - (t * density) * t
            }
            Softsign => {
                if t == 0.0 {
                    0.0
                } else {
                    -2.0 * t.signum() * (1.0 + t.abs()).powi(-3)
                }
            }
            Identity => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the separate formulas, which the oracle has looked at: a few units in the last place, near 0, where values vanish, too.
    #[test]
    fn together_is_as_good_as_apart() {
        let points = (-4000..=4000).map(|k| f64::from(k) * 0.011).chain((1..300).flat_map(|k| {
            let t = 10f64.powi(-k);
            [t, -t, 1.0 + t, 1.0 - t, -1.0 - t, 40.0 / t.max(1e-100)]
        }));
        for t in points {
            for activation in [Softplus, SmoothLeakyRelu(0.1), Tanh] {
                let (value, slope) = activation.value_and_slope(t);
                let close = |x: f64, y: f64| (x - y).abs() <= 8.0 * f64::EPSILON * y.abs();
                assert!(close(value, activation.value(t)), "{activation} {t}: {value} {}", activation.value(t));
                assert!(close(slope, activation.slope(t)), "{activation} {t}: {slope} {}", activation.slope(t));
            }
        }
        assert_eq!(Softplus.value_and_slope(0.0), (0.0, 0.5));
        assert!(Softplus.value_and_slope(f64::NAN).0.is_nan());
    }
}
