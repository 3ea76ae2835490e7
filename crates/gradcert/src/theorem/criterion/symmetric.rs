//! Extreme eigenvalues of small symmetric matrices of intervals.

use gradcert_rigor::rounding::{add_up, div_down, mul_up, sub_down};
use gradcert_rigor::{Interval, Upper};

/// A symmetric matrix of intervals by rows, both triangles stored.
pub(super) struct Symmetric {
    n: usize,
    entries: Vec<Interval>,
}

impl Symmetric {
    pub(super) fn new(n: usize, entry: impl Fn(usize, usize) -> Interval) -> Symmetric {
        let entries = (0..n * n).map(|at| entry((at / n).min(at % n), (at / n).max(at % n))).collect();
        Symmetric { n, entries }
    }

    fn at(&self, i: usize, j: usize) -> Interval {
        self.entries[i * self.n + j]
    }

    /// An upper bound of the largest eigenvalue of every symmetric matrix in the enclosure: `-lmin(-A)`.
    pub(super) fn largest_eigenvalue(&self) -> f64 {
        -Symmetric { n: self.n, entries: self.entries.iter().map(|&x| -x).collect() }.smallest_eigenvalue()
    }

    /// A lower bound of the smallest eigenvalue of every symmetric matrix in the enclosure; -inf if nothing is known.
    pub(super) fn smallest_eigenvalue(&self) -> f64 {
        match self.n {
            0 => f64::INFINITY,
            1 => self.at(0, 0).lo(),
            2 => self.of_two(),
            _ => self.by_discs().max(self.by_rotation()),
        }
    }

    /// n = 2: lmin = (a + d)/2 - sqrt(((a - d)/2)^2 + b^2) does not decrease with a and d and does not increase with |b|, so the
    /// smallest one is that of the lower ends of a and d and the largest |b|.
    fn of_two(&self) -> f64 {
        let (a, d) = (Interval::exact(self.at(0, 0).lo()), Interval::exact(self.at(1, 1).lo()));
        let b = Interval::exact(self.at(0, 1).magnitude().get());
        let half = Interval::exact(0.5);
        let difference = (a - d) * half;
        let lower = ((a + d) * half - (difference.square() + b.square()).sqrt()).lo();
        // b = 0 exactly: the smaller diagonal entry, without rounding.
        if b == Interval::ZERO { a.lo().min(d.lo()) } else { lower }
    }

    /// Gershgorin: every eigenvalue is at least min_i (a_ii - sum_{j != i} |a_ij|).
    fn by_discs(&self) -> f64 {
        let row = |i: usize| {
            let others = (0..self.n).filter(|&j| j != i).map(|j| self.at(i, j).magnitude());
            sub_down(self.at(i, i).lo(), others.sum::<Upper>().get())
        };
        (0..self.n).map(row).fold(f64::INFINITY, f64::min)
    }

    /// A = C + D with the midpoints C. For any matrix V with e >= |V^T V - I|, e < 1, and m <= lmin(V^T C V): with x = V y
    /// x^T C x >= m |y|^2, and (1 - e)|y|^2 <= |x|^2 <= (1 + e)|y|^2, so lmin(C) >= m / (1 + e) if m >= 0 and m / (1 - e) if m < 0
    /// (V is invertible). And lmin(A) >= lmin(C) - |D|, |D| <= its largest row sum. V: approximate eigenvectors of C.
    fn by_rotation(&self) -> f64 {
        let n = self.n;
        let centre: Vec<f64> = self.entries.iter().map(|x| x.middle()).collect();
        if self.entries.iter().any(|x| !x.lo().is_finite() || !x.hi().is_finite()) {
            return f64::NEG_INFINITY;
        }
        let v = jacobi_eigenvectors(&centre, n);
        let dot = |x: &dyn Fn(usize) -> Interval, y: &dyn Fn(usize) -> Interval| {
            (0..n).fold(Interval::ZERO, |sum, k| sum + x(k) * y(k))
        };
        let column = |j: usize| {
            let v = &v;
            move |k: usize| Interval::exact(v[k * n + j])
        };
        // C V, by columns.
        let image: Vec<Interval> =
            (0..n * n).map(|at| dot(&|k| Interval::exact(centre[at % n * n + k]), &column(at / n))).collect();
        let rotated = Symmetric::new(n, |i, j| dot(&column(i), &|k| image[j * n + k]));
        let unit = |i: usize, j: usize| if i == j { Interval::ONE } else { Interval::ZERO };
        let defect = Symmetric::new(n, |i, j| dot(&column(i), &column(j)) - unit(i, j)).row_sums().get();
        if defect.is_nan() || defect >= 1.0 {
            return f64::NEG_INFINITY;
        }
        let m = rotated.by_discs();
        let centre_lower =
            if m >= 0.0 { div_down(m, add_up(1.0, defect)) } else { -div_up_of(-m, sub_down(1.0, defect)) };
        let radii = Symmetric::new(n, |i, j| Interval::exact(self.at(i, j).radius().get()));
        sub_down(centre_lower, radii.row_sums().get())
    }

    /// The largest row sum of magnitudes: an upper bound of the spectral norm.
    fn row_sums(&self) -> Upper {
        Upper::maximum((0..self.n).map(|i| (0..self.n).map(|j| self.at(i, j).magnitude()).sum()))
    }
}

fn div_up_of(a: f64, b: f64) -> f64 {
    mul_up(a, gradcert_rigor::rounding::div_up(1.0, b))
}

/// Approximate eigenvectors, by columns of a row-major matrix, with Jacobi's rotations. Nothing is proved.
fn jacobi_eigenvectors(matrix: &[f64], n: usize) -> Vec<f64> {
    let mut a = matrix.to_vec();
    let mut v: Vec<f64> = (0..n * n).map(|at| f64::from(u8::from(at / n == at % n))).collect();
    for _sweep in 0..12 {
        for p in 0..n {
            for q in p + 1..n {
                let apq = a[p * n + q];
                if apq.abs() <= 1e-17 * (a[p * n + p].abs() + a[q * n + q].abs()) {
                    continue;
                }
                let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
                let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let c = 1.0 / t.hypot(1.0);
                rotate(&mut a, &mut v, n, (p, q), (c, t * c));
            }
        }
    }
    v
}

fn rotate(a: &mut [f64], v: &mut [f64], n: usize, (p, q): (usize, usize), (c, s): (f64, f64)) {
    for k in 0..n {
        let (x, y) = (a[k * n + p], a[k * n + q]);
        (a[k * n + p], a[k * n + q]) = (c * x - s * y, s * x + c * y);
        let (x, y) = (v[k * n + p], v[k * n + q]);
        (v[k * n + p], v[k * n + q]) = (c * x - s * y, s * x + c * y);
    }
    for k in 0..n {
        let (x, y) = (a[p * n + k], a[q * n + k]);
        (a[p * n + k], a[q * n + k]) = (c * x - s * y, s * x + c * y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_known_spectra_are_tight_and_on_their_side() {
        // The second difference matrix: eigenvalues 2 - 2 cos(k pi / (n + 1)).
        for n in 1..=7usize {
            let entry = |i: usize, j: usize| match j - i {
                0 => Interval::exact(2.0),
                1 => Interval::exact(-1.0),
                _ => Interval::ZERO,
            };
            let a = Symmetric::new(n, entry);
            let step = std::f64::consts::PI / (n as f64 + 1.0);
            let (least, greatest) = (2.0 - 2.0 * step.cos(), 2.0 - 2.0 * (n as f64 * step).cos());
            let (low, high) = (a.smallest_eigenvalue(), a.largest_eigenvalue());
            assert!(low <= least + 1e-15 && low > least - 1e-12, "{n}: {low} {least}");
            assert!(high >= greatest - 1e-15 && high < greatest + 1e-12, "{n}: {high} {greatest}");
        }
    }

    #[test]
    fn wide_entries_are_paid_for() {
        let a = Symmetric::new(3, |i, j| if i == j { Interval::new(3.0, 4.0) } else { Interval::new(-0.5, 0.5) });
        // The worst member has 3 on the diagonal and -0.5 elsewhere: 3 - 1.
        let low = a.smallest_eigenvalue();
        assert!(low <= 2.0 && low > 1.99);
    }
}
