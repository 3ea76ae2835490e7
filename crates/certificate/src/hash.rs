//! Hashes that tie a certificate to the numbers it speaks about. SHA-256 over a tag, the shape, and the doubles, all
//! little-endian 64-bit; -0 is hashed as 0, since no claim distinguishes them.

use sha2::{Digest, Sha256};

/// Hash of an n x d array of inputs, row-major.
pub fn inputs(values: &[f64], samples: usize, features: usize) -> String {
    digest("gradcert inputs", &[samples, features], [values])
}

/// Hash of n targets.
pub fn targets(values: &[f64]) -> String {
    digest("gradcert targets", &[values.len()], [values])
}

/// Hash of parameters: widths `d_0, ..., d_L`, then `W_1` (row-major, `d_1` x `d_0`), `b_1`, ..., `W_L`, `b_L`.
pub fn parameters<'a>(widths: &[usize], tensors: impl IntoIterator<Item = &'a [f64]>) -> String {
    digest("gradcert parameters", widths, tensors)
}

fn digest<'a>(tag: &str, shape: &[usize], parts: impl IntoIterator<Item = &'a [f64]>) -> String {
    let mut hash = Sha256::new();
    hash.update(tag.as_bytes());
    for &size in shape {
        hash.update((size as u64).to_le_bytes());
    }
    for part in parts {
        for &x in part {
            hash.update((x + 0.0).to_bits().to_le_bytes());
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
