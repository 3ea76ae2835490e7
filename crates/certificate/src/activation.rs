//! Activations: values, slopes, curvatures at a point, and their extremes on intervals. All have `sigma(0) = 0`.

use gradcert_rigor::elementary::{
    constants, erf_at, gaussian_at, ln_1p, logistic, logistic_at, normal_cdf_at, sech_squared_at, tanh_at,
};
use gradcert_rigor::{Interval, Upper, elementary};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Activation {
    /// `c t + (1 - c)(log(1 + e^t) - log 2)`, 0 <= c < 1; c = 0 is the shifted softplus.
    SmoothLeakyRelu(f64),
    Tanh,
    /// The logistic function minus 1/2.
    Logistic,
    Erf,
    Arctan,
    /// `t / sqrt(1 + t^2)`.
    Algebraic,
    /// `t / (1 + |t|)`.
    Softsign,
    Silu,
    Gelu,
    Identity,
}

/// How the slope runs.
enum Slope {
    /// Non-decreasing.
    Increasing,
    /// Even, non-increasing in |t|.
    Bell,
    /// Increasing on `[-knee, knee]`, at least `-floor` everywhere, at most `floor` in absolute value left of `-knee`.
    Knee { knee: f64, floor: f64 },
}

/// `|sigma''|` is even. It rises up to somewhere in `peak` and falls after it, never above `rest` beyond `knee`.
struct Curvature {
    peak: (f64, f64),
    knee: f64,
    rest: f64,
}

use Activation::*;

impl Activation {
    pub(crate) fn parse(name: &str) -> Option<Activation> {
        Some(match name {
            "softplus" => SmoothLeakyRelu(0.0),
            "tanh" => Tanh,
            "logistic" => Logistic,
            "erf" => Erf,
            "arctan" => Arctan,
            "algebraic" => Algebraic,
            "softsign" => Softsign,
            "silu" => Silu,
            "gelu" => Gelu,
            "identity" => Identity,
            _ => {
                let c: f64 = name.strip_prefix("smooth-leaky-relu:")?.parse().ok()?;
                (c > 0.0 && c < 1.0).then_some(SmoothLeakyRelu(c))?
            }
        })
    }

    /// `sigma(t)`.
    pub(crate) fn value_at(self, t: f64) -> Interval {
        let x = Interval::exact(t);
        match self {
            // log(1 + e^t) - log 2 = t/2 + log cosh(t/2), and log cosh(t/2) = |t|/2 + log((1 + e^-|t|)/2).
            SmoothLeakyRelu(c) => {
                let e = elementary::expm1_at(-t.abs()) * Interval::exact(0.5);
                let even = Interval::exact(0.5 * t.abs()) + ln_1p(e);
                Interval::exact(c) * x + (Interval::ONE - Interval::exact(c)) * (Interval::exact(0.5 * t) + even)
            }
            Tanh => tanh_at(t),
            Logistic => tanh_at(0.5 * t) * Interval::exact(0.5),
            Erf => erf_at(t),
            Arctan => elementary::atan_at(t),
            Algebraic => x / (Interval::ONE + x.square()).sqrt(),
            Softsign => x / (Interval::ONE + x.abs()),
            Silu => x * logistic_at(t),
            Gelu => x * normal_cdf_at(t),
            Identity => x,
        }
    }

    /// `sigma'(t)`.
    pub(crate) fn slope_at(self, t: f64) -> Interval {
        let x = Interval::exact(t);
        match self {
            SmoothLeakyRelu(c) => Interval::exact(c) + (Interval::ONE - Interval::exact(c)) * logistic_at(t),
            Tanh => sech_squared_at(t),
            Logistic => sech_squared_at(0.5 * t) * Interval::exact(0.25),
            Erf => constants::TWO_OVER_SQRT_PI * gaussian_at(t),
            Arctan => Interval::ONE / (Interval::ONE + x.square()),
            Algebraic => (Interval::ONE / (Interval::ONE + x.square())).sqrt().powi(3),
            Softsign => (Interval::ONE / (Interval::ONE + x.abs())).square(),
            Silu => logistic_at(t) * (Interval::ONE + x * logistic(-x)),
            Gelu => normal_cdf_at(t) + x * normal_density(x),
            Identity => Interval::ONE,
        }
    }

    /// `|sigma''(t)|`.
    fn curvature_at(self, t: f64) -> Interval {
        let x = Interval::exact(t);
        let two = Interval::exact(2.0);
        match self {
            SmoothLeakyRelu(c) => (Interval::ONE - Interval::exact(c)) * logistic_slope(t),
            Tanh => two * tanh_at(t) * sech_squared_at(t),
            Logistic => logistic_slope(t) * tanh_at(0.5 * t),
            Erf => two * constants::TWO_OVER_SQRT_PI * x * gaussian_at(t),
            Arctan => two * x * (Interval::ONE / (Interval::ONE + x.square())).square(),
            Algebraic => Interval::exact(3.0) * x * (Interval::ONE / (Interval::ONE + x.square())).sqrt().powi(5),
            Softsign => two * (Interval::ONE / (Interval::ONE + x.abs())).powi(3),
            // s (1 - s) (2 + t (1 - 2 s)), 1 - 2 s = -tanh(t / 2).
            Silu => logistic_slope(t) * (two - x * tanh_at(0.5 * t)),
            Gelu => normal_density(x) * (two - x.square()),
            Identity => Interval::ZERO,
        }
        .abs()
    }

    fn slope_shape(self) -> Slope {
        match self {
            SmoothLeakyRelu(_) | Identity => Slope::Increasing,
            // The slopes turn at +-2.39935728 and +-sqrt 2; their least values are -0.09984 and -0.12891.
            Silu => Slope::Knee { knee: 2.399_357, floor: 0.0999 },
            Gelu => Slope::Knee { knee: 1.414, floor: 0.128_91 },
            _ => Slope::Bell,
        }
    }

    fn curvature_shape(self) -> Curvature {
        let around = |p: f64| Curvature { peak: (p - 1e-9, p + 1e-9), knee: f64::INFINITY, rest: 0.0 };
        match self {
            Tanh => around(0.658_478_948_462),     // artanh(1/sqrt 3)
            Logistic => around(1.316_957_896_925), // log(2 + sqrt 3)
            Erf => around(std::f64::consts::FRAC_1_SQRT_2),
            Arctan => around(0.577_350_269_190), // 1/sqrt 3
            Algebraic => around(0.5),
            // Both fall up to the zero near the knee; beyond it |sigma''| stays below 0.0493 and 2 phi(2) = 0.10799.
            Silu => Curvature { peak: (0.0, 0.0), knee: 2.399_357, rest: 0.0494 },
            Gelu => Curvature { peak: (0.0, 0.0), knee: 1.414, rest: 0.108 },
            _ => Curvature { peak: (0.0, 0.0), knee: f64::INFINITY, rest: 0.0 },
        }
    }

    /// `sup |sigma'|`, rounded up.
    fn greatest_slope(self) -> f64 {
        match self {
            Logistic => 0.25,
            Erf => 1.128_379_168,
            Silu => 1.099_839_321,
            Gelu => 1.128_904_146,
            _ => 1.0,
        }
    }

    /// `sup |sigma''|`, rounded up.
    fn greatest_curvature(self) -> f64 {
        match self {
            SmoothLeakyRelu(c) => gradcert_rigor::rounding::sub_up(1.0, c) * 0.25,
            Tanh => 0.769_800_358_92,       // 4 / (3 sqrt 3)
            Logistic => 0.096_225_044_865,  // 1 / (6 sqrt 3)
            Erf => 0.967_882_898_1,         // sqrt(8 / (e pi))
            Arctan => 0.649_519_052_839,    // 3 sqrt 3 / 8
            Algebraic => 0.858_650_103_361, // 1.5 / 1.25^2.5
            Softsign => 2.0,
            Silu => 0.5,
            Gelu => 0.797_884_560_81, // 2 / sqrt(2 pi)
            Identity => 0.0,
        }
    }

    /// `sup |sigma'''|`, rounded up, where `sigma''(0) = 0`.
    pub(crate) fn third_if_flat(self) -> Option<Upper> {
        match self {
            Tanh | Arctan => Some(Upper::new(2.0)),
            Logistic => Some(Upper::new(0.125)),
            Erf => Some(Upper::new(2.256_758_335)), // 4 / sqrt pi
            Algebraic => Some(Upper::new(3.0)),
            Identity => Some(Upper::ZERO),
            _ => None,
        }
    }

    /// Is sigma' non-decreasing and convex on the negative axis, with `sigma'(t) >= sigma'(-|t|)`?
    pub(crate) fn slope_is_convex_on_the_left(self) -> bool {
        matches!(self, SmoothLeakyRelu(_) | Identity)
    }

    /// A positive lower bound of sigma' on the whole line, if there is one.
    pub(crate) fn slope_floor(self) -> Option<f64> {
        match self {
            SmoothLeakyRelu(c) if c > 0.0 => Some(c),
            Identity => Some(1.0),
            _ => None,
        }
    }

    /// `sigma' > 0` everywhere (T7)?
    pub(crate) fn is_increasing(self) -> bool {
        !matches!(self, Silu | Gelu)
    }

    /// `sigma` and `sigma'` on a short interval: the value in the middle, widened by the Lipschitz constant.
    pub(crate) fn value_and_slope(self, z: Interval) -> (Interval, Interval) {
        let (middle, radius) = (z.middle(), z.radius());
        let widened = |x: Interval, lipschitz: f64| {
            let r = (Upper::new(lipschitz) * radius).get();
            x + Interval::new(-r, r)
        };
        (
            widened(self.value_at(middle), self.greatest_slope()),
            widened(self.slope_at(middle), self.greatest_curvature()),
        )
    }

    /// `sup |sigma'|` over all points within `reach` of one of the units.
    pub(crate) fn slope_above(self, units: &[Interval], reach: Upper) -> Upper {
        let highest = units.iter().fold(f64::NEG_INFINITY, |a, z| a.max(z.hi()));
        let nearest = units.iter().fold(f64::INFINITY, |a, z| a.min(z.mignitude().get()));
        let end = gradcert_rigor::rounding::add_up(highest, reach.get());
        let bound = match self.slope_shape() {
            Slope::Increasing => self.slope_at(end).hi(),
            Slope::Bell => self.slope_at(gradcert_rigor::rounding::sub_down(nearest, reach.get()).max(0.0)).hi(),
            Slope::Knee { knee, .. } if end >= knee => self.greatest_slope(),
            Slope::Knee { knee, floor } => self.slope_at(end.max(-knee)).hi().max(floor),
        };
        Upper::new(bound.min(self.greatest_slope()))
    }

    /// `inf sigma'` over `|t| <= reach`; of any sign.
    pub(crate) fn slope_below(self, reach: Upper) -> f64 {
        match self.slope_shape() {
            Slope::Knee { knee, floor } if reach.get() > knee => -floor,
            Slope::Bell => self.slope_at(reach.get()).lo(),
            _ => self.slope_at(-reach.get()).lo(),
        }
    }

    /// `sup |sigma''|` over all points within `reach` of one of the units. What counts is the |t| closest to the peak.
    pub(crate) fn curvature_above(self, units: &[Interval], reach: Upper) -> Upper {
        let Curvature { peak, knee, rest } = self.curvature_shape();
        let global = self.greatest_curvature();
        let (mut below, mut above) = (None::<f64>, None::<f64>);
        for z in units {
            let near = gradcert_rigor::rounding::sub_down(z.mignitude().get(), reach.get());
            let far = (z.magnitude() + reach).get();
            if far < peak.0 {
                below = Some(below.map_or(far, |b| b.max(far)));
            } else if near > peak.1 {
                above = Some(above.map_or(near, |a| a.min(near)));
            } else {
                return Upper::new(global);
            }
        }
        let left = below.map_or(0.0, |t| self.curvature_at(t).hi());
        let right = above.map_or(0.0, |t| if t < knee { self.curvature_at(t).hi().max(rest) } else { rest });
        Upper::new(left.max(right).min(global))
    }
}

/// `s (1 - s)`, s the logistic function.
fn logistic_slope(t: f64) -> Interval {
    sech_squared_at(0.5 * t) * Interval::exact(0.25)
}

fn normal_density(x: Interval) -> Interval {
    constants::INVERSE_SQRT_2_PI * elementary::exp(-(x.square() * Interval::exact(0.5)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Activation; 11] = [
        SmoothLeakyRelu(0.1),
        SmoothLeakyRelu(0.0),
        Tanh,
        Logistic,
        Erf,
        Arctan,
        Algebraic,
        Softsign,
        Silu,
        Gelu,
        Identity,
    ];

    /// Slopes against differences of values, curvatures against differences of slopes.
    #[test]
    fn derivatives_are_derivatives() {
        for f in ALL {
            for k in -60..=60 {
                let (t, h) = (k as f64 * 0.11 + 0.003, 1e-5);
                let difference = (f.value_at(t + h).middle() - f.value_at(t - h).middle()) / (2.0 * h);
                assert!((difference - f.slope_at(t).middle()).abs() < 1e-8, "{f:?} {t}");
                let second = (f.slope_at(t + h).middle() - f.slope_at(t - h).middle()) / (2.0 * h);
                assert!((second.abs() - f.curvature_at(t).middle()).abs() < 1e-8, "{f:?} {t}");
            }
            assert!(f.value_at(0.0).contains(0.0) && f.value_at(0.0).radius().get() < 1e-15);
        }
    }

    /// No sampled point exceeds the extremes; some sampled point comes close to them.
    #[test]
    fn extremes_on_intervals_hold_and_are_nearly_attained() {
        for f in ALL {
            for i in -30..30 {
                for width in [0.01, 0.3, 2.0, 9.0] {
                    let (z, reach) = (Interval::exact(i as f64 * 0.2), Upper::new(width));
                    let points: Vec<f64> = (0..=400).map(|k| z.lo() + width * (k as f64 / 200.0 - 1.0)).collect();
                    let inside = |t: &&f64| **t >= z.lo() - width && **t <= z.lo() + width;
                    let slopes = points.iter().filter(inside).map(|&t| f.slope_at(t).abs().lo()).fold(0.0, f64::max);
                    let bends = points.iter().filter(inside).map(|&t| f.curvature_at(t).lo()).fold(0.0, f64::max);
                    let (s, c) = (f.slope_above(&[z], reach).get(), f.curvature_above(&[z], reach).get());
                    assert!(slopes <= s && bends <= c, "{f:?} {i} {width}: {slopes} {s} {bends} {c}");
                    if !matches!(f, Silu | Gelu | Softsign) {
                        assert!(s <= slopes * 1.01 + 1e-3 && c <= bends * 1.01 + 3e-2 * width, "{f:?} {i} {width}");
                    }
                }
            }
            for k in 0..100 {
                let m = 0.1 * k as f64;
                let least = (0..=200).map(|j| f.slope_at(m * (j as f64 / 100.0 - 1.0)).hi()).fold(1e9, f64::min);
                assert!(f.slope_below(Upper::new(m)) <= least);
            }
        }
    }

    #[test]
    fn third_derivatives_stay_below_their_bounds() {
        for f in ALL {
            let Some(bound) = f.third_if_flat() else { continue };
            for k in -500..500 {
                let (t, h) = (k as f64 * 0.01, 1e-3);
                let signed = |t: f64| if t < 0.0 { -f.curvature_at(t).middle() } else { f.curvature_at(t).middle() };
                assert!(((signed(t + h) - signed(t - h)) / (2.0 * h)).abs() <= bound.get() + 1e-9, "{f:?} {t}");
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
