//! Outputs with compensated sums: about twice the digits, up to the rounding of the activation.

use crate::network::Network;
use crate::network::activation::Activation;
use faer::{MatRef, Par};
use rayon::prelude::*;

/// A sum of doubles as `high + low`.
type Pair = (f64, f64);

/// `a + b = s + e` exactly (Knuth).
#[inline]
fn two_sum(a: f64, b: f64) -> Pair {
    let s = a + b;
    let t = s - a;
    (s, (a - (s - t)) + (b - t))
}

/// A double in two halves of at most 26 bits (Veltkamp), so that products of halves are exact. A fused multiplication and
/// addition would do without, but where the processor is not known to have one it is a slow call.
#[derive(Clone, Copy)]
struct Split {
    whole: f64,
    upper: f64,
    lower: f64,
}

impl Split {
    #[inline]
    fn new(whole: f64) -> Split {
        let scaled = 134_217_729.0 * whole;
        let upper = scaled - (scaled - whole);
        Split { whole, upper, lower: whole - upper }
    }

    /// `a b = p + e` exactly, but for underflow (Dekker).
    #[inline]
    fn times(self, b: Split) -> Pair {
        let p = self.whole * b.whole;
        let e = self.upper * b.upper - p + self.upper * b.lower + self.lower * b.upper + self.lower * b.lower;
        (p, e)
    }
}

/// `bias + sum_k w_k (h_k + l_k)`: products and sums with their rounding errors (Ogita, Rump, Oishi's Dot2), the low parts to
/// first order.
fn dot(bias: f64, weights: &[Split], values: &[(Split, f64)]) -> Pair {
    let (mut sum, mut low) = (bias, 0.0);
    for (w, (h, l)) in weights.iter().zip(values) {
        let (product, error) = w.times(*h);
        let (s, e) = two_sum(sum, product);
        sum = s;
        low += e + (error + w.whole * l);
    }
    two_sum(sum, low)
}

/// `f(x_i)`, sample by sample, each as `high + low`. Of the activation only the slope is used on the low part, so its own rounding
/// remains.
pub(super) fn extended_outputs(network: &Network, rows: MatRef<'_, f64>, par: Par) -> Vec<Pair> {
    let layers = network.layers();
    // Rows of the weights, contiguous.
    let weights: Vec<Vec<Vec<Split>>> = network
        .weights
        .iter()
        .map(|w| w.row_iter().map(|r| r.iter().map(|&w| Split::new(w)).collect()).collect())
        .collect();
    let sample = |i: usize| {
        let mut h: Vec<(Split, f64)> = rows.row(i).iter().map(|&x| (Split::new(x), 0.0)).collect();
        for l in 1..layers {
            let z = weights[l].iter().zip(&network.biases[l]).map(|(w, &b)| dot(b, w, &h));
            h = z.map(|z| activate(network.activation, z)).collect();
        }
        let outputs = weights[layers].iter().zip(&network.biases[layers]);
        outputs.map(|(w, &b)| dot(b, w, &h)).collect::<Vec<Pair>>()
    };
    let n = rows.nrows();
    if par.degree() < 2 {
        return (0..n).flat_map(sample).collect();
    }
    // As many tasks as threads were asked for; a sample does not see the others.
    let share = n.div_ceil(par.degree());
    let tasks = (0..par.degree()).into_par_iter();
    let parts: Vec<Vec<Pair>> =
        tasks.map(|t| (t * share..((t + 1) * share).min(n)).flat_map(sample).collect()).collect();
    parts.concat()
}

fn activate(activation: Activation, (high, low): Pair) -> (Split, f64) {
    (Split::new(activation.value(high)), activation.slope(high) * low)
}

#[cfg(test)]
mod tests {
    use super::{Pair, Split, activate, extended_outputs};
    use crate::network::Network;
    use crate::network::activation::Activation;
    use faer::Mat;
    use faer::Par;

    fn dot(bias: f64, weights: &[f64], values: &[Pair]) -> Pair {
        let weights: Vec<Split> = weights.iter().map(|&w| Split::new(w)).collect();
        let values: Vec<(Split, f64)> = values.iter().map(|&(h, l)| (Split::new(h), l)).collect();
        super::dot(bias, &weights, &values)
    }

    /// Sums that double precision loses altogether.
    #[test]
    fn cancelling_sums_keep_their_digits() {
        let values = [(1e16, 0.0), (1.0, 0.0), (-1e16, 0.0)];
        assert_eq!(dot(0.5, &[1.0, 1.0, 1.0], &values), (1.5, 0.0));
        // 3 fl(1/3) = 1 - 2^-54.
        let values = [(1e16, 0.0), (-1e16, 0.0), (1.0 / 3.0, 0.0)];
        assert_eq!(dot(0.0, &[1.0, 1.0, 3.0], &values), (1.0, -0.5f64.powi(54)));
        assert_eq!(dot(0.0, &[0.1], &[(10.0, 0.0)]), (1.0, 0.5f64.powi(54)));
    }

    /// Multiples of 2^-30 with 30 bits: outputs have up to 100 bits, and all of them are right.
    #[test]
    fn outputs_of_a_linear_network_are_exact() {
        let number = |k: usize| ((k as i64 * 715_827_883) % (1 << 30)) - (1 << 29);
        let scaled = |k: usize| number(k) as f64 / f64::from(1 << 30);
        let (first, last, row) =
            (|j: usize, k: usize| 5 * j + k + 1, |j: usize| 100 + j, |i: usize, k: usize| 200 + 5 * i + k);
        let network = Network {
            activation: Activation::Identity,
            weights: vec![
                Mat::zeros(0, 0),
                Mat::from_fn(7, 5, |j, k| scaled(first(j, k))),
                Mat::from_fn(1, 7, |_, j| scaled(last(j))),
            ],
            biases: vec![vec![], vec![0.0; 7], vec![0.0]],
        };
        let rows = Mat::from_fn(3, 5, |i, k| scaled(row(i, k)));
        for par in [Par::Seq, Par::rayon(2)] {
            for (i, (high, low)) in extended_outputs(&network, rows.as_ref(), par).into_iter().enumerate() {
                let exact = |j: usize| {
                    (0..5).map(|k| i128::from(number(first(j, k))) * i128::from(number(row(i, k)))).sum::<i128>()
                };
                let exact: i128 = (0..7).map(|j| i128::from(number(last(j))) * exact(j)).sum();
                // 2^90 high and 2^90 low as integers.
                let part = |x: f64| (x * 2f64.powi(90)) as i128;
                assert_eq!(part(high) + part(low), exact);
                assert_ne!(low, 0.0);
            }
        }
    }

    #[test]
    fn low_parts_enter() {
        let (high, low) = dot(0.0, &[2.0], &[(1.0, 1e-20)]);
        assert_eq!((high, low), (1.0 * 2.0, 2e-20));
        let (value, low) = activate(Activation::Tanh, (0.0, 1e-20));
        assert_eq!((value.whole, low), (0.0, 1e-20));
    }
}
