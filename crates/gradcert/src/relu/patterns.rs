//! Activation patterns as bits, and the tangent kernel by counting.

use faer::Mat;
use rayon::prelude::*;

const WORD: usize = u64::BITS as usize;

/// Which of m neurons are active at which of n samples: a row of bits per sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patterns {
    samples: usize,
    words: usize,
    bits: Vec<u64>,
}

impl Patterns {
    /// From the pre-activations, n x m: neuron r is active at sample i if `z_ir >= 0`.
    pub fn of(z: &Mat<f64>) -> Patterns {
        Patterns::new(z.nrows(), z.ncols(), |i, r| z[(i, r)] >= 0.0)
    }

    /// From a rule.
    pub fn new(samples: usize, neurons: usize, active: impl Fn(usize, usize) -> bool + Sync) -> Patterns {
        let words = neurons.div_ceil(WORD);
        let mut bits = vec![0; samples * words];
        // By blocks of neurons: a column of z lies together in memory.
        let columns: Vec<Vec<u64>> = (0..words)
            .into_par_iter()
            .map(|block| {
                let mut column = vec![0; samples];
                for r in block * WORD..neurons.min((block + 1) * WORD) {
                    for (i, word) in column.iter_mut().enumerate() {
                        *word |= u64::from(active(i, r)) << (r % WORD);
                    }
                }
                column
            })
            .collect();
        for (block, column) in columns.iter().enumerate() {
            column.iter().enumerate().for_each(|(i, word)| bits[i * words + block] = *word);
        }
        Patterns { samples, words, bits }
    }

    fn row(&self, i: usize) -> &[u64] {
        &self.bits[i * self.words..(i + 1) * self.words]
    }

    /// In how many neurons samples i and j are both active, for `j <= i` at `i (i + 1) / 2 + j`: n^2 m / 128 words.
    pub fn counts(&self) -> Vec<u32> {
        let of_row = |i: usize| (0..=i).map(|j| common(self.row(i), self.row(j))).collect::<Vec<u32>>();
        (0..self.samples).into_par_iter().map(of_row).collect::<Vec<_>>().concat()
    }

    /// The number of pairs (sample, neuron) in which two patterns differ.
    ///
    /// # Panics
    /// If the sizes differ.
    pub fn changes(&self, other: &Patterns) -> u64 {
        assert_eq!((self.samples, self.words), (other.samples, other.words), "the sizes differ");
        self.bits.iter().zip(&other.bits).map(|(x, y)| u64::from((x ^ y).count_ones())).sum()
    }

    /// `K_ij = x_i.x_j #{r: i and j active} / m` (n x n), the tangent kernel of the first layer, from the Gram matrix of the samples.
    pub fn kernel(&self, gram: &Mat<f64>, neurons: usize) -> Mat<f64> {
        let (counts, n) = (self.counts(), self.samples);
        Mat::from_fn(n, n, |i, j| {
            let (i, j) = (i.max(j), i.min(j));
            gram[(i, j)] * (f64::from(counts[i * (i + 1) / 2 + j]) / neurons as f64)
        })
    }
}

fn common(x: &[u64], y: &[u64]) -> u32 {
    x.iter().zip(y).map(|(x, y)| (x & y).count_ones()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relu::start::Start;

    #[test]
    fn counting_bits_is_the_product_of_indicators() {
        for m in [1, 63, 64, 65, 200] {
            let start = Start::draw(m, 3, false, 4);
            let x = Mat::from_fn(5, 3, |i, j| ((i * 3 + j) as f64).sin());
            let z = &x * start.weights();
            let active = Mat::from_fn(5, m, |i, r| f64::from(u8::from(z[(i, r)] >= 0.0)));
            let gram = &x * x.transpose();
            let product = &active * active.transpose();
            let kernel = Patterns::of(&z).kernel(&gram, m);
            for i in 0..5 {
                for j in 0..5 {
                    assert!((kernel[(i, j)] - gram[(i, j)] * product[(i, j)] / m as f64).abs() < 1e-15);
                }
            }
        }
    }

    #[test]
    fn changes_are_counted_once() {
        let at = |flipped: usize| Patterns::new(3, 130, |i, r| (i + r) % 3 == 0 || (i == 1 && r < flipped));
        let base = at(0);
        assert_eq!(base.changes(&base), 0);
        // Of neurons 0..129 at sample 1, every third is active already (r = 2, 5, ...).
        assert_eq!(base.changes(&at(129)), 86);
    }
}
