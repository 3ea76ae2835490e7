//! What can be wrong with a sweep's input. A run that is declined is no error: it has a record.

use gradcert_data::DataError;
use std::path::PathBuf;
use thiserror::Error;

/// Bad input of a sweep.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The plan is not JSON of the documented form.
    #[error("the plan is not understood: {0}")]
    Plan(String),
    /// An option that does not exist or cannot be varied.
    #[error("unknown option '{0}' in the plan: the names are those of the command line without the dashes")]
    UnknownOption(String),
    /// An option with an unusable value.
    #[error("option '{option}': '{value}' is not {expected}")]
    Value {
        /// The option.
        option: String,
        /// What was given.
        value: String,
        /// What is understood.
        expected: String,
    },
    /// Options that contradict each other.
    #[error("{0}")]
    Contradiction(String),
    /// More runs than a plan may have.
    #[error("the plan has more than {limit} runs: split it, or shorten the lists")]
    TooManyRuns {
        /// The limit.
        limit: usize,
    },
    /// A shard that is not i/k with 1 <= i <= k.
    #[error("'{0}' is no shard: write i/k with 1 <= i <= k, as in 2/5")]
    Shard(String),
    /// A file could not be read or written.
    #[error("{path}: {message}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        message: String,
    },
    /// A complete line of a record file is not a record.
    #[error("{path}, line {line}: this is not a record of this program; move the file away to redo its runs")]
    CorruptRecord {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The records do not fit the plan.
    #[error("{0}")]
    Records(String),
    /// The data of a run.
    #[error("run {key}: {source}")]
    Data {
        /// The run's key.
        key: String,
        /// What is wrong.
        source: DataError,
    },
    /// A bundled set that does not exist, or a problem number beyond the data.
    #[error("run {key}: {message}")]
    Run {
        /// The run's key.
        key: String,
        /// What is wrong.
        message: String,
    },
    /// The pool of threads could not be made.
    #[error("no threads: {0}")]
    Threads(String),
}

impl SweepError {
    /// A stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            SweepError::Plan(_) => "sweep_plan",
            SweepError::UnknownOption(_) => "sweep_option",
            SweepError::Value { .. } => "sweep_value",
            SweepError::Contradiction(_) => "sweep_contradiction",
            SweepError::TooManyRuns { .. } => "sweep_size",
            SweepError::Shard(_) => "sweep_shard",
            SweepError::File { .. } => "sweep_file",
            SweepError::CorruptRecord { .. } => "sweep_corrupt_record",
            SweepError::Records(_) => "sweep_records",
            SweepError::Data { source, .. } => source.code(),
            SweepError::Run { .. } => "sweep_run",
            SweepError::Threads(_) => "sweep_threads",
        }
    }

    pub(crate) fn file(path: impl Into<PathBuf>, error: &std::io::Error) -> SweepError {
        SweepError::File { path: path.into(), message: error.to_string() }
    }

    pub(crate) fn value(option: &str, value: &str, expected: &str) -> SweepError {
        SweepError::Value { option: option.to_owned(), value: value.to_owned(), expected: expected.to_owned() }
    }
}
