#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../model.rs"]
mod model;

fuzz_target!(|bytes: &[u8]| {
    // The other format has a target of its own.
    if bytes.get(8) != Some(&b'{') {
        model::read_model(bytes);
    }
});
