//! The independent checker of certificate files.

use crate::background;
use crate::data::Data;
use crate::failure::Failure;
use crate::model::Model;
use gradcert::relu::start::Start;
use gradcert_certificate::{Inputs, Problem, check as check_file};
use pyo3::prelude::*;
use std::sync::Arc;

/// Verifies a certificate file for these data; `start` holds the parameters it refers to, `relu_start` those of a width. Per problem what is proved, in words; raises
/// `CertificateError` if anything is not.
#[pyfunction]
#[pyo3(signature = (certificate, data, start=None, relu_start=None))]
pub(crate) fn check(
    py: Python<'_>,
    certificate: &[u8],
    data: &Data,
    start: Option<&Model>,
    relu_start: Option<&[u8]>,
) -> PyResult<Vec<(String, Vec<String>)>> {
    let (bytes, session) = (certificate.to_vec(), Arc::clone(&data.0));
    let networks = start.map(|model| model.0.model.networks.clone()).unwrap_or_default();
    let width = relu_start
        .map(Start::from_bytes)
        .transpose()
        .map_err(|e| Failure::Model { code: e.code().to_owned(), message: e.to_string() })?;
    background::run(py, None, move |_| {
        let flat = |network: &gradcert::network::Network| -> Vec<Vec<f64>> {
            let layer = |l: usize| {
                let w = &network.weights[l];
                let rows = (0..w.nrows()).flat_map(|i| (0..w.ncols()).map(move |j| w[(i, j)])).collect();
                [rows, network.biases[l].clone()]
            };
            (1..=network.layers()).flat_map(layer).collect()
        };
        let starts: Vec<Vec<Vec<f64>>> = match &width {
            // w, nothing, a, nothing.
            Some(start) => vec![vec![start.rows(), vec![], start.signs().to_vec(), vec![]]],
            None => networks.iter().map(flat).collect(),
        };
        let slices: Vec<Vec<&[f64]>> = starts.iter().map(|s| s.iter().map(Vec::as_slice).collect()).collect();
        let start = |p: usize| slices.get(p).map(Vec::as_slice);
        let own = session.problems.iter().enumerate();
        // A network with one output per problem is the only one of its file.
        let joint = session.joint.iter().map(|(_, named)| (0, named));
        let problems: Vec<Problem<'_>> =
            own.chain(joint).map(|(p, (name, targets))| Problem { name, targets, start: start(p) }).collect();
        let (samples, features) = session.dataset.shape();
        let inputs = Inputs { values: session.dataset.inputs().as_slice(), samples, features };
        let invalid = |e: gradcert_certificate::CheckError| Failure::Certificate {
            code: e.code().to_owned(),
            message: e.to_string(),
        };
        Ok(check_file(&bytes, inputs, &problems).map_err(invalid)?.certificates)
    })
}
