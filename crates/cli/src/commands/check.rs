//! `gradcert check`: the independent checker.

use crate::args::CheckArgs;
use crate::failure::{Exit, Failure};
use crate::output::Output;

pub(crate) fn run(_args: &CheckArgs) -> Result<(Exit, Output), Failure> {
    Err(Failure::usage("not linked yet"))
}
