//! Movement and recursion by hand.

use super::movement::{Movement, follow};
use super::{Width, recursion};
use crate::hex::HexFloat;
use crate::matrix::{Enclosed, Matrix, Symmetric};
use gradcert_rigor::Interval;

fn moved(x: &[f64], features: usize, w: &[f64], a: &[f64], clocks: &[f64]) -> Movement {
    let x = Matrix { rows: x.len() / features, columns: features, values: x.to_vec() };
    let gram = Symmetric::gram(&x).intervals();
    follow(&Enclosed::exact(x), &gram, w, a, clocks)
}

/// `x = 1`: an active neuron moves its own margin with speed 1, an inactive one does not move at all, and a sign that is not
/// certain is both from the start.
#[test]
fn one_sample_by_hand() {
    let clocks = [0.25, 0.499, 0.5, 0.75];
    let active = moved(&[1.0], 1, &[0.5], &[1.0], &clocks);
    assert_eq!(active.sure.concat(), [1, 1, 0, 0]);
    assert_eq!(active.possible.concat(), [1, 1, 1, 1]);
    assert!(active.outputs[0].contains(0.5));
    let inactive = moved(&[1.0], 1, &[-0.5], &[1.0], &clocks);
    assert_eq!((inactive.sure.concat(), inactive.possible.concat()), (vec![0; 4], vec![0; 4]));
    let unknown = moved(&[1.0], 1, &[0.0], &[-1.0], &clocks);
    assert_eq!((unknown.sure.concat(), unknown.possible.concat()), (vec![0; 4], vec![1; 4]));
    // With 4 equal neurons of width 4 the margin takes twice the clock.
    let four = moved(&[1.0], 1, &[0.5; 4], &[1.0; 4], &[0.9, 1.1]);
    assert_eq!(four.sure.concat(), [4, 0]);
}

/// `x_1 = (1, 0)` active with the margin 1, `x_2 = (3/5, 4/5)` inactive with the margin 0.12. First x_2 is moved by x_1 alone: 0.12 / 0.6 = 0.2.
/// From that cell on x_1 moves with the speed `sqrt(1 + 0.36)`, before with 1.
#[test]
fn two_samples_by_hand() {
    let w = [1.0, -0.9];
    let later = 0.1 + (1.0 - 0.1) / 1.36f64.sqrt();
    let clocks = [0.1, 0.199, 0.201, later, later + 0.12];
    let two = moved(&[1.0, 0.0, 0.6, 0.8], 2, &w, &[1.0], &clocks);
    let at = |counts: &[Vec<u64>], k: usize| counts.iter().map(|c| c[k]).collect::<Vec<_>>();
    assert_eq!(at(&two.possible, 2), [0, 0, 1, 1, 1]);
    assert_eq!(at(&two.sure, 2), [0; 5]);
    assert_eq!(at(&two.sure, 0), [1, 1, 1, 1, 0]);
    assert_eq!(at(&two.possible, 1), [0, 0, 1, 1, 1]);
}

fn hex(x: f64) -> HexFloat {
    HexFloat::new(x).unwrap()
}

/// A constant decay 1/4 with c = 1/2: clock 4 u_0, factor 7/8.
#[test]
fn the_recursion_by_hand() {
    let claim = |iterations: u64, last: f64, rate: f64| Width {
        step_size: hex(0.25),
        radius: hex(1.0),
        tolerance: hex(1.0),
        iterations,
        rate: hex(rate),
        residual: hex(4.0),
        smin: hex(0.5),
        clocks: vec![hex(1.0), hex(last)],
        decay: vec![hex(0.25); 2],
        spread: vec![hex(0.0); 2],
    };
    let (c, exact) = (Interval::exact(0.5), 1.0 - 0.875f64.powi(2));
    // 4 (7/8)^10 = 1.05, 4 (7/8)^11 = 0.92.
    let verify = |iterations, last, rate| recursion::verify(&claim(iterations, last, rate), c, 1).is_ok();
    assert!(verify(11, 16.001, exact - 1e-12));
    assert!(!verify(10, 16.001, exact - 1e-12));
    assert!(!verify(11, 15.999, exact - 1e-12));
    assert!(!verify(11, 16.001, exact + 1e-12));
    assert!(!verify(11, 1.5, exact - 1e-12));
}
