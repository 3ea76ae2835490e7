//! `K^(H)` of convolutional residual networks (1811.03804v4, definition 7.1, as its proof has it).
//!
//! Rows and columns of the matrices are pixels: pixel l of sample i has the number `i p + l`. `U^(h)` is the Gram matrix of what pixels
//! hold after layer h, `K^(h)` that of patches: `K_{il,jr} = sum_o U_{i(l+o),j(r+o)}` over offsets that stay inside both images.

use super::Unit;
use super::dual::{Accuracy, Moments, Quadrature, diagonal, symmetric};
use super::recursion::gram;
use faer::Mat;

/// How the features of a sample are pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) channels: usize,
    pub(super) pixels: usize,
    /// Odd.
    pub(super) patch: usize,
}

impl Layout {
    /// The Gram matrix of pixels, each a vector over the channels.
    fn pixels_of(self, x: &Mat<f64>) -> Mat<f64> {
        let rows = x.nrows() * self.pixels;
        gram(&Mat::from_fn(rows, self.channels, |row, channel| {
            x[(row / self.pixels, channel * self.pixels + row % self.pixels)]
        }))
    }

    /// From pixels to patches.
    fn patches(self, pixels: &Mat<f64>) -> Mat<f64> {
        let (p, reach) = (self.pixels, self.patch / 2);
        symmetric(pixels.nrows(), |row, column| {
            let (l, r) = (row % p, column % p);
            let (back, ahead) = (reach.min(l).min(r), reach.min(p - 1 - l).min(p - 1 - r));
            (0..=back + ahead).map(|o| pixels[(row - back + o, column - back + o)]).sum()
        })
    }
}

/// As [`residual`](super::recursion::residual), every entry for a pair of pixels; at the end
/// `K^(H)_ij = t^2 sum_l K^(H-1)_{il,jl} E sigma'(u_il) sigma'(v_jl)`.
pub(super) fn residual(
    x: &Mat<f64>,
    layout: Layout,
    unit: Unit,
    depth: usize,
    scale: f64,
    accuracy: Accuracy,
) -> Mat<f64> {
    let (quadrature, c, t) = (Quadrature::new(accuracy), unit.normalisation(), scale / depth as f64);
    let rows = x.nrows() * layout.pixels;
    let mut patches = layout.patches(&layout.pixels_of(x));
    let mut moments = Moments::new(unit, diagonal(patches.as_ref()), &quadrature);
    let mut pixels = symmetric(rows, |i, j| c * moments.product(i, j, patches[(i, j)]));
    let mut mean: Vec<f64> = (0..rows).map(|i| c.sqrt() * moments.mean(i)).collect();
    for layer in 2..=depth {
        patches = layout.patches(&pixels);
        moments = Moments::new(unit, diagonal(patches.as_ref()), &quadrature);
        if layer < depth {
            pixels = symmetric(rows, |i, j| {
                let cross = mean[j] * moments.mean(i) + mean[i] * moments.mean(j);
                pixels[(i, j)] + t * cross + t * t * moments.product(i, j, patches[(i, j)])
            });
            mean.iter_mut().enumerate().for_each(|(i, b)| *b += t * moments.mean(i));
        }
    }
    let p = layout.pixels;
    symmetric(x.nrows(), |i, j| {
        let of_pixel = |l: usize| {
            let (row, column) = (i * p + l, j * p + l);
            patches[(row, column)] * moments.product_of_slopes(row, column, patches[(row, column)])
        };
        t * t * (0..p).map(of_pixel).sum::<f64>()
    })
}
