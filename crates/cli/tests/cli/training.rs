//! What training promises: the envelope, the count, the targets.

use crate::support::{Folder, Table, csv_rows, number};

/// Every row of the history lies below the certified envelope, and the path inside the radius. Returns the number of rows.
#[track_caller]
fn below_the_envelope(folder: &Folder, run: &str, problems: &[serde_json::Value]) -> usize {
    let history = folder.text(&format!("{run}/history.csv"));
    assert!(history.starts_with("problem,iteration,loss,envelope,path,distance,kernel_movement\n"));
    let rows = csv_rows(&history);
    for row in &rows {
        let value = |k: usize| row[k].parse::<f64>().unwrap_or_else(|_| panic!("column {k} of {row:?}"));
        assert!(value(2) <= value(3), "loss above its envelope: {row:?}");
        let radius = number(&problems[value(0) as usize], "radius");
        assert!(value(4) <= radius && value(5) <= value(4) * (1.0 + 1e-12), "outside the ball: {row:?}");
    }
    rows.len()
}

fn predictions(folder: &Folder, run: &str) -> Vec<Vec<String>> {
    csv_rows(&folder.run(&format!("predict --model {run}/model.safetensors --data data.csv")).exits(0).stdout)
}

#[test]
fn the_loss_never_exceeds_the_recorded_envelope() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(50, 5, 10).csv());
    for options in [
        "",
        "--whiten",
        "--depth 3 --width 6 --scale 100",
        "--depth 3 --width 6 --scale 5 --tol 1e-12",
        "--scale 3 --layer-steps auto --tol 1e-12",
        "--activation tanh --scale 30",
        "--whiten --start lecun --width 500",
    ] {
        let json = folder.run(&format!("train --data data.csv {options} --out run --json")).exits(0).json();
        let rows = below_the_envelope(&folder, "run", json["problems"].as_array().expect("problems"));
        assert!(rows > 1);
        assert!(json["iterations"].as_u64() <= json["certified_iterations"].as_u64(), "{options}: {json}");
    }
}

#[test]
fn a_regression_model_returns_its_targets() {
    let folder = Folder::new();
    let table = Table::gaussian(51, 5, 10);
    folder.write("data.csv", table.csv());
    for options in ["", "--depth 4 --width 5 --scale 100", "--whiten", "--whiten --depth 3 --width 7 --scale 100"] {
        folder.run(&format!("train --data data.csv {options} --out run")).exits(0);
        for (row, y) in predictions(&folder, "run").iter().zip(table.numbers()) {
            let value: f64 = row[0].parse().expect("a number");
            // n times the tolerance bounds every squared error; folding adds rounding.
            assert!((value - y).abs() <= 1e-9, "{options}: {value} for {y}");
        }
    }
}

#[test]
fn several_classes_are_one_file_with_a_certificate_each() {
    let folder = Folder::new();
    let table = Table::gaussian(52, 9, 14).labelled(&["green", "red", "blue, dark", "pale"].map(|l| l));
    let mut table = table;
    table.targets.iter_mut().for_each(|t| *t = format!("\"{t}\""));
    folder.write("data.csv", table.csv());
    for options in ["--scale 100 --width 8", "--whiten"] {
        let json = folder.run(&format!("train --data data.csv {options} --out run --json")).exits(0).json();
        let problems = json["problems"].as_array().expect("problems");
        assert_eq!(problems.len(), 4);
        assert!(problems.iter().all(|p| p["status"] == "certified"));
        assert!(problems.iter().all(|p| p["iterations"].as_u64() <= p["certified_iterations"].as_u64()));
        below_the_envelope(&folder, "run", problems);
        assert_eq!(folder.json("run/certificate.json")["certificates"].as_array().map(Vec::len), Some(4));
        folder.run("check run/certificate.json --data data.csv").exits(0).says("versus rest");
        let json = folder.run("predict --model run/model.safetensors --data data.csv --json").exits(0).json();
        let truth: Vec<&str> = table.targets.iter().map(|t| t.trim_matches('"')).collect();
        assert_eq!(json["predictions"], serde_json::json!(truth));
        assert_eq!(json["outputs"][0].as_array().map(Vec::len), Some(4));
        folder.run("predict --model run/model.safetensors --data data.csv").exits(0).says("\"blue, dark\"");
    }
}

#[test]
fn two_classes_are_one_problem() {
    let folder = Folder::new();
    let table = Table::gaussian(53, 6, 9).labelled(&["no", "yes"]);
    folder.write("data.csv", table.csv());
    let json = folder.run("train --data data.csv --scale 100 --out run --json").exits(0).json();
    assert_eq!(json["problems"].as_array().map(Vec::len), Some(1));
    let decisions: Vec<String> = predictions(&folder, "run").into_iter().map(|row| row[1].clone()).collect();
    assert_eq!(decisions, table.targets);
}

#[test]
fn numbers_can_be_classes() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(54, 6, 9).labelled(&["0", "1", "2"]).csv());
    assert_eq!(folder.run("inspect --data data.csv --json").exits(0).json()["classes"], serde_json::json!([]));
    let json = folder.run("certify --data data.csv --labels --scale 100 --out c.json --json").exits(0).json();
    assert_eq!(json["problems"].as_array().map(Vec::len), Some(3));
    folder.run("check c.json --data data.csv --labels").exits(0);
    folder.run("check c.json --data data.csv").exits(1);
}

#[test]
fn an_uncertified_run_says_so_everywhere() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(55, 8, 3).csv());
    folder.run("train --data data.csv --out run --allow-uncertified").exits(2).says("--step");
    folder.run("train --data data.csv --out run --step 0.01").exits(3);
    let arguments = "train --data data.csv --out run --allow-uncertified --step 0.01 --max-iterations 50";
    folder.run(arguments).exits(0).says("UNCERTIFIED");
    let json = folder.run(&format!("{arguments} --json")).exits(0).json();
    assert_eq!((&json["status"], &json["iterations"]), (&"uncertified".into(), &50.into()));
    assert_eq!(json["step_size"], 0.01);
    assert_eq!(json["stop"], "iterations");
    assert!(!folder.path("run/certificate.json").exists());
    assert!(folder.text("run/report.html").contains("nothing is proved"));
    let rows = csv_rows(&folder.text("run/history.csv"));
    assert!(rows.iter().all(|row| row[3].is_empty()), "no envelope without a certificate");
}

#[test]
fn a_step_of_ones_own_voids_the_certificate() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(56, 4, 8).csv());
    folder.run("train --data data.csv --scale 20 --out run").exits(0);
    assert!(folder.path("run/certificate.json").exists());
    let arguments = "train --data data.csv --scale 20 --out run --step 1e-5 --max-iterations 20 --json";
    let json = folder.run(arguments).exits(0).json();
    assert_eq!(json["status"], "uncertified");
    for claim in ["certified_iterations", "radius", "rate", "smin_lower", "theorem", "check"] {
        assert!(json[claim].is_null(), "{claim} is claimed: {json}");
    }
    // The certificate of the earlier run does not speak about this model.
    assert!(!folder.path("run/certificate.json").exists());
}

#[test]
fn other_methods_train_and_claim_nothing() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(59, 8, 3).csv());
    folder.run("train --data data.csv --out run --optimizer lbfgs").exits(3);
    for (options, name, step) in [
        ("--optimizer lbfgs", "L-BFGS", serde_json::Value::Null),
        ("--optimizer adam --step 0.01 --max-iterations 4000 --tol 1e-8", "Adam", 0.01.into()),
    ] {
        let arguments = format!("train --data data.csv --out run --allow-uncertified --start lecun {options}");
        folder.run(&arguments).exits(0).says(&format!("UNCERTIFIED RUN: nothing is proved about {name}"));
        let json = folder.run(&format!("{arguments} --json")).exits(0).json();
        assert_eq!((&json["status"], &json["stop"]), (&"uncertified".into(), &"tolerance".into()), "{json}");
        assert_eq!(json["step_size"], step);
        assert!(options.contains(json["optimizer"].as_str().expect("a name")));
        for claim in ["certified_iterations", "radius", "rate", "smin_lower", "theorem", "check"] {
            assert!(json[claim].is_null(), "{claim} is claimed: {json}");
        }
        assert!(!folder.path("run/certificate.json").exists());
        assert!(folder.text("run/report.html").contains(&format!("nothing is proved about {name}")));
        let again = folder.text("run/history.csv");
        folder.run(&format!("{arguments} --threads 1")).exits(0);
        assert_eq!(folder.text("run/history.csv"), again, "{name} depends on the number of threads");
    }
    let json = folder.run("train --data data.csv --whiten --out run --json").exits(3).json();
    assert!(json["optimizer"].is_null(), "{json}");
}

/// Where the start is certified, the certificate is about gradient descent and is not written beside another method.
#[test]
fn another_method_voids_the_certificate() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(56, 4, 8).csv());
    let json = folder.run("train --data data.csv --scale 20 --out run --json").exits(0).json();
    assert_eq!(json["optimizer"], "gd");
    for options in ["", "--whiten"] {
        let arguments = format!("train --data data.csv --scale 20 {options} --out run --optimizer lbfgs --json");
        let json = folder.run(&arguments).exits(0).json();
        assert_eq!((&json["status"], &json["stop"]), (&"uncertified".into(), &"tolerance".into()), "{json}");
        assert!(json["certified_iterations"].is_null() && json["check"].is_null());
        assert!(!folder.path("run/certificate.json").exists());
    }
}

#[test]
fn a_run_that_diverges_is_no_success() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(56, 4, 8).csv());
    for certifiable in ["--scale 20", "--start lecun --allow-uncertified"] {
        let arguments = format!("train --data data.csv {certifiable} --out run --step 1e9");
        let json = folder.run(&format!("{arguments} --json")).exits(3).json();
        assert_eq!((&json["status"], &json["stop"]), (&"uncertified".into(), &"diverged".into()));
        assert_eq!(json["reasons"][0]["code"], "diverged");
        assert!(json["reasons"][0]["message"].as_str().is_some_and(|m| m.contains("--step")), "{json}");
        folder.run(&arguments).exits(3).says("diverged").says("smaller --step");
        assert!(folder.text("run/report.html").contains("diverged"));
    }
    // One of several problems is enough.
    folder.write("data.csv", Table::gaussian(58, 6, 9).labelled(&["a", "b", "c"]).csv());
    let json = folder.run("train --data data.csv --scale 20 --out run --step 1e9 --json").exits(3).json();
    assert_eq!(json["reasons"][0]["code"], "diverged");
}

#[test]
fn fewer_iterations_than_needed_are_reported() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(57, 4, 8).csv());
    let json = folder.run("train --data data.csv --scale 20 --out run --max-iterations 3 --json").exits(0).json();
    assert_eq!((&json["iterations"], &json["stop"]), (&3.into(), &"iterations".into()));
    assert!(number(&json, "final_loss") > number(&json, "tolerance"));
    folder.run("train --data data.csv --scale 20 --out run --max-iterations 0").exits(0).says("used up");
}

/// The stored model is audited; a certificate about it is written, which the checker reads with the model itself.
#[test]
fn the_stored_model_is_audited() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(31, 6, 12).csv());
    let json = folder.run("train --data data.csv --whiten --out run --json").exits(0).json();
    assert_eq!(json["audit"]["status"], "certified", "{json}");
    assert!(number(&json["audit"], "distance") < 1e-9);
    assert!(json.get("audits").is_none());
    folder.run("check run/audit.json --data data.csv --start run/model.safetensors").exits(0).says("valid");
    let report = folder.text("run/report.html");
    assert!(report.contains("Audit of the trained network") && report.contains("with loss exactly 0"));
    // About another model it says nothing.
    folder.run("train --data data.csv --whiten --scale 900 --out other").exits(0).says("audit of the stored model");
    folder.run("check run/audit.json --data data.csv --start other/model.safetensors").exits(1);
    // Nor is an old one left beside a new model.
    let json = folder.run("train --data data.csv --whiten --no-audit --out run --json").exits(0).json();
    assert!(json["audit"].is_null());
    assert!(!folder.path("run/audit.json").exists());
    assert!(!folder.text("run/report.html").contains("Audit of the trained network"));
}

/// `--audit-every`: in the JSON, in a table, in the report.
#[test]
fn iterates_are_audited() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(32, 6, 12).csv());
    let options = "--start he --optimizer lbfgs --allow-uncertified --audit-every 3";
    let json = folder.run(&format!("train --data data.csv {options} --out run --json")).exits(0).json();
    let audits = json["audits"].as_array().expect("audits");
    let iterations = number(&json, "iterations") as u64;
    assert_eq!(audits.len() as u64, iterations.div_ceil(3), "{json}");
    let from = number(&json, "first_provable") as u64;
    assert!(from < iterations && from.is_multiple_of(3), "{json}");
    let first = audits.iter().find(|a| a["remaining"].is_u64()).expect("a safe iterate");
    assert_eq!(first["iteration"], from);
    let table = folder.text("run/audits.csv");
    assert_eq!(table.lines().count(), 1 + audits.len());
    assert!(table.starts_with("problem,iteration,loss,distance,step_size,remaining_iterations,declined\n"));
    assert!(folder.text("run/report.html").contains("iterates were audited on the way. Iterate"));
    folder.run(&format!("train --data data.csv {options} --out run")).exits(0).says("is proved to converge");
    folder.run("train --data data.csv --audit-every 0 --out run").exits(2);
    // Nothing is left of it by the next run; an end that comes at once was not audited.
    assert!(folder.path("run/figures/problem-1-audits.svg").exists());
    let short = "--start he --optimizer lbfgs --allow-uncertified --max-iterations 0";
    folder.run(&format!("train --data data.csv {short} --no-audit --out run")).exits(0);
    assert!(!folder.path("run/figures/problem-1-audits.svg").exists() && !folder.path("run/audits.csv").exists());
    let answer = folder.run(&format!("train --data data.csv {short} --audit-every 1 --out run"));
    answer.exits(0).says("no iterate before the end was audited");
}
