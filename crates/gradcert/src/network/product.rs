//! Products in floats whose bits do not depend on the number of threads.

use faer::mat::AsMatRef;
use faer::{Accum, MatMut, Par};
use gradcert_rigor::linear::same_bits;

/// `C = alpha A B`, or `C += alpha A B`.
///
/// faer shares out rows and columns of a product, so that every entry is the same sum for every number of threads, but for
/// [`same_bits`].
pub(crate) fn matmul(
    c: MatMut<'_, f64>,
    accumulate: Accum,
    a: impl AsMatRef<T = f64, Rows = usize, Cols = usize>,
    b: impl AsMatRef<T = f64, Rows = usize, Cols = usize>,
    alpha: f64,
    par: Par,
) {
    let par = same_bits(par, c.nrows(), c.ncols());
    faer::linalg::matmul::matmul(c, accumulate, a, b, alpha, par);
}

/// `x.y`, in eight partial sums.
pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    const LANES: usize = 8;
    let (xs, ys) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let rest: f64 = xs.remainder().iter().zip(ys.remainder()).map(|(x, y)| x * y).sum();
    let mut partial = [0.0; LANES];
    for (x, y) in xs.zip(ys) {
        for k in 0..LANES {
            partial[k] += x[k] * y[k];
        }
    }
    partial.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use faer::Mat;

    #[test]
    fn bits_do_not_depend_on_threads() {
        let matrix = |m: usize, n: usize, s: f64| Mat::from_fn(m, n, |i, j| ((i * 7 + j * 13) as f64 * s).sin());
        let shapes = [
            (300, 256, 1),
            (1, 2000, 300),
            (2, 5000, 2),
            (3, 9000, 1),
            (1, 700, 1),
            (64, 1000, 8),
            (500, 300, 200),
            (40, 1, 900),
        ];
        for (m, k, n) in shapes {
            let (a, b) = (matrix(m, k, 0.37), matrix(k, n, 0.73));
            let (at, bt) = (a.transpose().to_owned(), b.transpose().to_owned());
            for (a, b) in [
                (a.as_ref(), b.as_ref()),
                (at.transpose(), b.as_ref()),
                (a.as_ref(), bt.transpose()),
                (at.transpose(), bt.transpose()),
            ] {
                let run = |par: Par| {
                    let mut c = Mat::<f64>::zeros(m, n);
                    matmul(c.as_mut(), Accum::Replace, a, b, 1.0, par);
                    c
                };
                let alone = run(Par::Seq);
                for threads in [2, 3, 8] {
                    assert_eq!(alone, run(Par::rayon(threads)), "{m} x {k} x {n}, {threads} threads");
                }
            }
        }
    }
}
