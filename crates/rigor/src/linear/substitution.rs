//! Triangular solves with one right-hand side, in plain floats; what they find is never a proof.
//!
//! A solve reads the triangle once and computes next to nothing, so a large one waits for the memory, and one thread does
//! not use all of it (the library's solver uses one). Here the square blocks of the recursion are shared out by rows or
//! by columns of the result: no sum is split, and the result does not depend on the number of threads.

use super::roundoff::parallelism;
use faer::Mat;
use std::ops::Range;

/// Below this order plain loops.
const LEAF: usize = 32;
/// Below this number of results a block stays on one thread.
const RESULTS_PER_THREAD: usize = 128;
/// Columns treated together, so that the vector is read less often than the matrix.
const WIDTH: usize = 4;

/// `x <- L^{-1} x` for the lower triangle of `l`.
pub(super) fn solve_lower(l: &Mat<f64>, x: &mut [f64]) {
    forward(l, 0, x, parallelism().degree());
}

/// `x <- L^{-T} x` for the lower triangle of `l`.
pub(super) fn solve_lower_transposed(l: &Mat<f64>, x: &mut [f64]) {
    backward(l, 0, x, parallelism().degree());
}

/// [`solve_lower`] for the diagonal block that starts at `start`.
fn forward(l: &Mat<f64>, start: usize, x: &mut [f64], threads: usize) {
    let n = x.len();
    if n <= LEAF {
        for j in 0..n {
            let column = &l.col_as_slice(start + j)[start..];
            let (head, rest) = x.split_at_mut(j + 1);
            head[j] /= column[j];
            rest.iter_mut().zip(&column[j + 1..]).for_each(|(x, c)| *x -= c * head[j]);
        }
        return;
    }
    let half = split(n);
    let (first, second) = x.split_at_mut(half);
    forward(l, start, first, threads);
    subtract_product(l, start + half, start, first, second, threads);
    forward(l, start + half, second, threads);
}

/// [`solve_lower_transposed`] for the diagonal block that starts at `start`.
fn backward(l: &Mat<f64>, start: usize, x: &mut [f64], threads: usize) {
    let n = x.len();
    if n <= LEAF {
        for j in (0..n).rev() {
            let column = &l.col_as_slice(start + j)[start..];
            let known: f64 = column[j + 1..].iter().zip(&x[j + 1..]).map(|(c, x)| c * x).sum();
            x[j] = (x[j] - known) / column[j];
        }
        return;
    }
    let half = split(n);
    let (first, second) = x.split_at_mut(half);
    backward(l, start + half, second, threads);
    subtract_transposed(l, start + half, start, second, first, threads);
    backward(l, start, first, threads);
}

/// About half of `n`, a multiple of the width.
fn split(n: usize) -> usize {
    (n / 2).div_ceil(WIDTH) * WIDTH
}

/// `y <- y - B x` for the block `B` of `l` at (row, column), the rows shared out.
fn subtract_product(l: &Mat<f64>, row: usize, column: usize, x: &[f64], y: &mut [f64], threads: usize) {
    if threads > 1 && y.len() >= 2 * RESULTS_PER_THREAD {
        let half = split(y.len());
        let (top, bottom) = y.split_at_mut(half);
        rayon::join(
            || subtract_product(l, row, column, x, top, threads.div_ceil(2)),
            || subtract_product(l, row + half, column, x, bottom, threads / 2),
        );
        return;
    }
    let rows = row..row + y.len();
    for (k, factors) in x.chunks(WIDTH).enumerate() {
        let first = column + WIDTH * k;
        if let [p, q, r, s] = factors {
            let [a, b, c, d] = columns(l, first, rows.clone());
            let entries = a.iter().zip(b).zip(c.iter().zip(d));
            y.iter_mut().zip(entries).for_each(|(y, ((a, b), (c, d)))| *y -= (a * p + b * q) + (c * r + d * s));
        } else {
            for (j, factor) in factors.iter().enumerate() {
                let entries = &l.col_as_slice(first + j)[rows.clone()];
                y.iter_mut().zip(entries).for_each(|(y, a)| *y -= a * factor);
            }
        }
    }
}

/// `y <- y - B^T x` for the block `B` of `l` at (row, column), its columns shared out.
fn subtract_transposed(l: &Mat<f64>, row: usize, column: usize, x: &[f64], y: &mut [f64], threads: usize) {
    if threads > 1 && y.len() >= 2 * RESULTS_PER_THREAD {
        let half = split(y.len());
        let (left, right) = y.split_at_mut(half);
        rayon::join(
            || subtract_transposed(l, row, column, x, left, threads.div_ceil(2)),
            || subtract_transposed(l, row, column + half, x, right, threads / 2),
        );
        return;
    }
    let rows = row..row + x.len();
    for (k, results) in y.chunks_mut(WIDTH).enumerate() {
        let first = column + WIDTH * k;
        if results.len() == WIDTH {
            let products = inner_products(columns(l, first, rows.clone()), x);
            results.iter_mut().zip(products).for_each(|(y, p)| *y -= p);
        } else {
            for (j, y) in results.iter_mut().enumerate() {
                let entries = &l.col_as_slice(first + j)[rows.clone()];
                *y -= entries.iter().zip(x).map(|(a, x)| a * x).sum::<f64>();
            }
        }
    }
}

fn columns(l: &Mat<f64>, first: usize, rows: Range<usize>) -> [&[f64]; WIDTH] {
    std::array::from_fn(|k| &l.col_as_slice(first + k)[rows.clone()])
}

/// The scalar products of `x` with each of the columns; two partial sums each, for the width of the processor.
fn inner_products(columns: [&[f64]; WIDTH], x: &[f64]) -> [f64; WIDTH] {
    const LANES: usize = 2;
    let whole = x.len() / LANES * LANES;
    let mut sums = [[0.0; LANES]; WIDTH];
    let [a, b, c, d] = columns.map(|column| column[..whole].chunks_exact(LANES));
    for ((((x, a), b), c), d) in x.chunks_exact(LANES).zip(a).zip(b).zip(c).zip(d) {
        for lane in 0..LANES {
            sums[0][lane] += a[lane] * x[lane];
            sums[1][lane] += b[lane] * x[lane];
            sums[2][lane] += c[lane] * x[lane];
            sums[3][lane] += d[lane] * x[lane];
        }
    }
    std::array::from_fn(|k| {
        let rest: f64 = columns[k][whole..].iter().zip(&x[whole..]).map(|(c, x)| c * x).sum();
        sums[k].iter().sum::<f64>() + rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solutions_have_small_residuals_for_every_number_of_threads() {
        for n in [1, 2, 5, 31, 32, 33, 63, 66, 130, 601] {
            // What is above the diagonal must not be read.
            let entry = |i: usize, j: usize| ((7 * i + 3 * j) % 11) as f64 / (8.0 * n as f64);
            let l = Mat::from_fn(n, n, |i, j| {
                if i == j {
                    2.0
                } else if i > j {
                    entry(i, j)
                } else {
                    f64::NAN
                }
            });
            let b: Vec<f64> = (0..n).map(|i| (i % 5) as f64 - 2.0).collect();
            let solve = |solver: fn(&Mat<f64>, usize, &mut [f64], usize)| {
                let solutions = [1, 2, 3, 8].map(|threads| {
                    let mut x = b.clone();
                    solver(&l, 0, &mut x, threads);
                    x
                });
                assert!(solutions.iter().all(|x| *x == solutions[0]), "{n}");
                let [x, ..] = solutions;
                x
            };
            let x = solve(forward);
            let row = |i: usize| (0..=i).map(|j| l[(i, j)] * x[j]).sum::<f64>();
            assert!((0..n).all(|i| (row(i) - b[i]).abs() < 1e-12), "{n}");
            let x = solve(backward);
            let column = |j: usize| (j..n).map(|i| l[(i, j)] * x[i]).sum::<f64>();
            assert!((0..n).all(|j| (column(j) - b[j]).abs() < 1e-12), "{n}");
        }
    }
}
