//! The activations once more, as plain floats.

use gradcert::network::activation::Activation;

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

fn shifted_softplus(t: f64) -> f64 {
    t.max(0.0) + (-t.abs()).exp().ln_1p() - 2f64.ln()
}

fn sech_squared(t: f64) -> f64 {
    let e = (-2.0 * t.abs()).exp();
    4.0 * e / (1.0 + e).powi(2)
}

fn bump(t: f64) -> f64 {
    logistic(t) * logistic(-t)
}

/// Smooth leaky-ReLU with slopes in (0.1, 1).
pub(crate) fn leaky() -> Sigma {
    Sigma {
        of_library: Activation::SmoothLeakyRelu(0.1),
        value: |t| 0.1 * t + 0.9 * shifted_softplus(t),
        slope: |t| 0.1 + 0.9 * logistic(t),
        curvature: |t| 0.9 * bump(t),
        increasing: true,
    }
}

/// The identity.
pub(crate) fn identity() -> Sigma {
    Sigma {
        of_library: Activation::SmoothLeakyRelu(1.0),
        value: |t| t,
        slope: |_| 1.0,
        curvature: |_| 0.0,
        increasing: true,
    }
}

/// Smooth leaky-ReLU with c = 0.
pub(crate) fn softplus() -> Sigma {
    Sigma {
        of_library: Activation::SmoothLeakyRelu(0.0),
        value: shifted_softplus,
        slope: logistic,
        curvature: bump,
        increasing: true,
    }
}

pub(crate) fn tanh() -> Sigma {
    Sigma {
        of_library: Activation::Tanh,
        value: f64::tanh,
        slope: sech_squared,
        curvature: |t| -2.0 * t.tanh() * sech_squared(t),
        increasing: true,
    }
}

/// Every activation of the library.
pub(crate) fn all() -> Vec<Sigma> {
    vec![leaky(), identity(), softplus(), tanh()]
}
