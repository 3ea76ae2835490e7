//! `gradcert audit` through the real program: what is proved about a trained model, and every way to be refused.

use crate::support::{Folder, Table, has_keys, number};

const KEYS: &[&str] = &[
    "status",
    "reasons",
    "distance",
    "residual_upper",
    "correction_upper",
    "smin_lower",
    "theorem",
    "certified_iterations",
    "step_size",
    "radius",
    "rate",
    "certifiable_residual",
    "number_formats",
    "problems",
    "seconds",
];

fn trained(options: &str) -> Folder {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(61, 6, 12).csv());
    folder.run(&format!("train --data data.csv {options} --out run")).exits(0);
    folder
}

#[test]
fn trained_models_lie_next_to_exact_ones() {
    for options in
        ["--scale 30", "--depth 3 --width 6 --scale 100", "--whiten", "--activation tanh --scale 30 --freeze-bias"]
    {
        let folder = trained(options);
        let json = folder.run("audit --model run/model.safetensors --data data.csv --json").exits(0).json();
        has_keys(&json, KEYS);
        assert_eq!(json["status"], "certified", "{options}: {json}");
        assert!(number(&json, "distance") < 1e-6 && json["convergence"] == true, "{options}: {json}");
        folder
            .run("audit --model run/model.safetensors --data data.csv")
            .exits(0)
            .says("interpolates all 6 samples exactly");
    }
}

#[test]
fn targets_out_of_reach_are_declined_with_the_remedy() {
    let folder = trained("--scale 30");
    let mut far = Table::gaussian(62, 6, 12);
    far.targets.iter_mut().for_each(|t| *t = format!("{}", t.parse::<f64>().expect("a number") * 1e4));
    folder.write("far.csv", far.csv());
    let json = folder.run("audit --model run/model.safetensors --data far.csv --json").exits(3).json();
    assert_eq!(json["reasons"][0]["code"], "residual_too_large", "{json}");
    assert!(json["reasons"][0]["message"].as_str().expect("text").contains("train on"), "{json}");
    has_keys(&json, KEYS);
}

#[test]
fn bad_input_is_an_error_with_a_code() {
    let folder = trained("--scale 30");
    folder.write("narrow.csv", Table::gaussian(61, 6, 5).csv());
    folder.write("classes.csv", Table::gaussian(61, 6, 12).labelled(&["a", "b", "c"].map(|l| l)).csv());
    for (command, code) in [
        ("audit --model missing.safetensors --data data.csv", "unreadable"),
        ("audit --model run/model.safetensors --data narrow.csv", "shape"),
        ("audit --model run/model.safetensors --data classes.csv", "shape"),
        ("audit --model run/model.safetensors --activation tanh --data data.csv", "activation_given"),
        ("audit --model run/certificate.json --data data.csv", "model_unknown"),
    ] {
        let json = folder.run(&format!("{command} --json")).exits(4).json();
        assert_eq!(json["code"], code, "{command}: {json}");
    }
    folder.run("audit --model run/model.safetensors --data data.csv --tol -1").exits(2);
}

#[test]
fn equal_rows_are_declined_until_they_are_merged() {
    let folder = Folder::new();
    folder.write("twice.csv", Table::gaussian(61, 6, 12).repeated(2).csv());
    folder.run("train --data twice.csv --scale 30 --merge-duplicates --out run").exits(0);
    let json = folder.run("audit --model run/model.safetensors --data twice.csv --json").exits(3).json();
    assert_eq!(json["reasons"][0]["code"], "duplicate_rows");
    folder.run("audit --model run/model.safetensors --data twice.csv --merge-duplicates").exits(0);
}

/// A run that stopped early is out of reach, is polished, and the polished model passes by itself, in float32 too.
#[test]
fn polished_models_are_certified_as_stored() {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(63, 8, 5).csv());
    // More samples than features and biases: nothing is certified before training.
    folder.run("train --data data.csv --start lecun --width 40 --activation tanh --allow-uncertified --step 1e-3 --max-iterations 20 --out run").exits(0);
    let json = folder.run("audit --model run/model.safetensors --data data.csv --json").exits(3).json();
    assert!(json["reasons"][0]["message"].as_str().expect("text").contains("--polish"), "{json}");
    for store in ["float64", "float32"] {
        let command = format!(
            "audit --model run/model.safetensors --data data.csv --polish --store {store} --polished p.safetensors"
        );
        let json = folder.run(&format!("{command} --json")).exits(0).json();
        assert!(number(&json["polish"], "residual_after") < 1e-10, "{json}");
        assert!(number(&json["polish"], "residual_before") > 1e-3 && number(&json["polish"], "parameter_change") > 0.0);
        let again = folder.run("audit --model p.safetensors --data data.csv --json").exits(0).json();
        assert_eq!(again["distance"], json["distance"]);
    }
    folder.run("audit --model run/model.safetensors --data data.csv --store float32").exits(2);
}

/// The independent checker confirms audits, of the right data and parameters and nothing stronger.
#[test]
fn certificates_of_audits_are_checked() {
    for options in [
        "--scale 30",
        "--depth 3 --width 6 --scale 100",
        "--width 8 --activation tanh --start lecun --allow-uncertified --step 1e-3 --max-iterations 20",
    ] {
        let folder = trained(options);
        folder.write("other.csv", Table::gaussian(64, 6, 12).csv());
        folder.run("audit --model run/model.safetensors --data data.csv --polish --out a.json").exits(0);
        folder.run("check a.json --data data.csv").exits(0).says("valid");
        folder.run("check a.json --data other.csv").exits(1);
        // Other parameters: those before polishing.
        folder.run("check a.json --data data.csv --start run/model.safetensors").exits(1);
        let distance = folder.json("a.json")["certificates"][0]["claim"]["distance"].clone();
        let text = folder.text("a.json");
        let stated = distance.as_str().expect("a number");
        let (head, exponent) = stated.split_at(stated.find('p').expect("an exponent") + 1);
        let smaller = format!("{head}{}", exponent.parse::<i32>().expect("an integer") - 1);
        folder.write("smaller.json", text.replacen(stated, &smaller, text.matches(stated).count()));
        folder.run("check smaller.json --data data.csv --start a.start.safetensors").exits(1);
    }
}
