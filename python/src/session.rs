//! Samples and targets that were looked at, and the problems they pose.

use crate::failure::Failure;
use faer::Mat;
use gradcert::certify::Reason;
use gradcert::certify::problem::{Coordinates, Problem};
use gradcert::model::Meaning;
use gradcert_certificate::format::{Certificate, Data, FORMAT, File, VERSION};
use gradcert_certificate::hash;
use gradcert_data::{Coding, Dataset, Features, Findings, Lift, LiftPlan, Matrix, Merged, Targets, median_distance};
use gradcert_rigor::Interval;
use gradcert_rigor::linear::{EnclosedMatrix, smallest_singular_value_lower};

/// A larger working set than this many bytes is refused.
pub(crate) const MEMORY_LIMIT: f64 = 16e9;
/// Seeds that are tried for features which may be dependent.
const DRAWS: u64 = 20;

/// What is to be learned.
pub(crate) enum Wanted {
    /// n x k numbers, sample by sample.
    Numbers { values: Vec<f64>, outputs: usize },
    /// Classes, and for every sample the position of its own.
    Classes { classes: Vec<String>, index: Vec<usize> },
}

/// A name and its targets, sample by sample.
pub(crate) type Named = (String, Vec<f64>);

/// Data that were read and looked at.
pub(crate) struct Session {
    pub(crate) dataset: Dataset,
    pub(crate) findings: Findings,
    pub(crate) merged: Option<Merged>,
    /// What made the inputs out of the samples.
    pub(crate) lift: Option<Lift>,
    pub(crate) classes: Vec<String>,
    /// One per output, duplicates included.
    pub(crate) problems: Vec<Named>,
    /// All outputs at once, for one network with that many; where classes are meant, in each coding.
    pub(crate) joint: Vec<(Option<Coding>, Named)>,
}

impl Session {
    pub(crate) fn new(
        matrix: Matrix,
        wanted: Wanted,
        merge_duplicates: bool,
        lift: Option<&LiftPlan>,
    ) -> Result<Session, Failure> {
        let (targets, classes, problems, joint) = match wanted {
            Wanted::Numbers { values, outputs } => numbers(&values, outputs)?,
            Wanted::Classes { classes, index } => of_classes(classes, index),
        };
        let dataset = Dataset::new(matrix, None, targets)?;
        let (dataset, lift) = match lift {
            None => (dataset, None),
            Some(plan) => lifted(plan, dataset).map(|(dataset, lift)| (dataset, Some(lift)))?,
        };
        let findings = gradcert_data::inspect(&dataset)?;
        if !findings.conflicts.is_empty() {
            findings.require_distinct_rows()?;
        }
        let merged = if merge_duplicates { Some(gradcert_data::merge_duplicates(&dataset)?) } else { None };
        Ok(Session { dataset, findings, merged, lift, classes, problems, joint })
    }

    /// The rows that are trained on.
    pub(crate) fn distinct(&self) -> &Dataset {
        self.merged.as_ref().map_or(&self.dataset, |m| &m.dataset)
    }

    /// Targets of the distinct rows, `outputs` per row.
    pub(crate) fn of_distinct(&self, targets: &[f64], outputs: usize) -> Vec<f64> {
        match &self.merged {
            None => targets.to_vec(),
            Some(merged) => {
                let rows = merged.first_row_of_group.iter();
                rows.flat_map(|&i| targets[i * outputs..(i + 1) * outputs].iter().copied()).collect()
            }
        }
    }

    pub(crate) fn multiplicity(&self) -> Vec<u32> {
        let n = self.dataset.shape().0;
        self.merged.as_ref().map_or_else(|| vec![1; n], |m| m.multiplicity.clone())
    }

    /// A problem with these targets, duplicates included, `outputs` per row.
    pub(crate) fn problem(&self, targets: &[f64], outputs: usize, coordinates: Coordinates) -> Problem {
        let matrix = self.distinct().inputs();
        let (n, d) = matrix.shape();
        let own = self.of_distinct(targets, outputs);
        Problem::new(matrix.as_slice(), n, d, own, coordinates).with_multiplicity(self.multiplicity())
    }

    /// A reason to decline that the data give before anything is computed.
    pub(crate) fn obvious_decline(&self) -> Option<Reason> {
        if self.merged.is_some() || self.findings.duplicate_groups.is_empty() {
            return None;
        }
        let error = self.findings.require_distinct_rows().err()?;
        Some(Reason { code: "duplicate_rows", message: error.to_string() })
    }

    /// What the outputs of networks with these problems mean.
    pub(crate) fn meaning(&self, problems: Vec<String>) -> Meaning {
        Meaning { problems, classes: self.classes.clone(), target: None, lift: self.lift.map(|lift| lift.to_string()) }
    }

    /// An error if the arrays of a certificate do not fit into memory.
    pub(crate) fn within_memory(&self) -> Result<(), Failure> {
        let (n, d) = self.distinct().shape();
        require_memory(8.0 * (12.0 * (n as f64).powi(2) + 4.0 * n as f64 * d as f64), &format!("{n} samples need"))
    }

    /// Certificates with what they speak about, as the text of a file.
    pub(crate) fn file(&self, certificates: Vec<Certificate>) -> Result<String, Failure> {
        let (samples, features) = self.dataset.shape();
        let file = File {
            format: FORMAT.to_owned(),
            version: VERSION,
            producer: concat!("gradcert-python ", env!("CARGO_PKG_VERSION")).to_owned(),
            data: Data {
                samples,
                features,
                inputs_sha256: hash::inputs(self.dataset.inputs().as_slice(), samples, features),
                merge_duplicates: self.merged.is_some(),
            },
            certificates,
        };
        Ok(serde_json::to_string_pretty(&file)?)
    }
}

type Posed = (Targets, Vec<String>, Vec<Named>, Vec<(Option<Coding>, Named)>);

/// One problem per column, and with several columns all of them at once. Rows of targets are compared as a whole: two samples have equal
/// targets if their rows are equal, which is what classes named after the rows say.
fn numbers(values: &[f64], outputs: usize) -> Result<Posed, Failure> {
    if outputs == 1 {
        let problems = vec![("target".to_owned(), values.to_vec())];
        return Ok((Targets::Numeric(values.to_vec()), vec![], problems, vec![]));
    }
    if outputs == 0 {
        return Err(gradcert_data::DataError::MissingTarget { detail: "y has no column".to_owned() }.into());
    }
    // The same checks as for one column: NaN, infinities, huge numbers.
    for k in 0..outputs {
        let column: Vec<f64> = values.iter().skip(k).step_by(outputs).copied().collect();
        let rows = Matrix::new(column.len(), 1, vec![0.0; column.len()])?;
        Dataset::new(rows, None, Targets::Numeric(column))?;
    }
    // -0 and 0 are one value.
    let name = |row: &[f64]| row.iter().map(|y| format!("{:?}", y + 0.0)).collect::<Vec<_>>().join(",");
    let names: Vec<String> = values.chunks(outputs).map(name).collect();
    let column = |k: usize| values.iter().skip(k).step_by(outputs).copied().collect();
    let problems = (0..outputs).map(|k| (format!("target {k}"), column(k))).collect();
    let joint = vec![(None, ("all targets".to_owned(), values.to_vec()))];
    Ok((Targets::from_labels(&names), vec![], problems, joint))
}

fn of_classes(classes: Vec<String>, index: Vec<usize>) -> Posed {
    let targets = Targets::Labels { classes: classes.clone(), index };
    let problems = targets.problems().into_iter().map(|p| (p.name, p.y)).collect();
    let codings = [Coding::PlusMinusOne, Coding::OneHot].into_iter();
    let joint = codings.filter_map(|coding| targets.joint(coding).map(|named| (Some(coding), named))).collect();
    (targets, classes, problems, joint)
}

/// An error if so many bytes are more than are allowed; `what` begins the sentence.
pub(crate) fn require_memory(bytes: f64, what: &str) -> Result<(), Failure> {
    if bytes <= MEMORY_LIMIT {
        return Ok(());
    }
    let [needed, most] = [bytes, MEMORY_LIMIT].map(|b| b / 1e9);
    Err(Failure::Limit(format!("{what} about {needed:.0} GB of memory, more than {most:.0} GB")))
}

/// (T13a) Lifts a data set, choosing what the plan leaves open: the scale, and the first seed with which features that may be dependent
/// are proved not to be.
fn lifted(plan: &LiftPlan, dataset: Dataset) -> Result<(Dataset, Lift), Failure> {
    let (n, d) = dataset.shape();
    require_memory(8.0 * n as f64 * (3.0 * plan.count as f64 + 2.0 * d as f64), "the lifted samples need")?;
    let scale = plan.scale.or_else(|| median_distance(dataset.inputs())).ok_or_else(|| Failure::Data {
        code: "lift_scale".to_owned(),
        message: "no two samples differ, or all distances overflow: give the lift a scale".to_owned(),
    })?;
    let lift =
        |seed: u64| Lift { features: plan.features, count: plan.count, seed, scale, inputs: plan.inputs.unwrap_or(d) };
    let seed = match (plan.seed, plan.features) {
        (Some(seed), _) => seed,
        (None, Features::Relu) => independent_draw(&lift, dataset.inputs())?,
        (None, Features::Fourier | Features::Tanh) => 0,
    };
    Ok((lift(seed).apply_to(dataset)?, lift(seed)))
}

fn independent_draw(lift: &dyn Fn(u64) -> Lift, inputs: &Matrix) -> Result<u64, Failure> {
    for seed in 0..DRAWS {
        let features = lift(seed).apply(inputs)?;
        let (n, d) = features.matrix().shape();
        let rows = EnclosedMatrix::exact(Mat::from_fn(n, d, |i, j| features.matrix().row(i)[j]));
        if smallest_singular_value_lower(&rows.append_column(&vec![Interval::ONE; n])).get() > 0.0 {
            return Ok(seed);
        }
    }
    let message = format!("none of {DRAWS} draws of {} makes the samples affinely independent: more features", lift(0));
    Err(Failure::Data { code: "lift_dependent".to_owned(), message })
}
