//! Activations: value, slope and curvature at a point, and their ranges on intervals. All have `sigma(0) = 0`.

use crate::audit::derivatives::supremum;
use gradcert_rigor::elementary::{
    atan_at, constants, erf_at, expm1_at, gaussian_at, ln_1p, logistic, logistic_at, normal_cdf_at, normal_density_at,
    sech_squared_at, tanh_at,
};
use gradcert_rigor::rounding::{add_up, sub_down};
use gradcert_rigor::{Interval, Upper};
use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Activation {
    /// `c t + (1 - c)(log(1 + e^t) - log 2)`, 0 <= c <= 1: c = 0 is the shifted softplus, c = 1 the identity.
    SmoothLeakyRelu(f64),
    /// `s tanh(s t)`: s = 1 is tanh, s = 1/2 the logistic function minus 1/2.
    Tanh(f64),
    Erf,
    Arctan,
    /// `t / sqrt(1 + t^2)`.
    Algebraic,
    /// `t / (1 + |t|)`.
    Softsign,
    Silu,
    Gelu,
}

use Activation::*;

impl Activation {
    pub(crate) fn parse(name: &str) -> Option<Activation> {
        Some(match name {
            "softplus" => SmoothLeakyRelu(0.0),
            "identity" => SmoothLeakyRelu(1.0),
            "tanh" => Tanh(1.0),
            "logistic" => Tanh(0.5),
            "erf" => Erf,
            "arctan" => Arctan,
            "algebraic" => Algebraic,
            "softsign" => Softsign,
            "silu" => Silu,
            "gelu" => Gelu,
            _ => {
                let c: f64 = name.strip_prefix("smooth-leaky-relu:")?.parse().ok()?;
                (c > 0.0 && c < 1.0).then_some(SmoothLeakyRelu(c))?
            }
        })
    }

    /// `sigma(t)`, `sigma'(t)`, `sigma''(t)`; of softsign, where sigma'' jumps at 0, `|sigma''(t)|`.
    pub(crate) fn at(self, t: f64) -> [Interval; 3] {
        let [x, one, two, three, half] = [t, 1.0, 2.0, 3.0, 0.5].map(Interval::exact);
        // w (1 - w), w the logistic function.
        let logistic_slope = || sech_squared_at(0.5 * t) * Interval::exact(0.25);
        match self {
            // log(1 + e^t) - log 2 = t/2 + log cosh(t/2), and log cosh(t/2) = |t|/2 + log((1 + e^-|t|)/2).
            SmoothLeakyRelu(c) => {
                let even = half * x.abs() + ln_1p(expm1_at(-t.abs()) * half);
                // Exactly 0 for the identity.
                let (rest, c) = (if c == 1.0 { Interval::ZERO } else { one - Interval::exact(c) }, Interval::exact(c));
                [c * x + rest * (half * x + even), c + rest * logistic_at(t), rest * logistic_slope()]
            }
            Tanh(s) => {
                let (value, slope, s) = (tanh_at(s * t), sech_squared_at(s * t), Interval::exact(s));
                [s * value, s.square() * slope, -(two * s.powi(3) * value * slope)]
            }
            Erf => {
                let slope = constants::TWO_OVER_SQRT_PI * gaussian_at(t);
                [erf_at(t), slope, -(two * x * slope)]
            }
            Arctan => {
                let slope = one / (one + x.square());
                [atan_at(t), slope, -(two * x * slope.square())]
            }
            Algebraic => {
                let r = one / (one + x.square()).sqrt();
                [x * r, r.powi(3), -(three * x * r.powi(5))]
            }
            Softsign => {
                let r = one / (one + x.abs());
                [x * r, r.square(), two * r.powi(3)]
            }
            // w (1 - w) (2 + t (1 - 2 w)), 1 - 2 w = -tanh(t / 2).
            Silu => {
                let w = logistic_at(t);
                [x * w, w * (one + x * logistic(-x)), logistic_slope() * (two - x * tanh_at(0.5 * t))]
            }
            Gelu => {
                let (share, density) = (normal_cdf_at(t), normal_density_at(t));
                [x * share, share + x * density, density * (two - x.square())]
            }
        }
    }

    /// Encloses the derivative of order 1 or 2 (see [`Activation::at`]) at all points within `reach` of one of the units.
    ///
    /// Between turning points it is monotone, so in each piece the outermost points decide. A turning point known to 1e-11 is as
    /// good as the exact one: the next derivative vanishes there, so the value differs by less than 1e-22 times the second
    /// next one, in relation by less than 1e-15, as values are above 0.01 and derivatives below 20 where the point is not exact.
    pub(crate) fn derivative(self, order: usize, units: &[Interval], reach: Upper) -> Interval {
        if units.iter().any(|z| !(z.magnitude() + reach).is_finite()) {
            return Interval::ENTIRE;
        }
        let mut range: Option<Interval> = None;
        let mut left = f64::NEG_INFINITY;
        for &right in self.turning_points()[order - 1].iter().chain([&f64::INFINITY]) {
            let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
            for z in units {
                let (a, b) = (sub_down(z.lo(), reach.get()).max(left), add_up(z.hi(), reach.get()).min(right));
                if a <= b {
                    (low, high) = (low.min(a), high.max(b));
                }
            }
            if low <= high {
                let ends = self.at(low)[order].hull(self.at(high)[order]);
                range = Some(range.map_or(ends, |x| x.hull(ends)));
            }
            left = right;
        }
        range.unwrap_or(Interval::ENTIRE) * Interval::new(1.0 - 1e-15, 1.0 + 1e-15)
    }

    /// Where sigma' and sigma'' turn, to 1e-11: the zeros of sigma'' and of sigma'''. Both are monotone between.
    fn turning_points(self) -> [&'static [f64]; 2] {
        match self {
            SmoothLeakyRelu(_) => [&[], &[0.0]],
            Tanh(s) if s < 1.0 => [&[0.0], &[-1.316_957_896_925, 1.316_957_896_925]], // log(2 + sqrt 3)
            Tanh(_) => [&[0.0], &[-0.658_478_948_462, 0.658_478_948_462]],            // artanh(1/sqrt 3)
            Erf => [&[0.0], &[-FRAC_1_SQRT_2, FRAC_1_SQRT_2]],
            Arctan => [&[0.0], &[-0.577_350_269_190, 0.577_350_269_190]], // 1/sqrt 3
            Algebraic => [&[0.0], &[-0.5, 0.5]],
            Softsign => [&[0.0], &[0.0]],
            // T = tanh(t/2): t T = 2, and T (3 t T - 6) = t.
            Silu => [&[-2.399_357_280_515, 2.399_357_280_515], &[-3.435_840_993_511, 0.0, 3.435_840_993_511]],
            Gelu => [&[-SQRT_2, SQRT_2], &[-2.0, 0.0, 2.0]],
        }
    }

    /// `sup |sigma'''|`, rounded up; unknown where `sigma''(0)` is not 0.
    pub(crate) fn third_if_flat(self) -> Upper {
        if matches!(self, Tanh(_) | Erf | Arctan | Algebraic) { supremum(self, 3) } else { Upper::UNKNOWN }
    }

    /// A lower bound of sigma' on the whole line; 0 says nothing.
    pub(crate) fn slope_floor(self) -> f64 {
        if let SmoothLeakyRelu(c) = self { c } else { 0.0 }
    }

    /// `sigma' > 0` everywhere (T7)?
    pub(crate) fn is_increasing(self) -> bool {
        !matches!(self, Silu | Gelu)
    }

    /// `sigma` plus a constant and `sigma'` on an interval, by the mean value theorem.
    pub(crate) fn value_and_slope(self, z: Interval, shift: Interval) -> (Interval, Interval) {
        let (middle, slope) = (z.middle(), self.derivative(1, &[z], Upper::ZERO));
        (self.at(middle)[0] + shift + slope * (z - Interval::exact(middle)), slope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Activation; 11] = [
        SmoothLeakyRelu(0.1),
        SmoothLeakyRelu(0.0),
        Tanh(1.0),
        Tanh(0.5),
        Erf,
        Arctan,
        Algebraic,
        Softsign,
        Silu,
        Gelu,
        SmoothLeakyRelu(1.0),
    ];

    /// Slopes against differences of values, curvatures against differences of slopes.
    #[test]
    fn derivatives_are_derivatives() {
        for f in ALL {
            for k in -60..=60 {
                let (t, h) = (k as f64 * 0.11 + 0.003, 1e-5);
                let difference = (f.at(t + h)[0].middle() - f.at(t - h)[0].middle()) / (2.0 * h);
                assert!((difference - f.at(t)[1].middle()).abs() < 1e-8, "{f:?} {t}");
                let second = (f.at(t + h)[1].middle() - f.at(t - h)[1].middle()) / (2.0 * h);
                assert!((second.abs() - f.at(t)[2].middle().abs()).abs() < 1e-8, "{f:?} {t}");
            }
            assert!(f.at(0.0)[0].contains(0.0) && f.at(0.0)[0].radius().get() < 1e-15);
        }
    }

    /// No sampled point leaves the ranges; some sampled points come close to their ends.
    #[test]
    fn ranges_hold_and_are_nearly_attained() {
        for f in ALL {
            for i in -30..30 {
                for width in [0.0, 1e-9, 0.01, 0.3, 2.0, 9.0] {
                    // Two units apart, so that the reachable set may have a gap.
                    let units = [Interval::exact(i as f64 * 0.2), Interval::exact(1.7)];
                    let at = |z: f64, k: i32| (z + width * (k as f64 / 200.0 - 1.0)).clamp(z - width, z + width);
                    let points: Vec<f64> = units.iter().flat_map(|z| (0..=400).map(move |k| at(z.lo(), k))).collect();
                    for order in [1, 2] {
                        let range = f.derivative(order, &units, Upper::new(width));
                        let values: Vec<f64> = points.iter().map(|&t| f.at(t)[order].middle()).collect();
                        assert!(values.iter().all(|&x| range.contains(x)), "{f:?} {i} {width}");
                        let least = values.iter().fold(f64::INFINITY, |a, &b| a.min(b));
                        let greatest = values.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
                        let close = 1e-14 + 1e-2 * width;
                        assert!(range.hi() <= greatest + close && range.lo() >= least - close, "{f:?} {i} {width}");
                    }
                }
            }
        }
    }

    /// A turning point: the next derivative changes sign within 1e-9 around it (softsign turns by a jump).
    #[test]
    fn turning_points_are_turning_points() {
        for f in ALL.into_iter().filter(|&f| f != Softsign) {
            let [slopes, curvatures] = f.turning_points();
            for &t in slopes {
                assert!(f.at(t - 1e-9)[2].middle() * f.at(t + 1e-9)[2].middle() < 0.0, "{f:?} {t}");
            }
            for &t in curvatures {
                let third = |t: f64| f.at(t + 1e-4)[2].middle() - f.at(t - 1e-4)[2].middle();
                assert!(third(t - 1e-5) * third(t + 1e-5) <= 0.0, "{f:?} {t}");
            }
        }
    }

    #[test]
    fn third_derivatives_stay_below_their_bounds() {
        for f in ALL {
            let bound = f.third_if_flat();
            for k in -500..500 {
                let (t, h) = (k as f64 * 0.01, 1e-3);
                let change = f.at(t + h)[2].middle() - f.at(t - h)[2].middle();
                assert!((change / (2.0 * h)).abs() <= bound.get() + 1e-9, "{f:?} {t}");
            }
        }
    }

    #[test]
    fn names() {
        assert_eq!(Activation::parse("smooth-leaky-relu:0.1"), Some(SmoothLeakyRelu(0.1)));
        for name in
            ["relu", "smooth-leaky-relu:", "smooth-leaky-relu:1", "smooth-leaky-relu:-1", "smooth-leaky-relu:nan"]
        {
            assert_eq!(Activation::parse(name), None);
        }
    }
}
