//! Provable training of neural networks.

pub mod network;
