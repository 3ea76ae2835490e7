//! Samples on the sphere, and the limit of the tangent kernel.

use faer::Mat;
use gradcert::kernel::limit::arc_cosine::two_layers;
use gradcert::relu::start::Start;

/// n samples uniform on the unit sphere of R^d (rows), and n targets from N(0, 1).
pub fn sphere(n: usize, d: usize, seed: u64) -> (Mat<f64>, Vec<f64>) {
    // The rows of a drawn start are independent normal vectors; seeds of data are kept apart from those of starts.
    let seed = seed ^ (1 << 63);
    let normal = Start::draw(n + 1, n.max(d), false, seed);
    let column = |i: usize| &normal.weights().col_as_slice(i)[..d];
    let norm = |i: usize| column(i).iter().map(|x| x * x).sum::<f64>().sqrt();
    let x = Mat::from_fn(n, d, |i, k| column(i)[k] / norm(i));
    (x, normal.weights().col_as_slice(n)[..n].to_vec())
}

/// The limit of the tangent kernel of the first layer for wide networks, in floats.
pub fn limit_kernel(x: &Mat<f64>) -> Mat<f64> {
    two_layers(x, false)
}

/// Smallest and largest eigenvalue, in floats.
pub(crate) fn extremes(matrix: &Mat<f64>) -> (f64, f64) {
    let values = matrix.self_adjoint_eigenvalues(faer::Side::Lower).unwrap_or_default();
    (values.first().copied().unwrap_or(f64::NAN), values.last().copied().unwrap_or(f64::NAN))
}

/// The spectral norm of a symmetric matrix, in floats.
pub(crate) fn norm(matrix: &Mat<f64>) -> f64 {
    let (low, high) = extremes(matrix);
    high.abs().max(low.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Unit vectors in the plane at 0, 60 and 150 degrees: entries and eigenvalues by hand.
    #[test]
    fn the_limit_kernel_of_three_vectors_in_the_plane() {
        let x = Mat::from_fn(3, 2, |i, k| {
            let angle = [0.0f64, 60.0, 150.0][i].to_radians();
            [angle.cos(), angle.sin()][k]
        });
        let h = limit_kernel(&x);
        for (i, j, value) in [(0, 0, 0.5), (0, 1, 1.0 / 6.0), (0, 2, -0.072_168_783_648_703_22), (1, 2, 0.0)] {
            assert!((h[(i, j)] - value).abs() < 1e-15 && h[(i, j)] == h[(j, i)]);
        }
        let (low, high) = extremes(&h);
        assert!((low - 0.318_379).abs() < 1e-6 && (high - 0.681_621).abs() < 1e-6);
    }

    #[test]
    fn samples_are_unit_vectors_and_seeds_differ() {
        let (x, y) = sphere(5, 3, 1);
        assert!((0..5).all(|i| (x.row(i).norm_l2() - 1.0).abs() < 1e-15));
        assert_ne!((x, y.clone()), sphere(5, 3, 2));
        assert_eq!(y.len(), 5);
    }
}
