//! How close to the true thresholds the criterion certifies, and in what time.
//!
//! `cargo run --release -p gradcert --example criterion_thresholds`

#![allow(clippy::print_stdout)]

use gradcert::function::Expression;
use gradcert::theorem::criterion::{Options, certify};
use std::time::Instant;

fn main() {
    let cases: [(&str, &[&str], &[f64]); 22] = [
        ("(x*y-1)^2", &["x", "y"], &[2.5, 0.0]),
        ("(x*y-1)^2", &["x", "y"], &[2.02, 0.0]),
        ("(x*y-1)^2", &["x", "y"], &[1.98, 0.0]),
        ("(x*y-1)^2", &["x", "y"], &[1.9, 0.0]),
        ("(x*y-1)^2", &["x", "y"], &[1.4284, 0.0]),
        ("(x*y-1)^2", &["x", "y"], &[1.4, 0.0]),
        ("(x*y-1)^2", &["x", "y"], &[1.3, 0.0]),
        ("(x^2+y^2-1)^2", &["x", "y"], &[0.715, 0.0]),
        ("(x^2+y^2-1)^2", &["x", "y"], &[0.70, 0.0]),
        ("(x^2+y^2-1)^2", &["x", "y"], &[0.8247, 0.0]),
        ("(x^2+y^2-1)^2", &["x", "y"], &[0.8083, 0.0]),
        ("(x^2+y^2-1)^2", &["x", "y"], &[1.4, 0.0]),
        ("(x^2+y^2-1)^2", &["x", "y"], &[1.0, 1.02]),
        ("x^2", &["x"], &[3.0]),
        ("x^4", &["x"], &[3.0]),
        ("x^2+y^2+z^2+u^2+v^2+w^2", &["x", "y", "z", "u", "v", "w"], &[1.0, 2.0, 3.0, -1.0, 0.5, 0.0]),
        ("(1-x)^2+100*(y-x^2)^2", &["x", "y"], &[1.1, 1.2]),
        ("(1-x)^2+100*(y-x^2)^2", &["x", "y"], &[-1.2, 1.0]),
        ("x^2-2*x*y+2*y^2", &["x", "y"], &[1.0, 2.0]),
        ("1-cos(x)", &["x"], &[1.0]),
        ("(x+y-3)^2+(x-y-1)^2+(2*x+y-5)^2", &["x", "y"], &[0.0, 0.0]),
        ("(x*y*z-1)^2", &["x", "y", "z"], &[2.0, 2.0, 0.1]),
    ];
    for (text, names, start) in cases {
        let f = Expression::parse(text, names).expect("a formula");
        let clock = Instant::now();
        let v = certify(&f, start, &Options::default()).expect("a start");
        println!(
            "{text} from {start:?}: {:?} in {:.3} s, {} boxes",
            v.certified_by(),
            clock.elapsed().as_secs_f64(),
            v.boxes
        );
        println!(
            "    T1 {:?}\n    T1i {:?}\n    T2 {:?}\n    T2' {:?}",
            v.flow_paper, v.flow_integral, v.descent_paper, v.descent_sharp
        );
        for reason in &v.reasons {
            println!("    {}: {}", reason.code, reason.message);
        }
    }
}
