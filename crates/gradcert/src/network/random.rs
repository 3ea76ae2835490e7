//! Random starts, reproducible: one stream of a counter-based generator per layer.

use super::Network;
use super::activation::Activation;
use faer::Mat;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

/// The laws of the entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// LeCun: entries of W_l are N(0, 1/d_{l-1}), biases 0.
    LeCun,
    /// Their absolute values.
    AbsoluteLeCun,
}

/// A start drawn with a seed. The same seed gives the same start on every machine and for every number of threads.
pub fn draw(activation: Activation, widths: &[usize], law: Law, seed: u64) -> Network {
    let layers = widths.len() - 1;
    let mut weights = vec![Mat::zeros(0, 0)];
    for l in 1..=layers {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        random.set_stream(l as u64);
        let scale = 1.0 / (widths[l - 1] as f64).sqrt();
        let mut w = Mat::zeros(widths[l], widths[l - 1]);
        // Row by row, so that a stream does not depend on how matrices are stored.
        for i in 0..widths[l] {
            for j in 0..widths[l - 1] {
                let x: f64 = StandardNormal.sample(&mut random);
                w[(i, j)] = scale * if law == Law::AbsoluteLeCun { x.abs() } else { x };
            }
        }
        weights.push(w);
    }
    let biases = std::iter::once(vec![]).chain(widths[1..].iter().map(|&d| vec![0.0; d])).collect();
    Network { activation, weights, biases }
}
