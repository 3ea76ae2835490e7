//! The criterion for a formula of a few variables.

use crate::background;
use crate::failure::Failure;
use gradcert::function::{Expression, Function};
use gradcert::theorem::criterion::{Descent, Flow, Options, Verdict, certify};
use numpy::{PyArray1, PyReadonlyArray2};
use pyo3::prelude::*;
use serde_json::{Value, json};

/// Applies the criterion at a start; one JSON object.
#[pyfunction]
#[pyo3(signature = (function, names, start, radius=None, max_boxes=200_000))]
pub(crate) fn criterion(
    py: Python<'_>,
    function: &str,
    names: Vec<String>,
    start: Vec<f64>,
    radius: Option<f64>,
    max_boxes: usize,
) -> PyResult<String> {
    let expression = parse(function, &names)?;
    let options = Options { radius, max_boxes, ..Options::default() };
    background::run(py, None, move |_| {
        let verdict = certify(&expression, &start, &options)?;
        Ok(to_json(&expression, &start, &verdict).to_string())
    })
}

/// Values of the formula, and what is quickly proved about gradient flow, at many starts (m x variables): 0 nothing, 1 the integral
/// criterion, 2 the original one.
#[pyfunction]
#[allow(clippy::type_complexity)]
pub(crate) fn criterion_map<'py>(
    py: Python<'py>,
    function: &str,
    names: Vec<String>,
    starts: PyReadonlyArray2<'_, f64>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<(Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<u8>>)> {
    let expression = parse(function, &names)?;
    let starts: Vec<Vec<f64>> = starts.as_array().outer_iter().map(|row| row.to_vec()).collect();
    let (values, kinds) = background::run(py, progress, move |watch| {
        let (mut values, mut kinds) = (vec![], vec![]);
        for start in &starts {
            if !watch.go_on(|| ("map".to_owned(), kinds.len() as u64, None)) {
                break;
            }
            values.push(expression.value(start));
            kinds.push(kind(&expression, start));
        }
        Ok((values, kinds))
    })?;
    Ok((PyArray1::from_vec(py, values), PyArray1::from_vec(py, kinds)))
}

fn kind(function: &Expression, start: &[f64]) -> u8 {
    match certify(function, start, &Options::quick()) {
        Ok(verdict) if verdict.flow_paper.is_some() || verdict.already_minimum => 2,
        Ok(verdict) if verdict.flow_integral.is_some() => 1,
        _ => 0,
    }
}

fn parse(function: &str, names: &[String]) -> Result<Expression, Failure> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Ok(Expression::parse(function, &names)?)
}

fn to_json(function: &Expression, start: &[f64], verdict: &Verdict) -> Value {
    let named: serde_json::Map<String, Value> =
        function.variables().iter().cloned().zip(start.iter().map(|&x| json!(x))).collect();
    let flow = |flow: Option<Flow>| flow.map(|f| json!({"radius": f.radius, "alpha_lower": f.alpha}));
    let descent = |descent: Option<Descent>| {
        descent.map(|d| {
            json!({
                "radius": d.radius, "alpha_lower": d.alpha, "epsilon": d.epsilon, "step_size": d.step, "rate": d.rate
            })
        })
    };
    let (best_descent, best_flow) = (verdict.best_descent(), verdict.best_flow());
    let already = verdict.already_minimum.then_some(0.0);
    json!({
        "status": if verdict.is_certified() { "certified" } else { "declined" },
        "reasons": verdict.reasons,
        "already_minimum": verdict.already_minimum,
        "certified_by": verdict.certified_by(),
        "alpha_lower": best_descent.map(|d| d.alpha).or(best_flow.map(|f| f.alpha)),
        "radius": best_descent.map(|d| d.radius).or(best_flow.map(|f| f.radius)).or(already),
        "step_size": best_descent.map(|d| d.step),
        "rate": best_descent.map(|d| d.rate),
        "value": verdict.value,
        "methods": {
            "flow-paper": flow(verdict.flow_paper),
            "flow-integral": flow(verdict.flow_integral),
            "descent-paper": descent(verdict.descent_paper),
            "descent-sharp": descent(verdict.descent_sharp),
        },
        "function": function.text(),
        "start": named,
        "boxes": verdict.boxes,
    })
}
