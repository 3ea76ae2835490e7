//! Sizes relative to the tangent kernel at w0.
//!
//! With weights M = diag(sqrt m) the kernel is `K0 = M K M`, K that of the distinct samples. `|J(w0)^+ y|^2 = y^T K^{-1} y` for
//! an unweighted y, and `lmax(K0^{-1/2} M A M K0^{-1/2})` is the smallest t with `t K - A >= 0`: the weights are needed
//! only for `K >= smin^2 M^{-2}`, which is what `smin(J(w0)) >= smin` says.

use crate::check::{CheckError, Proved};
use crate::matrix::{Enclosed, Matrix, Symmetric, UNDERFLOW, lanczos, norm};
use crate::pairs::{Pair, U, plain_dot, plain_dot_error};
use crate::start::Centre;
use gradcert_rigor::{Interval, Lower, Upper};

/// Bounds of the norms of the rows of the middle, and of what it misses.
pub(crate) fn sizes(x: &Enclosed) -> [Vec<Upper>; 2] {
    [&x.middle, &x.radius].map(|x: &Matrix| (0..x.rows).map(|r| norm(x.row(r))).collect())
}

/// `X Y^T` over the columns that X has: entries are wrong by at most the sizes of the rows times gamma, and the errors of each times
/// the sizes of the other.
pub(crate) fn times(x: &Enclosed, y: &Enclosed) -> Enclosed {
    let ([m, r], [w, t]) = (sizes(x), sizes(y));
    let (rows, columns, length) = (x.middle.rows, y.middle.rows, x.middle.columns);
    let gamma = Upper::new(plain_dot_error(length));
    let middle = |k: usize| plain_dot(x.middle.row(k / columns), &y.middle.row(k % columns)[..length]);
    let radius = |i: usize, j: usize| (r[i] + gamma * m[i]) * w[j] + (m[i] + r[i]) * t[j] + Upper::new(UNDERFLOW);
    let entry = |k: usize| Interval::around(middle(k), radius(k / columns, k % columns));
    Enclosed::from_intervals(rows, columns, &(0..rows * columns).map(entry).collect::<Vec<_>>())
}

/// K with the verified smin(J(w0)), and an approximate Cholesky factor.
pub(crate) struct Relative<'a> {
    kernel: &'a Symmetric,
    rows: &'a [f64],
    smin: Lower,
    factor: Symmetric,
}

impl<'a> Relative<'a> {
    pub(crate) fn new(centre: &'a Centre) -> Proved<Relative<'a>> {
        let (kernel, rows, smin) = (&centre.kernel.base, &centre.samples.rows, centre.smin_start);
        let singular = || CheckError::Data("the tangent kernel at the given parameters has no Cholesky factor".into());
        Ok(Relative { kernel, rows, smin, factor: kernel.cholesky(false).ok_or_else(singular)? })
    }

    /// Row i of the factor.
    fn row(&self, i: usize) -> &[f64] {
        &self.factor.hi[i * self.kernel.n..(i + 1) * self.kernel.n]
    }

    /// About `L^{-1} y`.
    fn forward(&self, y: &[f64]) -> Vec<f64> {
        let mut x = y.to_vec();
        for i in 0..x.len() {
            x[i] = (x[i] - plain_dot(&self.row(i)[..i], &x[..i])) / self.row(i)[i];
        }
        x
    }

    /// About `L^{-T} y`.
    fn backward(&self, y: &[f64]) -> Vec<f64> {
        let mut x = y.to_vec();
        for i in (0..x.len()).rev() {
            x[i] /= self.row(i)[i];
            let (before, own) = x.split_at_mut(i);
            before.iter_mut().zip(self.row(i)).for_each(|(x, l)| *x -= l * own[0]);
        }
        x
    }

    fn largest_multiplicity(&self) -> Upper {
        Upper::maximum(self.rows.iter().map(|&m| Upper::new(m)))
    }

    /// `|M y| / smin >= |J(w0)^+ y|`, from the norms of y over the rows.
    pub(crate) fn crude(&self, y: impl Iterator<Item = Upper> + Clone) -> Upper {
        Upper::norm(y.zip(self.rows).map(|(y, &m)| y * Upper::new(m).sqrt())) / self.smin
    }

    /// `sqrt(y^T K^{-1} y)`, up. For any x, with `r = y - K x`: `y^T K^{-1} y = 2 x.y - x.(K x) + r^T K^{-1} r`; here x is
    /// about `K^{-1} y`, so that the last term is small. `K x`, of the stored K in doubles, is wrong by at most gamma |K|_F |x|.
    pub(crate) fn length(&self, y: &[Interval]) -> Upper {
        let (n, kernel) = (self.kernel.n, self.kernel);
        let x = self.backward(&self.forward(&y.iter().map(|y| y.middle()).collect::<Vec<_>>()));
        let image: Vec<Interval> = kernel.hi.chunks(n).map(|row| Interval::exact(plain_dot(row, &x))).collect();
        let (size, gamma) = (norm(&x), Upper::new(plain_dot_error(n) + U));
        let blur = (gamma * norm(&kernel.hi) + kernel.error + Upper::new(UNDERFLOW)) * size;
        let term = |i: usize| Interval::exact(x[i]) * (y[i] + (y[i] - image[i]));
        let main = (0..n).fold(Interval::ZERO, |sum, i| sum + term(i)).upper() + size * blur;
        let rest = self.crude(y.iter().zip(&image).map(|(&y, &kx)| (y - kx).magnitude()));
        let rest = rest + self.largest_multiplicity().sqrt() * blur / self.smin;
        (main + rest.square()).sqrt()
    }

    /// `t K - A` for positive semidefinite A. Products and sums of pairs are wrong by less than `32 u^2` of their terms, and
    /// traces bound Frobenius norms.
    fn difference(&self, t: f64, a: &Symmetric) -> Symmetric {
        let (kernel, own, n) = (self.kernel, Upper::new(t), Upper::new(2.0 * a.n as f64));
        let size = own * (kernel.trace() + n * kernel.error) + a.trace() + n * a.error;
        let error = own * kernel.error + a.error + Upper::new(32.0 * U * U) * size + n * Upper::new(UNDERFLOW);
        let entry = |i, j| Pair::exact(t).times(kernel.entry(i, j)).plus(a.entry(i, j).negative());
        Symmetric::from_entries(a.n, error, entry)
    }

    /// Upper bound of `lmax(K0^{-1/2} M A M K0^{-1/2})` for positive semidefinite A: the first verified one of a few levels above
    /// the Lanczos estimate. Room t smin^2 / m must be left for what is not known of `t K - A` and for its factorisation.
    pub(crate) fn largest(&self, a: &Symmetric) -> Upper {
        let n = a.n;
        let smallest = self.smin.square() / self.largest_multiplicity();
        let image = |x: &[f64]| -> Vec<f64> { a.hi.chunks(n).map(|row| plain_dot(row, x)).collect() };
        let estimate = lanczos(n, |x| self.forward(&image(&self.backward(x)))).max(0.0);
        let unknown = self.difference(estimate, a).error.get();
        let rounding = U * (n as f64).sqrt() * (estimate * self.kernel.trace().get() + a.trace().get());
        let room = (2.0 * unknown + 3.0 * rounding) / smallest.get();
        for factor in [1.0, 16.0, 256.0, 4096.0] {
            let level = estimate + factor * (1e-10 * estimate + room);
            if self.difference(level, a).at_least(&vec![0.0; n]) {
                return Upper::new(level);
            }
        }
        (a.trace() + Upper::new(n as f64) * a.error) / smallest
    }

    /// R with `R K R^T >= (1 - delta) I`, and `sqrt(1 - delta)`: then `lmax(K0^{-1/2} M A M K0^{-1/2})` is at most
    /// `lmax(R A R^T) / (1 - delta)`. R is about `L^{-1}`, triangular as it is; `|R K R^T - I|` is bounded in the Frobenius norm.
    pub(crate) fn whitener(&self) -> Option<(Enclosed, Lower)> {
        let (n, kernel) = (self.kernel.n, self.kernel);
        let square = |values| Matrix { rows: n, columns: n, values };
        let column = |j: usize| self.forward(&(0..n).map(|i| if i == j { 1.0 } else { 0.0 }).collect::<Vec<_>>());
        let r = Enclosed::exact(square((0..n).flat_map(column).collect()).transposed());
        let stored = Enclosed::exact(square(kernel.hi.clone()));
        let product = times(&times(&r, &stored), &r).intervals();
        let unit = |k: usize| if k / n == k % n { Interval::ONE } else { Interval::ZERO };
        let defect = Upper::norm((0..n * n).map(|k| (product[k] - unit(k)).magnitude()));
        let missed = kernel.error + Upper::new(U) * norm(&kernel.hi);
        let kept = Lower::ONE.minus(defect + missed * norm(&r.middle.values).square());
        kept.is_positive().then(|| (r, kept.sqrt()))
    }
}
