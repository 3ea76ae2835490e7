//! Published results, one module per paper, beside what this library computes.
//!
//! Every function of a result returns a [`Comparison`]: what is computed here and what is published, or follows from it by
//! hand. Its documentation has five parts: *Setting*, *Claim*, *Where*, *Computed*, *Form*: whether the two numbers must be
//! equal, or one bounds the other. The tests check just that.

pub mod bench;
pub mod chatterjee2022;
pub mod du2018;
pub mod du2019;
pub mod outcome;

pub use bench::{Bench, PaperError};
pub use outcome::{ItemOutcome, Sheet};

/// How a computed number relates to a published one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The same number, up to rounding.
    Equality,
    /// The computed number is at most the published one.
    AtMost,
    /// The computed number is at least the published one.
    AtLeast,
}

/// A computed number beside a published one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// What this library computes.
    pub computed: f64,
    /// What is published, or follows from it by hand.
    pub published: f64,
    /// How they relate.
    pub form: Form,
}

impl Comparison {
    /// Does the relation hold, with this relative tolerance for equalities and none for bounds?
    pub fn holds(&self, tolerance: f64) -> bool {
        match self.form {
            Form::Equality => (self.computed - self.published).abs() <= tolerance * self.published.abs(),
            Form::AtMost => self.computed <= self.published,
            Form::AtLeast => self.computed >= self.published,
        }
    }
}
