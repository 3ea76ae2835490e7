//! (T9m) A multiplicative lower bound of `smin(J)` at the positive start.

use crate::activation::Activation;
use crate::start::Centre;
use gradcert_rigor::{Interval, Lower, Upper};

const CELLS: usize = 64;

/// Lower bound of `smin(J)` on B(w0, s): the minimum over a cover of the splits of the ball between the first layer and
/// the rest. In a cell `s_1 / s` lies between two neighbours of a decreasing sequence from 1 to 0; the larger one bounds
/// s_1, the smaller one every other budget. Any sequence will do.
pub(crate) fn psi(centre: &Centre, s: Upper) -> Lower {
    let Some(entries) = &centre.positive else { return Lower::ZERO };
    let share = |k: usize| match k {
        0 => 1.0,
        CELLS => 0.0,
        _ => (k as f64 / CELLS as f64 * std::f64::consts::FRAC_PI_2).cos(),
    };
    let cell = |k: usize| {
        let others = (Interval::ONE - Interval::exact(share(k + 1)).square()).sqrt().upper();
        kept(centre, entries, Upper::new(share(k)) * s * centre.largest_input(), others * s)
    };
    Lower::minimum((0..CELLS).map(cell)) * Lower::minimum(centre.g_low.iter().copied()) * centre.smin_inputs
}

/// Slopes of one layer on the reachable interval `[-zeta, zeta]`, relative to phi0 = sigma'(0).
struct Slopes {
    /// Bound of the rms of the relative deviations of the slopes from 1.
    xi: Interval,
    /// All slopes lie between these.
    top: Interval,
    floor: Interval,
    /// Jensen: lower bound of the mean slope, where sigma' is non-decreasing, convex on the negative axis, and
    /// `sigma'(t) >= sigma'(-|t|)`: smooth leaky-ReLU, softplus, identity.
    convex: Option<Interval>,
}

/// Lower bound of `|g_1| / |g_1(w0)|` when z_1 moves at most `first` and each group but the first layer at most `other`.
///
/// Write `g_{l+1} = gamma P (1 + nu)`, nu orthogonal to the ones, `|nu|_rms <= N`. The start's `W_{l+1}^T` sees only the
/// mean; the moved part adds a relative deviation of rms at most `y = D s sqrt(1 + N^2) / |W_{l+1}|`. The slopes are
/// `phi0 (1 + delta)`, `|delta|_rms <= xi`, of mean M and rms deviation v. The mean of the product is at least
/// `M - y sqrt(M^2 + v^2)` with `M^2 + v^2 <= 2 M - 1 + xi^2` and also `<= top^2`; this is convex in M, with slope >= 0
/// from the smallest admissible M on under the stated conditions. The rest is at most `v + top y`, and
/// `v <= min(xi, (top - floor) / 2)`.
fn kept(centre: &Centre, entries: &[f64], first: Upper, other: Upper) -> Lower {
    let (slopes, layers) = (slopes(centre, first, other), &centre.layers);
    let (one, half) = (Interval::ONE, Interval::exact(0.5));
    let (mut p, mut n) = (Lower::ONE, Upper::ZERO);
    for l in (1..centre.layers.count()).rev() {
        let Slopes { xi, top, floor, convex } = slopes[l - 1];
        let moved = Upper::new(layers.weights[l + 1]) * other;
        let width = Lower::new(layers.widths[l + 1] as f64) * Lower::new(layers.widths[l] as f64);
        let norm = Lower::new(entries[l + 1]) * width.sqrt();
        // A frozen layer adds nothing, whatever N.
        let y = if moved == Upper::ZERO { Upper::ZERO } else { moved / norm * Upper::ONE.hypot(n) };
        if !(xi.hi().is_finite() && top.hi().is_finite() && y.is_finite()) {
            return Lower::ZERO;
        }
        let y = Interval::exact(y.get());
        let mut mean = (one - xi).lo().max(floor.lo());
        let mut f = if y.hi() <= (one - xi).lo() { ((one - xi) * (one - y)).lower() } else { Lower::ZERO };
        if let Some(q) = convex {
            mean = mean.max(q.lo());
            let spread = Interval::exact(2.0) * q - one + xi.square();
            if y.square().hi() <= spread.lo() {
                f = f.max((q - y * spread.sqrt()).lower());
            }
        }
        f = f.max((Interval::exact(mean) - top * y).lower());
        if !f.is_positive() {
            return Lower::ZERO;
        }
        n = (xi.upper().min(((top - floor) * half).upper()) + (top * y).upper()) / f;
        p = p * f;
    }
    p
}

/// `zeta_1 = s_1 |x~|_max`, `zeta_l = (|W_l| + D s_l) sup|sigma'| zeta_{l-1} + D t_l`. On `[-zeta, zeta]` a slope differs
/// from phi0 by at most `sup |sigma''| |z_j|`, and where sigma''(0) = 0 by `sup |sigma'''| z_j^2 / 2`; the norm of
/// `(z_j)` and of `(z_j^2)^(1/2)` is at most zeta.
fn slopes(centre: &Centre, first: Upper, other: Upper) -> Vec<Slopes> {
    let (layers, f, zero) = (&centre.layers, centre.layers.activation, [Interval::ZERO]);
    let (slope, mut zeta, mut range) = (f.at(0.0)[1], first, Interval::ONE);
    let layer = |l: usize| {
        if l > 1 {
            let reach = centre.norm_w[l] + Upper::new(layers.weights[l]) * other;
            zeta = reach * range.magnitude() * zeta + Upper::new(layers.biases[l]) * other;
        }
        range = f.derivative(1, &zero, zeta);
        let flat = f.third_if_flat() * zeta.square() * Upper::HALF;
        let change = (f.derivative(2, &zero, zeta).magnitude() * zeta).min(flat);
        let root = Lower::new(layers.widths[l] as f64).sqrt();
        let mean = f.derivative(1, &zero, zeta / root).lo();
        // Each end as an exact number: the bound is monotone in it.
        let ends = [(change / root).get(), range.magnitude().get(), range.lo(), mean];
        let [xi, top, floor, mean] = ends.map(|x| Interval::exact(x) / slope);
        Slopes { xi, top, floor, convex: matches!(f, Activation::SmoothLeakyRelu(_)).then_some(mean) }
    };
    (1..centre.layers.count()).map(layer).collect()
}
