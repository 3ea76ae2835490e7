//! Enclosed logarithms of probabilities that may be far below the smallest double.

use gradcert_rigor::Interval;
use gradcert_rigor::elementary::{constants, exp, ln, ln_1p, normal_cdf, normal_density};

/// Beyond this many standard deviations the tail of the normal law is bounded by its Mills ratio.
const FAR: f64 = 20.0;

fn exact(x: f64) -> Interval {
    Interval::exact(x)
}

/// `ln(1 - e^t)` for `t < 0`; from minus infinity where rounding leaves `e^t = 1` open.
pub fn ln_one_minus_exp(t: Interval) -> Interval {
    let e = exp(t);
    let remainder = exact(1.0) - e;
    if remainder.lo() <= 0.0 { Interval::new(f64::NEG_INFINITY, 0.0) } else { ln_1p(-e) }
}

/// `ln P(X > a)`, X normal, `a >= 0`.
///
/// Far out `P(X > a) = phi(a) m(a)` with the Mills ratio `2 / (a + sqrt(a^2 + 4)) < m(a) < 4 / (3a + sqrt(a^2 + 8))` (Birnbaum 1942,
/// Sampford 1953), two bounds that differ by less than 2 / a^6 relatively.
fn ln_normal_tail(a: Interval) -> Interval {
    if a.hi() <= FAR {
        return ln(normal_cdf(-a));
    }
    if a.lo() < FAR {
        return ln_normal_tail(Interval::new(a.lo(), FAR))
            .hull(ln_normal_tail(exact(FAR.next_up()).hull(exact(a.hi()))));
    }
    let square = a.square();
    let below = exact(2.0) / (a + (square + exact(4.0)).sqrt());
    let above = exact(4.0) / (exact(3.0) * a + (square + exact(8.0)).sqrt());
    let ratio = Interval::new(ln(below).lo(), ln(above).hi());
    ln(constants::INVERSE_SQRT_2_PI) - square * exact(0.5) + ratio
}

/// `ln P(a <= X <= 2a)`, X normal, `a > 0`.
///
/// With `q = P(X > a)` it is `ln q + ln(1 - P(X > 2a) / q)`. For small a, where that cancels, it lies between the logarithms of
/// `a phi(2a)` and `a phi(a)`, the length of the interval times the extremes of the density.
pub fn ln_normal_between(a: Interval) -> Interval {
    let twice = exact(2.0) * a;
    let tail = ln_normal_tail(a);
    let by_tails = tail + ln_one_minus_exp(ln_normal_tail(twice) - tail);
    if a.hi() > 1.0 {
        return by_tails;
    }
    let by_density = Interval::new(ln(a * normal_density(twice)).lo(), ln(a * normal_density(a)).hi());
    Interval::new(by_tails.lo().max(by_density.lo()), by_tails.hi().min(by_density.hi()))
}

/// `ln Gamma(z)`, `z >= 1`.
///
/// Stirling's series `(z - 1/2) ln z - z + ln(2 pi)/2 + 1/(12 z) - 1/(360 z^3) + 1/(1260 z^5) - ...` envelops: the truth lies between
/// any two successive sums. Below 20 the argument is moved up by `Gamma(z + 1) = z Gamma(z)`.
pub fn ln_gamma(z: Interval) -> Interval {
    let (mut z, mut moved) = (z, Interval::ZERO);
    while z.lo() < 20.0 {
        moved = moved + ln(z);
        z = z + exact(1.0);
    }
    let half_ln_two_pi = -ln(constants::INVERSE_SQRT_2_PI);
    let inverse = exact(1.0) / z;
    let cube = inverse.powi(3);
    let main = (z - exact(0.5)) * ln(z) - z + half_ln_two_pi + inverse / exact(12.0) - cube / exact(360.0);
    let next = cube * inverse.square() / exact(1260.0);
    Interval::new(main.lo(), (main + next).hi()) - moved
}

/// `ln P(G <= y)` for G with the gamma law of shape `s > 0`, given `ln y`: the regularised lower incomplete gamma function, and with
/// `s = k/2`, `y = x/2` the probability that `chi^2_k <= x`.
///
/// Series: `P = y^s e^{-y} / Gamma(s + 1) sum_m y^m / ((s + 1) ... (s + m))`. All terms are positive, so a finite sum is a lower
/// bound; once the ratio q of terms is below 1 the rest is at most the last term times `q / (1 - q)`. Far above the mean, where terms grow to
/// `e^{y - s - s ln(y/s)}`, Chernoff's bound `P(G > y) <= e^{-(y - s - s ln(y/s))}` gives P between `1 -` it and 1.
pub fn ln_gamma_law(s: f64, ln_y: Interval) -> Interval {
    let (shape, y) = (exact(s), exp(ln_y));
    let decay = y - shape - shape * (ln_y - ln(shape));
    if y.lo() > s && decay.lo() > CERTAIN {
        return Interval::new(ln_one_minus_exp(-decay).lo(), 0.0);
    }
    if !y.hi().is_finite() {
        return Interval::new(f64::NEG_INFINITY, 0.0);
    }
    let factor = shape * ln_y - y - ln_gamma(shape + exact(1.0));
    let probability = factor + ln(series(shape, y));
    Interval::new(probability.lo(), probability.hi().min(0.0))
}

/// Above this exponent Chernoff's bound is below 1e-13.
const CERTAIN: f64 = 30.0;

/// Terms of the series that are added at most: the sum is a valid lower bound wherever it stops.
const TERMS: u32 = 2_000_000;

/// `sum_m y^m / ((s + 1) ... (s + m))`.
fn series(s: Interval, y: Interval) -> Interval {
    let (mut sum, mut term) = (exact(1.0), exact(1.0));
    for m in 1..=TERMS {
        term = term * y / (s + exact(f64::from(m)));
        sum = sum + term;
        let ratio = y / (s + exact(f64::from(m + 1)));
        if ratio.hi() < 1.0 {
            let rest = term * ratio / (exact(1.0) - ratio);
            if rest.hi() <= 1e-17 * sum.lo() {
                return sum.hull(sum + rest);
            }
        }
    }
    Interval::new(sum.lo(), f64::INFINITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Does the enclosure contain the reference, and is it narrow?
    #[track_caller]
    fn encloses(x: Interval, reference: f64, width: f64) {
        // Half a unit in the last place is the rounding of the reference itself.
        let slack = f64::EPSILON * reference.abs();
        assert!(x.lo() <= reference + slack && x.hi() >= reference - slack, "{x:?} against {reference:e}");
        assert!(x.hi() - x.lo() <= width * reference.abs().max(1e-300), "{x:?} is wide");
    }

    /// References: mpmath, 50 digits.
    #[test]
    fn normal_tails() {
        encloses(ln_normal_between(exact(1e-200)), -461.4359571320138, 1e-12);
        encloses(ln_normal_between(exact(1e-09)), -21.642204370151084, 1e-12);
        encloses(ln_normal_between(exact(0.01)), -5.524225384914989, 1e-12);
        encloses(ln_normal_between(exact(0.5)), -1.897905061013982, 1e-12);
        encloses(ln_normal_between(exact(1.0)), -1.9957982691807554, 1e-12);
        encloses(ln_normal_between(exact(3.0)), -6.607726952371483, 1e-12);
        encloses(ln_normal_between(exact(19.5)), -194.0169657774975, 1e-06);
        encloses(ln_normal_between(exact(25.0)), -316.63940800802027, 1e-06);
        encloses(ln_normal_between(exact(100.0)), -5005.524208694205, 1e-06);
        encloses(ln_normal_between(exact(10000.0)), -50000010.12927891, 1e-06);
    }

    #[test]
    fn gamma_function() {
        assert!(ln_gamma(exact(1.0)).contains(0.0));
        encloses(ln_gamma(exact(1.5)), -0.12078223763524522, 1e-8);
        encloses(ln_gamma(exact(7.5)), 7.534364236758733, 1e-8);
        encloses(ln_gamma(exact(20.0)), 39.339884187199495, 1e-8);
        encloses(ln_gamma(exact(1000.5)), 5908.674175848678, 1e-8);
        encloses(ln_gamma(exact(1000000.0)), 12815504.569147611, 1e-8);
    }

    #[test]
    fn gamma_law() {
        encloses(ln_gamma_law(0.5, ln(exact(0.001))), -3.3334286907475343, 1e-6);
        encloses(ln_gamma_law(1.5, ln(exact(2.0))), -0.303085606692779, 1e-6);
        encloses(ln_gamma_law(50.0, ln(exact(1e-05))), -724.124050004206, 1e-6);
        encloses(ln_gamma_law(50.0, ln(exact(60.0))), -0.0881829878871983, 1e-6);
        encloses(ln_gamma_law(1000.0, ln(exact(900.0))), -7.5057699942338925, 1e-6);
        encloses(ln_gamma_law(1000.0, ln(exact(1100.0))), -0.0010598847333686437, 1e-6);
        encloses(ln_gamma_law(40000.0, ln(exact(1.0))), -383872.60655682633, 1e-6);
        encloses(ln_gamma_law(40000.0, ln(exact(39900.0))), -1.1744862825006193, 1e-6);
    }

    #[test]
    fn known_laws() {
        // Exponential and the square of a normal variable.
        for y in [1e-300, 1e-5, 0.3, 1.0, 7.0, 25.0, 45.0, 400.0] {
            let p = ln_gamma_law(1.0, ln(exact(y)));
            assert!(p.meets(ln_one_minus_exp(exact(-y))), "{y}");
            let p = ln_gamma_law(0.5, ln(exact(y)));
            assert!(p.meets(ln(gradcert_rigor::elementary::erf(exact(y).sqrt()))), "{y}");
        }
    }
}
