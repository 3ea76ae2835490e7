//! The theorem's width and step beside the certified ones (T14), and training at the certified width with the certified step.

use super::data::{extremes, limit_kernel, sphere};
use super::settings::Settings;
use super::store::kept;
use super::theorem::{theorem_step, theorem_width};
use crate::bench::{Bench, PaperError};
use crate::outcome::{ItemOutcome, Sheet};
use gradcert::relu::descent::{Trained, Training};
use gradcert::relu::start::Start;
use gradcert::relu::width::{Certified, Options, Problem, Search, smallest};
use gradcert::sweep::Progress;
use gradcert_report::article::{Article, ArticleSection, ArticleTable};

/// The probability with which the theorem may fail.
const DELTA: f64 = 0.1;

/// Runs are stopped after so many products n^2 m: a few minutes.
const MOST_WORK: f64 = 5e11;

/// Samples on the sphere, targets from N(0, 1) scaled to the length sqrt n, so that sizes can be compared.
fn problem(n: usize, d: usize, seed: u64) -> Problem {
    let (x, mut y) = sphere(n, d, seed);
    let length = y.iter().map(|y| y * y).sum::<f64>().sqrt();
    y.iter_mut().for_each(|y| *y *= (n as f64).sqrt() / length);
    Problem::new(&x, &y)
}

/// Columns of a record, one row per draw; the last five are of the median draw alone, NaN elsewhere.
const COLUMNS: [&str; 11] = [
    "seed",
    "certified_width",
    "step_on_the_sum",
    "certified_iterations",
    "radius",
    "changeable",
    "iterations",
    "movement",
    "changed",
    "lmin",
    "envelope_held",
];
const WIDTH: usize = 1;

/// A run at the certified width with the certified step: iterations, movement, changed patterns, smallest eigenvalue at the end, and whether
/// every residual was below the recursion of (T14): 1 if to the end, 0.5 if until the run was stopped, 0 if not.
fn run(problem: &Problem, start: &Start, certified: &Certified, tolerance: f64) -> [f64; 5] {
    let n = problem.targets().len() as f64;
    let c = 2.0 * certified.step_size / n;
    let mut training = Training::new(problem.samples().inputs(), problem.targets(), start, Trained::FirstLayer);
    let (mut bound, mut clock, mut cell, mut iterations, mut held) = (certified.residual.get(), 0.0, 0, 0u64, true);
    let most = (MOST_WORK / (n * n * certified.width as f64)) as u64;
    while training.squared_residual() > n * tolerance && iterations < certified.descent.iterations.min(most) {
        clock += c * bound;
        while cell + 1 < certified.cells.len() && certified.cells[cell].clock < clock {
            cell += 1;
        }
        bound *= 1.0 - c * certified.decay[cell];
        training.step(c);
        iterations += 1;
        // The float run has its own rounding: 1e-9 of the bound, far above the residuals' errors of about 1e-14.
        held &= training.squared_residual().sqrt() <= bound * (1.0 + 1e-9);
    }
    let (done, stopped) = (training.squared_residual() <= n * tolerance, iterations == most);
    held &= (done || stopped) && training.largest_movement() <= certified.radius.get();
    let lmin = extremes(&training.kernel()).0;
    held &= lmin >= certified.smin * certified.smin;
    let held = match (held, done) {
        (false, _) => 0.0,
        (true, false) => 0.5,
        (true, true) => 1.0,
    };
    [iterations as f64, training.largest_movement(), training.changed_patterns(), lmin, held]
}

/// All draws of one size.
fn size(settings: &Settings, n: usize, d: usize, told: &dyn Fn(u64)) -> Vec<Vec<f64>> {
    let problem = problem(n, d, settings.seed);
    let options = Options { tolerance: settings.tolerance, step_size: None };
    let mut found: Vec<(u64, Option<Certified>)> = vec![];
    for seed in 0..settings.draws {
        let search = Search {
            antisymmetric: true,
            seed: settings.seed.wrapping_add(seed),
            largest: settings.largest_width,
            resolution: settings.resolution,
        };
        found.push((search.seed, smallest(&problem, &options, &search, &mut |_| ()).ok().map(|(_, c)| c)));
        told(seed + 1);
    }
    found.sort_by_key(|(_, c)| c.as_ref().map_or(usize::MAX, |c| c.width));
    let median = found.len() / 2;
    let row = |(k, (seed, certified)): (usize, &(u64, Option<Certified>))| {
        let Some(c) = certified else { return [vec![*seed as f64], vec![f64::NAN; COLUMNS.len() - 1]].concat() };
        let step = 2.0 * c.step_size / n as f64;
        let own = [*seed as f64, c.width as f64, step, c.descent.iterations as f64, c.radius.get(), c.changeable];
        let trained = if k == median {
            run(&problem, &Start::draw(c.width, d, true, *seed), c, settings.tolerance)
        } else {
            [f64::NAN; 5]
        };
        [own.to_vec(), trained.to_vec()].concat()
    };
    found.iter().enumerate().map(row).collect()
}

pub(crate) fn widths(settings: &Settings, bench: &Bench<'_>) -> Result<ItemOutcome, PaperError> {
    let mut sheet = Sheet::new("du2018-certified-widths", &[&["n", "d"], &COLUMNS[..]].concat());
    let (mut rows, mut numbers, mut findings) = (vec![], vec![], vec![]);
    for (index, &(n, d)) in settings.sizes.iter().enumerate() {
        let told = |seed: u64| {
            let runs = settings.sizes.len() * settings.draws as usize;
            let finished = index * settings.draws as usize + seed as usize;
            (bench.progress)(&format!("n = {n}, d = {d}"), Progress { runs, finished });
        };
        let name = format!(
            "scaled-widths-n{n}-d{d}-x{}-t{:e}-q{:?}-r{}",
            settings.draws, settings.tolerance, settings.resolution, settings.seed
        );
        let draws = kept(bench, &name, || size(settings, n, d, &told))?;
        let length = (n as f64).sqrt();
        let lambda_0 = extremes(&limit_kernel(problem(n, d, settings.seed).samples().inputs())).0;
        let (asked, step) = (theorem_width(n, length, lambda_0, DELTA), theorem_step(n, lambda_0));
        let own = |row: &Vec<f64>| {
            [vec![n.to_string(), d.to_string()], row.iter().map(|x| format!("{x:e}")).collect()].concat()
        };
        sheet.rows.extend(draws.iter().map(own));
        let all: Vec<f64> = draws.iter().map(|row| row[WIDTH]).filter(|w| w.is_finite()).collect();
        let median = &draws[draws.len() / 2];
        rows.push(vec![
            format!("{n} x {d}"),
            format!("{length:.2}"),
            format!("{lambda_0:.3}"),
            format!("{asked:.1e}"),
            format!("{step:.1e}"),
            whole(median[WIDTH]),
            format!(
                "{} to {}",
                whole(all.first().copied().unwrap_or(f64::NAN)),
                whole(all.last().copied().unwrap_or(f64::NAN))
            ),
            format!("{:.3}", median[2]),
            whole(median[3]),
            if median[10] == 0.5 { format!("{} (stopped)", whole(median[6])) } else { whole(median[6]) },
            format!("{:.3} / {:.3}", median[7], median[4]),
            format!("{:.2} / {:.1} %", 100.0 * median[8], 100.0 * median[5]),
            if median[10] > 0.0 { "yes" } else { "no" }.to_owned(),
        ]);
        findings.push(format!(
            "n = {n}, d = {d}, |y| = {length:.2}: certified width {} (theorem: {asked:.1e}), step {:.3} (theorem: {step:.1e}), {} iterations \
             certified, {} {}",
            whole(median[WIDTH]),
            median[2],
            whole(median[3]),
            whole(median[6]),
            if median[10] == 0.5 { "run, all within their bounds" } else { "needed" }
        ));
        for (name, value) in [
            ("certified", median[WIDTH]),
            ("theorem", asked),
            ("iterations_certified", median[3]),
            ("iterations", median[6]),
            ("held", median[10]),
        ] {
            numbers.push((format!("{name}-{n}x{d}"), value));
        }
    }
    let columns = [
        "n x d",
        "|y|",
        "lambda_0",
        "theorem's width",
        "theorem's step",
        "certified width",
        "all draws",
        "certified step",
        "certified iterations",
        "iterations",
        "movement / bound",
        "changed / changeable",
        "all held",
    ];
    let table = ArticleTable {
        caption: format!(
            "Medians of {} draws of an antisymmetric start, |y| = sqrt n; a run is stopped after some minutes; steps are those on |rho|^2 / 2; the theorem fails with probability {DELTA}",
            settings.draws
        ),
        columns: columns.map(str::to_owned).to_vec(),
        rows,
    };
    let section = ArticleSection {
        heading: "Theorem against instance".to_owned(),
        paragraphs: vec![
            "The theorem's width has the constants of its lemmas, with this data's lambda_0 and |y|. The certified width is the smallest \
             that the search found certified for a drawn start; there the network was trained with the certified step."
                .to_owned(),
        ],
        tables: vec![table],
        ..ArticleSection::default()
    };
    let article = Article {
        title: "Du et al. 2018: how wide is wide enough?".to_owned(),
        lead: "What the theorem asks for, what is certified for the data at hand, and what happens there.".to_owned(),
        sections: vec![section],
        ..Article::default()
    };
    Ok(ItemOutcome { article, sheets: vec![sheet], findings, numbers })
}

fn whole(x: f64) -> String {
    if x.is_finite() { gradcert_report::number::count(x as u64) } else { "none".to_owned() }
}
