//! `gradcert width`: is a two-layer ReLU network of some width certified for these data (T14), and which is the smallest that is?

use crate::args::WidthArgs;
use crate::commands::certify::{file_of, write, write_file};
use crate::failure::{Exit, Failure, reasons_text};
use crate::output::{Output, Seconds, progress_bar, say};
use crate::session::{Session, problems, require_memory, set_threads};
use faer::Mat;
use gradcert::certify::Reason;
use gradcert::relu::record::certificate;
use gradcert::relu::start::Start;
use gradcert::relu::width::{Certified, Options, Problem, Search, certify, smallest};
use gradcert_report::number::{Rounding, count, rounded};
use serde_json::{Value, json};
use std::path::Path;

/// What `--out` writes.
const START: &str = "start.safetensors";
const CERTIFICATE: &str = "certificate.json";

/// Memory from which on it is said how much is needed.
const NOTEWORTHY: f64 = 1e9;

/// One draw and what came out of it.
struct Draw {
    seed: u64,
    outcome: Result<Certified, Vec<Reason>>,
}

impl Draw {
    /// Smaller is better: the width of a search, the iterations at a given width.
    fn rank(&self, search: bool) -> u64 {
        let of = |c: &Certified| if search { c.width as u64 } else { c.descent.iterations };
        self.outcome.as_ref().map_or(u64::MAX, of)
    }

    fn json(&self) -> Value {
        let found = self.outcome.as_ref().ok();
        json!({
            "seed": self.seed,
            "certified_width": found.map(|c| c.width),
            "certified_iterations": found.map(|c| c.descent.iterations),
            "step_size": found.map(|c| c.step_size),
        })
    }
}

pub(crate) fn run(args: &WidthArgs) -> Result<(Exit, Output), Failure> {
    if args.data.merge_duplicates {
        return Err(Failure::usage("a width is about the samples as they are: leave out --merge-duplicates"));
    }
    set_threads(args.threads);
    let session = Session::open(&args.data)?;
    let clock = Seconds::start();
    let (name, problem) = problem(&session)?;
    announce_memory(args, &session)?;
    let options = Options { tolerance: args.tol, step_size: args.step.0 };
    let mut draws = all_draws(args, &problem, &options);
    draws.sort_by_key(|draw| draw.rank(args.search));
    // The upper median.
    let median = &draws[draws.len() / 2];
    let mut json = summary(args, &session, &draws, &name);
    let text = session.lift_text() + &text(args, &draws, median, &name);
    let exit = match &median.outcome {
        Ok(certified) => {
            json["files"] = match &args.out {
                Some(out) => save(out, &session, (&name, &problem), args, median.seed, certified)?,
                None => json!([]),
            };
            Exit::Done
        }
        Err(reasons) => {
            json["reasons"] = json!(reasons);
            if let Some(out) = &args.out {
                discard(out)?;
            }
            Exit::Declined
        }
    };
    json["seconds"] = json!(clock.seconds());
    Ok((exit, Output { text, json }))
}

/// The one target of the data.
fn problem(session: &Session) -> Result<(String, Problem), Failure> {
    let mut all = problems(&session.dataset);
    let (Some((name, targets)), true) = (all.pop(), all.is_empty()) else {
        return Err(Failure::usage("a width is about one target: data of three or more classes have several"));
    };
    let (samples, features) = session.dataset.shape();
    let values = session.dataset.inputs().as_slice();
    // Gram matrices, enclosed: a middle, a radius and what products take on the way.
    let (n, d) = (samples as f64, features as f64);
    require_memory(8.0 * (12.0 * n * n + 4.0 * n * d), || format!("{samples} samples need"))?;
    let x = Mat::from_fn(samples, features, |i, j| values[i * features + j]);
    Ok((name, Problem::new(&x, &targets)))
}

/// The weights of the widest network, and as much again where they are written; blocks of neurons are small.
fn announce_memory(args: &WidthArgs, session: &Session) -> Result<(), Failure> {
    let widest = f64::from(args.width.unwrap_or(args.max_width));
    let copies = if args.out.is_some() { 3.0 } else { 1.0 };
    let bytes = 8.0 * copies * widest * session.dataset.shape().1 as f64;
    if args.width.is_some() {
        require_memory(bytes, || format!("a network of width {widest} needs"))?;
    }
    if bytes > NOTEWORTHY {
        let gigabytes = bytes.min(crate::session::MEMORY_LIMIT) / 1e9;
        say(&format!("gradcert: up to {gigabytes:.1} GB of memory for the weights of {widest} neurons"));
    }
    Ok(())
}

fn all_draws(args: &WidthArgs, problem: &Problem, options: &Options) -> Vec<Draw> {
    let bar = progress_bar(u64::from(args.draws), "draws");
    let features = problem.samples().inputs().ncols();
    // No start beyond the limit of memory is drawn.
    let affordable = (crate::session::MEMORY_LIMIT / (24.0 * features as f64)) as usize;
    let draw = |k: u32| {
        let seed = args.seed.wrapping_add(u64::from(k));
        let outcome = match args.width {
            Some(width) => certify(problem, &Start::draw(width as usize, features, args.antisymmetric, seed), options)
                .map_err(|declined| declined.reasons),
            None => {
                let search = Search {
                    antisymmetric: args.antisymmetric,
                    seed,
                    largest: (args.max_width as usize).min(affordable),
                    resolution: args.resolution,
                };
                let mut progress = |trial: gradcert::relu::width::Trial| {
                    let answer = if trial.certified { "certified" } else { "not certified" };
                    bar.set_message(format!("width {}: {answer}", trial.width));
                };
                let found = smallest(problem, options, &search, &mut progress);
                found.map(|(_, certified)| certified).map_err(|declined| declined.reasons)
            }
        };
        bar.inc(1);
        Draw { seed, outcome }
    };
    let draws = (0..args.draws).map(draw).collect();
    bar.finish_and_clear();
    draws
}

fn summary(args: &WidthArgs, session: &Session, draws: &[Draw], name: &str) -> Value {
    let median = &draws[draws.len() / 2];
    let found = median.outcome.as_ref().ok();
    let certified: Vec<&Certified> = draws.iter().filter_map(|d| d.outcome.as_ref().ok()).collect();
    let (samples, features) = session.dataset.shape();
    json!({
        "status": if found.is_some() { "certified" } else { "declined" },
        "reasons": [],
        "problem": name,
        "samples": samples,
        "features": features,
        "theorem": "T14",
        "loss": "mean",
        "tolerance": args.tol,
        "antisymmetric": args.antisymmetric,
        "width": found.map_or(args.width.map(|w| w as usize), |c| Some(c.width)),
        "seed": median.seed,
        "certified_width": found.map(|c| c.width),
        "certified_iterations": found.map(|c| c.descent.iterations),
        "step_size": found.map(|c| c.step_size),
        "radius": found.map(|c| c.radius.get()),
        "rate": found.map(|c| c.rate),
        "smin_lower": found.map(|c| c.smin),
        "clock": found.map(Certified::clock),
        "residual_upper": found.map(|c| c.residual.get()),
        "lmin_start": found.map(|c| c.lmin_start),
        "lmax_start": found.map(|c| c.lmax_start),
        "changeable": found.map(|c| c.changeable),
        "flow_rate": found.and_then(|c| c.flow_rate),
        "certified_draws": certified.len(),
        "largest_certified_width": certified.iter().map(|c| c.width).max(),
        "draws": draws.iter().map(Draw::json).collect::<Vec<_>>(),
        "files": [],
        "lift": session.lift_json(),
    })
}

fn text(args: &WidthArgs, draws: &[Draw], median: &Draw, name: &str) -> String {
    let certified = draws.iter().filter(|d| d.outcome.is_ok()).count();
    let of_draws = match draws.len() {
        1 => String::new(),
        all => format!(" (the median of {all} draws, {certified} of them certified)"),
    };
    let c = match &median.outcome {
        Err(reasons) => return format!("{name}: declined{of_draws}\n{}", reasons_text(reasons)),
        Ok(c) => c,
    };
    let searched = if args.search { "smallest certified width found: " } else { "certified at width " };
    let start = if args.antisymmetric { "antisymmetric start" } else { "start" };
    format!(
        "{name}: {searched}{}{of_draws}, by T14\n  gradient descent on the first layer with step {:.5e} from the {start} of seed {} reaches the \
         tolerance within {} iterations\n  every iteration multiplies the loss by at most 1 - {}; no neuron moves by more than {}\n  at \
         most {:.2} % of the patterns can change; smallest singular value of the Jacobian at least {}\n",
        count(c.width as u64),
        c.step_size,
        median.seed,
        count(c.descent.iterations),
        rounded(c.rate, 4, Rounding::Down),
        rounded(c.radius.get(), 4, Rounding::Up),
        100.0 * c.changeable,
        rounded(c.smin, 4, Rounding::Down),
    )
}

/// Writes start and certificate; returns their names.
fn save(
    out: &Path,
    session: &Session,
    (name, problem): (&str, &Problem),
    args: &WidthArgs,
    seed: u64,
    certified: &Certified,
) -> Result<Value, Failure> {
    std::fs::create_dir_all(out).map_err(|e| Failure::file(out, &e))?;
    let features = problem.samples().inputs().ncols();
    let start = Start::draw(certified.width, features, args.antisymmetric, seed);
    let record = certificate(name, problem, &start, certified, args.tol).map_err(|e| Failure::limit(e.to_string()))?;
    let path = out.join(START);
    write(&path, &start.to_bytes().map_err(|e| Failure::file(&path, &e))?)?;
    write_file(&file_of(session, vec![record]), &out.join(CERTIFICATE))?;
    Ok(json!([START, CERTIFICATE]))
}

/// What an earlier call left behind is about something else.
fn discard(out: &Path) -> Result<(), Failure> {
    for path in [START, CERTIFICATE].map(|name| out.join(name)) {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Failure::file(&path, &error)),
            _ => {}
        }
    }
    Ok(())
}
