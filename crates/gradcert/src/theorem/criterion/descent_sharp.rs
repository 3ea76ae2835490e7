//! (T2') Gradient descent with the step `2 eps / L`, L an upper bound of lmax(Hess f) on B(x0, r), and the integral form of the
//! hypothesis: `sqrt f(x0) < (1 - eps) integral_0^r phi`.
//!
//! Write g = grad f(x_k), s_k for the length walked up to x_k, and x(t) = x_k - t eta g, 0 <= t <= 1. As long as the segment is in the ball,
//! f(x_k) - f(x(t)) >= t eta |g|^2 (1 - t eta L / 2) >= (1 - eps) t eta |g|^2. Divided by sqrt f(x_k) + sqrt f(x(t)) <= 2 sqrt f(x_k):
//!
//! sqrt f(x_k) - sqrt f(x(t)) >= (1 - eps) t eta |g| |g| / (2 sqrt f(x_k)) >= (1 - eps) t eta |g| phi(s_k) >= (1 - eps) integral of phi over
//! [s_k, s_k + t eta |g|], since phi does not increase and |x_k - x0| <= s_k.
//!
//! Summed up to any point of the path, (1 - eps) integral_0^length phi <= sqrt f(x0): the length stays below r, so that the set of t
//! whose segment is in the ball is open and closed. And f(x_{k+1}) <= f(x_k) - (1 - eps) eta |g|^2 <= (1 - (1 - eps) alpha eta) f(x_k) with alpha =
//! 4 phi(r)^2. The rest of the path from x_k is at most sqrt f(x_k) / ((1 - eps) phi(r)): the iterates converge to a zero of f.

use super::flow_integral;
use super::profile::Profile;
use super::suprema::{Quantity, supremum};
use super::{Descent, Problem};
use gradcert_rigor::rounding::{div_down, mul_down, sub_down};

/// Values of eps that are tried, of the form k / 64. The rate is 2 eps (1 - eps) alpha / L, and a larger eps needs a larger ball: none
/// above 1/2 is of use.
const STEPS: u32 = 32;
const DENOMINATOR: f64 = 64.0;

/// The step with the best rate, if any is certified.
pub(super) fn certify(problem: &Problem, profile: &Profile) -> Option<Descent> {
    let mut fractions: Vec<f64> = (1..=STEPS).map(|k| f64::from(k) / DENOMINATOR).collect();
    // Close to the threshold only a small eps is left.
    fractions.extend([1e-2, 5e-3, 2e-3, 1e-3, 1e-4, 1e-6]);
    let candidates: Vec<(f64, usize)> = fractions
        .into_iter()
        .filter_map(|eps| flow_integral::first(profile, problem.root, sub_down(1.0, eps)).map(|j| (eps, j)))
        .collect();
    // Rough bounds of L on a few balls choose, a good one on the chosen ball claims.
    let rough = rough_curvatures(problem, profile, &candidates);
    let estimate = |&(eps, j): &(f64, usize)| {
        let curvature = rough.iter().find(|(k, _)| *k >= j).map_or(f64::INFINITY, |r| r.1);
        eps * (1.0 - eps) * profile.alpha(j) / curvature
    };
    let best = candidates.iter().max_by(|a, b| estimate(a).total_cmp(&estimate(b)))?;
    at(problem, profile, *best)
}

fn rough_curvatures(problem: &Problem, profile: &Profile, candidates: &[(f64, usize)]) -> Vec<(usize, f64)> {
    let mut cells: Vec<usize> = candidates.iter().map(|c| c.1).collect();
    cells.sort_unstable();
    cells.dedup();
    let every = cells.len().div_ceil(6).max(1);
    let chosen = cells.iter().rev().step_by(every).copied();
    let mut rough: Vec<(usize, f64)> =
        chosen.map(|j| (j, curvature(problem, profile.radii()[j], 0.1, problem.budget / 200))).collect();
    rough.reverse();
    rough
}

fn curvature(problem: &Problem, radius: f64, tolerance: f64, budget: usize) -> f64 {
    // L > 0: the smallest normal double where the Hessian has no positive eigenvalue.
    supremum(problem.f, Quantity::Curvature, (problem.start, radius), tolerance, budget).max(f64::MIN_POSITIVE)
}

fn at(problem: &Problem, profile: &Profile, (epsilon, j): (f64, usize)) -> Option<Descent> {
    let (radius, alpha) = (profile.radii()[j], profile.alpha(j));
    let curvature = curvature(problem, radius, 0.005, problem.budget / 20);
    let step = div_down(2.0 * epsilon, curvature);
    let rate = mul_down(mul_down(sub_down(1.0, epsilon), alpha), step).min(1.0);
    (step > 0.0 && step.is_finite() && rate > 0.0).then_some(Descent { radius, alpha, epsilon, step, rate })
}
