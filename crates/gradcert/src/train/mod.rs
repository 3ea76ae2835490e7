//! Training: full-batch gradient descent, other methods, gradient flow, and polishing of what was trained.

pub mod coordinates;
pub mod descent;
pub mod flow;
pub mod network_flow;
pub mod optimizer;
pub mod polish;
pub mod run;
