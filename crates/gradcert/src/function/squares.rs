//! What the shape of a formula tells: that it is a sum of squares, or that it cannot be negative.

use super::expression::{Expression, Node};
use super::scalar::{Number, Scalar};

/// Products of sums of squares are expanded up to this many terms.
const MOST_TERMS: usize = 16;

/// Nodes g_i with `f = sum g_i^2` wherever f is defined, appended to the expression; `None` if no rule applies.
///
/// a^(2k) = (a^k)^2; c = (sqrt c)^2 for c > 0; exp a = (exp(a/2))^2; sums of sums;
/// (sum a_i^2)(sum b_j^2) = sum (a_i b_j)^2; (sum a_i^2) / b^2 = sum (a_i / b)^2.
pub(super) fn of(f: &mut Expression, node: usize) -> Option<Vec<usize>> {
    if let Some(number) = f.constant_value(node) {
        return constant(f, number);
    }
    match f.nodes[node] {
        Node::Power(a, 2) => Some(vec![a]),
        Node::Power(a, k) if k.is_multiple_of(2) => Some(vec![f.node(Node::Power(a, k / 2))]),
        Node::Add(a, b) => {
            let mut terms = of(f, a)?;
            terms.extend(of(f, b)?);
            (terms.len() <= MOST_TERMS).then_some(terms)
        }
        Node::Multiply(a, b) => {
            let (left, right) = (of(f, a)?, of(f, b)?);
            let products = left.iter().flat_map(|&a| right.iter().map(move |&b| (a, b)));
            let products: Vec<(usize, usize)> = products.take(MOST_TERMS + 1).collect();
            let terms: Vec<usize> = products.iter().map(|&(a, b)| f.node(Node::Multiply(a, b))).collect();
            (terms.len() <= MOST_TERMS).then_some(terms)
        }
        Node::Divide(a, b) => {
            let (left, right) = (of(f, a)?, of(f, b)?);
            let [divisor] = right[..] else { return None };
            Some(left.iter().map(|&a| f.node(Node::Divide(a, divisor))).collect())
        }
        Node::Exponential(a) => {
            let half = f.constant(Number::exact(0.5));
            let halved = f.node(Node::Multiply(half, a));
            Some(vec![f.node(Node::Exponential(halved))])
        }
        _ => None,
    }
}

fn constant(f: &mut Expression, number: Number) -> Option<Vec<usize>> {
    if number.as_double() == Some(0.0) {
        return Some(vec![]);
    }
    let root = number.enclosure().root()?;
    let exact = number.as_double().and_then(|x| super::Exact::new(x).root()).and_then(super::Exact::get);
    Some(vec![f.constant(exact.map_or_else(|| Number::enclosed(root), Number::exact))])
}

/// Does no value of the node lie below 0, wherever it is defined?
pub(super) fn is_nonnegative(nodes: &[Node], root: usize) -> bool {
    let mut known = vec![false; nodes.len()];
    for (i, node) in nodes.iter().enumerate() {
        known[i] = match *node {
            Node::Constant(number) => number.enclosure().lo() >= 0.0,
            Node::Power(a, k) => k.is_multiple_of(2) || known[a],
            Node::Add(a, b) | Node::Multiply(a, b) | Node::Divide(a, b) => known[a] && known[b],
            Node::Exponential(_) | Node::Root(_) | Node::RealPower(..) => true,
            Node::HyperbolicTangent(a) => known[a],
            // c - sin, c - cos, c - tanh with c >= 1.
            Node::Subtract(a, b) => {
                let at_least_one = matches!(nodes[a], Node::Constant(number) if number.enclosure().lo() >= 1.0);
                at_least_one && matches!(nodes[b], Node::Sine(_) | Node::Cosine(_) | Node::HyperbolicTangent(_))
            }
            _ => false,
        };
    }
    known[root]
}
