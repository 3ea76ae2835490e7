//! For the report: how the promise grows out of the data, number by number.

use gradcert::certify::Certified;
use gradcert::certify::search::Spectrum;
use gradcert::theorem::envelope::target;
use gradcert_certificate::format::{Envelope, Form};
use gradcert_report as page;
use gradcert_report::Direction::{self, Estimate, Exact, Lower, Upper};
use gradcert_report::number::{Rounding, rounded};

fn short(x: f64) -> String {
    rounded(x, 4, Rounding::Nearest)
}

/// What the area under psi has to exceed: `|rho(w0)| / theta` in the first form of (T4), `(|rho(w0)| + lam sJ r) / theta`
/// in the second.
pub(crate) fn needed_area(c: &Certified) -> f64 {
    let d = &c.found.descent;
    let curvature = match d.form {
        Form::First => 0.0,
        Form::Second => d.lambda.get() * d.norm().get() * c.radius(),
    };
    (c.residual.get() + curvature) / d.theta.get()
}

/// The main line: from the singular value of the inputs to the rate and the count. Each link but the first says by what it
/// follows from the one before.
pub(crate) fn chain(c: &Certified) -> Vec<page::Link> {
    let d = &c.found.descent;
    let (inputs, start, ball, norm) = (c.smin_inputs.get(), c.smin_start.get(), d.psi().get(), d.norm().get());
    let link = |by: String, symbol: &str, value: f64, direction: Direction, meaning: &str| page::Link {
        by,
        symbol: symbol.to_owned(),
        value,
        direction,
        meaning: meaning.to_owned(),
    };
    let mut links = vec![];
    let mut by = String::new();
    // Some starts are certified without it.
    if inputs > 0.0 {
        links.push(link(String::new(), "smin(Xt)", inputs, Lower, "independence of the samples"));
        by = format!("× {}, slopes and later weights of the start (T6)", short(start / inputs));
    }
    links.push(link(by, "smin(J0)", start, Lower, "how well the parameters can move every output at the start"));
    let left =
        format!("× {}, what is left anywhere in the ball of radius {} (T9+)", short(ball / start), short(c.radius()));
    links.push(link(left, "psi(r)", ball, Lower, "the same, wherever the run may go"));
    let by = format!("÷ {}, the largest singular value sJ on the ball (T9+)", short(norm));
    links.push(link(by, "psi(r) / sJ", ball / norm, Estimate, "slowest against fastest direction"));
    let by = format!("squared, × {}: the step in units of 1 / sJ^2, below 2 (T4)", short(d.t1.get()));
    links.push(link(by, "c psi(r)^2", d.b.get(), Lower, "what one step removes of the error in the slowest direction"));
    let q = d.factor(c.residual).get();
    let by = format!("1 minus it, corrected for curvature (lam = {}) (T5)", short(d.lambda.get()));
    links.push(link(by, "q", q, Upper, "the error shrinks at least by this factor per iteration"));
    links.push(link(
        "1 - q^2".to_owned(),
        "rate",
        c.rate().get(),
        Lower,
        "every iteration multiplies the loss by at most 1 - rate",
    ));
    let by = match c.found.envelope {
        Envelope::Contraction => "iterated, q sharper as the error falls (T5)",
        Envelope::Spectral => "better: every direction with its own factor (T5s)",
    };
    links.push(link(by.to_owned(), "N", c.found.iterations as f64, Upper, "certified iterations to the tolerance"));
    links
}

/// Every constant, in the order in which they are computed.
pub(crate) fn derivation(c: &Certified) -> Vec<page::Constant> {
    let d = &c.found.descent;
    let j = d.index;
    let profile = &c.profile;
    let row = |symbol: &str, value: f64, direction, statement: &str, name: &str, formula: &str, explanation: &str| {
        page::Constant {
            symbol: symbol.to_owned(),
            name: name.to_owned(),
            value,
            direction,
            statement: statement.to_owned(),
            formula: formula.to_owned(),
            explanation: explanation.to_owned(),
        }
    };
    let (hypothesis, needed) = match d.form {
        Form::First => ("|rho(w0)| / theta", needed_area(c)),
        Form::Second => ("(|rho(w0)| + lam sJ r) / theta", needed_area(c)),
    };
    let theta = match d.form {
        Form::First => "the first form of (T4) at t0, t1, lam",
        Form::Second => "the second form of (T4) at t0, t1",
    };
    let enough = format!("More than {} is needed: {hypothesis}. This is the hypothesis that certifies.", short(needed));
    let counted = match c.found.envelope {
        Envelope::Contraction => "q iterated",
        Envelope::Spectral => "the spectrum of the kernel at the start, iterated",
    };
    vec![
        row(
            "smin(Xt)",
            c.smin_inputs.get(),
            Lower,
            "data",
            "independence of the samples",
            "",
            "Smallest singular value of the inputs with their bias coordinate.",
        ),
        row("|Xt|", c.smax_inputs.get(), Upper, "data", "size of the inputs", "", "Largest singular value."),
        row(
            "|rho(w0)|",
            c.residual.get(),
            Upper,
            "start",
            "error before training",
            "",
            "Length of the vector of residuals.",
        ),
        row(
            "smin(J0)",
            c.smin_start.get(),
            Lower,
            "T6",
            "Jacobian at the start",
            "",
            "Its smallest singular value: how well the parameters can move every output.",
        ),
        row("|J0|", c.smax_start.get(), Upper, "T6", "Jacobian at the start", "", "Its largest singular value."),
        row(
            "r",
            c.radius(),
            Exact,
            "chosen",
            "radius",
            "",
            "The run is proved to stay this close to its start, in the metric of the step factors.",
        ),
        row(
            "psi(r)",
            d.psi().get(),
            Lower,
            "T9+, T9m",
            "Jacobian on the ball",
            "",
            "Lower bound of its smallest singular value anywhere within distance r.",
        ),
        row(
            "sJ",
            profile.norm[j].get(),
            Upper,
            "T9+",
            "Jacobian on the ball",
            "",
            "Upper bound of its largest singular value.",
        ),
        row(
            "LJ",
            profile.lipschitz[j].get(),
            Upper,
            "T9+",
            "curvature",
            "",
            "Lipschitz constant of the Jacobian on the ball.",
        ),
        row("eta", d.step_size, Exact, "chosen", "step size", "", "Of plain descent on the mean squared loss."),
        row("c", d.c.hi(), Upper, "T4", "step on half the sum", "2 eta / n", "With n the number of samples."),
        row("t1", d.t1.get(), Upper, "T4", "fastest direction", "c sJ^2", "Below 2, the limit of stability."),
        row(
            "t0",
            d.t0.get(),
            Upper,
            "T4",
            "slowest direction",
            "c psi(0)^2",
            "How much of the error in that direction one step removes, at the start.",
        ),
        row(
            "lam",
            d.lambda.get(),
            Upper,
            "T4",
            "curvature along a step",
            "c LJ |rho(w0)| / 2",
            "A step is not infinitesimal; this is what it costs.",
        ),
        row(
            "theta",
            d.theta.get(),
            Lower,
            "T4",
            "efficiency of a step",
            theta,
            "How much of psi times the length of a step the error falls by at least.",
        ),
        row(
            "integral psi",
            profile.integral[j].get(),
            Lower,
            "T3",
            "what the ball allows",
            "area under psi up to r",
            &enough,
        ),
        row("b", d.b.get(), Lower, "T5", "slowest direction, anywhere", "c psi(r)^2", "Rounded down, for the rate."),
        row(
            "q",
            d.factor(c.residual).get(),
            Upper,
            "T5",
            "contraction of the error",
            "from b, t1, lam, theta",
            "At the first iteration; later ones are no slower.",
        ),
        row(
            "rate",
            c.rate().get(),
            Lower,
            "T5",
            "contraction of the loss",
            "1 - q^2",
            "Every iteration multiplies the loss by at most 1 - rate.",
        ),
        row(
            "N",
            c.found.iterations as f64,
            Upper,
            "T5, T5s",
            "certified iterations",
            counted,
            "Until the bound is below the tolerance.",
        ),
    ]
}

/// How the count builds up, each stage with one more difficulty taken into account. All but the last are estimates for
/// the eye, in plain floats. `n` samples, duplicates counted.
pub(crate) fn stages(c: &Certified, n: f64, tolerance: f64) -> Vec<page::Stage> {
    let d = &c.found.descent;
    let step = d.c.lo();
    let target = target(n, tolerance).get();
    let stage = |name: &str, iterations: f64, explanation: String| page::Stage {
        name: name.to_owned(),
        iterations: iterations.max(1.0),
        explanation,
    };
    let condition = (c.smax_start.get() / c.smin_start.get()).powi(2);
    let mut stages = vec![];
    if let Some(spectrum) = &c.spectrum {
        let text = format!(
            "A linear model with the tangent kernel of the start, this step and this error: the directions differ in speed \
             by a factor of up to {} (the condition number of the kernel).",
            short(condition)
        );
        stages.push(stage("condition of the kernel", linear_count(spectrum, step, target), text));
    }
    let count = |slow: f64, fast: f64| {
        let q = (1.0 - step * slow * slow).abs().max((1.0 - step * fast * fast).abs());
        (target / c.residual.get()).ln() / q.max(1e-300).ln()
    };
    let last = match c.found.envelope {
        Envelope::Spectral => format!(
            "The kernel moves on the way, by at most {} of its size; that and the curvature of every step are paid for.",
            short(c.kernel_movement().get())
        ),
        Envelope::Contraction => {
            let worst =
                "All of the error might lie in the slowest direction, which the bound (T5) allows for.".to_owned();
            stages.push(stage("worst direction", count(c.smin_start.get(), c.smax_start.get()), worst));
            let moved = format!(
                "psi(r) and sJ on the ball, instead of their values at the start: {} and {} of them.",
                short(d.psi().get() / c.smin_start.get()),
                short(d.norm().get() / c.smax_start.get())
            );
            stages.push(stage("anywhere in the ball", count(d.psi().get(), d.norm().get()), moved));
            "A step is not infinitesimal; its curvature and all rounding are paid for.".to_owned()
        }
    };
    stages.push(stage("certified", c.found.iterations as f64, last));
    stages
}

/// Iterations of the linear model: the first k with `sum_i (m_i |1 - c lam_i|^k)^2 <= target^2`, found by bisection.
fn linear_count(spectrum: &Spectrum, step: f64, target: f64) -> f64 {
    let modes: Vec<(f64, f64)> =
        spectrum.modes().iter().zip(spectrum.values()).map(|(m, v)| (m.get(), (1.0 - step * v).abs())).collect();
    let reached = |k: f64| modes.iter().map(|(m, q)| (m * q.powf(k)).powi(2)).sum::<f64>() <= target * target;
    let (mut low, mut high) = (0.0, 1.0);
    while !reached(high) {
        if high > 1e18 {
            return high;
        }
        low = high;
        high *= 2.0;
    }
    // Both are whole numbers, and beyond 2^53 the last digits are of no interest.
    for _ in 0..64 {
        let middle = (0.5 * (low + high)).floor();
        if reached(middle) { high = middle } else { low = middle }
    }
    high
}
