//! The statements, one file each. The table in the documentation leads from statement to code to test.

pub mod ball;
pub mod centre;
pub mod criterion;
pub mod descent;
pub mod drift;
pub mod envelope;
pub mod existence;
pub mod general;
pub mod inputs;
pub mod modes;
pub mod multiplicative;
pub mod original;
pub mod probability;
pub mod profile;
pub mod random_start;
pub mod relu_width;
pub mod relu_width_descent;
pub mod start;
pub mod tiles;
pub mod whitened;
