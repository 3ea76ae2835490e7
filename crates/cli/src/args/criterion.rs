//! `gradcert criterion`.

use super::positive_number;
use clap::Args;
use std::path::PathBuf;

/// Variables with their values, in order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StartPoint(pub(crate) Vec<(String, f64)>);

pub(super) fn parse_point(text: &str) -> Result<StartPoint, String> {
    let coordinate = |part: &str| {
        let (name, value) = part.split_once('=').ok_or_else(|| format!("`{part}` is not of the form name=value"))?;
        let number = value.trim().parse::<f64>().map_err(|_| format!("`{value}` is not a number"))?;
        Ok((name.trim().to_owned(), number))
    };
    text.split(',').map(coordinate).collect::<Result<_, String>>().map(StartPoint)
}

/// A radius, or `None` to search it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct RadiusArg(pub(crate) Option<f64>);

fn parse_radius(text: &str) -> Result<RadiusArg, String> {
    match text {
        "auto" => Ok(RadiusArg(None)),
        number => positive_number(number)
            .map(|radius| RadiusArg(Some(radius)))
            .map_err(|_| "auto or a positive number".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(crate) struct CriterionArgs {
    /// A formula that is >= 0, like "(x*y - 1)^2": numbers, + - * / ^, sin, cos, exp, log, sqrt, tanh, pi.
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
    pub(crate) function: String,
    /// The start, one value for each variable.
    #[arg(long, value_name = "x=..,y=..", value_parser = parse_point, allow_hyphen_values = true)]
    pub(crate) start: StartPoint,
    /// Radius of the ball around the start: auto (the best one) or a number.
    #[arg(long, default_value = "auto", value_parser = parse_radius, allow_negative_numbers = true)]
    pub(crate) radius: RadiusArg,
    /// For two variables: a map of the starts from which convergence is proved, .svg or .png.
    #[arg(long, value_name = "FILE")]
    pub(crate) picture: Option<PathBuf>,
    /// Boxes to evaluate at most before the answer is "undecided".
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u32).range(100..=100_000_000))]
    pub(crate) max_boxes: u32,
    /// One JSON object on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}
