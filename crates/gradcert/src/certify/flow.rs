//! (T3) Certificates of gradient flow: radius and rate, for a given start and for one that is certified for descent already.

use super::given::{dependent, misfit, stated_residual};
use super::problem::{Coordinates, Problem};
use super::{Certified, Reason, StartKind};
use crate::network::Network;
use crate::theorem::ball::ball;
use crate::theorem::centre::Metric;
use crate::theorem::general::{EnclosedPasses, centre, slope_floor_psi};
use crate::theorem::profile::{Profile, radii};
use crate::train::flow::Promise;
use faer::Mat;
use gradcert_rigor::linear::EnclosedMatrix;
use gradcert_rigor::rounding::div_up;
use gradcert_rigor::{Lower, Upper};

/// The flow `u' = -grad S(u)` (u the coordinates of the metric) stays within `radius` of its start and converges to an interpolating
/// point; `S(t) <= S(0) exp(-(4/n) psi^2 t)`.
#[derive(Clone, Debug)]
pub struct CertifiedFlow {
    /// The start.
    pub start: Network,
    /// The metric.
    pub metric: Metric,
    /// r, in the coordinates of the metric.
    pub radius: f64,
    /// `smin(J) >= psi` on the ball.
    pub psi: Lower,
    /// `|J|` on the ball, from above, where it was computed.
    pub norm: Option<Upper>,
    /// `|rho(w0)|`.
    pub residual: Upper,
    /// n, duplicates counted.
    pub n: f64,
    /// The statements used.
    pub theorem: &'static str,
}

impl CertifiedFlow {
    /// `alpha = (4/n) psi^2`, from below.
    pub fn decay(&self) -> Lower {
        Lower::new(4.0) * self.psi.square() / Upper::new(self.n)
    }

    /// What an integration of the flow has to obey.
    pub fn promise(&self) -> Promise {
        Promise { radius: self.radius, decay: self.decay().get() }
    }

    /// A certified descent contains a certified flow.
    pub fn of_descent(certified: &Certified, n: f64) -> Option<CertifiedFlow> {
        let j = certified.profile.flow_index(certified.residual)?;
        let start = match &certified.start {
            StartKind::Positive(p) => p.network(),
            StartKind::Given(network) => network.clone(),
        };
        Some(CertifiedFlow {
            start,
            metric: certified.metric.clone(),
            radius: certified.profile.radius[j],
            psi: certified.profile.psi[j],
            norm: Some(certified.profile.norm[j]),
            residual: certified.residual,
            n,
            theorem: match certified.start {
                StartKind::Positive(_) => "T3 with T9+, T9m",
                StartKind::Given(_) => "T3 with T9+",
            },
        })
    }
}

/// What certificates of many starts of one problem have in common.
pub struct FlowSearch<'a> {
    problem: &'a Problem,
    metric: &'a Metric,
    rows: EnclosedMatrix,
    inputs: crate::theorem::inputs::InputBounds,
}

impl<'a> FlowSearch<'a> {
    /// Bounds of the inputs, computed once. Declines where whitening is impossible.
    pub fn new(problem: &'a Problem, metric: &'a Metric) -> Result<FlowSearch<'a>, Reason> {
        if let Some(reason) = dependent(problem) {
            return Err(reason);
        }
        let n = problem.rows.nrows();
        let rows = match problem.coordinates {
            Coordinates::Raw => problem.rows.clone(),
            Coordinates::Whitened { .. } => EnclosedMatrix::exact(Mat::identity(n, n)),
        };
        Ok(FlowSearch { problem, metric, rows, inputs: problem.input_bounds_in(metric) })
    }

    /// (T3) with the psi of (T9+), or with the global one of (T7+) where that holds.
    pub fn certify(&self, start: &Network) -> Result<CertifiedFlow, Reason> {
        if let Some(reason) = misfit(self.problem, start, self.metric) {
            return Err(reason);
        }
        let passes = EnclosedPasses::new(start, &self.rows);
        let residual = stated_residual(&passes.residual(&self.problem.targets, self.inputs.root_multiplicity()));
        let floor = slope_floor_psi(start, self.metric, self.inputs.smin);
        let certified = |radius: f64, psi: Lower, norm, theorem| CertifiedFlow {
            start: start.clone(),
            metric: self.metric.clone(),
            radius,
            psi,
            norm,
            residual,
            n: self.problem.total(),
            theorem,
        };
        if floor.is_positive() && residual.is_finite() {
            // psi is the floor at every radius: any radius above |rho(w0)| / floor.
            let radius = div_up(residual.get(), floor.get()).next_up();
            return Ok(certified(radius, floor, None, "T3 with T7+"));
        }
        let (at, _) = centre(start, &passes, self.metric, &self.inputs);
        let lazy = residual.get() / at.smin_jacobian.get();
        if !lazy.is_finite() {
            return Err(Reason::new(
                "singular_kernel",
                "the tangent kernel at the start is not proved to be positive definite",
            ));
        }
        let psi = |s: f64| ball(&at, s).psi();
        let profile = Profile::new(&at, &radii(&psi, lazy, 1e3 * lazy, CELLS), &|_| Lower::ZERO);
        match profile.flow_index(residual) {
            Some(j) => Ok(certified(profile.radius[j], profile.psi[j], Some(profile.norm[j]), "T3 with T9+")),
            None => {
                let reach = profile.integral.last().map_or(0.0, |i| i.get());
                Err(Reason::new(
                    "residual_too_large",
                    format!(
                        "the residual |rho(w0)| = {:.3e} exceeds what the curvature around this start allows, {reach:.3e}",
                        residual.get()
                    ),
                ))
            }
        }
    }
}

/// Cells of a profile.
const CELLS: usize = 96;
