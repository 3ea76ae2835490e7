//! Networks along a line, `t -> F(w + t u)`, in truncated power series: derivatives of any order from arithmetic alone.
//!
//! Each activation is composed from exp, 1/(.), powers and an integral, so that nothing is shared with derivatives written by hand.

use super::plain::Sampled;
use super::sigma::{Sigma, normal_cdf};
use gradcert::network::activation::Activation;
use std::f64::consts::{FRAC_2_SQRT_PI, SQRT_2};

/// Coefficients of `t^0, ..., t^4`.
#[derive(Clone, Copy)]
pub(crate) struct Series([f64; LENGTH]);

const LENGTH: usize = 5;

impl Series {
    fn constant(c: f64) -> Series {
        let mut series = Series([0.0; LENGTH]);
        series.0[0] = c;
        series
    }

    fn line(start: f64, slope: f64) -> Series {
        let mut series = Series::constant(start);
        series.0[1] = slope;
        series
    }

    /// The derivative of order k at t = 0.
    pub(crate) fn derivative(&self, k: usize) -> f64 {
        (1..=k).fold(self.0[k], |product, j| product * j as f64)
    }

    fn plus(self, other: Series) -> Series {
        Series(std::array::from_fn(|k| self.0[k] + other.0[k]))
    }

    fn scaled(self, c: f64) -> Series {
        Series(self.0.map(|x| c * x))
    }

    fn times(self, other: Series) -> Series {
        Series(std::array::from_fn(|k| (0..=k).map(|j| self.0[j] * other.0[k - j]).sum()))
    }

    /// The series q with `q' self = e q self'`, that is `self^e`, from its value.
    fn power(self, value: f64, e: f64) -> Series {
        let mut q = Series::constant(value);
        for k in 1..LENGTH {
            let term = |j: usize| (e * j as f64 - (k - j) as f64) * self.0[j] * q.0[k - j];
            q.0[k] = (1..=k).map(term).sum::<f64>() / (k as f64 * self.0[0]);
        }
        q
    }

    fn reciprocal(self) -> Series {
        self.power(1.0 / self.0[0], -1.0)
    }

    fn exp(self) -> Series {
        let mut e = Series::constant(self.0[0].exp());
        for k in 1..LENGTH {
            e.0[k] = (1..=k).map(|j| j as f64 * self.0[j] * e.0[k - j]).sum::<f64>() / k as f64;
        }
        e
    }

    /// The series with this value whose derivative is `slope self'`.
    fn integral(self, value: f64, slope: Series) -> Series {
        let derivative = slope
            .times(Series(std::array::from_fn(|k| if k + 1 < LENGTH { (k + 1) as f64 * self.0[k + 1] } else { 0.0 })));
        Series(std::array::from_fn(|k| if k == 0 { value } else { derivative.0[k - 1] / k as f64 }))
    }

    /// `1/(1 + e^-x)` without overflow: for x < 0 it is `e^x/(1 + e^x)`.
    fn logistic(self) -> Series {
        let one = Series::constant(1.0);
        let e = self.scaled(if self.0[0] < 0.0 { 1.0 } else { -1.0 }).exp();
        let share = one.plus(e).reciprocal();
        if self.0[0] < 0.0 { e.times(share) } else { share }
    }

    fn through(self, sigma: Sigma) -> Series {
        let value = (sigma.value)(self.0[0]);
        let one_plus_square = Series::constant(1.0).plus(self.times(self));
        let bell = |c: f64| self.times(self).scaled(-c).exp();
        match sigma.of_library {
            Activation::Identity => self,
            Activation::SmoothLeakyRelu(c) => {
                self.integral(value, Series::constant(c).plus(self.logistic().scaled(1.0 - c)))
            }
            Activation::Softplus | Activation::PlainSoftplus => self.integral(value, self.logistic()),
            Activation::Tanh => self.scaled(2.0).logistic().scaled(2.0).plus(Series::constant(-1.0)),
            Activation::Logistic => self.logistic().plus(Series::constant(-0.5)),
            Activation::Sigmoid => self.logistic(),
            Activation::Erf => self.integral(value, bell(1.0).scaled(FRAC_2_SQRT_PI)),
            Activation::Arctan => self.integral(value, one_plus_square.reciprocal()),
            Activation::Algebraic => self.times(one_plus_square.power(one_plus_square.0[0].powf(-0.5), -0.5)),
            Activation::Silu => self.times(self.logistic()),
            Activation::Gelu => {
                let density = bell(0.5).scaled(0.5 * FRAC_2_SQRT_PI / SQRT_2);
                self.times(self.integral(normal_cdf(self.0[0]), density))
            }
            Activation::Softsign => panic!("softsign has no second derivative"),
        }
    }
}

/// `t -> F(w0 + D (u + t v))` for every row (sample, output), not weighted.
pub(crate) fn along(sampled: &Sampled, u: &[f64], v: &[f64]) -> Vec<Series> {
    let (from, to) = (sampled.net.moved(u), sampled.net.moved(v));
    let first = &sampled.net;
    let of_sample = |x: &Vec<f64>| {
        let mut h: Vec<Series> = x.iter().map(|&x| Series::constant(x)).collect();
        for l in 1..=first.layers() {
            let unit = |j: usize| {
                let bias = Series::line(from.biases[l][j], to.biases[l][j] - first.biases[l][j]);
                let weight =
                    |k: usize| Series::line(from.weights[l][j][k], to.weights[l][j][k] - first.weights[l][j][k]);
                h.iter().enumerate().fold(bias, |sum, (k, &h)| sum.plus(weight(k).times(h)))
            };
            let z: Vec<Series> = (0..from.biases[l].len()).map(unit).collect();
            h = if l < first.layers() { z.into_iter().map(|z| z.through(first.sigma)).collect() } else { z };
        }
        h
    };
    sampled.x.iter().flat_map(of_sample).collect()
}
