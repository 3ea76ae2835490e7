//! A small SVG writer: enough for scientific plots that adapt to their page.
//!
//! Images have a view box and no size, so that they scale with their container; colours are CSS variables, so that one
//! image serves light, dark and print.

mod axis;
mod chain;
pub mod map;
mod plot;

pub(crate) use axis::{Axis, Scale};
pub(crate) use chain::{Bar, chain};
pub(crate) use plot::{Plot, Rule, Series, Shape};

/// Width of every image in user units: the width of a phone's text column or a little more, so that text of
/// [`FONT_SIZE`] stays readable there.
pub(crate) const WIDTH: f64 = 380.0;
/// Font size in user units.
pub(crate) const FONT_SIZE: f64 = 12.5;
/// Estimated width of a character. There is no font to measure at hand; labels keep some room.
pub(crate) const CHARACTER: f64 = 0.54 * FONT_SIZE;

/// Rules for the classes used in the images; the page includes them, a standalone file carries them.
pub(crate) const STYLE: &str = include_str!("../../templates/plot.css");
/// The colours behind [`STYLE`].
pub(crate) const COLOURS: &str = include_str!("../../templates/colours.css");

/// Colour and dash of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// What was observed.
    Observed,
    /// What was proved.
    Certified,
    /// What is asked for.
    Goal,
    /// A second observed quantity.
    Other,
    /// One of eight colours that are told apart by colour-blind readers too.
    Distinct(u8),
    /// One of eight colours in an order, from first to last.
    Ordered(u8),
}

const DISTINCT: [&str; 8] = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"];
const ORDERED: [&str; 8] = ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"];

impl Ink {
    pub(crate) fn class(self) -> &'static str {
        match self {
            Ink::Observed => "observed",
            Ink::Certified => "certified",
            Ink::Goal => "goal",
            Ink::Other => "other",
            Ink::Distinct(k) => DISTINCT[usize::from(k % 8)],
            Ink::Ordered(k) => ORDERED[usize::from(k.min(7))],
        }
    }
}

/// A finished image.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    /// Prefix of the ids inside; unique within a page.
    id: String,
    title: String,
    description: String,
    height: f64,
    elements: Vec<Element>,
}

impl Image {
    /// The image as an element of an HTML page that has the styles.
    pub(crate) fn inline(&self) -> String {
        self.element("", "")
    }

    #[cfg(feature = "png")]
    pub(crate) fn height(&self) -> f64 {
        self.height
    }

    #[cfg(feature = "png")]
    pub(crate) fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// The image as a document with its own styles.
    pub(crate) fn standalone(&self) -> String {
        let style = format!("<style>{COLOURS}\n{STYLE}\n.plot {{ background: var(--surface); }}</style>\n");
        self.element(" xmlns=\"http://www.w3.org/2000/svg\"", &style)
    }

    fn element(&self, attributes: &str, style: &str) -> String {
        let Image { id, height, .. } = self;
        let body: String = self.elements.iter().map(Element::svg).collect();
        let (title, description) = (escape(&self.title), escape(&self.description));
        format!(
            "<svg{attributes} class=\"plot\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
             aria-labelledby=\"{id}-title {id}-desc\">\n{style}<title id=\"{id}-title\">{title}</title>\n\
             <desc id=\"{id}-desc\">{description}</desc>\n{body}</svg>\n",
        )
    }
}

/// One mark of an image. The class says how it looks; `plot.css` has the rules.
#[derive(Debug, Clone)]
pub(crate) enum Element {
    Line {
        class: String,
        from: (f64, f64),
        to: (f64, f64),
    },
    Polyline {
        class: String,
        points: Vec<(f64, f64)>,
    },
    Polygon {
        class: String,
        points: Vec<(f64, f64)>,
    },
    /// A dot that names its value when pointed at.
    Dot {
        class: String,
        centre: (f64, f64),
        radius: f64,
        tooltip: String,
    },
    Bar {
        class: String,
        corner: (f64, f64),
        width: f64,
        height: f64,
        tooltip: String,
    },
    /// Text at its anchor; upright text is read from bottom to top and centred.
    Text {
        class: String,
        at: (f64, f64),
        anchor: Anchor,
        upright: bool,
        text: String,
    },
}

/// Which point of a text is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        }
    }
}

impl Element {
    fn svg(&self) -> String {
        match self {
            Element::Line { class, from: (x1, y1), to: (x2, y2) } => {
                format!("<line class=\"{class}\" x1=\"{x1:.2}\" y1=\"{y1:.2}\" x2=\"{x2:.2}\" y2=\"{y2:.2}\"/>\n")
            }
            Element::Polyline { class, points } => {
                format!("<polyline class=\"{class}\" points=\"{}\"/>\n", coordinates(points))
            }
            Element::Polygon { class, points } => {
                format!("<polygon class=\"{class}\" points=\"{}\"/>\n", coordinates(points))
            }
            Element::Dot { class, centre: (x, y), radius, tooltip } => format!(
                "<circle class=\"{class}\" cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{radius}\"><title>{}</title></circle>\n",
                escape(tooltip)
            ),
            Element::Bar { class, corner: (x, y), width, height, tooltip } => format!(
                "<rect class=\"{class}\" x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" rx=\"2\">\
                 <title>{}</title></rect>\n",
                escape(tooltip)
            ),
            Element::Text { class, at: (x, y), upright: true, text, .. } => format!(
                "<text class=\"{class}\" transform=\"translate({x:.2} {y:.2}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                escape(text)
            ),
            Element::Text { class, at: (x, y), anchor, text, .. } => format!(
                "<text class=\"{class}\" x=\"{x:.2}\" y=\"{y:.2}\" text-anchor=\"{}\">{}</text>\n",
                anchor.name(),
                escape(text)
            ),
        }
    }
}

/// Marks collected one by one; what comes later lies above.
#[derive(Debug, Default)]
pub(crate) struct Canvas {
    elements: Vec<Element>,
}

impl Canvas {
    pub(crate) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.elements.push(Element::Line { class: class.to_string(), from, to });
    }

    pub(crate) fn polyline(&mut self, class: &str, points: &[(f64, f64)]) {
        self.elements.push(Element::Polyline { class: class.to_string(), points: points.to_vec() });
    }

    pub(crate) fn polygon(&mut self, class: &str, points: &[(f64, f64)]) {
        self.elements.push(Element::Polygon { class: class.to_string(), points: points.to_vec() });
    }

    /// A dot that names its value when pointed at.
    pub(crate) fn dot(&mut self, class: &str, centre: (f64, f64), radius: f64, tooltip: &str) {
        let (class, tooltip) = (class.to_string(), tooltip.to_string());
        self.elements.push(Element::Dot { class, centre, radius, tooltip });
    }

    pub(crate) fn bar(&mut self, class: &str, corner: (f64, f64), width: f64, height: f64, tooltip: &str) {
        let (class, tooltip) = (class.to_string(), tooltip.to_string());
        self.elements.push(Element::Bar { class, corner, width, height, tooltip });
    }

    pub(crate) fn text(&mut self, class: &str, at: (f64, f64), anchor: Anchor, text: &str) {
        let (class, text) = (class.to_string(), text.to_string());
        self.elements.push(Element::Text { class, at, anchor, upright: false, text });
    }

    /// Text read from bottom to top, centred at the point.
    pub(crate) fn upright_text(&mut self, class: &str, at: (f64, f64), text: &str) {
        let (class, text) = (class.to_string(), text.to_string());
        self.elements.push(Element::Text { class, at, anchor: Anchor::Middle, upright: true, text });
    }

    pub(crate) fn finish(self, id: &str, title: &str, description: &str, height: f64) -> Image {
        let (id, title, description) = (id.to_string(), title.to_string(), description.to_string());
        Image { id, title, description, height, elements: self.elements }
    }
}

/// The text, shortened if it is estimated to be wider than `width`.
pub(crate) fn fitting(text: &str, width: f64) -> String {
    let most = (width / CHARACTER).max(1.0) as usize;
    if text.chars().count() <= most {
        return text.to_string();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

fn coordinates(points: &[(f64, f64)]) -> String {
    let mut text = String::with_capacity(points.len() * 14);
    for (x, y) in points {
        text.push_str(&format!("{x:.2},{y:.2} "));
    }
    text.trim_end().to_string()
}

/// Text for SVG and HTML content and attributes. Control characters are not allowed in SVG documents.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c if c.is_control() || c == '\u{fffe}' || c == '\u{ffff}' => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
