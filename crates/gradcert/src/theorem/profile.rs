//! Bounds as step functions of the radius.

use super::ball::{Ball, ball};
use super::centre::Centre;
use gradcert_rigor::{Lower, Upper};

/// psi, sJ, LJ, dJ on `radius[0] < radius[1] < ...`: entry j holds on the whole ball of radius `radius[j]`, hence on
/// `(radius[j-1], radius[j]]` as a function of the distance walked, and entry 0 also at 0.
///
/// A bound for a ball holds on every smaller one, so psi is made non-increasing by the maximum over larger radii.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Increasing radii.
    pub radius: Vec<f64>,
    /// `smin(J) >= psi`, positive, non-increasing.
    pub psi: Vec<Lower>,
    /// `|J|`.
    pub norm: Vec<Upper>,
    /// Lipschitz constant of J.
    pub lipschitz: Vec<Upper>,
    /// `|J - J(w0)|`.
    pub drift: Vec<Upper>,
    /// `integral_0^{radius[j]} psi`, a lower sum: the value at the right end of each cell.
    pub integral: Vec<Lower>,
}

/// What is weakened in every bound before it is published: an independent program that adds in another order must be
/// able to confirm it.
pub const MARGIN: f64 = 1.0 / (1 << 20) as f64;

impl Profile {
    /// The bounds of (T9+) at the given increasing radii, psi being the larger of it and `more_psi`. Stops before psi
    /// reaches 0. Every bound is weakened by [`MARGIN`] (psi by that part of its largest value).
    pub fn new(centre: &Centre, radii: &[f64], more_psi: &dyn Fn(f64) -> Lower) -> Profile {
        let balls: Vec<(f64, Ball, Lower)> = radii
            .iter()
            .map(|&s| {
                let bounds = ball(centre, s);
                (s, bounds, bounds.psi().max(more_psi(s)))
            })
            .collect();
        Profile::from_balls(balls)
    }

    /// The same from bounds on balls with increasing radii that were found before, each with its psi.
    pub fn from_balls(mut balls: Vec<(f64, Ball, Lower)>) -> Profile {
        let mut largest = Lower::ZERO;
        for (_, _, psi) in balls.iter_mut().rev() {
            largest = largest.max(*psi);
            *psi = largest;
        }
        let margin = Upper::new(largest.get() * MARGIN);
        let widen = Upper::new(1.0 + MARGIN);
        let mut profile =
            Profile { radius: vec![], psi: vec![], norm: vec![], lipschitz: vec![], drift: vec![], integral: vec![] };
        let (mut before, mut integral) = (Upper::ZERO, Lower::ZERO);
        for (s, bounds, psi) in balls {
            let psi = psi.minus(margin);
            if !psi.is_positive() {
                break;
            }
            integral = integral + Lower::new(s).minus(before) * psi;
            before = Upper::new(s);
            profile.radius.push(s);
            profile.psi.push(psi);
            profile.norm.push(bounds.norm * widen);
            profile.lipschitz.push(bounds.lipschitz * widen);
            profile.drift.push(bounds.drift * widen);
            profile.integral.push(integral);
        }
        profile
    }

    /// The same bounds on radii up to `radius[j]` alone.
    #[must_use]
    pub fn truncated(&self, j: usize) -> Profile {
        let mut profile = self.clone();
        profile.radius.truncate(j + 1);
        profile.psi.truncate(j + 1);
        profile.norm.truncate(j + 1);
        profile.lipschitz.truncate(j + 1);
        profile.drift.truncate(j + 1);
        profile.integral.truncate(j + 1);
        profile
    }

    /// Are there no radii with a positive psi?
    pub fn is_empty(&self) -> bool {
        self.radius.is_empty()
    }

    /// (T3) The index of the smallest certified radius r* of gradient flow: `|rho(w0)| < integral_0^{r*} psi`. Then the
    /// flow stays in `B(w0, r*)` and `S(t) <= S(0) exp(-(4/n) psi(r*)^2 t)`.
    pub fn flow_index(&self, residual: Upper) -> Option<usize> {
        self.integral.iter().position(|i| i.get() > residual.get())
    }
}

/// (T3) on these increasing radii, from psi alone: what [`Profile::flow_index`] says of a profile with the same psi.
pub fn certifies_flow(radii: &[f64], psi: &dyn Fn(f64) -> Lower, residual: Upper) -> bool {
    let unknown = |s: f64| {
        let psi = psi(s);
        let rest = Upper::UNKNOWN;
        (s, Ball { psi_first: psi, psi_all: psi, norm: rest, lipschitz: rest, drift: rest }, psi)
    };
    Profile::from_balls(radii.iter().map(|&s| unknown(s)).collect()).flow_index(residual).is_some()
}

/// Radii for a profile: `cells` of them, denser near 0, up to the radius at which the non-increasing `psi` reaches 0 (or
/// `farthest`, where it never does), and `cells / 2` more around `lazy`, the radius that nearly linear training needs.
pub fn radii(psi: &dyn Fn(f64) -> Lower, lazy: f64, farthest: f64, cells: usize) -> Vec<f64> {
    let end = zero_of(psi, lazy, farthest);
    let mut radii: Vec<f64> = (1..=cells).map(|j| end * (j as f64 / cells as f64).powi(2)).collect();
    let near = cells / 2;
    let ratio = 100f64.powf(1.0 / near as f64);
    radii.extend((0..=near).map(|j| 0.5 * lazy * ratio.powi(j as i32)).filter(|&r| r < end));
    radii.retain(|r| r.is_finite() && *r > 0.0);
    radii.sort_by(f64::total_cmp);
    radii.dedup();
    radii
}

/// About the radius at which psi reaches 0, searched from `lazy` up and down; at most `farthest`.
fn zero_of(psi: &dyn Fn(f64) -> Lower, lazy: f64, farthest: f64) -> f64 {
    let positive = |s: f64| psi(s).is_positive();
    let mut inside = if lazy.is_finite() && lazy > 0.0 { lazy } else { 1.0 };
    while !positive(inside) && inside > 1e-300 {
        inside /= 4.0;
    }
    let mut outside = 4.0 * inside;
    while positive(outside) {
        if outside >= farthest {
            return outside;
        }
        inside = outside;
        outside *= 4.0;
    }
    for _ in 0..12 {
        let middle = 0.5 * (inside + outside);
        if positive(middle) { inside = middle } else { outside = middle }
    }
    outside
}
