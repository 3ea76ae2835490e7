//! Limits of tangent kernels as the width grows: Du, Zhai, Poczos, Singh (arXiv 1810.02054) for two layers, Du, Lee, Li, Wang, Zhai (arXiv
//! 1811.03804v4) for deep, residual and convolutional residual networks.
//!
//! Networks and their normalisation, all entries of the start N(0, 1), loss a sum, `L = |f(X) - y|^2 / 2`:
//!
//! - two layers: `f(x) = m^{-1/2} sum_r a_r relu(w_r.x)`, `a_r = 1` or -1;
//! - fully connected: `x^(h) = sqrt(c/m) sigma(W^(h) x^(h-1))`, h = 1..H, `f = a.x^(H)`, `1/c = E sigma(N(0,1))^2`;
//! - residual: `x^(1)` as before, `x^(h) = x^(h-1) + s/(H sqrt m) sigma(W^(h) x^(h-1))`, h = 2..H;
//! - convolutional residual: the same on p pixels, W^(h) acts on patches of q neighbouring pixels (stride 1, zeros outside).
//!
//! [`LimitKernel::Relu`] is the kernel of the first layer (or of both), the others are the part of the last hidden layer's weights, which is
//! the one the theorems use. They are computed in floats: [`Limit::error`] is an estimate, and only [`arc_cosine::enclosure`] a proof.
//! Where the printed recursions of 1811.03804v4 and their proofs differ the latter are right (checked against wide networks): the last
//! expectation is over the covariance of the layer before, the cross terms of a residual layer pair the mean of one sample with the
//! activation of the other, and a convolutional network carries two Gram matrices, one of pixels (for the skip) and one of patches.

pub mod arc_cosine;
mod convolution;
mod dual;
mod recursion;

use crate::network::activation::{Activation, UnknownActivation};
use dual::Accuracy;
use faer::Mat;
use gradcert_rigor::Upper;
use gradcert_rigor::linear::SymmetricBall;
use std::str::FromStr;
use thiserror::Error;

/// What every unit computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unit {
    /// `max(t, 0)`.
    Relu,
    /// A smooth activation, or softsign.
    Smooth(Activation),
}

impl FromStr for Unit {
    type Err = UnknownActivation;

    /// `relu`, or the name of an activation; `softplus` is `ln(1 + e^t)` as in the papers, not shifted.
    fn from_str(text: &str) -> Result<Unit, UnknownActivation> {
        match text {
            "relu" => Ok(Unit::Relu),
            name => name.parse().map(|activation| match activation {
                Activation::Softplus => Unit::Smooth(Activation::PlainSoftplus),
                other => Unit::Smooth(other),
            }),
        }
    }
}

/// Which limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LimitKernel {
    /// Two layers of rectified linear units, `both` layers trained or the first.
    Relu {
        /// Are the output weights trained too?
        both: bool,
    },
    /// `K^(H)` of a fully connected network with `depth` = H >= 1 hidden layers.
    FullyConnected {
        /// The activation.
        unit: Unit,
        /// H.
        depth: usize,
    },
    /// `K^(H)` of a residual network with H >= 2 hidden layers.
    Residual {
        /// The activation.
        unit: Unit,
        /// H.
        depth: usize,
        /// s, the factor of a residual layer.
        scale: f64,
    },
    /// `K^(H)` of a convolutional residual network with H >= 2 hidden layers.
    ConvolutionalResidual {
        /// The activation.
        unit: Unit,
        /// H.
        depth: usize,
        /// s, the factor of a residual layer.
        scale: f64,
        /// Channels of a sample: its features are channel after channel, each with the same number of pixels.
        channels: usize,
        /// q, odd: pixels of a patch.
        patch: usize,
    },
}

/// Why there is no limit.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum LimitError {
    /// A sample of norm 0 has no direction.
    #[error("sample {0} is zero: its outputs do not depend on the first layer; remove it")]
    ZeroSample(usize),
    /// A feature that is not a number, or so large or small that squares leave the doubles.
    #[error("sample {0} has features that are not finite, or too large or too small to be squared")]
    Range(usize),
    /// A depth the network does not have.
    #[error("a {0} network has at least {1} hidden layers")]
    Depth(&'static str, usize),
    /// A factor of residual layers outside (0, 1).
    #[error("the factor of residual layers is between 0 and 1, not {0}")]
    Scale(f64),
    /// A patch that has no middle, or channels that do not divide the features.
    #[error(
        "{features} features are not {channels} channels of equally many pixels, or a patch of {patch} pixels has no middle"
    )]
    Pixels {
        /// Features of a sample.
        features: usize,
        /// As asked for.
        channels: usize,
        /// As asked for.
        patch: usize,
    },
    /// No samples.
    #[error("there are no samples")]
    Empty,
}

impl LimitError {
    /// The code of the error.
    pub fn code(&self) -> &'static str {
        match self {
            LimitError::ZeroSample(_) => "zero_sample",
            LimitError::Range(_) => "sample_range",
            LimitError::Depth(..) => "kernel_depth",
            LimitError::Scale(_) => "residual_scale",
            LimitError::Pixels { .. } => "kernel_pixels",
            LimitError::Empty => "no_samples",
        }
    }
}

/// A limit kernel.
#[derive(Clone, Debug)]
pub struct Limit {
    /// n x n, exactly symmetric.
    pub matrix: Mat<f64>,
    /// The largest difference of an entry from a coarser computation: an estimate of the error from above, no proof. `None` where closed
    /// forms leave rounding alone.
    pub error: Option<f64>,
    /// c, `1 / E sigma(N(0,1))^2`; `None` for two layers, which have no such factor.
    pub normalisation: Option<f64>,
}

impl Limit {
    /// A proved lower bound of the smallest eigenvalue: of the exact kernel for two layers, whose entries are enclosed, of the matrix as
    /// computed for the others. x and kernel are those it was computed from; `None` if nothing is known.
    pub fn smallest_eigenvalue_lower(&self, kernel: LimitKernel, x: &Mat<f64>) -> Option<f64> {
        let ball = match kernel {
            LimitKernel::Relu { both } => arc_cosine::enclosure(x.as_ref(), both),
            _ => SymmetricBall::new(self.matrix.clone(), Upper::ZERO),
        };
        gradcert_rigor::linear::smallest_eigenvalue_lower(&ball)
    }
}

/// The limit kernel of the rows of x (n x d). The arithmetic of an entry does not depend on the number of threads.
///
/// # Errors
/// [`LimitError`]: samples or a network that have none.
pub fn limit_kernel(kernel: LimitKernel, x: &Mat<f64>) -> Result<Limit, LimitError> {
    check_samples(x, matches!(kernel, LimitKernel::ConvolutionalResidual { .. }))?;
    check_network(kernel, x.ncols())?;
    let matrix = compute(kernel, x, Accuracy::FINE);
    let Some(unit) = kernel.unit() else { return Ok(Limit { matrix, error: None, normalisation: None }) };
    let error = (!unit.has_closed_form()).then(|| (&matrix - compute(kernel, x, Accuracy::COARSE)).norm_max());
    Ok(Limit { matrix, error, normalisation: Some(unit.normalisation()) })
}

impl LimitKernel {
    /// Is there such a network for samples of so many features?
    ///
    /// # Errors
    /// [`LimitError`]: there is none.
    pub(crate) fn check(self, features: usize) -> Result<(), LimitError> {
        check_network(self, features)
    }

    /// The unit of a kernel whose network is normalised by it.
    fn unit(self) -> Option<Unit> {
        match self {
            LimitKernel::Relu { .. } => None,
            LimitKernel::FullyConnected { unit, .. }
            | LimitKernel::Residual { unit, .. }
            | LimitKernel::ConvolutionalResidual { unit, .. } => Some(unit),
        }
    }
}

fn compute(kernel: LimitKernel, x: &Mat<f64>, accuracy: Accuracy) -> Mat<f64> {
    match kernel {
        LimitKernel::Relu { both } => arc_cosine::two_layers(x, both),
        LimitKernel::FullyConnected { unit, depth } => recursion::fully_connected(x, unit, depth, accuracy),
        LimitKernel::Residual { unit, depth, scale } => recursion::residual(x, unit, depth, scale, accuracy),
        LimitKernel::ConvolutionalResidual { unit, depth, scale, channels, patch } => {
            let layout = convolution::Layout { channels, pixels: x.ncols() / channels, patch };
            convolution::residual(x, layout, unit, depth, scale, accuracy)
        }
    }
}

fn check_samples(x: &Mat<f64>, zero_allowed: bool) -> Result<(), LimitError> {
    if x.nrows() == 0 {
        return Err(LimitError::Empty);
    }
    for i in 0..x.nrows() {
        let square = x.row(i).iter().map(|v| v * v).sum::<f64>();
        let zero = x.row(i).iter().all(|v| *v == 0.0);
        if zero && !zero_allowed {
            return Err(LimitError::ZeroSample(i));
        }
        if !zero && !(1e-200..1e200).contains(&square) {
            return Err(LimitError::Range(i));
        }
    }
    Ok(())
}

fn check_network(kernel: LimitKernel, features: usize) -> Result<(), LimitError> {
    let (name, depth, least, scale) = match kernel {
        LimitKernel::Relu { .. } => return Ok(()),
        LimitKernel::FullyConnected { depth, .. } => ("fully connected", depth, 1, None),
        LimitKernel::Residual { depth, scale, .. } => ("residual", depth, 2, Some(scale)),
        LimitKernel::ConvolutionalResidual { depth, scale, .. } => ("convolutional residual", depth, 2, Some(scale)),
    };
    if depth < least {
        return Err(LimitError::Depth(name, least));
    }
    if let Some(scale) = scale.filter(|s| !(*s > 0.0 && *s < 1.0)) {
        return Err(LimitError::Scale(scale));
    }
    if let LimitKernel::ConvolutionalResidual { channels, patch, .. } = kernel {
        let whole = channels > 0 && features > 0 && features.is_multiple_of(channels);
        if !whole || patch.is_multiple_of(2) {
            return Err(LimitError::Pixels { features, channels, patch });
        }
    }
    Ok(())
}

/// Bytes that [`limit_kernel`] needs at most, for n samples of d features.
pub fn bytes(kernel: LimitKernel, n: usize, d: usize) -> f64 {
    let rows = match kernel {
        LimitKernel::ConvolutionalResidual { channels, .. } => (n * d / channels.max(1)) as f64,
        _ => n as f64,
    };
    8.0 * rows * (6.0 * rows + 2.0 * dual::TERMS as f64)
}

#[cfg(test)]
mod tests;
