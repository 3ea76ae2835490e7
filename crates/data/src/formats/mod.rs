//! One reader per format. All work on bytes in memory, allocate in proportion to bytes that exist, and never panic.

use std::io::Read;

use crate::{DataError, Limits};

pub(crate) mod delimited;
pub(crate) mod libsvm;
pub(crate) mod npy;
pub(crate) mod npz;
#[cfg(feature = "parquet")]
pub(crate) mod parquet;
#[cfg(feature = "parquet")]
mod parquet_pages;

/// Text that may be gzip-compressed, unpacked.
pub(crate) fn unpacked<'a>(bytes: &'a [u8], limits: &Limits) -> Result<std::borrow::Cow<'a, [u8]>, DataError> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes.into());
    }
    let limit = limits.unpacked_bytes();
    let text = read_at_most(flate2::read::MultiGzDecoder::new(bytes), limit, "a gzip file")?;
    if text.len() as u64 > limit {
        return Err(DataError::TooLarge { what: "the unpacked file, in bytes,", size: text.len() as u64, limit });
    }
    Ok(text.into())
}

/// What the source holds, or its first `limit + 1` bytes if it holds more.
fn read_at_most(source: impl Read, limit: u64, format: &'static str) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::new();
    match source.take(limit.saturating_add(1)).read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(DataError::malformed(format, error)),
    }
}
