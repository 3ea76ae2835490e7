//! Forwards and backwards through a wide network, and the tangent kernels of its layers.
//!
//! Column `i p + l` of a matrix belongs to pixel l of sample i. With `z^(h) = W^(h) phi(x^(h-1))`, `x^(h) = [x^(h-1)] + t_h sigma(z^(h))` (the bracket
//! in residual layers), `B^(h) = df_i / dx^(h)` and `D^(h) = t_h B^(h) o sigma'(z^(h)) = df_i / dz^(h)`:
//!
//! `B^(H) = a` for every sample, `B^(h-1) = [B^(h)] + phi^T(W^(h)T D^(h))`, and `df_i / dW^(h) = sum_l D^(h)_{il} phi(x^(h-1))_{il}^T`, so
//!
//! `G^(h)_ij = sum_{l,r} <D_il, D_jr> <phi_il, phi_jr>`, `G^(H+1)_ij = sum_l <x^(H)_il, x^(H)_jl>` for the output weights.

use super::{WideNetwork, WideShape};
use crate::network::product::matmul;
use faer::{Accum, Mat, Par};

/// Everything of one pass on n samples.
#[derive(Clone, Debug)]
pub struct WidePasses {
    pub(super) shape: WideShape,
    samples: usize,
    /// `phi(x^(h-1))`, h = 1..H; entry 0 is empty.
    pub(super) patches: Vec<Mat<f64>>,
    /// `D^(h)`.
    pub(super) backward: Vec<Mat<f64>>,
    /// `x^(H)`, m x np.
    pub(super) last: Mat<f64>,
    /// `f(x_i)`.
    pub outputs: Vec<f64>,
}

/// `phi`: below one another the pixels of the patch around every pixel.
fn patches(shape: &WideShape, x: &Mat<f64>) -> Mat<f64> {
    let (p, reach, rows) = (shape.pixels, shape.patch / 2, x.nrows());
    let mut to = Mat::zeros(shape.patch * rows, x.ncols());
    for column in 0..x.ncols() {
        for offset in inside(p, reach, column % p, shape.patch) {
            let from = x.col_as_slice(column + offset - reach);
            to.col_as_slice_mut(column)[offset * rows..(offset + 1) * rows].copy_from_slice(from);
        }
    }
    to
}

/// Offsets o of a patch around pixel l for which pixel `l + o - reach` is in the image.
fn inside(pixels: usize, reach: usize, l: usize, patch: usize) -> std::ops::Range<usize> {
    reach.saturating_sub(l)..patch.min(pixels + reach - l)
}

/// Adds `phi^T` of a matrix.
fn add_transposed_patches(shape: &WideShape, from: &Mat<f64>, to: &mut Mat<f64>) {
    let (p, reach, rows) = (shape.pixels, shape.patch / 2, to.nrows());
    for column in 0..from.ncols() {
        for offset in inside(p, reach, column % p, shape.patch) {
            let part = &from.col_as_slice(column)[offset * rows..(offset + 1) * rows];
            to.col_as_slice_mut(column + offset - reach).iter_mut().zip(part).for_each(|(t, f)| *t += f);
        }
    }
}

impl WidePasses {
    /// A pass on the rows of x (n x features).
    pub fn new(network: &WideNetwork, x: &Mat<f64>, par: Par) -> WidePasses {
        let (shape, n) = (network.shape, x.nrows());
        let columns = n * shape.pixels;
        let mut feature = Mat::from_fn(shape.channels(0), columns, |channel, column| {
            x[(column / shape.pixels, channel * shape.pixels + column % shape.pixels)]
        });
        let (mut read, mut backward) = (vec![Mat::zeros(0, 0)], vec![Mat::zeros(0, 0)]);
        for h in 1..=shape.depth {
            let phi = patches(&shape, &feature);
            let mut values = Mat::zeros(shape.width, columns);
            matmul(values.as_mut(), Accum::Replace, &network.weights[h], &phi, 1.0, par);
            let mut slopes = Mat::zeros(shape.width, columns);
            for j in 0..columns {
                shape.unit.apply(values.col_as_slice_mut(j), slopes.col_as_slice_mut(j));
            }
            let t = shape.factor(h);
            feature = if shape.skips(h) { feature + faer::Scale(t) * values } else { faer::Scale(t) * values };
            read.push(phi);
            backward.push(slopes);
        }
        let outputs = (0..n).map(|i| inner(&network.output, &feature, i, shape.pixels)).collect();
        let mut passes = WidePasses { shape, samples: n, patches: read, backward, last: feature, outputs };
        passes.backwards(network, par);
        passes
    }

    /// Turns `sigma'(z^(h))` into `D^(h)`.
    fn backwards(&mut self, network: &WideNetwork, par: Par) {
        let shape = self.shape;
        let mut b =
            Mat::from_fn(shape.width, self.last.ncols(), |k, column| network.output[(k, column % shape.pixels)]);
        for h in (1..=shape.depth).rev() {
            let (t, d) = (shape.factor(h), &mut self.backward[h]);
            for j in 0..d.ncols() {
                d.col_as_slice_mut(j).iter_mut().zip(b.col_as_slice(j)).for_each(|(s, b)| *s *= t * b);
            }
            if h > 1 {
                let mut read = Mat::zeros(shape.patch * shape.width, d.ncols());
                matmul(read.as_mut(), Accum::Replace, network.weights[h].transpose(), &*d, 1.0, par);
                if !shape.skips(h) {
                    b = Mat::zeros(shape.width, d.ncols());
                }
                add_transposed_patches(&shape, &read, &mut b);
            }
        }
    }

    /// `G^(h)`, n x n: the tangent kernel of `W^(h)`, h = 1..H, or of the output weights, h = H+1.
    pub fn kernel(&self, h: usize, par: Par) -> Mat<f64> {
        let gram = |a: &Mat<f64>| {
            let mut gram = Mat::zeros(a.ncols(), a.ncols());
            matmul(gram.as_mut(), Accum::Replace, a.transpose(), a, 1.0, par);
            gram
        };
        let (p, n) = (self.shape.pixels, self.samples);
        let output = h > self.shape.depth;
        let inner = gram(if output { &self.last } else { &self.patches[h] });
        let outer = if output { None } else { Some(gram(&self.backward[h])) };
        let entry = |i: usize, j: usize| -> f64 {
            let at = |l: usize, r: usize| (i * p + l, j * p + r);
            match &outer {
                None => (0..p).map(|l| inner[at(l, l)]).sum(),
                Some(outer) => (0..p * p).map(|k| at(k / p, k % p)).map(|k| inner[k] * outer[k]).sum(),
            }
        };
        let mut kernel = Mat::from_fn(n, n, |i, j| if i >= j { entry(i, j) } else { 0.0 });
        gradcert_rigor::linear::mirror(&mut kernel);
        kernel
    }

    /// `G = sum_h G^(h)` over all layers, n x n.
    pub fn whole_kernel(&self, par: Par) -> Mat<f64> {
        let n = self.samples;
        (1..=self.shape.depth + 1).fold(Mat::zeros(n, n), |sum, h| sum + self.kernel(h, par))
    }
}

/// `<a, x>` over the pixels of sample i.
fn inner(a: &Mat<f64>, x: &Mat<f64>, i: usize, pixels: usize) -> f64 {
    (0..pixels).map(|l| crate::network::product::dot(a.col_as_slice(l), x.col_as_slice(i * pixels + l))).sum()
}
