//! What an audit is doing, and what it will cost.

use crate::network::Network;

/// The parts of an audit, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Outputs and derivatives of every sample, enclosed.
    Outputs,
    /// The tangent kernel and its extreme eigenvalues.
    Kernel,
    /// Derivatives of the Jacobian, relative to the kernel (T16).
    Curvature,
    /// Bounds on balls (T9+), and existence (T15).
    Balls,
    /// Radius, step and count of descent.
    Descent,
}

impl Stage {
    /// Number of stages.
    pub const COUNT: u64 = 5;

    /// 1 to [`Stage::COUNT`].
    pub fn number(self) -> u64 {
        self as u64 + 1
    }

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Outputs => "outputs",
            Stage::Kernel => "kernel",
            Stage::Curvature => "curvature",
            Stage::Balls => "balls",
            Stage::Descent => "descent",
        }
    }
}

/// Rows of the kernel, and units.
fn sizes(network: &Network, samples: usize) -> (f64, f64) {
    let units: usize = network.widths().iter().sum();
    ((samples * network.outputs()) as f64, units as f64)
}

/// About how many bytes an audit of a network on so many samples needs at once, rounded up (measured: half to nine tenths of it).
/// Several outputs have no Taylor form, so fewer matrices are alive.
pub fn bytes(network: &Network, samples: usize) -> f64 {
    let (rows, units) = sizes(network, samples);
    let (kernels, layers) = if network.outputs() == 1 { (12.0, 24.0) } else { (5.0, 8.0) };
    8.0 * (kernels * rows * rows + layers * rows * units)
}

/// About how many floating-point operations it needs, in units of a matrix product's (measured, for large n).
pub fn operations(network: &Network, samples: usize) -> f64 {
    let (rows, units) = sizes(network, samples);
    let (cubes, squares) = if network.outputs() == 1 { (60.0, 60.0) } else { (12.0, 12.0) };
    rows * rows * (cubes * rows + squares * units)
}
