//! `gradcert flow`: gradient flow of a network or of a formula, beside what is proved about it.

use crate::args::{FlowArgs, NetArgs, StartArg, StartPoint};
use crate::commands::certify::{check_options, write};
use crate::failure::{Exit, Failure, reasons_text};
use crate::output::{Output, Seconds, progress_bar};
use crate::session::{Session, Task, coordinates, given_start, metric, options, set_threads};
use crate::starts::{self, Drawn};
use gradcert::certify::flow::{CertifiedFlow, FlowSearch};
use gradcert::certify::positive::PositiveSearch;
use gradcert::certify::{Outcome, Reason};
use gradcert::function::{Expression, Function};
use gradcert::model::Model;
use gradcert::network::Network;
use gradcert::theorem::centre::Metric;
use gradcert::theorem::criterion;
use gradcert::train::flow::{Comparison, Field, Flow, Promise, Settings, Stop, integrate};
use gradcert::train::network_flow;
use gradcert_report::number::{Rounding, rounded};
use gradcert_rigor::{Interval, Upper};
use serde_json::{Value, json};
use std::path::Path;

pub(crate) fn run(args: &FlowArgs) -> Result<(Exit, Output), Failure> {
    set_threads(args.net.threads);
    if let Some(folder) = args.out.as_deref().filter(|folder| folder.join("certificate.json").exists()) {
        let folder = folder.display();
        return Err(Failure::usage(format!(
            "{folder} holds a certificate, whose model and history would be overwritten: choose another --out"
        )));
    }
    let clock = Seconds::start();
    let (results, model, session) = match &args.function {
        Some(text) => (vec![formula(args, text)?], None, None),
        None => {
            let session = Session::open(&args.data)?;
            let (results, model) = networks(args, &session)?;
            (results, model, Some(session))
        }
    };
    if let Some(folder) = &args.out {
        save(folder, &results, model.as_ref())?;
    }
    let exit = results.iter().map(|r| r.exit()).max_by_key(|exit| *exit as u8).unwrap_or(Exit::Done);
    let mut text = session.as_ref().map(Session::lift_text).unwrap_or_default();
    results.iter().for_each(|result| text += &result.text());
    let worst = results.iter().max_by_key(|r| r.exit() as u8);
    let mut json = worst.map_or(json!({}), Integrated::json);
    json["problems"] = results.iter().map(Integrated::json).collect();
    json["lift"] = session.as_ref().map_or(Value::Null, Session::lift_json);
    json["seconds"] = json!(clock.seconds());
    Ok((exit, Output { text, json }))
}

/// One flow, with what is proved about it or why nothing is.
struct Integrated {
    name: String,
    theorem: Option<String>,
    promise: Option<Promise>,
    /// The loss is 0 at the start, which is proved: there is nothing to do.
    already_minimum: bool,
    reasons: Vec<Reason>,
    drawn: Option<Drawn>,
    /// `None` where nothing is certified and nothing else was asked for.
    flow: Option<Flow>,
}

fn settings(args: &FlowArgs, curvature: Option<f64>) -> Settings {
    Settings { tolerance: args.net.tol, time: args.time, max_steps: args.max_steps, curvature, ..Settings::default() }
}

/// The flows of the problems of a data set, and the networks they end at.
fn networks(args: &FlowArgs, session: &Session) -> Result<(Vec<Integrated>, Option<Model>), Failure> {
    if matches!(args.net.start, StartArg::Point(_)) {
        return Err(Failure::usage("a point is the start of a formula (--function), not of a network"));
    }
    let tasks = session.tasks(coordinates(&args.net))?;
    check_options(&args.net, &tasks)?;
    let (mut results, mut ends) = (vec![], vec![]);
    for (index, mut task) in tasks.into_iter().enumerate() {
        let certified = match session.obvious_decline() {
            Some(reason) => Err(vec![reason]),
            None => certify(&mut task, index, &args.net)?,
        };
        let (result, end) = integrate_network(args, &task, index, certified)?;
        results.push(result);
        ends.extend(end);
    }
    let meaning = session.meaning(results.iter().map(|r| r.name.clone()).collect());
    let complete = ends.len() == results.len();
    Ok((results, complete.then_some(Model { networks: ends, meaning })))
}

/// (T3) at the start the arguments ask for.
fn certify(task: &mut Task, index: usize, net: &NetArgs) -> Result<Result<CertifiedFlow, Vec<Reason>>, Failure> {
    if net.start == StartArg::Positive {
        let options = options(net);
        let outcome = match PositiveSearch::new(&task.problem, &options) {
            Ok(search) => search.certify(),
            Err(reasons) => Outcome::Declined(reasons),
        };
        let n = task.problem.total();
        return Ok(match outcome {
            Outcome::Certified(certified) => CertifiedFlow::of_descent(&certified, n).ok_or_else(Vec::new),
            Outcome::CertifiedOriginal(_) => return Err(Failure::usage("--method paper is about descent")),
            Outcome::Declined(reasons) => Err(reasons),
        });
    }
    let law = starts::law(net, task)?;
    let draws = if law.is_some() { net.retry.map_or(1, u64::from) } else { 1 };
    let mut reasons = vec![];
    for k in 0..draws {
        task.drawn = law.map(|_| Drawn { seed: net.seed().wrapping_add(index as u64).wrapping_add(k), draws: k + 1 });
        let start = given_start(task, index, net)?;
        let metric = metric(net, &start.widths());
        match FlowSearch::new(&task.problem, &metric).and_then(|search| search.certify(&start)) {
            Ok(flow) => return Ok(Ok(flow)),
            Err(reason) if reasons.is_empty() => reasons.push(reason),
            Err(_) => {}
        }
    }
    Ok(Err(reasons))
}

fn integrate_network(
    args: &FlowArgs,
    task: &Task,
    index: usize,
    certified: Result<CertifiedFlow, Vec<Reason>>,
) -> Result<(Integrated, Option<Network>), Failure> {
    let named = |theorem, promise, reasons, flow| Integrated {
        name: task.name.clone(),
        theorem,
        promise,
        already_minimum: false,
        reasons,
        drawn: task.drawn,
        flow,
    };
    let (start, metric, certified, reasons): (Network, Metric, _, _) = match certified {
        Ok(flow) => (flow.start.clone(), flow.metric.clone(), Some(flow), vec![]),
        Err(reasons) if args.allow_uncertified && args.net.start != StartArg::Positive => {
            let start = given_start(task, index, &args.net)?;
            let metric = metric(&args.net, &start.widths());
            (start, metric, None, reasons)
        }
        Err(reasons) => return Ok((named(None, None, reasons, None), None)),
    };
    let promise = certified.as_ref().map(CertifiedFlow::promise);
    // (2/n)|J|^2 is the curvature of S where the residual is small.
    let norm = certified.as_ref().and_then(|c| c.norm);
    let curvature = norm.map(|s| 2.0 / task.problem.total() * s.get().powi(2));
    let bar = progress_bar(args.max_steps, &task.name);
    let par = faer::get_global_parallelism();
    let settings = settings(args, curvature);
    let ended = network_flow::run(&task.problem, &start, &metric, &settings, promise, par, &mut |_, loss| {
        bar.inc(1);
        bar.set_message(format!("loss {loss:.2e}"));
        true
    });
    bar.finish_and_clear();
    let theorem = certified.map(|c| c.theorem.to_owned());
    Ok((named(theorem, promise, reasons, Some(ended.flow)), Some(ended.network)))
}

/// A formula as a field.
struct Formula<'a>(&'a Expression);

impl Field for Formula<'_> {
    fn dimension(&self) -> usize {
        self.0.variables().len()
    }

    fn gradient(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        Function::gradient(self.0, x, gradient)
    }

    /// The lower end of an enclosure of f on the box of the points that differ from x by what rounding in the stages of a step adds, some
    /// units in the last place; not below 0, since f >= 0 is what is promised.
    fn lowest(&self, x: &[f64], value: f64) -> f64 {
        let near = |&c: &f64| Interval::around(c, Upper::new(16.0 * f64::EPSILON * c.abs()));
        let region: Vec<Interval> = x.iter().map(near).collect();
        self.0.enclose(&region).map_or(value, |f| f.function().value().lo().clamp(0.0, value.max(0.0)))
    }
}

/// Where f has fallen to the tolerance, at most `2 sqrt(tolerance / alpha)` is left of the path: coordinates have to be a millionth of
/// that exact for f to be compared with its envelope. An error below 1e-24 radii would keep the integrator from starting,
/// so that f is followed no farther than to the tolerance that belongs to it.
fn settings_of_formula(args: &FlowArgs, promise: Option<Promise>) -> Settings {
    let settings = settings(args, None);
    let Some(p) = promise else { return settings };
    let needed = 2e-6 * (settings.tolerance.sqrt() / p.decay.sqrt());
    let absolute_error = needed.min(1e-14 * p.radius).max(1e-24 * p.radius);
    let least = 5e-19 * p.radius * p.decay.sqrt();
    Settings { tolerance: settings.tolerance.max(least * least), absolute_error, ..settings }
}

/// The flow of a formula, certified by (T1), (T1i).
fn formula(args: &FlowArgs, text: &str) -> Result<Integrated, Failure> {
    let StartArg::Point(StartPoint(point)) = &args.net.start else {
        return Err(Failure::usage("--function needs --start with a value for each variable, like x=1,y=0"));
    };
    let names: Vec<&str> = point.iter().map(|(name, _)| name.as_str()).collect();
    let start: Vec<f64> = point.iter().map(|(_, value)| *value).collect();
    let function = Expression::parse(text, &names)?;
    let options = criterion::Options { descent: false, ..criterion::Options::default() };
    let verdict = criterion::certify(&function, &start, &options)?;
    let certified = verdict.best_flow();
    let promise = certified.map(|flow| Promise { radius: flow.radius, decay: flow.alpha });
    let theorem = certified.map(|flow| if verdict.flow_paper == Some(flow) { "T1" } else { "T1i" }.to_owned());
    let wanted = verdict.is_certified() || args.allow_uncertified;
    let settings = settings_of_formula(args, promise);
    let flow = wanted.then(|| integrate(&Formula(&function), &start, &settings, promise, &mut |_, _| true));
    Ok(Integrated {
        name: function.text().to_owned(),
        theorem,
        promise,
        already_minimum: verdict.already_minimum,
        reasons: verdict.reasons,
        drawn: None,
        flow,
    })
}

impl Integrated {
    fn kept(&self) -> Option<bool> {
        self.flow.as_ref().and_then(|f| f.comparison).map(|c| c.is_kept())
    }

    fn is_certified(&self) -> bool {
        self.already_minimum || self.promise.is_some()
    }

    fn exit(&self) -> Exit {
        let Some(flow) = &self.flow else { return Exit::Declined };
        match flow.stop {
            Stop::WorkLimit => Exit::OverLimit,
            _ if self.kept() == Some(false) => Exit::Invalid,
            Stop::Tolerance | Stop::Time | Stop::Rounding | Stop::Interrupted => Exit::Done,
            // Without a certificate nothing else was promised.
            Stop::Stuck | Stop::Critical if !self.is_certified() => Exit::Declined,
            Stop::Stuck | Stop::Critical => Exit::Invalid,
        }
    }

    fn status(&self) -> &'static str {
        match (self.is_certified(), &self.flow) {
            (true, _) => "certified",
            (false, Some(_)) => "uncertified",
            (false, None) => "declined",
        }
    }

    fn json(&self) -> Value {
        let flow = self.flow.as_ref();
        let last = flow.and_then(|f| f.history.last());
        json!({
            "problem": self.name,
            "status": self.status(),
            "reasons": self.reasons,
            "theorem": self.theorem,
            "already_minimum": self.already_minimum,
            "radius": self.promise.map(|p| p.radius),
            "decay": self.promise.map(|p| p.decay),
            "seed": self.drawn.map(|d| d.seed),
            "draws": self.drawn.map(|d| d.draws),
            "stop": flow.map(|f| f.stop),
            "time": flow.map(|f| f.time),
            "final_loss": flow.map(|f| f.value),
            "end": flow.filter(|f| f.end.len() <= 10).map(|f| f.end.clone()),
            "distance": last.map(|r| r.distance),
            "path": last.map(|r| r.path),
            "steps": flow.map(|f| f.steps),
            "rejected": flow.map(|f| f.rejected),
            "largest_increase": flow.map(|f| f.largest_increase),
            "kept": self.kept(),
            "ratios": flow.and_then(|f| f.comparison),
            "slack": Comparison::SLACK,
        })
    }

    fn text(&self) -> String {
        let mut text = match (&self.theorem, self.promise) {
            (Some(theorem), Some(p)) => format!(
                "{}: gradient flow certified by {theorem}\n  it stays within {} of its start and converges to a point with loss 0,\n  \
                 loss(t) <= loss(0) exp(-{} t)\n",
                self.name,
                rounded(p.radius, 5, Rounding::Up),
                rounded(p.decay, 4, Rounding::Down)
            ),
            _ if self.already_minimum => {
                format!("{}: 0 at the start, which is already a minimum: there is nothing to descend\n", self.name)
            }
            _ if self.flow.is_none() => format!("{}: declined\n{}", self.name, reasons_text(&self.reasons)),
            _ => {
                format!("{}: UNCERTIFIED FLOW: nothing is proved about it\n{}", self.name, reasons_text(&self.reasons))
            }
        };
        let Some(flow) = &self.flow else { return text };
        let ended = match flow.stop {
            Stop::Tolerance => "reached the tolerance",
            Stop::Time => "ran to the time asked for",
            Stop::WorkLimit => "used up its steps (the problem is stiff: --whiten, a larger --tol or --max-steps)",
            Stop::Stuck => "got stuck: the flow leaves the domain of the function or blows up",
            Stop::Critical => "came to rest at a critical point",
            Stop::Rounding => "went on until the loss could not be told from 0 in doubles",
            Stop::Interrupted => "was interrupted",
        };
        let last = flow.history.last();
        text += &format!(
            "  integrated: {ended} at t = {} after {} steps; loss {:.3e}, distance {}, path {}\n",
            near(flow.time),
            flow.steps,
            flow.value,
            near(last.map_or(0.0, |r| r.distance)),
            near(last.map_or(0.0, |r| r.path))
        );
        if let Some(c) = flow.comparison {
            text += &format!(
                "  {}: at most {:.4} of the certified loss, {:.4} of the radius, {:.4} of the certified path to come\n",
                if c.is_kept() { "it keeps what is certified" } else { "IT BREAKS WHAT IS CERTIFIED, this is a bug" },
                c.value,
                c.distance,
                c.remaining_path
            );
        }
        text
    }
}

fn near(x: f64) -> String {
    rounded(x, 6, Rounding::Nearest)
}

fn save(folder: &Path, results: &[Integrated], model: Option<&Model>) -> Result<(), Failure> {
    std::fs::create_dir_all(folder).map_err(|e| Failure::file(folder, &e))?;
    let number = |x: Option<f64>| x.map(|x| format!("{x:e}")).unwrap_or_default();
    let mut text = String::from("problem,time,loss,envelope,distance,path,remaining_bound\n");
    for (p, flow) in results.iter().enumerate().filter_map(|(p, r)| Some((p, r.flow.as_ref()?))) {
        for r in &flow.history {
            text += &format!(
                "{p},{:e},{:e},{},{:e},{:e},{}\n",
                r.time,
                r.value,
                number(r.envelope),
                r.distance,
                r.path,
                number(r.remaining_bound)
            );
        }
    }
    write(&folder.join("history.csv"), text.as_bytes())?;
    let summary: Vec<Value> = results.iter().map(Integrated::json).collect();
    let text = serde_json::to_string_pretty(&summary).map_err(|e| Failure::file(folder, &e))?;
    write(&folder.join("flow.json"), text.as_bytes())?;
    let path = folder.join("model.safetensors");
    let Some(model) = model else {
        // The end of an earlier flow is not that of this one.
        return match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::file(&path, &error)),
            _ => Ok(()),
        };
    };
    Ok(model.save(&path)?)
}
