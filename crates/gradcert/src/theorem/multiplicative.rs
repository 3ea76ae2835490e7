//! (T9m) A multiplicative bound of psi at the positive start.
//!
//! At the positive start every backward vector is a multiple of the all-ones vector, and the layers keep it aligned:
//! `|g_1|` loses at most a factor per layer, where (T9+) subtracts. Statement: with budgets `s_1` for layer 1 and
//! `s_l` for the others, `|g_1(x)| >= P |g_1(w0)|`, so `psi = P |g_1(w0)| smin(Xt)`.
//!
//! Proof. Write `g_{l+1} = gamma P (1 + nu)`, nu orthogonal to 1, `|nu|_rms <= N`. `W_{l+1}(w0)^T` sees only the mean,
//! so `W_{l+1}^T g_{l+1} = const (1 + omega)`, `|omega|_rms <= y = (s_{l+1} / om_{l+1}) sqrt(1 + N^2)`. Multiply by the
//! slopes `phi0 (1 + delta)`, `|delta|_rms <= xi`. With M and v the mean and the rms deviation of `1 + delta`, the mean of
//! `(1 + delta)(1 + omega)` is at least `M - y sqrt(M^2 + v^2)`, and `(1 - M)^2 + v^2 <= xi^2` gives
//! `M^2 + v^2 <= 2M - 1 + xi^2`. The bound is convex in M, its slope at `M = 1 - xi` is non-negative when
//! `y <= 1 - xi`: the minimum there is `(1 - xi)(1 - y)`. The part orthogonal to 1 is at most `v + Db y`.
//! At any radius also `M >= mean`, `sqrt(M^2 + v^2) <= Db`, `v <= (Db - m)/2` (slopes relative to phi0 lie in [m, Db]).
//! Where sigma' is convex and non-decreasing on the negative axis and `sigma'(t) >= sigma'(-|t|)`, Jensen's inequality
//! gives `M >= q = sigma'(-zeta / sqrt d) / phi0`, and the convex bound may be read at M = q when its slope there is
//! non-negative, i.e. `y^2 <= 2q - 1 + xi^2`.

use super::start::PositiveStart;
use gradcert_rigor::rounding::{add_up, mul_down, sub_down};
use gradcert_rigor::{Interval, Lower, Upper};
use std::sync::LazyLock;

/// Cells that cover the split of the radius between layer 1 and the others, for a certificate.
pub const CELLS: usize = 64;

/// psi(s), relative to `|g_1(w0)| smin(Xt)`: the smallest P over the cover of the splits.
///
/// Splits with `s_other = s t`, t in a cell [lo, hi], have `s_1 <= s sqrt(1 - lo^2)` and `s_other <= s hi`.
/// Fewer `cells` are as valid and looser.
pub fn multiplicative_factor(start: &PositiveStart, s: f64, cells: usize) -> Lower {
    // m_l is clipped at 0 below, which would be wrong for a slope of both signs; no cells cover nothing.
    if cells == 0 || !(start.activation.has_positive_slope() && start.is_positive()) {
        return Lower::ZERO;
    }
    let s = Upper::new(s);
    let slope_at_zero = start.activation.enclose_slope(Interval::ZERO);
    Lower::minimum(ends(cells).windows(2).map(|cell| {
        let (low, high) = (cell[0], cell[1]);
        let first = Upper::new(-sub_down(mul_down(low, low), 1.0)).sqrt();
        cell_factor(start, slope_at_zero, s * first, s * Upper::new(high))
    }))
}

/// The ends of cells of equal angle; any increasing numbers from 0 to 1 are a cover. Those in use are made once.
fn ends(cells: usize) -> Vec<f64> {
    static FINEST: LazyLock<Vec<f64>> = LazyLock::new(|| equal_angles(CELLS));
    if CELLS.is_multiple_of(cells) {
        FINEST.iter().copied().step_by(CELLS / cells).collect()
    } else {
        equal_angles(cells)
    }
}

fn equal_angles(cells: usize) -> Vec<f64> {
    let mut ends: Vec<f64> =
        (0..cells).map(|k| (k as f64 / cells as f64 * std::f64::consts::FRAC_PI_2).sin()).collect();
    ends.push(1.0);
    ends
}

/// Slopes of a hidden layer on its reachable interval, relative to `phi0 = sigma'(0)`.
struct Slopes {
    /// `xi_l`: rms deviation from 1.
    deviation: Upper,
    /// `Db_l`.
    largest: Upper,
    /// `m_l`.
    smallest: Lower,
    /// `q_l`; the trivial 0 where Jensen's inequality does not apply.
    jensen: Lower,
}

/// P for the budgets `s_1 = first` of (W_1, b_1) and `other` of every further W_l and b_l.
fn cell_factor(start: &PositiveStart, phi0: Interval, first: Upper, other: Upper) -> Lower {
    let slopes = slopes(start, phi0, first, other);
    let layers = start.layers();
    let (mut aligned, mut stray) = (Lower::ONE, Upper::ZERO);
    for l in (1..layers).rev() {
        let at = &slopes[l];
        let factor = Upper::new(start.metric.weights[l + 1]);
        // A frozen layer moves nothing, whatever N.
        let y = factor * other / start.norm_weights[l + 1].lower() * Upper::ONE.hypot(stray);
        let f = alignment(at, y);
        if !f.is_positive() {
            return Lower::ZERO;
        }
        // (Db - m)/2 is half the width of the interval of slopes.
        let spread = at.deviation.min(Upper::new(add_up(at.largest.get(), -at.smallest.get())) * Upper::HALF);
        stray = (spread + at.largest * y) / f;
        aligned = aligned * f;
    }
    aligned
}

/// The largest of the valid bounds of the mean of `(1 + delta)(1 + omega)`.
fn alignment(at: &Slopes, y: Upper) -> Lower {
    let near = Lower::ONE.minus(at.deviation);
    let mut f = if y.get() <= near.get() { near * Lower::ONE.minus(y) } else { Lower::ZERO };
    let mean = near.max(at.smallest).max(at.jensen);
    f = f.max(mean.minus(at.largest * y));
    if at.jensen.is_positive() {
        let q = Interval::exact(at.jensen.get());
        let square = q + q - Interval::ONE + Interval::exact(at.deviation.get()).square();
        if (y * y).get() <= square.lo() {
            f = f.max(at.jensen.minus(y * square.upper().sqrt()));
        }
    }
    f
}

/// `zeta_1 = s_1 |x~|_max`, `zeta_l = (om_l + D_Wl s_l) phibar_{l-1} zeta_{l-1} + D_bl t_l`, and the slopes on
/// `[-zeta_l, zeta_l]`. `beta zeta` bounds `|sigma'(t) - phi0|`; where `sigma''(0) = 0` so does `sup |sigma'''| zeta^2 / 2`.
fn slopes(start: &PositiveStart, phi0: Interval, first: Upper, other: Upper) -> Vec<Slopes> {
    let act = start.activation;
    let mut zeta = first * start.largest_input;
    let mut phibar = Upper::ONE;
    let unused = Slopes { deviation: Upper::ZERO, largest: Upper::ONE, smallest: Lower::ONE, jensen: Lower::ZERO };
    let mut slopes = vec![unused];
    for l in 1..start.layers() {
        if l > 1 {
            let (weight, bias) = (Upper::new(start.metric.weights[l]), Upper::new(start.metric.biases[l]));
            zeta = (start.norm_weights[l].upper() + weight * other) * phibar * zeta + bias * other;
        }
        let reach = Interval::new(-zeta.get(), zeta.get());
        phibar = act.sup_slope(reach);
        let mut change = act.sup_curvature(reach) * zeta;
        if act.curvature_vanishes_at_zero()
            && let Some(third) = act.sup_third()
        {
            change = change.min(third * zeta * zeta * Upper::HALF);
        }
        let root_width = Interval::exact(start.widths[l] as f64).sqrt();
        let deviation = change / (phi0.lower() * root_width.lower());
        let jensen = if act.slope_is_convex_on_negatives() {
            let t = (Interval::exact(zeta.get()) / root_width).upper();
            act.inf_slope(Interval::exact(-t.get())) / phi0.upper()
        } else {
            Lower::ZERO
        };
        slopes.push(Slopes {
            deviation,
            largest: phibar / phi0.lower(),
            smallest: act.inf_slope(reach) / phi0.upper(),
            jensen,
        });
    }
    slopes
}
