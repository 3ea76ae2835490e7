//! The pages of a parquet column, unpacked in bounds.
//!
//! The parquet crate unpacks a page into whatever its header declares, or as far as the packed stream goes. Here the
//! column is declared unpacked to it, so that it hands over packed pages, and they are unpacked under a budget by codecs
//! in Rust.
//!
//! Before the crate reads a header or the footer, [`skip`] walks over it: the crate itself skips unknown lists element by
//! element for as many as are declared, to 2^31 and nested, whether or not there are bytes for them.

use std::io::{Error, ErrorKind, Read};
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

/// A file whose page headers are walked over before they are read.
pub(crate) struct Checked(pub(crate) Bytes);

/// The rest of a file; reading beyond its end is an error, which no reader can take for an empty value.
pub(crate) struct Rest(Bytes);

impl Read for Rest {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.0.is_empty() && !buffer.is_empty() {
            return Err(Error::from(ErrorKind::UnexpectedEof));
        }
        let read = self.0.split_to(buffer.len().min(self.0.len()));
        buffer[..read.len()].copy_from_slice(&read);
        Ok(read.len())
    }
}

impl Length for Checked {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }
}

impl ChunkReader for Checked {
    type T = Rest;

    fn get_read(&self, start: u64) -> Result<Rest> {
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        match self.0.get(start..).map(|header| skip(header, STRUCTURE, 0)) {
            Some(Some(_)) => Ok(Rest(self.0.slice(start..))),
            _ => Err(general("a page header that does not fit into the file")),
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.0.get_bytes(start, length)
    }
}

/// The kind of a structure in Thrift's compact protocol.
const STRUCTURE: u8 = 12;

/// Does the footer of a file fit into it, and are the lists in it no longer than their bytes?
pub(crate) fn has_plain_footer(file: &[u8]) -> bool {
    let Some((rest, &[a, b, c, d, _, _, _, _])) = file.split_last_chunk() else { return false };
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    rest.len().checked_sub(length).is_some_and(|start| skip(&rest[start..], STRUCTURE, 0).is_some())
}

/// What follows a value of Thrift's compact protocol; nothing if it does not fit into the bytes, or holds a list or map of
/// booleans (none occurs in parquet's headers), which would take no bytes when skipped.
fn skip(bytes: &[u8], kind: u8, depth: u8) -> Option<&[u8]> {
    if depth > 32 {
        return None;
    }
    let several = |mut bytes, count: usize, kinds: &[u8]| {
        if count > 0 && (kinds.iter().any(|kind| (1..=2).contains(kind)) || count > <[u8]>::len(bytes)) {
            return None;
        }
        for _ in 0..count {
            for &kind in kinds {
                bytes = skip(bytes, kind, depth + 1)?;
            }
        }
        Some(bytes)
    };
    match kind {
        1 | 2 => Some(bytes),
        3 => bytes.get(1..),
        4..=6 => varint(bytes).map(|(_, rest)| rest),
        7 => bytes.get(8..),
        8 => varint(bytes).and_then(|(length, rest)| rest.get(length..)),
        9 | 10 => {
            let (&header, rest) = bytes.split_first()?;
            let (count, rest) = if header >> 4 == 15 { varint(rest)? } else { (usize::from(header >> 4), rest) };
            several(rest, count, &[header & 15])
        }
        11 => match varint(bytes)? {
            (0, rest) => Some(rest),
            (count, rest) => {
                rest.split_first().and_then(|(kinds, rest)| several(rest, count, &[kinds >> 4, kinds & 15]))
            }
        },
        STRUCTURE => {
            let (mut header, mut rest) = bytes.split_first()?;
            while *header != 0 {
                // A field number that is not one of the next 15 follows.
                let value = if header >> 4 == 0 { varint(rest)?.1 } else { rest };
                (header, rest) = skip(value, header & 15, depth + 1)?.split_first()?;
            }
            Some(rest)
        }
        13 => bytes.get(16..),
        _ => None,
    }
}

fn varint(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let last = bytes.iter().take(10).position(|byte| byte & 0x80 == 0)?;
    let value = bytes[..=last].iter().rev().fold(0u64, |value, byte| value << 7 | u64::from(byte & 0x7f));
    Some((usize::try_from(value).ok()?, &bytes[last + 1..]))
}

pub(crate) struct BoundedPages {
    packed: SerializedPageReader<Checked>,
    codec: Compression,
    /// Bytes that may still be unpacked.
    budget: u64,
    has_dictionary: bool,
    /// Rows of the column: no page of a flat column holds more values.
    rows: usize,
}

impl BoundedPages {
    pub(crate) fn new(file: &Arc<Checked>, column: &ColumnChunkMetaData, rows: usize, budget: u64) -> Result<Self> {
        let as_stored = column.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()?;
        let packed = SerializedPageReader::new(Arc::clone(file), &as_stored, rows, None)?;
        Ok(Self { packed, codec: column.compression(), budget, has_dictionary: false, rows })
    }

    /// The decoders allocate as many values as a page declares: at most one per row, and in a dictionary, where each
    /// takes a byte at least, at most one per byte.
    fn check_count(&self, page: &Page) -> Result<()> {
        let most = if page.is_dictionary_page() { page.buffer().len() } else { self.rows };
        if page.num_values() as usize > most {
            return Err(general("a page declares more values than it can hold"));
        }
        Ok(())
    }

    fn unpack(&mut self, page: Page) -> Result<Page> {
        self.has_dictionary |= page.is_dictionary_page();
        let needs_dictionary = matches!(page.encoding(), Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY);
        if needs_dictionary && !self.has_dictionary {
            return Err(general("a page refers to a dictionary that is not there"));
        }
        Ok(match page {
            Page::DataPage { buf, num_values, encoding, def_level_encoding, rep_level_encoding, statistics } => {
                let buf = self.unpack_bytes(&buf, 0)?;
                Page::DataPage { buf, num_values, encoding, def_level_encoding, rep_level_encoding, statistics }
            }
            Page::DictionaryPage { buf, num_values, encoding, is_sorted } => {
                Page::DictionaryPage { buf: self.unpack_bytes(&buf, 0)?, num_values, encoding, is_sorted }
            }
            Page::DataPageV2 {
                buf,
                num_values,
                encoding,
                num_nulls,
                num_rows,
                def_levels_byte_len,
                rep_levels_byte_len,
                is_compressed,
                statistics,
            } => {
                // The levels come first and are never packed.
                let levels = (def_levels_byte_len as usize).saturating_add(rep_levels_byte_len as usize);
                let buf = if is_compressed { self.unpack_bytes(&buf, levels)? } else { buf };
                if levels > buf.len() {
                    return Err(general("levels longer than their page"));
                }
                Page::DataPageV2 {
                    buf,
                    num_values,
                    encoding,
                    num_nulls,
                    num_rows,
                    def_levels_byte_len,
                    rep_levels_byte_len,
                    is_compressed: false,
                    statistics,
                }
            }
        })
    }

    /// The first `plain` bytes as they are and the rest unpacked.
    fn unpack_bytes(&mut self, stored: &Bytes, plain: usize) -> Result<Bytes> {
        if self.codec == Compression::UNCOMPRESSED {
            return Ok(stored.clone());
        }
        let Some((levels, packed)) = stored.split_at_checked(plain) else {
            return Err(general("levels longer than their page"));
        };
        let mut bytes = levels.to_vec();
        if !packed.is_empty() {
            bytes.extend(unpack_block(packed, self.codec, self.budget)?);
        }
        self.budget = self.budget.saturating_sub(bytes.len() as u64);
        Ok(bytes.into())
    }
}

fn unpack_block(packed: &[u8], codec: Compression, budget: u64) -> Result<Vec<u8>> {
    match codec {
        Compression::SNAPPY => {
            let length = snap::raw::decompress_len(packed).map_err(general)?;
            // Snappy copies at most 64 bytes per tag of 3 (of 2 bytes: 11), so a larger claim is false.
            if length as u64 > budget || length / 64 > packed.len() {
                return Err(general("a page declares more bytes than it can hold"));
            }
            snap::raw::Decoder::new().decompress_vec(packed).map_err(general)
        }
        Compression::GZIP(_) => read_within(flate2::read::MultiGzDecoder::new(packed), budget),
        Compression::ZSTD(_) => read_within(ruzstd::decoding::StreamingDecoder::new(packed).map_err(general)?, budget),
        other => Err(general(format!("pages packed with {other}; use snappy, gzip, zstd or none"))),
    }
}

fn read_within(source: impl Read, budget: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(budget.saturating_add(1)).read_to_end(&mut bytes).map_err(general)?;
    if bytes.len() as u64 > budget {
        return Err(general("the pages unpack to more than the limit"));
    }
    Ok(bytes)
}

fn general(detail: impl ToString) -> ParquetError {
    ParquetError::General(detail.to_string())
}

impl Iterator for BoundedPages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for BoundedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let Some(page) = self.packed.get_next_page()? else {
            return Ok(None);
        };
        let page = self.unpack(page)?;
        self.check_count(&page)?;
        Ok(Some(page))
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.packed.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.packed.skip_next_page()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structures_that_fit_are_skipped() {
        // Field 1: an integer, 300; field 2: true; field 3: text "ab"; field 20: a list of 2 bytes; end; one byte more.
        let bytes = [0x15, 0xac, 0x02, 0x11, 0x18, 2, b'a', b'b', 0x09, 40, 0x23, 7, 8, 0, 99];
        assert_eq!(skip(&bytes, STRUCTURE, 0), Some(&bytes[14..]));
        for end in 0..14 {
            assert_eq!(skip(&bytes[..end], STRUCTURE, 0), None, "{end}");
        }
    }

    #[test]
    fn lists_without_bytes_are_refused() {
        // 2^31 - 1 booleans, texts, maps of booleans; 2^20 bytes with one there.
        for bytes in [
            &[0x19, 0xf1, 0xff, 0xff, 0xff, 0xff, 7, 0][..],
            &[0x19, 0xf8, 0xff, 0xff, 0xff, 0xff, 7, 0],
            &[0x1b, 0xff, 0xff, 0xff, 0xff, 7, 0x11, 0],
            &[0x19, 0xf3, 0x80, 0x80, 0x40, 1, 0],
        ] {
            assert_eq!(skip(bytes, STRUCTURE, 0), None);
        }
        assert_eq!(skip(&[0x1c; 100], STRUCTURE, 0), None);
    }
}
