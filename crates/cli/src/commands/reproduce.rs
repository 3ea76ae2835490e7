//! `gradcert reproduce`.

use crate::args::{Paper, ReproduceArgs};
use crate::commands::certify::write;
use crate::failure::{Exit, Failure};
use crate::output::{Output, Seconds, progress_bar, say};
use crate::session::{require_memory, set_threads};
use gradcert::network::activation::Activation;
use gradcert::relu::descent::Training;
use gradcert::sweep::Progress;
use gradcert_papers::chatterjee2022::{self, Settings};
use gradcert_papers::{Bench, ItemOutcome, PaperError, du2018, du2019};
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

fn du2018_settings(args: &ReproduceArgs) -> du2018::Settings {
    let base = if args.quick { du2018::Settings::quick() } else { du2018::Settings::default() };
    let sizes = |widths: &Vec<u32>| widths.iter().map(|&w| w as usize).collect();
    du2018::Settings {
        samples: args.n.map_or(base.samples, |n| n as usize),
        features: args.d.map_or(base.features, |d| d as usize),
        widths: args.widths.as_ref().map_or(base.widths, sizes),
        epochs: args.epochs.map_or(base.epochs, |e| e as usize),
        step: args.step.unwrap_or(base.step),
        draws: args.draws.unwrap_or(base.draws),
        tolerance: args.tol.unwrap_or(base.tolerance),
        ..base
    }
}

fn du2019_settings(args: &ReproduceArgs) -> du2019::Settings {
    let base = if args.quick { du2019::Settings::quick() } else { du2019::Settings::default() };
    let sizes = |widths: &Vec<u32>| widths.iter().map(|&w| w as usize).collect();
    let depths = args.depths.as_ref().map(|d| d.iter().map(|&h| usize::from(h)).collect::<Vec<_>>());
    du2019::Settings {
        samples: args.n.map_or(base.samples, |n| n as usize),
        features: args.d.map_or(base.features, |d| d as usize),
        depths: depths.clone().unwrap_or(base.depths),
        trained_depths: depths.unwrap_or(base.trained_depths),
        widths: args.widths.as_ref().map_or(base.widths, sizes),
        epochs: args.epochs.map_or(base.epochs, |e| e as usize),
        step: args.step.unwrap_or(base.step),
        draws: args.draws.unwrap_or(base.draws),
        // The softplus of the paper is not shifted.
        activation: match args.activation {
            Some(Activation::Softplus) => Activation::PlainSoftplus,
            other => other.unwrap_or(base.activation),
        },
        ..base
    }
}

/// One item of a paper: its name, and how it is done.
type Work = (&'static str, Box<dyn Fn(&Bench<'_>) -> Result<ItemOutcome, PaperError>>);

/// The items that are wanted.
fn work(args: &ReproduceArgs) -> Result<Vec<Work>, Failure> {
    let mut wanted: Vec<Work> = vec![];
    match args.paper {
        Paper::Chatterjee2022 => {
            let settings = settings(args);
            for item in chatterjee2022::ITEMS {
                let settings = settings.clone();
                wanted.push((item.name(), Box::new(move |bench| item.reproduce(&settings, bench))));
            }
        }
        Paper::Du2018 => {
            let settings = du2018_settings(args);
            let widest = settings.widths.iter().copied().max().unwrap_or(0);
            let bytes = Training::bytes(settings.samples, widest) + 8.0 * (widest * settings.features) as f64;
            require_memory(bytes, || format!("{} samples and {widest} neurons need", settings.samples))?;
            // The searches of the last item hold the weights of up to two million neurons, and train there.
            say_memory(if args.quick { bytes } else { bytes.max(4e9) });
            for item in du2018::ITEMS {
                let settings = settings.clone();
                wanted.push((item.name(), Box::new(move |bench| item.reproduce(&settings, bench))));
            }
        }
        Paper::Du2019 => {
            let settings = du2019_settings(args);
            let bytes = settings.bytes();
            require_memory(bytes, || format!("{} samples and these widths need", settings.samples))?;
            say_memory(bytes);
            for item in du2019::ITEMS {
                let settings = settings.clone();
                wanted.push((item.name(), Box::new(move |bench| item.reproduce(&settings, bench))));
            }
        }
    }
    wanted.retain(|(name, _)| args.item.contain(name));
    if wanted.is_empty() {
        return Err(Failure::usage(format!("this paper has no item {}", args.item.name())));
    }
    Ok(wanted)
}

/// More than a gigabyte is announced.
fn say_memory(bytes: f64) {
    if bytes > 1e9 {
        say(&format!("gradcert: up to {:.1} GB of memory", bytes / 1e9));
    }
}

pub(crate) fn run(args: &ReproduceArgs) -> Result<(Exit, Output), Failure> {
    let clock = Seconds::start();
    let work = work(args)?;
    if args.paper != Paper::Chatterjee2022 {
        set_threads(args.threads);
    }
    std::fs::create_dir_all(&args.out).map_err(|e| Failure::file(&args.out, &e))?;
    let bar = progress_bar(0, "runs");
    let progress = |name: &str, p: Progress| show(&bar, name, p);
    let threads = args.threads.map_or(0, usize::from);
    let folder = args.out.join("runs");
    let bench = Bench { folder, threads, resume: args.resume, progress: &progress };
    let (mut text, mut done) = (String::new(), vec![]);
    for (item, reproduce) in work {
        let own = Seconds::start();
        let outcome = reproduce(&bench)?;
        let files = save(item, &outcome, &args.out)?;
        text += &format!("{}\n", outcome.article.title);
        text.extend(outcome.findings.iter().map(|line| format!("  {line}\n")));
        text += &format!("  page: {}\n", args.out.join(format!("{item}.html")).display());
        done.push(json!({
            "item": item, "findings": outcome.findings, "numbers": numbers(&outcome), "files": files,
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
fn save(item: &str, outcome: &ItemOutcome, out: &Path) -> Result<Vec<String>, Failure> {
    let mut files = vec![];
    let mut put = |name: String, bytes: &[u8]| -> Result<(), Failure> {
        write(&out.join(&name), bytes)?;
        files.push(name);
        Ok(())
    };
    let page = outcome.article.to_html().map_err(gradcert_papers::PaperError::from)?;
    put(format!("{item}.html"), page.as_bytes())?;
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
