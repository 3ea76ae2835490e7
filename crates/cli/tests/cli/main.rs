//! The `gradcert` program as its users meet it: real processes, real files, in a fresh folder each.

mod audit;
mod bad_input;
mod commands;
mod criterion;
mod declined;
mod demo;
mod environment;
mod flow;
mod formats;
mod json;
mod kernel;
mod lift;
mod models;
mod pages;
mod soundness;
mod starts;
mod support;
mod tampering;
mod training;
mod transcripts;
mod width;
