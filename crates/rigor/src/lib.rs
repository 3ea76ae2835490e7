//! Numbers one can prove with.
//!
//! Everything here works in round-to-nearest and widens each result by at most a few units in the last place, so
//! no rounding mode is ever switched. The rigour is carried by the value, not by global state:
//!
//! - [`Upper`] and [`Lower`] bound one non-negative real number from above and from below,
//! - [`Interval`] encloses a real number of any sign,
//! - [`elementary`] encloses exp, log, tanh, ... on intervals,
//! - `linear` (feature `linear-algebra`) bounds eigenvalues, singular values and norms of matrices.
//!
//! A computation that fails (overflow, NaN) yields a useless bound (+inf above, 0 below), never a wrong one.

pub mod bound;
pub mod elementary;
pub mod interval;
#[cfg(feature = "linear-algebra")]
pub mod linear;
pub mod nonnegative;
pub mod rounding;

pub use bound::{Lower, Upper};
pub use interval::Interval;
