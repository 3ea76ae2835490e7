//! Starts and methods other than the default.

use crate::support::{Folder, Table, number};

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(60, 4, 16).csv());
    folder
}

/// Trains from a given start, checks with the start beside the certificate and without it.
#[track_caller]
fn trained_from(folder: &Folder, options: &str) -> serde_json::Value {
    let json = folder.run(&format!("train --data data.csv {options} --out run --json")).exits(0).json();
    assert_eq!(json["status"], "certified");
    assert!(json["scale"].is_null() && json["hidden_scale"].is_null(), "a given start has no scale");
    assert!(json["iterations"].as_u64() <= json["certified_iterations"].as_u64(), "{json}");
    folder.run("check run/certificate.json --data data.csv").exits(0);
    std::fs::copy(folder.path("run/certificate.json"), folder.path("alone.json")).expect("a copy");
    folder.run("check alone.json --data data.csv").exits(1);
    folder.run("check alone.json --data data.csv --start run/certificate.start.safetensors").exits(0);
    folder.run("check alone.json --data data.csv --start missing.safetensors").exits(4);
    folder.run("check alone.json --data data.csv --start data.csv").exits(4);
    // The trained model is a start too, but not this one.
    folder.run("check alone.json --data data.csv --start run/model.safetensors").exits(1);
    json
}

#[test]
fn a_drawn_start() {
    trained_from(&folder(), "--start lecun --width 1500 --train first-layer");
}

#[test]
fn a_drawn_start_with_all_layers() {
    trained_from(&folder(), "--start lecun --width 1500");
}

#[test]
fn a_drawn_start_on_whitened_inputs() {
    trained_from(&folder(), "--start lecun --width 400 --whiten --seed 3");
}

#[test]
fn a_positive_drawn_start() {
    trained_from(&folder(), "--start abs-lecun --width 300 --train first-layer --whiten");
}

#[test]
fn standard_starts() {
    let folder = folder();
    for start in ["he", "xavier", "ntk"] {
        let json = trained_from(&folder, &format!("--start {start} --width 300 --whiten --seed 2"));
        assert_eq!(number(&json, "seed"), 2.0);
        // Too narrow: declined with a reason, trained only if that is asked for.
        let narrow = format!("--data data.csv --start {start} --width 4");
        let json = folder.run(&format!("certify {narrow} --json")).exits(3).json();
        assert_eq!(json["reasons"][0]["code"], "residual_too_large", "{start}");
        folder.run(&format!("train {narrow} --out narrow")).exits(3);
        let arguments = format!("train {narrow} --allow-uncertified --step 1e-3 --max-iterations 20 --out narrow");
        folder.run(&arguments).exits(0).says("UNCERTIFIED");
        folder.run(&format!("certify {narrow} --scale 3")).exits(2);
    }
}

/// The start `ntk` is that of LeCun, in another metric.
#[test]
fn the_tangent_kernel_parametrisation_is_a_metric() {
    let folder = folder();
    let certificate = |start: &str| {
        folder.run(&format!("certify --data data.csv --start {start} --widths 900,4 --activation identity --train first-layer --out {start}.json"));
        folder.json(&format!("{start}.json"))["certificates"][0].clone()
    };
    let (lecun, ntk) = (certificate("lecun"), certificate("ntk"));
    assert_eq!(lecun["start"], ntk["start"]);
    let hex =
        |metric: &serde_json::Value, group: &str, l: usize| metric["metric"][group][l].as_str().map(str::to_owned);
    assert_eq!(hex(&lecun, "weights", 0).as_deref(), Some("0x1p+0"));
    // 16 features.
    assert_eq!(hex(&ntk, "weights", 0).as_deref(), Some("0x1p-2"));
    assert_eq!(hex(&ntk, "biases", 0).as_deref(), Some("0x1p+0"));
    folder.run("check ntk.json --data data.csv").exits(0);
}

/// The outputs of a small network are enclosed narrowly; the checker adds in another order.
#[test]
fn small_networks_are_confirmed() {
    let folder = folder();
    for seed in 0..6 {
        for options in ["--whiten", ""] {
            let net = format!("--start abs-lecun --width 8 --train first-layer --seed {seed} {options}");
            folder.run(&format!("certify --data data.csv {net} --out c.json")).exits(0);
            folder.run("check c.json --data data.csv").exits(0);
        }
    }
}

#[test]
fn a_conditional_start() {
    let folder = folder();
    trained_from(&folder, "--start conditional --box 0.2,0.4 --width 30 --train first-layer --whiten");
    trained_from(&folder, "--start conditional --scale 1 --width 8 --whiten --train first-layer");
    for (options, code) in [
        ("--start conditional --activation tanh", 2),
        ("--start conditional --scale min", 2),
        ("--start conditional --box 2,1", 2),
        ("--start conditional --box 1", 2),
        ("--start conditional --box nan,2", 2),
        ("--start conditional --box 1,2 --scale 3", 2),
        ("--start lecun --box 1,2", 2),
        ("--box 1,2", 2),
    ] {
        folder.run(&format!("certify --data data.csv {options}")).exits(code);
    }
}

/// By default the box is the one in which the theorem about random starts is likeliest to apply.
#[test]
fn a_conditional_start_in_the_automatic_box() {
    trained_from(&folder(), "--start conditional --width 6 --whiten --train first-layer");
}

#[test]
fn starts_are_drawn_again_until_one_is_certified() {
    let folder = folder();
    // At this width some starts are certified and some are not.
    let net = "--start lecun --width 60 --whiten";
    let certified = |seed: u64| {
        let answer = folder.run(&format!("certify --data data.csv {net} --seed {seed} --json"));
        number(&answer.json(), "seed") == seed as f64 && answer.json()["status"] == "certified"
    };
    let first = (0..40).find(|&seed| certified(seed)).expect("one of forty is certified");
    let from = (0..first).rev().find(|&seed| !certified(seed)).map_or(first, |seed| seed);
    let json =
        folder.run(&format!("train --data data.csv {net} --seed {from} --retry 50 --out run --json")).exits(0).json();
    assert_eq!(number(&json, "seed"), first as f64);
    assert_eq!(number(&json, "draws"), (first - from + 1) as f64);
    folder.run("check run/certificate.json --data data.csv").exits(0);
    let none = "certify --data data.csv --start lecun --width 1 --retry 5 --json";
    let json = folder.run(none).exits(3).json();
    assert_eq!(json["reasons"][0]["code"], "residual_too_large");
    assert_eq!(number(&json, "draws"), 5.0);
    folder.run("certify --data data.csv --retry 5").exits(2).says("--retry");
    folder.run("certify --data data.csv --start lecun --retry 0").exits(2);
}

/// A seed where nothing is drawn is refused: whoever gives one expects another start.
#[test]
fn a_seed_is_about_drawn_starts() {
    let folder = folder();
    for command in ["certify", "train --out run", "flow", "certify --scan", "certify --start s.safetensors"] {
        let answer = folder.run(&format!("{command} --data data.csv --seed 0 --json")).exits(2).says("--seed");
        assert_eq!(answer.error_code(), "usage", "{command}");
    }
    assert_eq!(folder.files(), ["data.csv"]);
    let starts = folder.run("starts --data data.csv --width 2 --draws 1 --seed 5 --json").exits(0).json();
    assert_eq!(number(&starts["problems"][0], "seed"), 5.0);
}

#[test]
fn the_start_of_an_earlier_run() {
    let folder = folder();
    trained_from(&folder, "--start lecun --width 1500 --train first-layer");
    let first = folder.read("run/certificate.json");
    std::fs::copy(folder.path("run/certificate.start.safetensors"), folder.path("s.safetensors")).expect("a copy");
    trained_from(&folder, "--start s.safetensors --train first-layer");
    assert!(folder.read("run/certificate.json") == first, "the same start has the same certificate");
}

/// Options that the file contradicts are not silently overridden, and what is printed is the network of the file.
#[test]
fn a_start_from_a_file_brings_its_architecture() {
    let folder = folder();
    let lecun = "--start lecun --widths 40,30 --activation tanh";
    folder
        .run(&format!("train --data data.csv {lecun} --step 1e-9 --allow-uncertified --max-iterations 0 --out run"))
        .exits(0);
    let from_file = "certify --data data.csv --start run/model.safetensors";
    for (options, named) in [
        ("--depth 2", "--depth 2"),
        ("--depth 4", "--depth 4"),
        ("--width 40", "--width 40"),
        ("--depth 3 --width 30", "--width 30"),
        ("--widths 30,40", "--widths 30,40"),
        ("--widths 40", "--widths 40"),
        ("--activation softplus", "--activation softplus"),
        ("--depth 3 --activation smooth-leaky-relu:0.1", "--activation smooth-leaky-relu:0.1"),
    ] {
        let answer = folder.run(&format!("{from_file} {options} --json")).exits(2).says(named);
        assert_eq!(answer.error_code(), "usage", "{options}");
    }
    for options in ["", "--depth 3", "--widths 40,30 --activation tanh"] {
        // Certified or declined, but not refused.
        assert!(matches!(folder.run(&format!("{from_file} {options}")).code, Some(0 | 3)), "{options}");
    }
    folder
        .run("train --data data.csv --start lecun --width 1500 --train first-layer --activation softplus --out run")
        .exits(0);
    let first = "--start run/certificate.start.safetensors --train first-layer";
    let json = folder.run(&format!("certify --data data.csv {first} --json")).exits(0).json();
    assert_eq!((&json["widths"], &json["activation"]), (&serde_json::json!([16, 1500, 1]), &"softplus".into()));
    folder.run(&format!("certify --data data.csv {first}")).exits(0).says("16-1500-1 network with softplus");
}

#[test]
fn a_trained_model_is_a_start_that_has_arrived() {
    let folder = folder();
    folder.run("train --data data.csv --scale 50 --out first").exits(0);
    let json = folder.run("certify --data data.csv --start first/model.safetensors --tol 1e-18 --json").exits(0).json();
    assert_eq!(number(&json, "certified_iterations"), 0.0);
}

#[test]
fn later_layers_may_be_frozen() {
    let folder = folder();
    let json = folder.run("train --data data.csv --train first-layer --scale 20 --out run --json").exits(0).json();
    assert_eq!(number(&json, "layer_steps"), 0.0);
    folder.run("check run/certificate.json --data data.csv").exits(0);
}

/// With the later layers frozen every output scale is certified where sigma' >= c > 0.
#[test]
fn later_layers_may_be_frozen_at_the_automatic_scale() {
    let folder = folder();
    folder.run("certify --data data.csv --train first-layer").exits(0);
}

#[test]
fn the_original_constants_certify_but_take_orders_of_magnitude_longer() {
    let folder = folder();
    let certify = |method: &str| {
        let json = folder.run(&format!("certify --data data.csv --method {method} --json")).exits(0);
        assert_eq!(json.json()["method"], method);
        number(&json.json(), "certified_iterations")
    };
    let (paper, sharp) = (certify("paper"), certify("sharp"));
    assert!(paper >= 1e3 * sharp, "{paper} against {sharp}");
}

#[test]
fn the_original_constants_are_confirmed() {
    let folder = folder();
    for seed in 60..70 {
        folder.write("data.csv", Table::gaussian(seed, 4, 16).csv());
        for options in ["", "--whiten"] {
            folder.run(&format!("certify --data data.csv --method paper {options} --out c.json")).exits(0);
            folder.run("check c.json --data data.csv").exits(0);
        }
    }
}

#[test]
fn the_original_constants_of_a_deeper_network_are_confirmed() {
    let folder = folder();
    folder.run("certify --data data.csv --method paper --depth 3 --width 5 --out c.json").exits(0);
    folder.run("check c.json --data data.csv").exits(0);
}

/// `q0` of (T5s): the producer takes it from the eigenvalues, the checker from the weaker `smin_start` of the file.
#[test]
fn what_is_certified_is_confirmed() {
    let folder = folder();
    for seed in 30..60 {
        folder.write("data.csv", Table::gaussian(seed, 4, 8).csv());
        folder.run("certify --data data.csv --depth 3 --width 6 --out c.json").exits(0);
        folder.run("check c.json --data data.csv").exits(0);
    }
}

#[test]
fn the_four_starts_compared() {
    let folder = folder();
    let command = "starts --data data.csv --width 60 --whiten --draws 20 --scan-widths 1,4 --scan-depths 2,3 --json";
    let answer = folder.run(command).exits(0).json();
    let problem = &answer["problems"][0];
    let row = |start: &str, train: &str| {
        let rows = problem["starts"].as_array().expect("a list").iter();
        rows.clone().find(|r| r["start"] == start && r["train"] == train).expect("a row").clone()
    };
    for start in ["positive", "abs-lecun", "conditional"] {
        let row = row(start, "first-layer");
        assert_eq!(row["certified"], row["draws"], "every draw is certified: {row}");
        assert!(row["certified_iterations"].as_u64() > Some(0));
    }
    let some = row("lecun", "all");
    let (low, p, high) = (number(&some, "low"), number(&some, "probability"), number(&some, "high"));
    assert!(0.0 < low && low < p && p < high && high < 1.0, "{some}");
    // Exponentially small in the number of entries.
    let scan = problem["scan"].as_array().expect("a list");
    let exponents: Vec<f64> = scan.iter().map(|cell| number(&cell["theorem"], "log10_probability")).collect();
    assert_eq!(exponents.len(), 4);
    assert!(exponents[1] < exponents[0] && exponents[3] < exponents[2] && exponents[2] < exponents[0], "{exponents:?}");
    // The draws do not depend on the number of threads.
    let alone = folder.run(&format!("{command} --threads 1")).exits(0).json();
    assert!(alone["problems"] == answer["problems"]);
}

#[test]
fn the_theorem_about_random_starts_refuses_what_it_does_not_cover() {
    let folder = folder();
    let answer = folder.run("starts --data data.csv --activation tanh --width 5 --draws 3 --json").exits(0).json();
    assert_eq!(answer["problems"][0]["theorem"]["reasons"][0]["code"], "slope_floor");
    folder.write("twice.csv", "a,b,y\n1,2,3\n1,2,3\n0,1,2\n");
    let answer = folder.run("starts --data twice.csv --draws 3 --json").exits(3).json();
    assert_eq!(answer["reasons"][0]["code"], "duplicate_rows");
    folder.run("starts --data data.csv --start lecun").exits(2);
    folder.run("starts --data data.csv --draws 0").exits(2);
}
