//! A small SVG writer: enough for scientific plots that adapt to their page.
//!
//! Images have a view box and no size, so that they scale with their container; colours are CSS variables, so that one
//! image serves light, dark and print.

mod axis;
mod chain;
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
}

impl Ink {
    pub(crate) fn class(self) -> &'static str {
        match self {
            Ink::Observed => "observed",
            Ink::Certified => "certified",
            Ink::Goal => "goal",
            Ink::Other => "other",
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
    body: String,
}

impl Image {
    /// The image as an element of an HTML page that has the styles.
    pub(crate) fn inline(&self) -> String {
        self.element("", "")
    }

    /// The image as a document with its own styles.
    pub(crate) fn standalone(&self) -> String {
        let style = format!("<style>{COLOURS}\n{STYLE}\n.plot {{ background: var(--surface); }}</style>\n");
        self.element(" xmlns=\"http://www.w3.org/2000/svg\"", &style)
    }

    fn element(&self, attributes: &str, style: &str) -> String {
        let Image { id, height, body, .. } = self;
        let (title, description) = (escape(&self.title), escape(&self.description));
        format!(
            "<svg{attributes} class=\"plot\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
             aria-labelledby=\"{id}-title {id}-desc\">\n{style}<title id=\"{id}-title\">{title}</title>\n\
             <desc id=\"{id}-desc\">{description}</desc>\n{body}</svg>\n",
        )
    }
}

/// Text collected element by element.
#[derive(Debug, Default)]
pub(crate) struct Canvas {
    pub(crate) body: String,
}

/// Which point of a text is given.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Canvas {
    pub(crate) fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.body.push_str(&format!(
            "<line class=\"{class}\" x1=\"{x1:.2}\" y1=\"{y1:.2}\" x2=\"{x2:.2}\" y2=\"{y2:.2}\"/>\n"
        ));
    }

    pub(crate) fn polyline(&mut self, class: &str, points: &[(f64, f64)]) {
        self.body.push_str(&format!("<polyline class=\"{class}\" points=\"{}\"/>\n", coordinates(points)));
    }

    pub(crate) fn polygon(&mut self, class: &str, points: &[(f64, f64)]) {
        self.body.push_str(&format!("<polygon class=\"{class}\" points=\"{}\"/>\n", coordinates(points)));
    }

    /// A dot that names its value when pointed at.
    pub(crate) fn dot(&mut self, class: &str, (x, y): (f64, f64), radius: f64, tooltip: &str) {
        let tooltip = escape(tooltip);
        self.body.push_str(&format!(
            "<circle class=\"{class}\" cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{radius}\"><title>{tooltip}</title></circle>\n"
        ));
    }

    pub(crate) fn bar(&mut self, class: &str, (x, y): (f64, f64), width: f64, height: f64, tooltip: &str) {
        let tooltip = escape(tooltip);
        self.body.push_str(&format!(
            "<rect class=\"{class}\" x=\"{x:.2}\" y=\"{y:.2}\" width=\"{width:.2}\" height=\"{height:.2}\" rx=\"2\">\
             <title>{tooltip}</title></rect>\n"
        ));
    }

    pub(crate) fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.body.push_str(&format!(
            "<text class=\"{class}\" x=\"{x:.2}\" y=\"{y:.2}\" text-anchor=\"{anchor}\">{}</text>\n",
            escape(text)
        ));
    }

    /// Text read from bottom to top, centred at the point.
    pub(crate) fn upright_text(&mut self, class: &str, (x, y): (f64, f64), text: &str) {
        self.body.push_str(&format!(
            "<text class=\"{class}\" transform=\"translate({x:.2} {y:.2}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
            escape(text)
        ));
    }

    pub(crate) fn finish(self, id: &str, title: &str, description: &str, height: f64) -> Image {
        let (id, title, description) = (id.to_string(), title.to_string(), description.to_string());
        Image { id, title, description, height, body: self.body }
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
