//! Sentences that follow from the numbers, so that the page cannot say more than was proved.

use crate::model::{Arithmetic, Audit, AuditedIterate, Certificate, Coordinates, Start};
use crate::number::{Rounding, count, rounded};

fn nearest(x: f64) -> String {
    rounded(x, 6, Rounding::Nearest)
}

/// What was proved and for what.
pub(crate) fn claim(certificate: &Certificate, samples: u64) -> Vec<String> {
    let run = match certificate.arithmetic {
        Arithmetic::Exact => "gradient descent in exact arithmetic".to_string(),
        Arithmetic::Perturbed { deviation } => format!(
            "every run whose steps differ from exact gradient descent by at most {} each",
            rounded(deviation, 4, Rounding::Down)
        ),
    };
    let mut claims = vec![format!(
        "On these {} samples, from this start, {run} with step size {} brings the loss S to at most {} within {} \
         iterations.",
        count(samples),
        nearest(certificate.step_size),
        nearest(certificate.tolerance),
        count(certificate.iterations),
    )];
    let radius = rounded(certificate.radius, 5, Rounding::Up);
    claims.push(match certificate.arithmetic {
        Arithmetic::Exact => format!(
            "Every iteration multiplies S by at most 1 − rate, with rate = {}. The parameters stay within distance \
             {radius} of the start and converge to an exact global minimum, S = 0.",
            rounded(certificate.rate, 5, Rounding::Down),
        ),
        Arithmetic::Perturbed { .. } => {
            format!("The parameters stay within distance {radius} of the start for that many iterations.")
        }
    });
    claims.extend(certificate.further_claims.iter().cloned());
    claims
}

/// What it does not say.
pub(crate) fn limits(certificate: &Certificate) -> Vec<String> {
    let arithmetic = match certificate.arithmetic {
        Arithmetic::Exact => {
            "It speaks about exact arithmetic. A float64 run follows it closely in practice, but its rounding errors \
             are not part of the proof."
        }
        Arithmetic::Perturbed { .. } => {
            "It covers only runs whose deviation per step is as small as stated; that a given run was one of them is \
             not part of it."
        }
    };
    let mut limits = vec![
        arithmetic.to_string(),
        "It says nothing about generalisation: zero training loss is no statement on unseen samples.".to_string(),
        "It holds for these data, this start and this step size. Change one of them and it says nothing.".to_string(),
        "It is sufficient, not necessary: training often succeeds, and is often faster, without it.".to_string(),
    ];
    limits.extend(certificate.limits.iter().cloned());
    limits
}

/// What is proved about the model that was stored.
pub(crate) fn stored(audit: &Audit) -> Vec<String> {
    match audit {
        Audit::Declined(reasons) => {
            let reason =
                |r: &crate::model::Reason| format!("Not proved ({}): {}.", r.code, r.message.trim_end_matches('.'));
            reasons.iter().map(reason).collect()
        }
        Audit::Certified { distance, theorem, descent } => {
            let mut lines = vec![format!(
                "Within distance {} of the parameters in the model file there are others with loss exactly 0 ({theorem}). This is \
                 about the numbers as stored, rounding included.",
                rounded(*distance, 4, Rounding::Up)
            )];
            lines.push(match descent {
                Some((step_size, iterations)) => format!(
                    "Gradient descent from the stored model on raw samples, with step size {}, converges linearly to such \
                     parameters and reaches the tolerance within {} iterations.",
                    nearest(*step_size),
                    count(*iterations)
                ),
                None => "That gradient descent from the stored model converges is not proved.".to_string(),
            });
            lines
        }
    }
}

/// When the end of training was certain, had descent taken over.
pub(crate) fn on_the_way(audits: &[AuditedIterate]) -> Option<String> {
    let number = count(audits.len() as u64);
    Some(match audits.iter().find_map(|a| Some((a.iteration, a.remaining?))) {
        _ if audits.is_empty() => return None,
        Some((iteration, remaining)) => format!(
            "{number} iterates were audited on the way. Iterate {} is the first from which plain gradient descent on raw samples is proved \
             to converge, within {} more iterations to the tolerance. Nothing is said about going on in another way.",
            count(iteration),
            count(remaining)
        ),
        None => format!("{number} iterates were audited on the way; at none of them convergence is proved."),
    })
}

/// The start in one line.
pub(crate) fn start(start: &Start) -> String {
    match start {
        Start::Positive { scale, hidden: None } => {
            format!("positive: first layer and biases 0, last layer A = {}", nearest(*scale))
        }
        Start::Positive { scale, hidden: Some(hidden) } => format!(
            "positive: first layer and biases 0, hidden entries {}, last layer A = {}",
            nearest(*hidden),
            nearest(*scale)
        ),
        Start::Drawn { distribution, seed } => format!("drawn: {distribution}, seed {seed}"),
        Start::Given { source, hash } => format!("given: {source} ({hash})"),
    }
}

/// The coordinates in one line.
pub(crate) fn coordinates(coordinates: Coordinates) -> &'static str {
    match coordinates {
        Coordinates::Raw => "raw features",
        Coordinates::Whitened { bias: true } => "whitened, with the bias coordinate",
        Coordinates::Whitened { bias: false } => "whitened, without a bias coordinate",
    }
}
