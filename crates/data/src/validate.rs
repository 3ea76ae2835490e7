//! What training needs beyond clean numbers, and findings that are no errors but decide what can be certified.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

use serde::Serialize;

use crate::error::list_rows;
use crate::{DataError, Dataset, Matrix};

/// What was found in data that can be used. Rows and columns are zero-based.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Findings {
    /// Number of samples n.
    pub rows: usize,
    /// Number of features d.
    pub columns: usize,
    /// Columns with one value in all samples: they carry no information, and act as a bias.
    pub constant_columns: Vec<usize>,
    /// Samples that are zero in every feature: a network without bias cannot move its output there.
    pub zero_rows: Vec<usize>,
    /// Groups of samples with equal features and equal targets (each of two rows or more).
    pub duplicate_groups: Vec<Vec<usize>>,
    /// Groups of samples with equal features and different targets: zero loss is impossible.
    pub conflicts: Vec<Vec<usize>>,
    /// Whether every column that varies has mean zero up to the rounding of single precision. Centring makes the rows
    /// sum to zero, so the Gram matrix of the inputs has rank at most n - 1, unless a bias coordinate restores it.
    pub centred: bool,
    /// The largest magnitude among the inputs.
    pub largest_input: f64,
}

impl Findings {
    /// An error if rows are equal: `duplicate_conflict` before `duplicate_rows`.
    pub fn require_distinct_rows(&self) -> Result<(), DataError> {
        if let Some(group) = self.conflicts.first() {
            return Err(DataError::DuplicateConflict { rows: list_rows(group), groups: self.conflicts.len() });
        }
        if let Some(group) = self.duplicate_groups.first() {
            return Err(DataError::DuplicateRows { rows: list_rows(group), groups: self.duplicate_groups.len() });
        }
        Ok(())
    }
}

/// What is in the data; equal rows are findings here.
///
/// # Errors
/// `too_few_samples` for n = 1 and `constant_target` for one target value or class.
pub fn inspect(data: &Dataset) -> Result<Findings, DataError> {
    let (rows, columns) = data.shape();
    if rows < 2 {
        return Err(DataError::TooFewSamples { rows });
    }
    if (1..rows).all(|i| data.targets().equal(0, i)) {
        return Err(DataError::ConstantTarget { value: data.targets().describe(0) });
    }
    let inputs = data.inputs();
    let (constant_columns, centred) = scan_columns(inputs);
    let (mut duplicate_groups, mut conflicts) = (Vec::new(), Vec::new());
    for group in equal_rows(inputs).into_iter().filter(|group| group.len() > 1) {
        if group.iter().all(|&i| data.targets().equal(group[0], i)) {
            duplicate_groups.push(group);
        } else {
            conflicts.push(group);
        }
    }
    Ok(Findings {
        rows,
        columns,
        constant_columns,
        zero_rows: (0..rows).filter(|&i| inputs.row(i).iter().all(|&x| x == 0.0)).collect(),
        duplicate_groups,
        conflicts,
        centred,
        largest_input: inputs.as_slice().iter().fold(0.0, |largest, x| x.abs().max(largest)),
    })
}

/// [`inspect`], and equal rows are errors: what training needs.
///
/// # Errors
/// `too_few_samples`, `constant_target`, `duplicate_conflict`, `duplicate_rows`.
pub fn validate(data: &Dataset) -> Result<Findings, DataError> {
    let findings = inspect(data)?;
    findings.require_distinct_rows()?;
    Ok(findings)
}

/// Constant columns, and whether all others are centred. Plain floats: the result is advice and enters no claim.
fn scan_columns(inputs: &Matrix) -> (Vec<usize>, bool) {
    let columns = inputs.columns();
    let first = inputs.row(0);
    let mut constant = vec![true; columns];
    let mut mean = vec![0.0; columns];
    let mut largest = vec![0.0_f64; columns];
    for row in inputs.iter_rows() {
        for j in 0..columns {
            constant[j] &= row[j] == first[j];
            mean[j] += row[j] / inputs.rows() as f64;
            largest[j] = largest[j].max(row[j].abs());
        }
    }
    // Data centred in single precision keep means of a few units of 2^-24 times the largest entry.
    let is_centred = |j: usize| mean[j].abs() <= 1e-6 * largest[j];
    let mut varying = (0..columns).filter(|&j| !constant[j]).peekable();
    let centred = varying.peek().is_some() && varying.all(is_centred);
    ((0..columns).filter(|&j| constant[j]).collect(), centred)
}

/// The rows grouped by exact equality (-0 equals 0), groups in order of their first row and rows in order.
pub(crate) fn equal_rows(inputs: &Matrix) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::with_capacity(inputs.rows());
    let mut groups_with_hash: HashMap<u64, Vec<usize>> = HashMap::with_capacity(inputs.rows());
    for (i, row) in inputs.iter_rows().enumerate() {
        let candidates = groups_with_hash.entry(hash_of(row)).or_default();
        match candidates.iter().find(|&&group| inputs.row(groups[group][0]) == row) {
            Some(&group) => groups[group].push(i),
            None => {
                candidates.push(groups.len());
                groups.push(vec![i]);
            }
        }
    }
    groups
}

fn hash_of(row: &[f64]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for value in row {
        // Adding +0 turns -0 into +0 and changes no other value.
        hasher.write_u64((value + 0.0).to_bits());
    }
    hasher.finish()
}
