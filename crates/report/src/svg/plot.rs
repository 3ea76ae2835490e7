//! Plots of series over two axes, with a legend above.

use super::{Anchor, Axis, CHARACTER, Canvas, FONT_SIZE, Image, Ink, WIDTH, fitting};
use crate::number::{Rounding, rounded};

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Points joined by straight lines, some of them marked.
    Line,
    /// A step function: the value of a point holds on the interval that ends there.
    Steps,
    /// Points alone.
    Dots,
}

/// Points to draw.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) ink: Ink,
    pub(crate) points: Vec<(f64, f64)>,
    /// Shades the region between the curve and the lower axis up to this x.
    pub(crate) shade_to: Option<f64>,
    /// Shades between two values at each x: `(x, low, high)`.
    pub(crate) band: Vec<(f64, f64, f64)>,
    /// Draws a line in dashes.
    pub(crate) dashed: bool,
}

/// A straight line across the plot.
#[derive(Debug, Clone)]
pub(crate) enum Rule {
    /// At a value of the vertical axis.
    Horizontal { name: String, at: f64, ink: Ink },
    /// At a value of the horizontal axis.
    Vertical { name: String, at: f64, ink: Ink },
}

/// A plot to be drawn.
#[derive(Debug)]
pub(crate) struct Plot<'a> {
    pub(crate) id: &'a str,
    pub(crate) title: &'a str,
    pub(crate) description: &'a str,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) series: Vec<Series>,
    pub(crate) rules: Vec<Rule>,
}

/// The least room left of the vertical axis, for its label and short ticks.
const LEFT: f64 = 62.0;
const RIGHT: f64 = 12.0;
const HEIGHT: f64 = 190.0;
const BELOW: f64 = 44.0;
const LEGEND_ROW: f64 = 19.0;
/// A curve of more points than this would draw several per pixel.
const MOST_POINTS: usize = 500;
/// Points of a line that carry a tooltip.
const MOST_MARKS: usize = 16;

impl Plot<'_> {
    pub(crate) fn draw(&self) -> Image {
        let mut canvas = Canvas::default();
        let top = self.legend(&mut canvas) + 13.0;
        let widest = self.y.ticks().iter().map(|tick| tick.text.chars().count()).max().unwrap_or(0);
        // The label stands upright in the first 20 units.
        let left = LEFT.max(32.0 + widest as f64 * CHARACTER);
        let frame = Frame { plot: self, top, left };
        frame.axes(&mut canvas);
        // Bands lie below every curve.
        for series in &self.series {
            frame.band(&mut canvas, series);
        }
        for series in &self.series {
            frame.series(&mut canvas, series);
        }
        for rule in &self.rules {
            frame.rule(&mut canvas, rule);
        }
        canvas.finish(self.id, self.title, self.description, top + HEIGHT + BELOW)
    }

    /// Draws the legend and returns the height it took.
    fn legend(&self, canvas: &mut Canvas) -> f64 {
        let dashes = |series: &Series| if series.dashed { "curve dashed" } else { "curve" };
        let series = self.series.iter().map(|s| ((s.name.as_str(), s.ink, s.shape), dashes(s)));
        let rules = self.rules.iter().map(|rule| match rule {
            Rule::Horizontal { name, ink, .. } | Rule::Vertical { name, ink, .. } => (name.as_str(), *ink, Shape::Line),
        });
        let kinds = series.chain(rules.map(|entry| (entry, "rule")));
        let (mut x, mut y) = (8.0, 14.0);
        for ((name, ink, shape), kind) in kinds {
            let name = &fitting(name, WIDTH - 50.0);
            let width = 26.0 + name.chars().count() as f64 * CHARACTER + 14.0;
            if x > 8.0 && x + width > WIDTH {
                (x, y) = (8.0, y + LEGEND_ROW);
            }
            let middle = y - 0.35 * FONT_SIZE;
            match shape {
                Shape::Dots => canvas.dot(&format!("dot {}", ink.class()), (x + 10.0, middle), 3.2, name),
                Shape::Steps => canvas.line(&format!("{kind} steps {}", ink.class()), (x, middle), (x + 20.0, middle)),
                Shape::Line => canvas.line(&format!("{kind} {}", ink.class()), (x, middle), (x + 20.0, middle)),
            }
            canvas.text("legend", (x + 26.0, y), Anchor::Start, name);
            x += width;
        }
        y
    }
}

/// The drawing area of a plot.
struct Frame<'a> {
    plot: &'a Plot<'a>,
    top: f64,
    /// Where the vertical axis stands.
    left: f64,
}

impl Frame<'_> {
    fn x(&self, value: f64) -> Option<f64> {
        Some(self.left + self.plot.x.position(value)? * (WIDTH - self.left - RIGHT))
    }

    fn y(&self, value: f64) -> Option<f64> {
        Some(self.top + (1.0 - self.plot.y.position(value)?) * HEIGHT)
    }

    fn bottom(&self) -> f64 {
        self.top + HEIGHT
    }

    fn axes(&self, canvas: &mut Canvas) {
        let (right, bottom) = (WIDTH - RIGHT, self.bottom());
        for tick in self.plot.y.ticks() {
            if let Some(y) = self.y(tick.value) {
                canvas.line("grid", (self.left, y), (right, y));
                canvas.text("tick", (self.left - 6.0, y + 0.35 * FONT_SIZE), Anchor::End, &tick.text);
            }
        }
        for tick in self.plot.x.ticks() {
            if let Some(x) = self.x(tick.value) {
                canvas.line("axis", (x, bottom), (x, bottom + 4.0));
                canvas.text("tick", (x, bottom + 17.0), Anchor::Middle, &tick.text);
            }
        }
        canvas.line("axis", (self.left, bottom), (right, bottom));
        canvas.line("axis", (self.left, self.top), (self.left, bottom));
        canvas.text("label", ((self.left + right) / 2.0, bottom + 36.0), Anchor::Middle, &self.plot.x.label);
        canvas.upright_text("label", (12.0, self.top + HEIGHT / 2.0), &self.plot.y.label);
    }

    fn series(&self, canvas: &mut Canvas, series: &Series) {
        let points = thinned(&series.points, MOST_POINTS);
        let corners = match series.shape {
            Shape::Steps => step_corners(&points, self.plot.x.high()),
            _ => points.clone(),
        };
        if let Some(end) = series.shade_to {
            self.shade(canvas, &corners, end, series.ink);
        }
        let marks = match series.shape {
            Shape::Dots => points,
            _ => {
                self.curve(canvas, &corners, series);
                thinned(&series.points, MOST_MARKS)
            }
        };
        let (class, radius) = match series.shape {
            Shape::Dots => ("dot", 2.4),
            _ => ("mark", 3.0),
        };
        for (x, y) in marks {
            if let (Some(px), Some(py)) = (self.x(x), self.y(y)) {
                let tooltip = format!("{}: {} at {}", series.name, short(y), short(x));
                canvas.dot(&format!("{class} {}", series.ink.class()), (px, py), radius, &tooltip);
            }
        }
    }

    fn curve(&self, canvas: &mut Canvas, corners: &[(f64, f64)], series: &Series) {
        let kind = match (series.shape, series.dashed) {
            (Shape::Steps, _) => "curve steps",
            (_, true) => "curve dashed",
            _ => "curve",
        };
        // Points that cannot be shown interrupt the curve.
        let placed: Vec<_> = corners.iter().map(|&(x, y)| self.x(x).zip(self.y(y))).collect();
        for piece in placed.split(Option::is_none) {
            let piece: Vec<_> = piece.iter().flatten().copied().collect();
            if piece.len() > 1 {
                canvas.polyline(&format!("{kind} {}", series.ink.class()), &piece);
            }
        }
    }

    /// The band, cut where it leaves the plot.
    fn band(&self, canvas: &mut Canvas, series: &Series) {
        let place = |x: f64, y: f64| self.x(x).zip(self.y(self.plot.y.nearest(y)));
        let shown = thinned(&series.band, MOST_POINTS);
        let upper = shown.iter().filter_map(|&(x, _, high)| place(x, high));
        let lower = shown.iter().rev().filter_map(|&(x, low, _)| place(x, low));
        let region: Vec<_> = upper.chain(lower).collect();
        if region.len() > 2 {
            canvas.polygon(&format!("band {}", series.ink.class()), &region);
        }
    }

    fn shade(&self, canvas: &mut Canvas, corners: &[(f64, f64)], end: f64, ink: Ink) {
        let mut region: Vec<_> =
            corners.iter().filter(|(x, _)| *x <= end).filter_map(|&(x, y)| self.x(x).zip(self.y(y))).collect();
        // The step in which the region ends is cut there.
        if let Some(&(_, y)) = corners.iter().find(|(x, _)| *x > end)
            && let Some(corner) = self.x(end).zip(self.y(y))
        {
            region.push(corner);
        }
        let (Some(&(first, _)), Some(&(last, _))) = (region.first(), region.last()) else {
            return;
        };
        region.extend([(last, self.bottom()), (first, self.bottom())]);
        canvas.polygon(&format!("shade {}", ink.class()), &region);
    }

    fn rule(&self, canvas: &mut Canvas, rule: &Rule) {
        match rule {
            Rule::Horizontal { at, ink, .. } => {
                if let Some(y) = self.y(*at) {
                    canvas.line(&format!("rule {}", ink.class()), (self.left, y), (WIDTH - RIGHT, y));
                }
            }
            Rule::Vertical { at, ink, .. } => {
                if let Some(x) = self.x(*at) {
                    canvas.line(&format!("rule {}", ink.class()), (x, self.top), (x, self.bottom()));
                }
            }
        }
    }
}

fn short(x: f64) -> String {
    rounded(x, 4, Rounding::Nearest)
}

/// The corners of the step function with the value of each point on the interval that ends there, from 0 to `end`.
fn step_corners(points: &[(f64, f64)], end: f64) -> Vec<(f64, f64)> {
    let mut corners = Vec::with_capacity(2 * points.len());
    let mut left = 0.0;
    for &(x, y) in points {
        corners.extend([(left, y), (x.min(end), y)]);
        if x >= end {
            break;
        }
        left = x;
    }
    corners
}

/// At most about `most` of the points: the first, the last and evenly many between.
fn thinned<T: Copy>(points: &[T], most: usize) -> Vec<T> {
    let stride = points.len().div_ceil(most).max(1);
    let last = points.len().saturating_sub(1);
    points.iter().enumerate().filter(|(k, _)| k % stride == 0 || *k == last).map(|(_, point)| *point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_both_ends() {
        let points: Vec<_> = (0..10_001).map(|k| (f64::from(k), 0.0)).collect();
        let kept = thinned(&points, 100);
        assert!(kept.len() <= 102);
        assert_eq!((kept[0].0, kept[kept.len() - 1].0), (0.0, 10_000.0));
        assert!(thinned::<(f64, f64)>(&[], 100).is_empty());
    }

    #[test]
    fn a_step_holds_on_the_interval_that_ends_at_its_point() {
        let corners = step_corners(&[(1.0, 5.0), (2.0, 3.0), (9.0, 1.0)], 4.0);
        assert_eq!(corners, [(0.0, 5.0), (1.0, 5.0), (1.0, 3.0), (2.0, 3.0), (2.0, 1.0), (4.0, 1.0)]);
    }
}
