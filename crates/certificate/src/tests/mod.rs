//! Tests of the checker as a whole, with certificates built from its own derivations.

mod builder;
mod mutants;
mod oracle;
