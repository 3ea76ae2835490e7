//! Matrices: exact, enclosed entry by entry, and symmetric ones about whose eigenvalues something is to be proved. For that a
//! factorisation is found in floating point, and its residual is bounded afterwards.

use crate::pairs::{Pair, U, dot, dot_error, plain_dot, plain_dot_error, two_sum};
use gradcert_rigor::rounding::div_down;
use gradcert_rigor::{Interval, Upper};

/// A dense matrix of exact doubles, row-major.
#[derive(Clone, Debug)]
pub(crate) struct Matrix {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) values: Vec<f64>,
}

impl Matrix {
    pub(crate) fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.columns..(i + 1) * self.columns]
    }

    pub(crate) fn transposed(&self) -> Matrix {
        let at = |k: usize| self.values[(k % self.rows) * self.columns + k / self.rows];
        Matrix { rows: self.columns, columns: self.rows, values: (0..self.values.len()).map(at).collect() }
    }

    /// Upper bound of the spectral norm.
    pub(crate) fn spectral_norm(&self) -> Upper {
        let short = if self.rows <= self.columns { self } else { &self.transposed() };
        let gram = Symmetric::gram(short);
        gram.largest(&vec![1.0; gram.n]).sqrt().min(norm(&self.values))
    }
}

/// Upper bound of the Euclidean (of a matrix: Frobenius) norm.
pub(crate) fn norm(values: &[f64]) -> Upper {
    Upper::norm(values.iter().map(|x| Upper::new(x.abs())))
}

/// An unknown matrix within `radius` of `middle`, entrywise.
#[derive(Clone)]
pub(crate) struct Enclosed {
    pub(crate) middle: Matrix,
    pub(crate) radius: Matrix,
}

impl Enclosed {
    pub(crate) fn exact(middle: Matrix) -> Enclosed {
        let radius = Matrix { values: vec![0.0; middle.values.len()], ..middle };
        Enclosed { middle, radius }
    }

    pub(crate) fn from_intervals(rows: usize, columns: usize, entries: &[Interval]) -> Enclosed {
        let middle = entries.iter().map(|x| x.middle()).collect();
        let radius = entries.iter().map(|x| x.radius().get()).collect();
        Enclosed { middle: Matrix { rows, columns, values: middle }, radius: Matrix { rows, columns, values: radius } }
    }

    pub(crate) fn intervals(&self) -> Vec<Interval> {
        let pairs = self.middle.values.iter().zip(&self.radius.values);
        pairs.map(|(&m, &r)| Interval::around(m, Upper::new(r))).collect()
    }

    /// `A W^T`. With rows within r of m and within t of w, an entry is wrong by at most
    /// `sum_k |w_k| (r_k + gamma |m_k|) + t_k (|m_k| + r_k)`, gamma that of the scalar product; this sum of non-negative numbers,
    /// itself computed in doubles, is enlarged by more than twice its own relative error, and for underflow before and after
    /// the factors w.
    pub(crate) fn times_transposed(&self, w: &Enclosed) -> Enclosed {
        let (rows, columns, length) = (self.middle.rows, w.middle.rows, self.middle.columns);
        let gamma = plain_dot_error(length);
        let size = |x: &Matrix| Matrix { values: x.values.iter().map(|x| x.abs()).collect(), ..*x };
        let (m_size, w_size) = (size(&self.middle), size(&w.middle));
        let (mut middle, mut radius) = (Vec::with_capacity(rows * columns), Vec::with_capacity(rows * columns));
        for i in 0..rows {
            let sides = || m_size.row(i).iter().zip(self.radius.row(i));
            let wrong: Vec<f64> = sides().map(|(m, r)| r + gamma * m + f64::MIN_POSITIVE).collect();
            let reach: Vec<f64> = sides().map(|(m, r)| m + r).collect();
            for j in 0..columns {
                middle.push(plain_dot(self.middle.row(i), w.middle.row(j)));
                let error = plain_dot(&wrong, w_size.row(j)) + plain_dot(&reach, w.radius.row(j));
                radius.push(error * (1.0 + 2.0 * gamma + 16.0 * U) + length as f64 * 1e-320);
            }
        }
        Enclosed { middle: Matrix { rows, columns, values: middle }, radius: Matrix { rows, columns, values: radius } }
    }

    /// Upper bounds of the spectral norms of blocks of so many rows, and of `|diag(sqrt m) A|`.
    pub(crate) fn norms(&self, m: &[f64], block: usize) -> Vec<Upper> {
        let (entries, columns) = (self.intervals(), self.middle.columns);
        let root = |k: usize| Interval::exact(m[k / columns]).sqrt();
        let weighted: Vec<Interval> = entries.iter().enumerate().map(|(k, &x)| root(k) * x).collect();
        let own = |x: &[Interval]| match block {
            1 => Upper::norm(x.iter().map(|x| x.magnitude())),
            _ => Enclosed::from_intervals(block, columns, x).spectral_norm(),
        };
        let all = Enclosed::from_intervals(self.middle.rows, columns, &weighted).spectral_norm();
        entries.chunks(columns * block).map(own).chain([all]).collect()
    }

    /// The middle in the spectral norm and the radius in the Frobenius norm.
    pub(crate) fn spectral_norm(&self) -> Upper {
        self.middle.spectral_norm() + norm(&self.radius.values)
    }
}

/// An unknown symmetric matrix: entries known as pairs, up to a matrix of spectral norm at most `error`.
#[derive(Clone, Debug)]
pub(crate) struct Symmetric {
    pub(crate) n: usize,
    pub(crate) hi: Vec<f64>,
    pub(crate) lo: Vec<f64>,
    pub(crate) error: Upper,
}

/// What underflow can cost in one entry, at any size of matrix that fits into memory.
pub(crate) const UNDERFLOW: f64 = 1e-250;

impl Symmetric {
    /// From the lower triangle.
    pub(crate) fn from_entries(n: usize, error: Upper, mut entry: impl FnMut(usize, usize) -> Pair) -> Symmetric {
        let (mut hi, mut lo) = (vec![0.0; n * n], vec![0.0; n * n]);
        for i in 0..n {
            for j in 0..=i {
                let x = entry(i, j);
                (hi[i * n + j], lo[i * n + j]) = (x.hi, x.lo);
                (hi[j * n + i], lo[j * n + i]) = (x.hi, x.lo);
            }
        }
        Symmetric { n, hi, lo, error }
    }

    /// From enclosures of the entries of the lower triangle, which stand for both.
    pub(crate) fn enclosing(n: usize, entries: &[Interval]) -> Symmetric {
        let entry = |i: usize, j: usize| entries[i.max(j) * n + i.min(j)];
        let error = Upper::norm((0..n * n).map(|k| entry(k / n, k % n).radius()));
        Symmetric::from_entries(n, error, |i, j| Pair::exact(entry(i, j).middle()))
    }

    /// `X X^T`. Entry (i, j) is wrong by at most `dot_error |x_i||x_j|`, so the matrix by `dot_error |X|_F^2`.
    pub(crate) fn gram(x: &Matrix) -> Symmetric {
        let tail = vec![0.0; x.columns];
        let error = Upper::new(dot_error(x.columns)) * norm(&x.values).square() + Upper::new(x.rows as f64 * UNDERFLOW);
        Symmetric::from_entries(x.rows, error, |i, j| dot(x.row(i), &tail, x.row(j), &tail))
    }

    /// Enclosures of the entries.
    pub(crate) fn intervals(&self) -> Vec<Interval> {
        self.hi.iter().map(|&x| Interval::around(x, Upper::new(U * x.abs()) + self.error)).collect()
    }

    pub(crate) fn entry(&self, i: usize, j: usize) -> Pair {
        Pair { hi: self.hi[i * self.n + j], lo: self.lo[i * self.n + j] }
    }

    /// `sum |A_ij|`, in fact of the diagonal alone: it bounds the Frobenius norm of a positive semidefinite matrix.
    pub(crate) fn trace(&self) -> Upper {
        (0..self.n).map(|i| Upper::new(self.hi[i * self.n + i].abs() * (1.0 + 4.0 * U))).sum()
    }

    /// `scale A + shift 1 1^T` for positive semidefinite A, `scale, shift >= 0`. Each entry is wrong by at most
    /// `16 u^2 |scale A_ij|` (product) and `8 u^2 (|scale A_ij| + shift)` (sum).
    pub(crate) fn combined(&self, scale: Pair, shift: Pair) -> Symmetric {
        let grown = Upper::new(scale.hi * (1.0 + 4.0 * U));
        let size = grown * (self.trace() + Upper::new(self.n as f64) * self.error)
            + Upper::new(shift.hi * (1.0 + 4.0 * U) * self.n as f64);
        let error = grown * self.error + Upper::new(32.0 * U * U) * size + Upper::new(self.n as f64 * UNDERFLOW);
        Symmetric::from_entries(self.n, error, |i, j| scale.times(self.entry(i, j)).plus(shift))
    }

    /// Is `A - diag(t)` positive semidefinite for certain?
    pub(crate) fn at_least(&self, t: &[f64]) -> bool {
        self.semidefinite(1.0, t)
    }

    /// Is `diag(t) - A` positive semidefinite for certain?
    pub(crate) fn at_most(&self, t: &[f64]) -> bool {
        self.semidefinite(-1.0, t)
    }

    /// Upper bound of `lmax(M A M)`, M = diag(sqrt m): the smallest verified one of a few candidates above the Lanczos
    /// estimate, or a trace. By congruence `M A M <= level` is `A <= level diag(1 / m)`.
    pub(crate) fn largest(&self, m: &[f64]) -> Upper {
        let weights: Vec<f64> = m.iter().map(|m| m.sqrt()).collect();
        let weighted = |x: &[f64]| -> Vec<f64> { x.iter().zip(&weights).map(|(x, w)| x * w).collect() };
        let times = |x: &[f64]| -> Vec<f64> { self.hi.chunks(self.n).map(|row| plain_dot(row, x)).collect() };
        let estimate = lanczos(self.n, |x| weighted(&times(&weighted(x))));
        let proved = |level: &f64| self.at_most(&m.iter().map(|&m| div_down(*level, m)).collect::<Vec<_>>());
        let level = [1e-13, 1e-11, 1e-9, 1e-6, 1e-3].map(|excess| estimate * (1.0 + excess)).into_iter().find(proved);
        let trace = || self.trace() + Upper::new(self.n as f64) * self.error;
        level.map_or_else(|| trace() * Upper::maximum(m.iter().map(|&m| Upper::new(m))), Upper::new)
    }

    /// Is `B = sign (A - diag(t))` positive semidefinite? With any lower triangular L, `B - s I = L L^T + E` gives
    /// `lmin(B) >= s - |E|`; so it is enough that `|E|`, bounded a posteriori, and what the stored entries of B miss stay
    /// below the shift s. First with L in doubles, then, for ill-conditioned matrices, with L in pairs. `false` proves
    /// nothing.
    fn semidefinite(&self, sign: f64, t: &[f64]) -> bool {
        let signed = |x: Pair| if sign < 0.0 { x.negative() } else { x };
        let diagonal: Vec<Pair> = (0..self.n).map(|i| signed(self.entry(i, i).plus(Pair::exact(-t[i])))).collect();
        if diagonal.iter().any(|d| !(d.hi > 0.0 && d.hi.is_finite())) {
            return false;
        }
        // The diagonal was changed by two sums of pairs, each wrong by 8 u^2 of numbers at most |A_ii| + |t_i|.
        let sizes: f64 = t.iter().map(|x| x.abs()).sum();
        let missed = self.error + Upper::new(32.0 * U * U) * (self.trace() + Upper::new(sizes * 1.001));
        let trace: f64 = diagonal.iter().map(|d| d.hi).sum();
        for precise in [false, true] {
            let unit = if precise { 3.0 * dot_error(self.n) } else { U * (self.n as f64).sqrt() };
            let mut expected = unit * trace;
            for _ in 0..2 {
                let shift = 1.5 * missed.get() + expected;
                let shifted = Symmetric::from_entries(self.n, Upper::ZERO, |i, j| {
                    if i == j { diagonal[i].plus(Pair::exact(-shift)) } else { signed(self.entry(i, j)) }
                });
                let Some(factor) = shifted.cholesky(precise) else { break };
                let residual = shifted.residual(&factor) + missed;
                if residual.get() <= shift {
                    return true;
                }
                expected = 1.5 * residual.get();
            }
        }
        false
    }

    /// A lower triangular L with `L L^T` about equal to the matrix, or nothing when a pivot is not positive. No claim is
    /// made about L: [`Symmetric::residual`] judges it.
    pub(crate) fn cholesky(&self, precise: bool) -> Option<Symmetric> {
        let n = self.n;
        let (mut hi, mut lo) = (vec![0.0; n * n], vec![0.0; n * n]);
        for i in 0..n {
            let (above, own) = hi.split_at_mut(i * n);
            let (above_lo, own_lo) = lo.split_at_mut(i * n);
            for j in 0..=i {
                let start = j * n;
                let (row, row_lo) = if i == j { (&*own, &*own_lo) } else { (&above[start..], &above_lo[start..]) };
                let sum = if precise {
                    dot(&own[..j], &own_lo[..j], &row[..j], &row_lo[..j])
                } else {
                    Pair::exact(plain_dot(&own[..j], &row[..j]))
                };
                let left = self.entry(i, j).plus(sum.negative());
                if i == j && !(left.hi > 0.0 && left.hi.is_finite()) {
                    return None;
                }
                // A square root or a quotient, and one step of Newton's method on it.
                let (head, divisor, slope) = if i == j {
                    let root = left.hi.sqrt();
                    (root, Pair::exact(root), 2.0 * root)
                } else {
                    (left.hi / row[j], Pair { hi: row[j], lo: row_lo[j] }, row[j])
                };
                let rest = || left.plus(Pair::exact(head).times(divisor).negative()).hi / slope;
                let entry = Pair::sum(head, if precise { rest() } else { 0.0 });
                (own[j], own_lo[j]) = (entry.hi, entry.lo);
            }
        }
        Some(Symmetric { n, hi, lo, error: Upper::ZERO })
    }

    /// Upper bound of `|A - L L^T|_F` for the stored entries of A. Entry (i, j) of the residual is r up to: the scalar
    /// product, `dot_error |l_i||l_j|` (summed over the matrix: `dot_error |L|_F^2`), and the last three additions,
    /// `4 u (|e| + |lo| + |lo'|)` and `u |r|`.
    fn residual(&self, factor: &Symmetric) -> Upper {
        let n = self.n;
        let mut squares = 0.0;
        for i in 0..n {
            for j in 0..=i {
                let (p, q) = (i * n..i * n + j + 1, j * n..j * n + j + 1);
                let sum = dot(&factor.hi[p.clone()], &factor.lo[p], &factor.hi[q.clone()], &factor.lo[q]);
                let x = self.entry(i, j);
                let (s, e) = two_sum(x.hi, -sum.hi);
                let r = s + (e + (x.lo - sum.lo));
                let bound = r.abs() + 4.0 * U * (e.abs() + x.lo.abs() + sum.lo.abs() + r.abs());
                squares += bound * bound * if i == j { 1.0 } else { 2.0 };
            }
        }
        // A positive sum in doubles: relative error below n^2 u, so below 1e-6 for every n that fits into memory.
        Upper::new(squares * (1.0 + 1e-6)).sqrt()
            + Upper::new(dot_error(n)) * norm(&factor.hi).square()
            + Upper::new(n as f64 * 1e-150)
    }
}

/// An estimate of the largest eigenvalue of a symmetric map: Lanczos with full reorthogonalisation, at most 160 steps, then
/// bisection.
pub(crate) fn lanczos(n: usize, map: impl Fn(&[f64]) -> Vec<f64>) -> f64 {
    let (mut basis, mut diagonal, mut coupling) = (Vec::<Vec<f64>>::new(), Vec::new(), Vec::new());
    let mut v: Vec<f64> = (0..n).map(|i| 1.0 + (i as f64 * 0.618_033_988_749).fract()).collect();
    for k in 0..n.min(160) {
        let norm = plain_dot(&v, &v).sqrt();
        if !(norm > 1e-14 * diagonal.iter().fold(1e-280, |a: f64, &b: &f64| a.max(b))) {
            break;
        }
        coupling.push(if k == 0 { 0.0 } else { norm * norm });
        basis.push(v.iter().map(|x| x / norm).collect());
        v = map(&basis[k]);
        diagonal.push(plain_dot(&v, &basis[k]));
        for b in basis.iter().chain(&basis) {
            let along = plain_dot(b, &v);
            v.iter_mut().zip(b).for_each(|(x, y)| *x -= along * y);
        }
    }
    // x is above all eigenvalues of the tridiagonal matrix T if the leading minors of x I - T are positive.
    let above = |x: f64| {
        let mut ratio = 1.0;
        diagonal.iter().zip(&coupling).all(|(a, b)| {
            ratio = x - a - b / ratio;
            ratio > 0.0
        })
    };
    let (mut low, mut high) = (0.0, diagonal.iter().sum::<f64>());
    for _ in 0..64 {
        let middle = 0.5 * (low + high);
        (low, high) = if above(middle) { (low, middle) } else { (middle, high) };
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hilbert matrices times the least common denominator are integers; lmin of the 8 x 8 one is 1.11153896637244e-10 (rationals).
    #[test]
    fn smallest_eigenvalue_of_the_hilbert_matrix_to_ten_digits() {
        let scale = 360_360.0;
        let h = Symmetric::from_entries(8, Upper::ZERO, |i, j| Pair::exact(scale / (i + j + 1) as f64));
        assert!(h.at_least(&[scale * 1.111_538_966_372e-10; 8]));
        assert!(!h.at_least(&[scale * 1.111_538_966_373e-10; 8]));
    }

    #[test]
    fn singular_matrices_are_never_definite() {
        let ones = Symmetric::from_entries(3, Upper::ZERO, |_, _| Pair::exact(1.0));
        assert!(!ones.at_least(&[f64::MIN_POSITIVE; 3]));
        assert!(!ones.at_least(&[1e-40; 3]));
        assert!(ones.at_most(&[3.0 + 1e-14; 3]));
        assert!(!ones.at_most(&[3.0 - 1e-15; 3]));
    }

    #[test]
    fn spectral_norms_are_tight_upper_bounds() {
        // Singular values of [[2, 0], [0, 3], [0, 0]] and of a rank-one matrix.
        let diagonal = Matrix { rows: 3, columns: 2, values: vec![2.0, 0.0, 0.0, 3.0, 0.0, 0.0] };
        let norm = diagonal.spectral_norm().get();
        assert!((3.0..3.0 + 1e-11).contains(&norm));
        let ones = Matrix { rows: 40, columns: 90, values: vec![1.0; 3600] };
        assert!((60.0..60.0 + 1e-10).contains(&ones.spectral_norm().get()));
        let zero = Matrix { rows: 2, columns: 2, values: vec![0.0; 4] };
        assert_eq!(zero.spectral_norm().get(), 0.0);
    }
}
