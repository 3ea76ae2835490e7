//! Upper bounds of derivatives on a ball, by branch and bound.

use super::bounds::Narrowed;
use super::region::{box_around, distance, halves, middle, shrink_to_ball, widest};
use super::symmetric::Symmetric;
use crate::function::Function;
use gradcert_rigor::Interval;
use std::collections::BinaryHeap;

/// Which quantity of the derivatives is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quantity {
    /// The largest eigenvalue of the Hessian.
    Curvature,
    /// The largest magnitude of a first partial derivative.
    FirstPartials,
    /// The largest magnitude of a second partial derivative.
    SecondPartials,
}

/// A box and an upper bound on it, ordered by the bound.
struct Item {
    upper: f64,
    region: Vec<Interval>,
}

impl PartialEq for Item {
    fn eq(&self, other: &Item) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Item {}
impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Item) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Item {
    fn cmp(&self, other: &Item) -> std::cmp::Ordering {
        self.upper.total_cmp(&other.upper)
    }
}

/// An upper bound of the supremum on the closed ball, within the factor 1 + `tolerance` of a sampled value unless `budget` boxes
/// do not suffice. Infinite if f is not proved to be in C^2 on the ball.
pub(super) fn supremum(
    f: &dyn Function,
    quantity: Quantity,
    (centre, radius): (&[f64], f64),
    tolerance: f64,
    budget: usize,
) -> f64 {
    let mut heap = BinaryHeap::new();
    let mut sampled = f64::NEG_INFINITY;
    let add = |heap: &mut BinaryHeap<Item>, mut region: Vec<Interval>, sampled: &mut f64| {
        if shrink_to_ball(&mut region, centre, radius) {
            let (upper, lower) = bounds(f, quantity, &region);
            if distance(&middle(&region), centre) <= radius {
                *sampled = sampled.max(lower);
            }
            // What is not a number bounds nothing; a negative one would even be sorted below every bound.
            heap.push(Item { upper: if upper.is_nan() { f64::INFINITY } else { upper }, region });
        }
    };
    add(&mut heap, box_around(centre, radius), &mut sampled);
    for _ in 0..budget {
        let Some(top) = heap.peek() else { break };
        if top.upper <= sampled + tolerance * sampled.abs() || widest(&top.region).1 < 1e-9 * radius {
            break;
        }
        let Some(top) = heap.pop() else { break };
        for half in halves(&top.region, widest(&top.region).0) {
            add(&mut heap, half, &mut sampled);
        }
    }
    heap.peek().map_or(f64::INFINITY, |top| top.upper)
}

/// An upper bound on the box, and about the value at its middle.
fn bounds(f: &dyn Function, quantity: Quantity, region: &[Interval]) -> (f64, f64) {
    let unknown = (f64::INFINITY, f64::NEG_INFINITY);
    let Some(whole) = f.enclose(region) else { return unknown };
    let point: Vec<Interval> = middle(region).into_iter().map(Interval::exact).collect();
    let Some(centre) = f.enclose(&point) else { return unknown };
    let p = region.len();
    let eigenvalue = |f: &dyn Fn(usize, usize) -> Interval| Symmetric::new(p, f).largest_eigenvalue();
    match quantity {
        Quantity::Curvature => {
            let at = centre.function();
            let whole = whole.function();
            (eigenvalue(&|i, j| whole.second_partial(i, j)), eigenvalue(&|i, j| at.second_partial(i, j)))
        }
        Quantity::FirstPartials => {
            let offsets: Vec<Interval> = region.iter().zip(&point).map(|(x, c)| *x - *c).collect();
            let narrowed = Narrowed::new(whole.function(), centre.function(), &offsets);
            let largest =
                |values: &mut dyn Iterator<Item = Interval>| values.map(|x| x.magnitude().get()).fold(0.0, f64::max);
            let at_centre = largest(&mut (0..p).map(|i| centre.function().partial(i)));
            (largest(&mut narrowed.gradient.iter().copied()), at_centre)
        }
        Quantity::SecondPartials => {
            let largest = |jet: &crate::function::Jet<Interval>| {
                let all = (0..p * p).map(|at| jet.second_partial(at / p, at % p).magnitude().get());
                all.fold(0.0, f64::max)
            };
            (largest(whole.function()), largest(centre.function()))
        }
    }
}
