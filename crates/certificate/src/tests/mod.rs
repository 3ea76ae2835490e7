//! Tests of the checker as a whole, with certificates built from its own derivations.

// Counts and timings are what these tests are read for.
#![allow(clippy::print_stdout)]

mod audit;
mod audit_mutants;
mod audit_sampled;
mod builder;
mod classic;
mod hostile;
mod mutants;
mod network;
mod oracle;
mod reference;
mod size;
mod timing;
