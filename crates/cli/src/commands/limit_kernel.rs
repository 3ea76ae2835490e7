//! `gradcert kernel hinf|hinf-joint|fc|resnet|conv-resnet`: limits of tangent kernels for wide networks.

use crate::args::{DeepArgs, KernelCommand, LimitArgs, ResidualArgs};
use crate::commands::certify::write;
use crate::commands::kernel::{positive, write_npy};
use crate::failure::{Exit, Failure};
use crate::output::{Output, Seconds};
use crate::session::{Session, require_memory, set_threads};
use faer::{Mat, Side};
use gradcert::kernel::limit::{LimitError, LimitKernel, Unit, bytes, limit_kernel};
use gradcert_report::article::{Chart, ChartAxis, Colour, Curve};
use gradcert_report::number::{Rounding, rounded};
use serde_json::{Value, json};
use std::path::Path;

/// Pixels per unit of a PNG figure.
const PIXELS: f64 = 3.0;

/// Name, kernel and common arguments.
pub(crate) fn kernel_of(command: &KernelCommand) -> Option<(&'static str, LimitKernel, &LimitArgs)> {
    let fully = |a: &DeepArgs| (a.activation, usize::from(a.depth));
    let residual = |a: &ResidualArgs| (a.deep.activation, usize::from(a.deep.depth), a.residual_scale);
    Some(match command {
        KernelCommand::Ntk(_) => return None,
        KernelCommand::Hinf(a) => ("hinf", LimitKernel::Relu { both: false }, &a.limit),
        KernelCommand::HinfJoint(a) => ("hinf-joint", LimitKernel::Relu { both: true }, &a.limit),
        KernelCommand::Fc(a) => {
            let (unit, depth) = fully(a);
            ("fc", LimitKernel::FullyConnected { unit, depth }, &a.limit)
        }
        KernelCommand::Resnet(a) => {
            let (unit, depth, scale) = residual(a);
            ("resnet", LimitKernel::Residual { unit, depth, scale }, &a.deep.limit)
        }
        KernelCommand::ConvResnet(a) => {
            let (unit, depth, scale) = residual(&a.residual);
            let (channels, patch) = (a.channels as usize, a.patch as usize);
            let kernel = LimitKernel::ConvolutionalResidual { unit, depth, scale, channels, patch };
            ("conv-resnet", kernel, &a.residual.deep.limit)
        }
    })
}

impl From<LimitError> for Failure {
    fn from(error: LimitError) -> Failure {
        Failure::input(error.code(), error.to_string())
    }
}

pub(crate) fn run(name: &str, kernel: LimitKernel, args: &LimitArgs) -> Result<(Exit, Output), Failure> {
    set_threads(args.threads);
    let session = Session::open(&args.data)?;
    let clock = Seconds::start();
    let x = samples(&session, args.normalize)?;
    let (n, d) = (x.nrows(), x.ncols());
    require_memory(bytes(kernel, n, d), || format!("the limit kernel of {n} samples needs"))?;
    let own = Seconds::start();
    let limit = limit_kernel(kernel, &x)?;
    let seconds = own.seconds();
    let bound = if args.output.no_bound { None } else { limit.smallest_eigenvalue_lower(kernel, &x) };
    let spectrum = limit.matrix.self_adjoint_eigenvalues(Side::Lower).unwrap_or_default();
    if let Some(path) = &args.output.out {
        write_npy(path, &limit.matrix)?;
    }
    if let Some(path) = &args.spectrum {
        write_spectrum(path, name, &spectrum)?;
    }
    let (i, j, cosine) = closest(&x);
    let proved = matches!(kernel, LimitKernel::Relu { .. });
    let mut text = session.lift_text();
    let file = args.output.out.as_ref().map_or_else(String::new, |f| format!("; written to {}", f.display()));
    text +=
        &format!("{name}: limit kernel of {n} samples, {} ({seconds:.3} s for the matrix{file})\n", positive(bound));
    text += &match (proved, limit.error) {
        (true, _) => "  every rounding of the entries is in the bound\n".to_owned(),
        (_, Some(e)) => format!(
            "  bound of the matrix as computed; its entries differ by at most {} from a coarser computation\n",
            rounded(e, 2, Rounding::Up)
        ),
        (_, None) => "  bound of the matrix as computed, its entries in closed form\n".to_owned(),
    };
    if let Some(c) = limit.normalisation {
        text += &format!("  normalised by 1/E sigma(N(0,1))^2 = {c:.12}\n");
    }
    if n > 1 {
        text += &format!("  the samples nearest to parallel are {i} and {j}, with cosine {cosine:.9}\n");
    }
    let mut json = json!({
        "status": "done", "kernel": name, "samples": n, "features": d, "lmin_lower": bound, "entries_enclosed": proved,
        "error_estimate": limit.error, "normalisation": limit.normalisation, "kernel_seconds": seconds,
        "eigenvalues": spectrum, "nearest_to_parallel": {"samples": [i, j], "cosine": cosine},
        "file": args.output.out.as_ref().map(|f| f.display().to_string()),
        "lift": session.lift_json(), "problems": [],
    });
    describe(kernel, &mut json);
    json["seconds"] = json!(clock.seconds());
    Ok((Exit::Done, Output { text, json }))
}

/// Activation, depth and what else there is.
fn describe(kernel: LimitKernel, json: &mut Value) {
    let named = |unit: Unit| match unit {
        Unit::Relu => "relu".to_owned(),
        Unit::Smooth(activation) => activation.to_string(),
    };
    match kernel {
        LimitKernel::Relu { .. } => json["activation"] = json!("relu"),
        LimitKernel::FullyConnected { unit, depth } => {
            (json["activation"], json["depth"]) = (json!(named(unit)), json!(depth));
        }
        LimitKernel::Residual { unit, depth, scale } => {
            (json["activation"], json["depth"]) = (json!(named(unit)), json!(depth));
            json["residual_scale"] = json!(scale);
        }
        LimitKernel::ConvolutionalResidual { unit, depth, scale, channels, patch } => {
            (json["activation"], json["depth"]) = (json!(named(unit)), json!(depth));
            json["residual_scale"] = json!(scale);
            (json["channels"], json["patch"]) = (json!(channels), json!(patch));
        }
    }
}

fn samples(session: &Session, normalize: bool) -> Result<Mat<f64>, Failure> {
    let matrix = session.distinct().inputs();
    let (n, d) = matrix.shape();
    let values = matrix.as_slice();
    let mut x = Mat::from_fn(n, d, |i, j| values[i * d + j]);
    if normalize {
        for i in 0..n {
            let norm = x.row(i).norm_l2();
            if !(norm > 0.0 && norm.is_finite()) {
                return Err(LimitError::ZeroSample(i).into());
            }
            (0..d).for_each(|j| x[(i, j)] /= norm);
        }
    }
    Ok(x)
}

/// The two samples with the largest cosine in size.
fn closest(x: &Mat<f64>) -> (usize, usize, f64) {
    let gram = x * x.transpose();
    let mut best = (0, 0, 0.0f64);
    for j in 0..x.nrows() {
        for i in j + 1..x.nrows() {
            let cosine = gram[(i, j)] / (gram[(i, i)] * gram[(j, j)]).sqrt();
            if cosine.abs() > best.2.abs() || (best.0, best.1) == (0, 0) {
                best = (j, i, cosine);
            }
        }
    }
    best
}

/// Eigenvalues from the largest on.
fn write_spectrum(path: &Path, name: &str, ascending: &[f64]) -> Result<(), Failure> {
    let points: Vec<(f64, f64)> = ascending.iter().rev().enumerate().map(|(k, &v)| ((k + 1) as f64, v)).collect();
    let axis = |label: &str| ChartAxis { label: label.to_owned(), logarithmic: true, limits: None };
    let curve = Curve {
        name: name.to_owned(),
        points: points.clone(),
        band: vec![],
        dashed: false,
        dots: true,
        colour: Colour::Distinct(0),
    };
    let chart = Chart {
        id: "spectrum".to_owned(),
        title: format!("Eigenvalues of the limit kernel {name}"),
        description: "Eigenvalues by decreasing size against their number, both on logarithmic scales.".to_owned(),
        caption: String::new(),
        x: axis("number"),
        y: axis("eigenvalue"),
        curves: vec![curve],
    };
    match path.extension().and_then(|e| e.to_str()) {
        Some("csv") => {
            let table: String = points.iter().map(|(k, v)| format!("{k},{v:e}\n")).collect();
            write(path, format!("number,eigenvalue\n{table}").as_bytes())
        }
        Some("png") => {
            let png = chart.png(PIXELS).map_err(|e| Failure::input("spectrum_plot", e.to_string()))?;
            write(path, &png)
        }
        Some("svg") => write(path, chart.svg().as_bytes()),
        _ => Err(Failure::usage("--spectrum writes .svg, .png or .csv")),
    }
}
