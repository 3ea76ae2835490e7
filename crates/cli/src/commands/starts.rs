//! `gradcert starts`: how often random starts are certified, by the theorem and by counting.

use crate::args::{NetArgs, StartArg, StartsArgs};
use crate::commands::certify::outcome_json;
use crate::failure::{Exit, Failure, reasons_text};
use crate::output::{Output, Seconds, progress_bar};
use crate::session::{Session, Task, coordinates, options, within_memory};
use crate::starts::{conditional, draw_start};
use gradcert::certify::positive::PositiveSearch;
use gradcert::certify::random::{self, Estimate, estimate};
use gradcert::certify::{Options, Outcome, Reason, given};
use gradcert::network::random::Law;
use gradcert::theorem::random_start::Likeliest;
use serde_json::{Value, json};

pub(crate) fn run(args: &StartsArgs) -> Result<(Exit, Output), Failure> {
    if args.net.start != StartArg::Positive || args.net.retry.is_some() {
        return Err(Failure::usage("starts compares four starts: leave out --start and --retry"));
    }
    // Draws run side by side, each on one thread: so nothing depends on their number.
    faer::set_global_parallelism(faer::Par::Seq);
    let session = Session::open(&args.data)?;
    let clock = Seconds::start();
    if let Some(reason) = session.obvious_decline() {
        let json = json!({"status": "declined", "reasons": [reason], "seconds": clock.seconds()});
        return Ok((Exit::Declined, Output { text: reasons_text(&[reason]), json }));
    }
    let (mut text, mut problems) = (session.lift_text(), vec![]);
    for task in session.tasks(coordinates(&args.net))? {
        within_memory(&args.net.hidden_widths(), &task)?;
        let (lines, json) = Comparison { args, task: &task }.run()?;
        text += &lines;
        problems.push(json);
    }
    let json = json!({"status": "done", "problems": problems, "lift": session.lift_json(), "seconds": clock.seconds()});
    Ok((Exit::Done, Output { text, json }))
}

/// One problem.
struct Comparison<'a> {
    args: &'a StartsArgs,
    task: &'a Task,
}

/// One start with one choice of trained layers.
struct Row {
    start: &'static str,
    train: &'static str,
    result: Result<Estimate, Reason>,
    /// The certificate of one start: the positive one, or the first draw of a law that (T7+) certifies.
    price: Option<Outcome>,
}

impl Comparison<'_> {
    fn net(&self) -> &NetArgs {
        &self.args.net
    }

    fn options(&self, first_layer_only: bool) -> Options {
        Options { first_layer_only, ..options(self.net()) }
    }

    fn run(&self) -> Result<(String, Value), Failure> {
        let theorem = theorem(&self.task.problem, &self.options(false));
        let mut rows = vec![];
        for (train, first) in [("all", false), ("first-layer", true)] {
            rows.push(self.positive(train, first));
            rows.push(self.drawn("lecun", train, first, Ok(Law::LeCun)));
            rows.push(self.drawn("abs-lecun", train, first, Ok(Law::AbsoluteLeCun)));
            let law = conditional(self.net(), self.task).map_err(|f| Reason { code: "no_box", message: f.message });
            rows.push(self.drawn("conditional", train, first, law));
        }
        let mut text = format!("{}\n{}", self.task.name, theorem_text(&theorem));
        text +=
            &format!("  {:<12} {:<12} {:>12} {:>19}  {}\n", "start", "trained", "certified", "95 % interval", "price");
        text += &rows.iter().map(row_text).collect::<String>();
        let scan = self.scan()?;
        text += &scan_text(&scan);
        let rows: Vec<Value> = rows.iter().map(|row| self.row_json(row)).collect();
        let scan: Vec<Value> = scan.iter().map(Cell::json).collect();
        let json = json!({
            "problem": self.task.name, "seed": self.net().seed(), "theorem": theorem_json(&theorem), "starts": rows, "scan": scan
        });
        Ok((text, json))
    }

    /// The positive start is not random: it is certified or not.
    fn positive(&self, train: &'static str, first_layer_only: bool) -> Row {
        let options = self.options(first_layer_only);
        let outcome = match PositiveSearch::new(&self.task.problem, &options) {
            Ok(search) => search.certify(),
            Err(reasons) => Outcome::Declined(reasons),
        };
        let result = match &outcome {
            Outcome::Declined(reasons) => Err(first_reason(reasons)),
            _ => Ok(Estimate { draws: 1, certified: 1, ..Estimate::default() }),
        };
        Row { start: "positive", train, result, price: Some(outcome) }
    }

    fn drawn(&self, start: &'static str, train: &'static str, first: bool, law: Result<Law, Reason>) -> Row {
        let options = self.options(first);
        let result = law.clone().and_then(|law| self.estimate(&options, law, start));
        // With the first layer trained (T7+) certifies every draw with positive later layers, at the price of the rate.
        let price = match law {
            Ok(law) if first && law != Law::LeCun => Some(self.price(law, &options)),
            _ => None,
        };
        Row { start, train, result, price }
    }

    fn estimate(&self, options: &Options, law: Law, what: &str) -> Result<Estimate, Reason> {
        let bar = progress_bar(self.args.draws, what);
        let count = || {
            bar.inc(1);
            true
        };
        let threads = self.net().threads.map_or(0, usize::from);
        let found = estimate(&self.task.problem, options, law, self.net().seed(), self.args.draws, threads, &count);
        bar.finish_and_clear();
        // Nobody interrupts.
        found.map(Option::unwrap_or_default)
    }

    /// The certificate of the first draw.
    fn price(&self, law: Law, options: &Options) -> Outcome {
        let network = draw_start(self.net(), self.task, law, self.net().seed());
        given::certify(&self.task.problem, &network, &random::metric(&self.task.problem, options), options)
    }

    /// The same for other widths and depths, LeCun starts alone.
    fn scan(&self) -> Result<Vec<Cell>, Failure> {
        let mut cells = vec![];
        for &depth in &self.args.scan_depths {
            for &width in &self.args.scan_widths {
                let hidden = vec![width as usize; usize::from(depth) - 1];
                within_memory(&hidden, self.task)?;
                let with = |first| Options { hidden_widths: hidden.clone(), ..self.options(first) };
                let count = |first| self.estimate(&with(first), Law::LeCun, &format!("width {width}, depth {depth}"));
                let theorem = theorem(&self.task.problem, &with(false));
                cells.push(Cell { width, depth, theorem, all: count(false), first: count(true) });
            }
        }
        Ok(cells)
    }

    fn row_json(&self, row: &Row) -> Value {
        let mut json = json!({"start": row.start, "train": row.train});
        merge(&mut json, estimate_json(&row.result));
        let facts = row.price.as_ref().and_then(|o| o.facts(self.task.problem.total()));
        json["certified_iterations"] = json!(facts.as_ref().map(|f| f.iterations));
        json["rate"] = json!(facts.as_ref().map(|f| f.rate));
        if row.start == "positive" {
            let outcome = row.price.as_ref().map(|o| outcome_json(self.net(), self.task, o));
            json["scale"] = outcome.map_or(Value::Null, |o| o["scale"].clone());
        }
        json
    }
}

/// One width and depth.
struct Cell {
    width: u32,
    depth: u16,
    theorem: Result<Likeliest, Reason>,
    all: Result<Estimate, Reason>,
    first: Result<Estimate, Reason>,
}

impl Cell {
    fn json(&self) -> Value {
        json!({
            "width": self.width, "depth": self.depth, "theorem": theorem_json(&self.theorem),
            "all": estimate_json(&self.all), "first_layer": estimate_json(&self.first)
        })
    }
}

fn theorem(problem: &gradcert::certify::problem::Problem, options: &Options) -> Result<Likeliest, Reason> {
    random::theorem(problem, options)?.likeliest().ok_or_else(|| Reason {
        code: "no_event",
        message: "at no scale A is the event of the theorem proved to have a positive probability".to_owned(),
    })
}

/// A decline has at least one reason; this stands for none.
const UNSTATED: &str = "declined";

fn first_reason(reasons: &[Reason]) -> Reason {
    reasons.first().cloned().unwrap_or(Reason { code: UNSTATED, message: String::new() })
}

fn merge(json: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (json, more) {
        object.extend(more);
    }
}

fn theorem_json(theorem: &Result<Likeliest, Reason>) -> Value {
    match theorem {
        Ok(l) => json!({
            "status": "done", "reasons": [], "scale": l.scale, "log10_probability": l.log10_probability,
            "log10_probability_conditional": l.log10_first_layer, "largest_first_layer": l.largest_first_layer.get()
        }),
        Err(reason) => json!({"status": "declined", "reasons": [reason]}),
    }
}

fn estimate_json(result: &Result<Estimate, Reason>) -> Value {
    match result {
        Ok(e) => {
            let (low, high) = e.interval();
            json!({
                "status": "done", "reasons": [], "draws": e.draws, "certified": e.certified,
                "probability": e.certified as f64 / e.draws.max(1) as f64, "low": low, "high": high,
                "first_certified_seed": e.first, "declined": e.declined, "median_decay": e.median_decay
            })
        }
        Err(reason) => json!({"status": "declined", "reasons": [reason]}),
    }
}

fn theorem_text(theorem: &Result<Likeliest, Reason>) -> String {
    match theorem {
        Ok(l) => format!(
            "  theorem about LeCun starts (T10): P(certified) >= 10^{:.2}, at A = {:.4}\n  given that all later entries lie in \
             [A, 2A]: P(certified) >= 10^{:.2}\n",
            floor(l.log10_probability),
            l.scale,
            floor(l.log10_first_layer)
        ),
        Err(reason) => format!("  theorem about LeCun starts (T10): {}: {}\n", reason.code, reason.message),
    }
}

/// Two decimals, downward.
fn floor(x: f64) -> f64 {
    (100.0 * x).floor() / 100.0
}

fn row_text(row: &Row) -> String {
    let head = format!("  {:<12} {:<12}", row.start, row.train);
    let price = match &row.price {
        Some(Outcome::Certified(c)) => format!("{} iterations", c.found.iterations),
        Some(Outcome::Declined(reasons)) if row.result.is_ok() => format!("first draw: {}", first_reason(reasons).code),
        _ => String::new(),
    };
    match &row.result {
        Err(reason) => format!("{head} {:>12} {:>19}  {}\n", "declined", "", reason.code),
        Ok(_) if row.start == "positive" => format!("{head} {:>12} {:>19}  {price}\n", "yes", ""),
        Ok(e) => format!("{head} {:>12} {:>19}  {price}\n", share(e), interval(e)),
    }
}

fn share(e: &Estimate) -> String {
    format!("{} of {}", e.certified, e.draws)
}

fn interval(e: &Estimate) -> String {
    let (low, high) = e.interval();
    format!("[{low:.4}, {high:.4}]")
}

fn scan_text(cells: &[Cell]) -> String {
    if cells.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "  LeCun starts\n  {:>6} {:>6} {:>18} {:>12} {:>19} {:>12} {:>19}\n",
        "width", "depth", "theorem", "all layers", "95 % interval", "first layer", "95 % interval"
    );
    let count = |r: &Result<Estimate, Reason>| match r {
        Ok(e) => (share(e), interval(e)),
        Err(reason) => ("declined".to_owned(), reason.code.to_owned()),
    };
    for cell in cells {
        let theorem = match &cell.theorem {
            Ok(l) => format!("10^{:.2}", floor(l.log10_probability)),
            Err(reason) => reason.code.to_owned(),
        };
        let ((all, all_interval), (first, first_interval)) = (count(&cell.all), count(&cell.first));
        text += &format!(
            "  {:>6} {:>6} {theorem:>18} {all:>12} {all_interval:>19} {first:>12} {first_interval:>19}\n",
            cell.width, cell.depth
        );
    }
    text
}
