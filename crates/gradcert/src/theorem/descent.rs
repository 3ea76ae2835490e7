//! (T4) Gradient descent certified as far as gradient flow, with steps up to `2 / |K|`; (T5) the contraction.
//!
//! Notation of the statements: S = |rho|^2 / n, step eta, c = 2 eta / n, t0 = c psi(0)^2, t1 = c sJ^2, T = max(1, t1),
//! lam = c LJ |rho(w0)| / 2. t0, t1 and lam are doubles not below the true values (every statement holds for any such
//! numbers: psi(0) may be lowered or raised, sJ and LJ are upper bounds), b = c psi(r)^2 is one not above it.

use super::profile::Profile;
use gradcert_certificate::format::Form;
use gradcert_rigor::{Interval, Lower, Upper};

/// `thL` of the step lemma, rounded down: `|rho| - |(I - cK) rho| >= thL psi |Delta|`.
///
/// 1 if t1 <= 1; `sqrt(t1 (2 - t0 - t1) / (1 - t0 t1))` if 1 < t1 <= 2/(1 + t0); `(2 - t1) / sqrt(t0 t1)` up to t1 < 2.
pub fn theta_linear(t0: Upper, t1: Upper) -> Lower {
    let (a, b) = (Interval::exact(t0.get()), Interval::exact(t1.get()));
    let one = Interval::ONE;
    let two = Interval::exact(2.0);
    if t1.get() <= 1.0 {
        return Lower::ONE;
    }
    if t1.get() >= 2.0 {
        return Lower::ZERO;
    }
    let middle = (b * (two - a - b) / (one - a * b)).lower().sqrt();
    let last = (two - b).lower() / (a * b).upper().sqrt();
    // Left of the boundary t1 (1 + t0) = 2 the middle form is the smaller one and right of it the last; where rounding
    // cannot decide, both are evaluated and the smaller holds.
    let boundary = b * (one + a);
    let theta = if boundary.hi() <= 2.0 {
        middle
    } else if boundary.lo() > 2.0 {
        last
    } else {
        middle.min(last)
    };
    // The proof squares 1 - th sqrt(t0 m), m <= T, which must not be negative.
    let theta = theta.min(Lower::ONE);
    if (Upper::new(theta.get()) * (t0 * t1).sqrt()).get() <= 1.0 { theta } else { Lower::ZERO }
}

/// `thA` of (T4), with the curvature term: `sqrt(T (2 - t0 - T - 2 lam) / (1 - t0 T))`, valid if
/// `2 - t0 - T - 2 lam > 0` and `lam T + thA sqrt(t0 T) <= 1`; the trivial 0 otherwise.
pub fn theta_curved(t0: Upper, t1: Upper, lambda: Upper) -> Lower {
    let big = Interval::exact(t1.get().max(1.0));
    let (t0, lambda) = (Interval::exact(t0.get()), Interval::exact(lambda.get()));
    let two = Interval::exact(2.0);
    let room = two - t0 - big - two * lambda;
    let denominator = Interval::ONE - t0 * big;
    if !(room.lo() > 0.0 && denominator.lo() > 0.0) {
        return Lower::ZERO;
    }
    let theta = (big * room / denominator).sqrt();
    let condition = lambda * big + Interval::exact(theta.lo()) * (t0 * big).sqrt();
    if condition.hi() <= 1.0 { theta.lower() } else { Lower::ZERO }
}

/// theta is stated, and used, this much smaller than derived, so that a program that rounds elsewhere confirms it.
pub const STATED: f64 = 1.0 - 1e-9;

/// A radius and a step, with what (T4) and (T5) say about them.
#[derive(Clone, Copy, Debug)]
pub struct Descent {
    /// `eta`, the step on the mean loss S.
    pub step_size: f64,
    /// Index of the radius in the profile.
    pub index: usize,
    /// `c = 2 eta / n`.
    pub c: Interval,
    /// `t0`, `t1`, rounded up.
    pub t0: Upper,
    /// See `t0`.
    pub t1: Upper,
    /// `b = c psi(r)^2`, rounded down.
    pub b: Lower,
    /// Which form of the hypothesis holds.
    pub form: Form,
    /// Its theta, as it is stated: see [`STATED`].
    pub theta: Lower,
    /// `lam` at |rho(w0)|.
    pub lambda: Upper,
    psi: Lower,
    norm: Upper,
    /// `c LJ / 2`: lam per unit of residual.
    bend: Upper,
}

impl Descent {
    /// (T4) for the radius with index j and the step eta on the mean over n samples; `None` if no form of its hypothesis
    /// holds there. The first form is preferred where both hold, unless the second has the larger guaranteed rate.
    pub fn certify(profile: &Profile, residual: Upper, n: f64, j: usize, step_size: f64) -> Option<Descent> {
        let c = Interval::exact(2.0) * Interval::exact(step_size) / Interval::exact(n);
        let (psi, norm) = (profile.psi[j], profile.norm[j]);
        let t0 = c.upper() * Upper::new(profile.psi[0].get()).square();
        let t1 = c.upper() * norm.square();
        if !(step_size > 0.0 && t1.get() < 2.0) {
            return None;
        }
        let b = c.lower() * psi.square();
        let bend = c.upper() * profile.lipschitz[j] * Upper::HALF;
        let lambda = bend * residual;
        let descent = |form, theta| Descent { step_size, index: j, c, t0, t1, b, form, theta, lambda, psi, norm, bend };
        let curved = theta_curved(t0, t1, lambda) * Lower::new(STATED);
        let linear = theta_linear(t0, t1) * Lower::new(STATED);
        // First form: |rho(w0)| < thA integral psi.
        let first = (curved * profile.integral[j]).get() > residual.get();
        // Second form: the integrand thL psi - lam sJ is non-increasing, so it is smallest at r.
        let loss = lambda * norm;
        let margin = (linear * psi).minus(loss);
        let second = margin.is_positive()
            && (linear * profile.integral[j]).minus(loss * Upper::new(profile.radius[j])).get() > residual.get();
        match (first, second) {
            (true, false) => Some(descent(Form::First, curved)),
            (false, true) => Some(descent(Form::Second, linear)),
            (true, true) if (curved * psi) >= margin => Some(descent(Form::First, curved)),
            (true, true) => Some(descent(Form::Second, linear)),
            (false, false) => None,
        }
    }

    /// A factor q with `|rho_{k+1}| <= q |rho_k|` whenever `|rho_k| <= u` (T5), psi taken at r for every k.
    ///
    /// `1 - b (1 - lam_k)` if b < 1 and `2 lam_k <= (2 - b - t1)/(1 - b)`; `max(|1 - b|, |1 - t1|) + lam_k t1` always;
    /// and the factor of the form of (T4) that holds: `|Delta_k| >= c psi(r) |rho_k|`, so the first form gives
    /// `1 - c thA psi(r)^2` and the second `1 - c psi(r) (thL psi(r) - lam_k sJ)`.
    pub fn factor(&self, u: Upper) -> Upper {
        let lambda = self.bend * u;
        let (b, t1) = (Interval::exact(self.b.get()), Interval::exact(self.t1.get()));
        let one = Interval::ONE;
        let lam = Interval::exact(lambda.get());
        let outer = (one - b).magnitude().max((one - t1).magnitude());
        let mut q = outer + lambda * self.t1;
        if self.b.get() < 1.0 {
            let room = (Interval::exact(2.0) - b - t1) / (one - b);
            if 2.0 * lambda.get() <= room.lo() {
                q = q.min((one - b * (one - lam)).upper());
            }
        }
        let psi = Interval::exact(self.psi.get());
        let gain = match self.form {
            Form::First => Interval::exact(self.theta.get()) * psi,
            Form::Second => Interval::exact(self.theta.get()) * psi - lam * Interval::exact(self.norm.get()),
        };
        q.min((one - Interval::exact(self.c.lo()) * psi * gain.positive_part()).upper())
    }

    /// psi(r).
    pub fn psi(&self) -> Lower {
        self.psi
    }

    /// sJ on the ball.
    pub fn norm(&self) -> Upper {
        self.norm
    }

    /// A lower bound of the rate: every iteration multiplies S by at most `1 - rate`.
    pub fn rate(&self, residual: Upper) -> Lower {
        let q = self.factor(residual);
        Lower::ONE.minus(q.square())
    }
}
