//! One self-contained HTML page about a certified training run.
//!
//! The caller fills a [`Report`] with plain numbers and text; [`Report::to_html`] renders it and
//! [`Report::figures`] exports its plots as standalone SVG files. The page needs no network, no script and no fonts
//! beyond those of the reader's machine, and is the same byte for byte whenever the [`Report`] is the same.
//!
//! This crate proves nothing. It only displays what others proved, and takes care not to overstate it: a lower bound
//! is shown rounded down, an upper bound rounded up (see [`number`]), and what a certificate does *not* say is on the
//! page whether the caller lists it or not.

pub mod article;
pub mod model;
pub mod number;
mod page;
mod plots;
#[cfg(feature = "png")]
mod raster;
mod svg;
mod wording;

pub use model::*;
#[cfg(feature = "png")]
pub use raster::PngError;
pub use svg::map;

/// The page could not be rendered.
#[derive(Debug, thiserror::Error)]
#[error("report-template: the report could not be rendered: {0}")]
pub struct RenderError(#[from] askama::Error);

/// One plot as a file of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureFile {
    /// A file name made of ASCII letters, digits, `-` and `.` alone, unique within the report.
    pub name: String,
    /// The SVG document, with its own light and dark colours.
    pub svg: String,
}

impl Report {
    /// The page as HTML.
    ///
    /// # Errors
    /// [`RenderError`] if the template engine fails; no content of the report is known to make it fail.
    pub fn to_html(&self) -> Result<String, RenderError> {
        page::render(self)
    }

    /// Every plot of the page as a standalone SVG document, in the order of the page.
    pub fn figures(&self) -> Vec<FigureFile> {
        let of_problem = |(index, problem): (usize, &Problem)| {
            plots::of_problem(problem, index + 1)
                .into_iter()
                .map(|figure| FigureFile { name: format!("{}.svg", figure.id), svg: figure.image.standalone() })
                .collect::<Vec<_>>()
        };
        self.problems.iter().enumerate().flat_map(of_problem).collect()
    }
}
