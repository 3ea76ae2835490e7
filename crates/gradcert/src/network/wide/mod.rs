//! Deep networks in the scaling of Du, Lee, Li, Wang, Zhai (arXiv 1811.03804v4), every entry of the start N(0, 1):
//!
//! - fully connected: `x^(h) = sqrt(c/m) sigma(W^(h) x^(h-1))`, h = 1..H, `f = <a, x^(H)>`;
//! - residual: `x^(1)` as before, `x^(h) = x^(h-1) + s/(H sqrt m) sigma(W^(h) x^(h-1))`, h = 2..H;
//! - convolutional residual: the same, `W^(h)` acting on patches of q neighbouring pixels (stride 1, zeros outside), a in R^{m x p}.
//!
//! All three are one computation: without an image a sample is one pixel, its features the channels, and a patch is the pixel. The loss is a sum, `L = |f(X) -
//! y|^2 / 2`, and every layer is trained. Plain floats: nothing here is a proof.

mod descent;
mod passes;

use super::activation::Activation;
use crate::kernel::limit::{LimitError, LimitKernel, Unit};
pub use descent::{WideGradient, WideTraining};
use faer::Mat;
pub use passes::WidePasses;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

/// The shape of a network and its factors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WideShape {
    /// The activation.
    pub unit: Unit,
    /// H, hidden layers.
    pub depth: usize,
    /// m, units of a hidden layer (channels of a convolutional one).
    pub width: usize,
    /// Features of a sample.
    pub features: usize,
    /// s, the factor of residual layers; `None` in a fully connected network.
    pub residual_scale: Option<f64>,
    /// p, pixels of a sample; the features are channel after channel.
    pub pixels: usize,
    /// q, odd: pixels of a patch.
    pub patch: usize,
    /// c, `1 / E sigma(N(0,1))^2`.
    pub normalisation: f64,
}

impl WideShape {
    /// The networks of width m whose limit is `kernel`, for samples of d features. Two-layer rectified networks are another family:
    /// `None`.
    ///
    /// # Errors
    /// [`LimitError`]: a network there is not.
    pub fn of(kernel: LimitKernel, width: usize, features: usize) -> Result<Option<WideShape>, LimitError> {
        kernel.check(features)?;
        let (unit, depth, residual_scale, pixels, patch) = match kernel {
            LimitKernel::Relu { .. } => return Ok(None),
            LimitKernel::FullyConnected { unit, depth } => (unit, depth, None, 1, 1),
            LimitKernel::Residual { unit, depth, scale } => (unit, depth, Some(scale), 1, 1),
            LimitKernel::ConvolutionalResidual { unit, depth, scale, channels, patch } => {
                (unit, depth, Some(scale), features / channels, patch)
            }
        };
        let normalisation = unit.normalisation();
        Ok(Some(WideShape { unit, depth, width, features, residual_scale, pixels, patch, normalisation }))
    }

    /// What `sigma` is multiplied by in layer h.
    fn factor(&self, h: usize) -> f64 {
        let m = self.width as f64;
        match self.residual_scale {
            Some(scale) if h > 1 => scale / (self.depth as f64 * m.sqrt()),
            _ => (self.normalisation / m).sqrt(),
        }
    }

    /// Does layer h add to what it reads?
    fn skips(&self, h: usize) -> bool {
        h > 1 && self.residual_scale.is_some()
    }

    /// Rows of `x^(h)`: channels.
    fn channels(&self, h: usize) -> usize {
        if h == 0 { self.features / self.pixels } else { self.width }
    }
}

impl Unit {
    /// Values in place of the arguments, and slopes; that of the rectified unit is 1 at 0.
    fn apply(self, values: &mut [f64], slopes: &mut [f64]) {
        match self {
            Unit::Relu => values.iter_mut().zip(slopes).for_each(|(v, s)| {
                *s = if *v >= 0.0 { 1.0 } else { 0.0 };
                *v = v.max(0.0);
            }),
            Unit::Smooth(Activation::Identity) => slopes.fill(1.0),
            Unit::Smooth(activation) => activation.values_and_slopes(values, slopes),
        }
    }
}

/// A network.
#[derive(Clone, Debug, PartialEq)]
pub struct WideNetwork {
    /// Its shape.
    pub shape: WideShape,
    /// `W^(h)`, m x (q channels of layer h-1), the patch's offsets one after the other; entry 0 is empty.
    pub weights: Vec<Mat<f64>>,
    /// a, m x p.
    pub output: Mat<f64>,
}

impl WideNetwork {
    /// Every entry from N(0, 1), one stream of the generator per layer. The same seed gives the same start on every machine.
    pub fn draw(shape: WideShape, seed: u64) -> WideNetwork {
        let matrix = |layer: usize, rows: usize, columns: usize| {
            let mut random = ChaCha12Rng::seed_from_u64(seed);
            random.set_stream(layer as u64);
            let mut matrix = Mat::zeros(rows, columns);
            for i in 0..rows {
                (0..columns).for_each(|j| matrix[(i, j)] = StandardNormal.sample(&mut random));
            }
            matrix
        };
        let hidden = (1..=shape.depth).map(|h| matrix(h, shape.width, shape.patch * shape.channels(h - 1)));
        let weights = std::iter::once(Mat::zeros(0, 0)).chain(hidden).collect();
        WideNetwork { shape, weights, output: matrix(shape.depth + 1, shape.width, shape.pixels) }
    }
}

#[cfg(test)]
mod tests;
