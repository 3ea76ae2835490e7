//! Zip archives of NumPy arrays, as `numpy.savez` and `numpy.savez_compressed` write them.

use std::io::{Cursor, Read};

use zip::ZipArchive;

use super::npy::{Array, ArrayHeader, header_extent};
use super::read_at_most;
use crate::error::shorten;
use crate::raw::{Purpose, Raw};
use crate::{DataError, Limits, LoadOptions};

const FORMAT: &str = "an .npz archive";

pub(crate) fn read(bytes: &[u8], options: &LoadOptions, purpose: Purpose<'_>) -> Result<Raw, DataError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| DataError::malformed(FORMAT, error))?;
    let Some(inputs) = array(&mut archive, &["X.npy", "x.npy"], &options.limits)? else {
        return Err(DataError::malformed(FORMAT, format_args!("it has no array X; it has {}", listing(&archive))));
    };
    let targets = match purpose {
        Purpose::Predict { .. } => None,
        Purpose::Train => match array(&mut archive, &["y.npy", "Y.npy"], &options.limits)? {
            Some(targets) => Some(targets.into_targets()?),
            None => {
                let detail = format!("the archive has no array y; it has {}", listing(&archive));
                return Err(DataError::MissingTarget { detail });
            }
        },
    };
    Ok(Raw { inputs: inputs.into_matrix()?, column_names: None, targets, target_name: None })
}

fn listing(archive: &ZipArchive<Cursor<&[u8]>>) -> String {
    let names: Vec<String> = archive.file_names().flatten().take(8).map(|name| shorten(&name, 30)).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The first of the named members that exists.
fn array(archive: &mut ZipArchive<Cursor<&[u8]>>, names: &[&str], limits: &Limits) -> Result<Option<Array>, DataError> {
    let Some(position) = names.iter().find_map(|name| archive.index_for_name(name)) else {
        return Ok(None);
    };
    let mut member = archive.by_index(position).map_err(|error| DataError::malformed(FORMAT, error))?;
    // Unpack the header first: how much is unpacked after it follows from the shape, which is under the limit.
    let mut prefix = read_exactly(&mut member, 10)?;
    if prefix.get(6) != Some(&1) {
        prefix.extend(read_exactly(&mut member, 2)?);
    }
    let (_, length) = header_extent(&prefix)?;
    let header = ArrayHeader::parse(&read_exactly(&mut member, length)?, limits)?;
    let data = read_at_most(&mut member, header.data_bytes() as u64, FORMAT)?;
    Array::decode(header, &data).map(Some)
}

fn read_exactly(source: &mut impl Read, length: usize) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    match source.take(length as u64).read_to_end(&mut bytes) {
        Ok(read) if read == length => Ok(bytes),
        Ok(_) => Err(DataError::malformed(FORMAT, "a member ends within its header")),
        Err(error) => Err(DataError::malformed(FORMAT, error)),
    }
}
