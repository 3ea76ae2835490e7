//! Training: full-batch gradient descent.

pub mod descent;
