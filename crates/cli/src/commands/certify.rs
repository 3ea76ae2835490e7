//! `gradcert certify`.

use crate::args::{CertifyArgs, Method, NetArgs, StartArg};
use crate::failure::{Exit, Failure, reasons_text};
use crate::output::{Output, Seconds};
use crate::session::{Session, Task, certify, coordinates, options, set_threads, within_memory};
use crate::starts::Drawn;
use gradcert::certify::positive::PositiveSearch;
use gradcert::certify::record;
use gradcert::certify::{HiddenScale, Outcome, Reason, Scale};
use gradcert::model::Model;
use gradcert_certificate::format::{Certificate, Data, FORMAT, File, VERSION};
use gradcert_certificate::hash;
use gradcert_report::number::{Rounding, rounded};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};

pub(crate) fn run(args: &CertifyArgs) -> Result<(Exit, Output), Failure> {
    set_threads(args.net.threads);
    let session = Session::open(&args.data)?;
    let clock = Seconds::start();
    if args.scan {
        if args.out.is_some() {
            return Err(Failure::usage("--scan writes no certificate: leave out --out"));
        }
        return scan(&session, &args.net, &clock);
    }
    let results = certify_all(&session, &args.net)?;
    let seconds = clock.seconds();
    if let Some(path) = &args.out
        && exit(&results) == Exit::Done
    {
        save(&session, &args.net, &results, path)?;
    }
    let mut json = summary(&args.net, &results, seconds);
    json["lift"] = session.lift_json();
    let lines: String = results.iter().map(|(task, outcome)| describe(task, outcome)).collect();
    Ok((exit(&results), Output { text: session.lift_text() + &lines, json }))
}

/// Every problem of a session with its outcome.
pub(crate) fn certify_all(session: &Session, net: &NetArgs) -> Result<Vec<(Task, Outcome)>, Failure> {
    let tasks = session.tasks(coordinates(net))?;
    check_options(net, &tasks)?;
    let obvious = session.obvious_decline();
    tasks
        .into_iter()
        .enumerate()
        .map(|(index, mut task)| {
            let outcome = match &obvious {
                Some(reason) => Outcome::Declined(vec![reason.clone()]),
                None => certify(&mut task, index, net)?,
            };
            Ok((task, outcome))
        })
        .collect()
}

/// Options that contradict each other, and networks that do not fit into memory.
pub(crate) fn check_options(net: &NetArgs, tasks: &[Task]) -> Result<(), Failure> {
    if net.start != StartArg::Positive {
        if net.method == Method::Paper {
            return Err(Failure::usage("--method paper is about --start positive"));
        }
        let scaled = net.scale != Scale::Auto && net.start != StartArg::Conditional;
        if scaled || net.hidden_scale != HiddenScale::Auto {
            return Err(Failure::usage("--scale and --hidden-scale are about --start positive"));
        }
    }
    if net.start == StartArg::Positive && net.hidden_scale != HiddenScale::Auto && net.hidden_widths().len() < 2 {
        return Err(Failure::usage("--hidden-scale is about W_2, ..., W_(L-1): it needs --depth 3 or more"));
    }
    if net.entry_box.is_some() && (net.start != StartArg::Conditional || net.scale != Scale::Auto) {
        return Err(Failure::usage("--box is about --start conditional, instead of --scale"));
    }
    if matches!(net.start, StartArg::Positive | StartArg::File(_)) {
        let unused = [
            (net.retry.is_some(), "--retry draws again: it needs a drawn --start, like lecun"),
            (net.seed.is_some(), "--seed draws a start: it needs a drawn --start, like lecun"),
        ];
        if let Some((_, message)) = unused.into_iter().find(|(given, _)| *given) {
            return Err(Failure::usage(message));
        }
    }
    if matches!(net.start, StartArg::File(_)) {
        // The file decides; its network is looked at when it is read.
        return Ok(());
    }
    tasks.iter().try_for_each(|task| within_memory(&net.hidden_widths(), task))
}

pub(crate) fn exit(results: &[(Task, Outcome)]) -> Exit {
    let certified = results.iter().all(|(_, o)| !matches!(o, Outcome::Declined(_)));
    if certified { Exit::Done } else { Exit::Declined }
}

/// The keys every `--json` of a certificate has, for one problem.
pub(crate) fn outcome_json(net: &NetArgs, task: &Task, outcome: &Outcome) -> Value {
    let method = match net.method {
        Method::Sharp => "sharp",
        Method::Paper => "paper",
    };
    let reasons = match outcome {
        Outcome::Declined(reasons) => reasons.as_slice(),
        _ => &[],
    };
    let facts = outcome.facts(task.problem.total());
    let facts = facts.as_ref();
    let positive = outcome.positive_start();
    let architecture = outcome.architecture();
    let movement = match outcome {
        Outcome::Certified(c) => Some(c.kernel_movement().get()),
        _ => None,
    };
    json!({
        "problem": task.name,
        "status": if facts.is_some() { "certified" } else { "declined" },
        "reasons": reasons,
        "step_size": facts.map(|f| f.step_size),
        "radius": facts.map(|f| f.radius),
        "certified_iterations": facts.map(|f| f.iterations),
        "rate": facts.map(|f| f.rate),
        "smin_lower": facts.map(|f| f.smin_lower),
        "scale": positive.map(|p| p.output),
        "hidden_scale": positive.and_then(|p| p.hidden.first()),
        // The metric of ntk has factors of its own.
        "layer_steps": outcome.start().filter(|_| net.start != StartArg::Ntk).and_then(|(_, metric)| metric.weights.last().copied()),
        "method": method,
        "theorem": facts.map(|f| f.theorem.clone()),
        "tolerance": net.tol,
        "seed": task.drawn.map(|d| d.seed),
        "draws": task.drawn.map(|d| d.draws),
        "kernel_movement_upper": movement,
        "widths": architecture.as_ref().map(|(widths, _)| widths),
        "activation": architecture.as_ref().map(|(_, activation)| activation.to_string()),
    })
}

/// One object: for one problem its keys, for several those of the slowest (or of the first declined), and all of them
/// under `problems`.
pub(crate) fn summary(net: &NetArgs, results: &[(Task, Outcome)], seconds: f64) -> Value {
    let count = |(task, o): &&(Task, Outcome)| o.facts(task.problem.total()).map_or(u64::MAX, |f| f.iterations);
    let worst = results.iter().max_by_key(count);
    let mut json = worst.map_or(json!({}), |(task, o)| outcome_json(net, task, o));
    json["problems"] = results.iter().map(|(task, outcome)| outcome_json(net, task, outcome)).collect();
    json["seconds"] = json!(seconds);
    json
}

fn chain(widths: &[usize]) -> String {
    widths.iter().map(usize::to_string).collect::<Vec<_>>().join("-")
}

/// A few lines for people.
pub(crate) fn describe(task: &Task, outcome: &Outcome) -> String {
    let name = &task.name;
    if let Outcome::Declined(reasons) = outcome {
        return format!("{name}: declined\n{}", reasons_text(reasons));
    }
    let Some(facts) = outcome.facts(task.problem.total()) else { return String::new() };
    let start = match outcome.positive_start() {
        Some(p) => match p.hidden.first() {
            Some(a) => format!("positive start, A = {:.4}, hidden entries {a:.4}", p.output),
            None => format!("positive start, A = {:.4}", p.output),
        },
        None => match task.drawn {
            Some(Drawn { seed, draws: 1 }) => format!("start drawn with seed {seed}"),
            Some(Drawn { seed, draws }) => {
                format!("start drawn with seed {seed}, the first certified of {draws} draws")
            }
            None => "given start".to_owned(),
        },
    };
    let network = outcome
        .architecture()
        .map(|(widths, activation)| format!(" of a {} network with {activation}", chain(&widths)));
    let start = start + &network.filter(|_| outcome.positive_start().is_none()).unwrap_or_default();
    let mut text = format!(
        "{name}: certified by {}\n  gradient descent with step {:.4e} from the {start},\n  reaches the tolerance within {} \
         iterations and stays within {} of its start\n  every iteration multiplies the loss by at most 1 - {}\n",
        facts.theorem,
        facts.step_size,
        facts.iterations,
        rounded(facts.radius, 5, Rounding::Up),
        rounded(facts.rate, 4, Rounding::Down)
    );
    if let Outcome::Certified(c) = outcome {
        text += &format!("  the tangent kernel moves by at most {:.2} %\n", 100.0 * c.kernel_movement().get());
    }
    text
}

/// The certificate file of all problems.
pub(crate) fn file(session: &Session, net: &NetArgs, results: &[(Task, Outcome)]) -> Result<File, Failure> {
    let mut certificates = vec![];
    for (task, outcome) in results {
        let record = record::certificate(outcome, &task.name, &task.targets, coordinates(net), net.tol);
        certificates.extend(record.map_err(|e| Failure::limit(e.to_string()))?);
    }
    Ok(file_of(session, certificates))
}

/// Certificates with what they speak about.
pub(crate) fn file_of(session: &Session, certificates: Vec<Certificate>) -> File {
    let (samples, features) = session.dataset.shape();
    File {
        format: FORMAT.to_owned(),
        version: VERSION,
        producer: concat!("gradcert ", env!("CARGO_PKG_VERSION")).to_owned(),
        data: Data {
            samples,
            features,
            inputs_sha256: hash::inputs(session.dataset.inputs().as_slice(), samples, features),
            merge_duplicates: session.merged.is_some(),
        },
        certificates,
    }
}

/// Writes the certificate, and given starts beside it.
pub(crate) fn save(session: &Session, net: &NetArgs, results: &[(Task, Outcome)], path: &Path) -> Result<(), Failure> {
    write_file(&file(session, net, results)?, path)?;
    if net.start != StartArg::Positive {
        let networks = results.iter().filter_map(|(_, o)| o.start().map(|(network, _)| network));
        let meaning = session.meaning(results.iter().map(|(t, _)| t.name.clone()).collect());
        Model { networks: networks.collect(), meaning }.save(&start_beside(path))?;
    }
    Ok(())
}

/// Where the start of a certificate lies if it is not said.
pub(crate) fn start_beside(certificate: &Path) -> PathBuf {
    certificate.with_extension("start.safetensors")
}

/// Writes a certificate file.
pub(crate) fn write_file(file: &File, path: &Path) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(file).map_err(|e| Failure::file(path, &e))?;
    write(path, text.as_bytes())
}

/// Writes through a temporary file, so that no half-written file is ever found.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write_parts(path, std::iter::once(bytes.to_vec()))
}

/// The same, of a file that need not fit into memory beside what it is made of.
pub(crate) fn write_parts(path: &Path, parts: impl Iterator<Item = Vec<u8>>) -> Result<(), Failure> {
    // A name that is nobody else's: `results.tmp` beside `results.json` may be a file of the user.
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let write_all = |mut file: std::fs::File| {
        for part in parts {
            file.write_all(&part)?;
        }
        std::fs::rename(&temporary, path)
    };
    let written = std::fs::File::create(&temporary).and_then(write_all);
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written.map_err(|e| Failure::file(path, &e))
}

fn scan(session: &Session, net: &NetArgs, clock: &Seconds) -> Result<(Exit, Output), Failure> {
    if net.start != StartArg::Positive {
        return Err(Failure::usage("--scan varies the output scale of the positive start"));
    }
    if net.method == Method::Paper || net.scale != Scale::Auto {
        return Err(Failure::usage("--scan varies --scale, with --method sharp"));
    }
    let scales: Vec<f64> = (0..=16).map(|k| 10f64.powf(0.25 * f64::from(k))).collect();
    let mut text = session.lift_text();
    let mut problems = vec![];
    let declined = |reasons: &[Reason]| Output {
        text: reasons_text(reasons),
        json: json!({"status": "declined", "reasons": reasons, "seconds": clock.seconds()}),
    };
    if let Some(reason) = session.obvious_decline() {
        return Ok((Exit::Declined, declined(&[reason])));
    }
    let tasks = session.tasks(coordinates(net))?;
    check_options(net, &tasks)?;
    for task in tasks {
        let options = options(net);
        text += &format!("{}\n{:>12} {:>14} {:>12} {:>18}\n", task.name, "A", "iterations", "rate", "kernel moves <=");
        let search = match PositiveSearch::new(&task.problem, &options) {
            Ok(search) => search,
            Err(reasons) => return Ok((Exit::Declined, declined(&reasons))),
        };
        let rows: Vec<Value> = search
            .scan(&scales)
            .into_iter()
            .map(|(scale, certified)| match certified {
                None => {
                    text += &format!("{scale:>12.2} {:>14}\n", "declined");
                    json!({"scale": scale, "certified_iterations": null, "rate": null, "kernel_movement_upper": null})
                }
                Some(c) => {
                    let movement = 100.0 * c.kernel_movement().get();
                    let (count, rate) = (c.found.iterations, c.rate().get());
                    text += &format!("{scale:>12.2} {count:>14} {:>12} {movement:>16.2} %\n", rounded(rate, 4, Rounding::Down));
                    json!({"scale": scale, "certified_iterations": count, "rate": rate, "kernel_movement_upper": movement / 100.0})
                }
            })
            .collect();
        problems.push(json!({"problem": task.name, "scan": rows}));
    }
    let json = json!({"status": "done", "problems": problems, "lift": session.lift_json(), "seconds": clock.seconds()});
    Ok((Exit::Done, Output { text, json }))
}
