//! Networks.

pub mod activation;
