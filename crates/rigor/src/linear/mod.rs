//! Verified linear algebra on dense matrices of doubles.
//!
//! - [`EnclosedMatrix`]: known entrywise; products, sums, maps: all a pass through a network needs,
//! - [`SymmetricBall`]: known in the spectral norm; Gram matrices and their combinations,
//! - [`smallest_eigenvalue_lower`], [`largest_eigenvalue_upper`], [`is_positive_definite`], [`Eigenpairs`],
//! - [`RelativeTo`]: eigenvalues and norms relative to a positive definite matrix,
//! - [`norm_upper`], [`smallest_singular_value_lower`],
//! - [`norm`], [`dot`], [`matvec`], [`residual_norm`] for vectors.
//!
//! Large products run at the speed of plain floats; rounding is accounted for afterwards (see `roundoff`). Bounds do not
//! depend on the order of summation, hence hold for every number of threads, though their last digits may depend on it.
//! Shapes that do not fit are errors of the caller and panic; numbers that are not finite yield useless valid bounds.

mod cholesky;
mod eigenpairs;
mod enclosed;
mod entrywise;
mod extreme;
mod lanczos;
mod product;
mod relative;
mod roundoff;
mod singular;
mod split;
mod substitution;
mod symmetric;
mod vector;

pub use eigenpairs::Eigenpairs;
pub use enclosed::EnclosedMatrix;
pub use extreme::{is_positive_definite, largest_eigenvalue_upper, smallest_eigenvalue_lower};
pub use relative::RelativeTo;
pub use roundoff::{mirror, same_bits};
pub use singular::{norm_upper, smallest_singular_value_lower};
pub use symmetric::{SymmetricBall, gram, gram_of_samples};
pub use vector::{dot, dot_enclosed, matvec, norm, norm_upper_of, residual_norm};
