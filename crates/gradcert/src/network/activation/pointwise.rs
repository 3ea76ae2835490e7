//! Enclosures of sigma and its first three derivatives at one point.
//!
//! Formulas are products, and sums without cancellation where the value is small: 1 - tanh^2 appears nowhere.
//! s = logistic(t), T = tanh(t/2), w = s (1 - s) = sech^2(t/2)/4 = logistic'(t); logistic'' = -w T, logistic''' = w (1 - 6 w).

use super::Activation::{self, *};
use gradcert_rigor::Interval;
use gradcert_rigor::elementary::{
    atan_at, constants, erf_at, expm1_at, gaussian_at, ln_1p, logistic_at, normal_cdf_at, normal_density_at,
    sech_squared, sech_squared_at, softplus_at, tanh, tanh_at,
};

/// Beyond, `1000 |t|^8 exp(-|t|)` is below the smallest double.
pub(super) const EXPONENTIAL_LIMIT: f64 = 1000.0;
/// Beyond, `1000 |t|^8 exp(-t^2/2)` is below the smallest double.
pub(super) const NORMAL_LIMIT: f64 = 50.0;
/// A number that is not negative and underflows.
pub(super) const TINY: f64 = f64::from_bits(1);

/// The integer `n` as an interval.
#[inline]
fn number(n: f64) -> Interval {
    Interval::exact(n)
}

/// `t / 2`, widened where halving is not exact.
#[inline]
fn half(t: f64) -> Interval {
    let h = 0.5 * t;
    if h.abs() < f64::MIN_POSITIVE && t != 0.0 { Interval::new(h.next_down(), h.next_up()) } else { number(h) }
}

/// Encloses the derivative of order k <= 3 of sigma at t. An infinite t stands for all numbers beyond the largest double.
#[inline]
pub(super) fn derivative_at(sigma: Activation, k: usize, t: f64) -> Interval {
    if t.is_nan() {
        return Interval::ENTIRE;
    }
    match sigma {
        SmoothLeakyRelu(c) => smooth_leaky_relu(c, k, t),
        PlainSoftplus if k == 0 => softplus_at(t),
        Softplus | PlainSoftplus => softplus(k, t),
        Tanh => hyperbolic_tangent(k, t),
        Sigmoid if k == 0 => logistic_at(t),
        Logistic | Sigmoid => centred_logistic(k, t),
        Erf => error_function(k, t),
        Arctan => arctangent(k, t),
        Algebraic => algebraic(k, t),
        Silu => silu(k, t),
        Gelu => gelu(k, t),
        Softsign => softsign(k, t),
        Identity => match k {
            0 => number(t),
            1 => Interval::ONE,
            _ => Interval::ZERO,
        },
    }
}

#[inline]
fn smooth_leaky_relu(c: f64, k: usize, t: f64) -> Interval {
    let share = (Interval::ONE - number(c)) * softplus(k, t);
    match k {
        0 => number(c) * number(t) + share,
        1 => {
            // c < slope < 1, which rounding outward must not undo: the floor c is a constant of theorems.
            let slope = number(c) + share;
            Interval::new(slope.lo().max(c), slope.hi().min(1.0))
        }
        _ => share,
    }
}

/// Softplus minus ln 2. Near 0 it is `ln(1 + (e^t - 1)/2)`, which does not cancel.
#[inline]
fn softplus(k: usize, t: f64) -> Interval {
    match k {
        0 if t.abs() < 1.0 => ln_1p(expm1_at(t) * number(0.5)),
        0 => softplus_at(t) - constants::LN_2,
        1 => logistic_at(t),
        _ => centred_logistic(k - 1, t),
    }
}

#[inline]
fn hyperbolic_tangent(k: usize, t: f64) -> Interval {
    match k {
        0 => tanh_at(t),
        1 => sech_squared_at(t),
        2 => number(-2.0) * tanh_at(t) * sech_squared_at(t),
        _ => {
            let s = sech_squared_at(t);
            s * (number(4.0) - number(6.0) * s)
        }
    }
}

#[inline]
fn centred_logistic(k: usize, t: f64) -> Interval {
    let h = half(t);
    if k == 0 {
        return number(0.5) * tanh(h);
    }
    let w = number(0.25) * sech_squared(h);
    match k {
        1 => w,
        2 => -(w * tanh(h)),
        _ => w * (Interval::ONE - number(6.0) * w),
    }
}

/// The slope is `(2/sqrt pi) exp(-t^2)`. Beyond [`NORMAL_LIMIT`] derivatives underflow; an infinite t is then harmless.
#[inline]
fn error_function(k: usize, t: f64) -> Interval {
    if k == 0 {
        return erf_at(t);
    }
    if t.abs() > NORMAL_LIMIT {
        return underflown(k, t);
    }
    let slope = constants::TWO_OVER_SQRT_PI * gaussian_at(t);
    match k {
        1 => slope,
        2 => number(-2.0) * number(t) * slope,
        _ => (number(4.0) * number(t).square() - number(2.0)) * slope,
    }
}

/// A derivative below the smallest double: positive for odd k, of the sign of -t for k = 2.
#[inline]
fn underflown(k: usize, t: f64) -> Interval {
    if k == 2 && t > 0.0 { Interval::new(-TINY, 0.0) } else { Interval::new(0.0, TINY) }
}

/// r = 1/(1 + t^2): slopes r, -2 (t r) r, r^2 (6 - 8 r), in an order that does not overflow. What holds at the largest double with an
/// overflowing t^2 (0 is in every enclosure) holds beyond.
#[inline]
fn arctangent(k: usize, t: f64) -> Interval {
    if k == 0 {
        return atan_at(t);
    }
    let x = number(t.clamp(-f64::MAX, f64::MAX));
    let r = Interval::ONE / (Interval::ONE + x.square());
    match k {
        1 => r,
        2 => number(-2.0) * (x * r) * r,
        _ => r.square() * (number(6.0) - number(8.0) * r),
    }
}

/// q = 1/sqrt(1 + t^2): t q, q^3, -3 (t q) q^4, q^5 (12 - 15 q^2); conventions of [`arctangent`].
#[inline]
fn algebraic(k: usize, t: f64) -> Interval {
    let x = number(t.clamp(-f64::MAX, f64::MAX));
    let value = |q: Interval| {
        if t > 1e9 {
            // t q = (1 + t^-2)^(-1/2) > 1 - t^-2/2
            Interval::new(1f64.next_down(), 1.0)
        } else if t < -1e9 {
            Interval::new(-1.0, -1f64.next_down())
        } else {
            x * q
        }
    };
    let q = Interval::ONE / (Interval::ONE + x.square()).sqrt();
    match k {
        0 => value(q),
        1 => q * q.square(),
        2 => number(-3.0) * value(q) * q.square().square(),
        _ => q * q.square().square() * (number(12.0) - number(15.0) * q.square()),
    }
}

/// t s, s (1 + t (1 - s)), w (2 - t T), w (t (1 - 6w) - 3 T), with 1 - s = logistic(-t).
#[inline]
fn silu(k: usize, t: f64) -> Interval {
    let x = number(t);
    if t.abs() > EXPONENTIAL_LIMIT {
        return match (k, t > 0.0) {
            (0, true) => x * logistic_at(t),
            (1, true) => Interval::new(1.0, 1f64.next_up()),
            (3, true) => Interval::new(0.0, TINY),
            _ => Interval::new(-TINY, 0.0),
        };
    }
    if k < 2 {
        let s = logistic_at(t);
        return if k == 0 { x * s } else { s * (Interval::ONE + x * logistic_at(-t)) };
    }
    let h = half(t);
    let (w, hyperbolic) = (number(0.25) * sech_squared(h), tanh(h));
    if k == 2 {
        w * (number(2.0) - x * hyperbolic)
    } else {
        w * (x * (Interval::ONE - number(6.0) * w) - number(3.0) * hyperbolic)
    }
}

/// t Phi, Phi + t phi, phi (2 - t^2), phi t (t^2 - 4).
#[inline]
fn gelu(k: usize, t: f64) -> Interval {
    let x = number(t);
    if t.abs() > NORMAL_LIMIT {
        return match (k, t > 0.0) {
            (0, true) => x * normal_cdf_at(t),
            (1, true) => Interval::new(1.0, 1f64.next_up()),
            (3, true) => Interval::new(0.0, TINY),
            _ => Interval::new(-TINY, 0.0),
        };
    }
    match k {
        0 => x * normal_cdf_at(t),
        1 => normal_cdf_at(t) + x * normal_density_at(t),
        2 => normal_density_at(t) * (number(2.0) - x.square()),
        _ => normal_density_at(t) * x * (x.square() - number(4.0)),
    }
}

/// r = 1/(1 + |t|): t r, r^2, -2 sign(t) r^3 (at 0 the value on the right).
#[inline]
fn softsign(k: usize, t: f64) -> Interval {
    let x = number(t.clamp(-f64::MAX, f64::MAX));
    let r = Interval::ONE / (Interval::ONE + x.abs());
    match k {
        0 if t > 1e300 => Interval::new(1f64.next_down(), 1.0),
        0 if t < -1e300 => Interval::new(-1.0, -1f64.next_down()),
        0 => x * r,
        1 => r.square(),
        _ => {
            let size = number(2.0) * r * r.square();
            if t < 0.0 { size } else { -size }
        }
    }
}
