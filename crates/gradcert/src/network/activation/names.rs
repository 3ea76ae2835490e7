//! Names of activations on the command line and in files.

use super::Activation::{self, *};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The names without a parameter.
const PLAIN: [(&str, Activation); 12] = [
    ("softplus", Softplus),
    ("tanh", Tanh),
    ("plain-softplus", PlainSoftplus),
    ("logistic", Logistic),
    ("sigmoid", Sigmoid),
    ("erf", Erf),
    ("arctan", Arctan),
    ("algebraic", Algebraic),
    ("silu", Silu),
    ("gelu", Gelu),
    ("softsign", Softsign),
    ("identity", Identity),
];
const LEAKY: &str = "smooth-leaky-relu";

/// A text that names no activation.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum UnknownActivation {
    /// No such name.
    #[error(
        "unknown activation '{0}': choose smooth-leaky-relu:C (0 < C < 1), softplus, tanh, logistic, erf, arctan, \
         algebraic, silu, gelu, softsign or identity"
    )]
    Name(String),
    /// The parameter of the smooth leaky-ReLU is missing or not in (0, 1).
    #[error("smooth-leaky-relu needs a slope between 0 and 1, as in smooth-leaky-relu:0.1, not '{0}'")]
    Slope(String),
}

impl UnknownActivation {
    /// A stable code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            UnknownActivation::Name(_) => "unknown_activation",
            UnknownActivation::Slope(_) => "activation_slope",
        }
    }
}

impl FromStr for Activation {
    type Err = UnknownActivation;

    fn from_str(text: &str) -> Result<Activation, UnknownActivation> {
        if let Some(rest) = text.strip_prefix(LEAKY) {
            let parameter = match rest.strip_prefix(':') {
                Some(parameter) => parameter,
                None if rest.is_empty() => "",
                None => return Err(UnknownActivation::Name(text.to_owned())),
            };
            return match parameter.parse::<f64>() {
                Ok(c) if c > 0.0 && c < 1.0 => Ok(SmoothLeakyRelu(c)),
                _ => Err(UnknownActivation::Slope(parameter.to_owned())),
            };
        }
        let found = PLAIN.iter().find(|(name, _)| *name == text);
        found.map(|(_, activation)| *activation).ok_or_else(|| UnknownActivation::Name(text.to_owned()))
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let SmoothLeakyRelu(c) = self {
            // The shortest text that reads back as the same double.
            return write!(formatter, "{LEAKY}:{c:?}");
        }
        let name = PLAIN.iter().find(|(_, activation)| activation == self).map_or("", |(name, _)| name);
        formatter.write_str(name)
    }
}
