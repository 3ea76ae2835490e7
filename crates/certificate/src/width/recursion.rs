//! The recursion of (T14) on the stated numbers: clock and residual, one iteration after the other.

use super::Width;
use crate::check::{Proved, at_most, proved};
use gradcert_rigor::rounding::{div_up, sub_down};
use gradcert_rigor::{Interval, Lower, Upper};

/// Most iterations that are followed.
pub(crate) const MAX_STEPS: u64 = 10_000_000;

/// A step from residual u at clock t ends at most at t + c u; up to there it contracts by 1 - c decay of that cell, and decay is non-increasing, so
/// larger u and t give larger ones. After the stated iterations the rest of the path is at most u / decay long.
pub(crate) fn verify(claim: &Width, c: Interval, n: usize) -> Proved {
    let (mut clock, mut u, mut cell) = (Upper::ZERO, Upper::new(claim.residual.get()), 0);
    let factor = |cell: usize| Upper::new((Interval::ONE - c * Interval::exact(claim.decay[cell].get())).hi());
    let beyond = |cell: usize| cell == claim.clocks.len();
    let derived = "the clocks are left";
    for k in 0..claim.iterations {
        clock += c.upper() * u;
        while !beyond(cell) && claim.clocks[cell].get() < clock.get() {
            cell += 1;
        }
        proved(!beyond(cell), "clocks", format!("{k} iterations"), derived)?;
        u = u * factor(cell);
    }
    let level = Lower::new(n as f64) * Lower::new(claim.tolerance.get());
    let stated = format!("{}", claim.iterations);
    proved(u.square().get() <= level.get(), "iterations", stated, format!("a loss above {:e}", claim.tolerance))?;
    let last = claim.clocks.len() - 1;
    let end = clock + Upper::new(div_up(u.get(), claim.decay[last].get()));
    proved(end.get() <= claim.clocks[last].get(), "clocks", format!("{:e}", claim.clocks[last]), derived)?;
    at_most("rate", claim.rate, sub_down(1.0, factor(last).square().get()))
}
