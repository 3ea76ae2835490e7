//! (T13a) Random features: more samples than features become linearly independent.
//!
//! Feature j of a sample x is `sigma(omega_j . x / h + b_j)`, times a constant that makes rows about one long. For an analytic sigma that
//! is no polynomial distinct samples have independent features for almost every draw, as soon as there are n of them; for the rectified
//! linear one they may be dependent with positive probability, so independence must be verified. A lifted data set is a
//! data set: what is proved of it is proved of the doubles computed here. They are the same on every machine: one stream of a
//! counter-based generator per feature, sums in a fixed order, portable elementary functions.

use crate::{DataError, Dataset, Inputs, Matrix};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::f64::consts::TAU;
use std::fmt;
use std::str::FromStr;

/// Which features.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Features {
    /// `sqrt(2/D) cos(omega . x / h + b)`, b uniform on a circle (Rahimi and Recht 2007): inner products approximate the
    /// Gaussian kernel `exp(-|x - x'|^2 / (2 h^2))`.
    Fourier,
    /// `D^{-1/2} tanh(omega . x / h + b)`, b from N(0, 1).
    Tanh,
    /// `sqrt(2/D) max(omega . x / h + b, 0)`, b from N(0, 1). Not analytic.
    Relu,
}

/// A drawn map from d to D features; omega has entries from N(0, 1). Written `fourier:D:SEED:H:d`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lift {
    /// The kind of features.
    pub features: Features,
    /// D, at least 1.
    pub count: usize,
    /// The seed.
    pub seed: u64,
    /// h > 0.
    pub scale: f64,
    /// d.
    pub inputs: usize,
}

/// Streams of features lie apart from those of starts, which are drawn with the same seeds.
const STREAMS: u64 = 1 << 32;

/// Rows of which all pairwise distances are looked at.
const ROWS_FOR_SCALE: usize = 500;

impl Lift {
    /// The lifted samples (n x D).
    ///
    /// # Errors
    /// `shape` if the samples have another number of features; `infinite`, `nan` or `huge` if a lifted one is no number of
    /// moderate size: h is far too small.
    pub fn apply(&self, inputs: &Matrix) -> Result<Inputs, DataError> {
        let (n, d) = inputs.shape();
        if d != self.inputs {
            let detail = format!("the samples have {d} features, the lift reads {}", self.inputs);
            return Err(DataError::Shape { detail });
        }
        // Column by column, so that sums over the columns run side by side for all samples.
        let columns: Vec<f64> = (0..d).flat_map(|k| inputs.iter_rows().map(move |row| row[k])).collect();
        let mut values = vec![0.0; n * self.count];
        let mut sums = vec![0.0; n];
        for j in 0..self.count {
            let mut random = ChaCha12Rng::seed_from_u64(self.seed);
            random.set_stream(STREAMS + j as u64);
            sums.fill(0.0);
            for column in columns.chunks_exact(n.max(1)) {
                let omega = normal(&mut random);
                sums.iter_mut().zip(column).for_each(|(sum, x)| *sum += omega * x);
            }
            let shift = self.shift(&mut random);
            for (i, sum) in sums.iter().enumerate() {
                values[i * self.count + j] = self.feature(sum / self.scale + shift);
            }
        }
        Inputs::new(Matrix::new(n, self.count, values)?, None)
    }

    /// The lifted data set.
    ///
    /// # Errors
    /// Those of [`Lift::apply`].
    pub fn apply_to(&self, dataset: Dataset) -> Result<Dataset, DataError> {
        let name = dataset.target_name().map(str::to_owned);
        let (inputs, targets) = dataset.into_parts();
        Dataset::from_inputs(self.apply(inputs.matrix())?, targets, name)
    }

    fn shift(&self, random: &mut ChaCha12Rng) -> f64 {
        match self.features {
            Features::Fourier => TAU * uniform(random),
            Features::Tanh | Features::Relu => normal(random),
        }
    }

    fn feature(&self, z: f64) -> f64 {
        let count = self.count as f64;
        match self.features {
            Features::Fourier => (2.0 / count).sqrt() * libm::cos(z),
            Features::Tanh => libm::tanh(z) / count.sqrt(),
            Features::Relu => (2.0 / count).sqrt() * z.max(0.0),
        }
    }
}

/// The median of the positive distances of two samples (of up to 500 rows, evenly spread): the usual scale h. `None` if there is none.
pub fn median_distance(inputs: &Matrix) -> Option<f64> {
    let n = inputs.rows();
    let step = n.div_ceil(ROWS_FOR_SCALE).max(1);
    let rows: Vec<&[f64]> = inputs.iter_rows().step_by(step).collect();
    let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt();
    let mut distances: Vec<f64> = vec![];
    for (i, a) in rows.iter().enumerate() {
        distances.extend(rows[..i].iter().map(|b| distance(a, b)));
    }
    distances.retain(|h| h.is_finite() && *h > 0.0);
    distances.sort_by(f64::total_cmp);
    distances.get(distances.len() / 2).copied()
}

/// In [0, 1).
fn uniform(random: &mut ChaCha12Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// N(0, 1) by Box and Muller; one number for two uniform ones, so that a stream is read evenly.
fn normal(random: &mut ChaCha12Rng) -> f64 {
    let radius = (-2.0 * libm::log(1.0 - uniform(random))).sqrt();
    radius * libm::cos(TAU * uniform(random))
}

impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Features::Fourier => "fourier",
            Features::Tanh => "tanh",
            Features::Relu => "relu",
        })
    }
}

impl FromStr for Features {
    type Err = String;

    fn from_str(text: &str) -> Result<Features, String> {
        match text {
            "fourier" => Ok(Features::Fourier),
            "tanh" => Ok(Features::Tanh),
            "relu" => Ok(Features::Relu),
            _ => Err(format!("unknown features '{text}': fourier, tanh or relu")),
        }
    }
}

impl fmt::Display for Lift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}:{:?}:{}", self.features, self.count, self.seed, self.scale, self.inputs)
    }
}

impl FromStr for Lift {
    type Err = String;

    fn from_str(text: &str) -> Result<Lift, String> {
        let plan: LiftPlan = text.parse()?;
        plan.complete().ok_or_else(|| format!("'{text}' leaves seed, scale or number of inputs open"))
    }
}

/// A lift whose last parts may still be open. Written `fourier:D`, `fourier:D:SEED`, `fourier:D:SEED:H` or in full.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LiftPlan {
    /// The kind of features.
    pub features: Features,
    /// D.
    pub count: usize,
    /// The seed, if it is given.
    pub seed: Option<u64>,
    /// h, if it is given.
    pub scale: Option<f64>,
    /// d, if it is given.
    pub inputs: Option<usize>,
}

impl LiftPlan {
    /// The most features of a lift.
    pub const MOST: usize = 1_000_000;

    fn complete(&self) -> Option<Lift> {
        let (seed, scale, inputs) = (self.seed?, self.scale?, self.inputs?);
        Some(Lift { features: self.features, count: self.count, seed, scale, inputs })
    }
}

impl From<Lift> for LiftPlan {
    fn from(lift: Lift) -> LiftPlan {
        let Lift { features, count, seed, scale, inputs } = lift;
        LiftPlan { features, count, seed: Some(seed), scale: Some(scale), inputs: Some(inputs) }
    }
}

impl FromStr for LiftPlan {
    type Err = String;

    fn from_str(text: &str) -> Result<LiftPlan, String> {
        let form = "a lift is FEATURES:D, FEATURES:D:SEED or FEATURES:D:SEED:SCALE[:INPUTS], like fourier:500:1";
        let parts: Vec<&str> = text.split(':').collect();
        let [features, count, rest @ ..] = parts.as_slice() else { return Err(form.to_owned()) };
        let count: usize = count.parse().map_err(|_| form.to_owned())?;
        if !(1..=LiftPlan::MOST).contains(&count) {
            return Err(format!("a lift has 1 to {} features", LiftPlan::MOST));
        }
        let seed = |text: &str| text.parse::<u64>().map_err(|_| form.to_owned());
        let number = |text: &str| text.parse::<usize>().map_err(|_| form.to_owned());
        let scale = |text: &str| match text.parse::<f64>() {
            Ok(h) if h.is_finite() && h > 0.0 => Ok(h),
            _ => Err(format!("the scale of a lift is a positive number, not '{text}'")),
        };
        let (seed, scale, inputs) = match rest {
            [] => (None, None, None),
            [s] => (Some(seed(s)?), None, None),
            [s, h] => (Some(seed(s)?), Some(scale(h)?), None),
            [s, h, d] => (Some(seed(s)?), Some(scale(h)?), Some(number(d)?)),
            _ => return Err(form.to_owned()),
        };
        Ok(LiftPlan { features: features.parse()?, count, seed, scale, inputs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(n: usize, d: usize) -> Matrix {
        let values = (0..n * d).map(|k| ((k * k + 3 * k) % 17) as f64 / 7.0 - 1.0).collect();
        Matrix::new(n, d, values).unwrap()
    }

    fn lift(features: Features, count: usize, seed: u64) -> Lift {
        Lift { features, count, seed, scale: 2.0, inputs: 3 }
    }

    /// Feature j does not depend on how many there are, nor a sample's on the other samples; only the constant does.
    #[test]
    fn features_and_samples_do_not_depend_on_each_other() {
        let matrix = samples(5, 3);
        for features in [Features::Fourier, Features::Tanh, Features::Relu] {
            let few = lift(features, 4, 9).apply(&matrix).unwrap();
            let many = lift(features, 16, 9).apply(&matrix).unwrap();
            let alone = lift(features, 4, 9).apply(&matrix.select_rows(&[3])).unwrap();
            assert_eq!(few.matrix().row(3), alone.matrix().row(0));
            for i in 0..5 {
                for j in 0..4 {
                    let (a, b) = (few.matrix().row(i)[j], 2.0 * many.matrix().row(i)[j]);
                    assert!((a - b).abs() <= 4.0 * f64::EPSILON * a.abs(), "{a} {b}");
                }
            }
        }
    }

    /// `z(x) . z(x')` is the Gaussian kernel up to a few standard errors `D^{-1/2}`.
    #[test]
    fn fourier_features_approximate_the_gaussian_kernel() {
        let matrix = samples(6, 3);
        let lifted = lift(Features::Fourier, 40_000, 1).apply(&matrix).unwrap();
        for i in 0..6 {
            for k in 0..6 {
                let (a, b) = (matrix.row(i), matrix.row(k));
                let square: f64 = a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum();
                let kernel = (-square / (2.0 * 4.0)).exp();
                let product: f64 = lifted.matrix().row(i).iter().zip(lifted.matrix().row(k)).map(|(x, y)| x * y).sum();
                assert!((product - kernel).abs() < 0.02, "{product} {kernel}");
            }
        }
    }

    /// A lift is named by its text for good: the first features, as computed when the lift was added.
    #[test]
    fn a_text_names_a_lift() {
        let lift: Lift = "fourier:3:7:1.5:3".parse().unwrap();
        assert_eq!(lift.to_string(), "fourier:3:7:1.5:3");
        assert!(lift.apply(&samples(1, 4)).is_err());
        let found = lift.apply(&samples(1, 3)).unwrap();
        let bits: Vec<u64> = found.matrix().row(0).iter().map(|z| z.to_bits()).collect();
        assert_eq!(bits, FIRST, "{bits:#x?}");
    }

    const FIRST: [u64; 3] = [0xbfe8_5f59_509b_7ccd, 0xbfd3_66f5_3b6d_6083, 0x3fe8_fc69_86c8_bb53];

    #[test]
    fn plans_are_read() {
        let plan: LiftPlan = "tanh:12".parse().unwrap();
        assert_eq!(plan, LiftPlan { features: Features::Tanh, count: 12, seed: None, scale: None, inputs: None });
        assert_eq!("relu:2:5".parse::<LiftPlan>().unwrap().seed, Some(5));
        for wrong in [
            "",
            "fourier",
            "fourier:0",
            "fourier:-1",
            "cosine:3",
            "fourier:3:x",
            "fourier:3:1:0",
            "fourier:3:1:nan",
            "fourier:3:1:2:5:6",
            "fourier:3:1:2:x",
            "fourier:9999999999",
        ] {
            assert!(wrong.parse::<LiftPlan>().is_err(), "{wrong}");
        }
        assert!("fourier:3:1".parse::<Lift>().is_err());
        assert!("fourier:3:1:2".parse::<Lift>().is_err());
    }

    #[test]
    fn the_scale_is_a_median() {
        // Distances 1, 1, 2, and 0 between equal rows.
        let line = Matrix::new(5, 1, vec![0.0, 1.0, 2.0, 2.0, 2.0]).unwrap();
        assert_eq!(median_distance(&line), Some(1.0));
        assert_eq!(median_distance(&Matrix::new(2, 1, vec![4.0, 4.0]).unwrap()), None);
        assert_eq!(median_distance(&Matrix::new(1, 1, vec![4.0]).unwrap()), None);
    }

    #[test]
    fn features_that_overflow_are_refused() {
        let huge = Matrix::new(1, 1, vec![1e150]).unwrap();
        assert!(Lift { scale: 1e-200, inputs: 1, ..lift(Features::Fourier, 3, 0) }.apply(&huge).is_err());
    }
}
