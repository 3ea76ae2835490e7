//! Verified linear algebra.
