//! From results to the report: plain numbers and text.

use crate::args::{NetArgs, StartArg};
use crate::commands::train::{Trained, diverged, divergence, nothing_proved};
use crate::failure::Failure;
use crate::session::{Session, coordinates};
use crate::waterfall;
use gradcert::certify::audit::AuditOutcome;
use gradcert::certify::problem::Coordinates;
use gradcert::certify::{Certified, Outcome, record::parameters_hash};
use gradcert_report as page;
use std::path::Path;

/// What a report is made from.
pub(crate) struct Material<'a> {
    pub(crate) title: String,
    pub(crate) command: String,
    pub(crate) session: &'a Session,
    pub(crate) net: &'a NetArgs,
    pub(crate) trained: &'a [Trained],
    pub(crate) uncertified: bool,
    pub(crate) check: Option<page::Check>,
    pub(crate) evaluations: Vec<page::Evaluation>,
}

/// Writes `report.html` and the figures as SVG files.
pub(crate) fn write(material: &Material<'_>, folder: &Path) -> Result<(), Failure> {
    let report = page::Report {
        title: material.title.clone(),
        producer: concat!("gradcert ", env!("CARGO_PKG_VERSION")).to_owned(),
        command: material.command.clone(),
        data: data(material.session),
        problems: material.trained.iter().map(|t| problem(material, t)).collect(),
        check: material.check.clone(),
        evaluations: material.evaluations.clone(),
    };
    let path = folder.join("report.html");
    let html = report.to_html().map_err(|e| Failure::file(&path, &e))?;
    crate::commands::certify::write(&path, html.as_bytes())?;
    let figures = folder.join("figures");
    std::fs::create_dir_all(&figures).map_err(|e| Failure::file(&figures, &e))?;
    for figure in report.figures() {
        crate::commands::certify::write(&figures.join(&figure.name), figure.svg.as_bytes())?;
    }
    Ok(())
}

fn data(session: &Session) -> page::Data {
    let (samples, features) = session.dataset.shape();
    let classes = session.classes();
    let target = match classes.len() {
        0 => "numeric target".to_owned(),
        2 => format!("2 classes ({})", classes.join(", ")),
        k => format!("{k} classes ({}), one against the rest", classes.join(", ")),
    };
    page::Data {
        name: session.source.clone(),
        source: session.source.clone(),
        samples: samples as u64,
        features: features as u64,
        target,
        findings: findings(session),
        inputs_hash: gradcert_certificate::hash::inputs(session.dataset.inputs().as_slice(), samples, features),
        multiplicities: multiplicities(session),
    }
}

fn findings(session: &Session) -> Vec<page::Finding> {
    let found = &session.findings;
    let note =
        |code: &str, message: String| page::Finding { severity: page::Severity::Note, code: code.to_owned(), message };
    let mut list = vec![];
    if let Some(lift) = session.lift {
        let what = format!(
            "every sample is replaced by {} random features of it, {lift}; all that is proved is about these numbers",
            lift.count
        );
        list.push(note("lift", what));
    }
    if !found.constant_columns.is_empty() {
        list.push(note("constant_columns", format!("{} columns are constant", found.constant_columns.len())));
    }
    if !found.duplicate_groups.is_empty() {
        list.push(note("duplicate_rows", format!("{} groups of equal rows", found.duplicate_groups.len())));
    }
    if found.centred {
        list.push(note("centred", "columns are centred, which costs one rank of the inputs".to_owned()));
    }
    list
}

fn multiplicities(session: &Session) -> Vec<page::Multiplicity> {
    let Some(merged) = &session.merged else { return vec![] };
    let mut counts = std::collections::BTreeMap::new();
    merged.multiplicity.iter().for_each(|&m| *counts.entry(u64::from(m)).or_insert(0) += 1);
    counts.into_iter().map(|(times, rows)| page::Multiplicity { times, rows }).collect()
}

fn problem(material: &Material<'_>, t: &Trained) -> page::Problem {
    let certified = match &t.outcome {
        Outcome::Certified(c) if !material.uncertified => Some(c.as_ref()),
        _ => None,
    };
    let metric = &t.plan.metric;
    let plain = metric.weights[1..].iter().all(|&d| d == 1.0) && metric.biases[1..].iter().all(|&d| d == 1.0);
    let factors = (1..=metric.layers()).map(|l| page::MetricFactor {
        weights: metric.weights[l],
        biases: (l > 1 || material.net.whiten || metric.biases[1] > 0.0).then_some(metric.biases[l]),
    });
    page::Problem {
        name: t.task.name.clone(),
        network: network(material, t),
        coordinates: match coordinates(material.net) {
            Coordinates::Raw => page::Coordinates::Raw,
            Coordinates::Whitened { bias } => page::Coordinates::Whitened { bias },
        },
        metric: if plain { vec![] } else { factors.collect() },
        outcome: outcome(material, t, certified),
        chain: certified.map(waterfall::chain).unwrap_or_default(),
        derivation: certified.map(waterfall::derivation).unwrap_or_default(),
        stages: certified.map(|c| waterfall::stages(c, t.task.problem.total(), t.plan.tolerance)).unwrap_or_default(),
        profile: certified.map(|c| page::RadiusProfile {
            radius: c.profile.radius.clone(),
            psi: c.profile.psi.iter().map(|p| p.get()).collect(),
            needed: waterfall::needed_area(c),
            available: c.profile.integral.last().map_or(0.0, |i| i.get()),
        }),
        spectrum: certified.and_then(|c| {
            Some(page::Spectrum {
                kernel: "tangent kernel at the start".to_owned(),
                eigenvalues: c.spectrum.as_ref()?.values().to_vec(),
                smallest_verified: Some(c.smin_start.square().get()),
            })
        }),
        training: Some(training(t)),
        audit: t.audits.stored.as_ref().map(audit),
    }
}

fn network(material: &Material<'_>, t: &Trained) -> page::Network {
    let seed = t.task.drawn.map_or(material.net.seed(), |d| d.seed);
    let start = match (&material.net.start, t.outcome.positive_start()) {
        (_, Some(p)) => page::Start::Positive { scale: p.output, hidden: p.hidden.first().copied() },
        (StartArg::LeCun, _) => page::Start::Drawn { distribution: "LeCun".to_owned(), seed },
        (StartArg::AbsoluteLeCun, _) => page::Start::Drawn { distribution: "|LeCun|".to_owned(), seed },
        (StartArg::He, _) => page::Start::Drawn { distribution: "He".to_owned(), seed },
        (StartArg::Xavier, _) => page::Start::Drawn { distribution: "Xavier".to_owned(), seed },
        (StartArg::Ntk, _) => page::Start::Drawn {
            distribution: "LeCun, in the metric of the tangent kernel parametrisation".to_owned(),
            seed,
        },
        (StartArg::Conditional, _) => page::Start::Drawn { distribution: "conditional LeCun".to_owned(), seed },
        (StartArg::File(path), _) => {
            page::Start::Given { source: path.display().to_string(), hash: parameters_hash(&t.plan.start) }
        }
        // A point is no start of a network, and is refused before.
        (StartArg::Positive | StartArg::Point(_), None) => {
            page::Start::Given { source: "positive start".to_owned(), hash: parameters_hash(&t.plan.start) }
        }
    };
    page::Network {
        trained_parameters: t.plan.metric.trained_parameters(&t.plan.start) as u64,
        widths: t.plan.start.widths().into_iter().map(|w| w as u64).collect(),
        activation: t.plan.start.activation.to_string(),
        start,
    }
}

fn outcome(material: &Material<'_>, t: &Trained, certified: Option<&Certified>) -> page::Outcome {
    let reason =
        |code: &str, message: &str| page::Reason { code: code.to_owned(), message: message.to_owned(), remedy: None };
    if material.uncertified {
        let mut reasons = vec![reason("uncertified_run", &nothing_proved(t))];
        if diverged(t) {
            let divergence = divergence(t);
            reasons.push(reason(divergence.code, &divergence.message));
        }
        return page::Outcome::Declined(reasons);
    }
    if let Outcome::Declined(reasons) = &t.outcome {
        return page::Outcome::Declined(reasons.iter().map(|r| reason(r.code, &r.message)).collect());
    }
    let Some(facts) = t.outcome.facts(t.task.problem.total()) else { return page::Outcome::Declined(vec![]) };
    let envelope =
        t.run.history.iter().filter_map(|r| r.envelope.map(|value| page::Sample { iteration: r.iteration, value }));
    let further = certified.map(|c| {
        format!(
            "Nowhere on the run does the tangent kernel move by more than {:.3} %.",
            100.0 * c.kernel_movement().get()
        )
    });
    page::Outcome::Certified(page::Certificate {
        statements: statements(&t.outcome),
        step_size: facts.step_size,
        radius: facts.radius,
        iterations: facts.iterations,
        rate: facts.rate,
        tolerance: t.plan.tolerance,
        arithmetic: page::Arithmetic::Exact,
        envelope: envelope.collect(),
        further_claims: further.into_iter().collect(),
        limits: whitening_limit(material, t),
    })
}

fn whitening_limit(material: &Material<'_>, t: &Trained) -> Vec<String> {
    if !material.net.whiten {
        return vec![];
    }
    vec![format!(
        "the certificate speaks about the network on whitened inputs, where sample i reads the i-th unit vector; folding \
         it back into a network on raw samples rounds, and the folded network has loss {:.3e} there",
        t.run.folded_loss
    )]
}

fn statements(outcome: &Outcome) -> Vec<page::Statement> {
    let statement = |label: &str, name: &str| page::Statement { label: label.to_owned(), name: name.to_owned() };
    match outcome {
        Outcome::Certified(c) => vec![
            statement(&c.theorem(), "gradient descent with steps up to 2/|K|, and its contraction"),
            statement("T9+, T9m", "bounds of the Jacobian on a ball around the start"),
        ],
        Outcome::CertifiedOriginal(_) => {
            vec![statement("T7, T8, T2", "the original theorem with its explicit constants")]
        }
        Outcome::Declined(_) => vec![],
    }
}

fn audit(outcome: &AuditOutcome) -> page::Audit {
    match outcome {
        AuditOutcome::Declined(reasons) => page::Audit::Declined(
            reasons
                .iter()
                .map(|r| page::Reason { code: r.code.to_owned(), message: r.message.clone(), remedy: None })
                .collect(),
        ),
        AuditOutcome::Certified(a) => page::Audit::Certified {
            distance: a.distance,
            theorem: a.existence_theorem().to_owned(),
            descent: a.convergence.as_ref().map(|(_, found)| (found.descent.step_size, found.iterations)),
        },
    }
}

fn training(t: &Trained) -> page::Training {
    let series = |value: &dyn Fn(&gradcert::train::run::Record) -> Option<f64>| -> Vec<page::Sample> {
        let samples = t.run.history.iter();
        samples.filter_map(|r| value(r).map(|value| page::Sample { iteration: r.iteration, value })).collect()
    };
    let reached = t.run.history.iter().find(|r| r.loss <= t.plan.tolerance);
    page::Training {
        loss: series(&|r| Some(r.loss)),
        iterations_to_tolerance: reached.map(|r| r.iteration),
        path: series(&|r| Some(r.path)),
        distance: series(&|r| Some(r.distance)),
        kernel_movement: series(&|r| r.kernel_movement),
        audits: t
            .audits
            .moments
            .iter()
            .map(|m| page::AuditedIterate { iteration: m.iteration, distance: m.distance, remaining: m.remaining })
            .collect(),
    }
}

/// Counts of correct predictions per class.
pub(crate) fn evaluation(set: &str, decisions: &[String], truth: &gradcert_data::Dataset) -> page::Evaluation {
    let gradcert_data::Targets::Labels { classes, index } = truth.targets() else {
        return page::Evaluation { set: set.to_owned(), labels: vec![], figures: vec![] };
    };
    let labels: Vec<page::LabelCount> = classes
        .iter()
        .enumerate()
        .map(|(k, label)| {
            let of_label = || index.iter().zip(decisions).filter(move |(i, _)| **i == k);
            page::LabelCount {
                label: label.clone(),
                samples: of_label().count() as u64,
                correct: of_label().filter(|(_, decision)| *decision == label).count() as u64,
            }
        })
        .collect();
    page::Evaluation { set: set.to_owned(), labels, figures: vec![] }
}
