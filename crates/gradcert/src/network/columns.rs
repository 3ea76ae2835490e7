//! One column per sample, one after the other without gaps, so that entrywise functions run over all of them at once.

use faer::{MatMut, MatRef};

/// A matrix units x samples, packed.
#[derive(Clone, Debug)]
pub struct Columns {
    entries: Vec<f64>,
    units: usize,
    samples: usize,
}

impl Columns {
    /// All entries 0.
    pub fn zeros(units: usize, samples: usize) -> Columns {
        Columns { entries: vec![0.0; units * samples], units, samples }
    }

    /// As a matrix.
    pub fn as_ref(&self) -> MatRef<'_, f64> {
        MatRef::from_column_major_slice(&self.entries, self.units, self.samples)
    }

    /// As a matrix.
    pub fn as_mut(&mut self) -> MatMut<'_, f64> {
        MatMut::from_column_major_slice_mut(&mut self.entries, self.units, self.samples)
    }

    /// As a matrix, samples x units.
    pub fn transpose(&self) -> MatRef<'_, f64> {
        self.as_ref().transpose()
    }

    /// Column after column.
    pub fn entries(&self) -> &[f64] {
        &self.entries
    }

    /// See [`Columns::entries`].
    pub fn entries_mut(&mut self) -> &mut [f64] {
        &mut self.entries
    }

    /// Sample after sample.
    pub fn iter(&self) -> impl Iterator<Item = &[f64]> {
        // No units: no entries, and no pieces of length 0.
        self.entries.chunks_exact(self.units.max(1))
    }

    /// See [`Columns::iter`].
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut [f64]> {
        self.entries.chunks_exact_mut(self.units.max(1))
    }

    /// The sum over the samples, per unit, into `sum`.
    pub fn sum_into(&self, sum: &mut [f64]) {
        sum.fill(0.0);
        for column in self.iter() {
            sum.iter_mut().zip(column).for_each(|(s, x)| *s += x);
        }
    }
}
