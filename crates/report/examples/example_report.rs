//! Writes example reports with invented numbers, and their plots as SVG files:
//! `cargo run -p gradcert-report --example example_report -- DIRECTORY`

mod samples;

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(env::args().nth(1).ok_or("usage: example_report DIRECTORY")?);
    fs::create_dir_all(&directory)?;
    let reports = [
        ("classes", samples::several_classes()),
        ("certified", samples::one_certified()),
        ("declined", samples::one_declined()),
    ];
    for (name, report) in reports {
        fs::write(directory.join(format!("{name}.html")), report.to_html()?)?;
        for figure in report.figures() {
            fs::write(directory.join(format!("{name}-{}", figure.name)), figure.svg)?;
        }
    }
    Ok(())
}
