//! (T1) Gradient flow, the hypothesis of the original.

use super::profile::Profile;
use gradcert_rigor::rounding::{mul_down, mul_up};

/// The cells at which `4 f(x0) < s_j^2 alpha(x0, s_j)` is proved, strictly; `value` is an upper bound of f(x0).
pub(super) fn certified(profile: &Profile, value: f64) -> impl Iterator<Item = usize> {
    let holds = move |j: &usize| {
        let s = profile.radii()[*j];
        // s (s alpha): s^2 may underflow.
        mul_up(4.0, value) < mul_down(s, mul_down(s, profile.alpha(*j)))
    };
    (0..profile.radii().len()).filter(holds)
}
