//! `|H(0) - H|` over the width: Lemma 3.1 says `m^{-1/2}`.

use super::data::{extremes, limit_kernel, norm, sphere};
use super::settings::Settings;
use super::store::kept;
use crate::bench::{Bench, PaperError};
use crate::outcome::{ItemOutcome, Sheet};
use faer::Mat;
use gradcert::relu::patterns::Patterns;
use gradcert::relu::start::Start;
use gradcert::sweep::Progress;
use gradcert_report::article::{Article, ArticleSection, Chart, ChartAxis, Colour, Curve};

/// The least-squares slope of log y against log x.
fn slope(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let mean = |f: &dyn Fn(&(f64, f64)) -> f64| logs.iter().map(f).sum::<f64>() / logs.len() as f64;
    let (x, y) = (mean(&|p| p.0), mean(&|p| p.1));
    mean(&|p| (p.0 - x) * (p.1 - y)) / mean(&|p| (p.0 - x).powi(2))
}

fn distance(x: &Mat<f64>, gram: &Mat<f64>, limit: &Mat<f64>, width: usize, seed: u64) -> (f64, f64) {
    let start = Start::draw(width, x.ncols(), false, seed);
    let kernel = Patterns::of(&(x * start.weights())).kernel(gram, width);
    (norm(&(&kernel - limit)), extremes(&kernel).0)
}

pub(crate) fn limit(settings: &Settings, bench: &Bench<'_>) -> Result<ItemOutcome, PaperError> {
    let (x, _) = sphere(settings.samples, settings.features, settings.seed);
    let (gram, limit) = (&x * x.transpose(), limit_kernel(&x));
    let lambda_0 = extremes(&limit).0;
    let mut sheet = Sheet::new("du2018-limit", &["width", "seed", "distance", "lmin"]);
    let (mut means, mut lmins) = (vec![], vec![]);
    for (index, &width) in settings.limit_widths.iter().enumerate() {
        (bench.progress)("limit", Progress { runs: settings.limit_widths.len(), finished: index });
        let name = format!("limit-{}-m{width}-x{}", settings.experiment(), settings.limit_draws);
        let draws = kept(bench, &name, || {
            let one = |seed: u64| distance(&x, &gram, &limit, width, settings.seed.wrapping_add(seed));
            (0..settings.limit_draws).map(one).map(|(distance, lmin)| vec![distance, lmin]).collect()
        })?;
        let mean = |column: usize| draws.iter().map(|row| row[column]).sum::<f64>() / draws.len() as f64;
        means.push((width as f64, mean(0)));
        lmins.push((width as f64, mean(1)));
        let row = |(seed, row): (usize, &Vec<f64>)| {
            vec![width.to_string(), seed.to_string(), format!("{:e}", row[0]), format!("{:e}", row[1])]
        };
        sheet.rows.extend(draws.iter().enumerate().map(row));
    }
    let found = slope(&means);
    let through = means[means.len() - 1];
    let half = means.iter().map(|&(m, _)| (m, through.1 * (through.0 / m).sqrt())).collect();
    let curve = |name: &str, points, dashed, colour| Curve {
        name: name.to_owned(),
        points,
        band: vec![],
        dashed,
        dots: false,
        colour,
    };
    let level = lmins.iter().map(|&(m, _)| (m, lambda_0)).collect();
    let chart = |id: &str, caption: &str, logarithmic, curves| Chart {
        id: format!("du2018-{id}"),
        title: caption.to_owned(),
        description: format!("{caption}, over the width."),
        caption: caption.to_owned(),
        x: ChartAxis { label: "width m".to_owned(), logarithmic: true, limits: None },
        y: ChartAxis { label: "mean over draws".to_owned(), logarithmic, limits: None },
        curves,
    };
    let distances = vec![
        curve("|H(0) - H|", means.clone(), false, Colour::Distinct(0)),
        curve("slope -1/2", half, true, Colour::Plain),
    ];
    let smallest = vec![
        curve("lmin(H(0))", lmins.clone(), false, Colour::Distinct(0)),
        curve("lmin(H)", level, true, Colour::Plain),
    ];
    let section = ArticleSection {
        heading: "Over the width".to_owned(),
        charts: vec![
            chart("limit-distance", "Distance of the kernel at the start from its limit", true, distances),
            chart("limit-lmin", "Its smallest eigenvalue", false, smallest),
        ],
        ..ArticleSection::default()
    };
    let article = Article {
        title: "Du et al. 2018: the kernel at the start against its limit".to_owned(),
        lead: format!("The distance falls with the slope {found:.3} in logarithmic axes; Lemma 3.1 has -1/2."),
        sections: vec![section],
        ..Article::default()
    };
    let findings = vec![
        format!("slope of |H(0) - H| over the width: {found:.3} (Lemma 3.1: -0.5)"),
        format!(
            "limit kernel: smallest eigenvalue {lambda_0:.4}; at m = {}: {:.4}",
            through.0,
            lmins[lmins.len() - 1].1
        ),
    ];
    let numbers = vec![
        ("slope".to_owned(), found),
        ("lambda_0".to_owned(), lambda_0),
        ("distance".to_owned(), through.1),
        ("lmin".to_owned(), lmins[lmins.len() - 1].1),
    ];
    Ok(ItemOutcome { article, sheets: vec![sheet], findings, numbers })
}
