//! The place where the runs of an experiment are done: a folder of records, so that it can be interrupted and continued.

use gradcert::sweep::options::OptionTexts;
use gradcert::sweep::plan::key;
use gradcert::sweep::{Plan, Progress, Record, Shard, SweepError, merge, run_shard, store};
use gradcert_report::RenderError;
use std::collections::BTreeMap;
use std::path::PathBuf;
use thiserror::Error;

/// What can go wrong with an experiment.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PaperError {
    /// The settings, or the folder of records.
    #[error(transparent)]
    Sweep(#[from] SweepError),
    /// A page could not be made.
    #[error(transparent)]
    Page(#[from] RenderError),
    /// A table could not be made.
    #[error("a table could not be made: {0}")]
    Table(String),
    /// A run of these settings has no certificate, where the experiment is about one.
    #[error("{0}")]
    Declined(String),
}

impl PaperError {
    /// A stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            PaperError::Sweep(error) => error.code(),
            PaperError::Page(_) | PaperError::Table(_) => "experiment_page",
            PaperError::Declined(_) => "experiment_declined",
        }
    }
}

/// Records by key.
#[derive(Debug, Default)]
pub struct Records(BTreeMap<String, Record>);

impl Records {
    /// The record of a run.
    ///
    /// # Errors
    /// [`SweepError::Records`] if the run was not among those that were done.
    pub fn of(&self, texts: &OptionTexts) -> Result<&Record, PaperError> {
        let missing = || SweepError::Records(format!("no record of {texts:?}"));
        Ok(self.0.get(&key(texts)).ok_or_else(missing)?)
    }
}

/// Does runs.
pub struct Bench<'a> {
    /// Where records are kept.
    pub folder: PathBuf,
    /// Threads; 0 for one per processor.
    pub threads: usize,
    /// Keep the records of earlier calls and do only what is missing.
    pub resume: bool,
    /// Told how far a batch of runs, named, has come.
    pub progress: &'a (dyn Fn(&str, Progress) + Sync),
}

impl Bench<'_> {
    /// Does all runs that have no record yet, and returns all records.
    ///
    /// # Errors
    /// Those of [`Plan::new`], [`run_shard`] and [`merge()`].
    pub fn run(&self, name: &str, runs: Vec<OptionTexts>) -> Result<Records, PaperError> {
        let plan = Plan::new(runs)?;
        // Other settings are another plan, and records of one are foreign to the other.
        let folder = self.folder.join(format!("{name}-{}", &plan.hash[..8]));
        if !self.resume {
            for path in store::files(&folder)? {
                std::fs::remove_file(&path)
                    .map_err(|e| SweepError::File { path: path.clone(), message: e.to_string() })?;
            }
        }
        run_shard(&plan, Shard::ALL, &folder, self.threads, &|p| {
            (self.progress)(name, p);
            true
        })?;
        let records = merge(&plan, &folder)?.records;
        Ok(Records(records.into_iter().map(|r| (r.key.clone(), r)).collect()))
    }
}
