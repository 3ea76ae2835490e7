//! What surrounds the program: pipes nobody reads, threads, a second run.

use crate::support::{Folder, Table};
use std::process::{Command, Stdio};

/// The writing end of a pipe whose reader has gone.
fn closed_pipe() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(30, 4, 8).csv());
    folder
}

#[test]
fn a_closed_standard_output_is_no_bug() {
    let folder = folder();
    for (arguments, code) in [
        ("inspect --data data.csv", 0),
        ("inspect --data data.csv --json", 0),
        ("certify --data data.csv --scale 20", 0),
        ("certify --data missing.csv --json", 4),
        ("completions bash", 0),
        ("completions zsh", 0),
        ("completions fish", 0),
        ("--help", 0),
    ] {
        let output = folder.command(arguments).stdout(closed_pipe()).output().expect("the program starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments}: {stderr}");
        assert!(!stderr.contains("panicked"), "{arguments}: {stderr}");
    }
}

#[test]
fn a_closed_standard_error_is_no_bug() {
    let folder = folder();
    for (arguments, code) in [("inspect --data missing.csv", 4), ("certify", 2), ("inspect --data data.csv", 0)] {
        let status = folder.command(arguments).stderr(closed_pipe()).stdout(Stdio::null()).status();
        assert_eq!(status.expect("the program starts").code(), Some(code), "{arguments}");
    }
}

#[test]
fn the_same_command_gives_the_same_files() {
    let folder = folder();
    folder.write("many.csv", Table::gaussian(31, 60, 80).labelled(&["a", "b"]).csv());
    folder.write("more.csv", Table::gaussian(32, 150, 160).csv());
    for (data, options) in [
        ("data.csv", "--depth 3 --width 6 --scale 50"),
        ("data.csv", "--whiten --scale 20"),
        ("data.csv", "--start lecun --width 600 --whiten --seed 5"),
        ("many.csv", "--whiten --layer-steps equal --width 8 --scale 200"),
        ("more.csv", "--whiten --depth 3 --width 150"),
        ("bundled:leukaemia", "--width 1"),
        ("bundled:leukaemia", "--width 1 --whiten"),
    ] {
        let train = |threads: u32, out: &str| {
            folder.run(&format!("train --data {data} {options} --threads {threads} --out {out}")).exits(0);
            let file = |name: &str| folder.read(&format!("{out}/{name}"));
            (file("certificate.json"), file("model.safetensors"), file("history.csv"), file("audit.json"))
        };
        let (one, again, two) = (train(1, "one"), train(1, "again"), train(2, "two"));
        assert!(one.0 == again.0, "{options}: certificates of two runs differ");
        assert!(one.1 == again.1, "{options}: models of two runs differ");
        assert!(one.2 == again.2, "{options}: histories of two runs differ");
        assert!(one.0 == two.0, "{options}: the certificate depends on the number of threads");
        assert!(one.1 == two.1, "{options}: the model depends on the number of threads");
        assert!(one.2 == two.2, "{options}: the history depends on the number of threads");
        assert!(one.3 == two.3, "{options}: the audit depends on the number of threads");
        folder.run(&format!("check one/certificate.json --data {data}")).exits(0);
    }
}

#[test]
fn seeds_give_different_starts() {
    let folder = folder();
    let certify = |seed: u32| {
        let file = format!("c{seed}.json");
        folder
            .run(&format!("certify --data data.csv --whiten --start lecun --width 600 --seed {seed} --out {file}"))
            .exits(0);
        folder.json(&file)["certificates"][0]["start"]["sha256"].clone()
    };
    assert_ne!(certify(1), certify(2));
}

#[test]
fn files_of_the_user_beside_the_output_survive() {
    let folder = folder();
    folder.write("c.tmp", "mine");
    folder.run("certify --data data.csv --scale 20 --out c.json").exits(0);
    assert_eq!(folder.text("c.tmp"), "mine");
    // An output replaces what stands there, also a second time.
    folder.run("certify --data data.csv --scale 40 --out c.json").exits(0);
    folder.run("check c.json --data data.csv").exits(0);
}

#[test]
fn the_program_needs_no_home_and_no_terminal() {
    let folder = folder();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gradcert"));
    let output = command
        .args(["inspect", "--data", "data.csv"])
        .current_dir(folder.path("."))
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

#[test]
fn names_from_the_data_are_text_and_nothing_else() {
    let folder = Folder::new();
    folder.write(
        "data.csv",
        "a,b,c,d,\"<script>alert(1)</script>\"\n1,2,3,4,<b>x\n2,1,0,3,\"y,\nz\"\n0,1,9,3,\"say \"\"so\"\"\"\n",
    );
    folder.run("train --data data.csv --scale 30 --width 4 --out run").exits(0);
    let page = folder.text("run/report.html");
    assert!(!page.contains("<script>alert") && !page.contains("<b>x"), "names are escaped");
    folder.run("check run/certificate.json --data data.csv").exits(0);
    let json = folder.run("predict --model run/model.safetensors --data data.csv --json").exits(0).json();
    assert_eq!(json["predictions"], serde_json::json!(["<b>x", "y,\nz", "say \"so\""]));
    folder.run("predict --model run/model.safetensors --data data.csv").exits(0).says("\"say \"\"so\"\"\"");
}

#[test]
fn names_of_files_may_hold_blanks_and_accents() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("a folder")).expect("a folder");
    folder.write("a folder/donn\u{e9}es.csv", format!("\u{feff}{}", Table::gaussian(32, 3, 7).csv()));
    for arguments in [
        ["certify", "--scale", "30", "--out", "a folder/\u{fc}.json", "--data", "a folder/donn\u{e9}es.csv"],
        ["check", "a folder/\u{fc}.json", "--data", "a folder/donn\u{e9}es.csv", "--json", "--target", "y"],
    ] {
        let status = folder.command("").args(arguments).stdout(Stdio::null()).status();
        assert_eq!(status.expect("the program starts").code(), Some(0));
    }
}
