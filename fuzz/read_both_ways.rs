//! What every target does with its bytes.

use gradcert_data::{
    Format, Limits, LoadOptions, inspect, load_bytes, load_inputs_bytes, load_npy_pair, merge_duplicates,
};

/// Reads bytes with and without targets, then asks every question about the result.
pub fn read_both_ways(bytes: &[u8], format: Format) {
    let options = LoadOptions { limits: Limits { file_bytes: 1 << 20, values: 1 << 16 }, ..LoadOptions::default() };
    let with_targets = match format {
        Format::Npy => load_npy_pair(bytes, bytes, &options),
        format => load_bytes(bytes, format, &options),
    };
    if let Ok(data) = with_targets {
        let _ = (data.problems(), inspect(&data), merge_duplicates(&data));
    }
    let _ = load_inputs_bytes(bytes, format, Some("target"), &options);
}
