#![no_main]

use gradcert_data::Format;
use libfuzzer_sys::fuzz_target;

#[path = "../read_both_ways.rs"]
mod read_both_ways;

fuzz_target!(|bytes: &[u8]| read_both_ways::read_both_ways(bytes, Format::Libsvm));
