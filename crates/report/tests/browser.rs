//! The page in a real browser: it renders, logs no error and does not overflow a phone.
//! Needs `chromium` or `chromium-browser` in PATH; says so and passes if there is none.

#[path = "support/browser.rs"]
mod browser;
#[path = "../examples/samples/mod.rs"]
mod samples;

use std::path::Path;

use gradcert_report::{Outcome, Report};

/// Names without a space to break at.
fn unbreakable() -> Report {
    let long = "x".repeat(400);
    let mut report = samples::several_classes();
    report.problems.extend(samples::one_declined().problems);
    let data = &mut report.data;
    for text in [&mut report.title, &mut report.command, &mut data.name, &mut data.target, &mut data.findings[0].code] {
        text.clone_from(&long);
    }
    for problem in &mut report.problems {
        problem.name.clone_from(&long);
        problem.network.activation.clone_from(&long);
        problem.derivation[0].symbol.clone_from(&long);
        for link in &mut problem.chain {
            [&mut link.by, &mut link.symbol, &mut link.meaning].into_iter().for_each(|text| text.clone_from(&long));
        }
        problem.stages.iter_mut().for_each(|stage| stage.name.clone_from(&long));
        if let Outcome::Declined(reasons) = &mut problem.outcome {
            reasons[0].code.clone_from(&long);
            reasons[0].remedy = Some(long.clone());
        }
    }
    report.evaluations[0].labels[0].label.clone_from(&long);
    report
}

#[test]
fn the_page_renders_and_fits_a_phone() {
    let Some(browser) = browser::chromium("the_page_renders_and_fits_a_phone") else { return };
    for (name, report) in [("certified", samples::one_certified()), ("unbreakable", unbreakable())] {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        browser::look_at(&browser, &directory, &report.to_html().expect("the report renders"));
    }
}
