//! The spectral norm of a small matrix with non-negative entries, known only from above.

use crate::bound::{Lower, Upper};

/// An upper bound of the spectral norm of every real matrix whose entries are bounded in magnitude by the `rows` x
/// `columns` matrix `entries` (row-major).
///
/// `|A| <= |entries|` entrywise gives `|A|_2 <= |entries|_2` for the spectral norms, and for a non-negative M and any
/// x > 0 Collatz' bound is `|M|_2^2 <= max_i (M^T M x)_i / x_i`. The x is found by power iteration in plain floats; the
/// bound is evaluated rounded up. The Frobenius norm is a second bound.
pub fn spectral_norm(entries: &[Upper], rows: usize, columns: usize) -> Upper {
    debug_assert_eq!(entries.len(), rows * columns);
    let frobenius = Upper::norm(entries.iter().copied());
    if frobenius.get() == 0.0 || !frobenius.is_finite() || rows == 1 || columns == 1 {
        return frobenius;
    }
    // Scaled so that no square over- or underflows to a useless value.
    let scale = frobenius.get();
    let scaled: Vec<Upper> = entries.iter().map(|&e| e / Lower::new(scale)).collect();
    let x = perron_vector(&scaled, rows, columns);
    let product: Vec<Upper> =
        (0..rows).map(|i| (0..columns).map(|j| scaled[i * columns + j] * Upper::new(x[j])).sum()).collect();
    let quotient = Upper::maximum((0..columns).map(|j| {
        let value: Upper = (0..rows).map(|i| scaled[i * columns + j] * product[i]).sum();
        value / Lower::new(x[j])
    }));
    frobenius.min(quotient.sqrt() * Upper::new(scale))
}

/// A positive vector near the leading right singular vector.
fn perron_vector(entries: &[Upper], rows: usize, columns: usize) -> Vec<f64> {
    let mut x = vec![1.0; columns];
    for _ in 0..60 {
        let mut next = vec![0.0; columns];
        for i in 0..rows {
            let row = &entries[i * columns..][..columns];
            let dot: f64 = row.iter().zip(&x).map(|(e, x)| e.get() * x).sum();
            row.iter().zip(&mut next).for_each(|(e, n)| *n += e.get() * dot);
        }
        let largest = next.iter().fold(0.0f64, |a, &b| a.max(b));
        let mut change = 0.0f64;
        for (x, n) in x.iter_mut().zip(&next) {
            // Kept away from 0: a reducible matrix has no positive Perron vector.
            let value = (n / largest).max(1e-9);
            change = change.max((value - *x).abs());
            *x = value;
        }
        if change < 1e-14 {
            break;
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    fn norm(entries: &[f64], rows: usize, columns: usize) -> f64 {
        let entries: Vec<Upper> = entries.iter().map(|&e| Upper::new(e)).collect();
        spectral_norm(&entries, rows, columns).get()
    }

    #[test]
    fn known_norms() {
        // [[3, 0], [4, 5]] has singular values sqrt(45), sqrt(5).
        let exact = 45f64.sqrt();
        let found = norm(&[3.0, 0.0, 4.0, 5.0], 2, 2);
        assert!(found >= exact && found < exact * (1.0 + 1e-12), "{found}");
        assert!(norm(&[2.0, 0.0, 0.0, 3.0], 2, 2) >= 3.0);
        assert!(norm(&[2.0, 0.0, 0.0, 3.0], 2, 2) < 3.0001);
        assert_eq!(norm(&[0.0; 9], 3, 3), 0.0);
        assert_eq!(norm(&[1.0, f64::INFINITY, 0.0, 1.0], 2, 2), f64::INFINITY);
    }

    #[test]
    fn extreme_scales_stay_valid() {
        for scale in [1e-300, 1e-160, 1e160, 1e300] {
            let found = norm(&[scale, scale, scale, scale], 2, 2);
            assert!(found >= 2.0 * scale && found < 2.0 * scale * (1.0 + 1e-12), "{found}");
        }
    }
}
