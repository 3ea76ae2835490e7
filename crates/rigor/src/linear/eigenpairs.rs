//! All eigenvalues and vectors of a symmetric matrix, approximate, with a proved defect.

use super::enclosed::{EnclosedMatrix, quick_norm};
use super::symmetric::{SymmetricBall, gram};
use crate::bound::{Lower, Upper};
use crate::interval::Interval;
use crate::rounding::{add_up, sub_up};
use faer::{Mat, MatRef, Side};

/// Values `lam` and vectors `V` (columns) such that some exactly orthogonal `Q` has
/// `|V - Q| <= orthogonality` and `|A - Q diag(lam) Q^T| <= defect` for every `A` of the ball, in the spectral norm.
///
/// **Derivation.** Let `|V^T V - I| <= e < 1` and `|A - V diag(lam) V^T| <= r`, both proved. `V` is invertible; take its
/// polar decomposition `V = Q P`, `P = (V^T V)^{1/2}`. The eigenvalues of `P` are the singular values `s` of `V`, and
/// `|s - 1| = |s^2 - 1| / (s + 1) <= e / (1 + sqrt(1 - e)) =: d`. Hence `|V - Q| = |P - I| <= d`, and with
/// `P = I + F`, `|F| <= d`: `|V diag(lam) V^T - Q diag(lam) Q^T| = |P diag(lam) P - diag(lam)|
/// = |F diag(lam) P + diag(lam) F| <= d (2 + d) max |lam|`. The defect is the sum of this and `r`.
#[derive(Clone, Debug)]
pub struct Eigenpairs {
    values: Vec<f64>,
    vectors: Mat<f64>,
    defect: Upper,
    orthogonality: Upper,
}

impl Eigenpairs {
    /// The decomposition of the middle of the ball; the radius goes into the defect. `None` when the float
    /// decomposition fails or nothing is known about the matrix.
    pub fn new(a: &SymmetricBall) -> Option<Eigenpairs> {
        if !a.radius().is_finite() {
            return None;
        }
        let n = a.dimension();
        let (values, vectors) = if n == 0 {
            (Vec::new(), Mat::zeros(0, 0))
        } else {
            let eigen = a.middle().self_adjoint_eigen(Side::Lower).ok()?;
            ((0..n).map(|i| eigen.S().column_vector()[i]).collect(), eigen.U().to_owned())
        };
        Some(Eigenpairs::from_approximation(a, values, vectors))
    }

    /// The same bounds for any values and vectors, for instance those of another program.
    ///
    /// # Panics
    /// If the dimensions differ.
    pub fn from_approximation(a: &SymmetricBall, values: Vec<f64>, vectors: Mat<f64>) -> Eigenpairs {
        assert_eq!((vectors.nrows(), vectors.ncols()), (a.dimension(), a.dimension()), "the dimensions differ");
        assert_eq!(values.len(), a.dimension(), "one value per dimension");
        let residual = residual(a, &values, &vectors);
        let orthogonality = distance_to_orthogonal(&vectors);
        let largest = Upper::maximum(values.iter().map(|v| Upper::new(v.abs())));
        let defect = residual + orthogonality * (Upper::new(2.0) + orthogonality) * largest;
        Eigenpairs { values, vectors, defect, orthogonality }
    }

    /// Approximate eigenvalues, ascending. Each is within the defect of the corresponding true one (Weyl).
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Approximate eigenvectors, one per column.
    pub fn vectors(&self) -> MatRef<'_, f64> {
        self.vectors.as_ref()
    }

    /// Bound of `|A - Q diag(lam) Q^T|`; infinite when the vectors are not nearly orthogonal.
    pub fn defect(&self) -> Upper {
        self.defect
    }

    /// Bound of `|V - Q|`.
    pub fn orthogonality(&self) -> Upper {
        self.orthogonality
    }
}

/// `|A - V diag(values) V^T|`, the product enclosed entrywise.
fn residual(a: &SymmetricBall, values: &[f64], vectors: &Mat<f64>) -> Upper {
    let v = EnclosedMatrix::exact(vectors.clone());
    let scaled = v.scale_columns(&values.iter().map(|&x| Interval::exact(x)).collect::<Vec<_>>());
    let difference = EnclosedMatrix::exact(a.middle.clone()).minus(&scaled.times_transpose(&v));
    let n = a.dimension();
    let magnitude = Mat::from_fn(n, n, |i, j| {
        let (middle, radius) = difference.parts(i, j);
        add_up(middle.abs(), radius)
    });
    quick_norm(magnitude.as_ref()) + a.radius()
}

/// The `d` of [`Eigenpairs`].
fn distance_to_orthogonal(vectors: &Mat<f64>) -> Upper {
    let n = vectors.nrows();
    let products = gram(&EnclosedMatrix::exact(vectors.transpose().to_owned()));
    let off = Mat::from_fn(n, n, |i, j| {
        let x = products.middle[(i, j)];
        if i == j { sub_up(x, 1.0).abs().max(sub_up(1.0, x).abs()) } else { x.abs() }
    });
    let e = quick_norm(off.as_ref()) + products.radius();
    if e.get() < 1.0 { e / (Lower::ONE + Lower::ONE.minus(e).sqrt()) } else { Upper::UNKNOWN }
}
