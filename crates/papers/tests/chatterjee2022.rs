//! Chatterjee 2022: the theorems on small examples, and the experiments with small settings.

use gradcert_papers::chatterjee2022::{Item, Settings, formulas, oracles};
use gradcert_papers::{Bench, Comparison, Form, ItemOutcome};
use std::path::Path;

fn check(comparison: Comparison, tolerance: f64) {
    assert!(comparison.holds(tolerance), "{comparison:?}");
    assert!(comparison.computed.is_finite() && comparison.published.is_finite(), "{comparison:?}");
}

/// An equality whose computed side is proved, so that it lies on one side: below the published number, or above it.
fn check_from(side: Form, comparison: Comparison, tolerance: f64) {
    check(comparison, tolerance);
    check(Comparison { form: side, ..comparison }, 0.0);
}

#[test]
fn the_theorems_on_x_squared_are_attained() {
    for radius in [0.5, 1.0, 20.0] {
        check_from(Form::AtMost, formulas::alpha_of_the_square(radius), 1e-9);
    }
    check_from(Form::AtLeast, formulas::smallest_ball_of_the_square(), 0.01);
    for time in [0.1, 1.0, 5.0] {
        check(formulas::flow_of_the_square(time), 1e-9);
    }
    for epsilon in [0.01, 0.2, 0.4] {
        check(formulas::descent_on_the_square(epsilon, 50), 1e-12);
    }
    for radius in [1.5, 10.0, 100.0] {
        check_from(Form::AtMost, formulas::rate_on_the_square(radius), 0.01);
    }
}

#[test]
fn alpha_and_radius_on_the_hyperbola_are_the_ones_worked_out_by_hand() {
    for (start, radius) in [(2.5, 1.25), (3.0, 0.1), (1.5, 1.2)] {
        check_from(Form::AtMost, formulas::alpha_of_the_hyperbola(start, radius), 0.01);
    }
    for start in [1.6, 2.5, 10.0] {
        let (radius, limit) = (formulas::radius_on_the_hyperbola(start), formulas::limit_on_the_hyperbola(start));
        check_from(Form::AtLeast, radius, 0.01);
        check(limit, 1e-8);
        assert!(limit.computed < radius.computed, "{start}");
    }
}

#[test]
fn starts_on_the_hyperbola_are_certified_from_the_threshold_on() {
    check_from(Form::AtLeast, formulas::smallest_start_on_the_hyperbola(), 0.01);
    check_from(Form::AtLeast, formulas::smallest_start_by_the_integral(), 0.01);
}

#[test]
fn descent_on_the_hyperbola_keeps_the_promises_of_the_theorem() {
    for iterations in [1, 10, 100, 1000] {
        check(formulas::descent_on_the_hyperbola(iterations), 0.0);
    }
    for start in [2.2, 2.5] {
        let rate = formulas::rate_on_the_hyperbola(start);
        check(rate, 0.0);
        assert!(rate.computed > 0.9 * rate.published, "{rate:?}");
    }
}

#[test]
fn the_smallest_scale_is_the_one_worked_out_by_hand() {
    for target in [0.25, 1.0, -9.0] {
        check(oracles::smallest_scale_of_one_sample(target), 1e-5);
    }
    for (samples, width, slope, hidden) in [(2, 3, 0.5, 1.0), (3, 2, 0.1, 0.4)] {
        check(oracles::smallest_scale_of_unit_vectors(samples, width, slope, hidden), 1e-5);
    }
}

#[test]
fn the_promises_of_the_original_theorem_are_kept() {
    for seed in 0..3 {
        check(oracles::loss_after(seed, 500).expect("certified"), 0.0);
        check(oracles::gradient_along_the_run(seed, 500).expect("certified"), 0.0);
    }
}

#[test]
fn our_smallest_scale_is_smaller() {
    for widths in [vec![10], vec![6, 6]] {
        check(oracles::smallest_scales(8, 16, &widths, 1), 0.0);
    }
}

#[test]
fn the_event_of_the_theorem_on_random_starts_is_rare() {
    for width in [1, 2, 4] {
        check(oracles::probability_of_the_event(width, 0).expect("an event"), 0.0);
    }
}

fn tiny() -> Settings {
    Settings {
        samples: 6,
        features: 12,
        widths: vec![4, 6],
        depths: vec![2],
        scales: vec![1.0, 16.0, 64.0, 256.0],
        scale: 20.0,
        seeds: 3,
        speedup_seeds: 5,
        draws: 5,
        steps: vec![0.5, 1.0, 1.4],
        max_iterations: 1500,
        wide_iterations: 300,
        ..Settings::quick()
    }
}

fn reproduce(item: Item, folder: &Path, threads: usize) -> ItemOutcome {
    let bench = Bench { folder: folder.to_owned(), threads, resume: true, progress: &|_, _| {} };
    let outcome = item.reproduce(&tiny(), &bench).unwrap_or_else(|e| panic!("{}: {e}", item.name()));
    assert!(outcome.article.to_html().expect("a page").contains("none of these settings is known to be the paper"));
    for chart in outcome.charts() {
        assert!(chart.svg().starts_with("<svg"), "{} is empty", chart.id);
        assert!(chart.png(1.0).expect("pixels").starts_with(b"\x89PNG"));
    }
    for sheet in &outcome.sheets {
        assert!(!sheet.rows.is_empty(), "{}", sheet.name);
        assert!(sheet.csv().is_ok());
    }
    outcome
}

#[test]
fn figure_1_is_the_same_for_every_number_of_threads_and_when_it_is_continued() {
    let (one, two) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let outcome = reproduce(Item::Fig1, one.path(), 1);
    assert_eq!(outcome, reproduce(Item::Fig1, two.path(), 3));
    assert_eq!(outcome, reproduce(Item::Fig1, one.path(), 2));
    // The step is certified for the positive start, so it reaches zero; the others may.
    let positive = outcome.number("4/same/positive").expect("a number");
    assert!((50.0..1500.0).contains(&positive), "{positive}");
    let own = outcome.number("4/own/lecun").expect("a number");
    assert!((30.0..1500.0).contains(&own), "{own}");
    // The proved bound lies above every run.
    for row in &outcome.sheets[0].rows {
        if let (Ok(largest), Ok(bound)) = (row[6].parse::<f64>(), row[7].parse::<f64>()) {
            assert!(row[4].parse::<f64>().expect("a mean") <= bound, "{row:?}");
            assert!(largest.is_finite());
        }
    }
}

#[test]
fn figure_3_certifies_large_scales_in_fewer_iterations() {
    let folder = tempfile::tempdir().expect("a folder");
    let outcome = reproduce(Item::Fig3, folder.path(), 2);
    let certified = |scale: &str| outcome.number(&format!("{scale}/certified")).expect("a number");
    assert_eq!(certified("1"), f64::INFINITY, "A = 1 is below the smallest certifiable scale");
    assert!(certified("64") < certified("16") && certified("256") <= certified("64"));
    assert!(outcome.number("256/observed").expect("a number") <= certified("256"));
}

#[test]
fn constants_are_sharper_than_the_paper_s() {
    let folder = tempfile::tempdir().expect("a folder");
    let outcome = reproduce(Item::Constants, folder.path(), 2);
    let ratios = |what: &str| -> Vec<f64> {
        outcome.numbers.iter().filter(|(name, _)| name.ends_with(what)).map(|(_, x)| *x).collect()
    };
    assert!(ratios("scale ratio").iter().all(|r| *r > 1.0));
    assert!(ratios("iteration ratio").iter().all(|r| *r > 100.0));
    assert_eq!(ratios("scale ratio").len(), 2 * 3);
}

#[test]
fn whitening_accelerates_whatever_the_start_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let outcome = reproduce(Item::Speedup, folder.path(), 2);
    let whitened = outcome.number("certified step, no tuning/positive, automatic A, whitened/1e-10").expect("a number");
    assert!((1.0..=15.0).contains(&whitened), "{whitened}");
    let ratio = outcome.number("best step/LeCun/ratio").expect("a number");
    assert!((0.1..10.0).contains(&ratio), "{ratio}");
}

#[test]
fn random_starts_are_certified_always_where_the_first_layer_alone_is_trained_and_the_rest_is_positive() {
    let folder = tempfile::tempdir().expect("a folder");
    let outcome = reproduce(Item::Starts, folder.path(), 2);
    for start in ["abs-lecun", "conditional"] {
        assert_eq!(outcome.number(&format!("2/4/{start}/first-layer")), Some(5.0));
    }
    let (narrow, wide) = (outcome.number("2/4/log10 theorem"), outcome.number("2/6/log10 theorem"));
    assert!(wide < narrow && narrow < Some(0.0), "{narrow:?} {wide:?}");
}

#[test]
fn unusable_settings_are_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = Bench { folder: folder.path().to_owned(), threads: 1, resume: false, progress: &|_, _| {} };
    let settings = Settings { activation: "relu".to_owned(), ..tiny() };
    assert_eq!(Item::Fig1.reproduce(&settings, &bench).expect_err("no such activation").code(), "sweep_value");
    // Nothing is certified at this scale.
    let settings = Settings { scale: 0.01, ..tiny() };
    assert_eq!(Item::Fig1.reproduce(&settings, &bench).expect_err("declined").code(), "experiment_declined");
}
