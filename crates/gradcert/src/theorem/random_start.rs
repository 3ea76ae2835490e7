//! (T10) The probability that a LeCun start lies where training is proved to reach zero loss.
//!
//! One output, sigma(0) = 0, `C1 <= sigma' <= C2` with `C1 > 0`, `b = 0`, all entries of `W_1, ..., W_L` independent with the law
//! `N(0, 1/d_{l-1})`. Let E(A) be the event that all entries of `W_2, ..., W_L` lie in `[A, 2A]` and `|W_1|_F < w(A)`. On E(A) every
//! entry of `W_2, ..., W_L` is at least A/2 on the ball of radius `r = A/2`, so the entries of g_1 are at least
//! `kappa = (C1 A/2)^{L-1} prod_{l=2}^{L-1} d_l`, and (T6) gives `smin(J) >= psi = sqrt(d_1) kappa smin(Xt)`. At the start
//! `|F| <= C2^{L-1} |X| |W_1|_F prod_{l>=2} |W_l|` with `|W_l| <= 2A sqrt(d_l d_{l-1})`. So (T3) certifies gradient flow if
//! `|y| + C2^{L-1} |X| |W_1|_F prod_{l>=2} 2A sqrt(d_l d_{l-1}) < r psi`, and w(A) is the `|W_1|_F` at which equality holds.
//!
//! All entries are independent and `d_0 |W_1|_F^2` is a chi-square variable with `d_0 d_1` degrees of freedom, so the
//! probability of E(A) is a product that is evaluated with rounding, on the scale of logarithms.

use super::inputs::InputBounds;
use super::probability::{ln_gamma_law, ln_normal_between, ln_one_minus_exp};
use crate::network::activation::Activation;
use gradcert_rigor::elementary::{constants, exp, ln};
use gradcert_rigor::{Interval, Lower, Upper};

/// A hypothesis of (T10) that is not met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unmet {
    /// The slope of the activation has no positive lower bound.
    #[error(
        "the theorem about random starts needs 0 < C1 <= sigma' <= C2, and the slope of this activation comes arbitrarily close to \
         0: use smooth-leaky-relu or identity"
    )]
    Slope,
    /// The inputs are not proved to be independent.
    #[error(
        "the theorem about random starts needs independent inputs, and that is not proved: merge duplicated rows, use more features, \
         or --whiten"
    )]
    DependentInputs,
}

impl Unmet {
    /// Stable name.
    pub fn code(self) -> &'static str {
        match self {
            Unmet::Slope => "slope_floor",
            Unmet::DependentInputs => "dependent_inputs",
        }
    }
}

/// The setting of (T10).
#[derive(Clone, Debug)]
pub struct RandomStart {
    widths: Vec<usize>,
    slopes: (Interval, Interval),
    smin_inputs: Lower,
    smax_inputs: Upper,
    targets: Upper,
}

/// The event E(A) with the largest probability found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likeliest {
    /// A.
    pub scale: f64,
    /// w(A), from below.
    pub largest_first_layer: Lower,
    /// `log10 P(E(A))`, from below.
    pub log10_probability: f64,
    /// `log10 P(|W_1|_F < w(A))` alone, from below: the probability for a start that is conditioned on the box.
    pub log10_first_layer: f64,
}

impl RandomStart {
    /// `widths` are d_0, ..., d_L. `trained` bounds Xt, the inputs as the trained first layer sees them (a constant column where its
    /// bias is trained); `plain` bounds X, which is all that enters F at the start; `targets` is at least `|y|`. Norms over samples are
    /// weighted by multiplicities.
    pub fn new(
        activation: Activation,
        widths: &[usize],
        trained: &InputBounds,
        plain: Upper,
        targets: Upper,
    ) -> Result<RandomStart, Unmet> {
        let floor = activation.slope_floor();
        if !(floor.is_positive() && activation.vanishes_at_zero()) {
            return Err(Unmet::Slope);
        }
        if !trained.smin.is_positive() {
            return Err(Unmet::DependentInputs);
        }
        let ceiling = activation.sup_slope(Interval::ENTIRE);
        Ok(RandomStart {
            widths: widths.to_vec(),
            slopes: (Interval::exact(floor.get()), Interval::exact(ceiling.get())),
            smin_inputs: trained.smin,
            smax_inputs: plain,
            targets,
        })
    }

    fn layers(&self) -> usize {
        self.widths.len() - 1
    }

    fn width(&self, l: usize) -> Interval {
        Interval::exact(self.widths[l] as f64)
    }

    /// `ln` of `(A/2) sqrt(d_1) kappa smin(Xt)`.
    fn ln_reserve(&self, scale: f64) -> Interval {
        let half = Interval::exact(scale) * Interval::exact(0.5);
        let layers = self.layers();
        let growth = ln(self.slopes.0 * half) * Interval::exact((layers - 1) as f64);
        let widths = (2..layers).fold(Interval::ZERO, |sum, l| sum + ln(self.width(l)));
        let inputs = ln(self.width(1)) * Interval::exact(0.5) + ln(Interval::exact(self.smin_inputs.get()));
        ln(half) + growth + widths + inputs
    }

    /// `ln` of `C2^{L-1} |X| prod_{l>=2} 2A sqrt(d_l d_{l-1})`.
    fn ln_gain(&self, scale: f64) -> Interval {
        let layers = self.layers();
        let slopes = ln(self.slopes.1) * Interval::exact((layers - 1) as f64);
        let entry = ln(Interval::exact(2.0) * Interval::exact(scale));
        let half = Interval::exact(0.5);
        (2..=layers).fold(slopes + ln(Interval::exact(self.smax_inputs.get())), |sum, l| {
            sum + entry + half * (ln(self.width(l)) + ln(self.width(l - 1)))
        })
    }

    /// `ln w(A)`, enclosed; `None` where `(A/2) sqrt(d_1) kappa smin(Xt) > |y|` is not proved.
    fn ln_largest_first_layer(&self, scale: f64) -> Option<Interval> {
        let reserve = self.ln_reserve(scale);
        if self.targets.get() == 0.0 {
            return Some(reserve - self.ln_gain(scale));
        }
        let share = ln(Interval::exact(self.targets.get())) - reserve;
        (share.hi() < 0.0).then(|| reserve + ln_one_minus_exp(share) - self.ln_gain(scale))
    }

    /// w(A), from below; 0 where the event is empty or not proved to be anything else.
    pub fn largest_first_layer(&self, scale: f64) -> Lower {
        self.ln_largest_first_layer(scale).map_or(Lower::ZERO, |w| exp(w).lower())
    }

    /// `ln P(W_2, ..., W_L in [A, 2A])`: the sum over layers of `d_l d_{l-1} ln P(A sqrt d_{l-1} <= X <= 2A sqrt d_{l-1})`.
    pub fn ln_probability_of_box(&self, scale: f64) -> Interval {
        (2..=self.layers()).fold(Interval::ZERO, |sum, l| {
            let a = Interval::exact(scale) * self.width(l - 1).sqrt();
            sum + self.width(l) * self.width(l - 1) * ln_normal_between(a)
        })
    }

    /// `ln P(|W_1|_F < w(A))`: `|W_1|_F^2 = chi^2_{d_0 d_1} / d_0`.
    pub fn ln_probability_of_first_layer(&self, scale: f64) -> Interval {
        let Some(w) = self.ln_largest_first_layer(scale) else {
            return Interval::exact(f64::NEG_INFINITY);
        };
        let half_square = w + w + ln(self.width(0)) - constants::LN_2;
        let shape = 0.5 * self.widths[0] as f64 * self.widths[1] as f64;
        ln_gamma_law(shape, half_square)
    }

    /// `ln P(E(A))`, enclosed, for the bounds of the inputs as they are: a lower bound of the probability that the start is
    /// certified by its lower end.
    pub fn ln_probability(&self, scale: f64) -> Interval {
        let first = self.ln_probability_of_first_layer(scale);
        if first.lo() == f64::NEG_INFINITY { first } else { first + self.ln_probability_of_box(scale) }
    }

    /// The A with the largest probability: a scan over factors of A and golden sections around its best value. Every A gives a valid
    /// bound, so nothing depends on finding the best one. `None` where no A up to 1e150 has a positive probability that is proved.
    pub fn likeliest(&self) -> Option<Likeliest> {
        let value = |t: f64| self.ln_probability(t.exp()).lo();
        let edge = self.smallest_scale()?.ln();
        // Distances from the edge, where w(A) = 0, on a geometric scale.
        let distances: Vec<f64> = (-60..=40).map(|k| 10f64.powf(0.1 * f64::from(k))).collect();
        let best =
            (0..distances.len()).max_by(|&i, &j| value(edge + distances[i]).total_cmp(&value(edge + distances[j])))?;
        let (low, high) = (distances[best.saturating_sub(1)], distances[(best + 1).min(distances.len() - 1)]);
        let at = golden(&value, edge + low, edge + high);
        let better = [at, edge + distances[best]].into_iter().max_by(|a, b| value(*a).total_cmp(&value(*b)))?;
        let scale = better.exp();
        let ln_probability = self.ln_probability(scale).lo();
        ln_probability.is_finite().then(|| Likeliest {
            scale,
            largest_first_layer: self.largest_first_layer(scale),
            log10_probability: to_log10(ln_probability),
            log10_first_layer: to_log10(self.ln_probability_of_first_layer(scale).lo()),
        })
    }

    /// About the smallest A whose event is not empty.
    fn smallest_scale(&self) -> Option<f64> {
        let proved = |a: f64| self.ln_largest_first_layer(a).is_some();
        let (mut low, mut high) = (1e-150f64.ln(), 1e150f64.ln());
        if !proved(high.exp()) {
            return None;
        }
        while high - low > 1e-9 {
            let middle = 0.5 * (low + high);
            if proved(middle.exp()) { high = middle } else { low = middle }
        }
        Some(high.exp())
    }
}

/// A lower bound of `log10 p` from one of `ln p`.
fn to_log10(ln_p: f64) -> f64 {
    (Interval::exact(ln_p) / ln(Interval::exact(10.0))).lo()
}

/// A point near a maximum of f on `[low, high]`.
fn golden(f: &dyn Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let section = 0.5 * (5f64.sqrt() - 1.0);
    let (mut a, mut b) = (high - section * (high - low), low + section * (high - low));
    let (mut at_a, mut at_b) = (f(a), f(b));
    for _ in 0..40 {
        if at_a > at_b {
            (high, b, at_b) = (b, a, at_a);
            a = high - section * (high - low);
            at_a = f(a);
        } else {
            (low, a, at_a) = (a, b, at_b);
            b = low + section * (high - low);
            at_b = f(b);
        }
    }
    0.5 * (low + high)
}
