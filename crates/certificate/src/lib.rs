//! Certificates of gradcert and their independent checker.
//!
//! The checker ([`check::check`]) shares no code with the program that writes certificates, except directed rounding and
//! enclosures of elementary functions. It is deterministic: no random numbers, threads or clock.

// A claim counts as proved only if its inequality is true; NaN must fall on the other side.
#![allow(clippy::neg_cmp_op_on_partial_ord)]

mod activation;
mod audit;
mod ball;
pub mod check;
mod descent;
pub mod format;
pub mod hash;
pub mod hex;
pub mod limits;
mod matrix;
mod multiplicative;
mod original;
mod pairs;
mod start;
#[cfg(test)]
mod tests;
pub mod width;

pub use check::{CheckError, Inputs, Problem, Report, check};
