//! What reproducing one item of a paper gives.

use crate::bench::PaperError;
use gradcert_report::article::{Article, Chart};

/// A table for a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Name of the file, without extension.
    pub name: String,
    /// Heads of the columns.
    pub columns: Vec<String>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<String>>,
}

impl Sheet {
    /// An empty table.
    pub fn new(name: &str, columns: &[&str]) -> Sheet {
        Sheet { name: name.to_owned(), columns: columns.iter().map(|c| (*c).to_owned()).collect(), rows: vec![] }
    }

    /// As CSV.
    ///
    /// # Errors
    /// None with rows of the right length.
    pub fn csv(&self) -> Result<Vec<u8>, PaperError> {
        let mut writer = csv::Writer::from_writer(vec![]);
        for row in std::iter::once(&self.columns).chain(&self.rows) {
            writer.write_record(row).map_err(|e| PaperError::Table(e.to_string()))?;
        }
        writer.into_inner().map_err(|e| PaperError::Table(e.to_string()))
    }
}

/// Everything about one item.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ItemOutcome {
    /// The page.
    pub article: Article,
    /// Tables for files.
    pub sheets: Vec<Sheet>,
    /// What was seen, a line each.
    pub findings: Vec<String>,
    /// Numbers by name, for programs and tests.
    pub numbers: Vec<(String, f64)>,
}

impl ItemOutcome {
    /// All figures of the page.
    pub fn charts(&self) -> impl Iterator<Item = &Chart> {
        self.article.sections.iter().flat_map(|s| &s.charts)
    }

    /// A number by its name.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.numbers.iter().find(|(n, _)| n == name).map(|(_, x)| *x)
    }
}
