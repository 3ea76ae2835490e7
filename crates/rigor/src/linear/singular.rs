//! Proved bounds of singular values.

use super::enclosed::{EnclosedMatrix, quick_norm};
use super::extreme::{largest_eigenvalue_upper, smallest_eigenvalue_lower};
use super::roundoff::{parallelism, power_of_two_near};
use super::split::accurate_product;
use super::symmetric::gram;
use crate::bound::{Lower, Upper};
use crate::rounding::{mul_down, mul_up};
use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::{Mat, MatRef, Side};

/// An upper bound of the spectral norm: `|M|^2 = lmax(M M^T)` of the middle, on the smaller side, plus the norm of the
/// radii.
pub fn norm_upper(a: &EnclosedMatrix) -> Upper {
    norm_of_doubles(a.middle.as_ref()) + a.radius_norm()
}

fn norm_of_doubles(a: MatRef<'_, f64>) -> Upper {
    let trivial = quick_norm(a);
    if trivial == Upper::ZERO || a.nrows().min(a.ncols()) == 1 {
        return trivial;
    }
    // Squares must neither overflow nor vanish.
    let unit = power_of_two_near(trivial.get());
    let side = if a.nrows() <= a.ncols() { a } else { a.transpose() };
    let scaled = Mat::from_fn(side.nrows(), side.ncols(), |i, j| side[(i, j)] / unit);
    // A quotient that is subnormal is off by at most 2^-1075; all together by less than the smallest normal double.
    let loss = Upper::new(f64::MIN_POSITIVE);
    let squared = largest_eigenvalue_upper(&gram(&EnclosedMatrix::exact(scaled)));
    trivial.min(Upper::new(mul_up((squared.sqrt() + loss).get(), unit)))
}

/// A lower bound of the `n`-th singular value of an `n x p` matrix (0 if `p < n`); 0 when none could be proved.
///
/// First through the Gram matrix, which loses everything once the square of the condition number reaches about `1e13`;
/// then by `by_preconditioning`, which does not square.
pub fn smallest_singular_value_lower(a: &EnclosedMatrix) -> Lower {
    let (n, p) = (a.nrows(), a.ncols());
    if n == 0 || p < n || !a.is_bounded() {
        return Lower::ZERO;
    }
    smallest_of_doubles(a.middle.as_ref()).minus(a.radius_norm())
}

fn smallest_of_doubles(a: MatRef<'_, f64>) -> Lower {
    let unit = power_of_two_near(quick_norm(a).get());
    let scaled = Mat::from_fn(a.nrows(), a.ncols(), |i, j| a[(i, j)] / unit);
    // Entries that became subnormal are off by at most 2^-1075, all together by less than the smallest normal double.
    let loss = Upper::new(f64::MIN_POSITIVE);
    let products = gram(&EnclosedMatrix::exact(scaled.clone()));
    let squared = smallest_eigenvalue_lower(&products).map_or(Lower::ZERO, Lower::new);
    let mut bound = squared.sqrt();
    // What the Gram matrix loses is of the order of its own rounding errors.
    if squared.get() < 1e3 * products.radius().get() {
        bound = bound.max(by_preconditioning(scaled.as_ref()));
    }
    Lower::new(mul_down(bound.minus(loss).get(), unit))
}

/// `smin(A) >= smin(S A) / |S|` for every square `S`: with `Y = S A` of rank `n`, `S` is invertible and
/// `|A^T v| = |Y^T S^{-T} v| >= smin(Y) |v| / |S|`.
///
/// `S` is a float approximation of `R^{-T}`, `A^T = QR`, so that `Y` is nearly orthonormal and the bound nearly sharp.
/// `S A` is computed with extra precision ([`accurate_product`]) and `smin(Y)` bounded through its well-conditioned Gram
/// matrix. Where `Y` is not yet orthonormal, `S` is corrected by the Cholesky factor of `Y Y^T`. Nothing about `S` is
/// assumed: for a singular `A` every `S A` is singular, and the bound of `smin(S A)` is 0.
fn by_preconditioning(a: MatRef<'_, f64>) -> Lower {
    let n = a.nrows();
    let mut s = Mat::<f64>::identity(n, n);
    let qr = a.transpose().qr();
    solve_lower_triangular_in_place(qr.thin_R().transpose(), s.as_mut(), parallelism());
    let mut best = Lower::ZERO;
    for _ in 0..3 {
        let (y, error) = accurate_product(s.as_ref(), a);
        if !error.is_finite() {
            break;
        }
        let products = gram(&EnclosedMatrix::exact(y));
        let squared = smallest_eigenvalue_lower(&products).map_or(Lower::ZERO, Lower::new);
        let smallest = squared.sqrt().minus(error);
        best = best.max(smallest / norm_of_doubles(s.as_ref()));
        if smallest.get() > 0.999 {
            break;
        }
        let Ok(factor) = products.middle().llt(Side::Lower) else { break };
        solve_lower_triangular_in_place(factor.L(), s.as_mut(), parallelism());
    }
    best
}
