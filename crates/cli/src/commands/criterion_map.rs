//! The picture of `gradcert criterion`: from which starts in the plane convergence is proved.

use crate::failure::Failure;
use crate::output::progress_bar;
use gradcert::function::{Expression, Function};
use gradcert::theorem::criterion::{Options, Verdict, certify};
use gradcert_report::map::{CELLS, Map};
use rayon::prelude::*;
use std::path::Path;

/// Colours of the map; what is proved by (T1) is proved by (T1i) too.
const ORIGINAL: u8 = 0;
const INTEGRAL: u8 = 1;
const NOTHING: u8 = u8::MAX;

/// Refuses what cannot be drawn, before anything is computed.
pub(super) fn check(path: &Path, variables: usize) -> Result<(), Failure> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    if !["svg", "png"].contains(&extension) {
        return Err(Failure::usage("--picture writes .svg and .png files"));
    }
    if variables != 2 {
        return Err(Failure::usage(format!("--picture needs two variables, the start has {variables}")));
    }
    Ok(())
}

pub(super) fn write(path: &Path, f: &Expression, start: &[f64], verdict: &Verdict) -> Result<(), Failure> {
    let map = map(f, start, verdict);
    let bytes = if path.extension().is_some_and(|e| e == "png") {
        map.png(2.0).map_err(|e| Failure::file(path, &e))?
    } else {
        map.svg().into_bytes()
    };
    std::fs::write(path, bytes).map_err(|e| Failure::file(path, &e))
}

fn map(f: &Expression, start: &[f64], verdict: &Verdict) -> Map {
    let radius = verdict.best_descent().map(|d| d.radius).or(verdict.best_flow().map(|f| f.radius));
    let (corner, side) = window(start, radius);
    let bar = progress_bar(CELLS as u64, "map");
    let at = |k: usize, shift: f64, i: usize| corner[i] + side * ((k as f64 + shift) / CELLS as f64);
    let row = |j: usize| {
        let kinds: Vec<u8> = (0..CELLS).map(|i| kind(f, &[at(i, 0.5, 0), at(j, 0.5, 1)])).collect();
        bar.inc(1);
        kinds
    };
    let cells = (0..CELLS).into_par_iter().flat_map(row).collect();
    bar.finish_and_clear();
    let corners = (0..=CELLS).flat_map(|j| (0..=CELLS).map(move |i| (i, j)));
    let values: Vec<f64> = corners.map(|(i, j)| f.value(&[at(i, 0.0, 0), at(j, 0.0, 1)])).collect();
    let middle = if verdict.value > 0.0 { verdict.value } else { 1.0 };
    let levels = (-2..=6).map(|k| middle * 4f64.powi(k)).collect();
    Map {
        title: format!("f = {}", f.text()),
        names: [f.variables()[0].clone(), f.variables()[1].clone()],
        window: (corner, side),
        cells,
        kinds: vec![
            "certified by the original criterion and ours".into(),
            "certified by the integral criterion alone".into(),
        ],
        contours: (values, levels),
        start: [start[0], start[1]],
        radius,
    }
}

/// Around the origin if the start is near it, as measured by the ball; else around the start.
fn window(start: &[f64], radius: Option<f64>) -> ([f64; 2], f64) {
    let norm = start[0].hypot(start[1]);
    let ball = radius.unwrap_or(0.5 * norm);
    let (centre, half) =
        if norm <= 20.0 * ball { ([0.0, 0.0], 1.4 * norm.max(ball)) } else { ([start[0], start[1]], 4.0 * ball) };
    let half = if half > 0.0 && half.is_finite() { half } else { 1.0 };
    ([centre[0] - half, centre[1] - half], 2.0 * half)
}

fn kind(f: &Expression, start: &[f64]) -> u8 {
    match certify(f, start, &Options::quick()) {
        Ok(verdict) if verdict.flow_paper.is_some() || verdict.already_minimum => ORIGINAL,
        Ok(verdict) if verdict.flow_integral.is_some() => INTEGRAL,
        _ => NOTHING,
    }
}
