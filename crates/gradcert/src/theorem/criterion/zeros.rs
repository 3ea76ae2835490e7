//! Zeros of f that can be proved: doubles at which f and its gradient vanish exactly.

use super::region::distance;
use crate::function::Function;
use gradcert_rigor::Interval;

/// Looks for a zero near x, not farther than `reach`: Newton's method in doubles, then the nearest points on coarser and coarser grids.
/// What is returned is proved to be a zero by [`Function::vanishes_at`].
pub(super) fn find_zero(f: &dyn Function, x: &[f64], reach: f64) -> Option<Vec<f64>> {
    let found = newton(f, x, reach)?;
    for bits in [40, 30, 20, 10, 4, 0] {
        let grid = 2f64.powi(bits);
        let rounded: Vec<f64> = found.iter().map(|c| (c * grid).round() / grid).collect();
        if f.vanishes_at(&rounded) {
            return Some(rounded);
        }
    }
    f.vanishes_at(&found).then_some(found)
}

fn newton(f: &dyn Function, x: &[f64], reach: f64) -> Option<Vec<f64>> {
    let p = x.len();
    let mut at = x.to_vec();
    for _ in 0..40 {
        let point: Vec<Interval> = at.iter().map(|&c| Interval::exact(c)).collect();
        let jets = f.enclose(&point)?;
        let jet = jets.function();
        let mut system: Vec<Vec<f64>> = (0..p)
            .map(|i| {
                let mut row: Vec<f64> = (0..p).map(|j| jet.second_partial(i, j).middle()).collect();
                row.push(jet.partial(i).middle());
                row
            })
            .collect();
        let step = solve(&mut system)?;
        for (c, d) in at.iter_mut().zip(&step) {
            *c -= d;
        }
        let moved = distance(&at, x);
        if moved.is_nan() || moved > reach {
            return None;
        }
        let size: f64 = step.iter().fold(0.0, |m: f64, d| m.max(d.abs()));
        if size <= 1e-15 * reach {
            break;
        }
    }
    Some(at)
}

/// Gaussian elimination with row exchanges on rows `[A | b]`.
fn solve(rows: &mut [Vec<f64>]) -> Option<Vec<f64>> {
    let p = rows.len();
    for k in 0..p {
        let pivot = (k..p).max_by(|&a, &b| rows[a][k].abs().total_cmp(&rows[b][k].abs()))?;
        rows.swap(k, pivot);
        if rows[k][k] == 0.0 || !rows[k][k].is_finite() {
            return None;
        }
        for i in k + 1..p {
            let factor = rows[i][k] / rows[k][k];
            for j in k..=p {
                rows[i][j] -= factor * rows[k][j];
            }
        }
    }
    let mut x = vec![0.0; p];
    for k in (0..p).rev() {
        let known: f64 = (k + 1..p).map(|j| rows[k][j] * x[j]).sum();
        x[k] = (rows[k][p] - known) / rows[k][k];
    }
    Some(x)
}
