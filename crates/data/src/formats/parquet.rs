//! Parquet tables with flat columns of numbers, booleans and text.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::LogicalType;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::schema::types::ColumnDescriptor;

use super::parquet_pages::{BoundedPages, Checked, has_plain_footer};
use crate::dataset::column_label;
use crate::error::{Place, shorten};
use crate::raw::{Purpose, Raw, RawTargets, Role, check_values, roles};
use crate::{DataError, LoadOptions, Matrix};

const FORMAT: &str = "a parquet file";
/// Values decoded at a time: memory grows with values that exist, not with the number declared.
const BATCH: usize = 1 << 14;

/// The crate is made for files that a trusted writer made, so a panic inside it is answered as a malformed file.
pub(crate) fn read(bytes: &[u8], options: &LoadOptions, purpose: Purpose<'_>) -> Result<Raw, DataError> {
    catch_unwind(AssertUnwindSafe(|| read_table(bytes, options, purpose)))
        .unwrap_or_else(|_| Err(DataError::malformed(FORMAT, "the decoder failed on it")))
}

fn read_table(bytes: &[u8], options: &LoadOptions, purpose: Purpose<'_>) -> Result<Raw, DataError> {
    if !has_plain_footer(bytes) {
        return Err(malformed("a footer that does not fit into the file"));
    }
    let file = Bytes::copy_from_slice(bytes);
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file).map_err(malformed)?;
    let file = Arc::new(Checked(file));
    let descriptors = metadata.file_metadata().schema_descr().columns();
    let names: Vec<String> = descriptors.iter().map(|column| column.path().string()).collect();
    let roles = roles(Some(&names), names.len(), options, purpose)?;
    let rows = usize::try_from(metadata.file_metadata().num_rows()).map_err(malformed)?;
    let wanted = roles.iter().filter(|&&role| role != Role::Ignored).count();
    check_values(rows, wanted, options.limits.values)?;

    let mut budget = options.limits.unpacked_bytes();
    let (mut features, mut feature_names) = (Vec::new(), Vec::new());
    let (mut targets, mut target_name) = (None, None);
    for (j, role) in roles.iter().enumerate().filter(|(_, role)| **role != Role::Ignored) {
        let column = read_column(&file, &metadata, j, rows, &mut budget, &names)?;
        match (role, column) {
            (Role::Feature, RawTargets::Numbers(values)) => {
                features.push(values);
                feature_names.push(names[j].clone());
            }
            (Role::Feature, RawTargets::Text(text)) => {
                let place = Place::new(0, column_label(Some(&names), j));
                let text = text.first().map(|cell| shorten(cell, 40)).unwrap_or_default();
                return Err(DataError::NonNumeric { place, text });
            }
            (_, column) => {
                targets = Some(column);
                target_name = Some(names[j].clone());
            }
        }
    }
    Ok(Raw { inputs: transposed(&features, rows)?, column_names: Some(feature_names), targets, target_name })
}

fn malformed(error: impl std::fmt::Display) -> DataError {
    DataError::malformed(FORMAT, error)
}

/// Row-major samples from columns of `rows` values each.
fn transposed(features: &[Vec<f64>], rows: usize) -> Result<Matrix, DataError> {
    let mut values = Vec::with_capacity(rows.saturating_mul(features.len()).min(features.iter().map(Vec::len).sum()));
    for i in 0..rows {
        values.extend(features.iter().filter_map(|column| column.get(i)));
    }
    Matrix::new(if features.is_empty() { 0 } else { rows }, features.len(), values)
}

fn read_column(
    file: &Arc<Checked>,
    metadata: &ParquetMetaData,
    j: usize,
    rows: usize,
    budget: &mut u64,
    names: &[String],
) -> Result<RawTargets, DataError> {
    let label = column_label(Some(names), j);
    let mut column: Option<RawTargets> = None;
    for group in metadata.row_groups() {
        let chunk = group.columns().get(j).ok_or_else(|| malformed("a row group lacks a column"))?;
        let group_rows = usize::try_from(group.num_rows()).map_err(malformed)?;
        let extents = [chunk.uncompressed_size(), chunk.compressed_size(), chunk.data_page_offset()];
        let starts_negative = chunk.dictionary_page_offset().is_some_and(|offset| offset < 0);
        if starts_negative || extents.iter().any(|&extent| extent < 0) || group_rows > rows {
            return Err(malformed("sizes that are negative or do not add up"));
        }
        let pages = BoundedPages::new(file, chunk, group_rows, *budget).map_err(malformed)?;
        let description = chunk.column_descr_ptr();
        if description.max_rep_level() > 0 {
            return Err(malformed(format_args!("column '{label}' holds lists; only flat columns can be read")));
        }
        let before = column.as_ref().map_or(0, length);
        let reader = get_column_reader(description.clone(), Box::new(pages));
        let values = decode(reader, &description, group_rows, before, &label)?;
        *budget = budget.saturating_sub(8 * group_rows as u64);
        match (&mut column, values) {
            (None, values) => column = Some(values),
            (Some(RawTargets::Numbers(all)), RawTargets::Numbers(more)) => all.extend(more),
            (Some(RawTargets::Text(all)), RawTargets::Text(more)) => all.extend(more),
            _ => return Err(malformed("row groups of different types")),
        }
    }
    let column = column.unwrap_or(RawTargets::Numbers(Vec::new()));
    if length(&column) != rows {
        return Err(malformed(format_args!("column '{label}' holds {} of {rows} values", length(&column))));
    }
    Ok(column)
}

fn length(column: &RawTargets) -> usize {
    match column {
        RawTargets::Numbers(values) => values.len(),
        RawTargets::Text(values) => values.len(),
    }
}

/// The values of one row group of a column; a null is an error.
fn decode(
    reader: ColumnReader,
    description: &ColumnDescriptor,
    rows: usize,
    first_row: usize,
    label: &str,
) -> Result<RawTargets, DataError> {
    let refused = |kind: &str| malformed(format_args!("column '{label}' holds {kind}; use numbers, booleans or text"));
    let unsigned = match description.logical_type_ref() {
        None | Some(LogicalType::String | LogicalType::Enum) => false,
        Some(LogicalType::Integer(integer)) => !integer.is_signed,
        Some(_) => return Err(refused("dates, decimals or another special type")),
    };
    let numbers = |values: Vec<f64>| RawTargets::Numbers(values);
    match reader {
        ColumnReader::DoubleColumnReader(reader) => collect(reader, rows, first_row, label, |x| *x).map(numbers),
        ColumnReader::FloatColumnReader(reader) => {
            collect(reader, rows, first_row, label, |x| f64::from(*x)).map(numbers)
        }
        ColumnReader::BoolColumnReader(reader) => {
            collect(reader, rows, first_row, label, |x| f64::from(u8::from(*x))).map(numbers)
        }
        ColumnReader::Int32ColumnReader(reader) => {
            let value = |x: &i32| if unsigned { f64::from(*x as u32) } else { f64::from(*x) };
            collect(reader, rows, first_row, label, value).map(numbers)
        }
        ColumnReader::Int64ColumnReader(reader) => {
            let value = |x: &i64| if unsigned { *x as u64 as f64 } else { *x as f64 };
            collect(reader, rows, first_row, label, value).map(numbers)
        }
        ColumnReader::ByteArrayColumnReader(reader) => {
            let value = |text: &ByteArray| String::from_utf8_lossy(text.data()).into_owned();
            collect(reader, rows, first_row, label, value).map(RawTargets::Text)
        }
        _ => Err(refused("96-bit integers or fixed-length bytes")),
    }
}

fn collect<T: DataType, V>(
    mut reader: ColumnReaderImpl<T>,
    rows: usize,
    first_row: usize,
    label: &str,
    value: impl Fn(&T::T) -> V,
) -> Result<Vec<V>, DataError> {
    let (mut collected, mut batch, mut levels) = (Vec::new(), Vec::new(), Vec::new());
    while collected.len() < rows {
        batch.clear();
        levels.clear();
        let wanted = (rows - collected.len()).min(BATCH);
        let read = reader.read_records(wanted, Some(&mut levels), None, &mut batch);
        let (records, _, _) = read.map_err(|error: ParquetError| malformed(error))?;
        if batch.len() < records {
            // A level below the highest marks a null.
            let highest = levels.iter().copied().max().unwrap_or(0);
            let position = if batch.is_empty() { 0 } else { levels.iter().position(|&l| l < highest).unwrap_or(0) };
            return Err(DataError::MissingValue { place: Place::new(first_row + collected.len() + position, label) });
        }
        if batch.is_empty() {
            break;
        }
        collected.extend(batch.iter().map(&value));
    }
    Ok(collected)
}
