//! `gradcert sweep`.

use clap::{Args, Subcommand};
use gradcert::sweep::Shard;
use std::path::PathBuf;

/// What to do with a plan.
#[derive(Debug, Subcommand)]
pub(crate) enum SweepCommand {
    /// Check a plan and list its runs.
    Plan(SweepPlanArgs),
    /// Do the runs of a plan, or a share of them; finished ones are skipped.
    Run(SweepRunArgs),
    /// Join the records of all shares into one table.
    Merge(SweepMergeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SweepPlanArgs {
    /// The plan, a JSON file: `{"fixed": {option: value, ..}, "vary": {option: [values], ..}}`, options named as here.
    pub(crate) plan: PathBuf,
    /// One JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SweepRunArgs {
    /// The plan.
    pub(crate) plan: PathBuf,
    /// Folder for the records.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// The share number I of K shares.
    #[arg(long, value_name = "I/K", default_value = "1/1", value_parser = parse_shard)]
    pub(crate) shard: Shard,
    /// Runs at a time (default: one per processor).
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// One JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SweepMergeArgs {
    /// The plan.
    pub(crate) plan: PathBuf,
    /// The folder of the records; runs.csv and runs.jsonl are written into it.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// One JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

fn parse_shard(text: &str) -> Result<Shard, String> {
    text.parse::<Shard>().map_err(|e| e.to_string())
}
