//! Two-layer ReLU networks in the scaling of Du, Zhai, Poczos and Singh (arXiv 1810.02054): `f(x) = m^{-1/2} sum_r a_r
//! relu(w_r.x)`, W (m x d) drawn from N(0, 1), signs `a_r = +-1`.
//!
//! - [`start`]: the draw, antisymmetric or not, and its file,
//! - [`patterns`]: which neurons are active at which samples, as bits, and the tangent kernel by counting them,
//! - [`descent`]: training in the coordinates of the samples,
//! - [`width`]: (T14) at given widths, and the smallest width it certifies; [`record`] writes its certificate.
//!
//! *Loss.* One iteration is `w <- w - c J^T rho`, J the derivative of the n outputs, rho = f(X) - y. With the mean loss `S =
//! |rho|^2 / n` it is gradient descent with the step `eta`, `c = 2 eta / n`; with the paper's sum `L = |rho|^2 / 2` the step is c.

pub mod descent;
pub mod patterns;
pub mod record;
pub mod start;
pub mod width;
