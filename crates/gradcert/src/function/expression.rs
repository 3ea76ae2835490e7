//! Formulas given as text.

use super::error::FormulaError;
use super::jet::Jet;
use super::parse::{Operator, Tree, decimal, is_name_part, is_name_start, parse};
use super::scalar::{Exact, Number, Scalar};
use super::squares;
use super::{Formula, Terms};
use gradcert_rigor::{Interval, elementary};

/// A formula of named variables: numbers, + - * / ^, sin, cos, exp, log, sqrt, tanh, pi.
///
/// Numbers are the decimals that are written, not the doubles next to them. `sqrt`, `log` and powers with an exponent that is no
/// whole number need a positive argument: elsewhere they are not twice differentiable. Sums of squares are recognised.
///
/// ```
/// use gradcert::function::{Expression, Function};
///
/// let f = Expression::parse("(x*y - 1)^2", &["x", "y"])?;
/// assert_eq!(f.value(&[2.5, 0.0]), 1.0);
/// # Ok::<(), gradcert::function::FormulaError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    /// Each node uses earlier ones only; equal nodes are one.
    pub(super) nodes: Vec<Node>,
    root: usize,
    /// The nodes g_i with f = sum g_i^2, if any.
    residuals: Vec<usize>,
    nonnegative: bool,
    variables: Vec<String>,
    text: String,
}

/// One operation; operands are positions of earlier nodes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Node {
    Constant(Number),
    Variable(usize),
    Add(usize, usize),
    Subtract(usize, usize),
    Multiply(usize, usize),
    Divide(usize, usize),
    Negate(usize),
    /// Exponents from 2.
    Power(usize, u32),
    RealPower(usize, Number),
    Sine(usize),
    Cosine(usize),
    Exponential(usize),
    Logarithm(usize),
    Root(usize),
    HyperbolicTangent(usize),
}

impl Expression {
    /// Longest text, in bytes.
    pub const MAX_LENGTH: usize = 4_000;
    /// Deepest nesting.
    pub const MAX_DEPTH: usize = 64;
    /// Most variables.
    pub const MAX_VARIABLES: usize = 8;
    /// Largest whole exponent.
    pub const MAX_POWER: u32 = 1_000;

    /// Reads a formula of the named variables, in the order of the coordinates.
    ///
    /// # Errors
    /// [`FormulaError`], one variant for each thing that can be wrong.
    pub fn parse(text: &str, variables: &[&str]) -> Result<Expression, FormulaError> {
        check_variables(variables)?;
        if text.len() > Expression::MAX_LENGTH {
            return Err(FormulaError::TooLong { length: text.len(), limit: Expression::MAX_LENGTH });
        }
        let tree = parse(text, Expression::MAX_DEPTH)?;
        let mut expression = Expression {
            nodes: vec![],
            root: 0,
            residuals: vec![],
            nonnegative: false,
            variables: variables.iter().map(|&name| name.to_owned()).collect(),
            text: text.trim().to_owned(),
        };
        expression.root = expression.lower(&tree)?;
        let root = expression.root;
        expression.residuals = squares::of(&mut expression, root).unwrap_or_default();
        expression.nonnegative = squares::is_nonnegative(&expression.nodes, expression.root);
        Ok(expression)
    }

    /// The names of the variables.
    pub fn variables(&self) -> &[String] {
        &self.variables
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Is the formula recognised as a sum of squares, and of how many?
    pub fn squares(&self) -> Option<usize> {
        (!self.residuals.is_empty()).then_some(self.residuals.len())
    }

    /// The node, shared with an equal one; operations on constants are carried out.
    pub(super) fn node(&mut self, node: Node) -> usize {
        let node = self.folded(node).map_or(node, Node::Constant);
        if let Some(at) = self.nodes.iter().position(|&n| n == node) {
            return at;
        }
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// The value of an operation on constants, where it is defined.
    fn folded(&self, node: Node) -> Option<Number> {
        if matches!(node, Node::Constant(_) | Node::Variable(_)) {
            return None;
        }
        let exactly = |a: usize| self.constant_value(a).map(|number| Jet::constant(Exact::constant(number)));
        if let Some(exact) = apply(node, exactly).and_then(|jet| jet.value().get()) {
            return Some(Number::exact(exact));
        }
        let enclosed = |a: usize| self.constant_value(a).map(|number| Jet::constant(Interval::constant(number)));
        apply(node, enclosed).map(|jet| Number::enclosed(*jet.value()))
    }

    pub(super) fn constant(&mut self, number: Number) -> usize {
        self.node(Node::Constant(number))
    }

    fn lower(&mut self, tree: &Tree) -> Result<usize, FormulaError> {
        Ok(match tree {
            Tree::Number(text) => {
                let number = decimal(text).ok_or_else(|| FormulaError::Number { text: text.clone() })?;
                self.constant(number)
            }
            Tree::Name(name) => self.name(name)?,
            Tree::Call(name, arguments) => self.call(name, arguments)?,
            Tree::Negate(a) => {
                let a = self.lower(a)?;
                self.node(Node::Negate(a))
            }
            Tree::Binary(operator, a, b) => {
                let (a, b) = (self.lower(a)?, self.lower(b)?);
                match operator {
                    Operator::Add => self.node(Node::Add(a, b)),
                    Operator::Subtract => self.node(Node::Subtract(a, b)),
                    // Equal factors: on intervals a square is narrower than a product.
                    Operator::Multiply if a == b => self.node(Node::Power(a, 2)),
                    Operator::Multiply => self.node(Node::Multiply(a, b)),
                    Operator::Divide => self.node(Node::Divide(a, b)),
                    Operator::Power => self.power(a, b)?,
                }
            }
        })
    }

    fn name(&mut self, name: &str) -> Result<usize, FormulaError> {
        if let Some(i) = self.variables.iter().position(|v| v == name) {
            return Ok(self.node(Node::Variable(i)));
        }
        if name == "pi" {
            return Ok(self.constant(Number::enclosed(elementary::constants::PI)));
        }
        if FUNCTIONS.contains(&name) {
            let problem = format!("a function needs its argument, as in {name}({})", self.variables[0]);
            return Err(FormulaError::Arguments { name: name.to_owned(), problem });
        }
        Err(FormulaError::UnknownName { name: name.to_owned(), variables: self.variables.join(", ") })
    }

    fn call(&mut self, name: &str, arguments: &[Tree]) -> Result<usize, FormulaError> {
        if self.variables.iter().any(|v| v == name) || name == "pi" {
            let problem = "not a function; products are written with *".to_owned();
            return Err(FormulaError::Arguments { name: name.to_owned(), problem });
        }
        if !FUNCTIONS.contains(&name) {
            return Err(FormulaError::UnknownName { name: name.to_owned(), variables: self.variables.join(", ") });
        }
        let [argument] = arguments else {
            let problem = format!("takes one argument, not {}", arguments.len());
            return Err(FormulaError::Arguments { name: name.to_owned(), problem });
        };
        let a = self.lower(argument)?;
        Ok(self.node(match name {
            "sin" => Node::Sine(a),
            "cos" => Node::Cosine(a),
            "exp" => Node::Exponential(a),
            "sqrt" => Node::Root(a),
            "tanh" => Node::HyperbolicTangent(a),
            _ => Node::Logarithm(a),
        }))
    }

    /// Whole exponents are powers, other constant ones `exp(c log a)`, variable ones `exp(b log a)`.
    fn power(&mut self, a: usize, b: usize) -> Result<usize, FormulaError> {
        let Some(exponent) = self.constant_value(b) else {
            let logarithm = self.node(Node::Logarithm(a));
            let product = self.node(Node::Multiply(b, logarithm));
            return Ok(self.node(Node::Exponential(product)));
        };
        let Some(k) = exponent.as_double().filter(|x| x.fract() == 0.0) else {
            return Ok(self.node(Node::RealPower(a, exponent)));
        };
        if k.abs() > f64::from(Expression::MAX_POWER) {
            return Err(FormulaError::Number { text: format!("{k} (an exponent)") });
        }
        let magnitude = match k.abs() as u32 {
            0 => return Ok(self.constant(Number::exact(1.0))),
            1 => a,
            k => match self.nodes[a] {
                // (a^j)^k = a^(j k), as long as that stays small.
                Node::Power(base, j) if j * k <= Expression::MAX_POWER => self.node(Node::Power(base, j * k)),
                _ => self.node(Node::Power(a, k)),
            },
        };
        if k > 0.0 {
            return Ok(magnitude);
        }
        let one = self.constant(Number::exact(1.0));
        Ok(self.node(Node::Divide(one, magnitude)))
    }

    /// The value of a node that is a constant.
    pub(super) fn constant_value(&self, node: usize) -> Option<Number> {
        match self.nodes[node] {
            Node::Constant(number) => Some(number),
            _ => None,
        }
    }

    /// Every node at x; `None` if one is not defined.
    fn evaluate<T: Scalar>(&self, x: &[Jet<T>]) -> Option<Vec<Jet<T>>> {
        let mut jets: Vec<Jet<T>> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let jet = match *node {
                Node::Constant(number) => Jet::constant(T::constant(number)),
                Node::Variable(i) => x.get(i)?.clone(),
                operation => apply(operation, |a| jets.get(a))?,
            };
            jets.push(jet);
        }
        Some(jets)
    }
}

/// One operation, on operands that are looked up; `None` where an operand is missing or the operation is not defined.
fn apply<T: Scalar, J: std::borrow::Borrow<Jet<T>>>(
    node: Node,
    operand: impl Fn(usize) -> Option<J>,
) -> Option<Jet<T>> {
    let unary = |a: usize, f: fn(&Jet<T>) -> Jet<T>| operand(a).map(|a| f(a.borrow()));
    let partial = |a: usize, f: fn(&Jet<T>) -> Option<Jet<T>>| operand(a).and_then(|a| f(a.borrow()));
    let binary =
        |a: usize, b: usize, f: fn(&Jet<T>, &Jet<T>) -> Option<Jet<T>>| f(operand(a)?.borrow(), operand(b)?.borrow());
    match node {
        Node::Constant(_) | Node::Variable(_) => None,
        Node::Add(a, b) => binary(a, b, |a, b| Some(a + b)),
        Node::Subtract(a, b) => binary(a, b, |a, b| Some(a - b)),
        Node::Multiply(a, b) => binary(a, b, |a, b| Some(a * b)),
        Node::Divide(a, b) => binary(a, b, Jet::quotient),
        Node::Negate(a) => unary(a, |a| -a),
        Node::Power(a, k) => operand(a).map(|a| a.borrow().power(k)),
        Node::RealPower(a, c) => operand(a).and_then(|a| a.borrow().real_power(c)),
        Node::Sine(a) => unary(a, Jet::sine),
        Node::Cosine(a) => unary(a, Jet::cosine),
        Node::Exponential(a) => unary(a, Jet::exponential),
        Node::Logarithm(a) => partial(a, Jet::logarithm),
        Node::Root(a) => partial(a, Jet::root),
        Node::HyperbolicTangent(a) => unary(a, Jet::hyperbolic_tangent),
    }
}

const FUNCTIONS: [&str; 7] = ["sin", "cos", "exp", "log", "ln", "sqrt", "tanh"];

fn check_variables(variables: &[&str]) -> Result<(), FormulaError> {
    let (count, limit) = (variables.len(), Expression::MAX_VARIABLES);
    if count == 0 || count > limit {
        return Err(FormulaError::VariableCount { count, limit });
    }
    for (i, &name) in variables.iter().enumerate() {
        let is_name = name.starts_with(is_name_start) && name.chars().all(is_name_part);
        let why = if !is_name {
            "a name consists of letters, digits and _, and does not begin with a digit"
        } else if name == "pi" || FUNCTIONS.contains(&name) {
            "it is the name of a function or constant"
        } else if variables[..i].contains(&name) {
            "it is given twice"
        } else {
            continue;
        };
        return Err(FormulaError::VariableName { name: name.to_owned(), why });
    }
    Ok(())
}

impl Formula for Expression {
    fn dimension(&self) -> usize {
        self.variables.len()
    }

    fn terms<T: Scalar>(&self, x: &[Jet<T>]) -> Option<Terms<T>> {
        let mut jets = self.evaluate(x)?;
        let residuals = self.residuals.iter().map(|&g| jets[g].clone()).collect();
        Some(Terms::with_residuals(jets.swap_remove(self.root), residuals))
    }

    fn is_nonnegative(&self) -> bool {
        self.nonnegative
    }
}

impl Expression {
    /// A point with the names of its coordinates: `x = 2.5, y = 0`.
    pub fn name_point(&self, x: &[f64]) -> String {
        let named = |(name, &value): (&String, &f64)| {
            let short = value == 0.0 || (1e-5..1e16).contains(&value.abs());
            if short { format!("{name} = {value}") } else { format!("{name} = {value:e}") }
        };
        self.variables.iter().zip(x).map(named).collect::<Vec<_>>().join(", ")
    }
}
