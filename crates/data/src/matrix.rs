//! A dense matrix of samples.

use crate::DataError;

/// A dense row-major matrix: one sample per row, one feature per column.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    values: Vec<f64>,
    rows: usize,
    columns: usize,
}

impl Matrix {
    /// A matrix from `rows * columns` row-major values; an error with code `shape` for any other number of them.
    pub fn new(rows: usize, columns: usize, values: Vec<f64>) -> Result<Self, DataError> {
        if rows.checked_mul(columns) != Some(values.len()) {
            let detail = format!("{} values cannot fill {rows} x {columns}", values.len());
            return Err(DataError::Shape { detail });
        }
        Ok(Self { values, rows, columns })
    }

    /// Number of samples n.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of features d.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// (n, d).
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// Sample `i`.
    ///
    /// # Panics
    /// If `i >= rows()`, as indexing a slice does.
    pub fn row(&self, i: usize) -> &[f64] {
        assert!(i < self.rows, "row {i} of a matrix with {} rows", self.rows);
        &self.values[i * self.columns..(i + 1) * self.columns]
    }

    /// The samples in order.
    pub fn iter_rows(&self) -> impl ExactSizeIterator<Item = &[f64]> + '_ {
        (0..self.rows).map(|i| self.row(i))
    }

    /// All values, row-major.
    pub fn as_slice(&self) -> &[f64] {
        &self.values
    }

    /// All values, row-major.
    pub fn into_values(self) -> Vec<f64> {
        self.values
    }

    /// The matrix of the given rows, in the given order.
    ///
    /// # Panics
    /// If an index is not below `rows()`, as indexing a slice does.
    pub fn select_rows(&self, rows: &[usize]) -> Self {
        let mut values = Vec::with_capacity(rows.len() * self.columns);
        for &i in rows {
            values.extend_from_slice(self.row(i));
        }
        Self { values, rows: rows.len(), columns: self.columns }
    }
}
