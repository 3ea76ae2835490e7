//! What every reader returns before targets are interpreted and values checked.

use std::collections::HashSet;

use crate::error::shorten;
use crate::{DataError, Dataset, Inputs, LoadOptions, Matrix, TargetColumn, Targets};

/// Targets as the file holds them.
#[derive(Debug)]
pub(crate) enum RawTargets {
    Numbers(Vec<f64>),
    Text(Vec<String>),
}

impl RawTargets {
    /// Text that is a number in every row becomes numbers.
    pub(crate) fn from_text(text: Vec<String>) -> Self {
        match text.iter().map(|cell| cell.parse().ok()).collect() {
            Some(numbers) => Self::Numbers(numbers),
            None => Self::Text(text),
        }
    }

    fn interpret(self, labels: bool) -> Targets {
        match self {
            Self::Numbers(numbers) if labels && numbers.iter().all(|y| y.is_finite()) => {
                Targets::labels_from_numbers(&numbers)
            }
            Self::Numbers(numbers) => Targets::Numeric(numbers),
            Self::Text(text) => Targets::from_labels(&text),
        }
    }
}

/// A file's content, unchecked.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) inputs: Matrix,
    pub(crate) column_names: Option<Vec<String>>,
    pub(crate) targets: Option<RawTargets>,
    pub(crate) target_name: Option<String>,
}

impl Raw {
    pub(crate) fn into_dataset(self, labels: bool) -> Result<Dataset, DataError> {
        let inputs = Inputs::new(self.inputs, self.column_names)?;
        let Some(targets) = self.targets else {
            return Err(DataError::MissingTarget { detail: "the data hold inputs alone".to_owned() });
        };
        Dataset::from_inputs(inputs, targets.interpret(labels), self.target_name)
    }

    pub(crate) fn into_inputs(self) -> Result<Inputs, DataError> {
        Inputs::new(self.inputs, self.column_names)
    }
}

/// What the columns of a table are wanted for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose<'a> {
    /// Features and a target.
    Train,
    /// Features alone; the named column is left out if the table has it.
    Predict { target_name: Option<&'a str> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Feature,
    Target,
    Ignored,
}

/// The roles of `count` columns.
pub(crate) fn roles(
    names: Option<&[String]>,
    count: usize,
    options: &LoadOptions,
    purpose: Purpose<'_>,
) -> Result<Vec<Role>, DataError> {
    let ignored: HashSet<usize> =
        options.ignore.iter().map(|text| find_column(names, count, text)).collect::<Result<_, _>>()?;
    let target = match (purpose, &options.target) {
        (Purpose::Train, TargetColumn::Column(text)) => Some(find_column(names, count, text)?),
        (Purpose::Train, TargetColumn::Last) => (0..count).rev().find(|j| !ignored.contains(j)),
        (Purpose::Predict { target_name }, _) => {
            target_name.and_then(|name| names?.iter().position(|known| known == name))
        }
    };
    let role = |j| match target {
        Some(target) if target == j => Role::Target,
        _ if ignored.contains(&j) => Role::Ignored,
        _ => Role::Feature,
    };
    Ok((0..count).map(role).collect())
}

/// The column of this name; or, if no name fits and the text is a number, the column at this zero-based index.
fn find_column(names: Option<&[String]>, count: usize, text: &str) -> Result<usize, DataError> {
    let mut fitting = names.unwrap_or_default().iter().enumerate().filter(|(_, name)| name.as_str() == text);
    match (fitting.next(), fitting.count()) {
        (Some((j, _)), 0) => Ok(j),
        (Some(_), others) => Err(DataError::AmbiguousColumn { name: shorten(text, 60), count: others + 1 }),
        (None, _) => match text.parse::<usize>() {
            Ok(j) if j < count => Ok(j),
            _ => Err(DataError::UnknownColumn { name: shorten(text, 60), known: list_names(names, count) }),
        },
    }
}

fn list_names(names: Option<&[String]>, count: usize) -> String {
    const SHOWN: usize = 5;
    let Some(names) = names else {
        return format!("without names, at indices 0 to {}", count.saturating_sub(1));
    };
    let quote = |name: &String| format!("'{}'", shorten(name, 40));
    if names.len() <= 2 * SHOWN {
        return names.iter().map(quote).collect::<Vec<_>>().join(", ");
    }
    let head: Vec<String> = names[..SHOWN].iter().map(quote).collect();
    let tail: Vec<String> = names[names.len() - SHOWN..].iter().map(quote).collect();
    format!("{}, ... {} ({count} in all)", head.join(", "), tail.join(", "))
}

/// An error if a table with so many values is over the limit.
pub(crate) fn check_values(rows: usize, columns: usize, limit: usize) -> Result<(), DataError> {
    let size = (rows as u64).saturating_mul(columns as u64);
    if size <= limit as u64 {
        return Ok(());
    }
    Err(DataError::TooLarge { what: "the number of values (samples times features)", size, limit: limit as u64 })
}
