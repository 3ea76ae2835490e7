//! `gradcert inspect`: what the data are, and what can be certified on them.

use crate::args::InspectArgs;
use crate::commands::inspect_model;
use crate::failure::{Exit, Failure};
use crate::output::{Output, Seconds};
use crate::session::{Session, set_threads};
use gradcert::certify::problem::{Coordinates, Problem};
use gradcert_data::Targets;
use gradcert_rigor::Lower;
use serde_json::{Value, json};

pub(crate) fn run(args: &InspectArgs) -> Result<(Exit, Output), Failure> {
    set_threads(None);
    if let Some(model) = &args.model {
        return inspect_model::run(model, args.activation.as_deref());
    }
    let session = Session::open(&args.data)?;
    let clock = Seconds::start();
    let matrix = session.distinct().inputs();
    let (rows, features) = matrix.shape();
    let targets = vec![0.0; rows];
    let problem = Problem::new(matrix.as_slice(), rows, features, targets, Coordinates::Raw);
    let independence = [("linear", problem.smin_samples(false)), ("affine", problem.smin_samples(true))];
    let advice = advice(&session, independence[0].1, independence[1].1);
    let (n, d) = session.dataset.shape();
    let findings = &session.findings;
    let positive = |x: Lower| x.is_positive();
    let json = json!({
        "status": "done",
        "samples": n,
        "features": d,
        "distinct_samples": rows,
        "classes": session.classes(),
        "numeric_target": matches!(session.dataset.targets(), Targets::Numeric(_)),
        "smin_lower": independence[0].1.get(),
        "lmin_lower": independence[0].1.square().get(),
        "smin_affine_lower": independence[1].1.get(),
        "lmin_affine_lower": independence[1].1.square().get(),
        "linearly_independent": positive(independence[0].1),
        "affinely_independent": positive(independence[1].1),
        "findings": findings,
        "lift": session.lift_json(),
        "advice": advice,
        "seconds": clock.seconds(),
    });
    Ok((Exit::Done, Output { text: text(&session, &json), json }))
}

fn advice(session: &Session, linear: Lower, affine: Lower) -> Vec<String> {
    let mut advice = vec![];
    if !session.findings.duplicate_groups.is_empty() && session.merged.is_none() {
        advice.push("rows are duplicated with equal targets: use --merge-duplicates".to_owned());
    }
    match (linear.is_positive(), affine.is_positive()) {
        (_, true) => advice.push(
            "the samples are affinely independent: every network with a trained first-layer bias can be certified, \
             plain or with --whiten"
                .to_owned(),
        ),
        (true, false) => advice.push("certify with --freeze-bias".to_owned()),
        (false, false) => {
            let mut text =
                "independence of the samples is not proved: the positive start cannot be certified on these inputs"
                    .to_owned();
            let (n, d) = session.distinct().shape();
            if n > d {
                text += &format!("; more samples than features: --lift fourier:{}", 2 * n);
            }
            advice.push(text);
        }
    }
    if session.findings.centred {
        advice.push(
            "columns are centred: the samples are linearly dependent; the bias coordinate restores rank".to_owned(),
        );
    }
    advice
}

fn text(session: &Session, json: &Value) -> String {
    let mut text = format!("{}: {} samples, {} features", session.source, json["samples"], json["features"]);
    let classes = session.classes();
    text += &match classes.len() {
        0 => ", numeric target\n".to_owned(),
        k => format!(", {k} classes ({})\n", classes.join(", ")),
    };
    text += &format!(
        "  smallest singular value, proved: {:.6e} of X, {:.6e} of [X, 1]\n",
        json["smin_lower"].as_f64().unwrap_or(0.0),
        json["smin_affine_lower"].as_f64().unwrap_or(0.0)
    );
    if session.lift.is_some() {
        text += &format!("  {}", session.lift_text());
    }
    let findings = &session.findings;
    if !findings.constant_columns.is_empty() {
        text += &format!("  constant columns: {}\n", findings.constant_columns.len());
    }
    if !findings.zero_rows.is_empty() {
        text += &format!("  rows of zeros: {}\n", findings.zero_rows.len());
    }
    if !findings.duplicate_groups.is_empty() {
        text += &format!("  groups of duplicated rows: {}\n", findings.duplicate_groups.len());
    }
    for line in json["advice"].as_array().into_iter().flatten() {
        text += &format!("  {}\n", line.as_str().unwrap_or_default());
    }
    text
}
