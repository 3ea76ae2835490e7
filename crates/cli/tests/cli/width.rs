//! `gradcert width`, and the certificates and experiments that belong to it.

use crate::support::{Folder, Table, has_keys};

const KEYS: [&str; 26] = [
    "status",
    "reasons",
    "problem",
    "samples",
    "features",
    "theorem",
    "loss",
    "tolerance",
    "antisymmetric",
    "width",
    "seed",
    "certified_width",
    "certified_iterations",
    "step_size",
    "radius",
    "rate",
    "smin_lower",
    "clock",
    "residual_upper",
    "lmin_start",
    "lmax_start",
    "changeable",
    "flow_rate",
    "certified_draws",
    "largest_certified_width",
    "draws",
];

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(95, 4, 8).csv());
    folder.write("other.csv", Table::gaussian(96, 4, 8).csv());
    folder
}

/// Shapes of the tensors in the header of a safetensors file.
fn shape(bytes: &[u8], name: &str) -> Vec<u64> {
    let length = u64::from_le_bytes(bytes[..8].try_into().expect("8 bytes")) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).expect("a header");
    assert_eq!(header[name]["dtype"], "F64");
    header[name]["shape"].as_array().expect("a shape").iter().map(|x| x.as_u64().expect("a size")).collect()
}

#[test]
fn the_median_draw_is_written_and_confirmed() {
    let folder = folder();
    let json = folder.run("width --data data.csv --search --draws 3 --tol 1e-8 --out w --json").exits(0).json();
    has_keys(&json, &KEYS);
    let width = json["certified_width"].as_u64().expect("a width");
    let draws = json["draws"].as_array().expect("draws");
    let mut widths: Vec<u64> = draws.iter().map(|d| d["certified_width"].as_u64().expect("a width")).collect();
    widths.sort_unstable();
    assert_eq!((draws.len(), widths[1], widths[2]), (3, width, json["largest_certified_width"].as_u64().unwrap_or(0)));
    let start = folder.read("w/start.safetensors");
    assert_eq!((shape(&start, "w"), shape(&start, "a")), (vec![width, 8], vec![width]));
    folder.run("check w/certificate.json --data data.csv").exits(0).says("valid");
    folder.run("check w/certificate.json --data data.csv --start w/start.safetensors").exits(0);
    folder.run("check w/certificate.json --data other.csv").exits(1);
    // The same draw again, at this width.
    let seed = json["seed"].as_u64().expect("a seed");
    let again =
        folder.run(&format!("width --data data.csv --width {width} --seed {seed} --tol 1e-8 --json")).exits(0).json();
    for key in ["certified_iterations", "step_size", "rate", "radius"] {
        assert_eq!(again[key], json[key], "{key}");
    }
    // A start that was changed in one bit.
    let mut changed = start.clone();
    *changed.last_mut().expect("bytes") ^= 0x80;
    folder.write("w/start.safetensors", changed);
    folder.run("check w/certificate.json --data data.csv").exits(1);
    // Nothing is left of it when nothing is certified.
    folder.run("width --data data.csv --width 2 --out w").exits(3).says("declined");
    assert!(!folder.path("w/certificate.json").exists() && !folder.path("w/start.safetensors").exists());
}

#[test]
fn answers_do_not_depend_on_threads() {
    let folder = folder();
    let run = |threads: u32| {
        let mut json = folder
            .run(&format!("width --data data.csv --width 40000 --antisymmetric false --threads {threads} --json"))
            .json();
        json["seconds"] = 0.into();
        json
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn what_is_refused() {
    let folder = folder();
    folder.write("classes.csv", Table::gaussian(3, 6, 8).labelled(&["a", "b", "c"]).csv());
    folder.run("width --data classes.csv --search").exits(2).says("one target");
    folder.run("width --data data.csv").exits(2);
    folder.run("width --data data.csv --search --width 5").exits(2);
    folder.run("width --data data.csv --search --step -1").exits(2);
    let json = folder.run("width --data data.csv --width 40000 --step 1000 --json").exits(3).json();
    assert_eq!(json["reasons"][0]["code"], "step_too_large");
    folder.run("reproduce du2018 fig1 --quick").exits(2).says("no item");
}

#[test]
fn the_experiment_is_written_and_resumed() {
    let folder = folder();
    let json = folder.run("reproduce du2018 limit --quick --out r --json").exits(0).json();
    assert_eq!(json["items"][0]["item"], "limit");
    let files = json["items"][0]["files"].as_array().expect("files").clone();
    assert!(files.iter().all(|f| folder.path("r").join(f.as_str().expect("a name")).exists()));
    let record =
        std::fs::read_dir(folder.path("r/runs/du2018")).expect("records").next().expect("one").expect("a file");
    let written = std::fs::metadata(record.path()).expect("a file").modified().expect("a time");
    let again = folder.run("reproduce du2018 limit --quick --out r --resume --json").exits(0).json();
    assert_eq!(again["items"][0]["numbers"], json["items"][0]["numbers"]);
    assert_eq!(std::fs::metadata(record.path()).expect("a file").modified().expect("a time"), written);
}
