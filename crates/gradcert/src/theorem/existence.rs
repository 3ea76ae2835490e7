//! (T15) Existence of exactly interpolating parameters next to given ones: Newton and Kantorovich in integral form.
//!
//! Let `s0 = smin(J(w0)) > 0` and `|J(w0)^+ (J(w) - J(w0)) P| <= kappa(|w - w0|)`, kappa non-decreasing, P the
//! projector onto the row space of J(w0). If
//! `|J(w0)^+ rho(w0)| <= integral_0^t (1 - kappa)`, then some w* with `|w* - w0| <= t` has `rho(w*) = 0`: the map
//! `v -> v - J(w0)^+ rho(w0 + v)` on the row space of J(w0) takes `|v| <= t` into itself, since there it is bounded by
//! `|J(w0)^+ rho(w0)| + integral_0^t kappa`; Brouwer gives a fixed point, and J(w0)^+ is injective. Nothing is said about
//! descent.

use super::whitened::orders::Orders;
use gradcert_rigor::{Lower, Upper};

/// The smallest distance t, up to one part in 10^6, for which the hypothesis holds with the Taylor form of kappa; `None` if there
/// is none up to the radius of the orders. `correction` bounds `|J(w0)^+ rho(w0)|`.
pub fn distance_by_orders(orders: &Orders, correction: Upper) -> Option<f64> {
    let (farthest, largest) = orders.largest_integral();
    // The integral grows up to there and is at most t. An unknown correction is never small enough.
    let holds = |t: f64| correction.get() <= orders.integral(t).get();
    (correction.get() <= largest.get()).then(|| smallest(holds, correction.get(), farthest))
}

/// The same with `kappa = drift / s0` of (T9+), a step function: `drift[j]` holds on the ball of radius `radii[j]`.
pub fn distance_by_drift(radii: &[f64], drift: &[Upper], smallest: Lower, correction: Upper) -> Option<f64> {
    let (mut before, mut integral) = (0.0, Lower::ZERO);
    for (&radius, &drift) in radii.iter().zip(drift) {
        let height = Lower::ONE.minus(drift / smallest);
        if !height.is_positive() {
            return None;
        }
        let upto = |t: f64| integral + height * Lower::new(t).minus(Upper::new(before));
        if correction.get() <= upto(radius).get() {
            return Some(self::smallest(|t| correction.get() <= upto(t).get(), before, radius));
        }
        integral = upto(radius);
        before = radius;
    }
    None
}

/// A t in `[below, above]` at which a monotone property holds, within one part in 10^6 of the first; it holds at `above`.
fn smallest(holds: impl Fn(f64) -> bool, below: f64, above: f64) -> f64 {
    let (mut low, mut high) = (below, above);
    if holds(low) {
        return low;
    }
    while high - low > 1e-6 * high {
        let middle = 0.5 * (low + high);
        if !(low < middle && middle < high) {
            break;
        }
        if holds(middle) { high = middle } else { low = middle }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    /// kappa = N s: t = 2 b / (1 + sqrt(1 - 2 N b)), as long as N b <= 1/2.
    #[test]
    fn kantorovich_distance() {
        let orders = Orders::new(1.0, vec![Upper::new(4.0)]);
        let t = distance_by_orders(&orders, Upper::new(0.1)).expect("h = 0.4");
        let exact = 0.2 / (1.0 + 0.2f64.sqrt());
        assert!(t >= exact && t < exact * (1.0 + 2e-6), "{t} {exact}");
        assert_eq!(distance_by_orders(&orders, Upper::new(0.1251)), None);
    }

    /// Two cells: kappa 1/4 up to 1, 1/2 up to 2; the integrals are 3/4 and 5/4.
    #[test]
    fn steps_by_hand() {
        let drift = [Upper::new(0.5), Upper::ONE];
        let t = |b: f64| distance_by_drift(&[1.0, 2.0], &drift, Lower::new(2.0), Upper::new(b));
        assert!((t(0.375).expect("first cell") - 0.5).abs() < 1e-6);
        assert!((t(1.0).expect("second cell") - 1.5).abs() < 2e-6);
        assert_eq!(t(1.2501), None);
        assert_eq!(distance_by_drift(&[1.0], &[Upper::new(2.0)], Lower::new(2.0), Upper::new(0.1)), None);
    }

    #[test]
    fn an_exact_network_is_at_distance_zero() {
        let orders = Orders::new(1.0, vec![Upper::new(4.0)]);
        assert_eq!(distance_by_orders(&orders, Upper::ZERO), Some(0.0));
    }
}
