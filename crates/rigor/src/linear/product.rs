//! Products of enclosed matrices.

use super::enclosed::EnclosedMatrix;
use super::entrywise::{by_columns, entry_or_unknown, inflate};
use super::roundoff::{Majorant, absolute, gamma, mirror_sum, own_product, product, underflow, wide};
use faer::{Mat, MatRef, unzip, zip};

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
            let mut spread = product(r, majorant_of(1.0, (a, ra)).as_ref().transpose());
            mirror_sum(&mut spread);
            spread
        });
        let zero = zero_rows((a, ra));
        // An entry of M + M^T is a sum of 2k products, one rounding more, and as many underflows.
        let bound = RadiusBound { scale: gamma(k), second: Majorant::new(2 * k + 1), ..RadiusBound::new(k) };
        by_columns(a.nrows(), a.nrows(), |j, m, r| {
            m.copy_from_slice(middle.col_as_slice(j));
            bound.fill(r, rounding.col_as_slice(j), spread.as_ref().map(|s| s.col_as_slice(j)));
            finish(m, r, &zero, zero[j]);
        })
    }
}

/// Radii `scale first + second + k eta` from floats that stand for sums of non-negative products.
struct RadiusBound {
    scale: f64,
    first: Majorant,
    second: Majorant,
    underflow: f64,
}

impl RadiusBound {
    /// For products with the inner dimension k.
    fn new(k: usize) -> RadiusBound {
        RadiusBound { scale: 1.0, first: Majorant::new(k), second: Majorant::new(k), underflow: underflow(k) }
    }

    #[inline(always)]
    fn fill(&self, radius: &mut [f64], first: &[f64], second: Option<&[f64]>) {
        let first = first.iter().map(|&x| self.scale * self.first.rough_bound(x) + self.underflow);
        match second {
            None => radius.iter_mut().zip(first).for_each(|(r, x)| *r = inflate(x)),
            Some(second) => {
                let second = second.iter().map(|&x| self.second.rough_bound(x));
                radius.iter_mut().zip(first.zip(second)).for_each(|(r, (x, y))| *r = inflate(x + y));
            }
        }
    }
}

/// Entries of zero rows, or of a zero column, are exactly 0; what is not finite is unknown.
#[inline(always)]
fn finish(middle: &mut [f64], radius: &mut [f64], zero_row: &[bool], zero_column: bool) {
    for ((m, r), &zero) in middle.iter_mut().zip(radius).zip(zero_row) {
        let (x, y) = entry_or_unknown(*m, *r);
        (*m, *r) = if zero | zero_column { (0.0, 0.0) } else { (x, y) };
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
    let right = |scale: f64| majorant_of(scale, (b, rb));
    let first = product(absolute(a).as_ref(), right(gamma).as_ref());
    let second = ra.map(|r| product(r, right(1.0).as_ref()));
    let (zero_row, zero_column) = (zero_rows((a, ra)), zero_rows((b.transpose(), rb.map(|r| r.transpose()))));
    let bound = RadiusBound::new(k);
    by_columns(a.nrows(), b.ncols(), |j, m, r| {
        m.copy_from_slice(middle.col_as_slice(j));
        bound.fill(r, first.col_as_slice(j), second.as_ref().map(|s| s.col_as_slice(j)));
        finish(m, r, &zero_row, zero_column[j]);
    })
}

/// `scale |M| + R`, rounded up. Exact zeros stay 0, not a subnormal number, which a product would take a hundred times as long to
/// read.
fn majorant_of(scale: f64, (middle, radius): Parts<'_>) -> Mat<f64> {
    let up = |x: f64, r: f64| if x + r == 0.0 { 0.0 } else { inflate(scale * x + r) };
    let mut sum = absolute(middle);
    wide(|| match radius {
        Some(radius) => zip!(&mut sum, radius).for_each(|unzip!(s, r)| *s = up(*s, *r)),
        None => zip!(&mut sum).for_each(|unzip!(s)| *s = up(*s, 0.0)),
    });
    sum
}
