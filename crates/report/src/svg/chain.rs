//! How a number builds up factor by factor: bars on a logarithmic scale, each beginning where the one before ended.

use super::{Anchor, Axis, CHARACTER, Canvas, FONT_SIZE, Image, Scale, WIDTH, fitting};
use crate::number::{Rounding, count, rounded};

/// One stage.
#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) name: String,
    /// The number at the end of the stage.
    pub(crate) value: f64,
}

const ROW: f64 = 46.0;
const THICKNESS: f64 = 14.0;
const SIDE: f64 = 14.0;

/// The chain of `bars`; `None` if no value is positive.
pub(crate) fn chain(id: &str, title: &str, description: &str, label: &str, bars: &[Bar]) -> Option<Image> {
    let axis = Axis::over(label, Scale::Log, bars.iter().map(|bar| bar.value))?;
    let place = |value: f64| axis.position(value).map(|at| SIDE + at * (WIDTH - 2.0 * SIDE));
    let mut canvas = Canvas::default();
    let bottom = bars.len() as f64 * ROW + 6.0;
    for tick in axis.ticks() {
        if let Some(x) = place(tick.value) {
            canvas.line("grid", (x, 0.0), (x, bottom));
            canvas.text("tick", (x, bottom + 16.0), Anchor::Middle, &tick.text);
        }
    }
    canvas.line("axis", (SIDE, bottom), (WIDTH - SIDE, bottom));
    canvas.text("label", (WIDTH / 2.0, bottom + 35.0), Anchor::Middle, label);
    let mut before: Option<f64> = None;
    for (row, bar) in bars.iter().enumerate() {
        let y = row as f64 * ROW + 4.0;
        let amount = amount(bar.value, before);
        // The amount is set in bold.
        let room = WIDTH - 2.0 * SIDE - 1.15 * CHARACTER * (amount.chars().count() + 2) as f64;
        canvas.text("legend", (SIDE, y + FONT_SIZE), Anchor::Start, &fitting(&bar.name, room));
        canvas.text("figure", (WIDTH - SIDE, y + FONT_SIZE), Anchor::End, &amount);
        let (from, to) = (before.map_or(Some(SIDE), place), place(bar.value));
        if let (Some(from), Some(to)) = (from, to) {
            let class = if row + 1 == bars.len() { "bar certified" } else { "bar observed" };
            let tooltip = format!("{}: {amount}", bar.name);
            // A stage that changes nothing keeps a visible hairline.
            canvas.bar(class, (from.min(to), y + 20.0), (to - from).abs().max(1.5), THICKNESS, &tooltip);
        }
        before = Some(bar.value);
    }
    Some(canvas.finish(id, title, description, bottom + 44.0))
}

fn amount(value: f64, before: Option<f64>) -> String {
    // Whole iterations, as long as they can be written out.
    let whole = if (0.0..1e9).contains(&value) { count(value.round() as u64) } else { short(value, 4) };
    match before {
        Some(before) if before > 0.0 => format!("×{} = {whole}", short(value / before, 3)),
        _ => whole,
    }
}

fn short(x: f64, significant: usize) -> String {
    rounded(x, significant, Rounding::Nearest)
}
