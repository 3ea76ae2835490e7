#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../model.rs"]
mod model;

fuzz_target!(|bytes: &[u8]| {
    // The mark by which the format is known, so that no try is wasted on finding it.
    let mut bytes = bytes.to_vec();
    if let Some(mark) = bytes.get_mut(8) {
        *mark = b'{';
    }
    model::read_model(&bytes);
});
