//! `--json`: one object with `seconds`, on one line of standard output and nothing else, whatever the command answers.

use crate::support::{Folder, Table, has_keys};

/// A command, the files it needs being made by the earlier ones, its exit code and its status.
const COMMANDS: &[(&str, i32, &str)] = &[
    ("inspect --data data.csv", 0, "done"),
    ("certify --data data.csv --scale 30 --out c.json", 0, "certified"),
    ("certify --data data.csv --scale 0.001", 3, "declined"),
    ("certify --data data.csv --width 4 --scan", 0, "done"),
    ("certify --data twice.csv --scan", 3, "declined"),
    ("train --data data.csv --scale 30 --out run", 0, "certified"),
    ("train --data data.csv --scale 0.001 --out never", 3, "declined"),
    ("train --data data.csv --scale 30 --out own --step 1e-6 --max-iterations 5", 0, "uncertified"),
    ("train --data data.csv --scale 30 --out own --step 1e9", 3, "uncertified"),
    ("train --data data.csv --scale 30 --out own --optimizer lbfgs", 0, "uncertified"),
    ("train --data data.csv --scale 30 --out own --optimizer adam --step 1e300", 3, "uncertified"),
    ("train --data data.csv --out own --optimizer lbfgs --step 1", 2, "error"),
    ("check c.json --data data.csv", 0, "valid"),
    ("check c.json --data other.csv", 1, "invalid"),
    ("predict --model run/model.safetensors --data data.csv", 0, "done"),
    ("predict --model run/model.safetensors --data data.csv --out p.csv", 0, "done"),
    ("audit --model run/model.safetensors --data data.csv", 0, "certified"),
    ("audit --model run/model.safetensors --data twice.csv", 3, "declined"),
    ("audit --model missing.safetensors --data data.csv", 4, "error"),
    ("demo --out demo", 0, "done"),
    ("inspect --data missing.csv", 4, "error"),
    ("certify --data bundled:nothing", 4, "error"),
    ("certify --data data.csv --width 1000000 --depth 3", 5, "error"),
    ("certify --data data.csv --scan --out c.json", 2, "error"),
    ("train --data data.csv --out run --allow-uncertified", 2, "error"),
    ("check missing.json --data data.csv", 4, "error"),
    ("predict --model missing.safetensors --data data.csv", 4, "error"),
    ("flow --data data.csv --whiten", 0, "certified"),
    ("flow --data data.csv --start lecun --width 2", 3, "declined"),
    ("flow --data missing.csv", 4, "error"),
    ("flow --function (x*y-1)^2 --start x=2.5,y=0", 0, "certified"),
    ("flow --function x^4 --start x=1", 3, "declined"),
    ("flow --function x^4 --start y=1", 4, "error"),
    ("flow --function x^4 --start lecun", 2, "error"),
    ("starts --data data.csv --width 4 --whiten --draws 2", 0, "done"),
    ("starts --data twice.csv --draws 2", 3, "declined"),
    ("kernel ntk --data data.csv --start lecun --width 4", 0, "done"),
    ("kernel ntk --data twice.csv --start lecun --no-bound", 0, "done"),
    ("kernel ntk --data twice.csv", 3, "declined"),
    ("kernel ntk --data missing.csv", 4, "error"),
    ("kernel hinf --data data.csv", 0, "done"),
    ("kernel resnet --data twice.csv --depth 3 --normalize", 0, "done"),
    ("kernel conv-resnet --data data.csv --channels 3", 4, "error"),
    ("kernel fc --data data.csv --spectrum spectrum.pdf", 2, "error"),
    ("criterion --function (x*y-1)^2 --start x=2.5,y=0", 0, "certified"),
    ("criterion --function x^4 --start x=1", 3, "declined"),
    ("criterion --function x^4 --start y=1", 4, "error"),
    ("width --data data.csv --width 40000 --tol 1e-6", 0, "certified"),
    ("width --data data.csv --search --draws 2 --tol 1e-6 --resolution 0.2 --out w", 0, "certified"),
    ("check w/certificate.json --data data.csv", 0, "valid"),
    ("width --data data.csv --width 2 --out w", 3, "declined"),
    ("width --data data.csv --search --max-width 2", 3, "declined"),
    ("width --data missing.csv --search", 4, "error"),
    ("width --data data.csv --search --merge-duplicates", 2, "error"),
    ("width --data data.csv --width 100000000 --out w", 5, "error"),
    ("sweep plan missing.json", 4, "error"),
];

#[test]
fn every_answer_is_one_object_with_seconds() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(95, 4, 8).csv());
    folder.write("other.csv", Table::gaussian(96, 4, 8).csv());
    folder.write("twice.csv", Table::gaussian(95, 4, 8).repeated(1).csv());
    for (arguments, code, status) in COMMANDS {
        let answer = folder.run(&format!("{arguments} --json")).exits(*code);
        let json = answer.json();
        has_keys(&json, &["status", "seconds"]);
        assert_eq!(json["status"], *status, "{arguments}");
        let seconds = json["seconds"].as_f64().unwrap_or_else(|| panic!("{arguments}: seconds is no number"));
        assert!((0.0..600.0).contains(&seconds), "{arguments}: {seconds}");
        match code {
            1 | 2 | 4 | 5 => has_keys(&json, &["code", "message"]),
            3 => assert!(json["reasons"][0]["code"].is_string() && json["reasons"][0]["message"].is_string(), "{json}"),
            _ => {}
        }
        assert!(*status == "error" || answer.stderr.is_empty(), "{arguments}: {}", answer.stderr);
    }
}

/// A new command is added to the table above, unless it prints something else on purpose; `reproduce` takes longer and is tested
/// with the experiments.
#[test]
fn every_command_is_in_the_table() {
    let help = Folder::new().run("--help").exits(0).stdout;
    let listed = help.split("Commands:").nth(1).and_then(|rest| rest.split("Options:").next()).expect("a list");
    let names = listed
        .lines()
        .filter(|l| l.starts_with("  ") && !l.starts_with("   "))
        .filter_map(|l| l.split_whitespace().next());
    let mut count = 0;
    for name in names.filter(|name| !["completions", "help", "reproduce"].contains(name)) {
        assert!(
            COMMANDS.iter().any(|(arguments, ..)| arguments.split(' ').next() == Some(name)),
            "no row about {name}"
        );
        count += 1;
    }
    assert!(count >= 6, "{help}");
}
