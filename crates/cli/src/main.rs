//! The `gradcert` command.

mod args;
mod commands;
mod failure;
mod lift;
mod output;
mod report;
mod session;
mod starts;
mod waterfall;

use args::{Cli, Command, SweepCommand};
use clap::{CommandFactory, Parser};
use failure::{Exit, Failure};
use output::{Output, Seconds, print, say};
use serde_json::json;
use std::io::Write;
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

fn report_bug() {
    say("gradcert: this is a bug; please report it with the command and the message above");
}

fn run(command: &Command) -> Exit {
    let clock = Seconds::start();
    let (json, result) = match command {
        Command::Demo(a) => (a.json, commands::demo::run(a)),
        Command::Inspect(a) => (a.json, commands::inspect::run(a)),
        Command::Certify(a) => (a.json, commands::certify::run(a)),
        Command::Train(a) => (a.json, commands::train::run(a)),
        Command::Check(a) => (a.json, commands::check::run(a)),
        Command::Audit(a) => (a.json, commands::audit::run(a)),
        Command::Flow(a) => (a.json, commands::flow::run(a)),
        Command::Starts(a) => (a.json, commands::starts::run(a)),
        Command::Criterion(a) => (a.json, commands::criterion::run(a)),
        Command::Kernel(a) => (a.json(), commands::kernel::run(a)),
        Command::Width(a) => (a.json, commands::width::run(a)),
        Command::Predict(a) => (a.json, commands::predict::run(a)),
        Command::Sweep(SweepCommand::Plan(a)) => (a.json, commands::sweep::plan(a)),
        Command::Sweep(SweepCommand::Run(a)) => (a.json, commands::sweep::run(a)),
        Command::Sweep(SweepCommand::Merge(a)) => (a.json, commands::sweep::merge(a)),
        Command::Reproduce(a) => (a.json, commands::reproduce::run(a)),
        Command::Completions { shell } => {
            // Through memory, because the generator panics on a closed pipe.
            let mut script = vec![];
            clap_complete::generate(*shell, &mut Cli::command(), "gradcert", &mut script);
            let _ = std::io::stdout().write_all(&script);
            return Exit::Done;
        }
    };
    finish(json, result, &clock)
}

fn finish(json: bool, result: Result<(Exit, Output), Failure>, clock: &Seconds) -> Exit {
    match result {
        Ok((exit, output)) => {
            print(&output, json);
            exit
        }
        Err(failure) => {
            say(&format!("gradcert: error [{}]: {}", failure.code, failure.message));
            if json {
                let value = json!({
                    "status": "error", "code": failure.code, "message": failure.message, "seconds": clock.seconds(),
                });
                print(&Output { text: String::new(), json: value }, true);
            }
            failure.exit
        }
    }
}
