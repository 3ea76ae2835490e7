//! The theorems for any function on two formulas where alpha is known on every ball: `x^2` and `(x y - 1)^2`.
//!
//! `alpha(x0, r)` is the infimum of `|grad f|^2 / f` over the ball of radius r around x0. It is 4 for `x^2`, and `4 (x^2 + y^2)` has the
//! infimum `4 (|x0| - r)^2` for `(x y - 1)^2` and r < |x0|.

use crate::{Comparison, Form};
use gradcert::function::{Formula, Function, Jet, Scalar, Terms};
use gradcert::theorem::criterion::{Options, Verdict, certify};
use gradcert::train::flow::{Field, Settings, integrate};

/// `x^2`.
struct Square;

impl Formula for Square {
    fn dimension(&self) -> usize {
        1
    }
    fn terms<T: Scalar>(&self, x: &[Jet<T>]) -> Option<Terms<T>> {
        Some(Terms::squares(vec![x[0].clone()]))
    }
}

/// `(x y - 1)^2`.
struct Hyperbola;

impl Formula for Hyperbola {
    fn dimension(&self) -> usize {
        2
    }
    fn terms<T: Scalar>(&self, x: &[Jet<T>]) -> Option<Terms<T>> {
        Some(Terms::squares(vec![&(&x[0] * &x[1]) - &Jet::integer(1)]))
    }
}

/// A function as the field of its gradient.
struct Gradient<'a>(&'a dyn Function);

impl Field for Gradient<'_> {
    fn dimension(&self) -> usize {
        self.0.dimension()
    }
    fn gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        self.0.gradient(x, gradient)
    }
}

/// What is proved from a start; nothing if it is no start.
fn verdict(f: &dyn Function, start: &[f64], options: &Options) -> Verdict {
    certify(f, start, options).unwrap_or_default()
}

/// Options for the flow alone, on the best ball or on a given one.
fn flow_only(radius: Option<f64>) -> Options {
    Options { radius, descent: false, ..Options::default() }
}

/// The last of the step function's bounds of alpha: that on the whole ball; 0 if there is none.
fn alpha_on_ball(f: &dyn Function, start: &[f64], radius: f64) -> f64 {
    let profile = verdict(f, start, &flow_only(Some(radius))).profile;
    profile.radii().len().checked_sub(1).map_or(0.0, |last| profile.alpha(last))
}

/// `x_k` of descent in doubles.
fn descend(f: &dyn Function, start: &[f64], step: f64, iterations: u32) -> Vec<f64> {
    let (mut x, mut gradient) = (start.to_vec(), vec![0.0; start.len()]);
    for _ in 0..iterations {
        f.gradient(&x, &mut gradient);
        for (c, g) in x.iter_mut().zip(&gradient) {
            *c -= step * g;
        }
    }
    x
}

fn equality(computed: f64, published: f64) -> Comparison {
    Comparison { computed, published, form: Form::Equality }
}

/// *Setting.* f = x^2, x0 = 1, a ball of any radius.
///
/// *Claim.* alpha = 4.
///
/// *Where.* The definition of alpha in section 1 (T1).
///
/// *Computed.* The proved lower bound of alpha.
///
/// *Form.* Equality, from below.
pub fn alpha_of_the_square(radius: f64) -> Comparison {
    equality(alpha_on_ball(&Square, &[1.0], radius), 4.0)
}

/// *Setting.* f = x^2, x0 = 1.
///
/// *Claim.* `4 f(x0) < r^2 alpha` if and only if r > 1.
///
/// *Where.* Theorem 1.1 (T1).
///
/// *Computed.* The smallest ball on which the hypothesis is proved.
///
/// *Form.* Equality, from above.
pub fn smallest_ball_of_the_square() -> Comparison {
    let flow = verdict(&Square, &[1.0], &flow_only(None)).flow_paper;
    equality(flow.map_or(f64::INFINITY, |flow| flow.radius), 1.0)
}

/// *Setting.* f = x^2, x0 = 1, gradient flow.
///
/// *Claim.* `f(x(t)) <= exp(-alpha t) f(x0)`, attained: both sides are `exp(-4 t)`.
///
/// *Where.* Theorem 1.1 (T1).
///
/// *Computed.* The integrated flow.
///
/// *Form.* Equality.
pub fn flow_of_the_square(time: f64) -> Comparison {
    let settings = Settings { tolerance: 0.0, time: Some(time), ..Settings::default() };
    let flow = integrate(&Gradient(&Square), &[1.0], &settings, None, &mut |_, _| true);
    equality(flow.value, (-4.0 * time).exp())
}

/// *Setting.* f = x^2, x0 = 1, descent with the step eta = eps < 1/2: L2 = 2, p = 1.
///
/// *Claim.* `f(x_k) <= (1 - delta)^k f(x0)`, `delta = (1 - eps) alpha eta`, attained: `1 - 4 (1 - eps) eps = (1 - 2 eps)^2`.
///
/// *Where.* Theorem 1.2 (T2).
///
/// *Computed.* f(x_k) of descent.
///
/// *Form.* Equality.
pub fn descent_on_the_square(epsilon: f64, iterations: u32) -> Comparison {
    let x = descend(&Square, &[1.0], epsilon, iterations);
    equality(Square.value(&x), (f64::from(iterations) * (-4.0 * (1.0 - epsilon) * epsilon).ln_1p()).exp())
}

/// *Setting.* f = x^2, x0 = 1, a ball of radius r >= 1.4.
///
/// *Claim.* With L1 = 2 (1 + 2 r), L2 = 2, p = 1 the steps `eta <= min( r / L1, eps )` are allowed, where `(1 - eps) r > 1`. The rate
/// `4 (1 - eps) eta` is best at `eps = eta = r / L1 < 1/4`.
///
/// *Where.* Theorem 1.2 (T2).
///
/// *Computed.* The best certified rate of the original theorem on balls up to this radius.
///
/// *Form.* Equality, from below.
pub fn rate_on_the_square(radius: f64) -> Comparison {
    let options = Options { radius: Some(radius), ..Options::default() };
    let descent = verdict(&Square, &[1.0], &options).descent_paper;
    let step = radius / (2.0 * (1.0 + 2.0 * radius));
    equality(descent.map_or(0.0, |d| d.rate), 4.0 * (1.0 - step) * step)
}

/// *Setting.* `f = (x y - 1)^2`, a start (x0, 0), r < x0.
///
/// *Claim.* `alpha = 4 (x0 - r)^2`.
///
/// *Where.* The definition of alpha in section 1 (T1).
///
/// *Computed.* The proved lower bound of alpha.
///
/// *Form.* Equality, from below.
pub fn alpha_of_the_hyperbola(start: f64, radius: f64) -> Comparison {
    equality(alpha_on_ball(&Hyperbola, &[start, 0.0], radius), 4.0 * (start - radius).powi(2))
}

/// *Setting.* `f = (x y - 1)^2`, starts (x0, 0).
///
/// *Claim.* `4 f(x0) < r^2 alpha` reads `1 < r (x0 - r)`: some r satisfies it if and only if x0 > 2.
///
/// *Where.* Theorem 1.1 (T1).
///
/// *Computed.* The smallest x0 from which the flow is certified by the original hypothesis, by bisection.
///
/// *Form.* Equality, from above.
pub fn smallest_start_on_the_hyperbola() -> Comparison {
    equality(smallest_start(&|verdict| verdict.flow_paper.is_some()), 2.0)
}

/// *Setting.* As above.
///
/// *Claim.* `sqrt f(x0) < integral_0^r phi`, `phi(s) = x0 - s`, reads `1 < x0 r - r^2 / 2`: some r satisfies it if and only if x0 > sqrt 2.
///
/// *Where.* Ours: (T1i).
///
/// *Computed.* The smallest x0 from which the flow is certified by the integral form, by bisection.
///
/// *Form.* Equality, from above.
pub fn smallest_start_by_the_integral() -> Comparison {
    equality(smallest_start(&|verdict| verdict.flow_integral.is_some()), 2f64.sqrt())
}

/// The smallest x0 with a verdict like this, to 1 part in 1000; infinite if 4 is too small.
fn smallest_start(certified: &dyn Fn(&Verdict) -> bool) -> f64 {
    let holds = |x0: f64| certified(&verdict(&Hyperbola, &[x0, 0.0], &flow_only(None)));
    let (mut low, mut high) = (1.0, 4.0);
    if !holds(high) {
        return f64::INFINITY;
    }
    while high / low > 1.001 {
        let middle = 0.5 * (low + high);
        if holds(middle) { high = middle } else { low = middle }
    }
    high
}

/// *Setting.* `f = (x y - 1)^2`, a start (x0, 0), x0 > sqrt 2, gradient flow.
///
/// *Claim.* The flow walks at most r*, the smaller solution of `x0 r - r^2 / 2 = 1`: `r* = x0 - sqrt(x0^2 - 2)`.
///
/// *Where.* Ours: (T1i).
///
/// *Computed.* The radius that is certified by the integral form.
///
/// *Form.* Equality, from above.
pub fn radius_on_the_hyperbola(start: f64) -> Comparison {
    let flow = verdict(&Hyperbola, &[start, 0.0], &flow_only(None)).flow_integral;
    equality(flow.map_or(f64::INFINITY, |flow| flow.radius), start - (start * start - 2.0).sqrt())
}

/// *Setting.* As above.
///
/// *Claim.* The flow keeps `x^2 - y^2`, so its limit solves `x y = 1`, `x^2 - y^2 = x0^2`: `2 x^2 = x0^2 + sqrt(x0^4 + 4)`.
///
/// *Where.* By hand; Theorem 1.1 (T1) claims that the limit exists.
///
/// *Computed.* The distance between start and end of the integrated flow.
///
/// *Form.* Equality.
pub fn limit_on_the_hyperbola(start: f64) -> Comparison {
    let flow = integrate(&Gradient(&Hyperbola), &[start, 0.0], &Settings::default(), None, &mut |_, _| true);
    let x = (0.5 * (start.powi(2) + (start.powi(4) + 4.0).sqrt())).sqrt();
    equality((flow.end[0] - start).hypot(flow.end[1]), (x - start).hypot(1.0 / x))
}

/// *Setting.* `f = (x y - 1)^2`, the start (2.5, 0), r = 1.25: alpha = 6.25, L2 = 50 at (5, 0), p = 2. `4 < (1 - eps)^2 r^2 alpha` allows
/// eps = 0.35, and with it `eta = 2 eps / (L2 p)` = 0.007, which is below `r / (L1 sqrt 2)`, L1 < 74.
///
/// *Claim.* `f(x_k) <= (1 - delta)^k f(x0)`, `delta = (1 - eps) alpha eta`.
///
/// *Where.* Theorem 1.2 (T2).
///
/// *Computed.* f(x_k) of descent.
///
/// *Form.* The computed number is at most the published one.
pub fn descent_on_the_hyperbola(iterations: u32) -> Comparison {
    let (epsilon, alpha, step) = (0.35, 6.25, 0.007f64);
    let x = descend(&Hyperbola, &[2.5, 0.0], step, iterations);
    let published = (f64::from(iterations) * (-(1.0 - epsilon) * alpha * step).ln_1p()).exp();
    Comparison { computed: Hyperbola.value(&x), published, form: Form::AtMost }
}

/// *Setting.* `f = (x y - 1)^2`, a start (x0, 0), 2 < x0 < 2 sqrt 2.
///
/// *Claim.* On the ball of radius r, `q = r (x0 - r)` must exceed 1, eps is below `1 - 1/q`, L2 at least `2 (x0 + 2 r)^2`, p = 2. As q < 2, eps
/// is below 1/2, so that the rate `(1 - eps) alpha eta <= (1 - eps) eps alpha / L2` is less than
/// `(1/q) (1 - 1/q) 2 (x0 - r)^2 / (x0 + 2 r)^2`.
///
/// *Where.* Theorem 1.2 (T2).
///
/// *Computed.* The best certified rate of the original theorem; published: the largest bound over a grid of r, which is the largest of
/// all up to 1 part in a million.
///
/// *Form.* The computed number is at most the published one.
pub fn rate_on_the_hyperbola(start: f64) -> Comparison {
    let descent = verdict(&Hyperbola, &[start, 0.0], &Options::default()).descent_paper;
    let bound = |r: f64| {
        let q = r * (start - r);
        (q - 1.0) / (q * q) * 2.0 * ((start - r) / (start + 2.0 * r)).powi(2)
    };
    let published = (1..100_000).map(|k| bound(start * f64::from(k) / 1e5)).fold(0.0, f64::max);
    Comparison { computed: descent.map_or(0.0, |d| d.rate), published, form: Form::AtMost }
}
