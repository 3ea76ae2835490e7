//! Section 5: training error, changed patterns and the largest movement by epoch; beyond it, the spectrum of the kernel.

use super::data::{extremes, limit_kernel, norm, sphere};
use super::settings::Settings;
use super::store::{Rows, kept};
use crate::bench::{Bench, PaperError};
use crate::outcome::{ItemOutcome, Sheet};
use gradcert::relu::descent::{Trained, Training};
use gradcert::relu::start::Start;
use gradcert::sweep::Progress;
use gradcert_report::article::{Article, ArticleSection, ArticleTable, Chart, ChartAxis, Colour, Curve};

/// Columns of a record: one row per epoch, NaN where there is no spectrum.
const COLUMNS: [&str; 7] =
    ["epoch", "training_error", "changed_patterns", "largest_movement", "lmin", "kernel_movement", "lmax"];
const ERROR: usize = 1;
const CHANGED: usize = 2;
const MOVEMENT: usize = 3;
const LMIN: usize = 4;
const KERNEL: usize = 5;

/// The run of one width. The start is that of the paper: independent neurons, fair signs.
fn run(settings: &Settings, width: usize, told: &dyn Fn(usize)) -> Rows {
    let (x, y) = sphere(settings.samples, settings.features, settings.seed);
    let start = Start::draw(width, settings.features, false, settings.seed);
    let mut training = Training::new(&x, &y, &start, Trained::FirstLayer);
    let at_start = training.kernel();
    let mut rows = vec![];
    for epoch in 0..=settings.epochs {
        if epoch > 0 {
            training.step(settings.step);
        }
        let (mut lmin, mut lmax, mut moved) = (f64::NAN, f64::NAN, f64::NAN);
        if epoch % settings.every == 0 || epoch == settings.epochs {
            let kernel = training.kernel();
            (lmin, lmax) = extremes(&kernel);
            moved = norm(&(&kernel - &at_start));
        }
        let (changed, movement) = (training.changed_patterns(), training.largest_movement());
        rows.push(vec![epoch as f64, 0.5 * training.squared_residual(), changed, movement, lmin, moved, lmax]);
        told(epoch);
    }
    rows
}

fn curve(name: &str, colour: Colour, rows: &Rows, column: usize) -> Curve {
    let points = rows.iter().filter(|row| row[column].is_finite()).map(|row| (row[0], row[column])).collect();
    Curve { name: name.to_owned(), points, band: vec![], dashed: false, dots: false, colour }
}

fn chart(id: &str, title: &str, label: &str, logarithmic: bool, curves: Vec<Curve>) -> Chart {
    let axis = |label: &str, logarithmic| ChartAxis { label: label.to_owned(), logarithmic, limits: None };
    Chart {
        id: format!("du2018-{id}"),
        title: title.to_owned(),
        description: format!("{title} by epoch, one curve per width."),
        caption: title.to_owned(),
        x: axis("epoch", false),
        y: axis(label, logarithmic),
        curves,
    }
}

pub(crate) fn dynamics(settings: &Settings, bench: &Bench<'_>) -> Result<ItemOutcome, PaperError> {
    let mut runs: Vec<(usize, Rows)> = vec![];
    for (index, &width) in settings.widths.iter().enumerate() {
        let total = settings.widths.len() * (settings.epochs + 1);
        let done = index * (settings.epochs + 1);
        let told = |epoch: usize| {
            (bench.progress)(&format!("width {width}"), Progress { runs: total, finished: done + epoch + 1 });
        };
        let name = format!("dynamics-{}-m{width}", settings.experiment());
        runs.push((width, kept(bench, &name, || run(settings, width, &told))?));
    }
    let (x, _) = sphere(settings.samples, settings.features, settings.seed);
    let (lambda_0, lambda_max) = extremes(&limit_kernel(&x));
    Ok(outcome(settings, &runs, lambda_0, lambda_max))
}

/// `error_0 (1 - step lambda_0 / 2)^k`: Theorem 4.1.
fn theorem_curve(settings: &Settings, rows: &Rows, lambda_0: f64) -> Curve {
    let factor = 1.0 - 0.5 * settings.step * lambda_0;
    let points = rows.iter().map(|row| (row[0], rows[0][ERROR] * factor.powf(row[0]))).collect();
    let name = "theorem's rate".to_owned();
    Curve { name, points, band: vec![], dashed: true, dots: false, colour: Colour::Plain }
}

/// The mean factor of the training error per epoch over the second half of the run.
fn late_factor(rows: &Rows) -> f64 {
    let (half, last) = (rows.len() / 2, rows.len() - 1);
    (rows[last][ERROR] / rows[half][ERROR]).powf(1.0 / (last - half) as f64)
}

fn outcome(settings: &Settings, runs: &[(usize, Rows)], lambda_0: f64, lambda_max: f64) -> ItemOutcome {
    let curves = |column: usize| -> Vec<Curve> {
        let shown = |(k, (width, rows)): (usize, &(usize, Rows))| {
            curve(&format!("m = {width}"), Colour::Ordered((7 * k / runs.len().max(2)) as u8), rows, column)
        };
        runs.iter().enumerate().map(shown).collect()
    };
    let mut errors = curves(ERROR);
    errors.extend(runs.first().map(|(_, rows)| theorem_curve(settings, rows, lambda_0)));
    let paper = vec![
        chart("error", "Training error |rho|^2 / 2 (the paper's first figure)", "training error", true, errors),
        chart("patterns", "Share of changed patterns (the second)", "changed patterns", false, curves(CHANGED)),
        chart(
            "movement",
            "Largest distance of a neuron from its start (the third)",
            "distance",
            false,
            curves(MOVEMENT),
        ),
    ];
    let beyond = vec![
        chart("lmin", "Smallest eigenvalue of the tangent kernel H(k)", "smallest eigenvalue", false, curves(LMIN)),
        chart("kernel", "Distance |H(k) - H(0)|", "distance", false, curves(KERNEL)),
    ];
    let (mut rows, mut numbers, mut findings) = (vec![], vec![], vec![]);
    let mut sheet = Sheet::new("du2018-dynamics", &[&["width"], &COLUMNS[..]].concat());
    for (width, record) in runs {
        let last = &record[record.len() - 1];
        let smallest = record.iter().map(|row| row[LMIN]).filter(|x| x.is_finite()).fold(f64::INFINITY, f64::min);
        let factor = late_factor(record);
        let cells = [last[ERROR], last[CHANGED], last[MOVEMENT], record[0][LMIN], smallest, last[KERNEL], factor];
        rows.push([vec![width.to_string()], cells.iter().map(|x| format!("{x:.4e}")).collect()].concat());
        for (name, value) in
            ["error", "changed", "movement", "lmin_start", "lmin", "kernel", "factor"].iter().zip(cells)
        {
            numbers.push((format!("{name}-{width}"), value));
        }
        let own = |row: &Vec<f64>| [vec![width.to_string()], row.iter().map(|x| format!("{x:e}")).collect()].concat();
        sheet.rows.extend(record.iter().map(own));
    }
    numbers.extend([("lambda_0".to_owned(), lambda_0), ("lambda_max".to_owned(), lambda_max)]);
    let promised = 1.0 - 0.5 * settings.step * lambda_0;
    numbers.push(("theorem_factor".to_owned(), promised));
    findings.push(format!("limit kernel: smallest eigenvalue {lambda_0:.4}, largest {lambda_max:.4}"));
    for (width, record) in runs {
        let last = &record[record.len() - 1];
        findings.push(format!(
            "m = {width}: error {:.2e}, {:.2} % of the patterns changed, movement {:.3}, error times {:.4} per epoch (theorem: {promised:.4})",
            last[ERROR],
            100.0 * last[CHANGED],
            last[MOVEMENT],
            late_factor(record)
        ));
    }
    let columns =
        ["width m", "error", "changed", "movement", "lmin(H(0))", "min lmin(H(k))", "|H(k) - H(0)|", "factor"];
    let table = ArticleTable {
        caption: "After the last epoch; the factor is the mean one of the error per epoch in the second half"
            .to_owned(),
        columns: columns.map(str::to_owned).to_vec(),
        rows,
    };
    let section = |heading: &str, paragraphs: Vec<String>, charts, tables| ArticleSection {
        heading: heading.to_owned(),
        paragraphs,
        charts,
        tables,
    };
    let rate = format!(
        "The theorem promises |rho|^2 to shrink by 1 - step lambda_0 / 2 = {promised:.4} per epoch, for widths no computer holds. \
         lambda_0 = {lambda_0:.4} is that of the limit kernel of these samples."
    );
    let article = Article {
        title: "Du et al. 2018: training two-layer ReLU networks of five widths".to_owned(),
        lead: "Wider networks change fewer patterns and move less; the smallest eigenvalue of the kernel stays."
            .to_owned(),
        sections: vec![
            section("The paper's figures", vec![rate], paper, vec![]),
            section("The kernel", vec![], beyond, vec![table]),
        ],
        ..Article::default()
    };
    ItemOutcome { article, sheets: vec![sheet], findings, numbers }
}
