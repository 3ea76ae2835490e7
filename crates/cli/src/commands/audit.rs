//! `gradcert audit`: what is proved about a network that is already trained.

use crate::args::{AuditArgs, CodingArg, DataArgs, StoreArg};
use crate::commands::certify::{file_of, start_beside, write, write_file};
use crate::commands::inspect_model;
use crate::failure::{Exit, Failure, reasons_text};
use crate::output::{Output, Seconds, progress_bar, say};
use crate::session::{MEMORY_LIMIT, Session, joint_problems, require_memory, set_threads};
use faer::Mat;
use gradcert::certify::Reason;
use gradcert::certify::audit::{
    AuditOutcome, Audited, Curvature, Stage, audit_watched, bytes, certificate, operations,
};
use gradcert::certify::problem::{Coordinates, Problem};
use gradcert::model::{Model, ReadModel, to_state_dict};
use gradcert::network::Network;
use gradcert::theorem::centre::Metric;
use gradcert::train::polish::{PolishError, PolishOptions, Samples, round_to_f32};
use gradcert_data::{Coding, Dataset, Targets};
use gradcert_report::number::{Rounding, rounded};
use serde_json::{Value, json};
use std::ops::ControlFlow;
use std::path::Path;

/// One network with the problem it was trained on.
struct Case {
    name: String,
    /// All targets, duplicates included, sample by sample.
    targets: Vec<f64>,
    problem: Problem,
    network: Network,
    metric: Metric,
    /// What polishing did, where it was asked for.
    polish: Option<Value>,
}

pub(crate) fn run(args: &AuditArgs) -> Result<(Exit, Output), Failure> {
    set_threads(args.threads);
    let read = inspect_model::read(&args.model, args.activation.as_deref())?;
    let session = Session::open(&lifted_as(&args.data, &read.model)?)?;
    let clock = Seconds::start();
    let cases = cases(&session, &read, args.coding)?;
    if args.state_dict.is_some() {
        state_dict_can_hold(&read)?;
    }
    cases.iter().try_for_each(|case| within_memory(&case.problem, &case.network))?;
    cases.iter().for_each(|case| announce(&case.name, &case.network, &case.problem, args.polish));
    let mut results: Vec<(Case, AuditOutcome)> = vec![];
    for mut case in cases {
        let outcome = match session.obvious_decline() {
            Some(reason) => AuditOutcome::Declined(vec![reason]),
            None => match if args.polish { polish(&mut case, args.store)? } else { None } {
                Some(reason) => AuditOutcome::Declined(vec![reason]),
                None => watched(&case.problem, &case.network, &case.metric, args.tol),
            },
        };
        results.push((case, outcome));
    }
    let certified = results.iter().all(|(_, o)| matches!(o, AuditOutcome::Certified(_)));
    let exit = if certified { Exit::Done } else { Exit::Declined };
    let seconds = clock.seconds();
    if let Some(path) = &args.out
        && certified
    {
        save(&session, &results, args.tol, path)?;
    }
    // What could not be polished is not written as if it were.
    if results.iter().all(|(case, _)| case.polish.is_some()) {
        if let Some(path) = &args.polished {
            model(&session, &results).save(path)?;
        }
        if let Some(path) = &args.state_dict {
            let single = args.store == StoreArg::Float32;
            results.iter().try_for_each(|(case, _)| save_state_dict(&case.network, &read, single, path))?;
        }
    }
    let problems: Vec<Value> = results.iter().map(|(case, outcome)| outcome_json(args, case, outcome)).collect();
    let worst = results.iter().zip(&problems).max_by(|a, b| distance(&a.0.1).total_cmp(&distance(&b.0.1)));
    let mut json = worst.map_or(json!({}), |(_, json)| json.clone());
    json["problems"] = json!(problems);
    json["lift"] = session.lift_json();
    json["number_formats"] = json!(read.number_formats);
    json["notes"] = json!(read.notes);
    json["seconds"] = json!(seconds);
    let lines: String = results.iter().map(|(case, outcome)| describe(case, outcome)).collect();
    Ok((exit, Output { text: session.lift_text() + &lines, json }))
}

/// The data as the networks read them: a model knows its lift.
fn lifted_as(data: &DataArgs, model: &Model) -> Result<DataArgs, Failure> {
    let Some(own) = crate::lift::of_model(model)? else { return Ok(data.clone()) };
    if data.lift.is_some() {
        return Err(Failure::usage(format!("the model has its own lift, {own}: leave out --lift")));
    }
    Ok(DataArgs { lift: Some(own.into()), ..data.clone() })
}

fn distance(outcome: &AuditOutcome) -> f64 {
    if let AuditOutcome::Certified(a) = outcome { a.distance } else { f64::INFINITY }
}

/// Networks and problems that belong together: one network per problem, or one network with one output per class.
fn cases(session: &Session, read: &ReadModel, coding: CodingArg) -> Result<Vec<Case>, Failure> {
    let networks = &read.model.networks;
    let features = session.dataset.shape().1;
    let inputs = networks[0].widths()[0];
    if inputs != features {
        return Err(Failure::input(
            "shape",
            format!("the samples have {features} features, the model reads {inputs}: leave columns out with --ignore"),
        ));
    }
    if networks[0].layers() < 2 {
        return Err(Failure::input("shape", "the model has one layer: an audit is about networks with hidden layers"));
    }
    let all = crate::session::problems(&session.dataset);
    let distinct: Vec<Vec<f64>> = session.distinct().problems().into_iter().map(|p| p.y).collect();
    let outputs = networks[0].outputs();
    if networks.len() == all.len() && networks.iter().all(|n| n.outputs() == 1) {
        let parts = all.into_iter().zip(distinct).zip(networks);
        return Ok(parts
            .map(|(((name, targets), part), network)| case(session, read, name, targets, part, network))
            .collect());
    }
    let joint: Vec<(Coding, String, Vec<f64>)> = joint_problems(&session.dataset);
    let classes = session.classes().len();
    if networks.len() != 1 || joint.is_empty() || outputs != classes {
        return Err(Failure::input("shape", mismatch(networks, session.dataset.targets())));
    }
    let wanted = |c: &Coding| match coding {
        CodingArg::Auto => true,
        CodingArg::PlusMinusOne => *c == Coding::PlusMinusOne,
        CodingArg::OneHot => *c == Coding::OneHot,
    };
    let values = float_outputs(&networks[0], &session.dataset);
    let misfit = |targets: &[f64]| values.iter().zip(targets).map(|(f, y)| (f - y).powi(2)).sum::<f64>();
    let best = joint
        .into_iter()
        .filter(|(c, ..)| wanted(c))
        .min_by(|a, b| misfit(&a.2).total_cmp(&misfit(&b.2)))
        .ok_or_else(|| Failure::input("shape", mismatch(networks, session.dataset.targets())))?;
    let part = session.distinct().targets().joint(best.0).map_or(vec![], |(_, y)| y);
    Ok(vec![case(session, read, best.1, best.2, part, &networks[0])])
}

fn mismatch(networks: &[Network], targets: &Targets) -> String {
    let outputs: usize = networks.iter().map(Network::outputs).sum();
    let data = match targets {
        Targets::Numeric(_) => "one number per sample (--labels makes them classes)".to_owned(),
        Targets::Labels { classes, .. } => format!("{} classes", classes.len()),
    };
    format!(
        "the model has {outputs} outputs in {} networks, the data have {data}: numbers and two classes need one output, k > 2 \
         classes one network with k outputs or k networks with one",
        networks.len()
    )
}

fn case(
    session: &Session,
    read: &ReadModel,
    name: String,
    targets: Vec<f64>,
    distinct: Vec<f64>,
    network: &Network,
) -> Case {
    let matrix = session.distinct().inputs();
    let (n, d) = matrix.shape();
    let multiplicity = session.merged.as_ref().map_or_else(|| vec![1; n], |m| m.multiplicity.clone());
    let problem = Problem::new(matrix.as_slice(), n, d, distinct, Coordinates::Raw).with_multiplicity(multiplicity);
    let mut metric = Metric::plain(network.layers());
    // What the file does not have cannot move.
    read.without_bias.iter().for_each(|&l| metric.biases[l] = 0.0);
    Case { name, targets, problem, network: network.clone(), metric, polish: None }
}

/// An error if the kernel and what is made of it do not fit into memory.
pub(crate) fn within_memory(problem: &Problem, network: &Network) -> Result<(), Failure> {
    let samples = problem.rows.nrows();
    require_memory(bytes(network, samples), || format!("{} samples times outputs need", samples * network.outputs()))
}

/// Audits, with a bar over the stages; long audits are announced with an estimate of their time.
pub(crate) fn watched(problem: &Problem, network: &Network, metric: &Metric, tolerance: f64) -> AuditOutcome {
    let bar = progress_bar(Stage::COUNT, "audit");
    let outcome = audit_watched(problem, network, metric, tolerance, &mut |stage| {
        bar.set_position(stage.number() - 1);
        bar.set_message(stage.name());
    });
    bar.finish_and_clear();
    outcome
}

/// Says how long it will take, if that is more than half a minute.
pub(crate) fn announce(name: &str, network: &Network, problem: &Problem, polish: bool) {
    let samples = problem.rows.nrows();
    let audit = operations(network, samples);
    // A step of polishing is a kernel and a factorisation; a dozen are usual.
    let all = if polish { 1.5 * audit } else { audit };
    // No machine needs long for that, and trying out how fast this one is would cost more.
    if all < 1e11 {
        return;
    }
    let seconds = all / product_rate();
    if seconds > 30.0 {
        say(&format!(
            "{name}: the audit takes about {:.0} minutes and at most {:.1} GB on this machine",
            (seconds / 60.0).max(1.0),
            bytes(network, samples) / 1e9
        ));
    }
}

/// Floating-point operations per second of a matrix product, tried out.
fn product_rate() -> f64 {
    let size = 768;
    let a = Mat::from_fn(size, size, |i, j| ((i * j) % 7) as f64);
    let clock = Seconds::start();
    std::hint::black_box(&a * &a);
    2.0 * (size as f64).powi(3) / clock.seconds().max(1e-6)
}

/// Polishes and rounds a network; a reason to decline if that is impossible.
fn polish(case: &mut Case, store: StoreArg) -> Result<Option<Reason>, Failure> {
    let options = PolishOptions {
        memory: MEMORY_LIMIT,
        ..PolishOptions::new(case.metric.clone(), faer::get_global_parallelism())
    };
    let samples = Samples {
        rows: case.problem.rows.middle(),
        targets: &case.problem.targets,
        multiplicity: &case.problem.multiplicity,
    };
    let bar = progress_bar(options.max_steps as u64, "polish");
    let result = gradcert::train::polish::polish(&case.network, &samples, &options, &mut |step| {
        bar.set_position(step.step as u64);
        bar.set_message(format!("|rho| = {:.2e}", step.residual));
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    let polished = match result {
        Ok(polished) => polished,
        Err(error @ PolishError::Memory { .. }) => return Err(Failure::limit(error.to_string())),
        Err(error) => return Ok(Some(Reason { code: error.code(), message: error.to_string() })),
    };
    case.polish = Some(json!({
        "steps": polished.steps.len(),
        "residual_before": polished.residual_before,
        "residual_after": polished.residual_after,
        "parameter_change": polished.change,
        "prediction_change": polished.prediction_change,
        "store": if store == StoreArg::Float32 { "float32" } else { "float64" },
    }));
    case.network = if store == StoreArg::Float32 { round_to_f32(&polished.network) } else { polished.network };
    Ok(None)
}

/// Outputs of all samples, sample by sample.
fn float_outputs(network: &Network, dataset: &Dataset) -> Vec<f64> {
    let (n, d) = dataset.shape();
    let rows = Mat::from_fn(n, d, |i, j| dataset.inputs().row(i)[j]);
    let outputs = network.evaluate(rows.as_ref(), faer::get_global_parallelism());
    (0..n).flat_map(|i| outputs.col_as_slice(i).to_vec()).collect()
}

fn outcome_json(args: &AuditArgs, case: &Case, outcome: &AuditOutcome) -> Value {
    let (certified, reasons): (Option<&Audited>, &[Reason]) = match outcome {
        AuditOutcome::Certified(a) => (Some(a), &[]),
        AuditOutcome::Declined(reasons) => (None, reasons),
    };
    let found = certified.and_then(|a| a.convergence.as_ref());
    let orders = certified.and_then(|a| match &a.curvature {
        Curvature::Taylor(_, orders) => Some(orders.values().iter().map(|n| n.get()).collect::<Vec<f64>>()),
        Curvature::Drift { .. } => None,
    });
    let reaches = certified
        .map(|a| a.reaches.iter().map(|r| json!({"route": r.route, "residual": r.residual})).collect::<Vec<Value>>());
    json!({
        "problem": case.name,
        "status": if certified.is_some() { "certified" } else { "declined" },
        "reasons": reasons,
        "distance": certified.map(|a| a.distance),
        "residual_upper": certified.map(|a| a.residual.get()),
        "correction_upper": certified.map(|a| a.correction.get()),
        "smin_lower": certified.map(|a| a.smin_start.get()),
        "smax_upper": certified.map(|a| a.smax_start.get()),
        "theorem": certified.map(Audited::existence_theorem),
        "curvature_orders": orders,
        "certifiable_residual": reaches,
        "convergence": found.is_some(),
        "polish": case.polish,
        "step_size": found.map(|(_, f)| f.descent.step_size),
        "radius": found.map(|(profile, f)| profile.radius[f.descent.index]),
        "certified_iterations": found.map(|(_, f)| f.iterations),
        "rate": certified.and_then(|a| a.rate()).map(|r| r.get()),
        "tolerance": args.tol,
        "widths": case.network.widths(),
        "activation": case.network.activation.to_string(),
        "parameters": certified.map(|a| a.parameters),
        "samples": case.problem.rows.nrows(),
    })
}

fn describe(case: &Case, outcome: &AuditOutcome) -> String {
    let name = &case.name;
    let a = match outcome {
        AuditOutcome::Certified(a) => a,
        AuditOutcome::Declined(reasons) => return format!("{name}: declined\n{}", reasons_text(reasons)),
    };
    let widths: Vec<String> = case.network.widths().iter().map(usize::to_string).collect();
    let up = |x: f64| rounded(x, 4, Rounding::Up);
    let polish = case.polish.as_ref().map_or(String::new(), |p| {
        format!(
            "{name}: polished in {} steps, |rho| {:.3e} -> {:.3e}, parameters moved by {:.3e}, predictions by at most {:.3e}, kept in \
             {}\n",
            p["steps"],
            p["residual_before"].as_f64().unwrap_or(0.0),
            p["residual_after"].as_f64().unwrap_or(0.0),
            p["parameter_change"].as_f64().unwrap_or(0.0),
            p["prediction_change"].as_f64().unwrap_or(0.0),
            p["store"].as_str().unwrap_or_default(),
        )
    });
    let mut text = polish
        + &format!(
            "{name}: certified by {}\n  next to this {} network with {} there is one that interpolates all {} samples exactly,\n  \
         its parameters at most {} away (residual |rho| <= {}, Gauss-Newton step <= {})\n",
            a.existence_theorem(),
            widths.join("-"),
            case.network.activation,
            case.problem.rows.nrows(),
            up(a.distance),
            up(a.residual.get()),
            up(a.correction.get()),
        );
    match &a.convergence {
        Some((_, found)) => {
            let rate = a.rate().map_or(0.0, |r| r.get());
            text += &format!(
                "  gradient descent from here with step {:.4e} converges linearly to such a network; S <= tolerance within {} \
                 iterations,\n  each multiplies the loss by at most 1 - {}\n",
                found.descent.step_size,
                found.iterations,
                rounded(rate, 4, Rounding::Down)
            );
        }
        None => text += "  that gradient descent converges to it is not certified\n",
    }
    for reach in &a.reaches {
        text +=
            &format!("  within reach of {}: |rho| up to {}\n", reach.route, rounded(reach.residual, 3, Rounding::Down));
    }
    text
}

/// Writes the certificate, and the audited parameters beside it.
fn save(session: &Session, results: &[(Case, AuditOutcome)], tolerance: f64, path: &Path) -> Result<(), Failure> {
    let mut certificates = vec![];
    for (case, outcome) in results {
        let AuditOutcome::Certified(audited) = outcome else { continue };
        let inputs = case.problem.input_bounds_in(&case.metric);
        let record = certificate(audited, &case.name, &case.targets, &case.network, &case.metric, &inputs, tolerance);
        certificates.push(record.map_err(|e| Failure::limit(e.to_string()))?);
    }
    write_file(&file_of(session, certificates), path)?;
    model(session, results).save(&start_beside(path))?;
    Ok(())
}

/// An error unless the model is one network that reads raw samples.
fn state_dict_can_hold(read: &ReadModel) -> Result<(), Failure> {
    if read.model.networks.len() != 1 {
        return Err(Failure::usage("a state dict holds one network, this model has several: use --polished"));
    }
    if read.model.meaning.lift.is_some() {
        return Err(Failure::usage("a state dict cannot hold the lift of this model: use --polished"));
    }
    Ok(())
}

/// Writes the polished network in the form in which other programs read it.
fn save_state_dict(network: &Network, read: &ReadModel, single: bool, path: &Path) -> Result<(), Failure> {
    let own = || (0..network.layers()).map(|l| l.to_string()).collect();
    let names = if read.layers.is_empty() { own() } else { read.layers.clone() };
    write(path, &to_state_dict(network, &names, &read.without_bias, single)?)
}

/// The audited networks as a model.
fn model(session: &Session, results: &[(Case, AuditOutcome)]) -> Model {
    let networks: Vec<Network> = results.iter().map(|(case, _)| case.network.clone()).collect();
    let problems = match networks.as_slice() {
        [one] if one.outputs() > 1 => session.classes(),
        _ => results.iter().map(|(case, _)| case.name.clone()).collect(),
    };
    Model { networks, meaning: session.meaning(problems) }
}
