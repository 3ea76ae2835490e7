//! Audits along a training run: at which iterates is it proved that plain gradient descent would finish, and how soon?

use super::{AuditOutcome, audit};
use crate::certify::problem::Problem;
use crate::network::Network;
use crate::theorem::centre::Metric;
use serde::Serialize;

/// What is proved about one iterate `w_k` of a run, whatever method made it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AuditedMoment {
    /// k.
    pub iteration: u64,
    /// S(w_k) in the coordinates of the run, a mean.
    pub loss: f64,
    /// `|w* - w_k|` is at most this for some w* with zero loss, if that is proved.
    pub distance: Option<f64>,
    /// A step with which plain gradient descent from `w_k` converges to zero loss, if that is proved.
    pub step_size: Option<f64>,
    /// With this step S is at most the tolerance after at most so many more iterations.
    pub remaining: Option<u64>,
    /// Code of the reason, where nothing is proved.
    pub declined: Option<&'static str>,
}

impl AuditedMoment {
    /// Audits an iterate that reads raw samples; `problem` has raw coordinates. All parameters may move.
    pub fn new(iteration: u64, loss: f64, problem: &Problem, network: &Network, tolerance: f64) -> AuditedMoment {
        let nothing =
            AuditedMoment { iteration, loss, distance: None, step_size: None, remaining: None, declined: None };
        match audit(problem, network, &Metric::plain(network.layers()), tolerance) {
            AuditOutcome::Declined(reasons) => AuditedMoment { declined: reasons.first().map(|r| r.code), ..nothing },
            AuditOutcome::Certified(audited) => AuditedMoment {
                distance: Some(audited.distance),
                step_size: audited.convergence.as_ref().map(|(_, found)| found.descent.step_size),
                remaining: audited.convergence.as_ref().map(|(_, found)| found.iterations),
                ..nothing
            },
        }
    }
}

/// The first audited iterate from which plain gradient descent is proved to converge. Later ones may be unproved again: nothing is
/// said about the run going on by its own method.
pub fn first_provable(moments: &[AuditedMoment]) -> Option<u64> {
    moments.iter().find(|m| m.remaining.is_some()).map(|m| m.iteration)
}
