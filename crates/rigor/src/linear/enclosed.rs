//! Matrices known up to an entrywise error.

use super::entrywise::{self, Column, Operand, by_columns, combine, entry_or_unknown, product_entry, sum_entry};
use super::roundoff::{frobenius_up, largest_sums};
use super::vector;
use crate::bound::Upper;
use crate::interval::Interval;
use faer::{Mat, MatRef};

/// A real matrix known entrywise: `|true - middle| <= radius`. Samples are rows.
///
/// An entry about which nothing is known (overflow, NaN) has middle 0 and radius +inf.
#[derive(Clone, Debug)]
pub struct EnclosedMatrix {
    /// Finite.
    pub(super) middle: Mat<f64>,
    /// In `[0, +inf]`; `None` when all are 0.
    pub(super) radius: Option<Mat<f64>>,
}

#[inline]
fn from_interval(x: Interval) -> (f64, f64) {
    entry_or_unknown(x.middle(), x.radius().get())
}

/// Middle points and radii.
fn split(x: &[Interval]) -> (Vec<f64>, Vec<f64>) {
    x.iter().copied().map(from_interval).unzip()
}

impl EnclosedMatrix {
    /// The matrix itself. Entries that are not finite become unknown.
    pub fn exact(matrix: Mat<f64>) -> EnclosedMatrix {
        let finite = (0..matrix.ncols()).all(|j| matrix.col_as_slice(j).iter().all(|x| x.is_finite()));
        if finite {
            EnclosedMatrix { middle: matrix, radius: None }
        } else {
            let (m, n) = (matrix.nrows(), matrix.ncols());
            EnclosedMatrix::from_entries(m, n, |i, j| entry_or_unknown(matrix[(i, j)], 0.0))
        }
    }

    /// All matrices with `|true - middle| <= radius` entrywise; a negative radius counts as 0, one that is NaN as
    /// unknown.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn new(middle: Mat<f64>, radius: Mat<f64>) -> EnclosedMatrix {
        assert_eq!((middle.nrows(), middle.ncols()), (radius.nrows(), radius.ncols()), "middle and radius differ");
        EnclosedMatrix::from_entries(middle.nrows(), middle.ncols(), |i, j| {
            entry_or_unknown(middle[(i, j)], Upper::new(radius[(i, j)]).get())
        })
    }

    /// The matrix with the given entries.
    pub fn from_fn(rows: usize, columns: usize, entry: impl Fn(usize, usize) -> Interval) -> EnclosedMatrix {
        EnclosedMatrix::from_entries(rows, columns, |i, j| from_interval(entry(i, j)))
    }

    /// From pairs (finite middle, radius).
    pub(super) fn from_entries(
        rows: usize,
        columns: usize,
        entry: impl Fn(usize, usize) -> (f64, f64),
    ) -> EnclosedMatrix {
        by_columns(rows, columns, |j, middle, radius| {
            for i in 0..rows {
                (middle[i], radius[i]) = entry(i, j);
            }
        })
    }

    /// Number of rows (samples).
    pub fn nrows(&self) -> usize {
        self.middle.nrows()
    }

    /// Number of columns.
    pub fn ncols(&self) -> usize {
        self.middle.ncols()
    }

    /// The middle points; finite.
    pub fn middle(&self) -> MatRef<'_, f64> {
        self.middle.as_ref()
    }

    /// The error of entry `(i, j)`.
    pub fn radius(&self, i: usize, j: usize) -> Upper {
        self.radius.as_ref().map_or(Upper::ZERO, |r| Upper::new(r[(i, j)]))
    }

    /// Are all entries known exactly?
    pub fn is_exact(&self) -> bool {
        self.radius.is_none()
    }

    /// Is something known about every entry?
    pub fn is_bounded(&self) -> bool {
        self.radius.as_ref().is_none_or(|r| (0..r.ncols()).all(|j| r.col_as_slice(j).iter().all(|x| x.is_finite())))
    }

    /// Middle and radius of entry `(i, j)`.
    #[inline]
    pub(super) fn parts(&self, i: usize, j: usize) -> (f64, f64) {
        (self.middle[(i, j)], self.radius.as_ref().map_or(0.0, |r| r[(i, j)]))
    }

    /// Column `j`, with `zeros` for the radii of an exact matrix.
    #[inline]
    pub(super) fn column_or<'a>(&'a self, j: usize, zeros: &'a [f64]) -> Column<'a> {
        (self.middle.col_as_slice(j), self.radius.as_ref().map_or(zeros, |r| r.col_as_slice(j)))
    }

    /// Entry `(i, j)`.
    pub fn entry(&self, i: usize, j: usize) -> Interval {
        let (middle, radius) = self.parts(i, j);
        Interval::around(middle, Upper::new(radius))
    }

    /// Row `i`.
    pub fn row(&self, i: usize) -> Vec<Interval> {
        (0..self.ncols()).map(|j| self.entry(i, j)).collect()
    }

    /// Column `j`.
    pub fn column(&self, j: usize) -> Vec<Interval> {
        (0..self.nrows()).map(|i| self.entry(i, j)).collect()
    }

    /// Euclidean norm of each row.
    pub fn row_norms(&self) -> Vec<Interval> {
        self.transpose().column_norms()
    }

    /// Euclidean norm of each column.
    pub fn column_norms(&self) -> Vec<Interval> {
        let zeros = vec![0.0; self.nrows()];
        (0..self.ncols()).map(|j| entrywise::norm(self.column_or(j, &zeros))).collect()
    }

    /// Bound of the largest `|entry|`; 0 for an empty matrix.
    pub fn largest_entry(&self) -> Upper {
        let zeros = vec![0.0; self.nrows()];
        Upper::maximum((0..self.ncols()).map(|j| entrywise::largest(self.column_or(j, &zeros))))
    }

    /// The transposed matrix.
    pub fn transpose(&self) -> EnclosedMatrix {
        EnclosedMatrix {
            middle: self.middle.transpose().to_owned(),
            radius: self.radius.as_ref().map(|r| r.transpose().to_owned()),
        }
    }

    /// Rows `indices`, in that order, repetition allowed.
    ///
    /// # Panics
    /// If an index is out of range.
    pub fn select_rows(&self, indices: &[usize]) -> EnclosedMatrix {
        EnclosedMatrix::from_entries(indices.len(), self.ncols(), |i, j| self.parts(indices[i], j))
    }

    /// `f` applied to every entry.
    pub fn map(&self, f: impl Fn(Interval) -> Interval) -> EnclosedMatrix {
        EnclosedMatrix::from_fn(self.nrows(), self.ncols(), |i, j| f(self.entry(i, j)))
    }

    fn same_shape<'a>(&self, other: &'a EnclosedMatrix) -> Operand<'a> {
        assert_eq!((self.nrows(), self.ncols()), (other.nrows(), other.ncols()), "the shapes differ");
        Operand::Matrix(other)
    }

    /// `A + B`.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn plus(&self, other: &EnclosedMatrix) -> EnclosedMatrix {
        combine(self, &self.same_shape(other), sum_entry)
    }

    /// `A - B`.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn minus(&self, other: &EnclosedMatrix) -> EnclosedMatrix {
        combine(self, &self.same_shape(other), |a, ra, b, rb| sum_entry(a, ra, -b, rb))
    }

    /// The entrywise product `A o B`.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn hadamard(&self, other: &EnclosedMatrix) -> EnclosedMatrix {
        combine(self, &self.same_shape(other), product_entry)
    }

    /// `factor A`.
    pub fn scaled(&self, factor: Interval) -> EnclosedMatrix {
        self.scale_columns(&vec![factor; self.ncols()])
    }

    /// `diag(factors) A`.
    ///
    /// # Panics
    /// If there is not one factor per row.
    pub fn scale_rows(&self, factors: &[Interval]) -> EnclosedMatrix {
        assert_eq!(factors.len(), self.nrows(), "one factor per row");
        let (middle, radius) = split(factors);
        combine(self, &Operand::PerRow((&middle, &radius)), product_entry)
    }

    /// `A diag(factors)`.
    ///
    /// # Panics
    /// If there is not one factor per column.
    pub fn scale_columns(&self, factors: &[Interval]) -> EnclosedMatrix {
        assert_eq!(factors.len(), self.ncols(), "one factor per column");
        let (middle, radius) = split(factors);
        combine(self, &Operand::PerColumn((&middle, &radius)), product_entry)
    }

    /// `A + 1 row^T`: the vector added to every row.
    ///
    /// # Panics
    /// If `row` does not have one entry per column.
    pub fn add_row(&self, row: &[Interval]) -> EnclosedMatrix {
        assert_eq!(row.len(), self.ncols(), "one entry per column");
        let (middle, radius) = split(row);
        combine(self, &Operand::PerColumn((&middle, &radius)), sum_entry)
    }

    /// `[A, column]`.
    ///
    /// # Panics
    /// If `column` does not have one entry per row.
    pub fn append_column(&self, column: &[Interval]) -> EnclosedMatrix {
        assert_eq!(column.len(), self.nrows(), "one entry per row");
        let last = split(column);
        let (n, zeros) = (self.ncols(), vec![0.0; self.nrows()]);
        by_columns(self.nrows(), n + 1, |j, middle, radius| {
            let (m, r) = if j < n { self.column_or(j, &zeros) } else { (&last.0[..], &last.1[..]) };
            middle.copy_from_slice(m);
            radius.copy_from_slice(r);
        })
    }

    /// The Frobenius norm.
    pub fn frobenius(&self) -> Interval {
        vector::norm(&self.column_norms())
    }

    /// Bound of the spectral norm of `true - middle`: the spectral norm of a matrix is at most that of its absolute
    /// values, and `|R| <= sqrt(|R|_1 |R|_inf)`.
    pub fn radius_norm(&self) -> Upper {
        self.radius.as_ref().map_or(Upper::ZERO, |r| quick_norm(r.as_ref()))
    }
}

/// `sqrt(largest row sum * largest column sum)` of the absolute values or the Frobenius norm, whichever is smaller:
/// bounds of the spectral norm of the matrix and of every matrix it dominates entrywise.
pub(super) fn quick_norm(a: MatRef<'_, f64>) -> Upper {
    let (row, column) = largest_sums(a);
    // Roots before the product: it neither overflows nor underflows.
    let by_sums = if row == column { row } else { row.sqrt() * column.sqrt() };
    by_sums.min(frobenius_up(a))
}
