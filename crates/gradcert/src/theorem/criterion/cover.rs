//! phi by branch and bound: boxes that cover a ball, split where it pays.
//!
//! `phi(s) = inf { sqrt q : B(x0, s), f > 0 }`. The boxes cover B(x0, R), so at every s <= R phi(s)^2 is at least the smallest bound among
//! the boxes with a point within distance s: one cover gives the whole step function. Doubles sampled on the way say how large
//! phi can be at most; they decide where to split and when to stop, and prove nothing.

use super::bounds::{Leaf, leaf};
use super::profile::Profile;
use super::region::{box_around, distance, halves, middle, shrink_to_ball};
use super::zeros::find_zero;
use crate::function::Function;
use gradcert_rigor::Interval;
use gradcert_rigor::rounding::sqrt_down;

/// Boxes narrower than this fraction of the radius on which nothing is proved are given up, ...
const HOPELESS: f64 = 1e-6;
/// ... or this one, if the function is not defined on all of the box.
const HOPELESS_UNDEFINED: f64 = 2e-3;
/// At most so many zeros are looked for.
const MOST_ZEROS: usize = 16;

/// A cover of the ball of radius R around the start.
pub(super) struct Cover<'a> {
    f: &'a dyn Function,
    start: &'a [f64],
    start_value: f64,
    /// Right ends of the cells of the step function.
    radii: Vec<f64>,
    leaves: Vec<Leaf>,
    /// For each cell the smallest sampled sqrt q and the distance of the sample.
    samples: Vec<(f64, f64)>,
    zeros: Vec<Vec<f64>>,
    /// Boxes evaluated.
    pub(super) work: usize,
    /// Beyond, something remains unproved whatever is split.
    pub(super) dead: f64,
    /// Was a box given up on which f is not defined, or not proved to be >= 0?
    pub(super) undefined: bool,
    pub(super) sign_unproved: bool,
    /// A point with f < 0, if one was met.
    pub(super) negative: Option<Vec<f64>>,
}

impl<'a> Cover<'a> {
    pub(super) fn new(f: &'a dyn Function, start: &'a [f64], radius: f64, cells: usize) -> Cover<'a> {
        let mut radii: Vec<f64> = (1..=cells).map(|j| radius * (j as f64 / cells as f64)).collect();
        if let Some(last) = radii.last_mut() {
            *last = radius;
        }
        let mut cover = Cover {
            f,
            start,
            start_value: f.value(start),
            radii,
            leaves: vec![],
            samples: vec![(f64::INFINITY, 0.0); cells],
            zeros: vec![],
            work: 0,
            dead: f64::INFINITY,
            undefined: false,
            sign_unproved: false,
            negative: None,
        };
        cover.sample(start);
        if !cover.squares_suffice() {
            cover.zeros.extend(find_zero(f, start, 2.0 * radius));
        }
        cover.add(box_around(start, radius));
        cover
    }

    /// Is f a sum of at most as many squares as variables? Then zeros need no special care.
    fn squares_suffice(&self) -> bool {
        let point: Vec<Interval> = self.start.iter().map(|&c| Interval::exact(c)).collect();
        let terms = self.f.enclose(&point).map_or(0, |e| e.residuals().len());
        (1..=self.start.len()).contains(&terms)
    }

    fn radius(&self) -> f64 {
        self.radii.last().copied().unwrap_or(0.0)
    }

    /// Evaluates a box, unless it lies outside of the ball.
    fn add(&mut self, mut region: Vec<Interval>) {
        let radius = self.radius();
        if !shrink_to_ball(&mut region, self.start, radius) {
            return;
        }
        self.work += 1;
        let mut new = leaf(self.f, region, self.start, &self.zeros);
        let may_touch_zero = new.bound(new.far) == 0.0 && new.defined;
        if may_touch_zero && new.width() < 0.05 * radius && self.zeros.len() < MOST_ZEROS && self.look_for_zero(&new) {
            new = leaf(self.f, new.region, self.start, &self.zeros);
        }
        self.sample_in(&new);
        self.give_up(&new);
        if new.near <= radius {
            self.leaves.push(new);
        }
    }

    fn look_for_zero(&mut self, leaf: &Leaf) -> bool {
        let at = middle(&leaf.region);
        let Some(zero) = find_zero(self.f, &at, 4.0 * leaf.width()) else { return false };
        if self.zeros.contains(&zero) {
            return false;
        }
        self.zeros.push(zero);
        true
    }

    /// Marks the distances from which on nothing can be proved.
    fn give_up(&mut self, leaf: &Leaf) {
        if leaf.bound(leaf.far) > 0.0 {
            return;
        }
        let smallest = if leaf.defined { HOPELESS } else { HOPELESS_UNDEFINED };
        if leaf.width() > smallest * self.radius() || leaf.near >= self.dead {
            return;
        }
        self.dead = leaf.near;
        self.undefined = !leaf.defined;
        self.sign_unproved = leaf.defined && !leaf.nonnegative;
    }

    fn sample_in(&mut self, leaf: &Leaf) {
        let centre = middle(&leaf.region);
        self.sample(&centre);
        // The corner towards which q falls, found by differences of samples, is where the infimum is approached.
        let q = sampled_q(self.f, &centre, self.start_value);
        let mut corner = centre.clone();
        for (i, side) in leaf.region.iter().enumerate() {
            let mut moved = centre.clone();
            moved[i] = side.hi();
            corner[i] = if sampled_q(self.f, &moved, self.start_value) < q { side.hi() } else { side.lo() };
        }
        let length = distance(&corner, self.start);
        if length > self.radius() {
            let factor = self.radius() / length * (1.0 - 1e-15);
            for (x, &x0) in corner.iter_mut().zip(self.start) {
                *x = x0 + factor * (*x - x0);
            }
        }
        self.sample(&corner);
    }

    fn sample(&mut self, x: &[f64]) {
        let length = distance(x, self.start);
        let value = self.f.value(x);
        if length > self.radius() || value.is_nan() {
            return;
        }
        if value < 0.0 && self.negative.is_none() && self.is_negative(x) {
            self.negative = Some(x.to_vec());
        }
        let phi = sampled_q(self.f, x, self.start_value).sqrt();
        let cell = ((length / self.radius() * self.radii.len() as f64) as usize).min(self.radii.len() - 1);
        if phi < self.samples[cell].0 {
            self.samples[cell] = (phi, length);
        }
    }

    /// Is f < 0 proved at x?
    fn is_negative(&self, x: &[f64]) -> bool {
        let point: Vec<Interval> = x.iter().map(|&c| Interval::exact(c)).collect();
        self.f.enclose(&point).is_some_and(|e| e.function().value().hi() < 0.0)
    }

    /// What phi may be at the right ends of the cells, as far as samples tell: the smallest ones, joined by straight lines.
    pub(super) fn sampled(&self) -> Vec<f64> {
        let mut records: Vec<(f64, f64)> = vec![];
        for &(phi, length) in &self.samples {
            if phi < records.last().map_or(f64::INFINITY, |r| r.1) {
                records.push((length, phi));
            }
        }
        let mut next = 0;
        let value_at = |s: f64| {
            while next < records.len() && records[next].0 <= s {
                next += 1;
            }
            let Some(&(d0, p0)) = next.checked_sub(1).and_then(|i| records.get(i)) else { return f64::INFINITY };
            records.get(next).map_or(p0, |&(d1, p1)| p0 + (p1 - p0) * ((s - d0) / (d1 - d0)))
        };
        self.radii.iter().copied().map(value_at).collect()
    }

    /// The proved step function.
    pub(super) fn profile(&self) -> Profile {
        let cells = self.radii.len();
        let mut squares = vec![f64::INFINITY; cells];
        for leaf in &self.leaves {
            for j in self.first_cell(leaf.near)..cells {
                squares[j] = squares[j].min(leaf.bound(self.radii[j]));
                // Beyond its far end the bound of a box is constant, and phi does not increase.
                if self.radii[j] >= leaf.far {
                    break;
                }
            }
        }
        let mut least = f64::INFINITY;
        let phi = squares.iter().map(|&q| {
            least = least.min(q);
            sqrt_down(least.clamp(0.0, f64::MAX))
        });
        Profile::new(self.radii.clone(), phi.collect())
    }

    /// The first cell whose right end is not below this lower bound of a distance; the last one if there is none.
    fn first_cell(&self, near: f64) -> usize {
        let last = self.radii.len() - 1;
        let quotient = near / self.radius() * self.radii.len() as f64;
        // Rounding may move the quotient by 1; the comparison decides.
        let begin = (quotient as usize).saturating_sub(1).min(last);
        (begin..last).find(|&j| self.radii[j] >= near).unwrap_or(last)
    }

    /// Splits boxes until the proved step function is within `tolerance` (relative to the mean of phi) of the sampled one on the
    /// radii up to `limit`, or `budget` boxes have been evaluated. Returns whether the tolerance was reached.
    pub(super) fn refine(&mut self, tolerance: f64, limit: f64, budget: usize) -> bool {
        loop {
            let target = self.sampled();
            let known: Vec<f64> = target.iter().copied().filter(|x| x.is_finite()).collect();
            let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
            let end = limit.min(self.dead);
            let critical = |leaf: &Leaf| self.is_critical(leaf, &target, tolerance * mean, end);
            let split: Vec<bool> = self.leaves.iter().map(critical).collect();
            if !split.contains(&true) {
                return true;
            }
            let mut split = split.into_iter();
            let (parents, kept) =
                std::mem::take(&mut self.leaves).into_iter().partition(|_| split.next() == Some(true));
            self.leaves = kept;
            let mut parents: Vec<Leaf> = parents;
            // Near ones first: what fails there ends the search early.
            parents.sort_by(|a, b| a.near.total_cmp(&b.near));
            let mut parents = parents.into_iter();
            for parent in parents.by_ref() {
                let [left, right] = halves(&parent.region, parent.coordinate);
                self.add(left);
                self.add(right);
                if self.work >= budget {
                    self.leaves.extend(parents);
                    return false;
                }
            }
        }
    }

    fn is_critical(&self, leaf: &Leaf, target: &[f64], slack: f64, end: f64) -> bool {
        if leaf.near >= end || leaf.width() < 0.5 * HOPELESS * self.radius() {
            return false;
        }
        for j in self.first_cell(leaf.near)..target.len() {
            // The cells resolve no more than their width.
            let wanted = target[(j + 1).min(target.len() - 1)] - slack;
            if wanted.is_finite() && wanted > 0.0 && leaf.bound(self.radii[j]) < wanted * wanted {
                return true;
            }
            if self.radii[j] >= leaf.far.min(end) {
                break;
            }
        }
        false
    }
}

/// q in doubles; infinite where it says nothing: f = 0, f lost to rounding next to a zero, f not defined.
fn sampled_q(f: &dyn Function, x: &[f64], start_value: f64) -> f64 {
    let mut gradient = vec![0.0; x.len()];
    let value = f.gradient(x, &mut gradient);
    if value.is_nan() || value <= 1e-12 * start_value {
        return f64::INFINITY;
    }
    let q: f64 = gradient.iter().map(|g| 0.25 * (g / value) * g).sum();
    if q.is_nan() { f64::INFINITY } else { q }
}
