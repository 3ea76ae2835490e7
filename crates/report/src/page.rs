//! From the report to what the template shows: text, ready to be escaped.

use askama::Template;

use crate::RenderError;
use crate::model::{
    Arithmetic, Certificate, Constant, Direction, Evaluation, Finding, Link, MetricFactor, Multiplicity, Outcome,
    Problem, Reason, Report, Sample, Severity, Stage, Statement,
};
use crate::number::{Rounding, count, rounded};
use crate::{plots, svg, wording};

pub(crate) fn render(report: &Report) -> Result<String, RenderError> {
    let page = Page {
        report,
        style: format!("{}\n{}\n{}", svg::COLOURS, include_str!("../templates/page.css"), svg::STYLE),
        verdict: verdict(report),
        refuted: refuted(report),
        samples: count(report.data.samples),
        features: count(report.data.features),
        multiplicities: multiplicities(&report.data.multiplicities),
        findings: report.data.findings.iter().map(finding).collect(),
        problems: report.problems.iter().zip(1..).map(|(p, number)| problem(p, number, report.data.samples)).collect(),
        evaluations: report.evaluations.iter().map(evaluation).collect(),
    };
    Ok(page.render()?)
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    style: String,
    verdict: Verdict,
    /// The independent check found a claim that does not hold.
    refuted: bool,
    samples: String,
    features: String,
    multiplicities: String,
    findings: Vec<FindingView<'a>>,
    problems: Vec<ProblemView<'a>>,
    evaluations: Vec<EvaluationView<'a>>,
}

/// A number as text and in full precision.
struct Value {
    text: String,
    exact: String,
}

fn value(x: f64, significant: usize, rounding: Rounding) -> Value {
    Value { text: rounded(x, significant, rounding), exact: format!("{x:e}") }
}

struct Verdict {
    text: String,
    badge: &'static str,
    class: &'static str,
}

fn refuted(report: &Report) -> bool {
    report.check.as_ref().is_some_and(|check| !check.valid || check.lines.iter().any(|line| !line.confirmed))
}

fn verdict(report: &Report) -> Verdict {
    let all = report.problems.len();
    let certificates = report.problems.iter().filter_map(|problem| match &problem.outcome {
        Outcome::Certified(certificate) => Some(certificate),
        Outcome::Declined(_) => None,
    });
    let certified = certificates.clone().count();
    // Only exact steps are proved to converge; see `wording::claim`.
    let aim = match certificates.clone().all(|certificate| certificate.arithmetic == Arithmetic::Exact) {
        true => "fit these data exactly",
        false => "reach the tolerance on these data",
    };
    let text = match (certified, all) {
        (_, 0) => "Nothing to certify.".to_string(),
        (1, 1) => format!("Gradient descent is proved to {aim}."),
        (0, 1) => "No certificate for this setting.".to_string(),
        _ => format!("In {certified} of {all} problems gradient descent is proved to {aim}."),
    };
    match (refuted(report), certified == all && all > 0) {
        (true, _) => Verdict {
            text: "The independent check rejected the certificate.".to_string(),
            badge: "invalid",
            class: "wrong",
        },
        (false, true) => Verdict { text, badge: "certified", class: "yes" },
        (false, false) if certified == 0 => Verdict { text, badge: "declined", class: "no" },
        (false, false) => Verdict { text, badge: "partly declined", class: "no" },
    }
}

fn multiplicities(groups: &[Multiplicity]) -> String {
    let group = |m: &Multiplicity| match m.times {
        1 => format!("{} rows occur once", count(m.rows)),
        times => format!("{} rows {} times", count(m.rows), count(times)),
    };
    groups.iter().map(group).collect::<Vec<_>>().join(", ")
}

struct FindingView<'a> {
    class: &'static str,
    kind: &'static str,
    code: &'a str,
    message: &'a str,
}

fn finding(finding: &Finding) -> FindingView<'_> {
    let (class, kind) = match finding.severity {
        Severity::Note => ("plain", "Note"),
        Severity::Warning => ("care", "Warning"),
    };
    FindingView { class, kind, code: &finding.code, message: &finding.message }
}

struct ProblemView<'a> {
    number: usize,
    name: &'a str,
    certificate: Option<CertificateView<'a>>,
    reasons: &'a [Reason],
    observed: String,
    comparison: Option<Comparison>,
    widths: String,
    activation: &'a str,
    parameters: String,
    start: String,
    coordinates: &'static str,
    metric: String,
    chain: Vec<LinkView<'a>>,
    derivation: Vec<ConstantView<'a>>,
    stages: &'a [Stage],
    stage_figure: Option<FigureView>,
    figures: Vec<FigureView>,
    trained: bool,
    /// What audits of iterates and of the stored model prove.
    audits: Vec<String>,
}

struct FigureView {
    svg: String,
    caption: String,
}

fn problem(problem: &Problem, number: usize, samples: u64) -> ProblemView<'_> {
    let network = &problem.network;
    let (stage_figures, figures): (Vec<_>, Vec<_>) =
        plots::of_problem(problem, number).into_iter().partition(|figure| figure.id.ends_with(plots::STAGES));
    let show = |figure: plots::Figure| FigureView { svg: figure.image.inline(), caption: figure.caption };
    let (certificate, reasons) = match &problem.outcome {
        Outcome::Certified(certificate) => (Some(certificate), [].as_slice()),
        Outcome::Declined(reasons) => (None, reasons.as_slice()),
    };
    let reached = problem.training.as_ref().and_then(|training| training.iterations_to_tolerance);
    ProblemView {
        number,
        name: &problem.name,
        certificate: certificate.map(|certificate| certificate_view(certificate, samples)),
        reasons,
        observed: reached.map_or("–".to_string(), count),
        comparison: certificate.and_then(|certificate| comparison(certificate, problem)),
        widths: network.widths.iter().map(u64::to_string).collect::<Vec<_>>().join(" – "),
        activation: &network.activation,
        parameters: count(network.trained_parameters),
        start: wording::start(&network.start),
        coordinates: wording::coordinates(problem.coordinates),
        metric: metric(&problem.metric),
        chain: problem.chain.iter().map(link).collect(),
        derivation: problem.derivation.iter().map(constant).collect(),
        stages: &problem.stages,
        stage_figure: stage_figures.into_iter().map(show).next(),
        figures: figures.into_iter().map(show).collect(),
        trained: problem.training.is_some(),
        audits: audits(problem),
    }
}

fn audits(problem: &Problem) -> Vec<String> {
    let on_the_way = problem.training.as_ref().and_then(|training| wording::on_the_way(&training.audits));
    problem.audit.iter().flat_map(wording::stored).chain(on_the_way).collect()
}

fn metric(factors: &[MetricFactor]) -> String {
    if factors.is_empty() {
        return "1 everywhere: plain gradient descent".to_string();
    }
    let nearest = |x: f64| rounded(x, 6, Rounding::Nearest);
    let of_layer = |(factor, layer): (&MetricFactor, usize)| match factor.biases {
        Some(biases) if biases != factor.weights => {
            format!("layer {layer}: weights {}, biases {}", nearest(factor.weights), nearest(biases))
        }
        _ => format!("layer {layer}: {}", nearest(factor.weights)),
    };
    factors.iter().zip(1..).map(of_layer).collect::<Vec<_>>().join("; ")
}

struct CertificateView<'a> {
    claims: Vec<String>,
    limits: Vec<String>,
    statements: &'a [Statement],
    iterations: String,
    step_size: Value,
    radius: Value,
    rate: Value,
    rate_label: &'static str,
    tolerance: Value,
}

fn certificate_view(certificate: &Certificate, samples: u64) -> CertificateView<'_> {
    CertificateView {
        claims: wording::claim(certificate, samples),
        limits: wording::limits(certificate),
        statements: &certificate.statements,
        iterations: count(certificate.iterations),
        step_size: value(certificate.step_size, 5, Rounding::Nearest),
        radius: value(certificate.radius, 5, Rounding::Up),
        rate: value(certificate.rate, 5, Rounding::Down),
        rate_label: match certificate.arithmetic {
            Arithmetic::Exact => "rate, at least",
            Arithmetic::Perturbed { .. } => "rate of exact steps, at least",
        },
        tolerance: value(certificate.tolerance, 5, Rounding::Nearest),
    }
}

/// Did the run keep the promise?
struct Comparison {
    class: &'static str,
    text: String,
}

/// Compares loss and envelope at the iterations where both are recorded.
fn comparison(certificate: &Certificate, problem: &Problem) -> Option<Comparison> {
    let training = problem.training.as_ref()?;
    let bound_at = |sample: &Sample| {
        let index = certificate.envelope.binary_search_by_key(&sample.iteration, |bound| bound.iteration).ok()?;
        Some((sample.value, certificate.envelope[index].value))
    };
    let pairs: Vec<_> = training.loss.iter().filter_map(bound_at).collect();
    if pairs.is_empty() {
        return None;
    }
    // Written so that a NaN counts as a broken promise.
    let broken = pairs.iter().filter(|(loss, bound)| !matches!(loss.partial_cmp(bound), Some(o) if o.is_le())).count();
    let late = training.iterations_to_tolerance.is_some_and(|reached| reached > certificate.iterations);
    Some(match (broken, late) {
        (0, false) => Comparison {
            class: "plain",
            text: format!(
                "The run kept the promise: its loss is at most the certified bound at all {} iterations \
                           compared.",
                count(pairs.len() as u64)
            ),
        },
        (0, true) => Comparison {
            class: "wrong",
            text: "The run reached the tolerance later than certified. Either its rounding errors matter or something \
                   is wrong; please report it."
                .to_string(),
        },
        _ => Comparison {
            class: "wrong",
            text: format!(
                "The loss of the run exceeds the certified bound at {} of {} iterations compared. Either its rounding \
                 errors matter at that size or something is wrong; please report it.",
                count(broken as u64),
                count(pairs.len() as u64)
            ),
        },
    })
}

struct ConstantView<'a> {
    symbol: &'a str,
    name: &'a str,
    relation: &'static str,
    kind: &'static str,
    value: Value,
    statement: &'a str,
    formula: &'a str,
    explanation: &'a str,
}

struct LinkView<'a> {
    by: &'a str,
    symbol: &'a str,
    relation: &'static str,
    value: Value,
    meaning: &'a str,
}

fn link(link: &Link) -> LinkView<'_> {
    let (relation, _, rounding) = relation(link.direction);
    LinkView {
        by: &link.by,
        symbol: &link.symbol,
        relation,
        value: value(link.value, 4, rounding),
        meaning: &link.meaning,
    }
}

/// Sign, name and rounding of a displayed number.
fn relation(direction: Direction) -> (&'static str, &'static str, Rounding) {
    match direction {
        Direction::Lower => ("≥", "lower bound", Rounding::Down),
        Direction::Upper => ("≤", "upper bound", Rounding::Up),
        Direction::Exact => ("=", "exact", Rounding::Nearest),
        Direction::Estimate => ("≈", "estimate, not proved", Rounding::Nearest),
    }
}

fn constant(constant: &Constant) -> ConstantView<'_> {
    let (relation, kind, rounding) = relation(constant.direction);
    ConstantView {
        symbol: &constant.symbol,
        name: constant.name.trim_end_matches('.'),
        relation,
        kind,
        value: value(constant.value, 4, rounding),
        statement: &constant.statement,
        formula: &constant.formula,
        explanation: &constant.explanation,
    }
}

struct EvaluationView<'a> {
    set: &'a str,
    total: Option<String>,
    rows: Vec<LabelRow<'a>>,
    figures: Vec<FigureValue<'a>>,
}

struct LabelRow<'a> {
    label: &'a str,
    samples: String,
    correct: String,
    wrong: String,
}

struct FigureValue<'a> {
    name: &'a str,
    value: Value,
}

fn evaluation(evaluation: &Evaluation) -> EvaluationView<'_> {
    let sum = |of: fn(&crate::LabelCount) -> u64| evaluation.labels.iter().map(of).fold(0u64, u64::saturating_add);
    let (samples, correct) = (sum(|label| label.samples), sum(|label| label.correct));
    let rows = evaluation.labels.iter().map(|label| LabelRow {
        label: &label.label,
        samples: count(label.samples),
        correct: count(label.correct),
        wrong: count(label.samples.saturating_sub(label.correct)),
    });
    let figures = evaluation.figures.iter();
    EvaluationView {
        set: &evaluation.set,
        total: (samples > 0).then(|| format!("{} of {} correct", count(correct), count(samples))),
        rows: rows.collect(),
        figures: figures
            .map(|figure| FigureValue { name: &figure.name, value: value(figure.value, 4, Rounding::Nearest) })
            .collect(),
    }
}
