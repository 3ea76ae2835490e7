//! Derivatives of the activations up to order seven. Each activation satisfies a differential equation, which gives its Taylor
//! coefficients one after the other.

use crate::activation::Activation::{self, Algebraic, Arctan, Erf, Gelu, Silu, SmoothLeakyRelu, Softsign, Tanh};
use gradcert_rigor::elementary::{constants, gaussian, logistic, normal_cdf, normal_density, sech_squared, tanh};
use gradcert_rigor::{Interval, Upper};

/// The highest order; the last one serves to verify the table of suprema.
const LAST: usize = 7;

pub(crate) type Coefficients = [Interval; LAST + 1];

/// `sigma^(k)(t)`, k = 1, ..., 7, for all points of t (entry 0 unused). Softsign has no third derivative.
pub(crate) fn derivatives(f: Activation, t: Interval) -> Coefficients {
    let (one, r) = (Interval::ONE, Interval::ONE / (Interval::ONE + t.square()));
    let coefficients = match f {
        // (s tanh(s t))_k = s^(k+1) tanh_k(s t).
        Tanh(s) => scaled(hyperbolic(Interval::exact(s) * t), s, Interval::exact(s)),
        // Only sigma' has a part of the linear term.
        SmoothLeakyRelu(c) => {
            let rest = if c == 1.0 { Interval::ZERO } else { one - Interval::exact(c) };
            let mut slope = logistic_coefficients(t).map(|w| rest * w);
            slope[0] = slope[0] + Interval::exact(c);
            integrated(slope)
        }
        // u' = -2 t u of sigma' = 2/sqrt(pi) e^(-t^2).
        Erf => {
            integrated(three_terms(constants::TWO_OVER_SQRT_PI * gaussian(t), t, |k| (2.0, 2.0, one / count(k + 1))))
        }
        // (1 + t^2) u = 1 of sigma'.
        Arctan => integrated(three_terms(r, t, |_| (2.0, 1.0, r))),
        // (1 + t^2) u' = -3 t u of sigma' = (1 + t^2)^(-3/2).
        Algebraic => {
            integrated(three_terms(r.sqrt().powi(3), t, |k| (2.0 * k as f64 + 3.0, k as f64 + 2.0, r / count(k + 1))))
        }
        Silu => times_argument(logistic_coefficients(t), t),
        // u' = -t u of the density.
        Gelu => {
            let mut cdf = integrated(three_terms(normal_density(t), t, |k| (1.0, 1.0, one / count(k + 1))));
            cdf[0] = normal_cdf(t);
            times_argument(cdf, t)
        }
        Softsign => [Interval::ENTIRE; LAST + 1],
    };
    let factorial = |k: usize| (1..=k).fold(one, |product, j| product * count(j));
    std::array::from_fn(|k| factorial(k) * coefficients[k])
}

fn count(k: usize) -> Interval {
    Interval::exact(k as f64)
}

/// Of tanh: y' = u and u' = -2 y u, u = sech^2, without the difference 1 - y^2.
fn hyperbolic(t: Interval) -> Coefficients {
    let (mut y, mut u) = ([tanh(t); LAST + 1], [sech_squared(t); LAST + 1]);
    for k in 0..LAST {
        let product = (0..=k).fold(Interval::ZERO, |sum, i| sum + y[i] * u[k - i]);
        y[k + 1] = u[k] / count(k + 1);
        u[k + 1] = -(count(2) * product / count(k + 1));
    }
    y
}

/// Of `a f(s t)`, from those of f at s t.
fn scaled(c: Coefficients, s: f64, a: Interval) -> Coefficients {
    std::array::from_fn(|k| a * Interval::exact(s).powi(k as u32) * c[k])
}

/// Of `1 / (1 + e^-t) = (1 + tanh(t/2)) / 2`.
fn logistic_coefficients(t: Interval) -> Coefficients {
    let half = Interval::exact(0.5);
    let mut w = scaled(hyperbolic(half * t), 0.5, half);
    w[0] = logistic(t);
    w
}

/// `u_{k+1} = -(a t u_k + b u_{k-1}) factor`, (a, b, factor) the rule at k.
fn three_terms(first: Interval, t: Interval, rule: impl Fn(usize) -> (f64, f64, Interval)) -> Coefficients {
    let (mut u, mut before) = ([first; LAST + 1], Interval::ZERO);
    for k in 0..LAST {
        let (a, b, factor) = rule(k);
        u[k + 1] = -((Interval::exact(a) * t * u[k] + Interval::exact(b) * before) * factor);
        before = u[k];
    }
    u
}

/// Of a function with the slope u; its value is left out.
fn integrated(u: Coefficients) -> Coefficients {
    std::array::from_fn(|k| if k == 0 { Interval::ZERO } else { u[k - 1] / count(k) })
}

/// Of t times a function.
fn times_argument(c: Coefficients, t: Interval) -> Coefficients {
    std::array::from_fn(|k| if k == 0 { t * c[0] } else { t * c[k] + c[k - 1] })
}

/// `sup |sigma^(k)|` over the line, k = 2, ..., 6, plus at most 2e-12: of tanh, softplus, erf, arctan, `t/sqrt(1 + t^2)`, SiLU, GELU.
const SUPREMA: [[f64; 5]; 7] = [
    [0.769_800_358_921, 2.000_000_000_001, 4.085_885_502_971, 16.000_000_000_001, 52.265_953_133_357],
    [0.250_000_000_001, 0.096_225_044_866, 0.125_000_000_001, 0.127_683_921_969, 0.250_000_000_001],
    [0.967_882_898_078, 2.256_758_334_193, 4.404_702_716_008, 13.540_550_005_148, 36.913_694_874_078],
    [0.649_519_052_840, 2.000_000_000_001, 4.668_559_284_157, 24.000_000_000_001, 100.458_982_935_030],
    [0.858_650_103_361, 3.000_000_000_001, 8.061_666_654_015, 45.000_000_000_001, 206.630_176_997_738],
    [0.500_000_000_001, 0.308_181_515_798, 0.500_000_000_001, 0.658_028_262_416, 1.500_000_000_001],
    [0.797_884_560_804, 0.778_769_635_057, 1.595_769_121_607, 2.842_525_014_445, 7.180_961_047_227],
];

/// `sup |sigma^(k)|` over the line, k = 2, ..., 6; unknown for softsign.
pub(crate) fn supremum(f: Activation, k: usize) -> Upper {
    let (row, factor) = match f {
        Tanh(s) => (0, Interval::exact(s).powi(k as u32 + 1)),
        SmoothLeakyRelu(1.0) => return Upper::ZERO,
        SmoothLeakyRelu(c) => (1, Interval::ONE - Interval::exact(c)),
        Erf => (2, Interval::ONE),
        Arctan => (3, Interval::ONE),
        Algebraic => (4, Interval::ONE),
        Silu => (5, Interval::ONE),
        Gelu => (6, Interval::ONE),
        Softsign => return Upper::UNKNOWN,
    };
    factor.upper() * Upper::new(SUPREMA[row][k - 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Activation; 10] = [
        Tanh(1.0),
        Tanh(0.5),
        SmoothLeakyRelu(0.0),
        SmoothLeakyRelu(0.3),
        SmoothLeakyRelu(1.0),
        Erf,
        Arctan,
        Algebraic,
        Silu,
        Gelu,
    ];

    /// The first two by other formulas, every other one as the slope of the one before.
    #[test]
    fn derivatives_are_derivatives() {
        for f in ALL {
            for k in -60..=60 {
                let t = 0.11 * k as f64 + 0.003;
                let at = |t: f64| derivatives(f, Interval::exact(t));
                let (exact, here) = (f.at(t), at(t));
                assert!(here[1].meets(exact[1]) && here[2].meets(exact[2]), "{f:?} {t}");
                let h = 1e-5;
                let (before, after) = (at(t - h), at(t + h));
                for order in 2..=LAST {
                    let slope = (after[order - 1].middle() - before[order - 1].middle()) / (2.0 * h);
                    let error = (slope - here[order].middle()).abs();
                    assert!(error < 1e-5 * (1.0 + here[order].middle().abs()), "{f:?} {order} {t}: {error}");
                    assert!(here[order].radius().get() < 1e-10, "{f:?} {order} {t}: {:?}", here[order]);
                }
            }
        }
    }

    /// Is `|sigma^(k)| <= bound` on t for certain? By the mean value theorem, halving where that does not suffice.
    fn below(f: Activation, k: usize, t: Interval, bound: f64, depth: usize) -> bool {
        let middle = Interval::exact(t.middle());
        let range = derivatives(f, middle)[k] + derivatives(f, t)[k + 1] * (t - middle);
        if range.magnitude().get() <= bound {
            return true;
        }
        let halves = [Interval::new(t.lo(), t.middle()), Interval::new(t.middle(), t.hi())];
        depth > 0 && halves.iter().all(|&half| below(f, k, half, bound, depth - 1))
    }

    /// On |t| <= 40. Beyond, by Cauchy's estimate on discs of radius 1 (of radius |t|/2 for arctan and `t/sqrt(1 + t^2)`), on which
    /// sigma' is at most e^(2 - |t|) |t| in size, or 16/t^2, away from a constant, all are below 1e-6.
    #[test]
    fn suprema_are_suprema() {
        for f in ALL {
            for k in 2..=6 {
                let bound = supremum(f, k).get();
                assert!(below(f, k, Interval::new(-40.0, 40.0), bound, 45), "{f:?} {k}");
                let largest =
                    (-800..800).map(|i| derivatives(f, Interval::exact(i as f64 * 0.005))[k].magnitude().get());
                assert!(largest.fold(0.0, f64::max) >= bound * (1.0 - 1e-3) - 1e-11, "{f:?} {k}");
            }
        }
    }

    #[test]
    fn softsign_is_refused() {
        assert_eq!(supremum(Softsign, 3), Upper::UNKNOWN);
        assert!(!derivatives(Softsign, Interval::ONE)[3].is_finite());
    }
}
