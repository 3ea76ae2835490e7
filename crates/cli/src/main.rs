//! The `gradcert` command.

mod args;
mod commands;
mod failure;
mod output;
mod report;
mod session;

use args::{Cli, Command};
use clap::{CommandFactory, Parser};
use failure::{Exit, Failure};
use output::{Output, print};
use serde_json::json;
use std::process::ExitCode;

/// A panic is a bug, and says so.
const BUG: u8 = 70;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match std::panic::catch_unwind(|| run(&cli.command)) {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(_) => {
            report_bug();
            ExitCode::from(BUG)
        }
    }
}

#[expect(clippy::print_stderr, reason = "the last words of a program that has a bug")]
fn report_bug() {
    eprintln!("gradcert: this is a bug; please report it with the command and the message above");
}

fn run(command: &Command) -> Exit {
    let (json, result) = match command {
        Command::Demo(a) => (a.json, commands::demo::run(a)),
        Command::Inspect(a) => (a.json, commands::inspect::run(a)),
        Command::Certify(a) => (a.json, commands::certify::run(a)),
        Command::Train(a) => (a.json, commands::train::run(a)),
        Command::Check(a) => (a.json, commands::check::run(a)),
        Command::Predict(a) => (a.json, commands::predict::run(a)),
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut Cli::command(), "gradcert", &mut std::io::stdout());
            return Exit::Done;
        }
    };
    finish(json, result)
}

#[expect(clippy::print_stderr, reason = "errors go to standard error")]
fn finish(json: bool, result: Result<(Exit, Output), Failure>) -> Exit {
    match result {
        Ok((exit, output)) => {
            print(&output, json);
            exit
        }
        Err(failure) => {
            eprintln!("gradcert: error [{}]: {}", failure.code, failure.message);
            if json {
                let value = json!({"status": "error", "code": failure.code, "message": failure.message});
                print(&Output { text: String::new(), json: value }, true);
            }
            failure.exit
        }
    }
}
