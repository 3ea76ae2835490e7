//! Training: full-batch gradient descent and flow, and polishing of what was trained.

pub mod coordinates;
pub mod descent;
pub mod flow;
pub mod network_flow;
pub mod polish;
pub mod run;
