//! Provable training of neural networks.

pub mod certify;
pub mod kernel;
pub mod network;
pub mod theorem;
pub mod train;
