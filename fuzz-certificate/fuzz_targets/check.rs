//! Any bytes as a certificate file: an error or a report, never a panic. Run with `cargo +nightly fuzz run check`.
#![no_main]

use gradcert_certificate::{Inputs, Problem, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let inputs = Inputs { values: &[1.0, 0.0, 0.5, -2.0, 1.0, 0.25], samples: 2, features: 3 };
    let tensors: [&[f64]; 4] = [&[0.1, 0.2, 0.3, 0.4, 0.5, 0.6], &[0.0, 0.0], &[1.0, 1.0], &[0.0]];
    let problems = [Problem { name: "y", targets: &[0.5, -1.0], start: Some(&tensors) }];
    let _ = check(bytes, inputs, &problems);
});
