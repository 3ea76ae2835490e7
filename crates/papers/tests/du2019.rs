//! The items of 1811.03804 on tiny settings.

use gradcert_papers::du2019::{Item, Settings};
use gradcert_papers::{Bench, ItemOutcome};
use std::path::Path;

fn reproduce(item: Item, folder: &Path, resume: bool) -> ItemOutcome {
    let bench = Bench { folder: folder.to_owned(), threads: 2, resume, progress: &|_, _| () };
    let settings = Settings {
        samples: 5,
        features: 6,
        depths: vec![1, 2, 4],
        finite_depth: 2,
        widths: vec![32, 128, 512],
        trained_depths: vec![2, 4],
        trained_width: 48,
        epochs: 30,
        ..Settings::quick()
    };
    item.reproduce(&settings, &bench).unwrap_or_else(|e| panic!("{}: {e}", item.name()))
}

fn number(outcome: &ItemOutcome, name: &str) -> f64 {
    outcome.number(name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn smallest_eigenvalues_fall_with_depth_and_widths_are_vacuous() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = reproduce(Item::Depth, folder.path(), false);
    for name in ["fc", "resnet", "conv-resnet"] {
        let (two, four) = (number(&outcome, &format!("lmin-{name}-2")), number(&outcome, &format!("lmin-{name}-4")));
        assert!(0.0 < four && four < two, "{name}: {two} {four}");
    }
    assert!(number(&outcome, "least_width") > 1e4);
    assert_eq!(outcome.charts().filter(|c| !c.svg().is_empty()).count(), 2);
}

#[test]
fn kernels_approach_their_limits_like_the_root_of_the_width() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = reproduce(Item::FiniteWidth, folder.path(), false);
    for name in ["fc", "resnet", "conv-resnet"] {
        let power = number(&outcome, &format!("power-{name}"));
        assert!((-0.9..-0.2).contains(&power), "{name}: {power}");
    }
    // Records of finished draws give the same page.
    assert_eq!(outcome, reproduce(Item::FiniteWidth, folder.path(), true));
}

#[test]
fn every_network_is_trained() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = reproduce(Item::Training, folder.path(), false);
    for name in ["fc", "resnet", "conv-resnet"] {
        for depth in [2, 4] {
            let of = |key: &str| number(&outcome, &format!("{key}-{name}-{depth}"));
            assert!(of("loss") < 0.9 * of("loss_start") && of("lmin") > 0.0 && of("factor") < 1.0, "{name} {depth}");
            assert!(of("promised") < 1.0);
        }
    }
}
