//! Parts of the pages.

use super::Architecture;
use gradcert_report::article::{ArticleSection, ArticleTable, Chart, ChartAxis, Colour, Curve};

/// The least-squares slope of log y against log x.
pub(crate) fn slope(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let mean = |f: &dyn Fn(&(f64, f64)) -> f64| logs.iter().map(f).sum::<f64>() / logs.len() as f64;
    let (x, y) = (mean(&|p| p.0), mean(&|p| p.1));
    mean(&|p| (p.0 - x) * (p.1 - y)) / mean(&|p| (p.0 - x).powi(2))
}

pub(crate) fn curve(name: &str, points: Vec<(f64, f64)>, dashed: bool, colour: Colour) -> Curve {
    Curve { name: name.to_owned(), points, band: vec![], dashed, dots: false, colour }
}

/// Points of a curve.
pub(crate) type Points = Vec<(f64, f64)>;

/// One curve per architecture.
pub(crate) fn by_architecture(points: &[(Architecture, Points)]) -> Vec<Curve> {
    let one = |(k, (architecture, points)): (usize, &(Architecture, Points))| {
        curve(architecture.name(), points.clone(), false, Colour::Distinct(k as u8))
    };
    points.iter().enumerate().map(one).collect()
}

/// x: label and whether it is logarithmic; y is always.
pub(crate) fn chart(id: &str, caption: &str, x: (&str, bool), y: &str, curves: Vec<Curve>) -> Chart {
    let axis = |label: &str, logarithmic| ChartAxis { label: label.to_owned(), logarithmic, limits: None };
    Chart {
        id: format!("du2019-{id}"),
        title: caption.to_owned(),
        description: format!("{caption}, over: {}.", x.0),
        caption: caption.to_owned(),
        x: axis(x.0, x.1),
        y: axis(y, true),
        curves,
    }
}

pub(crate) fn table(caption: &str, columns: &[&str], rows: Vec<Vec<String>>) -> ArticleTable {
    let columns = columns.iter().map(|c| (*c).to_owned()).collect();
    ArticleTable { caption: caption.to_owned(), columns, rows }
}

pub(crate) fn section(heading: &str, paragraph: &str, charts: Vec<Chart>, tables: Vec<ArticleTable>) -> ArticleSection {
    ArticleSection { heading: heading.to_owned(), paragraphs: vec![paragraph.to_owned()], charts, tables }
}
