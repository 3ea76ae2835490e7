//! Products of enclosed matrices.

use super::enclosed::{EnclosedMatrix, entry_or_unknown};
use super::roundoff::{Majorant, absolute, gamma, own_product, product, underflow};
use crate::rounding::{add_up, mul_up};
use faer::{Mat, MatRef};

/// Middle and radius, the radius of an exact matrix left out.
type Parts<'a> = (MatRef<'a, f64>, Option<MatRef<'a, f64>>);

impl EnclosedMatrix {
    fn as_parts(&self) -> Parts<'_> {
        (self.middle.as_ref(), self.radius.as_ref().map(|r| r.as_ref()))
    }

    fn as_transposed_parts(&self) -> Parts<'_> {
        (self.middle.transpose(), self.radius.as_ref().map(|r| r.transpose()))
    }

    /// `A B`.
    ///
    /// # Panics
    /// If the inner dimensions differ.
    pub fn times(&self, other: &EnclosedMatrix) -> EnclosedMatrix {
        enclosed_product(self.as_parts(), other.as_parts())
    }

    /// `A B^T`.
    ///
    /// # Panics
    /// If the numbers of columns differ.
    pub fn times_transpose(&self, other: &EnclosedMatrix) -> EnclosedMatrix {
        enclosed_product(self.as_parts(), other.as_transposed_parts())
    }

    /// `A^T B`.
    ///
    /// # Panics
    /// If the numbers of rows differ.
    pub fn transpose_times(&self, other: &EnclosedMatrix) -> EnclosedMatrix {
        enclosed_product(self.as_transposed_parts(), other.as_parts())
    }

    /// `A A^T` entrywise, middle and radius exactly symmetric, at half the cost of [`EnclosedMatrix::times_transpose`].
    pub fn times_own_transpose(&self) -> EnclosedMatrix {
        let (a, ra) = self.as_parts();
        let k = a.ncols();
        let middle = own_product(a);
        let magnitude = absolute(a);
        let rounding = own_product(magnitude.as_ref());
        // |A| R^T + R |A|^T + R R^T <= M + M^T, M = R (|A| + R)^T.
        let spread = ra.map(|r| {
            let sum = Mat::from_fn(a.nrows(), k, |i, j| add_up(magnitude[(i, j)], r[(i, j)]));
            product(r, sum.transpose())
        });
        let zero = zero_rows((a, ra));
        let (gamma, majorant) = (gamma(k), Majorant::new(k));
        EnclosedMatrix::from_entries(a.nrows(), a.nrows(), |i, j| {
            if zero[i] || zero[j] {
                return (0.0, 0.0);
            }
            let mut radius = add_up(mul_up(gamma, majorant.bound(rounding[(i, j)])), underflow(k));
            if let Some(s) = &spread {
                radius = add_up(radius, add_up(majorant.bound(s[(i, j)]), majorant.bound(s[(j, i)])));
            }
            entry_or_unknown(middle[(i, j)], radius)
        })
    }
}

/// Which rows are exactly zero? Their products are exactly 0, and no error may creep in: a frozen parameter must not
/// acquire a drift.
fn zero_rows((a, ra): Parts<'_>) -> Vec<bool> {
    let mut zero = vec![true; a.nrows()];
    for j in 0..a.ncols() {
        for i in 0..a.nrows() {
            zero[i] &= a[(i, j)] == 0.0 && ra.is_none_or(|r| r[(i, j)] == 0.0);
        }
    }
    zero
}

/// With `|A - Am| <= Ra`, `|B - Bm| <= Rb` and inner dimension `k`:
/// `|AB - fl(Am Bm)| <= |Am| (gamma_k |Bm| + Rb) + Ra (|Bm| + Rb) + k eta`, entrywise. The two products of non-negative
/// matrices are again float products, bounded by [`Majorant`]; the second is needed only when `A` is not exact.
fn enclosed_product((a, ra): Parts<'_>, (b, rb): Parts<'_>) -> EnclosedMatrix {
    assert_eq!(a.ncols(), b.nrows(), "the inner dimensions differ");
    let k = a.ncols();
    let gamma = gamma(k);
    let middle = product(a, b);
    let right = |scale: f64| {
        Mat::from_fn(k, b.ncols(), |i, j| add_up(mul_up(scale, b[(i, j)].abs()), rb.map_or(0.0, |r| r[(i, j)])))
    };
    let first = product(absolute(a).as_ref(), right(gamma).as_ref());
    let second = ra.map(|r| product(r, right(1.0).as_ref()));
    let (zero_row, zero_column) = (zero_rows((a, ra)), zero_rows((b.transpose(), rb.map(|r| r.transpose()))));
    let majorant = Majorant::new(k);
    EnclosedMatrix::from_entries(a.nrows(), b.ncols(), |i, j| {
        if zero_row[i] || zero_column[j] {
            return (0.0, 0.0);
        }
        let mut radius = add_up(majorant.bound(first[(i, j)]), underflow(k));
        if let Some(s) = &second {
            radius = add_up(radius, majorant.bound(s[(i, j)]));
        }
        entry_or_unknown(middle[(i, j)], radius)
    })
}
