//! `--lift`: more samples than features, certified before training on random features of them.

use crate::support::{Folder, Table, csv_rows, number};

/// 30 samples with 3 features.
fn folder() -> (Folder, Table) {
    let folder = Folder::new();
    let table = Table::gaussian(81, 30, 3);
    folder.write("data.csv", table.csv());
    (folder, table)
}

#[test]
fn more_samples_than_features_are_certified_on_random_features() {
    let (folder, _) = folder();
    let declined = folder.run("certify --data data.csv --whiten --json").exits(3).json();
    assert_eq!(declined["reasons"][0]["code"], "dependent_inputs");
    assert!(declined["reasons"][0]["message"].as_str().expect("text").contains("--lift fourier:D"), "{declined}");
    folder.run("inspect --data data.csv").exits(0).says("--lift fourier:60");
    for lift in ["fourier:90", "tanh:300", "relu:300", "fourier:90:7", "fourier:90:7:1.5"] {
        let certified =
            folder.run(&format!("certify --data data.csv --lift {lift} --whiten --out c.json --json")).exits(0).json();
        let full = certified["lift"].as_str().expect("the lift in full");
        assert!(full.starts_with(lift) && full.matches(':').count() == 4, "{full}");
        folder.run(&format!("check c.json --data data.csv --lift {full}")).exits(0).says("valid");
        // Another draw, another scale, no lift: other data.
        let [features, count, seed, scale, "3"] = full.split(':').collect::<Vec<_>>()[..] else { panic!("{full}") };
        let other = seed.parse::<u64>().expect("a seed") + 1;
        folder.run(&format!("check c.json --data data.csv --lift {features}:{count}:{other}:{scale}")).exits(1);
        folder.run(&format!("check c.json --data data.csv --lift {features}:{count}:{seed}:0.77")).exits(1);
        folder.run("check c.json --data data.csv").exits(1);
    }
}

#[test]
fn a_model_knows_its_lift() {
    let (folder, table) = folder();
    let json = folder.run("train --data data.csv --lift fourier:90 --whiten --out run --json").exits(0).json();
    assert_eq!(json["check"], "valid");
    let lift = json["lift"].as_str().expect("a lift").to_owned();
    folder.run("inspect --model run/model.safetensors").exits(0).says(&format!("samples are lifted first: {lift}"));
    // Raw samples are predicted from.
    folder.run("predict --model run/model.safetensors --data data.csv --out out.csv").exits(0);
    for (row, y) in csv_rows(&folder.text("out.csv")).iter().zip(table.numbers()) {
        let value: f64 = row[0].parse().expect("a number");
        assert!((value - y).abs() <= 1e-9, "{value} for {y}");
    }
    let audit = folder.run("audit --model run/model.safetensors --data data.csv --json").exits(0).json();
    assert_eq!(audit["lift"].as_str(), Some(lift.as_str()));
    assert_eq!(number(&audit, "distance"), number(&json["audit"], "distance"));
    folder.run("audit --model run/model.safetensors --data data.csv --lift fourier:90").exits(2);
    let page = folder.text("run/report.html");
    assert!(page.contains("90 random features") && page.contains(&lift));
    // With other numbers of columns the lift would be another map.
    folder.write("wide.csv", Table::gaussian(82, 4, 5).csv());
    let answer = folder.run("predict --model run/model.safetensors --data wide.csv --json").exits(4);
    assert_eq!(answer.error_code(), "shape");
}

#[test]
fn classes_and_duplicates_are_lifted_too() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(83, 12, 2).labelled(&["a", "b", "c"]).repeated(3).csv());
    let json = folder.run("certify --data data.csv --lift fourier:60 --whiten --json").exits(3).json();
    assert_eq!(json["reasons"][0]["code"], "duplicate_rows");
    let options = "--data data.csv --lift fourier:60 --merge-duplicates";
    folder.run(&format!("train {options} --whiten --out run")).exits(0).says("15 of 15 labels predicted");
    folder.run(&format!("check run/certificate.json {options}")).exits(0);
}

#[test]
fn lifts_that_cannot_be() {
    let (folder, _) = folder();
    for wrong in ["fourier", "fourier:0", "cosine:5", "fourier:5:x", "fourier:5:1:-2", "fourier:99999999"] {
        folder.run(&format!("certify --data data.csv --lift {wrong}")).exits(2);
    }
    // Fewer features than samples are never independent.
    let answer = folder.run("certify --data data.csv --lift relu:20 --json").exits(4);
    assert_eq!(answer.error_code(), "lift_dependent");
    // Everything is squashed onto one point.
    let answer = folder.run("certify --data data.csv --lift fourier:40:0:1e30 --json").exits(4);
    assert_eq!(answer.error_code(), "lift_conflict");
    folder.run("inspect --model m.safetensors --lift fourier:5").exits(2);
    folder.write("equal.csv", "x,y\n1,2\n1,2\n1,3\n");
    assert_eq!(folder.run("certify --data equal.csv --lift fourier:5 --json").exits(4).error_code(), "lift_scale");
    // A model whose lift is nonsense, or another map than it was.
    folder.run("train --data data.csv --lift fourier:90:1:2 --whiten --out run").exits(0);
    let bytes = folder.read("run/model.safetensors");
    let lift = b"fourier:90:1:2.0:3";
    let at = bytes.windows(lift.len()).position(|w| w == lift).expect("the lift in the header");
    for other in ["fourieX:90:1:2.0:3", "fourier:91:1:2.0:3", "fourier:9000001:1:2", "fourier:90:00001:20"] {
        let mut broken = bytes.clone();
        broken[at..at + lift.len()].copy_from_slice(&other.as_bytes()[..lift.len()]);
        folder.write("broken.safetensors", broken);
        for command in ["predict", "audit"] {
            let answer = folder.run(&format!("{command} --model broken.safetensors --data data.csv --json")).exits(4);
            assert_eq!(answer.error_code(), "model_format", "{command} {other}");
        }
    }
}
