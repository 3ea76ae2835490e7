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
        // Row by row, so that a stream does not depend on how matrices are stored.
        for i in 0..widths[l] {
            for j in 0..widths[l - 1] {
                w[(i, j)] = entry(law, l, widths[l - 1], &mut random);
            }
        }
        weights.push(w);
    }
    let biases = std::iter::once(vec![]).chain(widths[1..].iter().map(|&d| vec![0.0; d])).collect();
    Network { activation, weights, biases }
}

/// One entry of W_l, a matrix with `inputs` columns.
fn entry(law: Law, l: usize, inputs: usize, random: &mut ChaCha12Rng) -> f64 {
    let scale = 1.0 / (inputs as f64).sqrt();
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
