//! (T16) Curvature in the norm in which J(w0) is an isometry.
//!
//! `K0 = J(w0) J(w0)^T`; `|J(w0)^+ y| = sqrt(y^T K0^{-1} y)`. Everything is in the coordinates of the metric.

pub mod orders;
pub mod row_space;
pub mod third_order;
pub mod two_layers;
