//! One file per command. A command returns its exit code and the JSON object it would print.

pub(crate) mod audit;
pub(crate) mod certify;
pub(crate) mod check;
pub(crate) mod criterion;
mod criterion_map;
pub(crate) mod demo;
pub(crate) mod flow;
pub(crate) mod inspect;
pub(crate) mod inspect_model;
pub(crate) mod kernel;
pub(crate) mod limit_kernel;
pub(crate) mod predict;
pub(crate) mod reproduce;
pub(crate) mod starts;
pub(crate) mod sweep;
pub(crate) mod train;
mod train_audits;
pub(crate) mod width;
