//! Provable training of neural networks.
