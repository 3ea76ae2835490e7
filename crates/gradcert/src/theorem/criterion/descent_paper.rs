//! (T2) Gradient descent as in the original: `4 f(x0) < (1 - eps)^2 r^2 alpha`, and with bounds L1, L2 of all first and second partial derivatives on
//! B(x0, 2r), p variables, `eta <= min( r / (L1 sqrt p), 2 eps / (L2 p) )`. Then f(x_k) <= (1 - delta)^k f(x0), delta = min(1, (1 - eps) alpha eta).

use super::flow_paper;
use super::profile::Profile;
use super::suprema::{Quantity, supremum};
use super::{Descent, Problem};
use gradcert_rigor::rounding::{div_down, mul_down, mul_up, sqrt_up, sub_down};

/// Radii that are tried.
const RADII: usize = 10;
/// Values of eps that are tried at each, up to the largest admissible one.
const STEPS: u32 = 64;

/// The step with the best rate, if any is certified.
pub(super) fn certify(problem: &Problem, profile: &Profile) -> Option<Descent> {
    let cells: Vec<usize> = flow_paper::certified(profile, problem.value).collect();
    let every = cells.len().div_ceil(RADII).max(1);
    let budget = problem.budget / 200;
    let best = cells.iter().rev().step_by(every).filter_map(|&j| {
        let bounds = Bounds::on(problem, profile.radii()[j], 0.1, budget);
        best_at(problem, profile, j, &bounds).map(|descent| (j, descent))
    });
    let (j, rough) = best.max_by(|a, b| a.1.rate.total_cmp(&b.1.rate))?;
    let bounds = Bounds::on(problem, profile.radii()[j], 0.005, problem.budget / 20);
    Some(best_at(problem, profile, j, &bounds).filter(|fine| fine.rate > rough.rate).unwrap_or(rough))
}

/// L1 and L2.
struct Bounds {
    first: f64,
    second: f64,
}

impl Bounds {
    fn on(problem: &Problem, radius: f64, tolerance: f64, budget: usize) -> Bounds {
        let ball = (problem.start, mul_up(2.0, radius));
        let bound = |quantity| supremum(problem.f, quantity, ball, tolerance, budget);
        Bounds { first: bound(Quantity::FirstPartials), second: bound(Quantity::SecondPartials) }
    }
}

fn best_at(problem: &Problem, profile: &Profile, j: usize, bounds: &Bounds) -> Option<Descent> {
    let (radius, alpha) = (profile.radii()[j], profile.alpha(j));
    // In doubles the largest eps is 1 - sqrt(4 f(x0) / (r^2 alpha)); `certified` decides.
    let most = 1.0 - (4.0 * problem.value / alpha).sqrt() / radius;
    let dimension = problem.start.len() as f64;
    let by_first = div_down(radius, mul_up(bounds.first, sqrt_up(dimension)));
    let certified = |epsilon: f64| {
        let rest = sub_down(1.0, epsilon);
        // (1 - eps)^2 r^2 alpha, r before alpha so that r^2 need not be a double.
        let right = mul_down(mul_down(rest, radius), mul_down(mul_down(rest, radius), alpha));
        mul_up(4.0, problem.value) < right
    };
    let descent = |epsilon: f64| {
        let step = by_first.min(div_down(2.0 * epsilon, mul_up(bounds.second, dimension)));
        let rate = mul_down(mul_down(sub_down(1.0, epsilon), alpha), step).min(1.0);
        Descent { radius, alpha, epsilon, step, rate }
    };
    // Where both terms of the step are equal, and an even grid.
    let crossing = 0.5 * by_first * bounds.second * dimension;
    let grid = (1..STEPS).map(|k| most * f64::from(k) / f64::from(STEPS));
    grid.chain([crossing])
        .filter(|&epsilon| epsilon > 0.0 && epsilon < 1.0 && certified(epsilon))
        .map(descent)
        .filter(|d| d.step > 0.0 && d.step.is_finite() && d.rate > 0.0)
        .max_by(|a, b| a.rate.total_cmp(&b.rate))
}
