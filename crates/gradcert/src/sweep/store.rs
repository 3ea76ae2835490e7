//! Files of records: one JSON object per line, appended.

use super::error::SweepError;
use super::record::Record;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Beginning and end of the names of record files.
const PREFIX: &str = "shard-";
const SUFFIX: &str = ".jsonl";

/// The record files of a folder, sorted by name.
///
/// # Errors
/// [`SweepError::File`] if the folder cannot be listed; a folder that does not exist has no files.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, SweepError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(SweepError::file(folder, &error)),
    };
    let mut found = vec![];
    for entry in entries {
        let path = entry.map_err(|e| SweepError::file(folder, &e))?.path();
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if name.starts_with(PREFIX) && name.ends_with(SUFFIX) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The file of one shard.
pub fn path(folder: &Path, number: usize, of: usize) -> PathBuf {
    folder.join(format!("{PREFIX}{number}-of-{of}{SUFFIX}"))
}

/// The records of a file, and the length of the part that holds them. What follows the last line break was torn by a
/// kill and does not count.
///
/// # Errors
/// [`SweepError::File`]; [`SweepError::CorruptRecord`] if a complete line is no record.
pub fn read(path: &Path) -> Result<(Vec<Record>, u64), SweepError> {
    let mut bytes = vec![];
    File::open(path).and_then(|mut f| f.read_to_end(&mut bytes)).map_err(|e| SweepError::file(path, &e))?;
    let complete = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |last| last + 1);
    let lines = bytes[..complete].split_inclusive(|&b| b == b'\n').enumerate();
    let parsed = lines.map(|(number, line)| {
        serde_json::from_slice(line).map_err(|_| SweepError::CorruptRecord { path: path.into(), line: number + 1 })
    });
    Ok((parsed.collect::<Result<_, _>>()?, complete as u64))
}

/// A file that grows by whole records.
#[derive(Debug)]
pub struct Appender {
    path: PathBuf,
    file: File,
}

impl Appender {
    /// Opens or creates the file and cuts off a torn end.
    ///
    /// # Errors
    /// Those of [`read`].
    pub fn open(path: &Path) -> Result<Appender, SweepError> {
        let options = OpenOptions::new().create(true).append(true).open(path);
        let file = options.map_err(|e| SweepError::file(path, &e))?;
        let (_, complete) = read(path)?;
        file.set_len(complete).map_err(|e| SweepError::file(path, &e))?;
        Ok(Appender { path: path.into(), file })
    }

    /// Appends one record with its line break in one write.
    ///
    /// # Errors
    /// [`SweepError::File`].
    pub fn append(&mut self, record: &Record) -> Result<(), SweepError> {
        let line = line(record)?;
        self.file.write_all(&line).and_then(|()| self.file.flush()).map_err(|e| SweepError::file(&self.path, &e))
    }
}

/// A record as a line.
pub(crate) fn line(record: &Record) -> Result<Vec<u8>, SweepError> {
    let mut line = serde_json::to_vec(record).map_err(|e| SweepError::Records(e.to_string()))?;
    line.push(b'\n');
    Ok(line)
}
