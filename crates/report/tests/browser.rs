//! The page in a real browser: it renders, logs no error and does not overflow a phone.
//! Needs `chromium` or `chromium-browser` in PATH; says so and passes if there is none.

#[path = "../examples/samples/mod.rs"]
mod samples;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use gradcert_report::{Outcome, Report};

fn chromium() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let candidates =
        env::split_paths(&path).flat_map(|dir| ["chromium", "chromium-browser"].map(|name| dir.join(name)));
    candidates.into_iter().find(|candidate| candidate.is_file())
}

fn run(browser: &Path, directory: &Path, arguments: &[&str], page: &Path) -> Output {
    Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--disable-dev-shm-usage", "--enable-logging=stderr", "--hide-scrollbars"])
        .arg(format!("--user-data-dir={}", directory.join("profile").display()))
        .args(arguments)
        .arg(format!("file://{}", page.display()))
        .output()
        .expect("the browser starts")
}

/// A page that shows `html` in a frame as wide as a phone and writes down how wide its content is.
fn phone(html: &str) -> String {
    let escaped = html.replace('&', "&amp;").replace('"', "&quot;");
    format!(
        "<!DOCTYPE html><iframe style=\"width:375px;height:800px;border:0\" srcdoc=\"{escaped}\"></iframe><p id=probe></p>\
         <script>const frame = document.querySelector('iframe'); frame.onload = () => {{\
         const page = frame.contentDocument.documentElement;\
         probe.textContent = 'widths ' + page.scrollWidth + ' ' + frame.contentWindow.innerWidth; }};</script>"
    )
}

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
        problem.stages.iter_mut().for_each(|stage| stage.name.clone_from(&long));
        if let Outcome::Declined(reasons) = &mut problem.outcome {
            reasons[0].code.clone_from(&long);
            reasons[0].remedy = Some(long.clone());
        }
    }
    report.evaluations[0].labels[0].label.clone_from(&long);
    report
}

fn look_at(browser: &Path, name: &str, report: &Report) {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&directory).expect("a directory for the pages");
    let html = report.to_html().expect("the report renders");
    let (page, narrow, image) = (directory.join("report.html"), directory.join("phone.html"), directory.join("s.png"));
    fs::write(&page, &html).expect("written");
    fs::write(&narrow, phone(&html)).expect("written");

    let shot = format!("--screenshot={}", image.display());
    let output = run(browser, &directory, &["--window-size=1200,1600", &shot], &page);
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    assert!(!log.contains(":CONSOLE"), "the page logs: {log}");
    // An empty page of this size compresses to a few kilobytes.
    assert!(fs::metadata(&image).expect("a screenshot").len() > 50_000);

    let output = run(browser, &directory, &["--dump-dom"], &narrow);
    let dom = String::from_utf8_lossy(&output.stdout);
    assert!(dom.contains("widths 375 375"), "the phone page is too wide: {:?}", dom.rsplit("id=\"probe\"").next());
}

#[test]
fn the_page_renders_and_fits_a_phone() {
    let Some(browser) = chromium() else {
        // Written past the capture of the test harness, so that a skipped test is seen.
        writeln!(std::io::stderr(), "SKIPPED the_page_renders_and_fits_a_phone: no chromium in PATH").expect("stderr");
        return;
    };
    look_at(&browser, "certified", &samples::one_certified());
    look_at(&browser, "unbreakable", &unbreakable());
}
