//! Figures 1 to 3: loss against iteration.

use super::curves::{CURVE_COLUMNS, MeanCurve, Spread, number};
use super::settings::{Settings, StartKind};
use crate::bench::{Bench, PaperError};
use crate::outcome::{ItemOutcome, Sheet};
use gradcert::sweep::Record;
use gradcert::sweep::options::OptionTexts;
use gradcert_report::article::{Article, ArticleSection, ArticleTable, Chart, ChartAxis, Colour, Curve};

pub(crate) fn with(mut texts: OptionTexts, pairs: &[(&str, &str)]) -> OptionTexts {
    for (name, value) in pairs {
        texts.insert((*name).to_owned(), (*value).to_owned());
    }
    texts
}

/// The positive start at the scale of the settings, certified, with its history.
pub(crate) fn certified(settings: &Settings, width: usize, seed: u64) -> OptionTexts {
    with(settings.start(StartKind::Positive, width, seed), &[("step", "certified"), ("history", "true")])
}

/// The certified step of a record.
pub(crate) fn certified_step(record: &Record) -> Result<f64, PaperError> {
    if let Some(certificate) = &record.certificate {
        return Ok(certificate.step_size);
    }
    let reasons: Vec<&str> = record.declined.iter().map(|d| d.message.as_str()).collect();
    Err(PaperError::Declined(format!("the positive start of this experiment is not certified: {}", reasons.join("; "))))
}

/// The runs of one width: which steps, and one curve per start.
struct Panel {
    /// `same` or `own`.
    name: &'static str,
    curves: Vec<(StartKind, MeanCurve, Spread)>,
}

/// All starts with the certified step of the positive one, and each with a step of its own.
fn panels(settings: &Settings, bench: &Bench<'_>, item: &str, width: usize) -> Result<[Panel; 2], PaperError> {
    let seeds = || 0..settings.seeds;
    let first = bench
        .run(&format!("{item}-certified-{width}"), seeds().map(|seed| certified(settings, width, seed)).collect())?;
    let mut steps = vec![];
    for seed in seeds() {
        steps.push(format!("{:e}", certified_step(first.of(&certified(settings, width, seed))?)?));
    }
    let same = |kind: StartKind, seed: u64| {
        let step = steps[seed as usize].as_str();
        with(settings.start(kind, width, seed), &[("step", step), ("history", "true")])
    };
    let own_step = format!("kernel:{}", settings.step);
    let own = |kind, seed| with(settings.start(kind, width, seed), &[("step", own_step.as_str()), ("history", "true")]);
    let mut runs = vec![];
    for seed in seeds() {
        runs.extend(StartKind::RANDOM.map(|kind| same(kind, seed)));
        runs.extend(StartKind::ALL.map(|kind| own(kind, seed)));
    }
    let second = bench.run(&format!("{item}-runs-{width}"), runs)?;
    let over = |kind: StartKind, is_same: bool| -> Result<_, PaperError> {
        let mut records = vec![];
        for seed in seeds() {
            records.push(match (kind, is_same) {
                (StartKind::Positive, true) => first.of(&certified(settings, width, seed))?,
                (_, true) => second.of(&same(kind, seed))?,
                (_, false) => second.of(&own(kind, seed))?,
            });
        }
        let reached: Vec<_> = records.iter().map(|r| r.reached(settings.tolerance).map(|k| k as f64)).collect();
        Ok((kind, MeanCurve::over(&records), Spread::of(&reached)))
    };
    let panel = |name: &'static str, is_same: bool| -> Result<Panel, PaperError> {
        let curves = StartKind::ALL.into_iter().map(|kind| over(kind, is_same)).collect::<Result<_, _>>()?;
        Ok(Panel { name, curves })
    };
    Ok([panel("same", true)?, panel("own", false)?])
}

/// Axes over all curves, down to a tenth of the tolerance.
pub(crate) fn loss_axes(settings: &Settings, curves: &[Curve]) -> (ChartAxis, ChartAxis) {
    let end = curves.iter().flat_map(|c| c.points.last()).map(|p| p.0).fold(1.0, f64::max);
    let losses = curves.iter().flat_map(|c| c.points.iter().map(|p| p.1).chain(c.band.iter().map(|b| b.2)));
    let top = losses.filter(|x| x.is_finite()).fold(1.0, f64::max);
    let x = ChartAxis { label: "iteration".to_owned(), logarithmic: true, limits: Some((1.0, end.max(10.0))) };
    let y =
        ChartAxis { label: "mean loss S".to_owned(), logarithmic: true, limits: Some((0.1 * settings.tolerance, top)) };
    (x, y)
}

fn chart_of(settings: &Settings, panel: &Panel, item: &str, width: usize) -> Chart {
    let mut curves: Vec<Curve> = vec![];
    for (kind, mean, _) in &panel.curves {
        let colour = Colour::Distinct(kind.index());
        curves.extend(mean.bound("certified bound", colour));
        curves.push(mean.curve(kind.title(), colour));
    }
    let (x, y) = loss_axes(settings, &curves);
    let (title, caption) = match panel.name {
        "same" => (
            format!("Width {width}: one step for all starts"),
            format!(
                "Width {width}, every start with the certified step of the positive one. Mean over {} seeds, band from \
                 smallest to largest; dashed: the bound proved before training.",
                settings.seeds
            ),
        ),
        _ => (
            format!("Width {width}: a step of its own for every start"),
            format!(
                "Width {width}, every start with the step {} n/|K₀| of its own kernel. Nothing is proved about these runs.",
                settings.step
            ),
        ),
    };
    let description = "Mean loss of four starts against the iteration, both on logarithmic scales.".to_owned();
    Chart { id: format!("{item}-{}-step-{width}", panel.name), title, description, caption, x, y, curves }
}

fn row(panel: &Panel, width: usize) -> Vec<Vec<String>> {
    let cells = |(kind, mean, spread): &(StartKind, MeanCurve, Spread)| {
        let diverged = if mean.diverged > 0 { format!("{} of {}", mean.diverged, mean.runs) } else { "0".to_owned() };
        vec![format!("{}, width {width}", kind.title()), panel.name.to_owned(), spread.text(), diverged]
    };
    panel.curves.iter().map(cells).collect()
}

/// One item with the panels of some widths.
fn starts(settings: &Settings, bench: &Bench<'_>, item: &str, widths: &[usize]) -> Result<ItemOutcome, PaperError> {
    let columns: Vec<&str> = ["width", "step", "start"].into_iter().chain(CURVE_COLUMNS).collect();
    let mut sheet = Sheet::new(item, &columns);
    let mut table = ArticleTable {
        caption: format!("Iterations to {:e}: median (smallest–largest) over seeds", settings.tolerance),
        columns: ["start", "step", "iterations", "diverged"].map(str::to_owned).to_vec(),
        rows: vec![],
    };
    let (mut charts, mut numbers, mut findings) = (vec![], vec![], vec![]);
    for &width in widths {
        for panel in panels(settings, bench, item, width)? {
            let mut medians = vec![];
            for (kind, mean, spread) in &panel.curves {
                sheet.rows.extend(mean.rows(&[&width.to_string(), panel.name, kind.name()]));
                numbers.push((format!("{width}/{}/{}", panel.name, kind.name()), spread.median()));
                medians.push(format!("{} {}", kind.title(), spread.text()));
            }
            findings.push(format!("width {width}, {} step: iterations {}", panel.name, medians.join(", ")));
            table.rows.extend(row(&panel, width));
            charts.push(chart_of(settings, &panel, item, width));
        }
    }
    let paragraphs = vec![
        "Left: one step for all, the certified step of the positive start. The kernel of the positive start is larger, the \
         more so the larger A, so this step is small for the others and they look slow."
            .to_owned(),
        "Right: every start with a step that suits its own kernel. What remains of the difference is due to the start itself."
            .to_owned(),
    ];
    let section = ArticleSection { heading: "Four starts".to_owned(), paragraphs, charts, tables: vec![table] };
    let article = Article { sections: vec![section], ..Article::default() };
    Ok(ItemOutcome { article, sheets: vec![sheet], findings, numbers })
}

/// Figure 1: the first width.
pub(super) fn fig1(settings: &Settings, bench: &Bench<'_>) -> Result<ItemOutcome, PaperError> {
    let mut outcome = starts(settings, bench, "fig1", &[settings.first_width()])?;
    outcome.article.title = "Figure 1: four starts, a narrow network".to_owned();
    outcome.article.lead =
        "Loss of gradient descent on Gaussian data from the positive start of the theorem, from LeCun's \
                            random start, from its absolute values, and from LeCun's start given positive later layers."
            .to_owned();
    Ok(outcome)
}

/// Figure 2: all widths.
pub(super) fn fig2(settings: &Settings, bench: &Bench<'_>) -> Result<ItemOutcome, PaperError> {
    let mut outcome = starts(settings, bench, "fig2", &settings.widths)?;
    outcome.article.title = "Figure 2: four starts, wider networks".to_owned();
    outcome.article.lead = "The comparison of figure 1 for several widths.".to_owned();
    Ok(outcome)
}

/// Figure 3: output scales of the positive start.
pub(super) fn fig3(settings: &Settings, bench: &Bench<'_>) -> Result<ItemOutcome, PaperError> {
    let width = settings.first_width();
    let texts = |scale: f64, seed: u64, step: &str| {
        let scale = scale.to_string();
        let base = settings.start(StartKind::Positive, width, seed);
        let stages = if step == "certified" { "certify,train" } else { "train" };
        with(base, &[("scale", scale.as_str()), ("step", step), ("stages", stages), ("history", "true")])
    };
    let own = format!("kernel:{}", settings.step);
    let mut runs = vec![];
    for &scale in &settings.scales {
        for seed in 0..settings.seeds {
            runs.extend([texts(scale, seed, "certified"), texts(scale, seed, &own)]);
        }
    }
    let records = bench.run("fig3-runs", runs)?;
    let columns: Vec<&str> = ["scale", "step"].into_iter().chain(CURVE_COLUMNS).collect();
    let mut curves_sheet = Sheet::new("fig3", &columns);
    let mut counts = Sheet::new(
        "fig3-counts",
        &["scale", "certified_of", "certified_median", "observed_certified_step", "observed_own_step"],
    );
    let (mut with_proof, mut without, mut numbers) = (vec![], vec![], vec![]);
    let (mut proved, mut observed, mut free) = (vec![], vec![], vec![]);
    for (at, &scale) in settings.scales.iter().enumerate() {
        let of = |step: &str| -> Result<Vec<&Record>, PaperError> {
            (0..settings.seeds).map(|seed| records.of(&texts(scale, seed, step))).collect()
        };
        let (certified, plain) = (of("certified")?, of(&own)?);
        let colour = Colour::Ordered((at * 8 / settings.scales.len()) as u8);
        let name = format!("A = {scale}");
        let means = [MeanCurve::over(&certified), MeanCurve::over(&plain)];
        let all = certified.iter().all(|r| r.certificate.is_some());
        for (mean, step) in means.iter().zip(["certified", "own"]) {
            curves_sheet.rows.extend(mean.rows(&[&scale.to_string(), step]));
        }
        if all {
            with_proof.push(means[0].curve(&name, colour));
            with_proof.extend(means[0].bound(&format!("{name}, bound"), colour).filter(|_| at % 3 == 2));
        }
        without.push(means[1].curve(&name, colour));
        let tolerance = settings.tolerance;
        let count = |records: &[&Record], f: &dyn Fn(&Record) -> Option<u64>| {
            Spread::of(&records.iter().map(|r| f(r).map(|k| k as f64)).collect::<Vec<_>>())
        };
        let bound = count(&certified, &|r| r.certificate.as_ref().map(|c| c.iterations));
        let seen = count(&certified, &|r| r.reached(tolerance));
        let alone = count(&plain, &|r| r.reached(tolerance));
        for (points, spread) in [(&mut proved, &bound), (&mut observed, &seen), (&mut free, &alone)] {
            if spread.median().is_finite() {
                points.push((scale, spread.median()));
            }
        }
        for (what, spread) in [("certified", &bound), ("observed", &seen), ("own", &alone)] {
            numbers.push((format!("{scale}/{what}"), spread.median()));
        }
        let share = format!("{} of {}", bound.reached.len(), bound.all);
        counts.rows.push(vec![scale.to_string(), share, bound.text(), seen.text(), alone.text()]);
    }
    let findings = counts.rows.iter().map(|r| {
        format!(
            "A = {}: certified {} at {} iterations, observed {}, with a step of its own {}",
            r[0], r[1], r[2], r[3], r[4]
        )
    });
    let findings = findings.collect();
    let charts = vec![
        fig3_chart(settings, "fig3-certified", "certified steps", with_proof),
        fig3_chart(settings, "fig3-own", "steps of their own", without),
        fig3_counts(settings, [proved, observed, free]),
    ];
    let table = ArticleTable {
        caption: format!("Iterations to {:e}: median (smallest–largest) over seeds", settings.tolerance),
        columns: ["A", "certified", "certified iterations", "observed, certified step", "observed, own step"]
            .map(str::to_owned)
            .to_vec(),
        rows: counts.rows.clone(),
    };
    let paragraphs = vec![
        "The larger A, the less the network moves and the closer training comes to that of a linear model with the kernel at \
         the start. Below the smallest certifiable A nothing is proved, though training may succeed."
            .to_owned(),
    ];
    let section = ArticleSection { heading: "Output scales".to_owned(), paragraphs, charts, tables: vec![table] };
    let article = Article {
        title: "Figure 3: the output scale of the positive start".to_owned(),
        lead: format!(
            "Loss of gradient descent from the positive start for several scales A of the last layer, width {width}."
        ),
        sections: vec![section],
        ..Article::default()
    };
    Ok(ItemOutcome { article, sheets: vec![curves_sheet, counts], findings, numbers })
}

fn fig3_chart(settings: &Settings, id: &str, what: &str, curves: Vec<Curve>) -> Chart {
    let (x, y) = loss_axes(settings, &curves);
    Chart {
        id: id.to_owned(),
        title: format!("Loss for several output scales, {what}"),
        description: "Mean loss for each output scale against the iteration, both on logarithmic scales.".to_owned(),
        caption: format!(
            "Mean loss over {} seeds with {what}; bands from smallest to largest, dashed: certified bounds.",
            settings.seeds
        ),
        x,
        y,
        curves,
    }
}

fn fig3_counts(settings: &Settings, points: [Vec<(f64, f64)>; 3]) -> Chart {
    let [proved, observed, free] = points;
    let curve = |name: &str, points, dashed, k| Curve {
        name: name.to_owned(),
        points,
        band: vec![],
        dashed,
        dots: false,
        colour: Colour::Distinct(k),
    };
    let axis = |label: &str| ChartAxis { label: label.to_owned(), logarithmic: true, limits: None };
    Chart {
        id: "fig3-counts".to_owned(),
        title: "Iterations against the output scale".to_owned(),
        description: "Certified and observed iterations against the output scale, both on logarithmic scales."
            .to_owned(),
        caption: format!(
            "Iterations to {}: the certified number, what was needed with the certified step, and with a step of its own. Medians.",
            number(settings.tolerance)
        ),
        x: axis("output scale A"),
        y: axis("iterations"),
        curves: vec![
            curve("certified", proved, true, 1),
            curve("observed, certified step", observed, false, 1),
            curve("observed, own step", free, false, 0),
        ],
    }
}
