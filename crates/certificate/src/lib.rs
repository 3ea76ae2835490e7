//! Certificates of gradcert and their independent checker.

pub mod format;
pub mod hash;
pub mod hex;
