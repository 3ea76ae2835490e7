//! Plots as PNG files: the marks of an image, drawn with the light colours of the page and an open font that is part of
//! this crate, so that nothing of the reader's machine is needed.

use crate::svg::{Anchor, COLOURS, Element, FONT_SIZE, Image, WIDTH};
use tiny_skia::{Color, FillRule, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash, Transform};
use ttf_parser::{Face, OutlineBuilder};

/// DejaVu Sans Condensed, the glyphs that plots use; its licence lies beside it.
const FONT: &[u8] = include_bytes!("../fonts/DejaVuSansCondensed-subset.ttf");

/// A plot that cannot be drawn as pixels.
#[derive(Debug, thiserror::Error)]
pub enum PngError {
    /// The size is 0, or more than an image may have.
    #[error("png_size: an image of this size cannot be made")]
    Size,
    /// The font does not read; none is known to do that.
    #[error("png_font: {0}")]
    Font(#[from] ttf_parser::FaceParsingError),
    /// The encoder failed.
    #[error("png_encoding: {0}")]
    Encoding(String),
}

/// How a mark looks: what `plot.css` says, for one set of colours.
#[derive(Clone, Copy)]
struct Look {
    stroke: Option<(Color, f32, Option<[f32; 2]>)>,
    fill: Option<Color>,
}

/// A variable of the first block of the style sheet of colours.
fn variable(name: &str) -> Color {
    let start = COLOURS.find(&format!("--{name}: #")).map_or(0, |at| at + name.len() + 5);
    let digit =
        |k: usize| u8::from_str_radix(COLOURS.get(start + 2 * k..start + 2 * k + 2).unwrap_or("00"), 16).unwrap_or(0);
    Color::from_rgba8(digit(0), digit(1), digit(2), 255)
}

fn faded(mut color: Color, opacity: f32) -> Color {
    color.set_alpha(opacity);
    color
}

fn look(class: &str) -> Look {
    let words: Vec<&str> = class.split(' ').collect();
    let has = |word: &str| words.contains(&word);
    let ink = words.iter().find(|w| COLOURS.contains(&format!("--{w}: #")) && **w != "rule").map_or("ink", |w| w);
    let line = |name: &str, width: f32, dash| Look { stroke: Some((variable(name), width, dash)), fill: None };
    let solid = |color: Color| Look { stroke: None, fill: Some(color) };
    match words.first().copied().unwrap_or_default() {
        "grid" => line("rule", 0.7, None),
        "axis" => line("quiet", 1.0, None),
        "curve" if has("dashed") => line(ink, 2.0, Some([6.0, 3.0])),
        "curve" if has("certified") && !has("steps") => line(ink, 2.0, Some([7.0, 3.0])),
        "curve" => line(ink, 2.0, None),
        "rule" => line(ink, 1.4, Some([2.0, 3.0])),
        "band" => solid(faded(variable(ink), 0.16)),
        "shade" => solid(faded(variable("certified"), 0.16)),
        "dot" => solid(variable(ink)),
        "area" => solid(faded(variable(ink), 0.4)),
        "contour" => line("quiet", 0.6, None),
        "bar" => solid(faded(variable(ink), 0.85)),
        "tick" | "label" => solid(variable("quiet")),
        // Marks are there to be pointed at.
        "mark" => Look { stroke: None, fill: None },
        _ => solid(variable("ink")),
    }
}

/// Collects the outline of a text.
struct Glyphs {
    path: PathBuilder,
    scale: f32,
    x: f32,
}

impl Glyphs {
    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + self.scale * x, -self.scale * y)
    }
}

impl OutlineBuilder for Glyphs {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.place(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.place(x1, y1), self.place(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.place(x1, y1), self.place(x2, y2), self.place(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

/// The outline of a text with its baseline from (0, 0), and its width.
fn outline(face: &Face<'_>, text: &str) -> (Option<Path>, f32) {
    let scale = FONT_SIZE as f32 / f32::from(face.units_per_em());
    let mut glyphs = Glyphs { path: PathBuilder::new(), scale, x: 0.0 };
    for c in text.chars() {
        let glyph = face.glyph_index(c).unwrap_or_default();
        face.outline_glyph(glyph, &mut glyphs);
        glyphs.x += scale * f32::from(face.glyph_hor_advance(glyph).unwrap_or(0));
    }
    (glyphs.path.finish(), glyphs.x)
}

struct Drawing<'a> {
    pixels: Pixmap,
    scale: f32,
    face: Face<'a>,
}

fn path_of(points: &[(f64, f64)], closed: bool) -> Option<Path> {
    let mut path = PathBuilder::new();
    for (k, &(x, y)) in points.iter().enumerate() {
        if k == 0 { path.move_to(x as f32, y as f32) } else { path.line_to(x as f32, y as f32) }
    }
    if closed {
        path.close();
    }
    path.finish()
}

impl Drawing<'_> {
    fn draw(&mut self, path: Option<Path>, look: Look, transform: Transform) {
        let Some(path) = path else { return };
        let transform = transform.post_scale(self.scale, self.scale);
        let mut paint = Paint { anti_alias: true, ..Paint::default() };
        if let Some(color) = look.fill {
            paint.set_color(color);
            self.pixels.fill_path(&path, &paint, FillRule::Winding, transform, None);
        }
        if let Some((color, width, dash)) = look.stroke {
            paint.set_color(color);
            let dash = dash.and_then(|dash| StrokeDash::new(dash.to_vec(), 0.0));
            let stroke = Stroke { width, dash, line_join: LineJoin::Round, ..Stroke::default() };
            self.pixels.stroke_path(&path, &paint, &stroke, transform, None);
        }
    }

    fn element(&mut self, element: &Element) {
        let none = Transform::identity();
        match element {
            Element::Line { class, from, to } => self.draw(path_of(&[*from, *to], false), look(class), none),
            Element::Polyline { class, points } => self.draw(path_of(points, false), look(class), none),
            Element::Polygon { class, points } => self.draw(path_of(points, true), look(class), none),
            Element::Dot { class, centre: (x, y), radius, .. } => {
                let circle = PathBuilder::from_circle(*x as f32, *y as f32, *radius as f32);
                self.draw(circle, look(class), none);
            }
            Element::Bar { class, corner: (x, y), width, height, .. } => {
                let bar = Rect::from_xywh(*x as f32, *y as f32, *width as f32, *height as f32);
                self.draw(bar.map(PathBuilder::from_rect), look(class), none);
            }
            Element::Text { class, at, anchor, upright, text } => {
                let (path, width) = outline(&self.face, text);
                let shift = match anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => -0.5 * width,
                    Anchor::End => -width,
                };
                let turn = if *upright { -90.0 } else { 0.0 };
                let place =
                    Transform::from_translate(shift, 0.0).post_rotate(turn).post_translate(at.0 as f32, at.1 as f32);
                self.draw(path, look(class), place);
            }
        }
    }
}

/// The image with so many pixels per unit of its view box, on a white ground.
pub(crate) fn png(image: &Image, scale: f64) -> Result<Vec<u8>, PngError> {
    let size = |length: f64| (length * scale).ceil() as u32;
    let mut pixels = Pixmap::new(size(WIDTH), size(image.height())).ok_or(PngError::Size)?;
    pixels.fill(variable("surface"));
    let mut drawing = Drawing { pixels, scale: scale as f32, face: Face::parse(FONT, 0)? };
    for element in image.elements() {
        drawing.element(element);
    }
    drawing.pixels.encode_png().map_err(|e| PngError::Encoding(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_come_from_the_style_sheet() {
        assert_eq!(variable("surface"), Color::WHITE);
        assert_eq!(variable("c0"), Color::from_rgba8(0, 0x72, 0xb2, 255));
        let curve = look("curve dashed s0").stroke.expect("a stroke");
        assert_eq!(curve.0, Color::from_rgba8(0x0d, 0x08, 0x87, 255));
        assert_eq!(look("rule goal").stroke.expect("a stroke").0, variable("goal"));
    }

    #[test]
    fn the_font_has_what_plots_write() {
        let face = Face::parse(FONT, 0).expect("the font");
        for c in "0123456789.,−×⁰¹²³⁴⁵⁶⁷⁸⁹⁻≤≥|ψρη…–azAZ()/".chars() {
            assert!(face.glyph_index(c).is_some(), "{c}");
        }
    }
}
