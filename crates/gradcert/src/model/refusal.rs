//! Why a model made elsewhere was not read.

/// The reasons, each with a stable code. Names out of a file are quoted with `{:?}`: they are a stranger's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Neither safetensors nor ONNX.
    #[error("neither a safetensors file nor an ONNX model{0}")]
    Unknown(&'static str),
    /// The bytes do not follow the format.
    #[error("a broken {format} file: {reason}")]
    Broken {
        /// The format they claim.
        format: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// More than the limits allow.
    #[error("{what} exceeds the limit of {limit}")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The limit.
        limit: u64,
    },
    /// A state dict without activation.
    #[error(
        "a state dict holds weights only and does not say which activation stands between them: give it with --activation \
         (sigmoid, softplus, tanh, gelu, ... as they are called where the model was made)"
    )]
    ActivationMissing,
    /// An activation was given for a file that has its own.
    #[error("the file says its own activation, {0}: leave out --activation")]
    ActivationGiven(String),
    /// An activation for which nothing can be proved here.
    #[error("the activation {name} is not supported: {reason}")]
    Activation {
        /// Its name where the model was made.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// Different activations in the hidden layers, or one after the last layer.
    #[error("{0}")]
    ActivationPlace(String),
    /// Tensors that belong to no fully connected layer.
    #[error(
        "these tensors are no weight (2-D) or bias of a fully connected layer: {0}; only chains of such layers can be read"
    )]
    Tensors(String),
    /// The order of the layers of a state dict is not determined.
    #[error(
        "the names and shapes of the tensors do not determine the order of the layers ({0}): rename them so that they count \
         (\"0.weight\", \"2.weight\", ... as nn.Sequential does), or export the model to ONNX, which keeps the order"
    )]
    Order(String),
    /// Shapes that do not follow one another.
    #[error("the shapes of the layers do not fit: {0}")]
    Shapes(String),
    /// A number format that is not read.
    #[error("{tensor} has the number format {dtype}: float64, float32, float16 and bfloat16 are read")]
    NumberFormat {
        /// The tensor.
        tensor: String,
        /// Its format.
        dtype: String,
    },
    /// NaN or an infinity among the parameters.
    #[error("{0} has an entry that is not finite")]
    NotFinite(String),
    /// A linear model.
    #[error("one layer only: a linear model, nothing is left to prove")]
    OneLayer,
    /// An ONNX operator, or a use of it, that is not read.
    #[error("the operator {operator} ({node}) is not supported: {reason}")]
    Operator {
        /// Its type.
        operator: String,
        /// The node.
        node: String,
        /// Why.
        reason: String,
    },
    /// A graph that is not a chain.
    #[error("the graph is not a chain of layers: {0}")]
    Branch(String),
    /// A constant that cannot be multiplied into the weights without rounding.
    #[error("{0} would round the weights, and another network would be read: export it with the factor 1")]
    Rounds(String),
}

impl Refusal {
    /// Stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Unknown(_) => "model_unknown",
            Refusal::Broken { .. } => "model_broken",
            Refusal::TooLarge { .. } => "model_too_large",
            Refusal::ActivationMissing => "activation_missing",
            Refusal::ActivationGiven(_) => "activation_given",
            Refusal::Activation { .. } => "activation_unsupported",
            Refusal::ActivationPlace(_) => "activation_place",
            Refusal::Tensors(_) => "not_fully_connected",
            Refusal::Order(_) => "layer_order",
            Refusal::Shapes(_) => "layer_shapes",
            Refusal::NumberFormat { .. } => "number_format",
            Refusal::NotFinite(_) => "not_finite",
            Refusal::OneLayer => "one_layer",
            Refusal::Operator { .. } => "operator",
            Refusal::Branch(_) => "not_a_chain",
            Refusal::Rounds(_) => "weights_would_round",
        }
    }
}

/// Names as a list for a message: quoted, cut, and not more than eight.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let mut shown: Vec<String> = names.iter().take(8).map(|name| quote(name)).collect();
    if names.len() > 8 {
        shown.push(format!("and {} more", names.len() - 8));
    }
    shown.join(", ")
}

/// A name out of a file, safe to print and not too long.
pub(super) fn quote(name: &str) -> String {
    match name.char_indices().nth(60) {
        None => format!("{name:?}"),
        Some((at, _)) => format!("{:?}...", &name[..at]),
    }
}

/// Why ReLU and its like are refused.
pub(super) const KINKED: &str = "its slope jumps, and every statement here needs a slope that is Lipschitz; train with softplus, GELU or SiLU instead";
/// Why the other GELU is refused.
pub(super) const TANH_GELU: &str = "the tanh form of GELU is another function; use approximate=\"none\"";
