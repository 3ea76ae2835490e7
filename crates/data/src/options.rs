//! What a reader has to be told.

use std::path::{Path, PathBuf};

/// Which column of a table is the target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TargetColumn {
    /// The last one.
    #[default]
    Last,
    /// The one of this name; if there is none and the text is a number, the one at this zero-based index.
    Column(String),
}

/// Whether the first line of a text table names the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Header {
    /// It does, and a first line of numbers alone is refused, since a sample could be lost.
    #[default]
    Expected,
    /// It does, whatever it holds.
    Present,
    /// It does not.
    Absent,
}

/// Limits against files that are, or declare to be, too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest file that is read, in bytes.
    pub file_bytes: u64,
    /// Largest number of values n * d, of 8 bytes each; what a compressed file may unpack to follows from it.
    pub values: usize,
}

impl Limits {
    /// Bytes a compressed file may unpack to: text needs up to about 25 bytes for one double.
    pub(crate) fn unpacked_bytes(&self) -> u64 {
        (self.values as u64).saturating_mul(25).saturating_add(1 << 20)
    }
}

impl Default for Limits {
    /// 4 GiB of file and 2^27 values (1 GiB).
    fn default() -> Self {
        Self { file_bytes: 1 << 32, values: 1 << 27 }
    }
}

/// How to read a file. The default reads a table with header whose last column is the target, or arrays `X` and `y`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoadOptions {
    /// The target column of a table.
    pub target: TargetColumn,
    /// Columns of a table that are no features, by name or zero-based index.
    pub ignore: Vec<String>,
    /// Whether numeric targets are classes.
    pub labels: bool,
    /// The least number of features of libsvm text, which leaves out features that are zero in every sample.
    pub columns: Option<usize>,
    /// Whether a text table has a header.
    pub header: Header,
    /// The file with the targets of a `.npy` file.
    pub targets_path: Option<PathBuf>,
    /// Size limits.
    pub limits: Limits,
}

/// A format that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// One NumPy array.
    Npy,
    /// A zip archive of NumPy arrays.
    Npz,
    /// Text table, separated by commas (or by semicolons if the first line has no comma).
    Csv,
    /// Text table, separated by tabs.
    Tsv,
    /// `label index:value ...` lines.
    Libsvm,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// The format a file name stands for; a final `.gz` is allowed for the text formats.
    pub fn of_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let (name, packed) = match name.strip_suffix(".gz") {
            Some(inner) => (inner, true),
            None => (name.as_str(), false),
        };
        let format = match name.rsplit_once('.')?.1 {
            "npy" => Self::Npy,
            "npz" => Self::Npz,
            "csv" => Self::Csv,
            "tsv" | "tab" => Self::Tsv,
            "svm" | "libsvm" | "txt" => Self::Libsvm,
            "parquet" | "pq" => Self::Parquet,
            _ => return None,
        };
        let is_text = matches!(format, Self::Csv | Self::Tsv | Self::Libsvm);
        (is_text || !packed).then_some(format)
    }
}
