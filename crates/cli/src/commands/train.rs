//! `gradcert train`: certify, run, write everything down.

use crate::args::{Optimizer, StartArg, StepArg, TrainArgs};
use crate::commands::certify::{certify_all, describe, exit, outcome_json, save, start_beside, summary, write};
use crate::commands::check::verify;
use crate::commands::train_audits::{self, Audits, audit_stored};
use crate::failure::{Exit, Failure, reasons_text};
use crate::output::{Output, Seconds, cell, progress_bar};
use crate::report::Material;
use crate::session::{Session, Task, given_start, metric, require_memory, set_threads};
use clap::ValueEnum;
use gradcert::certify::{Outcome, Reason};
use gradcert::model::Model;
use gradcert::network::Network;
use gradcert::train::optimizer::Algorithm;
use gradcert::train::optimizer::adam::Adam;
use gradcert::train::optimizer::lbfgs::Lbfgs;
use gradcert::train::run::{Plan, Run, Stop, run as run_descent};
use gradcert_data::Dataset;
use gradcert_report::{Check, CheckLine, Evaluation};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Iterations of a run without a certificate, unless said otherwise.
const UNCERTIFIED_ITERATIONS: u64 = 100_000;

/// What training one problem gave.
pub(crate) struct Trained {
    pub(crate) task: Task,
    pub(crate) outcome: Outcome,
    pub(crate) plan: Plan,
    pub(crate) run: Run,
    pub(crate) audits: Audits,
    /// Of the run alone.
    seconds: f64,
}

pub(crate) fn run(args: &TrainArgs) -> Result<(Exit, Output), Failure> {
    let command: Vec<String> = std::iter::once("gradcert".to_owned()).chain(std::env::args().skip(1)).collect();
    train(args, &command.join(" "), None)
}

/// Certifies, trains and writes everything. `command` is shown in the report; `test` names a bundled set that the
/// trained model is tried on.
pub(crate) fn train(args: &TrainArgs, command: &str, test: Option<&str>) -> Result<(Exit, Output), Failure> {
    set_threads(args.net.threads);
    let uncertified = uncertified_algorithm(args)?;
    if args.allow_uncertified && uncertified.is_none() {
        return Err(Failure::usage("--allow-uncertified needs a step size, --step ETA, or --optimizer adam or lbfgs"));
    }
    let session = Session::open(&args.data)?;
    let clock = Seconds::start();
    let results = certify_all(&session, &args.net)?;
    if exit(&results) == Exit::Declined && !args.allow_uncertified {
        let lines: String = results.iter().map(|(task, outcome)| describe(task, outcome)).collect();
        let mut json = summary(&args.net, &results, clock.seconds());
        json["lift"] = session.lift_json();
        return Ok((Exit::Declined, Output { text: session.lift_text() + &lines, json }));
    }
    let plans = plans(args, uncertified, &results)?;
    std::fs::create_dir_all(&args.out).map_err(|e| Failure::file(&args.out, &e))?;
    remove_earlier_files(&args.out)?;
    if uncertified.is_none() {
        save(&session, &args.net, &results, &args.out.join("certificate.json"))?;
    }
    let mut trained = train_all(results, plans, uncertified.is_none());
    // An audit may take long: what was trained is safe before.
    model_of(&session, &trained).save(&args.out.join("model.safetensors"))?;
    write_history(&trained, &args.out)?;
    if !args.no_audit {
        audit_stored(&session, &mut trained);
    }
    let seconds = clock.seconds();
    let audited = train_audits::save(&session, &trained, &args.out)?;
    let check = if uncertified.is_some() { None } else { Some(own_check(&session, &args.out)?) };
    let mut json = json_of(args, &trained, uncertified.is_some(), seconds);
    json["check"] = json!(check.as_ref().map(|c| if c.valid { "valid" } else { "invalid" }));
    json["lift"] = session.lift_json();
    json["audit_file"] = json!(audited.then(|| args.out.join("audit.json")));
    let mut text = session.lift_text();
    trained.iter().for_each(|t| text += &text_of(t, uncertified.is_some()));
    text += &train_audits::missing_text(&trained);
    text += &check.as_ref().map(check_text).unwrap_or_default();
    text += &format!("written to {}\n", args.out.display());
    let material = Material {
        title: format!("gradcert: {}", session.source),
        command: command.to_owned(),
        session: &session,
        net: &args.net,
        trained: &trained,
        uncertified: uncertified.is_some(),
        check,
        evaluations: evaluations(&session, &trained, test)?,
    };
    let refused = material.check.as_ref().is_some_and(|c| !c.valid);
    crate::report::write(&material, &args.out)?;
    text += &accuracy_text(&material.evaluations);
    let exit = match (refused, trained.iter().any(diverged)) {
        (true, _) => Exit::Invalid,
        (false, true) => Exit::Declined,
        (false, false) => Exit::Done,
    };
    Ok((exit, Output { text, json }))
}

pub(crate) fn diverged(t: &Trained) -> bool {
    t.run.stop == Stop::Diverged
}

/// A run whose loss is no number any more has not done what was asked, whatever it asked for.
pub(crate) fn divergence(t: &Trained) -> Reason {
    let after = format!("the loss stopped being finite after {} iterations", t.run.iterations);
    let message = match t.plan.algorithm.step_size() {
        Some(step_size) => {
            format!("{after} with step {step_size:.3e}: use a smaller --step, or --optimizer gd --step certified")
        }
        None => format!("{after}: use another start, or --optimizer gd --step certified"),
    };
    Reason { code: "diverged", message }
}

/// What an earlier run has left in the same folder says nothing about this one. Its model, history and report stay until they are
/// replaced: a run that is broken off must not cost a trained model.
fn remove_earlier_files(folder: &Path) -> Result<(), Failure> {
    let certificate = folder.join("certificate.json");
    let mut paths = vec![start_beside(&certificate), certificate];
    let names = ["audit.json", "audits.csv"];
    paths.extend(names.map(|name| folder.join(name)));
    let figures = std::fs::read_dir(folder.join("figures")).into_iter().flatten().flatten().map(|entry| entry.path());
    let ours = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("problem-") && name.ends_with(".svg")
    };
    paths.extend(figures.filter(ours));
    for path in paths {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Failure::file(&path, &error)),
            _ => {}
        }
    }
    Ok(())
}

fn check_text(check: &Check) -> String {
    if check.valid {
        return "the independent checker confirms the certificate\n".to_owned();
    }
    let lines: Vec<&str> = check.lines.iter().map(|line| line.text.as_str()).collect();
    format!("THE INDEPENDENT CHECKER REFUSES THE CERTIFICATE, this is a bug: {}\n", lines.join("; "))
}

/// Every run with its audits, before anything is written.
fn plans(
    args: &TrainArgs,
    uncertified: Option<Algorithm>,
    results: &[(Task, Outcome)],
) -> Result<Vec<(Plan, Audits)>, Failure> {
    let one = |(index, (task, outcome)): (usize, &(Task, Outcome))| {
        let plan = plan(args, uncertified, index, task, outcome)?;
        let audits = Audits::new(args, task, &plan.start)?;
        Ok((plan, audits))
    };
    results.iter().enumerate().map(one).collect()
}

fn train_all(results: Vec<(Task, Outcome)>, plans: Vec<(Plan, Audits)>, certified: bool) -> Vec<Trained> {
    let par = faer::get_global_parallelism();
    let mut trained = vec![];
    for ((task, outcome), (plan, mut audits)) in results.into_iter().zip(plans) {
        let bar = progress_bar(plan.max_iterations, &task.name);
        let envelope_of = match &outcome {
            Outcome::Certified(c) if certified => Some(c.as_ref()),
            _ => None,
        };
        let clock = Seconds::start();
        let run = run_descent(&task.problem, &plan, envelope_of, par, &mut |moment| {
            let audited = audits.look(moment);
            if audited || moment.iteration % 256 == 0 {
                bar.set_position(moment.iteration);
                bar.set_message(format!("loss {:.2e}{}", moment.loss, audits.word()));
            }
            true
        });
        bar.finish_and_clear();
        trained.push(Trained { task, outcome, plan, run, audits, seconds: clock.seconds() });
    }
    trained
}

/// The method of a run that nothing is proved about; `None` for gradient descent with the certified step.
fn uncertified_algorithm(args: &TrainArgs) -> Result<Option<Algorithm>, Failure> {
    match (args.optimizer, args.step) {
        (Optimizer::Gd, None | Some(StepArg::Certified)) => Ok(None),
        (Optimizer::Gd, Some(StepArg::Given(step_size))) => Ok(Some(Algorithm::GradientDescent { step_size })),
        (Optimizer::Adam, None) => Ok(Some(Algorithm::Adam { step_size: Adam::STEP_SIZE })),
        (Optimizer::Adam, Some(StepArg::Given(step_size))) => Ok(Some(Algorithm::Adam { step_size })),
        (Optimizer::Adam, Some(StepArg::Certified)) => {
            Err(Failure::usage("no step of Adam is certified: give --step ETA"))
        }
        (Optimizer::Lbfgs, None) => Ok(Some(Algorithm::Lbfgs)),
        (Optimizer::Lbfgs, Some(_)) => Err(Failure::usage("--optimizer lbfgs searches its steps: leave out --step")),
    }
}

fn plan(
    args: &TrainArgs,
    uncertified: Option<Algorithm>,
    index: usize,
    task: &Task,
    outcome: &Outcome,
) -> Result<Plan, Failure> {
    let (start, metric) = match outcome.start() {
        Some(certified) => certified,
        None => {
            let start = uncertified_start(args, index, task)?;
            let metric = metric(&args.net, &start.widths());
            (start, metric)
        }
    };
    if uncertified == Some(Algorithm::Lbfgs) {
        within_memory_of_lbfgs(start.parameters())?;
    }
    let (algorithm, limit) = match (uncertified, outcome.facts(task.problem.total())) {
        (Some(algorithm), _) => (algorithm, UNCERTIFIED_ITERATIONS),
        (None, Some(facts)) => (Algorithm::GradientDescent { step_size: facts.step_size }, facts.iterations),
        (None, None) => return Err(Failure::usage("no certificate, so no certified step: --step ETA")),
    };
    let max_iterations = args.max_iterations.unwrap_or(limit);
    Ok(Plan { start, metric, algorithm, tolerance: args.net.tol, max_iterations })
}

/// L-BFGS remembers its last steps and what they changed the gradient by.
fn within_memory_of_lbfgs(parameters: usize) -> Result<(), Failure> {
    let bytes = 8.0 * (2 * Lbfgs::MEMORY + 12) as f64 * parameters as f64;
    require_memory(bytes, || format!("L-BFGS with {parameters} parameters needs"))
}

fn uncertified_start(args: &TrainArgs, index: usize, task: &Task) -> Result<Network, Failure> {
    if args.net.start != StartArg::Positive {
        return given_start(task, index, &args.net);
    }
    let hidden = args.net.hidden_widths();
    let entries: Vec<f64> = hidden.windows(2).map(|w| 1.0 / ((w[0] * w[1]) as f64).sqrt()).collect();
    let output = match args.net.scale {
        gradcert::certify::Scale::Fixed(a) => a,
        _ => 1.0,
    };
    let mut widths = vec![task.problem.input_width()];
    widths.extend(hidden);
    widths.push(1);
    Ok(Network::positive(args.net.activation(), &widths, &entries, output))
}

/// The trained networks as one model.
pub(crate) fn model_of(session: &Session, trained: &[Trained]) -> Model {
    let meaning = session.meaning(trained.iter().map(|t| t.task.name.clone()).collect());
    Model { networks: trained.iter().map(|t| t.run.network.clone()).collect(), meaning }
}

fn write_history(trained: &[Trained], folder: &Path) -> Result<(), Failure> {
    let mut text = String::from("problem,iteration,loss,envelope,path,distance,kernel_movement\n");
    for (p, t) in trained.iter().enumerate() {
        for r in &t.run.history {
            text += &format!(
                "{p},{},{:e},{},{:e},{:e},{}\n",
                r.iteration,
                r.loss,
                cell(r.envelope),
                r.path,
                r.distance,
                cell(r.kernel_movement)
            );
        }
    }
    write(&folder.join("history.csv"), text.as_bytes())
}

fn json_of(args: &TrainArgs, trained: &[Trained], uncertified: bool, seconds: f64) -> Value {
    let one = |t: &Trained| {
        let mut json = outcome_json(&args.net, &t.task, &t.outcome);
        if uncertified {
            json["status"] = json!("uncertified");
            // Bounds of a certificate with another step size would be false claims about this run.
            for bound in ["certified_iterations", "radius", "rate", "smin_lower", "theorem", "kernel_movement_upper"] {
                json[bound] = Value::Null;
            }
        }
        json["optimizer"] = json!(args.optimizer.to_possible_value().map(|v| v.get_name().to_owned()));
        json["step_size"] = json!(t.plan.algorithm.step_size());
        json["iterations"] = json!(t.run.iterations);
        json["training_seconds"] = json!(t.seconds);
        json["step_seconds"] = json!(t.run.stepping.as_secs_f64());
        json["final_loss"] = json!(t.run.final_loss);
        json["folded_loss"] = json!(t.run.folded_loss);
        json["stop"] = json!(t.run.stop);
        if diverged(t) {
            json["reasons"] = json!([divergence(t)]);
        }
        t.audits.to_json(&mut json);
        json["path"] = json!(t.run.history.last().map(|r| r.path));
        json["kernel_movement"] = json!(t.run.history.last().and_then(|r| r.kernel_movement));
        json
    };
    let worst = trained.iter().max_by_key(|t| (diverged(t), t.run.iterations));
    let mut json = worst.map_or(json!({}), one);
    json["audit"] = train_audits::worst_json(trained);
    json["problems"] = trained.iter().map(one).collect();
    json["seconds"] = json!(seconds);
    json
}

/// Why an uncertified run is one.
pub(crate) fn nothing_proved(t: &Trained) -> String {
    match t.plan.algorithm {
        Algorithm::GradientDescent { .. } => "nothing is proved about this step size".to_owned(),
        other => format!("nothing is proved about {}", other.name()),
    }
}

fn text_of(t: &Trained, uncertified: bool) -> String {
    let mut text = if uncertified {
        format!("{}: UNCERTIFIED RUN: {}\n", t.task.name, nothing_proved(t))
    } else {
        describe(&t.task, &t.outcome)
    };
    let ended = match t.run.stop {
        Stop::Tolerance => "reached the tolerance",
        Stop::Iterations => "used up its iterations",
        Stop::Diverged => "diverged",
        Stop::Rounding => {
            "stopped where double precision no longer lowers the loss (a certificate is about exact arithmetic),"
        }
        Stop::Interrupted => "was interrupted",
    };
    text += &format!(
        "  trained: {ended} after {} iterations, loss {:.2e} (on raw samples, folded back: {:.2e})\n",
        t.run.iterations, t.run.final_loss, t.run.folded_loss
    );
    if diverged(t) {
        text += &reasons_text(&[divergence(t)]);
    }
    text + &t.audits.text()
}

/// What the checker says of the certificate that was just written.
fn own_check(session: &Session, folder: &Path) -> Result<Check, Failure> {
    let path = folder.join("certificate.json");
    let bytes = std::fs::read(&path).map_err(|e| Failure::file(&path, &e))?;
    let verdict = verify(&bytes, &session.dataset, &start_beside(&path))?;
    let line = |confirmed: bool, text: String| CheckLine { confirmed, text };
    Ok(Check {
        checker: concat!("gradcert-certificate ", env!("CARGO_PKG_VERSION")).to_owned(),
        valid: verdict.is_ok(),
        lines: match verdict {
            Ok(report) => report
                .certificates
                .into_iter()
                .flat_map(|(problem, lines)| {
                    lines.into_iter().map(move |text| line(true, format!("{problem}: {text}")))
                })
                .collect(),
            Err(error) => vec![line(false, error.to_string())],
        },
    })
}

/// Predictions on the samples themselves, and on a bundled test set.
fn evaluations(session: &Session, trained: &[Trained], test: Option<&str>) -> Result<Vec<Evaluation>, Failure> {
    if session.classes().is_empty() {
        return Ok(vec![]);
    }
    let model = model_of(session, trained);
    let evaluate = |name: &str, dataset: &Dataset| {
        let outputs = crate::commands::predict::outputs(&model, dataset.inputs());
        let decisions: Vec<String> = outputs.iter().map(|row| model.decide(row)).collect();
        crate::report::evaluation(name, &decisions, dataset)
    };
    let mut evaluations = vec![evaluate("training", &session.dataset)];
    if let Some(name) = test {
        let missing = || Failure::input("unknown_bundled_set", format!("no bundled set {name}"));
        let dataset = gradcert_data::bundled(name).ok_or_else(missing)?.load()?;
        let dataset = if let Some(lift) = session.lift { lift.apply_to(dataset)? } else { dataset };
        evaluations.push(evaluate(name, &dataset));
    }
    Ok(evaluations)
}

fn accuracy_text(evaluations: &[Evaluation]) -> String {
    let line = |e: &Evaluation| {
        let (correct, all) = e.labels.iter().fold((0, 0), |(c, n), l| (c + l.correct, n + l.samples));
        format!("  {}: {correct} of {all} labels predicted\n", e.set)
    };
    evaluations.iter().map(line).collect()
}
