//! Text tables: one sample per line, fields separated by one character, quotes as in RFC 4180.

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::unpacked;
use crate::dataset::column_label;
use crate::error::{Place, shorten};
use crate::raw::{Purpose, Raw, RawTargets, Role, check_values, roles};
use crate::{DataError, Header, LoadOptions, Matrix};

const FORMAT: &str = "a text table";

pub(crate) fn read(
    bytes: &[u8],
    delimiter: Option<u8>,
    options: &LoadOptions,
    purpose: Purpose<'_>,
) -> Result<Raw, DataError> {
    let text = unpacked(bytes, &options.limits)?;
    let delimiter = delimiter.unwrap_or_else(|| guess_delimiter(&text));
    // Lines of other lengths are let through by the parser and answered here, with the number of the sample.
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_ref());
    let mut record = ByteRecord::new();
    if !next(&mut reader, &mut record)? {
        return Err(DataError::Empty { rows: 0, columns: 0 });
    }
    let names = header(&record, options.header)?;
    let roles = roles(names.as_deref(), record.len(), options, purpose)?;
    let mut table = TableBuilder::new(names, roles, options.limits.values);
    let mut has_record = table.names.is_none() || next(&mut reader, &mut record)?;
    while has_record {
        table.push(&record)?;
        has_record = next(&mut reader, &mut record)?;
    }
    table.finish()
}

fn next(reader: &mut Reader<&[u8]>, record: &mut ByteRecord) -> Result<bool, DataError> {
    reader.read_byte_record(record).map_err(|error| DataError::malformed(FORMAT, error))
}

/// Semicolons separate where the comma is the decimal sign.
fn guess_delimiter(text: &[u8]) -> u8 {
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    if line.contains(&b';') && !line.contains(&b',') { b';' } else { b',' }
}

/// The column names, or None if the first line is a sample.
fn header(record: &ByteRecord, header: Header) -> Result<Option<Vec<String>>, DataError> {
    if header == Header::Absent {
        return Ok(None);
    }
    if header == Header::Expected && record.iter().all(|field| number(field).is_some()) {
        return Err(DataError::NumericHeader);
    }
    Ok(Some(record.iter().map(|field| String::from_utf8_lossy(field.trim_ascii()).into_owned()).collect()))
}

fn number(field: &[u8]) -> Option<f64> {
    std::str::from_utf8(field.trim_ascii()).ok()?.parse().ok()
}

/// How tables write a cell without value.
fn is_missing(field: &[u8]) -> bool {
    matches!(field.trim_ascii(), b"" | b"NA" | b"N/A" | b"n/a" | b"null" | b"NULL" | b"None" | b"?" | b"<NA>")
}

struct TableBuilder {
    names: Option<Vec<String>>,
    roles: Vec<Role>,
    features: usize,
    limit: usize,
    rows: usize,
    values: Vec<f64>,
    targets: Vec<String>,
}

impl TableBuilder {
    fn new(names: Option<Vec<String>>, roles: Vec<Role>, limit: usize) -> Self {
        let features = roles.iter().filter(|&&role| role == Role::Feature).count();
        Self { names, roles, features, limit, rows: 0, values: Vec::new(), targets: Vec::new() }
    }

    fn push(&mut self, record: &ByteRecord) -> Result<(), DataError> {
        if record.len() != self.roles.len() {
            return Err(DataError::Ragged { row: self.rows, found: record.len(), expected: self.roles.len() });
        }
        check_values(self.rows + 1, self.features, self.limit)?;
        for (j, (field, role)) in record.iter().zip(&self.roles).enumerate() {
            match role {
                Role::Feature => match number(field) {
                    Some(value) => self.values.push(value),
                    None => return Err(self.not_a_number(j, field)),
                },
                Role::Target if is_missing(field) => return Err(self.not_a_number(j, field)),
                Role::Target => self.targets.push(String::from_utf8_lossy(field.trim_ascii()).into_owned()),
                Role::Ignored => {}
            }
        }
        self.rows += 1;
        Ok(())
    }

    fn not_a_number(&self, j: usize, field: &[u8]) -> DataError {
        let place = Place::new(self.rows, column_label(self.names.as_deref(), j));
        if is_missing(field) {
            return DataError::MissingValue { place };
        }
        DataError::NonNumeric { place, text: shorten(&String::from_utf8_lossy(field), 40) }
    }

    fn finish(self) -> Result<Raw, DataError> {
        let name_of_target = |names: &Vec<String>| {
            let target = self.roles.iter().position(|&role| role == Role::Target)?;
            Some(names[target].clone())
        };
        let target_name = self.names.as_ref().and_then(name_of_target);
        let features = |names: Vec<String>| {
            names
                .into_iter()
                .zip(&self.roles)
                .filter(|(_, role)| **role == Role::Feature)
                .map(|(name, _)| name)
                .collect()
        };
        let has_target = self.roles.contains(&Role::Target);
        Ok(Raw {
            inputs: Matrix::new(self.rows, self.features, self.values)?,
            column_names: self.names.map(features),
            targets: has_target.then(|| RawTargets::from_text(self.targets)),
            target_name,
        })
    }
}
