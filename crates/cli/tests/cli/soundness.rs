//! Random configurations through the program: certified, trained, checked. A certified count that is exceeded, a
//! certificate that the checker refuses or a loss above its envelope would be a wrong proof.

use crate::support::{Folder, Gaussian, Table, csv_rows};

const ACTIVATIONS: [&str; 10] = [
    "smooth-leaky-relu:0.1",
    "smooth-leaky-relu:0.5",
    "softplus",
    "tanh",
    "logistic",
    "erf",
    "arctan",
    "algebraic",
    "softsign",
    "identity",
];

/// Table and options number `case`.
fn configuration(case: u64) -> (Table, String) {
    let mut random = Gaussian::new(1000 + case);
    let samples = 2 + random.below(4);
    // Square and nearly square normal matrices are badly conditioned: sound too, but minutes of iterations.
    let features = samples + 3 + random.below(6);
    let mut table = Table::gaussian(2000 + case, samples, features);
    let widths: Vec<String> = (0..1 + random.below(4)).map(|_| (1 + random.below(12)).to_string()).collect();
    let mut options = format!(
        "--widths {} --activation {} --scale {:.3}",
        widths.join(","),
        ACTIVATIONS[case as usize % ACTIVATIONS.len()],
        10f64.powf(2.0 + 2.0 * random.uniform())
    );
    for (flag, one_in) in [("--whiten", 2), ("--layer-steps auto", 4), ("--freeze-bias", 3), ("--tol 1e-10", 3)] {
        if random.below(one_in) == 0 {
            options += &format!(" {flag}");
        }
    }
    if random.below(3) == 0 {
        table = table.repeated(1 + random.below(2));
        options += " --merge-duplicates";
    }
    (table, options)
}

/// Runs configurations; at most `most` of them may be declined.
fn promises_are_kept(cases: std::ops::Range<u64>, most: usize) {
    let declined: Vec<String> = cases.filter_map(declined).collect();
    assert!(declined.len() <= most, "the configurations should mostly be certifiable: {declined:#?}");
}

/// Why the configuration is declined, if it is. Panics if a certified promise is broken.
fn declined(case: u64) -> Option<String> {
    let (table, options) = configuration(case);
    let folder = Folder::new();
    folder.write("data.csv", table.csv());
    let answer = folder.run(&format!("train --data data.csv {options} --out run --json"));
    let json = answer.json();
    if answer.code == Some(3) {
        return Some(format!("case {case}: {options}: {}", json["reasons"]));
    }
    assert_eq!(answer.code, Some(0), "case {case}: {answer:?}");
    folder.run("check run/certificate.json --data data.csv").exits(0);
    assert_eq!(json["stop"], "tolerance", "case {case}: {options}: {json}");
    let (needed, promised) = (json["iterations"].as_u64(), json["certified_iterations"].as_u64());
    assert!(needed <= promised, "case {case}: {options}: {needed:?} > {promised:?}");
    for row in csv_rows(&folder.text("run/history.csv")) {
        let (loss, envelope): (f64, f64) = (row[2].parse().expect("a loss"), row[3].parse().expect("an envelope"));
        assert!(loss <= envelope, "case {case}: {options}: {row:?}");
    }
    None
}

#[test]
fn certified_promises_are_kept_first_half() {
    promises_are_kept(0..20, 2);
}

#[test]
fn certified_promises_are_kept_second_half() {
    promises_are_kept(20..40, 2);
}

/// The same with many more cases: `cargo test -p gradcert-cli --test cli -- --ignored many`.
#[test]
#[ignore = "a minute: make test-long"]
fn certified_promises_are_kept_in_many_cases() {
    promises_are_kept(40..300, 26);
}
