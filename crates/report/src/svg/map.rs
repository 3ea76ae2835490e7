//! A map of the plane: which of the points of a grid have what, over contours of a function.

use super::{Anchor, Canvas, FONT_SIZE, Image, WIDTH, fitting};
use crate::number::{Rounding, rounded};

/// Cells along each side.
pub const CELLS: usize = 64;
/// Size of a cell: whole units, so that cells neither overlap nor leave gaps when drawn as pixels.
const CELL: f64 = 5.0;
const SIDE: f64 = CELLS as f64 * CELL;
const LEFT: f64 = WIDTH - SIDE - 12.0;
const TOP: f64 = 30.0;

/// A picture of a square part of the plane.
#[derive(Debug, Clone)]
pub struct Map {
    /// What is shown, in words; above the map.
    pub title: String,
    /// Names of the two coordinates.
    pub names: [String; 2],
    /// Lower left corner and length of a side, in the coordinates.
    pub window: ([f64; 2], f64),
    /// For each cell, rows from below, the position of its kind in `kinds`, or beyond for nothing.
    pub cells: Vec<u8>,
    /// What the colours mean, at most two.
    pub kinds: Vec<String>,
    /// Values of a function at the corners of the cells, rows from below, `(CELLS + 1)^2`, and the levels to draw.
    pub contours: (Vec<f64>, Vec<f64>),
    /// A marked point.
    pub start: [f64; 2],
    /// The radius of the ball around it.
    pub radius: Option<f64>,
}

const COLOURS: [&str; 2] = ["c0", "c1"];

impl Map {
    /// The map as an SVG document with its own light and dark colours.
    pub fn svg(&self) -> String {
        self.image().standalone()
    }

    /// The map as a PNG file with `scale` pixels per unit (the map is 380 units wide), in light colours.
    ///
    /// # Errors
    /// [`PngError`](crate::PngError) if the size is no image's.
    #[cfg(feature = "png")]
    pub fn png(&self, scale: f64) -> Result<Vec<u8>, crate::PngError> {
        crate::raster::png(&self.image(), scale)
    }

    /// Coordinates on the image.
    fn place(&self, [x, y]: [f64; 2]) -> (f64, f64) {
        let ([x0, y0], side) = self.window;
        (LEFT + (x - x0) / side * SIDE, TOP + SIDE - (y - y0) / side * SIDE)
    }

    fn image(&self) -> Image {
        let mut canvas = Canvas::default();
        canvas.text("figure", (LEFT, 18.0), Anchor::Start, &fitting(&self.title, SIDE));
        self.draw_cells(&mut canvas);
        for line in self.contour_lines() {
            canvas.polyline("contour", &line);
        }
        self.draw_start(&mut canvas);
        self.draw_frame(&mut canvas);
        let height = self.draw_legend(&mut canvas);
        let description = format!("{}; colours: {}", self.title, self.kinds.join(", "));
        canvas.finish("map", &self.title, &description, height)
    }

    /// Runs of equal cells in a row become one rectangle.
    fn draw_cells(&self, canvas: &mut Canvas) {
        for (row, cells) in self.cells.chunks(CELLS).enumerate() {
            let y = TOP + SIDE - (row + 1) as f64 * CELL;
            let mut from = 0;
            for run in cells.chunk_by(|a, b| a == b) {
                if let Some(colour) = run.first().and_then(|&kind| COLOURS.get(usize::from(kind))) {
                    let (left, right) = (LEFT + from as f64 * CELL, LEFT + (from + run.len()) as f64 * CELL);
                    let corners = [(left, y), (right, y), (right, y + CELL), (left, y + CELL)];
                    canvas.polygon(&format!("area {colour}"), &corners);
                }
                from += run.len();
            }
        }
    }

    fn draw_start(&self, canvas: &mut Canvas) {
        let at = self.place(self.start);
        let inside = |(x, y): (f64, f64)| (LEFT..=LEFT + SIDE).contains(&x) && (TOP..=TOP + SIDE).contains(&y);
        if let Some(radius) = self.radius {
            let length = radius / self.window.1 * SIDE;
            let on_circle = |k: i32| {
                let angle = f64::from(k) * std::f64::consts::TAU / 120.0;
                (at.0 + length * angle.cos(), at.1 + length * angle.sin())
            };
            let circle: Vec<(f64, f64)> = (0..=120).map(on_circle).collect();
            for arc in circle.split(|&point| !inside(point)).filter(|arc| arc.len() > 1) {
                canvas.polyline("curve ball", arc);
            }
        }
        if inside(at) {
            canvas.dot("dot ink", at, 3.5, "start");
        }
    }

    fn draw_frame(&self, canvas: &mut Canvas) {
        let (right, bottom) = (LEFT + SIDE, TOP + SIDE);
        for (from, to) in [
            ((LEFT, TOP), (right, TOP)),
            ((right, TOP), (right, bottom)),
            ((right, bottom), (LEFT, bottom)),
            ((LEFT, bottom), (LEFT, TOP)),
        ] {
            canvas.line("axis", from, to);
        }
        let ([x0, y0], side) = self.window;
        for value in ticks(x0, side) {
            let (x, _) = self.place([value, y0]);
            canvas.line("axis", (x, bottom), (x, bottom + 4.0));
            canvas.text("tick", (x, bottom + 17.0), Anchor::Middle, &short(value));
        }
        for value in ticks(y0, side) {
            let (_, y) = self.place([x0, value]);
            canvas.line("axis", (LEFT - 4.0, y), (LEFT, y));
            canvas.text("tick", (LEFT - 7.0, y + 4.0), Anchor::End, &short(value));
        }
        canvas.text("label", (LEFT + 0.5 * SIDE, bottom + 34.0), Anchor::Middle, &fitting(&self.names[0], SIDE));
        canvas.upright_text("label", (12.0, TOP + 0.5 * SIDE), &fitting(&self.names[1], SIDE));
    }

    fn draw_legend(&self, canvas: &mut Canvas) -> f64 {
        let mut y = TOP + SIDE + 58.0;
        let line = |canvas: &mut Canvas, text: &str, y: f64| {
            canvas.text("tick", (LEFT + 22.0, y), Anchor::Start, &fitting(text, SIDE - 22.0));
        };
        for (kind, colour) in self.kinds.iter().zip(COLOURS) {
            let (left, top) = (LEFT, y - 10.0);
            let corners = [(left, top), (left + 14.0, top), (left + 14.0, top + 11.0), (left, top + 11.0)];
            canvas.polygon(&format!("area {colour}"), &corners);
            line(canvas, kind, y);
            y += 1.45 * FONT_SIZE;
        }
        canvas.dot("dot ink", (LEFT + 7.0, y - 4.0), 3.5, "start");
        line(canvas, if self.radius.is_some() { "start, and the ball that is not left" } else { "start" }, y);
        y += 1.45 * FONT_SIZE;
        canvas.line("contour", (LEFT, y - 4.0), (LEFT + 14.0, y - 4.0));
        line(canvas, "level lines of f, a factor 4 apart", y);
        y + 10.0
    }

    /// Level lines by marching squares, on the image.
    fn contour_lines(&self) -> Vec<Vec<(f64, f64)>> {
        let (values, levels) = &self.contours;
        levels.iter().flat_map(|&level| join(self.segments(values, level))).collect()
    }

    /// One or two segments in each cell that the level crosses. Ends are keyed by the side they lie on.
    fn segments(&self, values: &[f64], level: f64) -> Vec<[(usize, (f64, f64)); 2]> {
        let n = CELLS + 1;
        let value = |i: usize, j: usize| values.get(j * n + i).copied().unwrap_or(f64::NAN) - level;
        let mut segments = vec![];
        for j in 0..CELLS {
            for i in 0..CELLS {
                let sides = [
                    ((i, j), (i + 1, j)),
                    ((i + 1, j), (i + 1, j + 1)),
                    ((i, j + 1), (i + 1, j + 1)),
                    ((i, j), (i, j + 1)),
                ];
                let crossing = |&((i0, j0), (i1, j1)): &((usize, usize), (usize, usize))| {
                    let (a, b) = (value(i0, j0), value(i1, j1));
                    let t = a / (a - b);
                    let x = LEFT + (i0 as f64 + t * (i1 - i0) as f64) * CELL;
                    let y = TOP + SIDE - (j0 as f64 + t * (j1 - j0) as f64) * CELL;
                    let crosses = (a < 0.0) != (b < 0.0) && t.is_finite();
                    crosses.then_some((2 * (j0 * n + i0) + usize::from(i0 == i1), (x, y)))
                };
                let ends: Vec<_> = sides.iter().filter_map(crossing).collect();
                segments.extend(ends.chunks_exact(2).map(|pair| [pair[0], pair[1]]));
            }
        }
        segments
    }
}

/// Chains segments that share an end.
fn join(segments: Vec<[(usize, (f64, f64)); 2]>) -> Vec<Vec<(f64, f64)>> {
    use std::collections::BTreeMap;
    let mut at: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (k, segment) in segments.iter().enumerate() {
        for end in segment {
            at.entry(end.0).or_default().push(k);
        }
    }
    let mut used = vec![false; segments.len()];
    let follow = |mut key: usize, line: &mut Vec<(f64, f64)>, used: &mut Vec<bool>| {
        while let Some(k) = at.get(&key).and_then(|ks| ks.iter().copied().find(|&k| !used[k])) {
            used[k] = true;
            let [a, b] = segments[k];
            let next = if a.0 == key { b } else { a };
            line.push(next.1);
            key = next.0;
        }
    };
    let mut lines = vec![];
    for k in 0..segments.len() {
        if used[k] {
            continue;
        }
        used[k] = true;
        let [a, b] = segments[k];
        let mut back = vec![a.1];
        follow(a.0, &mut back, &mut used);
        back.reverse();
        back.push(b.1);
        follow(b.0, &mut back, &mut used);
        lines.push(back);
    }
    lines
}

/// Round values in a range, about five.
fn ticks(from: f64, length: f64) -> Vec<f64> {
    let magnitude = 10f64.powf((length / 5.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * magnitude).into_iter().find(|s| *s >= length / 5.0);
    let Some(step) = step.filter(|s| s.is_normal()) else { return vec![] };
    let first = (from / step).ceil();
    (0..12).map(|k| (first + f64::from(k)) * step).take_while(|v| *v <= from + length).collect()
}

fn short(x: f64) -> String {
    rounded(x, 3, Rounding::Nearest).replace(" × ", "×")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contours_of_a_circle_are_one_closed_line() {
        let n = CELLS + 1;
        let at = |k: usize| 4.0 * k as f64 / CELLS as f64 - 2.0;
        let values: Vec<f64> = (0..n * n).map(|k| at(k % n).powi(2) + at(k / n).powi(2)).collect();
        let map = Map {
            title: "circle".to_owned(),
            names: ["x".to_owned(), "y".to_owned()],
            window: ([-2.0, -2.0], 4.0),
            cells: vec![2; CELLS * CELLS],
            kinds: vec![],
            contours: (values, vec![1.0, 100.0]),
            start: [0.0, 0.0],
            radius: Some(1.0),
        };
        let lines = map.contour_lines();
        assert_eq!(lines.len(), 1);
        let centre = map.place([0.0, 0.0]);
        for &(x, y) in &lines[0] {
            let radius = (x - centre.0).hypot(y - centre.1) / SIDE * 4.0;
            assert!((radius - 1.0).abs() < 0.01, "{radius}");
        }
        assert_eq!(lines[0].first(), lines[0].last());
        assert!(map.svg().contains("<svg"));
    }
}
