//! What ends a call before its result, as exceptions of Python. Their classes are in `gradcert/exceptions.py`.

use gradcert::certify::Reason;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// One variant per class of exception.
#[derive(Debug)]
pub(crate) enum Failure {
    Data { code: String, message: String },
    Model { code: String, message: String },
    Formula { code: String, message: String },
    Usage(String),
    Limit(String),
    Certificate { code: String, message: String },
    Declined(Vec<Reason>),
    Bug(String),
}

impl Failure {
    fn parts(&self) -> (&'static str, &str, String) {
        match self {
            Failure::Data { code, message } => ("DataError", code, message.clone()),
            Failure::Model { code, message } => ("ModelError", code, message.clone()),
            Failure::Formula { code, message } => ("FormulaError", code, message.clone()),
            Failure::Usage(message) => ("UsageError", "usage", message.clone()),
            Failure::Limit(message) => ("ResourceLimitError", "resource_limit", message.clone()),
            Failure::Certificate { code, message } => ("CertificateError", code, message.clone()),
            Failure::Declined(reasons) => {
                let lines: Vec<String> = reasons.iter().map(|r| format!("{}: {}", r.code, r.message)).collect();
                ("Declined", reasons.first().map_or("declined", |r| r.code), lines.join("\n"))
            }
            Failure::Bug(message) => ("BugError", "bug", message.clone()),
        }
    }

    pub(crate) fn model_shape(message: impl Into<String>) -> Failure {
        Failure::Model { code: "shape".to_owned(), message: message.into() }
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> PyErr {
        Python::attach(|py| raise(py, &failure).unwrap_or_else(|error| error))
    }
}

fn raise(py: Python<'_>, failure: &Failure) -> PyResult<PyErr> {
    let (class, code, message) = failure.parts();
    let class = py.import("gradcert.exceptions")?.getattr(class)?;
    let keywords = PyDict::new(py);
    if let Failure::Declined(reasons) = failure {
        let pairs: Vec<(&str, &str)> = reasons.iter().map(|r| (r.code, r.message.as_str())).collect();
        keywords.set_item("reasons", pairs)?;
    }
    Ok(PyErr::from_value(class.call((code, message), Some(&keywords))?))
}

impl From<gradcert_data::DataError> for Failure {
    fn from(error: gradcert_data::DataError) -> Failure {
        match error.code() {
            "too_large" => Failure::Limit(error.to_string()),
            code => Failure::Data { code: code.to_owned(), message: error.to_string() },
        }
    }
}

impl From<gradcert::model::ModelError> for Failure {
    fn from(error: gradcert::model::ModelError) -> Failure {
        match error.code() {
            "model_too_large" => Failure::Limit(error.to_string()),
            code => Failure::Model { code: code.to_owned(), message: error.to_string() },
        }
    }
}

impl From<gradcert::function::FormulaError> for Failure {
    fn from(error: gradcert::function::FormulaError) -> Failure {
        Failure::Formula { code: error.code().to_owned(), message: error.to_string() }
    }
}

impl From<gradcert::theorem::criterion::StartError> for Failure {
    fn from(error: gradcert::theorem::criterion::StartError) -> Failure {
        Failure::Formula { code: error.code().to_owned(), message: error.to_string() }
    }
}

impl From<gradcert::certify::record::Overflow> for Failure {
    fn from(error: gradcert::certify::record::Overflow) -> Failure {
        Failure::Limit(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Failure {
        Failure::Usage(format!("options: {error}"))
    }
}
