//! Joins the records of all shards.

use super::error::SweepError;
use super::plan::Plan;
use super::record::Record;
use super::store;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// All records of a plan, in its order.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// One per run.
    pub records: Vec<Record>,
}

/// At most so many keys are named in a message.
const NAMED: usize = 5;

fn complain(what: &str, keys: &[String], remedy: &str) -> SweepError {
    let named = keys.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = if keys.len() > NAMED { ", ..." } else { "" };
    SweepError::Records(format!("{} {what}: {named}{more}; {remedy}", keys.len()))
}

/// Reads all record files of a folder.
///
/// # Errors
/// [`SweepError::Records`] if a run has no record or two, if a record belongs to no run of the plan, or if runs of the same
/// source saw different data; and those of [`store::read`].
pub fn merge(plan: &Plan, folder: &Path) -> Result<Merged, SweepError> {
    let mut found: BTreeMap<String, Record> = BTreeMap::new();
    let (mut twice, mut foreign) = (vec![], vec![]);
    let known: BTreeSet<&String> = plan.runs.iter().map(|planned| &planned.key).collect();
    for path in store::files(folder)? {
        for record in store::read(&path)?.0 {
            if !known.contains(&record.key) {
                foreign.push(record.key);
            } else if let Some(before) = found.insert(record.key.clone(), record) {
                twice.push(before.key);
            }
        }
    }
    if !foreign.is_empty() {
        return Err(complain(
            "records belong to no run of this plan",
            &foreign,
            "use a folder of its own for every plan",
        ));
    }
    if !twice.is_empty() {
        return Err(complain("runs have several records", &twice, "move all but one of the files away"));
    }
    let missing: Vec<String> =
        plan.runs.iter().filter(|p| !found.contains_key(&p.key)).map(|p| p.key.clone()).collect();
    if !missing.is_empty() {
        return Err(complain("runs have no record", &missing, "finish them with: gradcert sweep run"));
    }
    let records: Vec<Record> = plan.runs.iter().filter_map(|p| found.remove(&p.key)).collect();
    same_data(&records)?;
    Ok(Merged { records })
}

/// Runs of the same source must have seen the same data: a file may have changed in between.
fn same_data(records: &[Record]) -> Result<(), SweepError> {
    let mut seen: BTreeMap<Vec<Option<&String>>, &str> = BTreeMap::new();
    for record in records {
        let option = |name: &str| record.options.get(name);
        let source = ["data", "target", "labels", "merge-duplicates", "problem", "seed"].map(option).to_vec();
        let before = seen.entry(source).or_insert(&record.data);
        if *before != record.data {
            let data = record.options.get("data").cloned().unwrap_or_default();
            return Err(SweepError::Records(format!(
                "the data of {data} changed between runs: move the records away and run again"
            )));
        }
    }
    Ok(())
}

impl Merged {
    /// One JSON object per line.
    ///
    /// # Errors
    /// None with records of this program.
    pub fn jsonl(&self) -> Result<Vec<u8>, SweepError> {
        let lines: Result<Vec<_>, _> = self.records.iter().map(store::line).collect();
        Ok(lines?.concat())
    }

    /// One row per run; histories are left out. A column per option that some run has, and per level that some run records.
    ///
    /// # Errors
    /// None with records of this program.
    pub fn csv(&self) -> Result<Vec<u8>, SweepError> {
        let options: BTreeSet<&String> = self.records.iter().flat_map(|r| r.options.keys()).collect();
        let mut levels: Vec<f64> =
            self.records.iter().filter_map(|r| r.training.as_ref()).flat_map(|t| t.levels.clone()).collect();
        levels.sort_by(|a, b| b.total_cmp(a));
        levels.dedup();
        let mut writer = csv::Writer::from_writer(vec![]);
        let fail = |e: csv::Error| SweepError::Records(e.to_string());
        writer.write_record(heads(&options, &levels)).map_err(fail)?;
        for record in &self.records {
            writer.write_record(cells(record, &options, &levels)).map_err(fail)?;
        }
        writer.into_inner().map_err(|e| SweepError::Records(e.to_string()))
    }
}

/// Columns besides options and levels.
const RESULTS: [&str; 17] = [
    "samples",
    "features",
    "entry_last",
    "entry_hidden",
    "kernel_largest",
    "kernel_smallest",
    "certified_iterations",
    "certified_step_size",
    "radius",
    "rate",
    "smin_lower",
    "declined",
    "step_size",
    "initial_loss",
    "iterations",
    "final_loss",
    "stop",
];

fn heads(options: &BTreeSet<&String>, levels: &[f64]) -> Vec<String> {
    let mut heads = vec!["key".to_owned()];
    heads.extend(options.iter().map(|option| (*option).clone()));
    heads.extend(RESULTS.map(str::to_owned));
    heads.extend(levels.iter().map(|level| format!("iterations_to_{level:e}")));
    heads
}

fn number<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(String::new, |v| v.to_string())
}

/// The shortest decimal that reads back as the same double.
fn real(value: Option<f64>) -> String {
    value.map_or_else(String::new, |x| format!("{x:e}"))
}

fn cells(record: &Record, options: &BTreeSet<&String>, levels: &[f64]) -> Vec<String> {
    let (certificate, training) = (record.certificate.as_ref(), record.training.as_ref());
    let stop = training.and_then(|t| serde_json::to_value(t.stop).ok());
    let mut cells = vec![record.key.clone()];
    cells.extend(options.iter().map(|option| record.options.get(*option).cloned().unwrap_or_default()));
    cells.extend([
        record.samples.to_string(),
        record.features.to_string(),
        real(record.scale),
        real(record.hidden_scale),
        real(record.kernel.map(|k| k.0)),
        real(record.kernel.map(|k| k.1)),
        number(certificate.map(|c| c.iterations)),
        real(certificate.map(|c| c.step_size)),
        real(certificate.map(|c| c.radius)),
        real(certificate.map(|c| c.rate)),
        real(certificate.map(|c| c.smin_lower)),
        record.declined.iter().map(|d| d.code.as_str()).collect::<Vec<_>>().join(" "),
        real(training.map(|t| t.step_size)),
        real(training.map(|t| t.initial_loss)),
        number(training.map(|t| t.iterations)),
        real(training.and_then(|t| t.final_loss)),
        stop.and_then(|s| s.as_str().map(str::to_owned)).unwrap_or_default(),
    ]);
    cells.extend(levels.iter().map(|level| number(record.reached(*level))));
    cells
}
