//! From the arguments to data and problems.

use crate::args::{DataArgs, Method, NetArgs, StartArg, TableArgs, Train};
use crate::failure::Failure;
use crate::lift;
use crate::output::say;
use crate::starts::{self, Drawn};
use gradcert::certify::problem::{Coordinates, Problem};
use gradcert::certify::random::by_fan_in;
use gradcert::certify::{Options, Outcome, Reason, positive::PositiveSearch};
use gradcert::model::Meaning;
use gradcert::network::Network;
use gradcert::theorem::centre::Metric;
use gradcert_data::{Coding, Dataset, Findings, Header, Lift, LoadOptions, Merged, TargetColumn, Targets};
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Data that were read and looked at.
pub(crate) struct Session {
    pub(crate) source: String,
    pub(crate) dataset: Dataset,
    pub(crate) findings: Findings,
    pub(crate) merged: Option<Merged>,
    /// What made the inputs out of the samples of the source.
    pub(crate) lift: Option<Lift>,
}

/// One problem of a session.
pub(crate) struct Task {
    pub(crate) name: String,
    /// All targets, duplicates included.
    pub(crate) targets: Vec<f64>,
    pub(crate) problem: Problem,
    /// The start that was drawn, once one was.
    pub(crate) drawn: Option<Drawn>,
}

/// A larger working set than this many bytes is refused.
pub(crate) const MEMORY_LIMIT: f64 = 16e9;

/// Reads a file or a bundled set, and lifts it if that is asked for.
pub(crate) fn load(args: &DataArgs) -> Result<(Dataset, Option<Lift>), Failure> {
    let dataset = read(args)?;
    match &args.lift {
        None => Ok((dataset, None)),
        Some(plan) => lift::apply(plan, dataset).map(|(lifted, lift)| (lifted, Some(lift))),
    }
}

fn read(args: &DataArgs) -> Result<Dataset, Failure> {
    if let Some(name) = args.data.strip_prefix("bundled:") {
        let bundled = gradcert_data::bundled(name).ok_or_else(|| {
            Failure::input(
                "unknown_bundled_set",
                format!("no bundled set {name}: leukaemia, khan, khan-test or coffee"),
            )
        })?;
        if args.target.is_some() || !args.table.ignore.is_empty() {
            return Err(Failure::usage(
                "bundled sets have their targets and features: leave out --target and --ignore",
            ));
        }
        return Ok(bundled.load()?);
    }
    let target = args.target.clone().map_or(TargetColumn::Last, TargetColumn::Column);
    let options = LoadOptions { target, labels: args.labels, ..table_options(&args.table) };
    Ok(quietly(|| gradcert_data::load(Path::new(&args.data), &options))?)
}

/// The part of the options that training and predicting share.
pub(crate) fn table_options(table: &TableArgs) -> LoadOptions {
    let header = match (table.no_header, table.header) {
        (true, _) => Header::Absent,
        (false, true) => Header::Present,
        (false, false) => Header::Expected,
    };
    LoadOptions { ignore: table.ignore.clone(), header, ..LoadOptions::default() }
}

/// Runs a reader. A decoder may panic on a hostile file; the reader catches that and answers with a code, and the message
/// of the panic, which would stand on standard error before our own, is kept back. A panic that nobody catches is a
/// bug: its message is shown after all.
pub(crate) fn quietly<T>(read: impl FnOnce() -> T) -> T {
    let message = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&message);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if let Ok(mut kept) = kept.lock() {
            *kept = panic.to_string();
        }
    }));
    let result = catch_unwind(AssertUnwindSafe(read));
    std::panic::set_hook(usual);
    result.unwrap_or_else(|panic| {
        say(&message.lock().map(|text| text.clone()).unwrap_or_default());
        resume_unwind(panic)
    })
}

impl Session {
    pub(crate) fn open(args: &DataArgs) -> Result<Session, Failure> {
        let (dataset, lift) = load(args)?;
        let findings = gradcert_data::inspect(&dataset)?;
        if !findings.conflicts.is_empty() {
            if let Some(lift) = lift {
                return Err(Failure::input(
                    "lift_conflict",
                    format!(
                        "lifted samples with different targets coincide ({lift}): another scale, more or other features"
                    ),
                ));
            }
            findings.require_distinct_rows()?;
        }
        let merged = if args.merge_duplicates { Some(gradcert_data::merge_duplicates(&dataset)?) } else { None };
        Ok(Session { source: args.data.clone(), dataset, findings, merged, lift })
    }

    /// The rows that are trained on.
    pub(crate) fn distinct(&self) -> &Dataset {
        self.merged.as_ref().map_or(&self.dataset, |m| &m.dataset)
    }

    pub(crate) fn classes(&self) -> Vec<String> {
        match self.dataset.targets() {
            Targets::Labels { classes, .. } => classes.clone(),
            Targets::Numeric(_) => vec![],
        }
    }

    /// What the outputs of networks with these problems mean.
    pub(crate) fn meaning(&self, problems: Vec<String>) -> Meaning {
        Meaning {
            problems,
            classes: self.classes(),
            target: self.dataset.target_name().map(str::to_owned),
            lift: self.lift.map(|lift| lift.to_string()),
        }
    }

    /// How the inputs were made, for people; empty without a lift.
    pub(crate) fn lift_text(&self) -> String {
        let line = |lift: Lift| format!("lift {lift}: the inputs are {} random features of every sample\n", lift.count);
        self.lift.map(line).unwrap_or_default()
    }

    /// The same for programs.
    pub(crate) fn lift_json(&self) -> Value {
        json!(self.lift.map(|lift| lift.to_string()))
    }

    /// A reason to decline that the data give before anything is computed.
    pub(crate) fn obvious_decline(&self) -> Option<Reason> {
        if self.merged.is_some() || self.findings.duplicate_groups.is_empty() {
            return None;
        }
        let error = self.findings.require_distinct_rows().err()?;
        Some(Reason { code: "duplicate_rows", message: error.to_string() })
    }

    pub(crate) fn tasks(&self, coordinates: Coordinates) -> Result<Vec<Task>, Failure> {
        let matrix = self.distinct().inputs();
        let (n, d) = matrix.shape();
        let bytes = 8.0 * (12.0 * (n as f64).powi(2) + 4.0 * n as f64 * d as f64);
        require_memory(bytes, || format!("{n} samples need"))?;
        let all = problems(&self.dataset);
        let distinct = self.distinct().problems();
        let multiplicity = self.merged.as_ref().map_or_else(|| vec![1; n], |m| m.multiplicity.clone());
        let tasks = all.into_iter().zip(distinct).map(|((name, targets), part)| Task {
            name,
            targets,
            problem: Problem::new(matrix.as_slice(), n, d, part.y, coordinates).with_multiplicity(multiplicity.clone()),
            drawn: None,
        });
        Ok(tasks.collect())
    }
}

/// An error if a network with these hidden layers would not fit into memory: parameters, their gradient and the start,
/// and a few arrays per hidden layer with a row per sample.
pub(crate) fn within_memory(hidden: &[usize], task: &Task) -> Result<(), Failure> {
    let mut before = task.problem.input_width() as f64;
    let (mut parameters, mut units) = (0.0, 0.0);
    for width in hidden.iter().copied().chain([1]) {
        let width = width as f64;
        parameters += width * (before + 1.0);
        units += width;
        before = width;
    }
    let bytes = 8.0 * (4.0 * parameters + 6.0 * task.problem.rows.nrows() as f64 * units);
    require_memory(bytes, || format!("a network with {parameters:.1e} parameters needs"))
}

/// An error if so many bytes are more than are allowed; `what` begins the sentence.
pub(crate) fn require_memory(bytes: f64, what: impl FnOnce() -> String) -> Result<(), Failure> {
    if bytes <= MEMORY_LIMIT {
        return Ok(());
    }
    let [needed, most] = [bytes, MEMORY_LIMIT].map(|b| b / 1e9);
    Err(Failure::limit(format!("{} about {needed:.0} GB of memory, more than {most:.0} GB", what())))
}

/// Names and targets of the problems of a data set, duplicates included. The names follow from the targets alone: not
/// every format names its columns, and a certificate must not depend on the format the same numbers came in.
pub(crate) fn problems(dataset: &Dataset) -> Vec<(String, Vec<f64>)> {
    dataset.problems().into_iter().map(|p| (p.name, p.y)).collect()
}

/// The problems of all classes at once, for networks with one output per class.
pub(crate) fn joint_problems(dataset: &Dataset) -> Vec<(Coding, String, Vec<f64>)> {
    let codings = [Coding::PlusMinusOne, Coding::OneHot].into_iter();
    codings.filter_map(|coding| dataset.targets().joint(coding).map(|(name, y)| (coding, name, y))).collect()
}

pub(crate) fn coordinates(net: &NetArgs) -> Coordinates {
    if net.whiten { Coordinates::Whitened { bias: !net.freeze_bias } } else { Coordinates::Raw }
}

pub(crate) fn options(net: &NetArgs) -> Options {
    Options {
        hidden_widths: net.hidden_widths(),
        activation: net.activation(),
        scale: net.scale,
        hidden_scale: net.hidden_scale,
        layer_steps: net.layer_steps(),
        first_layer_only: net.train == Train::FirstLayer,
        freeze_bias: net.freeze_bias,
        tolerance: net.tol,
        method: match net.method {
            Method::Sharp => gradcert::certify::Method::Sharp,
            Method::Paper => gradcert::certify::Method::Paper,
        },
    }
}

/// Sets the number of threads of all linear algebra.
pub(crate) fn set_threads(threads: Option<u16>) {
    let par = match threads {
        Some(1) => faer::Par::Seq,
        Some(k) => faer::Par::rayon(usize::from(k)),
        None => faer::Par::rayon(0),
    };
    faer::set_global_parallelism(par);
}

/// The certificate the arguments ask for.
pub(crate) fn certify(task: &mut Task, index: usize, net: &NetArgs) -> Result<Outcome, Failure> {
    let options = options(net);
    if net.start == StartArg::Positive {
        return Ok(match PositiveSearch::new(&task.problem, &options) {
            Ok(search) => search.certify(),
            Err(reasons) => Outcome::Declined(reasons),
        });
    }
    starts::certify(task, index, net)
}

/// The metric of an uncertified run or of a given start, for a network with the widths d_0, ..., d_L.
pub(crate) fn metric(net: &NetArgs, widths: &[usize]) -> Metric {
    let factor = if net.train == Train::FirstLayer { 0.0 } else { 1.0 };
    let mut metric = Metric::plain(widths.len() - 1).slower_later_layers(factor);
    if net.start == StartArg::Ntk {
        metric = by_fan_in(metric, widths);
    }
    if net.freeze_bias {
        metric = metric.without_biases();
    }
    if net.whiten {
        metric.biases[1] = 0.0;
    }
    metric
}

/// A start from a file or drawn, in the coordinates of the problem.
pub(crate) fn given_start(task: &Task, index: usize, net: &NetArgs) -> Result<Network, Failure> {
    if let Some(law) = starts::law(net, task)? {
        let seed = task.drawn.map_or_else(|| net.seed().wrapping_add(index as u64), |d| d.seed);
        return Ok(starts::draw_start(net, task, law, seed));
    }
    let StartArg::File(path) = &net.start else {
        return Err(Failure::usage("the positive start is not a given one"));
    };
    let model = gradcert::model::Model::load(path)?;
    let network = model.networks.into_iter().nth(index).ok_or_else(|| {
        Failure::input("start_shape", format!("{} has no network for problem {index}", path.display()))
    })?;
    let own = network.widths();
    let hidden = &own[1..own.len() - 1];
    if let Some([option, wanted, found]) = net.contradiction(hidden, network.activation) {
        let file = path.display();
        return Err(Failure::usage(format!("{option} {wanted} contradicts {file}, which has {found}: leave it out")));
    }
    within_memory(hidden, task)?;
    let inputs = task.problem.input_width();
    if own[0] != inputs {
        return Err(Failure::input(
            "start_shape",
            format!("the start reads {} inputs, the problem has {inputs}", own[0]),
        ));
    }
    Ok(network)
}
