//! `gradcert reproduce`.

use crate::args::ReproduceArgs;
use crate::commands::certify::write;
use crate::failure::{Exit, Failure};
use crate::output::{Output, Seconds, progress_bar};
use gradcert::sweep::Progress;
use gradcert_papers::chatterjee2022::{Item, Settings};
use gradcert_papers::{Bench, ItemOutcome};
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::path::Path;

/// Pixels per unit of the PNG figures; they are 380 units wide.
const PIXELS: f64 = 3.0;

fn settings(args: &ReproduceArgs) -> Settings {
    let base = if args.quick { Settings::quick() } else { Settings::default() };
    let sizes = |widths: &Vec<u32>| widths.iter().map(|&w| w as usize).collect();
    Settings {
        samples: args.n.map_or(base.samples, |n| n as usize),
        features: args.d.map_or(base.features, |d| d as usize),
        widths: args.widths.as_ref().map_or(base.widths, sizes),
        depth: args.depth.map_or(base.depth, usize::from),
        activation: args.activation.map_or(base.activation, |a| a.to_string()),
        scale: args.scale.unwrap_or(base.scale),
        hidden_scale: args.hidden_scale.or(base.hidden_scale),
        depths: args.depths.as_ref().map_or(base.depths, |d| d.iter().map(|&l| usize::from(l)).collect()),
        scales: args.scales.clone().unwrap_or(base.scales),
        entry_box: args.entry_box.or(base.entry_box),
        seeds: args.seeds.unwrap_or(base.seeds),
        speedup_seeds: args.speedup_seeds.unwrap_or(base.speedup_seeds),
        draws: args.draws.unwrap_or(base.draws),
        steps: args.steps.clone().unwrap_or(base.steps),
        step: args.step.unwrap_or(base.step),
        tolerance: args.tol.unwrap_or(base.tolerance),
        wide_iterations: args.wide_iterations.unwrap_or(base.wide_iterations),
        max_iterations: args.max_iterations.unwrap_or(base.max_iterations),
    }
}

pub(crate) fn run(args: &ReproduceArgs) -> Result<(Exit, Output), Failure> {
    let clock = Seconds::start();
    let settings = settings(args);
    std::fs::create_dir_all(&args.out).map_err(|e| Failure::file(&args.out, &e))?;
    let bar = progress_bar(0, "runs");
    let progress = |name: &str, p: Progress| show(&bar, name, p);
    let threads = args.threads.map_or(0, usize::from);
    let folder = args.out.join("runs");
    let bench = Bench { folder, threads, resume: args.resume, progress: &progress };
    let (mut text, mut done) = (String::new(), vec![]);
    for &item in &args.item.0 {
        let own = Seconds::start();
        let outcome = item.reproduce(&settings, &bench)?;
        let files = save(item, &outcome, &args.out)?;
        text += &format!("{}\n", outcome.article.title);
        text.extend(outcome.findings.iter().map(|line| format!("  {line}\n")));
        text += &format!("  page: {}\n", args.out.join(format!("{}.html", item.name())).display());
        done.push(json!({
            "item": item.name(), "findings": outcome.findings, "numbers": numbers(&outcome), "files": files,
            "seconds": own.seconds()
        }));
    }
    bar.finish_and_clear();
    let json = json!({"status": "done", "items": done, "seconds": clock.seconds()});
    Ok((Exit::Done, Output { text, json }))
}

fn show(bar: &ProgressBar, name: &str, progress: Progress) {
    bar.set_prefix(name.to_owned());
    bar.set_length(progress.runs as u64);
    bar.set_position(progress.finished as u64);
}

/// Numbers by name; what is not finite has no number.
fn numbers(outcome: &ItemOutcome) -> Value {
    outcome.numbers.iter().map(|(name, x)| (name.clone(), json!(x))).collect::<serde_json::Map<_, _>>().into()
}

/// Writes the page, the tables, and every figure twice; returns the names of the files.
fn save(item: Item, outcome: &ItemOutcome, out: &Path) -> Result<Vec<String>, Failure> {
    let mut files = vec![];
    let mut put = |name: String, bytes: &[u8]| -> Result<(), Failure> {
        write(&out.join(&name), bytes)?;
        files.push(name);
        Ok(())
    };
    let page = outcome.article.to_html().map_err(gradcert_papers::PaperError::from)?;
    put(format!("{}.html", item.name()), page.as_bytes())?;
    for sheet in &outcome.sheets {
        put(format!("{}.csv", sheet.name), &sheet.csv()?)?;
    }
    for chart in outcome.charts() {
        let svg = chart.svg();
        // A figure without a value that can be shown is left out.
        if !svg.is_empty() {
            put(format!("{}.svg", chart.id), svg.as_bytes())?;
            let png = chart.png(PIXELS).map_err(|e| Failure::input("experiment_page", e.to_string()))?;
            put(format!("{}.png", chart.id), &png)?;
        }
    }
    Ok(files)
}
