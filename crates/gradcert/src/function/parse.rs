//! From text to a tree. Precedence as in mathematics: `-x^2` is `-(x^2)`, `x^2^3` is `x^(2^3)`, `2^-1` is one half.

use super::error::FormulaError;
use super::scalar::Number;
use winnow::Parser;
use winnow::ascii::multispace0;
use winnow::combinator::{Infix, Prefix, delimited, dispatch, expression, fail, opt, preceded, separated};
use winnow::error::{ContextError, ErrMode, ModalResult};
use winnow::token::{any, one_of, take_while};

/// A formula as it was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    Number(String),
    Name(String),
    Call(String, Vec<Tree>),
    Negate(Box<Tree>),
    Binary(Operator, Box<Tree>, Box<Tree>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

/// Reads all of the text; `depth` limits what the parser may recurse into.
pub(super) fn parse(text: &str, depth: usize) -> Result<Tree, FormulaError> {
    if text.trim().is_empty() {
        return Err(FormulaError::Empty);
    }
    if nesting(text) > depth {
        return Err(FormulaError::TooDeep { limit: depth });
    }
    let mut rest = text;
    match formula(&mut rest) {
        Ok(tree) if rest.is_empty() => Ok(tree),
        _ => Err(syntax_error(text, rest)),
    }
}

/// An upper bound of how deep the parser recurses: open parentheses, and signs and powers that wait for their operand.
fn nesting(text: &str) -> usize {
    let mut open: Vec<usize> = vec![0];
    let (mut total, mut most) = (0usize, 0usize);
    let mut after_power = false;
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        match c {
            '(' => {
                open.push(0);
                total += 1;
            }
            ')' => {
                // What waits inside the parentheses ends with them.
                let inside = if open.len() > 1 { open.pop().unwrap_or(0) + 1 } else { 0 };
                total = total.saturating_sub(inside);
            }
            '*' | '/' | ',' => {
                let waiting = open.last_mut().map(std::mem::take).unwrap_or(0);
                total = total.saturating_sub(waiting);
            }
            '^' | '-' | '+' => {
                if let Some(waiting) = open.last_mut() {
                    // A plus or minus right after an operand ends what waited; after an operator it is a sign.
                    if c != '^' && !after_power {
                        total = total.saturating_sub(std::mem::take(waiting));
                    }
                    *waiting += 1;
                    total += 1;
                }
            }
            _ => {}
        }
        after_power = matches!(c, '^' | '-' | '+' | '(' | '*' | '/' | ',');
        most = most.max(total);
    }
    most
}

fn syntax_error(text: &str, rest: &str) -> FormulaError {
    let at = text.len().saturating_sub(rest.len());
    let position = text.get(..at).map_or(0, |before| before.chars().count()) + 1;
    let found = rest.chars().next().map_or_else(|| "the end".to_owned(), |c| format!("`{}`", c.escape_debug()));
    let hint = if text.replace(' ', "").contains("**") {
        "a power is written with ^, as in x^2"
    } else if rest.is_empty() {
        "an operand or a closing parenthesis is missing"
    } else if rest.starts_with(|c: char| c.is_alphanumeric() || c == '(' || c == '_') {
        "an operator is missing; products are written with *, as in 2*x"
    } else {
        "expected an operator + - * / ^ between numbers, variables and functions"
    };
    FormulaError::Syntax { position, found, hint: hint.to_owned() }
}

fn formula(input: &mut &str) -> ModalResult<Tree> {
    fn join(operator: Operator, a: Tree, b: Tree) -> ModalResult<Tree> {
        Ok(Tree::Binary(operator, Box::new(a), Box::new(b)))
    }
    expression(delimited(multispace0, operand, multispace0))
        // Weaker than the power, stronger than the product.
        .prefix(delimited(
            multispace0,
            dispatch! {any;
                '-' => Prefix(9, |_: &mut _, a| Ok(Tree::Negate(Box::new(a)))),
                '+' => Prefix(9, |_: &mut _, a| Ok(a)),
                _ => fail,
            },
            multispace0,
        ))
        .infix(dispatch! {any;
            '+' => Infix::Left(5, |_: &mut _, a, b| join(Operator::Add, a, b)),
            '-' => Infix::Left(5, |_: &mut _, a, b| join(Operator::Subtract, a, b)),
            '*' => Infix::Left(7, |_: &mut _, a, b| join(Operator::Multiply, a, b)),
            '/' => Infix::Left(7, |_: &mut _, a, b| join(Operator::Divide, a, b)),
            '^' => Infix::Right(11, |_: &mut _, a, b| join(Operator::Power, a, b)),
            _ => fail,
        })
        .parse_next(input)
}

fn operand(input: &mut &str) -> ModalResult<Tree> {
    match input.chars().next() {
        Some('(') => delimited('(', formula, ')').parse_next(input),
        Some(c) if c.is_ascii_digit() || c == '.' => number.parse_next(input),
        Some(c) if is_name_start(c) => named(input),
        _ => Err(ErrMode::Backtrack(ContextError::new())),
    }
}

fn number(input: &mut &str) -> ModalResult<Tree> {
    let digits = |input: &mut &str| -> ModalResult<()> { take_while(0.., '0'..='9').void().parse_next(input) };
    let exponent = (one_of(['e', 'E']), opt(one_of(['+', '-'])), take_while(1.., '0'..='9'));
    let text =
        (digits, opt(('.', digits)), opt(exponent)).take().verify(|t: &str| t.contains(|c: char| c.is_ascii_digit()));
    text.map(|t: &str| Tree::Number(t.to_owned())).parse_next(input)
}

fn named(input: &mut &str) -> ModalResult<Tree> {
    let name = take_while(1.., is_name_part).map(str::to_owned).parse_next(input)?;
    let mut arguments = opt(preceded(multispace0, delimited('(', separated(0.., formula, ','), (multispace0, ')'))));
    let arguments: Option<Vec<Tree>> = arguments.parse_next(input)?;
    Ok(match arguments {
        Some(arguments) => Tree::Call(name, arguments),
        None => Tree::Name(name),
    })
}

pub(super) fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

pub(super) fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The decimal number as it is written: a double where it is one, else an enclosure. `None` if it is beyond the doubles.
///
/// With the digits m and the decimal exponent k, m 10^k is a double if k >= 0 and the product is at most 2^53, or if k < 0 and 5^-k
/// divides m with a quotient of at most 2^53: the rest is a division by a power of two.
pub(super) fn decimal(text: &str) -> Option<Number> {
    let nearest: f64 = text.parse().ok().filter(|x: &f64| x.is_finite())?;
    Some(if is_double(text).unwrap_or(false) { Number::exact(nearest) } else { Number::near(nearest) })
}

fn is_double(text: &str) -> Option<bool> {
    const LIMIT: u128 = 1 << 53;
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let fraction = fraction.trim_end_matches('0');
    let digits = format!("{whole}{fraction}");
    let m: u128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    if m == 0 {
        return Some(true);
    }
    let k = exponent.parse::<i32>().ok()?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let power = |base: u128| base.checked_pow(k.unsigned_abs());
    Some(if k >= 0 {
        m.checked_mul(power(10)?)? <= LIMIT
    } else {
        m.is_multiple_of(power(5)?) && m / power(5)? <= LIMIT
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_that_are_doubles_are_exact_and_others_enclosed() {
        for exact in ["0", "0.0", "1", "2.5", "0.125", "1e3", "25e-2", "100", "3.", ".5", "9007199254740992"] {
            assert!(decimal(exact).is_some_and(|n| n.as_double().is_some()), "{exact}");
        }
        for inexact in ["0.1", "1e-3", "3.14", "9007199254740993", "1e30", "1e-400"] {
            let number = decimal(inexact).expect("within the doubles");
            assert_eq!(number.as_double(), None, "{inexact}");
            assert!(number.enclosure().contains(number.nearest()));
        }
        assert_eq!(decimal("1e400"), None);
    }
}
