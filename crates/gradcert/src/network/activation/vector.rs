//! Values and slopes of whole slices for training: formulas without branches, which the compiler turns into vector instructions.
//!
//! They find; they never claim. Errors are below two units in the last place, numbers below 1e-300, the zeros of the slopes of SiLU and
//! GELU, and GELU (four units) aside (`make test-oracle` compares with Arb), and the bits do not depend on the vector width: each lane
//! does what a single number would, fused operations included.

use super::Activation::{self, *};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, LOG2_E, SQRT_2};

/// ln 2 in two parts: products of the first with numbers below 2^11 are exact.
const LN_2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fefa_3800);
const LN_2_LOW: f64 = f64::from_bits(0x3d2e_f357_93c7_6730);

/// Adding `1.5 * 2^52` rounds to an integer, which then stands in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// `e^x` is taken as 0 below this, where it leaves the normal doubles.
const LEAST_EXPONENT: f64 = -708.0;

/// `1/k!`, k = 2, ..., 13: the rest of the series is below 2e-17 of its sum for |r| <= ln(2)/2.
const FACTORIALS: [f64; 12] = {
    let (mut inverse, mut k) = ([0.0; 12], 2u64);
    let mut factorial = 2u64;
    while k < 14 {
        inverse[k as usize - 2] = 1.0 / factorial as f64;
        k += 1;
        factorial *= k;
    }
    inverse
};

/// `2/(2k + 1)`, k = 1, ..., 9: the rest of the series of `ln((1 + s)/(1 - s))/s` is below 2e-17 for |s| <= 0.172.
const ODD: [f64; 9] = {
    let (mut inverse, mut k) = ([0.0; 9], 1);
    while k < 10 {
        inverse[k - 1] = 2.0 / (2 * k + 1) as f64;
        k += 1;
    }
    inverse
};

/// `sum c_k x^k`.
#[inline(always)]
fn polynomial<const N: usize>(coefficients: &[f64; N], x: f64) -> f64 {
    let mut sum = coefficients[N - 1];
    for k in (0..N - 1).rev() {
        sum = sum.mul_add(x, coefficients[k]);
    }
    sum
}

/// A number as an unevaluated sum: the low part is at most a unit in the last place of the high one.
#[derive(Clone, Copy)]
struct Pair {
    high: f64,
    low: f64,
}

/// `a + b` exactly, for |a| >= |b| or a = 0.
#[inline(always)]
fn exact_sum(a: f64, b: f64) -> Pair {
    let high = a + b;
    Pair { high, low: b - (high - a) }
}

impl Pair {
    /// `self + x` for x not smaller.
    #[inline(always)]
    fn added_to(self, x: f64) -> Pair {
        let sum = exact_sum(x, self.high);
        Pair { high: sum.high, low: sum.low + self.low }
    }

    #[inline(always)]
    fn squared(self) -> Pair {
        let high = self.high * self.high;
        Pair { high, low: (2.0 * self.high).mul_add(self.low, self.high.mul_add(self.high, -high)) }
    }

    #[inline(always)]
    fn times(self, x: f64) -> Pair {
        Pair { high: x * self.high, low: x * self.low }
    }

    /// `self / divisor` from an `inverse` that is 1/divisor up to some roundings, mended by what it leaves over.
    #[inline(always)]
    fn over(self, divisor: Pair, inverse: f64) -> f64 {
        let q = self.high * inverse;
        let left = (-q).mul_add(divisor.high, self.high) + (-q).mul_add(divisor.low, self.low);
        left.mul_add(inverse, q)
    }
}

const ONE: Pair = Pair { high: 1.0, low: 0.0 };

/// `e^x` and `e^x - 1` for x <= 0, both to full relative accuracy: `e^x = 2^k (1 + p)`, p = e^r - 1 with r = x - k ln 2.
#[inline(always)]
fn exponential(x: f64) -> (Pair, Pair) {
    let tiny = x < LEAST_EXPONENT;
    let x = if tiny { LEAST_EXPONENT } else { x };
    let shifted = x.mul_add(LOG2_E, ROUND);
    let k = shifted - ROUND;
    let r = k.mul_add(-LN_2_LOW, k.mul_add(-LN_2_HIGH, x));
    let p = (r * r).mul_add(polynomial(&FACTORIALS, r), r);
    let power = f64::from_bits((shifted.to_bits() << 52).wrapping_add(1f64.to_bits()));
    let e = exact_sum(power, power * p);
    let e = Pair { high: if tiny { 0.0 } else { e.high }, low: if tiny { 0.0 } else { e.low } };
    (e, exact_sum(power - 1.0, power * p))
}

/// `1 + u = 2^k (1 + f)` for -1/2 <= u <= 1, f found without rounding and at most sqrt 2 - 1 in size: `(f, k)`.
#[inline(always)]
fn reduced(u: f64) -> (f64, f64) {
    let (low, high) = (u < 0.5 * SQRT_2 - 1.0, u > SQRT_2 - 1.0);
    let f = if low { u.mul_add(2.0, 1.0) } else { u };
    let k = if low { -1.0 } else { 0.0 };
    (if high { 0.5 * (u - 1.0) } else { f }, if high { 1.0 } else { k })
}

/// `k ln 2 + ln(1 + f)` with `ln(1 + f) = f - (f^2/2 - s (f^2/2 + R))`, `s = f/(2 + f)`, R the series of the odd powers. An error of a
/// few units of s does not matter.
#[inline(always)]
fn logarithm(f: f64, k: f64, s: f64) -> f64 {
    let z = s * s;
    let half = 0.5 * f * f;
    let rest = z.mul_add(polynomial(&ODD, z), half);
    let small = k.mul_add(LN_2_LOW, s.mul_add(rest, -half));
    k.mul_add(LN_2_HIGH, f + small)
}

/// `ln(1 + u)` and the logistic function at t, with `e = e^-|t|`, from one division.
#[inline(always)]
fn logarithm_and_logistic(u: f64, t: f64, e: Pair) -> (f64, f64) {
    let (f, k) = reduced(u);
    let (a, b) = (e.added_to(1.0), 2.0 + f);
    let inverse = 1.0 / (a.high * b);
    let slope = logistic_over(t, e, a, b * inverse);
    (logarithm(f, k, f * (a.high * inverse)), slope)
}

/// `1/(1 + e^-t)` from `e = e^-|t|`, `sum = 1 + e` and about its inverse.
#[inline(always)]
fn logistic_over(t: f64, e: Pair, sum: Pair, inverse: f64) -> f64 {
    let high = if t < 0.0 { e.high } else { 1.0 };
    let low = if t < 0.0 { e.low } else { 0.0 };
    Pair { high, low }.over(sum, inverse)
}

#[inline(always)]
fn positive(t: f64) -> f64 {
    if t > 0.0 { t } else { 0.0 }
}

/// `ln((1 + e^t)/2)` and its slope, the logistic function: `max(t, 0) + ln(1 + m/2)` with `m = e^-|t| - 1`.
#[inline(always)]
fn shifted_softplus(t: f64) -> (f64, f64) {
    let (e, m) = exponential(-t.abs());
    let (logarithm, slope) = logarithm_and_logistic(0.5 * m.high, t, e);
    (positive(t) + logarithm, slope)
}

/// `ln(1 + e^t)` and its slope.
#[inline(always)]
fn softplus(t: f64) -> (f64, f64) {
    let (e, _) = exponential(-t.abs());
    let (logarithm, slope) = logarithm_and_logistic(e.high, t, e);
    (positive(t) + logarithm, slope)
}

/// `tanh t = -m/(2 + m)` for t >= 0 with `m = e^-2t - 1`, and `1/cosh^2 t = 4 e^-2t/(2 + m)^2`.
#[inline(always)]
fn tanh(t: f64) -> (f64, f64) {
    let (e, m) = exponential(-2.0 * t.abs());
    let sum = m.added_to(2.0);
    let inverse = 1.0 / sum.high;
    let value = m.times(-1.0).over(sum, inverse);
    (value.copysign(t), e.times(4.0).over(sum.squared(), inverse * inverse))
}

#[inline(always)]
fn logistic(t: f64) -> (f64, f64) {
    let (value, slope) = tanh(0.5 * t);
    (0.5 * value, 0.25 * slope)
}

#[inline(always)]
fn sigmoid(t: f64) -> (f64, f64) {
    let (e, _) = exponential(-t.abs());
    let sum = e.added_to(1.0);
    let inverse = 1.0 / sum.high;
    (logistic_over(t, e, sum, inverse), e.over(sum.squared(), inverse * inverse))
}

/// `t s(t)`, s the logistic function, with the slope `s + t s'(t)`. Where s' = 0 so is the product, for infinite t too.
#[inline(always)]
fn silu(t: f64) -> (f64, f64) {
    let (s, bend) = sigmoid(t);
    let value = if t < LEAST_EXPONENT { 0.0 } else { t * s };
    (value, within(1e100, t).mul_add(bend, s))
}

/// t, or the limit with its sign where t is farther: there functions have reached their limits, and powers would overflow.
#[inline(always)]
fn within(limit: f64, t: f64) -> f64 {
    if t.abs() > limit { limit.copysign(t) } else { t }
}

/// `t / sqrt(1 + t^2)` and `(1 + t^2)^(-3/2)`.
#[inline(always)]
fn algebraic(t: f64) -> (f64, f64) {
    let t = within(1e100, t);
    let square = t * t;
    let rounding = t.mul_add(t, -square);
    let sum = if square > 1.0 { exact_sum(square, 1.0) } else { exact_sum(1.0, square) };
    let sum = Pair { high: sum.high, low: sum.low + rounding };
    let high = sum.high.sqrt();
    let inverse = 1.0 / high;
    let root = Pair { high, low: ((-high).mul_add(high, sum.high) + sum.low) * (0.5 * inverse) };
    let cube = sum.high * high;
    let low = sum.high.mul_add(high, -cube) + sum.low.mul_add(high, sum.high * root.low);
    let value = Pair { high: t, low: 0.0 }.over(root, inverse);
    (value, ONE.over(Pair { high: cube, low }, inverse * inverse * inverse))
}

/// `t / (1 + |t|)` and `(1 + |t|)^-2`.
#[inline(always)]
fn softsign(t: f64) -> (f64, f64) {
    let t = within(1e150, t);
    let size = t.abs();
    let sum = if size > 1.0 { exact_sum(size, 1.0) } else { exact_sum(1.0, size) };
    let inverse = 1.0 / sum.high;
    (Pair { high: t, low: 0.0 }.over(sum, inverse), ONE.over(sum.squared(), inverse * inverse))
}

/// `e^{-t^2}`, from the rounded square and what it lacks.
#[inline(always)]
fn gaussian(t: f64) -> f64 {
    let t = within(1e100, t);
    let square = t * t;
    // 0 where e^x is 0: what is lacking is then of the size of the square.
    let lacking = if -square < LEAST_EXPONENT { 0.0 } else { t.mul_add(t, -square) };
    let e = exponential(-square).0;
    (-lacking).mul_add(e.high, e.low) + e.high
}

/// `2/sqrt(pi)` is `FRAC_2_SQRT_PI` and this.
const FRAC_2_SQRT_PI_LOW: f64 = 1.533_545_961_316_588e-17;

/// `erf t` and `2/sqrt(pi) e^{-t^2}`.
#[inline(always)]
fn erf(t: f64) -> (f64, f64) {
    let bell = gaussian(t);
    (libm::erf(t), FRAC_2_SQRT_PI.mul_add(bell, FRAC_2_SQRT_PI_LOW * bell))
}

/// `1/sqrt(2)` is `FRAC_1_SQRT_2` and this.
const FRAC_1_SQRT_2_LOW: f64 = -4.833_646_656_726_457e-17;

/// `t Phi(t)` and `Phi(t) + t phi(t)`, with `Phi(t) = erfc(x)/2` at the rounded `x = -t/sqrt(2)`, mended by the first derivative.
#[inline(always)]
fn gelu(t: f64) -> (f64, f64) {
    let x = -FRAC_1_SQRT_2 * t;
    let lacking = (-t).mul_add(FRAC_1_SQRT_2_LOW, (-t).mul_add(FRAC_1_SQRT_2, -x));
    let bell = FRAC_2_SQRT_PI * gaussian(x);
    // Where the bell is 0 so are the products, for infinite t too.
    let lacking = if bell == 0.0 { 0.0 } else { lacking };
    let distribution = 0.5 * bell.mul_add(-lacking, libm::erfc(x));
    let density = FRAC_1_SQRT_2 * 0.5 * bell;
    let value = if distribution == 0.0 { 0.0 } else { t * distribution };
    (value, within(1e100, t).mul_add(density, distribution))
}

/// A function of one number and its slope. (A closure would do, but the compiler need not expand it inside the loop, and then
/// each number costs a call.)
trait Formula: Copy {
    fn at(self, t: f64) -> (f64, f64);
}

impl<F: Fn(f64) -> (f64, f64) + Copy> Formula for F {
    #[inline(always)]
    fn at(self, t: f64) -> (f64, f64) {
        self(t)
    }
}

#[derive(Clone, Copy)]
struct Leaky(f64);

impl Formula for Leaky {
    #[inline(always)]
    fn at(self, t: f64) -> (f64, f64) {
        let (value, slope) = shifted_softplus(t);
        ((1.0 - self.0).mul_add(value, self.0 * t), (1.0 - self.0).mul_add(slope, self.0))
    }
}

/// `(values, slopes) = formula(values)`.
struct Each<'a, F> {
    values: &'a mut [f64],
    slopes: &'a mut [f64],
    formula: F,
}

impl<F: Formula> Each<'_, F> {
    #[inline(always)]
    fn run(self) {
        for (value, slope) in self.values.iter_mut().zip(self.slopes) {
            (*value, *slope) = self.formula.at(*value);
        }
    }
}

impl<F: Formula> pulp::WithSimd for Each<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        self.run();
    }
}

/// Runs the loop with the widest vector instructions of the machine.
fn each(values: &mut [f64], slopes: &mut [f64], formula: impl Formula) {
    let each = Each { values, slopes, formula };
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
        // SAFETY: the machine has these instructions.
        #[allow(unsafe_code)]
        unsafe {
            with_512_bits(each);
        }
        return;
    }
    pulp::Arch::new().dispatch(each);
}

/// Eight numbers at a time, in half the time of four. (pulp can do that, too, but only by making all of the linear algebra build
/// for it, which costs a minute of compilation and gains nothing there.)
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq")]
fn with_512_bits<F: Formula>(each: Each<'_, F>) {
    each.run();
}

impl Activation {
    /// Replaces every t of `values` by sigma(t) and the number at the same place of `slopes` by sigma'(t).
    pub fn values_and_slopes(self, values: &mut [f64], slopes: &mut [f64]) {
        match self {
            SmoothLeakyRelu(c) => each(values, slopes, Leaky(c)),
            Softplus => each(values, slopes, shifted_softplus),
            PlainSoftplus => each(values, slopes, softplus),
            Tanh => each(values, slopes, tanh),
            Logistic => each(values, slopes, logistic),
            Sigmoid => each(values, slopes, sigmoid),
            Silu => each(values, slopes, silu),
            Algebraic => each(values, slopes, algebraic),
            Softsign => each(values, slopes, softsign),
            // No vectors: each is a call.
            Erf => each(values, slopes, erf),
            Gelu => each(values, slopes, gelu),
            Arctan | Identity => {
                for (value, slope) in values.iter_mut().zip(slopes) {
                    (*value, *slope) = (self.value(*value), self.slope(*value));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::ALL;
    use super::*;

    fn points() -> Vec<f64> {
        let dense = (-4000..=4000).map(|k| f64::from(k) * 0.011);
        let small = (1..300).flat_map(|k| {
            let t = 10f64.powi(-k);
            [t, -t, 1.0 + t, 1.0 - t, -1.0 - t, 40.0 / t.max(1e-90)]
        });
        dense.chain(small).chain([0.0, -0.0, 705.0, -705.0]).collect()
    }

    /// Against the formulas one at a time, which call the standard library.
    #[test]
    fn slices_are_what_single_numbers_are() {
        for activation in ALL {
            let points = points();
            let (mut values, mut slopes) = (points.clone(), vec![0.0; points.len()]);
            activation.values_and_slopes(&mut values, &mut slopes);
            for ((t, value), slope) in points.into_iter().zip(values).zip(slopes) {
                // One at a time e^(-t^2) has the error of its rounded argument, and subnormal numbers their own.
                let bell = if matches!(activation, Erf | Gelu) { t * t } else { 0.0 };
                let close = |x: f64, y: f64, size: f64| {
                    (x - y).abs() <= (8.0 + bell) * f64::EPSILON * y.abs().max(size) + 1e-300
                };
                assert!(close(value, activation.value(t), 0.0), "{activation} {t}: {value} {}", activation.value(t));
                // The slopes of SiLU and GELU have a zero.
                let size = if matches!(activation, Silu | Gelu) { activation.value(t).abs().min(1.0) } else { 0.0 };
                assert!(close(slope, activation.slope(t), size), "{activation} {t}: {slope} {}", activation.slope(t));
            }
        }
    }

    #[test]
    fn bits_do_not_depend_on_the_place() {
        for activation in ALL {
            let points = points();
            let (mut values, mut slopes) = (points.clone(), vec![0.0; points.len()]);
            activation.values_and_slopes(&mut values, &mut slopes);
            for (i, t) in points.into_iter().enumerate().step_by(7) {
                let (mut value, mut slope) = ([t], [0.0]);
                activation.values_and_slopes(&mut value, &mut slope);
                assert_eq!((value[0].to_bits(), slope[0].to_bits()), (values[i].to_bits(), slopes[i].to_bits()));
            }
        }
    }

    #[test]
    fn far_away_and_beyond() {
        for activation in ALL {
            let (mut values, mut slopes) = ([f64::NAN, f64::INFINITY, -800.0, 800.0, f64::MAX, -f64::MAX], [0.0; 6]);
            activation.values_and_slopes(&mut values, &mut slopes);
            assert!(values[0].is_nan(), "{activation}");
            assert!(values[1..].iter().all(|v| !v.is_nan()), "{activation}: {values:?}");
            assert!(slopes[2..].iter().all(|s| s.is_finite()), "{activation}: {slopes:?}");
        }
        let (mut values, mut slopes) = ([-0.0, 0.0], [0.0; 2]);
        Softplus.values_and_slopes(&mut values, &mut slopes);
        assert_eq!((values, slopes), ([0.0, 0.0], [0.5, 0.5]));
    }
}
