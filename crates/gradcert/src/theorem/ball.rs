//! (T9+) Bounds on the closed ball `B(w0, s)` at any start: psi, sJ, LJ, dJ.
//!
//! All first- and second-order changes of a network inside the ball follow from scalar recursions over its layers, once
//! per sample and once "collectively" (Frobenius norms over all samples); wherever both bound the same number, the
//! smaller is taken. Written for a metric D: u moves by s, weights of layer l by at most `D_Wl s_l`.

use super::centre::Centre;
use super::drift::Drift;
use gradcert_rigor::nonnegative::spectral_norm;
use gradcert_rigor::{Interval, Lower, Upper};

/// The bounds on one ball.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ball {
    /// First-layer psi: `smin(J) >= min_i (|g_1| - e_1)_+ smin(Xt)`.
    pub psi_first: Lower,
    /// All-layer psi: `smin(J) >= (smin(J(w0)) - dJ)_+`.
    pub psi_all: Lower,
    /// `|J| <= sJ`.
    pub norm: Upper,
    /// J is Lipschitz with this constant.
    pub lipschitz: Upper,
    /// `|J - J(w0)| <= dJ`.
    pub drift: Upper,
}

impl Ball {
    /// The larger psi.
    pub fn psi(&self) -> Lower {
        self.psi_first.max(self.psi_all)
    }
}

/// (T9+) on the ball of radius `s`.
pub fn ball(centre: &Centre, s: f64) -> Ball {
    let at = Recursions::new(centre, Upper::new(s));
    let (psi_first, psi_all, drift) = at.smallest_singular_value();
    let norm = at.jacobian_norm().min(centre.smax_jacobian + drift);
    Ball { psi_first, psi_all, norm, lipschitz: at.lipschitz(), drift }
}

/// The larger psi of [`ball`] alone. What costs most in deep networks, the Lipschitz constant, is left out.
pub fn psi(centre: &Centre, s: f64) -> Lower {
    let (first, all, _) = Recursions::new(centre, Upper::new(s)).smallest_singular_value();
    first.max(all)
}

/// Drifts of everything in the passes, and suprema over the ball. Lists over layers as in [`Centre`].
struct Recursions<'a> {
    centre: &'a Centre,
    s: Upper,
    /// `sup |sigma'|`, `sup |sigma''|` over the reachable interval, `[l][i]`.
    slope: Vec<Vec<Upper>>,
    curvature: Vec<Vec<Upper>>,
    /// `dz_l`, `dh_l`, `e_l` per sample.
    hidden: Vec<Vec<Drift>>,
    backward: Vec<Vec<Drift>>,
    /// `|dH_l|_F`, `|dG_l|_F`.
    hidden_joint: Vec<Drift>,
    backward_joint: Vec<Drift>,
    /// `|v_l|_inf,sup` per sample.
    backward_max_sup: Vec<Vec<Upper>>,
    /// `|g_l|_sup`, `smax(G_l)_sup`, `h~_l,sup`, `smax(H~_l)_sup`.
    backward_sup: Vec<Vec<Upper>>,
    smax_backward_sup: Vec<Upper>,
    extended_sup: Vec<Vec<Upper>>,
    smax_extended_sup: Vec<Upper>,
}

fn maximum(values: &[Upper]) -> Upper {
    Upper::maximum(values.iter().copied())
}

impl<'a> Recursions<'a> {
    fn new(centre: &'a Centre, s: Upper) -> Recursions<'a> {
        let layers = centre.layers();
        let mut at = Recursions {
            centre,
            s,
            slope: vec![vec![]; layers],
            curvature: vec![vec![]; layers],
            hidden: vec![vec![]; layers],
            backward: vec![vec![]; layers + 1],
            hidden_joint: vec![Drift::zero(layers); layers],
            backward_joint: vec![Drift::zero(layers); layers + 1],
            backward_max_sup: vec![vec![]; layers],
            backward_sup: vec![vec![]; layers + 1],
            smax_backward_sup: vec![Upper::ZERO; layers + 1],
            extended_sup: vec![vec![]; layers],
            smax_extended_sup: vec![Upper::ZERO; layers],
        };
        let (dz, dz_joint) = at.forward();
        at.backwards(&dz, &dz_joint);
        at.suprema();
        at
    }

    fn weight_factor(&self, layer: usize) -> Upper {
        Upper::new(self.centre.metric.weights[layer])
    }

    fn bias_factor(&self, layer: usize) -> Upper {
        Upper::new(self.centre.metric.biases[layer])
    }

    fn through(&self, layer: usize, drift: &Drift) -> Drift {
        drift.through(layer, self.centre.norm_weights[layer], self.weight_factor(layer), self.s)
    }

    /// Forward drifts: `dz_l = s_l h~_{l-1} + (|W_l| + D_Wl s_l) dh_{l-1}`, `dh_l = phi_l dz_l`, and the same with
    /// `smax(H~_{l-1})` for `|dZ_l|_F`, `|dH_l|_F`. Returns `dz`, `dZ`.
    fn forward(&mut self) -> (Vec<Vec<Drift>>, Vec<Drift>) {
        let (centre, layers, s) = (self.centre, self.centre.layers(), self.s);
        let mut dz: Vec<Vec<Drift>> = vec![vec![]; layers];
        let mut dz_joint = vec![Drift::zero(layers); layers];
        self.hidden[0] = vec![Drift::zero(layers); centre.samples()];
        for l in 1..layers {
            dz[l] = (centre.extended[l - 1].iter().zip(&self.hidden[l - 1]))
                .map(|(&size, dh)| Drift::of_layer(layers, l, size).plus(&self.through(l, dh)))
                .collect();
            dz_joint[l] = Drift::of_layer(layers, l, centre.smax_extended[l - 1])
                .plus(&self.through(l, &self.hidden_joint[l - 1]));
            for (values, drift) in centre.preactivations[l].iter().zip(&dz[l]) {
                let reach = drift.value(s);
                let reachable = |z: &Interval| *z + Interval::new(-reach.get(), reach.get());
                let sup = |f: &dyn Fn(Interval) -> Upper| Upper::maximum(values.iter().map(|z| f(reachable(z))));
                self.slope[l].push(sup(&|z| centre.activation.sup_slope(z)));
                self.curvature[l].push(sup(&|z| centre.activation.sup_curvature(z)));
            }
            self.hidden[l] = dz[l].iter().zip(&self.slope[l]).map(|(d, &phi)| d.clone().times(phi)).collect();
            self.hidden_joint[l] = Drift::over_samples(layers, &self.hidden[l], &centre.weight)
                .smaller(dz_joint[l].clone().times(maximum(&self.slope[l])), s);
        }
        (dz, dz_joint)
    }

    /// Backward drifts, `e_L = 0`: with `dv = (|W_{l+1}| + D_W,l+1 s_{l+1}) e_{l+1} + D_W,l+1 s_{l+1} |g_{l+1}|`,
    /// `e_l = phi_l dv + beta_l |v_l|_inf dz_l`; the same for `|dG_l|_F` with phi_l and `beta_l |v_l|_inf` maximised
    /// over samples, `smax(G_{l+1})` and `|dZ_l|_F`. Suprema over the ball are value plus drift. Where `W_{l+1}` is frozen
    /// also `|v_l| <= |W_{l+1}| |g_{l+1}|`, `|g_l| <= phi_l |v_l|` (and the same for G_l with the largest phi_l), and that
    /// need not grow with s: with all later layers frozen (T7+) certifies at every depth.
    fn backwards(&mut self, dz: &[Vec<Drift>], dz_joint: &[Drift]) {
        let (centre, layers, s) = (self.centre, self.centre.layers(), self.s);
        self.backward[layers] = vec![Drift::zero(layers); centre.samples()];
        self.backward_sup[layers] = centre.backward[layers].clone();
        self.smax_backward_sup[layers] = centre.smax_backward[layers];
        for l in (1..layers).rev() {
            let factor = self.weight_factor(l + 1);
            let frozen = if factor == Upper::ZERO { centre.norm_weights[l + 1] } else { Upper::UNKNOWN };
            for i in 0..centre.samples() {
                let dv = Drift::of_layer(layers, l + 1, factor * centre.backward[l + 1][i])
                    .plus(&self.through(l + 1, &self.backward[l + 1][i]));
                let bend = self.curvature[l][i] * centre.backward_max[l][i];
                let whole = frozen * self.backward_sup[l + 1][i];
                self.backward_max_sup[l].push((centre.backward_max[l][i] + dv.value(s)).min(whole));
                let e = dv.times(self.slope[l][i]).plus(&dz[l][i].clone().times(bend));
                let sup = (centre.backward[l][i] + e.value(s)).min(self.slope[l][i] * whole);
                self.backward_sup[l].push(sup);
                self.backward[l].push(e);
            }
            let bends = self.curvature[l].iter().zip(&centre.backward_max[l]).map(|(&b, &v)| b * v);
            self.backward_joint[l] = Drift::of_layer(layers, l + 1, factor * centre.smax_backward[l + 1])
                .plus(&self.through(l + 1, &self.backward_joint[l + 1]))
                .times(maximum(&self.slope[l]))
                .plus(&dz_joint[l].clone().times(Upper::maximum(bends)));
            self.smax_backward_sup[l] = (centre.smax_backward[l] + self.backward_joint[l].value(s))
                .min(maximum(&self.slope[l]) * frozen * self.smax_backward_sup[l + 1]);
        }
    }

    /// Suprema of the forward pass over the ball. `smax(H~_l)` grows by at most `D_W,l+1 |dH_l|_F`; the second form lets only the columns
    /// of `H_l` grow, the column of ones has norm `D_b,l+1 sqrt n` throughout.
    fn suprema(&mut self) {
        let (centre, layers, s) = (self.centre, self.centre.layers(), self.s);
        for l in 0..layers {
            let (weight, bias) = (self.weight_factor(l + 1), self.bias_factor(l + 1));
            self.extended_sup[l] = if l == 0 {
                centre.extended[0].clone()
            } else {
                let grown = centre.hidden[l].iter().zip(&self.hidden[l]).map(|(&h, d)| h + d.value(s));
                grown.map(|h| (weight * h).hypot(bias)).collect()
            };
            let growth = self.hidden_joint[l].value(s);
            let columns = (weight * (centre.smax_hidden[l] + growth)).hypot(bias * centre.weight_norm);
            self.smax_extended_sup[l] = (centre.smax_extended[l] + weight * growth).min(columns);
        }
    }

    /// `dJ <= |C| s + |R|`. Block l of J is `g_l (x) h~_{l-1}`, so it moves by `dg (x) h~(w0) + (g + dg) (x) D_Wl dh`;
    /// a row-wise product obeys `|A (.) B| <= max_i |a_i| |B|` either way round. C collects the linear coefficients of
    /// the blocks, R their remainders.
    fn jacobian_drift(&self) -> Upper {
        let (centre, layers, s) = (self.centre, self.centre.layers(), self.s);
        let mut coefficients = Vec::with_capacity(layers * layers);
        let mut remainders = Vec::with_capacity(layers);
        for l in 1..=layers {
            let outer = Drift::worst(layers, self.backward[l].iter())
                .times(centre.smax_extended[l - 1])
                .smaller(self.backward_joint[l].clone().times(maximum(&centre.extended[l - 1])), s);
            let single: Vec<Drift> =
                (self.hidden[l - 1].iter().zip(&self.backward_sup[l])).map(|(dh, &g)| dh.clone().times(g)).collect();
            let inner = Drift::over_samples(layers, &single, &centre.weight)
                .smaller(self.hidden_joint[l - 1].clone().times(maximum(&self.backward_sup[l])), s);
            let block = outer.plus(&inner.times(self.weight_factor(l)));
            coefficients.extend_from_slice(&block.linear);
            remainders.push(block.rest);
        }
        spectral_norm(&coefficients, layers, layers) * s + Upper::norm(remainders)
    }

    /// Both psi, and dJ.
    fn smallest_singular_value(&self) -> (Lower, Lower, Upper) {
        let (at, centre) = (self, self.centre);
        let drift = at.jacobian_drift();
        let first =
            Lower::minimum(centre.backward_first.iter().zip(&at.backward[1]).map(|(&low, e)| low.minus(e.value(at.s))))
                * centre.smin_inputs;
        (first, centre.smin_jacobian.minus(drift), drift)
    }

    /// `sJ`, block by block.
    fn jacobian_norm(&self) -> Upper {
        let blocks: Vec<Upper> = (1..=self.centre.layers())
            .map(|l| {
                let single = maximum(&self.backward_sup[l]) * self.smax_extended_sup[l - 1];
                single.min(self.smax_backward_sup[l] * maximum(&self.extended_sup[l - 1]))
            })
            .collect();
        Upper::norm(blocks)
    }

    /// `LJ = |M|`: entry (l, k) of M bounds the derivative of block l of J along a unit move of layer k. Both triangles
    /// bound the same symmetric form `D^2 F`, hence the minimum with the transpose. `|W_l| + D_Wl s` keeps the whole s.
    fn lipschitz(&self) -> Upper {
        let layers = self.centre.layers();
        let mut coupling = vec![Upper::ZERO; layers * layers];
        for k in 1..=layers {
            let column = self.derivative_along(k);
            for l in 1..=layers {
                coupling[(l - 1) * layers + k - 1] = column[l];
            }
        }
        for l in 0..layers {
            for k in 0..l {
                let least = coupling[l * layers + k].min(coupling[k * layers + l]);
                coupling[l * layers + k] = least;
                coupling[k * layers + l] = least;
            }
        }
        spectral_norm(&coupling, layers, layers)
    }

    /// Bounds of the derivative of every block of J along a unit move of layer k, anywhere in the ball (entry l).
    fn derivative_along(&self, k: usize) -> Vec<Upper> {
        let (centre, layers) = (self.centre, self.centre.layers());
        let samples = centre.samples();
        let norm = |l: usize| centre.norm_weights[l] + self.weight_factor(l) * self.s;
        let over_samples = |values: &[Upper]| {
            let weighted: Vec<Upper> = values.iter().zip(&centre.weight).map(|(&v, &w)| v * w).collect();
            Upper::norm(weighted)
        };
        // Forward: zd_l, hd_l per sample; ZD_l, HD_l collectively. Nothing moves before layer k.
        let mut zd = vec![vec![Upper::ZERO; samples]; layers];
        let mut hd = vec![vec![Upper::ZERO; samples]; layers];
        let mut zd_joint = vec![Upper::ZERO; layers];
        let mut hd_joint = vec![Upper::ZERO; layers];
        for l in k..layers {
            let own = |size: Upper| if l == k { size } else { Upper::ZERO };
            for i in 0..samples {
                zd[l][i] = own(self.extended_sup[l - 1][i]) + norm(l) * hd[l - 1][i];
                hd[l][i] = self.slope[l][i] * zd[l][i];
            }
            zd_joint[l] = own(self.smax_extended_sup[l - 1]) + norm(l) * hd_joint[l - 1];
            hd_joint[l] = over_samples(&hd[l]).min(maximum(&self.slope[l]) * zd_joint[l]);
        }
        // Backward: gd_l per sample, GD_l collectively, and the blocks on the way.
        let mut blocks = vec![Upper::ZERO; layers + 1];
        let mut gd = vec![Upper::ZERO; samples];
        let mut gd_joint = Upper::ZERO;
        for l in (1..=layers).rev() {
            if l < layers {
                let factor = self.weight_factor(l + 1);
                let own = |size: Upper| if l + 1 == k { factor * size } else { Upper::ZERO };
                let mut largest_bend = Upper::ZERO;
                for i in 0..samples {
                    let bend = self.curvature[l][i] * self.backward_max_sup[l][i];
                    let vd = own(self.backward_sup[l + 1][i]) + norm(l + 1) * gd[i];
                    gd[i] = bend * zd[l][i] + self.slope[l][i] * vd;
                    largest_bend = largest_bend.max(bend);
                }
                let vd_joint = own(self.smax_backward_sup[l + 1]) + norm(l + 1) * gd_joint;
                gd_joint = largest_bend * zd_joint[l] + maximum(&self.slope[l]) * vd_joint;
            }
            let outer =
                (maximum(&gd) * self.smax_extended_sup[l - 1]).min(gd_joint * maximum(&self.extended_sup[l - 1]));
            let single: Vec<Upper> = self.backward_sup[l].iter().zip(&hd[l - 1]).map(|(&g, &h)| g * h).collect();
            let inner = over_samples(&single).min(maximum(&self.backward_sup[l]) * hd_joint[l - 1]);
            blocks[l] = outer + self.weight_factor(l) * inner;
        }
        blocks
    }
}
