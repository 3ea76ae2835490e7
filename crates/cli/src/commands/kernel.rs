//! `gradcert kernel`: a kernel matrix, its size and a verified bound of its smallest eigenvalue.

use crate::args::{KernelCommand, NtkArgs, StartArg};
use crate::commands::certify::write_parts;
use crate::commands::limit_kernel;
use crate::failure::{Exit, Failure, reasons_text};
use crate::output::{Output, Seconds};
use crate::session::{Session, Task, certify, coordinates, given_start, metric, require_memory, set_threads};
use faer::Mat;
use gradcert::certify::{Outcome, Reason};
use gradcert::kernel::tangent_kernel;
use gradcert::network::Network;
use gradcert::network::passes::LayerInputs;
use gradcert::theorem::centre::Metric;
use gradcert::theorem::general::EnclosedPasses;
use gradcert_report::number::{Rounding, rounded};
use gradcert_rigor::Interval;
use gradcert_rigor::linear::smallest_eigenvalue_lower;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

pub(crate) fn run(command: &KernelCommand) -> Result<(Exit, Output), Failure> {
    match command {
        KernelCommand::Ntk(args) => tangent(args),
        other => match limit_kernel::kernel_of(other) {
            Some((name, kernel, args)) => limit_kernel::run(name, kernel, args),
            None => Err(Failure::usage("not a limit")),
        },
    }
}

fn tangent(args: &NtkArgs) -> Result<(Exit, Output), Failure> {
    if args.net.whiten {
        return Err(Failure::usage("kernels are computed on samples as they are: leave out --whiten"));
    }
    set_threads(args.net.threads);
    let session = Session::open(&args.data)?;
    let clock = Seconds::start();
    let tasks = session.tasks(coordinates(&args.net))?;
    let several = tasks.len() > 1;
    let (mut text, mut problems) = (session.lift_text(), vec![]);
    for (index, mut task) in tasks.into_iter().enumerate() {
        let (network, metric) = match network(&mut task, index, args)? {
            Ok(start) => start,
            Err(reasons) => {
                let json =
                    json!({"status": "declined", "reasons": reasons, "problem": task.name, "seconds": clock.seconds()});
                return Ok((Exit::Declined, Output { text: reasons_text(&reasons), json }));
            }
        };
        let found = Kernel::new(&task, &network, &metric, !args.output.no_bound)?;
        let file =
            args.output.out.as_ref().map(|out| if several { out.join(format!("{index}.npy")) } else { out.clone() });
        if let Some(file) = &file {
            write_npy(file, &found.matrix)?;
        }
        text += &found.text(&task.name, file.as_ref());
        problems.push(found.json(&task.name, file.as_ref()));
    }
    let mut json = problems.first().cloned().unwrap_or(json!({}));
    json["status"] = json!("done");
    json["problems"] = problems.into();
    json["lift"] = session.lift_json();
    json["seconds"] = json!(clock.seconds());
    Ok((Exit::Done, Output { text, json }))
}

/// The start; the positive one with the scales of its certificate, or why there is none.
fn network(task: &mut Task, index: usize, args: &NtkArgs) -> Result<Result<(Network, Metric), Vec<Reason>>, Failure> {
    if args.net.start != StartArg::Positive {
        let start = given_start(task, index, &args.net)?;
        let metric = metric(&args.net, &start.widths());
        return Ok(Ok((start, metric)));
    }
    let outcome = certify(task, index, &args.net)?;
    Ok(outcome.start().ok_or_else(|| match outcome {
        Outcome::Declined(reasons) => reasons,
        _ => vec![],
    }))
}

struct Kernel {
    matrix: Mat<f64>,
    lmin_lower: Option<f64>,
    /// Of the matrix alone.
    seconds: f64,
}

impl Kernel {
    fn new(task: &Task, network: &Network, metric: &Metric, bound: bool) -> Result<Kernel, Failure> {
        let rows = &task.problem.rows;
        let n = rows.nrows() as f64;
        // The matrix, which is written column by column; the enclosure holds a middle, a radius and as much again on the way.
        let squares = if bound { 8.0 } else { 1.1 };
        require_memory(8.0 * squares * n * n, || format!("the kernel of {n} samples needs"))?;
        let inputs = LayerInputs::Rows(rows.middle().to_owned());
        let clock = Seconds::start();
        let matrix = tangent_kernel(network, &inputs, metric, faer::get_global_parallelism());
        let seconds = clock.seconds();
        let lmin_lower = if bound {
            let ones = vec![Interval::ONE; rows.nrows()];
            smallest_eigenvalue_lower(&EnclosedPasses::new(network, rows).kernel(metric, &ones))
        } else {
            None
        };
        Ok(Kernel { matrix, lmin_lower, seconds })
    }

    fn text(&self, name: &str, file: Option<&PathBuf>) -> String {
        let n = self.matrix.nrows();
        let bound = positive(self.lmin_lower);
        let file = file.map_or_else(String::new, |f| format!("; written to {}", f.display()));
        format!("{name}: tangent kernel of {n} samples, {bound} ({:.3} s for the matrix{file})\n", self.seconds)
    }

    fn json(&self, name: &str, file: Option<&PathBuf>) -> Value {
        json!({
            "problem": name,
            "kernel": "ntk",
            "samples": self.matrix.nrows(),
            "lmin_lower": self.lmin_lower,
            "kernel_seconds": self.seconds,
            "file": file.map(|f| f.display().to_string()),
        })
    }
}

/// What is proved about the smallest eigenvalue, in words.
pub(crate) fn positive(lmin_lower: Option<f64>) -> String {
    match lmin_lower {
        Some(bound) if bound > 0.0 => {
            format!("smallest eigenvalue at least {}", rounded(bound, 5, Rounding::Down))
        }
        Some(_) => "not proved to be positive definite".to_owned(),
        None => "smallest eigenvalue not bounded".to_owned(),
    }
}

/// A symmetric matrix in NumPy's format, version 1.0: a header padded to a multiple of 64 bytes, then the entries.
pub(crate) fn write_npy(path: &Path, matrix: &Mat<f64>) -> Result<(), Failure> {
    let n = matrix.nrows();
    let header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({n}, {n}), }}");
    // Below 200 for every n.
    let length = (10 + header.len() + 1).next_multiple_of(64) - 10;
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(format!("{header:<width$}\n", width = length - 1).bytes());
    let columns = (0..n).map(|j| matrix.col_as_slice(j).iter().flat_map(|x| x.to_le_bytes()).collect());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Failure::file(path, &e))?;
    }
    write_parts(path, std::iter::once(bytes).chain(columns))
}
