//! The order of the layers of a state dict, which a file stores by name: numbers count as numbers, and where names alone
//! leave it open the shapes must decide.

use super::refusal::{Refusal, list};
use std::cmp::Ordering;

/// A layer by its name and its shape.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
}

/// Steps after which a search for the order by shapes is given up.
const MOST_STEPS: usize = 20_000;

/// Which of two layers comes first, if the names say so. Components between dots are compared from the left; the first pair
/// that differs decides if it differs in numbers alone: `net.2.a` < `net.10.a`, `fc1` < `fc2`, but `encoder`, `head`: unknown.
fn compare(a: &str, b: &str) -> Option<Ordering> {
    let (x, y) = a.split('.').zip(b.split('.')).find(|(x, y)| x != y)?;
    let (mut p, mut q) = (pieces(x), pieces(y));
    loop {
        match (p.next(), q.next()) {
            (Some(Piece::Number(m)), Some(Piece::Number(n))) if m != n => return Some(m.cmp(&n)),
            (Some(a), Some(b)) if a == b => {}
            _ => return None,
        }
    }
}

#[derive(PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    /// Length without leading zeros, then the digits: ordered like the number, however long it is.
    Number((usize, &'a str)),
}

fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let digits = rest.starts_with(|c: char| c.is_ascii_digit());
        let end = rest.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(rest.len());
        let (piece, tail) = rest.split_at(end);
        rest = tail;
        let number = piece.trim_start_matches('0');
        match (piece.is_empty(), digits) {
            (true, _) => None,
            (_, true) => Some(Piece::Number((number.len(), number))),
            (_, false) => Some(Piece::Text(piece)),
        }
    })
}

/// The order of the layers as indices: the only one in which the names count upwards and the shapes follow one another.
pub(super) fn order(layers: &[Named<'_>]) -> Result<Vec<usize>, Refusal> {
    let count = layers.len();
    let before = |a: usize, b: usize| compare(layers[a].name, layers[b].name) == Some(Ordering::Less);
    let mut sorted: Vec<usize> = (0..count).collect();
    // Sorted by text first, so that the result does not depend on the order in the file.
    sorted.sort_by_key(|&i| layers[i].name);
    let predecessors: Vec<Vec<usize>> = (0..count).map(|b| (0..count).filter(|&a| before(a, b)).collect()).collect();
    sorted.sort_by_key(|&i| predecessors[i].len());
    if (1..count).all(|k| before(sorted[k - 1], sorted[k])) {
        // Names say it all; that the shapes fit is checked with the network.
        return Ok(sorted);
    }
    let mut search = Search { layers, predecessors: &predecessors, sorted: &sorted, found: vec![], steps: 0 };
    let complete = search.extend(&mut vec![], &mut vec![false; count]);
    match (complete, search.found.as_slice()) {
        (true, [only]) => Ok(only.clone()),
        (true, []) => Err(Refusal::Shapes(format!(
            "no order of {} makes each layer read as many numbers as the one before it gives (weights must be stored as \
             outputs x inputs)",
            list(sorted.iter().map(|&i| layers[i].name))
        ))),
        _ => Err(Refusal::Order(list(sorted.iter().map(|&i| layers[i].name)))),
    }
}

struct Search<'a> {
    layers: &'a [Named<'a>],
    predecessors: &'a [Vec<usize>],
    sorted: &'a [usize],
    found: Vec<Vec<usize>>,
    steps: usize,
}

impl Search<'_> {
    /// All orders that begin with `chain`, until two are found; false if that took too many steps. The depth of the recursion
    /// is the number of layers.
    fn extend(&mut self, chain: &mut Vec<usize>, used: &mut [bool]) -> bool {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return false;
        }
        if chain.len() == self.layers.len() {
            self.found.push(chain.clone());
            return true;
        }
        for k in 0..self.sorted.len() {
            let next = self.sorted[k];
            let fits = chain.last().is_none_or(|&last| self.layers[last].outputs == self.layers[next].inputs);
            if used[next] || !fits || !self.predecessors[next].iter().all(|&p| used[p]) {
                continue;
            }
            used[next] = true;
            chain.push(next);
            let complete = self.extend(chain, used);
            chain.pop();
            used[next] = false;
            if !complete || self.found.len() > 1 {
                return complete;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named<'a>(layers: &[(&'a str, usize, usize)]) -> Vec<Named<'a>> {
        layers.iter().map(|&(name, inputs, outputs)| Named { name, inputs, outputs }).collect()
    }

    fn names<'a>(layers: &[(&'a str, usize, usize)]) -> Result<Vec<&'a str>, &'static str> {
        let order = order(&named(layers)).map_err(|e| e.code())?;
        Ok(order.into_iter().map(|i| layers[i].0).collect())
    }

    #[test]
    fn numbers_count_as_numbers() {
        let layers = [("net.10", 4, 4), ("net.0", 4, 4), ("net.2", 4, 4), ("net.4", 4, 4)];
        assert_eq!(names(&layers), Ok(vec!["net.0", "net.2", "net.4", "net.10"]));
        assert_eq!(names(&[("fc10", 3, 3), ("fc9", 3, 3)]), Ok(vec!["fc9", "fc10"]));
        let blocks = [("b.1.fc1", 3, 3), ("b.0.fc2", 3, 3), ("b.0.fc1", 3, 3), ("b.1.fc2", 3, 3)];
        assert_eq!(names(&blocks), Ok(vec!["b.0.fc1", "b.0.fc2", "b.1.fc1", "b.1.fc2"]));
        let long = "9".repeat(400);
        let longer = format!("x{long}0");
        let long = format!("x{long}");
        assert_eq!(names(&[(&longer, 2, 2), (&long, 2, 2)]), Ok(vec![&*long, &*longer]));
    }

    #[test]
    fn shapes_decide_where_names_do_not() {
        assert_eq!(names(&[("decoder", 3, 1), ("encoder", 7, 3)]), Ok(vec!["encoder", "decoder"]));
        let layers = [("out", 5, 1), ("fc2", 5, 5), ("fc1", 4, 5)];
        assert_eq!(names(&layers), Ok(vec!["fc1", "fc2", "out"]));
        assert_eq!(names(&[("a", 3, 3), ("b", 3, 3)]), Err("layer_order"));
        assert_eq!(names(&[("fc1", 4, 4), ("fc2", 4, 4), ("out", 4, 4)]), Err("layer_order"));
        assert_eq!(names(&[("a", 3, 4), ("b", 5, 6)]), Err("layer_shapes"));
    }

    /// 300 layers of two sizes whose names say nothing: neither an endless search nor a wrong answer.
    #[test]
    fn a_search_ends() {
        let texts: Vec<String> = (0u8..=255).map(|i| format!("{}x", "a".repeat(usize::from(i) + 1))).collect();
        let layers: Vec<Named<'_>> = texts
            .iter()
            .enumerate()
            .map(|(i, name)| Named { name, inputs: 3 + i % 2, outputs: 3 + (i / 2) % 2 })
            .collect();
        assert!(matches!(order(&layers).map_err(|e| e.code()), Err("layer_order" | "layer_shapes")));
    }
}
