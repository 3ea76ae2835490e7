//! From a path or bytes to a data set.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::shorten;
#[cfg(feature = "parquet")]
use crate::formats::parquet;
use crate::formats::{delimited, libsvm, npy, npz};
use crate::raw::{Purpose, Raw};
use crate::{DataError, Dataset, Format, Inputs, LoadOptions, TargetColumn};

/// Reads samples and targets from a file; its name tells the format. `X.npy,y.npy` stands for two files, as do a
/// `.npy` file and [`LoadOptions::targets_path`].
///
/// # Errors
/// Every code of [`DataError`] except those of [`crate::validate`].
pub fn load(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Dataset, DataError> {
    let (path, targets_path) = split_pair(path.as_ref());
    let targets_path = targets_path.or_else(|| options.targets_path.clone());
    let format = format_of(&path)?;
    let bytes = read_file(&path, options)?;
    match (format, targets_path) {
        (Format::Npy, Some(targets)) => load_npy_pair(&bytes, &read_file(&targets, options)?, options),
        (_, Some(_)) => {
            Err(DataError::MissingTarget { detail: "a file of targets goes with an .npy file alone".to_owned() })
        }
        (format, None) => load_bytes(&bytes, format, options),
    }
}

/// Reads samples and targets from bytes of a known format.
///
/// # Errors
/// As [`load`]; `missing_target` for [`Format::Npy`], whose targets are in a second file ([`load_npy_pair`]).
pub fn load_bytes(bytes: &[u8], format: Format, options: &LoadOptions) -> Result<Dataset, DataError> {
    if format == Format::Npy {
        let detail = "an .npy file holds one array; give the targets as a second one (X.npy,y.npy)".to_owned();
        return Err(DataError::MissingTarget { detail });
    }
    read(bytes, format, options, Purpose::Train)?.into_dataset(options.labels)
}

/// Reads samples and targets from the bytes of two `.npy` files.
///
/// # Errors
/// As [`load`].
pub fn load_npy_pair(inputs: &[u8], targets: &[u8], options: &LoadOptions) -> Result<Dataset, DataError> {
    let mut raw = read(inputs, Format::Npy, options, Purpose::Train)?;
    raw.targets = Some(npy::Array::read(targets, &options.limits)?.into_targets()?);
    raw.into_dataset(options.labels)
}

/// Reads samples alone. A table's column called `target_name` is left out if it exists; arrays `y` are not read;
/// labels of libsvm text are dropped.
///
/// # Errors
/// As [`load`].
pub fn load_inputs(
    path: impl AsRef<Path>,
    target_name: Option<&str>,
    options: &LoadOptions,
) -> Result<Inputs, DataError> {
    let (path, _) = split_pair(path.as_ref());
    let format = format_of(&path)?;
    load_inputs_bytes(&read_file(&path, options)?, format, target_name, options)
}

/// Reads samples alone from bytes of a known format, see [`load_inputs`].
///
/// # Errors
/// As [`load`].
pub fn load_inputs_bytes(
    bytes: &[u8],
    format: Format,
    target_name: Option<&str>,
    options: &LoadOptions,
) -> Result<Inputs, DataError> {
    read(bytes, format, options, Purpose::Predict { target_name })?.into_inputs()
}

fn read(bytes: &[u8], format: Format, options: &LoadOptions, purpose: Purpose<'_>) -> Result<Raw, DataError> {
    refuse_columns_of_arrays(format, options)?;
    match format {
        Format::Npy => Ok(Raw {
            inputs: npy::Array::read(bytes, &options.limits)?.into_matrix()?,
            column_names: None,
            targets: None,
            target_name: None,
        }),
        Format::Npz => npz::read(bytes, options, purpose),
        Format::Csv => delimited::read(bytes, None, options, purpose),
        Format::Tsv => delimited::read(bytes, Some(b'\t'), options, purpose),
        Format::Libsvm => libsvm::read(bytes, options),
        #[cfg(feature = "parquet")]
        Format::Parquet => parquet::read(bytes, options, purpose),
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => {
            Err(DataError::UnsupportedFormat { path: "a parquet file (built without parquet)".to_owned() })
        }
    }
}

/// Arrays and libsvm text have no columns to choose from; an option that would have no effect is refused.
fn refuse_columns_of_arrays(format: Format, options: &LoadOptions) -> Result<(), DataError> {
    if matches!(format, Format::Csv | Format::Tsv | Format::Parquet) {
        return Ok(());
    }
    let target = match &options.target {
        TargetColumn::Column(name) => Some(name),
        TargetColumn::Last => None,
    };
    match target.into_iter().chain(&options.ignore).next() {
        None => Ok(()),
        Some(name) => Err(DataError::UnknownColumn {
            name: shorten(name, 60),
            known: "those of tables only: this format keeps features and targets apart".to_owned(),
        }),
    }
}

/// `X.npy,y.npy` apart, unless a file of that very name exists.
fn split_pair(path: &Path) -> (PathBuf, Option<PathBuf>) {
    let pair = path.to_str().and_then(|text| text.split_once(".npy,"));
    match pair {
        Some((inputs, targets)) if !path.exists() => (format!("{inputs}.npy").into(), Some(targets.into())),
        _ => (path.to_owned(), None),
    }
}

fn format_of(path: &Path) -> Result<Format, DataError> {
    Format::of_path(path).ok_or_else(|| DataError::UnsupportedFormat { path: path.display().to_string() })
}

fn read_file(path: &Path, options: &LoadOptions) -> Result<Vec<u8>, DataError> {
    let unreadable =
        |error: std::io::Error| DataError::Unreadable { path: path.display().to_string(), reason: error.to_string() };
    let limit = options.limits.file_bytes;
    let too_large = |size: u64| DataError::TooLarge { what: "the file, in bytes,", size, limit };
    let file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    if size > limit {
        return Err(too_large(size));
    }
    // A pipe or device has no size, so the limit holds while reading too.
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        return Err(too_large(bytes.len() as u64));
    }
    Ok(bytes)
}
