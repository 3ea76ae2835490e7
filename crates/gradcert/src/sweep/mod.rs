//! Sweeps: many runs over a grid of options, in shards, interruptible, with one record per finished run.
//!
//! A [`plan::Plan`] lists options and values; it expands to runs in a fixed order, each with a key made of its options.
//! [`engine::run_shard`] does a share of them and appends one JSON line per finished run, so that a kill loses at most the
//! runs in flight; [`merge::merge`] joins the shares. Every run is computed by one thread on its own, and what it computes
//! depends on its options alone: merged records are equal byte for byte whatever the number of threads and shards. There
//! are no clocks in them.

pub mod data;
pub mod engine;
pub mod error;
pub mod execute;
pub mod merge;
pub mod options;
pub mod plan;
pub mod record;
mod setup;
pub mod store;

pub use engine::{Progress, Shard, run_shard};
pub use error::SweepError;
pub use merge::{Merged, merge};
pub use plan::{Plan, Planned};
pub use record::Record;
