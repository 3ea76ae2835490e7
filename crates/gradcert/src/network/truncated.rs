//! The normal law on an interval right of 0, exact however far out in the tail.

use rand_chacha::rand_core::Rng;

/// A uniform number in (0, 1): 53 bits, centred in their cells.
fn uniform(random: &mut impl Rng) -> f64 {
    const CELL: f64 = 1.0 / (1u64 << 53) as f64;
    ((random.next_u64() >> 11) as f64 + 0.5) * CELL
}

/// `x - a` for x with the law N(0, 1) given `a <= x <= b`, where `0 <= a`; `width = b - a >= 0` may be infinite.
///
/// Robert (1995): proposals with the density `exp(-rate (x - a))` on `[a, b]`, drawn by inversion, with the rate
/// `(a + sqrt(a^2 + 4)) / 2` that is best for an infinite b. The ratio `exp(-x^2/2 + rate x)` of the densities is largest at
/// `min(rate, b)`, so x is accepted with probability `exp(((m - rate)^2 - (x - rate)^2) / 2)`, `m = min(rate, b)`. At least
/// three proposals of four are accepted when b is infinite, more the farther out a lies. Inverting the
/// distribution function instead would need quotients of tails, which vanish beyond 38 standard deviations. Exponential and
/// logarithm are those of a library in Rust: the same bits on every machine.
pub(super) fn excess(a: f64, width: f64, random: &mut impl Rng) -> f64 {
    let rate = 0.5 * (a + (a * a + 4.0).sqrt());
    // rate - a without cancellation: (rate - a) rate = 1.
    let peak = (1.0 / rate).min(width);
    let mass = -libm::expm1(-rate * width);
    loop {
        let x = (-libm::log1p(-uniform(random) * mass) / rate).min(width);
        // ((m - rate)^2 - (x - rate)^2) / 2 with both measured from a.
        let exponent = 0.5 * (peak - x) * (peak + x - 2.0 / rate);
        // Written so that a parameter that is not a number ends the loop.
        let refused = uniform(random) > libm::exp(exponent);
        if !refused {
            return x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradcert_rigor::elementary::normal_cdf_at;
    use rand_chacha::ChaCha12Rng;
    use rand_chacha::rand_core::SeedableRng;

    /// Largest distance between the empirical distribution function and `cdf`, times `sqrt n`.
    fn kolmogorov(mut sample: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
        sample.sort_by(f64::total_cmp);
        let n = sample.len() as f64;
        let gap = |(i, &x): (usize, &f64)| {
            let f = cdf(x);
            (f - i as f64 / n).max((i + 1) as f64 / n - f)
        };
        sample.iter().enumerate().map(gap).fold(0.0, f64::max) * n.sqrt()
    }

    fn sample(a: f64, width: f64) -> Vec<f64> {
        let mut random = ChaCha12Rng::seed_from_u64(11);
        (0..20_000).map(|_| excess(a, width, &mut random)).collect()
    }

    /// The limit law exceeds 1.95 with probability 0.001; the seed is fixed.
    #[test]
    fn the_law_is_the_conditional_one() {
        for (a, b) in
            [(0.0, 40.0), (0.0, 0.3), (0.01, 0.02), (0.5, 1.0), (1.0, 2.0), (2.0, 2.1), (3.0, 30.0), (6.0, 12.0)]
        {
            let upper = |x: f64| normal_cdf_at(-x).middle();
            let cdf = |x: f64| (upper(a) - upper(a + x)) / (upper(a) - upper(b));
            let distance = kolmogorov(sample(a, b - a), cdf);
            assert!(distance < 1.95, "[{a}, {b}]: {distance}");
        }
    }

    /// Far out the excess is exponential with rate a, up to relative 1/a^2.
    #[test]
    fn the_law_is_right_where_the_tail_underflows() {
        for a in [50.0, 1e3, 1e6, 1e9] {
            let distance = kolmogorov(sample(a, f64::INFINITY), |x| 1.0 - (-a * x - 0.5 * x * x).exp());
            assert!(distance < 1.95, "{a}: {distance}");
        }
    }

    #[test]
    fn nothing_hangs() {
        let mut random = ChaCha12Rng::seed_from_u64(1);
        assert_eq!(excess(2.0, 0.0, &mut random), 0.0);
        for (a, width) in
            [(f64::NAN, 1.0), (1.0, f64::NAN), (f64::INFINITY, 1.0), (1e300, 1e300), (0.0, f64::MIN_POSITIVE)]
        {
            excess(a, width, &mut random);
        }
    }
}
