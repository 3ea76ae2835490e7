//! Networks.

use crate::background;
use crate::data::matrix;
use crate::failure::Failure;
use faer::Mat;
use gradcert::model::{Format, Meaning, Model as Networks, ReadModel, activation_elsewhere, read_bytes, to_state_dict};
use gradcert::network::Network;
use gradcert::network::activation::Activation;
use gradcert_data::Lift;
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde_json::json;
use std::sync::Arc;

/// One or several networks that read the same samples.
#[pyclass(frozen, module = "gradcert._gradcert")]
pub(crate) struct Model(pub(crate) Arc<ReadModel>);

impl Model {
    pub(crate) fn of(networks: Vec<Network>, meaning: Meaning) -> Model {
        Model::read_as(Networks { networks, meaning }, vec![], vec![])
    }

    pub(crate) fn read_as(model: Networks, layers: Vec<String>, without_bias: Vec<usize>) -> Model {
        let number_formats = vec!["float64"];
        Model(Arc::new(ReadModel {
            model,
            format: Format::Gradcert,
            number_formats,
            layers,
            without_bias,
            notes: vec![],
        }))
    }

    fn lift(&self) -> Result<Option<Lift>, Failure> {
        let Some(text) = &self.0.model.meaning.lift else { return Ok(None) };
        let wrong = |message| Failure::Model { code: "model_format".to_owned(), message };
        text.parse().map(Some).map_err(wrong)
    }

    fn network(&self, index: usize) -> Result<&Network, Failure> {
        let networks = &self.0.model.networks;
        let missing = || Failure::Usage(format!("network {index} of {}", networks.len()));
        networks.get(index).ok_or_else(missing)
    }
}

/// An activation by our name, or by the name it has where the model was made.
fn activation(name: &str, elsewhere: bool) -> Result<Activation, Failure> {
    if elsewhere {
        return Ok(activation_elsewhere(name)?);
    }
    name.parse().map_err(|e: gradcert::network::activation::UnknownActivation| Failure::Model {
        code: e.code().to_owned(),
        message: e.to_string(),
    })
}

fn column_major(w: &PyReadonlyArray2<'_, f64>) -> Mat<f64> {
    let view = w.as_array();
    Mat::from_fn(view.nrows(), view.ncols(), |i, j| view[(i, j)])
}

/// The layers of a chain, or what does not fit.
fn chain(activation: Activation, weights: Vec<Mat<f64>>, biases: Vec<Vec<f64>>) -> Result<Network, Failure> {
    if weights.len() < 2 {
        return Err(Failure::Model {
            code: "one_layer".to_owned(),
            message: "a network has two layers or more".to_owned(),
        });
    }
    for (l, (w, b)) in weights.iter().zip(&biases).enumerate() {
        let before = if l == 0 { w.ncols() } else { weights[l - 1].nrows() };
        if w.nrows() == 0 || w.ncols() == 0 || w.ncols() != before || b.len() != w.nrows() {
            let message = format!(
                "layer {}: weights {} x {} and {} biases do not fit {before} inputs",
                l + 1,
                w.nrows(),
                w.ncols(),
                b.len()
            );
            return Err(Failure::model_shape(message));
        }
        if !(w.is_all_finite() && b.iter().all(|x| x.is_finite())) {
            let message = format!("layer {}: a parameter is not finite", l + 1);
            return Err(Failure::Model { code: "not_finite".to_owned(), message });
        }
    }
    let weights = std::iter::once(Mat::zeros(0, 0)).chain(weights).collect();
    let biases = std::iter::once(vec![]).chain(biases).collect();
    Ok(Network { activation, weights, biases })
}

#[pymethods]
impl Model {
    /// A network of layers `W` (outputs x inputs) and biases; `None` for a layer without.
    #[staticmethod]
    #[pyo3(signature = (weights, biases, activation_name, elsewhere=false))]
    fn from_layers(
        weights: Vec<PyReadonlyArray2<'_, f64>>,
        biases: Vec<Option<PyReadonlyArray1<'_, f64>>>,
        activation_name: &str,
        elsewhere: bool,
    ) -> PyResult<Model> {
        if weights.len() != biases.len() {
            return Err(Failure::model_shape(format!("{} weights, {} biases", weights.len(), biases.len())).into());
        }
        let without_bias = (1..).zip(&biases).filter(|(_, b)| b.is_none()).map(|(l, _)| l).collect();
        let rows: Vec<Mat<f64>> = weights.iter().map(column_major).collect();
        let shifts = biases.iter().zip(&rows).map(|(b, w)| match b {
            Some(b) => b.as_array().iter().copied().collect(),
            None => vec![0.0; w.nrows()],
        });
        let network = chain(activation(activation_name, elsewhere)?, rows.clone(), shifts.collect())?;
        let problems = match network.outputs() {
            1 => vec!["output".to_owned()],
            k => (0..k).map(|i| format!("output{i}")).collect(),
        };
        let meaning = Meaning { problems, classes: vec![], target: None, lift: None };
        Ok(Model::read_as(Networks { networks: vec![network], meaning }, vec![], without_bias))
    }

    /// Reads a file of any format that is known: ours, a state dict in safetensors (which needs an activation), ONNX.
    #[staticmethod]
    #[pyo3(signature = (bytes, activation_name=None))]
    fn read(py: Python<'_>, bytes: &[u8], activation_name: Option<&str>) -> PyResult<Model> {
        let named = activation_name.map(activation_elsewhere).transpose().map_err(Failure::from)?;
        let bytes = bytes.to_vec();
        let read = background::run(py, None, move |_| Ok(read_bytes(&bytes, named)?))?;
        Ok(Model(Arc::new(read)))
    }

    /// The file of the model.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.0.model.to_bytes().map_err(Failure::from)?))
    }

    /// A state dict in safetensors, with the names of the layers it came with.
    #[pyo3(signature = (single=false))]
    fn state_dict<'py>(&self, py: Python<'py>, single: bool) -> PyResult<Bound<'py, PyBytes>> {
        let network = self.network(0)?;
        if self.0.model.networks.len() != 1 || self.0.model.meaning.lift.is_some() {
            return Err(Failure::Usage("a state dict holds one network without a lift".to_owned()).into());
        }
        let own = || (0..network.layers()).map(|l| l.to_string()).collect();
        let names = if self.0.layers.is_empty() { own() } else { self.0.layers.clone() };
        let bytes = to_state_dict(network, &names, &self.0.without_bias, single).map_err(Failure::from)?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// What is known about the model, as one JSON object.
    fn describe(&self) -> String {
        let (read, model) = (&*self.0, &self.0.model);
        let network = &model.networks[0];
        json!({
            "networks": model.networks.len(),
            "widths": network.widths(),
            "activation": network.activation.to_string(),
            "problems": model.meaning.problems,
            "classes": model.meaning.classes,
            "lift": model.meaning.lift,
            "format": read.format.name(),
            "number_formats": read.number_formats,
            "without_bias": read.without_bias,
            "layers": read.layers,
            "notes": read.notes,
        })
        .to_string()
    }

    /// The weights `W_l` (outputs x inputs) of one network.
    #[pyo3(signature = (index=0))]
    fn weights<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Vec<Bound<'py, PyArray2<f64>>>> {
        let network = self.network(index)?;
        let array = |w: &Mat<f64>| {
            let rows = (0..w.nrows()).flat_map(|i| (0..w.ncols()).map(move |j| w[(i, j)]));
            PyArray1::from_iter(py, rows).reshape([w.nrows(), w.ncols()])
        };
        network.weights[1..].iter().map(array).collect()
    }

    /// The biases `b_l` of one network.
    #[pyo3(signature = (index=0))]
    fn biases<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Vec<Bound<'py, PyArray1<f64>>>> {
        Ok(self.network(index)?.biases[1..].iter().map(|b| PyArray1::from_slice(py, b)).collect())
    }

    /// Outputs (n x k) for samples (n x d), in plain floats.
    fn outputs<'py>(&self, py: Python<'py>, x: PyReadonlyArray2<'_, f64>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let (read, lift, samples) = (Arc::clone(&self.0), self.lift()?, matrix(&x)?);
        let (n, values) = background::run(py, None, move |_| outputs(&read, lift, samples))?;
        let k = values.len().checked_div(n).unwrap_or(0);
        PyArray1::from_vec(py, values).reshape([n, k])
    }
}

fn outputs(read: &ReadModel, lift: Option<Lift>, samples: gradcert_data::Matrix) -> Result<(usize, Vec<f64>), Failure> {
    // Finite and of moderate size, as what was trained on.
    let samples = gradcert_data::Inputs::new(samples, None)?.into_matrix();
    let samples = match lift {
        Some(lift) => lift.apply(&samples)?.into_matrix(),
        None => samples,
    };
    let (n, d) = samples.shape();
    let expected = read.model.networks[0].widths()[0];
    if d != expected {
        let message = format!("the samples have {d} features, the model reads {expected}");
        return Err(Failure::Data { code: "shape".to_owned(), message });
    }
    let rows = Mat::from_fn(n, d, |i, j| samples.row(i)[j]);
    let par = faer::get_global_parallelism();
    let columns: Vec<Mat<f64>> = read.model.networks.iter().map(|f| f.evaluate(rows.as_ref(), par)).collect();
    Ok((n, (0..n).flat_map(|i| columns.iter().flat_map(move |c| c.col_as_slice(i).iter().copied())).collect()))
}
