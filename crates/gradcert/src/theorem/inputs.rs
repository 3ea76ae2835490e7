//! What the certificates need to know about the inputs: row norms, extreme singular values, Gram matrix, with rounding.

use gradcert_rigor::linear::{
    EnclosedMatrix, SymmetricBall, largest_eigenvalue_upper, norm_upper, smallest_singular_value_lower,
};
use gradcert_rigor::{Interval, Lower, Upper};
use std::sync::OnceLock;

/// Bounds of `Xt = M^{1/2} [X, D_b1 1]`, one row per (merged) sample, `M = diag(m_i)`.
#[derive(Clone, Debug)]
pub struct InputBounds {
    /// `sqrt m_i`, from above.
    pub weight: Vec<Upper>,
    /// Unweighted `|x~_i|`.
    pub extended: Vec<Upper>,
    /// `smin(Xt)`, the n-th singular value: 0 when there are more rows than columns, or when nothing better is proved.
    pub smin: Lower,
    /// `|Xt|`.
    pub smax: Upper,
    root_multiplicity: Vec<Interval>,
    /// Unweighted X~; nothing stands for the identity (whitened inputs).
    rows: Option<EnclosedMatrix>,
    /// Unweighted `X~ X~^T`, once it is asked for: with many samples it is large.
    gram: OnceLock<SymmetricBall>,
}

fn roots(multiplicity: &[u32]) -> Vec<Interval> {
    multiplicity.iter().map(|&m| Interval::exact(f64::from(m)).sqrt()).collect()
}

impl InputBounds {
    /// Inputs `x_i` as given, the rows of `inputs` (n x d), with a trained bias in the first layer or without.
    pub fn of_rows(inputs: &EnclosedMatrix, multiplicity: &[u32], bias: bool) -> InputBounds {
        let extended = if bias { inputs.append_column(&vec![Interval::ONE; inputs.nrows()]) } else { inputs.clone() };
        let root_multiplicity = roots(multiplicity);
        let weighted = if multiplicity.iter().all(|&m| m == 1) {
            extended.clone()
        } else {
            extended.scale_rows(&root_multiplicity)
        };
        let gram = OnceLock::new();
        let smax = if extended.nrows() > extended.ncols() {
            norm_upper(&weighted)
        } else {
            let gram = gram.get_or_init(|| SymmetricBall::gram(&extended));
            largest_eigenvalue_upper(&weighted_ball(gram, &root_multiplicity)).sqrt()
        };
        InputBounds {
            weight: root_multiplicity.iter().map(|w| w.upper()).collect(),
            extended: extended.row_norms().iter().map(|r| r.upper()).collect(),
            smin: smallest_singular_value_lower(&weighted),
            smax,
            root_multiplicity,
            rows: Some(extended),
            gram,
        }
    }

    /// Whitened inputs (T12) in exact arithmetic: sample i reads the i-th unit vector, and there is no bias.
    pub fn unit(multiplicity: &[u32]) -> InputBounds {
        let root_multiplicity = roots(multiplicity);
        let n = multiplicity.len();
        InputBounds {
            weight: root_multiplicity.iter().map(|w| w.upper()).collect(),
            extended: vec![Upper::ONE; n],
            smin: Lower::minimum(root_multiplicity.iter().map(|w| w.lower())),
            smax: Upper::maximum(root_multiplicity.iter().map(|w| w.upper())),
            rows: None,
            gram: OnceLock::from(SymmetricBall::new(faer::Mat::identity(n, n), Upper::ZERO)),
            root_multiplicity,
        }
    }

    /// Number of distinct samples.
    pub fn samples(&self) -> usize {
        self.weight.len()
    }

    /// `sqrt n`, n with duplicates counted.
    pub fn weight_norm(&self) -> Upper {
        Upper::norm(self.weight.iter().copied())
    }

    /// `sqrt m_i`, enclosed.
    pub fn root_multiplicity(&self) -> &[Interval] {
        &self.root_multiplicity
    }

    /// Unweighted X~, one row per sample.
    pub fn rows(&self) -> EnclosedMatrix {
        let n = self.samples();
        self.rows.clone().unwrap_or_else(|| EnclosedMatrix::exact(faer::Mat::identity(n, n)))
    }

    fn gram(&self) -> &SymmetricBall {
        self.gram.get_or_init(|| SymmetricBall::gram(&self.rows()))
    }

    /// `alpha Xt Xt^T + beta w w^T` with `w = (sqrt m_i)`.
    pub fn kernel(&self, alpha: Interval, beta: Interval) -> SymmetricBall {
        let zero = SymmetricBall::new(faer::Mat::zeros(self.samples(), self.samples()), Upper::ZERO);
        let scaled = SymmetricBall::combine(alpha, self.gram(), Interval::ZERO, &zero);
        weighted_ball(&scaled.plus_rank_one(beta, &vec![1.0; self.samples()]), &self.root_multiplicity)
    }
}

/// `M^{1/2} A M^{1/2}`.
fn weighted_ball(a: &SymmetricBall, root_multiplicity: &[Interval]) -> SymmetricBall {
    if root_multiplicity.iter().all(|&w| w == Interval::ONE) { a.clone() } else { a.scale_both(root_multiplicity) }
}
