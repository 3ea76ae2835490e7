//! Merging equal samples.

use crate::error::list_rows;
use crate::validate::equal_rows;
use crate::{DataError, Dataset};

/// Data whose equal rows were merged into one each.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// The distinct samples, in order of their first appearance.
    pub dataset: Dataset,
    /// For every distinct sample how often it appeared; the sum is the original n.
    pub multiplicity: Vec<u32>,
    /// For every distinct sample the zero-based row of its first appearance.
    pub first_row_of_group: Vec<usize>,
    /// For every original row the distinct sample it became.
    pub group_of_row: Vec<usize>,
}

/// Merges rows that are exactly equal (-0 equals 0; no tolerance) and have equal targets.
///
/// # Errors
/// `duplicate_conflict` if equal rows have different targets.
pub fn merge_duplicates(data: &Dataset) -> Result<Merged, DataError> {
    let groups = equal_rows(data.inputs());
    let conflicting = |group: &&Vec<usize>| group.iter().any(|&i| !data.targets().equal(group[0], i));
    if let Some(group) = groups.iter().find(conflicting) {
        let conflicts = groups.iter().filter(conflicting).count();
        return Err(DataError::DuplicateConflict { rows: list_rows(group), groups: conflicts });
    }
    let first_row_of_group: Vec<usize> = groups.iter().map(|group| group[0]).collect();
    let mut group_of_row = vec![0; data.inputs().rows()];
    for (position, group) in groups.iter().enumerate() {
        for &row in group {
            group_of_row[row] = position;
        }
    }
    Ok(Merged {
        dataset: data.select_rows(&first_row_of_group),
        multiplicity: groups.iter().map(|group| u32::try_from(group.len()).unwrap_or(u32::MAX)).collect(),
        first_row_of_group,
        group_of_row,
    })
}
