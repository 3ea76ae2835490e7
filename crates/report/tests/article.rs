//! Pages about experiments.

use gradcert_report::article::{Article, ArticleSection, ArticleTable, Chart, ChartAxis, Colour, Curve};

fn chart(points: Vec<(f64, f64)>) -> Chart {
    let axis = |label: &str| ChartAxis { label: label.to_owned(), logarithmic: true, limits: None };
    let band = points.iter().map(|&(x, y)| (x, y / 3.0, 2.0 * y)).collect();
    let curve = |name: &str, dashed, colour| Curve {
        name: name.to_owned(),
        points: points.clone(),
        band: if dashed { vec![] } else { Vec::clone(&band) },
        dashed,
        dots: false,
        colour,
    };
    Chart {
        id: "loss".to_owned(),
        title: "Loss <b>".to_owned(),
        description: "It falls.".to_owned(),
        caption: "A & B".to_owned(),
        x: axis("iteration"),
        y: axis("loss S"),
        curves: vec![curve("run", false, Colour::Distinct(0)), curve("bound", true, Colour::Ordered(3))],
    }
}

fn falling() -> Vec<(f64, f64)> {
    (1..200).map(|k| (f64::from(k), (-f64::from(k)).exp2())).collect()
}

#[test]
fn a_page_has_its_figures_tables_and_settings_and_loads_nothing() {
    let article = Article {
        title: "An <i>experiment</i>".to_owned(),
        settings: vec![("widths".to_owned(), "10 & 20".to_owned())],
        sections: vec![ArticleSection {
            heading: "Loss".to_owned(),
            paragraphs: vec!["a < b".to_owned()],
            charts: vec![chart(falling())],
            tables: vec![ArticleTable {
                caption: "numbers".to_owned(),
                columns: vec!["start".to_owned(), "k".to_owned()],
                rows: vec![vec!["lecun".to_owned(), "7".to_owned()]],
            }],
        }],
        ..Article::default()
    };
    let html = article.to_html().expect("a page");
    for part in [
        "An &#60;i&#62;experiment",
        "10 &#38; 20",
        "a &#60; b",
        "polygon class=\"band c0\"",
        "curve dashed s3",
        "<th scope=\"row\">lecun",
    ] {
        assert!(html.contains(part), "{part} is missing");
    }
    assert!(!html.contains("<i>") && !html.contains("<script") && !html.contains("http://"));
    assert_eq!(html, article.to_html().expect("the same page"));
}

#[test]
fn figures_are_files_of_their_own() {
    let svg = chart(falling()).svg();
    assert!(svg.starts_with("<svg xmlns=") && svg.contains("Loss &lt;b&gt;"));
    // Nothing that can be shown: no figure.
    assert!(chart(vec![]).svg().is_empty());
    assert!(chart(vec![(1.0, -1.0), (2.0, f64::NAN)]).svg().is_empty());
}

#[cfg(feature = "png")]
#[test]
fn figures_are_pixels_too() {
    let png = chart(falling()).png(2.0).expect("an image");
    assert!(png.starts_with(b"\x89PNG\r\n"));
    let size = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
    assert_eq!(size(16), 760);
    assert_eq!(png, chart(falling()).png(2.0).expect("the same image"));
    assert!(chart(vec![]).png(2.0).is_err());
    assert!(chart(falling()).png(0.0).is_err());
}
