#![no_main]

use gradcert::function::{Expression, Function};
use gradcert_rigor::Interval;
use libfuzzer_sys::fuzz_target;

// Any text is read or refused, and what is read can be evaluated; the value at a point lies in the enclosure of a box around it.
fuzz_target!(|text: &str| {
    let Ok(f) = Expression::parse(text, &["x", "y"]) else { return };
    let (x, y) = (0.75, 1.5);
    let value = f.value(&[x, y]);
    let at = |c: f64, w: f64| Interval::new(c - w, c + w);
    if let (Some(point), Some(around)) = (f.enclose(&[at(x, 0.0), at(y, 0.0)]), f.enclose(&[at(x, 0.25), at(y, 0.25)])) {
        assert!(point.function().value().meets(*around.function().value()), "{text}: {value}");
    }
});
