//! `lmin(K^(H))` over the depth H, and the widths that the theorems make of it.

use super::pages::{Points, by_architecture, chart, section, slope, table};
use super::{Architecture, Settings, kernel_of, no_network, theorem_step, theorem_width};
use crate::bench::{Bench, PaperError};
use crate::du2018::{extremes, sphere};
use crate::outcome::{ItemOutcome, Sheet};
use gradcert::kernel::limit::limit_kernel;
use gradcert::sweep::Progress;
use gradcert_report::article::Article;

/// delta of the theorems.
const FAILURE: f64 = 0.1;

/// One kernel.
struct Row {
    architecture: Architecture,
    depth: usize,
    lmin: f64,
    lmax: f64,
    /// What lmin may be off by: n times the estimated error of an entry, and rounding.
    error: f64,
}

impl Row {
    /// Is lmin larger than what it may be off by?
    fn resolved(&self) -> bool {
        self.lmin > self.error
    }
}

fn rows(settings: &Settings, bench: &Bench<'_>) -> Result<Vec<Row>, PaperError> {
    let (x, _) = sphere(settings.samples, settings.features, settings.seed);
    let mut rows = vec![];
    for architecture in Architecture::ALL {
        for (index, &depth) in settings.depths.iter().enumerate() {
            (bench.progress)(architecture.name(), Progress { runs: settings.depths.len(), finished: index });
            if depth < 2 && architecture != Architecture::Plain {
                continue;
            }
            let limit = limit_kernel(kernel_of(architecture, settings, depth), &x).map_err(|e| no_network(&e))?;
            let (lmin, lmax) = extremes(&limit.matrix);
            let n = settings.samples as f64;
            let error = n * (limit.error.unwrap_or(0.0) + 4.0 * f64::EPSILON * lmax);
            rows.push(Row { architecture, depth, lmin, lmax, error });
        }
    }
    Ok(rows)
}

pub(crate) fn depth(settings: &Settings, bench: &Bench<'_>) -> Result<ItemOutcome, PaperError> {
    let rows = rows(settings, bench)?;
    let mut sheet =
        Sheet::new("du2019-depth", &["network", "depth", "lmin", "lmax", "error_estimate", "width", "step"]);
    let (mut cells, mut numbers) = (vec![], vec![]);
    for row in &rows {
        let lambda = row.lmin.max(0.0);
        let width = theorem_width(row.architecture, settings.samples, row.depth, lambda, FAILURE);
        let step = theorem_step(row.architecture, settings.samples, row.depth, lambda);
        let name = row.architecture.name();
        let all = [row.lmin, row.lmax, row.error, width, step];
        sheet.rows.push(
            [name.to_owned(), row.depth.to_string()].into_iter().chain(all.iter().map(|v| format!("{v:e}"))).collect(),
        );
        let shown = |v: f64| if row.resolved() { format!("{v:.2e}") } else { "not resolved".to_owned() };
        let lmin = if row.resolved() { format!("{:.5e}", row.lmin) } else { format!("below {:.0e}", row.error) };
        cells.push(vec![
            name.to_owned(),
            row.depth.to_string(),
            lmin,
            format!("{:.4}", row.lmax),
            shown(width),
            shown(step),
        ]);
        numbers.push((format!("lmin-{name}-{}", row.depth), row.lmin));
    }
    let of = |scale: fn(&Row) -> f64| -> Vec<(Architecture, Points)> {
        let points = |architecture| {
            rows.iter()
                .filter(|r| r.architecture == architecture && r.resolved())
                .map(|r| (r.depth as f64, scale(r)))
                .collect()
        };
        Architecture::ALL.map(|architecture| (architecture, points(architecture))).to_vec()
    };
    let mut findings = vec![];
    let plain = of(|r| r.lmin);
    for (architecture, points) in &plain {
        let name = architecture.name();
        let deep: Vec<(f64, f64)> = points.iter().copied().filter(|p| p.0 >= 2.0).collect();
        if deep.len() > 1 {
            let power = slope(&deep);
            let (first, last) = (deep[0], deep[deep.len() - 1]);
            findings.push(format!(
                "{name}: lmin(K^(H)) = {:.4e} at H = {} and {:.4e} at H = {}, about H^{power:.2}",
                first.1, first.0, last.1, last.0
            ));
            numbers.push((format!("power-{name}"), power));
        }
    }
    let least = rows
        .iter()
        .filter(|r| r.resolved())
        .map(|r| theorem_width(r.architecture, settings.samples, r.depth, r.lmin, FAILURE));
    let least = least.fold(f64::INFINITY, f64::min);
    let vacuous = format!(
        "the theorems ask for widths of {least:.1e} at least here, with every unnamed constant 1: they say nothing about a network that can be run"
    );
    numbers.push(("least_width".to_owned(), least));
    findings.push(vacuous.clone());
    let columns = ["network", "depth H", "lmin(K^(H))", "lmax", "theorem's width", "theorem's step"];
    let curves = by_architecture(&plain);
    let scaled = by_architecture(&of(|r| r.lmin * (r.depth * r.depth) as f64));
    let x = ("depth H", true);
    let article = Article {
        title: "Du et al. 2019: smallest eigenvalues of the limit kernels over depth".to_owned(),
        lead: "Residual layers are multiplied by c_res/H, so that their kernel is small by construction; H^2 lmin shows what depth does beyond that."
            .to_owned(),
        sections: vec![
            section(
                "lmin over depth",
                "K^(H) is the limit of the tangent kernel of the last hidden layer's weights. Values below the estimated error of the kernel are left out.",
                vec![
                    chart("lmin", "Smallest eigenvalue of the limit kernel", x, "lmin", curves),
                    chart("lmin-scaled", "The same times H^2", x, "H^2 lmin", scaled),
                ],
                vec![table("With widths and steps of the theorems, all unnamed constants 1", &columns, cells)],
            ),
            section("The theorems' widths", &vacuous, vec![], vec![]),
        ],
        ..Article::default()
    };
    Ok(ItemOutcome { article, sheets: vec![sheet], findings, numbers })
}
