//! A certificate that was changed, or is held against other data, is invalid: exit code 1.

use crate::support::{Folder, Table};
use serde_json::{Value, json};

/// A folder with `data.csv`, its certificate `c.json` and the number of iterations a run really takes.
fn certified(options: &str) -> (Folder, u64) {
    let folder = Folder::new();
    folder.write("data.csv", Table::gaussian(40, 4, 8).csv());
    let json = folder.run(&format!("train --data data.csv {options} --out run --json")).exits(0).json();
    std::fs::copy(folder.path("run/certificate.json"), folder.path("c.json")).expect("a copy");
    folder.run("check c.json --data data.csv").exits(0);
    (folder, json["iterations"].as_u64().expect("a count"))
}

#[track_caller]
fn invalid(folder: &Folder, arguments: &str) -> String {
    let json = folder.run(&format!("check {arguments} --json")).exits(1).json();
    assert_eq!(json["status"], "invalid");
    assert!(!json["message"].as_str().expect("a message").is_empty());
    folder.run(&format!("check {arguments}")).exits(1).says("invalid");
    json["code"].as_str().expect("a code").to_owned()
}

/// The exact hexadecimal float twice as large: the exponent plus one.
fn doubled(text: &Value) -> Value {
    let text = text.as_str().expect("a hexadecimal float");
    let (digits, exponent) = text.split_once('p').expect("an exponent");
    json!(format!("{digits}p{:+}", exponent.parse::<i32>().expect("an integer") + 1))
}

/// Changes one value of the certificate.
#[track_caller]
fn changed(folder: &Folder, pointer: &str, change: &dyn Fn(&Value) -> Value) {
    let mut file = folder.json("c.json");
    let place = file.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}"));
    let new = change(place);
    assert_ne!(*place, new, "{pointer} does not change");
    *place = new;
    folder.write("changed.json", file.to_string());
}

#[test]
fn every_claim_that_is_made_stronger_is_refused() {
    let (folder, needed) = certified("--depth 3 --width 6 --scale 100");
    let claim = "/certificates/0/claim";
    // Fewer iterations than even the run took cannot be true.
    changed(&folder, &format!("{claim}/iterations"), &|_| json!(needed - 1));
    assert_eq!(invalid(&folder, "changed.json --data data.csv"), "certificate_not_proved");
    for field in ["step_size", "rate", "theta", "smin_inputs", "smin_start"] {
        changed(&folder, &format!("{claim}/{field}"), &doubled);
        assert_eq!(invalid(&folder, "changed.json --data data.csv"), "certificate_not_proved", "{field}");
    }
    for pointer in [
        "/certificates/0/start/output",
        "/certificates/0/start/hidden/0",
        "/certificates/0/metric/weights/0",
        "/certificates/0/metric/weights/2",
        "/certificates/0/metric/biases/1",
    ] {
        changed(&folder, pointer, &doubled);
        invalid(&folder, "changed.json --data data.csv");
    }
}

#[test]
fn hashes_shapes_and_names_are_compared() {
    let (folder, _) = certified("--scale 30 --width 8");
    let other = |old: &Value| {
        let old = old.as_str().expect("a hash");
        json!(format!("{}{}", if old.starts_with('0') { '1' } else { '0' }, &old[1..]))
    };
    for pointer in ["/data/inputs_sha256", "/certificates/0/targets_sha256"] {
        changed(&folder, pointer, &other);
        assert_eq!(invalid(&folder, "changed.json --data data.csv"), "certificate_hash");
    }
    changed(&folder, "/data/samples", &|_| json!(5));
    invalid(&folder, "changed.json --data data.csv");
    changed(&folder, "/version", &|_| json!(2));
    invalid(&folder, "changed.json --data data.csv");
    changed(&folder, "/format", &|_| json!("other"));
    invalid(&folder, "changed.json --data data.csv");
    changed(&folder, "/certificates/0/problem", &|_| json!("z"));
    invalid(&folder, "changed.json --data data.csv");
    changed(&folder, "/certificates/0/network/activation", &|_| json!("tanh"));
    invalid(&folder, "changed.json --data data.csv");
    changed(&folder, "/certificates/0/network/widths", &|_| json!([8, 9, 1]));
    invalid(&folder, "changed.json --data data.csv");
    changed(&folder, "/certificates/0/network/inputs", &|_| json!("whitened"));
    invalid(&folder, "changed.json --data data.csv");
    changed(&folder, "/certificates", &|_| json!([]));
    invalid(&folder, "changed.json --data data.csv");
}

#[test]
fn fields_are_neither_added_nor_left_out() {
    let (folder, _) = certified("--scale 30 --width 8");
    let file = folder.json("c.json");
    let mut more = file.clone();
    more["certificates"][0]["claim"]["note"] = json!("all is well");
    folder.write("changed.json", more.to_string());
    assert_eq!(invalid(&folder, "changed.json --data data.csv"), "certificate_malformed");
    let claim = file["certificates"][0]["claim"].as_object().expect("an object");
    for field in claim.keys() {
        let mut less = file.clone();
        less["certificates"][0]["claim"].as_object_mut().expect("an object").remove(field);
        folder.write("changed.json", less.to_string());
        invalid(&folder, "changed.json --data data.csv");
    }
}

#[test]
fn what_is_no_certificate_is_invalid_and_what_cannot_be_read_is_bad_input() {
    let (folder, _) = certified("--scale 30 --width 8");
    let text = folder.text("c.json");
    for content in ["", "{}", "[]", "null", "not JSON", &text[..text.len() / 2], &format!("{text}{text}")] {
        folder.write("changed.json", content);
        assert_eq!(invalid(&folder, "changed.json --data data.csv"), "certificate_malformed");
    }
    folder.write("changed.json", [0xff, 0xfe, 0x00]);
    assert_eq!(invalid(&folder, "changed.json --data data.csv"), "certificate_malformed");
    folder.run("check missing.json --data data.csv").exits(4);
    folder.run("check run --data data.csv").exits(4);
    folder.run("check c.json --data missing.csv").exits(4);
}

#[test]
fn other_data() {
    let (folder, _) = certified("--scale 30 --width 8");
    let table = Table::gaussian(40, 4, 8);
    let mut input = table.clone();
    // The least change there is.
    input.rows[2][3] = input.rows[2][3].next_up();
    folder.write("other.csv", input.csv());
    assert_eq!(invalid(&folder, "c.json --data other.csv"), "certificate_hash");
    let mut target = table.clone();
    target.targets[1] = format!("{:?}", target.numbers()[1].next_down());
    folder.write("other.csv", target.csv());
    assert_eq!(invalid(&folder, "c.json --data other.csv"), "certificate_hash");
    let mut order = table.clone();
    order.rows.swap(0, 1);
    order.targets.swap(0, 1);
    folder.write("other.csv", order.csv());
    invalid(&folder, "c.json --data other.csv");
    folder.write("other.csv", table.clone().repeated(1).csv());
    invalid(&folder, "c.json --data other.csv");
    folder.write("other.csv", Table::gaussian(40, 4, 7).csv());
    invalid(&folder, "c.json --data other.csv");
    folder.write("other.csv", table.labelled(&["a", "b"]).csv());
    invalid(&folder, "c.json --data other.csv");
    invalid(&folder, "c.json --data data.csv --target x0");
}
