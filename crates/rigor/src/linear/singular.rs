//! Proved bounds of singular values.

use super::enclosed::{EnclosedMatrix, norm_of_nonnegative};
use super::extreme::{largest_eigenvalue_upper, smallest_eigenvalue_lower};
use super::roundoff::{absolute, power_of_two_near};
use super::symmetric::gram;
use crate::bound::{Lower, Upper};
use crate::rounding::{mul_down, mul_up};
use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::{Mat, MatRef};

/// An upper bound of the spectral norm: `|M|^2 = lmax(M M^T)` of the middle, on the smaller side, plus the norm of the
/// radii.
pub fn norm_upper(a: &EnclosedMatrix) -> Upper {
    norm_of_doubles(a.middle.as_ref()) + a.radius_norm()
}

fn norm_of_doubles(a: MatRef<'_, f64>) -> Upper {
    let trivial = norm_of_nonnegative(absolute(a).as_ref());
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
pub fn smallest_singular_value_lower(a: &EnclosedMatrix) -> Lower {
    let (n, p) = (a.nrows(), a.ncols());
    if n == 0 || p < n || !a.is_bounded() {
        return Lower::ZERO;
    }
    smallest_of_doubles(a.middle.as_ref()).minus(a.radius_norm())
}

fn smallest_of_doubles(a: MatRef<'_, f64>) -> Lower {
    let unit = power_of_two_near(norm_of_nonnegative(absolute(a).as_ref()).get());
    let scaled = EnclosedMatrix::exact(Mat::from_fn(a.nrows(), a.ncols(), |i, j| a[(i, j)] / unit));
    let squared = smallest_eigenvalue_lower(&gram(&scaled)).map_or(Lower::ZERO, Lower::new);
    let by_gram = squared.sqrt();
    let bound = by_gram.max(by_factorisation(&scaled));
    Lower::new(mul_down(bound.minus(Upper::new(f64::MIN_POSITIVE)).get(), unit))
}

fn by_factorisation(a: &EnclosedMatrix) -> Lower {
    let n = a.nrows();
    let qr = a.middle.transpose().qr();
    let mut s = Mat::<f64>::identity(n, n);
    solve_lower_triangular_in_place(qr.thin_R().transpose(), s.as_mut(), super::roundoff::parallelism());
    let s = EnclosedMatrix::exact(s);
    let y = s.times(a);
    if !y.is_bounded() {
        return Lower::ZERO;
    }
    let squared = smallest_eigenvalue_lower(&gram(&y)).map_or(Lower::ZERO, Lower::new);
    squared.sqrt() / norm_upper(&s)
}
