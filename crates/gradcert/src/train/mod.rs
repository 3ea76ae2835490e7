//! Training: full-batch gradient descent.

pub mod coordinates;
pub mod descent;
pub mod run;
