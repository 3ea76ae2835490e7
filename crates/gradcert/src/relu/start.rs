//! Starts of two-layer ReLU networks: drawn with a seed, written to a file and read again.

use faer::Mat;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

/// Weights of the first layer and signs of the second.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    weights: Mat<f64>,
    signs: Vec<f64>,
    antisymmetric: bool,
}

/// What is no start, or no file of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The file is no start.
    #[error("no start of a two-layer ReLU network: {0}")]
    File(String),
    /// Weights and signs do not belong together.
    #[error("{0}")]
    Shape(String),
}

impl StartError {
    /// A stable code.
    pub fn code(&self) -> &'static str {
        match self {
            StartError::File(_) => "relu_start_file",
            StartError::Shape(_) => "relu_start_shape",
        }
    }
}

impl Start {
    /// A start with given weights (d x m: column r is `w_r`) and signs (m, each +1 or -1).
    ///
    /// # Errors
    /// [`StartError::Shape`] if the sizes differ, one is 0, a sign is no sign or a weight not finite.
    pub fn new(weights: Mat<f64>, signs: Vec<f64>) -> Result<Start, StartError> {
        let shape = |reason: &str| Err(StartError::Shape(reason.to_owned()));
        if weights.ncols() != signs.len() || signs.is_empty() || weights.nrows() == 0 {
            return shape("one sign per neuron, and at least one neuron and one feature");
        }
        if !signs.iter().all(|&a| a == 1.0 || a == -1.0) {
            return shape("the output weights must be +1 or -1");
        }
        if !(0..weights.ncols()).all(|r| weights.col_as_slice(r).iter().all(|x| x.is_finite())) {
            return shape("a weight is not finite");
        }
        let half = signs.len() / 2;
        let antisymmetric = signs.len().is_multiple_of(2)
            && (0..half)
                .all(|r| signs[r] == -signs[r + half] && weights.col_as_slice(r) == weights.col_as_slice(r + half));
        Ok(Start { weights, signs, antisymmetric })
    }

    /// Draws the rows of W from N(0, 1), one after the other from one stream: the start of the same seed and a larger width
    /// begins with the same rows. *Antisymmetric*: neurons r and r + m/2 have the same weights and the signs +1 and -1, so
    /// that every output is exactly 0 (an odd width is rounded up); otherwise the signs are fair coins. The same seed gives
    /// the same start on every machine.
    pub fn draw(width: usize, features: usize, antisymmetric: bool, seed: u64) -> Start {
        let drawn = if antisymmetric { width.div_ceil(2) } else { width };
        let stream = |number: u64| {
            let mut random = ChaCha12Rng::seed_from_u64(seed);
            random.set_stream(number);
            random
        };
        let (mut rows, mut coins) = (stream(1), stream(2));
        let width = if antisymmetric { 2 * drawn } else { drawn };
        let mut weights = Mat::zeros(features, width);
        for r in 0..drawn {
            weights.col_as_slice_mut(r).iter_mut().for_each(|w| *w = StandardNormal.sample(&mut rows));
        }
        let mut signs: Vec<f64> = vec![1.0; drawn];
        if antisymmetric {
            for r in 0..drawn {
                let copy = weights.col_as_slice(r).to_vec();
                weights.col_as_slice_mut(r + drawn).copy_from_slice(&copy);
            }
            signs.resize(width, -1.0);
        } else {
            signs.iter_mut().for_each(|a| *a = if coins.next_u32() & 1 == 0 { 1.0 } else { -1.0 });
        }
        Start { weights, signs, antisymmetric }
    }

    /// The width m.
    pub fn width(&self) -> usize {
        self.signs.len()
    }

    /// The number d of features.
    pub fn features(&self) -> usize {
        self.weights.nrows()
    }

    /// The weights, d x m: column r is `w_r`. Its storage is the m x d array W row by row.
    pub fn weights(&self) -> &Mat<f64> {
        &self.weights
    }

    /// The signs `a_r`.
    pub fn signs(&self) -> &[f64] {
        &self.signs
    }

    /// Do neurons r and r + m/2 have equal weights, bit by bit, and opposite signs, for every r < m/2? Then all outputs are 0.
    pub fn is_antisymmetric(&self) -> bool {
        self.antisymmetric
    }

    /// W row by row (m d numbers).
    pub fn rows(&self) -> Vec<f64> {
        (0..self.width()).flat_map(|r| self.weights.col_as_slice(r)).copied().collect()
    }

    /// The file `start.safetensors`: `w` (m x d) and `a` (m), float64.
    ///
    /// # Errors
    /// None that is known; the writer of the format has an error type.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StartError> {
        let bytes = |values: &[f64]| values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
        let (w, a) = (bytes(&self.rows()), bytes(&self.signs));
        let file = |e: safetensors::SafeTensorError| StartError::File(e.to_string());
        let view = |shape, bytes| TensorView::new(Dtype::F64, shape, bytes).map_err(file);
        let tensors = [("w", view(vec![self.width(), self.features()], &w)?), ("a", view(vec![self.width()], &a)?)];
        safetensors::serialize(tensors, None).map_err(file)
    }

    /// Reads such a file; nothing in it is trusted.
    ///
    /// # Errors
    /// [`StartError`]: not this format, or not a start.
    pub fn from_bytes(bytes: &[u8]) -> Result<Start, StartError> {
        let file = |e: safetensors::SafeTensorError| StartError::File(e.to_string());
        let tensors = SafeTensors::deserialize(bytes).map_err(file)?;
        let (w, a) = (tensors.tensor("w").map_err(file)?, tensors.tensor("a").map_err(file)?);
        let (&[width, features], &[count]) = (w.shape(), a.shape()) else {
            return Err(StartError::File("w must be m x d and a of length m".to_owned()));
        };
        if w.dtype() != Dtype::F64 || a.dtype() != Dtype::F64 || tensors.len() != 2 {
            return Err(StartError::File("two tensors in float64, w and a".to_owned()));
        }
        if width != count {
            return Err(StartError::Shape(format!("{width} rows and {count} signs")));
        }
        let doubles = |view: &TensorView<'_>| -> Vec<f64> {
            view.data().as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()
        };
        let rows = doubles(&w);
        Start::new(Mat::from_fn(features, width, |k, r| rows[r * features + k]), doubles(&a))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_names_a_start_and_widths_are_nested() {
        for antisymmetric in [true, false] {
            let small = Start::draw(10, 3, antisymmetric, 5);
            let large = Start::draw(24, 3, antisymmetric, 5);
            let shared = if antisymmetric { 5 } else { 10 };
            for r in 0..shared {
                assert_eq!(small.weights().col_as_slice(r), large.weights().col_as_slice(r));
            }
            assert_ne!(small, Start::draw(10, 3, antisymmetric, 6));
            assert_eq!(small.is_antisymmetric(), antisymmetric);
        }
        assert_eq!(Start::draw(7, 2, true, 1).width(), 8);
        // Fair coins: 4 standard deviations.
        let sum: f64 = Start::draw(4000, 1, false, 1).signs().iter().sum();
        assert!(sum.abs() < 253.0, "{sum}");
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let start = Start::draw(6, 4, true, 9);
        let bytes = start.to_bytes().unwrap();
        assert_eq!(Start::from_bytes(&bytes).unwrap(), start);
        for length in [0, 7, bytes.len() / 2, bytes.len() - 8] {
            assert_eq!(Start::from_bytes(&bytes[..length]).unwrap_err().code(), "relu_start_file");
        }
    }

    #[test]
    fn what_is_no_start_is_refused() {
        let zero = || Mat::<f64>::zeros(2, 2);
        for (weights, signs) in [
            (zero(), vec![1.0]),
            (zero(), vec![1.0, 0.5]),
            (Mat::from_fn(2, 2, |_, _| f64::NAN), vec![1.0, -1.0]),
            (Mat::zeros(0, 2), vec![1.0, -1.0]),
        ] {
            assert_eq!(Start::new(weights, signs).unwrap_err().code(), "relu_start_shape");
        }
    }
}
