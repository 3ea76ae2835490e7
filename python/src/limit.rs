//! Limits of tangent kernels for wide networks.

use crate::background;
use crate::data::matrix;
use crate::failure::Failure;
use crate::options::set_threads;
use crate::session::require_memory;
use faer::Mat;
use gradcert::kernel::limit::{LimitKernel, Unit, bytes, limit_kernel as limit_of};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray2};
use pyo3::prelude::*;

fn kernel_of(
    name: &str,
    activation: &str,
    depth: usize,
    scale: f64,
    channels: usize,
    patch: usize,
) -> Result<LimitKernel, Failure> {
    let unit = || activation.parse::<Unit>().map_err(|e| Failure::Usage(e.to_string()));
    Ok(match name {
        "hinf" => LimitKernel::Relu { both: false },
        "hinf-joint" => LimitKernel::Relu { both: true },
        "fc" => LimitKernel::FullyConnected { unit: unit()?, depth },
        "resnet" => LimitKernel::Residual { unit: unit()?, depth, scale },
        "conv-resnet" => LimitKernel::ConvolutionalResidual { unit: unit()?, depth, scale, channels, patch },
        other => {
            return Err(Failure::Usage(format!("no limit kernel {other}: hinf, hinf-joint, fc, resnet, conv-resnet")));
        }
    })
}

/// The kernel (n x n), a lower bound of its smallest eigenvalue if that is asked for (of the exact kernel in closed form for two layers, of
/// the matrix as computed otherwise), and the estimated error of an entry.
#[pyfunction]
#[pyo3(signature = (x, name, activation, depth, scale, channels, patch, bound=true, threads=None))]
#[allow(clippy::type_complexity)]
pub(crate) fn limit_kernel<'py>(
    py: Python<'py>,
    x: PyReadonlyArray2<'_, f64>,
    name: &str,
    activation: &str,
    depth: usize,
    scale: f64,
    channels: usize,
    patch: usize,
    bound: bool,
    threads: Option<usize>,
) -> PyResult<(Bound<'py, PyArray2<f64>>, Option<f64>, Option<f64>)> {
    let samples = matrix(&x)?;
    let kernel = kernel_of(name, activation, depth, scale, channels, patch)?;
    let (n, values, lower, error) = background::run(py, None, move |_| {
        set_threads(threads);
        let (n, d) = samples.shape();
        require_memory(bytes(kernel, n, d), &format!("the limit kernel of {n} samples needs"))?;
        let x = Mat::from_fn(n, d, |i, j| samples.as_slice()[i * d + j]);
        let limit =
            limit_of(kernel, &x).map_err(|e| Failure::Data { code: e.code().to_owned(), message: e.to_string() })?;
        let lower = if bound { limit.smallest_eigenvalue_lower(kernel, &x) } else { None };
        // Symmetric: columns are rows.
        let values: Vec<f64> = (0..n).flat_map(|j| limit.matrix.col_as_slice(j).to_vec()).collect();
        Ok((n, values, lower, limit.error))
    })?;
    Ok((PyArray1::from_vec(py, values).reshape([n, n])?, lower, error))
}
