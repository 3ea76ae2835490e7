//! What Theorems 5.1, 6.1 and 7.1 ask for.
//!
//! *Setting.* n samples of norm 1, all layers trained, `L = |f(X) - y|^2 / 2`, `lambda = lmin(K^(H))`.
//!
//! *Claim.* `L(k) <= (1 - eta lambda / 2)^k L(0)` with probability 1 - delta for a width
//! `Omega(2^{O(H)} max(n^4/lambda^4, n/delta, n^2 log(H n/delta)/lambda^2))` and a step `O(lambda / (n^2 2^{O(H)}))` (5.1, plain), and
//! `Omega(max(n^4/(lambda^4 H^6), n^2/(lambda^2 H^2), n/delta, n^2 log(H n/delta)/lambda^2))`, `O(lambda H^2 / n^2)` (6.1, residual; 7.1 has `n^4/(lambda^4 H^2)`
//! and powers of the number of pixels beside it).
//!
//! *Form.* The constants inside Omega and O are not given. Here they are 1, and so are `2^{O(H)}` and the powers of the number of pixels: orders of
//! magnitude, smaller than anything the theorems can mean if their constants are above 1.

use super::Architecture;

/// The width with all unnamed constants 1.
pub fn theorem_width(architecture: Architecture, n: usize, depth: usize, lambda: f64, delta: f64) -> f64 {
    let (n, h) = (n as f64, depth as f64);
    let movement = (n / lambda).powi(4);
    let terms = match architecture {
        Architecture::Plain => movement,
        Architecture::Residual => (movement / h.powi(6)).max((n / (lambda * h)).powi(2)),
        Architecture::Convolutional => (movement / h.powi(6)).max(movement / h.powi(2)),
    };
    terms.max(n / delta).max((n / lambda).powi(2) * (h * n / delta).ln())
}

/// The step with all unnamed constants 1.
pub fn theorem_step(architecture: Architecture, n: usize, depth: usize, lambda: f64) -> f64 {
    let step = lambda / (n * n) as f64;
    if architecture == Architecture::Plain { step } else { step * (depth * depth) as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_and_steps_by_hand() {
        use Architecture::{Convolutional, Plain, Residual};
        assert_eq!(theorem_width(Plain, 10, 2, 0.5, 0.1), 160_000.0);
        assert_eq!(theorem_width(Convolutional, 10, 2, 0.5, 0.1), 40_000.0);
        // n^4/(lambda^4 H^6) = 2500 is less than 400 log(2000).
        assert!((theorem_width(Residual, 10, 2, 0.5, 0.01) - 400.0 * 2000f64.ln()).abs() < 1e-9);
        assert_eq!(theorem_step(Plain, 10, 2, 0.5), 0.005);
        assert_eq!(theorem_step(Residual, 10, 2, 0.5), 0.02);
    }
}
