//! Enclosures of elementary functions, for every double.
//!
//! Each function comes twice: `exp(x)` encloses the values on an interval, `exp_at(x)` the value at one double. No
//! accuracy of the platform's mathematical library is assumed. A core computes the value as a pair of doubles
//! (`double_double`) from +, -, *, / alone, with a relative error proved in the comment above it, never more than
//! 2^-57; the pair is then rounded outward. So enclosures at a point are one unit in the last place wide, seldom two.
//! On intervals monotone functions are evaluated at the endpoints.
//!
//! An infinite endpoint means that the enclosed real number may be arbitrarily large; NaN gives [`Interval::ENTIRE`].
//! Upper bounds of positive values never vanish: where the value underflows they are the smallest subnormal number.

mod arctangent;
mod double_double;
mod error_function;
mod exponential;
mod logarithm;
mod power;
// Here a double that resembles a constant of the standard library is the leading part of a pair.
#[allow(clippy::approx_constant)]
#[rustfmt::skip]
mod tables;
mod trigonometric;

pub use arctangent::{atan, atan_at};
pub use error_function::{erf, erf_at, erfc, erfc_at, normal_cdf, normal_cdf_at, normal_density, normal_density_at};
pub use exponential::{
    exp, exp_at, expm1, expm1_at, gaussian, gaussian_at, logistic, logistic_at, sech_squared, sech_squared_at, tanh,
    tanh_at,
};
pub use logarithm::{ln, ln_1p, ln_1p_at, ln_at, softplus, softplus_at};
pub use power::{powf, powf_at};
pub use trigonometric::{cos, cos_at, sin, sin_at};

use crate::interval::Interval;

/// Enclosing intervals of constants, one unit in the last place wide.
pub mod constants {
    use crate::interval::Interval;
    use std::f64::consts;

    /// `pi`.
    pub const PI: Interval = from_below(consts::PI);
    /// `ln 2`.
    pub const LN_2: Interval = from_below(consts::LN_2);
    /// `1 / sqrt(pi)`.
    pub const INVERSE_SQRT_PI: Interval = from_below(0.5 * consts::FRAC_2_SQRT_PI);
    /// `2 / sqrt(pi)`.
    pub const TWO_OVER_SQRT_PI: Interval = from_below(consts::FRAC_2_SQRT_PI);
    /// `1 / sqrt(2 pi)`.
    pub const INVERSE_SQRT_2_PI: Interval = from_above(0.3989422804014327);
    /// `1 / sqrt 2`.
    pub const INVERSE_SQRT_2: Interval = from_above(consts::FRAC_1_SQRT_2);

    /// The double itself and the next one, for a number between them.
    const fn from_below(nearest: f64) -> Interval {
        Interval::ordered(nearest, nearest.next_up())
    }

    /// The double before and the double itself, for a number between them.
    const fn from_above(nearest: f64) -> Interval {
        Interval::ordered(nearest.next_down(), nearest)
    }
}

/// The range of a non-decreasing function on an interval, from its enclosure at points.
#[inline]
fn increasing(x: Interval, at: impl Fn(f64) -> Interval) -> Interval {
    let low = at(x.lo());
    if x.lo() == x.hi() { low } else { Interval::new(low.lo(), at(x.hi()).hi()) }
}

/// The range of an even function that does not increase with |x|, from its enclosure at points.
#[inline]
fn even_decreasing(x: Interval, at: impl Fn(f64) -> Interval) -> Interval {
    let (near, far) = (x.mignitude().get(), x.magnitude().get());
    let low = at(far);
    if near == far { low } else { Interval::new(low.lo(), at(near).hi()) }
}

/// The enclosure of an odd function from its enclosure on the non-negative doubles.
#[inline]
fn odd(x: f64, at: impl Fn(f64) -> Interval) -> Interval {
    if x < 0.0 { -at(-x) } else { at(x) }
}
