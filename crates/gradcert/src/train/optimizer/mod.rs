//! What can train a network: gradient descent, which certificates are about, and two methods that nothing is proved about.
//!
//! All of them minimise the mean loss S in the coordinates u of the metric, with the gradient over all samples.

pub mod adam;
pub mod lbfgs;
mod line_search;

use super::descent::Descent;
use super::flow::Field;
use super::network_flow::NetworkField;
use crate::network::Network;

/// Which method trains.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Algorithm {
    /// `u <- u - eta grad S`.
    GradientDescent {
        /// eta.
        step_size: f64,
    },
    /// [`adam::Adam`].
    Adam {
        /// eta.
        step_size: f64,
    },
    /// [`lbfgs::Lbfgs`].
    Lbfgs,
}

impl Algorithm {
    /// eta, where the method has one.
    pub fn step_size(self) -> Option<f64> {
        match self {
            Algorithm::GradientDescent { step_size } | Algorithm::Adam { step_size } => Some(step_size),
            Algorithm::Lbfgs => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::GradientDescent { .. } => "gradient descent",
            Algorithm::Adam { .. } => "Adam",
            Algorithm::Lbfgs => "L-BFGS",
        }
    }

    /// Are the iterates the same in every orthonormal basis of the inputs (T11)? Adam's are not: it scales coordinate by coordinate.
    pub fn ignores_rotations(self) -> bool {
        !matches!(self, Algorithm::Adam { .. })
    }
}

/// A run in progress.
pub trait Optimizer {
    /// The loss S at the current iteration.
    fn loss(&self) -> f64;
    /// Number of steps taken.
    fn iteration(&self) -> u64;
    /// Length of the path walked, in u.
    fn path(&self) -> f64;
    /// `|u - u_0|`.
    fn distance(&self) -> f64;
    /// The current network.
    fn network(&self) -> Network;
    /// Outputs at the current iteration, one per row.
    fn outputs(&self) -> Vec<f64>;
    /// One step; `false` where the method finds none that lowers the loss.
    fn step(&mut self) -> bool;
}

impl Optimizer for Descent<'_> {
    fn loss(&self) -> f64 {
        Descent::loss(self)
    }

    fn iteration(&self) -> u64 {
        Descent::iteration(self)
    }

    fn path(&self) -> f64 {
        Descent::path(self)
    }

    fn distance(&self) -> f64 {
        Descent::distance(self)
    }

    fn network(&self) -> Network {
        Descent::network(self).clone()
    }

    fn outputs(&self) -> Vec<f64> {
        Descent::outputs(self).to_vec()
    }

    fn step(&mut self) -> bool {
        Descent::step(self);
        true
    }
}

/// A point with value and gradient of a function there.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// x.
    pub x: Vec<f64>,
    /// `f(x)`.
    pub value: f64,
    /// The gradient at x.
    pub gradient: Vec<f64>,
}

impl Point {
    /// Evaluates f at x.
    pub fn at(f: &dyn Field, x: Vec<f64>) -> Point {
        let mut gradient = vec![0.0; x.len()];
        let value = f.gradient(&x, &mut gradient);
        Point { x, value, gradient }
    }

    /// Evaluates f at `x + t d`.
    fn along(&self, f: &dyn Field, t: f64, direction: &[f64]) -> Point {
        Point::at(f, self.x.iter().zip(direction).map(|(x, d)| x + t * d).collect())
    }
}

/// A rule that goes from a point to the next one.
pub trait Method {
    /// One step; `false`, and the same point, where none is found that lowers f.
    fn step(&mut self, f: &dyn Field, point: &mut Point) -> bool;
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

/// A method at work on the loss of a network.
pub struct Walk {
    field: NetworkField,
    method: Box<dyn Method>,
    start: Vec<f64>,
    point: Point,
    path: f64,
    iteration: u64,
}

impl Walk {
    /// At the start, iteration 0.
    pub fn new(field: NetworkField, start: &Network, method: Box<dyn Method>) -> Walk {
        let u = field.parameters(start);
        let point = Point::at(&field, u.clone());
        Walk { field, method, start: u, point, path: 0.0, iteration: 0 }
    }
}

impl Optimizer for Walk {
    fn loss(&self) -> f64 {
        self.point.value
    }

    fn iteration(&self) -> u64 {
        self.iteration
    }

    fn path(&self) -> f64 {
        self.path
    }

    fn distance(&self) -> f64 {
        distance(&self.point.x, &self.start)
    }

    fn network(&self) -> Network {
        self.field.network(&self.point.x)
    }

    fn outputs(&self) -> Vec<f64> {
        self.field.outputs(&self.point.x)
    }

    fn step(&mut self) -> bool {
        let before = self.point.x.clone();
        let moved = self.method.step(&self.field, &mut self.point);
        if moved {
            self.path += distance(&before, &self.point.x);
            self.iteration += 1;
        }
        moved
    }
}

#[cfg(test)]
mod tests;
