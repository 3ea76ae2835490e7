//! Derivatives up to the sixth, from the differential equation that each activation satisfies.
//!
//! Differentiated again and again, the equation gives each derivative from those before it, with integer coefficients. Intervals
//! enter in place of numbers; their width grows by a moderate factor, which is of no consequence where the argument is nearly a
//! point. A slope that may be small is a starting value, never 1 minus something.

use super::Activation::{self, *};
use super::pointwise::{EXPONENTIAL_LIMIT, NORMAL_LIMIT, TINY};
use gradcert_rigor::Interval;
use gradcert_rigor::elementary::{constants, gaussian, logistic, normal_cdf, normal_density, sech_squared, tanh};

/// The slope and its derivatives: orders 1 to 6 of sigma.
type Slopes = [Interval; 6];

const ZERO: Interval = Interval::ZERO;

fn number(n: f64) -> Interval {
    Interval::exact(n)
}

/// tanh and its slopes, from `w = sech^2`: `y' = w`, `w' = -2 y w` and `y^2 = 1 - w`. The derivative of an odd order `p(w)` is
/// `-2 y w p'(w)`, and that of `y q(w)` is `w q - 2 (1 - w) w q'`.
fn hyperbolic(x: Interval) -> (Interval, Slopes) {
    let (w, y) = (sech_squared(x), tanh(x));
    let yw = y * w;
    let third = number(4.0) - number(6.0) * w;
    let fourth = number(24.0) * w - number(8.0);
    let fifth = number(16.0) + number(120.0) * w * (w - Interval::ONE);
    let sixth = w * (number(480.0) - number(720.0) * w) - number(32.0);
    (y, [w, number(-2.0) * yw, w * third, yw * fourth, w * fifth, yw * sixth])
}

/// `1/(1 + e^-x) - 1/2 = tanh(x/2)/2` and its slopes.
fn centred_logistic(x: Interval) -> (Interval, Slopes) {
    let (y, slopes) = hyperbolic(number(0.5) * x);
    let mut factor = 0.5;
    let halved = |d| {
        factor *= 0.5;
        number(factor) * d
    };
    (number(0.5) * y, slopes.map(halved))
}

/// Solutions of `g^(k) = -f (a_k x g^(k-1) + b_k g^(k-2))`, the rule at k being `(a_k, b_k)`, from g at the point.
fn three_terms(first: Interval, x: Interval, f: Interval, rule: impl Fn(f64) -> (f64, f64)) -> Slopes {
    let mut g = [first; 6];
    let mut before = Interval::ZERO;
    for k in 1..6 {
        let (a, b) = rule(k as f64);
        let sum = number(a) * (x * g[k - 1]) + number(b) * before;
        g[k] = -(f * sum);
        before = g[k - 1];
    }
    g
}

/// `exp(-c x^2)` times a constant: `g' = -2 c x g`, differentiated k - 1 times.
fn bell(first: Interval, double_c: f64, x: Interval) -> Slopes {
    three_terms(first, x, Interval::ONE, |k| (double_c, double_c * (k - 1.0)))
}

/// `g = 1/(1 + x^2)`: `(1 + x^2) g = 1`, differentiated k times.
fn arctangent(x: Interval) -> Slopes {
    let g = Interval::ONE / (Interval::ONE + x.square());
    three_terms(g, x, g, |k| (2.0 * k, k * (k - 1.0)))
}

/// `g = (1 + x^2)^(-3/2)`: `(1 + x^2) g' = -3 x g`, differentiated k - 1 times.
fn algebraic(x: Interval) -> Slopes {
    let whole = Interval::ONE + x.square();
    let f = Interval::ONE / whole;
    three_terms(f / whole.sqrt(), x, f, |k| (2.0 * k + 1.0, (k - 1.0) * (k + 1.0)))
}

/// `x f` and its slopes, from those of f: `(x f)^(k) = x f^(k) + k f^(k-1)`.
fn times_argument(x: Interval, f: Interval, slopes: &Slopes) -> (Interval, Slopes) {
    let product = std::array::from_fn(|k| {
        let before = if k == 0 { f } else { number((k + 1) as f64) * slopes[k - 1] };
        x * slopes[k] + before
    });
    (x * f, product)
}

/// Beyond the limit orders from 2 on are below the smallest double: a power of x times an underflown factor would say less.
fn underflown_beyond(limit: f64, x: Interval, (value, mut slopes): (Interval, Slopes)) -> (Interval, Slopes) {
    if x.mignitude().get() > limit {
        slopes[1..].fill(Interval::new(-TINY, TINY));
    }
    (value, slopes)
}

impl Activation {
    /// Encloses sigma and its derivatives of orders 1 to 6 on an interval that is nearly a point (on a wide one with more room than
    /// necessary); none for softsign, which has no third derivative.
    pub fn enclose_derivatives(self, x: Interval) -> Option<[Interval; 7]> {
        let (value, [a, b, c, d, e, f]) = match self {
            Identity => (x, [Interval::ONE, ZERO, ZERO, ZERO, ZERO, ZERO]),
            SmoothLeakyRelu(_) | Softplus | PlainSoftplus => {
                let (_, [a, b, c, d, e, _]) = centred_logistic(x);
                let slope = self.enclose_slope(x);
                let [a, b, c, d, e] = [a, b, c, d, e].map(|d| self.scale_of_table(d));
                (self.enclose_value(x), [slope, a, b, c, d, e])
            }
            Tanh => hyperbolic(x),
            Logistic => centred_logistic(x),
            Sigmoid => (logistic(x), centred_logistic(x).1),
            Erf => {
                let slope = constants::TWO_OVER_SQRT_PI * gaussian(x);
                underflown_beyond(NORMAL_LIMIT, x, (self.enclose_value(x), bell(slope, 2.0, x)))
            }
            Arctan => (self.enclose_value(x), arctangent(x)),
            Algebraic => (self.enclose_value(x), algebraic(x)),
            Silu => {
                let product = times_argument(x, logistic(x), &centred_logistic(x).1);
                underflown_beyond(EXPONENTIAL_LIMIT, x, product)
            }
            Gelu => {
                let product = times_argument(x, normal_cdf(x), &bell(normal_density(x), 1.0, x));
                underflown_beyond(NORMAL_LIMIT, x, product)
            }
            Softsign => return None,
        };
        Some([value, a, b, c, d, e, f])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradcert_rigor::Upper;

    const SMOOTH: [Activation; 12] = [
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

    fn on(sigma: Activation, x: Interval) -> [Interval; 7] {
        sigma.enclose_derivatives(x).unwrap()
    }

    fn at(sigma: Activation, t: f64) -> [Interval; 7] {
        on(sigma, Interval::exact(t))
    }

    #[test]
    fn the_first_orders_agree_with_the_enclosures_of_ranges() {
        for sigma in SMOOTH {
            for t in points() {
                let near = Interval::new(t.next_down(), t.next_up());
                for x in [Interval::exact(t), near] {
                    let third = sigma.enclose_third(x).unwrap();
                    let other = [sigma.enclose_value(x), sigma.enclose_slope(x), sigma.enclose_curvature(x), third];
                    for (k, (a, b)) in on(sigma, x).into_iter().zip(other).enumerate() {
                        assert!(a.meets(b), "{sigma} {k} {t}: {a:?} {b:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn enclosures_are_narrow_where_the_argument_is_nearly_a_point() {
        for sigma in SMOOTH {
            for t in points() {
                for (k, d) in on(sigma, Interval::new(t.next_down(), t.next_up())).into_iter().enumerate() {
                    let scale = sigma.sup_derivative(k).map_or(d.magnitude().get(), Upper::get);
                    assert!(d.radius().get() <= 2e-14 * (1.0 + scale), "{sigma} {k} {t}: {d:?}");
                }
            }
        }
    }

    /// The difference quotient of order k - 1 is the value of order k somewhere between: it meets the enclosure over the interval, and
    /// that is no wider than the interval times a bound of the next order allows.
    #[test]
    fn each_order_is_the_derivative_of_the_one_before() {
        let h = 1.0 / 65_536.0;
        for sigma in SMOOTH {
            for t in points().filter(|t| t.abs() > 1e-6) {
                let (low, high, between) = (at(sigma, t), at(sigma, t + h), on(sigma, Interval::new(t, t + h)));
                for k in 1..7 {
                    let quotient = (high[k - 1] - low[k - 1]) / (Interval::exact(t + h) - Interval::exact(t));
                    assert!(quotient.meets(between[k]), "{sigma} {k} {t}: {quotient:?} {:?}", between[k]);
                    // Twenty thousand units of slope: polynomials of degree 6 in numbers up to 9, evaluated with intervals.
                    assert!(between[k].radius().get() <= 2e4 * h, "{sigma} {k} {t}: {:?}", between[k]);
                }
            }
        }
    }

    #[test]
    fn suprema_are_not_exceeded_and_nearly_attained() {
        for sigma in SMOOTH {
            let grid: Vec<[Interval; 7]> = (-1500..=1500).map(|i| at(sigma, f64::from(i) * 4e-3)).collect();
            for k in 3..7 {
                let bound = sigma.sup_derivative(k).unwrap().get();
                let largest = grid.iter().map(|d| d[k].mignitude().get()).fold(0.0, f64::max);
                assert!(largest <= bound && bound <= 1.001 * largest, "{sigma} {k}: {largest} {bound}");
            }
        }
    }

    #[test]
    fn far_away_nothing_blows_up() {
        for sigma in SMOOTH {
            for t in [50.5, 999.0, 1001.0, 1e9, 1e100, f64::MAX] {
                for (k, d) in at(sigma, t).into_iter().zip(at(sigma, -t)).enumerate().skip(2) {
                    let size = d.0.magnitude().max(d.1.magnitude()).get();
                    assert!(size <= 100.0 / t + 1e-300, "{sigma} {k} {t}: {size:e}");
                }
            }
            for x in [Interval::ENTIRE, Interval::new(-f64::MAX, f64::MAX), Interval::new(1.0, f64::INFINITY)] {
                for (k, d) in on(sigma, x).into_iter().enumerate().skip(3) {
                    assert!(d.meets(at(sigma, 1.5)[k]), "{sigma} {k} {x:?}: {d:?}");
                }
            }
        }
        assert!(Softsign.enclose_derivatives(Interval::ONE).is_none());
    }
}
