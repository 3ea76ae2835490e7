//! A page in a headless browser. Shared with the tests of the command line, which open the report of a real run.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

/// The browser, if there is one; a skipped test says so where it is seen, past the capture of the test harness.
pub(crate) fn chromium(test: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let candidates =
        env::split_paths(&path).flat_map(|dir| ["chromium", "chromium-browser"].map(|name| dir.join(name)));
    let found = candidates.into_iter().find(|candidate| candidate.is_file());
    if found.is_none() {
        writeln!(std::io::stderr(), "SKIPPED {test}: no chromium or chromium-browser in PATH").expect("stderr");
    }
    found
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

/// The page renders, logs nothing and has no horizontal scroll on a phone. `directory` keeps the pages and the image.
pub(crate) fn look_at(browser: &Path, directory: &Path, html: &str) {
    fs::create_dir_all(directory).expect("a directory for the pages");
    let (page, narrow, image) = (directory.join("report.html"), directory.join("phone.html"), directory.join("s.png"));
    fs::write(&page, html).expect("written");
    fs::write(&narrow, phone(html)).expect("written");

    let shot = format!("--screenshot={}", image.display());
    let output = run(browser, directory, &["--window-size=1200,1600", &shot], &page);
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    assert!(!log.contains(":CONSOLE"), "the page logs: {log}");
    // An empty page of this size compresses to a few kilobytes.
    assert!(fs::metadata(&image).expect("a screenshot").len() > 50_000);

    let output = run(browser, directory, &["--dump-dom"], &narrow);
    let dom = String::from_utf8_lossy(&output.stdout);
    assert!(dom.contains("widths 375 375"), "the phone page is too wide: {:?}", dom.rsplit("id=\"probe\"").next());
}
