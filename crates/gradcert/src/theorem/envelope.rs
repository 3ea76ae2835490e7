//! Certified numbers of iterations: (T5) by itself, and (T5s) with the spectrum of the tangent kernel at w0.

use super::descent::Descent;
use super::modes::Modes;
use gradcert_rigor::{Interval, Lower, Upper};

/// The residual at which S = |rho|^2 / n is at most `tolerance`, weakened by one part in 10^9 so that a program that
/// rounds elsewhere reaches it in the same iteration.
pub fn target(n: f64, tolerance: f64) -> Lower {
    (Lower::new(n) * Lower::new(tolerance)).sqrt() * Lower::new(1.0 - 1e-9)
}

/// What is added to a count of k iterations before it is published: a program that rounds elsewhere loses up to some
/// `5 u` per factor, hence `exp(5 u k)` in all, where k iterations are worth about `exp(-25)`. Nothing below a million.
pub fn with_reserve(count: u64) -> u64 {
    let k = count as f64;
    count.saturating_add(count / 1_000_000).saturating_add((1e-17 * k * k) as u64)
}

/// (T5) The first k with `u_k <= target`, `u_0 = |rho(w0)|`, `u_{k+1} = q(u_k) u_k`; `None` beyond `limit`.
///
/// q is non-decreasing in u and u falls, so a frozen q stays valid: once freezing it costs little the rest is counted at
/// once.
pub fn contraction_count(descent: &Descent, residual: Upper, target: Lower, limit: u64) -> Option<u64> {
    frozen_count(descent, residual, target, limit, 0.999)
}

/// The same with q frozen ten times as long: nearly as small a number, and as valid.
pub fn rough_contraction_count(descent: &Descent, residual: Upper, target: Lower, limit: u64) -> Option<u64> {
    frozen_count(descent, residual, target, limit, 0.99)
}

/// q is frozen while u falls to the part `fall`.
fn frozen_count(descent: &Descent, residual: Upper, target: Lower, limit: u64, fall: f64) -> Option<u64> {
    let (mut u, mut k) = (residual, 0);
    let last = descent.factor(Upper::new(target.get()));
    while u.get() > target.get() {
        let q = descent.factor(u);
        if k > limit || q.get() >= 1.0 {
            return None;
        }
        let block = block_length(u, q, last, target, fall);
        u = u * power(q, block);
        k = block.saturating_add(k);
    }
    (k <= limit).then_some(k)
}

/// How many iterations to take at once with a frozen q: until the target if the curvature no longer matters (the factor
/// at the target, `last`, is nearly the same), otherwise while u falls to the part `fall`, at least one.
fn block_length(u: Upper, q: Upper, last: Upper, target: Lower, fall: f64) -> u64 {
    let steps = |fraction: f64| (fraction.ln() / q.get().ln()).max(0.0);
    let left = steps(target.get() / u.get()).ceil();
    // Freezing costs (ln q / ln last - 1) of the rest.
    let lost = left * (1.0 - q.get().ln() / last.get().ln());
    let block = if lost < 1e-3 { left } else { steps(fall).floor() };
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
///
/// *Blocks of B iterations.* By (T4) |rho_k| does not increase, so u_k bounds the whole block:
/// `e_{k+B} <= q0^B e_k + c delta u_k (1 + q0 + ... + q0^{B-1})`, `u_{k+B} <= q_k^B u_k`, and a_{k+B} is known for any B.
#[derive(Clone)]
pub struct SpectralEnvelope<'a> {
    descent: &'a Descent,
    /// `a_k^2`, from `(1 - c lam_i)^2` and `|q_i.rho(w0)|^2`. Squares of tiny modes never underflow to 0.
    modes: Modes,
    /// `q0^B` and `1 + q0 + ... + q0^{B-1}` for `B = 2^m`.
    powers: Vec<(Upper, Upper)>,
    /// `c delta`.
    perturbation: Upper,
    deviation: Upper,
    u: Upper,
    /// q of (T5) at the first number, which u has fallen below since.
    contraction: (Upper, Upper),
}

/// While u falls to this part q of (T5) is not computed again.
const FROZEN: f64 = 0.999;

/// Iterations between two looks for modes that have vanished.
const RETIREMENT: u64 = 16;

/// The first iterations of a count are taken one by one, the later ones in blocks in which u falls by [`FINE_FALL`].
const SINGLE: u64 = 1 << 18;
const FINE_FALL: f64 = 1e-4;
/// The same where counts are compared.
const ROUGH_FALL: f64 = 0.01;

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
        let slowest = contraction.iter().copied().fold(slowest, Upper::max);
        let squares = |x: &[Upper]| x.iter().map(|c| c.square()).collect::<Vec<Upper>>();
        SpectralEnvelope {
            modes: Modes::new(&squares(modes), &squares(&contraction)),
            powers: vec![(slowest, Upper::ONE)],
            perturbation: descent.c.upper() * delta,
            deviation: Upper::ZERO,
            u: residual,
            contraction: (residual, descent.factor(residual)),
            descent,
        }
    }

    /// `u_k` for the current k.
    pub fn current(&self) -> Upper {
        self.u
    }

    /// From k to k + 1.
    pub fn advance(&mut self) {
        self.block(0);
        self.modes.retire(0.0);
    }

    /// From k to `k + 2^level`.
    fn block(&mut self, level: usize) {
        while self.powers.len() <= level {
            let (power, sum) = self.powers[self.powers.len() - 1];
            self.powers.push((power * power, sum * (Upper::ONE + power)));
        }
        if self.u.get() < FROZEN * self.contraction.0.get() {
            self.contraction = (self.u, self.descent.factor(self.u));
        }
        let (slowest, sum) = self.powers[level];
        self.deviation = slowest * self.deviation + self.perturbation * self.u * sum;
        self.modes.advance(level);
        let lazy = self.modes.total().sqrt();
        self.u = (power(self.contraction.1, 1 << level) * self.u).min(lazy + self.deviation);
    }

    /// The first k with `u_k <= target`, at most `limit`; where it is large, a few more than the first.
    pub fn count(self, target: Lower, limit: u64) -> Option<u64> {
        self.walk(target, limit, SINGLE, FINE_FALL)
    }

    /// The same in longer blocks from the beginning: a number that is as valid and nearly as small.
    pub fn rough_count(self, target: Lower, limit: u64) -> Option<u64> {
        self.walk(target, limit, 0, ROUGH_FALL)
    }

    /// Single iterations up to `single`, then blocks of 2^level in which u falls by about the part `fall`. The block that
    /// reaches the target is taken back and halved.
    fn walk(mut self, target: Lower, limit: u64, single: u64, fall: f64) -> Option<u64> {
        let negligible = 1e-15 * target.get() * target.get() / (1.0 + self.modes.len() as f64);
        let (mut k, mut level, mut landing) = (0u64, 0usize, false);
        let mut saved = vec![];
        for blocks in 1u64.. {
            if self.u.get() <= target.get() {
                return Some(k);
            }
            if k >= limit {
                return None;
            }
            while level > 0 && k + (1 << level) > limit {
                level -= 1;
            }
            let before = (self.u, self.deviation);
            if level > 0 {
                self.modes.save(&mut saved);
            }
            self.block(level);
            if self.u.get() <= target.get() && level > 0 {
                self.modes.restore(&saved);
                (self.u, self.deviation) = before;
                (level, landing) = (level - 1, true);
                continue;
            }
            k += 1 << level;
            let fallen = 1.0 - self.u.get() / before.0.get();
            if !landing && k >= single && fallen < 0.5 * fall && level < 40 {
                level += 1;
            } else if level > 0 && fallen > fall {
                level -= 1;
            }
            if blocks.is_multiple_of(RETIREMENT) {
                self.modes.retire(negligible);
            }
        }
        None
    }
}
