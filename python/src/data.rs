//! Samples and targets from NumPy arrays.

use crate::background;
use crate::failure::Failure;
use crate::options::set_threads;
use crate::session::{Session, Wanted};
use gradcert::certify::problem::Coordinates;
use gradcert_data::{LiftPlan, Matrix, Targets};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use serde_json::json;
use std::sync::Arc;

/// Samples with targets, checked.
#[pyclass(frozen, module = "gradcert._gradcert")]
pub(crate) struct Data(pub(crate) Arc<Session>);

/// The samples of an array, whatever its strides. One copy is made, into memory that no other thread can write to while the GIL is
/// released.
pub(crate) fn matrix(x: &PyReadonlyArray2<'_, f64>) -> Result<Matrix, Failure> {
    let (rows, columns) = (x.shape()[0], x.shape()[1]);
    // A slice of an array in Fortran's order is in that order.
    let values = match x.as_slice() {
        Ok(values) if x.is_c_contiguous() => values.to_vec(),
        _ => x.as_array().iter().copied().collect(),
    };
    Ok(Matrix::new(rows, columns, values)?)
}

#[pymethods]
impl Data {
    /// `y`: n x k numbers; or `classes` and `index`, one position per sample.
    #[new]
    #[pyo3(signature = (x, y=None, classes=None, index=None, merge_duplicates=false, lift=None))]
    fn new(
        py: Python<'_>,
        x: PyReadonlyArray2<'_, f64>,
        y: Option<PyReadonlyArray2<'_, f64>>,
        classes: Option<Vec<String>>,
        index: Option<PyReadonlyArray1<'_, i64>>,
        merge_duplicates: bool,
        lift: Option<&str>,
    ) -> PyResult<Data> {
        let matrix = matrix(&x)?;
        let wanted = match (y, classes, index) {
            (Some(y), None, None) => {
                Wanted::Numbers { outputs: y.shape()[1], values: y.as_array().iter().copied().collect() }
            }
            (None, Some(classes), Some(index)) => {
                let position = |&i: &i64| usize::try_from(i).unwrap_or(usize::MAX);
                Wanted::Classes { classes, index: index.as_array().iter().map(position).collect() }
            }
            _ => return Err(Failure::Usage("give y, or classes and index".to_owned()).into()),
        };
        let lift = lift.map(str::parse::<LiftPlan>).transpose().map_err(Failure::Usage)?;
        let work = move |_: &mut background::Watch| Session::new(matrix, wanted, merge_duplicates, lift.as_ref());
        Ok(Data(Arc::new(background::run(py, None, work)?)))
    }

    /// The lift that is used, with everything it left open.
    #[getter]
    fn lift(&self) -> Option<String> {
        self.0.lift.map(|lift| lift.to_string())
    }

    /// Names of the problems.
    #[getter]
    fn problems(&self) -> Vec<String> {
        self.0.problems.iter().map(|(name, _)| name.clone()).collect()
    }

    /// What the data are and what can be certified on them, as one JSON object.
    fn inspect(&self, py: Python<'_>) -> PyResult<String> {
        let session = Arc::clone(&self.0);
        background::run(py, None, move |_| {
            set_threads(None);
            let rows = session.distinct().shape().0;
            let problem = session.problem(&vec![0.0; session.dataset.shape().0], 1, Coordinates::Raw);
            let [linear, affine] = [problem.smin_samples(false), problem.smin_samples(true)];
            let (n, d) = session.dataset.shape();
            Ok(json!({
                "samples": n,
                "features": d,
                "distinct_samples": rows,
                "classes": session.classes,
                "smin_lower": linear.get(),
                "lmin_lower": linear.square().get(),
                "smin_affine_lower": affine.get(),
                "lmin_affine_lower": affine.square().get(),
                "linearly_independent": linear.is_positive(),
                "affinely_independent": affine.is_positive(),
                "findings": session.findings,
                "lift": session.lift.map(|lift| lift.to_string()),
            })
            .to_string())
        })
    }
}

/// Samples, targets (numbers or class names) and a description of a data set inside the library.
#[pyfunction]
#[allow(clippy::type_complexity)]
pub(crate) fn bundled<'py>(
    py: Python<'py>,
    name: &str,
) -> PyResult<(Bound<'py, PyArray2<f64>>, Option<Bound<'py, PyArray1<f64>>>, Option<Vec<String>>, String)> {
    let known = || gradcert_data::BUNDLED.iter().map(|set| set.name).collect::<Vec<_>>().join(", ");
    let unknown = || Failure::Data {
        code: "unknown_bundled_set".to_owned(),
        message: format!("no bundled set {name}: {}", known()),
    };
    let set = gradcert_data::bundled(name).ok_or_else(unknown)?;
    let dataset = set.load().map_err(Failure::from)?;
    let (n, d) = dataset.shape();
    let (inputs, targets) = dataset.into_parts();
    let x = PyArray1::from_vec(py, inputs.into_matrix().into_values()).reshape([n, d])?;
    Ok(match targets {
        Targets::Numeric(y) => (x, Some(PyArray1::from_vec(py, y)), None, set.description.to_owned()),
        Targets::Labels { classes, index } => {
            let labels = index.iter().map(|&i| classes[i].clone()).collect();
            (x, None, Some(labels), set.description.to_owned())
        }
    })
}
