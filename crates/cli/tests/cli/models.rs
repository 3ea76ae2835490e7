//! Models made by PyTorch and the onnx package (`crates/gradcert/tests/models`) through the program.

use crate::support::{Folder, csv_rows};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../gradcert/tests/models")
}

/// A folder with the model and its samples, and what is expected of them.
fn prepared(name: &str) -> (Folder, Value) {
    let folder = Folder::new();
    folder.write(name, std::fs::read(models().join(name)).expect("a model"));
    let text = std::fs::read_to_string(models().join("expected.json")).expect("expected.json");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    let entry = all["expected"][name].clone();
    let rows = entry["samples"].as_array().expect("samples");
    let numbers = |row: &Value| row.as_array().expect("a row").iter().map(|x| x.as_f64().expect("a number")).collect();
    let rows: Vec<Vec<f64>> = rows.iter().map(numbers).collect();
    let header: Vec<String> = (0..rows[0].len()).map(|j| format!("x{j}")).collect();
    let mut csv = header.join(",") + "\n";
    for row in rows {
        csv += &(row.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>().join(",") + "\n");
    }
    folder.write("x.csv", csv);
    (folder, entry["outputs"].clone())
}

#[track_caller]
fn agree(computed: &Value, expected: &Value) {
    let (computed, expected) = (computed.as_array().expect("rows"), expected.as_array().expect("rows"));
    assert_eq!(computed.len(), expected.len());
    for (row, wanted) in computed.iter().zip(expected) {
        let (row, wanted) = (row.as_array().expect("a row"), wanted.as_array().expect("a row"));
        assert_eq!(row.len(), wanted.len());
        for (x, y) in row.iter().zip(wanted) {
            let (x, y) = (x.as_f64().expect("a number"), y.as_f64().expect("a number"));
            assert!((x - y).abs() <= 1e-12 * y.abs().max(0.01), "{x} {y}");
        }
    }
}

#[test]
fn predictions_of_a_state_dict_with_three_outputs() {
    let (folder, outputs) = prepared("named-float32.safetensors");
    let model = "--model named-float32.safetensors --activation sigmoid";
    let answer = folder.run(&format!("predict {model} --data x.csv --json")).exits(0);
    agree(&answer.json()["outputs"], &outputs);
    assert_eq!(answer.json()["problems"], serde_json::json!(["output0", "output1", "output2"]));
    folder.run(&format!("predict {model} --data x.csv --out p.csv")).exits(0);
    assert!(folder.text("p.csv").starts_with("output0,output1,output2\n"));
    assert!(csv_rows(&folder.text("p.csv")).iter().all(|row| row.len() == 3));
}

#[test]
fn predictions_of_onnx_files() {
    for name in ["gelu-torchscript.onnx", "flatten.onnx", "sigmoid-three-outputs.onnx", "softplus-dynamo.onnx"] {
        let (folder, outputs) = prepared(name);
        let answer = folder.run(&format!("predict --model {name} --data x.csv --json")).exits(0);
        agree(&answer.json()["outputs"], &outputs);
    }
}

#[test]
fn a_model_is_looked_at() {
    let (folder, _) = prepared("named-float32.safetensors");
    let json = folder.run("inspect --model named-float32.safetensors --activation sigmoid --json").exits(0).json();
    assert_eq!(json["format"], "state dict");
    assert_eq!(json["layers"], serde_json::json!(["fc1.weight", "fc2.weight", "out.weight"]));
    assert_eq!(json["networks"][0]["widths"], serde_json::json!([4, 7, 7, 3]));
    assert_eq!(json["networks"][0]["activation"], "sigmoid");
    assert_eq!(json["networks"][0]["parameters"], 35 + 56 + 24);
    folder.run("inspect --model named-float32.safetensors --activation sigmoid").exits(0).says("4 - 7 - 7 - 3");

    let (folder, _) = prepared("gelu-float32.onnx");
    folder.run("inspect --model gelu-float32.onnx").exits(0).says("note: GELU").says("float32");
}

#[test]
fn refusals_are_bad_input_with_a_code() {
    let (folder, _) = prepared("named-float32.safetensors");
    for name in ["relu.onnx", "huge.onnx", "pickle.pt", "residual.onnx"] {
        folder.write(name, std::fs::read(models().join(name)).expect("a model"));
    }
    for (arguments, exit, code) in [
        ("inspect --model named-float32.safetensors", 4, "activation_missing"),
        ("predict --model named-float32.safetensors --data x.csv", 4, "activation_missing"),
        ("inspect --model named-float32.safetensors --activation relu", 4, "activation_unsupported"),
        ("inspect --model relu.onnx", 4, "operator"),
        ("inspect --model relu.onnx --activation tanh", 4, "operator"),
        ("inspect --model residual.onnx", 4, "not_a_chain"),
        ("inspect --model huge.onnx", 5, "model_too_large"),
        ("inspect --model pickle.pt", 4, "model_unknown"),
        ("inspect --model none.onnx", 4, "unreadable"),
        ("inspect --model .", 4, "unreadable"),
    ] {
        assert_eq!(folder.run(&format!("{arguments} --json")).exits(exit).error_code(), code, "{arguments}");
    }
    folder.run("inspect").exits(2).says("--data");
    folder.run("inspect --model relu.onnx --data x.csv").exits(2);
    folder.run("inspect --activation tanh --data x.csv").exits(2);
}

/// The functions that are not 0 at 0 belong to models that are read; nothing is certified about them.
#[test]
fn activations_that_do_not_vanish_at_zero_are_declined() {
    let folder = Folder::new();
    folder.write("x.csv", "a,b,y\n1,0,1\n0,1,-1\n");
    for start in ["positive", "lecun"] {
        let arguments = format!("certify --data x.csv --activation sigmoid --start {start} --json");
        let json = folder.run(&arguments).exits(3).json();
        assert_eq!(json["reasons"][0]["code"], "activation", "{start}");
    }
}

/// The samples of a model with targets 0.01 beside its outputs, and with classes in turn where it has several.
fn nearly_interpolated(name: &str) -> Folder {
    let (folder, outputs) = prepared(name);
    let target = |(i, row): (usize, &Value)| match row.as_array().expect("a row").as_slice() {
        [y] => format!("{:?}", y.as_f64().expect("a number") + if i % 2 == 0 { 0.01 } else { -0.01 }),
        several => format!("class{}", i % several.len()),
    };
    let targets =
        std::iter::once("y".to_owned()).chain(outputs.as_array().expect("rows").iter().enumerate().map(target));
    let lines: Vec<String> = folder.text("x.csv").lines().zip(targets).map(|(x, y)| format!("{x},{y}\n")).collect();
    folder.write("data.csv", lines.concat());
    folder
}

/// From the files of PyTorch and onnx to a checked proof: polished first, and what the checker is given is the polished model.
#[test]
fn audits_of_models_made_elsewhere() {
    for (name, activation) in [
        ("sequential-float64.safetensors", "--activation tanh"),
        ("nested-bfloat16.safetensors", "--activation softplus"),
        ("silu-float64.safetensors", "--activation silu"),
        ("tanh-float32.onnx", ""),
        ("softplus-dynamo.onnx", ""),
        ("gelu-torchscript.onnx", ""),
        ("softsign-torchscript.onnx", ""),
        ("sigmoid-three-outputs.onnx", ""),
    ] {
        let folder = nearly_interpolated(name);
        let options =
            format!("--model {name} {activation} --data data.csv --polish --polished p.safetensors --out a.json");
        let json = folder.run(&format!("audit {options} --json")).exits(0).json();
        assert!(json["distance"].as_f64().expect("a distance") < 1e-9 && json["convergence"] == true, "{name}: {json}");
        folder.run("check a.json --data data.csv --start p.safetensors").exits(0).says("valid");
        // The model as it came is not the one that the certificate is about.
        folder.run(&format!("check a.json --data data.csv --start {name}")).exits(4);
        folder.run("audit --model p.safetensors --data data.csv").exits(0);
    }
    // The polished network back as a state dict with its names, in float32 as it is deployed: the same numbers, the same proof.
    for (name, activation, layers) in [
        ("sequential-float64.safetensors", "tanh", "\"0.weight\", \"2.weight\""),
        ("silu-float64.safetensors", "silu", ""),
        ("nested-bfloat16.safetensors", "softplus", ""),
    ] {
        let folder = nearly_interpolated(name);
        let options = format!("--model {name} --activation {activation} --data data.csv --polish --store float32");
        let json = folder.run(&format!("audit {options} --state-dict out.safetensors --json")).exits(0).json();
        let inspect = folder.run(&format!("inspect --model out.safetensors --activation {activation}")).exits(0);
        inspect.says("float32").says(layers);
        let own = format!("audit --model out.safetensors --activation {activation} --data data.csv --json");
        assert_eq!(folder.run(&own).exits(0).json()["distance"], json["distance"], "{name}");
    }
    let (folder, _) = prepared("tanh-float32.onnx");
    folder.write("relu.onnx", std::fs::read(models().join("relu.onnx")).expect("a model"));
    let answer = folder.run("audit --model relu.onnx --data x.csv --json").exits(4);
    assert_eq!(answer.error_code(), "operator");
}
