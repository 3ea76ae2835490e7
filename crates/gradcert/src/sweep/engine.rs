//! Runs a share of a plan on several threads.

use super::error::SweepError;
use super::execute::execute;
use super::plan::{Plan, Planned};
use super::setup::{Setup, name};
use super::store::{self, Appender};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A share of the runs of a plan: those with numbers i, i + k, i + 2k, ...
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    number: usize,
    of: usize,
}

impl Shard {
    /// All runs.
    pub const ALL: Shard = Shard { number: 1, of: 1 };

    /// The share of this number, from 1, of so many.
    ///
    /// # Errors
    /// [`SweepError::Shard`] unless `1 <= number <= of`.
    pub fn new(number: usize, of: usize) -> Result<Shard, SweepError> {
        if (1..=of).contains(&number) {
            Ok(Shard { number, of })
        } else {
            Err(SweepError::Shard(format!("{number}/{of}")))
        }
    }

    fn has(self, index: usize) -> bool {
        index % self.of == self.number - 1
    }
}

impl FromStr for Shard {
    type Err = SweepError;

    fn from_str(text: &str) -> Result<Shard, SweepError> {
        let wrong = || SweepError::Shard(text.to_owned());
        let (number, of) = text.split_once('/').ok_or_else(wrong)?;
        match (number.parse(), of.parse()) {
            (Ok(number), Ok(of)) => Shard::new(number, of).map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }
}

/// How far a share has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Runs of the share.
    pub runs: usize,
    /// Runs with a record.
    pub finished: usize,
}

/// A setup that is made by the first run that needs it and dropped after the last.
struct Shared {
    setup: OnceLock<Arc<Setup>>,
    lock: Mutex<()>,
}

/// Setups by name, with the number of runs that still need each.
struct Setups(Mutex<BTreeMap<String, (usize, Arc<Shared>)>>);

impl Setups {
    fn of(runs: &[&Planned]) -> Setups {
        let mut all = BTreeMap::new();
        for planned in runs {
            let shared = || (0, Arc::new(Shared { setup: OnceLock::new(), lock: Mutex::new(()) }));
            all.entry(name(planned)).or_insert_with(shared).0 += 1;
        }
        Setups(Mutex::new(all))
    }

    fn take(&self, planned: &Planned) -> Result<Arc<Setup>, SweepError> {
        let shared = self.shared(planned);
        let _guard = shared.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(setup) = shared.setup.get() {
            return Ok(Arc::clone(setup));
        }
        let setup = Arc::new(Setup::new(&planned.key, &planned.options)?);
        Ok(Arc::clone(shared.setup.get_or_init(|| setup)))
    }

    fn shared(&self, planned: &Planned) -> Arc<Shared> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = name(planned);
        let Some((left, shared)) = all.get_mut(&name) else {
            return Arc::new(Shared { setup: OnceLock::new(), lock: Mutex::new(()) });
        };
        let shared = Arc::clone(shared);
        *left -= 1;
        if *left == 0 {
            all.remove(&name);
        }
        shared
    }
}

/// Does the runs of the shard that have no record in the folder yet, on `threads` threads (0: one per processor), and
/// appends a record for each to the file of the shard. `progress` is called after every run, from any thread; it returns
/// whether to go on. The global parallelism of the linear algebra is sequential while this runs: runs are parallel.
///
/// # Errors
/// The first error that a run or a file gives; what was finished before keeps its records.
pub fn run_shard(
    plan: &Plan,
    shard: Shard,
    folder: &Path,
    threads: usize,
    progress: &(dyn Fn(Progress) -> bool + Sync),
) -> Result<Progress, SweepError> {
    std::fs::create_dir_all(folder).map_err(|e| SweepError::file(folder, &e))?;
    let appender = Appender::open(&store::path(folder, shard.number, shard.of))?;
    let finished = finished(folder)?;
    let share: Vec<&Planned> =
        plan.runs.iter().enumerate().filter(|(i, _)| shard.has(*i)).map(|(_, planned)| planned).collect();
    let open: Vec<&Planned> = share.iter().copied().filter(|p| !finished.contains(&p.key)).collect();
    let state = Progress { runs: share.len(), finished: share.len() - open.len() };
    progress(state);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| SweepError::Threads(e.to_string()))?;
    let before = faer::get_global_parallelism();
    faer::set_global_parallelism(faer::Par::Seq);
    let result = pool.install(|| run_all(&open, Mutex::new((appender, state)), progress));
    faer::set_global_parallelism(before);
    result
}

fn finished(folder: &Path) -> Result<BTreeSet<String>, SweepError> {
    let mut keys = BTreeSet::new();
    for path in store::files(folder)? {
        keys.extend(store::read(&path)?.0.into_iter().map(|record| record.key));
    }
    Ok(keys)
}

fn run_all(
    open: &[&Planned],
    output: Mutex<(Appender, Progress)>,
    progress: &(dyn Fn(Progress) -> bool + Sync),
) -> Result<Progress, SweepError> {
    let setups = Setups::of(open);
    let stopped = AtomicBool::new(false);
    let one = |planned: &Planned| -> Result<(), SweepError> {
        if stopped.load(Ordering::Relaxed) {
            return Ok(());
        }
        let record = execute(planned, setups.take(planned)?.as_ref());
        let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
        output.0.append(&record)?;
        output.1.finished += 1;
        if !progress(output.1) {
            stopped.store(true, Ordering::Relaxed);
        }
        Ok(())
    };
    // One run at a time from the front: costs differ by orders of magnitude, and neighbours share setups.
    open.par_iter().with_max_len(1).try_for_each(|planned| one(planned))?;
    let (_, state) = output.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(state)
}
