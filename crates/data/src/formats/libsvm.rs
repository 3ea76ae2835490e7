//! libsvm text: `label index:value index:value ...`, indices increasing, features left out are zero, `#` starts a comment.

use super::unpacked;
use crate::error::shorten;
use crate::raw::{Raw, RawTargets, check_values};
use crate::{DataError, LoadOptions, Matrix};

const FORMAT: &str = "libsvm text";

pub(crate) fn read(bytes: &[u8], options: &LoadOptions) -> Result<Raw, DataError> {
    let text = unpacked(bytes, &options.limits)?;
    let text = std::str::from_utf8(&text).map_err(|error| DataError::malformed(FORMAT, error))?;
    let mut samples = Sparse::default();
    for (line_number, line) in text.lines().enumerate() {
        let content = line.split('#').next().unwrap_or_default();
        let mut tokens = content.split_ascii_whitespace();
        if let Some(label) = tokens.next() {
            samples
                .push(label, tokens)
                .map_err(|detail| DataError::malformed(FORMAT, format_args!("line {}: {detail}", line_number + 1)))?;
        }
    }
    samples.into_dense(options)
}

/// Compressed rows: the entries of sample i end at `ends[i]`.
#[derive(Default)]
struct Sparse {
    labels: Vec<String>,
    entries: Vec<(usize, f64)>,
    ends: Vec<usize>,
}

impl Sparse {
    fn push<'a>(&mut self, label: &str, tokens: impl Iterator<Item = &'a str>) -> Result<(), String> {
        let mut previous = None;
        for token in tokens.filter(|token| !token.starts_with("qid:")) {
            let (index, value) = entry(token)
                .ok_or_else(|| format!("'{}' is not index:value with a number on each side", shorten(token, 40)))?;
            if previous.is_some_and(|previous| previous >= index) {
                return Err(format!("index {index} does not increase"));
            }
            previous = Some(index);
            self.entries.push((index, value));
        }
        self.labels.push(label.to_owned());
        self.ends.push(self.entries.len());
        Ok(())
    }

    fn into_dense(self, options: &LoadOptions) -> Result<Raw, DataError> {
        let rows = self.ends.len();
        let largest = self.entries.iter().map(|&(index, _)| index).max();
        // The format counts from 1; a file in which index 0 occurs counts from 0.
        let base = usize::from(!self.entries.iter().any(|&(index, _)| index == 0));
        let found = largest.map_or(0, |index| (index - base).saturating_add(1));
        let columns = found.max(options.columns.unwrap_or(0));
        check_values(rows, columns, options.limits.values)?;
        let mut values = vec![0.0; rows * columns];
        let mut start = 0;
        for (row, &end) in self.ends.iter().enumerate() {
            for &(index, value) in &self.entries[start..end] {
                values[row * columns + index - base] = value;
            }
            start = end;
        }
        Ok(Raw {
            inputs: Matrix::new(rows, columns, values)?,
            column_names: None,
            targets: Some(RawTargets::from_text(self.labels)),
            target_name: None,
        })
    }
}

fn entry(token: &str) -> Option<(usize, f64)> {
    let (index, value) = token.split_once(':')?;
    Some((index.parse().ok()?, value.parse().ok()?))
}
