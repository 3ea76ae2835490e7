//! What the counts leave of the kernel: `|I - c Jbar J^T| <= 1 - c decay` on every cell.
//!
//! The kernel lies entrywise between `x_i.x_j S_ij / m` and `x_i.x_j P_ij / m`: around the centre C with the spread D, `|D| <= spread`. With `low = decay
//! + spread <= lmin(C)` and `lmax(C) <= 2/c - low`, `|I - cC| <= 1 - c low`.

use super::Width;
use super::movement::Movement;
use crate::check::{Proved, proved};
use crate::matrix::Symmetric;
use gradcert_rigor::Interval;
use gradcert_rigor::rounding::add_up;

pub(crate) fn verify(claim: &Width, gram: &[Interval], movement: &Movement, c: Interval, m: usize) -> Proved {
    let n = gram.len().isqrt();
    let twice = Interval::exact(2.0 * m as f64);
    for (cell, (decay, spread)) in claim.decay.iter().zip(&claim.spread).enumerate() {
        let (sure, possible) = (&movement.sure[cell], &movement.possible[cell]);
        let matrix = |entry: &dyn Fn(Interval, f64, f64) -> Interval| {
            let at = |k: usize| {
                let (i, j) = ((k / n).max(k % n), (k / n).min(k % n));
                // Counts are far below 2^53.
                let [sure, possible] = [sure, possible].map(|counts| counts[i * (i + 1) / 2 + j] as f64);
                entry(gram[k], sure, possible) / twice
            };
            Symmetric::enclosing(n, &(0..n * n).map(at).collect::<Vec<_>>())
        };
        let centre = matrix(&|g, sure, possible| g * Interval::exact(sure + possible));
        let widest = matrix(&|g, sure, possible| g.abs() * Interval::exact(possible - sure));
        let low = add_up(decay.get(), spread.get());
        let high = (Interval::exact(2.0) / c - Interval::exact(low)).lo();
        // The largest eigenvalue of a non-negative matrix is its norm.
        let norm = widest.at_most(&vec![spread.get(); n]);
        proved(norm, &format!("spread[{cell}]"), format!("{spread:e}"), "a larger number")?;
        let holds = centre.at_least(&vec![low; n]) && centre.at_most(&vec![high; n]);
        proved(holds, &format!("decay[{cell}]"), format!("{decay:e}"), "a smaller number, if any")?;
    }
    Ok(())
}
