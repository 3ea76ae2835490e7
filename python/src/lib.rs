//! The extension module behind the Python package `gradcert`: the library with its data in NumPy arrays. Users see the pure-Python package
//! around it, which gives every option its name and default.

mod audit;
mod background;
mod certification;
mod check;
mod data;
mod failure;
mod formula;
mod limit;
mod model;
mod options;
mod session;
mod training;
mod width;

use pyo3::prelude::*;

/// Everything that is compiled.
#[pymodule]
mod _gradcert {
    use super::*;

    #[pymodule_export]
    use super::audit::{Audit, audit, polish, tangent_kernel};
    #[pymodule_export]
    use super::certification::{Certification, certify};
    #[pymodule_export]
    use super::check::check;
    #[pymodule_export]
    use super::data::{Data, bundled};
    #[pymodule_export]
    use super::formula::{criterion, criterion_map};
    #[pymodule_export]
    use super::limit::limit_kernel;
    #[pymodule_export]
    use super::model::Model;
    #[pymodule_export]
    use super::training::{Training, train};
    #[pymodule_export]
    use super::width::relu_width;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        background::keep_panics();
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }

    /// Panics, to test that a panic becomes an exception.
    #[pyfunction]
    fn _panic(py: Python<'_>) -> PyResult<()> {
        background::run(py, None, |_| -> Result<(), failure::Failure> { panic!("a panic on purpose") })
    }
}
