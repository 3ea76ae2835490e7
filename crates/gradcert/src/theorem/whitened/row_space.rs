//! (T16d) The second order of the Taylor form of kappa at any depth, any number of outputs.
//!
//! Let Q be any N x N matrix of doubles (N = n d_L), `Q K0 Q^T >= (1 - delta) I`. The columns of `E = J(w0)^T Q^T` span the row
//! space R of J(w0), and every unit u in R is `u = E b` with `|b| <= 1/sqrt(1 - delta)`. With `Gam_rr' = <Hess F_r E, Hess F_r' E>_F`
//! the vector `y_r = v^T Hess F_r u = <Hess F_r E, v b^T>_F` is `y = M' x` with `M' M'^T = Gam`, `|x| = |v| |b|`, so
//! `y^T K0^{-1} y <= |b|^2 lmax(K0^{-1/2} Gam K0^{-1/2})`:
//!
//! `|J(w0)^+ D^2 F(w0)[v, u]| <= om`, `om^2 = lmax(K0^{-1/2} Gam K0^{-1/2}) / (1 - delta)`, for unit v in R^p, unit u in R.
//!
//! By (T16) that is what kappa needs: one argument may be any direction, the other lies in R. Gam comes from one forward and
//! one backward pass per column of E, differentiated along it. With M = diag(sqrt m), P = M Q^T, column b, per sample i (rows
//! r = (i, c) for the backward ones; `[r]` a row):
//!
//! `zd_l = sum_r' (H~_{l-1} H~_{l-1}^T)[i, r'] P[r', b] g_l[r'] + W_l hd_{l-1}`, `hd_l = sigma'_l o zd_l`,
//! `vd_l = D_W,l+1^2 sum_r' (G_{l+1} G_{l+1}^T)[r, r'] P[r', b] h_l[r'] + W_{l+1}^T gd_{l+1}`, `gd_L = 0`,
//! `gd_l = sigma''_l o v_l o zd_l + sigma'_l o vd_l`,
//!
//! and `Gam_rr' = sum_l [ (h~_r . h~_r') <gd_r, gd_r'> + D_Wl^2 ((g_r . g_r') <hd_r, hd_r'> + X_rr' + X_r'r) ]`, g, gd of layer l, h,
//! hd of layer l - 1, `X_rr' = sum_b (g_r' . gd_r[b]) (h_r . hd_r'[b])`; finally M Gam M. All of it is enclosed, for exactly this Q.

use crate::network::Network;
use crate::theorem::centre::Metric;
use crate::theorem::general::{EnclosedPasses, repeat_rows};
use faer::Mat;
use gradcert_rigor::linear::{EnclosedMatrix, RelativeTo, SymmetricBall, norm_upper, smallest_eigenvalue_lower};
use gradcert_rigor::{Interval, Lower, Upper};
use rayon::prelude::*;

/// om, or `None` where Q cannot be verified. O(N^3 sum d_l) operations.
pub fn second_order(
    network: &Network,
    passes: &EnclosedPasses,
    metric: &Metric,
    root_multiplicity: &[Interval],
    kernel: &RelativeTo,
) -> Option<Upper> {
    bound_by(&whitener(kernel), network, passes, metric, root_multiplicity, kernel)
}

/// om from any Q.
fn bound_by(
    q: &Mat<f64>,
    network: &Network,
    passes: &EnclosedPasses,
    metric: &Metric,
    root_multiplicity: &[Interval],
    kernel: &RelativeTo,
) -> Option<Upper> {
    let quality = quality(q, kernel.ball());
    if !quality.is_positive() {
        return None;
    }
    let roots = passes.per_row(root_multiplicity);
    let directions = EnclosedMatrix::exact(q.transpose().to_owned()).scale_rows(&roots);
    let at = Derivatives::new(network, passes, metric);
    let gram = sum_along(&at, &directions)?.scale_rows(&roots).scale_columns(&roots);
    let square = kernel.largest_upper(&SymmetricBall::from_enclosed(&gram));
    Some((square / quality).sqrt())
}

/// Directions that are looked at side by side: the products of one are too small to be shared out. As many for every number of threads,
/// so that the sum does not depend on it.
const SIDE_BY_SIDE: usize = 8;

/// Gam, the sum over the columns b.
fn sum_along(at: &Derivatives<'_>, directions: &EnclosedMatrix) -> Option<EnclosedMatrix> {
    let indices: Vec<usize> = (0..directions.ncols()).collect();
    let threads = faer::get_global_parallelism().degree();
    let mut gram: Option<EnclosedMatrix> = None;
    for group in indices.chunks(SIDE_BY_SIDE) {
        let share = group.len().div_ceil(threads.max(1));
        let along = |&b: &usize| at.along(&directions.column(b));
        let terms: Vec<Vec<EnclosedMatrix>> =
            group.par_chunks(share).map(|part| part.iter().map(along).collect()).collect();
        for term in terms.into_iter().flatten() {
            gram = Some(match gram {
                None => term,
                Some(sum) => sum.plus(&term),
            });
        }
    }
    gram
}

/// A Q with `Q K0 Q^T` close to the identity: the inverse of the Cholesky factor.
fn whitener(kernel: &RelativeTo) -> Mat<f64> {
    let (lower, scale) = kernel.factor();
    let n = lower.nrows();
    let mut q = Mat::<f64>::identity(n, n);
    faer::linalg::triangular_solve::solve_lower_triangular_in_place(
        lower.as_ref(),
        q.as_mut(),
        faer::get_global_parallelism(),
    );
    let root = scale.sqrt();
    Mat::from_fn(n, n, |i, j| root * q[(i, j)])
}

/// `1 - delta`: a lower bound of `lmin(Q K0 Q^T)` for every K0 of the ball; `|Q E Q^T| <= |Q|^2 |E|`.
fn quality(q: &Mat<f64>, kernel: &SymmetricBall) -> Lower {
    let q = EnclosedMatrix::exact(q.clone());
    let product = q.times(&EnclosedMatrix::exact(kernel.middle().to_owned())).times_transpose(&q);
    let ball = SymmetricBall::from_enclosed(&product).widened(norm_upper(&q).square() * kernel.radius());
    smallest_eigenvalue_lower(&ball).map_or(Lower::ZERO, Lower::new)
}

/// What all directions share. Lists over layers as in the passes.
struct Derivatives<'a> {
    network: &'a Network,
    passes: &'a EnclosedPasses,
    metric: &'a Metric,
    /// `H~_{l-1} H~_{l-1}^T`, both sides per row.
    inner: Vec<EnclosedMatrix>,
    /// `G_l G_l^T`.
    outer: Vec<EnclosedMatrix>,
    /// `h_l` per row.
    hidden: Vec<EnclosedMatrix>,
    /// `sigma'(z_l)` and `sigma''(z_l)`, per row; `sigma''(z_l) o v_l`.
    slope: Vec<EnclosedMatrix>,
    bend: Vec<EnclosedMatrix>,
}

impl<'a> Derivatives<'a> {
    fn new(network: &'a Network, passes: &'a EnclosedPasses, metric: &'a Metric) -> Derivatives<'a> {
        let (layers, k, act) = (network.layers(), passes.outputs, network.activation);
        let empty = || EnclosedMatrix::exact(Mat::zeros(0, 0));
        let mut at = Derivatives {
            network,
            passes,
            metric,
            inner: vec![empty()],
            outer: vec![empty()],
            hidden: vec![],
            slope: vec![empty()],
            bend: vec![empty()],
        };
        for l in 1..=layers {
            at.inner.push(repeat_rows(passes.extended(l - 1, metric), k).times_own_transpose());
            at.outer.push(passes.backward[l].times_own_transpose());
            at.hidden.push(repeat_rows(passes.hidden[l - 1].clone(), k));
            if l < layers {
                let z = &passes.preactivation[l];
                at.slope.push(repeat_rows(z.map(|t| act.enclose_slope(t)), k));
                let curvature = repeat_rows(z.map(|t| act.enclose_curvature(t)), k);
                at.bend.push(curvature.hadamard(&passes.backward_before_slope[l]));
            }
        }
        at
    }

    /// The contribution of one direction to Gam.
    fn along(&self, p: &[Interval]) -> EnclosedMatrix {
        let (layers, metric) = (self.network.layers(), self.metric);
        let weights = |l: usize| EnclosedMatrix::exact(self.network.weights[l].clone());
        let mut zd: Vec<Option<EnclosedMatrix>> = vec![None; layers];
        let mut hd: Vec<Option<EnclosedMatrix>> = vec![None; layers];
        for l in 1..layers {
            let own = self.inner[l].times(&self.passes.backward[l].scale_rows(p));
            let moved = match &hd[l - 1] {
                Some(hd) => own.plus(&hd.times_transpose(&weights(l))),
                None => own,
            };
            hd[l] = Some(self.slope[l].hadamard(&moved));
            zd[l] = Some(moved);
        }
        let mut sum: Option<EnclosedMatrix> = None;
        let mut add = |term: EnclosedMatrix| {
            sum = Some(match sum.take() {
                None => term,
                Some(sum) => sum.plus(&term),
            });
        };
        let mut gd: Option<EnclosedMatrix> = None;
        for l in (1..=layers).rev() {
            if l < layers {
                let factor = Interval::exact(metric.weights[l + 1]).square();
                let mut vd = self.outer[l + 1].times(&self.hidden[l].scale_rows(p)).scaled(factor);
                if let Some(gd) = &gd {
                    vd = vd.plus(&gd.times(&weights(l + 1)));
                }
                let direct = zd[l].as_ref().map(|zd| self.bend[l].hadamard(zd));
                let through = self.slope[l].hadamard(&vd);
                let own = direct.map_or(through.clone(), |direct| direct.plus(&through));
                add(self.inner[l].hadamard(&own.times_own_transpose()));
                gd = Some(own);
            }
            if let (Some(hd), true) = (&hd[l - 1], metric.weights[l] > 0.0) {
                let factor = Interval::exact(metric.weights[l]).square();
                add(self.outer[l].hadamard(&hd.times_own_transpose()).scaled(factor));
                if let (Some(gd), true) = (&gd, l < layers) {
                    // [r, r'] = (g_r' . gd_r)(h_r . hd_r').
                    let mixed =
                        gd.times_transpose(&self.passes.backward[l]).hadamard(&self.hidden[l - 1].times_transpose(hd));
                    add(mixed.plus(&mixed.transpose()).scaled(factor));
                }
            }
        }
        sum.unwrap_or_else(|| EnclosedMatrix::exact(Mat::zeros(p.len(), p.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::activation::Activation;
    use crate::theorem::general::centre;
    use crate::theorem::inputs::InputBounds;

    /// A Q far from a whitener is paid for by delta, and a singular one is no proof.
    #[test]
    fn any_scale_of_q_gives_the_same_bound() {
        let entry = |i: usize, j: usize| ((3 * i + 5 * j) as f64).sin();
        let weights = vec![Mat::zeros(0, 0), Mat::from_fn(4, 2, entry), Mat::from_fn(1, 4, |i, j| entry(i + 1, j))];
        let biases = vec![vec![], vec![0.1, -0.2, 0.3, 0.4], vec![0.0]];
        let network = Network { activation: Activation::Tanh, weights, biases };
        let rows = EnclosedMatrix::exact(Mat::from_fn(3, 2, |i, j| entry(j + 2, i)));
        let (passes, metric) = (EnclosedPasses::new(&network, &rows), Metric::plain(2));
        let inputs = InputBounds::of_rows(&rows, &[1, 2, 1], true);
        let roots = inputs.root_multiplicity();
        let (at, kernel) = centre(&network, &passes, &metric, &inputs);
        let relative = RelativeTo::new(&kernel, at.smin_jacobian.square()).unwrap();
        let bound = |q: &Mat<f64>| bound_by(q, &network, &passes, &metric, roots, &relative);
        let q = whitener(&relative);
        let expected = bound(&q).unwrap().get();
        for factor in [0.25, 0.9] {
            let found = bound(&Mat::from_fn(3, 3, |i, j| factor * q[(i, j)])).unwrap().get();
            assert!((found / expected - 1.0).abs() < 1e-9, "{factor}: {found} {expected}");
        }
        let truncated = Mat::from_fn(3, 3, |i, j| if i == 2 { 0.0 } else { q[(i, j)] });
        assert_eq!(bound(&truncated), None);
    }
}
