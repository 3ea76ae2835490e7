//! Certified numbers of iterations: (T5) by itself, and (T5s) with the spectrum of the tangent kernel at w0.

use super::descent::Descent;
use gradcert_rigor::{Interval, Lower, Upper};

/// The residual at which S = |rho|^2 / n is at most `tolerance`, weakened by one part in 10^9 so that a program that
/// rounds elsewhere reaches it in the same iteration.
pub fn target(n: f64, tolerance: f64) -> Lower {
    (Lower::new(n) * Lower::new(tolerance)).sqrt() * Lower::new(1.0 - 1e-9)
}

/// (T5) The first k with `u_k <= target`, `u_0 = |rho(w0)|`, `u_{k+1} = q(u_k) u_k`; `None` beyond `limit`.
///
/// q is non-decreasing in u and u falls, so a frozen q stays valid: once freezing it costs little the rest is counted at once.
pub fn contraction_count(descent: &Descent, residual: Upper, target: Lower, limit: u64) -> Option<u64> {
    let (mut u, mut k) = (residual, 0);
    while u.get() > target.get() {
        let q = descent.factor(u);
        if k > limit || q.get() >= 1.0 {
            return None;
        }
        let block = block_length(descent, u, q, target);
        u = u * power(q, block);
        k += block;
    }
    (k <= limit).then_some(k)
}

/// How many iterations to take at once with a frozen q: until the target if the curvature no longer matters (the factor
/// at the target is nearly the same), otherwise while u falls by a tenth of a per cent, at least one.
fn block_length(descent: &Descent, u: Upper, q: Upper, target: Lower) -> u64 {
    let steps = |fraction: f64| (fraction.ln() / q.get().ln()).max(0.0);
    let left = steps(target.get() / u.get()).ceil();
    let last = descent.factor(Upper::new(target.get()));
    // Freezing costs (ln q / ln last - 1) of the rest.
    let lost = left * (1.0 - q.get().ln() / last.get().ln());
    let block = if lost < 1e-3 { left } else { steps(0.999).floor() };
    if block.is_finite() { block.max(1.0).min(left.max(1.0)) as u64 } else { 1 }
}

/// `q^k` rounded up, by repeated squaring.
fn power(q: Upper, k: u64) -> Upper {
    let (mut result, mut square, mut k) = (Upper::ONE, q, k);
    while k > 0 {
        if k & 1 == 1 {
            result = result * square;
        }
        square = square * square;
        k >>= 1;
    }
    result
}

/// (T5s) The spectral envelope: sharp when training is nearly lazy, because it credits the residual for the little it
/// has in the slow directions.
///
/// With K' = Q diag(lam) Q^T an exact symmetric matrix within `defect` of K0,
/// `rho_{k+1} = (I - c K') rho_k - c (Jbar J_k^T - K') rho_k`, so with `a_k = |(I - c K')^k rho(w0)|`,
/// `q0 = max_i |1 - c lam_i|` and `delta >= |Jbar J_k^T - K0| + |K0 - K'|`:
/// `e_0 = 0`, `e_{k+1} = q0 e_k + c delta u_k`, `|rho_k| <= a_k + e_k`, and `u_{k+1} = min(q_k u_k, a_{k+1} + e_{k+1})`.
/// On the ball `|Jbar J_k^T - K0| <= dJ (sJ + |J(w0)|)`: `Jbar J_k^T - J0 J0^T = (Jbar - J0) J_k^T + J0 (J_k - J0)^T`.
pub struct SpectralEnvelope<'a> {
    descent: &'a Descent,
    /// `(1 - c lam_i)^2`, rounded up.
    contraction_squared: Vec<Upper>,
    /// `|(1 - c lam_i)^k q_i.rho(w0)|^2`. Squares of tiny modes may underflow to the smallest double, never to 0.
    modes_squared: Vec<Upper>,
    slowest: Upper,
    /// `c delta`.
    perturbation: Upper,
    deviation: Upper,
    u: Upper,
}

impl<'a> SpectralEnvelope<'a> {
    /// The envelope of one descent. `modes` are upper bounds of `|q_i.rho(w0)|`, `values` the lam_i with their `defect`,
    /// `smin_start` and `smax_start` bound the singular values of `J(w0)` and `drift` bounds dJ at the radius of `descent`.
    pub fn new(
        descent: &'a Descent,
        values: &[f64],
        defect: Upper,
        modes: &[Upper],
        residual: Upper,
        drift: Upper,
        (smin_start, smax_start): (Lower, Upper),
    ) -> SpectralEnvelope<'a> {
        let contraction: Vec<Upper> =
            values.iter().map(|&value| (Interval::ONE - descent.c * Interval::exact(value)).magnitude()).collect();
        let delta = drift * (descent.norm() + smax_start) + defect;
        // q0 = max_i |1 - c lam_i| would do; the verified bounds of the extreme eigenvalues are taken in too, because they
        // are what a checker without an eigendecomposition has.
        let of = |x: f64| (Interval::ONE - descent.c * Interval::exact(x).square()).magnitude();
        let slowest = of(smin_start.get()).max(of(smax_start.get()));
        SpectralEnvelope {
            slowest: contraction.iter().copied().fold(slowest, Upper::max),
            contraction_squared: contraction.iter().map(|c| c.square()).collect(),
            modes_squared: modes.iter().map(|m| m.square()).collect(),
            perturbation: descent.c.upper() * delta,
            deviation: Upper::ZERO,
            u: residual,
            descent,
        }
    }

    /// `u_k` for the current k.
    pub fn current(&self) -> Upper {
        self.u
    }

    /// From k to k + 1.
    pub fn advance(&mut self) {
        self.deviation = self.slowest * self.deviation + self.perturbation * self.u;
        for (mode, &factor) in self.modes_squared.iter_mut().zip(&self.contraction_squared) {
            // Modes below the smallest normal number no longer matter: they are left as they are where they would shrink,
            // since arithmetic on subnormals is slow.
            if mode.get() > f64::MIN_POSITIVE || factor.get() > 1.0 {
                *mode = *mode * factor;
            }
        }
        let lazy = self.modes_squared.iter().copied().sum::<Upper>().sqrt();
        self.u = (self.descent.factor(self.u) * self.u).min(lazy + self.deviation);
    }

    /// The first k with `u_k <= target`, at most `limit`.
    pub fn count(mut self, target: Lower, limit: u64) -> Option<u64> {
        let mut k = 0;
        while self.u.get() > target.get() {
            if k == limit {
                return None;
            }
            self.advance();
            k += 1;
        }
        Some(k)
    }
}
