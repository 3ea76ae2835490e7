//! The paper's explicit constants (T8) beside ours, over depth, width and number of samples.

use super::curves::number;
use super::figures::with;
use super::settings::Settings;
use crate::bench::{Bench, PaperError};
use crate::outcome::{ItemOutcome, Sheet};
use gradcert::sweep::Record;
use gradcert::sweep::options::OptionTexts;
use gradcert_report::article::{Article, ArticleSection, ArticleTable, Chart, ChartAxis, Colour, Curve};

/// One setting of the grid.
#[derive(Clone, Copy)]
struct Case {
    depth: usize,
    width: usize,
    samples: usize,
}

/// What each method says in a case.
struct Row {
    case: Case,
    paper: Answer,
    paper_smallest: Option<f64>,
    sharp: Answer,
    sharp_smallest: Option<f64>,
    /// Ours at the scale of the paper's answer.
    at_its_scale: Answer,
}

#[derive(Clone, Copy, Default)]
struct Answer {
    scale: Option<f64>,
    step: Option<f64>,
    iterations: Option<f64>,
}

fn answer(record: &Record) -> Answer {
    let certificate = record.certificate.as_ref();
    Answer {
        scale: record.scale.filter(|_| certificate.is_some()),
        step: certificate.map(|c| c.step_size),
        iterations: certificate.map(|c| c.iterations as f64),
    }
}

fn texts(settings: &Settings, case: Case, method: &str, scale: &str) -> OptionTexts {
    let data = format!("gaussian:{},{}", case.samples, settings.features);
    let depth = case.depth.to_string();
    let pairs = [
        ("data", data.as_str()),
        ("depth", depth.as_str()),
        ("method", method),
        ("scale", scale),
        ("start", "positive"),
        ("stages", "certify"),
    ];
    let mut texts = with(settings.texts(case.width, 0), &pairs);
    texts.remove("max-iterations");
    texts
}

fn cases(settings: &Settings) -> Vec<Case> {
    let mut samples: Vec<usize> = [5, 2, 1].iter().map(|part| (settings.samples / part).max(2)).collect();
    samples.dedup();
    let mut cases = vec![];
    for &depth in &settings.depths {
        for &width in &settings.widths {
            cases.extend(samples.iter().map(|&samples| Case { depth, width, samples }));
        }
    }
    cases
}

/// The item.
pub(super) fn constants(settings: &Settings, bench: &Bench<'_>) -> Result<ItemOutcome, PaperError> {
    let cases = cases(settings);
    let asked = [("paper", "auto"), ("paper", "min"), ("sharp", "auto"), ("sharp", "min")];
    let mut runs = vec![];
    for &case in &cases {
        runs.extend(asked.map(|(method, scale)| texts(settings, case, method, scale)));
    }
    let records = bench.run("constants", runs)?;
    let mut second = vec![];
    for &case in &cases {
        let paper = answer(records.of(&texts(settings, case, "paper", "auto"))?);
        second.extend(paper.scale.map(|a| (case, texts(settings, case, "sharp", &a.to_string()))));
    }
    let ours = if second.is_empty() {
        None
    } else {
        Some(bench.run("constants-same-scale", second.iter().map(|(_, texts)| texts.clone()).collect())?)
    };
    let mut rows = vec![];
    for &case in &cases {
        let of = |method, scale| records.of(&texts(settings, case, method, scale)).map(answer);
        let paper = of("paper", "auto")?;
        let at_its_scale = match (&ours, paper.scale) {
            (Some(ours), Some(a)) => answer(ours.of(&texts(settings, case, "sharp", &a.to_string()))?),
            _ => Answer::default(),
        };
        rows.push(Row {
            case,
            paper,
            paper_smallest: of("paper", "min")?.scale,
            sharp: of("sharp", "auto")?,
            sharp_smallest: of("sharp", "min")?.scale,
            at_its_scale,
        });
    }
    Ok(outcome(&rows))
}

fn short(x: Option<f64>) -> String {
    x.map_or_else(|| "—".to_owned(), number)
}

fn ratio(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    Some(a? / b?)
}

fn outcome(rows: &[Row]) -> ItemOutcome {
    let mut sheet = Sheet::new(
        "constants",
        &[
            "depth",
            "width",
            "n",
            "paper_smallest_scale",
            "smallest_scale",
            "paper_scale",
            "paper_step",
            "paper_iterations",
            "step_at_paper_scale",
            "iterations_at_paper_scale",
            "scale",
            "step",
            "iterations",
        ],
    );
    let real = |x: Option<f64>| x.map_or_else(String::new, |x| format!("{x:e}"));
    let (mut scales, mut counts) = (vec![], vec![]);
    let mut numbers = vec![];
    for row in rows {
        let Case { depth, width, samples } = row.case;
        let mut cells = vec![depth.to_string(), width.to_string(), samples.to_string()];
        let values = [
            row.paper_smallest,
            row.sharp_smallest,
            row.paper.scale,
            row.paper.step,
            row.paper.iterations,
            row.at_its_scale.step,
            row.at_its_scale.iterations,
            row.sharp.scale,
            row.sharp.step,
            row.sharp.iterations,
        ];
        cells.extend(values.map(real));
        sheet.rows.push(cells);
        let name = format!("L = {depth}, width {width}, n = {samples}");
        let smaller = ratio(row.paper_smallest, row.sharp_smallest);
        scales.push([name.clone(), short(row.paper_smallest), short(row.sharp_smallest), short(smaller)].to_vec());
        let faster = ratio(row.paper.iterations, row.at_its_scale.iterations);
        let larger = ratio(row.at_its_scale.step, row.paper.step);
        counts.push(vec![
            name,
            short(row.paper.scale),
            short(row.paper.iterations),
            short(row.at_its_scale.iterations),
            short(faster),
            short(larger),
            short(row.sharp.iterations),
        ]);
        numbers.push((format!("{depth}/{width}/{samples}/scale ratio"), smaller.unwrap_or(f64::NAN)));
        numbers.push((format!("{depth}/{width}/{samples}/iteration ratio"), faster.unwrap_or(f64::NAN)));
    }
    let extremes = |name: &str| {
        let of: Vec<f64> = numbers
            .iter()
            .filter(|(n, x): &&(String, f64)| n.ends_with(name) && x.is_finite())
            .map(|(_, x)| *x)
            .collect();
        let (low, high) = of.iter().fold((f64::INFINITY, 0f64), |(low, high), &x| (low.min(x), high.max(x)));
        format!("{} to {} in {} of {} cases", number(low), number(high), of.len(), rows.len())
    };
    let findings = vec![
        format!("smallest certified A, the paper's over ours: {}", extremes("scale ratio")),
        format!("certified iterations at the paper's A, the paper's over ours: {}", extremes("iteration ratio")),
    ];
    let table = |caption: &str, columns: &[&str], rows| ArticleTable {
        caption: caption.to_owned(),
        columns: columns.iter().map(|c| (*c).to_owned()).collect(),
        rows,
    };
    let tables = vec![
        table("Smallest certified output scale", &["network and data", "paper's A*", "ours", "ratio"], scales),
        table(
            "Certified iterations",
            &[
                "network and data",
                "A of the paper's best",
                "paper's",
                "ours at this A",
                "ratio",
                "step ratio",
                "ours at our A",
            ],
            counts,
        ),
    ];
    let paragraphs = vec![
        "The theorem asks for a last layer with entries above A*; the paper gives A*, and a step from bounds of all partial \
         derivatives. They were not meant to be sharp. Ours bound the same quantities more closely and use another argument \
         for the step."
            .to_owned(),
        "The paper's best A is the smallest within 10 % of its fewest certified iterations, on a grid of twenty values per \
         decade; hidden entries are the best of 1, 2, 4 and 8 over the width for both."
            .to_owned(),
    ];
    let section = ArticleSection { heading: "Constants".to_owned(), paragraphs, charts: charts(rows), tables };
    let article = Article {
        title: "The paper's explicit constants and ours".to_owned(),
        lead:
            "Smallest output scale, step size and certified iterations by the original constants and by sharper bounds."
                .to_owned(),
        sections: vec![section],
        ..Article::default()
    };
    ItemOutcome { article, sheets: vec![sheet], findings, numbers }
}

/// Smallest scale and iterations against the number of samples, for the first width, by depth.
fn charts(rows: &[Row]) -> Vec<Chart> {
    let chart = |id: &str, label: &str, caption: &str, value: &dyn Fn(&Row) -> [Option<f64>; 2]| {
        let mut depths: Vec<usize> = rows.iter().map(|r| r.case.depth).collect();
        depths.dedup();
        let width = rows.first().map_or(0, |r| r.case.width);
        let mut curves = vec![];
        for (k, &depth) in depths.iter().enumerate() {
            let of = rows.iter().filter(|r| r.case.depth == depth && r.case.width == width);
            let (mut paper, mut ours) = (vec![], vec![]);
            for row in of {
                let [a, b] = value(row);
                paper.extend(a.map(|a| (row.case.samples as f64, a)));
                ours.extend(b.map(|b| (row.case.samples as f64, b)));
            }
            for (points, dashed, who) in [(paper, true, "paper"), (ours, false, "ours")] {
                curves.push(Curve {
                    name: format!("{who}, L = {depth}"),
                    points,
                    band: vec![],
                    dashed,
                    dots: false,
                    colour: Colour::Distinct(k as u8),
                });
            }
        }
        let axis = |label: &str| ChartAxis { label: label.to_owned(), logarithmic: true, limits: None };
        Chart {
            id: id.to_owned(),
            title: caption.to_owned(),
            description: format!("{label} against the number of samples, both on logarithmic scales."),
            caption: format!("{caption}, width {width}. Dashed: the paper's."),
            x: axis("samples n"),
            y: axis(label),
            curves,
        }
    };
    vec![
        chart("constants-scale", "smallest certified A", "Smallest certified output scale", &|r| {
            [r.paper_smallest, r.sharp_smallest]
        }),
        chart(
            "constants-iterations",
            "certified iterations",
            "Certified iterations at the paper's output scale",
            &|r| [r.paper.iterations, r.at_its_scale.iterations],
        ),
    ]
}
