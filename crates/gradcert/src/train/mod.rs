//! Training: full-batch gradient descent.

pub mod coordinates;
pub mod descent;
pub mod flow;
pub mod network_flow;
pub mod run;
