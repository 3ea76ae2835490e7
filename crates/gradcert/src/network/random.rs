//! Random starts, reproducible: one stream of a counter-based generator per layer.

use super::Network;
use super::activation::Activation;
use super::truncated::excess;
use faer::Mat;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

/// The laws of the entries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Law {
    /// LeCun: entries of W_l are N(0, 1/d_{l-1}), biases 0.
    LeCun,
    /// Their absolute values.
    AbsoluteLeCun,
    /// He et al. 2015: entries of W_l are N(0, 2/d_{l-1}), biases 0.
    He,
    /// Glorot and Bengio 2010, the normal form: entries of W_l are N(0, 2/(d_{l-1} + d_l)), biases 0.
    Xavier,
    /// LeCun, given that all entries of `W_2, ..., W_L` lie in `[low, high]`, `0 < low <= high`: the event of (T10). Entries
    /// are independent, so each is drawn from its own truncated law; no start is ever thrown away.
    Conditional {
        /// The smallest entry.
        low: f64,
        /// The largest entry.
        high: f64,
    },
}

/// A start drawn with a seed. The same seed gives the same start on every machine and for every number of threads.
pub fn draw(activation: Activation, widths: &[usize], law: Law, seed: u64) -> Network {
    let layers = widths.len() - 1;
    let mut weights = vec![Mat::zeros(0, 0)];
    for l in 1..=layers {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        random.set_stream(l as u64);
        let mut w = Mat::zeros(widths[l], widths[l - 1]);
        let scale = deviation(law, widths[l - 1], widths[l]);
        // Row by row, so that a stream does not depend on how matrices are stored.
        for i in 0..widths[l] {
            for j in 0..widths[l - 1] {
                w[(i, j)] = entry(law, l, scale, widths[l - 1], &mut random);
            }
        }
        weights.push(w);
    }
    let biases = std::iter::once(vec![]).chain(widths[1..].iter().map(|&d| vec![0.0; d])).collect();
    Network { activation, weights, biases }
}

/// Standard deviation of the entries of a matrix (of the normal law before conditions and absolute values).
fn deviation(law: Law, inputs: usize, outputs: usize) -> f64 {
    match law {
        Law::LeCun | Law::AbsoluteLeCun | Law::Conditional { .. } => 1.0 / (inputs as f64).sqrt(),
        Law::He => (2.0 / inputs as f64).sqrt(),
        Law::Xavier => (2.0 / (inputs as f64 + outputs as f64)).sqrt(),
    }
}

/// One entry of W_l, a matrix with `inputs` columns.
fn entry(law: Law, l: usize, scale: f64, inputs: usize, random: &mut ChaCha12Rng) -> f64 {
    match law {
        Law::Conditional { low, high } if l > 1 => {
            let root = (inputs as f64).sqrt();
            (low + scale * excess(low * root, (high - low) * root, random)).max(low).min(high)
        }
        _ => {
            let x: f64 = StandardNormal.sample(random);
            scale * if law == Law::AbsoluteLeCun { x.abs() } else { x }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditional_entries_lie_in_the_box_and_the_first_layer_is_lecun() {
        for (low, high) in [(1.0, 2.0), (1e-3, 2e-3), (40.0, 80.0), (1e6, 2e6)] {
            let law = Law::Conditional { low, high };
            let network = draw(Activation::Tanh, &[5, 7, 6, 1], law, 3);
            for w in &network.weights[2..] {
                let entries = || (0..w.ncols()).flat_map(|j| (0..w.nrows()).map(move |i| w[(i, j)]));
                assert!(entries().all(|x| low <= x && x <= high));
                assert!(entries().any(|x| x != low), "[{low}, {high}]");
            }
            let plain = draw(Activation::Tanh, &[5, 7, 6, 1], Law::LeCun, 3);
            assert_eq!(network.weights[1], plain.weights[1]);
        }
    }

    /// The same stream under every law of one scale.
    #[test]
    fn he_and_xavier_are_lecun_rescaled() {
        let widths = [5, 7, 3, 1];
        let lecun = draw(Activation::Tanh, &widths, Law::LeCun, 11);
        for (law, square) in [(Law::He, [2.0, 2.0, 2.0]), (Law::Xavier, [10.0 / 12.0, 14.0 / 10.0, 6.0 / 4.0])] {
            let network = draw(Activation::Tanh, &widths, law, 11);
            for l in 1..=3 {
                let expected = &lecun.weights[l] * faer::Scale(f64::sqrt(square[l - 1]));
                assert!((&network.weights[l] - &expected).norm_max() < 1e-15 * expected.norm_max() * 4.0, "{law:?}");
            }
            assert!(network.biases.iter().flatten().all(|&b| b == 0.0));
        }
    }

    /// Variances of many entries; the standard error of a share is sqrt(2/60000) = 0.0058.
    #[test]
    fn variances_are_those_of_the_laws() {
        for (law, variance) in [(Law::LeCun, 1.0 / 300.0), (Law::He, 2.0 / 300.0), (Law::Xavier, 2.0 / 500.0)] {
            let w = &draw(Activation::Tanh, &[300, 200, 1], law, 5).weights[1];
            assert!((w.squared_norm_l2() / 60_000.0 / variance - 1.0).abs() < 0.024, "{law:?}");
        }
    }

    /// The first numbers of a stream, as drawn when the law was added: a start is named by its seed for good.
    #[test]
    fn a_seed_names_a_start() {
        let network = draw(Activation::Tanh, &[2, 2, 1], Law::Conditional { low: 1.0, high: 2.0 }, 7);
        let again = draw(Activation::Tanh, &[2, 2, 1], Law::Conditional { low: 1.0, high: 2.0 }, 7);
        assert_eq!(network, again);
        let bits = [network.weights[2][(0, 0)].to_bits(), network.weights[2][(0, 1)].to_bits()];
        assert_eq!(bits, [4608123349057299636, 4607553766381629398]);
    }
}
