//! NumPy arrays: a short header in the syntax of a Python dictionary, then the values.
//!
//! The header has three keys and one grammar, so it is read here: the crates for it bring a parser generator and a
//! stack in assembly, and allocate what the header declares before looking at what the file holds.

use crate::raw::RawTargets;
use crate::{DataError, Limits, Matrix};

const FORMAT: &str = "a NumPy array";
const MAGIC: &[u8] = b"\x93NUMPY";
/// NumPy itself refuses headers over 10,000 characters by default.
const LARGEST_HEADER: usize = 1 << 16;

/// What the elements are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Float32,
    Float64,
    Signed,
    Unsigned,
    Bool,
    /// UCS-4 text, padded with zeros.
    Unicode,
    /// Bytes, padded with zeros.
    Bytes,
}

/// The header of an array.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ArrayHeader {
    kind: Kind,
    /// Bytes per element, at least 1.
    size: usize,
    big_endian: bool,
    fortran_order: bool,
    shape: Vec<usize>,
    count: usize,
}

/// Bytes before the dictionary, and its length.
pub(crate) fn header_extent(prefix: &[u8]) -> Result<(usize, usize), DataError> {
    let (start, length) = match prefix {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, a, b, ..] => (10, usize::from(u16::from_le_bytes([*a, *b]))),
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b, c, d, ..] => {
            (12, usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX))
        }
        _ if prefix.starts_with(MAGIC) => return Err(DataError::malformed(FORMAT, "unknown version of the format")),
        _ => return Err(DataError::malformed(FORMAT, "it does not start as one")),
    };
    if length > LARGEST_HEADER {
        return Err(DataError::malformed(FORMAT, format_args!("a header of {length} bytes")));
    }
    Ok((start, length))
}

impl ArrayHeader {
    /// Reads the dictionary and checks the declared number of values against the limit.
    pub(crate) fn parse(dictionary: &[u8], limits: &Limits) -> Result<Self, DataError> {
        let malformed = |detail: &str| DataError::malformed(FORMAT, detail);
        let text = std::str::from_utf8(dictionary).map_err(|_| malformed("the header is not text"))?;
        let fields = Fields::parse(text).map_err(|detail| malformed(&detail))?;
        let (kind, size, big_endian) = element(&fields.descr).map_err(|detail| malformed(&detail))?;
        let count = fields.shape.iter().try_fold(1_u64, |count, &length| count.checked_mul(length as u64));
        let limit = limits.values as u64;
        let size_in_bytes = count.and_then(|count| count.checked_mul(size as u64));
        let bytes_limit = limits.unpacked_bytes();
        match (count, size_in_bytes) {
            (Some(count), Some(bytes)) if count <= limit && bytes <= bytes_limit => Ok(Self {
                kind,
                size,
                big_endian,
                fortran_order: fields.fortran_order,
                shape: fields.shape,
                count: count as usize,
            }),
            _ => Err(DataError::TooLarge {
                what: "the declared number of values of an array",
                size: count.unwrap_or(u64::MAX),
                limit,
            }),
        }
    }

    /// Bytes of all values.
    pub(crate) fn data_bytes(&self) -> usize {
        self.count.saturating_mul(self.size)
    }
}

/// An array in C order.
#[derive(Debug)]
pub(crate) struct Array {
    shape: Vec<usize>,
    values: RawTargets,
}

impl Array {
    /// Reads a whole file.
    pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Result<Self, DataError> {
        let (start, length) = header_extent(bytes)?;
        let Some(dictionary) = bytes.get(start..start + length) else {
            return Err(DataError::malformed(FORMAT, "the file ends within the header"));
        };
        let header = ArrayHeader::parse(dictionary, limits)?;
        Self::decode(header, &bytes[start + length..])
    }

    /// Decodes the bytes behind a header.
    pub(crate) fn decode(header: ArrayHeader, data: &[u8]) -> Result<Self, DataError> {
        if data.len() != header.data_bytes() {
            let detail = format!(
                "shape {:?} needs {} bytes and the file holds {}",
                shown(&header.shape),
                header.data_bytes(),
                data.len()
            );
            return Err(DataError::malformed(FORMAT, detail));
        }
        let elements = data.chunks_exact(header.size);
        let values = match header.kind {
            Kind::Unicode => {
                RawTargets::Text(elements.map(|e| unicode(e, header.big_endian)).collect::<Result<_, _>>()?)
            }
            Kind::Bytes => RawTargets::Text(elements.map(byte_text).collect()),
            kind => RawTargets::Numbers(elements.map(|e| decode_number(e, kind, header.big_endian)).collect()),
        };
        Ok(Self { values: in_c_order(values, &header)?, shape: header.shape })
    }

    /// The samples of a two-dimensional numeric array.
    pub(crate) fn into_matrix(self) -> Result<Matrix, DataError> {
        match (self.values, self.shape.as_slice()) {
            (RawTargets::Numbers(values), &[rows, columns]) => Matrix::new(rows, columns, values),
            (RawTargets::Numbers(_), shape) => Err(DataError::Shape {
                detail: format!("X has shape {:?}; it needs two dimensions (samples, features)", shown(shape)),
            }),
            (RawTargets::Text(_), _) => Err(DataError::Shape { detail: "X holds text; it needs numbers".to_owned() }),
        }
    }

    /// The targets of an array of shape (n) or (n, 1).
    pub(crate) fn into_targets(self) -> Result<RawTargets, DataError> {
        match self.shape.as_slice() {
            [_] | [_, 1] => Ok(self.values),
            shape => {
                let detail = format!("y has shape {:?}; it needs one value per sample", shown(shape));
                Err(DataError::Shape { detail })
            }
        }
    }
}

/// A shape fit for a message.
fn shown(shape: &[usize]) -> &[usize] {
    &shape[..shape.len().min(8)]
}

fn in_c_order(values: RawTargets, header: &ArrayHeader) -> Result<RawTargets, DataError> {
    match (header.fortran_order, header.shape.as_slice(), values) {
        (true, &[rows, columns], RawTargets::Numbers(values)) => {
            let mut ordered = vec![0.0; values.len()];
            for i in 0..rows {
                for j in 0..columns {
                    ordered[i * columns + j] = values[j * rows + i];
                }
            }
            Ok(RawTargets::Numbers(ordered))
        }
        (false, _, values) | (true, [] | [_] | [_, 1], values) => Ok(values),
        (true, shape, _) => {
            let detail = format!("an array of shape {:?} in Fortran order", shown(shape));
            Err(DataError::Shape { detail })
        }
    }
}

fn decode_number(bytes: &[u8], kind: Kind, big_endian: bool) -> f64 {
    // Little-endian, extended to 8 bytes.
    let mut raw = [0_u8; 8];
    for (place, &byte) in raw.iter_mut().zip(bytes) {
        *place = byte;
    }
    let size = bytes.len().min(8);
    if big_endian {
        raw[..size].reverse();
    }
    let bits = u64::from_le_bytes(raw);
    match kind {
        Kind::Float64 => f64::from_bits(bits),
        Kind::Float32 => f64::from(f32::from_bits(bits as u32)),
        Kind::Signed => {
            let unused = 64 - 8 * size as u32;
            ((bits << unused) as i64 >> unused) as f64
        }
        Kind::Bool => f64::from(u8::from(bits != 0)),
        Kind::Unsigned | Kind::Unicode | Kind::Bytes => bits as f64,
    }
}

fn unicode(bytes: &[u8], big_endian: bool) -> Result<String, DataError> {
    let code = |unit: &[u8]| decode_number(unit, Kind::Unsigned, big_endian) as u32;
    let text: Option<String> = bytes.chunks_exact(4).map(|unit| char::from_u32(code(unit))).collect();
    match text {
        Some(text) => Ok(text.trim_end_matches('\0').to_owned()),
        None => Err(DataError::malformed(FORMAT, "text that is not Unicode")),
    }
}

fn byte_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}

/// Kind, size and byte order of an element from NumPy's type code, such as `<f8`.
fn element(descr: &str) -> Result<(Kind, usize, bool), String> {
    let unsupported = || format!("elements of type '{descr}'; use float64, float32, integers, or text for classes");
    if descr.contains('O') {
        return Err("an array of Python objects; save numbers, or text with dtype 'U'".to_owned());
    }
    let mut letters = descr.chars();
    let big_endian = match letters.next() {
        Some('<' | '|' | '=') => false,
        Some('>') => true,
        _ => return Err(unsupported()),
    };
    let letter = letters.next().ok_or_else(unsupported)?;
    let length: usize = letters.as_str().parse().map_err(|_| unsupported())?;
    let (kind, size) = match (letter, length) {
        ('f', 4) => (Kind::Float32, 4),
        ('f', 8) => (Kind::Float64, 8),
        ('i', 1 | 2 | 4 | 8) => (Kind::Signed, length),
        ('u', 1 | 2 | 4 | 8) => (Kind::Unsigned, length),
        ('b', 1) => (Kind::Bool, 1),
        ('U', 1..=0xffff) => (Kind::Unicode, 4 * length),
        ('S', 1..=0xffff) => (Kind::Bytes, length),
        _ => return Err(unsupported()),
    };
    Ok((kind, size, big_endian))
}

/// The three entries of the dictionary.
struct Fields {
    descr: String,
    fortran_order: bool,
    shape: Vec<usize>,
}

impl Fields {
    fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text.trim().strip_prefix('{').and_then(|text| text.strip_suffix('}')).ok_or("no dictionary")?;
        let (mut descr, mut fortran_order, mut shape) = (None, None, None);
        while let Some(key_and_value) = start_of_entry(rest) {
            let (key, after_key) = quoted(key_and_value).ok_or("a key without quotes")?;
            let value = after_key.trim_start().strip_prefix(':').ok_or("a key without value")?.trim_start();
            rest = match key {
                "descr" => {
                    let (code, after) = quoted(value).ok_or("a structured type; use one plain number type")?;
                    descr = Some(code.to_owned());
                    after
                }
                "fortran_order" => {
                    let (flag, after) = boolean(value).ok_or("fortran_order is neither True nor False")?;
                    fortran_order = Some(flag);
                    after
                }
                "shape" => {
                    let (lengths, after) = tuple(value).ok_or("a shape that is no tuple of lengths")?;
                    shape = Some(lengths);
                    after
                }
                _ => return Err("a key that does not belong in the header".to_owned()),
            };
        }
        Ok(Self {
            descr: descr.ok_or("no type")?,
            fortran_order: fortran_order.ok_or("no order")?,
            shape: shape.ok_or("no shape")?,
        })
    }
}

fn start_of_entry(rest: &str) -> Option<&str> {
    let rest = rest.trim_start_matches(|c: char| c == ',' || c.is_whitespace());
    (!rest.is_empty()).then_some(rest)
}

fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(quote)
}

fn boolean(text: &str) -> Option<(bool, &str)> {
    let yes = text.strip_prefix("True").map(|rest| (true, rest));
    yes.or_else(|| text.strip_prefix("False").map(|rest| (false, rest)))
}

fn tuple(text: &str) -> Option<(Vec<usize>, &str)> {
    let (inside, after) = text.strip_prefix('(')?.split_once(')')?;
    // Python 2 wrote long integers as 3L.
    let lengths = inside.split(',').map(|item| item.trim().trim_end_matches('L')).filter(|item| !item.is_empty());
    Some((lengths.map(|item| item.parse().ok()).collect::<Option<_>>()?, after))
}
