//! The activations once more, as plain floats.

use gradcert::network::activation::Activation;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, LN_2};

/// Value, slope and curvature of one activation.
#[derive(Clone, Copy)]
pub(crate) struct Sigma {
    pub(crate) of_library: Activation,
    pub(crate) value: fn(f64) -> f64,
    pub(crate) slope: fn(f64) -> f64,
    pub(crate) curvature: fn(f64) -> f64,
    /// sigma(0) = 0 and sigma' > 0: the positive start makes sense.
    pub(crate) increasing: bool,
}

fn logistic(t: f64) -> f64 {
    if t > 0.0 { 1.0 / (1.0 + (-t).exp()) } else { t.exp() / (1.0 + t.exp()) }
}

/// `ln((1 + e^t)/2) = t/2 + ln cosh(t/2)`; near 0, where it vanishes, `cosh u - 1 = 2 sinh^2(u/2)`.
fn shifted_softplus(t: f64) -> f64 {
    if t.abs() < 2.0 {
        0.5 * t + (2.0 * (0.25 * t).sinh().powi(2)).ln_1p()
    } else {
        t.max(0.0) + (-t.abs()).exp().ln_1p() - LN_2
    }
}

fn sech_squared(t: f64) -> f64 {
    let e = (-2.0 * t.abs()).exp();
    4.0 * e / (1.0 + e).powi(2)
}

fn bump(t: f64) -> f64 {
    logistic(t) * logistic(-t)
}

/// `2/sqrt(pi) e^{-t^2} sum_k 2^k t^(2k+1) / (1 3 ... (2k+1))`: no term cancels.
fn erf(t: f64) -> f64 {
    if t.abs() > 6.0 {
        return t.signum();
    }
    let (mut term, mut sum, mut k) = (t, t, 1.0);
    while term.abs() > 1e-18 * sum.abs() {
        term *= 2.0 * t * t / (2.0 * k + 1.0);
        sum += term;
        k += 1.0;
    }
    FRAC_2_SQRT_PI * (-t * t).exp() * sum
}

pub(crate) fn normal_cdf(t: f64) -> f64 {
    0.5 + 0.5 * erf(t * FRAC_1_SQRT_2)
}

fn normal_density(t: f64) -> f64 {
    0.5 * FRAC_2_SQRT_PI * FRAC_1_SQRT_2 * (-0.5 * t * t).exp()
}

fn sigma(
    of_library: Activation,
    value: fn(f64) -> f64,
    slope: fn(f64) -> f64,
    curvature: fn(f64) -> f64,
    increasing: bool,
) -> Sigma {
    Sigma { of_library, value, slope, curvature, increasing }
}

/// Smooth leaky-ReLU with slopes in (0.1, 1).
pub(crate) fn leaky() -> Sigma {
    let library = Activation::SmoothLeakyRelu(0.1);
    let value = |t| 0.1 * t + 0.9 * shifted_softplus(t);
    sigma(library, value, |t| 0.1 + 0.9 * logistic(t), |t| 0.9 * bump(t), true)
}

pub(crate) fn identity() -> Sigma {
    sigma(Activation::Identity, |t| t, |_| 1.0, |_| 0.0, true)
}

pub(crate) fn softplus() -> Sigma {
    sigma(Activation::Softplus, shifted_softplus, logistic, bump, true)
}

pub(crate) fn tanh() -> Sigma {
    sigma(Activation::Tanh, f64::tanh, sech_squared, |t| -2.0 * t.tanh() * sech_squared(t), true)
}

fn centred_logistic() -> Sigma {
    sigma(Activation::Logistic, |t| 0.5 * (0.5 * t).tanh(), bump, |t| -bump(t) * (0.5 * t).tanh(), true)
}

fn error_function() -> Sigma {
    let slope = |t: f64| FRAC_2_SQRT_PI * (-t * t).exp();
    let curvature = |t: f64| -2.0 * t * FRAC_2_SQRT_PI * (-t * t).exp();
    sigma(Activation::Erf, erf, slope, curvature, true)
}

fn arctan() -> Sigma {
    let curvature = |t: f64| -2.0 * t / (1.0 + t * t).powi(2);
    sigma(Activation::Arctan, f64::atan, |t| 1.0 / (1.0 + t * t), curvature, true)
}

fn algebraic() -> Sigma {
    let value = |t: f64| t / (1.0 + t * t).sqrt();
    let curvature = |t: f64| -3.0 * t * (1.0 + t * t).powf(-2.5);
    sigma(Activation::Algebraic, value, |t| (1.0 + t * t).powf(-1.5), curvature, true)
}

fn silu() -> Sigma {
    let curvature = |t: f64| bump(t) * (2.0 - t * (0.5 * t).tanh());
    sigma(Activation::Silu, |t| t * logistic(t), |t| logistic(t) + t * bump(t), curvature, false)
}

fn gelu() -> Sigma {
    let slope = |t: f64| normal_cdf(t) + t * normal_density(t);
    let curvature = |t: f64| normal_density(t) * (2.0 - t * t);
    sigma(Activation::Gelu, |t| t * normal_cdf(t), slope, curvature, false)
}

fn softsign() -> Sigma {
    let curvature = |t: f64| -2.0 * t.signum() / (1.0 + t.abs()).powi(3);
    sigma(Activation::Softsign, |t| t / (1.0 + t.abs()), |t| (1.0 + t.abs()).powi(-2), curvature, true)
}

/// Every activation of the library; the first ones are the smooth ones.
pub(crate) fn all() -> Vec<Sigma> {
    let monotone = [leaky(), identity(), softplus(), tanh(), centred_logistic(), error_function(), arctan()];
    monotone.into_iter().chain([algebraic(), silu(), gelu(), softsign()]).collect()
}
