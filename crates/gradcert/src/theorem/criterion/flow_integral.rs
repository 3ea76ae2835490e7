//! (T1i) Gradient flow, the integral form.

use super::profile::Profile;
use gradcert_rigor::rounding::mul_down;

/// The first cell at which `root < factor * integral_0^{s_j} phi` is proved, strictly; `root` is an upper bound of sqrt f(x0), and
/// the factor is 1 for the flow. There phi_j > 0, since the integral has just grown.
///
/// Along the flow d sqrt f / d length = -|grad f| / (2 sqrt f) <= -phi(length): the flow cannot walk the length s_j before f is 0.
pub(super) fn first(profile: &Profile, root: f64, factor: f64) -> Option<usize> {
    profile.integral().iter().position(|&integral| root < mul_down(factor, integral))
}
