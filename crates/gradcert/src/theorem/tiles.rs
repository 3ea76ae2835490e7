//! Large symmetric matrices, made tile by tile: only one n x n array of doubles is ever held.

use faer::Mat;
use gradcert_rigor::Upper;
use gradcert_rigor::linear::{EnclosedMatrix, SymmetricBall};

/// Rows of a tile.
pub(crate) const TILE: usize = 512;

/// The symmetric n x n matrix whose part (rows, columns) is enclosed by `tile(rows, columns)`; only tiles with rows not
/// before columns are asked for.
///
/// The entrywise radii form a symmetric non-negative matrix R, and |E| <= |R| <= its largest row sum, or its Frobenius norm.
pub fn assemble(n: usize, tile: impl Fn(&[usize], &[usize]) -> EnclosedMatrix) -> SymmetricBall {
    let indices: Vec<usize> = (0..n).collect();
    let mut lower = Mat::zeros(n, n);
    let mut sums = vec![Upper::ZERO; n];
    let mut norms = vec![];
    for columns in indices.chunks(TILE) {
        for rows in indices[columns[0]..].chunks(TILE) {
            let part = tile(rows, columns);
            for (b, &j) in columns.iter().enumerate() {
                for (a, &i) in rows.iter().enumerate() {
                    if i >= j {
                        lower[(i, j)] = part.middle()[(a, b)];
                    }
                }
            }
            if !part.is_exact() {
                norms.push(add_radii(&part, rows, columns, &mut sums));
            }
        }
    }
    let radius = Upper::maximum(sums.iter().copied()).min(Upper::norm(norms));
    SymmetricBall::new(lower, radius)
}

/// Adds the radii of a tile of the lower triangle, mirrored, to the row sums; returns its part of the Frobenius norm.
fn add_radii(part: &EnclosedMatrix, rows: &[usize], columns: &[usize], sums: &mut [Upper]) -> Upper {
    let mut norms = Vec::with_capacity(columns.len());
    for (b, &j) in columns.iter().enumerate() {
        let column: Vec<Upper> =
            rows.iter().enumerate().map(|(a, &i)| if i >= j { part.radius(a, b) } else { Upper::ZERO }).collect();
        for (&i, &r) in rows.iter().zip(&column) {
            sums[i] += r;
            if i > j {
                sums[j] += r;
            }
        }
        norms.push(Upper::norm(column));
    }
    // Entries below the diagonal stand for two.
    Upper::norm(norms) * Upper::new(2.0).sqrt()
}
