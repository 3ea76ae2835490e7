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
