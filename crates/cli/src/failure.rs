//! Exit codes, and what ends a command early.

use gradcert::certify::Reason;
use std::fmt;
use std::path::Path;

/// The exit codes of every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Invalid = 1,
    Usage = 2,
    Declined = 3,
    BadInput = 4,
    OverLimit = 5,
}

/// What ends a command before its result.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn input(code: impl Into<String>, message: impl Into<String>) -> Failure {
        Failure { exit: Exit::BadInput, code: code.into(), message: message.into() }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Usage, code: "usage".to_owned(), message: message.into() }
    }

    pub(crate) fn limit(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::OverLimit, code: "resource_limit".to_owned(), message: message.into() }
    }

    /// A file that could not be read or written.
    pub(crate) fn file(path: &Path, error: &dyn fmt::Display) -> Failure {
        Failure::input("unreadable", format!("{}: {error}", path.display()))
    }
}

impl From<gradcert_data::DataError> for Failure {
    fn from(error: gradcert_data::DataError) -> Failure {
        let code = error.code();
        let exit = if code == "too_large" { Exit::OverLimit } else { Exit::BadInput };
        Failure { exit, code: code.to_owned(), message: error.to_string() }
    }
}

impl From<gradcert::model::ModelError> for Failure {
    fn from(error: gradcert::model::ModelError) -> Failure {
        let code = error.code();
        let exit = if code == "model_too_large" { Exit::OverLimit } else { Exit::BadInput };
        Failure { exit, code: code.to_owned(), message: error.to_string() }
    }
}

impl From<gradcert::sweep::SweepError> for Failure {
    fn from(error: gradcert::sweep::SweepError) -> Failure {
        let exit = if error.code() == "sweep_size" { Exit::OverLimit } else { Exit::BadInput };
        Failure { exit, code: error.code().to_owned(), message: error.to_string() }
    }
}

impl From<gradcert_papers::PaperError> for Failure {
    fn from(error: gradcert_papers::PaperError) -> Failure {
        use gradcert_papers::PaperError;
        match error {
            PaperError::Sweep(error) => error.into(),
            PaperError::Declined(_) => {
                Failure { exit: Exit::Declined, code: error.code().to_owned(), message: error.to_string() }
            }
            _ => Failure::input(error.code(), error.to_string()),
        }
    }
}

/// "code: message" lines.
pub(crate) fn reasons_text(reasons: &[Reason]) -> String {
    reasons.iter().map(|r| format!("  {}: {}\n", r.code, r.message)).collect()
}
