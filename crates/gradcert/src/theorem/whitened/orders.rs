//! (T16) The Taylor form of kappa, a bound of `|J(w0)^+ (J(w) - J(w0)) P|`, P the projector onto the row space R of J(w0).
//!
//! That is enough for a psi: for a unit c and `x = J(w0)^T c` in R, `|J(w)^T c| >= |P J(w)^T c| = |x + (J(w0)^+ (J(w) - J(w0)) P)^T x|
//! >= (1 - kappa) |x| >= (1 - kappa) smin(J(w0))`.

use gradcert_rigor::{Interval, Lower, Upper};

/// `N_2, ..., N_K` for radii up to S: `|J(w0)^+ D^k F(w)[v, .., v, u]| <= N_k` over unit v, and unit u in R, at w0 for k < K, on the
/// whole ball `B(w0, S)` for k = K. Then for `s <= S`
///
/// `|J(w0)^+ (J(w) - J(w0)) P| <= kappa(s) = sum_k N_k s^(k-1) / (k-1)!` where `|w - w0| <= s`,
///
/// by Taylor's formula with the integral remainder, along the segment. By a theorem of Banach a symmetric real multilinear
/// form on a Hilbert space has the norm of its polynomial, so N_k may be found with all arguments equal.
#[derive(Clone, Debug, PartialEq)]
pub struct Orders {
    radius: f64,
    values: Vec<Upper>,
}

impl Orders {
    /// `values` are `N_2, ..., N_K`, valid up to `radius`.
    pub fn new(radius: f64, values: Vec<Upper>) -> Orders {
        Orders { radius, values }
    }

    /// S.
    pub fn radius(&self) -> f64 {
        self.radius
    }

    /// `N_2, ..., N_K`.
    pub fn values(&self) -> &[Upper] {
        &self.values
    }

    /// The same bounds, each enlarged by a factor.
    #[must_use]
    pub fn weakened(&self, factor: Upper) -> Orders {
        Orders { radius: self.radius, values: self.values.iter().map(|&n| n * factor).collect() }
    }

    /// `kappa(s)`; unknown beyond S.
    pub fn kappa(&self, s: f64) -> Upper {
        // A radius that is no number is beyond S too.
        let known = s <= self.radius;
        if known { self.series(s, |k| Interval::exact((k - 1) as f64)) } else { Upper::UNKNOWN }
    }

    /// `sum_k N_k s^(k-1) / (k-1)!`, each term divided once more by `divisor(k) / (k - 1)`, from above.
    fn series(&self, s: f64, divisor: impl Fn(usize) -> Interval) -> Upper {
        let s = Upper::new(s);
        // s^(k-1) / (k-2)!.
        let mut power = Upper::ONE;
        let mut sum = Upper::ZERO;
        for (k, &order) in (2..).zip(&self.values) {
            power = if k == 2 { s } else { power * s / Lower::new((k - 2) as f64) };
            sum += order * power / divisor(k).lower();
        }
        sum
    }

    /// `integral_0^t (1 - kappa) = t - sum_k N_k t^k / k!` from below, 0 if that is negative or t is beyond S.
    pub fn integral(&self, t: f64) -> Lower {
        let known = t <= self.radius;
        if !known {
            return Lower::ZERO;
        }
        // t^k / k! = t (t^(k-1) / (k-2)!) / (k (k-1)).
        let loss = self.series(t, |k| Interval::exact((k * (k - 1)) as f64));
        Lower::new(t).minus(loss * Upper::new(t))
    }

    /// (T16) `smin(J(w)) >= s0 (1 - kappa(s))_+` on `B(w0, s)`, where kappa holds on the whole ball.
    pub fn psi(&self, smallest: Lower, s: f64) -> Lower {
        smallest * Lower::ONE.minus(self.kappa(s))
    }

    /// The largest `integral_0^t (1 - kappa)`, `t <= S`, and its t: what (T15) allows for `|J(w0)^+ rho(w0)|` and, times s0, what
    /// (T3) with (T16) allows for `|rho(w0)|`. kappa grows, so the integral does up to where kappa is 1.
    pub fn largest_integral(&self) -> (f64, Lower) {
        let (mut inside, mut outside) = (0.0, self.radius);
        if self.kappa(outside).get() <= 1.0 {
            return (outside, self.integral(outside));
        }
        for _ in 0..60 {
            let middle = 0.5 * (inside + outside);
            if self.kappa(middle).get() < 1.0 { inside = middle } else { outside = middle }
        }
        (inside, self.integral(inside))
    }
}

/// Orders for a radius S slightly larger than the radius at which [`Orders::largest_integral`] uses them: the last order
/// grows with S, so a larger S than necessary costs, and a smaller one cuts the integral off.
pub fn fitting(orders: impl Fn(f64) -> Orders, first: f64) -> Orders {
    let mut radius = first;
    let mut best = orders(radius);
    for _ in 0..24 {
        // Beyond S only to see whether S is too small.
        let guess = Orders { radius: 64.0 * radius, values: best.values.clone() };
        let (used, _) = guess.largest_integral();
        if used == 0.0 || (0.9 * radius <= used && used <= radius) {
            break;
        }
        radius = 1.02 * used;
        best = orders(radius);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders(radius: f64, values: &[f64]) -> Orders {
        Orders::new(radius, values.iter().map(|&n| Upper::new(n)).collect())
    }

    /// N = (2, 6, 24): kappa = 2 s + 3 s^2 + 4 s^3, integral = t - t^2 - t^3 - t^4.
    #[test]
    fn polynomials_by_hand() {
        let o = orders(1.0, &[2.0, 6.0, 24.0]);
        assert!((o.kappa(0.25).get() - 0.75).abs() < 1e-15 && o.kappa(0.25).get() >= 0.75);
        let exact = 0.25 - 0.0625 - 0.015625 - 0.00390625;
        assert!((o.integral(0.25).get() - exact).abs() < 1e-15 && o.integral(0.25).get() <= exact);
        assert_eq!(o.kappa(1.5), Upper::UNKNOWN);
        assert_eq!(o.integral(1.5), Lower::ZERO);
        assert!(o.psi(Lower::new(2.0), 0.25).get() <= 0.5);
    }

    /// One order N: integral t - N t^2 / 2, largest at 1/N: the bound 1/(2 N) of Kantorovich.
    #[test]
    fn kantorovich() {
        let (t, value) = orders(10.0, &[4.0]).largest_integral();
        assert!((t - 0.25).abs() < 1e-12 && (value.get() - 0.125).abs() < 1e-12);
        // The radius cuts it off.
        let (t, value) = orders(0.1, &[4.0]).largest_integral();
        assert!(t == 0.1 && (value.get() - 0.08).abs() < 1e-15);
    }

    /// A last order that grows with the radius: the radius found is used up to nine tenths.
    #[test]
    fn radii_fit() {
        let of = |s: f64| orders(s, &[3.0, 10.0 * (1.0 + 5.0 * s)]);
        for first in [1e-6, 0.01, 10.0] {
            let o = fitting(of, first);
            let (t, _) = o.largest_integral();
            assert!(t <= o.radius() && t >= 0.9 * o.radius(), "{t} {}", o.radius());
        }
    }
}
