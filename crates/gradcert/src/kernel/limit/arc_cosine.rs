//! Two layers of rectified linear units (1810.02054), in closed form. With `theta` the angle between two samples,
//! `H_ij = x_i.x_j E 1{w.x_i >= 0} 1{w.x_j >= 0} = x_i.x_j (pi - theta) / (2 pi)` (first layer) and
//! `G_ij = E relu(w.x_i) relu(w.x_j) = |x_i||x_j| (sin theta + (pi - theta) cos theta) / (2 pi)` (output weights), w from N(0, I).

use super::dual::symmetric;
use super::recursion::gram;
use faer::{Mat, MatRef};
use gradcert_rigor::Interval;
use gradcert_rigor::elementary::{atan, constants, cos, sin};
use gradcert_rigor::linear::{EnclosedMatrix, SymmetricBall};
use std::f64::consts::{PI, TAU};

/// `H`, or `H + G` if `both` layers are trained, in floats; the diagonal has the angle 0.
pub fn two_layers(x: &Mat<f64>, both: bool) -> Mat<f64> {
    let gram = gram(x);
    symmetric(x.nrows(), |i, j| {
        let size = (gram[(i, i)] * gram[(j, j)]).sqrt();
        let angle = if i == j { 0.0 } else { (gram[(i, j)] / size).clamp(-1.0, 1.0).acos() };
        let first = gram[(i, j)] * (PI - angle);
        let last = if both { size * (angle.sin() + (PI - angle) * angle.cos()) } else { 0.0 };
        (first + last) / TAU
    })
}

/// The same with every rounding enclosed, for samples that are exact doubles.
///
/// A scalar product of d terms is off by at most `gamma_d |x_i||x_j|` and underflow ([`gradcert_rigor::linear`]); the angle comes from
/// `theta = 2 arctan sqrt((1 - rho)/(1 + rho))`, which falls with rho: the ends of the enclosed cosine, cut to [-1, 1], give the ends of
/// the angle. On the diagonal it is 0.
pub fn enclosure(x: MatRef<'_, f64>, both: bool) -> SymmetricBall {
    let n = x.nrows();
    let exact = EnclosedMatrix::exact(x.to_owned());
    let gram = exact.times_transpose(&exact);
    let squares: Vec<Interval> = (0..n).map(|i| gram.entry(i, i).positive_part()).collect();
    let norms: Vec<Interval> = squares.iter().map(|s| s.sqrt()).collect();
    let entry = |i: usize, j: usize| {
        let size = norms[i] * norms[j];
        let (product, angle) =
            if i == j { (squares[i], Interval::ZERO) } else { (gram.entry(i, j), angle(gram.entry(i, j), size)) };
        let supplement = constants::PI - angle;
        let last = if both { size * (sin(angle) + supplement * cos(angle)) } else { Interval::ZERO };
        (product * supplement + last) / (Interval::exact(2.0) * constants::PI)
    };
    // The enclosure reads the lower triangle only.
    let lower = EnclosedMatrix::from_fn(n, n, |i, j| if j <= i { entry(i, j) } else { Interval::ZERO });
    if lower.is_bounded() { SymmetricBall::from_enclosed(&lower) } else { SymmetricBall::unknown(n) }
}

/// The angle between vectors with this scalar product and this product of norms: from the ends of the cosine, as the angle falls with it.
fn angle(product: Interval, size: Interval) -> Interval {
    let ratio = product / size;
    Interval::new(angle_of_cosine(ratio.hi().min(1.0)).lo(), angle_of_cosine(ratio.lo().max(-1.0)).hi())
}

/// `2 arctan sqrt((1 - rho)/(1 + rho))` at a double in [-1, 1].
fn angle_of_cosine(rho: f64) -> Interval {
    let rho = Interval::exact(rho.clamp(-1.0, 1.0));
    if rho.lo() == -1.0 {
        return constants::PI;
    }
    let tangent = ((Interval::ONE - rho).positive_part() / (Interval::ONE + rho)).sqrt();
    Interval::exact(2.0) * atan(tangent)
}
