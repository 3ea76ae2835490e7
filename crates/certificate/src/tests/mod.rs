//! Tests of the checker as a whole, with certificates built from its own derivations.

mod builder;
mod classic;
mod mutants;
mod oracle;
mod reference;
mod timing;
