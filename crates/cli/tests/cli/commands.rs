//! The happy path of every command, for people and with `--json`.

use crate::support::{CERTIFY_KEYS, Folder, Table, csv_rows, has_keys, number};

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(1, 5, 12).csv());
    folder
}

#[test]
fn inspect_counts_and_advises() {
    let folder = folder();
    let json = folder.run("inspect --data data.csv --json").exits(0).json();
    has_keys(&json, &["status", "findings", "advice", "classes", "lmin_lower", "seconds"]);
    assert_eq!((&json["samples"], &json["features"]), (&5.into(), &12.into()));
    assert!(number(&json, "smin_lower") > 0.0);
    assert!(number(&json, "smin_affine_lower") >= number(&json, "smin_lower"), "a further column cannot cost rank");
    assert_eq!(json["affinely_independent"], true);
    folder.run("inspect --data data.csv").exits(0).says("5 samples, 12 features").says("affinely independent");
}

#[test]
fn certify_states_every_key() {
    let folder = folder();
    let json = folder.run("certify --data data.csv --depth 3 --width 8 --json --out c.json").exits(0).json();
    has_keys(&json, &CERTIFY_KEYS);
    assert_eq!((&json["status"], &json["method"]), (&"certified".into(), &"sharp".into()));
    assert_eq!(json["reasons"], serde_json::json!([]));
    for key in ["step_size", "radius", "certified_iterations", "rate", "smin_lower", "scale", "hidden_scale"] {
        assert!(number(&json, key) > 0.0, "{key} in {json}");
    }
    assert_eq!(number(&json, "tolerance"), 1e-20);
    assert_eq!(number(&json, "layer_steps"), 1.0);
    assert!(!json["theorem"].as_str().expect("text").is_empty());
    let file = folder.json("c.json");
    let claim = &file["certificates"][0]["claim"];
    assert_eq!(claim["iterations"], json["certified_iterations"], "file and summary agree");
    folder.run("check c.json --data data.csv").exits(0).says("valid");
    // Nothing is left over, and nothing is written that was not asked for.
    let mut files = folder.files();
    files.sort();
    assert_eq!(files, ["c.json", "data.csv"]);
}

#[test]
fn certify_for_people_names_step_and_count() {
    let folder = folder();
    let answer = folder.run("certify --data data.csv").exits(0);
    let answer = answer.says("certified by T4").says("iterations").says("positive start");
    assert_eq!(answer.stderr, "", "no progress without a terminal");
}

#[test]
fn the_tolerance_decides_the_count() {
    let folder = folder();
    let count = |tol: &str| {
        let json = folder.run(&format!("certify --data data.csv --scale 50 --tol {tol} --json")).exits(0).json();
        number(&json, "certified_iterations")
    };
    assert!(count("1e-6") < count("1e-20"));
}

#[test]
fn scan_shows_the_trade_off() {
    let folder = folder();
    let json = folder.run("certify --data data.csv --width 8 --scan --json").exits(0).json();
    has_keys(&json, &["status", "problems", "seconds"]);
    let rows = json["problems"][0]["scan"].as_array().expect("rows");
    let counts: Vec<u64> = rows.iter().filter_map(|r| r["certified_iterations"].as_u64()).collect();
    assert!(counts.len() > 5);
    assert!(counts.first() >= counts.last(), "larger scales are no slower: {counts:?}");
    folder.run("certify --data data.csv --scan --out c.json").exits(2).says("--out");
    folder.run("certify --data data.csv --scan --method paper").exits(2).says("--method");
    folder.run("certify --data data.csv --scan --start lecun").exits(2).says("positive start");
}

#[test]
fn train_writes_everything_and_keeps_its_promise() {
    let folder = folder();
    let json = folder.run("train --data data.csv --out run --json").exits(0).json();
    has_keys(&json, &CERTIFY_KEYS);
    has_keys(&json, &["iterations", "final_loss", "folded_loss", "stop", "path"]);
    assert_eq!((&json["status"], &json["stop"]), (&"certified".into(), &"tolerance".into()));
    assert_eq!(json["check"], "valid");
    assert!(number(&json, "iterations") <= number(&json, "certified_iterations"));
    assert!(number(&json, "final_loss") <= number(&json, "tolerance"));
    assert!(number(&json, "path") <= number(&json, "radius"));
    for name in ["certificate.json", "model.safetensors", "history.csv", "report.html"] {
        assert!(!folder.read(&format!("run/{name}")).is_empty(), "{name}");
    }
    folder.run("check run/certificate.json --data data.csv").exits(0).says("valid");
}

#[test]
fn check_lists_what_it_verified() {
    let folder = folder();
    folder.run("certify --data data.csv --out c.json").exits(0);
    let json = folder.run("check c.json --data data.csv --json").exits(0).json();
    has_keys(&json, &["status", "problems", "seconds"]);
    assert_eq!(json["status"], "valid");
    assert!(json["problems"][0]["verified"].as_array().is_some_and(|lines| lines.len() >= 3));
}

#[test]
fn predict_writes_one_row_per_sample() {
    let folder = folder();
    folder.run("train --data data.csv --out run").exits(0);
    let printed = folder.run("predict --model run/model.safetensors --data data.csv").exits(0).stdout;
    folder.run("predict --model run/model.safetensors --data data.csv --out p.csv").exits(0).says("5 predictions");
    assert_eq!(printed, folder.text("p.csv"));
    assert_eq!(csv_rows(&printed).len(), 5);
    let json = folder.run("predict --model run/model.safetensors --data data.csv --json").exits(0).json();
    has_keys(&json, &["status", "problems", "outputs", "predictions", "seconds"]);
    assert_eq!(json["outputs"][4][0].as_f64(), csv_rows(&printed)[4][0].parse().ok());
}

#[test]
fn the_same_numbers_in_every_format() {
    let folder = Folder::new();
    let table = Table::gaussian(2, 4, 8);
    folder.write("data.csv", table.csv());
    folder.write("data.tsv", table.csv().replace(',', "\t"));
    folder.write("data.npz", table.npz());
    let (x, y) = table.npy();
    folder.write("x.npy", x);
    folder.write("y.npy", y);
    let certify = |data: &str| {
        let mut json = folder.run(&format!("certify --data {data} --scale 30 --width 8 --json")).exits(0).json();
        json["seconds"].take();
        json
    };
    let first = certify("data.csv");
    for other in ["data.tsv", "data.npz", "x.npy,y.npy"] {
        assert_eq!(certify(other), first, "{other}");
    }
    folder.run("certify --data data.npz --scale 30 --width 8 --out c.json").exits(0);
    folder.run("check c.json --data x.npy,y.npy").exits(0);
}

#[test]
fn a_target_is_named_or_counted() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(3, 4, 8).csv());
    let by_name = folder.run("inspect --data data.csv --target x0 --json").exits(0).json();
    let by_index = folder.run("inspect --data data.csv --target 0 --json").exits(0).json();
    assert_eq!(by_name["smin_lower"], by_index["smin_lower"]);
    let last = folder.run("inspect --data data.csv --json").exits(0).json();
    assert_ne!(by_name["smin_lower"], last["smin_lower"]);
}

#[test]
fn completions_for_the_shells() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish"] {
        let answer = folder.run(&format!("completions {shell}")).exits(0);
        for command in ["inspect", "certify", "train", "check", "predict"] {
            assert!(answer.stdout.contains(command), "{shell} does not know {command}");
        }
    }
}

#[test]
fn bundled_data_need_no_file() {
    let json = Folder::new().run("inspect --data bundled:leukaemia --json").exits(0).json();
    assert_eq!(json["samples"], 38);
}

#[test]
fn a_sweep_is_planned_run_in_shares_and_merged() {
    let folder = Folder::new();
    let plan = r#"{"fixed": {"data": "gaussian:5,8", "width": 3, "tol": 1e-6}, "vary": {"seed": [0, 1], "start": ["positive"]}}"#;
    folder.write("plan.json", plan);
    let listed = folder.run("sweep plan plan.json --json").json();
    assert_eq!(listed["count"], 2);
    let early = folder.run("sweep merge plan.json --out runs --json").exits(4);
    assert_eq!(early.json()["code"], "sweep_records");
    for shard in ["1/2", "2/2", "1/1"] {
        let done = folder.run(&format!("sweep run plan.json --out runs --shard {shard} --threads 2 --json")).exits(0);
        assert_eq!(done.json()["count"], done.json()["finished"]);
    }
    let merged = folder.run("sweep merge plan.json --out runs --json").exits(0);
    assert_eq!(merged.json()["count"], 2);
    let table = folder.text("runs/runs.csv");
    assert_eq!(table.lines().count(), 3);
    assert!(table.starts_with("key,data,seed,start,tol,width,samples,"), "{table}");
    folder.run("sweep run plan.json --out runs --shard 3/2").exits(2);
    folder.write("plan.json", "{");
    folder.run("sweep plan plan.json").exits(4);
}

#[test]
fn an_experiment_leaves_pages_figures_and_tables() {
    let folder = Folder::new();
    let small = "--quick --n 6 --d 12 --widths 4 --seeds 2 --scale 20 --max-iterations 400";
    let json = folder.run(&format!("reproduce chatterjee2022 fig1 {small} --out r --threads 1 --json")).exits(0).json();
    assert_eq!(json["items"][0]["item"], "fig1");
    let names: Vec<&str> =
        ["fig1.html", "fig1.csv", "fig1-same-step-4.svg", "fig1-same-step-4.png", "fig1-own-step-4.svg"].to_vec();
    for name in &names {
        assert!(!folder.read(&format!("r/{name}")).is_empty(), "{name}");
    }
    assert!(folder.text("r/fig1.html").contains("--widths 4"), "the page names the command with its settings");
    folder.run(&format!("reproduce chatterjee2022 fig1 {small} --out s --threads 3 --json")).exits(0);
    let table = folder.read("r/fig1.csv");
    assert_eq!(table, folder.read("s/fig1.csv"), "the number of threads changes nothing");
    folder.run(&format!("reproduce chatterjee2022 fig1 {small} --out r --resume --json")).exits(0);
    assert_eq!(table, folder.read("r/fig1.csv"), "nothing is done twice");
    let declined = folder.run("reproduce chatterjee2022 fig1 --quick --scale 0.001 --seeds 1 --out t --json").exits(3);
    assert_eq!(declined.json()["code"], "experiment_declined");
}
