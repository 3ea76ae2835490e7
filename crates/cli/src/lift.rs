//! `--lift`: from what was asked for to the lift that is used.

use crate::failure::Failure;
use crate::session::require_memory;
use faer::Mat;
use gradcert::model::Model;
use gradcert_data::{Dataset, Features, Lift, LiftPlan, Matrix, median_distance};
use gradcert_rigor::Interval;
use gradcert_rigor::linear::{EnclosedMatrix, smallest_singular_value_lower};

/// Seeds that are tried for features which may be dependent.
const DRAWS: u64 = 20;

/// Lifts a data set, choosing what the plan leaves open.
pub(crate) fn apply(plan: &LiftPlan, dataset: Dataset) -> Result<(Dataset, Lift), Failure> {
    let (_, d) = dataset.shape();
    within_memory(plan.count, dataset.shape())?;
    let scale = plan.scale.or_else(|| median_distance(dataset.inputs())).ok_or_else(|| {
        Failure::input(
            "lift_scale",
            "no two samples differ, or all distances overflow: give --lift a scale, FEATURES:D:SEED:SCALE",
        )
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

/// The first seed with which the lifted samples are proved to be independent.
fn independent_draw(lift: &dyn Fn(u64) -> Lift, inputs: &Matrix) -> Result<u64, Failure> {
    for seed in 0..DRAWS {
        if independent(lift(seed).apply(inputs)?.matrix()) {
            return Ok(seed);
        }
    }
    Err(Failure::input(
        "lift_dependent",
        format!(
            "none of {DRAWS} draws of {} makes the {} samples affinely independent: more features, or fourier ones",
            lift(0),
            inputs.rows()
        ),
    ))
}

/// Are the rows, with a 1 appended, proved to be linearly independent?
fn independent(matrix: &Matrix) -> bool {
    let (n, d) = matrix.shape();
    let rows = EnclosedMatrix::exact(Mat::from_fn(n, d, |i, j| matrix.row(i)[j]));
    smallest_singular_value_lower(&rows.append_column(&vec![Interval::ONE; n])).get() > 0.0
}

/// The lift of a model, if it has one.
pub(crate) fn of_model(model: &Model) -> Result<Option<Lift>, Failure> {
    let Some(text) = &model.meaning.lift else { return Ok(None) };
    let lift: Lift = text.parse().map_err(|e: String| Failure::input("model_format", e))?;
    let width = model.networks[0].widths()[0];
    if lift.count != width {
        let message = format!("the lift makes {} features, the networks read {width}", lift.count);
        return Err(Failure::input("model_format", message));
    }
    Ok(Some(lift))
}

/// The samples as the networks of a model with this lift read them.
pub(crate) fn samples(lift: Option<Lift>, matrix: Matrix) -> Result<Matrix, Failure> {
    let Some(lift) = lift else { return Ok(matrix) };
    within_memory(lift.count, matrix.shape())?;
    Ok(lift.apply(&matrix)?.into_matrix())
}

/// An error if so many features of so many samples do not fit into memory.
fn within_memory(count: usize, (n, d): (usize, usize)) -> Result<(), Failure> {
    let bytes = 8.0 * n as f64 * (3.0 * count as f64 + 2.0 * d as f64);
    require_memory(bytes, || format!("{count} features of {n} samples need"))
}
