//! The reports of real runs in a real browser: they render, log no error and fit a phone.

use crate::support::{Folder, Table};

#[path = "../../../report/tests/support/browser.rs"]
mod browser;

#[test]
fn the_report_of_a_real_run_renders_and_fits_a_phone() {
    let Some(browser) = browser::chromium("the_report_of_a_real_run_renders_and_fits_a_phone") else { return };
    let folder = Folder::new();
    let classes = ["a class with a rather long name", "b", "c"];
    folder.write("classes.csv", Table::gaussian(97, 9, 14).labelled(&classes).csv());
    folder.write("data.csv", Table::gaussian(98, 5, 12).csv());
    for (name, options, parts) in [
        ("classes", "--data classes.csv --whiten", vec!["From the data to the rate", "whitened", "9 of 9 correct"]),
        ("deep", "--data data.csv --depth 3 --width 8", vec!["From the data to the rate", "psi(r)", "Why that many"]),
        ("diverged", "--data data.csv --scale 20 --step 1e9", vec!["nothing is proved", "diverged"]),
    ] {
        let answer = folder.run(&format!("train {options} --out {name}"));
        assert!(matches!(answer.code, Some(0 | 3)), "{answer:?}");
        let html = folder.text(&format!("{name}/report.html"));
        for part in parts {
            assert!(html.contains(part), "{name}: no '{part}' in the report");
        }
        browser::look_at(&browser, &folder.path(&format!("{name}-pages")), &html);
    }
}
