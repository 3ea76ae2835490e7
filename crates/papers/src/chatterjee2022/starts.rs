//! Random starts (T10): the probability that the theorem gives, and how often a draw is certified.

use super::curves::number;
use super::settings::{Settings, StartKind};
use crate::bench::{Bench, PaperError};
use crate::outcome::{ItemOutcome, Sheet};
use gradcert::certify::problem::{Coordinates, Problem};
use gradcert::certify::random::{estimate, theorem};
use gradcert::certify::{HiddenScale, Options, Scale};
use gradcert::network::random::Law;
use gradcert::sweep::data::gaussian;
use gradcert::sweep::options::RunOptions;
use gradcert::sweep::{Progress, SweepError};
use gradcert_report::article::{Article, ArticleSection, ArticleTable, Chart, ChartAxis, Colour, Curve};
use std::sync::atomic::{AtomicUsize, Ordering};

/// One network.
struct Case {
    depth: usize,
    width: usize,
    /// log10 of the theorem's probability, from below; minus infinity if its event is empty.
    theorem: f64,
    counted: Vec<Count>,
}

/// How many draws of a start are certified.
struct Count {
    kind: StartKind,
    first_layer_only: bool,
    certified: u64,
    /// Wilson's 95 % interval of the probability.
    interval: (f64, f64),
}

fn law(settings: &Settings, kind: StartKind, width: usize) -> Law {
    let (low, high) = settings.box_of(width);
    match kind {
        StartKind::AbsoluteLeCun => Law::AbsoluteLeCun,
        StartKind::Conditional => Law::Conditional { low, high },
        StartKind::Positive | StartKind::LeCun => Law::LeCun,
    }
}

fn case(
    settings: &Settings,
    bench: &Bench<'_>,
    depth: usize,
    width: usize,
    tell: &(dyn Fn() + Sync),
) -> Result<Case, PaperError> {
    let (x, y) = gaussian(settings.samples, settings.features, 0);
    let problem = Problem::new(&x, settings.samples, settings.features, y, Coordinates::Raw);
    let activation = RunOptions::parse(&settings.texts(width, 0))?.certify.activation;
    let options = |first_layer_only| Options {
        hidden_widths: vec![width; depth - 1],
        activation,
        scale: Scale::Auto,
        hidden_scale: HiddenScale::Auto,
        first_layer_only,
        ..Options::default()
    };
    let likeliest = theorem(&problem, &options(false)).ok().and_then(|t| t.likeliest());
    let mut counted = vec![];
    for kind in StartKind::RANDOM {
        for first in [false, true] {
            let told = || {
                tell();
                true
            };
            let law = law(settings, kind, width);
            let result = estimate(&problem, &options(first), law, 0, settings.draws, bench.threads, &told);
            let (certified, interval) = match result {
                Ok(Some(e)) => (e.certified, e.interval()),
                // A hypothesis about the data fails: no draw is certified.
                _ => (0, (0.0, 0.0)),
            };
            counted.push(Count { kind, first_layer_only: first, certified, interval });
        }
    }
    Ok(Case { depth, width, theorem: likeliest.map_or(f64::NEG_INFINITY, |l| l.log10_probability), counted })
}

/// The item. Every draw is computed by one thread, so nothing depends on their number.
pub(super) fn starts(settings: &Settings, bench: &Bench<'_>) -> Result<ItemOutcome, PaperError> {
    if settings.draws == 0 {
        return Err(SweepError::Contradiction("draws must be at least 1".to_owned()).into());
    }
    let before = faer::get_global_parallelism();
    faer::set_global_parallelism(faer::Par::Seq);
    let all = settings.depths.len() * settings.widths.len() * 6 * settings.draws as usize;
    let finished = AtomicUsize::new(0);
    let tell = || {
        let finished = finished.fetch_add(1, Ordering::Relaxed) + 1;
        (bench.progress)("starts", Progress { runs: all, finished });
    };
    let mut cases = vec![];
    for &depth in &settings.depths {
        for &width in &settings.widths {
            cases.push(case(settings, bench, depth, width, &tell));
        }
    }
    faer::set_global_parallelism(before);
    Ok(outcome(settings, &cases.into_iter().collect::<Result<Vec<_>, _>>()?))
}

fn outcome(settings: &Settings, cases: &[Case]) -> ItemOutcome {
    let columns = ["depth", "width", "log10_theorem", "start", "trained", "certified", "draws", "low", "high"];
    let mut sheet = Sheet::new("starts", &columns);
    let (mut rows, mut findings, mut numbers) = (vec![], vec![], vec![]);
    let heads: Vec<String> = StartKind::RANDOM
        .iter()
        .flat_map(|k| [format!("{}, all layers", k.title()), format!("{}, first layer", k.title())])
        .collect();
    for case in cases {
        let name = format!("L = {}, width {}", case.depth, case.width);
        let power = if case.theorem.is_finite() { number(case.theorem) } else { "none".to_owned() };
        let mut row = vec![name.clone(), power.clone()];
        for Count { kind, first_layer_only, certified, interval: (low, high) } in &case.counted {
            let draws = settings.draws;
            let trained = if *first_layer_only { "first-layer" } else { "all" };
            row.push(format!("{certified} of {draws}"));
            let cells = [case.depth.to_string(), case.width.to_string(), case.theorem.to_string()];
            let more = [kind.name().to_owned(), trained.to_owned(), certified.to_string(), draws.to_string()];
            sheet.rows.push(cells.into_iter().chain(more).chain([low.to_string(), high.to_string()]).collect());
            numbers.push((format!("{}/{}/{}/{trained}", case.depth, case.width, kind.name()), *certified as f64));
        }
        numbers.push((format!("{}/{}/log10 theorem", case.depth, case.width), case.theorem));
        let counted: Vec<String> = heads.iter().zip(&row[2..]).map(|(head, count)| format!("{head} {count}")).collect();
        findings.push(format!("{name}: log10 of the theorem's probability {power}; certified: {}", counted.join("; ")));
        rows.push(row);
    }
    let table = ArticleTable {
        caption: format!("Certified draws of {}; data of seed 0", settings.draws),
        columns: ["network".to_owned(), "log₁₀ P, theorem".to_owned()].into_iter().chain(heads).collect(),
        rows,
    };
    let paragraphs = vec![
        "The theorem about random starts asks that all entries of the later layers lie in some [A, 2A] and that the first \
         layer is small. The probability of this event, maximised over A, is exponentially small in the number of entries. \
         It is a lower bound of the probability that training succeeds."
            .to_owned(),
        "Counted: from how many draws gradient flow is certified by our bounds, with all layers trained and with the first \
         layer alone. With positive later layers the first layer alone always suffices (T7+)."
            .to_owned(),
    ];
    let section = ArticleSection {
        heading: "Random starts".to_owned(),
        paragraphs,
        charts: vec![chart(cases)],
        tables: vec![table],
    };
    let article = Article {
        title: "Random starts: probability and count".to_owned(),
        lead:
            "How likely a random start satisfies the theorem about random starts, and how often our bounds certify one."
                .to_owned(),
        sections: vec![section],
        ..Article::default()
    };
    ItemOutcome { article, sheets: vec![sheet], findings, numbers }
}

/// Minus log10 of the theorem's probability against the width, by depth.
fn chart(cases: &[Case]) -> Chart {
    let mut depths: Vec<usize> = cases.iter().map(|c| c.depth).collect();
    depths.dedup();
    let curve = |(k, &depth): (usize, &usize)| Curve {
        name: format!("L = {depth}"),
        points: cases
            .iter()
            .filter(|c| c.depth == depth && c.theorem.is_finite())
            .map(|c| (c.width as f64, -c.theorem))
            .collect(),
        band: vec![],
        dashed: false,
        dots: false,
        colour: Colour::Distinct(k as u8),
    };
    let axis = |label: &str| ChartAxis { label: label.to_owned(), logarithmic: true, limits: None };
    Chart {
        id: "starts-probability".to_owned(),
        title: "Probability by the theorem about random starts".to_owned(),
        description: "Minus the decimal logarithm of the probability against the width, both on logarithmic scales."
            .to_owned(),
        caption:
            "−log₁₀ of the probability that a LeCun start satisfies the theorem about random starts, for the best A."
                .to_owned(),
        x: axis("width"),
        y: axis("−log₁₀ P"),
        curves: depths.iter().enumerate().map(curve).collect(),
    }
}
