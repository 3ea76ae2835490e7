//! Lower bounds of `q = |grad f|^2 / (4 f)` on one box.
//!
//! q is the square of |grad sqrt f|, phi^2 is its infimum over the points of a ball at which f > 0. At zeros of f it is 0/0, so several
//! bounds are combined and the largest counts:
//!
//! - **quotient**: |grad f|^2 >= sum of the squared smallest magnitudes, divided by the upper end of 4 f;
//! - **first order**: where f > 0 on the box, q is differentiable with `grad q = H g / (2 f) - |g|^2 g / (4 f^2)`, and
//!   q(x) >= q(c) + inf (grad q . (x - c)), the infimum over box and ball;
//! - **squares** (f = sum g_i^2, n terms, Jacobian J): with g = (g_i) grad f = 2 J^T g, so q = |J^T g|^2 / |g|^2 >= smin(J)^2 = lmin(J J^T),
//!   n-th singular value, also next to zeros; for n = 1 q is exactly |grad g|^2, differentiable with gradient 2 (Hess g) grad g;
//! - **convexity** (a known zero z with grad f(z) = 0): if Hess f >= mu > 0 on a convex set that contains z, then there
//!   f(z) >= f(x) + grad f(x).(z - x) + mu |z - x|^2/2 >= f(x) - |grad f(x)|^2/(2 mu), so q >= mu/2, and f(x) >= f(z) = 0.

use super::region::{distance, distances, middle, widest, width};
use super::symmetric::Symmetric;
use crate::function::{Enclosure, Function, Jet};
use gradcert_rigor::rounding::{add_down, mul_down, mul_up, sub_down};
use gradcert_rigor::{Interval, Lower, Upper};

/// What is proved about q on the part of a box in a ball around the start.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    pub(super) region: Vec<Interval>,
    /// No point is nearer to the start.
    pub(super) near: f64,
    /// No point is farther from it.
    pub(super) far: f64,
    /// q >= flat; 0 where nothing is proved, in particular where f >= 0 or f in C^2 is not.
    flat: f64,
    /// q >= constant - slope s on the part within distance s of the start.
    line: Option<(f64, f64)>,
    /// q >= constant - multiplier s^2 there.
    parabola: Option<(f64, f64)>,
    /// The coordinate to bisect.
    pub(super) coordinate: usize,
    /// Is f proved to be in C^2 on the box?
    pub(super) defined: bool,
    /// Is f >= 0 proved?
    pub(super) nonnegative: bool,
}

impl Leaf {
    /// A lower bound of q on the part of the box within distance s of the start.
    pub(super) fn bound(&self, s: f64) -> f64 {
        let s = s.min(self.far);
        let line = self.line.map_or(0.0, |(constant, slope)| sub_down(constant, mul_up(slope, s)));
        let parabola =
            self.parabola.map_or(0.0, |(constant, multiplier)| sub_down(constant, mul_up(multiplier, mul_up(s, s))));
        self.flat.max(line).max(parabola)
    }

    pub(super) fn width(&self) -> f64 {
        widest(&self.region).1
    }

    fn unknown(region: Vec<Interval>, near: f64, far: f64) -> Leaf {
        let coordinate = widest(&region).0;
        Leaf {
            region,
            near,
            far,
            flat: 0.0,
            line: None,
            parabola: None,
            coordinate,
            defined: false,
            nonnegative: false,
        }
    }
}

/// Value and gradient of a jet on a box, narrowed by the mean value theorem, and its Hessian.
pub(super) struct Narrowed {
    pub(super) value: Interval,
    pub(super) gradient: Vec<Interval>,
    hessian: Vec<Interval>,
    /// At the middle of the box.
    centre_value: Interval,
    centre_gradient: Vec<Interval>,
}

impl Narrowed {
    /// g_i(X) is in g_i(c) + sum_j H_ij(X) (X_j - c_j), and f(X) in f(c) + sum_i g_i(X) (X_i - c_i).
    pub(super) fn new(whole: &Jet<Interval>, centre: &Jet<Interval>, offsets: &[Interval]) -> Narrowed {
        let p = offsets.len();
        let hessian: Vec<Interval> = (0..p * p).map(|at| whole.second_partial(at / p, at % p)).collect();
        let centre_gradient: Vec<Interval> = (0..p).map(|i| centre.partial(i)).collect();
        let gradient: Vec<Interval> = (0..p)
            .map(|i| {
                let change = (0..p).fold(Interval::ZERO, |sum, j| sum + hessian[i * p + j] * offsets[j]);
                meet(whole.partial(i), centre_gradient[i] + change)
            })
            .collect();
        let change = (0..p).fold(Interval::ZERO, |sum, i| sum + gradient[i] * offsets[i]);
        let value = meet(*whole.value(), *centre.value() + change);
        Narrowed { value, gradient, hessian, centre_value: *centre.value(), centre_gradient }
    }

    pub(super) fn hessian(&self, i: usize, j: usize) -> Interval {
        self.hessian[i * self.gradient.len() + j]
    }

    fn hessian_times_gradient(&self) -> Vec<Interval> {
        let p = self.gradient.len();
        (0..p).map(|i| (0..p).fold(Interval::ZERO, |sum, j| sum + self.hessian(i, j) * self.gradient[j])).collect()
    }
}

/// Two enclosures of one number; rounding alone cannot separate them.
fn meet(a: Interval, b: Interval) -> Interval {
    let (lo, hi) = (a.lo().max(b.lo()), a.hi().min(b.hi()));
    if lo <= hi { Interval::new(lo, hi) } else { a }
}

/// The box with what it takes to bound q on it.
struct Evaluation<'a> {
    region: &'a [Interval],
    start: &'a [f64],
    whole: &'a Enclosure,
    centre: &'a Enclosure,
    middle: Vec<f64>,
    offsets: Vec<Interval>,
}

/// Bounds q on the box. `zeros`: points at which f and its gradient are proved to vanish.
pub(super) fn leaf(f: &dyn Function, region: Vec<Interval>, start: &[f64], zeros: &[Vec<f64>]) -> Leaf {
    let (near, far) = distances(&region, start);
    let mut leaf = Leaf::unknown(region, near.get(), far.get());
    let Some(whole) = f.enclose(&leaf.region) else { return leaf };
    let middle = middle(&leaf.region);
    let point: Vec<Interval> = middle.iter().map(|&c| Interval::exact(c)).collect();
    let Some(centre) = f.enclose(&point) else { return leaf };
    leaf.defined = true;
    let offsets = leaf.region.iter().zip(&point).map(|(x, c)| *x - *c).collect();
    let region = leaf.region.clone();
    let evaluation = Evaluation { region: &region, start, whole: &whole, centre: &centre, middle, offsets };
    let function = Narrowed::new(whole.function(), centre.function(), &evaluation.offsets);
    leaf.nonnegative = f.is_nonnegative() || !whole.residuals().is_empty() || function.value.lo() >= 0.0;
    if leaf.nonnegative {
        evaluation.by_quotient(&function, &mut leaf);
        evaluation.by_squares(&mut leaf);
    }
    by_convexity(f, &mut leaf, zeros);
    leaf
}

impl Evaluation<'_> {
    fn by_quotient(&self, f: &Narrowed, leaf: &mut Leaf) {
        if f.value.hi() <= 0.0 {
            // f vanishes on the box: there is no point with f > 0.
            leaf.flat = f64::MAX;
            return;
        }
        // (|g_i| / f) |g_i|, in this order: the square of a gradient of size 1e-200 would vanish.
        let above = Upper::new(f.value.hi());
        let quotient: Lower = f.gradient.iter().map(|g| (g.mignitude() / above) * g.mignitude()).sum();
        leaf.flat = leaf.flat.max(mul_down(0.25, quotient.get()));
        if f.value.lo() <= 0.0 || f.centre_value.lo() <= 0.0 {
            return;
        }
        let value = f.value;
        let ratio = |g: &[Interval], v: Interval| g.iter().fold(Interval::ZERO, |sum, &g| sum + (g / v) * g);
        let squared = f.gradient.iter().fold(Interval::ZERO, |sum, &g| sum + (g / value).abs() * g.abs());
        let (half, quarter) = (Interval::exact(0.5), Interval::exact(0.25));
        let slopes: Vec<Interval> = f
            .hessian_times_gradient()
            .iter()
            .zip(&f.gradient)
            .map(|(&hg, &g)| half * (hg / value) - quarter * squared * (g / value))
            .collect();
        self.first_order(quarter * ratio(&f.centre_gradient, f.centre_value), &slopes, leaf);
    }

    fn by_squares(&self, leaf: &mut Leaf) {
        let residuals = self.whole.residuals();
        if residuals.is_empty()
            || residuals.len() > self.region.len()
            || residuals.len() != self.centre.residuals().len()
        {
            return;
        }
        let pairs = residuals.iter().zip(self.centre.residuals());
        let terms: Vec<Narrowed> = pairs.map(|(whole, centre)| Narrowed::new(whole, centre, &self.offsets)).collect();
        if let [g] = &terms[..] {
            let flat: Lower = g.gradient.iter().map(|d| d.mignitude().square()).sum();
            leaf.flat = leaf.flat.max(flat.get());
            let slopes: Vec<Interval> = g.hessian_times_gradient().iter().map(|&x| Interval::exact(2.0) * x).collect();
            let at_centre = g.centre_gradient.iter().fold(Interval::ZERO, |sum, d| sum + d.square());
            self.first_order(at_centre, &slopes, leaf);
            return;
        }
        let gram = Symmetric::new(terms.len(), |i, j| {
            let products = terms[i].gradient.iter().zip(&terms[j].gradient);
            products.fold(Interval::ZERO, |sum, (&a, &b)| sum + if i == j { a.square() } else { a * b })
        });
        leaf.flat = leaf.flat.max(gram.smallest_eigenvalue());
    }

    /// q(x) >= q(c) + grad q(xi).(x - c). With any vector m and e_i >= |grad_i q - m_i|:
    /// grad q.(x - c) >= m.(x - c) - sum e_i |x_i - c_i|. The infimum of m.(x - c) is bounded below
    /// on the box by -sum |m_i| |x_i - c_i|, within distance s of the start x0 by m.(x0 - c) - |m| s, and on both by duality.
    fn first_order(&self, at_centre: Interval, slopes: &[Interval], leaf: &mut Leaf) {
        if slopes.iter().any(|s| !s.lo().is_finite() || !s.hi().is_finite()) || !at_centre.lo().is_finite() {
            return;
        }
        let m: Vec<f64> = slopes.iter().map(|s| s.middle()).collect();
        let spread: Upper = slopes.iter().zip(&self.offsets).map(|(s, x)| s.radius() * x.magnitude()).sum();
        let fall: Upper = m.iter().zip(&self.offsets).map(|(m, x)| Upper::new(m.abs()) * x.magnitude()).sum();
        let base = sub_down(at_centre.lo(), spread.get());
        leaf.flat = leaf.flat.max(sub_down(base, fall.get()));
        let shift = m.iter().zip(self.start.iter().zip(&self.middle)).fold(Interval::ZERO, |sum, (&m, (&x0, &c))| {
            sum + Interval::exact(m) * (Interval::exact(x0) - Interval::exact(c))
        });
        let norm = Upper::norm(m.iter().map(|m| Upper::new(m.abs())).collect::<Vec<_>>());
        let constant = add_down(base, shift.lo());
        if constant.is_finite() && norm.is_finite() {
            leaf.line = Some((constant, norm.get()));
        }
        leaf.parabola = self.dual(base, &m, 0.5 * (leaf.near + leaf.far));
        leaf.coordinate = steepest(self.region, slopes);
    }

    /// For every lambda >= 0, on the part of the box within distance s of x0
    /// m.(x - c) >= sum_i [ m_i (x_i - c_i) + lambda (x_i - x0_i)^2 ] - lambda s^2,
    /// whose infimum over the box is a sum of infima of convex functions h of one variable; h(x) >= h(v) + h'(v)(x - v) at any v.
    /// The best of a few multipliers for one s; on the ball alone it would be |m| / (2 s).
    fn dual(&self, base: f64, m: &[f64], s: f64) -> Option<(f64, f64)> {
        let norm = m.iter().fold(0.0f64, |n, m| n.hypot(*m));
        let unit = 0.5 * norm / s;
        if !(unit > 0.0 && unit.is_finite()) {
            return None;
        }
        let value = |lambda: f64| {
            let terms = m.iter().enumerate().map(|(i, &m)| {
                let (x0, c) = (self.start[i], self.middle[i]);
                let v = (x0 - 0.5 * m / lambda).clamp(self.region[i].lo(), self.region[i].hi());
                m * (v - c) + lambda * (v - x0) * (v - x0)
            });
            terms.sum::<f64>() - lambda * s * s
        };
        let lambdas = [1.0, 0.85, 0.7, 0.55, 0.4, 0.25, 0.1].map(|factor| factor * unit);
        let lambda = lambdas.into_iter().max_by(|a, b| value(*a).total_cmp(&value(*b)))?;
        let exact = Interval::exact;
        let infima = m.iter().enumerate().map(|(i, &m)| {
            let (x0, c, side) = (self.start[i], self.middle[i], self.region[i]);
            let v = (x0 - 0.5 * m / lambda).clamp(side.lo(), side.hi());
            let offset = exact(v) - exact(x0);
            let at = exact(m) * (exact(v) - exact(c)) + exact(lambda) * offset.square();
            let slope = exact(m) + exact(2.0) * exact(lambda) * offset;
            (at + slope * (side - exact(v))).lo()
        });
        let constant = infima.fold(base, add_down);
        constant.is_finite().then_some((constant, lambda))
    }
}

/// The side along which q changes most, long sides first.
fn steepest(region: &[Interval], slopes: &[Interval]) -> usize {
    let (longest, length) = widest(region);
    let change = |i: usize| slopes[i].magnitude().get() * width(region[i]);
    let candidates = (0..region.len()).filter(|&i| width(region[i]) >= 0.1 * length);
    candidates.fold(longest, |best, i| if change(i) > change(best) { i } else { best })
}

fn by_convexity(f: &dyn Function, leaf: &mut Leaf, zeros: &[Vec<f64>]) {
    let middle = middle(&leaf.region);
    let Some(zero) = zeros.iter().min_by(|a, b| distance(a, &middle).total_cmp(&distance(b, &middle))) else { return };
    let hull: Vec<Interval> = leaf.region.iter().zip(zero).map(|(x, &z)| x.hull(Interval::exact(z))).collect();
    let Some(enclosure) = f.enclose(&hull) else { return };
    let mu = Symmetric::new(hull.len(), |i, j| enclosure.function().second_partial(i, j)).smallest_eigenvalue();
    if mu > 0.0 {
        leaf.flat = leaf.flat.max(mul_down(0.5, mu));
        leaf.nonnegative = true;
    }
}
