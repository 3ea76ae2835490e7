//! Derivatives up to the sixth, by recursions for Taylor coefficients.
//!
//! Each function satisfies a differential equation, which gives coefficient k + 1 from those before it. Intervals enter in place of
//! numbers; the recursions multiply their width by a moderate constant, which is of no consequence where the argument is nearly a
//! point. Where a slope may be small it is the starting value itself, never 1 minus something.

use super::Activation::{self, *};
use gradcert_rigor::Interval;
use gradcert_rigor::elementary::{constants, gaussian, logistic, normal_cdf, normal_density, sech_squared, tanh};

/// Coefficients of t^0, ..., t^6.
type Series = [Interval; ORDERS];

/// Orders 0 to 6.
const ORDERS: usize = 7;

fn number(n: usize) -> Interval {
    Interval::exact(n as f64)
}

/// The function with the value `first` whose derivative has the coefficients `slope`.
fn integrated(first: Interval, slope: &Series) -> Series {
    let mut result = [first; ORDERS];
    for k in 1..ORDERS {
        result[k] = slope[k - 1] / number(k);
    }
    result
}

fn convolution(a: &Series, b: &Series, k: usize) -> Interval {
    (0..=k).fold(Interval::ZERO, |sum, j| sum + a[j] * b[k - j])
}

fn scaled(factor: Interval, a: Series) -> Series {
    a.map(|x| factor * x)
}

/// `(x + t) a(t)`.
fn times_argument(x: Interval, a: &Series) -> Series {
    let mut result = [x * a[0]; ORDERS];
    for k in 1..ORDERS {
        result[k] = x * a[k] + a[k - 1];
    }
    result
}

/// `sech^2` and `tanh`: `w' = -2 y w`, `y' = w`.
fn tanh_and_slope(x: Interval) -> (Series, Series) {
    let (mut w, mut y) = ([sech_squared(x); ORDERS], [tanh(x); ORDERS]);
    for k in 1..ORDERS {
        y[k] = w[k - 1] / number(k);
        w[k] = -(number(2) * convolution(&y, &w, k - 1)) / number(k);
    }
    (w, y)
}

/// `w = p (1 - p)`, p the logistic function: `w' = -w T`, `T = tanh(x / 2)`, `T' = 2 w`.
fn logistic_slope(x: Interval) -> Series {
    let half = Interval::exact(0.5);
    let (mut w, mut t) = ([logistic(x) * logistic(-x); ORDERS], [tanh(half * x); ORDERS]);
    for k in 1..ORDERS {
        t[k] = number(2) * w[k - 1] / number(k);
        w[k] = -convolution(&w, &t, k - 1) / number(k);
    }
    w
}

/// `g' = -2 c x g` for a multiple of `exp(-c x^2)`.
fn bell(first: Interval, c: Interval, x: Interval) -> Series {
    let mut g = [first; ORDERS];
    for k in 1..ORDERS {
        let before = if k > 1 { g[k - 2] } else { Interval::ZERO };
        g[k] = -(number(2) * c * (x * g[k - 1] + before)) / number(k);
    }
    g
}

/// `1 / (1 + x^2)`: `(1 + x^2) r_k + 2 x r_{k-1} + r_{k-2} = 0`.
fn witch(x: Interval) -> Series {
    let whole = Interval::ONE + x.square();
    let mut r = [Interval::ONE / whole; ORDERS];
    for k in 1..ORDERS {
        let before = if k > 1 { r[k - 2] } else { Interval::ZERO };
        r[k] = -(number(2) * x * r[k - 1] + before) / whole;
    }
    r
}

/// `(1 + x^2)^{-3/2}`: `(1 + x^2) g' = -3 x g`, so
/// `(1 + x^2) k g_k = -(2 x (k-1) g_{k-1} + (k-2) g_{k-2}) - 3 (x g_{k-1} + g_{k-2})`.
fn algebraic_slope(x: Interval) -> Series {
    let whole = Interval::ONE + x.square();
    let root = Interval::ONE / whole.sqrt();
    let mut g = [root * root.square(); ORDERS];
    for k in 1..ORDERS {
        let before = if k > 1 { g[k - 2] } else { Interval::ZERO };
        let sum = number(2 * k + 1) * x * g[k - 1] + number(k + 1) * before;
        g[k] = -sum / (whole * number(k));
    }
    g
}

impl Activation {
    /// Encloses sigma and its first six derivatives on an interval that is nearly a point; none for softsign, whose slope has
    /// none.
    pub fn enclose_derivatives(self, x: Interval) -> Option<[Interval; 7]> {
        let value = self.enclose_value(x);
        let mut series = match self {
            Identity => integrated(value, &integrated(Interval::ONE, &[Interval::ZERO; ORDERS])),
            SmoothLeakyRelu(c) => {
                let slope = integrated(logistic(x), &logistic_slope(x));
                let mut series = scaled(Interval::ONE - Interval::exact(c), integrated(value, &slope));
                series[1] = series[1] + Interval::exact(c);
                series
            }
            Softplus | PlainSoftplus => integrated(value, &integrated(logistic(x), &logistic_slope(x))),
            Tanh => tanh_and_slope(x).1,
            Logistic | Sigmoid => integrated(value, &logistic_slope(x)),
            Erf => integrated(value, &bell(constants::TWO_OVER_SQRT_PI * gaussian(x), Interval::ONE, x)),
            Arctan => integrated(value, &witch(x)),
            Algebraic => integrated(value, &algebraic_slope(x)),
            Silu => times_argument(x, &integrated(logistic(x), &logistic_slope(x))),
            Gelu => {
                let density = bell(normal_density(x), Interval::exact(0.5), x);
                times_argument(x, &integrated(normal_cdf(x), &density))
            }
            Softsign => return None,
        };
        let mut factorial = Interval::ONE;
        for k in 1..ORDERS {
            factorial = factorial * number(k);
            series[k] = series[k] * factorial;
        }
        series[0] = value;
        Some(series)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Activation; 12] = [
        SmoothLeakyRelu(0.1),
        Softplus,
        PlainSoftplus,
        Tanh,
        Logistic,
        Sigmoid,
        Erf,
        Arctan,
        Algebraic,
        Silu,
        Gelu,
        Identity,
    ];

    fn points() -> impl Iterator<Item = f64> {
        (-90..=90).map(|k| k as f64 * 0.1 + 0.013).chain([0.0, 1e-300, -1e-9, 25.0, -40.0])
    }

    fn at(f: Activation, t: f64) -> [Interval; 7] {
        f.enclose_derivatives(Interval::exact(t)).unwrap()
    }

    #[test]
    fn the_first_orders_agree_with_the_closed_forms() {
        for f in ALL {
            for t in points() {
                let x = Interval::exact(t);
                let other =
                    [f.enclose_value(x), f.enclose_slope(x), f.enclose_curvature(x), f.enclose_third(x).unwrap()];
                for (k, (a, b)) in at(f, t).into_iter().zip(other).enumerate() {
                    assert!(a.meets(b), "{f} {k} {t}: {a:?} {b:?}");
                    let width = a.radius().get();
                    assert!(width <= 1e-13 * (1.0 + a.magnitude().get()), "{f} {k} {t}: {width:e}");
                }
            }
        }
    }

    /// The mean of order k over an interval is the difference of order k - 1 over its length: it lies in the enclosure of order k
    /// there, widened by what the next order allows.
    #[test]
    fn each_order_is_the_derivative_of_the_one_before() {
        let h = 1.0 / 1024.0;
        for f in ALL {
            for t in points() {
                let (low, high, middle) = (at(f, t - h), at(f, t + h), at(f, t));
                for k in 1..7 {
                    let difference = (high[k - 1] - low[k - 1]) / Interval::exact(2.0 * h);
                    // Third differences: h^2 / 6 times order k + 2, below 3000 for all of these and k <= 4, below 10^6 beyond.
                    let error = if k <= 4 { 3e3 } else { 1e6 } * h * h;
                    let gap = (difference - middle[k]).mignitude().get();
                    assert!(gap <= error, "{f} {k} {t}: {gap}");
                }
            }
        }
    }

    #[test]
    fn suprema_are_not_exceeded_and_nearly_attained() {
        for f in ALL {
            let grid: Vec<Series> = (-1500..=1500).map(|i| at(f, i as f64 * 4e-3)).collect();
            for k in 3..7 {
                let bound = f.sup_derivative(k).unwrap().get();
                let largest = grid.iter().map(|d| d[k].mignitude().get()).fold(0.0, f64::max);
                assert!(largest <= bound && bound <= 1.001 * largest + 1e-12, "{f} {k}: {largest} {bound}");
            }
        }
    }
}
