//! Sums of decaying modes, `sum_i p_i f_i^k` with `p_i, f_i >= 0`, for growing k: from above, fast.
//!
//! Products are plain, rounded to nearest, so that they run in vector registers; what rounding can have taken away is
//! added to the sum. After j products a value is at least `(1 - u)^j` times the true one, u = 2^-53, and a sum of n
//! non-negative terms at least `(1 - u)^n` times the sum of its terms; `(1 - u)^-m <= 1 + 2 m u` while `m u <= 1/2`.
//! A product that underflows loses at most 2^-1075, and that is never amplified: factors above 1 only meet values that
//! start at `FLOOR` or above.

use gradcert_rigor::Upper;

/// Values are not kept below this number.
const FLOOR: f64 = 1e-290;

/// `sum_i p_i f_i^k`.
#[derive(Clone, Debug)]
pub struct Modes {
    /// `p_i f_i^k`, rounded to nearest.
    values: Vec<f64>,
    /// `f_i^(2^m)` from above, `[m][i]`.
    factors: Vec<Vec<f64>>,
    /// Products per value so far.
    products: u64,
    /// Bound of what the modes that were left behind still contribute.
    retired: Upper,
    /// Number of modes at the beginning.
    modes: f64,
}

impl Modes {
    /// k = 0.
    pub fn new(start: &[Upper], factors: &[Upper]) -> Modes {
        let known = start.iter().chain(factors).all(|x| x.is_finite());
        let finite = |values: &[Upper]| if known { values.iter().map(|x| x.get()).collect() } else { vec![] };
        Modes {
            values: finite(start).into_iter().map(|v: f64| v.max(FLOOR)).collect(),
            factors: vec![finite(factors)],
            products: 0,
            retired: if known { Upper::ZERO } else { Upper::UNKNOWN },
            modes: start.len() as f64,
        }
    }

    /// From k to `k + 2^level`.
    pub fn advance(&mut self, level: usize) {
        while self.factors.len() <= level {
            let square = |&f: &f64| {
                let squared = Upper::new(f).square().get();
                // Rounding up must not turn a mode that does not grow into one that does.
                if f <= 1.0 { squared.min(1.0) } else { squared }
            };
            let next = self.factors[self.factors.len() - 1].iter().map(square).collect();
            self.factors.push(next);
        }
        self.values.iter_mut().zip(&self.factors[level]).for_each(|(v, f)| *v *= f);
        self.products += 1;
    }

    /// Number of modes that have not been left behind.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The sum, rounded up.
    pub fn total(&self) -> Upper {
        // Independent partial sums: the order does not matter for the bound.
        let mut lanes = [0.0; 8];
        let (chunks, rest) = self.values.as_chunks::<8>();
        for chunk in chunks {
            lanes.iter_mut().zip(chunk).for_each(|(s, v)| *s += v);
        }
        let sum: f64 = lanes.iter().sum::<f64>() + rest.iter().sum::<f64>();
        // m = products + n + 8; twice the 2 m u of the derivation covers the rounding of this very number.
        let roundings = (self.products as f64 + self.modes + 8.0) * f64::EPSILON;
        if !(sum.is_finite() && roundings <= 0.25) {
            return Upper::UNKNOWN;
        }
        let underflow = Upper::new(self.modes * self.products as f64 * f64::from_bits(1));
        Upper::new(sum) * Upper::new(1.0 + 2.0 * roundings) + underflow + self.retired
    }

    /// Leaves modes that do not grow and are at most `negligible` (or `FLOOR`) behind, with that bound.
    pub fn retire(&mut self, negligible: f64) {
        // The true value is less than twice the rounded one.
        let least = negligible.max(FLOOR);
        let factor = self.factors[0].clone();
        let keep: Vec<bool> = self.values.iter().zip(&factor).map(|(&v, &f)| v > least || f > 1.0).collect();
        let left = keep.iter().filter(|&&k| !k).count();
        if left == 0 {
            return;
        }
        self.retired += Upper::new(left as f64) * Upper::new(2.0 * least);
        let compact = |values: &mut Vec<f64>| {
            let mut kept = keep.iter();
            values.retain(|_| kept.next().copied().unwrap_or(true));
        };
        compact(&mut self.values);
        self.factors.iter_mut().for_each(compact);
    }

    /// What [`Modes::restore`] needs, as long as nothing is retired in between.
    pub fn save(&self, to: &mut Vec<f64>) {
        to.clone_from(&self.values);
    }

    /// Back to the k at which the values were saved.
    pub fn restore(&mut self, from: &[f64]) {
        self.values.copy_from_slice(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sum in logarithms: no underflow, and a relative error of some 1e-12.
    fn reference(start: &[f64], factors: &[f64], k: f64) -> f64 {
        start.iter().zip(factors).map(|(p, f)| (p.ln() + k * f.ln()).exp()).sum()
    }

    fn uppers(values: &[f64]) -> Vec<Upper> {
        values.iter().map(|&v| Upper::new(v)).collect()
    }

    #[test]
    fn blocks_and_single_products_bound_the_sum() {
        let start: Vec<f64> = (0..21).map(|i| 10f64.powi(-i) * (1.0 + 0.1 * f64::from(i))).collect();
        let factors: Vec<f64> = (0..21).map(|i| 1.0 - 1e-4 * f64::from(i * i) - 1e-6).collect();
        for level in [0, 3, 7] {
            let mut modes = Modes::new(&uppers(&start), &uppers(&factors));
            let mut k = 0.0;
            for step in 0..500 {
                modes.advance(level);
                k += f64::from(1u32 << level);
                if step % 16 == 0 {
                    modes.retire(1e-30);
                }
                let (found, exact) = (modes.total().get(), reference(&start, &factors, k));
                // The reference itself is rounded.
                assert!(found >= exact * (1.0 - 1e-11), "{found:e} {exact:e} at {k}");
                assert!(found <= exact * (1.0 + 1e-9) + 1e-28, "{found:e} {exact:e} at {k}");
            }
        }
    }

    #[test]
    fn modes_that_vanish_or_are_unknown_stay_bounded() {
        let mut modes = Modes::new(&uppers(&[1e-200, 1.0]), &uppers(&[1e-30, 1e-200]));
        for _ in 0..40 {
            modes.advance(0);
            modes.retire(0.0);
            assert!(modes.total().get() > 0.0 && modes.total().get() < 1.0);
        }
        assert_eq!(Modes::new(&[Upper::UNKNOWN], &[Upper::ZERO]).total(), Upper::UNKNOWN);
        assert_eq!(Modes::new(&[Upper::ZERO], &[Upper::UNKNOWN]).total(), Upper::UNKNOWN);
    }

    #[test]
    fn growing_modes_are_never_left_behind() {
        let mut modes = Modes::new(&uppers(&[1e-320]), &uppers(&[4.0]));
        for _ in 0..520 {
            modes.advance(0);
            modes.retire(1.0);
        }
        // 1e-320 * 4^520 = 1.2e-7.
        assert!(modes.total().get() > 1e-7);
    }
}
