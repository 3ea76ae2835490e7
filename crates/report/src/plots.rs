//! The plots of one problem.

use crate::model::{AuditedIterate, Certificate, Outcome, Problem, Sample, Training};
use crate::number::{Rounding, count, rounded};
use crate::svg::{Axis, Bar, Image, Ink, Plot, Rule, Scale, Series, Shape, chain};

/// A plot with what is written below it.
#[derive(Debug)]
pub(crate) struct Figure {
    /// Unique within a report; ASCII letters, digits and `-`.
    pub(crate) id: String,
    pub(crate) caption: String,
    pub(crate) image: Image,
}

/// All the plots for which there are data. `number` counts problems from 1.
pub(crate) fn of_problem(problem: &Problem, number: usize) -> Vec<Figure> {
    let figures = [stages, loss, audits, profile, movement, kernel_movement, spectrum];
    figures.iter().filter_map(|figure| figure(problem, number)).collect()
}

/// The name of the figure that shows the build-up of the count, which has a place of its own on the page.
pub(crate) const STAGES: &str = "stages";

fn certificate(problem: &Problem) -> Option<&Certificate> {
    match &problem.outcome {
        Outcome::Certified(certificate) => Some(certificate),
        Outcome::Declined(_) => None,
    }
}

fn points(samples: &[Sample]) -> Vec<(f64, f64)> {
    samples.iter().map(|sample| (sample.iteration as f64, sample.value)).collect()
}

fn line(name: &str, ink: Ink, samples: &[Sample]) -> Series {
    Series {
        name: name.to_string(),
        shape: Shape::Line,
        ink,
        points: points(samples),
        shade_to: None,
        band: vec![],
        dashed: false,
    }
}

fn horizontal(name: String, at: f64, ink: Ink) -> Rule {
    Rule::Horizontal { name, at, ink }
}

/// The axes over all series, widened by values that must be visible too.
fn axes(x: (&str, f64), y: (&str, Scale, &[f64]), series: &[Series]) -> Option<(Axis, Axis)> {
    let values = || series.iter().flat_map(|series| series.points.iter());
    let x = Axis::over(x.0, Scale::Linear, values().map(|point| point.0).chain([x.1]))?;
    let y = Axis::over(y.0, y.1, values().map(|point| point.1).chain(y.2.iter().copied()))?;
    Some((x, y))
}

fn figure(id: String, caption: &str, image: Image) -> Option<Figure> {
    Some(Figure { id, caption: caption.to_string(), image })
}

fn stages(problem: &Problem, number: usize) -> Option<Figure> {
    let id = format!("problem-{number}-{STAGES}");
    let title = format!("{}: how the iteration count builds up", problem.name);
    let bars: Vec<_> =
        problem.stages.iter().map(|stage| Bar { name: stage.name.clone(), value: stage.iterations }).collect();
    let description = "Bars on a logarithmic scale, one per stage, each beginning where the one before ended.";
    let image = chain(&id, &title, description, "iterations", &bars)?;
    figure(id, "Each bar begins where the one before ended; its length is the factor it costs.", image)
}

fn loss(problem: &Problem, number: usize) -> Option<Figure> {
    let certificate = certificate(problem);
    let observed = problem.training.as_ref().filter(|training| !training.loss.is_empty());
    let envelope = certificate.filter(|certificate| !certificate.envelope.is_empty());
    let mut series = Vec::new();
    series.extend(envelope.map(|certificate| line("certified bound", Ink::Certified, &certificate.envelope)));
    series.extend(observed.map(|training| line("loss of the run", Ink::Observed, &training.loss)));
    if series.is_empty() {
        return None;
    }
    let mut rules = Vec::new();
    if let Some(certificate) = certificate {
        let tolerance = rounded(certificate.tolerance, 3, Rounding::Nearest);
        rules.push(horizontal(format!("tolerance {tolerance}"), certificate.tolerance, Ink::Goal));
        let name = format!("certified: {}", count(certificate.iterations));
        rules.push(Rule::Vertical { name, at: certificate.iterations as f64, ink: Ink::Certified });
    }
    if let Some(reached) = problem.training.as_ref().and_then(|training| training.iterations_to_tolerance) {
        let name = format!("observed: {}", count(reached));
        rules.push(Rule::Vertical { name, at: reached as f64, ink: Ink::Observed });
    }
    rules.extend(first_provable(problem));
    let last = certificate.map_or(0.0, |certificate| certificate.iterations as f64);
    let tolerance = certificate.map(|certificate| certificate.tolerance);
    let (x, y) = axes(("iteration", last), ("loss S", Scale::Log, tolerance.as_slice()), &series)?;
    let id = format!("problem-{number}-loss");
    let title = format!("{}: loss against the certified bound", problem.name);
    let description = "Loss and its certified upper bound on a logarithmic scale against the iteration.";
    let image = Plot { id: &id, title: &title, description, x, y, series, rules }.draw();
    let caption = match (envelope, observed) {
        (Some(_), Some(_)) => "Loss of the run against the bound proved before it started.",
        (Some(_), None) => "The bound proved for every run; none was made.",
        _ => "Loss of a run that is not covered by a certificate.",
    };
    figure(id, caption, image)
}

/// Marks the first audited iterate from which plain gradient descent is proved to converge.
fn first_provable(problem: &Problem) -> Option<Rule> {
    let audit = trained(problem)?.audits.iter().find(|audit| audit.remaining.is_some())?;
    let name = format!("first provable: {}", count(audit.iteration));
    Some(Rule::Vertical { name, at: audit.iteration as f64, ink: Ink::Other })
}

fn audits(problem: &Problem, number: usize) -> Option<Figure> {
    let audited = &trained(problem)?.audits;
    let bound = |a: &AuditedIterate| a.distance.map(|value| Sample { iteration: a.iteration, value });
    let bounds: Vec<Sample> = audited.iter().filter_map(bound).collect();
    if bounds.len() < 2 {
        return None;
    }
    let name = "distance to parameters with loss 0, at most";
    let series = vec![Series { shape: Shape::Dots, ..line(name, Ink::Certified, &bounds) }];
    let last = audited.last().map_or(0.0, |audit| audit.iteration as f64);
    let (x, y) = axes(("iteration", last), ("distance", Scale::Log, &[]), &series)?;
    let id = format!("problem-{number}-audits");
    let title = format!("{}: proved distance to an exact solution", problem.name);
    let description =
        "Upper bounds of the distance to parameters with loss 0 on a logarithmic scale against the iteration.";
    let image = Plot {
        id: &id,
        title: &title,
        description,
        x,
        y,
        series,
        rules: first_provable(problem).into_iter().collect(),
    }
    .draw();
    figure(id, "Audits on the way: within this distance parameters with loss exactly 0 exist.", image)
}

fn profile(problem: &Problem, number: usize) -> Option<Figure> {
    let profile = problem.profile.as_ref()?;
    let radius = certificate(problem).map(|certificate| certificate.radius);
    let available = rounded(profile.available, 4, Rounding::Down);
    let needed = rounded(profile.needed, 4, Rounding::Up);
    let series = vec![Series {
        name: format!("ψ, area {available} (needed: {needed})"),
        shape: Shape::Steps,
        ink: Ink::Certified,
        points: profile.radius.iter().copied().zip(profile.psi.iter().copied()).collect(),
        shade_to: Some(radius.unwrap_or(f64::INFINITY)),
        band: vec![],
        dashed: false,
    }];
    let (x, y) = axes(("radius s", radius.unwrap_or(0.0)), ("ψ(s)", Scale::Linear, &[]), &series)?;
    // What lies far beyond the certified radius explains nothing.
    let x = x.up_to(radius.map_or(f64::INFINITY, |radius| 2.5 * radius));
    let name = |radius: f64| format!("certified radius {}", rounded(radius, 4, Rounding::Nearest));
    let rules = radius.map(|radius| Rule::Vertical { name: name(radius), at: radius, ink: Ink::Goal });
    let id = format!("problem-{number}-psi");
    let title = format!("{}: lower bound of the smallest singular value", problem.name);
    let description = "The step function psi against the radius; the shaded area is its integral.";
    let rules = rules.into_iter().collect();
    let image = Plot { id: &id, title: &title, description, x, y, series, rules }.draw();
    let caption = match problem.outcome {
        Outcome::Certified(_) => {
            "ψ(s) bounds the smallest singular value of the Jacobian within distance s of the start. The shaded area \
             exceeds what the residual asks for: that is the certificate."
        }
        Outcome::Declined(_) => {
            "ψ(s) bounds the smallest singular value of the Jacobian within distance s of the start. The shaded area \
             is all there is; a certificate asks for more than the needed area."
        }
    };
    figure(id, caption, image)
}

fn trained(problem: &Problem) -> Option<&Training> {
    problem.training.as_ref()
}

fn movement(problem: &Problem, number: usize) -> Option<Figure> {
    let training = trained(problem)?;
    let mut series = Vec::new();
    if !training.path.is_empty() {
        series.push(line("path walked", Ink::Observed, &training.path));
    }
    if !training.distance.is_empty() {
        series.push(line("distance from the start", Ink::Other, &training.distance));
    }
    if series.is_empty() {
        return None;
    }
    let radius = certificate(problem).map(|certificate| certificate.radius);
    let (x, y) = axes(("iteration", 0.0), ("length", Scale::Linear, radius.as_slice()), &series)?;
    let name = |radius: f64| format!("certified radius {}", rounded(radius, 4, Rounding::Nearest));
    let rules = radius.map(|radius| horizontal(name(radius), radius, Ink::Certified)).into_iter().collect();
    let id = format!("problem-{number}-movement");
    let title = format!("{}: movement of the parameters", problem.name);
    let description = "Length of the path and distance from the start against the iteration.";
    let image = Plot { id: &id, title: &title, description, x, y, series, rules }.draw();
    figure(id, "How far the parameters moved, in the metric of the step sizes.", image)
}

fn kernel_movement(problem: &Problem, number: usize) -> Option<Figure> {
    let training = trained(problem).filter(|training| !training.kernel_movement.is_empty())?;
    let series = vec![line("|K − K₀| / |K₀|", Ink::Observed, &training.kernel_movement)];
    let (x, y) = axes(("iteration", 0.0), ("relative change", Scale::Linear, &[]), &series)?;
    let id = format!("problem-{number}-kernel-movement");
    let title = format!("{}: movement of the tangent kernel", problem.name);
    let description = "Relative change of the tangent kernel against the iteration.";
    let image = Plot { id: &id, title: &title, description, x, y, series, rules: Vec::new() }.draw();
    figure(
        id,
        "How much the tangent kernel changed while training: near 0 the network behaves like a linear model.",
        image,
    )
}

fn spectrum(problem: &Problem, number: usize) -> Option<Figure> {
    let spectrum = problem.spectrum.as_ref()?;
    let mut values: Vec<_> = spectrum.eigenvalues.clone();
    values.sort_by(|a, b| b.total_cmp(a));
    let ranked = values.iter().enumerate().map(|(k, value)| ((k + 1) as f64, *value)).collect();
    let series = vec![Series {
        name: spectrum.kernel.clone(),
        shape: Shape::Dots,
        ink: Ink::Observed,
        points: ranked,
        shade_to: None,
        band: vec![],
        dashed: false,
    }];
    let verified = spectrum.smallest_verified;
    let (x, y) = axes(("rank", 0.0), ("eigenvalue", Scale::Log, verified.as_slice()), &series)?;
    let name = |bound: f64| format!("all at least {}", rounded(bound, 4, Rounding::Down));
    let rules = verified.map(|bound| horizontal(name(bound), bound, Ink::Certified)).into_iter().collect();
    let id = format!("problem-{number}-spectrum");
    let title = format!("{}: eigenvalues of the kernel", problem.name);
    let description = "Eigenvalues in decreasing order on a logarithmic scale.";
    let image = Plot { id: &id, title: &title, description, x, y, series, rules }.draw();
    figure(id, "Eigenvalues in decreasing order. Their spread is the condition number that slows descent down.", image)
}
