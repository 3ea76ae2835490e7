//! (T4), (T5), (T5s): gradient descent with a fixed step, from numbers that have been verified before.

use crate::check::{CheckError, at_most, proved};
use crate::format::{Descent, Envelope, Form};
use crate::matrix::norm;
use crate::pairs::{U, plain_dot, plain_dot_error};
use crate::start::Centre;
use gradcert_rigor::elementary::{exp_at, powf_at};
use gradcert_rigor::rounding::{add_up, mul_down, mul_up, sqrt_down, sub_down, sub_up};
use gradcert_rigor::{Interval, Lower, Upper};

/// Steps taken singly, with the spectral envelope or without.
const SINGLE: u64 = 2_000_000;

/// The verified numbers as they stand in the file, and what follows from them directly.
pub(crate) struct Step<'a> {
    claim: &'a Descent,
    /// `c = 2 eta / n`.
    c: Interval,
    /// `t0 = c psi(0)^2`, `t1 = c sJ^2` from above, `b = c psi(r)^2` from below.
    t0: f64,
    t1: f64,
    b: f64,
    /// sJ and psi(r).
    norm: f64,
    psi: f64,
}

/// Verifies theta, the hypothesis of (T4), the rate and the count.
pub(crate) fn verify(claim: &Descent, centre: &Centre) -> Result<(), CheckError> {
    let count = centre.samples.count;
    let step = Step::new(claim, count);
    step.hypothesis()?;
    step.rate()?;
    let target = sqrt_down(mul_down(count as f64, claim.tolerance.get()));
    let mut spectral = (claim.envelope == Envelope::Spectral).then(|| Spectral::new(&step, centre));
    let reached = step.bound_after(claim.iterations, target, spectral.as_mut());
    proved(reached <= target, "iterations", claim.iterations, format!("|rho| <= {reached:e}, not {target:e}"))
}

impl Step<'_> {
    pub(crate) fn new(claim: &Descent, count: usize) -> Step<'_> {
        let c = Interval::exact(2.0 * claim.step_size.get()) / Interval::exact(count as f64);
        let (norm, first) = (claim.jacobian_norm.get(), claim.psi[0].get());
        let psi = claim.psi[claim.psi.len() - 1].get();
        let above = |x: f64| mul_up(c.hi(), mul_up(x, x));
        Step { claim, c, t0: above(first), t1: above(norm), b: mul_down(c.lo(), mul_down(psi, psi)), norm, psi }
    }

    /// `lam = c LJ u / 2`, up.
    fn lam(&self, u: f64) -> f64 {
        mul_up(0.5, mul_up(self.c.hi(), mul_up(self.claim.jacobian_lipschitz.get(), u)))
    }

    /// (T4) thA, or thL, which is thA with lam = 0 as long as `t1 <= 2 / (1 + t0)`; down. t0 and t1 are upper bounds; both
    /// thetas do not increase in t0 and hold for every t1 that bounds c |J|^2, so the formulas are evaluated at these two doubles.
    pub(crate) fn theta(&self) -> f64 {
        let [t0, t1, one, two] = [self.t0, self.t1, 1.0, 2.0].map(Interval::exact);
        let second = self.claim.form == Form::Second;
        if second && self.t1 <= 1.0 {
            return 1.0;
        }
        // Only where t1 >= 2 / (1 + t0) for certain; the formula below is a lower bound there too.
        if second && mul_down(self.t1, sub_down(self.t0, -1.0)) >= 2.0 {
            return ((two - t1) / (t0 * t1).sqrt()).lower().get();
        }
        let lam = if second { Interval::ZERO } else { Interval::exact(self.lam(self.claim.residual.get())) };
        let top = Interval::exact(self.t1.max(1.0));
        let room = two - t0 - top - two * lam;
        if room.lo() <= 0.0 {
            return 0.0;
        }
        let theta = (top * room / (one - t0 * top)).sqrt();
        // The squaring step of the proof needs this; a smaller theta would do as well.
        let limit = (one - lam * top) / (t0 * top).sqrt();
        theta.lower().min(limit.lower()).get()
    }

    /// (T4) What a unit of path costs |rho| at least where `smin(J) >= psi` and `|rho| <= u`: `theta psi`, or
    /// `theta psi - lam sJ`; down.
    fn drop(&self, psi: f64, u: f64) -> f64 {
        let drop = mul_down(self.claim.theta.get(), psi);
        match self.claim.form {
            Form::First => drop,
            Form::Second => sub_down(drop, mul_up(self.lam(u), self.norm)),
        }
    }

    /// (T4) `|rho(w0)| < theta integral psi`, or `< integral (theta psi - lam sJ)` with a non-negative integrand; psi is
    /// the step function with value `psi[j]` on `(radii[j-1], radii[j]]`, the integrals are lower sums.
    fn hypothesis(&self) -> Result<(), CheckError> {
        let (claim, residual) = (self.claim, self.claim.residual.get());
        proved(self.t1 < 2.0, "step_size", "c |J|^2 < 2", format!("c |J|^2 <= {:e}", self.t1))?;
        at_most("theta", claim.theta, self.theta())?;
        // psi does not increase.
        let least = self.drop(self.psi, residual);
        proved(least >= 0.0, "form", "an integrand >= 0", format!("{least:e}"))?;
        let (mut total, mut previous) = (Lower::ZERO, 0.0);
        for (radius, psi) in claim.radii.iter().zip(&claim.psi) {
            total = total + Lower::new(mul_down(self.drop(psi.get(), residual), sub_down(radius.get(), previous)));
            previous = radius.get();
        }
        let stated = format!("an integral above |rho(w0)| = {residual:e}");
        proved(residual < total.get(), "radii", stated, format!("{:e}", total.get()))
    }

    /// (T5) A factor q with `|rho_{k+1}| <= q |rho_k|` whenever `|rho_k| <= u`, up. All of these hold, so the smallest
    /// does; each is non-decreasing in lam, so it also holds at every later k.
    pub(crate) fn factor(&self, u: f64) -> f64 {
        let (b, t1, lam) = (self.b, self.t1, self.lam(u));
        let distance = |x: f64| sub_up(1.0, x).max(sub_up(x, 1.0));
        let mut q = add_up(distance(b).max(distance(t1)), mul_up(lam, t1));
        let room =
            (Interval::exact(2.0) - Interval::exact(b) - Interval::exact(t1)) / (Interval::ONE - Interval::exact(b));
        if b < 1.0 && 2.0 * lam <= room.lo() {
            q = q.min(sub_up(1.0, mul_down(b, sub_down(1.0, lam))));
        }
        // |rho_k| - |rho_{k+1}| >= drop |Delta_k|, and |Delta_k| >= c psi(r) |rho_k|.
        let drop = self.drop(self.psi, u);
        if drop > 0.0 { q.min(sub_up(1.0, mul_down(self.c.lo(), mul_down(self.psi, drop)))) } else { q }
    }

    /// `1 - rate >= q^2` for the factor at |rho(w0)|. That |rho_k| decreases at all is (T4), hence rate 0 needs nothing.
    fn rate(&self) -> Result<(), CheckError> {
        let (rate, q) = (self.claim.rate.get(), self.factor(self.claim.residual.get()));
        let holds = rate == 0.0 || mul_up(q, q) <= sub_down(1.0, rate);
        proved(holds, "rate", format!("{rate:e}"), format!("{:e}", 1.0 - q * q))
    }

    /// Upper bound of |rho_k| after `iterations` steps, or any number at most `target` if that is reached before.
    ///
    /// A factor stays valid for all later k, so after many single steps it is frozen for blocks in which the bound falls
    /// by about 1e-4, and to the end once the curvature no longer matters.
    fn bound_after(&self, iterations: u64, target: f64, mut spectral: Option<&mut Spectral>) -> f64 {
        let (mut u, mut k) = (self.claim.residual.get(), 0);
        // The work of the envelope is bounded; a longer count goes on with the contraction alone.
        let affordable = |e: &&mut Spectral, k: u64| k < SINGLE && (k as f64) * (e.v.len() as f64).powi(2) < 2e11;
        while u > target && k < iterations {
            let q = self.factor(u).clamp(0.0, 1.0);
            if let Some(envelope) = spectral.as_mut().filter(|envelope| affordable(envelope, k)) {
                u = mul_up(q, u).min(envelope.advance(u)).min(u);
                k += 1;
                continue;
            }
            let steps = match k {
                ..SINGLE => 1,
                _ if self.lam(u) < 1e-13 => u64::MAX,
                _ => (1e-4 / (1.0 - q)).max(1.0) as u64,
            }
            .min(iterations - k);
            u = mul_up(u, powf_at(q, steps as f64).hi()).min(u);
            k += steps;
        }
        u
    }
}

/// (T5s) without eigenvalues. With a stored matrix B within `error` of c K0, any vectors v_k, and
/// `rho_{k+1} = (I - c K0) rho_k - c (Jbar J_k^T - K0) rho_k`, `|Jbar J_k^T - K0| <= delta`:
/// `rho_k - v_k = d_k` obeys `|d_{k+1}| <= q0 |d_k| + |(I - c K0) v_k - v_{k+1}| + c delta |rho_k|`.
/// Here v_{k+1} is the computed `(I - B) v_k`.
struct Spectral {
    matrix: Vec<f64>,
    v: Vec<f64>,
    /// `|d_k|`, `|v_k|` from above.
    distance: Upper,
    norm: Upper,
    /// `q0 >= |I - c K0|`.
    q0: Upper,
    /// `c delta`.
    change: Upper,
    /// The defect of a step is at most `defect |v_k| + u |v_{k+1}|`.
    defect: Upper,
}

impl Spectral {
    fn new(step: &Step, centre: &Centre) -> Spectral {
        let (m, kernel, claim) = (&centre.samples.rows, &centre.kernel, step.claim);
        let (n, factor) = (m.len(), step.c * kernel.scale);
        let root: Vec<Interval> = m.iter().map(|&m| Interval::exact(m).sqrt()).collect();
        let entry = |k: usize| {
            let head = kernel.base.hi[k];
            let base = Interval::around(head, Upper::new(U * head.abs()));
            factor * (base + kernel.shift) * (root[k / n] * root[k % n])
        };
        let entries: Vec<Interval> = (0..n * n).map(entry).collect();
        let matrix: Vec<f64> = entries.iter().map(|x| x.middle()).collect();
        let largest = Upper::maximum(m.iter().map(|&m| Upper::new(m)));
        let error = Upper::norm(entries.iter().map(|x| x.radius())) + factor.upper() * kernel.base.error * largest;
        let weighted: Vec<Interval> = centre.rho.iter().zip(&root).map(|(&x, &w)| x * w).collect();
        let v: Vec<f64> = weighted.iter().map(|x| x.middle()).collect();
        let spectrum = step.c * Interval::new(claim.smin_start.get(), claim.smax_start.get()).square();
        let [sup, smax, drift] =
            [claim.jacobian_norm, claim.smax_start, claim.jacobian_drift].map(|x| Upper::new(x.get()));
        let delta = drift * (sup + smax);
        Spectral {
            distance: Upper::norm(weighted.iter().map(|x| x.radius())),
            norm: norm(&v),
            v,
            q0: (Interval::ONE - spectrum).magnitude(),
            change: step.c.upper() * delta,
            defect: Upper::new(plain_dot_error(n)) * norm(&matrix) + error,
            matrix,
        }
    }

    /// `|rho_{k+1}| <= |v_{k+1}| + d_{k+1}`, given `|rho_k| <= u`.
    fn advance(&mut self, u: f64) -> f64 {
        let n = self.v.len();
        let row = |i: usize| self.v[i] - plain_dot(&self.matrix[i * n..(i + 1) * n], &self.v);
        let next: Vec<f64> = (0..n).map(row).collect();
        let size = norm(&next);
        let defect = self.defect * self.norm + Upper::new(U) * size + Upper::new(n as f64 * 1e-300);
        self.distance = self.q0 * self.distance + defect + self.change * Upper::new(u);
        (self.v, self.norm) = (next, size);
        (size + self.distance).get()
    }
}

/// Is `(1 - rate)^iterations residual^2 <= n tolerance`?
pub(crate) fn reaches(tolerance: f64, count: usize, rate: f64, iterations: u64, residual: f64) -> bool {
    let start = mul_up(residual, residual);
    let goal = mul_down(count as f64, tolerance);
    let by_power = powf_at(sub_up(1.0, rate), iterations as f64).hi();
    // (1 - rate)^k <= exp(-rate k): sharper than the power when 1 - rate has lost the digits of a tiny rate.
    let by_exponential = exp_at(-mul_down(rate, iterations as f64)).hi();
    mul_up(by_power.min(by_exponential), start) <= goal
}
