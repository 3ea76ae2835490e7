//! L-BFGS: the inverse Hessian is modelled by the last few steps and changes of the gradient (Nocedal 1980), steps satisfy the strong
//! Wolfe conditions.

use super::line_search::strong_wolfe;
use super::{Method, Point};
use crate::network::product::dot;
use crate::train::flow::Field;
use std::collections::VecDeque;

/// A step s, the change y of the gradient over it, and `1 / (s.y)`.
#[derive(Clone, Debug)]
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    inverse: f64,
}

/// With gamma = `s.y / y.y` of the last pair, `H_0 = gamma I`, and for each pair, the oldest first,
/// `H <- (I - s y^T / s.y) H (I - y s^T / s.y) + s s^T / s.y`; the direction is `-H g`. Without pairs it is `-g`.
#[derive(Clone, Debug)]
pub struct Lbfgs {
    memory: usize,
    pairs: VecDeque<Pair>,
}

impl Lbfgs {
    /// The usual number of pairs.
    pub const MEMORY: usize = 20;

    /// With at most so many pairs.
    pub fn new(memory: usize) -> Lbfgs {
        Lbfgs { memory, pairs: VecDeque::new() }
    }

    /// `-H g` in two loops over the pairs; H is never formed.
    fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let mut shares = vec![];
        for pair in self.pairs.iter().rev() {
            let a = pair.inverse * dot(&pair.step, &q);
            q.iter_mut().zip(&pair.change).for_each(|(q, y)| *q -= a * y);
            shares.push(a);
        }
        if let Some(last) = self.pairs.back() {
            let gamma = 1.0 / (last.inverse * dot(&last.change, &last.change));
            q.iter_mut().for_each(|q| *q *= gamma);
        }
        for (pair, a) in self.pairs.iter().zip(shares.into_iter().rev()) {
            let b = pair.inverse * dot(&pair.change, &q);
            q.iter_mut().zip(&pair.step).for_each(|(q, s)| *q += (a - b) * s);
        }
        q
    }

    /// Remembers a step, unless rounding took the positive curvature that the conditions of the search promise.
    fn remember(&mut self, before: &Point, after: &Point) {
        let difference = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
        let (step, change) = (difference(&after.x, &before.x), difference(&after.gradient, &before.gradient));
        let curvature = dot(&step, &change);
        if curvature > f64::EPSILON * (dot(&step, &step) * dot(&change, &change)).sqrt() {
            self.pairs.push_back(Pair { step, change, inverse: 1.0 / curvature });
            if self.pairs.len() > self.memory {
                self.pairs.pop_front();
            }
        }
    }
}

impl Method for Lbfgs {
    fn step(&mut self, f: &dyn Field, point: &mut Point) -> bool {
        loop {
            let direction = self.direction(&point.gradient);
            // The first step is at most of unit length; later ones have the length of Newton's.
            let first = if self.pairs.is_empty() { dot(&direction, &direction).sqrt().recip().min(1.0) } else { 1.0 };
            if let Some(next) = strong_wolfe(f, point, &direction, first) {
                self.remember(point, &next);
                *point = next;
                return true;
            }
            // The model may be at fault: once more along the gradient.
            if self.pairs.is_empty() {
                return false;
            }
            self.pairs.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::optimizer::tests::{Formula, quadratic};
    use faer::Mat;

    /// The two loops against the matrix H of the definition.
    #[test]
    fn the_direction_is_that_of_the_matrix() {
        let f = quadratic(&[1.0, 3.0, 10.0, 0.2]);
        let mut method = Lbfgs::new(3);
        let mut point = Point::at(&f, vec![1.0, -2.0, 0.5, 3.0]);
        for _ in 0..6 {
            assert!(method.step(&f, &mut point));
        }
        assert_eq!(method.pairs.len(), 3);
        let column = |v: &[f64]| Mat::from_fn(4, 1, |i, _| v[i]);
        let last = method.pairs.back().expect("three pairs");
        let mut h =
            Mat::<f64>::identity(4, 4) * faer::Scale(dot(&last.step, &last.change) / dot(&last.change, &last.change));
        for pair in &method.pairs {
            let (s, y) = (column(&pair.step), column(&pair.change));
            let (product, identity) = (dot(&pair.step, &pair.change), Mat::<f64>::identity(4, 4));
            let left = &identity - &s * y.transpose() * faer::Scale(1.0 / product);
            h = &left * &h * left.transpose() + &s * s.transpose() * faer::Scale(1.0 / product);
        }
        let expected = h * column(&point.gradient) * faer::Scale(-1.0);
        let direction = column(&method.direction(&point.gradient));
        assert!((&direction - &expected).norm_max() < 1e-12 * expected.norm_max());
    }

    #[test]
    fn the_curved_valley_of_rosenbrock() {
        let f = Formula(|x: &[f64], gradient: &mut [f64]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            (gradient[0], gradient[1]) = (-2.0 * a - 400.0 * b * x[0], 200.0 * b);
            a * a + 100.0 * b * b
        });
        let mut point = Point::at(&f, vec![-1.2, 1.0]);
        let mut method = Lbfgs::new(10);
        let steps = (0..100).take_while(|_| point.value > 1e-20 && method.step(&f, &mut point)).count();
        assert!(point.value <= 1e-20 && steps <= 45, "{steps} steps to {:e}", point.value);
        assert!((point.x[0] - 1.0).abs() < 1e-9 && (point.x[1] - 1.0).abs() < 1e-9);
    }

    /// Thirty eigenvalues between 1 and the condition; SciPy's L-BFGS-B needs the numbers of iterations beside them.
    #[test]
    fn as_fast_as_others_on_badly_scaled_quadratics() {
        for (condition, memory, elsewhere) in [(1e3, 20, 267), (1e4, 20, 761), (1e4, 40, 269), (1e3, 10, 333)] {
            let scales: Vec<f64> = (0..30).map(|k| f64::powf(condition, f64::from(k) / 29.0)).collect();
            let f = quadratic(&scales);
            let (mut point, mut method) = (Point::at(&f, vec![1.0; 30]), Lbfgs::new(memory));
            let steps = (0..1000).take_while(|_| point.value > 1e-20 && method.step(&f, &mut point)).count();
            assert!(point.value <= 1e-20 && 10 * steps < 13 * elsewhere, "{condition:e}, {memory}: {steps}");
        }
    }

    #[test]
    fn at_a_minimum_there_is_no_step() {
        let f = quadratic(&[1.0, 2.0]);
        let mut point = Point::at(&f, vec![0.0, 0.0]);
        let before = point.clone();
        assert!(!Lbfgs::new(5).step(&f, &mut point));
        assert_eq!(point, before);
    }
}
