//! Which widths (T14) certifies for given data.

use super::start::Start;
use crate::certify::Reason;
use crate::theorem::relu_width::{Cell, Samples, cells, counts, radius, residual};
use crate::theorem::relu_width_descent::{Descent, MOST_ITERATIONS, Refusal, decays, descent, flow};
use gradcert_rigor::rounding::{mul_down, sqrt_down};
use gradcert_rigor::{Interval, Upper};

/// Samples and targets.
#[derive(Clone, Debug)]
pub struct Problem {
    samples: Samples,
    targets: Vec<f64>,
}

impl Problem {
    /// n samples, rows of `x` (n x d), with one target each.
    ///
    /// # Panics
    /// If there is not one target per sample.
    pub fn new(x: &faer::Mat<f64>, targets: &[f64]) -> Problem {
        assert_eq!(x.nrows(), targets.len(), "one target per sample");
        Problem { samples: Samples::new(x), targets: targets.to_vec() }
    }

    /// The samples.
    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    /// The targets.
    pub fn targets(&self) -> &[f64] {
        &self.targets
    }

    /// `c = 2 eta / n` for the step eta on the mean loss.
    pub fn constant(&self, step_size: f64) -> Interval {
        Interval::exact(2.0) * Interval::exact(step_size) / Interval::exact(self.targets.len() as f64)
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Level of the mean loss S that counts as zero.
    pub tolerance: f64,
    /// Step on the mean loss; without one, that with the fewest certified iterations.
    pub step_size: Option<f64>,
}

/// What is proved about one start.
#[derive(Clone, Debug, PartialEq)]
pub struct Certified {
    /// m.
    pub width: usize,
    /// eta, of the mean loss S.
    pub step_size: f64,
    /// The descent with it.
    pub descent: Descent,
    /// `|rho(0)|`, at most.
    pub residual: Upper,
    /// Cells up to the last clock.
    pub cells: Vec<Cell>,
    /// Their decay with this step, non-increasing.
    pub decay: Vec<f64>,
    /// No neuron leaves the ball of this radius around its start.
    pub radius: Upper,
    /// The smallest singular value of the Jacobian is at least this at every iterate.
    pub smin: f64,
    /// Every iteration multiplies S by at most 1 - rate.
    pub rate: f64,
    /// For gradient flow `w' = -grad S`: S is multiplied by at most `exp(-rate t)`; `None` if it is not certified.
    pub flow_rate: Option<f64>,
    /// `lmin(K)` of the start is at least this.
    pub lmin_start: f64,
    /// `lmax(K)` of the start is at most this.
    pub lmax_start: f64,
    /// The share of pairs (sample, neuron) that may have changed their pattern by the last clock that was looked at (at or beyond that of
    /// the cells).
    pub changeable: f64,
}

impl Certified {
    /// The last clock: the run's never gets beyond.
    pub fn clock(&self) -> f64 {
        self.cells.last().map_or(0.0, |cell| cell.clock)
    }
}

/// Cells of the last pass; fewer for many samples, whose counts are n^2 numbers each.
fn fine_cells(samples: usize) -> usize {
    ((1 << 23) / (samples * samples)).clamp(8, 64)
}
const COARSE_CELLS: usize = 20;
/// A clock, relative to `|rho(0)|`, at which next to nothing has moved: what is known about the start.
const AT_START: f64 = 1e-9;

/// Steps that are tried, as multiples of `2 / (lmin + lmax)`: the largest for which the slowest direction decides.
const STEPS: [f64; 10] = [1.0, 0.85, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05, 0.02];

/// Why nothing is certified.
#[derive(Clone, Debug, PartialEq)]
pub struct Declined {
    /// Coded reasons.
    pub reasons: Vec<Reason>,
    /// By which factor the residual is too large, an estimate in floats; 1 where that is not what failed.
    pub excess: f64,
}

fn declined(code: &'static str, message: String) -> Declined {
    Declined { reasons: vec![Reason { code, message }], excess: 1.0 }
}

/// Decides whether this start is certified. Floats choose clocks and steps; what is returned is proved with them.
///
/// # Errors
/// Coded reasons why not.
pub fn certify(problem: &Problem, start: &Start, options: &Options) -> Result<Certified, Declined> {
    let samples = &problem.samples;
    // As it is stated: another program may round its own bound further up.
    let rho = Upper::new(residual(samples, &problem.targets, start).get() * (1.0 + 1e-9));
    let own = |clocks: &[f64]| {
        let counts = counts(samples, start, clocks);
        let cells = cells(samples, &counts, clocks, start.width());
        (cells, counts.changeable)
    };
    let (at_start, _) = own(&[(AT_START * rho.get()).max(f64::MIN_POSITIVE)]);
    let Cell { low, high, spread, .. } = at_start[0];
    if low <= spread {
        let message =
            "the tangent kernel of the start is not proved to be positive definite: no sample may be zero or a \
                       positive multiple of another; otherwise a larger --width"
                .to_owned();
        return Err(declined("singular_kernel", message));
    }
    let clocks = useful_clocks(&own, rho, low - spread, samples.count()).map_err(|most| too_small(rho, most))?;
    let (cells, changeable) = own(&clocks);
    let changeable = changeable as f64 / (samples.count() * start.width()) as f64;
    let level = mul_down(samples.count() as f64, options.tolerance) * (1.0 - 1e-9);
    let attempt = |step_size: f64| {
        let c = problem.constant(step_size);
        let decay = stated(&cells, c);
        descent(&clocks, &decay, c, rho, level).map(|found| (step_size, found, decay))
    };
    let half = 0.5 * samples.count() as f64;
    let found = match options.step_size {
        Some(step_size) => attempt(step_size),
        None => {
            let largest = 2.0 / (low + high);
            let tried = STEPS.map(|share| attempt(half * share * largest));
            let refused = tried.iter().find_map(|t| t.as_ref().err().copied()).unwrap_or(Refusal::Clock);
            tried.into_iter().flatten().min_by_key(|t| t.1.iterations).ok_or(refused)
        }
    };
    let (step_size, found, mut decay) = found.map_err(|refusal| refused(refusal, options, &cells, &clocks, rho))?;
    let flow_rate = flow(&clocks, &decays(&cells, Interval::ZERO), rho)
        .map(|j| 4.0 / samples.count() as f64 * decays(&cells, Interval::ZERO)[j] * (1.0 - 1e-12));
    let mut cells = cells;
    cells.truncate(found.cell + 1);
    decay.truncate(found.cell + 1);
    let last = clocks[found.cell];
    Ok(Certified {
        width: start.width(),
        step_size,
        descent: found,
        residual: rho,
        radius: Upper::new(radius(samples, last, start.width()).get() * (1.0 + 1e-9)),
        smin: sqrt_down(found.decay) * (1.0 - 1e-9),
        rate: found.rate(problem.constant(step_size)) * (1.0 - 1e-9),
        cells,
        decay,
        flow_rate,
        lmin_start: low - spread,
        lmax_start: high + spread,
        changeable,
    })
}

/// The decays as a certificate states them.
fn stated(cells: &[Cell], c: Interval) -> Vec<f64> {
    decays(cells, c).into_iter().map(|x| if x > 0.0 { x * (1.0 - 1e-9) } else { x }).collect()
}

fn too_small(rho: Upper, most: f64) -> Declined {
    let message = format!(
        "the residual |rho(w0)| = {:.4} exceeds what the kernel of this start allows, about {most:.4}: a larger --width, \
         smaller targets, or an antisymmetric start",
        rho.get()
    );
    Declined { excess: rho.get() / most, ..declined("width_too_small", message) }
}

fn refused(refusal: Refusal, options: &Options, cells: &[Cell], clocks: &[f64], rho: Upper) -> Declined {
    if refusal == Refusal::Iterations {
        let message = format!("more than {MOST_ITERATIONS} iterations: a larger --step or --tol");
        return declined("too_slow", message);
    }
    let flow_too = flow(clocks, &decays(cells, Interval::ZERO), rho).is_some();
    match (options.step_size, flow_too) {
        (Some(step), true) => {
            let message = format!(
                "gradient flow is certified at this width, but descent with the step {step:e} is not: a smaller --step, or auto"
            );
            declined("step_too_large", message)
        }
        _ => too_small(rho, allowed(cells)),
    }
}

/// The residual up to which the flow is certified, in floats.
fn allowed(cells: &[Cell]) -> f64 {
    let (mut sum, mut before) = (0.0, 0.0);
    for (cell, decay) in cells.iter().zip(decays(cells, Interval::ZERO)) {
        sum += (cell.clock - before) * decay.max(0.0);
        before = cell.clock;
    }
    sum
}

/// Cells for clocks, and how many patterns may change.
type KnownUpTo<'a> = dyn Fn(&[f64]) -> (Vec<Cell>, u64) + 'a;

/// Clocks for the last pass: up to where the kernel may be singular, or somewhat beyond what the flow needs; an estimate of the largest residual that could
/// be certified, if that is too little.
fn useful_clocks(own: &KnownUpTo<'_>, rho: Upper, lmin: f64, samples: usize) -> Result<Vec<f64>, f64> {
    // A linear decay that vanishes at 2 |rho| / lmin just suffices.
    let mut end = 3.0 * rho.get().max(f64::MIN_POSITIVE) / lmin;
    for _ in 0..3 {
        let grid: Vec<f64> = (1..=COARSE_CELLS).map(|k| end * k as f64 / COARSE_CELLS as f64).collect();
        let (cells, _) = own(&grid);
        let decay = decays(&cells, Interval::ZERO);
        let positive = decay.iter().take_while(|&&x| x > 0.0).count();
        if positive < 3 {
            // All that matters happens in the first cells.
            end = grid[positive.min(2)];
            continue;
        }
        let width = end / COARSE_CELLS as f64;
        // The decay before a cell is at most that of the cell before.
        let before = |j: usize| if j == 0 { lmin } else { decay[j - 1].max(0.0) };
        let most: f64 = (0..COARSE_CELLS).map(|j| width * before(j)).sum();
        if most <= rho.get() {
            return Err(most);
        }
        let needed = flow(&grid, &decay, rho).map_or(end, |j| 1.5 * grid[j]);
        let useful = needed.min(width * (positive + 1) as f64);
        let cells = fine_cells(samples);
        return Ok((1..=cells).map(|k| useful * k as f64 / cells as f64).collect());
    }
    Err(0.0)
}

/// What a search tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The width.
    pub width: usize,
    /// Is it certified?
    pub certified: bool,
}

/// Limits of a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// Is the start antisymmetric?
    pub antisymmetric: bool,
    /// Seed of the draw.
    pub seed: u64,
    /// No larger width is tried.
    pub largest: usize,
    /// The certified width is at most 1 + this times one that was tried and not certified.
    pub resolution: f64,
}

/// The smallest certified width of one seed, by doubling and bisection: the starts of a seed are nested (a larger width has the same neurons first),
/// but a width is certified or not for itself. "Smallest" says that the next smaller width tried, within the resolution, is not certified; nothing
/// is said about widths that were not tried.
///
/// # Errors
/// Why the largest width is not certified.
pub fn smallest(
    problem: &Problem,
    options: &Options,
    search: &Search,
    progress: &mut dyn FnMut(Trial),
) -> Result<(Start, Certified), Declined> {
    let features = problem.samples.inputs().ncols();
    let mut attempt = |width: usize| {
        let start = Start::draw(width, features, search.antisymmetric, search.seed);
        let outcome = certify(problem, &start, options);
        progress(Trial { width: start.width(), certified: outcome.is_ok() });
        outcome.map(|certified| (start, certified))
    };
    let even = |width: usize| width.next_multiple_of(2);
    let largest = if search.antisymmetric { (search.largest & !1).max(2) } else { search.largest };
    let (mut low, mut width) = (0, even(problem.targets.len().max(16)).min(largest));
    let mut best = loop {
        match attempt(width) {
            Ok(found) => break found,
            Err(declined) if width >= largest => return Err(declined),
            // What is certified grows about as sqrt m: near the end less than a doubling is enough.
            Err(declined) => {
                let factor = (1.05 * declined.excess).powi(2).clamp(1.1, 2.0);
                (low, width) = (width, even((factor * width as f64) as usize + 1).min(largest));
            }
        }
    };
    loop {
        let high = best.1.width;
        let middle = even(low + (high - low) / 2);
        if middle >= high || (high - low) as f64 <= search.resolution * low as f64 {
            return Ok(best);
        }
        match attempt(middle) {
            Ok(found) => best = found,
            Err(_) => low = middle,
        }
    }
}
