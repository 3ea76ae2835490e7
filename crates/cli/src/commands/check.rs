//! `gradcert check`: the independent checker. Nothing of the program that wrote the certificate is used, only the
//! reading of data.

use crate::args::CheckArgs;
use crate::commands::certify::start_beside;
use crate::failure::{Exit, Failure};
use crate::output::{Output, Seconds};
use crate::session::load;
use gradcert_certificate::format::{Claim, File};
use gradcert_certificate::{CheckError, Inputs, Problem, Report, check};
use gradcert_data::Dataset;
use serde_json::json;
use std::path::Path;

/// A larger file is no certificate of ours.
const LARGEST_FILE: u64 = 256 << 20;

pub(crate) fn run(args: &CheckArgs) -> Result<(Exit, Output), Failure> {
    let bytes = read(&args.certificate)?;
    let (dataset, _) = load(&args.data)?;
    let start = args.start.clone().unwrap_or_else(|| {
        let (own, shared) = (start_beside(&args.certificate), args.certificate.with_file_name("start.safetensors"));
        if !own.exists() && about_widths(&bytes) { shared } else { own }
    });
    if args.start.is_some() {
        // A start that was asked for is not optional.
        std::fs::metadata(&start).map_err(|e| Failure::file(&start, &e))?;
    }
    let clock = Seconds::start();
    let verdict = verify(&bytes, &dataset, &start)?;
    let seconds = clock.seconds();
    Ok(match verdict {
        Ok(report) => {
            let mut text = String::from("valid\n");
            for (problem, lines) in &report.certificates {
                text += &format!("{problem}\n");
                lines.iter().for_each(|line| text += &format!("  {line}\n"));
            }
            let problems: Vec<_> = report
                .certificates
                .iter()
                .map(|(problem, lines)| json!({"problem": problem, "verified": lines}))
                .collect();
            (Exit::Done, Output { text, json: json!({"status": "valid", "problems": problems, "seconds": seconds}) })
        }
        Err(error) => {
            let json = json!({
                "status": "invalid", "code": error.code(), "message": error.to_string(), "seconds": seconds,
            });
            (Exit::Invalid, Output { text: format!("invalid: {error}\n"), json })
        }
    })
}

/// The starts of widths have a name of their own.
fn about_widths(bytes: &[u8]) -> bool {
    let width = |c: &gradcert_certificate::format::Certificate| matches!(c.claim, Claim::Width(_));
    serde_json::from_slice::<File>(bytes).is_ok_and(|file| file.certificates.iter().any(width))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let size = std::fs::metadata(path).map_err(|e| Failure::file(path, &e))?.len();
    if size > LARGEST_FILE {
        return Err(Failure::limit(format!("{}: {size} bytes are too many for a certificate", path.display())));
    }
    std::fs::read(path).map_err(|e| Failure::file(path, &e))
}

/// The checker's verdict on a certificate for these data. `start` is read if it exists.
pub(crate) fn verify(bytes: &[u8], dataset: &Dataset, start: &Path) -> Result<Result<Report, CheckError>, Failure> {
    let starts = if start.exists() { parameters(start)? } else { vec![] };
    let (samples, features) = dataset.shape();
    let inputs = Inputs { values: dataset.inputs().as_slice(), samples, features };
    let own = crate::session::problems(dataset).into_iter().enumerate();
    // A network with one output per class is the only one of its file.
    let joint = crate::session::joint_problems(dataset).into_iter().map(|(_, name, targets)| (0, (name, targets)));
    let problems: Vec<(usize, (String, Vec<f64>))> = own.chain(joint).collect();
    let slices: Vec<Vec<&[f64]>> = starts.iter().map(|s| s.iter().map(Vec::as_slice).collect()).collect();
    let problems: Vec<Problem<'_>> = problems
        .iter()
        .map(|(p, (name, targets))| Problem { name, targets, start: slices.get(*p).map(Vec::as_slice) })
        .collect();
    Ok(check(bytes, inputs, &problems))
}

/// `W_1` (row-major), `b_1`, ... of every network of a file; of a width `w`, nothing, `a`, nothing.
fn parameters(path: &Path) -> Result<Vec<Vec<Vec<f64>>>, Failure> {
    let bytes = std::fs::read(path).map_err(|e| Failure::file(path, &e))?;
    if let Ok(start) = gradcert::relu::start::Start::from_bytes(&bytes) {
        return Ok(vec![vec![start.rows(), vec![], start.signs().to_vec(), vec![]]]);
    }
    drop(bytes);
    let model = gradcert::model::Model::load(path)?;
    let flat = |network: &gradcert::network::Network| {
        (1..=network.layers())
            .flat_map(|l| {
                let w = &network.weights[l];
                let rows = (0..w.nrows()).flat_map(|i| (0..w.ncols()).map(move |j| w[(i, j)])).collect();
                [rows, network.biases[l].clone()]
            })
            .collect()
    };
    Ok(model.networks.iter().map(flat).collect())
}
