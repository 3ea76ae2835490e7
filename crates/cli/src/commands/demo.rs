//! `gradcert demo`: the whole story on bundled real data.

use crate::args::{Cli, Command, DemoArgs};
use crate::commands::certify::write;
use crate::commands::{check, inspect, train};
use crate::failure::{Exit, Failure};
use crate::output::{Output, Seconds};
use clap::Parser;
use serde_json::{Value, json};
use std::path::Path;

/// One chapter: a folder, a sentence, a command.
struct Chapter {
    folder: &'static str,
    story: &'static str,
    arguments: &'static [&'static str],
    /// A bundled set with samples that were not trained on.
    test: Option<&'static str>,
}

const CHAPTERS: [Chapter; 4] = [
    Chapter {
        folder: "leukaemia",
        story: "Gene expression of 38 leukaemia patients: plain gradient descent, certified before it starts.",
        arguments: &["--data", "bundled:leukaemia", "--width", "10"],
        test: None,
    },
    Chapter {
        folder: "leukaemia-whitened",
        story: "The same patients in whitened coordinates: a handful of iterations.",
        arguments: &["--data", "bundled:leukaemia", "--whiten"],
        test: None,
    },
    Chapter {
        folder: "khan-whitened",
        story: "Four kinds of tumours, one network against the rest for each, and 20 patients nobody trained on.",
        arguments: &["--data", "bundled:khan", "--whiten"],
        test: Some("khan-test"),
    },
    Chapter {
        folder: "coffee-whitened",
        story: "Infrared spectra of coffee, nearly collinear: declined in plain coordinates, certified in whitened ones.",
        arguments: &["--data", "bundled:coffee", "--whiten"],
        test: None,
    },
];

pub(crate) fn run(args: &DemoArgs) -> Result<(Exit, Output), Failure> {
    let clock = Seconds::start();
    let mut text = String::new();
    let mut chapters = vec![];
    for chapter in &CHAPTERS {
        text += &format!("== {}\n", chapter.story);
        let (exit, lines, json) = tell(chapter, &args.out)?;
        text += &lines;
        if exit != Exit::Done {
            return Ok((exit, Output { text, json }));
        }
        chapters.push(json);
    }
    text += &declined()?;
    let index = args.out.join("index.html");
    write(&index, index_page(&chapters).as_bytes())?;
    text += &format!("\nReports: {}\n", index.display());
    let json = json!({"status": "done", "chapters": chapters, "report": index, "seconds": clock.seconds()});
    Ok((Exit::Done, Output { text, json }))
}

/// Runs one chapter: inspect, train (which certifies first), check.
fn tell(chapter: &Chapter, out: &Path) -> Result<(Exit, String, Value), Failure> {
    let folder = out.join(chapter.folder);
    let data = &chapter.arguments[..2];
    let Command::Inspect(look) = parse("inspect", data)? else { return Err(not_parsed()) };
    let mut text = inspect::run(&look)?.1.text;
    let mut arguments = chapter.arguments.to_vec();
    let shown = folder.display().to_string();
    arguments.extend(["--out", &shown]);
    let Command::Train(plan) = parse("train", &arguments)? else { return Err(not_parsed()) };
    let command = format!("gradcert train {}", arguments.join(" "));
    let (exit, trained) = train::train(&plan, &command, chapter.test)?;
    text += &trained.text;
    let mut json = trained.json;
    json["chapter"] = json!(chapter.folder);
    json["story"] = json!(chapter.story);
    if exit == Exit::Done {
        let certificate = folder.join("certificate.json").display().to_string();
        let Command::Check(verify) = parse("check", &[&[certificate.as_str()], data].concat())? else {
            return Err(not_parsed());
        };
        let (verdict, checked) = check::run(&verify)?;
        text += &format!("  independent check: {}\n", checked.text.lines().next().unwrap_or_default());
        json["check"] = checked.json["status"].clone();
        return Ok((verdict, text, json));
    }
    Ok((exit, text, json))
}

/// What a decline looks like.
fn declined() -> Result<String, Failure> {
    let arguments = ["--data", "bundled:coffee"];
    let Command::Certify(plain) = parse("certify", &arguments)? else { return Err(not_parsed()) };
    let (_, output) = crate::commands::certify::run(&plain)?;
    let first: Vec<&str> = output.text.lines().take(2).collect();
    Ok(format!("== The same spectra without --whiten\n{}\n", first.join("\n")))
}

fn parse(command: &str, arguments: &[&str]) -> Result<Command, Failure> {
    let line = [&["gradcert", command], arguments].concat();
    Cli::try_parse_from(line).map(|cli| cli.command).map_err(|e| Failure::usage(e.to_string()))
}

fn not_parsed() -> Failure {
    Failure::usage("the demo's own command line is not understood")
}

/// A page with a line per chapter. Every text in it is our own.
fn index_page(chapters: &[Value]) -> String {
    let rows: String = chapters
        .iter()
        .map(|c| {
            let text = |key: &str| c[key].as_str().unwrap_or_default().to_owned();
            format!(
                "<tr><td><a href=\"{0}/report.html\">{0}</a><br><small>{1}</small></td><td>{2}</td><td>{3}</td><td>{4}</td></tr>\n",
                text("chapter"),
                text("story"),
                c["certified_iterations"],
                c["iterations"],
                text("check")
            )
        })
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>gradcert demo</title>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<style>\n\
         :root {{ color-scheme: light dark }}\n\
         body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem }}\n\
         table {{ border-collapse: collapse; width: 100% }} td, th {{ padding: .5rem; text-align: left; \
         border-bottom: 1px solid #8886; vertical-align: top }}\n</style></head><body>\n\
         <h1>gradcert demo</h1>\n<p>Certified before training, trained as promised, checked by an independent program.</p>\n\
         <table><tr><th>set</th><th>certified iterations</th><th>needed</th><th>check</th></tr>\n{rows}</table>\n</body></html>\n"
    )
}
