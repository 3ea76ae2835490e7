//! One run.

use super::options::{RunOptions, Step};
use super::plan::Planned;
use super::record::{History, Record, Training};
use super::setup::Setup;
use crate::train::descent::Descent;
use crate::train::run::{EnvelopeWalk, Stall, Stop, rounding_level};
use faer::Par;

/// Iterations of a run without a certified number, unless said otherwise.
const UNCERTIFIED_ITERATIONS: u64 = 100_000;

/// The iteration after k that is recorded: each one at first, then about 64 per factor of e. The same for every run, so
/// that curves can be averaged.
pub fn next_recorded(k: u64) -> u64 {
    k + 1 + k / 64
}

/// The record of one run.
pub(super) fn execute(planned: &Planned, setup: &Setup) -> Record {
    let run = &planned.options;
    let (scale, hidden_scale) = setup.scales(run);
    let certified = run.stages.certify && setup.certificate().is_some();
    let wanted = run.stages.train && (certified || !run.stages.certify);
    Record {
        key: planned.key.clone(),
        options: planned.texts.clone(),
        data: setup.data.clone(),
        samples: setup.samples,
        features: setup.features,
        scale,
        hidden_scale,
        certificate: setup.certificate().filter(|_| run.stages.certify),
        declined: setup.declined(),
        kernel: setup.kernel,
        training: if wanted { train(run, setup) } else { None },
    }
}

fn train(run: &RunOptions, setup: &Setup) -> Option<Training> {
    let (start, metric) = setup.start.as_ref()?;
    let certificate = setup.certificate().filter(|_| run.step == Step::Certified);
    let step_size = match run.step {
        Step::Certified => certificate.as_ref()?.step_size,
        Step::Given(eta) => eta,
        Step::Kernel(multiple) => multiple * setup.total / setup.kernel?.0,
    };
    let certified_iterations = certificate.map(|c| c.iterations);
    let most = run.max_iterations.or(certified_iterations).unwrap_or(UNCERTIFIED_ITERATIONS);
    let mut descent = Descent::new(start.clone(), &setup.set, metric, step_size, Par::Seq);
    let walk = setup.certified().filter(|_| run.step == Step::Certified);
    let mut walk = walk.map(|c| EnvelopeWalk::new(c, setup.total));
    let mut levels = Levels::new(&run.levels);
    let mut history = run.history.then(History::default);
    let initial_loss = descent.loss();
    let mut stall = Stall::new(initial_loss);
    let mut next = 0;
    let stop = loop {
        let (k, loss) = (descent.iteration(), descent.loss());
        let bound = walk.as_ref().map(EnvelopeWalk::loss);
        let level = || rounding_level(descent.outputs(), &setup.set);
        let stalled = || stall.ended(k, loss, bound, &level).then_some(Stop::Rounding);
        let stop = stop(k, loss, run.certify.tolerance, most).or_else(stalled);
        levels.see(k, loss);
        if let Some(history) = history.as_mut().filter(|_| k >= next || stop.is_some()) {
            next = next_recorded(k);
            if loss.is_finite() {
                history.iteration.push(k);
                history.loss.push(loss);
                history.envelope.extend(bound);
            }
        }
        if let Some(stop) = stop {
            break stop;
        }
        descent.step();
        if let Some(walk) = &mut walk {
            walk.advance();
        }
    };
    Some(Training {
        step_size,
        initial_loss,
        iterations: descent.iteration(),
        final_loss: Some(descent.loss()).filter(|loss| loss.is_finite()),
        stop,
        levels: run.levels.clone(),
        reached: levels.reached,
        history,
    })
}

/// A loss this many times the first one does not come back in any run worth waiting for.
const HOPELESS: f64 = 1e30;

fn stop(k: u64, loss: f64, tolerance: f64, most: u64) -> Option<Stop> {
    if !loss.is_finite() || loss > HOPELESS {
        Some(Stop::Diverged)
    } else if loss <= tolerance {
        Some(Stop::Tolerance)
    } else if k >= most {
        Some(Stop::Iterations)
    } else {
        None
    }
}

/// The first iterations at or below falling levels.
struct Levels<'a> {
    levels: &'a [f64],
    reached: Vec<Option<u64>>,
    next: usize,
}

impl Levels<'_> {
    fn new(levels: &[f64]) -> Levels<'_> {
        Levels { levels, reached: vec![None; levels.len()], next: 0 }
    }

    fn see(&mut self, k: u64, loss: f64) {
        while self.levels.get(self.next).is_some_and(|level| loss <= *level) {
            self.reached[self.next] = Some(k);
            self.next += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_note_the_first_time_only() {
        let mut levels = Levels::new(&[1.0, 0.1, 0.01]);
        for (k, loss) in [5.0, 1.0, 2.0, 0.05, 0.5].into_iter().enumerate() {
            levels.see(k as u64, loss);
        }
        assert_eq!(levels.reached, [Some(1), Some(3), None]);
    }
}
