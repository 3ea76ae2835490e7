//! An implementation of networks, their derivatives and descent that shares nothing with the library: loops over
//! samples, dense Jacobians, a Jacobi singular value decomposition. Slow, short, and only for tests.

// Every test binary uses a part of it.
#![allow(dead_code)]

pub(crate) mod case;
pub(crate) mod plain;
pub(crate) mod record;
pub(crate) mod series;
pub(crate) mod sigma;
pub(crate) mod singular;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

/// A seeded stream of random choices.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Uniform in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// `10^x`, x uniform.
    pub(crate) fn decades(&mut self, low: f64, high: f64) -> f64 {
        10f64.powf(self.uniform(low, high))
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// low, ..., high.
    pub(crate) fn integer(&mut self, low: usize, high: usize) -> usize {
        low + (self.0.next_u64() % (high - low + 1) as u64) as usize
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.integer(0, choices.len() - 1)]
    }

    pub(crate) fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    pub(crate) fn normals(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.normal()).collect()
    }
}

pub(crate) fn norm(v: &[f64]) -> f64 {
    let largest = v.iter().fold(0.0f64, |a, x| a.max(x.abs()));
    if largest == 0.0 { 0.0 } else { largest * v.iter().map(|x| (x / largest).powi(2)).sum::<f64>().sqrt() }
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// `length v / |v|`, or `None` for 0.
pub(crate) fn scaled_to(v: &[f64], length: f64) -> Option<Vec<f64>> {
    let size = norm(v);
    (size > 0.0 && size.is_finite()).then(|| v.iter().map(|x| x / size * length).collect())
}
