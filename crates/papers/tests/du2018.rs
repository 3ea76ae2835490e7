//! Du et al. 2018 with small settings: what must hold at any size.

use gradcert_papers::du2018::{ITEMS, Item, Settings};
use gradcert_papers::{Bench, ItemOutcome};
use std::path::Path;

fn reproduce(item: Item, settings: &Settings, folder: &Path, resume: bool) -> ItemOutcome {
    let bench = Bench { folder: folder.to_owned(), threads: 1, resume, progress: &|_, _| () };
    item.reproduce(settings, &bench).unwrap_or_else(|e| panic!("{}: {e}", item.name()))
}

fn number(outcome: &ItemOutcome, name: &str) -> f64 {
    outcome.number(name).unwrap_or_else(|| panic!("no {name}"))
}

/// The error falls faster than the theorem says; wider networks move less, and their kernels too.
#[test]
fn dynamics_are_lazier_for_wider_networks() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = Settings::quick();
    let outcome = reproduce(Item::Dynamics, &settings, folder.path(), false);
    for width in &settings.widths {
        assert!(number(&outcome, &format!("factor-{width}")) < number(&outcome, "theorem_factor"));
        assert!(number(&outcome, &format!("lmin-{width}")) > 0.0);
    }
    for name in ["movement", "changed", "kernel"] {
        let [narrow, wide] = [0, 1].map(|k| number(&outcome, &format!("{name}-{}", settings.widths[k])));
        assert!(wide < 0.7 * narrow, "{name}: {narrow} {wide}");
    }
    assert_eq!(outcome.sheets[0].rows.len(), settings.widths.len() * (settings.epochs + 1));
    assert_eq!(outcome.charts().count(), 5);
    assert!(outcome.charts().all(|chart| !chart.svg().is_empty()));
    // Again from the records: the same page.
    let again = reproduce(Item::Dynamics, &settings, folder.path(), true);
    assert_eq!(again.numbers, outcome.numbers);
    assert_eq!(again.article.to_html().ok(), outcome.article.to_html().ok());
}

/// Lemma 3.1: the distance falls like `m^{-1/2}`. Three draws at four widths leave a standard error of about 0.03 in the slope.
#[test]
fn the_kernel_approaches_its_limit_like_the_root_of_the_width() {
    let folder = tempfile::tempdir().expect("a folder");
    let outcome = reproduce(Item::Limit, &Settings::quick(), folder.path(), false);
    let slope = number(&outcome, "slope");
    assert!((slope + 0.5).abs() < 0.12, "{slope}");
    assert!((number(&outcome, "lmin") - number(&outcome, "lambda_0")).abs() < number(&outcome, "distance"));
}

/// At the certified width training keeps what is promised; the theorem asks for millions of times as much.
#[test]
fn certified_widths_are_far_below_those_of_the_theorem() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = Settings::quick();
    let outcome = reproduce(Item::Widths, &settings, folder.path(), false);
    for (n, d) in &settings.sizes {
        let of = |name: &str| number(&outcome, &format!("{name}-{n}x{d}"));
        assert_eq!(of("held"), 1.0, "{n} x {d}");
        assert!(of("iterations") > 0.0 && of("iterations") <= of("iterations_certified"));
        assert!(1e6 * of("certified") < of("theorem"));
    }
    assert_eq!(ITEMS.len(), 3);
}
