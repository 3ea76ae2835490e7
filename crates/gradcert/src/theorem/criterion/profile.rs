//! phi as a proved step function, and lower sums of its integral.

use gradcert_rigor::Lower;
use gradcert_rigor::rounding::sub_down;

/// `phi(s) >= phi_j` for s in (s_{j-1}, s_j], s_0 = 0, phi_j not increasing.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    radii: Vec<f64>,
    phi: Vec<f64>,
    integral: Vec<f64>,
}

impl Profile {
    /// From the right ends of the cells and the values there.
    pub(super) fn new(radii: Vec<f64>, phi: Vec<f64>) -> Profile {
        let mut before = 0.0;
        let mut sum = Lower::ZERO;
        let integral = radii.iter().zip(&phi).map(|(&s, &value)| {
            let cell = Lower::new(sub_down(s, before));
            before = s;
            sum = sum + cell * Lower::new(value);
            sum.get()
        });
        let integral = integral.collect();
        Profile { radii, phi, integral }
    }

    /// Right ends of the cells.
    pub fn radii(&self) -> &[f64] {
        &self.radii
    }

    /// Lower bounds of phi on the cells.
    pub fn phi(&self) -> &[f64] {
        &self.phi
    }

    /// Lower bounds of `integral_0^{s_j} phi`.
    pub fn integral(&self) -> &[f64] {
        &self.integral
    }

    /// `4 phi_j^2`: a lower bound of alpha(x0, s_j).
    pub fn alpha(&self, j: usize) -> f64 {
        (Lower::new(4.0) * Lower::new(self.phi[j]).square()).get()
    }
}
