//! Answers to data that cannot be used. Every answer has a stable code, says where and says what to do.

use std::fmt;

/// A cell of the data: zero-based row of the data (a header is not counted) and the column's label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Zero-based row among the samples.
    pub row: usize,
    /// The column's name, or `column k` counted from 1 when it has none.
    pub column: String,
}

impl Place {
    pub(crate) fn new(row: usize, column: impl Into<String>) -> Self {
        Self { row, column: column.into() }
    }
}

impl fmt::Display for Place {
    /// People count rows from 1.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "row {} (the first sample is row 1), column '{}'", self.row + 1, self.column)
    }
}

/// Why data were refused. [`DataError::code`] is stable across versions; the message is for people.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The file cannot be opened or read.
    #[error("cannot read '{path}': {reason}; check that the file exists and may be read")]
    Unreadable {
        /// The path as given.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// The name does not end in a known format.
    #[error(
        "'{path}' has no known format; use .npz (arrays X and y), .npy with a second .npy for the targets, .csv, .tsv \
         (both may end in .gz), .parquet, or libsvm text (.svm, .libsvm, .txt)"
    )]
    UnsupportedFormat {
        /// The path as given.
        path: String,
    },
    /// The bytes do not follow the format, or use a part of it that is not supported.
    #[error("this is not {format} that can be read: {detail}")]
    Malformed {
        /// The format that was expected.
        format: &'static str,
        /// What is wrong and where.
        detail: String,
    },
    /// The file, or what it declares, is larger than the limits.
    #[error("{what} is {size}, over the limit of {limit}; use fewer samples or features, or raise the limit")]
    TooLarge {
        /// What was counted.
        what: &'static str,
        /// The size found or declared.
        size: u64,
        /// The limit in force.
        limit: u64,
    },
    /// Rows of different lengths.
    #[error("row {} has {found} fields where the first has {expected}; every row needs the same number", row + 1)]
    Ragged {
        /// Zero-based row among the samples.
        row: usize,
        /// Fields in this row.
        found: usize,
        /// Fields expected.
        expected: usize,
    },
    /// No samples or no features.
    #[error("the data are empty: {rows} samples with {columns} features; at least one of each is needed")]
    Empty {
        /// Samples found.
        rows: usize,
        /// Features found.
        columns: usize,
    },
    /// Too few samples to train on.
    #[error("there is only {rows} sample; training needs at least two")]
    TooFewSamples {
        /// Samples found.
        rows: usize,
    },
    /// No targets were given.
    #[error("there are no targets: {detail}")]
    MissingTarget {
        /// Which array or file was looked for.
        detail: String,
    },
    /// A column was asked for that does not exist.
    #[error("there is no column '{name}'; the columns are {known}")]
    UnknownColumn {
        /// The name or index as given.
        name: String,
        /// Some of the existing names.
        known: String,
    },
    /// A column name that fits several columns.
    #[error("{count} columns are called '{name}'; give the zero-based index instead, or rename one")]
    AmbiguousColumn {
        /// The name as given.
        name: String,
        /// How many columns have it.
        count: usize,
    },
    /// The first line of a text table holds only numbers: a header, or a sample that would be lost?
    #[error(
        "the first line holds only numbers, so it may be a sample and not a header: say --no-header if it is a \
         sample, --header if it names the columns"
    )]
    NumericHeader,
    /// A feature that is not a number.
    #[error("{place} holds '{text}', which is not a number; encode or remove the column, or make it the target")]
    NonNumeric {
        /// The cell.
        place: Place,
        /// Its content, shortened.
        text: String,
    },
    /// A missing cell.
    #[error("{place} is missing; fill in or remove the sample or the feature")]
    MissingValue {
        /// The cell.
        place: Place,
    },
    /// A cell that is not a number in the sense of IEEE 754.
    #[error("{place} is NaN; fill in or remove the sample or the feature")]
    Nan {
        /// The cell.
        place: Place,
    },
    /// An infinite cell.
    #[error("{place} is infinite; fill in or remove the sample or the feature")]
    Infinite {
        /// The cell.
        place: Place,
    },
    /// A cell whose square overflows.
    #[error("{place} is {value:e}; beyond {limit:e} its square overflows: rescale the column", limit = crate::LARGEST_MAGNITUDE)]
    Huge {
        /// The cell.
        place: Place,
        /// The value.
        value: f64,
    },
    /// Arrays whose shapes do not fit together.
    #[error("the shapes do not fit: {detail}")]
    Shape {
        /// Which shapes and what is expected.
        detail: String,
    },
    /// One value or one class for every sample: there is nothing to learn.
    #[error("the target is '{value}' for every sample; choose another target column")]
    ConstantTarget {
        /// The value or class.
        value: String,
    },
    /// Equal inputs with different targets: no function has zero loss.
    #[error(
        "samples {rows} have equal features and different targets, so no model reaches zero loss \
         ({groups} such group(s)); remove or correct them"
    )]
    DuplicateConflict {
        /// The first such group, counted from 1.
        rows: String,
        /// How many groups conflict.
        groups: usize,
    },
    /// Equal inputs with equal targets: a singular Gram matrix.
    #[error(
        "samples {rows} are equal, which makes the Gram matrix singular ({groups} such group(s)); \
         merge them with --merge-duplicates"
    )]
    DuplicateRows {
        /// The first such group, counted from 1.
        rows: String,
        /// How many groups there are.
        groups: usize,
    },
}

impl DataError {
    /// The stable code of this answer, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "unreadable",
            Self::UnsupportedFormat { .. } => "unsupported_format",
            Self::Malformed { .. } => "malformed",
            Self::TooLarge { .. } => "too_large",
            Self::Ragged { .. } => "ragged",
            Self::Empty { .. } => "empty",
            Self::TooFewSamples { .. } => "too_few_samples",
            Self::MissingTarget { .. } => "missing_target",
            Self::UnknownColumn { .. } => "unknown_column",
            Self::AmbiguousColumn { .. } => "ambiguous_column",
            Self::NumericHeader => "numeric_header",
            Self::NonNumeric { .. } => "non_numeric",
            Self::MissingValue { .. } => "missing_value",
            Self::Nan { .. } => "nan",
            Self::Infinite { .. } => "infinite",
            Self::Huge { .. } => "huge",
            Self::Shape { .. } => "shape",
            Self::ConstantTarget { .. } => "constant_target",
            Self::DuplicateConflict { .. } => "duplicate_conflict",
            Self::DuplicateRows { .. } => "duplicate_rows",
        }
    }

    pub(crate) fn malformed(format: &'static str, detail: impl fmt::Display) -> Self {
        Self::Malformed { format, detail: shorten(&detail.to_string(), 200) }
    }
}

/// At most `length` characters of text that came from a file, without control characters.
pub(crate) fn shorten(text: &str, length: usize) -> String {
    let clean: String = text.chars().take(length).map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().nth(length).is_some() { clean + "..." } else { clean }
}

/// Row numbers counted from 1, the first few.
pub(crate) fn list_rows(rows: &[usize]) -> String {
    const SHOWN: usize = 6;
    let shown: Vec<String> = rows.iter().take(SHOWN).map(|row| (row + 1).to_string()).collect();
    let tail = if rows.len() > SHOWN { ", ..." } else { "" };
    shown.join(", ") + tail
}
