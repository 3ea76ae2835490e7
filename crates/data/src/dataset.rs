//! Samples with their targets, and the regression problems they pose.

use std::collections::HashMap;

use serde::Serialize;

use crate::error::{Place, shorten};
use crate::{DataError, Matrix};

/// Magnitudes beyond this are refused: a sum of squares of even 1e8 of them still has to fit a double (1e308).
pub const LARGEST_MAGNITUDE: f64 = 1e150;

/// Inputs without targets, as needed to predict. Every value is finite and at most [`LARGEST_MAGNITUDE`].
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs {
    matrix: Matrix,
    column_names: Option<Vec<String>>,
}

impl Inputs {
    /// Checks the values and the number of names.
    ///
    /// # Errors
    /// `empty`, `shape` (names that do not fit), `nan`, `infinite`, `huge`.
    pub fn new(matrix: Matrix, column_names: Option<Vec<String>>) -> Result<Self, DataError> {
        let (rows, columns) = matrix.shape();
        if rows == 0 || columns == 0 {
            return Err(DataError::Empty { rows, columns });
        }
        if let Some(names) = &column_names
            && names.len() != columns
        {
            let detail = format!("{} column names for {columns} columns", names.len());
            return Err(DataError::Shape { detail });
        }
        for (position, &value) in matrix.as_slice().iter().enumerate() {
            let place = || Place::new(position / columns, column_label(column_names.as_deref(), position % columns));
            check_value(value, place)?;
        }
        Ok(Self { matrix, column_names })
    }

    /// The samples, n x d.
    pub fn matrix(&self) -> &Matrix {
        &self.matrix
    }

    /// The samples alone.
    pub fn into_matrix(self) -> Matrix {
        self.matrix
    }

    /// The names of the d features, if the source has any.
    pub fn column_names(&self) -> Option<&[String]> {
        self.column_names.as_deref()
    }

    /// The name of feature `j`, or `column j+1` without names.
    pub fn column_label(&self, j: usize) -> String {
        column_label(self.column_names.as_deref(), j)
    }
}

pub(crate) fn column_label(names: Option<&[String]>, j: usize) -> String {
    match names.and_then(|names| names.get(j)) {
        Some(name) if !name.is_empty() => shorten(name, 60),
        _ => format!("column {}", j + 1),
    }
}

fn check_value(value: f64, place: impl FnOnce() -> Place) -> Result<(), DataError> {
    if value.abs() <= LARGEST_MAGNITUDE {
        Ok(())
    } else if value.is_nan() {
        Err(DataError::Nan { place: place() })
    } else if value.is_infinite() {
        Err(DataError::Infinite { place: place() })
    } else {
        Err(DataError::Huge { place: place(), value })
    }
}

/// What is to be learned: a number or a class for every sample.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// One number per sample.
    Numeric(Vec<f64>),
    /// One class per sample.
    Labels {
        /// The distinct classes, in increasing order (numbers by value, other text by code point).
        classes: Vec<String>,
        /// For every sample the position of its class in `classes`.
        index: Vec<usize>,
    },
}

/// How classes are written as numbers for a network with one output per class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// 1 for the class of the sample, -1 for the others.
    PlusMinusOne,
    /// 1 for the class of the sample, 0 for the others.
    OneHot,
}

/// One scalar regression problem.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Problem {
    /// `target` for numbers, `B versus A` for two classes, `A versus rest` for more.
    pub name: String,
    /// The class coded as +1; every other class is -1. None for numeric targets.
    pub positive_class: Option<String>,
    /// The n targets.
    pub y: Vec<f64>,
}

impl Targets {
    /// Targets from class names: every distinct name is a class.
    pub fn from_labels<T: AsRef<str>>(labels: &[T]) -> Self {
        let mut classes: Vec<&str> = labels.iter().map(AsRef::as_ref).collect();
        classes.sort_unstable();
        classes.dedup();
        // Numbers are ordered by value, so that class 10 follows class 9. The sort is stable: equal values keep a fixed order.
        let numbers: Option<Vec<f64>> = classes.iter().map(|name| name.parse().ok()).collect();
        if let Some(numbers) = numbers {
            let mut ordered: Vec<(f64, &str)> = numbers.into_iter().zip(classes).collect();
            ordered.sort_by(|a, b| a.0.total_cmp(&b.0));
            classes = ordered.into_iter().map(|(_, name)| name).collect();
        }
        let position: HashMap<&str, usize> = classes.iter().enumerate().map(|(i, &name)| (name, i)).collect();
        let index = labels.iter().filter_map(|label| position.get(label.as_ref()).copied()).collect();
        Self::Labels { classes: classes.into_iter().map(str::to_owned).collect(), index }
    }

    /// Classes from numbers, one class per distinct value; -0 and 0 are one value.
    pub fn labels_from_numbers(numbers: &[f64]) -> Self {
        let names: Vec<String> = numbers.iter().map(|value| (value + 0.0).to_string()).collect();
        Self::from_labels(&names)
    }

    /// Number of samples n.
    pub fn len(&self) -> usize {
        match self {
            Self::Numeric(values) => values.len(),
            Self::Labels { index, .. } => index.len(),
        }
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The regression problems posed: one for numbers; one for two classes, where the second class in `classes` is +1
    /// and the first is -1; for k > 2 classes k problems in the order of `classes`, where the class is +1 and the rest -1.
    /// A single class gives one problem whose targets are all +1.
    pub fn problems(&self) -> Vec<Problem> {
        match self {
            Self::Numeric(values) => {
                vec![Problem { name: "target".to_owned(), positive_class: None, y: values.clone() }]
            }
            Self::Labels { classes, index } => match classes.as_slice() {
                [] => Vec::new(),
                [only] => vec![one_against_others(only.clone(), only, 0, index)],
                [first, second] => vec![one_against_others(format!("{second} versus {first}"), second, 1, index)],
                many => many
                    .iter()
                    .enumerate()
                    .map(|(class, name)| one_against_others(format!("{name} versus rest"), name, class, index))
                    .collect(),
            },
        }
    }

    /// The problem of all k > 2 classes at once, for a network with k outputs: its name, and n k targets, sample by sample.
    /// None for numbers and for fewer classes.
    pub fn joint(&self, coding: Coding) -> Option<(String, Vec<f64>)> {
        let Self::Labels { classes, index } = self else { return None };
        let (other, name) = match coding {
            Coding::PlusMinusOne => (-1.0, "all classes as +1 and -1"),
            Coding::OneHot => (0.0, "all classes as 1 and 0"),
        };
        let row = |&class: &usize| (0..classes.len()).map(move |c| if c == class { 1.0 } else { other });
        (classes.len() > 2).then(|| (name.to_owned(), index.iter().flat_map(row).collect()))
    }

    /// The targets of the given samples, in the given order; classes keep their coding.
    ///
    /// # Panics
    /// If an index is not below `len()`, as indexing a slice does.
    pub fn select_rows(&self, rows: &[usize]) -> Self {
        match self {
            Self::Numeric(values) => Self::Numeric(rows.iter().map(|&i| values[i]).collect()),
            Self::Labels { classes, index } => {
                Self::Labels { classes: classes.clone(), index: rows.iter().map(|&i| index[i]).collect() }
            }
        }
    }

    /// Whether two samples have the same target; -0 equals 0.
    pub(crate) fn equal(&self, i: usize, j: usize) -> bool {
        match self {
            Self::Numeric(values) => values[i] == values[j],
            Self::Labels { index, .. } => index[i] == index[j],
        }
    }

    /// The target of sample `i` as text.
    pub(crate) fn describe(&self, i: usize) -> String {
        match self {
            Self::Numeric(values) => values[i].to_string(),
            Self::Labels { classes, index } => shorten(&classes[index[i]], 60),
        }
    }

    fn check(&self, target_name: &str) -> Result<(), DataError> {
        match self {
            Self::Numeric(values) => values
                .iter()
                .enumerate()
                .try_for_each(|(row, &value)| check_value(value, || Place::new(row, target_name))),
            Self::Labels { classes, index } => match index.iter().find(|&&class| class >= classes.len()) {
                Some(class) => {
                    let detail = format!("a sample has class {class} of {}", classes.len());
                    Err(DataError::Shape { detail })
                }
                None => Ok(()),
            },
        }
    }
}

fn one_against_others(name: String, positive: &str, class: usize, index: &[usize]) -> Problem {
    let y = index.iter().map(|&i| if i == class { 1.0 } else { -1.0 }).collect();
    Problem { name, positive_class: Some(positive.to_owned()), y }
}

/// Samples and their targets. Every number is finite and at most [`LARGEST_MAGNITUDE`]; n, d >= 1; shapes agree.
/// What training needs beyond that (two samples, two targets, distinct rows) is checked by [`crate::validate`].
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    inputs: Inputs,
    targets: Targets,
    target_name: Option<String>,
}

impl Dataset {
    /// Checks values and shapes.
    ///
    /// # Errors
    /// `empty`, `shape`, `nan`, `infinite`, `huge`.
    pub fn new(inputs: Matrix, column_names: Option<Vec<String>>, targets: Targets) -> Result<Self, DataError> {
        Self::from_inputs(Inputs::new(inputs, column_names)?, targets, None)
    }

    /// Checks the targets against inputs that were checked before.
    ///
    /// # Errors
    /// `shape`, `nan`, `infinite`, `huge`.
    pub fn from_inputs(inputs: Inputs, targets: Targets, target_name: Option<String>) -> Result<Self, DataError> {
        let rows = inputs.matrix.rows();
        if targets.len() != rows {
            let detail = format!("{} targets for {rows} samples", targets.len());
            return Err(DataError::Shape { detail });
        }
        targets.check(target_name.as_deref().unwrap_or("target"))?;
        Ok(Self { inputs, targets, target_name })
    }

    /// The samples, n x d.
    pub fn inputs(&self) -> &Matrix {
        &self.inputs.matrix
    }

    /// The targets of the n samples.
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// The names of the d features, if the source has any.
    pub fn column_names(&self) -> Option<&[String]> {
        self.inputs.column_names()
    }

    /// The name of feature `j`, or `column j+1` without names.
    pub fn column_label(&self, j: usize) -> String {
        self.inputs.column_label(j)
    }

    /// The name of the target column, if the source has one.
    pub fn target_name(&self) -> Option<&str> {
        self.target_name.as_deref()
    }

    /// (n, d).
    pub fn shape(&self) -> (usize, usize) {
        self.inputs.matrix.shape()
    }

    /// The regression problems posed, see [`Targets::problems`].
    pub fn problems(&self) -> Vec<Problem> {
        self.targets.problems()
    }

    /// The given samples in the given order; classes keep their coding.
    ///
    /// # Panics
    /// If an index is not below n, as indexing a slice does.
    pub fn select_rows(&self, rows: &[usize]) -> Self {
        Self {
            inputs: Inputs {
                matrix: self.inputs.matrix.select_rows(rows),
                column_names: self.inputs.column_names.clone(),
            },
            targets: self.targets.select_rows(rows),
            target_name: self.target_name.clone(),
        }
    }

    /// Inputs and targets apart.
    pub fn into_parts(self) -> (Inputs, Targets) {
        (self.inputs, self.targets)
    }
}
