//! Certificates for a given start, whatever it is.

use super::problem::{Coordinates, Problem, norm};
use super::record::stated_extremes;
use super::search::{Effort, Goal, Spectrum, by_contraction, by_spectrum, candidates};
use super::{Certified, Options, Outcome, Reason, StartKind};
use crate::certify::positive::ITERATION_LIMIT;
use crate::network::Network;
use crate::theorem::ball::ball;
use crate::theorem::centre::Metric;
use crate::theorem::envelope::target;
use crate::theorem::general::{EnclosedPasses, centre, slope_floor_psi};
use crate::theorem::profile::{Profile, radii};
use faer::Mat;
use gradcert_rigor::Upper;
use gradcert_rigor::linear::EnclosedMatrix;

/// (T9+), or (T7+) where its hypotheses hold, with (T4), (T5), (T5s) at the given parameters.
pub fn certify(problem: &Problem, start: &Network, metric: &Metric, options: &Options) -> Outcome {
    let rows = match problem.coordinates {
        Coordinates::Raw => problem.rows.clone(),
        Coordinates::Whitened { bias } => {
            if !problem.smin_samples(bias).is_positive() {
                return declined("dependent_inputs", "whitening needs linearly independent input vectors");
            }
            let n = problem.rows.nrows();
            EnclosedMatrix::exact(Mat::identity(n, n))
        }
    };
    let inputs = problem.input_bounds_in(metric);
    let passes = EnclosedPasses::new(start, &rows);
    let residual = passes.residual(&problem.targets, inputs.root_multiplicity());
    let (at, kernel) = centre(start, &passes, metric, &inputs);
    let n = problem.total();
    let goal = Goal { residual: norm(&residual), n, target: target(n, options.tolerance), limit: ITERATION_LIMIT };
    let floor = slope_floor_psi(start, metric, inputs.smin);
    let lazy = goal.residual.get() / at.smin_jacobian.get().max(floor.get());
    if !lazy.is_finite() {
        return declined(
            "singular_kernel",
            "the tangent kernel at the start is not proved to be positive definite: use more parameters than samples, \
             distinct inputs, or another start",
        );
    }
    let psi = |s: f64| ball(&at, s).psi().max(floor);
    let profile = Profile::new(&at, &radii(&psi, lazy, 1e3 * lazy, 160), &|_| floor);
    let candidates = candidates(&profile, &goal);
    let Some(mut found) = by_contraction(&candidates, &goal, Effort::Certify) else {
        return not_certified(&profile, goal.residual);
    };
    let spectrum = Spectrum::new(&kernel, &residual, stated_extremes(at.smin_jacobian, at.smax_jacobian));
    let sharper = spectrum.as_ref().and_then(|s| by_spectrum(&profile, &candidates, s, &goal, Effort::Certify));
    if let Some(sharper) = sharper.filter(|s| s.iterations < found.iterations) {
        found = sharper;
    }
    Outcome::Certified(Box::new(Certified {
        start: StartKind::Given(start.clone()),
        metric: metric.clone(),
        profile: profile.truncated(found.descent.index),
        found,
        spectrum,
        residual: goal.residual,
        smin_inputs: inputs.smin,
        smax_inputs: inputs.smax,
        smin_start: at.smin_jacobian,
        smax_start: at.smax_jacobian,
    }))
}

fn declined(code: &'static str, message: &str) -> Outcome {
    Outcome::Declined(vec![Reason::new(code, message)])
}

fn not_certified(profile: &Profile, residual: Upper) -> Outcome {
    let largest = profile.integral.last().map_or(0.0, |i| i.get());
    declined(
        "residual_too_large",
        &format!(
            "the residual |rho(w0)| = {:.3e} exceeds what the curvature around this start allows, {largest:.3e}: use a \
             wider network, larger later weights with a smaller first layer, --start positive, or --train first-layer \
             with positive later layers",
            residual.get()
        ),
    )
}
