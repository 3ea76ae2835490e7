//! Facts, shapes and tightness. That enclosures contain the values is checked against a high-precision reference by
//! `tests/oracle/check_activations.py`.

use super::*;

pub(super) const ALL: [Activation; 14] = [
    SmoothLeakyRelu(0.1),
    SmoothLeakyRelu(0.9),
    Softplus,
    PlainSoftplus,
    Tanh,
    Logistic,
    Sigmoid,
    Erf,
    Arctan,
    Algebraic,
    Silu,
    Gelu,
    Softsign,
    Identity,
];

/// A number in (0, 1).
fn unit(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1u64 << 53) as f64
}

fn random_intervals(seed: u64, count: usize) -> Vec<Interval> {
    let mut state = seed;
    (0..count)
        .map(|_| {
            let centre = 16.0 * unit(&mut state) - 8.0;
            let radius = 8.0 * unit(&mut state).powi(4);
            Interval::new(centre - radius, centre + radius)
        })
        .collect()
}

/// Doubles across x, both ends and the turning points included.
fn samples(sigma: Activation, k: usize, x: Interval) -> Vec<f64> {
    let steps = 200;
    let mut points: Vec<f64> =
        (0..=steps).map(|i| (x.lo() + (x.hi() - x.lo()) * f64::from(i) / f64::from(steps)).min(x.hi())).collect();
    if let Shape::Turning(turns) = sigma.shape(k) {
        points.extend(turns.iter().flat_map(|turn| [turn.at.0, turn.at.1]).filter(|&t| x.contains(t)));
    }
    points.extend(x.contains(0.0).then_some(0.0));
    points
}

/// Enclosures of the values at sampled points meet the enclosure of the range, and reach both of its ends.
#[test]
fn ranges_are_true_and_tight() {
    for sigma in ALL {
        for k in 0..4 {
            if sigma == Softsign && k > 1 {
                continue;
            }
            for x in random_intervals(7 + k as u64, 300) {
                let range = sigma.enclose(k, x);
                let values: Vec<Interval> =
                    samples(sigma, k, x).iter().map(|&t| sigma.enclose(k, Interval::exact(t))).collect();
                assert!(values.iter().all(|v| v.lo() <= range.hi() && range.lo() <= v.hi()), "{sigma} {k} {x:?}");
                let lowest = values.iter().map(|v| v.hi()).fold(f64::INFINITY, f64::min);
                let highest = values.iter().map(|v| v.lo()).fold(f64::NEG_INFINITY, f64::max);
                let scale = 1e-13 * (1.0 + range.magnitude().get());
                assert!(range.lo() >= lowest - scale && range.hi() <= highest + scale, "{sigma} {k} {x:?}");
            }
        }
    }
}

#[test]
fn suprema_bound_the_samples_and_are_attained() {
    for sigma in ALL {
        for x in random_intervals(3, 400) {
            let at = |k, t: f64| sigma.enclose(k, Interval::exact(t));
            let slopes: Vec<Interval> = samples(sigma, 1, x).iter().map(|&t| at(1, t)).collect();
            let largest = slopes.iter().map(|v| v.mignitude().get()).fold(0.0, f64::max);
            let (sup, inf) = (sigma.sup_slope(x).get(), sigma.inf_slope(x).get());
            assert!(largest <= sup && sup <= largest * (1.0 + 1e-12), "{sigma} {x:?}");
            let smallest = slopes.iter().map(|v| v.hi()).fold(f64::INFINITY, f64::min).max(0.0);
            assert!(inf <= smallest && inf >= smallest * (1.0 - 1e-12) - 1e-15, "{sigma} {x:?} {inf} {smallest}");
            let curvatures = samples(sigma, 2, x).into_iter().map(|t| derivative_at(sigma, 2, t).mignitude().get());
            let largest = curvatures.fold(0.0, f64::max);
            let sup = sigma.sup_curvature(x).get();
            assert!(largest <= sup && sup <= largest * (1.0 + 1e-12), "{sigma} {x:?} {sup} {largest}");
        }
    }
}

/// |sigma'(a) - sigma'(b)| <= L |a - b| with L the bound for softsign, whose slope has a kink.
#[test]
fn softsign_slope_is_lipschitz_with_the_stated_constant() {
    assert_eq!(Softsign.sup_curvature(Interval::new(-1.0, 1.0)).get(), 2.0);
    for x in random_intervals(11, 300) {
        let change =
            (Softsign.enclose_slope(Interval::exact(x.lo())) - Softsign.enclose_slope(Interval::exact(x.hi()))).abs();
        let allowed = Softsign.sup_curvature(x) * (Interval::exact(x.hi()) - Interval::exact(x.lo())).upper();
        assert!(change.lo() <= allowed.get());
    }
    assert!(Softsign.enclose_third(Interval::ONE).is_none() && Softsign.sup_third().is_none());
    assert!(!Softsign.is_c2());
}

/// At every turning point the next derivative changes its sign within two units in the last place.
#[test]
fn turning_points_are_turning_points() {
    for sigma in ALL {
        for k in 0..3 {
            let Shape::Turning(turns) = sigma.shape(k) else { continue };
            if sigma == Softsign {
                continue;
            }
            for turn in turns {
                let step = 1e-7 * (1.0 + turn.at.0.abs());
                let before = derivative_at(sigma, k + 1, turn.at.0 - step);
                let after = derivative_at(sigma, k + 1, turn.at.1 + step);
                assert!(
                    (before.hi() < 0.0 && after.lo() > 0.0) || (before.lo() > 0.0 && after.hi() < 0.0),
                    "{sigma} {k}"
                );
                assert!(derivative_at(sigma, k, turn.at.0).meets(sigma.turn_value(turn)));
            }
        }
    }
}

#[test]
fn plain_floats_agree_with_the_enclosures() {
    let mut state = 5;
    for sigma in ALL {
        for _ in 0..2000 {
            let t = 40.0 * unit(&mut state) - 20.0;
            for (k, computed) in [sigma.value(t), sigma.slope(t), sigma.curvature(t)].into_iter().enumerate() {
                let enclosure = derivative_at(sigma, k, t);
                let slack = Upper::new(4e-15 * enclosure.magnitude().get() + 4e-16);
                assert!(Interval::around(computed, slack).meets(enclosure), "{sigma} {k} at {t}");
            }
        }
    }
}

#[test]
fn global_suprema_bound_the_third_derivative_and_finite_differences_of_it() {
    for sigma in ALL.into_iter().filter(|sigma| sigma.is_c2()) {
        let third = sigma.sup_third().map_or(f64::NAN, Upper::get);
        let attained = sigma.enclose(3, Interval::new(-50.0, 50.0)).magnitude().get();
        assert!(third >= attained * (1.0 - 1e-14) && third <= attained * (1.0 + 1e-14), "{sigma}: {third} {attained}");
        // sup |sigma''''| bounds the difference quotients of sigma''' and is nearly attained by them.
        let fourth = sigma.sup_derivative(4).map_or(f64::NAN, Upper::get);
        let h = Interval::exact(1.0 / 1024.0);
        let quotients = (-8192..8192).map(|i| {
            let t = f64::from(i) / 1024.0;
            (derivative_at(sigma, 3, t + h.lo()) - derivative_at(sigma, 3, t)) / h
        });
        let largest = quotients.map(|q| q.mignitude().get()).fold(0.0, f64::max);
        assert!(largest <= fourth && largest >= 0.999 * fourth, "{sigma}: {largest} {fourth}");
    }
    // Float grid maxima, rounded up in the last digit shown.
    let published = [
        (Tanh, [2.0, 4.08589, 16.0, 52.266]),
        (Softplus, [0.096226, 0.125, 0.127685, 0.25]),
        (Logistic, [0.125, 0.127685, 0.25, 0.40833]),
        (Erf, [2.25676, 4.40471, 13.5406, 36.9137]),
        (Arctan, [2.0, 4.66857, 24.0, 100.459]),
        (Algebraic, [3.0, 8.06167, 45.0, 206.631]),
        (Silu, [0.30819, 0.5, 0.65803, 1.5]),
        (Gelu, [0.77878, 1.59577, 2.84253, 7.181]),
    ];
    for (sigma, values) in published {
        for (k, value) in (3..7).zip(values) {
            let bound = sigma.sup_derivative(k).map_or(f64::NAN, Upper::get);
            assert!((bound - value).abs() < 1e-4 * value, "{sigma} {k}: {bound} {value}");
        }
        assert!(sigma.sup_derivative(2).is_none() && sigma.sup_derivative(7).is_none());
    }
}

/// 1 - tanh^2 in floats is 0 or wrong in every digit where the slope is not 0: as an upper bound it would be false.
#[test]
fn one_minus_tanh_squared_is_the_trap_that_the_slope_avoids() {
    for t in [9.0f64, 18.0, 19.5, 25.0, 300.0] {
        let naive = 1.0 - t.tanh() * t.tanh();
        let slope = Tanh.enclose_slope(Interval::exact(t));
        assert!(slope.lo() > 0.0 && slope.hi() < slope.lo() * (1.0 + 1e-15));
        assert!(!slope.contains(naive), "{t}");
        assert!(t < 19.3 || naive == 0.0);
    }
}

#[test]
fn upper_bounds_of_slopes_never_vanish() {
    for sigma in ALL {
        for t in [-1e308, -1e30, -800.0, -50.0, 50.0, 800.0, 1e30, f64::MAX, f64::INFINITY, f64::NEG_INFINITY] {
            let point = Interval::new(t, t);
            assert!(sigma.sup_slope(point).get() > 0.0, "{sigma} {t}");
            assert!(sigma == Identity || sigma.sup_curvature(point).get() > 0.0, "{sigma} {t}");
            assert!(sigma.sup_slope(point).get() < 1.2 && sigma.sup_curvature(point).get() < 2.1, "{sigma} {t}");
        }
        let everything = Interval::ENTIRE;
        assert!(sigma.sup_slope(everything).get() < 1.2 && sigma.inf_slope(everything) <= sigma.slope_floor());
        assert!(sigma.enclose_value(everything).lo() < sigma.enclose_value(everything).hi());
    }
}

#[test]
fn facts_hold() {
    let zero = Interval::ZERO;
    for sigma in ALL {
        let value = sigma.enclose_value(zero);
        assert_eq!(sigma.vanishes_at_zero(), value == zero, "{sigma}: {value:?}");
        assert_eq!(sigma.curvature_vanishes_at_zero(), sigma.enclose_curvature(zero) == zero, "{sigma}");
        let range = sigma.enclose_slope(Interval::new(-300.0, 300.0));
        assert_eq!(sigma.has_positive_slope(), range.lo() >= 0.0, "{sigma}");
        assert!(range.lo() >= sigma.slope_floor().get() || !sigma.has_positive_slope());
        // Softsign has the property without claiming it.
        let convex = sigma.slope_is_convex_on_negatives() || sigma == Softsign;
        assert_eq!(convex, slope_is_convex_on_negatives(sigma), "{sigma}");
    }
    assert_eq!(SmoothLeakyRelu(0.1).slope_floor().get(), 0.1);
}

/// Midpoint convexity, monotonicity and sigma'(t) >= sigma'(-|t|) on a grid.
fn slope_is_convex_on_negatives(sigma: Activation) -> bool {
    let slope = |t: f64| derivative_at(sigma, 1, t);
    (1..200).all(|i| {
        let t = -f64::from(i) / 16.0;
        let (left, middle, right) = (slope(t - 0.0625), slope(t), slope(t + 0.0625));
        let convex = (left + right).hi() >= 2.0 * middle.lo();
        convex && left.lo() <= middle.hi() && slope(-t).hi() >= middle.lo()
    })
}

#[test]
fn names_read_back() {
    for sigma in ALL {
        assert_eq!(sigma.to_string().parse(), Ok(sigma));
    }
    assert_eq!("smooth-leaky-relu:0.1".parse(), Ok(SmoothLeakyRelu(0.1)));
    for text in [
        "smooth-leaky-relu:0",
        "smooth-leaky-relu:1",
        "smooth-leaky-relu:nan",
        "smooth-leaky-relu",
        "smooth-leaky-relu:",
    ] {
        assert_eq!(text.parse::<Activation>().map_err(|e| e.code()), Err("activation_slope"), "{text}");
    }
    for text in ["", "relu", "Tanh", "smooth-leaky-relux", "softplus "] {
        let error = text.parse::<Activation>().err();
        assert!(error.is_some_and(|e| e.code() == "unknown_activation" && e.to_string().contains("gelu")), "{text}");
    }
}
