//! Prints enclosures of elementary functions at pseudo-random points for the oracle `tests/oracle/check_enclosures.py`.
//!
//! `enclosures POINTS [FUNCTION]`: for each function one line `name kind count`, then `count` records of three
//! little-endian doubles: a point and the endpoints of the enclosure of the value there. Kind `point`: the enclosure at
//! the point; kind `wide`: of the range over an interval that contains the point.

// Some points of interest are constants of the standard library; the list reads better in digits.
#![allow(clippy::approx_constant)]

use gradcert_rigor::{Interval, elementary};
use std::io::{self, BufWriter, Write};

type Function = fn(Interval) -> Interval;

/// Name, enclosure, and points where it changes its branch or saturates.
const FUNCTIONS: &[(&str, Function, &[f64])] = &[
    ("exp", elementary::exp, &[709.782712893384, -708.3964185322641, -745.1332191019412, 0.010830424696249146]),
    ("expm1", elementary::expm1, &[0.010830424696249146, -0.010830424696249146, 60.0, -60.0, -37.5, 709.78]),
    ("ln", elementary::ln, &[1.0, 0.99609375, 1.00390625, 1.414213562373096, f64::MIN_POSITIVE, f64::MAX]),
    ("ln_1p", elementary::ln_1p, &[-1.0, 0.0078125, -0.0078125, 0.41421356237309515]),
    ("softplus", elementary::softplus, &[60.0, -60.0, -745.2, -708.4, 36.7, -36.7]),
    ("logistic", elementary::logistic, &[60.0, -60.0, -745.2, -708.4, 36.7]),
    ("tanh", elementary::tanh, &[0.005415212348124573, 60.0, 19.06, 9.313225746154785e-10]),
    ("sech_squared", elementary::sech_squared, &[30.0, 60.0, 372.9, 354.5, 380.0, 19.06]),
    ("gaussian", elementary::gaussian, &[26.6, 27.3, 28.0, 7.450580596923828e-9]),
    ("erf", elementary::erf, &[0.5, 5.86, 6.0, 1.0, 2.0, 4.0, 0.015625, 9.313225746154785e-10]),
    ("erfc", elementary::erfc, &[0.5, -0.5, -6.0, 26.54, 27.226, 27.3, 2.0, 8.0, 16.0]),
    ("normal_cdf", elementary::normal_cdf, &[-0.7071067811865499, 8.3, -37.5, -38.5, -38.6, 8.49]),
    ("normal_density", elementary::normal_density, &[37.6, 38.5, 38.7, 40.0, 1.0]),
    ("atan", elementary::atan, &[1.0, 0.0078125, 128.0, 1.152921504606847e18, 9.313225746154785e-10]),
    ("sin", elementary::sin, &[1.5707963267948966, 3.141592653589793, 0.7853981633974483, 355.0, 2097152.0]),
    // Powers of one variable: x^y for fixed y, and for fixed x.
    ("power_1.5", |x| powf(x, 1.5), &[1.0, 2.1e205, 4.0, f64::MIN_POSITIVE]),
    ("power_-0.3", |x| powf(x, -0.3), &[1.0, 1e-300, 1e300, f64::MIN_POSITIVE]),
    ("power_17", |x| powf(x, 17.0), &[1.0, 1e18, 1e-18, 5.83]),
    ("power_-2.25", |x| powf(x, -2.25), &[1.0, 1e137, 1e-137, 0.5]),
    ("base_10", |y| elementary::powf(Interval::exact(10.0), y), &[1.0, 308.25, -323.3, 13.0]),
    ("base_0.999", |y| elementary::powf(Interval::exact(0.999), y), &[1.0, 7.4e5, -7.1e5, 3e4]),
    ("cos", elementary::cos, &[1.5707963267948966, 3.141592653589793, 0.7853981633974483, 11.0, 2097152.0]),
];

fn powf(base: Interval, exponent: f64) -> Interval {
    elementary::powf(base, Interval::exact(exponent))
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A finite double from a mixture: every exponent, moderate sizes, subnormal, near `special`, the extremes.
    fn point(&mut self, special: &[f64]) -> f64 {
        let sign = if self.bits() & 1 == 0 { 1.0 } else { -1.0 };
        match self.bits() % 16 {
            0..=2 => f64::from_bits(self.bits() % f64::INFINITY.to_bits()) * sign,
            3 => f64::from_bits(self.bits() >> 12) * sign,
            4..=6 => sign * self.unit(),
            7..=9 => sign * 2f64.powf(12.0 * self.unit() - 8.0),
            10 => sign * 800.0 * self.unit(),
            11 => sign * 2f64.powf(-70.0 * self.unit()),
            12..=14 => {
                let centre = special[(self.bits() % special.len() as u64) as usize]
                    * if self.bits().is_multiple_of(8) { -1.0 } else { 1.0 };
                let steps = (self.bits() >> (20 + self.bits() % 44)) as i64;
                let ulps = if sign > 0.0 { steps } else { -steps };
                let moved = f64::from_bits((centre.to_bits() as i64).wrapping_add(ulps) as u64);
                if moved.is_finite() { moved } else { centre }
            }
            _ => {
                sign * [0.0, f64::from_bits(1), f64::MIN_POSITIVE, 1.0, f64::MAX, f64::EPSILON]
                    [(self.bits() % 6) as usize]
            }
        }
    }
}

fn record(out: &mut impl Write, point: f64, enclosure: Interval) -> io::Result<()> {
    [point, enclosure.lo(), enclosure.hi()].iter().try_for_each(|x| out.write_all(&x.to_le_bytes()))
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let points: usize = arguments.first().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    for (name, function, special) in FUNCTIONS {
        if arguments.get(1).is_some_and(|wanted| wanted != name) {
            continue;
        }
        let mut random = Random(name.len() as u64);
        writeln!(out, "{name} point {points}")?;
        for _ in 0..points {
            let x = random.point(special);
            record(&mut out, x, function(Interval::exact(x)))?;
        }
        writeln!(out, "{name} wide {}", points / 8)?;
        for _ in 0..points / 8 {
            let mut x = [random.point(special), random.point(special), random.point(special)];
            x.sort_by(f64::total_cmp);
            record(&mut out, x[1], function(Interval::new(x[0], x[2])))?;
        }
    }
    out.flush()
}
