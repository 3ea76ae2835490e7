//! Prints nanoseconds per enclosure at a point.

use gradcert_rigor::{Interval, elementary::*};
use std::hint::black_box;
use std::io::{self, Write};
use std::time::Instant;

fn main() -> io::Result<()> {
    type Function = fn(f64) -> Interval;
    let functions: [(&str, Function); 12] = [
        ("exp", exp_at),
        ("expm1", expm1_at),
        ("ln", ln_at),
        ("softplus", softplus_at),
        ("logistic", logistic_at),
        ("tanh", tanh_at),
        ("sech_squared", sech_squared_at),
        ("gaussian", gaussian_at),
        ("erf", erf_at),
        ("normal_cdf", normal_cdf_at),
        ("atan", atan_at),
        ("sin", sin_at),
    ];
    let points: Vec<f64> = (1..=4096).map(|i| f64::from(i) / 1024.0 + 1e-9).collect();
    for (name, at) in functions {
        let repeats = 100;
        let start = Instant::now();
        for _ in 0..repeats {
            for &x in &points {
                black_box(at(black_box(x)));
            }
        }
        let each = start.elapsed().as_nanos() as f64 / f64::from(repeats) / points.len() as f64;
        writeln!(io::stdout(), "{name:14} {each:6.1} ns")?;
    }
    Ok(())
}
