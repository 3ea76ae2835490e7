//! What an audit must satisfy before anything is computed from it.

use crate::check::Proved;
use crate::format::{Audit, Certificate, Convergence, Curvature, Inputs, OrdersBy, Start};
use crate::limits::{MAX_RADII, descent, fields, require, sizes};

pub(crate) fn audit(claim: &Audit, certificate: &Certificate) -> Proved {
    require(matches!(certificate.start, Start::Tensors { .. }), "start", "an audit is about given parameters")?;
    require(certificate.network.inputs == Inputs::Raw, "inputs", "raw in an audit")?;
    sizes(false, &fields!(claim: smin_start, smax_start))?;
    sizes(true, &fields!(claim: residual, correction, distance))?;
    let known_to = match &claim.curvature {
        Curvature::Drift { radii, drift } => {
            sizes(false, &[("radii", radii)])?;
            sizes(true, &[("drift", drift)])?;
            let counts = (1..=MAX_RADII).contains(&radii.len()) && drift.len() == radii.len();
            require(counts, "radii", "1 to 4096, as many drift")?;
            require(radii.windows(2).all(|w| w[0] < w[1]), "radii", "increasing")?;
            require(drift.windows(2).all(|w| w[0] <= w[1]), "drift", "non-decreasing")?;
            radii[radii.len() - 1]
        }
        Curvature::Taylor { orders_by, radius, orders } => {
            sizes(false, &[("radius", &[*radius])])?;
            sizes(true, &[("orders", orders)])?;
            let widths = &certificate.network.widths;
            let fits = match orders_by {
                OrdersBy::TwoLayers => widths.len() == 3 && widths[2] == 1 && (2..=5).contains(&orders.len()),
                OrdersBy::RowSpace => orders.len() == 2,
            };
            require(fits, "orders", "row-space: N_2, N_3; two-layers, for one output: N_2, ..., N_K, K = 3 to 6")?;
            *radius
        }
    };
    require(claim.distance <= known_to, "distance", "at most the radius up to which the curvature is bounded")?;
    let Convergence::Descent(inner) = &claim.convergence else { return Ok(()) };
    let repeats =
        [inner.residual, inner.smin_start, inner.smax_start] == [claim.residual, claim.smin_start, claim.smax_start];
    require(repeats, "convergence", "residual, smin_start and smax_start repeat those of the audit")?;
    descent(inner)
}
