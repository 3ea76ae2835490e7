//! Adam (Kingma and Ba 2015) with bias correction, on the full gradient.

use super::{Method, Point};
use crate::train::flow::Field;

/// `m <- b1 m + (1 - b1) g`, `v <- b2 v + (1 - b2) g o g`, `x <- x - eta (m / (1 - b1^k)) / (sqrt(v / (1 - b2^k)) + eps)`, all
/// entrywise: it depends on the coordinates.
#[derive(Clone, Debug)]
pub struct Adam {
    step_size: f64,
    mean: Vec<f64>,
    square: Vec<f64>,
    /// `b1^k`, `b2^k`.
    powers: (f64, f64),
}

impl Adam {
    /// b1, as published.
    pub const MEAN_DECAY: f64 = 0.9;
    /// b2, as published.
    pub const SQUARE_DECAY: f64 = 0.999;
    /// eps, as published.
    pub const EPSILON: f64 = 1e-8;
    /// eta, as published.
    pub const STEP_SIZE: f64 = 1e-3;

    /// In `dimension` coordinates.
    pub fn new(step_size: f64, dimension: usize) -> Adam {
        Adam { step_size, mean: vec![0.0; dimension], square: vec![0.0; dimension], powers: (1.0, 1.0) }
    }
}

impl Method for Adam {
    fn step(&mut self, f: &dyn Field, point: &mut Point) -> bool {
        let (b1, b2) = (Adam::MEAN_DECAY, Adam::SQUARE_DECAY);
        self.powers = (b1 * self.powers.0, b2 * self.powers.1);
        let (first, second) = (1.0 - self.powers.0, 1.0 - self.powers.1);
        let moments = self.mean.iter_mut().zip(&mut self.square);
        for ((x, g), (m, v)) in point.x.iter_mut().zip(&point.gradient).zip(moments) {
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            *x -= self.step_size * (*m / first) / ((*v / second).sqrt() + Adam::EPSILON);
        }
        point.value = f.gradient(&point.x, &mut point.gradient);
        true
    }
}
