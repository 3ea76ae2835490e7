//! The same numbers in every file format, and tables that are laid out in other ways than expected.

use crate::support::{Folder, Table, csv_rows};

/// Files that hold the same four samples, made by the tools people use.
fn fixture(folder: &Folder, name: &str) {
    let path = format!("{}/../data/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    folder.write(name, std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}")));
}

#[test]
fn the_certificate_does_not_depend_on_the_format() {
    let folder = Folder::new();
    let names = ["numeric.csv", "numeric.tsv", "numeric.csv.gz", "stored.npz", "numeric.svm", "snappy.parquet"];
    names.iter().for_each(|name| fixture(&folder, name));
    let renamed = String::from_utf8(folder.read("numeric.csv")).expect("text").replacen("target", "price", 1);
    folder.write("renamed.csv", renamed);
    let names = names.into_iter().chain(["renamed.csv"]);
    let mut first = None;
    for name in names.clone() {
        folder.run(&format!("certify --data {name} --scale 200 --width 4 --out c.json")).exits(0);
        let certificate = folder.read("c.json");
        assert!(*first.get_or_insert_with(|| certificate.clone()) == certificate, "the certificate of {name} differs");
        for other in names.clone() {
            folder.run(&format!("check c.json --data {other}")).exits(0);
        }
    }
}

#[test]
fn classes_have_the_same_names_in_every_format() {
    let folder = Folder::new();
    for name in ["labels.csv", "labels.npz", "labels.parquet"] {
        fixture(&folder, name);
        folder
            .run(&format!("certify --data {name} --scale 200 --width 4 --out c.json"))
            .exits(0)
            .says("cat versus rest");
        folder.run("check c.json --data labels.csv").exits(0);
    }
    let table = Table::gaussian(90, 4, 6).labelled(&["1.0", "2.0"]);
    folder.write("data.csv", table.csv());
    folder.write("data.npz", table.npz());
    folder.run("certify --data data.csv --labels --scale 200 --out c.json").exits(0).says("2 versus 1");
    folder.run("check c.json --data data.npz --labels").exits(0);
}

#[test]
fn a_parquet_file_is_trained_on_and_predicted_from() {
    let folder = Folder::new();
    fixture(&folder, "zstd.parquet");
    fixture(&folder, "numeric.csv");
    let json = folder.run("train --data zstd.parquet --scale 200 --out run --json").exits(0).json();
    assert_eq!((&json["check"], &json["stop"]), (&"valid".into(), &"tolerance".into()));
    folder.run("check run/certificate.json --data zstd.parquet").exits(0);
    let predict =
        |data: &str| folder.run(&format!("predict --model run/model.safetensors --data {data}")).exits(0).stdout;
    assert_eq!(predict("zstd.parquet"), predict("numeric.csv"));
    let json = folder.run("inspect --data zstd.parquet --target a --ignore b --json").exits(0).json();
    assert_eq!(json["features"], 2);
}

/// This byte makes the decoder of the parquet library panic, and our answer is all that may be seen of it.
#[test]
fn a_panic_of_a_decoder_is_answered_and_not_shown() {
    let folder = Folder::new();
    fixture(&folder, "types.parquet");
    let mut bytes = folder.read("types.parquet");
    bytes[412] = 0;
    folder.write("types.parquet", bytes);
    let model = {
        fixture(&folder, "numeric.csv");
        folder.run("train --data numeric.csv --scale 200 --out run").exits(0);
        "run/model.safetensors"
    };
    for command in ["inspect".to_owned(), "certify".to_owned(), format!("predict --model {model}")] {
        let answer = folder.run(&format!("{command} --data types.parquet --json")).exits(4).says("the decoder failed");
        assert_eq!(answer.error_code(), "malformed");
        assert_eq!(answer.stderr.lines().count(), 1, "{command}: {}", answer.stderr);
    }
}

#[test]
fn a_table_without_header_keeps_its_first_sample() {
    let folder = Folder::new();
    let table = Table::gaussian(91, 5, 7);
    folder.write("named.csv", table.csv());
    let bare = table.csv().split_once('\n').expect("a header").1.to_owned();
    folder.write("bare.csv", &bare);
    // Increasing numbers could be the wavelengths of spectra, and could be a sample too.
    let increasing = "1,2,3,4\n2,0,1,1\n5,1,0,2\n";
    folder.write("increasing.csv", increasing);
    for data in ["bare.csv", "increasing.csv"] {
        for command in ["inspect", "certify", "train --out run"] {
            let answer = folder.run(&format!("{command} --data {data} --json")).exits(4).says("--no-header");
            assert_eq!(answer.error_code(), "numeric_header");
        }
    }
    assert_eq!(folder.run("inspect --data increasing.csv --header --json").exits(0).json()["samples"], 2);
    assert_eq!(folder.run("inspect --data increasing.csv --no-header --json").exits(0).json()["samples"], 3);
    folder.run("inspect --data bare.csv --no-header --header").exits(2);
    folder.run("train --data bare.csv --no-header --scale 100 --out run").exits(0);
    folder.run("check run/certificate.json --data named.csv").exits(0);
    folder.run("check run/certificate.json --data bare.csv").exits(4).says("numeric_header");
    // Nothing says which of the columns without names was the target.
    let predict = "predict --model run/model.safetensors --no-header --data bare.csv";
    folder.run(predict).exits(4).says("--ignore");
    let rows = csv_rows(&folder.run(&format!("{predict} --ignore 7")).exits(0).stdout);
    assert_eq!(rows.len(), 5);
}

#[test]
fn columns_that_are_no_features_are_left_out() {
    let folder = Folder::new();
    let table = Table::gaussian(92, 5, 7);
    folder.write("plain.csv", table.csv());
    let mut rows = table.csv().lines().map(str::to_owned).collect::<Vec<_>>();
    let extra = |i: usize| if i == 0 { "patient,day,".to_owned() } else { format!("P{i},2020-01-0{i},") };
    rows.iter_mut().enumerate().for_each(|(i, row)| row.insert_str(0, &extra(i)));
    folder.write("data.csv", rows.join("\n"));
    assert_eq!(folder.run("certify --data data.csv --json").exits(4).error_code(), "non_numeric");
    folder.run("train --data data.csv --ignore patient,1 --scale 100 --out run").exits(0);
    folder.run("check run/certificate.json --data plain.csv").exits(0);
    folder.run("check run/certificate.json --data data.csv --ignore patient --ignore day").exits(0);
    let predict =
        |data: &str| folder.run(&format!("predict --model run/model.safetensors --data {data}")).exits(0).stdout;
    assert_eq!(predict("data.csv --ignore patient,day"), predict("plain.csv"));
    assert!(predict("plain.csv").starts_with("y\n"), "a prediction carries the name of its target");
    assert_eq!(folder.run("certify --data data.csv --ignore age --json").exits(4).error_code(), "unknown_column");
    // An option without effect is no silent success.
    folder.write("data.npz", table.npz());
    for arguments in ["--data data.npz --ignore 0", "--data data.npz --target 3"] {
        assert_eq!(folder.run(&format!("certify {arguments} --json")).exits(4).error_code(), "unknown_column");
    }
    folder.run("certify --data bundled:leukaemia --ignore 0").exits(2).says("--ignore");
}
