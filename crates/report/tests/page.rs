//! What the page shows, and what it must never do.

#[path = "../examples/samples/mod.rs"]
mod samples;

use gradcert_report::*;

fn html(report: &Report) -> String {
    report.to_html().expect("the report renders")
}

fn first_certificate(report: &mut Report) -> &mut Certificate {
    match &mut report.problems[0].outcome {
        Outcome::Certified(certificate) => certificate,
        Outcome::Declined(_) => panic!("the sample is certified"),
    }
}

/// The hostile text of the escaping tests, and what must not appear unescaped.
const HOSTILE: &str = "<script>alert(1)</script>\"'&<img src=x onerror=y>{{ 7 }}\u{0}\u{7}";

#[test]
fn a_certified_report_states_the_claim_and_its_limits() {
    let page = html(&samples::one_certified());
    for part in [
        "What was proved",
        "gradient descent in exact arithmetic",
        "converge to an exact global minimum",
        "What this does not say",
        "nothing about generalisation",
        "The run kept the promise",
        "whitened, with the bias coordinate",
        "Where each constant came from",
        "lower bound",
        ">valid<",
        "2308 – 10 – 10 – 1",
        "root mean squared error",
        "Audit of the trained network",
        "Within distance 3.21 × 10⁻¹¹ of the parameters in the model file there are others with loss exactly 0 (T15 with T16e)",
        "8 iterates were audited on the way. Iterate 200 is the first from which plain gradient descent on raw samples is proved",
        "within 2,000 more iterations to the tolerance",
    ] {
        assert!(page.contains(part), "{part} is missing");
    }
    assert!(!page.contains("badge no"), "nothing is declined here");
    // stages, loss, audits, psi, movement, kernel movement, spectrum
    assert_eq!(page.matches("<svg").count(), 7);
}

#[test]
fn audits_that_prove_nothing_say_so() {
    let mut report = samples::one_certified();
    let problem = &mut report.problems[0];
    let reason = Reason { code: "residual_too_large".into(), message: "train on".into(), remedy: None };
    problem.audit = Some(Audit::Declined(vec![reason]));
    let audits = &mut problem.training.as_mut().unwrap().audits;
    audits.iter_mut().for_each(|a| *a = AuditedIterate { distance: None, remaining: None, ..*a });
    let page = html(&report);
    assert!(page.contains("Not proved (residual_too_large): train on."));
    assert!(page.contains("at none of them convergence is proved"));
    assert!(!page.contains("loss exactly 0") && !page.contains("first provable"));
}

#[test]
fn a_declined_report_gives_reason_and_remedy_and_claims_nothing() {
    let page = html(&samples::one_declined());
    for part in ["integral-too-small", "Whiten the inputs", "No certificate for this setting", "badge no"] {
        assert!(page.contains(part), "{part} is missing");
    }
    for part in ["What was proved", "badge yes", "certified radius", "badge wrong"] {
        assert!(!page.contains(part), "{part} must not appear");
    }
}

#[test]
fn several_classes_have_a_section_and_a_summary_row_each() {
    let page = html(&samples::several_classes());
    for number in 1..=3 {
        assert!(page.contains(&format!("<h2 id=\"problem-{number}\">")));
        assert!(page.contains(&format!("href=\"#problem-{number}\"")));
    }
    assert!(page.contains("In 3 of 3 problems"));
    assert!(page.contains("test: 14 of 15 correct"));
}

#[test]
fn a_mixed_report_is_never_called_certified_as_a_whole() {
    let mut report = samples::several_classes();
    report.problems[1] = samples::one_declined().problems.remove(0);
    let page = html(&report);
    assert!(page.contains("2 of 3 problems"));
    assert!(page.contains("partly declined"));
}

#[test]
fn an_invalid_check_overrules_the_certificate() {
    let mut report = samples::one_certified();
    let check = report.check.as_mut().expect("the sample is checked");
    check.lines[2].confirmed = false;
    let one_line = html(&report);
    report.check.as_mut().expect("checked").valid = false;
    let page = html(&report);
    assert_eq!(page, one_line, "one refuted line makes the whole invalid");
    for part in ["badge yes", "box yes", "What was proved", ">valid<"] {
        assert!(!page.contains(part), "{part} must not appear");
    }
    assert!(page.contains("The independent check rejected the certificate."));
    assert!(!page.contains("Gradient descent is proved"));
    assert!(page.contains("<li class=\"wrong\">"));
}

#[test]
fn a_broken_promise_is_shown() {
    let mut report = samples::one_certified();
    let bound = first_certificate(&mut report).envelope[5].value;
    report.problems[0].training.as_mut().expect("trained").loss[5].value = bound * (1.0 + f64::EPSILON);
    assert!(html(&report).contains("exceeds the certified bound at 1 of"));
    report.problems[0].training.as_mut().expect("trained").loss[5].value = f64::NAN;
    assert!(html(&report).contains("exceeds the certified bound at 1 of"));
}

#[test]
fn a_perturbed_certificate_does_not_claim_convergence() {
    let mut report = samples::one_certified();
    first_certificate(&mut report).arithmetic = Arithmetic::Perturbed { deviation: 1.2e-16 };
    let page = html(&report);
    assert!(page.contains("every run whose steps differ from exact gradient descent by at most 1.2 × 10⁻¹⁶"));
    assert!(!page.contains("converge to an exact global minimum"));
    assert!(!page.contains("fit these data exactly"));
}

#[test]
fn displayed_bounds_are_rounded_to_the_safe_side() {
    let mut report = samples::one_certified();
    let certificate = first_certificate(&mut report);
    (certificate.rate, certificate.radius) = (0.123_459_99, 0.123_450_01);
    let page = html(&report);
    assert!(page.contains("rate = 0.12345."));
    assert!(page.contains("within distance 0.12346 of"));
}

/// Every text field of a report replaced by hostile text.
fn hostile_report() -> Report {
    fn poison(value: &mut serde_json::Value) {
        // Names of enum variants must stay.
        const VARIANTS: [&str; 9] =
            ["note", "warning", "raw", "exact", "lower", "upper", "estimate", "whitened", "perturbed"];
        match value {
            serde_json::Value::String(text) if !VARIANTS.contains(&text.as_str()) => *text = HOSTILE.to_string(),
            serde_json::Value::Array(items) => items.iter_mut().for_each(poison),
            serde_json::Value::Object(fields) => fields.values_mut().for_each(poison),
            _ => {}
        }
    }
    let mut report = samples::several_classes();
    report.problems.extend(samples::one_declined().problems);
    let mut value = serde_json::to_value(&report).expect("a report is JSON");
    poison(&mut value);
    serde_json::from_value(value).expect("still a report")
}

#[test]
fn hostile_text_stays_text() {
    let report = hostile_report();
    let figures = report.figures();
    let documents = [html(&report)].into_iter().chain(figures.iter().map(|figure| figure.svg.clone()));
    for document in documents {
        for part in ["<script", "<img", "onerror=y>"] {
            assert!(!document.contains(part), "{part} came through");
        }
        assert!(document.contains("&lt;script&gt;") || document.contains("&#60;script&#62;"));
    }
    for figure in figures {
        assert!(figure.name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b)));
        assert!(!figure.svg.contains(['\u{0}', '\u{7}']));
    }
}

#[test]
fn the_page_is_the_same_every_time_and_survives_json() {
    let report = samples::several_classes();
    let copy: Report = serde_json::from_str(&serde_json::to_string(&report).expect("JSON")).expect("a report");
    assert_eq!(report, copy);
    assert_eq!(html(&report), html(&copy));
    assert_eq!(report.figures(), copy.figures());
}

#[test]
fn nothing_is_loaded_and_nothing_is_run() {
    for report in [samples::several_classes(), samples::one_certified(), samples::one_declined()] {
        let page = html(&report);
        for part in
            ["http:", "https:", "url(", "@import", "<script", "<link", "<iframe", " src=", "<img", "javascript:"]
        {
            assert!(!page.contains(part), "{part} appears");
        }
    }
}

#[test]
fn ids_are_unique() {
    let page = html(&samples::several_classes());
    let mut ids: Vec<_> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
}

#[test]
fn figures_are_documents_of_their_own() {
    let figures = samples::several_classes().figures();
    assert_eq!(figures.len(), 21);
    let mut names: Vec<_> = figures.iter().map(|figure| figure.name.as_str()).collect();
    names.dedup();
    assert_eq!(names.len(), 21);
    for figure in &figures {
        assert!(figure.svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
        assert!(figure.svg.contains("<style>") && figure.svg.contains("<title") && figure.svg.contains("<desc"));
        assert!(!figure.svg.contains("NaN") && !figure.svg.contains("inf\""), "{}", figure.name);
    }
}

#[test]
fn empty_and_extreme_numbers_neither_panic_nor_reach_the_plots() {
    let mut report = samples::one_certified();
    let problem = &mut report.problems[0];
    problem.stages = [0.0, f64::NAN, f64::MAX, f64::from_bits(1), f64::INFINITY]
        .map(|iterations| Stage { name: "s".into(), iterations, explanation: String::new() })
        .to_vec();
    problem.profile = Some(RadiusProfile {
        radius: vec![f64::NAN, 0.0, f64::MAX],
        psi: vec![1.0],
        needed: f64::NAN,
        available: -1.0,
    });
    problem.spectrum =
        Some(Spectrum { kernel: "k".into(), eigenvalues: vec![f64::NAN, -1.0, 0.0], smallest_verified: Some(0.0) });
    let training = problem.training.as_mut().expect("trained");
    training.loss = [f64::INFINITY, 0.0, -f64::MAX, f64::MAX, f64::from_bits(1)]
        .map(|value| Sample { iteration: u64::MAX, value })
        .to_vec();
    training.path = vec![Sample { iteration: 0, value: f64::NAN }];
    training.distance = Vec::new();
    report.evaluations[0].labels = vec![LabelCount { label: "l".into(), samples: u64::MAX, correct: u64::MAX }; 2];
    assert!(html(&report).contains("∞"));
    for figure in report.figures() {
        assert!(!figure.svg.contains("=\"NaN") && !figure.svg.contains("inf"), "{}", figure.name);
    }
    report.problems.clear();
    report.evaluations.clear();
    assert!(html(&report).contains("Nothing to certify."));
}
