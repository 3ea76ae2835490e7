//! `gradcert demo`.

use crate::args::DemoArgs;
use crate::failure::{Exit, Failure};
use crate::output::Output;

pub(crate) fn run(_args: &DemoArgs) -> Result<(Exit, Output), Failure> {
    Err(Failure::usage("not linked yet"))
}
