//! Bounds on balls around a trained network.

use crate::theorem::ball::{Ball, ball};
use crate::theorem::centre::Centre;
use crate::theorem::profile::Profile;
use crate::theorem::whitened::orders::Orders;
use gradcert_rigor::{Lower, Upper};

/// (T9+) on a few balls; what holds on one holds on every smaller one.
pub(super) struct Tables {
    /// Increasing radii.
    pub(super) radii: Vec<f64>,
    balls: Vec<Ball>,
    /// `|J - J(w0)|`, non-decreasing.
    pub(super) drift: Vec<Upper>,
    smin: Lower,
    /// `integral psi` of (T9+) where even the smallest of the radii is too large.
    short_reach: Lower,
}

/// Steps of a factor 8 down from the smallest radius in search of the reach of (T9+).
const STEPS_DOWN: usize = 16;

/// With more samples times units than this, bounds on balls are costly, and fewer are computed.
const MANY_UNITS: usize = 100_000;

/// What is weakened so that another program confirms it.
const WEAKER: f64 = 1e-6;

impl Tables {
    /// Radii from the length of the Gauss-Newton step, over what nearly linear training needs, `|rho| / smin(J(w0))`, up to where
    /// nothing is certified.
    pub(super) fn new(
        at: &Centre,
        residual: Upper,
        correction: Upper,
        orders: Option<&Orders>,
        units: usize,
    ) -> Tables {
        let smin = at.smin_jacobian;
        let ratio = if units <= MANY_UNITS { 1.06f64 } else { 1.5 };
        let lazy = (residual / smin).get().max(f64::MIN_POSITIVE);
        let mut tables = Tables { radii: vec![], balls: vec![], drift: vec![], smin, short_reach: Lower::ZERO };
        let useful = |s: f64, bounds: &Ball| {
            bounds.psi().is_positive() || orders.is_some_and(|o| s <= o.radius() && o.psi(smin, s).is_positive())
        };
        let first = 1.01 * correction.get().clamp(1e-6 * lazy, lazy);
        let mut s = first;
        while tables.radii.len() < 400 {
            let bounds = ball(at, s);
            if !useful(s, &bounds) {
                break;
            }
            tables.push(s, bounds);
            // Where the residual is tiny, most of the way to the end of what is certified is of no use, and as long as psi
            // has not moved a larger ball is as good as a smaller one.
            let lost = 1.0 - bounds.psi().get() / smin.get();
            s *= match (lost, s < 8.0 * lazy) {
                (..1e-7, true) => ratio.max(1.5),
                (_, true) => ratio,
                (..1e-2, false) => ratio.powi(4).max(6.0),
                (_, false) => ratio.powi(4),
            };
        }
        if tables.radii.is_empty() {
            tables.short_reach = short_reach(at, first);
        }
        tables
    }

    fn push(&mut self, s: f64, bounds: Ball) {
        let before = self.drift.last().copied().unwrap_or(Upper::ZERO);
        self.radii.push(s);
        self.drift.push((bounds.drift * Upper::new(1.0 + WEAKER)).max(before));
        self.balls.push(bounds);
    }

    /// `integral psi` of (T9+) alone, a lower sum over what was computed.
    pub(super) fn reach_of_drift(&self) -> Lower {
        let (mut before, mut sum) = (0.0, Lower::ZERO);
        for (&s, bounds) in self.radii.iter().zip(&self.balls) {
            sum = sum + bounds.psi() * Lower::new(s).minus(Upper::new(before));
            before = s;
        }
        if self.radii.is_empty() { self.short_reach } else { sum }
    }

    /// The bounds as step functions, psi the larger of (T9+) and (T16), with cells as fine as psi needs: other bounds are taken
    /// from the next larger ball.
    pub(super) fn profile(&self, orders: Option<&Orders>) -> Profile {
        let mut cells = vec![];
        let mut before = 0.0;
        for (&s, &bounds) in self.radii.iter().zip(&self.balls) {
            let parts = if before == 0.0 { 8 } else { 2 };
            for part in 1..=parts {
                let r = if part == parts { s } else { before + (s - before) * f64::from(part) / f64::from(parts) };
                let sharper = orders.map_or(Lower::ZERO, |o| o.psi(self.smin, r));
                cells.push((r, bounds, bounds.psi().max(sharper)));
            }
            before = s;
        }
        Profile::from_balls(cells)
    }
}

/// The largest `s psi(s)`, a lower sum of one cell, on radii below one at which nothing is known any more: what a message says to
/// those who are far from a proof.
fn short_reach(at: &Centre, above: f64) -> Lower {
    let (mut s, mut best) = (above, Lower::ZERO);
    for _ in 0..STEPS_DOWN {
        s /= 8.0;
        let sum = ball(at, s).psi() * Lower::new(s);
        if best.is_positive() && sum.get() <= best.get() {
            break;
        }
        best = best.max(sum);
    }
    best
}
