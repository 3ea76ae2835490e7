//! `gradcert demo`, the first thing many people run.

use crate::support::Folder;

/// The chapters that a folder is written for.
const CHAPTERS: [&str; 4] = ["leukaemia", "leukaemia-whitened", "khan-whitened", "coffee-whitened"];

#[test]
fn the_whole_story() {
    let folder = Folder::new();
    let answer = folder.run("demo --out results").exits(0).says("Reports: results/index.html");
    assert_eq!(answer.stderr, "", "no progress without a terminal");
    let index = folder.text("results/index.html");
    for chapter in CHAPTERS {
        for file in ["certificate.json", "model.safetensors", "history.csv", "report.html"] {
            assert!(!folder.read(&format!("results/{chapter}/{file}")).is_empty(), "{chapter}/{file}");
        }
        assert!(index.contains(&format!("{chapter}/report.html")), "{chapter} is not in the index");
    }
    assert_eq!(answer.stdout.matches("independent check: valid").count(), CHAPTERS.len(), "{answer:?}");
    assert_eq!(answer.stdout.matches("the independent checker confirms").count(), CHAPTERS.len());
    // The counterpart: the same spectra in plain coordinates.
    let answer = answer.says("Brasil versus rest: declined").says("too_slow");
    let after = answer.stdout.split("khan-whitened").nth(1).expect("the third chapter");
    assert!(after.contains("20 labels predicted"), "the patients that nobody trained on: {after}");
    folder.run("check results/leukaemia/certificate.json --data bundled:leukaemia").exits(0);
    folder.run("check results/leukaemia/certificate.json --data bundled:khan").exits(1);
}

#[test]
fn the_demo_needs_a_folder_it_can_write_to() {
    let folder = Folder::new();
    folder.write("results", "a file");
    let answer = folder.run("demo --out results --json").exits(4);
    assert_eq!(answer.error_code(), "unreadable");
    assert_eq!(folder.text("results"), "a file");
}
