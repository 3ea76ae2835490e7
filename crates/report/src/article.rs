//! A page about an experiment: settings, figures, tables, and what they say.
//!
//! [`Article::to_html`] renders a self-contained page; [`Chart::svg`] and [`Chart::png`] give one figure as a file. The
//! page, like that of a run, loads nothing and runs nothing.

use crate::RenderError;
use crate::svg::{self, Axis, Image, Ink, Plot, Scale, Series, Shape};
use askama::Template;

/// The colour of a curve. All are told apart by colour-blind readers and read in light, dark and print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// One of eight without an order.
    Distinct(u8),
    /// One of eight in an order, 0 to 7.
    Ordered(u8),
    /// That of axes: for what is asked for.
    Plain,
}

/// One axis of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct ChartAxis {
    /// What is measured.
    pub label: String,
    /// Powers of ten instead of a linear scale; values that are not positive are not shown.
    pub logarithmic: bool,
    /// The range; that of all values by default. A linear axis always shows 0.
    pub limits: Option<(f64, f64)>,
}

/// A curve with a band around it.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Its name in the legend.
    pub name: String,
    /// Its points, by increasing x.
    pub points: Vec<(f64, f64)>,
    /// `(x, low, high)`, shaded; may be empty.
    pub band: Vec<(f64, f64, f64)>,
    /// In dashes: what is proved or predicted, beside what is measured.
    pub dashed: bool,
    /// Points alone, not joined.
    pub dots: bool,
    /// Its colour.
    pub colour: Colour,
}

/// A figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Unique within a page; ASCII letters, digits and `-`.
    pub id: String,
    /// The title for readers who cannot see the figure.
    pub title: String,
    /// What it shows, in a sentence, for the same readers.
    pub description: String,
    /// What is written below it.
    pub caption: String,
    /// The horizontal axis.
    pub x: ChartAxis,
    /// The vertical axis.
    pub y: ChartAxis,
    /// The curves; later ones lie above.
    pub curves: Vec<Curve>,
}

/// A table of texts. The first column names the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArticleTable {
    /// What it shows.
    pub caption: String,
    /// The heads of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

/// A part of a page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ArticleSection {
    /// Its heading.
    pub heading: String,
    /// What is said.
    pub paragraphs: Vec<String>,
    /// Figures.
    pub charts: Vec<Chart>,
    /// Tables.
    pub tables: Vec<ArticleTable>,
}

/// A page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Article {
    /// The title.
    pub title: String,
    /// What it is about.
    pub lead: String,
    /// Every setting with its value.
    pub settings: Vec<(String, String)>,
    /// What a reader must know about the settings.
    pub remark: String,
    /// The parts.
    pub sections: Vec<ArticleSection>,
    /// The command that makes the page.
    pub command: String,
    /// Name and version of the program.
    pub producer: String,
}

impl Chart {
    fn image(&self) -> Option<Image> {
        let points = || self.curves.iter().flat_map(|c| c.points.iter().copied());
        let bands = || self.curves.iter().flat_map(|c| c.band.iter().flat_map(|&(x, low, high)| [(x, low), (x, high)]));
        let all: Vec<(f64, f64)> = points().chain(bands()).collect();
        let x = axis(&self.x, all.iter().map(|p| p.0))?;
        let y = axis(&self.y, all.iter().map(|p| p.1))?;
        let series = self.curves.iter().map(series).collect();
        let (id, title, description) = (&self.id, &self.title, &self.description);
        Some(Plot { id, title, description, x, y, series, rules: vec![] }.draw())
    }

    /// The figure as an SVG document with its own light and dark colours; empty if no value can be shown.
    pub fn svg(&self) -> String {
        self.image().map_or_else(String::new, |image| image.standalone())
    }

    /// The figure as a PNG file with `scale` pixels per unit (the figure is 380 units wide), in light colours.
    ///
    /// # Errors
    /// [`PngError`](crate::PngError) if no value can be shown or the size is no image's.
    #[cfg(feature = "png")]
    pub fn png(&self, scale: f64) -> Result<Vec<u8>, crate::PngError> {
        crate::raster::png(&self.image().ok_or(crate::PngError::Size)?, scale)
    }
}

fn axis(of: &ChartAxis, values: impl Iterator<Item = f64>) -> Option<Axis> {
    let scale = if of.logarithmic { Scale::Log } else { Scale::Linear };
    match of.limits {
        Some((low, high)) => Axis::between(&of.label, scale, low, high),
        None => Axis::over(&of.label, scale, values),
    }
}

fn series(curve: &Curve) -> Series {
    Series {
        name: curve.name.clone(),
        shape: if curve.dots { Shape::Dots } else { Shape::Line },
        ink: match curve.colour {
            Colour::Distinct(k) => Ink::Distinct(k),
            Colour::Ordered(k) => Ink::Ordered(k),
            Colour::Plain => Ink::Distinct(6),
        },
        points: curve.points.clone(),
        shade_to: None,
        band: curve.band.clone(),
        dashed: curve.dashed,
    }
}

/// A figure ready for the page.
struct FigureView<'a> {
    svg: String,
    caption: &'a str,
}

struct SectionView<'a> {
    section: &'a ArticleSection,
    figures: Vec<FigureView<'a>>,
}

impl SectionView<'_> {
    fn new(section: &ArticleSection) -> SectionView<'_> {
        let figures = section.charts.iter().filter_map(|chart| {
            let svg = chart.image()?.inline();
            Some(FigureView { svg, caption: &chart.caption })
        });
        SectionView { section, figures: figures.collect() }
    }
}

#[derive(Template)]
#[template(path = "article.html")]
struct Page<'a> {
    article: &'a Article,
    style: String,
    sections: Vec<SectionView<'a>>,
}

impl Article {
    /// The page as HTML.
    ///
    /// # Errors
    /// [`RenderError`] if the template engine fails; no content is known to make it fail.
    pub fn to_html(&self) -> Result<String, RenderError> {
        let page = Page {
            article: self,
            style: format!("{}\n{}\n{}", svg::COLOURS, include_str!("../templates/page.css"), svg::STYLE),
            sections: self.sections.iter().map(SectionView::new).collect(),
        };
        Ok(page.render()?)
    }
}
