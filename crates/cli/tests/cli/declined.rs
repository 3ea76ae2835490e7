//! Hypotheses that do not hold: exit code 3, a coded reason, a remedy that works. And the remedy, tried.

use crate::support::{CERTIFY_KEYS, Folder, Table, has_keys};

/// Runs `certify` on a table and expects a decline with this code; returns its message.
#[track_caller]
fn declined(folder: &Folder, arguments: &str, code: &str) -> String {
    let answer = folder.run(&format!("certify --data data.csv {arguments} --json --out never.json")).exits(3);
    assert!(!folder.path("never.json").exists(), "no certificate of a decline");
    let json = answer.json();
    has_keys(&json, &CERTIFY_KEYS);
    assert_eq!(json["status"], "declined");
    for claim in ["step_size", "radius", "certified_iterations", "rate", "smin_lower", "theorem"] {
        assert!(json[claim].is_null(), "a decline claims {claim}: {json}");
    }
    let reasons = json["reasons"].as_array().expect("reasons");
    let reason = reasons.iter().find(|r| r["code"] == code).unwrap_or_else(|| panic!("no reason {code}: {json}"));
    let message = reason["message"].as_str().expect("a message").to_owned();
    folder.run(&format!("certify --data data.csv {arguments}")).exits(3).says(code).says(&message);
    message
}

fn with(table: &Table) -> Folder {
    let folder = Folder::new();
    folder.write("data.csv", table.csv());
    folder
}

#[test]
fn more_samples_than_a_hyperplane_holds() {
    // d + 1 samples in general position are affinely independent, d + 2 never are.
    let folder = with(&Table::gaussian(10, 6, 4));
    assert!(declined(&folder, "", "dependent_inputs").contains("more samples than features"));
    declined(&folder, "--whiten", "dependent_inputs");
    folder.run("train --data data.csv --out run").exits(3);
    assert!(!folder.path("run").exists(), "a declined run leaves nothing behind");
    let folder = with(&Table::gaussian(10, 5, 4));
    folder.run("certify --data data.csv --scale 1000").exits(0);
    declined(&folder, "--freeze-bias --scale 1000", "dependent_inputs");
}

#[test]
fn duplicates_are_declined_and_merging_restores_the_rank() {
    let folder = with(&Table::gaussian(11, 5, 9).repeated(2));
    assert!(declined(&folder, "", "duplicate_rows").contains("--merge-duplicates"));
    folder.run("certify --data data.csv --scan").exits(3).says("duplicate_rows");
    let json = folder.run("inspect --data data.csv --json").exits(0).json();
    assert_eq!((&json["samples"], &json["affinely_independent"]), (&7.into(), &false.into()));
    let json = folder.run("inspect --data data.csv --merge-duplicates --json").exits(0).json();
    assert_eq!((&json["distinct_samples"], &json["affinely_independent"]), (&5.into(), &true.into()));
    let json = folder.run("train --data data.csv --merge-duplicates --out run --json").exits(0).json();
    assert!(json["iterations"].as_u64() <= json["certified_iterations"].as_u64());
    // The checker reads from the certificate that rows were merged.
    folder.run("check run/certificate.json --data data.csv").exits(0);
}

#[test]
fn a_scale_that_is_too_small() {
    let folder = with(&Table::gaussian(12, 5, 9));
    let message = declined(&folder, "--scale 0.001", "scale_too_small");
    let words = message.split_whitespace();
    let smallest = words.skip_while(|w| *w != "about").nth(1).expect("the smallest scale is told");
    let smallest: f64 = smallest.trim_end_matches(':').parse().expect("a number");
    folder.run(&format!("certify --data data.csv --scale {}", 1.1 * smallest)).exits(0);
    folder.run("certify --data data.csv --scale min").exits(0);
}

#[test]
fn activations_that_are_not_monotone() {
    let folder = with(&Table::gaussian(13, 4, 8));
    assert!(declined(&folder, "--activation silu", "activation").contains("silu"));
    declined(&folder, "--activation gelu --depth 3", "activation");
}

#[test]
fn nearly_collinear_inputs_are_sent_to_whitening() {
    let folder = with(&Table::gaussian(14, 6, 10).map(|x| 1.0 + 1e-8 * x));
    assert!(declined(&folder, "", "too_slow").contains("--whiten"));
    let json = folder.run("train --data data.csv --whiten --out run --json").exits(0).json();
    assert!(json["iterations"].as_u64() <= json["certified_iterations"].as_u64());
    folder.run("check run/certificate.json --data data.csv").exits(0);
}

#[test]
fn the_original_theorem_is_about_plain_descent() {
    let folder = with(&Table::gaussian(15, 3, 20));
    assert!(declined(&folder, "--method paper --train first-layer", "method").contains("--train all"));
    declined(&folder, "--method paper --layer-steps auto", "method");
}

#[test]
fn a_random_start_with_too_large_a_residual() {
    let folder = with(&Table::gaussian(16, 5, 9));
    declined(&folder, "--start lecun --width 4", "residual_too_large");
}

#[test]
fn one_declined_class_declines_the_whole() {
    let folder = with(&Table::gaussian(17, 6, 4).labelled(&["a", "b", "c"]));
    let json = folder.run("certify --data data.csv --json").exits(3).json();
    assert_eq!(json["problems"].as_array().map(Vec::len), Some(3));
    assert_eq!(json["status"], "declined");
}
