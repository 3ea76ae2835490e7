//! The pages of a parquet column, unpacked in bounds.
//!
//! The parquet crate unpacks a page into whatever its header declares, or as far as the packed stream goes. Here the
//! column is declared unpacked to it, so that it hands over packed pages, and they are unpacked under a budget by codecs
//! in Rust.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::serialized_reader::SerializedPageReader;

pub(crate) struct BoundedPages {
    packed: SerializedPageReader<Bytes>,
    codec: Compression,
    /// Bytes that may still be unpacked.
    budget: u64,
    has_dictionary: bool,
    /// Rows of the column: no page of a flat column holds more values.
    rows: usize,
}

impl BoundedPages {
    pub(crate) fn new(file: &Arc<Bytes>, column: &ColumnChunkMetaData, rows: usize, budget: u64) -> Result<Self> {
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
