//! Does the positive start accelerate the optimisation? Two protocols: one step for all starts, and the best step of each.

use super::curves::{Spread, number};
use super::figures::{certified_step, with};
use super::settings::{LEVELS, Settings, StartKind};
use crate::bench::{Bench, PaperError, Records};
use crate::outcome::{ItemOutcome, Sheet};
use gradcert::sweep::Record;
use gradcert::sweep::options::OptionTexts;
use gradcert::train::run::Stop;
use gradcert_report::article::{Article, ArticleSection, ArticleTable, Chart, ChartAxis, Colour, Curve};

/// A contestant.
#[derive(Clone, Copy, PartialEq)]
struct Contestant {
    kind: StartKind,
    /// The positive start at the automatic scale instead of that of the settings.
    automatic: bool,
    whitened: bool,
}

impl Contestant {
    fn plain(kind: StartKind) -> Contestant {
        Contestant { kind, automatic: false, whitened: false }
    }

    fn name(self) -> String {
        let scale = match (self.kind, self.automatic) {
            (StartKind::Positive, true) => ", automatic A",
            _ => "",
        };
        format!("{}{scale}{}", self.kind.title(), if self.whitened { ", whitened" } else { "" })
    }

    fn texts(self, settings: &Settings, seed: u64, step: &str) -> OptionTexts {
        let mut texts = with(settings.start(self.kind, settings.first_width(), seed), &[("step", step)]);
        if self.automatic {
            texts.insert("scale".to_owned(), "auto".to_owned());
            texts.remove("hidden-scale");
        }
        if self.whitened {
            texts.insert("whiten".to_owned(), "true".to_owned());
        }
        if step != "certified" {
            // The comparison ends at the last level.
            texts.insert("tol".to_owned(), format!("{:e}", LEVELS[LEVELS.len() - 1]));
        }
        texts
    }
}

/// Those that try all steps.
fn contestants() -> Vec<Contestant> {
    let mut all: Vec<Contestant> = StartKind::ALL.into_iter().map(Contestant::plain).collect();
    all.insert(1, Contestant { automatic: true, ..Contestant::plain(StartKind::Positive) });
    all.push(Contestant { kind: StartKind::Positive, automatic: true, whitened: true });
    all.push(Contestant { whitened: true, ..Contestant::plain(StartKind::LeCun) });
    all
}

/// Those that are certified without any tuning.
fn certified() -> [Contestant; 3] {
    let positive = Contestant::plain(StartKind::Positive);
    [positive, Contestant { automatic: true, ..positive }, Contestant { automatic: true, whitened: true, ..positive }]
}

/// How many of the runs diverged, and what the others reached.
struct Standing {
    name: String,
    protocol: &'static str,
    /// One per level.
    spreads: Vec<Spread>,
    reached: Vec<Vec<Option<f64>>>,
    diverged: usize,
    /// Median of the best step, as a multiple of n/|K0|.
    best_step: Option<f64>,
}

fn reached(record: &Record, level: f64) -> Option<f64> {
    record.reached(level).map(|k| k as f64)
}

fn one_step(protocol: &'static str, name: String, records: &[&Record]) -> Standing {
    let by_level = |level: &f64| records.iter().map(|r| reached(r, *level)).collect::<Vec<_>>();
    let all: Vec<Vec<Option<f64>>> = LEVELS.iter().map(by_level).collect();
    let diverged = |r: &&&Record| r.training.as_ref().is_some_and(|t| t.stop == Stop::Diverged);
    Standing {
        name,
        protocol,
        spreads: all.iter().map(|values| Spread::of(values)).collect(),
        reached: all,
        diverged: records.iter().filter(diverged).count(),
        best_step: None,
    }
}

/// The fewest iterations over all steps, for every seed and level.
fn best(settings: &Settings, contestant: Contestant, records: &Records) -> Result<Standing, PaperError> {
    let (mut all, mut steps) = (vec![vec![]; LEVELS.len()], vec![]);
    for seed in 0..settings.speedup_seeds {
        for (at, level) in LEVELS.iter().enumerate() {
            let mut fewest: Option<(f64, f64)> = None;
            for &step in &settings.steps {
                let record = records.of(&contestant.texts(settings, seed, &format!("kernel:{step}")))?;
                if let Some(k) = reached(record, *level).filter(|k| fewest.is_none_or(|f| *k < f.0)) {
                    fewest = Some((k, step));
                }
            }
            all[at].push(fewest.map(|f| f.0));
            if at + 1 == LEVELS.len() {
                steps.push(fewest.map(|f| f.1));
            }
        }
    }
    let step = Spread::of(&steps).median();
    Ok(Standing {
        name: contestant.name(),
        protocol: "best step",
        spreads: all.iter().map(|values| Spread::of(values)).collect(),
        reached: all,
        diverged: 0,
        best_step: step.is_finite().then_some(step),
    })
}

/// The item.
pub(super) fn speedup(settings: &Settings, bench: &Bench<'_>) -> Result<ItemOutcome, PaperError> {
    let seeds = || 0..settings.speedup_seeds;
    let proved: Vec<OptionTexts> =
        seeds().flat_map(|seed| certified().map(|c| c.texts(settings, seed, "certified"))).collect();
    let proved = bench.run("speedup-certified", proved)?;
    let positive = Contestant::plain(StartKind::Positive);
    let mut steps = vec![];
    for seed in seeds() {
        steps.push(format!("{:e}", certified_step(proved.of(&positive.texts(settings, seed, "certified"))?)?));
    }
    let same = |kind, seed: u64| Contestant::plain(kind).texts(settings, seed, &steps[seed as usize]);
    let mut runs: Vec<OptionTexts> = seeds().flat_map(|seed| StartKind::RANDOM.map(|kind| same(kind, seed))).collect();
    for contestant in contestants() {
        for seed in seeds() {
            let step = |s: &f64| contestant.texts(settings, seed, &format!("kernel:{s}"));
            runs.extend(settings.steps.iter().map(step));
        }
    }
    let records = bench.run("speedup-runs", runs)?;
    let mut results = vec![];
    for contestant in certified() {
        let of: Result<Vec<_>, _> = seeds().map(|s| proved.of(&contestant.texts(settings, s, "certified"))).collect();
        results.push(one_step("certified step, no tuning", contestant.name(), &of?));
    }
    for kind in StartKind::RANDOM {
        let of: Result<Vec<_>, _> = seeds().map(|seed| records.of(&same(kind, seed))).collect();
        let name = Contestant::plain(kind).name();
        results.push(one_step("same step", name, &of?));
    }
    for contestant in contestants() {
        results.push(best(settings, contestant, &records)?);
    }
    Ok(outcome(settings, &results))
}

/// How many times as many iterations a start needs as the positive one, paired by seed: median and range.
fn slower(results: &[Standing], protocol: &str, base: (&str, &str), level: usize) -> Vec<(String, Spread)> {
    let Some(base) = results.iter().find(|r| r.name == base.0 && r.protocol == base.1) else { return vec![] };
    let of = |r: &Standing| {
        let ratios: Vec<Option<f64>> =
            r.reached[level].iter().zip(&base.reached[level]).map(|(a, b)| Some((*a)? / (*b)?.max(1.0))).collect();
        (r.name.clone(), Spread::of(&ratios))
    };
    results.iter().filter(|r| r.protocol == protocol && r.name != base.name).map(of).collect()
}

fn outcome(settings: &Settings, results: &[Standing]) -> ItemOutcome {
    let mut sheet = Sheet::new("speedup", &["start", "protocol", "level", "seed", "iterations", "best_step_median"]);
    let mut rows = vec![];
    let mut numbers = vec![];
    for r in results {
        for (at, level) in LEVELS.iter().enumerate() {
            for (seed, k) in r.reached[at].iter().enumerate() {
                let text = |x: Option<f64>| x.map_or_else(String::new, |x| x.to_string());
                let cells = [r.name.clone(), r.protocol.to_owned(), format!("{level:e}"), seed.to_string(), text(*k)];
                sheet.rows.push(cells.into_iter().chain([text(r.best_step)]).collect());
            }
            numbers.push((format!("{}/{}/{level:e}", r.protocol, r.name), r.spreads[at].median()));
        }
        let step = r.best_step.map_or_else(String::new, number);
        let mut row = vec![r.name.clone(), r.protocol.to_owned()];
        row.extend(r.spreads.iter().map(Spread::text));
        row.extend([format!("{} of {}", r.spreads[1].reached.len(), r.spreads[1].all), r.diverged.to_string(), step]);
        rows.push(row);
    }
    let findings = findings(results, &mut numbers);
    let levels = LEVELS.map(|level| format!("iterations to {level:e}"));
    let mut columns = vec!["start".to_owned(), "protocol".to_owned()];
    columns.extend(levels);
    columns.extend(["success", "diverged", "best step"].map(str::to_owned));
    let caption =
        format!("Median (smallest–largest) over {} seeds; success: S ≤ {:e}", settings.speedup_seeds, LEVELS[1]);
    let table = ArticleTable { caption, columns, rows };
    let paragraphs = vec![
        "One step for all: the certified step of the positive start at the scale of the settings. Best step: for every seed and \
         level the fewest iterations among all steps tried, a choice nobody can make beforehand. Certified: no choice at all."
            .to_owned(),
    ]
    .into_iter()
    .chain(findings.iter().cloned())
    .collect();
    let section = ArticleSection {
        heading: "Iterations".to_owned(),
        paragraphs,
        charts: vec![chart(results)],
        tables: vec![table],
    };
    let article = Article {
        title: "Does the positive start accelerate the optimisation?".to_owned(),
        lead: format!(
            "Iterations of four starts at width {}, with one step for all and with the best step of each.",
            settings.first_width()
        ),
        sections: vec![section],
        ..Article::default()
    };
    ItemOutcome { article, sheets: vec![sheet], findings, numbers }
}

fn findings(results: &[Standing], numbers: &mut Vec<(String, f64)>) -> Vec<String> {
    let level = 1;
    let mut lines = vec![];
    for (protocol, base) in
        [("same step", ("positive", "certified step, no tuning")), ("best step", ("positive", "best step"))]
    {
        for (name, spread) in slower(results, protocol, base, level) {
            numbers.push((format!("{protocol}/{name}/ratio"), spread.median()));
            let text = if spread.reached.is_empty() {
                format!("{protocol}: {name} reaches {:e} from none of {} seeds", LEVELS[level], spread.all)
            } else {
                format!(
                    "{protocol}: {name} needs {} times as many iterations to {:e} as the positive start",
                    spread.text(),
                    LEVELS[level]
                )
            };
            lines.push(text);
        }
    }
    lines
}

/// Every seed as a dot, a row of dots per contestant and protocol, at the number it has in the legend.
fn chart(results: &[Standing]) -> Chart {
    let level = 1;
    let shown: Vec<&Standing> = results.iter().filter(|r| !r.spreads[level].reached.is_empty()).collect();
    let rows = shown.len() as f64;
    let curves = shown.iter().enumerate().map(|(at, r)| {
        let short = match r.protocol {
            "same step" => "same step",
            "best step" => "best",
            _ => "certified",
        };
        Curve {
            name: format!("{} {}, {short}", at + 1, r.name),
            points: r.spreads[level].reached.iter().map(|&k| (k, (at + 1) as f64)).collect(),
            band: vec![],
            dashed: false,
            dots: true,
            colour: Colour::Distinct((at % 8) as u8),
        }
    });
    Chart {
        id: "speedup-iterations".to_owned(),
        title: "Iterations of every start and seed".to_owned(),
        description: "A dot per seed; a row per start and protocol, at its number in the legend.".to_owned(),
        caption: format!("Iterations to S ≤ {:e}; a dot per seed, rows at their numbers in the legend.", LEVELS[level]),
        x: ChartAxis { label: "iterations".to_owned(), logarithmic: true, limits: None },
        y: ChartAxis { label: "number in the legend".to_owned(), logarithmic: false, limits: Some((0.0, rows + 0.5)) },
        curves: curves.collect(),
    }
}
