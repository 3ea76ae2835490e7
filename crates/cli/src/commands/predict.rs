//! `gradcert predict`: outputs for new samples.

use crate::args::PredictArgs;
use crate::commands::certify::write;
use crate::commands::inspect_model;
use crate::failure::{Exit, Failure};
use crate::output::{Output, Seconds};
use crate::session::{quietly, set_threads, table_options};
use faer::Mat;
use gradcert::model::Model;
use gradcert_data::Matrix;
use serde_json::json;
use std::path::Path;

pub(crate) fn run(args: &PredictArgs) -> Result<(Exit, Output), Failure> {
    set_threads(None);
    let read = inspect_model::read(&args.model, args.activation.as_deref())?;
    let model = read.model;
    let matrix = crate::lift::samples(crate::lift::of_model(&model)?, samples(args, &model)?)?;
    let clock = Seconds::start();
    let expected = model.networks[0].widths()[0];
    if matrix.columns() != expected {
        return Err(Failure::input(
            "shape",
            format!(
                "the samples have {} features, the model reads {expected}: leave columns out with --ignore",
                matrix.columns()
            ),
        ));
    }
    let outputs = outputs(&model, &matrix);
    let decisions: Vec<String> = outputs.iter().map(|row| model.decide(row)).collect();
    let table = table(&model, &outputs, &decisions);
    let mut text = table.clone();
    if let Some(path) = &args.out {
        write(path, table.as_bytes())?;
        text = format!("{} predictions written to {}\n", outputs.len(), path.display());
    }
    let json = json!({
        "status": "done", "problems": model.meaning.problems, "outputs": outputs, "predictions": decisions,
        "notes": read.notes,
        "seconds": clock.seconds(),
    });
    Ok((Exit::Done, Output { text, json }))
}

fn samples(args: &PredictArgs, model: &Model) -> Result<Matrix, Failure> {
    if let Some(name) = args.data.strip_prefix("bundled:") {
        let unknown = || Failure::input("unknown_bundled_set", format!("no bundled set {name}"));
        return Ok(gradcert_data::bundled(name).ok_or_else(unknown)?.load()?.inputs().clone());
    }
    let target = model.meaning.target.as_deref();
    let options = table_options(&args.table);
    let inputs = quietly(|| gradcert_data::load_inputs(Path::new(&args.data), target, &options))?;
    Ok(inputs.matrix().clone())
}

/// One row per sample, one column per problem: per network, or per output of a network made elsewhere.
pub(crate) fn outputs(model: &Model, matrix: &Matrix) -> Vec<Vec<f64>> {
    let (n, d) = matrix.shape();
    let rows = Mat::from_fn(n, d, |i, j| matrix.row(i)[j]);
    let columns: Vec<Mat<f64>> =
        model.networks.iter().map(|network| network.evaluate(rows.as_ref(), faer::get_global_parallelism())).collect();
    (0..n).map(|i| columns.iter().flat_map(|c| c.col_as_slice(i).iter().copied()).collect()).collect()
}

/// A name as a CSV field.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

fn table(model: &Model, outputs: &[Vec<f64>], decisions: &[String]) -> String {
    let classes = !model.meaning.classes.is_empty();
    let names: Vec<String> = match &model.meaning.target {
        Some(target) if !classes => vec![field(target)],
        _ => model.meaning.problems.iter().map(|p| field(p)).collect(),
    };
    let mut text = names.join(",") + if classes { ",prediction\n" } else { "\n" };
    for (row, decision) in outputs.iter().zip(decisions) {
        let numbers: Vec<String> = row.iter().map(f64::to_string).collect();
        text += &numbers.join(",");
        if classes {
            text += &format!(",{}", field(decision));
        }
        text.push('\n');
    }
    text
}
