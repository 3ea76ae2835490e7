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

/// (T16d) with more operations than this (rows^3 times units) is left out.
const ROW_SPACE_WORK: f64 = 1e11;

/// Is (T16d) worth its work? Two layers with one output have (T16e).
pub(super) fn uses_row_space(network: &Network, samples: usize) -> bool {
    let (rows, _) = sizes(network, samples);
    let hidden: usize = network.weights[1..network.layers()].iter().map(|w| w.nrows()).sum();
    (network.layers() > 2 || network.outputs() > 1) && rows.powi(3) * hidden as f64 <= ROW_SPACE_WORK
}

/// About how many bytes an audit of a network on so many samples needs at once, rounded up (measured: half to nine tenths of it).
/// With several outputs fewer matrices are alive. (T16d) looks at eight directions at once.
pub fn bytes(network: &Network, samples: usize) -> f64 {
    let (rows, units) = sizes(network, samples);
    let (kernels, layers) = if network.outputs() == 1 { (12.0, 24.0) } else { (5.0, 8.0) };
    let directions = if uses_row_space(network, samples) { 32.0 } else { 0.0 };
    8.0 * ((kernels + directions) * rows * rows + layers * rows * units)
}

/// About how many floating-point operations it needs, in units of a matrix product's: fitted to a few runs with 300 to 18,000 rows,
/// so a guide within a factor of about two.
pub fn operations(network: &Network, samples: usize) -> f64 {
    let (rows, units) = sizes(network, samples);
    let (cubes, squares) = if network.outputs() == 1 { (15.0, 120.0) } else { (6.0, 12.0) };
    // Elementwise enclosures, each as costly as some tens of operations of a product.
    let directions = if uses_row_space(network, samples) { 50.0 * rows * units } else { 0.0 };
    rows * rows * (cubes * rows + squares * units + directions)
}
