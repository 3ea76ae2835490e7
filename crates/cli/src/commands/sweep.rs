//! `gradcert sweep`.

use crate::args::{SweepMergeArgs, SweepPlanArgs, SweepRunArgs};
use crate::commands::certify::write;
use crate::failure::{Exit, Failure};
use crate::output::{Output, Seconds, progress_bar};
use gradcert::sweep::{Plan, Progress, Shard, merge as join, run_shard};
use serde_json::json;
use std::path::Path;

fn read(path: &Path) -> Result<Plan, Failure> {
    let text = std::fs::read_to_string(path).map_err(|e| Failure::file(path, &e))?;
    Ok(Plan::parse(&text)?)
}

/// Lists the runs.
pub(crate) fn plan(args: &SweepPlanArgs) -> Result<(Exit, Output), Failure> {
    let plan = read(&args.plan)?;
    let mut text = format!("plan {}: {} runs\n", plan.hash, plan.runs.len());
    for run in &plan.runs {
        let options: Vec<String> = run.texts.iter().map(|(name, value)| format!("{name}={value}")).collect();
        text += &format!("{} {}\n", run.key, options.join(" "));
    }
    let runs: Vec<_> = plan.runs.iter().map(|run| json!({"key": run.key, "options": run.texts})).collect();
    let json = json!({"status": "done", "hash": plan.hash, "count": plan.runs.len(), "runs": runs});
    Ok((Exit::Done, Output { text, json }))
}

/// Does the runs of a share with a progress bar, and returns how far it came.
pub(crate) fn run_with_bar(
    plan: &Plan,
    shard: Shard,
    out: &Path,
    threads: usize,
    what: &str,
) -> Result<Progress, Failure> {
    let bar = progress_bar(0, what);
    let result = run_shard(plan, shard, out, threads, &|progress| {
        bar.set_length(progress.runs as u64);
        bar.set_position(progress.finished as u64);
        true
    });
    bar.finish_and_clear();
    Ok(result?)
}

/// Does a share of the runs.
pub(crate) fn run(args: &SweepRunArgs) -> Result<(Exit, Output), Failure> {
    let plan = read(&args.plan)?;
    let clock = Seconds::start();
    let threads = args.threads.map_or(0, usize::from);
    let progress = run_with_bar(&plan, args.shard, &args.out, threads, "runs")?;
    let text = format!(
        "plan {}: {} of {} runs of this share have records in {}\n",
        plan.hash,
        progress.finished,
        progress.runs,
        args.out.display()
    );
    let json = json!({
        "status": "done", "hash": plan.hash, "count": progress.runs, "finished": progress.finished,
        "seconds": clock.seconds()
    });
    Ok((Exit::Done, Output { text, json }))
}

/// Joins the records.
pub(crate) fn merge(args: &SweepMergeArgs) -> Result<(Exit, Output), Failure> {
    let plan = read(&args.plan)?;
    let merged = join(&plan, &args.out)?;
    let (table, lines) = (args.out.join("runs.csv"), args.out.join("runs.jsonl"));
    write(&table, &merged.csv()?)?;
    write(&lines, &merged.jsonl()?)?;
    let count = merged.records.len();
    let text = format!("plan {}: {count} records in {} and {}\n", plan.hash, table.display(), lines.display());
    let json = json!({"status": "done", "hash": plan.hash, "count": count, "table": table, "records": lines});
    Ok((Exit::Done, Output { text, json }))
}
