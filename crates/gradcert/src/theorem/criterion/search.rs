//! Which ball to cover, and when to stop.

use super::{Cover, Flow, Options, Problem, Verdict, descent_paper, descent_sharp, flow_integral, flow_paper};
use crate::certify::Reason;

/// The sampled integral should reach this multiple of sqrt f(x0): eps = 1/2, the largest that is of use, needs 2.
const WANTED: f64 = 2.05;
/// Larger balls are of no use once phi has fallen below this fraction of its value at the start.
const NEGLIGIBLE: f64 = 0.02;
/// Doublings of the radius at most.
const GROWTHS: usize = 40;

pub(super) fn verdict(problem: &Problem, options: &Options) -> Verdict {
    let mut gradient = vec![0.0; problem.start.len()];
    let value = problem.f.gradient(problem.start, &mut gradient);
    // phi(0) = |grad f| / (2 sqrt f).
    let phi = gradient.iter().fold(0.0f64, |norm, g| norm.hypot(*g)) / (2.0 * value.sqrt());
    if !(phi > 0.0 && phi.is_finite()) {
        let message =
            "the gradient vanishes at the start, or is lost to rounding: nothing moves from there; start elsewhere";
        let reasons = vec![Reason::new("stationary_start", message)];
        return Verdict { value: problem.value, reasons, ..Verdict::default() };
    }
    let mut cover = match options.radius {
        Some(radius) => Cover::new(problem.f, problem.start, radius, options.cells),
        None => suitable(problem, options, phi),
    };
    let reached = refine(&mut cover, problem, options);
    conclude(problem, options, &cover, reached)
}

/// A cover of a ball that is large enough for every method, but not much larger.
fn suitable<'a>(problem: &Problem<'a>, options: &Options, phi: f64) -> Cover<'a> {
    let mut radius = WANTED * problem.root / phi;
    let mut work = 0;
    for _ in 0..GROWTHS {
        let mut cover = Cover::new(problem.f, problem.start, radius, options.cells.min(256));
        cover.refine(0.2, f64::INFINITY, (options.max_boxes / 20).max(100));
        work += cover.work;
        let sampled = cover.sampled();
        let last = sampled.last().copied().unwrap_or(0.0);
        let enough = integral_to(&sampled, radius, f64::INFINITY).0 >= WANTED * problem.root;
        let next = 2.0 * radius;
        if enough
            || last <= NEGLIGIBLE * phi
            || cover.dead < radius
            || work > options.max_boxes / 2
            || !next.is_finite()
        {
            radius = useful(&cover, &sampled, radius, problem.root);
            break;
        }
        radius = next;
    }
    Cover::new(problem.f, problem.start, radius, options.cells)
}

/// Integral of the sampled phi up to where it reaches `wanted`, and that radius.
fn integral_to(sampled: &[f64], radius: f64, wanted: f64) -> (f64, f64) {
    let cell = radius / sampled.len() as f64;
    let mut sum = 0.0;
    for (j, &phi) in sampled.iter().enumerate() {
        sum += if phi.is_finite() { phi * cell } else { 0.0 };
        if sum >= wanted {
            return (sum, (j + 1) as f64 * cell);
        }
    }
    (sum, radius)
}

/// The part of the ball that the methods can use: up to where the integral is large enough, s phi(s) largest, phi lost.
fn useful(cover: &Cover, sampled: &[f64], radius: f64, root: f64) -> f64 {
    let by_integral = integral_to(sampled, radius, WANTED * root).1;
    let cell = radius / sampled.len() as f64;
    let product = |j: usize| if sampled[j].is_finite() { (j + 1) as f64 * sampled[j] } else { 0.0 };
    let peak = (0..sampled.len()).fold(0, |best, j| if product(j) > product(best) { j } else { best });
    let by_product = (peak + 1) as f64 * cell;
    // A little less than where something stays unproved, so that the last cell is of use.
    (1.02 * by_integral.max(by_product)).min(radius).min(cover.dead * (1.0 - 1e-9)).max(1e-9 * radius)
}

fn refine(cover: &mut Cover, problem: &Problem, options: &Options) -> bool {
    let mut tolerance = 0.2f64;
    loop {
        tolerance = tolerance.max(options.tolerance);
        if !cover.refine(tolerance, f64::INFINITY, options.max_boxes) {
            return false;
        }
        if tolerance <= options.tolerance || cover.negative.is_some() && cover.dead == 0.0 {
            return true;
        }
        // Far below the threshold there is nothing to gain.
        let sampled = cover.sampled();
        let radius = cover.profile().radii().last().copied().unwrap_or(0.0);
        if integral_to(&sampled, radius, f64::INFINITY).0 < 0.8 * problem.root && tolerance < 0.1 {
            return true;
        }
        tolerance *= 0.3;
    }
}

fn conclude(problem: &Problem, options: &Options, cover: &Cover, reached: bool) -> Verdict {
    let profile = cover.profile();
    let flow = |j: usize| Flow { radius: profile.radii()[j], alpha: profile.alpha(j) };
    let mut verdict = Verdict { value: problem.value, boxes: cover.work, ..Verdict::default() };
    verdict.flow_paper = flow_paper::certified(&profile, problem.value).next().map(flow);
    verdict.flow_integral = flow_integral::first(&profile, problem.root, 1.0).map(flow);
    if options.descent && verdict.flow_integral.is_some() {
        verdict.descent_paper = descent_paper::certify(problem, &profile);
        verdict.descent_sharp = descent_sharp::certify(problem, &profile);
    }
    if !verdict.is_certified() {
        verdict.reasons = vec![reason(problem, cover, profile.integral().last().copied().unwrap_or(0.0), reached)];
    }
    verdict.profile = profile;
    verdict
}

/// Why nothing is certified: what stopped the bounds, or that they do not suffice.
fn reason(problem: &Problem, cover: &Cover, proved: f64, reached: bool) -> Reason {
    let sampled = cover.sampled();
    let radius = cover.profile().radii().last().copied().unwrap_or(0.0);
    let (possible, _) = integral_to(&sampled, radius, f64::INFINITY);
    let numbers = format!(
        "sqrt f(x0) = {}, the integral of phi up to the radius {} is proved to be at least {}",
        legible(problem.root),
        legible(radius),
        legible(proved)
    );
    let dead = legible(cover.dead);
    if let Some(point) = &cover.negative {
        let message = format!(
            "the function is negative at {point:?}, in the ball; the criterion is about functions that are >= 0"
        );
        return Reason::new("negative_value", message);
    }
    if cover.undefined {
        let message = format!(
            "the function is not proved to be defined and twice differentiable beyond the distance {dead} from the start, \
             and a smaller ball does not suffice ({numbers}); start closer to a minimum"
        );
        return Reason::new("undefined_in_ball", message);
    }
    if cover.sign_unproved {
        let message = format!(
            "f >= 0 is not proved next to a point at the distance {dead} from the start; write the function as a sum of squares"
        );
        return Reason::new("sign_unproved", message);
    }
    if possible > problem.root && !reached {
        let message =
            format!("{numbers}: undecided after {} boxes; allow more boxes, or start closer to a minimum", cover.work);
        return Reason::new("work_limit", message);
    }
    if cover.dead.is_finite() && possible > problem.root {
        let message = format!(
            "{numbers}; at the distance {dead} lies a zero of f at which |grad f|^2 / f is not bounded below: if it is an isolated minimum, its \
             coordinates must be doubles; a sum of at most as many squares as variables needs no such point"
        );
        return Reason::new("zero_unproved", message);
    }
    Reason::new("criterion_fails", format!("{numbers}: no ball satisfies the criterion; start closer to a minimum"))
}

/// Six decimals where they say something.
fn legible(x: f64) -> String {
    if x == 0.0 || (1e-4..1e6).contains(&x.abs()) { format!("{x:.6}") } else { format!("{x:.6e}") }
}
