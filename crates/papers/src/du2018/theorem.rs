//! What Theorem 4.1 asks for, with the constants of its lemmas.
//!
//! *Setting.* n unit samples, W from N(0, 1), `L = |rho|^2 / 2`, `lambda_0 = lmin(H)` of the limit kernel, failure probability at most about 3
//! delta.
//!
//! *Claim.* Lemma 3.1: `m >= 256 n^2 log(n / delta) / lambda_0^2` gives `|H(0) - H| <= lambda_0 / 4`. Lemma 3.2 with `R = sqrt(2 pi) delta lambda_0 / (16 n^2)`: as
//! long as no neuron moves by more than R, the kernel loses at most another `lambda_0 / 4`. Corollary 4.1: no neuron moves by more than `4 sqrt(n)
//! |rho(0)| / (sqrt(m) lambda_0)`. That this is below R asks for the width of [`theorem_width`]; the step is at most `lambda_0 / (4 n^2)`.
//! (The printed Lemma 3.3 has half of the flow's radius: the rate inside its integral lost a factor 2. Corollary 4.1 is not concerned.)
//!
//! *Form.* The theorem says "Omega" and "O"; these are its proof's own numbers, not optimised.

/// The width.
pub fn theorem_width(n: usize, residual: f64, lambda_0: f64, delta: f64) -> f64 {
    let n = n as f64;
    let concentration = 256.0 * n * n * (n / delta).ln() / (lambda_0 * lambda_0);
    let movement = 64.0 * n.powf(2.5) * residual / (std::f64::consts::TAU.sqrt() * delta * lambda_0 * lambda_0);
    concentration.max(movement * movement)
}

/// The step on `|rho|^2 / 2`.
pub fn theorem_step(n: usize, lambda_0: f64) -> f64 {
    lambda_0 / (4.0 * (n * n) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At the width of the theorem the two radii of its proof are equal.
    #[test]
    fn the_width_makes_the_radii_meet() {
        let (n, rho, lambda, delta) = (20, 4.5, 0.25, 0.1);
        let m = theorem_width(n, rho, lambda, delta);
        let moved = 4.0 * 20f64.sqrt() * rho / (m.sqrt() * lambda);
        let allowed = std::f64::consts::TAU.sqrt() * delta * lambda / (16.0 * 400.0);
        assert!((moved / allowed - 1.0).abs() < 1e-12);
        assert_eq!(theorem_step(n, lambda), 0.25 / 1600.0);
    }
}
