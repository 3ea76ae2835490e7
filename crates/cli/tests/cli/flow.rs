//! `gradcert flow`.

use crate::support::{Folder, Table, number};

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(60, 4, 16).csv());
    folder
}

#[track_caller]
fn kept(folder: &Folder, options: &str) -> serde_json::Value {
    let json = folder.run(&format!("flow --data data.csv {options} --json")).exits(0).json();
    assert_eq!(json["status"], "certified", "{json}");
    assert_eq!(json["kept"], true, "{json}");
    assert!(number(&json, "distance") <= number(&json, "radius"));
    assert!(number(&json, "path") >= number(&json, "distance") * (1.0 - 1e-9));
    assert!(number(&json, "largest_increase") <= 0.0);
    json
}

#[test]
fn certified_flows_keep_their_certificates() {
    let folder = folder();
    for options in [
        "",
        "--whiten --depth 3",
        "--start abs-lecun --width 6 --whiten --train first-layer",
        "--start lecun --width 100 --whiten",
    ] {
        let json = kept(&folder, options);
        assert_eq!(json["stop"], "tolerance");
        assert!(number(&json, "final_loss") <= 1e-20);
    }
    let json = kept(&folder, "--time 1e-6 --whiten");
    assert_eq!((json["stop"].as_str(), number(&json, "time")), (Some("time"), 1e-6));
    assert!(number(&json, "final_loss") > 1e-20);
}

#[test]
fn history_and_model_are_written() {
    let folder = folder();
    kept(&folder, "--whiten --out run");
    let text = |name: &str| String::from_utf8(folder.read(name)).expect("text");
    let history = text("run/history.csv");
    let mut lines = history.lines();
    assert_eq!(lines.next(), Some("problem,time,loss,envelope,distance,path,remaining_bound"));
    let rows: Vec<Vec<f64>> =
        lines.map(|line| line.split(',').map(|x| x.parse().expect("a number")).collect()).collect();
    assert!(rows.len() > 10);
    for pair in rows.windows(2) {
        assert!(pair[1][1] > pair[0][1] && pair[1][2] <= pair[0][2], "time grows, the loss does not");
    }
    for row in &rows {
        assert!(row[2] <= row[3] * (1.0 + 1e-6), "the loss is below the envelope");
    }
    assert!(text("run/flow.json").contains("\"kept\": true"));
    folder.run("predict --model run/model.safetensors --data data.csv").exits(0);
}

#[test]
fn other_answers() {
    let folder = folder();
    let answer = folder.run("flow --data data.csv --start lecun --width 3 --retry 4 --json").exits(3).json();
    assert_eq!((answer["status"].as_str(), number(&answer, "draws")), (Some("declined"), 4.0));
    let options = "--start lecun --width 3 --activation tanh --allow-uncertified --time 0.1";
    let answer = folder.run(&format!("flow --data data.csv {options} --json")).exits(0).json();
    assert_eq!((answer["status"].as_str(), answer["kept"].is_null()), (Some("uncertified"), true));
    folder.run("flow --data data.csv --whiten --max-steps 3").exits(5);
    folder.run("flow --data data.csv --method paper").exits(2);
    folder.run("flow --data data.csv --time -1").exits(2);
}
