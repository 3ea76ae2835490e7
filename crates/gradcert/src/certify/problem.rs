//! What is to be learned: inputs in the coordinates of the first layer, targets, multiplicities.

use crate::theorem::centre::Metric;
use crate::theorem::inputs::InputBounds;
use faer::Mat;
use gradcert_rigor::linear::{EnclosedMatrix, smallest_singular_value_lower};
use gradcert_rigor::{Interval, Lower, Upper};

/// The coordinates of the first layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coordinates {
    /// `z_1 = W_1 x + b_1`.
    Raw,
    /// (T12): `z_1 = V T x~`, T the exact left inverse of the samples, `x~ = [x, 1]` with `bias`, else x. Sample i reads
    /// the i-th unit vector.
    Whitened {
        /// Does T see the constant coordinate?
        bias: bool,
    },
}

/// One problem: n (merged) samples, one target each.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The rows (n x d).
    pub rows: EnclosedMatrix,
    /// Targets.
    pub targets: Vec<f64>,
    /// How often each row stands in the data.
    pub multiplicity: Vec<u32>,
    /// The coordinates.
    pub coordinates: Coordinates,
}

impl Problem {
    /// The rows of an n x d array, row-major.
    pub fn new(
        values: &[f64],
        samples: usize,
        features: usize,
        targets: Vec<f64>,
        coordinates: Coordinates,
    ) -> Problem {
        let rows = EnclosedMatrix::exact(Mat::from_fn(samples, features, |i, j| values[i * features + j]));
        Problem { rows, targets, multiplicity: vec![1; samples], coordinates }
    }

    /// The same with multiplicities (T13).
    #[must_use]
    pub fn with_multiplicity(mut self, multiplicity: Vec<u32>) -> Problem {
        self.multiplicity = multiplicity;
        self
    }

    /// The same samples and targets for a network that reads raw samples.
    #[must_use]
    pub fn raw(&self) -> Problem {
        Problem { coordinates: Coordinates::Raw, ..self.clone() }
    }

    /// n, duplicates counted.
    pub fn total(&self) -> f64 {
        self.multiplicity.iter().map(|&m| f64::from(m)).sum()
    }

    /// Width d_0 of the input of the first layer.
    pub fn input_width(&self) -> usize {
        match self.coordinates {
            Coordinates::Raw => self.rows.ncols(),
            Coordinates::Whitened { .. } => self.rows.nrows(),
        }
    }

    /// Is there a trained bias in the first layer? Never on whitened inputs: a second one would make the Gram matrix
    /// `I + 1 1^T`.
    pub fn first_bias(&self, freeze_bias: bool) -> bool {
        self.coordinates == Coordinates::Raw && !freeze_bias
    }

    /// Bounds of the inputs in their coordinates.
    pub fn input_bounds(&self, freeze_bias: bool) -> InputBounds {
        match self.coordinates {
            Coordinates::Raw => InputBounds::of_rows(&self.rows, &self.multiplicity, !freeze_bias),
            Coordinates::Whitened { .. } => InputBounds::unit(&self.multiplicity),
        }
    }

    /// Bounds of `[D_W1 X, D_b1 1]`: the inputs as the first layer sees them in a metric.
    pub fn input_bounds_in(&self, metric: &Metric) -> InputBounds {
        let (weight, bias) = (metric.weights[1], metric.biases[1]);
        if weight == 1.0 && (bias == 0.0 || (bias == 1.0 && self.coordinates == Coordinates::Raw)) {
            return self.input_bounds(bias == 0.0);
        }
        let n = self.rows.nrows();
        let rows = match self.coordinates {
            Coordinates::Raw => self.rows.clone(),
            Coordinates::Whitened { .. } => EnclosedMatrix::exact(Mat::identity(n, n)),
        };
        let extended = rows.scaled(Interval::exact(weight)).append_column(&vec![Interval::exact(bias); n]);
        InputBounds::of_rows(&extended, &self.multiplicity, false)
    }

    /// A lower bound of `smin` of the unweighted samples that T inverts; whitening needs it to be positive.
    pub fn smin_samples(&self, bias: bool) -> Lower {
        if bias {
            let ones = vec![Interval::ONE; self.rows.nrows()];
            smallest_singular_value_lower(&self.rows.append_column(&ones))
        } else {
            smallest_singular_value_lower(&self.rows)
        }
    }

    /// `rho(w0) = -y` of a start whose outputs are 0, weighted by `sqrt m_i`.
    pub fn residual_of_zero_output(&self) -> Vec<Interval> {
        let roots = self.multiplicity.iter().map(|&m| Interval::exact(f64::from(m)).sqrt());
        roots.zip(&self.targets).map(|(w, &y)| w * Interval::exact(-y)).collect()
    }
}

/// `|rho|` from above.
pub fn norm(residual: &[Interval]) -> Upper {
    Upper::norm(residual.iter().map(|r| r.magnitude()))
}
