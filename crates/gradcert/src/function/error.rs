//! What may be wrong with the text of a function.

/// A formula that cannot be read. [`FormulaError::code`] is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormulaError {
    /// Nothing but blanks.
    #[error("the function is empty; write a formula of the variables, like (x*y - 1)^2")]
    Empty,
    /// More text than [`super::Expression::MAX_LENGTH`].
    #[error("the function has {length} characters, more than the {limit} that are read")]
    TooLong {
        /// Length in bytes.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// Parentheses, signs or powers nested beyond [`super::Expression::MAX_DEPTH`].
    #[error("parentheses, signs or powers are nested more than {limit} deep")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// No variable, or more than [`super::Expression::MAX_VARIABLES`].
    #[error("{count} variables; a function has 1 to {limit}")]
    VariableCount {
        /// How many were given.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// A name that cannot be a variable.
    #[error("`{name}` cannot be the name of a variable: {why}")]
    VariableName {
        /// The name.
        name: String,
        /// The rule it breaks.
        why: &'static str,
    },
    /// Not a formula.
    #[error("the function cannot be read at character {position} ({found}): {hint}")]
    Syntax {
        /// Position of the offending character, from 1.
        position: usize,
        /// What stands there.
        found: String,
        /// What would have been read.
        hint: String,
    },
    /// A name that is neither a variable nor a function.
    #[error(
        "unknown name `{name}`; variables are {variables}, functions sin, cos, exp, log, sqrt, tanh, and the constant pi"
    )]
    UnknownName {
        /// The name.
        name: String,
        /// The known variables.
        variables: String,
    },
    /// A function without argument, with more than one, or a variable called like a function.
    #[error("{name}: {problem}")]
    Arguments {
        /// The name.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// A number beyond the doubles, or an exponent beyond [`super::Expression::MAX_POWER`].
    #[error("the number {text} is out of range")]
    Number {
        /// As it was written.
        text: String,
    },
}

impl FormulaError {
    /// The stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            FormulaError::Empty => "empty_function",
            FormulaError::TooLong { .. } => "function_too_long",
            FormulaError::TooDeep { .. } => "function_too_deep",
            FormulaError::VariableCount { .. } => "variable_count",
            FormulaError::VariableName { .. } => "variable_name",
            FormulaError::Syntax { .. } => "function_syntax",
            FormulaError::UnknownName { .. } => "unknown_name",
            FormulaError::Arguments { .. } => "function_arguments",
            FormulaError::Number { .. } => "number_out_of_range",
        }
    }
}
