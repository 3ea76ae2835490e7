//! (T9+ 1) Drifts over a ball that is split among the layers.
//!
//! Layer l moves by `s_l`, `sum s_l^2 <= s^2`. A quantity that moves with the parameters is bounded by a pair (c, q):
//! it is at most `c.(s_1, ..., s_L) + q` for *every* split, hence at most `|c| s + q`.

use gradcert_rigor::Upper;

/// The bound `c.(s_1..s_L) + q` of one number.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// One coefficient per layer; entry l - 1 belongs to layer l.
    pub linear: Vec<Upper>,
    /// The remainder q.
    pub rest: Upper,
}

impl Drift {
    /// Nothing moves.
    pub fn zero(layers: usize) -> Drift {
        Drift { linear: vec![Upper::ZERO; layers], rest: Upper::ZERO }
    }

    /// `s_l size`.
    pub fn of_layer(layers: usize, layer: usize, size: Upper) -> Drift {
        let mut drift = Drift::zero(layers);
        drift.linear[layer - 1] = size;
        drift
    }

    /// `|c| s + q`.
    pub fn value(&self, s: Upper) -> Upper {
        Upper::norm(self.linear.iter().copied()) * s + self.rest
    }

    /// The sum of two drifts.
    #[must_use]
    pub fn plus(mut self, other: &Drift) -> Drift {
        self.linear.iter_mut().zip(&other.linear).for_each(|(a, &b)| *a += b);
        self.rest += other.rest;
        self
    }

    /// The drift times a fixed number.
    #[must_use]
    pub fn times(mut self, factor: Upper) -> Drift {
        self.linear.iter_mut().for_each(|c| *c = *c * factor);
        self.rest = self.rest * factor;
        self
    }

    /// `(norm + D s_l) * self`, the drift after a layer l whose weights have the given norm and metric factor D.
    ///
    /// `s_l (c.s + q) <= s^2 (c_l + |c|)/2 + s q`: the maximum of `s_l (c.s_vec)` over the ball is the largest
    /// eigenvalue of the symmetric part of `e_l c^T`, which is `(c_l + |c|)/2`. All of it goes into the remainder.
    #[must_use]
    pub fn through(&self, layer: usize, norm: Upper, factor: Upper, s: Upper) -> Drift {
        let size = Upper::norm(self.linear.iter().copied());
        let quadratic = s * s * (self.linear[layer - 1] + size) * HALF + s * self.rest;
        let mut drift = self.clone().times(norm);
        drift.rest += factor * quadratic;
        drift
    }

    /// (T9+ 3) Of two bounds of the same number take one pair whole, the one with the smaller value: entries of two
    /// pairs must not be mixed.
    #[must_use]
    pub fn smaller(self, other: Drift, s: Upper) -> Drift {
        if self.value(s) <= other.value(s) { self } else { other }
    }

    /// The maximum over samples, entrywise in c and in q.
    pub fn worst<'a>(layers: usize, samples: impl Iterator<Item = &'a Drift>) -> Drift {
        samples.fold(Drift::zero(layers), |mut worst, drift| {
            worst.linear.iter_mut().zip(&drift.linear).for_each(|(a, &b)| *a = a.max(b));
            worst.rest = worst.rest.max(drift.rest);
            worst
        })
    }

    /// The 2-norm over samples with weights, entrywise in c and in q: `|(c_i.s + q_i)_i| <= |(c_i)_i|.s + |(q_i)_i|`.
    pub fn over_samples(layers: usize, samples: &[Drift], weight: &[Upper]) -> Drift {
        let norm = |entry: &dyn Fn(&Drift) -> Upper| {
            let weighted: Vec<Upper> = samples.iter().zip(weight).map(|(d, &w)| w * entry(d)).collect();
            Upper::norm(weighted)
        };
        Drift { linear: (0..layers).map(|l| norm(&|d| d.linear[l])).collect(), rest: norm(&|d| d.rest) }
    }
}

const HALF: Upper = Upper::HALF;

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of the split sphere: s_l = s u_l with |u| = 1, u >= 0.
    fn splits(layers: usize) -> Vec<Vec<f64>> {
        let mut state = 7u64;
        let mut random = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as f64 / (1u64 << 31) as f64
        };
        (0..500)
            .map(|_| {
                let u: Vec<f64> = (0..layers).map(|_| random().powi(3)).collect();
                let norm = u.iter().map(|x| x * x).sum::<f64>().sqrt();
                u.iter().map(|x| x / norm).collect()
            })
            .collect()
    }

    #[test]
    fn passing_through_a_layer_bounds_every_split() {
        let (s, norm, factor) = (0.7, 1.3, 0.4);
        let drift = Drift { linear: vec![Upper::new(0.5), Upper::new(2.0), Upper::new(0.1)], rest: Upper::new(0.3) };
        let passed = drift.through(1, Upper::new(norm), Upper::new(factor), Upper::new(s));
        let mut largest: f64 = 0.0;
        for u in splits(3) {
            let at = |d: &Drift| d.linear.iter().zip(&u).map(|(c, u)| c.get() * u * s).sum::<f64>() + d.rest.get();
            let ratio = (norm + factor * s * u[0]) * at(&drift) / at(&passed);
            assert!(ratio <= 1.0);
            largest = largest.max(ratio);
        }
        // With the coefficient c_l left out the bound would fail: it is attained up to the remainder's s q.
        assert!(largest > 0.8, "{largest}");
    }
}
