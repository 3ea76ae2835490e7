//! Where the samples of a run come from.

use super::error::SweepError;
use gradcert_data::{Dataset, LoadOptions, Matrix, TargetColumn, Targets};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use std::path::Path;

/// The streams of a seed that belong to data; those of layers are small numbers.
const INPUT_STREAM: u64 = 1 << 32;
const TARGET_STREAM: u64 = INPUT_STREAM + 1;

/// A source of samples.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A file in any of the formats that are read.
    File(String),
    /// A data set inside the library.
    Bundled(String),
    /// X and y with independent standard normal entries.
    Gaussian {
        /// n.
        samples: usize,
        /// d.
        features: usize,
        /// The seed of the data; the seed of the run where there is none.
        seed: Option<u64>,
    },
}

/// No synthetic data set has more entries.
const LARGEST_SYNTHETIC: usize = 100_000_000;

impl Source {
    /// From `bundled:NAME`, `gaussian:N,D`, `gaussian:N,D,SEED`, or the name of a file.
    ///
    /// # Errors
    /// [`SweepError::Value`] if a synthetic source has no usable sizes.
    pub fn parse(text: &str) -> Result<Source, SweepError> {
        if let Some(name) = text.strip_prefix("bundled:") {
            return Ok(Source::Bundled(name.to_owned()));
        }
        let Some(sizes) = text.strip_prefix("gaussian:") else { return Ok(Source::File(text.to_owned())) };
        let wrong = || SweepError::value("data", text, "gaussian:N,D or gaussian:N,D,SEED with N, D >= 1");
        let numbers: Vec<u64> =
            sizes.split(',').map(|t| t.trim().parse::<u64>()).collect::<Result<_, _>>().map_err(|_| wrong())?;
        let (samples, features, seed) = match numbers[..] {
            [n, d] => (n, d, None),
            [n, d, seed] => (n, d, Some(seed)),
            _ => return Err(wrong()),
        };
        let (samples, features) = (samples as usize, features as usize);
        let small = samples.checked_mul(features).is_some_and(|size| size <= LARGEST_SYNTHETIC);
        if samples == 0 || features == 0 || !small {
            return Err(wrong());
        }
        Ok(Source::Gaussian { samples, features, seed })
    }

    /// Do the samples depend on the seed of the run?
    pub fn follows_the_seed(&self) -> bool {
        matches!(self, Source::Gaussian { seed: None, .. })
    }

    /// Reads or draws the samples. `key` names the run in errors.
    ///
    /// # Errors
    /// [`SweepError::Data`] and [`SweepError::Run`].
    pub fn load(&self, key: &str, target: Option<&str>, labels: bool, run_seed: u64) -> Result<Dataset, SweepError> {
        let named = |source| SweepError::Data { key: key.to_owned(), source };
        match self {
            Source::File(path) => {
                let target = target.map_or(TargetColumn::Last, |t| TargetColumn::Column(t.to_owned()));
                let options = LoadOptions { target, labels, ..LoadOptions::default() };
                gradcert_data::load(Path::new(path), &options).map_err(named)
            }
            Source::Bundled(name) => {
                let message = format!("there is no bundled data set '{name}'");
                let set =
                    gradcert_data::bundled(name).ok_or_else(|| SweepError::Run { key: key.to_owned(), message })?;
                set.load().map_err(named)
            }
            Source::Gaussian { samples, features, seed } => {
                let (inputs, targets) = gaussian(*samples, *features, seed.unwrap_or(run_seed));
                let matrix = Matrix::new(*samples, *features, inputs).map_err(named)?;
                Dataset::new(matrix, None, Targets::Numeric(targets)).map_err(named)
            }
        }
    }
}

/// X (n x d, row by row) and y (n), independent standard normal numbers; the same on every machine.
pub fn gaussian(samples: usize, features: usize, seed: u64) -> (Vec<f64>, Vec<f64>) {
    let draw = |stream: u64, count: usize| -> Vec<f64> {
        let mut random = ChaCha12Rng::seed_from_u64(seed);
        random.set_stream(stream);
        (0..count).map(|_| StandardNormal.sample(&mut random)).collect()
    };
    (draw(INPUT_STREAM, samples * features), draw(TARGET_STREAM, samples))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_as_they_are_written() {
        let gaussian = |seed| Source::Gaussian { samples: 5, features: 7, seed };
        assert_eq!(Source::parse("gaussian:5,7").expect("sizes"), gaussian(None));
        assert_eq!(Source::parse("gaussian:5,7,3").expect("sizes"), gaussian(Some(3)));
        assert_eq!(Source::parse("a,b.npy").expect("a file"), Source::File("a,b.npy".to_owned()));
        for wrong in [
            "gaussian:",
            "gaussian:5",
            "gaussian:0,7",
            "gaussian:5,7,3,4",
            "gaussian:-1,2",
            "gaussian:99999999,99999999",
        ] {
            assert_eq!(Source::parse(wrong).expect_err(wrong).code(), "sweep_value");
        }
    }

    #[test]
    fn gaussian_data_are_those_of_their_seed() {
        let (x, y) = gaussian(3, 4, 1);
        assert_eq!((x.len(), y.len()), (12, 3));
        assert_eq!(gaussian(3, 4, 1), (x.clone(), y));
        assert_ne!(gaussian(3, 4, 2).0, x);
        // More samples begin with the same ones.
        assert_eq!(gaussian(5, 4, 1).0[..12], x[..]);
    }
}
