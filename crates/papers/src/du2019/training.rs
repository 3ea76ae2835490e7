//! Training all layers by gradient descent: residual against plain networks, over depth.

use super::pages::{by_architecture, chart, curve, section, table};
use super::{Architecture, Settings, kernel_of, no_network};
use crate::bench::{Bench, PaperError};
use crate::du2018::store::{Rows, kept_in};
use crate::du2018::{extremes, norm, sphere};
use crate::outcome::{ItemOutcome, Sheet};
use gradcert::kernel::limit::limit_kernel;
use gradcert::network::wide::{WideNetwork, WideShape, WideTraining};
use gradcert::sweep::Progress;
use gradcert_report::article::{Article, Colour};

/// Columns of a record: one row per iteration, NaN where there is no spectrum; the step is in every row.
const COLUMNS: [&str; 6] = ["iteration", "loss", "lmin_last_layer", "lmin", "kernel_movement", "step"];
const LOSS: usize = 1;
const LAST: usize = 2;
const LMIN: usize = 3;
const MOVED: usize = 4;
const STEP: usize = 5;

/// The step is `settings.step / lmax(G(0))`, G the kernel of all layers: no network is favoured by its scale.
fn run(settings: &Settings, shape: WideShape) -> Rows {
    let par = faer::get_global_parallelism();
    let (x, y) = sphere(settings.samples, settings.features, settings.seed);
    let mut training = WideTraining::new(WideNetwork::draw(shape, settings.seed), &x, &y, par);
    let start = training.passes().whole_kernel(par);
    let size = norm(&start);
    let step = settings.step / extremes(&start).1;
    let mut rows = vec![];
    for iteration in 0..=settings.epochs {
        if iteration > 0 {
            training.step(step);
        }
        let (mut last, mut lmin, mut moved) = (f64::NAN, f64::NAN, f64::NAN);
        if iteration % settings.every == 0 || iteration == settings.epochs {
            last = extremes(&training.passes().kernel(shape.depth, par)).0;
            let whole = training.passes().whole_kernel(par);
            lmin = extremes(&whole).0;
            moved = norm(&(whole - &start)) / size;
        }
        rows.push(vec![iteration as f64, training.loss(), last, lmin, moved, step]);
    }
    rows
}

/// The mean factor of the loss per iteration over the second half of the run.
fn late_factor(rows: &Rows) -> f64 {
    let (half, last) = (rows.len() / 2, rows.len() - 1);
    (rows[last][LOSS] / rows[half][LOSS]).powf(1.0 / (last - half) as f64)
}

/// A finished run.
struct Done {
    architecture: Architecture,
    depth: usize,
    rows: Rows,
    /// `1 - step lmin(K^(H)) / 2`.
    promised: f64,
}

fn runs(settings: &Settings, bench: &Bench<'_>) -> Result<Vec<Done>, PaperError> {
    let (x, _) = sphere(settings.samples, settings.features, settings.seed);
    let mut done = vec![];
    for architecture in Architecture::ALL {
        for &depth in &settings.trained_depths {
            let total = Architecture::ALL.len() * settings.trained_depths.len();
            (bench.progress)("training", Progress { runs: total, finished: done.len() });
            let kernel = kernel_of(architecture, settings, depth);
            let shape = WideShape::of(kernel, settings.trained_width, settings.features).map_err(|e| no_network(&e))?;
            let Some(shape) = shape else { continue };
            let record = format!(
                "training-{}-{}-H{depth}-m{}-e{}-k{}-t{:?}",
                settings.experiment(),
                architecture.name(),
                settings.trained_width,
                settings.epochs,
                settings.every,
                settings.step
            );
            let rows = kept_in(bench, "du2019", &record, || run(settings, shape))?;
            let limit = limit_kernel(kernel, &x).map_err(|e| no_network(&e))?.matrix;
            let promised = 1.0 - 0.5 * rows[0][STEP] * extremes(&limit).0;
            done.push(Done { architecture, depth, rows, promised });
        }
    }
    Ok(done)
}

fn column(rows: &Rows, column: usize) -> Vec<(f64, f64)> {
    rows.iter().filter(|row| row[column].is_finite()).map(|row| (row[0], row[column])).collect()
}

pub(crate) fn training(settings: &Settings, bench: &Bench<'_>) -> Result<ItemOutcome, PaperError> {
    let done = runs(settings, bench)?;
    let mut sheet = Sheet::new("du2019-training", &[&["network", "depth"], &COLUMNS[..]].concat());
    let (mut cells, mut findings, mut numbers) = (vec![], vec![], vec![]);
    for one in &done {
        let (name, last) = (one.architecture.name(), &one.rows[one.rows.len() - 1]);
        let factor = late_factor(&one.rows);
        let head = || vec![name.to_owned(), one.depth.to_string()];
        sheet.rows.extend(one.rows.iter().map(|r| [head(), r.iter().map(|v| format!("{v:e}")).collect()].concat()));
        let start = &one.rows[0];
        let values = [start[STEP], start[LOSS], last[LOSS], start[LMIN], start[LAST], last[MOVED]];
        let rates = [factor, one.promised].map(|v| format!("{v:.6}")).to_vec();
        cells.push([head(), values.iter().map(|v| format!("{v:.3e}")).collect(), rates].concat());
        findings.push(format!(
            "{name}, H = {}: loss {:.2e} to {:.2e}, lmin(G(0)) {:.3e}, kernel moved by {:.1} %, loss times {factor:.5} per iteration (theorem: {:.7})",
            one.depth, start[LOSS], last[LOSS], start[LMIN], 100.0 * last[MOVED], one.promised
        ));
        for (key, value) in [
            ("loss_start", start[LOSS]),
            ("loss", last[LOSS]),
            ("factor", factor),
            ("promised", one.promised),
            ("lmin", start[LMIN]),
        ] {
            numbers.push((format!("{key}-{name}-{}", one.depth), value));
        }
    }
    let losses = Architecture::ALL.map(|architecture| {
        let own: Vec<&Done> = done.iter().filter(|d| d.architecture == architecture).collect();
        let curves = own.iter().enumerate().map(|(k, d)| {
            let colour = Colour::Ordered((7 * k / own.len().max(2)) as u8);
            curve(&format!("H = {}", d.depth), column(&d.rows, LOSS), false, colour)
        });
        let caption = format!("Training loss of {}", architecture.name());
        let id = format!("loss-{}", architecture.name());
        chart(&id, &caption, ("iteration", false), "loss", curves.collect())
    });
    let over_depth = |value: &dyn Fn(&Done) -> f64| {
        let points = |architecture| -> Vec<(f64, f64)> {
            done.iter().filter(|d| d.architecture == architecture).map(|d| (d.depth as f64, value(d))).collect()
        };
        by_architecture(&Architecture::ALL.map(|architecture| (architecture, points(architecture))))
    };
    let depth = ("depth H", true);
    let spectra = vec![
        chart("lmin-start", "lmin(G(0)), all layers", depth, "lmin", over_depth(&|d| d.rows[0][LMIN])),
        chart(
            "condition",
            "step lmin(G(0)): the share of the slowest residual a step removes",
            depth,
            "step lmin",
            over_depth(&|d| d.rows[0][STEP] * d.rows[0][LMIN]),
        ),
    ];
    let columns = [
        "network",
        "H",
        "step",
        "loss at the start",
        "loss at the end",
        "lmin(G(0))",
        "lmin(G^(H)(0))",
        "|G - G(0)|/|G(0)|",
        "factor",
        "theorem's",
    ];
    let article = Article {
        title: "Du et al. 2019: training residual and plain networks of several depths".to_owned(),
        lead: "The paper says that skip connections soften the dependence on depth.".to_owned(),
        sections: vec![
            section(
                "Training",
                "All layers, loss |f(X) - y|^2 / 2, step a fixed multiple of 1 / lmax(G(0)) for each network.",
                losses.to_vec(),
                vec![table(
                    "Factors are of the loss per iteration: observed in the second half, and 1 - step lmin(K^(H)) / 2",
                    &columns,
                    cells,
                )],
            ),
            section(
                "Kernels",
                "G is the tangent kernel of all layers, G^(H) that of the last hidden layer's weights.",
                spectra,
                vec![],
            ),
        ],
        ..Article::default()
    };
    Ok(ItemOutcome { article, sheets: vec![sheet], findings, numbers })
}
