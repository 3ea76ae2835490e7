//! Provable training of neural networks.

pub mod certify;
pub mod function;
pub mod kernel;
pub mod model;
pub mod network;
pub mod relu;
pub mod statistics;
pub mod sweep;
pub mod theorem;
pub mod train;
