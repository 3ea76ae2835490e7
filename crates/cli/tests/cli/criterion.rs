//! `gradcert criterion`.

use crate::support::{Folder, has_keys, number};
use serde_json::Value;

const HYPERBOLA: &str = "criterion --function (x*y-1)^2";

fn methods(json: &Value) -> Vec<&str> {
    json["certified_by"].as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

/// At (x0, 0) f = 1 and q is the squared distance from the origin: alpha = 4 (x0 - r)^2. The original criterion holds for x0 > 2, the
/// integral form for x0 > sqrt 2.
#[test]
fn the_hyperbola_at_three_starts() {
    let folder = Folder::new();
    let json = folder.run(&format!("{HYPERBOLA} --start x=2.5,y=0 --json")).exits(0).json();
    has_keys(&json, &["status", "certified_by", "alpha_lower", "radius", "step_size", "rate", "seconds", "reasons"]);
    assert_eq!(json["status"], "certified");
    assert_eq!(methods(&json), ["flow-paper", "flow-integral", "descent-paper", "descent-sharp"]);
    let (alpha, radius) = (number(&json, "alpha_lower"), number(&json, "radius"));
    assert!(alpha <= 4.0 * (2.5 - radius).powi(2) && alpha > 3.9 * (2.5 - radius).powi(2), "{json}");
    // Of the rate (1 - eps) alpha eta with eta = 2 eps / L at most a half is alpha / L.
    let (step, rate) = (number(&json, "step_size"), number(&json, "rate"));
    assert!(rate <= alpha * step && rate > 0.2, "{json}");

    let json = folder.run(&format!("{HYPERBOLA} --start x=1.9,y=0 --json")).exits(0).json();
    assert_eq!(methods(&json), ["flow-integral", "descent-sharp"], "{json}");
    let json = folder.run(&format!("{HYPERBOLA} --start x=1.3,y=0 --json")).exits(3).json();
    assert_eq!(json["status"], "declined");
    assert_eq!(json["reasons"][0]["code"], "criterion_fails");
    assert!(methods(&json).is_empty() && json["radius"].is_null() && json["rate"].is_null(), "{json}");
}

/// A value that is a double is shown as it is, any other rounded up.
#[test]
fn the_value_at_the_start_is_legible() {
    let folder = Folder::new();
    for (function, start, value) in [
        ("(x*y-1)^2", "x=3,y=3", "f <= 64 there"),
        ("3*(x-1)^2", "x=1.375", "f <= 0.421875 there"),
        ("exp(x)*x^2", "x=0.5", "f <= 0.41219 there"),
    ] {
        folder.run(&format!("criterion --function {function} --start {start}")).says(value);
    }
}

#[test]
fn a_given_radius_is_used() {
    let folder = Folder::new();
    let json = folder.run(&format!("{HYPERBOLA} --start x=2.5,y=0 --radius 1.25 --json")).exits(0).json();
    assert!(number(&json, "radius") <= 1.25 && number(&json["methods"]["flow-integral"], "radius") <= 1.25);
    // 2.5 s - s^2/2 = 1 at s = 0.4384: no smaller ball is certified.
    assert!(number(&json["methods"]["flow-integral"], "radius") > 0.4384, "{json}");
    folder.run(&format!("{HYPERBOLA} --start x=2.5,y=0 --radius 0.4")).exits(3).says("0.4");
    for radius in ["0", "-1", "nan", "inf", "wide"] {
        folder.run(&format!("{HYPERBOLA} --start x=2.5,y=0 --radius {radius}")).exits(2);
    }
}

/// A linear rate at the degenerate zero of x^4 would be false: there (T1i) is an equality.
#[test]
fn a_degenerate_minimum_is_declined() {
    let folder = Folder::new();
    for start in ["x=1", "x=-0.001", "x=1e30"] {
        let json = folder.run(&format!("criterion --function x^4 --start {start} --json")).exits(3).json();
        assert_eq!(json["status"], "declined", "{json}");
    }
    let json = folder.run("criterion --function x^4 --start x=0 --json").exits(0).json();
    assert_eq!(json["already_minimum"], true, "{json}");
}

#[test]
fn what_cannot_be_read_has_a_code() {
    let folder = Folder::new();
    let nine = "a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1";
    for (arguments, code, name) in [
        ("--function (x*z-1)^2 --start x=2,y=0", 4, "unknown_name"),
        ("--function log(x)^2 --start x=-1", 4, "start_undefined"),
        ("--function x-3 --start x=1", 4, "start_negative"),
        ("--function exp(x)^2 --start x=1e6", 4, "start_overflow"),
        ("--function x*/y --start x=1,y=1", 4, "function_syntax"),
        ("--function x^2 --start x=nan", 4, "start_not_finite"),
        ("--function x^2 --start x=1,x=2", 4, "variable_name"),
        ("--function x^2 --start 1x=1", 4, "variable_name"),
        (&format!("--function a^2 --start {nine}"), 4, "variable_count"),
        ("--function x^2 --start x=1 --picture map.gif", 2, "usage"),
        ("--function x^2 --start x=1 --picture map.svg", 2, "usage"),
    ] {
        let answer = folder.run(&format!("criterion {arguments} --json")).exits(code);
        assert_eq!(answer.error_code(), name, "{arguments}");
    }
    for arguments in ["--function x^2 --start x", "--function x^2 --start x=one", "--function x^2", "--start x=1"] {
        folder.run(&format!("criterion {arguments} --json")).exits(2);
    }
    assert!(folder.files().is_empty());
}

/// Numbers of every size are legible.
#[test]
fn extreme_scales_are_legible() {
    let folder = Folder::new();
    for scale in ["1e-150", "1e150"] {
        let answer = folder.run(&format!("criterion --function (x/{scale}-1)^2+y^4 --start x=3e{},y=1", &scale[2..]));
        let answer = if answer.code == Some(0) { answer.exits(0) } else { answer.exits(3) };
        let longest = answer.stdout.split_whitespace().map(str::len).max();
        assert!(longest < Some(40), "{}", answer.stdout);
    }
    let answer = folder.run("criterion --function 1e-60*(x^4) --start x=1e-12").exits(3);
    assert!(!answer.stdout.contains("0.000000"), "{}", answer.stdout);
}

/// Bowl and crater: f = (|x|^2 - 1)^2 is certified in a ring, which is what the map shows.
#[test]
fn pictures_are_what_they_should_be() {
    let folder = Folder::new();
    let picture = |name: &str| {
        let function = "(x^2+y^2-1)^2";
        folder.run(&format!("criterion --function {function} --start x=1.5,y=0 --picture {name}")).exits(0);
    };
    picture("map.svg");
    let text = folder.text("map.svg");
    let svg = roxmltree::Document::parse(&text).expect("the picture is XML");
    assert_eq!(svg.root_element().tag_name().name(), "svg");
    let areas = svg.descendants().filter(|n| n.attribute("class").is_some_and(|class| class.starts_with("area")));
    assert!(areas.count() > 20);
    assert!(!text.contains("NaN") && !text.contains("inf"));
    picture("map.png");
    let png = folder.read("map.png");
    assert_eq!(png[..8], *b"\x89PNG\r\n\x1a\n");
    let side = |at: usize| u32::from_be_bytes([png[at], png[at + 1], png[at + 2], png[at + 3]]);
    assert!(side(16) > 600 && side(20) > 600);
    folder.run(&format!("{HYPERBOLA} --start x=2.5,y=0 --picture no/folder.svg --json")).exits(4);
}
