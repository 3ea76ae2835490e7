//! What a command has to say, once for people and once for programs.

use serde_json::Value;
use std::io::Write;
use std::time::Instant;

/// The result of a command.
pub(crate) struct Output {
    pub(crate) text: String,
    pub(crate) json: Value,
}

/// Prints one of the two forms on standard output; a closed pipe is no error.
pub(crate) fn print(output: &Output, json: bool) {
    let text = if json { format!("{}\n", output.json) } else { output.text.clone() };
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// A line on standard error. Nobody may be listening there, and that is no bug: `eprintln!` would panic.
pub(crate) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A number in a CSV file; nothing where there is none.
pub(crate) fn cell(x: Option<f64>) -> String {
    x.map(|x| format!("{x:e}")).unwrap_or_default()
}

/// Time spent computing.
pub(crate) struct Seconds(Instant);

impl Seconds {
    pub(crate) fn start() -> Seconds {
        Seconds(Instant::now())
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// A progress bar on standard error, silent without a terminal.
pub(crate) fn progress_bar(length: u64, what: &str) -> indicatif::ProgressBar {
    let bar = indicatif::ProgressBar::new(length);
    let style = indicatif::ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg} {eta}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.set_prefix(what.to_owned());
    bar
}
