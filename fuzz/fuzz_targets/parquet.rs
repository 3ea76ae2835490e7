#![no_main]

use gradcert_data::Format;
use libfuzzer_sys::fuzz_target;

#[path = "../read_both_ways.rs"]
mod read_both_ways;

// The reader answers a panic of the parquet crate as a malformed file; the fuzzer's hook would stop at it first.
fuzz_target!(
    init: {
        let _ = std::panic::take_hook();
    },
    |bytes: &[u8]| read_both_ways::read_both_ways(bytes, Format::Parquet)
);
