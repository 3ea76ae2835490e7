//! (T14) From the cells to descent and flow: the certified clock, the rate and the number of iterations.
//!
//! Let lambda be the decay of the cells, made non-increasing by its running minimum: up to the clock `tau_j` every step contracts, `|rho_{k+1}| <= (1
//! - c lambda_j) |rho_k|`.
//!
//! *Descent.* `tau_0 = 0`, `u_0 >= |rho_0|`, `tau_{k+1} = tau_k + c u_k`, `u_{k+1} = (1 - c lambda(tau_{k+1})) u_k`. As long as the clocks stay in the cells and
//! lambda is positive there, `|rho_k| <= u_k` and the clock of the run is at most `tau_k`. *Proof.* The map `(tau, u) -> (tau + c u, (1 - c
//! lambda(tau + c u)) u)` is non-decreasing in both arguments, lambda being non-increasing and `c lambda <= 1`; the run obeys it with `<=`, because
//! step k ends at the clock `tau_k + c |rho_k|`, up to which its averaged patterns are bounded. So the sharpest factor is used at every step, with no
//! shift of the clock by a whole step, and the count is a priori. *Tail.* If after some k there is a cell with `tau_k + u_k / lambda_j <= tau_j`, the
//! run never leaves it: its clock grows by at most `sum_l c u_k (1 - c lambda_j)^l = u_k / lambda_j`. From there on it converges linearly, and every
//! iteration before had a factor at most `1 - c lambda_j` too.
//!
//! *Flow.* `d|rho| / d tau <= -lambda(tau)`: certified if `|rho_0| < integral_0^T lambda`, lower sums, and T is the smallest such clock;
//! then `|rho(t)| <= |rho_0| exp(-(2/n) lambda(T) t)` for `w' = -grad S`.

use super::relu_width::Cell;
use gradcert_rigor::rounding::{add_up, div_up, mul_down, mul_up, sub_down, sub_up};
use gradcert_rigor::{Interval, Upper};

/// The longest recursion that is followed.
pub const MOST_ITERATIONS: u64 = 10_000_000;

/// Why a step is not certified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The kernel may have lost its smallest eigenvalue before the residual has vanished.
    Clock,
    /// More than [`MOST_ITERATIONS`] iterations.
    Iterations,
}

/// A certified descent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Descent {
    /// `|rho_k|^2 <= level` from this iteration on.
    pub iterations: u64,
    /// Index of the cell that the run never leaves.
    pub cell: usize,
    /// `lambda` of that cell: every step multiplies `|rho|` by at most `1 - c lambda`.
    pub decay: f64,
}

impl Descent {
    /// Every iteration multiplies the loss by at most 1 - rate: `1 - (1 - c lambda)^2`, rounded down.
    pub fn rate(&self, c: Interval) -> f64 {
        let factor = contraction(c, self.decay);
        sub_down(1.0, mul_up(factor, factor)).clamp(0.0, 1.0)
    }
}

/// `1 - c lambda` rounded up; at least 0.
fn contraction(c: Interval, decay: f64) -> f64 {
    sub_up(1.0, mul_down(c.lo(), decay)).max(0.0)
}

/// The decay of every cell, non-increasing.
pub fn decays(cells: &[Cell], c: Interval) -> Vec<f64> {
    let running = |least: &mut f64, cell: &Cell| {
        *least = least.min(cell.decay(c));
        Some(*least)
    };
    cells.iter().scan(f64::INFINITY, running).collect()
}

/// Follows the recursion until `u^2 <= level`.
///
/// # Errors
/// [`Refusal`]: why nothing is certified.
pub fn descent(clocks: &[f64], decays: &[f64], c: Interval, residual: Upper, level: f64) -> Result<Descent, Refusal> {
    let (mut clock, mut u, mut cell, mut iterations) = (0.0, residual.get(), 0, 0);
    while mul_up(u, u) > level {
        if iterations == MOST_ITERATIONS {
            return Err(Refusal::Iterations);
        }
        clock = add_up(clock, mul_up(c.hi(), u));
        while cell < clocks.len() && clocks[cell] < clock {
            cell += 1;
        }
        match decays.get(cell) {
            Some(&decay) if decay > 0.0 => u = mul_up(u, contraction(c, decay)),
            _ => return Err(Refusal::Clock),
        }
        iterations += 1;
    }
    let stays = |&j: &usize| decays[j] > 0.0 && add_up(clock, div_up(u, decays[j])) <= clocks[j];
    let cell = (cell..clocks.len()).find(stays).ok_or(Refusal::Clock)?;
    Ok(Descent { iterations, cell, decay: decays[cell] })
}

/// The cell in which the smallest certified clock of the flow lies, if there is one.
pub fn flow(clocks: &[f64], decays: &[f64], residual: Upper) -> Option<usize> {
    let (mut sum, mut before) = (0.0, 0.0);
    for (j, (&clock, &decay)) in clocks.iter().zip(decays).enumerate() {
        if decay <= 0.0 {
            return None;
        }
        sum = gradcert_rigor::rounding::add_down(sum, mul_down(decay, sub_down(clock, before)));
        if residual.get() < sum {
            return Some(j);
        }
        before = clock;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constant(decay: f64, clock: f64) -> (Vec<f64>, Vec<f64>) {
        ((1..=100).map(|k| clock * f64::from(k) / 100.0).collect(), vec![decay; 100])
    }

    /// Constant lambda: the clock is u_0 / lambda, and the count that of a geometric sequence.
    #[test]
    fn a_constant_decay_is_done_by_hand() {
        let c = Interval::exact(0.5);
        let (clocks, decays) = constant(0.25, 16.0 + 1e-9);
        let found = descent(&clocks, &decays, c, Upper::new(4.0), 1e-12).unwrap();
        let exact = ((1e-6f64 / 4.0).ln() / (1.0f64 - 0.125).ln()).ceil() as u64;
        assert_eq!((found.iterations, found.cell), (exact, 99));
        assert!((found.rate(c) - (1.0 - 0.875f64.powi(2))).abs() < 1e-14);
        let (clocks, decays) = constant(0.25, 15.999);
        assert_eq!(descent(&clocks, &decays, c, Upper::new(4.0), 1e-12), Err(Refusal::Clock));
        assert_eq!(flow(&clocks, &decays, Upper::new(3.9)), Some(97));
        assert_eq!(flow(&clocks, &decays, Upper::new(4.0)), None);
    }

    /// lambda = 1 - tau on cells: the flow is certified below 1/2, descent with small steps up to the same.
    #[test]
    fn descent_tends_to_the_flow_as_the_step_goes_to_zero() {
        let clocks: Vec<f64> = (1..=1000).map(|k| f64::from(k) / 1000.0).collect();
        let decays: Vec<f64> = clocks.iter().map(|t| 1.0 - t).collect();
        let largest = |certified: &dyn Fn(f64) -> bool| {
            let (mut low, mut high) = (0.0, 1.0);
            for _ in 0..30 {
                let middle = 0.5 * (low + high);
                (low, high) = if certified(middle) { (middle, high) } else { (low, middle) };
            }
            low
        };
        let by_flow = largest(&|rho| flow(&clocks, &decays, Upper::new(rho)).is_some());
        let by_descent =
            |c: f64| largest(&|rho| descent(&clocks, &decays, Interval::exact(c), Upper::new(rho), 1e-8).is_ok());
        assert!((by_flow - 0.4995).abs() < 1e-3, "{by_flow}");
        assert!((by_descent(0.003) - by_flow).abs() < 3e-3);
        assert!(by_descent(1.0) < by_descent(0.3) && by_descent(0.3) < by_flow);
    }

    #[test]
    fn no_recursion_without_end() {
        let (clocks, decays) = constant(1.0, 10.0);
        let refused = descent(&clocks, &decays, Interval::exact(1e-12), Upper::new(1.0), 1e-20);
        assert_eq!(refused, Err(Refusal::Iterations));
    }
}
