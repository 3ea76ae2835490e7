//! Certified widths of two-layer ReLU networks (T14).

use crate::background::{self, Watch};
use crate::data::Data;
use crate::failure::Failure;
use crate::options::set_threads;
use crate::session::{MEMORY_LIMIT, Session, require_memory};
use faer::Mat;
use gradcert::certify::Reason;
use gradcert::relu::record::certificate;
use gradcert::relu::start::Start;
use gradcert::relu::width::{Certified, Declined, Options, Problem, Search, certify, smallest};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// `None`: the smallest one is searched.
    width: Option<usize>,
    antisymmetric: bool,
    seed: u64,
    tolerance: f64,
    step_size: Option<f64>,
    max_width: usize,
    resolution: f64,
    threads: Option<usize>,
}

/// What came out: numbers as JSON, and if certified the certificate file and the bytes of the start.
type Found<'py> = (String, Option<(String, Bound<'py, PyBytes>)>);

/// Numbers as JSON; certificate file and bytes of the start.
type Answer = (String, Option<(String, Vec<u8>)>);

/// Decides about one width, or searches the smallest certified one.
#[pyfunction]
#[pyo3(signature = (data, options, progress=None))]
pub(crate) fn relu_width<'py>(
    py: Python<'py>,
    data: &Data,
    options: &str,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Found<'py>> {
    let wanted: Wanted = serde_json::from_str(options).map_err(Failure::from)?;
    let session = Arc::clone(&data.0);
    let (about, files) = background::run(py, progress, move |watch| find(&session, &wanted, watch))?;
    Ok((about, files.map(|(text, start)| (text, PyBytes::new(py, &start)))))
}

fn find(session: &Session, wanted: &Wanted, watch: &mut Watch) -> Result<Answer, Failure> {
    set_threads(wanted.threads);
    let [(name, targets)] = session.problems.as_slice() else {
        return Err(Failure::Usage("a width is about one target: these data have several".to_owned()));
    };
    if session.merged.is_some() {
        return Err(Failure::Usage("a width is about the samples as they are, duplicates are not merged".to_owned()));
    }
    let (samples, features) = session.dataset.shape();
    let (n, d) = (samples as f64, features as f64);
    require_memory(8.0 * (12.0 * n * n + 4.0 * n * d), &format!("{samples} samples need"))?;
    if let Some(width) = wanted.width {
        require_memory(24.0 * width as f64 * d, &format!("a network of width {width} needs"))?;
    }
    let clock = Instant::now();
    let values = session.dataset.inputs().as_slice();
    let problem = Problem::new(&Mat::from_fn(samples, features, |i, j| values[i * features + j]), targets);
    let outcome = outcome(&problem, wanted, features, watch);
    let json = |found: Option<&Certified>, reasons: &[Reason]| to_json(name, wanted, found, reasons, &clock);
    match outcome {
        Err(declined) => Ok((json(None, &declined.reasons).to_string(), None)),
        Ok(certified) => {
            let start = Start::draw(certified.width, features, wanted.antisymmetric, wanted.seed);
            let record = certificate(name, &problem, &start, &certified, wanted.tolerance)?;
            let bytes =
                start.to_bytes().map_err(|e| Failure::Model { code: e.code().to_owned(), message: e.to_string() })?;
            Ok((json(Some(&certified), &[]).to_string(), Some((session.file(vec![record])?, bytes))))
        }
    }
}

fn outcome(problem: &Problem, wanted: &Wanted, features: usize, watch: &mut Watch) -> Result<Certified, Declined> {
    let options = Options { tolerance: wanted.tolerance, step_size: wanted.step_size };
    if let Some(width) = wanted.width {
        return certify(problem, &Start::draw(width, features, wanted.antisymmetric, wanted.seed), &options);
    }
    let search = Search {
        antisymmetric: wanted.antisymmetric,
        seed: wanted.seed,
        // No start beyond the limit of memory is drawn.
        largest: wanted.max_width.min((MEMORY_LIMIT / (24.0 * features as f64)) as usize),
        resolution: wanted.resolution,
    };
    smallest(problem, &options, &search, &mut |trial| {
        watch.go_on(|| ("width".to_owned(), trial.width as u64, None));
    })
    .map(|(_, certified)| certified)
}

fn to_json(name: &str, wanted: &Wanted, found: Option<&Certified>, reasons: &[Reason], clock: &Instant) -> Value {
    json!({
        "problem": name,
        "status": if found.is_some() { "certified" } else { "declined" },
        "reasons": reasons,
        "theorem": "T14",
        "tolerance": wanted.tolerance,
        "antisymmetric": wanted.antisymmetric,
        "seed": wanted.seed,
        "width": found.map_or(wanted.width, |c| Some(c.width)),
        "certified_iterations": found.map(|c| c.descent.iterations),
        "step_size": found.map(|c| c.step_size),
        "radius": found.map(|c| c.radius.get()),
        "rate": found.map(|c| c.rate),
        "smin_lower": found.map(|c| c.smin),
        "residual_upper": found.map(|c| c.residual.get()),
        "changeable": found.map(|c| c.changeable),
        "seconds": clock.elapsed().as_secs_f64(),
    })
}
